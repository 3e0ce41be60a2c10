---------------------- MODULE TourStructureModification ----------------------
(* StructureModification as far as the engine can take its steps, as          *)
(* TourEpochReclamation is for its spec. Two things are left out:             *)
(*                                                                            *)
(*   - Who takes the last slot of a log replaces the page (unless it gets no  *)
(*     memory, which TourDeltaLog has).                                       *)
(*   - A writer that crosses a right link owes the post.                      *)
(*                                                                            *)
(* The engine cuts pages by rules of its own. Here a full leaf of three keys  *)
(* gets a fourth one amid them; such a page is cut in the middle by all.      *)
(* Epochs stand still (Reclaiming is FALSE): TourEpochReclamation has them.   *)
EXTENDS StructureTrees

FullLeaf == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 6 :> 2)
         @@ 1 :> Leaf(1, 0, 6, 2, {1, 2, 5})
         @@ 2 :> Leaf(2, 6, Inf, None, {6})
AboutToOverflow == {FullLeaf}

\* The same leaf as the root.
FullRoot == {0 :> Leaf(0, 0, Inf, None, {1, 2, 5})}

TourSpec == Spec

\* The step is one of thread t.
Moves(t) == th'[t] # th[t]

LeavesToOthers(t) ==
  /\ Moves(t) /\ th[t].pc = "append" /\ Kind(th[t]) = "op" /\ SlotIsFree(th[t])
  /\ th[t].n + 1 = LogCap(heap[th[t].obj].level)
  /\ th'[t].obj = None

Crosses(t) ==
  /\ Moves(t) /\ th[t].pc = "scan" /\ Key(th[t]) >= heap[th[t].obj].high
  /\ th'[t].pc = "load" /\ th'[t].pid = heap[th[t].obj].right

PostsNothing(t) ==
  /\ Crosses(t) /\ Kind(th[t]) = "op" /\ ~Reads(th[t])
  /\ \A duty \in Range(th'[t].duties) : duty[3] # heap[th[t].obj].right

\* Why the engine cannot take the step, and which action it is; the first is "": it can.
Why ==
  IF \E t \in Threads : LeavesToOthers(t)
  THEN <<"who takes the last slot replaces the page", "AppendSlot">>
  ELSE IF \E t \in Threads : PostsNothing(t)
  THEN <<"a writer that crosses a right link owes the post", "CrossRight">>
  ELSE <<"", "">>

\* As an action constraint: what the engine can do, and how much that leaves out.
Possible == Why[1] = "" \/ (PrintT(<<"left out", Why[2], Why[1]>>) /\ FALSE)

\* For behaviours at random, which a constraint would end.
PossibleSpec == Init /\ [][Next /\ Why[1] = ""]_vars

---------------------------------------------------------------------------
(* No step looks at the numbers of page objects, or at what only history     *)
(* variables know.                                                           *)

InHand(o) ==
  IF o = None THEN <<>>
  ELSE IF Current(o) THEN <<heap[o].pid>>
  ELSE <<[heap[o] EXCEPT !.state = "", !.tag = 0]>>

TourView ==
  <<[p \in Pids |-> IF Mapped(p) THEN <<Cur(p)>> ELSE <<map[p]>>],
    [t \in Threads |-> ann[t] # 0],
    [t \in Threads |->
       [th[t] EXCEPT !.obj = InHand(@), !.removed = InHand(@), !.epoch = 0, !.allowed = {},
                     !.left = [i \in 1..Len(@) |-> InHand(@[i])]]],
    [t \in Threads |-> call[t].answer]>>
=============================================================================
