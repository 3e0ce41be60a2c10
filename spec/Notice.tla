------------------------------- MODULE Notice -------------------------------
(* Which actions were taken, said by the run itself: an ACTION_CONSTRAINT    *)
(* that is always true and prints the name of an action at its first step.   *)
(* (TLC's -coverage says it too, but counts every expression, which makes a  *)
(* run take two to three times as long.)                                    *)
(*                                                                          *)
(*     ASSUME Watch({"Up", "Down"})                                         *)
(*     Notice == /\ Noted("Up", \E t \in Threads : Up(t))                   *)
(*               /\ Noted("Down", Down)                                     *)
(*                                                                          *)
(* Once taken, an action is not looked for again (by the same worker).       *)
EXTENDS TLC

Watch(names) == (\A name \in names : PrintT(<<"watched", name>>)) /\ TLCSet(1, names)

Noted(name, step) ==
  IF name \notin TLCGet(1) THEN TRUE
  ELSE IF step THEN PrintT(<<"taken", name>>) /\ TLCSet(1, TLCGet(1) \ {name})
  ELSE TRUE
=============================================================================
