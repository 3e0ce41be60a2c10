------------------------ MODULE StructureModification ------------------------
(* Merges beside splits, posts, consolidations, and page ids that come back.  *)
(*                                                                            *)
(* A page R (pid r, low key sep) that has become too small is merged into its *)
(* left sibling L.  Each step is one CAS, can be done by anybody who finds it *)
(* half done, and is validated at the slot or entry that it takes:            *)
(*   MARK   in the parent's log: sep -> r is being merged.  Valid if the      *)
(*          entry is there, is not the leftmost, and no other entry of this   *)
(*          page is marked.  A page is never cut at a marked entry.           *)
(*   REMOVE in R's log: R is frozen for good.  R must hold no mark.           *)
(*   MERGE  in L's log, where L.right = r: L is frozen, and L must hold no    *)
(*          mark.                                                             *)
(*   union  map[l]: from L to L and R together, in as many pages as needed.   *)
(*   DELETE in the parent's log, if the marked entry is still there.          *)
(*   bury   map[r]: from R to a tombstone; the winner retires R, and the pid  *)
(*          goes back when R's grace period has passed.                       *)
(* R is merged once the page left of sep ends after sep, or at sep with a     *)
(* right sibling other than r: nothing else proves it.  Then, and only then,  *)
(* the absence of the marked entry proves that it was deleted.                *)
(*                                                                            *)
(* The root shrinks when its only child c is alone on its level: REMOVE in    *)
(* c's log, FREEZE in the root's, map[0] from the root to a page with c's     *)
(* contents, then c is buried.                                                *)
(*                                                                            *)
(* What a REMOVE-frozen page says may be out of date.  A writer finishes the  *)
(* merge and starts again.  A reader neither writes nor allocates: it goes to *)
(* the page left of R and learns there whether R is still the truth (for c,   *)
(* at the root); should it meet another such page on the way, about that one  *)
(* first.                                                                     *)
(*                                                                            *)
(* Vocabulary, steps, reductions and histories are those of BwTree.tla.  Two  *)
(* more reductions: a scan is one step, the load of the slot that ends it     *)
(* (the slots before never change; BwTree reads them one by one), and all the *)
(* pages that one replacement needs are published in one step (nobody has     *)
(* heard of them; BwTree publishes them one by one).                          *)
EXTENDS StructureState

-----------------------------------------------------------------------------
(* Pin, unpin *)

\* The call begins: choose the operation, load the global epoch.
Pin(t) ==
  LET r == th[t] IN
  /\ r.pc = "idle" /\ r.i <= Len(Program[t])
  /\ \E op \in Program[t][r.i] :
       /\ Become(t, [r EXCEPT !.pc = "announce", !.op = op, !.epoch = G])
       /\ call' = IF IsTend(op) THEN call ELSE Invoked(call, t, abs, op)
  /\ UNCHANGED <<map, heap, G, ann, abs>>

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

\* No memory for a record or a page, or too many attempts: any duty but the tombstone may be given up.
GiveUp(t) ==
  /\ MayFail
  /\ th[t].pc \in {"append", "alive", "mark", "remove", "merge", "delete", "freeze",
                   "publish", "swap", "install", "collapse"}
  /\ th[t].pub = <<>>
  /\ Become(t, Fail(th[t]))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

-----------------------------------------------------------------------------
(* Descend *)

\* Load of a mapping entry.  A tombstone sends the thread back to the root.
LoadEntry(t) ==
  LET r == th[t]  m == map[r.pid] IN
  /\ r.pc = "load"
  /\ Become(t, IF m \in Objects THEN [r EXCEPT !.pc = "scan", !.obj = m, !.want = <<>>]
               ELSE IF Kind(r) \in {"remove", "shrink"} THEN EndTask(r)
               ELSE Restart(r))
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

\* What goes into the page or pages that replace r.obj.
IsUnion(r) == r.removed # None /\ r.pid # 0
Result(r) ==
  LET L == heap[r.obj]  v == Content(L) IN
  IF r.removed = None THEN v
  ELSE IF IsUnion(r) THEN [s \in Seps |-> IF s < L.high THEN v[s] ELSE Content(heap[r.removed])[s]]
  ELSE Content(heap[r.removed])

\* Where to cut what replaces pg, and the next step.
Prepare(r, pg, v, next) ==
  LET cuts == Cuts(v, pg.level, pg.low) IN
  IF cuts = {} THEN At(r, "dead end")
  ELSE [r EXCEPT !.pc = IF Overfull(v, pg.level) THEN "publish" ELSE next, !.cut = LeavesMostLeft(v, cuts)]

\* The first step of replacing page r.obj, which is frozen and now is pg.
Replace(r, pg) ==
  IF Merging(pg) \/ OnlyChild(pg) THEN At(r, "load removed")
  ELSE Prepare(r, pg, Content(pg), "swap")

\* A reader asks the left neighbour of a REMOVE-frozen page, which it looks for from the root.  If
\* it meets another such page on the way, higher up, it asks about that first: nobody may ever go
\* on with these merges.  If the left neighbour is REMOVE-frozen itself, others have made progress.
\* The root's only child has no left neighbour: the root itself will tell.
TurnLeft(r) ==
  IF r.left # <<>> /\ (heap[r.obj].level = Level(r) \/ Mutation = "restart_at_every_removed") THEN Restart(r)
  ELSE [Goto(r, 0, <<>>) EXCEPT !.left = <<r.obj>> \o @]

\* At a REMOVE-frozen page that is not to be believed.
MeetRemoved(r) ==
  LET pg == heap[r.obj] IN
  CASE Kind(r) = "remove" -> Stage(r, "merge")
    [] Kind(r) = "shrink" -> Stage(r, "collapse")
    [] Reads(r)           -> TurnLeft(r)
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

\* At a page of the level that a duty wants, whose fences hold its key.
Pursue(r) ==
  LET pg == heap[r.obj]  v == Content(pg)  s == Sep(r)  e == v[s]
      write(pc) == IF Frozen(pg) THEN Replace(r, pg) ELSE At(r, pc)
  IN
  CASE Kind(r) = "tend" ->
         LET x == Entry(v, s)  with(duty) == [r EXCEPT !.answered = TRUE, !.duties = <<duty>> \o @] IN
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
         ELSE write("fit")
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
         ELSE Stage(r, "delete")
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
     /\ IF Kind(r) = "op" /\ r.left = <<>> /\ Believes(r, pg) /\ pg.level = 0 /\ ~Effective(v, r.op) THEN
          /\ Become(t, [Done(r) EXCEPT !.allowed = call[t].seen])
          /\ call' = Answered(call, t, Saw(v, r.op))
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
                   [] Kind(r) = "tend"   -> Done(r)
                   [] Kind(r) = "merge"  -> Stage(r, "delete")
                   [] Kind(r) = "delete" -> Stage(r, "bury")
                   [] OTHER              -> EndTask(r)
               ELSE IF Kind(r) # "op" THEN Pursue(r)
               ELSE IF Frozen(pg) THEN Replace(r, pg)
               ELSE [At(r, "append") EXCEPT !.saw = Saw(v, r.op)])

LookLeft(t) ==
  /\ th[t].pc = "scan"
  /\ IsWitness(th[t], heap[th[t].obj])
  /\ Become(t, JudgeRemoved(th[t]))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

-----------------------------------------------------------------------------
(* Append *)

\* Slot CAS from NULL.  A loser goes on scanning, and decides anew.
Cas(t, rec, won) ==
  LET r == th[t] IN
  IF Len(heap[r.obj].log) = r.n THEN
    /\ heap' = [heap EXCEPT ![r.obj].log = Append(@, rec)]
    /\ Become(t, won)
  ELSE
    /\ Become(t, [r EXCEPT !.pc = "scan", !.saw = Absent])
    /\ UNCHANGED heap

\* The linearization point of every update.  Whoever takes the last slot replaces the page as
\* well, or leaves that to others.
AppendSlot(t) ==
  LET r == th[t]
      rec == IF r.op.kind = "remove" THEN <<"delete", r.op.key, 0>> ELSE <<"put", r.op.key, r.op.val>>
      done == [r EXCEPT !.answered = TRUE, !.allowed = {Saw(abs, r.op)}]
  IN
  /\ r.pc = "append" /\ Kind(r) = "op"
  /\ \/ Cas(t, rec, Restart(done))
     \/ LET npg == [heap[r.obj] EXCEPT !.log = Append(@, rec)] IN
        r.n + 1 = LogCap(npg.level) /\ Cas(t, rec, Replace(done, npg))
  /\ IF Len(heap[r.obj].log) = r.n THEN
       /\ abs' = After(abs, r.op)
       /\ call' = Witnessed(Answered(call, t, r.saw), abs')
     ELSE UNCHANGED <<abs, call>>
  /\ UNCHANGED <<map, G, ann>>

\* The validation of a post, after the scan: is its target alive?  (Mapped, and not REMOVE-frozen.)
CheckAlive(t) ==
  LET r == th[t]  m == map[Target(r)] IN
  /\ r.pc = "alive"
  /\ Become(t, IF m \notin Objects \/ Removed(heap[m]) THEN EndTask(r)
               ELSE IF r.obj = None THEN Goto(r, 0, <<>>)  \* the mutant that asks too early
               ELSE At(r, "append"))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

PostSeparator(t) ==
  LET r == th[t] IN
  /\ r.pc = "append" /\ Kind(r) = "post"
  /\ IF Mutation = "post_in_any_slot" /\ ~Frozen(heap[r.obj]) THEN
       /\ heap' = [heap EXCEPT ![r.obj].log = Append(@, <<"put", Sep(r), Target(r)>>)]
       /\ Become(t, EndTask(r))
     ELSE Cas(t, <<"put", Sep(r), Target(r)>>, EndTask(r))
  /\ UNCHANGED <<map, G, ann, abs, call>>

\* Is the merge worth while?  Loads page and left neighbour; a heuristic, so one step.  A split
\* leaves at least half a page and a merge at most Fit, so that neither calls for the other.
CheckFit(t) ==
  LET r == th[t]  pg == heap[r.obj]  v == Content(pg)
      left == AtOrBelow(v, Sep(r) - 1)
      m == map[Target(r)]  l == IF left = {} THEN None ELSE map[PidOf(v[MaxOf(left)])]
      size(o) == Size(Content(heap[o]))
  IN
  /\ r.pc = "fit"
  /\ Become(t, IF \/ AtWill \/ Mutation = "no_hysteresis"
                  \/ /\ m \in Objects /\ size(m) < Min(pg.level - 1)
                     /\ size(m) <= Spent(pg.level - 1)
                          \/ (l \in Objects /\ size(m) + size(l) <= Fit(pg.level - 1))
               THEN At(r, "mark") ELSE EndTask(r))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

MarkEntry(t) ==
  LET r == th[t] IN
  /\ r.pc = "mark"
  /\ Cas(t, <<"mark", Sep(r), Target(r)>>, Stage(r, "remove"))
  /\ UNCHANGED <<map, G, ann, abs, call>>

\* The validation of REMOVE in the root's only child, after the scan of the child: the root has no
\* other entry.  The child has no right sibling, so no separator can be posted while it is unfrozen.
CheckRoot(t) ==
  LET r == th[t]  Z == Cur(0) IN
  /\ r.pc = "check root"
  /\ Become(t, IF OnlyChild(Z) /\ Z.level = Task(r)[4] /\ PidOf(Content(Z)[0]) = Target(r)
               THEN At(r, "remove") ELSE EndTask(r))
  /\ UNCHANGED <<map, heap, G, ann, abs, call>>

RemovePage(t) ==
  LET r == th[t] IN
  /\ r.pc = "remove"
  /\ Cas(t, <<"remove", 0, 0>>, Stage(r, IF Kind(r) = "shrink" THEN "collapse" ELSE "merge"))
  /\ UNCHANGED <<map, G, ann, abs, call>>

MergePage(t) ==
  LET r == th[t] IN
  /\ r.pc = "merge"
  /\ Cas(t, <<"merge", Sep(r), Target(r)>>, At(r, "load removed"))
  /\ UNCHANGED <<map, G, ann, abs, call>>

\* A parent that has become too small asks to be merged in its turn, or the root to shrink.
DeleteEntry(t) ==
  LET r == th[t]  pg == heap[r.obj]
      rest == [Content(pg) EXCEPT ![Sep(r)] = None]
      more == IF pg.pid = 0 /\ Size(rest) = 1
                THEN <<<<"shrink", 0, PidOf(rest[0]), pg.level>>>>
              ELSE IF Size(rest) < Min(pg.level) /\ pg.low # 0 /\ pg.pid # 0
                THEN <<<<"mark", pg.low, pg.pid, pg.level + 1>>>>
              ELSE <<>>
      next == Stage(r, "bury")
  IN
  /\ r.pc = "delete"
  /\ Cas(t, <<"delete", Sep(r), Target(r)>>, [next EXCEPT !.duties = @ \o more])
  /\ UNCHANGED <<map, G, ann, abs, call>>

FreezeRoot(t) ==
  LET r == th[t] IN
  /\ r.pc = "freeze"
  /\ Cas(t, <<"freeze", 0, 0>>, Restart(r))
  /\ UNCHANGED <<map, G, ann, abs, call>>

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
PieceAt(r, i) == IF r.pid = 0 /\ Pieces(r) > 1 THEN r.pub[i] ELSE IF i = 1 THEN r.pid ELSE r.pub[i - 1]
Piece(r, i) ==
  LET pg == heap[r.obj]  end == IF IsUnion(r) THEN heap[r.removed] ELSE pg
      last == i = Pieces(r)
      here == Between(Result(r), LowOf(r, i), r.cut)
  IN Page(PieceAt(r, i), pg.level, LowOf(r, i),
          IF last THEN end.high ELSE LowOf(r, i + 1), IF last THEN end.right ELSE PieceAt(r, i + 1),
          [s \in Seps |-> IF s \in here THEN Result(r)[s] ELSE None])

\* New pages get pids of their own before anybody can hear of them; if there are not enough
\* pids, the call fails: nothing waits inside a pin.
PublishRight(t) ==
  LET r == th[t]  next == IF r.removed = None THEN "swap" ELSE "install" IN
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
Swap(t, fresh) ==
  LET r == th[t]  o == NewObj IN
  /\ IF map[r.pid] = r.obj THEN
       /\ map' = [map EXCEPT ![r.pid] = o]
       /\ heap' = [heap EXCEPT ![o] = fresh]
       /\ Become(t, At(r, "retire"))
     ELSE
       /\ Become(t, IF r.pub # <<>> THEN At(r, "unpublish") ELSE Restart(r))
       /\ UNCHANGED <<map, heap>>
  /\ UNCHANGED <<G, ann, abs, call>>

NewRoot(r) ==
  Page(0, heap[r.obj].level + 1, 0, Inf, None,
       [s \in Seps |-> IF \E i \in 1..Pieces(r) : LowOf(r, i) = s
                       THEN r.pub[CHOOSE i \in 1..Pieces(r) : LowOf(r, i) = s] ELSE None])

SwapEntry(t) ==
  /\ th[t].pc = "swap"
  /\ Swap(t, IF th[t].pid = 0 /\ th[t].pub # <<>> THEN NewRoot(th[t]) ELSE Piece(th[t], 1))

InstallUnion(t) == th[t].pc = "install" /\ Swap(t, Piece(th[t], 1))

\* The root becomes what its only child was.
Collapse(t) ==
  LET C == heap[th[t].removed] IN
  th[t].pc = "collapse" /\ Swap(t, Page(0, C.level, 0, Inf, None, Content(C)))

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
                    LAMBDA duty : duty[1] = "mark" /\ \A other \in Range(r.help \o r.duties) : other[3] # duty[3])
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
  /\ r.pc = "retire"
  /\ heap' = [heap EXCEPT ![r.obj].state = "retired", ![r.obj].tag = G]
  /\ Become(t, IF collapsed THEN [bury EXCEPT !.duties = @ \o Owed(r)]
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

-----------------------------------------------------------------------------
(* Epochs *)

Grace == IF Mutation = "free_one_epoch_early" THEN 1 ELSE 2
Limbo == {o \in Objects : heap[o].state = "retired"}

Advance ==
  /\ Reclaiming
  /\ \A t \in Threads : ann[t] \in {0, G}
  /\ \E o \in Limbo : G < heap[o].tag + Grace
  /\ G' = G + 1
  /\ UNCHANGED <<map, heap, ann, th, abs, call>>

\* Pages are given back, and with a buried page its pid.
FreeEligible ==
  LET E == {o \in Limbo : G >= heap[o].tag + Grace} IN
  /\ E # {}
  /\ heap' = [o \in Objects |-> IF o \in E THEN Freed ELSE heap[o]]
  /\ map' = [p \in Pids |-> IF \E o \in E : heap[o].buried /\ heap[o].pid = p THEN None ELSE map[p]]
  /\ UNCHANGED <<G, ann, th, abs, call>>

-----------------------------------------------------------------------------
Finished == \A t \in Threads : th[t].pc = "idle" /\ th[t].i > Len(Program[t])
Terminated == Finished /\ UNCHANGED vars

Step(t) ==
  \/ Pin(t) \/ Announce(t) \/ Unpin(t) \/ GiveUp(t)
  \/ LoadEntry(t) \/ CrossRight(t) \/ ScanSlot(t) \/ LookLeft(t)
  \/ AppendSlot(t) \/ CheckAlive(t) \/ PostSeparator(t)
  \/ CheckFit(t) \/ MarkEntry(t) \/ CheckRoot(t) \/ RemovePage(t) \/ MergePage(t)
  \/ DeleteEntry(t) \/ FreezeRoot(t)
  \/ LoadRemoved(t) \/ PublishRight(t) \/ SwapEntry(t) \/ InstallUnion(t) \/ Collapse(t)
  \/ Unpublish(t) \/ Retire(t) \/ Bury(t) \/ RetireBuried(t)

Next == (\E t \in Threads : Step(t)) \/ Advance \/ FreeEligible \/ Terminated

Spec == Init /\ [][Next]_vars
\* Nobody in particular is ever scheduled: only the system as a whole goes on.
FairSpec == Spec /\ WF_vars(Next)
=============================================================================
