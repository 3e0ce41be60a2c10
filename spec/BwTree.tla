------------------------------- MODULE BwTree -------------------------------
(* The whole tree: how pages, logs, splits, posts and epochs work together.   *)
(*                                                                            *)
(* Vocabulary.  A page id (pid) indexes the mapping table `map`; the table    *)
(* names a page object in `heap`.  A page is an immutable base, fences        *)
(* [low, high), the pid of its right sibling, and a write-once log of slots.  *)
(* A page is frozen when its log is full or ends in FREEZE, MERGE or REMOVE.  *)
(*                                                                            *)
(* One step = one access to shared memory that another thread can see:        *)
(*   load of a mapping entry, load of a slot, slot CAS, mapping store or CAS, *)
(*   load of the global epoch, store of an announcement.                      *)
(* Bases, fences and a private page are immutable or unseen: no steps.  A     *)
(* fresh page becomes visible by the mapping store that publishes it, so it   *)
(* is allocated in that step.  Object ids are reused as soon as they are      *)
(* freed, as malloc does.                                                     *)
(*                                                                            *)
(* Reductions, each shown elsewhere or harmless: the scan of announcements is *)
(* one step here (EpochReclamation.tla walks it thread by thread), everything *)
(* eligible is freed at once, a pid is allocated where it is published.       *)
(*                                                                            *)
(* Merges are a later protocol.  Their stand-in is the environment action     *)
(* Absorb: it does at one stroke what a finished merge will have done, so     *)
(* that a page can die and "is the target of this post alive?" means          *)
(* something.                                                                 *)
(*                                                                            *)
(* Linearizability: `abs` is the ordered map that the tree stands for and     *)
(* `call` the bookkeeping that OrderedMap.tla prescribes.  An update changes  *)
(* `abs` at its slot CAS and must answer what it held then; a call that       *)
(* changes nothing must answer what was right at some moment since it was     *)
(* invoked.  Both are histories that no thread looks at; `abs` is compared    *)
(* with what the leaves hold in every state.                                  *)
EXTENDS MapOperations, Sequences, FiniteSets

\* From MapOperations: Threads, Keys, Vals, Absent.
CONSTANTS
  MaxPid,         \* pids are 0..MaxPid; pid 0 is the root for ever
  MaxObj,         \* page objects; running out stops TLC with an error
  LeafCap, InnerCap,   \* entries that a base may hold
  LeafLog, InnerLog,   \* slots of a log
  Tree,           \* the tree at the start: a function from pids to pages
  Program,        \* Program[t]: a sequence of sets of operations to choose from
  CrossPost,      \* may one who crosses a right link post the separator?
  Absorbing,      \* may the environment merge leaves?
  AdvanceFreely,  \* may G advance when that brings no page nearer to its free?
  Mutation        \* "none", or the name of the guard that is left out

VARIABLES
  map,    \* the mapping table: pid -> object, None, Tomb
  heap,   \* the page objects
  G,      \* the global epoch
  ann,    \* ann[t]: the epoch that thread t announces, 0 when it is not pinned
  th,     \* th[t]: what thread t knows and does next
  abs,    \* history: the ordered map
  call    \* history: the calls, see MapOperations
vars == <<map, heap, G, ann, th, abs, call>>

Inf     == Cardinality(Keys) + 1   \* above every key
Seps    == 0..(Inf - 1)            \* 0 stands below every key
ASSUME Keys = 1..Cardinality(Keys) /\ Absent = 0
Pids    == 0..MaxPid
Objects == 1..MaxObj
None    == 0               \* no value, no entry, no sibling, unused mapping entry
Tomb    == -1              \* mapping entry of a page that was merged away

-----------------------------------------------------------------------------
(* Pages *)

Empty == [s \in Seps |-> None]
Page(p, level, low, high, right, base) ==
  [state |-> "live", tag |-> 0, pid |-> p, level |-> level, low |-> low, high |-> high,
   right |-> right, base |-> base, log |-> <<>>]
Freed == [state |-> "free", tag |-> 0, pid |-> 0, level |-> 0, low |-> 0, high |-> 0,
          right |-> None, base |-> Empty, log |-> <<>>]

LogCap(level) == IF level = 0 THEN LeafLog ELSE InnerLog
Cap(level)    == IF level = 0 THEN LeafCap ELSE InnerCap

