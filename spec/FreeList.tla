------------------------------ MODULE FreeList ------------------------------
(* The tree's list of free page ids: a stack that any thread pushes to and    *)
(* pops from.                                                                 *)
(*                                                                            *)
(* The link of a free pid stands in its own mapping entry.  A pid that is     *)
(* taken has a page there, or what is left of an old link, so a thread that   *)
(* is slow between two loads may read anything.  The head is one word: the    *)
(* first free pid, and beside it the number of pops.  A pop swaps the head    *)
(* from what it has read, so if it succeeds nothing was popped since; then    *)
(* the pid that it took was first all the time, and the link that it read is  *)
(* the one that the push of this pid has written.  Without the number the     *)
(* same pid may have been taken and come back in between (ABA), and the link  *)
(* leads to a pid that somebody has taken.                                    *)
(*                                                                            *)
(* The number is unbounded here; in the code it has 32 bits.                  *)
EXTENDS Integers, FiniteSets, Sequences

CONSTANTS
  Threads, Pids, None,
  Calls,      \* how many calls each thread makes
  Mutation    \* "none", or the guard that is broken

VARIABLES
  head,   \* <<the first free pid or None, the number of pops>>
  link,   \* what a pid's mapping entry says of the next; None: no link
  held,   \* the pids that a thread has taken
  th      \* what a thread does: pc, the head that it saw, the link, its pid, calls made

vars == <<head, link, held, th>>

Rest(n) == [pc |-> "rest", saw |-> <<None, 0>>, next |-> None, pid |-> None, calls |-> n]

\* All pids are free, in some order: they are alike, so which one makes no difference.
Order == CHOOSE f \in [1..Cardinality(Pids) -> Pids] :
           \A i, j \in 1..Cardinality(Pids) : i # j => f[i] # f[j]

Init ==
  /\ head = <<Order[1], 0>>
  /\ link = [p \in Pids |-> LET i == CHOOSE i \in DOMAIN Order : Order[i] = p IN
                            IF i < Cardinality(Pids) THEN Order[i + 1] ELSE None]
  /\ held = [t \in Threads |-> {}]
  /\ th = [t \in Threads |-> Rest(0)]

-----------------------------------------------------------------------------
(* Pop *)

\* Load the head; the list may be empty.
StartPop(t) ==
  /\ th[t].pc = "rest" /\ th[t].calls < Calls
  /\ th' = [th EXCEPT ![t] = IF head[1] = None THEN Rest(@.calls + 1)
                             ELSE [@ EXCEPT !.pc = "read link", !.saw = head]]
  /\ UNCHANGED <<head, link, held>>

ReadLink(t) ==
  /\ th[t].pc = "read link"
  /\ th' = [th EXCEPT ![t].pc = "pop", ![t].next = link[th[t].saw[1]]]
  /\ UNCHANGED <<head, link, held>>

Counted(n) == IF Mutation = "pops_are_not_counted" THEN n ELSE n + 1

Pop(t) ==
  LET r == th[t] IN
  /\ r.pc = "pop"
  /\ IF head = r.saw THEN
       /\ head' = <<r.next, Counted(r.saw[2])>>
       /\ held' = [held EXCEPT ![t] = @ \cup {r.saw[1]}]
       /\ th' = [th EXCEPT ![t] = Rest(r.calls + 1)]
     ELSE
       /\ th' = [th EXCEPT ![t] = IF head[1] = None THEN Rest(r.calls + 1)
                                  ELSE [r EXCEPT !.pc = "read link", !.saw = head]]
       /\ UNCHANGED <<head, held>>
  /\ UNCHANGED link

-----------------------------------------------------------------------------
(* Push *)

StartPush(t) ==
  /\ th[t].pc = "rest" /\ th[t].calls < Calls
  /\ \E p \in held[t] :
       th' = [th EXCEPT ![t].pc = "write link", ![t].saw = head, ![t].pid = p]
  /\ UNCHANGED <<head, link, held>>

WriteLink(t) ==
  /\ th[t].pc = "write link"
  /\ link' = [link EXCEPT ![th[t].pid] = th[t].saw[1]]
  /\ th' = [th EXCEPT ![t].pc = "push"]
  /\ UNCHANGED <<head, held>>

Push(t) ==
  LET r == th[t] IN
  /\ r.pc = "push"
  /\ IF head = r.saw \/ Mutation = "push_by_store" THEN
       /\ head' = <<r.pid, r.saw[2]>>
       /\ held' = [held EXCEPT ![t] = @ \ {r.pid}]
       /\ th' = [th EXCEPT ![t] = Rest(r.calls + 1)]
     ELSE
       /\ th' = [th EXCEPT ![t].pc = "write link", ![t].saw = head]
       /\ UNCHANGED <<head, held>>
  /\ UNCHANGED link

\* A pid that is taken gets a page: its entry is no link any more.
Use(t) ==
  /\ \E p \in held[t] \ {th[t].pid} : link[p] # None /\ link' = [link EXCEPT ![p] = None]
  /\ UNCHANGED <<head, held, th>>

-----------------------------------------------------------------------------
Finished == \A t \in Threads : th[t].pc = "rest" /\ th[t].calls = Calls
Terminated == Finished /\ UNCHANGED vars

Next ==
  \/ \E t \in Threads : StartPop(t) \/ ReadLink(t) \/ Pop(t) \/ StartPush(t) \/ WriteLink(t)
                        \/ Push(t) \/ Use(t)
  \/ Terminated

Spec == Init /\ [][Next]_vars
\* Nobody in particular is ever scheduled: only the system as a whole goes on.
FairSpec == Spec /\ WF_vars(Next)

-----------------------------------------------------------------------------
\* The list from the head, up to one pid more than there are (so that a circle shows).
RECURSIVE From(_, _)
From(p, n) == IF p = None \/ n = 0 THEN <<>> ELSE <<p>> \o From(link[p], n - 1)
List == From(head[1], Cardinality(Pids) + 1)

\* Every pid is in one place: once in the list, or taken by one thread.
EachIsOnce ==
  \A p \in Pids :
    Cardinality({i \in DOMAIN List : List[i] = p}) + Cardinality({t \in Threads : p \in held[t]}) = 1

\* Lock-freedom: finite programs end although no thread is treated fairly.
Termination == <>Finished
=============================================================================
