---- MODULE MCEndless ----
\* Counts for ever, in states of about 100 MB each if Size is 4000000.
EXTENDS Naturals
CONSTANT Size
VARIABLES n, ballast
Init == n = 0 /\ ballast = [i \in 1..Size |-> i]
Count == n' = n + 1 /\ ballast' = [i \in 1..Size |-> i + n]
Spec == Init /\ [][Count]_<<n, ballast>>
Natural == n >= 0
====
