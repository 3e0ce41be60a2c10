------------------------ MODULE TourEpochReclamation ------------------------
(* EpochReclamation as far as the engine's functions can take its steps.    *)
(*                                                                          *)
(* bwcheck conform drives the engine along every transition of this module: *)
(* it leaves out, with a reason, the steps for which the engine has no      *)
(* counterpart since it does one thing after another where the spec leaves  *)
(* the order open. Nothing is added: TourNext is Next, beside two history   *)
(* variables that know in which order the engine keeps what it will free.   *)
(*                                                                          *)
(*   - A thread in the middle of a pin or of an advance does nothing else.  *)
(*   - An advance scans the registrations in the order of their list.       *)
(*   - Each thread frees what it has sealed itself: the oldest bag first,   *)
(*     and of one bag what was retired last.                                *)
(*   - A thread retires what it has unlinked before it unlinks again.       *)
(*                                                                          *)
(* Here advancers are threads, as in the engine.                            *)
EXTENDS MCEpochReclamation, Sequences, FiniteSets

CONSTANT List  \* the threads in the order in which an advance scans them

ASSUME Advancers \subseteq Threads

VARIABLES
  bag,   \* bag[t]: the objects of t's open bag, the one that was retired last first
  queue  \* queue[t]: the objects that t has sealed, in the order in which it will free them

tourVars == <<vars, bag, queue>>

TourInit ==
  /\ Init
  /\ bag = [t \in Threads |-> <<>>]
  /\ queue = [t \in Threads |-> <<>>]

Seals(t)   == bag[t] # <<>> /\ status'[Head(bag[t])] = "sealed"
Retires(t) == {o \in Objects : status[o] = "unlinked" /\ owner[o] = t /\ status'[o] = "bagged"}

BagAfter(t) ==
  IF Seals(t) THEN <<>>
  ELSE IF Retires(t) = {} THEN bag[t]
  ELSE <<CHOOSE o \in Retires(t) : TRUE>> \o bag[t]

QueueAfter(t) ==
  LET left == SelectSeq(queue[t], LAMBDA o : status'[o] = "sealed")
  IN IF Seals(t) THEN left \o bag[t] ELSE left

TourNext ==
  /\ Next
  /\ bag' = [t \in Threads |-> BagAfter(t)]
  /\ queue' = [t \in Threads |-> QueueAfter(t)]

TourSpec == TourInit /\ [][TourNext]_tourVars

---------------------------------------------------------------------------
(* What a step is, told by what it changes.                                 *)

In(sequence) == {sequence[i] : i \in DOMAIN sequence}
Scans(a)     == advance[a].scanned
Freed        == {o \in Objects : status[o] = "sealed" /\ status'[o] = "unused"}

\* The action and its thread; of a Free, the thread in whose limbo the object is.
Step ==
  IF \E t \in Threads : seen[t] # seen'[t] THEN
    LET t == CHOOSE t \in Threads : seen[t] # seen'[t]
    IN <<IF seen[t] = 0 THEN "ReadEpoch" ELSE "Announce", t>>
  ELSE IF \E t \in Threads : announced[t] # announced'[t] THEN
    <<"Unpin", CHOOSE t \in Threads : announced[t] # announced'[t]>>
  ELSE IF \E t \in Threads : held[t] # held'[t] THEN
    <<"Acquire", CHOOSE t \in Threads : held[t] # held'[t]>>
  ELSE IF entry # entry' THEN <<"Unlink", owner'[entry]>>
  ELSE IF \E t \in Threads : Retires(t) # {} THEN
    <<"Retire", CHOOSE t \in Threads : Retires(t) # {}>>
  ELSE IF \E t \in Threads : Seals(t) THEN <<"Tag", CHOOSE t \in Threads : Seals(t)>>
  ELSE IF Freed # {} THEN
    <<"Free", CHOOSE t \in Threads : Freed \subseteq In(queue[t])>>
  ELSE
    LET a == CHOOSE a \in Advancers : advance[a] # advance'[a]
    IN <<IF advance[a].epoch = 0 THEN "AdvanceStart"
         ELSE IF advance'[a].epoch # 0 THEN "Scan"
         ELSE IF G # G' THEN "Commit"
         ELSE IF AllScanned(a) THEN "CommitLost" ELSE "ScanBlocked", a>>

InTheMiddle(t) == seen[t] # 0 \/ (t \in Advancers /\ advance[t].epoch # 0)
NextInList(a)  == List[Cardinality(Scans(a)) + 1]
OthersBlock(a) == \E t \in Threads \ (Scans(a) \cup {NextInList(a)}) : ~LetsPass(t, a)

\* Why the engine cannot take the step; "": it can.
Why ==
  LET action == Step[1]
      t == Step[2]
  IN IF InTheMiddle(t)
        /\ action \notin {"Announce", "Scan", "ScanBlocked", "Commit", "CommitLost"}
     THEN "in the middle of a pin or an advance"
     ELSE IF action = "Scan" /\ NextInList(t) \notin advance'[t].scanned
     THEN "not the next registration of the list"
     ELSE IF action = "ScanBlocked" /\ LetsPass(NextInList(t), t) /\ OthersBlock(t)
     THEN "not the next registration of the list"
     ELSE IF action = "Free" /\ Head(queue[t]) \notin Freed
     THEN "not the first in the thread's limbo"
     ELSE IF action = "Unlink" /\ \E o \in Objects : status[o] = "unlinked" /\ owner[o] = t
     THEN "with an object in hand that is not yet retired"
     ELSE ""

\* As an action constraint: what the engine can do, and how much that leaves out.
Possible == Why = "" \/ (PrintT(<<"left out", Step[1], Why>>) /\ FALSE)

\* For behaviours at random, which a constraint would end.
PossibleSpec == TourInit /\ [][TourNext /\ Why = ""]_tourVars

---------------------------------------------------------------------------
(* How far an epoch lies behind G is all that matters, as in                *)
(* MCEpochReclamation, and two is far: a tag is then old enough, and an     *)
(* announcement is that of no advance, since an advancer is pinned, so G    *)
(* has moved once at most since it began. No step looks at pub.             *)

Distance(epoch) == IF epoch = 0 THEN "none" ELSE IF G - epoch < 2 THEN G - epoch ELSE 2

TourView ==
  <<[t \in Threads |-> <<Distance(seen[t]), Distance(announced[t]), held[t], bag[t], queue[t]>>],
    [o \in Objects |-> <<status[o], owner[o], Distance(tag[o])>>],
    [a \in Advancers |-> <<Distance(advance[a].epoch), advance[a].scanned>>]>>
=============================================================================
