"""Keys, values and streams of the Python benchmark, made before the clock starts."""

from __future__ import annotations

from array import array
from typing import NamedTuple

MASK = 2**64 - 1
VALUE_FACTOR = 0x9E6C63D0876A9A47
SCAN_LENGTH = 100
BATCH_LENGTH = 1024


def splitmix64(x: int) -> int:
    """Mix 64 bits; a bijection, the same as the C driver's."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def value_of(key: int) -> int:
    """Give the value that a key is loaded with."""
    return key * VALUE_FACTOR & MASK


class Zipf:
    """Ranks below ``n`` with probability proportional to 1 / (rank+1)^theta (Gray et al., 1994)."""

    def __init__(self, n: int, theta: float = 0.99) -> None:
        """Prepare for ``n`` ranks."""
        zeta = sum(i**-theta for i in range(1, n + 1))
        self._n, self._zeta, self._alpha = n, zeta, 1 / (1 - theta)
        self._second = 1 + 0.5**theta
        self._eta = (1 - (2 / n) ** (1 - theta)) / (1 - self._second / zeta)

    def rank(self, u: float) -> int:
        """Give the rank for a number drawn uniformly from [0, 1)."""
        uz = u * self._zeta
        if uz < 1:
            return 0
        if uz < self._second:
            return 1
        return min(self._n - 1, int(self._n * (self._eta * u - self._eta + 1) ** self._alpha))


class Stream(NamedTuple):
    """What one thread works through: all of it one by one, and the same in batches."""

    keys: list[int]
    values: list[int]
    batches: list[tuple[array[int], array[int]]]

    @classmethod
    def of(cls, keys: list[int], *, batched: bool) -> Stream:
        """Make the stream of the keys and their values."""
        values = [value_of(key) for key in keys]
        batches = []
        for at in range(0, len(keys) if batched else 0, BATCH_LENGTH):
            end = at + BATCH_LENGTH
            batches.append((array("Q", keys[at:end]), array("Q", values[at:end])))
        return cls(keys, values, batches)
