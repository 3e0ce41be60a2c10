----------------------------- MODULE MCDeltaLog -----------------------------
(* Bounds for DeltaLog: menus of operations, symmetry, and a view that      *)
(* forgets the numbers of pages.                                            *)
EXTENDS DeltaLog, TLC, Notice

CONSTANT OnlyReads  \* threads that only read, in menus that say so

\* States that differ only in the numbers of their pages are the same state: a page is
\* known by being the mapped one, or by the first thread that has it in hand.
PageOf(t) ==
  LET p == thread[t].page IN
  IF p = NoPage THEN <<>>
  ELSE IF p = mapping THEN <<"mapped">>
  ELSE LET first == CHOOSE u \in Threads : thread[u].page = p
       IN IF first = t THEN <<heap[p].base, heap[p].log>> ELSE <<first>>

StateView ==
  <<heap[mapping],
    [t \in Threads |->
       <<PageOf(t), thread[t].at, thread[t].next, thread[t].read, thread[t].fresh>>],
    left, call>>

\* Values may be swapped; threads too, where all have the same menu and duties.
ValuesAlike  == Permutations(Vals)
ThreadsAlike == Permutations(Threads)
AllAlike     == Permutations(Threads) \cup Permutations(Vals)

OnEveryKey(Kind(_)) == UNION {Kind(k) : k \in Keys}
GetAny(k)      == {Get(k)}
CeilingAny(k)  == {Ceiling(k)}
PutAny(k)      == {Put(k, v) : v \in Vals}
InsertAny(k)   == {Insert(k, v) : v \in Vals}
UpdateAny(k)   == {Update(k, v) : v \in Vals}
RemoveAny(k)   == {Remove(k)}
ExchangeAny(k) == {CompareExchange(k, e, v) : e \in Vals, v \in Vals}

Gets      == OnEveryKey(GetAny)
Puts      == OnEveryKey(PutAny)
Decisions == OnEveryKey(InsertAny) \cup OnEveryKey(RemoveAny)
Reads     == Gets \cup OnEveryKey(CeilingAny)
Writes    == Puts \cup Decisions \cup OnEveryKey(UpdateAny) \cup OnEveryKey(ExchangeAny)
Ends      == {PopFirst, PopLast, Clear}

Runs      == {op \in {PutRun(k, l, v) : k \in Keys, l \in Keys, v \in Vals} : op.key <= op.expected}

\* Everything that names a key.
MenuAll == [t \in Threads |-> Reads \cup Writes]
\* Get, insert, remove: decisions that a lost slot can overturn.
MenuDecide == [t \in Threads |-> Gets \cup Decisions]
\* Some threads only read, the others only put and remove.
MenuReader ==
  [t \in Threads |-> IF t \in OnlyReads THEN Reads ELSE Puts \cup OnEveryKey(RemoveAny)]
\* What removes entries without naming them, beside puts.
MenuEnds == [t \in Threads |-> Ends \cup Puts]
\* One of those beside puts.
MenuClear == [t \in Threads |-> {Clear} \cup Puts]
\* Runs of puts beside one reader, puts and removes of single keys, and clears.
MenuRuns ==
  [t \in Threads |-> IF t \in OnlyReads THEN Reads
                     ELSE Runs \cup Puts \cup OnEveryKey(RemoveAny) \cup {Clear}]
MenuRunsPuts == [t \in Threads |-> IF t \in OnlyReads THEN Gets ELSE Runs \cup Puts]
\* A run of all keys, a put and a remove.
MenuRunPair == [t \in Threads |-> {PutRun(1, 2, v) : v \in Vals} \cup PutAny(1) \cup RemoveAny(2)]
\* As MenuReader, with puts only.
MenuPut == [t \in Threads |-> IF t \in OnlyReads THEN Gets ELSE Puts]
---------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"Invoke", "LoadMapping", "ReadRecord", "AnswerAtNull", "FindRoom", "AppendRecord",
              "AppendLost", "AnswerAtFrozen", "Build", "Install", "InstallLost",
              "LeaveToOthers", "Wait", "Drop", "DropLost", "InstallRun", "InstallRunLost",
              "Return", "StartWork", "FindWork", "Freeze", "Finished"})

Notice ==
  /\ Noted("Invoke", \E t \in Threads : Invoke(t))
  /\ Noted("LoadMapping", \E t \in Threads : LoadMapping(t))
  /\ Noted("ReadRecord", \E t \in Threads : ReadRecord(t))
  /\ Noted("AnswerAtNull", \E t \in Threads : AnswerAtNull(t))
  /\ Noted("FindRoom", \E t \in Threads : FindRoom(t))
  /\ Noted("AppendRecord", \E t \in Threads : AppendRecord(t))
  /\ Noted("AppendLost", \E t \in Threads : AppendLost(t))
  /\ Noted("AnswerAtFrozen", \E t \in Threads : AnswerAtFrozen(t))
  /\ Noted("Build", \E t \in Threads : Build(t))
  /\ Noted("Install", \E t \in Threads : Install(t))
  /\ Noted("InstallLost", \E t \in Threads : InstallLost(t))
  /\ Noted("LeaveToOthers", \E t \in Threads : LeaveToOthers(t))
  /\ Noted("Wait", \E t \in Threads : Wait(t))
  /\ Noted("Drop", \E t \in Threads : Drop(t))
  /\ Noted("DropLost", \E t \in Threads : DropLost(t))
  /\ Noted("InstallRun", \E t \in Threads : InstallRun(t))
  /\ Noted("InstallRunLost", \E t \in Threads : InstallRunLost(t))
  /\ Noted("Return", \E t \in Threads : Return(t))
  /\ Noted("StartWork", \E t \in Threads : StartWork(t))
  /\ Noted("FindWork", \E t \in Threads : FindWork(t))
  /\ Noted("Freeze", \E t \in Threads : Freeze(t))
  /\ Noted("Finished", Finished)
=============================================================================
