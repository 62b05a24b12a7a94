"""A session that did next to nothing says so, and defaults trade."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from screen_helpers import table_of
from session_helpers import ListFeed

from logos import session
from logos.config import make_config
from logos.core.instrument import instrument
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.strategy import Answer, Context, Strategy, Weight, limit, market
from logos.core.types import Side
from logos.errors import ConfigError
from logos.library.result import Result
from logos.session.plan import NoFeed, make_plan
from logos.testing.builders import Scripted, bar

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
CACHE = Path(__file__).parents[2] / "data" / "cache"
SYMBOLS = ("ACME", "BTCUSDT", "ETHUSDT", "EURUSD")


class Alternates(Strategy):
    """Buys with a bare side, and sells with one ten events later."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        return self._see()

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return self._see()

    def _see(self) -> Answer:
        self.seen += 1
        turn = self.seen % 20
        return Side.BUY if turn == 5 else Side.SELL if turn == 15 else None


class AllIn(Alternates):
    """Puts all it has into a symbol, and takes it out again."""

    def _see(self) -> Answer:
        self.seen += 1
        turn = self.seen % 100
        return Weight(1) if turn == 5 else Weight(0) if turn == 60 else None


class HearsTrades(Strategy):
    def on_trade(self, context: Context, trade: Trade) -> Answer:
        return None


class Misspelt(Strategy):
    def onbar(self, context: Context, bar: Bar) -> Answer:
        return None


def summary_of(
    home: Path, strategy: Strategy, *symbols: str, **tables: Any
) -> tuple[session.SessionResult, list[str]]:
    """A session on the bundled data: its result, and the lines of its page."""
    config = {
        "session": {"id": "quiet"},
        "data": {"paths": [str(CACHE)], "symbols": list(symbols), "accept": ["gap"]},
        **tables,
    }
    result = session.run(config, strategy=strategy, home=home)
    return result, (result.folder / "session.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.long
@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("kind", [Alternates, AllIn])
def test_a_bare_side_and_a_whole_weight_trade_on_every_bundled_instrument(
    tmp_path: Path, symbol: str, kind: type[Strategy]
) -> None:
    result, _ = summary_of(tmp_path, kind(), symbol)
    assert result.summary["refusals"] == {}
    assert result.summary["fills"] >= 10
    assert result.summary["headline"] == ""


def lived(home: Path, script: dict[int, Answer], **account: Any) -> session.SessionResult:
    config = {
        "session": {"id": "quiet"},
        "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
        **account,
    }
    feed = ListFeed([bar(ACME, number, "10 10 10 10") for number in range(1, 6)])
    return session.run(config, strategy=Scripted(script), feed=feed, home=home)


@pytest.mark.long
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({1: market(Side.BUY, 10**7)}, "1 of 1 requests were refused (INSUFFICIENT_FUNDS 1)"),
        ({1: limit(Side.BUY, 1, 9)}, "its only order was not filled (SESSION_ENDED 1)"),
        (
            {1: [limit(Side.BUY, 1, 9), limit(Side.BUY, 1, 8)]},
            "none of its 2 orders was filled (SESSION_ENDED 2)",
        ),
        ({}, "the strategy asked for nothing"),
        ({1: [Side.BUY, market(Side.BUY, -1)]}, ""),
    ],
)
def test_the_first_line_says_what_came_of_the_orders(
    tmp_path: Path, script: dict[int, Answer], words: str
) -> None:
    result = lived(tmp_path, script, risk={"unlimited": True})
    assert result.exit_code == 0
    page = (result.folder / "session.md").read_text(encoding="utf-8").splitlines()
    ended = f"**ENDED**: all events processed{f'; {words}' if words else ''}"
    assert page[2].replace("\\", "") == ended
    first = table_of(result).splitlines()[0]
    assert first == f"session   quiet   {ended.replace('*', '')}"


