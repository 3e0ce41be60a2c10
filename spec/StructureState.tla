--------------------------- MODULE StructureState ---------------------------
(* The state of StructureModification.tla: mapping table and pages, what the  *)
(* table holds at a moment, and what a thread knows and has to do.            *)
EXTENDS TreePages

CONSTANTS
  MaxPid,         \* pids are 0..MaxPid; pid 0 is the root for ever
  MaxObj,         \* page objects; running out stops TLC with an error
  Trees,          \* the trees to start from: functions from pids to pages
  Program,        \* Program[t]: a sequence of sets of operations to choose from
  AtWill,         \* may a merge begin whatever the sizes? (safety does not depend on them)
  CrossPost,      \* may one who crosses a right link post the separator?
  Reclaiming,     \* do epochs advance? (if not, what is retired stays in limbo)
  MayFail         \* may a call give up where it allocates or has lost too often?

VARIABLES
  map,    \* the mapping table: pid -> object, None, Tomb
  heap,   \* the page objects
  G,      \* the global epoch
  ann,    \* ann[t]: the epoch that thread t announces, 0 when it is not pinned
  th,     \* th[t]: what thread t knows and does next
  abs,    \* history: the ordered map
  call    \* history: the calls, see MapOperations
vars == <<map, heap, G, ann, th, abs, call>>

Pids    == 0..MaxPid
Objects == 1..MaxObj

FreeObjects == {o \in Objects : heap[o].state = "free"}
NewObj      == CHOOSE o \in Objects :   \* the least
                 heap[o].state = "free" /\ \A x \in 1..(o - 1) : heap[x].state # "free"
FreePids    == {p \in Pids : map[p] = None}

\* The tree that the mapping table holds at this moment: the chain of each level.
Mapped(p) == map[p] \in Objects
Cur(p)    == heap[map[p]]
RECURSIVE LeftmostAt(_, _)
LeftmostAt(p, level) ==
  IF ~Mapped(p) THEN None
  ELSE IF Cur(p).level <= level THEN p
  ELSE LeftmostAt(PidOf(Content(Cur(p))[Cur(p).low]), level)
RECURSIVE Walk(_, _)
Walk(p, fuel) == IF fuel = 0 \/ ~Mapped(p) THEN <<>>
                 ELSE <<p>> \o (IF Cur(p).right = None THEN <<>> ELSE Walk(Cur(p).right, fuel - 1))
Chain(level) == Walk(LeftmostAt(0, level), MaxPid + 1)
Levels == 0..Cur(0).level
OnChain(level) == Range(Chain(level))

