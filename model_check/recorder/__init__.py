"""The recorder: real threads at full speed on the shipped library, every call written down.

``options``  the tree's options and the workload, as plain data
``run``      threads on a tree, round after round
``history``  what was recorded
``file``     saving and loading it; docs/history-format.md

The C side beside these files does the work: run.h is where to begin.
"""

from model_check.recorder.file import HistoryFileError, load, save
from model_check.recorder.history import History, Lane, Pair, Record
from model_check.recorder.native import Kind, Status
from model_check.recorder.options import MIXES, Distribution, Tree, TreeOptions, Workload
from model_check.recorder.run import Overhead, Request, Run, RunFailed, measure_overhead

__all__ = [
    "MIXES",
    "Distribution",
    "History",
    "HistoryFileError",
    "Kind",
    "Lane",
    "Overhead",
    "Pair",
    "Record",
    "Request",
    "Run",
    "RunFailed",
    "Status",
    "Tree",
    "TreeOptions",
    "Workload",
    "load",
    "measure_overhead",
    "save",
]
