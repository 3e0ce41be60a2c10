"""Peers that cannot be had are a sentence each; those that are asked for by name must be built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model_check.report import CannotRun
from tests.benching import BENCH, run_script

# isort: split
import bench_native
import bench_peers
import bench_plan
from bench_peers import ALL


def test_peers_are_chosen_by_name_among_those_that_are_built() -> None:
    built = {"lmdb": "lmdb.so", "congee": "congee.so"}
    assert bench_peers.chosen("all", built) == ("lmdb", "congee")
    assert bench_peers.chosen("built", {}) == ()
    assert bench_peers.chosen("none", built) == ()
    assert bench_peers.chosen("congee", built) == ("congee",)
    with pytest.raises(CannotRun, match=r"'rocksdb' is not built; there are lmdb, congee"):
        bench_peers.chosen("congee,rocksdb", built)
    for names in ("all", "lmdb"):
        with pytest.raises(CannotRun, match="no peers are built: run `make bench-peers`"):
            bench_peers.chosen(names, {})


def test_every_peer_has_its_pin_or_its_source() -> None:
    pins = (BENCH / "peers" / "requirements.txt").read_text(encoding="utf-8")
    native = (BENCH / "peers" / "CMakeLists.txt").read_text(encoding="utf-8")
    for peer in ALL.values():
        if peer.kind == "Python":
            assert f"{peer.package}==" in pins
        elif peer.kind == "C++":
            assert f"peer({peer.name} " in native
        elif peer.kind == "crate":
            manifest = (BENCH / "peers" / "rust" / peer.name / "Cargo.toml").read_text("utf-8")
            assert f'{peer.package} = "=' in manifest
            assert f'name = "{peer.path.stem.removeprefix("lib")}"' in manifest


def test_tools_that_are_not_there_are_a_sentence_for_each_peer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bench_peers, "PEERS", tmp_path)
    expected = {
        "congee": "cargo was not found: install Rust",
        "java_skiplist": "javac was not found: install a JDK of 17 or later",
        "btrees": "its environment is not there",
    }
    for name, sentence in expected.items():
        peer = ALL[name]
        said = bench_peers._BUILDERS[peer.kind]([peer], install=False)
        assert said == {name: sentence}
    said = bench_peers._install_system(["libtbb-dev"])
    assert "apt-get was not found" in said["libtbb-dev"]


def test_only_root_is_made_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "apt-get"
    tool.write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = bench_peers._install_system(["liblmdb-dev"])
    assert said == {"liblmdb-dev": "only root may install it: apt-get install liblmdb-dev"}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said = bench_peers._install_system(["liblmdb-dev"])
    assert said["liblmdb-dev"].endswith("E: Unable to locate package")


def test_an_unknown_peer_is_named() -> None:
    done = run_script("bench_peers.py", "--only", "lmdb,nix")
    assert done.returncode == 2
    assert "there is no peer 'nix'; there are absl_btree" in " ".join(done.stderr.split())


def test_a_peer_that_answers_wrongly_does_not_count_as_built(
    driver: bench_native.Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_peers, "PEERS", tmp_path)
    peer = ALL["lmdb"]
    assert bench_peers._check(driver, peer) == "it was not built"
    peer.path.parent.mkdir()
    peer.path.write_text("not a shared object")
    assert str(bench_peers._check(driver, peer)).startswith("cannot load the adapter")
    assert not peer.path.exists()


def test_workloads_are_chosen_by_name_and_by_set() -> None:
    known = {"load_random": "", "ycsb_a": "", "contend_1": "", "contend_10": "", "contend_1000": ""}
    chosen = bench_plan.workloads_of("contention,ycsb_a", known)
    assert chosen == ("ycsb_a", "contend_1", "contend_10", "contend_1000")
    assert bench_plan.workloads_of("all", known) == tuple(known)
    with pytest.raises(CannotRun, match=r"there is no 'fly'; there are load_random.*the sets core"):
        bench_plan.workloads_of("ycsb_a,fly", known)


def test_sets_name_workloads_of_the_driver(driver: bench_native.Driver) -> None:
    for names in bench_plan.SETS.values():
        assert set(names) <= driver.workloads.keys()


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK")
def test_java_does_the_workloads_of_the_driver(tmp_path: Path) -> None:
    source = BENCH / "peers" / "java" / "SkipListBench.java"
    subprocess.run(["javac", "-d", str(tmp_path), str(source)], check=True)
    adapter = str(tmp_path / "SkipListBench.class")
    driver = bench_native.Driver(Path(sys.executable), {}, {}, {"get_zipf": "load_random"})
    job = bench_native.Job(adapter, 2, 0, ("get_zipf",), 20000, 10000, seed=1)
    found = bench_native.run_job(driver, job, lambda: None)
    assert [one.workload for one in found] == ["load_random", "get_zipf"]
    assert found[0].own_bytes