-----------------------------------------------------------------------------
(* Threads.  A duty is <<kind, separator, pid, level of the parent>>:         *)
(*   post    the parent learns separator -> pid                               *)
(*   mark, remove, merge, delete, bury   the merge of pid, by its next step   *)
(*   shrink, collapse, bury              the same for the root's only child   *)
(*   left    the page goes into its left neighbour, whatever both hold        *)
(* `help` is a stack of those that stand in the way and are done at once;     *)
(* `duties` wait until the operation is answered.  Pids in duties were learnt *)
(* under the present pin.  `removed` is the REMOVE-frozen page that a union or *)
(* a collapse takes in; `left` a reader's stack of such pages, about which it  *)
(* asks their left neighbours; `trust` is set when one proved to be the truth. *)
(* `run` is the set of keys that are put by the swap of a mapping entry.      *)
(* `want` is a history: level and low key of the page meant by `pid`.         *)

IdleThread(i) ==
  [pc |-> "idle", i |-> i, op |-> NoOperation, epoch |-> 0, help |-> <<>>, duties |-> <<>>,
   pid |-> 0, want |-> <<>>, obj |-> None, n |-> 0, saw |-> Absent, cut |-> {},
   pub |-> <<>>, run |-> {}, left |-> <<>>, removed |-> None, trust |-> FALSE, crossed |-> FALSE,
   answered |-> FALSE, allowed |-> {}]

\* Besides the operations of the map a program may ask to merge the page of a level that
\* holds a key, or to collapse the root; or to empty the leaf that holds a key, at one stroke.
Tend(k, level) == Operation("tend", k, level, Absent)
DropLeaf(k)    == Operation("drop", k, -1, Absent)
IsUpkeep(op)   == op.kind \in {"tend", "drop"}
IsPop(op)      == op.kind \in PopKinds

Task(r) ==
  IF r.help # <<>> THEN Head(r.help)
  ELSE IF r.answered /\ r.duties # <<>> THEN Head(r.duties)
  ELSE IF IsUpkeep(r.op) THEN <<r.op.kind, r.op.key, None, r.op.expected + 1>>
  ELSE <<"op", r.op.key, None, 0>>
Kind(r)   == Task(r)[1]
Sep(r)    == Task(r)[2]
Target(r) == Task(r)[3]
Reads(r)  == Kind(r) = "op" /\ r.op.kind \in ReadKinds
\* What to descend to.  R's left neighbour is the page that holds the key just below R's.
Key(r)    == IF r.left # <<>> THEN heap[Head(r.left)].low - 1
             ELSE IF Kind(r) = "merge" THEN Sep(r) - 1
             ELSE IF Kind(r) = "op" /\ r.op.kind = "pop_last" THEN Inf - 1 ELSE Sep(r)
Level(r)  == IF r.left # <<>> THEN heap[Head(r.left)].level
             ELSE IF Kind(r) \in {"merge", "remove", "shrink"} THEN Task(r)[4] - 1 ELSE Task(r)[4]

At(r, pc) == [r EXCEPT !.pc = pc]
Goto(r, p, want) ==
  [r EXCEPT !.pc = "load", !.pid = p, !.want = want, !.obj = None, !.n = 0, !.saw = Absent,
            !.cut = {}, !.pub = <<>>, !.run = {}, !.trust = FALSE]
Afresh(r) == [Goto(r, 0, <<>>) EXCEPT !.left = <<>>, !.removed = None, !.crossed = FALSE]
\* Back to the root: for what stands in the way, the operation, one duty after the other, then out.
Restart(r) ==
  LET a == Afresh(r) IN
  IF r.answered /\ r.help = <<>> /\ r.duties = <<>> THEN At(a, "unpin")
  ELSE IF Kind(r) = "bury" THEN At(a, "bury")
  ELSE IF Kind(r) \in {"remove", "shrink"}
    THEN [a EXCEPT !.pid = Target(r), !.want = <<Task(r)[4] - 1, Sep(r)>>]
  ELSE IF Kind(r) = "post" /\ Mutation = "post_alive_before_scan" THEN At(a, "alive")
  ELSE a

Done(r) == Restart([r EXCEPT !.answered = TRUE])
EndTask(r) ==
  Restart(IF r.help # <<>> THEN [r EXCEPT !.help = Tail(@)] ELSE [r EXCEPT !.duties = Tail(@)])
Stage(r, kind) ==
  LET next == [Task(r) EXCEPT ![1] = kind] IN
  Restart(IF r.help # <<>> THEN [r EXCEPT !.help = <<next>> \o Tail(@)]
          ELSE [r EXCEPT !.duties = <<next>> \o Tail(@)])
Help(r, duty) == Restart([r EXCEPT !.help = <<duty>> \o @])
\* A marked entry s of an inner page stands in the way: its merge goes first.
HelpMark(r, pg, s) == Help(r, <<"remove", s, PidOf(Content(pg)[s]), pg.level>>)
\* The call ends without effect; what it owed is left to others.
Fail(r) == At(Afresh([r EXCEPT !.help = <<>>, !.duties = <<>>]), "unpin")

Become(t, r) == th' = [th EXCEPT ![t] = r]

Init ==
  /\ \E tree \in Trees :
       /\ map  = [p \in Pids |-> IF p \in DOMAIN tree THEN p + 1 ELSE None]
       /\ heap = [o \in Objects |-> IF o - 1 \in DOMAIN tree THEN tree[o - 1] ELSE Freed]
  /\ G = 1
  /\ ann = [t \in Threads |-> 0]
  /\ th = [t \in Threads |-> IdleThread(1)]
  /\ abs = [k \in Keys |->
       LET leaf == CHOOSE p \in OnChain(0) : Cur(p).low <= k /\ k < Cur(p).high
       IN Content(Cur(leaf))[k]]
  /\ call = [t \in Threads |-> IdleCall]
=============================================================================
