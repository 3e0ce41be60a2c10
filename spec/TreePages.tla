------------------------------ MODULE TreePages ------------------------------
(* What a page of the tree is: a base, fences, a right sibling and a log;     *)
(* what base and log say together; where a page that has grown too large is   *)
(* cut.  Words and meanings are those of BwTree.tla; new are the records      *)
(* MARK, MERGE and REMOVE, and entries of inner pages that are marked.        *)
(* Nothing here changes: the steps are in StructureModification.tla.          *)
EXTENDS MapOperations, Sequences, FiniteSets

\* From MapOperations: Threads, Keys, Vals, Absent.
CONSTANTS
  LeafCap, InnerCap,   \* entries that a base may hold
  LeafLog, InnerLog,   \* slots of a log
  LeafMin, InnerMin,   \* a page with fewer entries asks to be merged
  LeafFit, InnerFit,   \* a merge begins only if both fit this, or the page is as good as empty
  Mutation        \* "none", or the name of the guard that is left out

Inf     == Cardinality(Keys) + 1   \* above every key
Seps    == 0..(Inf - 1)            \* 0 stands below every key
None    == 0                       \* no value, no entry, no sibling, unused mapping entry
Tomb    == -1                      \* mapping entry of a page that was merged away
ASSUME Keys = 1..Cardinality(Keys) /\ Absent = 0
\* A page that is overfull by its log can always be cut beside its mark.
ASSUME InnerCap >= 3 /\ InnerLog <= InnerCap - 1

\* An inner entry is a pid, or a marked pid.
MarkBit     == 100
PidOf(e)    == e % MarkBit
IsMarked(e) == e > MarkBit

Empty == [s \in Seps |-> None]
\* `buried` is set in a retired page that takes its pid along.
Page(p, level, low, high, right, base) ==
  [state |-> "live", tag |-> 0, buried |-> FALSE, pid |-> p, level |-> level, low |-> low,
   high |-> high, right |-> right, base |-> base, log |-> <<>>]
Freed == [Page(0, 0, 0, 0, None, Empty) EXCEPT !.state = "free"]

LogCap(level) == IF level = 0 THEN LeafLog ELSE InnerLog
Cap(level)    == IF level = 0 THEN LeafCap ELSE InnerCap
Min(level)    == IF level = 0 THEN LeafMin ELSE InnerMin
Fit(level)    == IF level = 0 THEN LeafFit ELSE InnerFit
Spent(level)  == IF level = 0 THEN 0 ELSE 1   \* as good as empty: no key, a single child

\* A record is <<kind, key, value or pid>>.
Last(log)   == log[Len(log)]
EndsIn(pg, kinds) == pg.log # <<>> /\ Last(pg.log)[1] \in kinds
Removed(pg) == EndsIn(pg, {"remove"})
Merging(pg) == EndsIn(pg, {"merge"})
Frozen(pg)  == Len(pg.log) >= LogCap(pg.level) \/ EndsIn(pg, {"freeze", "merge", "remove"})

RECURSIVE Fold(_, _, _)
Fold(base, log, n) ==
  IF n = 0 THEN base
  ELSE LET v == Fold(base, log, n - 1)  rec == log[n] IN
       CASE rec[1] = "put"    -> [v EXCEPT ![rec[2]] = rec[3]]
         [] rec[1] = "delete" -> [v EXCEPT ![rec[2]] = None]
         [] rec[1] = "mark"   -> [v EXCEPT ![rec[2]] = rec[3] + MarkBit]
         [] OTHER             -> v
Content(pg)  == Fold(pg.base, pg.log, Len(pg.log))
Present(v)   == {s \in Seps : v[s] # None}
Size(v)      == Cardinality(Present(v))
Marks(pg)    == IF pg.level = 0 THEN {}
                ELSE LET v == Content(pg) IN {s \in Present(v) : IsMarked(v[s])}
Range(seq)   == {seq[i] : i \in 1..Len(seq)}
MaxOf(S)     == CHOOSE x \in S : \A y \in S : y <= x
MinOf(S)     == CHOOSE x \in S : \A y \in S : x <= y
Nth(S, i)    == CHOOSE x \in S : Cardinality({y \in S : y <= x}) = i
AtOrBelow(v, k) == {s \in Present(v) : s <= k}
Entry(v, k)  == MaxOf(AtOrBelow(v, k))
OnlyChild(pg) == pg.pid = 0 /\ pg.level > 0 /\ Present(Content(pg)) = {0}
Overfull(v, level) == Size(v) > Cap(level)

\* Where to cut: into as few pages as possible, as even as possible, never at a mark; of cuts that
\* are as good, the one that leaves more to the left.
Between(v, a, S) == {x \in Present(v) : a <= x /\ \A b \in S : b > a => x < b}
Largest(v, low, S) == MaxOf({Cardinality(Between(v, a, S)) : a \in {low} \cup S})
\* Of the sets of n or more places those with the fewest after which no page is too large; or none.
RECURSIVE Fewest(_, _, _, _, _)
Fewest(v, level, low, places, n) ==
  LET fit == {S \in SUBSET places : Cardinality(S) = n /\ Largest(v, low, S) <= Cap(level)} IN
  IF fit # {} \/ n > Cardinality(places) THEN fit ELSE Fewest(v, level, low, places, n + 1)
Cuts(v, level, low) ==
  IF ~Overfull(v, level) THEN {{}}
  ELSE LET places == IF level = 0 THEN Present(v) \ {MinOf(Present(v))}
                     ELSE {s \in Present(v) \ {low} : ~IsMarked(v[s]) \/ Mutation = "cut_at_mark"}
           few == Fewest(v, level, low, places, 1)
       IN {S \in few : \A T \in few : Largest(v, low, S) <= Largest(v, low, T)}
LeavesMostLeft(v, cuts) ==
  LET left(S) == Cardinality({<<a, x>> \in S \X Present(v) : x < a})
  IN CHOOSE S \in cuts : \A T \in cuts : left(S) >= left(T)
=============================================================================
