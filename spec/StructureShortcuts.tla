------------------------- MODULE StructureShortcuts -------------------------
(* Two ways to a leaf that spare the descent from the root, on top of        *)
(* StructureModification.tla.                                                *)
(*                                                                           *)
(* The leaf of the last write.  A thread remembers the pid of the leaf that  *)
(* its last write went down to, and how many pids had been recycled so far,  *)
(* read under the same pin.  A later write, under a pin of its own, loads the*)
(* mapping entry of that pid, *then* the number again.  If it is the same,   *)
(* the pid has not been taken for another page up to that load, and what the *)
(* entry held is as good as what a descent finds: the leaf, which may have   *)
(* split, or may be in the middle of a merge, or the tombstone.  Level and   *)
(* fences tell whether the key belongs there.  A pid is counted before it    *)
(* can be taken, so whoever finds another page under it finds it counted.    *)
(*                                                                           *)
(* The walk to the right.  A reader that has read a leaf goes on, under the  *)
(* same pin, to the leaf that the right link names, as long as that is mapped*)
(* and no merge of it has begun.  Each leaf's part of the answer was true at *)
(* one moment of the walk, and these moments come one after the other.  Here *)
(* the walk is the rest of a get that has its answer.                        *)
(*                                                                           *)
(* Steps are those of StructureModification, each with what it means for the *)
(* four variables below; FreeEligible comes apart into Reclaim and GiveBack. *)
EXTENDS StructureProperties

VARIABLES
  recycled,  \* how many pids have been free again so far
  counted,   \* pids that are counted in it, and cannot be taken yet
  last,      \* last[t]: the leaf of t's last write
  walk       \* walk[t]: a reader on its way to the right
shortcutVars == <<recycled, counted, last, walk>>

Nowhere == -1
\* `pid` and `count` are remembered; `noted` is the leaf of the present write, remembered when it
\* ends; `word` and `same` are what was loaded of entry and number; `tried`: one try a call; `used`:
\* the page in hand was found by it.  `stale` is a history: the pid has been recycled since.
NoLast == [pid |-> Nowhere, count |-> 0, noted |-> Nowhere, word |-> None, same |-> FALSE,
           tried |-> FALSE, used |-> FALSE, due |-> FALSE, stale |-> FALSE]
\* `pid` is the page to go to, `at` where it begins, `obj` the page in hand.  `past` is a history:
\* the maps since the moment of the last leaf, and `true` whether each leaf had one.
NoWalk == [pid |-> Nowhere, at |-> 0, obj |-> None, past |-> <<>>, true |-> TRUE]

WriteKinds == {"put", "insert", "update", "remove", "compare_exchange"}
Writes(r) == Kind(r) = "op" /\ r.op.kind \in WriteKinds

\* At the beginning thread t remembers remembers[t].
InitWith(remembers) ==
  /\ Init
  /\ recycled = 0 /\ counted = {}
  /\ last = remembers
  /\ walk = [t \in Threads |-> NoWalk]

\* The walks w, to each of which the map's present state is known.
Witnesses(w) ==
  [t \in Threads |->
     IF w[t].past = <<>> \/ Last(w[t].past) = abs' THEN w[t]
     ELSE [w[t] EXCEPT !.past = Append(@, abs')]]
Kept == walk' = Witnesses(walk) /\ UNCHANGED <<recycled, counted, last>>

-----------------------------------------------------------------------------
(* The walk to the right *)

\* The walk w after v was read in the leaf pg: from `low` on, v was true at a moment that is not
\* before that of the last leaf; the earliest one is kept.
Judged(w, low, pg, v) ==
  LET fits == {i \in DOMAIN w.past :
                 \A k \in Keys : (low <= k /\ k < pg.high) => w.past[i][k] = v[k]}
  IN IF fits = {} THEN [NoWalk EXCEPT !.true = FALSE]
     ELSE [w EXCEPT !.past = SubSeq(@, MinOf(fits), Len(@)), !.obj = None, !.at = pg.high,
                    !.pid = IF pg.right = None THEN Nowhere ELSE pg.right]
Ended(w) == [NoWalk EXCEPT !.true = w.true]

MayWalk(t) == th[t].pc = "unpin" \/ (Mutation = "walk_after_unpin" /\ th[t].pc = "idle")

\* Load the mapping entry of the right sibling.  A tombstone ends the walk: the next leaf is found
\* from the root.  (That the page begins where the last one ended is what ReachesTheNext shows: the
\* code asks all the same, and has no other way to tell a tombstone.)
StepRight(t) ==
  LET w == walk[t]  m == map[w.pid]
      nothing == Page(w.pid, 0, w.at, Inf, None, Empty)
  IN
  /\ MayWalk(t) /\ w.pid # Nowhere /\ w.obj = None
  /\ walk' = [walk EXCEPT ![t] =
       IF m \in Objects THEN [w EXCEPT !.obj = m]
       ELSE IF Mutation = "walk_over_tombstone" THEN Judged(w, w.at, nothing, Empty)
       ELSE Ended(w)]
  /\ UNCHANGED <<vars, recycled, counted, last>>

\* The load of the slot that ends the scan of that leaf.
ScanRight(t) ==
  LET w == walk[t]  pg == heap[w.obj] IN
  /\ MayWalk(t) /\ w.obj # None
  /\ walk' = [walk EXCEPT ![t] = IF Removed(pg) THEN Ended(w) ELSE Judged(w, w.at, pg, Content(pg))]
  /\ UNCHANGED <<vars, recycled, counted, last>>

-----------------------------------------------------------------------------
(* The leaf of the last write *)

\* Load the mapping entry of the remembered pid.
LoadLast(t) ==
  LET r == th[t]  l == last[t] IN
  /\ r.pc = "load" /\ r.pid = 0 /\ Writes(r)
  /\ ~l.tried /\ l.pid # Nowhere /\ ~l.due
  /\ Become(t, At(r, "recall"))
  /\ last' = [last EXCEPT ![t] =
       [l EXCEPT !.tried = TRUE, !.word = map[l.pid], !.same = l.count = recycled]]
  /\ UNCHANGED <<map, heap, G, ann, abs, call, recycled, counted, walk>>

\* Load the number of recycled pids; then look at the page, or go down from the root.
CheckRecycled(t) ==
  LET r == th[t]  l == last[t]
      early == Mutation = "recycled_before_entry"   \* entry and number in the wrong order
      o == IF early THEN map[l.pid] ELSE l.word
      same == (IF early THEN l.same ELSE l.count = recycled) \/ Mutation = "no_recycled_check"
      fits == /\ heap[o].level = 0   \* the root may have grown
              /\ (heap[o].low <= Key(r) /\ Key(r) < heap[o].high) \/ Mutation = "last_without_fences"
      good == o \in Objects /\ same /\ fits
  IN
  /\ r.pc = "recall"
  /\ Become(t, IF good THEN [At(r, "scan") EXCEPT !.pid = l.pid, !.obj = o, !.want = <<>>]
               ELSE At(r, "load"))
  /\ last' = [last EXCEPT ![t].used = good, ![t].word = None, ![t].same = FALSE]
  /\ UNCHANGED <<map, heap, G, ann, abs, call, recycled, counted, walk>>

\* What was noted is remembered.  The number is read at the last moment of the pin: read sooner it
\* is the same, or a smaller one, which is never met again.
Remembered(l) ==
  IF l.noted = Nowhere THEN [l EXCEPT !.tried = FALSE, !.used = FALSE]
  ELSE [NoLast EXCEPT !.pid = l.noted, !.count = recycled,
                      !.due = Mutation = "remembered_after_unpin"]

\* Only in a mutation: the number is read when the pin has ended.
RememberLate(t) ==
  /\ last[t].due /\ th[t].pc = "idle"
  /\ last' = [last EXCEPT ![t].count = recycled, ![t].due = FALSE]
  /\ UNCHANGED <<vars, recycled, counted, walk>>

-----------------------------------------------------------------------------
(* The steps of StructureModification *)

Enter(t) ==
  /\ Pin(t)
  /\ walk' = [walk EXCEPT ![t] = IF th'[t].op.kind = "get" THEN [NoWalk EXCEPT !.past = <<abs>>]
                                 ELSE @]
  /\ UNCHANGED <<recycled, counted, last>>

Load(t) ==
  /\ LoadEntry(t)
  /\ last' = [last EXCEPT ![t].used = FALSE]
  /\ UNCHANGED <<recycled, counted, walk>>

\* A writer notes the leaf that it has come to from the root; a reader that has its answer may walk
\* on, unless it has learnt from a witness that the leaf was true.
Scan(t) ==
  LET r == th[t]  pg == heap[r.obj] IN
  /\ ScanSlot(t)
  /\ last' = [last EXCEPT ![t].noted =
       IF Writes(r) /\ pg.level = 0 /\ ~last[t].used THEN r.pid ELSE @]
  /\ walk' = [walk EXCEPT ![t] =
       IF ~(r.op.kind = "get" /\ th'[t].answered) THEN @
       ELSE LET w == Judged(walk[t], r.op.key, pg, Content(pg))
            IN IF r.trust THEN Ended(w) ELSE w]
  /\ UNCHANGED <<recycled, counted>>

