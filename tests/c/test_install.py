"""What `cmake --install` leaves: users find it by CMake and by pkg-config, and see only the API."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.building import ROOT, built, run

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
#include <bwtree.h>
#include <stdio.h>

int main(void)
{
    bw_tree *tree;
    uint64_t value = 0;
    if (bw_open(NULL, &tree) != BW_OK || bw_put(tree, 1, 42, NULL) != BW_OK ||
        bw_get(tree, 1, &value) != BW_OK)
        return 1;
    printf("%s %d\\n", bw_version(), (int)value);
    return bw_free(tree) == BW_OK ? 0 : 1;
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.21)
project(user LANGUAGES C)
find_package(bwtree 0.1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user bwtree::bwtree)
add_executable(user_static user.c)
target_link_libraries(user_static bwtree::bwtree_static)
"""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder into which the release build was installed."""
    folder = tmp_path_factory.mktemp("prefix")
    build = built("release")
    run("cmake", "--install", build, "--prefix", folder)
    # The file for pkg-config names the prefix of configuration; a packager passes the true one.
    pc = next(folder.rglob("bwtree.pc"))
    pc.write_text(re.sub(r"^prefix=.*$", f"prefix={folder}", pc.read_text(), flags=re.MULTILINE))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a folder with a program that uses the library."""
    (tmp_path / "user.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    return tmp_path


def test_a_cmake_project_finds_the_package_and_links_both_libraries(
    prefix: Path, source: Path
) -> None:
    run("cmake", "-S", source, "-B", source / "build", "-G", "Ninja", f"-Dbwtree_ROOT={prefix}")
    run("cmake", "--build", source / "build")
    for program in ("user", "user_static"):
        assert run(source / "build" / program) == "0.1.0 42\n"


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not installed")
def test_pkg_config_gives_flags_that_compile_and_link(
    prefix: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = next(prefix.rglob("pkgconfig"))
    monkeypatch.setenv("PKG_CONFIG_PATH", str(libraries))
    flags = run("pkg-config", "--cflags", "--libs", "bwtree").split()
    run("cc", "user.c", "-o", "user", *flags, f"-Wl,-rpath,{libraries.parent}", cwd=source)
    assert run(source / "user") == "0.1.0 42\n"


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_the_shared_library_shows_the_functions_of_the_header_and_nothing_else(
    prefix: Path,
) -> None:
    library = next(prefix.rglob("libbwtree.so"))
    shown = {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}
    header = (ROOT / "impl/include/bwtree.h").read_text()
    declared = set(re.findall(r"^BW_API [^;(]*?(bw_\w+)\(", header, flags=re.MULTILINE))
    assert len(declared) > 30
    assert shown == declared


def test_the_header_compiles_as_c_and_as_cplusplus_without_a_warning(tmp_path: Path) -> None:
    strict = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only")
    include = f"-I{ROOT / 'impl/include'}"
    compilers = [("gcc", "c11", "c"), ("clang", "c11", "c"), ("g++", "c++11", "cc")]
    tried = 0
    for compiler, standard, ending in compilers:
        if shutil.which(compiler) is None:
            continue
        tried += 1
        file = tmp_path / f"user.{ending}"
        file.write_text("#include <bwtree.h>\n")
        run(compiler, f"-std={standard}", *strict, include, file)
    assert tried
