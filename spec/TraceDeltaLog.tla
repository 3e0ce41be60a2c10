--------------------------- MODULE TraceDeltaLog ---------------------------
(* Is what the engine did to one page id a behaviour of DeltaLog?           *)
(*                                                                          *)
(* As TraceEpochReclamation, which says what is printed. The engine tells   *)
(* less than the spec does: it reads a log slot by slot, and tells where it *)
(* has come to the end; it builds a page, and tells when that is installed. *)
(* Hidden holds these steps, each only where the thread's next event cannot *)
(* be taken without it; since slots are written once, it does not matter    *)
(* that they are taken later than the engine took them.                     *)
(*                                                                          *)
(* Pages get numbers in the order in which they are installed: number[p] is *)
(* that of the page that the spec calls p.                                  *)
EXTENDS DeltaLog, TLC

CONSTANTS
  Traces,
  Follow,
  Ask

VARIABLES
  n,        \* the trace
  i,        \* its next event
  number

traceVars == <<vars, n, i, number>>

Events == Traces[n].events

\* The page that is mapped in state s, of which a trace tells the keys that are there and the first
\* slots of the log. (The Init of DeltaLog has no entry and no record.)
Begun(s) ==
  [base |-> [k \in Keys |-> IF k <= Len(s.base) THEN s.base[k] ELSE Absent],
   log |-> [j \in Slots |-> IF j <= Len(s.log) THEN s.log[j] ELSE Null]]

TraceInit ==
  /\ n \in 1..Len(Traces)
  /\ i = 1
  /\ LET s == Traces[n].start IN
     /\ mapping = CHOOSE p \in Pages : TRUE
     /\ heap = [p \in Pages |-> IF p = mapping THEN Begun(s) ELSE Unused]
     /\ number = [p \in Pages |-> IF p = mapping THEN s.number ELSE 0]
  /\ thread = [t \in Threads |-> Resting]
  /\ left = [t \in Threads |-> Rounds]
  /\ call = [t \in Threads |-> IdleCall]

\* Is this the state s? Nobody has a call in it.
Is(s) ==
  /\ heap[mapping] = Begun(s) /\ number[mapping] = s.number
  /\ \A t \in Threads : thread[t] = Resting /\ call[t] = IdleCall

\* How many slots the thread has read.
HasRead(t) == Len(thread[t].read)
Reading(t) == thread[t].at = "scan"
\* Nobody has called this thread: it works on its own.
Alone(t) == call[t].phase = "idle"

\* Steps that the engine does not tell, before the next event, which is thread t's.
Hidden(name, t, x) ==
  CASE name = "Look" -> HasRead(t) < x /\ ReadRecord(t)
    [] name = "InstallLost" -> Build(t)
    [] name = "Return" -> LeaveToOthers(t)
    \* Who consolidates unasked tells only what it changes.
    [] name \in {"Freeze", "Install"} ->
         \/ name = "Install" /\ Build(t)
         \/ /\ Alone(t)
            /\ \/ StartWork(t) \/ LoadMapping(t) \/ ReadRecord(t)
               \/ HasRead(t) > 0 /\ FindWork(t)
    [] OTHER -> FALSE

\* The step of an event.
StepOf(name, t, x, y) ==
  CASE name = "Invoke" -> MayCall(t) /\ x \in Menu[t] /\ Call(t, x) /\ UNCHANGED number
    [] name = "LoadMapping" -> LoadMapping(t) /\ number[mapping] = x /\ UNCHANGED number
    \* The slot behind those read is NULL; or the page is frozen: the call answers, or helps.
    [] name = "Look" ->
         /\ HasRead(t) = x
         /\ IF y = "room" THEN Reading(t) /\ (AnswerAtNull(t) \/ FindRoom(t))
            ELSE /\ thread[t].at = "frozen"
                 /\ AnswerAtFrozen(t) \/ (Effective(InHand(t), Op(t)) /\ UNCHANGED vars)
         /\ UNCHANGED number
    [] name = "Append" ->
         /\ thread[t].at = "append" /\ number[thread[t].page] = x /\ thread[t].next = y.slot
         /\ AppendRecord(t) /\ heap'[thread[t].page].log[y.slot] = y.record /\ UNCHANGED number
    [] name = "AppendLost" ->
         /\ thread[t].at = "append" /\ number[thread[t].page] = x /\ thread[t].next = y
         /\ AppendLost(t) /\ UNCHANGED number
    [] name = "Freeze" ->
         /\ thread[t].at = "append" /\ number[thread[t].page] = x /\ thread[t].next = y
         /\ Freeze(t) /\ UNCHANGED number
    [] name = "Install" ->
         /\ thread[t].at = "install" /\ number[thread[t].page] = x /\ Install(t)
         /\ number' = [number EXCEPT ![mapping'] = y]
    [] name = "InstallLost" ->
         /\ thread[t].at = "install" /\ number[thread[t].page] = x
         /\ InstallLost(t) /\ UNCHANGED number
    [] name = "Return" -> Return(t) /\ call[t].answer = x /\ UNCHANGED number

