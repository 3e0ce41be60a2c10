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
(*     <<"accepted", n>>            trace n has been taken to its end        *)
(*     <<"broken", n, i, names>>    before event i the state breaks these    *)
(*                                  invariants                              *)
(*     <<"at", n, i>>               if Follow: event i is the next          *)
(*     <<"state", n, i, state, enabled>>  if Ask[n] = i: the state then,    *)
(*                                  and what could be done                  *)
(*                                                                          *)
(* All traces are explored in one run of TLC. So it is not the violation of *)
(* an invariant that says "accepted": that would end the run.               *)
(*                                                                          *)
(* A long trace comes in pieces, which are explored side by side. `ends` of *)
(* a piece holds the state in which the next one begins; the piece is taken *)
(* to its end only if that is the state that it ends in.                    *)
EXTENDS EpochReclamation, Sequences, TLC

CONSTANTS
  Traces,
  Follow,   \* TRUE: print how far each trace comes
  Ask       \* for each trace the event before which its state is printed

VARIABLES
  n,        \* the trace
  i         \* its next event

traceVars == <<vars, n, i>>

Events == Traces[n].events

\* A function of all objects, of which a trace tells the first ones.
Filled(told, other) == [o \in Objects |-> IF o <= Len(told) THEN told[o] ELSE other]

TraceInit ==
  /\ n \in 1..Len(Traces)
  /\ i = 1
  /\ LET s == Traces[n].start IN
     /\ G = s.G
     /\ seen = s.seen
     /\ announced = s.announced
     /\ held = [t \in Threads |-> {}]
     /\ entry = s.entry
     /\ status = Filled(s.status, "unused")
     /\ owner = Filled(s.owner, Nobody)
     /\ tag = Filled(s.tag, 0)
     /\ advance = s.advance
     /\ pub = s.pub

\* Is this the state s? Nobody is pinned in it.
Is(s) ==
  /\ G = s.G /\ seen = s.seen /\ announced = s.announced /\ pub = s.pub /\ entry = s.entry
  /\ held = [t \in Threads |-> {}] /\ advance = s.advance
  /\ status = Filled(s.status, "unused") /\ owner = Filled(s.owner, Nobody)
  /\ tag = Filled(s.tag, 0)

\* The step of an event: its name, the thread (of Free: the object), and two values.
StepOf(name, t, x, y) ==
  CASE name = "ReadEpoch"    -> ReadEpoch(t) /\ G = x
    [] name = "Announce"     -> Announce(t) /\ announced'[t] = x
    [] name = "Acquire"      -> Acquire(t) /\ entry = x
    [] name = "Unpin"        -> Unpin(t)
    [] name = "Unlink"       -> Unlink(t) /\ entry' = x
    [] name = "Retire"       -> status[x] = "unlinked" /\ Retire(t) /\ status'[x] = "bagged"
    [] name = "Tag"          -> Tag(t) /\ \A o \in Bag(t) : tag'[o] = x
    [] name = "Free"         -> Free(t) /\ tag[t] = x /\ y <= G
    [] name = "AdvanceStart" -> AdvanceStart(t) /\ G = x
    [] name = "Scan"         -> Scan(t) /\ announced[x] = y
                                /\ advance'[t].scanned \ advance[t].scanned = {x}
    [] name = "ScanBlocked"  -> ScanBlocked(t) /\ x \notin advance[t].scanned
                                /\ (LetsPass(x, t) = FALSE) /\ announced[x] = y
    [] name = "Commit"       -> Commit(t) /\ advance[t].epoch = x
    [] name = "CommitLost"   -> CommitLost(t) /\ G = x
    \* A thread's unpin may be seen late, by one that reads its announcement without a fence: up to
    \* the fence of its next pin. Who then gives up does no harm.
    [] name = "ScanLate"     -> /\ advance[t].epoch # 0 /\ announced[x] = 0 /\ y # advance[t].epoch
                                /\ advance' = [advance EXCEPT ![t] = Idle]
                                /\ UNCHANGED <<G, seen, announced, held, entry, status, owner, tag,
                                               pub>>

TraceNext ==
  /\ i <= Len(Events)
  /\ LET e == Events[i] IN StepOf(e[1], e[2], e[3], e[4])
  /\ i' = i + 1
  /\ UNCHANGED n

TraceSpec == TraceInit /\ [][TraceNext]_traceVars

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

\* The constraint of the run: looked at once in each state, and no step is taken where it is false.
Told ==
  LET sound == Sound IN
  /\ Follow => PrintT(<<"at", n, i>>)
  /\ Ask[n] = i => PrintT(<<"state", n, i, State, CouldBe>>)
  /\ ~sound => PrintT(<<"broken", n, i, Broken>>)
  /\ sound
  /\ (i > Len(Events) /\ \A s \in Traces[n].ends : Is(s)) => PrintT(<<"accepted", n>>)
=============================================================================
