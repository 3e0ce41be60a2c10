------------------------------ MODULE DeltaLog ------------------------------
(* One page id: its mapping entry, and the pages that the entry holds one   *)
(* after the other.                                                         *)
(*                                                                          *)
(* A page is an immutable base and a log of LogCap slots. A slot is NULL    *)
(* until a record is written to it by compare-and-swap, and never changes   *)
(* again. An update appends: it reads the slots in order until it finds one *)
(* NULL, decides from base and records what it saw and whether it has an    *)
(* effect, and swaps its record into that slot. A thread that loses the     *)
(* slot has the winner's record in hand (the swap gives it back), looks     *)
(* only at the slots from there on, and decides anew.                       *)
(*                                                                          *)
(* A page whose last slot is taken, or that holds a FREEZE record, is       *)
(* frozen. Whoever wants to change a frozen page helps: it builds the base  *)
(* of a fresh page from what it read, and swaps the fresh page into the     *)
(* mapping entry. Everybody computes the same base, since a frozen page     *)
(* does not change; the first swap wins, the others start again.            *)
(*                                                                          *)
(* Whoever wants everything in the page gone freezes it, too, and swaps an  *)
(* empty page in instead of what helpers build (Drop): the frozen log says  *)
(* what it is that goes, all at the moment of that swap.                    *)
(*                                                                          *)
(* Whoever puts many keys at once does it in the same way (InstallRun): it  *)
(* freezes the page, and swaps in what helpers would build with its own     *)
(* keys put on top. So one thread may build more than the others from the   *)
(* same frozen page; its swap is the linearization point of all its puts.   *)
(* If another swap was first, nothing was put, and the caller puts key by   *)
(* key.                                                                     *)
(*                                                                          *)
(* Two invariants carry the proof (design, section 2):                      *)
(*   I1  UnfrozenIsCurrent  a page that takes records is the mapped one     *)
(*   I2  WriteOnce          a slot changes once, from NULL to a record      *)
(*                                                                          *)
(* One step is one access to shared memory, together with the thread-local  *)
(* work after it. Steps are sequentially consistent; the weak memory model  *)
(* of C is the explorer's part. Pages that no thread and no mapping entry   *)
(* refer to are given back at once, as a garbage collector would: that the  *)
(* engine frees no earlier is EpochReclamation's part.                      *)
(*                                                                          *)
(* `call` is the history variable that OrderedMap asks for. The map is what *)
(* the mapped page holds (TheMap), so there is no other abstract state to   *)
(* keep, and TLC checks Abstract!Spec step by step.                         *)
EXTENDS MapOperations, Sequences, FiniteSets

CONSTANTS
  Menu,      \* Menu[t]: the operations that thread t may invoke
  Rounds,    \* how many calls each thread makes; 0: any number
  Workers,   \* threads that also consolidate unasked (bw_consolidate, the background worker)
  LogCap,    \* slots in a log
  Pages,     \* numbers that name pages; one more than there are threads is enough
  Mutation   \* "none", or the name of the guard that is broken on purpose

ASSUME Pages \subseteq Nat \ {0} /\ LogCap \in Nat \ {0} /\ Workers \subseteq Threads

NoPage == 0  \* what a thread has in hand that has no page

VARIABLES
  heap,      \* heap[p]: base and log of page p
  mapping,   \* the mapping entry: the page that it holds
  thread,    \* thread[t]: where thread t is, and what it has in hand
  left,      \* left[t]: calls that thread t still makes (0 throughout when Rounds = 0)
  call       \* history variable: the calls, as in OrderedMap

vars == <<heap, mapping, thread, left, call>>

---------------------------------------------------------------------------
(* Records, pages, and what they hold.                                      *)

Null   == [kind |-> "NULL", key |-> 0, val |-> Absent]
FREEZE == [kind |-> "FREEZE", key |-> 0, val |-> Absent]

\* The record of an operation that is decided on the map m.
RecordOf(m, op) ==
  LET delete(k) == [kind |-> "DELETE", key |-> k, val |-> Absent] IN
  CASE op.kind = "remove"   -> delete(op.key)
    [] op.kind \in PopKinds -> delete(Popped(m, op))
    [] OTHER                -> [kind |-> "PUT", key |-> op.key, val |-> op.val]

Slots   == 1 .. LogCap
NewPage(base) == [base |-> base, log |-> [i \in Slots |-> Null]]
Unused  == NewPage(EmptyMap)

\* What base ⊕ records holds under key k: the newest record of k counts, else the base.
Newest(base, records, k) ==
  LET mine == {i \in DOMAIN records : records[i].kind \in {"PUT", "DELETE"} /\ records[i].key = k}
  IN IF mine = {} THEN base[k]
     ELSE records[CHOOSE i \in mine : \A j \in mine : j <= i].val

View(base, records) == [k \in Keys |-> Newest(base, records, k)]

TheMap == View(heap[mapping].base, heap[mapping].log)

FrozenLog(log) == log[LogCap] # Null \/ \E i \in Slots : log[i] = FREEZE
InUse(p) == p = mapping \/ \E t \in Threads : thread[t].page = p
FreshPage == CHOOSE p \in Pages : ~InUse(p)

---------------------------------------------------------------------------
(* Threads. `at` is where the thread is:                                    *)
(*   rest     nothing to do but to return an answer, or to invoke           *)
(*   load     about to load the mapping entry                               *)
(*   scan     about to read slot `next`                                     *)
(*   append   found slot `next` NULL, about to swap its record in           *)
(*   frozen   has read all of a frozen page                                 *)
(*   install  has built `fresh`, about to swap the mapping entry            *)
(* `read` is the sequence of records read, in order. A thread at work       *)
(* without a call is a worker; one whose call is answered is helping.       *)

Resting == [at |-> "rest", page |-> NoPage, next |-> 1, read |-> <<>>, fresh |-> EmptyMap]
Loading == [Resting EXCEPT !.at = "load"]

Op(t)       == call[t].op
Pending(t)  == call[t].phase = "called"
Working(t)  == call[t].phase = "idle" /\ thread[t].at # "rest"
Page(t)     == heap[thread[t].page]
Slot(t)     == Page(t).log[thread[t].next]
InHand(t)   == View(Page(t).base, thread[t].read)
LastSlot(t) == thread[t].next = LogCap
Clears(t)   == Pending(t) /\ Op(t).kind = "clear"
PutsRun(t)  == Pending(t) /\ Op(t).kind = "put_run"
\* A call that takes effect by swapping the mapping entry.
Exchanges(t) == PutsRun(t) \/ (Clears(t) /\ Effective(InHand(t), Op(t)))

\* Thread records `s`, mapping entry `m` and heap `h` become current; pages without a
\* reference become unused.
Become(h, m, s) ==
  /\ thread' = s
  /\ mapping' = m
  /\ heap' = [p \in Pages |->
                IF p = m \/ \E u \in Threads : s[u].page = p THEN h[p] ELSE Unused]

\* Thread t moves on; nothing shared changes.
Move(t, record) == Become(heap, mapping, [thread EXCEPT ![t] = record])

\* Thread t has the answer a of its call; the page is no longer needed.
Answer(t, a) ==
  /\ Move(t, Resting)
  /\ call' = Answered(call, t, a)
  /\ UNCHANGED left

\* Does a broken thread t take FREEZE for a record like any other?
IgnoresFreeze(t) == Mutation = "append_after_freeze" /\ Pending(t)

\* Thread t after it has read the record r in slot `next`.
HavingRead(t, r) ==
  [thread[t] EXCEPT
     !.read = Append(@, r),
     !.next = IF LastSlot(t) THEN @ ELSE @ + 1,
     !.at   = IF LastSlot(t) \/ (r = FREEZE /\ ~IgnoresFreeze(t)) THEN "frozen" ELSE "scan"]

---------------------------------------------------------------------------

Init ==
  /\ mapping = CHOOSE p \in Pages : TRUE
  /\ heap = [p \in Pages |-> Unused]
  /\ thread = [t \in Threads |-> Resting]
  /\ left = [t \in Threads |-> Rounds]
  /\ call = [t \in Threads |-> IdleCall]

\* Thread t calls an operation.
MayCall(t) ==
  /\ thread[t].at = "rest" /\ call[t].phase = "idle"
  /\ Rounds = 0 \/ left[t] > 0
Call(t, op) ==
  /\ left' = [left EXCEPT ![t] = IF Rounds = 0 THEN 0 ELSE @ - 1]
  /\ Move(t, Loading)
  /\ call' = Invoked(call, t, TheMap, op)
Invoke(t) == MayCall(t) /\ \E op \in Menu[t] : Call(t, op)

\* A worker sets out to consolidate the page.
StartWork(t) ==
  /\ t \in Workers
  /\ thread[t].at = "rest" /\ call[t].phase = "idle"
  /\ Move(t, Loading)
  /\ UNCHANGED <<left, call>>

\* Load the mapping entry (acquire).
LoadMapping(t) ==
  /\ thread[t].at = "load"
  /\ Move(t, [Resting EXCEPT !.at = "scan", !.page = mapping])
  /\ UNCHANGED <<left, call>>

\* A slot at which a broken reader stops although there is a record in it.
StopsTooEarly(t) ==
  /\ Op(t).kind \in ReadKinds
  /\ \/ Mutation = "read_stops_before_last_slot" /\ LastSlot(t)
     \/ Mutation = "read_stops_at_first_match"
        /\ \E i \in DOMAIN thread[t].read : thread[t].read[i].key = Op(t).key

\* Read a slot that holds a record.
ReadRecord(t) ==
  /\ thread[t].at = "scan"
  /\ Slot(t) # Null /\ ~StopsTooEarly(t)
  /\ Move(t, HavingRead(t, Slot(t)))
  /\ UNCHANGED <<left, call>>

\* Read a NULL slot, with a call that changes nothing here: it answers. The page was
\* current at this moment (I1), so this is where the call is linearized.
AnswerAtNull(t) ==
  /\ thread[t].at = "scan" /\ Pending(t)
  /\ Slot(t) = Null \/ StopsTooEarly(t)
  /\ ~Effective(InHand(t), Op(t))
  /\ Answer(t, Saw(InHand(t), Op(t)))

\* Read a NULL slot, with a call that has an effect.
FindRoom(t) ==
  /\ thread[t].at = "scan" /\ Pending(t)
  /\ Slot(t) = Null
  /\ Effective(InHand(t), Op(t))
  /\ Move(t, [thread[t] EXCEPT !.at = "append"])
  /\ UNCHANGED <<left, call>>

\* Swap the record into the slot: the linearization point of every update. It answers
\* with what it saw in base and log before. If this was the last slot, the page is frozen
\* now, and the thread helps before it returns.
AppendRecord(t) ==
  LET record == RecordOf(InHand(t), Op(t))
      answer == IF Mutation = "answer_from_base" THEN Saw(Page(t).base, Op(t))
                                                 ELSE Saw(InHand(t), Op(t))
      h == [heap EXCEPT ![thread[t].page].log[thread[t].next] = record]
      then == IF LastSlot(t) THEN HavingRead(t, record) ELSE Resting
  IN
  /\ thread[t].at = "append" /\ Pending(t) /\ ~Clears(t) /\ ~PutsRun(t)
  /\ Slot(t) = Null \/ Mutation = "append_by_store"
  /\ Become(h, mapping, [thread EXCEPT ![t] = then])
  /\ call' = Witnessed(Answered(call, t, answer), TheMap')
  /\ UNCHANGED left

\* The slot is lost to another thread, whose record is now in hand. Its own record has
\* to be decided anew, from the slots from here on.
AppendLost(t) ==
  /\ thread[t].at = "append"
  /\ Slot(t) # Null /\ Mutation # "append_by_store"
  /\ IF Mutation = "append_without_looking" /\ ~LastSlot(t) /\ Slot(t) # FREEZE
     THEN Move(t, [thread[t] EXCEPT !.next = @ + 1])
     ELSE Move(t, HavingRead(t, Slot(t)))
  /\ UNCHANGED <<left, call>>

\* A call that changes nothing answers from a frozen page: it is linearized when it
\* loaded the mapping entry or when the page froze, whichever came last.
AnswerAtFrozen(t) ==
  /\ thread[t].at = "frozen" /\ Pending(t)
  /\ ~Effective(InHand(t), Op(t))
  /\ Answer(t, Saw(InHand(t), Op(t)))

\* Help with a frozen page: build the fresh page's base from base and log. Reads do not
\* help: they neither write nor allocate.
Build(t) ==
  LET records == IF Mutation = "build_without_last_slot"
                 THEN SubSeq(thread[t].read, 1, LogCap - 1)
                 ELSE thread[t].read
  IN
  /\ \/ thread[t].at = "frozen"
     \/ Mutation = "consolidate_unfrozen" /\ thread[t].at = "append" /\ Working(t)
  /\ Op(t).kind \notin ReadKinds /\ ~Exchanges(t)
  /\ Mutation # "wait_for_the_freezer" \/ ~Pending(t)
  /\ Move(t, [thread[t] EXCEPT !.at = "install", !.fresh = View(Page(t).base, records),
                               !.read = <<>>, !.next = 1])
  /\ UNCHANGED <<left, call>>

\* A thread with an answer cannot help (it has no memory, say): others will.
LeaveToOthers(t) ==
  /\ thread[t].at = "frozen" /\ call[t].phase = "answered"
  /\ Move(t, Resting)
  /\ UNCHANGED <<left, call>>

\* What a thread does that waits until another one has replaced the frozen page.
Wait(t) ==
  /\ Mutation = "wait_for_the_freezer"
  /\ thread[t].at = "frozen" /\ Pending(t)
  /\ Move(t, Loading)
  /\ UNCHANGED <<left, call>>

\* After the mapping entry has a fresh page, a pending call starts again; others are done.
Afterwards(t) == IF Pending(t) THEN Loading ELSE Resting

\* Swap the fresh page into the mapping entry; the old page is retired.
Install(t) ==
  /\ thread[t].at = "install"
  /\ mapping = thread[t].page \/ Mutation = "install_by_store"
  /\ Become([heap EXCEPT ![FreshPage] = NewPage(thread[t].fresh)], FreshPage,
            [thread EXCEPT ![t] = Afterwards(t)])
  /\ call' = Witnessed(call, TheMap')
  /\ UNCHANGED left

