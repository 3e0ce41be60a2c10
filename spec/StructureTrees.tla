---------------------------- MODULE StructureTrees ----------------------------
(* Trees to start from, programs, and the view under which states count as   *)
(* one that no step can tell apart.                                          *)
EXTENDS StructureProperties, TLC

\* The value that thread t's i-th operation writes; a key k that is there at the start has value k.
Value(t, i) == 10 * t + i
Leaf(p, low, high, right, keys) ==
  Page(p, 0, low, high, right, [s \in Seps |-> IF s \in keys THEN s ELSE None])
Inner(p, level, low, high, right, entries) ==
  Page(p, level, low, high, right,
       [s \in Seps |-> IF s \in DOMAIN entries THEN entries[s] ELSE None])
Logged(pg, log) == [pg EXCEPT !.log = log]
REMOVE == <<"remove", 0, 0>>
FREEZE == <<"freeze", 0, 0>>

Marked(p) == p + MarkBit

---------------------------------------------------------------------------
(* Trees *)

\* A root over two leaves; the second is empty, which shows only when its log is looked at.
TwoLeaves == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 3 :> 2)
          @@ 1 :> Leaf(1, 0, 3, 2, {1, 2})
          @@ 2 :> Logged(Leaf(2, 3, Inf, None, {3}), <<<<"delete", 3, 0>>>>)
OneMerge == {TwoLeaves}

\* The merge of the second leaf, left by its thread after each of its steps.
Begun == Logged(Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 3 :> 2), <<<<"mark", 3, 2>>>>)
Gone  == Logged(Leaf(2, 3, Inf, None, {3}), <<REMOVE>>)
StalledMerges ==
  { 0 :> Begun @@ 1 :> Leaf(1, 0, 3, 2, {1}) @@ 2 :> Leaf(2, 3, Inf, None, {3}),
    0 :> Begun @@ 1 :> Leaf(1, 0, 3, 2, {1}) @@ 2 :> Gone,
    0 :> Begun @@ 1 :> Logged(Leaf(1, 0, 3, 2, {1}), <<<<"merge", 3, 2>>>>) @@ 2 :> Gone,
    0 :> Begun @@ 1 :> Logged(Leaf(1, 0, Inf, None, {1, 3}), <<<<"put", 3, 4>>>>) @@ 2 :> Gone }
\* After REMOVE only.
StalledRemove == {0 :> Begun @@ 1 :> Leaf(1, 0, 3, 2, {1}) @@ 2 :> Gone}

\* For those who empty a leaf: not yet begun, or stopped somewhere.
NotBegun == { 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 3 :> 2)
                @@ 1 :> Leaf(1, 0, 3, 2, {1}) @@ 2 :> Leaf(2, 3, Inf, None, {3}) }
MergesAndNone == StalledMerges \cup NotBegun
FrozenOrNone  == StalledRemove \cup NotBegun

\* The collapse of a root, left by its thread.
Only == Logged(Leaf(1, 0, Inf, None, {1, 2}), <<REMOVE>>)
StalledCollapses ==
  { 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1) @@ 1 :> Only,
    0 :> Logged(Inner(0, 1, 0, Inf, None, 0 :> 1), <<FREEZE>>) @@ 1 :> Only }

\* Both leaves are full: together they do not fit one page.
TwoFullLeaves == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 3 :> 2)
          @@ 1 :> Leaf(1, 0, 3, 2, {1, 2})
          @@ 2 :> Leaf(2, 3, Inf, None, {3, 4})
LargeUnion == {TwoFullLeaves}

\* Three empty leaves.
EmptyLeaves == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 1 :> 2 @@ 2 :> 3)
          @@ 1 :> Leaf(1, 0, 1, 2, {})
          @@ 2 :> Leaf(2, 1, 2, 3, {})
          @@ 3 :> Leaf(3, 2, Inf, None, {})
ChainOfMerges == {EmptyLeaves}

