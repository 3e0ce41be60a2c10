--------------------------- MODULE MapOperations ---------------------------
(* What the operations of the ordered map mean, one at a time: which answer *)
(* an operation gives on a map, whether it changes the map, and to what.    *)
(*                                                                          *)
(* A map is a function from Keys to Vals and Absent (no such key). An       *)
(* operation is a record made by Get, Put, ... below. Every operation,      *)
(* mutators included, answers with what it *saw*; whether a mutator took    *)
(* place follows from that (an insert did exactly when it saw Absent).      *)
(*                                                                          *)
(* The second half is the bookkeeping of calls, one record a thread, that   *)
(* OrderedMap prescribes and that the specs which refine it keep beside     *)
(* their own state (see OrderedMap for the reason of `seen`).               *)
EXTENDS Integers

CONSTANTS
  Threads,
  Keys,     \* a set of integers: keys are ordered
  Vals,     \* let the configuration make these model values: TLC compares
  Absent    \* answers that are values, Absent, and pairs <<key, value>>

ASSUME Absent \notin Vals /\ Keys \subseteq Int

Maps == [Keys -> Vals \cup {Absent}]
EmptyMap == [k \in Keys |-> Absent]

---------------------------------------------------------------------------
(* Operations.                                                              *)

Operation(kind, k, expected, v) ==
  [kind |-> kind, key |-> k, expected |-> expected, val |-> v]

Get(k)       == Operation("get", k, Absent, Absent)
Ceiling(k)   == Operation("ceiling", k, Absent, Absent)  \* least entry at or above k
Put(k, v)    == Operation("put", k, Absent, v)           \* insert or replace
Insert(k, v) == Operation("insert", k, Absent, v)        \* if absent
Update(k, v) == Operation("update", k, Absent, v)        \* if present
Remove(k)    == Operation("remove", k, Absent, Absent)
CompareExchange(k, expected, v) == Operation("compare_exchange", k, expected, v)

NoOperation == Operation("none", 0, Absent, Absent)

ReadKinds == {"get", "ceiling"}

\* Does the operation change the map m? (A put of the value already there counts as a change.)
Effective(m, op) ==
  CASE op.kind = "put"              -> TRUE
    [] op.kind = "insert"           -> m[op.key] = Absent
    [] op.kind = "update"           -> m[op.key] # Absent
    [] op.kind = "remove"           -> m[op.key] # Absent
    [] op.kind = "compare_exchange" -> m[op.key] = op.expected
    [] OTHER                        -> FALSE

\* The map after an operation that is effective on m.
After(m, op) == [m EXCEPT ![op.key] = IF op.kind = "remove" THEN Absent ELSE op.val]

\* The answer of the operation when it meets the map m.
Saw(m, op) ==
  IF op.kind = "ceiling"
  THEN LET present == {k \in Keys : k >= op.key /\ m[k] # Absent}
       IN IF present = {} THEN Absent
          ELSE LET least == CHOOSE k \in present : \A j \in present : k <= j
               IN <<least, m[least]>>
  ELSE m[op.key]

---------------------------------------------------------------------------
(* Calls. phase is "idle", "called" or "answered".                          *)

IdleCall == [phase |-> "idle", op |-> NoOperation, seen |-> {}, answer |-> Absent]

\* The answers that op may give on the strength of a moment at which the map was m
\* without changing it: none if op would have had an effect then.
PassiveAnswers(m, op) == IF Effective(m, op) THEN {} ELSE {Saw(m, op)}

\* Thread t invokes op while the map is m.
Invoked(calls, t, m, op) ==
  [calls EXCEPT ![t] = [phase |-> "called", op |-> op,
                        seen |-> PassiveAnswers(m, op), answer |-> Absent]]

\* The call of thread t is decided: its answer is a.
Answered(calls, t, a) ==
  [calls EXCEPT ![t] = [phase |-> "answered", op |-> @.op, seen |-> {}, answer |-> a]]

\* The answer of thread t is back with the caller.
Returned(calls, t) == [calls EXCEPT ![t] = IdleCall]

\* The map is now m: every pending call may have been linearized here.
Witnessed(calls, m) ==
  [t \in Threads |->
     IF calls[t].phase = "called"
     THEN [calls[t] EXCEPT !.seen = @ \cup PassiveAnswers(m, calls[t].op)]
     ELSE calls[t]]
=============================================================================
