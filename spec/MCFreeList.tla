----------------------------- MODULE MCFreeList -----------------------------
(* FreeList.tla with threads and page ids that may change their roles.        *)
EXTENDS FreeList, Notice

Alike == Permutations(Threads) \cup Permutations(Pids)
-----------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"StartPop", "ReadLink", "Pop", "StartPush", "WriteLink", "Push", "Use", "Terminated"})

Notice ==
  /\ Noted("StartPop", \E t \in Threads : StartPop(t))
  /\ Noted("ReadLink", \E t \in Threads : ReadLink(t))
  /\ Noted("Pop", \E t \in Threads : Pop(t))
  /\ Noted("StartPush", \E t \in Threads : StartPush(t))
  /\ Noted("WriteLink", \E t \in Threads : WriteLink(t))
  /\ Noted("Push", \E t \in Threads : Push(t))
  /\ Noted("Use", \E t \in Threads : Use(t))
  /\ Noted("Terminated", Terminated)
=============================================================================
