"""Fixtures of the tests of the benchmark."""

from __future__ import annotations

from tests.benching import array_adapter, driver

__all__ = ["array_adapter", "driver"]
