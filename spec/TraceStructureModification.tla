--------------------- MODULE TraceStructureModification ---------------------
(* Is what the engine did to a tree a behaviour of StructureModification?    *)
(*                                                                          *)
(* As TraceEpochReclamation, which says what is printed. Each event that    *)
(* writes to shared memory is the step of StructureModification that writes *)
(* it, with its guards and its effects: appends, exchanges of mapping       *)
(* entries, what is published, retired and given back; and with it the two  *)
(* loads that a write is validated by (CheckAlive, CheckRoot). A page that  *)
(* comes into being must be what the engine has built.                      *)
(*                                                                          *)
(* What leads to a write is not followed, the descent above all. Before a   *)
(* write the thread sets out anew (SetOut): with the duty that the record   *)
(* names, at the page that it goes into. It then loads that page and scans  *)
(* it by the steps of StructureModification, which decide whether the write *)
(* may follow. A duty must be one that somebody can have (MayHave). So the  *)
(* threads here do more than those of StructureModification: they may begin *)
(* a duty at any time.                                                      *)
(*                                                                          *)
(* A call that has written nothing must give an answer that was right at    *)
(* one moment since it was invoked: OrderedMap's `seen`.                    *)
(*                                                                          *)
(* Other liberties: the engine may cut a page elsewhere, where it fits;     *)
(* epochs in which nothing waits are not counted (Advance has that guard);  *)
(* who pins while another moves the epoch may be overlooked (AdvancePast);  *)
(* what may be freed is freed together, at the first event that needs it.   *)
EXTENDS StructureProperties, TLC

CONSTANTS
  Traces,
  Follow,
  Ask,
  EnginePids   \* the numbers that the engine has for page ids

VARIABLES
  n,        \* the trace
  i,        \* its next event
  aimed,    \* the event for which its thread has set out
  number,   \* number[o]: what the trace calls page o, 0 when it is free
  name      \* name[q]: the pid that the engine calls q; Away, Unknown

traceVars == <<vars, n, i, aimed, number, name>>

Away    == -1   \* free here already, not yet in the engine
Unknown == -2   \* no pid

Events == Traces[n].events

-----------------------------------------------------------------------------
(* Pages as they are told: level, fences (0: no end), right sibling, and for *)
(* each key of the trace, from 0 on, what is there; pids as the engine has   *)
(* them.                                                                     *)

Renamed(x) == name[PidOf(x)] + (IF IsMarked(x) THEN MarkBit ELSE 0)
Entries(told) ==
  [s \in Seps |-> LET x == IF s < Len(told.base) THEN told.base[s + 1] ELSE None IN
                  IF told.level = 0 \/ x = None THEN x ELSE Renamed(x)]
HasTheFences(pg, told) ==
  /\ pg.level = told.level /\ pg.low = told.low
  /\ pg.high = (IF told.high = 0 THEN Inf ELSE told.high)
  /\ pg.right = (IF told.right = None THEN None ELSE name[told.right])
IsTold(pg, told) == HasTheFences(pg, told) /\ pg.base = Entries(told)

Called(x) == CHOOSE o \in Objects : number[o] = x
IsKnown(x) == x \in {number[o] : o \in Objects}

-----------------------------------------------------------------------------
(* Moments at which nobody is pinned: those in which a trace, or a piece of  *)
(* one, begins. `pages` are those of the mapping table, with their logs;     *)
(* `limbo` those that are retired, with their tags, and with the pid of one  *)
(* that takes it along (else 0); of the content of these nothing is said, as *)
(* nobody can come to them. `map` has the first keys.                        *)

Mapping(s, k) == IF k <= Len(s.map) THEN s.map[k] ELSE Absent
BuriedPids(s) == {s.limbo[k].pid : k \in DOMAIN s.limbo} \ {0}
PidsOf(s)     == {s.pages[k].pid : k \in DOMAIN s.pages}
Named(s)      == PidsOf(s) \cup BuriedPids(s)
Base(told)    == [k \in Seps |-> IF k < Len(told.base) THEN told.base[k + 1] ELSE None]

\* With the engine's own names for pids: a page, and one in limbo, which is frozen as all there are.
Begun(told) ==
  [Page(told.pid, told.level, told.low, IF told.high = 0 THEN Inf ELSE told.high, told.right,
        Base(told))
   EXCEPT !.log = told.log]
Waiting(told) ==
  [Page(told.pid, 0, 0, 0, None, Empty)
   EXCEPT !.state = "retired", !.tag = told.tag, !.buried = told.pid # 0,
          !.log = <<<<"freeze", 0, 0>>>>]

TraceInit ==
  /\ n \in 1..Len(Traces)
  /\ i = 1 /\ aimed = 0
  /\ LET s == Traces[n].start  live == Len(s.pages)  all == live + Len(s.limbo) IN
     /\ map = [p \in Pids |-> IF p \in PidsOf(s) THEN CHOOSE o \in 1..live : s.pages[o].pid = p
                              ELSE IF p \in BuriedPids(s) THEN Tomb ELSE None]
     /\ heap = [o \in Objects |-> IF o <= live THEN Begun(s.pages[o])
                                  ELSE IF o <= all THEN Waiting(s.limbo[o - live]) ELSE Freed]
     /\ number = [o \in Objects |-> IF o <= live THEN s.pages[o].page
                                    ELSE IF o <= all THEN s.limbo[o - live].page ELSE 0]
     /\ name = [q \in EnginePids |-> IF q \in Named(s) THEN q
                                     ELSE IF q \in s.away THEN Away ELSE Unknown]
     /\ G = s.G
     /\ abs = [k \in Keys |-> Mapping(s, k)]
  /\ ann = [t \in Threads |-> 0]
  /\ th = [t \in Threads |-> IdleThread(1)]
  /\ call = [t \in Threads |-> IdleCall]

\* Is this page the one that is told? An entry that the log has overwritten may name a pid that is gone:
\* it says nothing any more.
IsPage(pg, told) ==
  LET v == Fold(Base(told), told.log, Len(told.log)) IN
  /\ HasTheFences(pg, told)
  /\ Present(pg.base) = Present(Base(told))
  /\ [k \in DOMAIN pg.log |-> <<pg.log[k][1], pg.log[k][2]>>]
       = [k \in DOMAIN told.log |-> <<told.log[k][1], told.log[k][2]>>]
  /\ Content(pg) = [k \in Seps |-> IF told.level = 0 \/ v[k] = None THEN v[k] ELSE Renamed(v[k])]

\* Is this the state s?
Is(s) ==
  /\ G = s.G /\ abs = [k \in Keys |-> Mapping(s, k)]
  /\ \A t \in Threads : ann[t] = 0 /\ th[t] = IdleThread(1) /\ call[t] = IdleCall
  /\ {number[o] : o \in {x \in Objects : heap[x].state = "live"}}
       = {s.pages[k].page : k \in DOMAIN s.pages}
  /\ \A k \in DOMAIN s.pages :
       LET told == s.pages[k]  o == map[name[told.pid]] IN
       o \in Objects /\ number[o] = told.page /\ IsPage(heap[o], told)
  /\ {<<number[o], heap[o].tag, heap[o].buried>> : o \in Limbo}
       = {<<s.limbo[k].page, s.limbo[k].tag, s.limbo[k].pid # 0>> : k \in DOMAIN s.limbo}
  /\ \A k \in DOMAIN s.limbo :
       s.limbo[k].pid # 0 => heap[Called(s.limbo[k].page)].pid = name[s.limbo[k].pid]
  /\ \A q \in EnginePids :
       name[q] = IF q \in s.away THEN Away ELSE IF q \in Named(s) THEN name[q] ELSE Unknown
  /\ \A q \in Named(s) : name[q] >= 0

-----------------------------------------------------------------------------
(* Setting out.                                                              *)

\* What the trace tells of a write: page, its pid, slot, and the duty that is done by it.
\* (Of a collapse only the root is told, which names its only child.)
Duty(e) ==
  <<e.kind, e.sep, IF e.kind = "collapse" THEN PidOf(Content(Cur(0))[0]) ELSE name[e.target],
    e.level>>

\* Can somebody have this duty? Of what it follows from, this is what nobody undoes meanwhile.
MayHave(duty) ==
  LET sep == duty[2]  p == duty[3]  parents == OnChain(duty[4]) IN
  CASE duty[1] = "remove" -> \E q \in parents : Content(Cur(q))[sep] = p + MarkBit
    [] duty[1] = "merge"  -> Mapped(p) /\ Removed(Cur(p))
    [] duty[1] \in {"delete", "bury"} ->
         Mapped(p) /\ Removed(Cur(p)) /\ (duty[4] - 1 \in Levels => p \notin OnChain(duty[4] - 1))
    [] OTHER -> TRUE

\* Nothing is owed at once.
IsFree(t) == ann[t] # 0 /\ th[t].pc \notin {"retire", "retire buried"}

\* The load of the mapping entry is part of it.
SetOut(t, e) ==
  /\ aimed # i /\ IsFree(t) /\ aimed' = i
  /\ IF e.kind = "op" THEN
       /\ ~th[t].answered /\ ~IsUpkeep(th[t].op)
       /\ Become(t, Loaded(Goto([th[t] EXCEPT !.help = <<>>, !.duties = <<>>], name[e.pid], <<>>)))
     ELSE
       /\ MayHave(Duty(e))
       /\ Become(t, IF e.kind = "bury" THEN At([th[t] EXCEPT !.help = <<Duty(e)>>], "bury")
                    ELSE Loaded(Goto([th[t] EXCEPT !.help = <<Duty(e)>>], name[e.pid], <<>>)))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* Somebody has met a frozen page, whatever for.
ToReplace(t, o, pg) ==
  /\ Frozen(pg) /\ ~Removed(pg)
  /\ Become(t, Replace([Goto([th[t] EXCEPT !.help = <<>>, !.duties = <<>>, !.removed = None],
                             pg.pid, <<>>) EXCEPT !.obj = o], pg))
SetOutToReplace(t, e) ==
  /\ aimed # i /\ IsFree(t) /\ aimed' = i
  /\ IsKnown(e.page) /\ ToReplace(t, Called(e.page), heap[Called(e.page)])
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* The engine cuts where it likes, if all pieces fit and none begins at a mark.
CutElsewhere(t, cut) ==
  LET r == th[t]  pg == heap[r.obj]  v == Result(r) IN
  /\ r.cut # cut
  /\ cut \subseteq {s \in Present(v) \ {pg.low} : pg.level = 0 \/ ~IsMarked(v[s])}
  /\ Largest(v, pg.low, cut) <= Cap(pg.level)
  /\ Become(t, [r EXCEPT !.cut = cut])
  /\ UNCHANGED <<map, heap, G, ann, abs, call, aimed>>

\* The writes, by the event's name; what is at hand when the step itself can be taken.
Writes == {"AppendSlot", "CheckAlive", "PostSeparator", "MarkEntry", "CheckRoot", "RemovePage",
           "MergePage", "DeleteEntry", "FreezeRoot", "Bury"}
Follows(e) == e[1] = "PostSeparator" \/ (e[1] = "RemovePage" /\ e[3].kind = "shrink")

\* Steps that the engine does not tell, or that need not be where they were told, before the next
\* event, which is thread t's.
Hidden(e, t) ==
  CASE e[1] \in Writes ->
         \/ ~(Follows(e) /\ th[t].pc \in {"append", "remove"}) /\ SetOut(t, e[3])
         \/ aimed = i /\ UNCHANGED aimed /\ (LoadEntry(t) \/ ScanSlot(t))
    [] e[1] = "PublishRight" ->
         \/ SetOutToReplace(t, e[3])
         \/ aimed = i /\ UNCHANGED aimed /\ LoadRemoved(t)
         \/ aimed = i /\ th[t].pc = "publish" /\ CutElsewhere(t, e[3].cut)
    [] e[1] \in {"SwapEntry", "InstallUnion", "Collapse"} /\ th[t].pub = <<>> ->
         \/ SetOutToReplace(t, e[3])
         \/ aimed = i /\ UNCHANGED aimed /\ LoadRemoved(t)
    [] OTHER -> FALSE

-----------------------------------------------------------------------------
(* The steps of events.                                                      *)

IsAt(t, page) == th[t].obj # None /\ number[th[t].obj] = page
AtSlot(t, e) == IsAt(t, e.page) /\ Len(heap[th[t].obj].log) = e.slot
Same == UNCHANGED <<number, name>>

\* Who gets what was published: numbers and names of the new pages.
Published(t, pages) ==
  LET pub == th'[t].pub IN
  /\ Len(pub) = Len(pages)
  /\ \A k \in DOMAIN pages : name[pages[k].pid] = Unknown
  /\ name' = [q \in EnginePids |->
                IF \E k \in DOMAIN pages : pages[k].pid = q
                THEN pub[CHOOSE k \in DOMAIN pages : pages[k].pid = q] ELSE name[q]]
  /\ number' = [o \in Objects |->
                  IF \E k \in DOMAIN pub : map'[pub[k]] = o
                  THEN pages[CHOOSE k \in DOMAIN pub : map'[pub[k]] = o].page ELSE number[o]]
\* What they are can be said when all names are known.
AreTold(pages) == \A k \in DOMAIN pages : IsTold(Cur(name[pages[k].pid]), pages[k])

Swapped(t, e) ==
  LET p == th[t].pid  o == map'[th[t].pid] IN
  /\ IsAt(t, e.page) /\ o # map[p]
  /\ IsTold(heap'[o], e.fresh) /\ heap'[o].log = <<>>
  /\ number' = [number EXCEPT ![o] = e.fresh.page]
  /\ UNCHANGED name

\* Whatever may be freed is freed.
Forgotten ==
  /\ number' = [o \in Objects |-> IF heap'[o].state = "free" THEN 0 ELSE number[o]]
  /\ name' = [q \in EnginePids |-> IF name[q] >= 0 /\ map'[name[q]] = None THEN Away ELSE name[q]]

\* Advance looks at all threads in one step; the engine looks at one after the other, as
\* EpochReclamation does. These have announced an epoch since they were looked at.
AdvancePast(late) ==
  /\ \A u \in Threads \ late : ann[u] \in {0, G}
  /\ G' = IF \E o \in Limbo : G < heap[o].tag + Grace THEN G + 1 ELSE G
  /\ UNCHANGED <<map, heap, ann, th, abs, call>>

StepOf(e, t) ==
  LET x == e[3] IN
  CASE e[1] = "Pin"      -> th[t].pc = "idle" /\ Begin(t, x) /\ Same
    [] e[1] = "Announce" -> Announce(t) /\ Same
    [] e[1] = "Unpin"    ->
         /\ IsFree(t)   \* what it owes else it leaves to others
         /\ call[t].phase = "answered" => call[t].answer = x
         /\ call[t].phase = "called" => x \in call[t].seen
         /\ call[t].phase = "idle" => x = Absent
         /\ ann' = [ann EXCEPT ![t] = 0]
         /\ Become(t, IdleThread(1)) /\ call' = Returned(call, t)
         /\ UNCHANGED <<map, heap, G, abs>> /\ Same
    [] e[1] = "AppendSlot" ->
         /\ th[t].pc = "append" /\ Kind(th[t]) = "op" /\ AtSlot(t, x)
         /\ AppendUpdate(t, Restart(Updated(th[t]))) /\ th'[t].pc = "unpin"
         /\ Last(heap'[th[t].obj].log) = x.record /\ Same
    [] e[1] = "CheckAlive" ->
         /\ th[t].pc = "alive" /\ AtSlot(t, x) /\ map[Target(th[t])] \in Objects
         /\ number[map[Target(th[t])]] = x.seen /\ CheckAlive(t) /\ Same
    [] e[1] = "PostSeparator" ->
         /\ AtSlot(t, x) /\ Task(th[t]) = Duty(x) /\ PostSeparator(t) /\ heap' # heap /\ Same
    [] e[1] = "MarkEntry"   -> AtSlot(t, x) /\ MarkEntry(t) /\ Same
    [] e[1] = "CheckRoot"   -> AtSlot(t, x) /\ number[map[0]] = x.seen /\ CheckRoot(t) /\ Same
    [] e[1] = "RemovePage"  -> AtSlot(t, x) /\ Task(th[t]) = Duty(x) /\ RemovePage(t) /\ Same
    [] e[1] = "MergePage"   -> AtSlot(t, x) /\ MergePage(t) /\ Same
    [] e[1] = "DeleteEntry" -> AtSlot(t, x) /\ DeleteEntry(t) /\ Same
    [] e[1] = "FreezeRoot"  -> AtSlot(t, x) /\ FreezeRoot(t) /\ Same
    [] e[1] = "PublishRight" ->
         /\ th[t].pc = "publish" /\ th[t].cut = x.cut /\ IsAt(t, x.page)
         /\ PublishRight(t) /\ Published(t, x.pages)
    [] e[1] = "SwapEntry"    -> SwapEntry(t) /\ Swapped(t, x) /\ AreTold(x.pages)
    [] e[1] = "InstallUnion" -> InstallUnion(t) /\ Swapped(t, x) /\ AreTold(x.pages)
    [] e[1] = "Collapse"     -> Collapse(t) /\ Swapped(t, x)
    [] e[1] = "Retire"       ->
         /\ IsAt(t, x)
         /\ IF th[t].pc = "retire buried" THEN RetireBuried(t) ELSE Retire(t)
         /\ Same
    [] e[1] = "Bury"         ->
         /\ th[t].pc = "bury" /\ aimed = i /\ Mapped(Target(th[t]))
         /\ number[map[Target(th[t])]] = x.page /\ Bury(t) /\ Same
    [] e[1] = "Advance"      ->
         /\ IF x # {} THEN AdvancePast(x)
            ELSE \/ Advance
                 \/ /\ \A o \in Limbo : G >= heap[o].tag + Grace
                    /\ \A u \in Threads : ann[u] \in {0, G}
                    /\ UNCHANGED vars
         /\ Same
    [] e[1] = "Free"         ->
         IF IsKnown(x)
         THEN FreeEligible /\ heap'[Called(x)].state = "free" /\ Forgotten
         ELSE UNCHANGED vars /\ Same
    [] e[1] = "RecyclePid"   ->
         IF name[x] = Away THEN UNCHANGED <<vars, number>> /\ name' = [name EXCEPT ![x] = Unknown]
         ELSE /\ name[x] > 0 /\ FreeEligible /\ map[name[x]] = Tomb /\ map'[name[x]] = None
              /\ number' = [o \in Objects |-> IF heap'[o].state = "free" THEN 0 ELSE number[o]]
              /\ name' = [q \in EnginePids |->
                            IF q = x THEN Unknown
                            ELSE IF name[q] >= 0 /\ map'[name[q]] = None THEN Away ELSE name[q]]

TraceNext ==
  /\ i <= Len(Events)
  /\ LET e == Events[i] IN
     \/ StepOf(e, e[2]) /\ i' = i + 1 /\ UNCHANGED aimed
     \/ Hidden(e, e[2]) /\ UNCHANGED <<i, number, name>>
  /\ UNCHANGED n

TraceSpec == TraceInit /\ [][TraceNext]_traceVars

\* A trace ends, too, where its state breaks an invariant. What threads know is looked at in each
\* state; the tree only where the event before may have changed what an invariant speaks of: none does
\* that is not named here, and no hidden step. A record in a leaf changes what the leaf holds; REMOVE,
\* MERGE and FREEZE are no entries; and only what makes, exchanges or retires a page changes what is
\* mapped, which pages are current, and what a base holds. Pages are given back when the epoch moves.
TreeIsSound ==
  LET chains == TLCEval([level \in Levels |-> Chain(level)]) IN
  /\ \A level \in Levels : Tiles(chains[level], level)
  /\ HoldTheMap(Range(chains[0]))
  /\ \A level \in Levels \ {0} :
       AliveOrMarked(Range(chains[level]), Range(chains[level - 1]), level)
  /\ OneMark /\ MergesTheNext
FreshPagesFit ==   \* of others the base is what it was
  \A o \in Objects :
    (heap[o].state = "live" /\ heap[o].log = <<>>) => Size(heap[o].base) <= Cap(heap[o].level)
SoundAfter(event) ==
  CASE event \in {"PublishRight", "SwapEntry", "InstallUnion", "Collapse", "Bury"} ->
         MappedIsLive /\ UnfrozenIsCurrent /\ FreshPagesFit /\ TreeIsSound
    [] event \in {"PostSeparator", "MarkEntry", "DeleteEntry"} -> TreeIsSound
    [] event = "AppendSlot" -> LeavesHoldTheMap
    [] event = "RemovePage" -> ChildrenAliveOrMarked /\ OneMark /\ MergesTheNext
    [] event = "MergePage"  -> MergesTheNext
    [] event \in {"Retire", "Advance", "Free"} -> MappedIsLive
    [] OTHER                -> TRUE
Sound ==
  /\ BuriesTheMerged /\ NoDeadEnd /\ HeldIsNotFree
  /\ aimed = i \/ IF i = 1 THEN MappedIsLive ELSE SoundAfter(Events[i - 1][1])
Broken ==
  {what \in {"ChainTiles", "LeavesHoldTheMap", "ChildrenAliveOrMarked", "OneMark",
             "MergesTheNext", "BuriesTheMerged", "UnfrozenIsCurrent", "NoUseAfterFree",
             "PagesFit", "NoDeadEnd"} :
     ~CASE what = "ChainTiles"            -> ChainTiles
        [] what = "LeavesHoldTheMap"      -> LeavesHoldTheMap
        [] what = "ChildrenAliveOrMarked" -> ChildrenAliveOrMarked
        [] what = "OneMark"               -> OneMark
        [] what = "MergesTheNext"         -> MergesTheNext
        [] what = "BuriesTheMerged"       -> BuriesTheMerged
        [] what = "UnfrozenIsCurrent"     -> UnfrozenIsCurrent
        [] what = "NoUseAfterFree"        -> NoUseAfterFree
        [] what = "PagesFit"              -> PagesFit
        [] what = "NoDeadEnd"             -> NoDeadEnd}

\* The actions that could be taken now, and by whom.
CouldBe ==
  [AppendSlot    |-> {t \in Threads : ENABLED AppendSlot(t)},
   CheckAlive    |-> {t \in Threads : ENABLED CheckAlive(t)},
   PostSeparator |-> {t \in Threads : ENABLED PostSeparator(t)},
   MarkEntry     |-> {t \in Threads : ENABLED MarkEntry(t)},
   CheckRoot     |-> {t \in Threads : ENABLED CheckRoot(t)},
   RemovePage    |-> {t \in Threads : ENABLED RemovePage(t)},
   MergePage     |-> {t \in Threads : ENABLED MergePage(t)},
   DeleteEntry   |-> {t \in Threads : ENABLED DeleteEntry(t)},
   FreezeRoot    |-> {t \in Threads : ENABLED FreezeRoot(t)},
   PublishRight  |-> {t \in Threads : ENABLED PublishRight(t)},
   SwapEntry     |-> {t \in Threads : ENABLED SwapEntry(t)},
   InstallUnion  |-> {t \in Threads : ENABLED InstallUnion(t)},
   Collapse      |-> {t \in Threads : ENABLED Collapse(t)},
   Retire        |-> {t \in Threads : ENABLED (Retire(t) \/ RetireBuried(t))},
   Bury          |-> {t \in Threads : ENABLED Bury(t)}]

Shown(o) == [page |-> number[o], level |-> heap[o].level, low |-> heap[o].low,
             high |-> heap[o].high, right |-> heap[o].right, holds |-> Content(heap[o]),
             log |-> heap[o].log]
State ==
  [pages |-> [p \in {q \in Pids : Mapped(q)} |-> Shown(map[p])],
   thread |-> [t \in Threads |-> [pc |-> th[t].pc, duty |-> Task(th[t]), pid |-> th[t].pid]],
   G |-> G, ann |-> ann, abs |-> abs]

\* The constraint of the run: looked at once in each state, and no step is taken where it is false.
Told ==
  LET sound == Sound IN
  /\ Follow => PrintT(<<"at", n, i>>)
  /\ Ask[n] = i => PrintT(<<"state", n, i, State, CouldBe>>)
  /\ ~sound => PrintT(<<"broken", n, i, Broken>>)
  /\ sound
  /\ (i > Len(Events) /\ \A s \in Traces[n].ends : Is(s)) => PrintT(<<"accepted", n>>)
=============================================================================
