"""Import first: a test of live feeds is skipped, with the reason, where a library is missing."""

from __future__ import annotations

import pytest

for _library, _extra in (("ccxt", "ccxt"), ("aiohttp", "ccxt"), ("yfinance", "yahoo")):
    pytest.importorskip(
        _library, reason=f"live feeds are tried with the extra logos-trading[{_extra}]"
    )
