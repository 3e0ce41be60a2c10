---- MODULE Counter ----
\* A counter that threads raise up to Max and then reset: small enough to know all its states.
\* It exists to test the runner: each way in which TLC can end is one configuration of it.
EXTENDS Naturals, Sequences
CONSTANTS Threads, Max, Mutation
VARIABLES n, log, who
vars == <<n, log, who>>

ASSUME MaxIsPositive == Max > 0

Init ==
    /\ n = (IF Mutation = "start_high" THEN Max + 1 ELSE 0)
    /\ log = <<>>
    /\ who = [t \in Threads |-> 0]

Up(t) ==
    /\ n < Max \/ Mutation = "over"
    /\ n <= Max
    /\ n' = n + 1
    /\ who' = [who EXCEPT ![t] = @ + 1]
    /\ log' = Append(log, t)

Reset ==
    /\ n = Max
    /\ Mutation # "no_reset"
    /\ n' = (IF Mutation = "add_text" THEN n + "a" ELSE 0)
    /\ log' = <<>>
    /\ who' = [t \in Threads |-> 0]

Never ==
    /\ n > Max + 1
    /\ UNCHANGED vars

Next ==
    \/ \E t \in Threads : Up(t)
    \/ Reset
    \/ Never

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ WF_vars(Next)
UpSpec == Init /\ [][\E t \in Threads : Up(t)]_vars
NoInit == Init /\ n > 0
NoInitSpec == NoInit /\ [][Next]_vars

\* The counter stays in its bounds.
Bounded == n <= Max
\* The counter rises by one, or falls to zero.
Steps == [][n' = n + 1 \/ n' = 0]_n
\* The counter never falls: false, as Reset shows.
NeverFalls == [][n' >= n]_n
\* The counter reaches its bound over and over.
ReachesMax == []<>(n = Max)
\* The counter stays at its bound: false, it is reset.
StaysAtMax == <>[](n = Max)
====
