----------------------- MODULE TraceEpochReclamation -----------------------
(* Is what the engine did a behaviour of EpochReclamation?                  *)
(*                                                                          *)
(* Traces is a sequence of recorded traces, each with the state in which it *)
(* begins. A step takes the next event of one of them, by the action of its *)
(* name, with the values that were recorded. An action whose guard does not *)
(* hold, or that leads to other values, takes no step, and the trace ends   *)
(* there: it is rejected. `bwcheck conform` writes the module that extends  *)
(* this one (model_check/conformance/), and reads what is printed:          *)
(*                                                                          *)
(*     <<"accepted", n>>                    trace n has been taken to its   *)
(*                                          end                             *)
(*     <<"stuck", n, i, state, enabled, broken>>  event i of it has no      *)
(*                                          step; what could be done        *)
(*                                          instead; invariants that the    *)
(*                                          state breaks                    *)
(*                                                                          *)
(* All traces are explored in one run of TLC. So it is not the violation of *)
(* an invariant that says "accepted": that would end the run.               *)
EXTENDS EpochReclamation, Sequences, TLC

CONSTANTS
  Traces,
  Explain   \* TRUE: print where a trace is stuck (takes twice the time)

VARIABLES
  n,        \* the trace
  i         \* its next event

traceVars == <<vars, n, i>>

Events == Traces[n].events

TraceInit ==
  /\ n \in 1..Len(Traces)
  /\ i = 1
  /\ LET s == Traces[n].start IN
     /\ G = s.G
     /\ seen = s.seen
     /\ announced = s.announced
     /\ held = [t \in Threads |-> {}]
     /\ entry = s.entry
     /\ status = [o \in Objects |-> IF o = s.entry THEN "linked" ELSE "unused"]
     /\ owner = [o \in Objects |-> Nobody]
     /\ tag = [o \in Objects |-> 0]
     /\ advance = s.advance
     /\ pub = s.pub

\* The step of an event: its name, the thread (of Free: the object), and two values.
StepOf(name, t, x, y) ==
  \/ name = "ReadEpoch"    /\ ReadEpoch(t) /\ G = x
  \/ name = "Announce"     /\ Announce(t) /\ announced'[t] = x
  \/ name = "Acquire"      /\ Acquire(t) /\ entry = x
  \/ name = "Unpin"        /\ Unpin(t)
  \/ name = "Unlink"       /\ Unlink(t) /\ entry' = x
  \/ name = "Retire"       /\ status[x] = "unlinked" /\ Retire(t) /\ status'[x] = "bagged"
  \/ name = "Tag"          /\ Tag(t) /\ \A o \in Bag(t) : tag'[o] = x
  \/ name = "Free"         /\ Free(t) /\ tag[t] = x /\ y <= G
  \/ name = "AdvanceStart" /\ AdvanceStart(t) /\ G = x
  \/ name = "Scan"         /\ Scan(t) /\ announced[x] = y
                           /\ advance'[t].scanned \ advance[t].scanned = {x}
  \/ name = "ScanBlocked"  /\ ScanBlocked(t) /\ x \notin advance[t].scanned
                           /\ ~LetsPass(x, t) /\ announced[x] = y
  \/ name = "Commit"       /\ Commit(t) /\ advance[t].epoch = x
  \/ name = "CommitLost"   /\ CommitLost(t) /\ G = x
  \* A thread's unpin may be seen late, by one that reads its announcement without a fence: up to
  \* the fence of its next pin. Who then gives up does no harm.
  \/ name = "ScanLate"     /\ advance[t].epoch # 0 /\ announced[x] = 0 /\ y # advance[t].epoch
                           /\ advance' = [advance EXCEPT ![t] = Idle]
                           /\ UNCHANGED <<G, seen, announced, held, entry, status, owner, tag, pub>>

TakeEvent == LET e == Events[i] IN StepOf(e[1], e[2], e[3], e[4])

\* A trace ends, too, where its state breaks an invariant.
Sound ==
  TypeOK /\ NothingHeldIsFreed /\ HeldOnlyWhilePinned /\ PinIsRecent /\ TagIsNotBeforePin
  /\ ScannedIsCurrent /\ AdvancerIsCurrent
Broken ==
  {name \in {"TypeOK", "NothingHeldIsFreed", "HeldOnlyWhilePinned", "PinIsRecent",
             "TagIsNotBeforePin", "ScannedIsCurrent", "AdvancerIsCurrent"} :
     ~CASE name = "TypeOK"              -> TypeOK
        [] name = "NothingHeldIsFreed"  -> NothingHeldIsFreed
        [] name = "HeldOnlyWhilePinned" -> HeldOnlyWhilePinned
        [] name = "PinIsRecent"         -> PinIsRecent
        [] name = "TagIsNotBeforePin"   -> TagIsNotBeforePin
        [] name = "ScannedIsCurrent"    -> ScannedIsCurrent
        [] name = "AdvancerIsCurrent"   -> AdvancerIsCurrent}

TraceNext ==
  /\ i <= Len(Events)
  /\ Sound
  /\ TakeEvent
  /\ i' = i + 1
  /\ UNCHANGED n

TraceSpec == TraceInit /\ [][TraceNext]_traceVars

\* The actions that could be taken now, and by whom.
CouldBe ==
  [ReadEpoch    |-> {t \in Threads : ENABLED ReadEpoch(t)},
   Announce     |-> {t \in Threads : ENABLED Announce(t)},
   Acquire      |-> {t \in Threads : ENABLED Acquire(t)},
   Unpin        |-> {t \in Threads : ENABLED Unpin(t)},
   Unlink       |-> {t \in Threads : ENABLED Unlink(t)},
   Retire       |-> {t \in Threads : ENABLED Retire(t)},
   Tag          |-> {t \in Threads : ENABLED Tag(t)},
   Free         |-> {o \in Objects : ENABLED Free(o)},
   AdvanceStart |-> {t \in Threads : ENABLED AdvanceStart(t)},
   Scan         |-> {t \in Threads : ENABLED Scan(t)},
   ScanBlocked  |-> {t \in Threads : ENABLED ScanBlocked(t)},
   Commit       |-> {t \in Threads : ENABLED Commit(t)},
   CommitLost   |-> {t \in Threads : ENABLED CommitLost(t)}]

State ==
  [G |-> G, seen |-> seen, announced |-> announced, held |-> held, entry |-> entry,
   status |-> status, owner |-> owner, tag |-> tag, advance |-> advance, pub |-> pub]

Told ==
  IF i > Len(Events) /\ Sound THEN PrintT(<<"accepted", n>>)
  ELSE IF Explain /\ ~ENABLED TraceNext THEN PrintT(<<"stuck", n, i, State, CouldBe, Broken>>)
  ELSE TRUE
=============================================================================