\* Four empty leaves below a full parent; nobody has posted the last.
FourLeaves == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 1 :> 2 @@ 2 :> 3)
          @@ 1 :> Leaf(1, 0, 1, 2, {})
          @@ 2 :> Leaf(2, 1, 2, 3, {})
          @@ 3 :> Leaf(3, 2, 3, 4, {})
          @@ 4 :> Leaf(4, 3, Inf, None, {})
FourEmpty == {FourLeaves}

\* A parent (the root) that a single record overfills; its middle separator is that of an empty
\* leaf.
BrimfulParent ==
             0 :> Logged(Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 2 :> 2 @@ 3 :> 3), <<<<"put", 4, 4>>>>)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Leaf(2, 2, 3, 3, {2})
          @@ 3 :> Leaf(3, 3, 4, 4, {})
          @@ 4 :> Leaf(4, 4, Inf, None, {4})
SplittingParent == {BrimfulParent}

\* The same with a parent that is not the root, and a leaf that nobody has posted.
ParentBelow == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1)
          @@ 1 :> Logged(Inner(1, 1, 0, Inf, None, 0 :> 2 @@ 1 :> 3 @@ 2 :> 4), <<<<"put", 3, 5>>>>)
          @@ 2 :> Leaf(2, 0, 1, 3, {})
          @@ 3 :> Leaf(3, 1, 2, 4, {1})
          @@ 4 :> Leaf(4, 2, 3, 5, {})
          @@ 5 :> Leaf(5, 3, 4, 6, {3})
          @@ 6 :> Leaf(6, 4, Inf, None, {4})
SplittingParentBelow == {ParentBelow}
StalledBelow == {[ParentBelow EXCEPT ![1].log = Append(@, <<"mark", 2, 4>>), ![4].log = <<REMOVE>>]}

\* Two inner pages, the second with one child; its leaf and the last one of the first are empty.
OneChild == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1 @@ 3 :> 2)
          @@ 1 :> Inner(1, 1, 0, 3, 2, 0 :> 3 @@ 2 :> 4)
          @@ 2 :> Inner(2, 1, 3, Inf, None, 3 :> 5)
          @@ 3 :> Leaf(3, 0, 2, 4, {1})
          @@ 4 :> Leaf(4, 2, 3, 5, {})
          @@ 5 :> Leaf(5, 3, Inf, None, {})
InnerMerge == {OneChild}
InnerMergeBesideMark == {[OneChild EXCEPT ![1].log = <<<<"mark", 2, 4>>>>]}

\* The same with two full inner pages: together they are cut again.
FullInner == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1 @@ 3 :> 2)
          @@ 1 :> Inner(1, 1, 0, 3, 2, 0 :> 3 @@ 2 :> 4)
          @@ 2 :> Inner(2, 1, 3, Inf, None, 3 :> 5 @@ 4 :> 6)
          @@ 3 :> Leaf(3, 0, 2, 4, {1})
          @@ 4 :> Leaf(4, 2, 3, 5, {})
          @@ 5 :> Leaf(5, 3, 4, 6, {})
          @@ 6 :> Leaf(6, 4, Inf, None, {})
LargeInnerUnion == {FullInner}

\* The left page is full, and the leaf of its middle separator is empty; the right has one child.
FullAndOne == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1 @@ 3 :> 2)
          @@ 1 :> Inner(1, 1, 0, 3, 2, 0 :> 3 @@ 1 :> 4 @@ 2 :> 5)
          @@ 2 :> Inner(2, 1, 3, Inf, None, 3 :> 6)
          @@ 3 :> Leaf(3, 0, 1, 4, {})
          @@ 4 :> Leaf(4, 1, 2, 5, {1})
          @@ 5 :> Leaf(5, 2, 3, 6, {})
          @@ 6 :> Leaf(6, 3, Inf, None, {3})
FullBesideOne == {FullAndOne}
MarkedBesideOne == {[FullAndOne EXCEPT ![1].log = <<<<"mark", 2, 5>>>>]}

\* A root that is a leaf.
RootLeaf == {0 :> Leaf(0, 0, Inf, None, {1, 2})}

\* A root with a single child.
RootOverLeaf  == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1)
          @@ 1 :> Leaf(1, 0, Inf, None, {1, 2})
