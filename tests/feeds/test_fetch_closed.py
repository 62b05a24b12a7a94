"""`logos data fetch`: what ends a history, and which of its last bars are closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fetch_helpers import fetched, replayed_bars
from live_helpers import OPENS_NS, listed, minute_bars, run, world, yahoo_minutes

from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.errors import DataError

# What yfinance itself does with pandas is not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:yfinance"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


def test_a_span_that_yahoo_does_not_keep_ends_the_fetch_with_its_words(tmp_path: Path) -> None:
    async def work() -> None:
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30))) as there:
            await there.exchange.advance_to(OPENS_NS + 40 * NS_PER_DAY)
            settings = {
                "source": "yahoo",
                "exchange": "",
                "markets": {"SPY": "SPY"},
                "cache_dir": tmp_path / "cache",
            }
            words = "Yahoo says of 'SPY': 1m data not available .* within the last 30 days"
            with pytest.raises(DataError, match=words):
                await fetched(there, tmp_path / "out", **settings)
            assert not (tmp_path / "out").exists()

    run(work())


@pytest.mark.long
def test_a_clock_of_ours_that_is_ahead_writes_no_open_bar(tmp_path: Path) -> None:
    """Neither of Yahoo, nor of an exchange that has no question for its time."""

    async def work() -> None:
        now_ns = OPENS_NS + 200 * NS_PER_SECOND
        spans = {"since_ns": OPENS_NS, "until_ns": now_ns + NS_PER_DAY}
        async with world(listed("SPY", yahoo_minutes(OPENS_NS, 30)), minute_bars(24 * 60)) as there:
            await there.exchange.advance_to(now_ns)
            there.clock.set_ns(now_ns + 50 * NS_PER_SECOND)
            yahoo = {"source": "yahoo", "exchange": "", "markets": {"SPY": "SPY"}}
            cache = {"cache_dir": tmp_path / "cache"}
            [path, _], _ = await fetched(there, tmp_path / "out", **yahoo, **cache, **spans)
            assert len(replayed_bars(path)) == 3
            [path, _], _ = await fetched(there, tmp_path / "more", **spans)
            assert len(replayed_bars(path)) == 3

    run(work())