Leave(t) ==
  /\ Unpin(t)
  /\ walk[t].obj = None
  /\ last' = [last EXCEPT ![t] = Remembered(@)]
  /\ walk' = [walk EXCEPT ![t] = IF Mutation = "walk_after_unpin" THEN @ ELSE Ended(@)]
  /\ UNCHANGED <<recycled, counted>>

OnTheWay(t) == (Announce(t) \/ GiveUp(t) \/ CrossRight(t) \/ LookLeft(t)) /\ Kept
Write(t)    == AppendSlot(t) /\ Kept
Post(t)     == (CheckAlive(t) \/ PostSeparator(t)) /\ Kept
Publish(t)  == PublishRight(t) /\ Kept
Replaced(t) == (SwapEntry(t) \/ EmptyLeaf(t) \/ InstallRun(t)) /\ Kept
TakeBack(t) == Unpublish(t) /\ Kept
Unite(t) ==
  /\ \/ CheckFit(t) \/ MarkEntry(t) \/ RemovePage(t) \/ MergePage(t) \/ LoadRemoved(t)
     \/ InstallUnion(t) \/ DeleteEntry(t)
  /\ Kept
Shrink(t) == (CheckRoot(t) \/ FreezeRoot(t) \/ FreezeLeaf(t) \/ Collapse(t)) /\ Kept
IntoLimbo(t) == (Retire(t) \/ Bury(t) \/ RetireBuried(t)) /\ Kept