\* Swap an empty page into the mapping entry: all that the frozen page held is gone.
Drop(t) ==
  /\ \/ thread[t].at = "frozen"
     \/ Mutation = "drop_unfrozen" /\ thread[t].at = "append"
  /\ Clears(t) /\ Effective(InHand(t), Op(t))
  /\ mapping = thread[t].page
  /\ Become([heap EXCEPT ![FreshPage] = NewPage(EmptyMap)], FreshPage,
            [thread EXCEPT ![t] = Resting])
  /\ call' = Witnessed(Answered(call, t, Saw(InHand(t), Op(t))), TheMap')
  /\ UNCHANGED left

\* A helper was first, or another one who drops. Freezing again could hold up a writer for ever,
\* who would undo it again each time: so the clear leaves it at nothing.
DropLost(t) ==
  /\ thread[t].at = "frozen"
  /\ Clears(t) /\ Effective(InHand(t), Op(t))
  /\ mapping # thread[t].page
  /\ IF Mutation = "drop_again" THEN Move(t, Loading) /\ UNCHANGED <<left, call>>
     ELSE Answer(t, <<0>>)

\* Swap in what the frozen page holds with a run of puts on top: all of them take place here.
InstallRun(t) ==
  LET under == IF Mutation = "run_without_log" THEN Page(t).base ELSE InHand(t) IN
  /\ \/ thread[t].at = "frozen"
     \/ Mutation = "run_unfrozen" /\ thread[t].at = "append"
  /\ PutsRun(t)
  /\ mapping = thread[t].page \/ Mutation = "run_by_store"
  /\ Become([heap EXCEPT ![FreshPage] = NewPage(After(under, Op(t)))], FreshPage,
            [thread EXCEPT ![t] = Resting])
  /\ call' = Witnessed(Answered(call, t, Saw(InHand(t), Op(t))), TheMap')
  /\ UNCHANGED left

