----------------------------- MODULE OrderedMap -----------------------------
(* The atomic ordered map: the thing that everything here refines.          *)
(*                                                                          *)
(* Threads invoke operations; each takes place at one instant between its   *)
(* invocation and its return; it answers with what it saw at that instant.  *)
(*                                                                          *)
(* An operation that changes the map does so in one step, Effect, and that  *)
(* step fixes its answer. An operation that changes nothing (a get, but     *)
(* also an insert that finds its key present) needs no step of its own: we  *)
(* keep for each pending call the set `seen` of the answers that it could   *)
(* have given at some moment since it was invoked, and Observe lets it      *)
(* choose any of them, at any later time.                                   *)
(*                                                                          *)
(* Why so: in the engine the linearization point of a read can lie in the   *)
(* past and is not known when it passes. A reader of a frozen page is       *)
(* linearized when it loaded the mapping entry, or when the page froze,     *)
(* whichever came last; only later does it learn that the page was frozen.  *)
(* With one linearization step per read, a refinement mapping would need a  *)
(* prophecy variable; with `seen`, a history variable is enough.            *)
(*                                                                          *)
(* Why sound: operations that change nothing do not influence each other,   *)
(* so each may be placed at its own moment. `seen` holds exactly the        *)
(* answers of the moments between invocation and now at which the operation *)
(* would have changed nothing; hence an answer out of `seen` is the answer  *)
(* at some instant inside the call, with the effective operations placed at *)
(* their Effect steps: a linearization. MCOrderedMap_history checks this    *)
(* against the definition, by searching an order for every history.         *)
(*                                                                          *)
(* To show that a spec refines this one: keep a variable `call` with the    *)
(* operators of MapOperations (Invoked, Answered, Returned, Witnessed), say *)
(* what the map is as an expression over the spec's state, and check        *)
(*     Abstract == INSTANCE OrderedMap WITH map <- ..., Mutation <- "none"  *)
(*     PROPERTY Abstract!Spec                                               *)
(* with TLC. The answers put into `call` must be those that the threads of  *)
(* the concrete spec computed from what they read.                          *)
EXTENDS MapOperations

CONSTANT Mutation  \* "none", or the name of the guard that is broken on purpose

VARIABLES
  map,   \* the map
  call   \* call[t]: the call that thread t has under way

vars == <<map, call>>

Init ==
  /\ map \in Maps
  /\ call = [t \in Threads |-> IdleCall]

Operations ==
  (UNION {{Get(k), Ceiling(k), Remove(k)} : k \in Keys})
  \cup {Put(k, v) : k \in Keys, v \in Vals}
  \cup {Insert(k, v) : k \in Keys, v \in Vals}
  \cup {Update(k, v) : k \in Keys, v \in Vals}
  \cup {CompareExchange(k, e, v) : k \in Keys, e \in Vals, v \in Vals}
  \cup {PopFirst, PopLast, Clear}
  \cup {PutRun(k, l, v) : k \in Keys, l \in Keys, v \in Vals}

\* Thread t calls one of the operations in ops.
Invoke(t, ops) ==
  /\ call[t].phase = "idle"
  /\ UNCHANGED map
  /\ \E op \in ops : call' = Invoked(call, t, map, op)

\* The call of thread t takes place and changes the map; it answers with what was there.
Effect(t) == \E op \in Portions(call[t].op) :
  /\ call[t].phase = "called"
  /\ Effective(map, op) \/ (Mutation = "insert_overwrites" /\ op.kind = "insert")
  /\ map' = After(map, op)
  /\ call' = Witnessed(Answered(call, t, Saw(map, op)), map')

\* The call of thread t took place, at some moment since its invocation, and changed nothing.
Observe(t) ==
  /\ call[t].phase = "called"
  /\ \E a \in call[t].seen \cup (IF Mutation = "read_answers_at_will" THEN Vals ELSE {}) :
       call' = Answered(call, t, a)
  /\ UNCHANGED map

\* The answer of thread t reaches its caller.
Return(t) ==
  /\ call[t].phase = "answered"
  /\ call' = Returned(call, t)
  /\ UNCHANGED map

Next ==
  \E t \in Threads :
    \/ Invoke(t, Operations)
    \/ Effect(t)
    \/ Observe(t)
    \/ Return(t)

Spec == Init /\ [][Next]_vars

---------------------------------------------------------------------------

Answers == Vals \cup {Absent} \cup (Keys \X Vals) \cup {<<Absent, Absent>>}
           \cup {<<n>> : n \in 0..Cardinality(Keys)}
           \cup {<<n, fresh>> : n, fresh \in 0..Cardinality(Keys)}

\* Every variable holds what it should.
TypeOK ==
  /\ map \in Maps
  /\ \A t \in Threads :
       /\ call[t].phase \in {"idle", "called", "answered"}
       /\ call[t].phase = "idle" <=> call[t] = IdleCall
       /\ call[t].phase # "idle" => call[t].op \in Operations
       /\ call[t].seen \subseteq Answers
       /\ call[t].answer \in Answers

\* A pending call can take place right now, in one way or the other: no call is ever stuck.
NoCallIsStuck ==
  \A t \in Threads :
    call[t].phase = "called" =>
      Effective(map, call[t].op) \/ Saw(map, call[t].op) \in call[t].seen
=============================================================================
