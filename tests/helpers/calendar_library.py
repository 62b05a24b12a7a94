"""Import this first: a test of exchange calendars is skipped where the library is missing."""

from __future__ import annotations

import pytest

pytest.importorskip(
    "exchange_calendars", reason="calendars are tried with the extra logos-trading[calendars]"
)
