"""Where things lie: the project, its tests, and the real recordings beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = TESTS.parent
HELPERS: Final = TESTS / "helpers"
CACHE: Final = PROJECT / "data" / "cache"
MARKET_DATA: Final = Path(
    os.environ.get("LOGOS_MARKET_DATA") or PROJECT.parent / "shared" / "market"
)
"""Real recordings; see LOGOS_MARKET_DATA in CONTRIBUTING.md. They may be absent."""
