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
EXTENDS StructureDescent

-----------------------------------------------------------------------------
(* Append *)

\* The slot that ended the scan is still NULL.
SlotIsFree(r) ==
  \/ Len(heap[r.obj].log) = r.n
  \/ /\ ~Frozen(heap[r.obj])
     /\ \/ Mutation = "post_in_any_slot" /\ Kind(r) = "post"
        \/ Mutation = "pop_without_looking" /\ IsPop(r.op) /\ Kind(r) = "op"

\* Slot CAS from NULL.  A loser goes on scanning, and decides anew.
Cas(t, rec, won) ==
  LET r == th[t] IN
  IF SlotIsFree(r) THEN
    /\ heap' = [heap EXCEPT ![r.obj].log = Append(@, rec)]
    /\ Become(t, won)
  ELSE
    /\ Become(t, [r EXCEPT !.pc = "scan", !.saw = Absent])
    /\ UNCHANGED heap

\* The linearization point of every update; who wins the slot goes on as `won`.
TheUpdate(r) == IF IsPop(r.op) THEN <<"delete", r.saw[1], 0>>
             ELSE IF r.op.kind = "remove" THEN <<"delete", r.op.key, 0>>
             ELSE <<"put", r.op.key, r.op.val>>
Updated(r) == [r EXCEPT !.answered = TRUE, !.allowed = {Saw(abs, r.op)}]
AppendUpdate(t, won) ==
  LET r == th[t] IN
  /\ Cas(t, TheUpdate(r), won)
  /\ IF SlotIsFree(r) THEN
       /\ abs' = After(abs, r.op)
       /\ call' = Witnessed(Answered(call, t, r.saw), abs')
     ELSE UNCHANGED <<abs, call>>
  /\ UNCHANGED <<map, G, ann>>

\* Whoever takes the last slot replaces the page as well, or leaves that to others.
AppendSlot(t) ==
  LET r == th[t] IN
  /\ r.pc = "append" /\ Kind(r) = "op"
  /\ \/ AppendUpdate(t, Restart(Updated(r)))
     \/ LET npg == [heap[r.obj] EXCEPT !.log = Append(@, TheUpdate(r))] IN
        r.n + 1 = LogCap(npg.level) /\ AppendUpdate(t, Replace(Updated(r), npg))

\* The validation of a post, after the scan: is its target alive?  (Mapped, not REMOVE-frozen.)
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
  /\ Cas(t, <<"put", Sep(r), Target(r)>>, EndTask(r))
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

\* Before a leaf is exchanged for an empty one, or for one with a run of puts on top: what it holds
\* must not change any more.  (One who puts a run looks at the log again.)
FreezeLeaf(t) ==
  /\ th[t].pc = "freeze leaf"
  /\ Cas(t, <<"freeze", 0, 0>>, At(th[t], IF IsRun(th[t]) THEN "scan" ELSE "drop"))
  /\ UNCHANGED <<map, G, ann, abs, call>>

FreezeRoot(t) ==
  LET r == th[t] IN
  /\ r.pc = "freeze"
  /\ Cas(t, <<"freeze", 0, 0>>, Restart(r))
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
  \/ DeleteEntry(t) \/ FreezeRoot(t) \/ FreezeLeaf(t)
  \/ LoadRemoved(t) \/ PublishRight(t) \/ SwapEntry(t) \/ InstallUnion(t) \/ Collapse(t)
  \/ EmptyLeaf(t) \/ InstallRun(t)
  \/ Unpublish(t) \/ Retire(t) \/ Bury(t) \/ RetireBuried(t)

Next == (\E t \in Threads : Step(t)) \/ Advance \/ FreeEligible \/ Terminated

Spec == Init /\ [][Next]_vars
\* Nobody in particular is ever scheduled: only the system as a whole goes on.
FairSpec == Spec /\ WF_vars(Next)
=============================================================================
