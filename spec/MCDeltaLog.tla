----------------------------- MODULE MCDeltaLog -----------------------------
(* Bounds for DeltaLog: menus of operations, symmetry, and a view that      *)
(* forgets the numbers of pages.                                            *)
EXTENDS DeltaLog, TLC

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
\* Runs of puts beside one reader, puts and removes of single keys, and clears.
MenuRuns ==
  [t \in Threads |-> IF t \in OnlyReads THEN Reads
                     ELSE Runs \cup Puts \cup OnEveryKey(RemoveAny) \cup {Clear}]
MenuRunsPuts == [t \in Threads |-> IF t \in OnlyReads THEN Gets ELSE Runs \cup Puts]
\* A run of all keys, a put and a remove.
MenuRunPair == [t \in Threads |-> {PutRun(1, 2, v) : v \in Vals} \cup PutAny(1) \cup RemoveAny(2)]
\* As MenuReader, with puts only.
MenuPut == [t \in Threads |-> IF t \in OnlyReads THEN Gets ELSE Puts]
=============================================================================
