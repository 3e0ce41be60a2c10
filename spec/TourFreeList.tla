---------------------------- MODULE TourFreeList ----------------------------
(* FreeList as far as the engine can take its steps, as TourEpochReclamation *)
(* is for its spec. One step is left out: a thread gives a page to a page id *)
(* that it has taken while it pops or pushes another; in the engine either   *)
(* is one function.                                                          *)
(*                                                                           *)
(* Threads make any number of calls (Calls is large), so pops are counted    *)
(* without end. States are one that differ only in how many there were: all  *)
(* that matters of the number that a thread has read is whether it is still  *)
(* that of the head. Nor does it matter what a thread keeps of a call that   *)
(* has ended, or of a link that it will read anew.                           *)
EXTENDS MCFreeList

TourSpec == Init /\ [][Next]_vars

\* Why the engine cannot take the step; "": it can.
Why ==
  IF \E t \in Threads : th[t].pc # "rest" /\ th'[t] = th[t] /\ \E p \in held[t] : link'[p] # link[p]
  THEN "in the middle of a pop or a push"
  ELSE ""

\* As an action constraint: what the engine can do, and how much that leaves out.
Possible == Why = "" \/ (PrintT(<<"left out", "Use", Why>>) /\ FALSE)

\* For behaviours at random, which a constraint would end.
PossibleSpec == Init /\ [][Next /\ Why = ""]_vars

ThreadView(r) ==
  IF r.pc = "rest" THEN <<"rest">>
  ELSE <<r.pc, r.saw[1], r.saw[2] = head[2], r.pid, IF r.pc = "pop" THEN r.next ELSE None>>

TourView == <<head[1], link, held, [t \in Threads |-> ThreadView(th[t])]>>
=============================================================================