\* A helper was first, or another run, or one who drops: nothing was put. Freezing again could hold
\* up a writer for ever, and be held up by it; so the caller goes on key by key.
InstallRunLost(t) ==
  /\ thread[t].at = "frozen"
  /\ PutsRun(t)
  /\ mapping # thread[t].page /\ Mutation # "run_by_store"
  /\ IF Mutation = "run_again" THEN Move(t, Loading) /\ UNCHANGED <<left, call>>
     ELSE Answer(t, IF Mutation = "run_lost_but_told" THEN Saw(InHand(t), Op(t)) ELSE NoKeys)

\* Another helper was first.
InstallLost(t) ==
  /\ thread[t].at = "install"
  /\ mapping # thread[t].page /\ Mutation # "install_by_store"
  /\ Move(t, Afterwards(t))
  /\ UNCHANGED <<left, call>>

\* A worker at a NULL slot: it freezes the page if there is a record to consolidate, and
\* else leaves it. (A worker that froze empty logs could hold up writers for ever.)
FindWork(t) ==
  /\ thread[t].at = "scan" /\ Working(t)
  /\ Slot(t) = Null
  /\ IF thread[t].next > 1 \/ Mutation = "freeze_empty_log"
     THEN Move(t, [thread[t] EXCEPT !.at = "append"])
     ELSE Move(t, Resting)
  /\ UNCHANGED <<left, call>>

