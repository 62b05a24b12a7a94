"""Where things lie: the project, its tests, and the real recordings beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = TESTS.parent
HELPERS: Final = TESTS / "helpers"
CACHE: Final = PROJECT / "data" / "cache"
MARKET_DATA: Final = Path(
    os.environ.get("LOGOS_MARKET_DATA") or PROJECT.parent / "shared" / "market"
)
"""Real recordings; see LOGOS_MARKET_DATA in CONTRIBUTING.md. They may be absent."""
NO_MARKET_DATA: Final = f"no real market data: {MARKET_DATA} is absent (set LOGOS_MARKET_DATA)"


def required_market_data() -> Path:
    """`MARKET_DATA`; without it skips the test, or fails it under LOGOS_REQUIRE_SERVICES=1."""
    if not MARKET_DATA.is_dir():
        if os.environ.get("LOGOS_REQUIRE_SERVICES") == "1":
            pytest.fail(NO_MARKET_DATA)
        pytest.skip(NO_MARKET_DATA)
    return MARKET_DATA
