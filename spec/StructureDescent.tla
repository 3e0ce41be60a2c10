-------------------------- MODULE StructureDescent --------------------------
(* The steps of StructureModification.tla by which a call begins, finds its   *)
(* way to the page that it is about, reads that page and decides what is next;*)
(* and by which it ends.                                                      *)
EXTENDS StructureReplacement

-----------------------------------------------------------------------------
(* Pin, unpin *)

\* The call begins: choose the operation, load the global epoch.
Begin(t, op) ==
  /\ Become(t, [th[t] EXCEPT !.pc = "announce", !.op = op, !.epoch = G])
  /\ call' = IF IsUpkeep(op) THEN call ELSE Invoked(call, t, abs, op)
  /\ UNCHANGED <<map, heap, G, ann, abs>>
Pin(t) ==
  LET r == th[t] IN
  /\ r.pc = "idle" /\ r.i <= Len(Program[t])
  /\ \E op \in Program[t][r.i] : Begin(t, op)

Announce(t) ==
  /\ th[t].pc = "announce"
  /\ ann' = [ann EXCEPT ![t] = th[t].epoch]
  /\ Become(t, Restart([th[t] EXCEPT !.epoch = 0]))
  /\ UNCHANGED <<map, heap, G, abs, call>>

\* The call returns; or fails, with nothing done.
Unpin(t) ==
  /\ th[t].pc = "unpin"
  /\ ann' = [ann EXCEPT ![t] = 0]
  /\ Become(t, IdleThread(th[t].i + 1))
  /\ call' = Returned(call, t)
  /\ UNCHANGED <<map, heap, G, abs>>

\* No memory for a record or a page, or too many attempts: any duty but the tombstone may be
\* given up.
GiveUp(t) ==
  /\ MayFail
  /\ th[t].pc \in {"append", "alive", "mark", "remove", "merge", "delete", "freeze",
                   "publish", "swap", "install", "collapse", "freeze leaf", "drop", "swap run"}
  /\ th[t].pub = <<>>
  /\ Become(t, Fail(th[t]))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

-----------------------------------------------------------------------------
(* Descend *)

\* Load of a mapping entry.  A tombstone sends the thread back to the root.
Loaded(r) ==
  LET m == map[r.pid] IN
  IF m \in Objects THEN [r EXCEPT !.pc = "scan", !.obj = m, !.want = <<>>]
  ELSE IF Kind(r) \in {"remove", "shrink"} THEN EndTask(r)
  ELSE Restart(r)
LoadEntry(t) ==
  /\ th[t].pc = "load" /\ Become(t, Loaded(th[t]))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* May the thread believe what the page says?
Believes(r, pg) == ~Removed(pg) \/ r.trust \/ (Mutation = "trust_removed" /\ Reads(r))

\* The page split meanwhile and the key is to its right.  The parent did not know
\* the separator: a writer that notices may post it later, or leave that to others.
CrossRight(t) ==
  LET r == th[t]  pg == heap[r.obj]
      over == [Goto(r, pg.right, <<pg.level, pg.high>>)
                 EXCEPT !.crossed = Mutation = "finished_without_separator"]
  IN
  /\ r.pc = "scan" /\ Believes(r, pg) /\ Key(r) >= pg.high
  /\ ~(Mutation = "merge_without_right_check" /\ Kind(r) = "merge" /\ pg.level = Level(r))
  /\ \/ Become(t, over)
     \/ /\ CrossPost
        /\ Kind(r) = "op" /\ ~Reads(r)
        /\ \A i \in 1..Len(r.duties) : r.duties[i][3] # pg.right
        /\ Become(t, [over EXCEPT !.duties = <<<<"post", pg.high, pg.right, pg.level + 1>>>> \o @])
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

\* A reader asks the left neighbour of a REMOVE-frozen page, which it looks for from the root.  If
\* it meets another such page on the way, higher up, it asks about that first: nobody may ever go
\* on with these merges.  If the left neighbour is REMOVE-frozen itself, others have made progress.
\* The root's only child has no left neighbour: the root itself will tell.
TurnLeft(r) ==
  IF /\ r.left # <<>>
     /\ heap[r.obj].level = Level(r) \/ Mutation = "restart_at_every_removed"
  THEN Restart(r)
  ELSE [Goto(r, 0, <<>>) EXCEPT !.left = <<r.obj>> \o @]

