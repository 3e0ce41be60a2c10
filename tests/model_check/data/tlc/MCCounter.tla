---- MODULE MCCounter ----
EXTENDS Counter, TLC
Symmetry == Permutations(Threads)
====
