"""The checkers of bwtree: each kind of evidence is one subpackage, `bwcheck` runs them.

    tlc              the TLA+ specs, model-checked by TLC
    linearizability  recorded histories of the shipped library, checked completely
    stress           a farm of recorded runs of real threads at full speed

Every part hands back a :class:`model_check.report.Section`; `bwcheck all` puts them
into one summary. A checker that cannot run says so and counts as neither green nor red.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("bwtree")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+uninstalled"

__all__ = ["__version__"]
