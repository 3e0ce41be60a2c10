----------------------------- MODULE MCBwTree -----------------------------
(* Trees to start from, programs, and the view under which states count as   *)
(* one that no step can tell apart.                                          *)
EXTENDS BwTree, TLC, Notice

\* The value that thread t's i-th operation writes; a key k that is there at the start has value k.
Value(t, i) == 10 * t + i
Leaf(p, low, high, right, keys) ==
  Page(p, 0, low, high, right, [s \in Seps |-> IF s \in keys THEN s ELSE None])
Inner(p, level, low, high, right, entries) ==
  Page(p, level, low, high, right,
       [s \in Seps |-> IF s \in DOMAIN entries THEN entries[s] ELSE None])
Logged(pg, log) == [pg EXCEPT !.log = log]

---------------------------------------------------------------------------
\* A root that is a full leaf: what is put now overfills it.
FullRootLeaf == 0 :> Leaf(0, 0, Inf, None, {1, 2})

\* A root over one full leaf.
OneLeaf   == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1)
          @@ 1 :> Leaf(1, 0, Inf, None, {1, 2})

\* A root over two leaves that would fit one; nobody has posted the second.
Unposted  == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1)
          @@ 1 :> Leaf(1, 0, 3, 2, {1})
          @@ 2 :> Leaf(2, 3, Inf, None, {3})

\* Inner root and last leaf both frozen and overfull: the next write splits both.
BrimfulRoot == 0 :> Logged(Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 2 :> 2), <<<<"put", 3, 3>>>>)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Leaf(2, 2, 3, 3, {2})
          @@ 3 :> Logged(Leaf(3, 3, Inf, None, {3, 4}), <<<<"put", 5, 5>>, <<"put", 4, 4>>>>)

\* The same one level further down.
ThreeLevels == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1)
          @@ 1 :> Logged(Inner(1, 1, 0, Inf, None, 0 :> 2 @@ 2 :> 3), <<<<"put", 3, 4>>>>)
          @@ 2 :> Leaf(2, 0, 2, 3, {1})
          @@ 3 :> Leaf(3, 2, 3, 4, {2})
          @@ 4 :> Logged(Leaf(4, 3, Inf, None, {3, 4}), <<<<"put", 5, 5>>, <<"put", 4, 4>>>>)

---------------------------------------------------------------------------
\* Programs.  An entry of Program[t] is the set of operations that its call may be.
AnyOn(k, t, i) == {Get(k), Put(k, Value(t, i)), Insert(k, Value(t, i)), Remove(k)}
AnyCall(t, i)  == UNION {AnyOn(k, t, i) : k \in Keys}

\* Thread 1 overfills a page of keys 1, 2; thread 2 makes any one call.
SplitAgainstAny == << <<{Put(3, Value(1, 1))}>>, <<AnyCall(2, 1)>> >>

\* Four calls on a full page with two slots: two contend for the slots, whoever comes
\* later finds the page frozen and splits it while the other looks on.
WritersMeet ==
  << <<{Put(3, Value(1, 1))}, {Remove(1), Get(3)}>>,
     <<{Insert(3, Value(2, 1))}, {Put(2, Value(2, 2))}>> >>

\* The same key over and over, so that a log fills and its page is replaced several times.
OneKey ==
  << <<{Put(1, Value(1, 1))}, {Remove(1)}>>, <<{Insert(1, Value(2, 1))}, {Get(1)}>> >>

\* One thread asks for the upkeep of a leaf in which the other writes.
Upkeep ==
  << <<{Consolidate(1)}, {Consolidate(1)}>>,
     <<{Put(1, Value(2, 1)), Insert(3, Value(2, 1))}, {Put(2, Value(2, 2))}>> >>

\* Calls that cross an unposted right link, or write in a page that may be absorbed.
AcrossTheLink ==
  << <<{Get(3), Put(3, Value(1, 1))}, {Put(1, Value(1, 2))}>>,
     <<{Remove(3)}, {Insert(4, Value(2, 2))}>> >>
CrossAndRemove ==
  << <<{Insert(3, Value(1, 1))}, {Put(1, Value(1, 2))}>>, <<{Remove(3)}>> >>
TwoCrossers == << <<{Insert(3, Value(1, 1))}>>, <<{Insert(3, Value(2, 1))}>> >>

\* What a brimful tree meets: a split that goes all the way up, and a passer-by.
SplitUpwards == << <<{Put(4, Value(1, 1))}>>, <<{Put(5, Value(2, 1))}>> >>
SplitUpwardsAndMore ==
  << <<{Put(4, Value(1, 1))}>>, <<{Get(5), Put(5, Value(2, 1)), Remove(1)}>> >>

