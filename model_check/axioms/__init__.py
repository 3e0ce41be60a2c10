"""What C11 programs may do, by the axioms: the second opinion that the explorer is compared with.

The explorer *runs* programs: threads take steps, loads choose among the stores they may see. This
package never runs anything. It takes a litmus test, a handful of statements a thread, and asks z3
for every *execution graph* that the axioms of a memory model allow: who reads from whom (rf), in
which order the stores of a location come (mo). Two views of one model that have no line in common,
so where they agree on the outcomes of a test, neither is likely to be wrong.

In the order of reading:

- `litmus`: the notation of tests, `x.rel = 1` and `a = x.acq`, and what a test promises.
- `candidates`: a test as events with solver variables: the graphs before any axiom.
- `axioms`: SC and RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017), one axiom a function.
- `outcomes`: all outcomes of a test under a model, and whether it has a data race.
- `gold`: the tests, each with its outcomes written down beforehand.
- `exhaustive`, `interleavings`: a third opinion, in plain Python: all graphs one by one, and for
  SC all interleavings.
- `program`: a test as a C11 program for the explorer.
"""
