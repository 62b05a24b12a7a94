"""Import this first: a test of venues is skipped, with the reason, where a library is missing."""

from __future__ import annotations

import pytest

for _extra, _library in (("ccxt", "ccxt"), ("ccxt", "aiohttp"), ("alpaca", "alpaca")):
    pytest.importorskip(_library, reason=f"venues are tried with the extra logos-trading[{_extra}]")
