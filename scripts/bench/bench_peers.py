"""`make bench-peers`: install and build the indexes that the tree is measured beside.

They come from packages: C and C++ libraries from the system's, crates through Cargo, Java's map
with the JDK, Python's into an environment of their own. Each passes the driver's check
before it counts as built. What cannot be had is said in a sentence and left out: exit status 0, or
2 if there is no peer at all.

    python scripts/bench/bench_peers.py                      install what is missing, build, check
    python scripts/bench/bench_peers.py --no-install         only build what is there
    python scripts/bench/bench_peers.py --only lmdb,congee
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import bench_native
import typer
from bench_native import HERE, ROOT
from bench_report import Wrong
from rich.table import Table

from model_check.console import diagnostics, output
from model_check.report import CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PEERS = ROOT / "build" / "bench" / "peers"
_SOURCES = HERE / "peers"
_CANNOT = 2
#: A registry that does not answer must not keep the others waiting for ever.
_PATIENCE = 1200


@dataclass(frozen=True)
class Peer:
    """An index from a package; ``package`` as its registry names it, ``file`` under build/."""

    name: str
    kind: str  # "C++", "crate", "Java" or "Python"
    package: str
    file: str

    @property
    def path(self) -> Path:
        """What the driver is given once it is built."""
        return PEERS / self.file


def _crate(name: str, package: str, library: str) -> Peer:
    return Peer(name, "crate", package, f"rust/release/lib{library}.so")


def _native(name: str, package: str) -> Peer:
    return Peer(name, "C++", package, f"native/{name}.so")


#: In the order in which they are shown.
ALL = {
    peer.name: peer
    for peer in (
        _native("absl_btree", "libabsl-dev"),
        _native("tbb_map", "libtbb-dev"),
        _native("lmdb", "liblmdb-dev"),
        _native("rocksdb", "librocksdb-dev"),
        _native("rocksdb_flushed", "librocksdb-dev"),
        _native("leveldb", "libleveldb-dev"),
        _crate("crossbeam_skiplist", "crossbeam-skiplist", "crossbeam_skiplist"),
        _crate("scc_treeindex", "scc", "scc_treeindex"),
        _crate("congee", "congee", "congee_art"),
        _crate("bf_tree", "bf-tree", "bf_tree_map"),
        Peer("java_skiplist", "Java", "default-jdk-headless", "java/SkipListBench.class"),
        Peer("btrees", "Python", "BTrees", "python/peers/btrees"),
        Peer("lmdb_python", "Python", "lmdb", "python/peers/lmdb"),
        Peer("rocksdict", "Python", "rocksdict", "python/peers/rocksdict"),
    )
}


def built_native() -> dict[str, str]:
    """Give the peers of the C driver that are built: name and what the driver is given."""
    return {
        peer.name: str(peer.path)
        for peer in ALL.values()
        if peer.kind != "Python" and peer.path.is_file()
    }


def python_of_peers() -> Path:
    """Give the Python of the environment that has the Python peers; it may not be there."""
    return PEERS / "python" / "bin" / "python"


def built_python() -> dict[str, str]:
    """Give the Python peers that are installed: container and its Python."""
    names = (peer.name for peer in ALL.values() if peer.kind == "Python" and peer.path.is_file())
    return dict.fromkeys(names, str(python_of_peers()))


def chosen(names: str, built: Mapping[str, str]) -> tuple[str, ...]:
    """Choose among the built peers by ``all``, ``none``, or names with commas."""
    if names == "none" or (names == "built" and not built):
        return ()
    if not built:
        message = "no peers are built: run `make bench-peers`, or measure without: --peers none"
        raise CannotRun(message)
    if names in {"all", "built"}:
        return tuple(built)
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in built:
            there = ", ".join(built)
            message = f"--peers: {name!r} is not built; there are {there} (see `make bench-peers`)"
            raise CannotRun(message)
    return tuple(name for name in built if name in asked)


def _quietly(command: Sequence[str], folder: Path | None = None) -> str | None:
    """Run a command; None, or, if it failed, the last line that it said."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {_PATIENCE} s"
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "e:"))]
    return (errors or lines or [f"exit status {done.returncode}"])[-1]


def _install_system(packages: Iterable[str]) -> dict[str, str]:
    """Install Debian's packages, one by one; give a sentence for each that could not be."""
    missing: dict[str, str] = {}
    for package in dict.fromkeys(packages):
        if shutil.which("apt-get") is None:
            missing[package] = f"apt-get was not found: install what {package} is elsewhere"
        elif os.geteuid() != 0:
            missing[package] = f"only root may install it: apt-get install {package}"
        else:
            install = ["apt-get", "install", "-y", "--no-install-recommends", package]
            problem = _quietly(install)
            if problem is not None:
                missing[package] = f"apt-get install {package}: {problem}"
    return missing


