-------------------------- MODULE EpochReclamation --------------------------
(* When may memory be freed that nobody can reach any more, but that        *)
(* somebody may still be reading?                                           *)
(*                                                                          *)
(* There is a global epoch G. A thread pins before it loads a pointer:      *)
(* it reads G, and announces what it read (two steps: G may move between    *)
(* them). While pinned it may hold objects; it unpins after the last use.   *)
(* An object is unlinked by a compare-and-swap, then put into the open bag  *)
(* of the thread that unlinked it; later the bag is sealed: it is tagged    *)
(* with G, read then. Objects are freed once G has moved two past the tag.  *)
(*                                                                          *)
(* G moves from e to e + 1 when somebody has read G = e, has then seen each *)
(* thread, one by one, either unpinned or announcing e, and swaps G from e  *)
(* to e + 1. In the code this is a thread that is pinned: it meets its own  *)
(* announcement, too, so it has pinned under the very G that it moves.      *)
(* An advancer that is one of Threads does so here. One that is named apart *)
(* is not pinned, which allows more interleavings and is right as well:     *)
(* steps are sequentially consistent here. Why the weak memory model asks   *)
(* for the pin (it replaces a fence) is said in epoch.c; what that argument *)
(* rests on is AdvancerIsCurrent below.                                     *)
(*                                                                          *)
(* Why two: let pub be G at the moment when a thread's announcement became  *)
(* visible. While the thread is pinned, G <= pub + 1: an advance to pub + 1 *)
(* may have scanned the thread before it announced, the next one cannot.    *)
(* What it holds was linked after it announced, so was tagged with pub or   *)
(* more. Hence G < tag + 2 as long as it is held.                           *)
(*                                                                          *)
(* Steps are sequentially consistent: the fences that make the C code so    *)
(* are the explorer's part. Epochs are unbounded here; MCEpochReclamation   *)
(* looks at them relative to G, which makes the state space finite without  *)
(* leaving any behaviour out.                                               *)
EXTENDS Integers

CONSTANTS
  Threads,   \* threads that pin and hold objects
  Unlinkers, \* those of them that also unlink objects
  Advancers,
  Objects,
  Mutation   \* "none", or the name of the guard that is broken on purpose

VARIABLES
  G,         \* the global epoch; epochs begin at 1
  seen,      \* seen[t]: the epoch that t has read and not yet announced; 0: none
  announced, \* announced[t]: the epoch that t announces; 0: not pinned
  held,      \* held[t]: the objects that t has pointers to
  entry,     \* the pointer in shared memory: the linked object
  status,    \* status[o]: "unused", "linked", "unlinked", "bagged" (in an open bag) or "sealed"
  owner,     \* owner[o]: the thread that unlinked o and has it in hand or in its open bag
  tag,       \* tag[o]: the epoch that sealed o's bag; 0 when it has none
  advance,   \* advance[a]: the epoch that advancer a has read (0: not at work), the threads seen
  pub        \* history variable: pub[t]: G when t's announcement became visible

vars == <<G, seen, announced, held, entry, status, owner, tag, advance, pub>>

Grace == IF Mutation = "free_one_epoch_early" THEN 1 ELSE 2

Nobody == 0
Idle   == [epoch |-> 0, scanned |-> {}]
Pinned(t) == announced[t] # 0
Bag(t) == {o \in Objects : status[o] = "bagged" /\ owner[o] = t}

Init ==
  /\ G = 1
  /\ seen = [t \in Threads |-> 0]
  /\ announced = [t \in Threads |-> 0]
  /\ held = [t \in Threads |-> {}]
  /\ entry \in Objects
  /\ status = [o \in Objects |-> IF o = entry THEN "linked" ELSE "unused"]
  /\ owner = [o \in Objects |-> Nobody]
  /\ tag = [o \in Objects |-> 0]
  /\ advance = [a \in Advancers |-> Idle]
  /\ pub = [t \in Threads |-> 0]

---------------------------------------------------------------------------
(* Pinning.                                                                 *)

\* Pin, first half: read the global epoch.
ReadEpoch(t) ==
  /\ ~Pinned(t) /\ seen[t] = 0
  /\ seen' = [seen EXCEPT ![t] = G]
  /\ UNCHANGED <<G, announced, held, entry, status, owner, tag, advance, pub>>

\* Pin, second half: announce the epoch that was read (then a fence).
Announce(t) ==
  /\ seen[t] # 0
  /\ announced' = [announced EXCEPT ![t] = seen[t]]
  /\ pub' = [pub EXCEPT ![t] = G]
  /\ seen' = [seen EXCEPT ![t] = 0]
  /\ UNCHANGED <<G, held, entry, status, owner, tag, advance>>

\* Load the pointer: the thread may use the object from now on.
Acquire(t) ==
  /\ Pinned(t) \/ (Mutation = "announce_after_load" /\ seen[t] # 0)
  /\ entry \notin held[t]
  /\ held' = [held EXCEPT ![t] = @ \cup {entry}]
  /\ UNCHANGED <<G, seen, announced, entry, status, owner, tag, advance, pub>>

\* The thread has used what it holds for the last time.
Unpin(t) ==
  /\ Pinned(t) /\ Mutation # "pin_never_ends"
  /\ \A o \in Objects : status[o] = "unlinked" => owner[o] # t
  /\ t \in Advancers => advance[t].epoch = 0
  /\ announced' = [announced EXCEPT ![t] = 0]
  /\ pub' = [pub EXCEPT ![t] = 0]
  /\ held' = [held EXCEPT ![t] = {}]
  /\ UNCHANGED <<G, seen, entry, status, owner, tag, advance>>

---------------------------------------------------------------------------
(* Retiring.                                                                *)

\* Swap the pointer from the object that the thread holds to a fresh one.
Unlink(t) ==
  /\ t \in Unlinkers
  /\ Pinned(t) /\ entry \in held[t]
  /\ \E fresh \in Objects :
       /\ status[fresh] = "unused"
       /\ entry' = fresh
       /\ status' = [status EXCEPT ![entry] = "unlinked", ![fresh] = "linked"]
       /\ owner' = [owner EXCEPT ![entry] = t]
  /\ UNCHANGED <<G, seen, announced, held, tag, advance, pub>>

\* Put the unlinked object into the thread's open bag.
Retire(t) ==
  \E o \in Objects :
    /\ status[o] = "unlinked" /\ owner[o] = t
    /\ status' = [status EXCEPT ![o] = "bagged"]
    /\ tag' = IF Mutation # "tag_when_bag_opens" THEN tag
              ELSE IF Bag(t) = {} THEN [tag EXCEPT ![o] = G]
              ELSE [tag EXCEPT ![o] = tag[CHOOSE b \in Bag(t) : TRUE]]
    /\ UNCHANGED <<G, seen, announced, held, entry, owner, advance, pub>>

\* Seal the open bag: after each of its objects was unlinked, read G (after a fence) and
\* tag the bag with it.
Tag(t) ==
  LET epoch == IF Mutation = "tag_with_local_epoch" THEN announced[t] ELSE G IN
  /\ Bag(t) # {}
  /\ Mutation = "tag_with_local_epoch" => Pinned(t)
  /\ tag' = IF Mutation = "tag_when_bag_opens" THEN tag
            ELSE [o \in Objects |-> IF o \in Bag(t) THEN epoch ELSE tag[o]]
  /\ status' = [o \in Objects |-> IF o \in Bag(t) THEN "sealed" ELSE status[o]]
  /\ owner' = [o \in Objects |-> IF o \in Bag(t) THEN Nobody ELSE owner[o]]
  /\ UNCHANGED <<G, seen, announced, held, entry, advance, pub>>

\* Free an object whose grace period is over.
Free(o) ==
  /\ status[o] = "sealed" /\ G >= tag[o] + Grace
  /\ status' = [status EXCEPT ![o] = "unused"]
  /\ tag' = [tag EXCEPT ![o] = 0]
  /\ UNCHANGED <<G, seen, announced, held, entry, owner, advance, pub>>

---------------------------------------------------------------------------
(* Advancing the global epoch.                                              *)

\* Read the global epoch; a thread does so under its pin.
AdvanceStart(a) ==
  /\ advance[a].epoch = 0
  /\ a \in Threads => Pinned(a)
  /\ advance' = [advance EXCEPT ![a] = [epoch |-> G, scanned |-> {}]]
  /\ UNCHANGED <<G, seen, announced, held, entry, status, owner, tag, pub>>

\* Does the announcement of t, read now, let advancer a go on?
LetsPass(t, a) ==
  \/ announced[t] = advance[a].epoch
  \/ ~Pinned(t) /\ Mutation # "unpinned_thread_blocks"
  \/ t = a /\ Mutation = "advancer_skips_itself"

\* Read the announcement of one more thread: it does not stand in the way.
Scan(a) ==
  /\ advance[a].epoch # 0
  /\ \E t \in Threads \ advance[a].scanned :
       /\ LetsPass(t, a)
       /\ advance' = [advance EXCEPT ![a].scanned = @ \cup {t}]
  /\ UNCHANGED <<G, seen, announced, held, entry, status, owner, tag, pub>>

\* Read the announcement of one more thread: it announces another epoch. Give up.
ScanBlocked(a) ==
  /\ advance[a].epoch # 0
  /\ \E t \in Threads \ advance[a].scanned : ~LetsPass(t, a)
  /\ advance' = [advance EXCEPT ![a] = Idle]
  /\ UNCHANGED <<G, seen, announced, held, entry, status, owner, tag, pub>>

AllScanned(a) ==
  \/ advance[a].scanned = Threads
  \/ Mutation = "advance_skips_a_thread" /\ \E t \in Threads : advance[a].scanned = Threads \ {t}

\* Swap G from the epoch read to the next.
Commit(a) ==
  /\ advance[a].epoch # 0 /\ AllScanned(a)
  /\ G = advance[a].epoch \/ Mutation \in {"advance_by_add", "advance_by_store"}
  /\ G' = IF Mutation = "advance_by_add" THEN G + 1 ELSE advance[a].epoch + 1
  /\ advance' = [advance EXCEPT ![a] = Idle]
  /\ UNCHANGED <<seen, announced, held, entry, status, owner, tag, pub>>

\* Somebody else has moved G on.
CommitLost(a) ==
  /\ advance[a].epoch # 0 /\ AllScanned(a)
  /\ G # advance[a].epoch /\ Mutation \notin {"advance_by_add", "advance_by_store"}
  /\ advance' = [advance EXCEPT ![a] = Idle]
  /\ UNCHANGED <<G, seen, announced, held, entry, status, owner, tag, pub>>

Advance(a) == AdvanceStart(a) \/ Scan(a) \/ ScanBlocked(a) \/ Commit(a) \/ CommitLost(a)

Next ==
  \/ \E t \in Threads :
       \/ ReadEpoch(t) \/ Announce(t) \/ Acquire(t) \/ Unpin(t)
       \/ Unlink(t) \/ Retire(t) \/ Tag(t)
  \/ \E o \in Objects : Free(o)
  \/ \E a \in Advancers : Advance(a)

Spec == Init /\ [][Next]_vars

---------------------------------------------------------------------------
(* Safety.                                                                  *)

\* Every variable holds what it should.
TypeOK ==
  /\ G \in Nat \ {0}
  /\ \A t \in Threads : seen[t] \in 0 .. G /\ announced[t] \in 0 .. G /\ held[t] \subseteq Objects
  /\ \A t \in Threads : seen[t] = 0 \/ announced[t] = 0
  /\ \A o \in Objects :
       /\ status[o] \in {"unused", "linked", "unlinked", "bagged", "sealed"}
       /\ status[o] = "linked" <=> o = entry
       /\ owner[o] # Nobody <=> status[o] \in {"unlinked", "bagged"}
       /\ tag[o] # 0 => status[o] = "sealed"
  /\ \A a \in Advancers : advance[a].epoch \in 0 .. G /\ advance[a].scanned \subseteq Threads

\* No thread has a pointer to memory that was given back.
NothingHeldIsFreed == \A t \in Threads : \A o \in held[t] : status[o] # "unused"

\* Pointers are held only under a pin.
HeldOnlyWhilePinned == \A t \in Threads : held[t] # {} => Pinned(t)

\* The epoch is at most one past what it was when a pinned thread's announcement became
\* visible, and the announcement is not newer than that.
PinIsRecent ==
  \A t \in Threads : Pinned(t) => announced[t] <= pub[t] /\ pub[t] <= G /\ G <= pub[t] + 1

\* What a thread holds was sealed, if at all, no earlier than the thread announced.
TagIsNotBeforePin ==
  \A t \in Threads : \A o \in held[t] : status[o] = "sealed" => tag[o] >= pub[t]

\* Whoever was scanned for an advance that can still succeed, and is pinned, announced it
\* in the present epoch.
ScannedIsCurrent ==
  \A a \in Advancers : advance[a].epoch = G =>
    \A t \in advance[a].scanned : Pinned(t) => pub[t] = G

\* A thread that is about to move the epoch has pinned in that epoch.
AdvancerIsCurrent ==
  \A a \in Advancers \cap Threads :
    (advance[a].epoch # 0 /\ advance[a].scanned = Threads) =>
      announced[a] = advance[a].epoch /\ pub[a] = announced[a]

\* The global epoch never goes back, and moves by one.
EpochMovesByOne == [][G' \in {G, G + 1}]_G

---------------------------------------------------------------------------
(* Liveness: if pins end, bags are sealed, and somebody keeps advancing and *)
(* freeing, then whatever is unlinked is at some time given back.           *)

Fairness ==
  /\ \A t \in Threads : WF_vars(Unpin(t))
  /\ \A t \in Unlinkers : WF_vars(Retire(t)) /\ WF_vars(Tag(t))
  /\ \A a \in Advancers : WF_vars(Advance(a))
  /\ \A o \in Objects : WF_vars(Free(o))

FairSpec == Spec /\ Fairness

\* The same where advancers are threads: they pin again and again, and try to move the epoch again
\* and again, but not for ever under one pin.
FairPinnedSpec ==
  /\ FairSpec
  /\ \A a \in Advancers : WF_vars(ReadEpoch(a)) /\ WF_vars(Announce(a))
                             /\ SF_vars(AdvanceStart(a)) /\ SF_vars(Unpin(a))

InLimbo(o) == status[o] \in {"unlinked", "bagged", "sealed"}
LimboEnds == \A o \in Objects : InLimbo(o) ~> ~InLimbo(o)
=============================================================================