TraceNext ==
  /\ i <= Len(Events)
  /\ LET e == Events[i] IN
     \/ StepOf(e[1], e[2], e[3], e[4]) /\ i' = i + 1
     \/ Hidden(e[1], e[2], e[3]) /\ UNCHANGED <<i, number>>
  /\ UNCHANGED n

TraceSpec == TraceInit /\ [][TraceNext]_traceVars

\* A trace ends, too, where its state breaks an invariant.
Sound == UnfrozenIsCurrent /\ LogHasNoHole /\ ReadIsPrefix /\ HelpersAgree
Broken ==
  {name \in {"UnfrozenIsCurrent", "LogHasNoHole", "ReadIsPrefix", "HelpersAgree"} :
     ~CASE name = "UnfrozenIsCurrent" -> UnfrozenIsCurrent
        [] name = "LogHasNoHole"      -> LogHasNoHole
        [] name = "ReadIsPrefix"      -> ReadIsPrefix
        [] name = "HelpersAgree"      -> HelpersAgree}

CouldBe ==
  [Invoke         |-> {t \in Threads : ENABLED Invoke(t)},
   LoadMapping    |-> {t \in Threads : ENABLED LoadMapping(t)},
   ReadRecord     |-> {t \in Threads : ENABLED ReadRecord(t)},
   AnswerAtNull   |-> {t \in Threads : ENABLED AnswerAtNull(t)},
   FindRoom       |-> {t \in Threads : ENABLED FindRoom(t)},
   AppendRecord   |-> {t \in Threads : ENABLED AppendRecord(t)},
   AppendLost     |-> {t \in Threads : ENABLED AppendLost(t)},
   AnswerAtFrozen |-> {t \in Threads : ENABLED AnswerAtFrozen(t)},
   Build          |-> {t \in Threads : ENABLED Build(t)},
   Install        |-> {t \in Threads : ENABLED Install(t)},
   InstallLost    |-> {t \in Threads : ENABLED InstallLost(t)},
   Freeze         |-> {t \in Threads : ENABLED Freeze(t)},
   Return         |-> {t \in Threads : ENABLED Return(t)}]

State ==
  [mapped |-> heap[mapping], number |-> number[mapping], thread |-> thread, call |-> call]

\* The constraint of the run: looked at once in each state, and no step is taken where it is false.
Told ==
  LET sound == Sound IN
  /\ Follow => PrintT(<<"at", n, i>>)
  /\ Ask[n] = i => PrintT(<<"state", n, i, State, CouldBe>>)
  /\ ~sound => PrintT(<<"broken", n, i, Broken>>)
  /\ sound
  /\ (i > Len(Events) /\ \A s \in Traces[n].ends : Is(s)) => PrintT(<<"accepted", n>>)
=============================================================================
