------------------------ MODULE StructureReplacement ------------------------
(* The steps of StructureModification.tla that put something else in the      *)
(* place of a frozen page: a consolidation, two pages, the union with a page  *)
(* that is merged, the root's only child; or nothing, an empty leaf; or what  *)
(* the leaf holds with a run of puts on top.  Then what was replaced or       *)
(* merged goes into limbo.                                                    *)
EXTENDS StructureState

-----------------------------------------------------------------------------
(* What a frozen page becomes *)

\* What goes into the page or pages that replace r.obj.
IsUnion(r) == r.removed # None /\ r.pid # 0
WithRun(v, run, val) == [s \in Seps |-> IF s \in run THEN val ELSE v[s]]
Result(r) ==
  LET L == heap[r.obj]  v == Content(L) IN
  IF r.run # {} THEN WithRun(v, r.run, r.op.val)
  ELSE IF r.removed = None THEN v
  ELSE IF IsUnion(r) THEN [s \in Seps |-> IF s < L.high THEN v[s] ELSE Content(heap[r.removed])[s]]
  ELSE Content(heap[r.removed])

\* Where to cut what replaces pg, and the next step.
Prepare(r, pg, v, next) ==
  LET cuts == Cuts(v, pg.level, pg.low) IN
  IF ~Overfull(v, pg.level) THEN [r EXCEPT !.pc = next, !.cut = {}]
  ELSE IF cuts = {} THEN At(r, "dead end")
  ELSE [r EXCEPT !.pc = "publish", !.cut = LeavesMostLeft(v, cuts)]

\* The first step of replacing page r.obj, which is frozen and now is pg.
Replace(r, pg) ==
  IF Merging(pg) \/ OnlyChild(pg) THEN At(r, "load removed")
  ELSE Prepare(r, pg, Content(pg), "swap")

-----------------------------------------------------------------------------
(* Replace a frozen page *)

\* For a union: the page that is merged.  For a root with one entry: its child, if REMOVE-frozen.
LoadRemoved(t) ==
  LET r == th[t]  pg == heap[r.obj]
      m == map[IF r.pid # 0 THEN pg.right ELSE PidOf(Content(pg)[0])]
      with == [r EXCEPT !.removed = m]
  IN
  /\ r.pc = "load removed"
  /\ Become(t, IF m \notin Objects THEN Restart(r)     \* another has replaced r.obj already
               ELSE IF IsUnion(with)
                 THEN Prepare(with, pg, Result(with), "install")
               ELSE IF Removed(heap[m]) THEN At(with, "collapse")
               ELSE Prepare(r, pg, Content(pg), "swap"))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* The pages of the result, from left to right; all but the first need a new pid.  The root keeps
\* pid 0, so that its first part gets a new one as well.
Pieces(r)   == Cardinality(r.cut) + 1
NewPids(r)  == IF r.pid = 0 /\ Pieces(r) > 1 THEN Pieces(r) ELSE Pieces(r) - 1
LowOf(r, i) == Nth({heap[r.obj].low} \cup r.cut, i)
PieceAt(r, i) == IF r.pid = 0 /\ Pieces(r) > 1 THEN r.pub[i]
                 ELSE IF i = 1 THEN r.pid ELSE r.pub[i - 1]
\* (TLC evaluates what LET names at each use in an action, and the arguments of an operator once.)
Within(v, here) == [s \in Seps |-> IF s \in here THEN v[s] ELSE None]
Part(r, i, v) == Within(v, Between(v, LowOf(r, i), r.cut))
Piece(r, i) ==
  LET pg == heap[r.obj]  end == IF IsUnion(r) THEN heap[r.removed] ELSE pg
      last == i = Pieces(r)
  IN Page(PieceAt(r, i), pg.level, LowOf(r, i),
          IF last THEN end.high ELSE LowOf(r, i + 1), IF last THEN end.right ELSE PieceAt(r, i + 1),
          Part(r, i, Result(r)))

\* New pages get pids of their own before anybody can hear of them; if there are not enough
\* pids, the call fails: nothing waits inside a pin.
PublishRight(t) ==
  LET r == th[t]
      next == IF r.run # {} THEN "swap run" ELSE IF r.removed = None THEN "swap" ELSE "install"
  IN
  /\ r.pc = "publish"
  /\ IF Cardinality(FreePids) < NewPids(r) THEN
       Become(t, Fail(r)) /\ UNCHANGED <<map, heap>>
     ELSE
       LET pub == [i \in 1..NewPids(r) |-> Nth(FreePids, i)]
           with == [At(r, next) EXCEPT !.pub = pub]
           first == Pieces(r) - NewPids(r)   \* 0 for the root, else 1
           nth(o) == CHOOSE i \in 1..NewPids(r) : Nth(FreeObjects, i) = o
           new == {Nth(FreeObjects, i) : i \in 1..NewPids(r)}
       IN /\ map' = [p \in Pids |-> IF \E i \in DOMAIN pub : pub[i] = p
                       THEN Nth(FreeObjects, CHOOSE i \in DOMAIN pub : pub[i] = p) ELSE map[p]]
          /\ heap' = [o \in Objects |-> IF o \in new THEN Piece(with, first + nth(o)) ELSE heap[o]]
          /\ Become(t, with)
  /\ UNCHANGED <<G, ann, abs, call>>

\* Mapping CAS from the page that was found frozen.
SwapTo(t, fresh, o) ==
  LET r == th[t] IN
  /\ IF map[r.pid] = r.obj THEN
       /\ map' = [map EXCEPT ![r.pid] = o]
       /\ heap' = [heap EXCEPT ![o] = fresh]
       /\ Become(t, At(r, "retire"))
     ELSE
       /\ Become(t, IF r.pub # <<>> THEN At(r, "unpublish") ELSE Restart(r))
       /\ UNCHANGED <<map, heap>>
  /\ UNCHANGED <<G, ann, abs, call>>

Swap(t, fresh) == SwapTo(t, fresh, NewObj)

NewRoot(r) ==
  Page(0, heap[r.obj].level + 1, 0, Inf, None,
       [s \in Seps |-> IF \E i \in 1..Pieces(r) : LowOf(r, i) = s
                       THEN r.pub[CHOOSE i \in 1..Pieces(r) : LowOf(r, i) = s] ELSE None])

First(r) == IF r.pid = 0 /\ r.pub # <<>> THEN NewRoot(r) ELSE Piece(r, 1)

SwapEntry(t) == th[t].pc = "swap" /\ Swap(t, First(th[t]))

InstallUnion(t) == th[t].pc = "install" /\ Swap(t, Piece(th[t], 1))

\* The root becomes what its only child was.
Collapse(t) ==
  LET C == heap[th[t].removed] IN
  th[t].pc = "collapse" /\ Swap(t, Page(0, C.level, 0, Inf, None, Content(C)))

\* The leaf has been emptied.  In a row of such leaves each goes into the one before it.
Dropped(r, pg) ==
  Restart([r EXCEPT !.answered = TRUE,
                    !.help = IF pg.low = 0 THEN <<>> ELSE <<<<"mark", pg.low, r.pid, 1>>>>])

\* Mapping CAS from the frozen leaf to an empty one: all that it held is gone at this moment.  Who
\* loses does not freeze again: that could hold up a writer for ever, who would undo it each time.
\* (What is left is removed key by key, by calls like any other.)
EmptyLeaf(t) ==
  LET r == th[t]  pg == heap[r.obj] IN
  /\ r.pc = "drop"
  /\ IF map[r.pid] = r.obj THEN
       /\ map' = [map EXCEPT ![r.pid] = NewObj]
       /\ heap' = [heap EXCEPT ![NewObj] = Page(r.pid, 0, pg.low, pg.high, pg.right, Empty)]
       /\ abs' = [k \in Keys |-> IF pg.low <= k /\ k < pg.high THEN Absent ELSE abs[k]]
       /\ call' = Witnessed(call, abs')
       /\ Become(t, At(r, "retire dropped"))
     ELSE /\ Become(t, IF Mutation = "drop_again" THEN Restart(r) ELSE Done(r))
          /\ UNCHANGED <<map, heap, abs, call>>
  /\ UNCHANGED <<G, ann>>

\* Mapping CAS from the frozen leaf to what it holds and a run of puts on top, in one page or two: all
\* of them take place at this moment.  Who loses has put nothing, and the caller puts key by key:
\* freezing again could hold up a writer for ever, as above.
InstallRun(t) ==
  LET r == th[t]
      op == [r.op EXCEPT !.expected = MaxOf(r.run)]
      told(answer) == [r EXCEPT !.answered = TRUE, !.allowed = {answer}]
  IN
  /\ r.pc = "swap run"
  /\ IF map[r.pid] = r.obj THEN
       /\ map' = [map EXCEPT ![r.pid] = NewObj]
       /\ heap' = [heap EXCEPT ![NewObj] = First(r)]
       /\ abs' = After(abs, op)
       /\ call' = Witnessed(Answered(call, t, Saw(Content(heap[r.obj]), op)), abs')
       /\ Become(t, At(told(Saw(abs, op)), "retire"))
     ELSE
       /\ call' = Answered(call, t, NoKeys)
       /\ Become(t, IF r.pub # <<>> THEN At(told(NoKeys), "unpublish") ELSE Restart(told(NoKeys)))
       /\ UNCHANGED <<map, heap, abs>>
  /\ UNCHANGED <<G, ann>>

\* The loser takes its pages back.  Nobody has heard of them: pids and pages are free at once.
Unpublish(t) ==
  LET r == th[t]  mine == {r.pub[i] : i \in DOMAIN r.pub} IN
  /\ r.pc = "unpublish"
  /\ map' = [p \in Pids |-> IF p \in mine THEN None ELSE map[p]]
  /\ heap' = [o \in Objects |-> IF \E p \in mine : map[p] = o THEN Freed ELSE heap[o]]
  /\ Become(t, Restart(r))
  /\ UNCHANGED <<G, ann, abs, call>>

\* What the winner owes: posts of new pages; a merge of a page that came out too small; another
\* look at the child that was leftmost in a merged inner page; a further collapse, perhaps.
Owed(r) ==
  LET up == heap[r.obj].level + 1
      part(i) == Between(Result(r), LowOf(r, i), r.cut)
      small(i) == LowOf(r, i) # 0 /\ r.pid # 0 /\ Cardinality(part(i)) < Min(up - 1)
  IN IF r.pid # 0 THEN
       [i \in 1..(Pieces(r) - 1) |-> <<"post", LowOf(r, i + 1), PieceAt(r, i + 1), up>>]
       \o SelectSeq([i \in 1..Pieces(r) |->
                       <<IF small(i) THEN "mark" ELSE "none", LowOf(r, i), PieceAt(r, i), up>>],
                    LAMBDA duty : /\ duty[1] = "mark"
                                  /\ \A other \in Range(r.help \o r.duties) : other[3] # duty[3])
     ELSE IF r.removed # None /\ up > 2 /\ Size(Result(r)) = 1
       THEN <<<<"shrink", 0, PidOf(Result(r)[0]), up - 2>>>>
     ELSE <<>>
Later(r) ==
  LET R == heap[r.removed] IN
  IF r.removed # None /\ IsUnion(r) /\ R.level > 0
  THEN <<<<"mark", R.low, PidOf(Content(R)[R.low]), R.level>>>> ELSE <<>>

\* After the CAS that unlinked the page, load G: this is its tag.
Retire(t) ==
  LET r == th[t]
      collapsed == r.removed # None /\ ~IsUnion(r)
      bury == IF Kind(r) = "collapse" THEN Stage(r, "bury")
              ELSE Help(r, <<"bury", 0, heap[r.removed].pid, heap[r.obj].level>>)
  IN
  /\ r.pc \in {"retire", "retire dropped"}
  /\ heap' = [heap EXCEPT ![r.obj].state = "retired", ![r.obj].tag = G]
  /\ Become(t, IF r.pc = "retire dropped" THEN Dropped(r, heap[r.obj])
               ELSE IF collapsed THEN [bury EXCEPT !.duties = @ \o Owed(r)]
               ELSE Restart([r EXCEPT !.duties = @ \o Owed(r) \o Later(r)]))
  /\ UNCHANGED <<map, G, ann, abs, call>>

\* Mapping CAS from the merged page to the tombstone.
Bury(t) ==
  LET r == th[t]  m == map[Target(r)] IN
  /\ r.pc = "bury"
  /\ IF m \in Objects THEN
       /\ map' = [map EXCEPT ![Target(r)] = IF Mutation = "recycle_at_once" THEN None ELSE Tomb]
       /\ Become(t, [r EXCEPT !.pc = "retire buried", !.obj = m])
     ELSE Become(t, EndTask(r)) /\ UNCHANGED map
  /\ UNCHANGED <<heap, G, ann, abs, call>>

\* The page takes its pid along into limbo.
RetireBuried(t) ==
  LET r == th[t] IN
  /\ r.pc = "retire buried"
  /\ heap' = [heap EXCEPT ![r.obj].state = "retired", ![r.obj].tag = G,
                          ![r.obj].buried = Mutation # "recycle_at_once"]
  /\ Become(t, EndTask(r))
  /\ UNCHANGED <<map, G, ann, abs, call>>
=============================================================================