@pytest.mark.long
def test_every_code_stands_beside_its_cure(tmp_path: Path) -> None:
    script: dict[int, Answer] = {1: [market(Side.BUY, 10**7), market(Side.BUY, -1)]}
    result = lived(tmp_path, script, risk={"unlimited": True})
    page = (result.folder / "session.md").read_text(encoding="utf-8")
    cures = {
        "INSUFFICIENT_FUNDS": (
            "order less, or raise account.balances; a Weight leaves room for fees by itself"
        ),
        "NEGATIVE_QUANTITY": "say the direction with the side, the quantity is positive",
    }
    assert result.summary["cures"] == cures
    table = table_of(result)
    for code, cure in cures.items():
        assert f"| {code} | 1 | {cure} |" in page.replace("\\", "")
        assert f"refused   {code} 1: {cure}" in table


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Misspelt(), r"hears no event: its onbar is never called: did you mean on_bar\?"),
        (HearsTrades(), r"hears only on_trade, and the data has no such events \(ACME bars\)"),
    ],
)
def test_a_strategy_that_would_hear_nothing_is_refused_before_anything_is_written(
    tmp_path: Path, strategy: Strategy, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        summary_of(tmp_path, strategy, "ACME")
    assert not (tmp_path / "artifacts" / "quiet").exists()


@pytest.mark.long
def test_a_symbol_that_is_not_heard_is_warned_of(tmp_path: Path) -> None:
    result, page = summary_of(tmp_path, HearsTrades(), "ACME", "ETHUSDT")
    words = "the strategy has no on_bar: it hears nothing in this symbol's data"
    assert result.summary["warnings"] == [
        {"code": "UNHEARD_DATA", "symbol": "ACME", "detail": words}
    ]
    assert f"warning   UNHEARD_DATA ACME: {words}" in table_of(result)
    assert any("UNHEARD" in line for line in page)


@pytest.mark.long
def test_a_symbol_without_events_in_the_range_is_warned_of(tmp_path: Path) -> None:
    data = {
        "paths": [str(CACHE)],
        "symbols": ["ACME", "BTCUSDT"],
        "accept": ["gap"],
        "to": "2026-01-05T02:00:00Z",  # before the exchange of ACME opens
    }
    result, _ = summary_of(tmp_path, Alternates(), data=data)
    [warning] = result.summary["warnings"]
    assert (warning["code"], warning["symbol"]) == ("NO_EVENTS", "ACME")


def test_signals_for_other_symbols_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "signals.csv"
    file.write_text("timestamp,symbol,target\n2026-01-05T14:00:00Z,ACNE,1\n")
    config = {
        "strategy": {"signals": str(file)},
        "data": {"paths": [str(CACHE)], "symbols": ["ACME"], "accept": ["gap"]},
    }
    with pytest.raises(ConfigError, match="all of it is for ACNE, and the session trades ACME"):
        session.run(config, home=tmp_path)


@pytest.mark.long
def test_a_result_in_python_says_it_too(tmp_path: Path) -> None:
    result = Result(lived(tmp_path, {1: market(Side.BUY, 10**7)}, risk={"unlimited": True}))
    first, _, refused, *_ = repr(result).splitlines()
    assert "1 of 1 requests were refused (INSUFFICIENT_FUNDS 1)>" in first
    assert refused.startswith("  refused   INSUFFICIENT_FUNDS 1: order less, or raise")


@pytest.mark.parametrize(
    ("kind", "strategy", "words"),
    [
        ("quotes", HearsTrades(), "hears only on_trade.*ACME quotes"),
        ("bars", HearsTrades(), "hears only on_trade.*ACME bars"),
        ("both", HearsTrades(), ""),
        ("trades", Alternates(), "hears only on_bar, on_quote.*ACME trades"),
    ],
)
def test_what_a_live_feed_will_not_deliver_is_known_before_it_begins(
    kind: str, strategy: Strategy, words: str
) -> None:
    config = make_config(
        {
            "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
            "live": {"feed": "ccxt", "exchange": "binance", "kind": kind},
        }
    )
    if words:
        with pytest.raises(ConfigError, match=words):
            make_plan(config, strategy=strategy, feed=NoFeed())
    else:
        assert make_plan(config, strategy=strategy, feed=NoFeed()).notices == []
