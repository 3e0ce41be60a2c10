------------------------ MODULE MCStructureShortcuts ------------------------
(* Programs for StructureShortcuts, on the trees of StructureTrees,           *)
(* and the view that leaves out what no step can tell apart.                 *)
EXTENDS StructureTrees, StructureShortcuts, Notice

\* The first thread has written into the leaf that the second merges away; its next write is into
\* the leaf that the second splits, whose right half takes the pid.
RecycledUnderLast == << <<{Remove(2)}, {Put(5, Value(1, 2)), Put(2, Value(1, 2))}>>,
                        <<{Tend(2, 0)}, {Put(4, Value(2, 2))}>> >>
PutIntoHalf       == << <<{Put(5, Value(1, 1))}>>, <<{Tend(2, 0)}, {Put(4, Value(2, 2))}>> >>
\* The leaf of the last write is merged meanwhile, or grows by the merge.
MergedUnderLast   == << <<{Remove(3), Put(1, Value(1, 1))}, {Put(3, Value(1, 2)), Remove(2)}>>,
                        <<{Tend(3, 0)}>> >>
\* It splits meanwhile: a root, or a leaf below one.
SplitUnderLast    == << <<{Put(1, Value(1, 1))}, {Put(1, Value(1, 2)), Remove(3)}>>,
                        <<{Put(3, Value(2, 1))}, {Put(3, Value(2, 2))}>> >>
HalvedUnderLast   == << <<{Insert(3, Value(1, 1))},
                          {Put(k, Value(1, 2)) : k \in {2, 3, 5}}>>, <<{Put(4, Value(2, 1))}>> >>

\* A walk beside a merge and a write into what it made; beside a split; beside a pid that comes back.
WalkAndMerge      == << <<{Get(1)}>>, <<{Tend(3, 0)}, {Put(3, Value(2, 2)), Put(1, Value(2, 2))}>> >>
WalkAndWrites     == << <<{Get(1)}>>, <<{Put(1, Value(2, 1))}, {Put(3, Value(2, 2)), Tend(2, 0)},
                                        {Put(3, Value(2, 3))}>> >>
WalkAndReuse      == << <<{Get(1)}>>, <<{Tend(2, 0)}, {Put(4, Value(2, 2))}>> >>

\* The first thread has written into leaf 2 before. (`due` is for a mutation: it has not yet read
\* the number that goes with it.)
RemembersTwoInit ==
  InitWith([t \in Threads |->
    IF t = 1 THEN [NoLast EXCEPT !.pid = 2, !.due = Mutation = "remembered_after_unpin"] ELSE NoLast])
RemembersTwo == RemembersTwoInit /\ [][ShortcutNext]_<<vars, shortcutVars>>

\* Of a number, only whether it is the present one can be told.
ShortcutEssence ==
  << Essence, counted,
     [t \in Threads |-> [last[t] EXCEPT !.count = IF @ = recycled THEN 1 ELSE 0,
                                        !.word = Named(IF @ = Tomb THEN None ELSE @)]],
     [t \in Threads |-> [walk[t] EXCEPT !.obj = Named(@)]] >>
---------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"Enter", "Load", "Scan", "Leave", "OnTheWay", "LoadLast", "CheckRecycled",
              "RememberLate", "StepRight", "ScanRight", "Write", "Post", "Publish", "Replaced",
              "TakeBack", "Unite", "Shrink", "IntoLimbo", "NewEpoch", "Reclaim", "GiveBack",
              "AllDone"})

Notice ==
  /\ Noted("Enter", \E t \in Threads : Enter(t))
  /\ Noted("Load", \E t \in Threads : Load(t))
  /\ Noted("Scan", \E t \in Threads : Scan(t))
  /\ Noted("Leave", \E t \in Threads : Leave(t))
  /\ Noted("OnTheWay", \E t \in Threads : OnTheWay(t))
  /\ Noted("LoadLast", \E t \in Threads : LoadLast(t))
  /\ Noted("CheckRecycled", \E t \in Threads : CheckRecycled(t))
  /\ Noted("RememberLate", \E t \in Threads : RememberLate(t))
  /\ Noted("StepRight", \E t \in Threads : StepRight(t))
  /\ Noted("ScanRight", \E t \in Threads : ScanRight(t))
  /\ Noted("Write", \E t \in Threads : Write(t))
  /\ Noted("Post", \E t \in Threads : Post(t))
  /\ Noted("Publish", \E t \in Threads : Publish(t))
  /\ Noted("Replaced", \E t \in Threads : Replaced(t))
  /\ Noted("TakeBack", \E t \in Threads : TakeBack(t))
  /\ Noted("Unite", \E t \in Threads : Unite(t))
  /\ Noted("Shrink", \E t \in Threads : Shrink(t))
  /\ Noted("IntoLimbo", \E t \in Threads : IntoLimbo(t))
  /\ Noted("NewEpoch", NewEpoch)
  /\ Noted("Reclaim", Reclaim)
  /\ Noted("GiveBack", GiveBack)
  /\ Noted("AllDone", AllDone)
=============================================================================