\* A record is <<kind, key, value or pid>>.
Freezes(rec) == rec[1] \in {"freeze", "merge", "remove"}
Last(log)    == log[Len(log)]
Frozen(pg)   == Len(pg.log) >= LogCap(pg.level) \/ (pg.log # <<>> /\ Freezes(Last(pg.log)))

\* What the base and the first n slots say.
RECURSIVE Fold(_, _, _)
Fold(base, log, n) ==
  IF n = 0 THEN base
  ELSE LET v == Fold(base, log, n - 1)  rec == log[n] IN
       CASE rec[1] = "put"    -> [v EXCEPT ![rec[2]] = rec[3]]
         [] rec[1] = "delete" -> [v EXCEPT ![rec[2]] = None]
         [] OTHER             -> v
View(pg, n)  == Fold(pg.base, pg.log, n)
Content(pg)  == View(pg, Len(pg.log))
Present(v)   == {s \in Seps : v[s] # None}
Below(v, s)  == [x \in Seps |-> IF x < s THEN v[x] ELSE None]
From(v, s)   == [x \in Seps |-> IF x >= s THEN v[x] ELSE None]
MaxOf(S)     == CHOOSE x \in S : \A y \in S : y <= x
MinOf(S)     == CHOOSE x \in S : \A y \in S : x <= y
Nth(S, i)    == CHOOSE x \in S : Cardinality({y \in S : y <= x}) = i
Child(v, k)  == v[MaxOf({s \in Present(v) : s <= k})]

\* An overfull page is cut in the middle: the left half keeps one more.
Overfull(v, level) == Cardinality(Present(v)) > Cap(level)
Cut(v) == Nth(Present(v), (Cardinality(Present(v)) + 1) \div 2 + 1)

NewObj == MinOf({o \in Objects : heap[o].state = "free"})
NewPid == MinOf({p \in Pids : map[p] = None})

\* The tree that the mapping table holds at this moment: the chain of each level.
Mapped(p) == map[p] \in Objects
Cur(p)    == heap[map[p]]
RECURSIVE LeftmostAt(_, _)
LeftmostAt(p, level) ==
  IF ~Mapped(p) THEN None
  ELSE IF Cur(p).level <= level THEN p
  ELSE LeftmostAt(Content(Cur(p))[Cur(p).low], level)
RECURSIVE Walk(_, _)
Walk(p, fuel) == IF fuel = 0 \/ ~Mapped(p) THEN <<>>
                 ELSE <<p>> \o (IF Cur(p).right = None THEN <<>> ELSE Walk(Cur(p).right, fuel - 1))
Chain(level) == Walk(LeftmostAt(0, level), MaxPid + 1)
Levels == 0..Cur(0).level
OnChain(level) == LET c == Chain(level) IN {c[i] : i \in 1..Len(c)}

-----------------------------------------------------------------------------
(* Threads.  `duties` is a stack of posts <<separator, pid, level of the      *)
(* parent>>, done once the operation is answered and before it returns; the   *)
(* pids in it were learnt under the present pin.  `n` counts the slots looked *)
(* at, `saw` is the answer that the scan suggests, `pub` lists the pids       *)
(* published for a split that is not installed yet.  `allowed` is a history:  *)
(* the answers that are right.                                                *)

IdleThread(i) ==
  [pc |-> "idle", i |-> i, op |-> NoOperation, epoch |-> 0, duties |-> <<>>, pid |-> 0,
   obj |-> None, n |-> 0, saw |-> Absent, pub |-> <<>>, answered |-> FALSE, allowed |-> {}]

\* Besides the operations of the map a program may ask for the upkeep of a key's leaf.
Consolidate(k) == Operation("consolidate", k, Absent, Absent)
IsUpkeep(op)   == op.kind = "consolidate"

IsPost(r) == r.answered /\ r.duties # <<>>
Key(r)    == IF IsPost(r) THEN Head(r.duties)[1] ELSE r.op.key
Level(r)  == IF IsPost(r) THEN Head(r.duties)[3] ELSE 0

Goto(r, p) ==
  [r EXCEPT !.pc = "load", !.pid = p, !.obj = None, !.n = 0, !.saw = Absent, !.pub = <<>>]
\* Back to the root: for the operation, then for one post after the other, then out.
Restart(r) ==
  IF r.answered /\ r.duties = <<>> THEN [Goto(r, 0) EXCEPT !.pc = "unpin"]
  ELSE IF r.answered /\ Mutation = "post_alive_before_scan" THEN [Goto(r, 0) EXCEPT !.pc = "alive"]
  ELSE Goto(r, 0)
Answer(r)  == [r EXCEPT !.answered = TRUE]
Done(r)    == Restart(Answer(r))
EndPost(r) == Restart([r EXCEPT !.duties = Tail(@)])
WithPost(r, s, q, level) == [r EXCEPT !.duties = <<<<s, q, level>>>> \o @]

Become(t, r) == th' = [th EXCEPT ![t] = r]

Init ==
  /\ map  = [p \in Pids |-> IF p \in DOMAIN Tree THEN p + 1 ELSE None]
  /\ heap = [o \in Objects |-> IF o - 1 \in DOMAIN Tree THEN Tree[o - 1] ELSE Freed]
  /\ G = 1
  /\ ann = [t \in Threads |-> 0]
  /\ th = [t \in Threads |-> IdleThread(1)]
  /\ abs = [k \in Keys |->
       LET leaf == CHOOSE p \in DOMAIN Tree :
                     Tree[p].level = 0 /\ Tree[p].low <= k /\ k < Tree[p].high
       IN Content(Tree[leaf])[k]]
  /\ call = [t \in Threads |-> IdleCall]

-----------------------------------------------------------------------------
(* Pin, unpin *)

\* The call begins: choose the operation, load the global epoch.
Pin(t) ==
  LET r == th[t] IN
  /\ r.pc = "idle" /\ r.i <= Len(Program[t])
  /\ \E op \in Program[t][r.i] :
       /\ Become(t, [r EXCEPT !.pc = "announce", !.op = op, !.epoch = G])
       /\ call' = IF IsUpkeep(op) THEN call ELSE Invoked(call, t, abs, op)
  /\ UNCHANGED <<map, heap, G, ann, abs>>

Announce(t) ==
  /\ th[t].pc = "announce"
  /\ ann' = [ann EXCEPT ![t] = th[t].epoch]
  /\ Become(t, Goto([th[t] EXCEPT !.epoch = 0], 0))
  /\ UNCHANGED <<map, heap, G, abs, call>>

\* The call returns.
Unpin(t) ==
  /\ th[t].pc = "unpin"
  /\ ann' = [ann EXCEPT ![t] = 0]
  /\ Become(t, IdleThread(th[t].i + 1))
  /\ call' = Returned(call, t)
  /\ UNCHANGED <<map, heap, G, abs>>

-----------------------------------------------------------------------------
(* Descend *)

\* Load of a mapping entry.  A tombstone sends the thread back to the root.
LoadEntry(t) ==
  LET r == th[t]  m == map[r.pid] IN
  /\ r.pc = "load"
  /\ Become(t, IF m = Tomb THEN Restart(r) ELSE [r EXCEPT !.pc = "scan", !.obj = m])
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* The page split meanwhile and the key is to its right.  The parent did not know
\* the separator: a writer that notices may post it later, or leave that to others.
CrossRight(t) ==
  LET r == th[t]  pg == heap[r.obj] IN
  /\ r.pc = "scan" /\ Key(r) >= pg.high
  /\ Mutation # "no_fence_check"
  /\ \/ Become(t, Goto(r, pg.right))
     \/ /\ CrossPost
        /\ ~r.answered /\ r.op.kind \notin ReadKinds
        /\ \A i \in 1..Len(r.duties) : r.duties[i][2] # pg.right
        /\ Become(t, Goto(WithPost(r, pg.high, pg.right, pg.level + 1), pg.right))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* How many of n slots go into the new page.
Kept(n) == IF Mutation = "lose_last_slot" THEN n - 1 ELSE n
\* The first step of replacing page r.obj, which is frozen and now is pg.
Replace(r, pg) ==
  IF Mutation = "do_not_help" THEN Restart(r)
  ELSE [r EXCEPT !.saw = Absent,
                 !.pc = IF Overfull(View(pg, Kept(r.n)), pg.level)
                            /\ (Mutation # "left_before_right" \/ r.pid = 0)
                          THEN "publish right" ELSE "swap"]

\* What to do at one's page once n slots are read and the next is NULL, or the
\* page is frozen: help, or write slot n + 1.  A log without records needs no upkeep.
Write(r, frozen) ==
  LET pg == heap[r.obj] IN
  IF frozen /\ Last(pg.log)[1] = "remove" THEN Restart(r)
  ELSE IF frozen THEN Replace(IF IsUpkeep(r.op) THEN Answer(r) ELSE r, pg)
  ELSE IF ~IsPost(r) /\ IsUpkeep(r.op) /\ r.n = 0 THEN Done(r)
  ELSE IF IsPost(r) /\ Mutation \notin {"post_without_alive_check", "post_alive_before_scan"}
    THEN [r EXCEPT !.pc = "alive"]
  ELSE [r EXCEPT !.pc = "append"]

\* The end of a scan: pass on to a child, find that nothing is to be done, or write.
Decide(t, r, frozen) ==
  LET pg == heap[r.obj]
      v  == View(pg, r.n)
      k  == Key(r)
  IN CASE pg.level > Level(r) -> Become(t, Goto(r, Child(v, k))) /\ UNCHANGED call
       [] pg.level = Level(r) /\ IsPost(r) ->
            Become(t, IF v[k] # None THEN EndPost(r) ELSE Write(r, frozen)) /\ UNCHANGED call
       [] pg.level = Level(r) /\ ~IsPost(r) /\ IsUpkeep(r.op) ->
            Become(t, Write(r, frozen)) /\ UNCHANGED call
       [] OTHER ->
            IF Effective(v, r.op)
              THEN Become(t, Write([r EXCEPT !.saw = Saw(v, r.op)], frozen)) /\ UNCHANGED call
              ELSE /\ Become(t, [Done(r) EXCEPT !.allowed = call[t].seen])
                   /\ call' = Answered(call, t, Saw(v, r.op))

\* Load of one slot; the scan ends at the first NULL or at a freezing record.
ScanSlot(t) ==
  LET r == th[t]  pg == heap[r.obj]  m == r.n + 1  more == [r EXCEPT !.n = m] IN
  /\ r.pc = "scan"
  /\ Key(r) < pg.high \/ Mutation = "no_fence_check"
  /\ IF Len(pg.log) = r.n THEN
       \/ Decide(t, r, FALSE)
       \/ /\ Mutation = "consolidate_unfrozen"
          /\ pg.level = Level(r) /\ r.n > 0 /\ ~IsPost(r) /\ r.op.kind \notin ReadKinds
          /\ Become(t, Replace(r, pg)) /\ UNCHANGED call
     ELSE IF Freezes(pg.log[m]) \/ m = LogCap(pg.level) THEN Decide(t, more, TRUE)
     ELSE Become(t, more) /\ UNCHANGED call
  /\ UNCHANGED <<map, heap, G, ann, abs>>

-----------------------------------------------------------------------------
(* Append *)

\* The validation of a post, after the scan: is its target alive?
CheckAlive(t) ==
  LET r == th[t] IN
  /\ r.pc = "alive"
  /\ Become(t, IF map[Head(r.duties)[2]] = Tomb THEN EndPost(r)
               ELSE IF r.obj = None THEN Goto(r, 0)  \* the mutant that asks too early
               ELSE [r EXCEPT !.pc = "append"])
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* Slot CAS from NULL: the linearization point of every update.  A loser goes
\* on scanning at the slot that it lost, and decides anew.  Whoever takes the
\* last slot replaces the page as well, or leaves that to others.
AppendSlot(t) ==
  LET r == th[t]  pg == heap[r.obj]  k == Key(r)
      rec == CASE IsPost(r)                -> <<"put", k, Head(r.duties)[2]>>
               [] r.op.kind = "remove"     -> <<"delete", k, 0>>
               [] IsUpkeep(r.op)           -> <<"freeze", 0, 0>>
               [] OTHER                    -> <<"put", k, r.op.val>>
      npg == [pg EXCEPT !.log = Append(@, rec)]
      done == [Answer(r) EXCEPT !.allowed = {Saw(abs, r.op)}]
  IN
  /\ r.pc = "append"
  /\ IF Len(pg.log) = r.n THEN
       /\ heap' = [heap EXCEPT ![r.obj] = npg]
       /\ IF IsPost(r) THEN Become(t, EndPost(r)) /\ UNCHANGED <<abs, call>>
          ELSE IF IsUpkeep(r.op) THEN Become(t, [r EXCEPT !.pc = "scan"]) /\ UNCHANGED <<abs, call>>
          ELSE /\ abs' = After(abs, r.op)
               /\ call' = Witnessed(Answered(call, t, r.saw), abs')
               /\ \/ Become(t, Restart(done))
                  \/ /\ r.n + 1 = LogCap(pg.level)
                     /\ Become(t, Replace([done EXCEPT !.n = @ + 1], npg))
     ELSE
       /\ Become(t,
            IF Mutation = "append_without_looking" THEN
              IF r.n + 1 < LogCap(pg.level) THEN [r EXCEPT !.n = @ + 1] ELSE Goto(r, r.pid)
            ELSE [r EXCEPT !.pc = "scan", !.saw = Absent])
       /\ UNCHANGED <<heap, abs, call>>
  /\ UNCHANGED <<map, G, ann>>

-----------------------------------------------------------------------------
(* Consolidate and split *)

\* The contents that go into the new page or pages.
Built(r) == View(heap[r.obj], Kept(r.n))
Right(r, q) ==
  LET pg == heap[r.obj]  s == Cut(Built(r)) IN
  Page(q, pg.level, s, pg.high, pg.right, From(Built(r), s))
Left(r, p, q) ==
  LET pg == heap[r.obj]  s == Cut(Built(r)) IN
  Page(p, pg.level, pg.low, s, q, Below(Built(r), s))

Splits(r) == Overfull(Built(r), heap[r.obj].level)

\* The right half gets a pid of its own before anybody can hear of that pid.
PublishRight(t) ==
  LET r == th[t]  q == NewPid  o == NewObj IN
  /\ r.pc = "publish right"
  /\ map' = [map EXCEPT ![q] = o]
  /\ heap' = [heap EXCEPT ![o] = Right(r, q)]
  /\ Become(t, [r EXCEPT !.pub = <<q>>, !.pc = IF r.pid = 0 THEN "publish left" ELSE "swap"])
  /\ UNCHANGED <<G, ann, abs, call>>

\* The root keeps pid 0, so its left half gets a new pid as well.
PublishLeft(t) ==
  LET r == th[t]  a == NewPid  o == NewObj IN
  /\ r.pc = "publish left"
  /\ map' = [map EXCEPT ![a] = o]
  /\ heap' = [heap EXCEPT ![o] = Left(r, a, r.pub[1])]
  /\ Become(t, [r EXCEPT !.pub = Append(@, a), !.pc = "swap"])
  /\ UNCHANGED <<G, ann, abs, call>>

\* The page that takes the place of the frozen one.
Successor(r) ==
  LET pg == heap[r.obj] IN
  IF ~Splits(r) THEN Page(r.pid, pg.level, pg.low, pg.high, pg.right, Built(r))
  ELSE IF r.pid = 0 THEN
    Page(0, pg.level + 1, 0, Inf, None,
         [Empty EXCEPT ![0] = r.pub[2], ![Cut(Built(r))] = r.pub[1]])
  ELSE Left(r, r.pid, IF r.pub = <<>> THEN NewPid ELSE r.pub[1])

\* Mapping CAS from the frozen page to its successor.
SwapEntry(t) ==
  LET r == th[t]  o == NewObj IN
  /\ r.pc = "swap"
  /\ IF map[r.pid] = r.obj \/ Mutation = "blind_store" THEN
       /\ map' = [map EXCEPT ![r.pid] = o]
       /\ heap' = [heap EXCEPT ![o] = Successor(r)]
       /\ Become(t, [r EXCEPT !.pc = "retire"])
     ELSE
       /\ Become(t, IF r.pub # <<>> THEN [r EXCEPT !.pc = "unpublish"] ELSE Restart(r))
       /\ UNCHANGED <<map, heap>>
  /\ UNCHANGED <<G, ann, abs, call>>

\* The loser takes its halves back, one mapping store each.  Nobody has heard
\* of them, so pid and page are free at once.
Unpublish(t) ==
  LET r == th[t]  q == Last(r.pub) IN
  /\ r.pc = "unpublish"
  /\ map' = [map EXCEPT ![q] = None]
  /\ heap' = [heap EXCEPT ![map[q]] = Freed]
  /\ Become(t, IF Len(r.pub) > 1 THEN [r EXCEPT !.pub = SubSeq(@, 1, Len(@) - 1)] ELSE Restart(r))
  /\ UNCHANGED <<G, ann, abs, call>>

\* After the CAS that unlinked the page, load G: this is its tag.
Retire(t) ==
  LET r == th[t]  pg == heap[r.obj]
      tag == IF Mutation = "tag_own_epoch" THEN ann[t] ELSE G
  IN
  /\ r.pc = "retire"
  /\ heap' = [heap EXCEPT ![r.obj].state = "retired", ![r.obj].tag = tag]
  /\ Become(t, IF r.pid # 0 /\ r.pub # <<>>
               THEN Restart(WithPost(r, Cut(Built(r)), r.pub[1], pg.level + 1))
               ELSE Restart(r))
  /\ UNCHANGED <<map, G, ann, abs, call>>

-----------------------------------------------------------------------------
(* Epochs *)

Grace == IF Mutation = "free_one_epoch_early" THEN 1 ELSE 2
Limbo == {o \in Objects : heap[o].state = "retired"}

Advance ==
  /\ \A t \in Threads : ann[t] \in {0, G}
  /\ AdvanceFreely \/ \E o \in Limbo : G < heap[o].tag + Grace
  /\ G' = G + 1
  /\ UNCHANGED <<map, heap, ann, th, abs, call>>

FreeEligible ==
  LET E == {o \in Limbo : G >= heap[o].tag + Grace} IN
  /\ E # {}
  /\ heap' = [o \in Objects |-> IF o \in E THEN Freed ELSE heap[o]]
  /\ UNCHANGED <<map, G, ann, th, abs, call>>

-----------------------------------------------------------------------------
(* The stand-in for merges.  A leaf q may only die while its parent knows it, *)
(* for a merge begins by marking the parent's entry: this is what lets a post *)
(* that was valid at slot n lose slot n rather than revive a dead page.       *)

Absorb ==
  /\ Absorbing
  /\ Cur(0).level > 0
  /\ \E q \in OnChain(0), l \in OnChain(0), up \in OnChain(1) :
       /\ LET R == Cur(q)  L == Cur(l)  P == Cur(up)
              both == [s \in Seps |-> IF s < R.low THEN Content(L)[s] ELSE Content(R)[s]]
              o == NewObj
          IN
          /\ L.right = q
          /\ R.low # P.low /\ P.low < R.low /\ R.low < P.high
          /\ Content(P)[R.low] = q
          /\ ~Frozen(R) /\ ~Frozen(L) /\ ~Frozen(P)
          /\ ~Overfull(both, 0)
          /\ map' = [map EXCEPT ![q] = Tomb, ![l] = o]
          /\ heap' = [heap EXCEPT
               ![map[q]].log = Append(@, <<"remove", 0, 0>>),
               ![map[q]].state = "retired", ![map[q]].tag = G,
               ![map[l]].log = Append(@, <<"merge", 0, q>>),
               ![map[l]].state = "retired", ![map[l]].tag = G,
               ![map[up]].log = Append(@, <<"delete", R.low, q>>),
               ![o] = Page(l, 0, L.low, R.high, R.right, both)]
  /\ UNCHANGED <<G, ann, th, abs, call>>

-----------------------------------------------------------------------------
Finished == \A t \in Threads : th[t].pc = "idle" /\ th[t].i > Len(Program[t])
Terminated == Finished /\ UNCHANGED vars

Step(t) ==
  \/ Pin(t) \/ Announce(t) \/ Unpin(t)
  \/ LoadEntry(t) \/ CrossRight(t) \/ ScanSlot(t)
  \/ CheckAlive(t) \/ AppendSlot(t)
  \/ PublishRight(t) \/ PublishLeft(t) \/ SwapEntry(t) \/ Unpublish(t) \/ Retire(t)

Next == (\E t \in Threads : Step(t)) \/ Advance \/ FreeEligible \/ Absorb \/ Terminated

Spec == Init /\ [][Next]_vars
\* Nobody in particular is ever scheduled: only the system as a whole goes on.
FairSpec == Spec /\ WF_vars(Next)

-----------------------------------------------------------------------------
(* Properties *)

\* An update answers what the map held at its slot CAS; a call that changes nothing,
\* what was right at one moment since it was invoked.
Linearizable ==
  \A t \in Threads : call[t].phase = "answered" => call[t].answer \in th[t].allowed

\* The same as a refinement.  With LeavesHoldTheMap, which says in every state that `abs`
\* is what the leaves hold, it makes the leaves, taken together, the atomic ordered map.
Abstract == INSTANCE OrderedMap WITH map <- abs, call <- call, Mutation <- "none"
\* Abstract!Spec with the steps that change nothing recognised first, which TLC needs for speed.
Refines == Abstract!Init /\ [][UNCHANGED Abstract!vars \/ Abstract!Next]_(Abstract!vars)

\* What a pinned thread may still look into has not been freed.
NoUseAfterFree ==
  /\ \A t \in Threads : th[t].obj # None => heap[th[t].obj].state # "free"
  /\ \A p \in Pids : Mapped(p) => Cur(p).state = "live" /\ Cur(p).pid = p

\* Only a frozen page is ever replaced, so an append that succeeds hit the current page.
UnfrozenIsCurrent ==
  \A o \in Objects : (heap[o].state # "free" /\ ~Frozen(heap[o])) => map[heap[o].pid] = o

\* On each level the pages reached by right links tile the key space: no gap, no overlap.
ChainTiles ==
  \A level \in Levels :
    LET c == Chain(level) IN
    /\ c # <<>>
    /\ Cur(c[1]).low = 0 /\ Cur(Last(c)).high = Inf /\ Cur(Last(c)).right = None
    /\ \A i \in 1..Len(c) : Cur(c[i]).level = level /\ Cur(c[i]).low < Cur(c[i]).high
    /\ \A i \in 1..(Len(c) - 1) : Cur(c[i]).high = Cur(c[i + 1]).low

\* In every state, not only at rest, the leaves hold exactly the ordered map.
LeavesHoldTheMap ==
  \A p \in OnChain(0) :
    LET v == Content(Cur(p)) IN
    /\ \A k \in Keys : (Cur(p).low <= k /\ k < Cur(p).high) => v[k] = abs[k]
    /\ \A k \in Present(v) : Cur(p).low <= k /\ k < Cur(p).high

\* Every entry of an inner page names a mapped page one level down that starts at
\* the separator and ends at or before the next one.
ChildrenAlive ==
  \A level \in Levels \ {0} : \A p \in OnChain(level) :
    LET P == Cur(p)  v == Content(P) IN
    /\ P.low \in Present(v)
    /\ \A s \in Present(v) :
         LET next == MinOf({P.high} \cup {x \in Present(v) : x > s}) IN
         /\ P.low <= s /\ s < P.high
         /\ Mapped(v[s])
         /\ Cur(v[s]).level = level - 1 /\ Cur(v[s]).low = s /\ Cur(v[s]).high <= next

\* Wherever a thread can go from the page that it looks at, there is a page or a tombstone.
ReachableIsMapped ==
  /\ \A t \in Threads : (th[t].obj # None /\ heap[th[t].obj].state # "free") =>
       LET pg == heap[th[t].obj]  v == Content(pg) IN
       /\ pg.right # None => map[pg.right] # None
       /\ pg.level > 0 => \A s \in Seps : v[s] # None => map[v[s]] # None
  /\ \A t \in Threads : th[t].pc = "load" => map[th[t].pid] # None

PagesFit == \A o \in Objects : Cardinality(Present(heap[o].base)) <= Cap(heap[o].level)

\* When no call is in flight nothing is left over: each page is mapped and reachable, or in limbo.
NothingLeaks ==
  (\A t \in Threads : th[t].pc = "idle") =>
    /\ \A o \in Objects : heap[o].state = "live" => map[heap[o].pid] = o
    /\ \A p \in Pids : Mapped(p) => p \in OnChain(Cur(p).level)

\* Every variable holds what it should; no epoch is ahead of G.
TypeOK ==
  /\ map \in [Pids -> Objects \cup {None, Tomb}]
  /\ G >= 1 /\ \A t \in Threads : ann[t] <= G
  /\ \A o \in Objects : heap[o].tag <= G

\* Lock-freedom: a finite program comes to its end although no thread is treated fairly.
Termination == <>Finished
=============================================================================
