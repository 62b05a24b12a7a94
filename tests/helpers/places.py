"""Where things lie: the project, its tests, and the real recordings beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NoReturn

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


def is_all_required() -> bool:
    """Whether a test fails for want of a service, a tool or data, where it would be skipped."""
    return os.environ.get("LOGOS_REQUIRE_SERVICES") == "1"


def absent(reason: str) -> NoReturn:
    """Skip the test for what is not here, or fail it under LOGOS_REQUIRE_SERVICES=1."""
    if is_all_required():
        pytest.fail(reason)
    pytest.skip(reason)


def required_market_data() -> Path:
    """`MARKET_DATA`; without it skips the test, or fails it under LOGOS_REQUIRE_SERVICES=1."""
    if not MARKET_DATA.is_dir():
        absent(NO_MARKET_DATA)
    return MARKET_DATA