RootOverRoots == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1)
          @@ 1 :> Inner(1, 1, 0, Inf, None, 0 :> 2)
          @@ 2 :> Leaf(2, 0, Inf, None, {1, 2})
Tall == {RootOverLeaf, RootOverRoots}
OverLeaf == {RootOverLeaf}

\* All pids are taken; the second leaf is empty, the third overflows by its next record.
NoPidLeft == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 2 :> 2 @@ 3 :> 3)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Leaf(2, 2, 3, 3, {})
          @@ 3 :> Logged(Leaf(3, 3, Inf, None, {3, 4}), <<<<"put", 5, 5>>>>)
Reuse == {NoPidLeft}

\* The same, with the second leaf merged up to DELETE.
StalledReuse == { [NoPidLeft EXCEPT ![0] = Logged(@, <<<<"mark", 2, 2>>>>), ![1] = Leaf(1, 0, 3, 3, {1}),
                                    ![2] = Logged(@, <<REMOVE>>)] }

\* Nobody has posted the second leaf.
Unposted == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Leaf(2, 2, Inf, None, {2})
SlowPosters == {Unposted}

\* A leaf that nobody has posted stands between two that are posted.
Between3 == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 3 :> 3)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Leaf(2, 2, 3, 3, {2})
          @@ 3 :> Leaf(3, 3, Inf, None, {})
UnpostedBetween == {Between3}

\* Splits leave pages of one key, which count as small: the leaf below overflows by its next record.
AboutToSplit == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 2 :> 2)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Logged(Leaf(2, 2, Inf, None, {2, 3}), <<<<"put", 4, 4>>>>)
SmallPieces == {AboutToSplit}

\* Two merges that nobody goes on with, the one above the other: a page of level 2, and a leaf
\* two levels below it.
FourLevels == 0 :> Inner(0, 3, 0, Inf, None, 0 :> 1 @@ 2 :> Marked(2))
          @@ 1 :> Inner(1, 2, 0, 2, 2, 0 :> 3)
          @@ 2 :> Logged(Inner(2, 2, 2, Inf, None, 2 :> 4), <<REMOVE>>)
          @@ 3 :> Inner(3, 1, 0, 2, 4, 0 :> 5)
          @@ 4 :> Inner(4, 1, 2, Inf, None, 2 :> 6 @@ 3 :> Marked(7))
          @@ 5 :> Leaf(5, 0, 2, 6, {1})
          @@ 6 :> Leaf(6, 2, 3, 7, {2})
          @@ 7 :> Logged(Leaf(7, 3, Inf, None, {3}), <<REMOVE>>)
TwoStalls == {FourLevels}

\* Three leaves with a key each; two inner pages, the first with one child, an empty leaf.
ThreeLeaves == 0 :> Inner(0, 1, 0, Inf, None, 0 :> 1 @@ 2 :> 2 @@ 3 :> 3)
          @@ 1 :> Leaf(1, 0, 2, 2, {1})
          @@ 2 :> Leaf(2, 2, 3, 3, {2})
          @@ 3 :> Leaf(3, 3, Inf, None, {3})
OneOneOne == {ThreeLeaves}
EmptyAtBothEnds == {[ThreeLeaves EXCEPT ![1] = Leaf(1, 0, 2, 2, {}),
                                        ![3] = Leaf(3, 3, Inf, None, {})]}
TwoParents == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1 @@ 2 :> 2)
          @@ 1 :> Inner(1, 1, 0, 2, 2, 0 :> 3)
          @@ 2 :> Inner(2, 1, 2, Inf, None, 2 :> 4)
          @@ 3 :> Leaf(3, 0, 2, 4, {1})
          @@ 4 :> Leaf(4, 2, Inf, None, {2})
LowEmpty  == [TwoParents EXCEPT ![3] = Leaf(3, 0, 2, 4, {})]
HighEmpty == [TwoParents EXCEPT ![4] = Leaf(4, 2, Inf, None, {})]
EmptyUnderOneParent == {LowEmpty, HighEmpty}