NewEpoch == Advance /\ Kept

SetFree(P) ==
  /\ map' = [p \in Pids |-> IF p \in P THEN None ELSE map[p]]
  /\ last' = [t \in Threads |-> IF last[t].pid \in P THEN [last[t] EXCEPT !.stale = TRUE]
                               ELSE last[t]]
Count(P) == recycled' = recycled + Cardinality(P)

\* FreeEligible, as far as pages go.  The pids that come back with them are counted first.
Reclaim ==
  LET E == {o \in Limbo : G >= heap[o].tag + Grace}
      P == {heap[o].pid : o \in {x \in E : heap[x].buried}}
  IN
  /\ E # {} /\ counted = {}
  /\ heap' = [o \in Objects |-> IF o \in E THEN Freed ELSE heap[o]]
  /\ counted' = P
  /\ IF Mutation = "counted_after_give_back" THEN SetFree(P) /\ UNCHANGED recycled
     ELSE Count(P) /\ UNCHANGED <<map, last>>
  /\ UNCHANGED <<G, ann, th, abs, call, walk>>

\* Then they can be taken.
GiveBack ==
  /\ counted # {}
  /\ IF Mutation = "counted_after_give_back" THEN Count(counted) /\ UNCHANGED <<map, last>>
     ELSE SetFree(counted) /\ UNCHANGED recycled
  /\ counted' = {}
  /\ UNCHANGED <<heap, G, ann, th, abs, call, walk>>

AllDone == Terminated /\ UNCHANGED shortcutVars

ShortcutNext ==
  \/ \E t \in Threads :
       \/ Enter(t) \/ Load(t) \/ Scan(t) \/ Leave(t) \/ OnTheWay(t)
       \/ LoadLast(t) \/ CheckRecycled(t) \/ RememberLate(t) \/ StepRight(t) \/ ScanRight(t)
       \/ Write(t) \/ Post(t) \/ Publish(t) \/ Replaced(t) \/ TakeBack(t)
       \/ Unite(t) \/ Shrink(t) \/ IntoLimbo(t)
  \/ NewEpoch \/ Reclaim \/ GiveBack \/ AllDone

ShortcutInit == InitWith([t \in Threads |-> NoLast])
ShortcutSpec == ShortcutInit /\ [][ShortcutNext]_<<vars, shortcutVars>>

-----------------------------------------------------------------------------
(* Beside what StructureProperties says of the same states: *)

\* A page that is looked at because its pid was remembered is the page that was meant.
BelievesNoRecycled == \A t \in Threads : last[t].used => ~last[t].stale

\* A write that can succeed goes into a leaf that is part of the tree.
WritesIntoTheTree ==
  \A t \in Threads :
    (th[t].pc = "append" /\ Writes(th[t]) /\ ~Frozen(heap[th[t].obj])) =>
      heap[th[t].obj].pid \in OnChain(0)

\* A write is about a leaf that its key belongs to.
WritesWithinFences ==
  \A t \in Threads : (th[t].pc = "append" /\ Writes(th[t])) =>
    LET pg == heap[th[t].obj] IN pg.level = 0 /\ pg.low <= Key(th[t]) /\ Key(th[t]) < pg.high

\* Each leaf of a walk was so at one moment, not before that of the leaf on its left.
WalksAreOfMoments == \A t \in Threads : walk[t].true

\* The pid to which a walk goes on is that of the leaf that begins where the last one ended, or of
\* one that was merged away; and the page in hand has not been freed.
ReachesTheNext ==
  \A t \in Threads :
    /\ walk[t].pid # Nowhere =>
         /\ map[walk[t].pid] # None
         /\ Mapped(walk[t].pid) => Cur(walk[t].pid).low = walk[t].at /\ Cur(walk[t].pid).level = 0
    /\ walk[t].obj # None => heap[walk[t].obj].state # "free"

\* As NothingLeaks, with pids that are about to come back.
NothingLeaksEither == counted = {} => NothingLeaks
=============================================================================
