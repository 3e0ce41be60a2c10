------------------------ MODULE StructureProperties ------------------------
(* What must hold of StructureModification.tla, in every state unless a       *)
(* property says when.                                                        *)
EXTENDS StructureModification

\* An update answers what the map held at its slot CAS; a call that changes nothing,
\* what was right at one moment since it was invoked.
Linearizable ==
  \A t \in Threads : call[t].phase = "answered" => call[t].answer \in th[t].allowed

\* The same as a refinement (see BwTree).
Abstract == INSTANCE OrderedMap WITH map <- abs, call <- call, Mutation <- "none"
Refines == Abstract!Init /\ [][UNCHANGED Abstract!vars \/ Abstract!Next]_(Abstract!vars)

\* What a pinned thread may still look into has not been freed.
HeldIsNotFree ==
  \A t \in Threads : LET r == th[t] IN
    /\ r.obj # None => heap[r.obj].state # "free"
    /\ r.removed # None => heap[r.removed].state # "free"
    /\ r.left # <<>> => \A o \in Range(r.left) : heap[o].state # "free"
MappedIsLive ==
  \A p \in Pids : LET o == map[p] IN o \in Objects => heap[o].state = "live" /\ heap[o].pid = p
NoUseAfterFree == HeldIsNotFree /\ MappedIsLive

