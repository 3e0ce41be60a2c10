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
EXTENDS Integers, FiniteSets

CONSTANTS
  Threads,
  Keys,     \* a set of integers: keys are ordered
  Vals,     \* let the configuration make these model values: TLC compares
  Absent    \* answers that are values, Absent, pairs <<key, value>>, and <<how many>>

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
PopFirst     == Operation("pop_first", 0, Absent, Absent)  \* remove the least entry
PopLast      == Operation("pop_last", 0, Absent, Absent)   \* remove the greatest entry
Clear        == Operation("clear", 0, Absent, Absent)      \* remove all entries at once, or none
\* Put v under every key from first to last at once, or under some of the first of them, or under none.
PutRun(first, last, v) == Operation("put_run", first, last, v)

NoOperation == Operation("none", 0, Absent, Absent)

ReadKinds == {"get", "ceiling"}
PopKinds  == {"pop_first", "pop_last"}

RunKeys(op) == {k \in Keys : op.key <= k /\ k <= op.expected}
\* What a call of op may do of it at one stroke: of a run its first keys, of others the whole.
Portions(op) ==
  IF op.kind = "put_run" THEN {[op EXCEPT !.expected = k] : k \in RunKeys(op)} ELSE {op}

HeldBy(m) == {k \in Keys : m[k] # Absent}
Least(S)    == CHOOSE x \in S : \A y \in S : x <= y
Greatest(S) == CHOOSE x \in S : \A y \in S : y <= x
\* The key that a pop removes from a map that is not empty.
Popped(m, op) == IF op.kind = "pop_first" THEN Least(HeldBy(m)) ELSE Greatest(HeldBy(m))

\* Does the operation change the map m? (A put of the value already there counts as a change.)
Effective(m, op) ==
  CASE op.kind \in {"put", "put_run"} -> TRUE
    [] op.kind = "insert"           -> m[op.key] = Absent
    [] op.kind = "update"           -> m[op.key] # Absent
    [] op.kind = "remove"           -> m[op.key] # Absent
    [] op.kind = "compare_exchange" -> m[op.key] = op.expected
    [] op.kind \in PopKinds \cup {"clear"} -> HeldBy(m) # {}
    [] OTHER                        -> FALSE

\* The map after an operation that is effective on m.
After(m, op) ==
  CASE op.kind \in PopKinds -> [m EXCEPT ![Popped(m, op)] = Absent]
    [] op.kind = "clear"    -> [k \in DOMAIN m |-> IF k \in Keys THEN Absent ELSE m[k]]
    [] op.kind = "put_run"  -> [k \in DOMAIN m |-> IF k \in RunKeys(op) THEN op.val ELSE m[k]]
    [] op.kind = "remove"   -> [m EXCEPT ![op.key] = Absent]
    [] OTHER                -> [m EXCEPT ![op.key] = op.val]

\* The answer of the operation when it meets the map m.
Saw(m, op) ==
  CASE op.kind = "ceiling" ->
         LET present == {k \in HeldBy(m) : k >= op.key}
         IN IF present = {} THEN Absent ELSE <<Least(present), m[Least(present)]>>
    [] op.kind \in PopKinds ->
         IF HeldBy(m) = {} THEN <<Absent, Absent>> ELSE <<Popped(m, op), m[Popped(m, op)]>>
    [] op.kind = "clear" -> <<Cardinality(HeldBy(m))>>
    [] op.kind = "put_run" -> \* how many keys were put, and how many of them were absent
         <<Cardinality(RunKeys(op)), Cardinality(RunKeys(op) \ HeldBy(m))>>
    [] OTHER -> m[op.key]

---------------------------------------------------------------------------
(* Calls. phase is "idle", "called" or "answered".                          *)

IdleCall == [phase |-> "idle", op |-> NoOperation, seen |-> {}, answer |-> Absent]

\* The answers that op may give on the strength of a moment at which the map was m
\* without changing it: none if op would have had an effect then. (But a clear or a run may leave it
\* at nothing, when others change the map; its caller then goes on key by key.)
NoKeys == <<0, 0>>
PassiveAnswers(m, op) ==
  IF op.kind = "clear" THEN {<<0>>} ELSE IF op.kind = "put_run" THEN {NoKeys} ELSE IF Effective(m, op) THEN {} ELSE {Saw(m, op)}

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