def _build_native(peers: Sequence[Peer], *, install: bool) -> dict[str, str]:
    folder = PEERS / "native"
    cmake = bench_native.tool("cmake")
    configure = [cmake, "-S", str(_SOURCES), "-B", str(folder)]
    if not (folder / "CMakeCache.txt").is_file():
        configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={bench_native.tool('ninja')}"]
    said: dict[str, str] = {}
    for attempt in range(2):
        done = subprocess.run(configure, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return {peer.name: "no C++ compiler (c++) was found" for peer in peers}
        lost = [peer for peer in peers if f"peer {peer.name}: missing" in done.stdout]
        if not lost or not install or attempt == 1:
            break
        said = _install_system(peer.package for peer in lost)
    problems = {peer.name: said.get(peer.package, f"{peer.package} is missing") for peer in lost}
    for peer in peers:
        if peer not in lost:
            problem = _quietly([cmake, "--build", str(folder), "--target", peer.name])
            if problem is not None:
                problems[peer.name] = f"it could not be built: {problem}"
    return problems


def _build_crates(peers: Sequence[Peer], *, install: bool) -> dict[str, str]:
    cargo = shutil.which("cargo")
    if cargo is None:
        return {peer.name: "cargo was not found: install Rust" for peer in peers}
    problems: dict[str, str] = {}
    for peer in peers:
        member = peer.path.stem.removeprefix("lib")
        build = [cargo, "build", "--release", "--locked", "-p", member]
        build += ["--target-dir", str(PEERS / "rust"), *([] if install else ["--offline"])]
        problem = _quietly(build, _SOURCES / "rust")
        if problem is not None:
            problems[peer.name] = f"cargo build -p {member}: {problem}"
    return problems


def _build_java(peers: Sequence[Peer], *, install: bool) -> dict[str, str]:
    del install  # a JDK is large, and may be there under another name: it is for the user to choose
    if shutil.which("javac") is None or shutil.which("java") is None:
        return {peer.name: "javac was not found: install a JDK of 17 or later" for peer in peers}
    source = _SOURCES / "java" / "SkipListBench.java"
    problem = _quietly(["javac", "-d", str(PEERS / "java"), str(source)])
    return {} if problem is None else {peer.name: f"javac: {problem}" for peer in peers}


def _build_python(peers: Sequence[Peer], *, install: bool) -> dict[str, str]:
    python = python_of_peers()
    if install and not python.is_file():
        _quietly([sys.executable, "-m", "venv", str(PEERS / "python")])
    if not python.is_file():
        return dict.fromkeys((peer.name for peer in peers), "its environment is not there")
    lines = (_SOURCES / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.split("==")[0]: line for line in lines if "==" in line}
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    problems: dict[str, str] = {}
    for peer in peers:
        problem = _quietly([*pip, pins[peer.package]]) if install else None
        check = [str(python), str(HERE / "bench_python.py"), "--container", peer.name, "--check"]
        problem = problem or _quietly(check)
        if problem is None:
            peer.path.parent.mkdir(parents=True, exist_ok=True)
            peer.path.touch()
        else:
            peer.path.unlink(missing_ok=True)
            problems[peer.name] = problem
    return problems


_BUILDERS: dict[str, Callable[..., dict[str, str]]] = {
    "C++": _build_native,
    "crate": _build_crates,
    "Java": _build_java,
    "Python": _build_python,
}


def _check(driver: bench_native.Driver, peer: Peer) -> str | None:
    """Let the driver check a peer; None, or what is wrong with it."""
    if not peer.path.is_file():
        return "it was not built"
    try:
        bench_native.check_adapters(driver, [str(peer.path)], lambda: None)
    except (Wrong, CannotRun) as error:
        peer.path.unlink()
        return str(error).splitlines()[0]
    return None


def _show(peers: Sequence[Peer], problems: Mapping[str, str]) -> None:
    table = Table(title="peers of the benchmark", title_justify="left", highlight=False)
    for column in ("peer", "kind", "package", "state"):
        table.add_column(column)
    for peer in peers:
        state = problems.get(peer.name, "built, answers right")
        style = "yellow" if peer.name in problems else "green"
        table.add_row(peer.name, peer.kind, peer.package, f"[{style}]{state}[/]")
    output().print(table)


app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def main(
    *,
    install: Annotated[bool, typer.Option(help="Install packages that are missing.")] = True,
    only: Annotated[str | None, typer.Option(help="Names of peers, with commas [all].")] = None,
) -> None:
    """Install and build the peers of the benchmark; say what could not be had."""
    names = list(ALL) if only is None else [name.strip() for name in only.split(",")]
    unknown = [name for name in names if name not in ALL]
    if unknown:
        there = ", ".join(ALL)
        diagnostics().print(f"bench-peers: there is no peer {unknown[0]!r}; there are {there}")
        raise typer.Exit(_CANNOT)
    peers = [ALL[name] for name in names]
    problems: dict[str, str] = {}
    try:
        driver = bench_native.build(ROOT / "build" / "bench" / "driver", ROOT)
        for kind, build in _BUILDERS.items():
            of_kind = [peer for peer in peers if peer.kind == kind]
            if of_kind:
                with diagnostics().status(f"peers of kind {kind} …"):
                    problems |= build(of_kind, install=install)
    except CannotRun as error:
        diagnostics().print(f"bench-peers: {error}", style="yellow", markup=False)
        raise typer.Exit(_CANNOT) from error
    for peer in peers:
        if peer.kind != "Python" and peer.name not in problems:
            problem = _check(driver, peer)
            if problem is not None:
                problems[peer.name] = problem
    _show(peers, problems)
    if len(problems) == len(peers):
        diagnostics().print("bench-peers: none of them could be had: see above", style="yellow")
        raise typer.Exit(_CANNOT)


if __name__ == "__main__":
    app()