\* Swap a FREEZE record into the slot: a worker, or one who wants everything gone or puts a run.
Freeze(t) ==
  /\ thread[t].at = "append"
  /\ Working(t) \/ Clears(t) \/ PutsRun(t)
  /\ Slot(t) = Null
  /\ Become([heap EXCEPT ![thread[t].page].log[thread[t].next] = FREEZE], mapping,
            [thread EXCEPT ![t] = HavingRead(t, FREEZE)])
  /\ UNCHANGED <<left, call>>

\* The answer reaches the caller.
Return(t) ==
  /\ call[t].phase = "answered" /\ thread[t].at = "rest"
  /\ call' = Returned(call, t)
  /\ UNCHANGED <<heap, mapping, thread, left>>

\* Every program has come to its end.
Finished ==
  /\ Rounds > 0
  /\ \A t \in Threads : thread[t].at = "rest" /\ call[t].phase = "idle" /\ left[t] = 0
  /\ UNCHANGED vars

\* The steps of a call between invocation and return, and of a worker in common with it.
CallStep(t) ==
  \/ LoadMapping(t) \/ ReadRecord(t) \/ AnswerAtNull(t) \/ FindRoom(t) \/ AppendRecord(t)
  \/ AppendLost(t) \/ AnswerAtFrozen(t) \/ Build(t) \/ Install(t) \/ InstallLost(t)
  \/ LeaveToOthers(t) \/ Wait(t) \/ Drop(t) \/ DropLost(t)
  \/ InstallRun(t) \/ InstallRunLost(t)