\* A pid under which a thread is about to load a page, or that it is about to bury, has not been
\* recycled: it names the page that was meant, or a tombstone.
NoRecycledLoad ==
  \A t \in Threads :
    /\ th[t].pc = "load" =>
         /\ map[th[t].pid] # None
         /\ (Mapped(th[t].pid) /\ th[t].want # <<>>) =>
              th[t].want = <<Cur(th[t].pid).level, Cur(th[t].pid).low>>
    /\ th[t].pc = "load removed" /\ th[t].pid # 0 => map[heap[th[t].obj].right] # None

\* Wherever a thread can go from the page that it looks at, there is a page or a tombstone.
ReachableIsMapped ==
  \A t \in Threads : \A o \in {th[t].obj} \ {None} :
    LET pg == heap[o]  v == Content(pg) IN
    (pg.state # "free" /\ (~Removed(pg) \/ th[t].trust)) =>
      /\ pg.right # None => map[pg.right] # None
      /\ pg.level > 0 => \A s \in Present(v) : map[PidOf(v[s])] # None

\* Only a frozen page is ever replaced, so an append that succeeds hit the current page.
UnfrozenIsCurrent ==
  \A o \in Objects : (heap[o].state # "free" /\ ~Frozen(heap[o])) => map[heap[o].pid] = o

\* On each level the pages reached by right links tile the key space: no gap, no overlap.
Tiles(c, level) ==
  /\ c # <<>>
  /\ Cur(c[1]).low = 0 /\ Cur(Last(c)).high = Inf /\ Cur(Last(c)).right = None
  /\ \A i \in 1..Len(c) : Cur(c[i]).level = level /\ Cur(c[i]).low < Cur(c[i]).high
  /\ \A i \in 1..(Len(c) - 1) : Cur(c[i]).high = Cur(c[i + 1]).low
ChainTiles == \A level \in Levels : Tiles(Chain(level), level)

\* In every state, not only at rest, the leaves hold exactly the ordered map.
HoldTheMap(leaves) ==
  \A p \in leaves :
    LET v == Content(Cur(p))  here == Cur(p).low .. (Cur(p).high - 1) IN
    (\A k \in Keys \cap here : v[k] = abs[k]) /\ Present(v) \subseteq here
LeavesHoldTheMap == HoldTheMap(OnChain(0))

\* Every entry of an inner page names a page one level down that starts at the separator; it is
\* on the chain, or REMOVE-frozen and the entry marked.  A leftmost entry is never marked: only
\* the root's only child may be REMOVE-frozen there.
AliveOrMarked(pages, below, level) ==
  \A p \in pages :
    LET P == Cur(p)  v == Content(P) IN
    /\ P.low \in Present(v)
    /\ \A s \in Present(v) :
         LET c == PidOf(v[s]) IN
         /\ P.low <= s /\ s < P.high
         /\ IsMarked(v[s]) => s # P.low
         /\ Mapped(c) /\ Cur(c).level = level - 1 /\ Cur(c).low = s
         /\ IF Removed(Cur(c)) THEN IsMarked(v[s]) \/ (s = 0 /\ OnlyChild(P))
            ELSE c \in below
ChildrenAliveOrMarked ==
  \A level \in Levels \ {0} : AliveOrMarked(OnChain(level), OnChain(level - 1), level)

\* At most one entry of a page is marked, and none of a REMOVE-frozen page.
OneMark ==
  \A p \in Pids : Mapped(p) => Cardinality(Marks(Cur(p))) <= (IF Removed(Cur(p)) THEN 0 ELSE 1)

\* A MERGE names the right sibling, and that is REMOVE-frozen.
MergesTheNext ==
  \A p \in Pids : (Mapped(p) /\ Merging(Cur(p))) =>
    LET r == Cur(p).right IN
    /\ Last(Cur(p).log)[3] = r
    /\ Mapped(r) /\ Removed(Cur(r)) /\ Cur(r).low = Cur(p).high /\ Cur(r).level = Cur(p).level

\* What is about to be buried has been merged: it is no longer part of the tree.
BuriesTheMerged ==
  \A t \in Threads : (th[t].pc = "bury" /\ Mapped(Target(th[t]))) =>
    LET R == Cur(Target(th[t])) IN
    Removed(R) /\ (R.level \notin Levels \/ Target(th[t]) \notin OnChain(R.level))

\* No way is missing, and every page that must be cut can be cut.
NoDeadEnd == \A t \in Threads : th[t].pc \notin {"no route", "dead end"}

\* Nobody helps, in order to help, what it is helping already.  (A merge that a pop or a drop has
\* not begun yet may have been begun by another when it comes to that.)
HelpIsAcyclic ==
  \A t \in Threads : LET h == SelectSeq(th[t].help, LAMBDA d : d[1] \notin {"left", "mark"}) IN
    \A i, j \in 1..Len(h) : i # j => <<h[i][2], h[i][3]>> # <<h[j][2], h[j][3]>>

\* A reader neither writes nor allocates, and helps nobody.
ReadersOnlyRead ==
  \A t \in Threads : th[t].op.kind \in ReadKinds =>
    /\ th[t].pc \in {"announce", "load", "scan", "unpin"}
    /\ th[t].help = <<>> /\ th[t].duties = <<>>

PagesFit ==
  \A o \in Objects : heap[o].state # "free" => Size(heap[o].base) <= Cap(heap[o].level)

\* When no call is in flight nothing is left over: each page is mapped, and reachable or part of
\* a merge that was given up, or in limbo.
NothingLeaks ==
  (\A t \in Threads : th[t].pc = "idle") =>
    /\ \A o \in Objects : heap[o].state = "live" => map[heap[o].pid] = o
    /\ \A p \in Pids : Mapped(p) => \/ p \in OnChain(Cur(p).level)
                                   \/ \E q \in OnChain(Cur(p).level + 1) :
                                        Content(Cur(q))[Cur(p).low] = p + MarkBit
    /\ \A p \in Pids : map[p] = Tomb => \E o \in Limbo : heap[o].buried /\ heap[o].pid = p

\* If no call failed, whatever was begun is finished when no call is in flight.
NothingHalfDone ==
  (\A t \in Threads : th[t].pc = "idle") =>
    \A p \in Pids : Mapped(p) => ~Removed(Cur(p)) /\ ~Merging(Cur(p)) /\ Marks(Cur(p)) = {}

\* Every variable holds what it should; no epoch is ahead of G.
TypeOK ==
  /\ map \in [Pids -> Objects \cup {None, Tomb}]
  /\ G >= 1 /\ \A t \in Threads : ann[t] <= G
  /\ \A o \in Objects : heap[o].tag <= G

\* Splits and merges do not call for each other without end: a finite program builds no more than
\* MaxObj pages.  (For configurations that reclaim nothing.)
BuildsFewPages == Cardinality(FreeObjects) > 2

\* Lock-freedom: a finite program comes to its end although no thread is treated fairly.
Termination == <>Finished
=============================================================================
