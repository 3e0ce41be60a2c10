---------------------------- MODULE MCOrderedMap ----------------------------
(* Bounds for OrderedMap, and the check that its `seen` formulation means   *)
(* linearizability: the wrapper records the history of every behaviour up   *)
(* to MaxCalls calls, and HistoryIsLinearizable looks for an order of the   *)
(* calls, straight from the definition.                                     *)
EXTENDS OrderedMap, Sequences, FiniteSets, TLC, Notice

CONSTANTS
  Menu,      \* the operations that may be invoked
  MaxCalls   \* how many calls there may be in all; 0: any number, no history

VARIABLES
  initial,   \* the map at the beginning
  history    \* sequence of <<"call" or "return", thread, operation or answer>>

mcVars == <<map, call, initial, history>>

NoHistory == MaxCalls = 0
\* The calls made, each named by the index of its invocation in the history.
Invocations == {i \in DOMAIN history : history[i][1] = "call"}
CallsMade == Cardinality(Invocations)
Record(event) == history' = IF NoHistory THEN history ELSE Append(history, event)

MCInit == Init /\ initial = map /\ history = <<>>

MCInvoke ==
  \E t \in Threads :
    /\ NoHistory \/ CallsMade < MaxCalls
    /\ Invoke(t, Menu)
    /\ Record(<<"call", t, call'[t].op>>)
    /\ UNCHANGED initial

MCEffect  == \E t \in Threads : Effect(t) /\ UNCHANGED <<history, initial>>
MCObserve == \E t \in Threads : Observe(t) /\ UNCHANGED <<history, initial>>
MCReturn ==
  \E t \in Threads :
    Return(t) /\ Record(<<"return", t, call[t].answer>>) /\ UNCHANGED initial

MCNext == MCInvoke \/ MCEffect \/ MCObserve \/ MCReturn

MCSpec == MCInit /\ [][MCNext]_mcVars

Permutation == Permutations(Threads) \cup Permutations(Vals)

AllOperations == Operations
OneKeyMenu == {Get(k) : k \in Keys} \cup {Insert(k, v) : k \in Keys, v \in Vals}
              \cup {Remove(k) : k \in Keys}
TwoKeyMenu == {Ceiling(1), Remove(2)} \cup {Put(1, v) : v \in Vals} \cup {Insert(2, v) : v \in Vals}

---------------------------------------------------------------------------
(* Linearizability, from its definition.                                    *)

\* The index of the return of call i, or one past the end while it is pending.
ReturnOf(i) ==
  LET returns == {j \in DOMAIN history :
                    j > i /\ history[j][1] = "return" /\ history[j][2] = history[i][2]}
  IN IF returns = {} THEN Len(history) + 1
     ELSE CHOOSE j \in returns : \A l \in returns : j <= l

Pending(i) == ReturnOf(i) = Len(history) + 1

\* Is there an order of the calls in `rest`, respecting real time, in which each
\* completed call answers what it saw, starting from the map m? Pending calls may be left
\* out. (A function, since coverage in TLC 2.15 cannot follow recursive operators here.)
hasOrder[rest \in SUBSET Invocations, m \in Maps] ==
  \/ \A i \in rest : Pending(i)
  \/ \E i \in rest :
       /\ \A j \in rest : ReturnOf(j) > i
       /\ LET op == history[i][3] IN
          /\ Pending(i) \/ history[ReturnOf(i)][3] = Saw(m, op)
          /\ hasOrder[rest \ {i}, IF Effective(m, op) THEN After(m, op) ELSE m]

\* Every history of the spec is linearizable.
HistoryIsLinearizable == hasOrder[Invocations, initial]
---------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"MCInvoke", "MCEffect", "MCObserve", "MCReturn"})

Notice ==
  /\ Noted("MCInvoke", MCInvoke)
  /\ Noted("MCEffect", MCEffect)
  /\ Noted("MCObserve", MCObserve)
  /\ Noted("MCReturn", MCReturn)
=============================================================================