\* Small ones, for liveness and for mutants.
PutsAndRead == << <<{Put(3, Value(1, 1))}, {Put(2, Value(1, 2))}>>, <<{Get(3)}>> >>
TwoWriters  == << <<{Put(3, Value(1, 1))}>>, <<{Put(1, Value(2, 1))}>> >>
CrossAndWrite ==
  << <<{Put(3, Value(1, 1))}>>, <<{Remove(3)}, {Get(3)}>> >>
TwoInserts  == << <<{Insert(3, Value(1, 1))}>>, <<{Insert(3, Value(2, 1))}>> >>

\* For make check-deep.
ThreeWriters ==
  << <<{Put(3, Value(1, 1))}>>, <<{Insert(3, Value(2, 1)), Get(3)}>>, <<{Put(2, Value(3, 1))}>> >>
GetOrRemove        == UNION {{Get(k), Remove(k)} : k \in Keys}
SplitAgainstAnyTwo == << <<{Put(3, Value(1, 1))}>>, <<AnyCall(2, 1), GetOrRemove>> >>

AllVals     == Keys \cup {Value(t, i) : t \in Threads, i \in 1..3}
\* Those that occur in WritersMeet and PutsAndRead: the fewer, the faster is the check of Refines.
FewVals     == {1, 2, Value(1, 1), Value(1, 2), Value(2, 1), Value(2, 2)}

---------------------------------------------------------------------------
(* Two states that differ only in what no step can tell apart are one:      *)
(* - the numbers of the objects (a current page is named by its pid, a frozen *)
(*   one by its contents, one that is unlinked and not yet retired also by    *)
(*   the thread that will retire it);                                         *)
(* - what a retired page contained that nobody holds;                         *)
(* - all epochs shifted alike, and how old something is beyond the age at     *)
(*   which its age stops to matter: 2 for a tag, 1 for an announcement.       *)
(* Invariants are about such states, so this is sound for them; it is not     *)
(* used with liveness, nor with the mutants, where its premises may fail.     *)
Age(e, most) == IF G - e < most THEN G - e ELSE most
Current(o) == map[heap[o].pid] = o
Named(o) ==
  IF o = None THEN <<>>
  ELSE IF Current(o) THEN <<heap[o].pid>>
  ELSE << [heap[o] EXCEPT !.tag = IF heap[o].state = "retired" THEN Age(@, 2) ELSE 0],
          {u \in Threads : th[u].obj = o /\ th[u].pc = "retire"} >>
Essence ==
  << [p \in Pids |-> IF Mapped(p) THEN <<Cur(p)>> ELSE <<map[p]>>],
     [age \in 0..2 |-> Cardinality({o \in Limbo : Age(heap[o].tag, 2) = age})],
     [t \in Threads |-> IF ann[t] = 0 THEN -1 ELSE Age(ann[t], 1)],
     [t \in Threads |->
        [th[t] EXCEPT !.obj = Named(@), !.epoch = IF th[t].pc = "announce" THEN Age(@, 1) ELSE 0]],
     abs, call >>
---------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"Pin", "Announce", "Unpin", "LoadEntry", "CrossRight", "ScanSlot", "CheckAlive",
              "AppendSlot", "PublishRight", "PublishLeft", "SwapEntry", "Unpublish", "Retire",
              "Advance", "FreeEligible", "Absorb", "Terminated"})

Notice ==
  /\ Noted("Pin", \E t \in Threads : Pin(t))
  /\ Noted("Announce", \E t \in Threads : Announce(t))
  /\ Noted("Unpin", \E t \in Threads : Unpin(t))
  /\ Noted("LoadEntry", \E t \in Threads : LoadEntry(t))
  /\ Noted("CrossRight", \E t \in Threads : CrossRight(t))
  /\ Noted("ScanSlot", \E t \in Threads : ScanSlot(t))
  /\ Noted("CheckAlive", \E t \in Threads : CheckAlive(t))
  /\ Noted("AppendSlot", \E t \in Threads : AppendSlot(t))
  /\ Noted("PublishRight", \E t \in Threads : PublishRight(t))
  /\ Noted("PublishLeft", \E t \in Threads : PublishLeft(t))
  /\ Noted("SwapEntry", \E t \in Threads : SwapEntry(t))
  /\ Noted("Unpublish", \E t \in Threads : Unpublish(t))
  /\ Noted("Retire", \E t \in Threads : Retire(t))
  /\ Noted("Advance", Advance)
  /\ Noted("FreeEligible", FreeEligible)
  /\ Noted("Absorb", Absorb)
  /\ Noted("Terminated", Terminated)
=============================================================================
