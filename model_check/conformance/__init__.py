"""Spec and code are one protocol: traces of the code are behaviours of the specs.

`trace` reads what the engine tells of itself (impl/src/event.h), from the explorer (`record`) or
from real threads (`threads`, put in order by `order`); `epochs` and `delta_log` turn it into
traces for the modules of spec/ whose names begin with Trace, which `validate` gives to TLC.
`corrupt` and `mutants` are what must be rejected.
"""
