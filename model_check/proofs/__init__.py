"""Proofs for any number of threads, pages and epochs, by z3.

The parts of the protocol as transition systems in first-order logic over sorts of any size
(`system`), with an inductive invariant each: `epochs`, `delta_log`, `structure`. `queries` asks
z3, in parallel, and `table` prints why a query fails. `agreement` shows that a system is the TLA+
module that it stands for. `search` is about the C code's search of one page, bit by bit.
docs/proofs.md says what is proved, and what is not.
"""
