---------------------------- MODULE TourDeltaLog ----------------------------
(* DeltaLog as far as the engine can take its steps, as                     *)
(* TourEpochReclamation is for its spec. One step is left out: a call that  *)
(* meets a frozen page and would change nothing may help in the spec; in    *)
(* the engine it answers at once.                                           *)
(*                                                                          *)
(* States that differ only in the numbers of pages, or in what the history  *)
(* variable `call` has seen, are one: no step looks at either.              *)
EXTENDS MCDeltaLog

TourSpec == Spec

HelpsForNothing(t) ==
  /\ thread[t].at = "frozen" /\ thread'[t].at = "install"
  /\ Pending(t) /\ ~Effective(InHand(t), Op(t))

\* Why the engine cannot take the step; "": it can.
Why ==
  IF \E t \in Threads : HelpsForNothing(t) THEN "a call that changes nothing answers at once" ELSE ""

\* As an action constraint: what the engine can do, and how much that leaves out.
Possible == Why = "" \/ (PrintT(<<"left out", "Build", Why>>) /\ FALSE)

\* For behaviours at random, which a constraint would end. (The comparison makes TLC write functions
\* out that it has not looked at yet.)
PossibleSpec == Init /\ vars = vars /\ [][Next /\ Why = "" /\ vars' = vars']_vars

TourView ==
  <<heap[mapping],
    [t \in Threads |-> <<PageOf(t), thread[t].at, thread[t].next, thread[t].read>>],
    [t \in Threads |-> <<call[t].phase, call[t].op, call[t].answer>>]>>
=============================================================================
