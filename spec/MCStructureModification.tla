----------------------- MODULE MCStructureModification -----------------------
(* StructureModification on the trees, with the programs and under the view *)
(* of StructureTrees.                                                        *)
EXTENDS StructureTrees, Notice

---------------------------------------------------------------------------
(* The actions, so that a run says which of them it took: see Notice. *)

ASSUME Watch({"Pin", "Announce", "Unpin", "GiveUp", "LoadEntry", "CrossRight", "ScanSlot",
              "LookLeft", "AppendSlot", "CheckAlive", "PostSeparator", "CheckFit", "MarkEntry",
              "CheckRoot", "RemovePage", "MergePage", "DeleteEntry", "FreezeRoot", "FreezeLeaf",
              "LoadRemoved", "PublishRight", "SwapEntry", "InstallUnion", "Collapse",
              "EmptyLeaf", "InstallRun", "Unpublish", "Retire", "Bury", "RetireBuried",
              "Advance", "FreeEligible", "Terminated"})

Notice ==
  /\ Noted("Pin", \E t \in Threads : Pin(t))
  /\ Noted("Announce", \E t \in Threads : Announce(t))
  /\ Noted("Unpin", \E t \in Threads : Unpin(t))
  /\ Noted("GiveUp", \E t \in Threads : GiveUp(t))
  /\ Noted("LoadEntry", \E t \in Threads : LoadEntry(t))
  /\ Noted("CrossRight", \E t \in Threads : CrossRight(t))
  /\ Noted("ScanSlot", \E t \in Threads : ScanSlot(t))
  /\ Noted("LookLeft", \E t \in Threads : LookLeft(t))
  /\ Noted("AppendSlot", \E t \in Threads : AppendSlot(t))
  /\ Noted("CheckAlive", \E t \in Threads : CheckAlive(t))
  /\ Noted("PostSeparator", \E t \in Threads : PostSeparator(t))
  /\ Noted("CheckFit", \E t \in Threads : CheckFit(t))
  /\ Noted("MarkEntry", \E t \in Threads : MarkEntry(t))
  /\ Noted("CheckRoot", \E t \in Threads : CheckRoot(t))
  /\ Noted("RemovePage", \E t \in Threads : RemovePage(t))
  /\ Noted("MergePage", \E t \in Threads : MergePage(t))
  /\ Noted("DeleteEntry", \E t \in Threads : DeleteEntry(t))
  /\ Noted("FreezeRoot", \E t \in Threads : FreezeRoot(t))
  /\ Noted("FreezeLeaf", \E t \in Threads : FreezeLeaf(t))
  /\ Noted("LoadRemoved", \E t \in Threads : LoadRemoved(t))
  /\ Noted("PublishRight", \E t \in Threads : PublishRight(t))
  /\ Noted("SwapEntry", \E t \in Threads : SwapEntry(t))
  /\ Noted("InstallUnion", \E t \in Threads : InstallUnion(t))
  /\ Noted("Collapse", \E t \in Threads : Collapse(t))
  /\ Noted("EmptyLeaf", \E t \in Threads : EmptyLeaf(t))
  /\ Noted("InstallRun", \E t \in Threads : InstallRun(t))
  /\ Noted("Unpublish", \E t \in Threads : Unpublish(t))
  /\ Noted("Retire", \E t \in Threads : Retire(t))
  /\ Noted("Bury", \E t \in Threads : Bury(t))
  /\ Noted("RetireBuried", \E t \in Threads : RetireBuried(t))
  /\ Noted("Advance", Advance)
  /\ Noted("FreeEligible", FreeEligible)
  /\ Noted("Terminated", Terminated)
=============================================================================