Next ==
  \/ \E t \in Threads :
       \/ Invoke(t) \/ CallStep(t) \/ Return(t)
       \/ StartWork(t) \/ FindWork(t) \/ Freeze(t)
  \/ Finished

Spec == Init /\ [][Next]_vars

---------------------------------------------------------------------------
(* Safety.                                                                  *)

\* Every variable holds what it should.
TypeOK ==
  /\ mapping \in Pages
  /\ \A p \in Pages : heap[p].base \in Maps
  /\ \A t \in Threads :
       /\ thread[t].at \in {"rest", "load", "scan", "append", "frozen", "install"}
       /\ thread[t].at \in {"rest", "load"} <=> thread[t].page = NoPage
       /\ thread[t].next \in Slots
       /\ thread[t].fresh \in Maps

\* I1: a page that can still take a record is the one that is mapped, so an append that
\* succeeds has hit the current page.
UnfrozenIsCurrent ==
  \A p \in Pages : InUse(p) /\ ~FrozenLog(heap[p].log) => p = mapping

\* The log is filled from the front, and nothing follows a FREEZE record.
LogHasNoHole ==
  \A p \in Pages : \A i \in Slots \ {1} :
    heap[p].log[i] # Null => heap[p].log[i - 1] \notin {Null, FREEZE}

\* Each thread's copy of the records is what the log holds, from the front.
ReadIsPrefix ==
  \A t \in Threads :
    thread[t].page # NoPage =>
      \A i \in DOMAIN thread[t].read : thread[t].read[i] = Page(t).log[i]

\* Whatever a helper has built from a frozen page is what every other helper would build. (A run
\* builds more, in the step of its swap: InstallRun.)
HelpersAgree ==
  \A t \in Threads :
    thread[t].at = "install" => thread[t].fresh = View(Page(t).base, Page(t).log)

\* I2: a slot changes once, from NULL to a record, as long as its page is in use; and the
\* base of a page in use never changes.
WriteOnceStep ==
  \A p \in Pages :
    InUse(p) /\ InUse(p)' =>
      /\ heap'[p].base = heap[p].base
      /\ \A i \in Slots : heap[p].log[i] # Null => heap'[p].log[i] = heap[p].log[i]
WriteOnce == [][WriteOnceStep]_vars

\* Every step is a step of the atomic map, or none: the operations are linearizable.
Abstract == INSTANCE OrderedMap WITH map <- TheMap, Mutation <- "none"
Refinement == Abstract!Spec

---------------------------------------------------------------------------
(* Progress.                                                                *)

\* Lock-freedom: if threads take infinitely many steps in calls, infinitely many calls
\* return, however the steps are distributed. No fairness is assumed.
InCall(t) == call[t].phase # "idle"
SomeCallSteps == \E t \in Threads : InCall(t) /\ thread'[t] # thread[t]
SomeCallReturns == \E t \in Threads : InCall(t) /\ ~InCall(t)'
LockFree == []<><<SomeCallSteps>>_vars => []<><<SomeCallReturns>>_vars

\* The same for finite programs: if the system as a whole keeps moving, all calls return.
AllReturned == \A t \in Threads : left[t] = 0 /\ call[t].phase = "idle"
WholeSystemMoves == Spec /\ WF_vars(Next)
ProgramsEnd == <>[]AllReturned

\* Reads are wait-free: a thread that only reads gets its answers by its own steps alone,
\* whatever the others do or leave undone.
Readers == {t \in Threads : \A op \in Menu[t] : op.kind \in ReadKinds}
ReadersMove == Spec /\ \A t \in Readers : WF_vars(CallStep(t))
ReadsAnswer == \A t \in Readers : Pending(t) ~> ~Pending(t)
=============================================================================
