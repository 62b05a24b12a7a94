"""ib_async, imported once for all tests of it: its library of events looks for an event loop when
it is imported, and says on some Pythons that there is none."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ib_async = pytest.importorskip(
        "ib_async", reason="Interactive Brokers is tried with the extra logos-trading[ib]"
    )

__all__ = ["ib_async"]
