------------------------- MODULE MCEpochReclamation -------------------------
(* Bounds for EpochReclamation: symmetry, and a view that makes unbounded   *)
(* epochs finite.                                                           *)
(*                                                                          *)
(* The protocol compares epochs with G, and with each other only when one   *)
(* of them is about to be swapped against G. So only how far an epoch lies  *)
(* behind G matters, and beyond Far all distances behave alike: such an     *)
(* announcement lets no advance pass that can still succeed, such an        *)
(* advance cannot succeed, such a tag is old enough. States with the same   *)
(* distances are one state: TLC sees every behaviour, of any length.        *)
EXTENDS EpochReclamation, TLC, Notice

Far == 3

Behind(epoch) == IF epoch = 0 THEN "none" ELSE IF G - epoch < Far THEN G - epoch ELSE Far

StateView ==
  <<[t \in Threads |-> <<Behind(seen[t]), Behind(announced[t]), Behind(pub[t]), held[t]>>],
    [o \in Objects |-> <<status[o], owner[o], Behind(tag[o])>>],
    [a \in Advancers |-> <<Behind(advance[a].epoch), advance[a].scanned>>]>>

\* Objects and advancers may be swapped; threads too, where all unlink.
Alike    == Permutations(Objects) \cup Permutations(Advancers)
ObjectsAlike == Permutations(Objects)
AllAlike == Alike \cup Permutations(Threads)
---------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"ReadEpoch", "Announce", "Acquire", "Unpin", "Unlink", "Retire", "Tag", "Free",
              "AdvanceStart", "Scan", "ScanBlocked", "Commit", "CommitLost"})

Notice ==
  /\ Noted("ReadEpoch", \E t \in Threads : ReadEpoch(t))
  /\ Noted("Announce", \E t \in Threads : Announce(t))
  /\ Noted("Acquire", \E t \in Threads : Acquire(t))
  /\ Noted("Unpin", \E t \in Threads : Unpin(t))
  /\ Noted("Unlink", \E t \in Threads : Unlink(t))
  /\ Noted("Retire", \E t \in Threads : Retire(t))
  /\ Noted("Tag", \E t \in Threads : Tag(t))
  /\ Noted("Free", \E o \in Objects : Free(o))
  /\ Noted("AdvanceStart", \E a \in Advancers : AdvanceStart(a))
  /\ Noted("Scan", \E a \in Advancers : Scan(a))
  /\ Noted("ScanBlocked", \E a \in Advancers : ScanBlocked(a))
  /\ Noted("Commit", \E a \in Advancers : Commit(a))
  /\ Noted("CommitLost", \E a \in Advancers : CommitLost(a))
=============================================================================
