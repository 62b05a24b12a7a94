"""What a session's bars are made of is chosen before it begins, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logos.config import ConfigError, make_config
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy
from logos.session.bars.sources import choose_sources, live_kinds
from logos.session.plan import make_plan

M, H = 60_000_000_000, 3_600_000_000_000


class Minutes(Strategy):
    timeframes = ("5m", "1h")

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return None


class Plain(Strategy):
    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return None


@pytest.mark.parametrize(
    ("kinds", "source"),
    [
        ({"bars": M, "quote_bars": M, "trades": 0, "quotes": 0}, "bars"),
        ({"bars": H, "quote_bars": M}, "quote_bars"),
        ({"bars": 2 * M, "trades": 0, "quotes": 0}, "trades"),
        ({"quotes": 0}, "quotes"),
    ],
)
def test_the_first_kind_that_is_fine_enough_feeds_the_timeframes(
    kinds: dict[str, int], source: str
) -> None:
    assert choose_sources(Minutes(), {"ONE": kinds}) == {"ONE": source}


def test_data_that_no_timeframe_can_be_made_of_is_refused_by_name() -> None:
    words = "timeframes: ONE has bars of 1h and 2m only, of which no bar of 5m can be made"
    with pytest.raises(ConfigError, match=words):
        choose_sources(Minutes(), {"ONE": {"bars": H, "quote_bars": 2 * M}})


def test_without_timeframes_trade_bars_feed_a_strategy_that_has_both_kinds() -> None:
    both = {"ONE": {"bars": M, "quote_bars": M}, "TWO": {"quote_bars": M}}
    assert choose_sources(Plain(), both) == {"ONE": "bars"}
    assert choose_sources(Strategy(), both) == {}


@pytest.mark.parametrize(
    ("live", "kinds"),
    [
        ({"feed": "yahoo", "interval": "5m"}, {"bars": 5 * M}),
        ({"feed": "ccxt", "exchange": "kraken", "kind": "bars"}, {"bars": M}),
        ({"feed": "ccxt", "exchange": "kraken", "kind": "both"}, {"trades": 0, "quotes": 0}),
        ({"feed": "mt5", "kind": "quotes"}, {"quotes": 0}),
        ({"feed": "replay"}, None),
    ],
)
def test_a_live_feed_says_in_its_settings_what_it_delivers(live: Any, kinds: Any) -> None:
    found = live_kinds(make_config({"live": live}), ["ONE"])
    assert found == ({} if kinds is None else {"ONE": kinds})


def test_a_plan_refuses_what_the_strategy_cannot_have(tmp_path: Path) -> None:
    data = tmp_path / "ONE_1h.csv"
    rows = [f"2026-01-05T{hour:02}:00:00Z,10,11,9,10,5" for hour in range(3)]
    data.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")
    config = make_config(
        {
            "data": {"paths": [str(data)]},
            "instruments": {"ONE": {"tick": "0.01", "lot": "1", "quote": "USD"}},
        }
    )
    with pytest.raises(ConfigError, match="no bar of 5m can be made"):
        make_plan(config, strategy=Minutes())
    wrong = type("Wrong", (Plain,), {"timeframes": ["90m"]})
    assert make_plan(config, strategy=type("Hourly", (Plain,), {"timeframes": ["2h"]})())
    with pytest.raises(ConfigError, match="strategy Wrong: timeframes: '90 m'"):
        make_plan(config, strategy=type("Wrong", (Plain,), {"timeframes": ["90 m"]})())
    with pytest.raises(ConfigError, match="no bar of 90m"):
        make_plan(config, strategy=wrong())


def test_a_strategy_that_hears_bars_alone_hears_them_in_data_of_quotes(tmp_path: Path) -> None:
    data = tmp_path / "ONE_quotes.csv"
    rows = [f"2026-01-05T00:00:{second:02}Z,10,11,5,5" for second in range(3)]
    data.write_text("\n".join(["timestamp,bid,ask,bid_size,ask_size", *rows]) + "\n")
    config = make_config(
        {
            "data": {"paths": [str(data)]},
            "instruments": {"ONE": {"tick": "0.01", "lot": "1", "quote": "USD"}},
        }
    )
    assert make_plan(config, strategy=Minutes()).bar_sources == {"ONE": "quotes"}
    with pytest.raises(ConfigError, match="on_bar"):
        make_plan(config, strategy=Plain())
