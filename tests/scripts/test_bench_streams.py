"""The benchmark's key streams have the distributions they are named for; latencies add up."""

from __future__ import annotations

import ctypes
from collections import Counter
from pathlib import Path

import pytest

from tests.benching import BENCH, compile_shared

# isort: split
import bench_stream

UNIFORM, ZIPF, SCAN, ONCE, FRESH, RANDOM_LOAD, ASCENDING_LOAD, DESCENDING_LOAD = range(8)
CLUSTERED_LOAD, CLUSTERED, HOT, UP, DOWN, FEW, ZIPF_SCAN, LATEST = range(8, 16)
#: Where fresh keys begin: behind all that are loaded.
FRESH_FROM = 1 << 40


class Share(ctypes.Structure):
    _fields_ = (
        ("loaded", ctypes.c_uint64),
        ("seed", ctypes.c_uint64),
        ("thread", ctypes.c_uint),
        ("threads", ctypes.c_uint),
        ("fresh", ctypes.c_uint64),
        ("few", ctypes.c_uint64),
    )


@pytest.fixture(scope="session")
def streams(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = ctypes.CDLL(
        str(compile_shared(BENCH / "stream.c", tmp_path_factory.mktemp("stream") / "stream.so"))
    )
    library.zipf_zeta.restype = ctypes.c_double
    library.zipf_zeta.argtypes = [ctypes.c_uint64, ctypes.c_double]
    return library


def fill(library: ctypes.CDLL, how: int, share: tuple[int, int, int, int], n: int) -> list[int]:
    keys = (ctypes.c_uint64 * n)()
    zipf = (ctypes.c_char * 64)()
    library.zipf_init(zipf, ctypes.c_uint64(share[0]), ctypes.c_double(0.99))
    library.stream_fill(
        keys, ctypes.c_size_t(n), how, ctypes.byref(Share(*share, FRESH_FROM, 10)), zipf
    )
    return list(keys)


def test_the_zeta_sum_is_that_of_its_terms(streams: ctypes.CDLL) -> None:
    for n in (1, 100, 10_000, 300_000):
        exact = sum(i**-0.99 for i in range(1, n + 1))
        assert streams.zipf_zeta(n, 0.99) == pytest.approx(exact, rel=1e-12)


def test_streams_share_out_the_keys_among_threads(streams: ctypes.CDLL) -> None:
    loaded = {bench_stream.splitmix64(i) for i in range(12_000)}
    for how, expected in ((RANDOM_LOAD, loaded), (ASCENDING_LOAD, set(range(12_000)))):
        halves = [fill(streams, how, (12_000, 5, thread, 2), 6000) for thread in (0, 1)]
        assert set(halves[0]) | set(halves[1]) == expected
    once = [key for t in range(3) for key in fill(streams, ONCE, (12_000, 5, t, 3), 4000)]
    assert set(once) == loaded
    fresh = [key for t in range(3) for key in fill(streams, FRESH, (12_000, 5, t, 3), 4000)]
    assert len(set(fresh)) == len(fresh)
    assert not loaded & set(fresh)
    for how in (UNIFORM, ZIPF, SCAN):
        assert loaded.issuperset(fill(streams, how, (12_000, 5, 0, 2), 4000))


def test_zipfian_keys_have_zipfian_frequencies(streams: ctypes.CDLL) -> None:
    n, drawn = 1000, 200_000
    counts = [c for _, c in Counter(fill(streams, ZIPF, (n, 9, 0, 1), drawn)).most_common(2)]
    zeta = sum(i**-0.99 for i in range(1, n + 1))
    # Two ranks may be scrambled onto one key, so a hot key is at least as frequent as its rank.
    assert counts[0] / drawn >= 0.97 / zeta
    assert counts[1] / drawn >= 0.97 / zeta / 2**0.99
    uniform = Counter(fill(streams, UNIFORM, (n, 9, 0, 1), drawn)).most_common(1)[0][1]
    assert uniform / drawn < 0.002


def test_loads_in_other_orders_load_each_key_once(streams: ctypes.CDLL) -> None:
    down = [fill(streams, DESCENDING_LOAD, (12_000, 5, t, 2), 6000) for t in (0, 1)]
    assert down[0] == sorted(down[0], reverse=True)
    assert set(down[0]) | set(down[1]) == set(range(12_000))
    clustered = [
        k for t in (0, 1, 2) for k in fill(streams, CLUSTERED_LOAD, (12_000, 5, t, 3), 4000)
    ]
    assert len(set(clustered)) == 12_000
    runs = Counter(key // 64 for key in clustered)
    assert Counter(runs.values())[64] == 4000 // 64 * 3  # the rest of each thread is a shorter run
    got = fill(streams, CLUSTERED, (12_000, 5, 1, 3), 6400)
    assert set(clustered).issuperset(got)
    assert all(got[i] == got[i - 1] + 1 for i in range(6400) if i % 64)


def test_sorted_streams_are_sorted_and_hot_keys_few(streams: ctypes.CDLL) -> None:
    share = (12_000, 5, 0, 1)
    loaded = {bench_stream.splitmix64(i) for i in range(12_000)}
    up, down = fill(streams, UP, share, 4000), fill(streams, DOWN, share, 4000)
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    hot = fill(streams, HOT, share, 40_000)
    assert loaded.issuperset({*up, *down, *hot})
    ranked = Counter(hot).most_common(121)
    assert 0.88 < sum(n for _, n in ranked) / 40_000 < 0.93
    few = Counter(fill(streams, FEW, share, 4000))
    assert len(few) == 10
    assert loaded.issuperset(few)
    assert max(fill(streams, ZIPF_SCAN, share, 4000)) <= (2**64 - 1) // 10 * 9


def test_latest_keys_are_loaded_or_inserted_before_and_mostly_new(streams: ctypes.CDLL) -> None:
    share = (1000, 5, 1, 2)
    reads, fresh = fill(streams, LATEST, share, 20_000), fill(streams, FRESH, share, 20_000)
    loaded = [bench_stream.splitmix64(i) for i in range(1000)]
    present, newest = set(loaded), 0
    for i, key in enumerate(reads):
        if i % 20 == 19:
            present.add(fresh[i])
            continue
        assert key in present
        newest += i > 20 and key == fresh[i // 20 * 20 - 1]
    assert newest / 20_000 > 0.1  # of rank 0 alone, with 1000 ranks


@pytest.fixture(scope="session")
def latencies(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Give latency.c, with its inline functions under names of their own."""
    folder: Path = tmp_path_factory.mktemp("latency")
    source = folder / "latencies.c"
    source.write_text(
        '#include "latency.c"\n'
        "void add(latency *l, uint64_t ns, uint64_t n) { latency_add(l, ns, n); }\n"
        "unsigned long size(void) { return sizeof(latency); }\n"
    )
    library = ctypes.CDLL(str(compile_shared(source, folder / "latencies.so")))
    library.latency_percentile.restype = ctypes.c_double
    library.size.restype = ctypes.c_ulong
    return library


def test_percentiles_are_within_three_percent(latencies: ctypes.CDLL) -> None:
    histogram = ctypes.create_string_buffer(latencies.size())
    times = [(i * 7919) % 100_000 + 1 for i in range(100_000)]  # each of 1 … 100,000 once
    for ns in times:
        latencies.add(histogram, ctypes.c_uint64(ns), ctypes.c_uint64(1))
    for part in (0.01, 0.5, 0.9, 0.999):
        found = latencies.latency_percentile(histogram, ctypes.c_double(part))
        assert found == pytest.approx(part * 100_000, rel=0.03)
    other = ctypes.create_string_buffer(latencies.size())
    latencies.add(other, ctypes.c_uint64(2**40), ctypes.c_uint64(1))
    latencies.latency_merge(histogram, other)
    assert latencies.latency_percentile(histogram, ctypes.c_double(1.0)) > 2**39