\* A run of puts takes the leaf that its first key belongs to, with as many of its keys as belong
\* there and fit two pages.  A leaf that is being merged, or takes another in, is no place for it.
IsRun(r)  == Kind(r) = "op" /\ r.op.kind = "put_run"
NoPlaceForRun(r, pg) ==
  /\ IsRun(r) /\ pg.level = 0
  /\ (Removed(pg) /\ Mutation # "run_removed") \/ (Merging(pg) /\ Mutation # "run_merging")
StartRun(r, pg) ==
  LET v == Content(pg)
      mine == {k \in RunKeys(r.op) : k < pg.high}
      room == 2 * LeafCap - Size(v)
      taken == {k \in mine : Cardinality({x \in mine : x <= k}) <= room}
  IN IF ~Frozen(pg) THEN At(r, "freeze leaf")
     ELSE IF taken = {} THEN Replace(r, pg)
     ELSE Prepare([r EXCEPT !.run = taken], pg, WithRun(v, taken, r.op.val), "swap run")

\* At a REMOVE-frozen page that is not to be believed.
MeetRemoved(r) ==
  LET pg == heap[r.obj] IN
  CASE Kind(r) = "remove" -> Stage(r, "merge")
    [] Kind(r) = "shrink" -> Stage(r, "collapse")
    [] Reads(r)           -> TurnLeft(r)
    [] Kind(r) = "drop" /\ Mutation = "drop_removed" -> At(r, "drop")
    [] IsRun(r) /\ Mutation = "run_removed" /\ pg.level = 0 -> StartRun(r, pg)
    [] Mutation = "do_not_help" -> Restart(r)
    [] r.crossed          -> Help(r, <<"bury", pg.low, r.pid, pg.level + 1>>)
    [] OTHER -> Help(r, <<IF pg.low = 0 THEN "collapse" ELSE "merge", pg.low, r.pid, pg.level + 1>>)

\* A reader that asks about a REMOVE-frozen page is at the page left of it, or at the root.
IsWitness(r, pg) ==
  /\ r.left # <<>> /\ Believes(r, pg) /\ Key(r) < pg.high
  /\ heap[Head(r.left)].low = 0 \/ pg.level = Level(r)

\* What the witness says when its log is read: the REMOVE-frozen page was the truth when the
\* witness was loaded, or the reader goes on from the witness.
JudgeRemoved(r) ==
  LET pg == heap[r.obj]  R == heap[Head(r.left)]
      trusted == [r EXCEPT !.obj = Head(r.left), !.pid = R.pid, !.left = Tail(@), !.trust = TRUE]
  IN IF R.low = 0 THEN
       IF pg.level = R.level + 1 /\ PidOf(Content(pg)[0]) = R.pid THEN trusted ELSE Restart(r)
     ELSE IF pg.high = R.low /\ pg.right = R.pid THEN trusted
     ELSE [r EXCEPT !.left = Tail(@)]

\* An empty leaf is no end of the map, unless it is the only leaf: the next one goes into it, or
\* it goes into the one before, and the pop looks again.
FillEnd(r, pg) ==
  Help(r, IF r.op.kind = "pop_first" THEN <<"left", pg.high, pg.right, 1>>
          ELSE <<"left", pg.low, r.pid, 1>>)
\* May a pop that has found no entry answer that the map is empty?
IsWholeMap(pg) == (pg.low = 0 /\ pg.right = None /\ ~Frozen(pg)) \/ Mutation = "pop_at_any_leaf"

\* At a page of the level that a duty wants, whose fences hold its key.
Pursue(r) ==
  LET pg == heap[r.obj]  v == Content(pg)  s == Sep(r)  e == v[s]
      forced == r.help # <<>>   \* by a pop or a drop, which do not ask whether it is worth while
      write(pc) == IF Frozen(pg) THEN Replace(r, pg) ELSE At(r, pc)
  IN
  CASE Kind(r) = "tend" ->
         LET x == Entry(v, s)
             with(duty) == [r EXCEPT !.answered = TRUE, !.duties = <<duty>> \o @] IN
         IF OnlyChild(pg) THEN Restart(with(<<"shrink", 0, PidOf(v[0]), pg.level>>))
         ELSE IF x = pg.low /\ Mutation # "merge_leftmost" THEN Done(r)
         ELSE with(<<"mark", x, PidOf(v[x]), pg.level>>)
    [] Kind(r) = "post" ->
         IF e # None THEN EndTask(r)
         ELSE IF Frozen(pg) THEN Replace(r, pg)
         ELSE At(r, IF Mutation \in {"post_without_alive_check", "post_alive_before_scan"}
                    THEN "append" ELSE "alive")
    [] Kind(r) = "mark" ->
         IF PidOf(e) # Target(r) THEN EndTask(r)
         ELSE IF IsMarked(e) THEN Stage(r, "remove")
         ELSE IF s = pg.low /\ Mutation # "merge_leftmost" THEN EndTask(r)
         ELSE IF Marks(pg) # {} /\ Mutation # "two_marks" THEN HelpMark(r, pg, MinOf(Marks(pg)))
         ELSE IF Mutation = "no_mark" THEN Stage(r, "remove")
         ELSE write(IF forced THEN "mark" ELSE "fit")
    [] Kind(r) = "left" ->      \* the parents first, if the page is leftmost below its own
         LET done == [r EXCEPT !.help = Tail(@)] IN
         IF s = pg.low THEN Help(done, <<"left", s, r.pid, pg.level + 1>>)
         ELSE IF PidOf(e) = Target(r) THEN Stage(r, "mark")
         ELSE IF Marks(pg) # {} THEN HelpMark(done, pg, MinOf(Marks(pg)))
         ELSE Stage(r, "post")
    [] Kind(r) = "drop" ->
         IF Size(v) = 0 THEN Dropped(r, pg)
         ELSE IF Merging(pg) THEN Replace(r, pg)
         ELSE At(r, IF Frozen(pg) \/ Mutation = "drop_unfrozen" THEN "drop" ELSE "freeze leaf")
    [] Kind(r) = "remove" ->
         IF Marks(pg) # {} /\ Mutation # "remove_with_mark" THEN HelpMark(r, pg, MinOf(Marks(pg)))
         ELSE write("remove")
    [] Kind(r) = "shrink" ->
         IF pg.right # None \/ Overfull(v, pg.level) THEN EndTask(r)
         ELSE IF Marks(pg) # {} THEN HelpMark(r, pg, MinOf(Marks(pg)))
         ELSE IF Frozen(pg) THEN Replace(r, pg)
         ELSE At(r, IF Mutation = "shrink_without_root_check" THEN "remove" ELSE "check root")
    [] Kind(r) = "merge" ->
         IF (pg.high = s /\ pg.right = Target(r)) \/ pg.high < s THEN
           IF Mutation = "union_without_merge" THEN At(r, "load removed")
           ELSE IF Marks(pg) # {} /\ ~Frozen(pg) /\ Mutation # "merge_into_marked"
             THEN HelpMark(r, pg, MinOf(Marks(pg)))
           ELSE write("merge")
         ELSE Stage(r, IF Mutation = "bury_before_delete" THEN "bury" ELSE "delete")
    [] Kind(r) = "delete" ->
         IF PidOf(e) = Target(r) /\ (IsMarked(e) \/ Mutation = "no_mark") THEN write("delete")
         ELSE Stage(r, "bury")

\* The root again, for one who collapses it: is its only child still the one?
PursueCollapse(r) ==
  LET pg == heap[r.obj] IN
  IF pg.level # Task(r)[4] \/ PidOf(Content(pg)[0]) # Target(r) THEN Stage(r, "bury")
  ELSE IF Frozen(pg) THEN Replace(r, pg)
  ELSE At(r, IF Mutation = "collapse_unfrozen" THEN "load removed" ELSE "freeze")

\* The load of the slot that ends the scan; then: judge, pass on to a child, answer, help, or write.
ScanSlot(t) ==
  /\ th[t].pc = "scan"
  /\ UNCHANGED <<map, heap, G, ann, abs>>
  /\ LET pg == heap[th[t].obj]
         r  == [th[t] EXCEPT !.n = Len(pg.log)]
         v  == Content(pg)
     IN
     /\ ~IsWitness(r, pg)
     /\ ~Believes(r, pg) \/ Key(r) < pg.high
          \/ (Mutation = "merge_without_right_check" /\ Kind(r) = "merge" /\ pg.level = Level(r))
     /\ IF /\ Kind(r) = "op" /\ r.left = <<>> /\ Believes(r, pg)
           /\ pg.level = 0 /\ ~Effective(v, r.op)
           /\ IsPop(r.op) => IsWholeMap(pg)
        THEN
          /\ Become(t, [Done(r) EXCEPT !.allowed = call[t].seen])
          /\ call' = Answered(call, t, Saw(v, r.op))
        ELSE IF NoPlaceForRun(r, pg) THEN
          /\ Become(t, [Done(r) EXCEPT !.allowed = {NoKeys}])
          /\ call' = Answered(call, t, NoKeys)
        ELSE
          /\ UNCHANGED call
          /\ Become(t,
               IF ~Believes(r, pg) THEN MeetRemoved(r)
               ELSE IF Kind(r) = "collapse" THEN PursueCollapse(r)
               ELSE IF pg.level > Level(r) THEN
                 IF AtOrBelow(v, Key(r)) = {} THEN At(r, "no route")
                 ELSE LET x == Entry(v, Key(r)) IN
                      [Goto(r, PidOf(v[x]), <<pg.level - 1, x>>)
                         EXCEPT !.crossed = FALSE]
               ELSE IF pg.level < Level(r) THEN    \* the root has shrunk below it: long finished
                 CASE Kind(r) = "op"     -> Restart(r)
                   [] IsUpkeep(r.op) /\ Kind(r) = r.op.kind -> Done(r)
                   [] Kind(r) = "merge"  -> Stage(r, "delete")
                   [] Kind(r) = "delete" -> Stage(r, "bury")
                   [] OTHER              -> EndTask(r)
               ELSE IF Kind(r) # "op" THEN Pursue(r)
               ELSE IF IsRun(r) THEN StartRun(r, pg)
               ELSE IF Frozen(pg) THEN Replace(r, pg)
               ELSE IF IsPop(r.op) /\ ~Effective(v, r.op) THEN FillEnd(r, pg)
               ELSE [At(r, "append") EXCEPT !.saw = Saw(v, r.op)])

LookLeft(t) ==
  /\ th[t].pc = "scan"
  /\ IsWitness(th[t], heap[th[t].obj])
  /\ Become(t, JudgeRemoved(th[t]))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>
=============================================================================