\* For simulations: two inner pages with two leaves each; three levels above six leaves.
Bushy == 0 :> Inner(0, 2, 0, Inf, None, 0 :> 1 @@ 4 :> 2)
          @@ 1 :> Inner(1, 1, 0, 4, 2, 0 :> 3 @@ 2 :> 4)
          @@ 2 :> Inner(2, 1, 4, Inf, None, 4 :> 5 @@ 5 :> 6)
          @@ 3 :> Leaf(3, 0, 2, 4, {1})
          @@ 4 :> Leaf(4, 2, 4, 5, {2, 3})
          @@ 5 :> Leaf(5, 4, 5, 6, {4})
          @@ 6 :> Leaf(6, 5, Inf, None, {5})
TwoInner == {Bushy}
High == 0 :> Inner(0, 3, 0, Inf, None, 0 :> 1 @@ 4 :> 2)
          @@ 1 :> Inner(1, 2, 0, 4, 2, 0 :> 3 @@ 2 :> 4)
          @@ 2 :> Inner(2, 2, 4, Inf, None, 4 :> 5)
          @@ 3 :> Inner(3, 1, 0, 2, 4, 0 :> 6)
          @@ 4 :> Inner(4, 1, 2, 4, 5, 2 :> 7 @@ 3 :> 8)
          @@ 5 :> Inner(5, 1, 4, Inf, None, 4 :> 9 @@ 5 :> 10)
          @@ 6 :> Leaf(6, 0, 2, 7, {1})
          @@ 7 :> Leaf(7, 2, 3, 8, {})
          @@ 8 :> Leaf(8, 3, 4, 9, {3})
          @@ 9 :> Leaf(9, 4, 5, 10, {4})
          @@ 10 :> Leaf(10, 5, Inf, None, {5, 6})
ThreeLevels == {High}

---------------------------------------------------------------------------
(* Programs.  An entry of Program[t] is the set of operations that its call may be. *)

AnyOn(k, t, i) == {Get(k), Put(k, Value(t, i)), Insert(k, Value(t, i)), Remove(k)}
AnyCall(t, i)  == UNION {AnyOn(k, t, i) : k \in Keys}

\* One thread tends a page, another makes a call.
TendAgainstAny   == << <<{Tend(3, 0)}>>, <<AnyCall(2, 1)>> >>
TendAgainstFew   == << <<{Tend(3, 0)}>>, <<{Get(3), Put(3, Value(2, 1)), Put(1, Value(2, 1))}>> >>
TendAgainstPut   == << <<{Tend(3, 0)}>>, <<{Put(3, Value(2, 1))}>> >>
PostThenHelp     == << <<{Put(4, Value(1, 1))}, {Put(2, Value(1, 2))}>> >>
HelpAndPost      == << <<{Put(2, Value(1, 1))}>>, <<{Put(4, Value(2, 1))}>> >>
TendBelowAndAny  == << <<{Tend(2, 0)}>>, <<{Put(4, Value(2, 1)), Put(2, Value(2, 1))}>> >>
TendTwice        == << <<{Tend(3, 0)}, {Get(3), Put(3, Value(1, 2))}>>,
                       <<{Tend(3, 0), Remove(1)}>> >>
TwoMerges        == << <<{Tend(2, 0)}>>, <<{Tend(1, 0)}>> >>
TwoMergesAndAny  == << <<{Tend(2, 0)}, {Get(2), Put(2, Value(1, 2))}>>,
                       <<{Tend(1, 0)}, AnyCall(2, 2)>> >>
InnerAndGet      == << <<{Tend(3, 1)}>>, <<{Get(3)}>> >>
InnerAndCall     == << <<{Tend(3, 1)}>>, <<{Get(3), Put(3, Value(2, 1)), Remove(1)}>> >>
InnerAndLeaf     == << <<{Tend(3, 1)}>>, <<{Tend(2, 0), Put(3, Value(2, 1)), Get(3)}>> >>
InnerAndLeaf4    == << <<{Tend(3, 1)}>>, <<{Tend(4, 0)}>> >>
Flatten          == << <<{Tend(1, 0), Tend(1, 1)}>>, <<AnyCall(2, 1)>> >>
FlattenAndFew    == << <<{Tend(1, 0), Tend(1, 1)}>>, <<{Get(1), Put(3, Value(2, 1))}>> >>
FlattenAndGrow   == << <<{Tend(1, 0)}>>, <<{Put(3, Value(2, 1))}, {Put(3, Value(2, 2))}>> >>
CrossAndTend     == << <<{Put(2, Value(1, 1))}>>, <<{Put(3, Value(2, 1))}, {Tend(2, 0)}>> >>

