----------------------------- MODULE MCFreeList -----------------------------
(* FreeList.tla with threads and pids that may change their roles.            *)
EXTENDS FreeList, TLC

Alike == Permutations(Threads) \cup Permutations(Pids)
=============================================================================