\* The first merges and then fills the page that splits; the second looks at the page that dies.
ReuseAndLook     == << <<{Tend(2, 0)}, {Put(4, Value(1, 2))}>>, <<{Tend(2, 0)}>> >>
ReuseAndAny      == << <<{Tend(2, 0)}, {Put(4, Value(1, 2))}, {Put(3, Value(1, 3))}>>,
                       <<{Get(2), Put(2, Value(2, 1)), Tend(2, 0)}>> >>

\* What meets work that is half done.
ReadAndWrite     == << <<{Get(1), Get(3)}>>, <<{Put(3, Value(2, 1)), Remove(3)}>> >>
Anybody          == << <<AnyCall(1, 1)>>, <<AnyCall(2, 1)>> >>
OneReader        == << <<{Get(3)}>> >>

\* Splits beside merges.
SplitAndRemove   == << <<{Put(3, Value(1, 1))}>>, <<{Remove(3), Put(2, Value(2, 1))}>> >>
OnePut           == << <<{Put(3, Value(1, 1))}>> >>

\* Leaves emptied at one stroke, and what is taken from the ends.
Pops == {PopFirst, PopLast}
DropAndFew       == << <<{DropLeaf(1), DropLeaf(3)}>>, <<{Put(3, Value(2, 1)), Get(3)}>> >>
DropAndAny       == << <<{DropLeaf(1), DropLeaf(3)}>>, <<AnyCall(2, 1) \cup {DropLeaf(3)}>> >>
DropAndPut       == << <<{DropLeaf(1)}>>, <<{Put(1, Value(2, 1))}>> >>
DropRow          == << <<{DropLeaf(2)}, {DropLeaf(3)}>>, <<{DropLeaf(2), Put(3, Value(2, 1))}>> >>
PopAndFew        == << <<Pops>>, <<{Get(2), Put(1, Value(2, 1)), Put(3, Value(2, 1))}>> >>
PopAndPop        == << <<Pops>>, <<Pops>> >>
PopAndAny        == << <<Pops>>, <<AnyCall(2, 1) \cup Pops>> >>
PopAndGrow       == << <<Pops>>, <<{Put(2, Value(2, 1)), Put(1, Value(2, 1))}>> >>
PopFirstAndPut   == << <<{PopFirst}>>, <<{Put(1, Value(2, 1))}>> >>
OnePop           == << <<{PopLast}>> >>

\* Runs of puts at one stroke: one leaf takes them, or splits; beside single calls, merges and drops.
RunAndFew        == << <<{PutRun(1, 3, Value(1, 1)), PutRun(3, 3, Value(1, 1))}>>,
                       <<{Put(3, Value(2, 1)), Get(3), Tend(3, 0)}>> >>
RunAndAny        == << <<{PutRun(1, 3, Value(1, 1)), PutRun(3, 4, Value(1, 1))}>>,
                       <<AnyCall(2, 1) \cup {DropLeaf(3), PutRun(2, 3, Value(2, 1))}>> >>
RunAndGrow       == << <<{PutRun(3, 4, Value(1, 1))}>>, <<{Put(3, Value(2, 1)), Get(4)}, {Put(4, Value(2, 2))}>> >>
RunAndRun        == << <<{PutRun(2, 4, Value(1, 1))}>>, <<{PutRun(3, 4, Value(2, 1)), Remove(1)}>> >>
RunTendRead      == << <<{PutRun(3, 4, Value(1, 1))}>>, <<{Tend(3, 0)}>>, <<{Put(4, Value(3, 1))}>> >>

\* For mutants.
OneInnerTend     == << <<{Tend(3, 1)}>> >>
TendLeftmost     == << <<{Tend(3, 0)}>> >>
ThreeTends       == << <<{Tend(1, 0)}, {Tend(2, 0)}, {Put(3, Value(1, 3))}, {Tend(3, 0)}>> >>
\* The leaf splits, is posted, and its second half is merged back, while the first thread has
\* seen nothing of it since it found the leaf to be the only one.
ShrinkLate       == << <<{Tend(1, 0)}>>,
                       <<{Put(3, Value(2, 1))}, {Put(3, Value(2, 2))}, {Remove(3)},
                         {Tend(3, 0)}>> >>

\* Three threads: one who merges, one who posts or writes, one who reads.
MergePostRead    == << <<{Tend(3, 0)}>>, <<{Put(2, Value(2, 1))}>>, <<{Get(3)}>> >>
HelpHelpRead     == << <<{Put(3, Value(1, 1))}>>, <<{Remove(3)}>>, <<{Get(3)}>> >>
TendPutRead      == << <<{Tend(3, 0)}>>, <<{Put(3, Value(2, 1))}>>, <<{Get(3)}>> >>
DropPopPut       == << <<{DropLeaf(3)}>>, <<{PopLast}>>, <<{Put(3, Value(3, 1))}>> >>

\* For simulations: six calls of each thread, each of them whatever there is on one of two keys
\* (that are others for each call: TLC looks at all the choices of a step before it takes one).
KeysOf(t, i)  == {1 + ((t + 2 * i) % 6), 1 + ((3 * t + i) % 6)}
AnyStep(t, i) == UNION {AnyOn(k, t, i) : k \in KeysOf(t, i)}
                 \cup Pops \cup {DropLeaf(k) : k \in KeysOf(t, i)}
                 \cup {Tend(k, level) : k \in KeysOf(t, i), level \in 0..1}
Whatever == [t \in Threads |-> [i \in 1..6 |-> AnyStep(t, i)]]
\* A behaviour is over when its programs are.
Unfinished == ~Finished

AllVals == Keys \cup {Value(t, i) : t \in Threads, i \in 1..6}
\* Those that occur in StalledMerges and ReadAndWrite: the fewer, the faster is the check of
\* Refines.
FewVals == {1, 3, 4, Value(2, 1)}
\* Those that occur in RootLeaf and RunAndGrow.
RunVals == {1, 2, Value(1, 1), Value(2, 1), Value(2, 2)}
---------------------------------------------------------------------------
(* Two states that differ only in what no step can tell apart are one: see   *)
(* MCBwTree. Besides the numbers of objects and the epochs there is one more *)
(* thing here: with a tombstone goes the age of the page that holds its pid. *)
Age(e, most) == IF G - e < most THEN G - e ELSE most
Current(o) == map[heap[o].pid] = o
Named(o) ==
  IF o = None THEN <<>>
  ELSE IF Current(o) THEN <<heap[o].pid>>
  ELSE << [heap[o] EXCEPT !.tag = IF heap[o].state = "retired" THEN Age(@, 2) ELSE 0],
          {u \in Threads : th[u].obj = o
                            /\ th[u].pc \in {"retire", "retire dropped", "retire buried"}} >>
Burial(p) == {Age(heap[o].tag, 2) : o \in {x \in Limbo : heap[x].buried /\ heap[x].pid = p}}
Essence ==
  << [p \in Pids |-> IF Mapped(p) THEN <<Cur(p)>> ELSE <<map[p], Burial(p)>>],
     [age \in 0..2 |-> Cardinality({o \in Limbo : Age(heap[o].tag, 2) = age})],
     [t \in Threads |-> IF ann[t] = 0 THEN -1 ELSE Age(ann[t], 1)],
     [t \in Threads |->
        [th[t] EXCEPT !.obj = Named(@), !.removed = Named(@),
                      !.left = [i \in 1..Len(@) |-> Named(@[i])],
                      !.epoch = IF th[t].pc = "announce" THEN Age(@, 1) ELSE 0]],
     abs, call >>
=============================================================================
