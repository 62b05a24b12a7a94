"""What a position is valued at: by the rule of its instrument, exactly, and limits follow."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from session_helpers import ListFeed, session_config

from logos import session
from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Event
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import market
from logos.core.types import Code, MarkRule, Side
from logos.library.instruments import instrument_settings, instrument_table
from logos.session.build import make_instruments
from logos.testing.builders import (
    Scripted,
    bar,
    fee_schedule,
    guards_in,
    quote,
    run,
    trade,
    trading_core,
)


def marked(rule: MarkRule, tick: str = "0.01") -> Instrument:
    made = instrument(
        "X", tick=tick, lot="1", quote="USD", settlement="margin", fees=fee_schedule(decimals=2)
    )
    made.mark = rule
    return made


def equity(core: TradingCore) -> Fraction:
    ledger = core.order_manager.account.ledgers[0]
    ledger.check()
    return Fraction(ledger.equity, 10**ledger.decimals)


@pytest.mark.parametrize(
    ("rule", "long", "short"),
    [
        (MarkRule.BID_ASK, "-0.05", "-0.05"),
        (MarkRule.MID, "-0.025", "-0.025"),
        (MarkRule.LAST, "-0.04", "-0.01"),
    ],
)
def test_a_position_is_worth_its_mark(rule: MarkRule, long: str, short: str) -> None:
    for side, profit in ((Side.BUY, long), (Side.SELL, short)):
        traded = marked(rule)
        core = trading_core(Scripted({1: market(side, 1)}), traded)
        events = [quote(traded, 1, "10.00", "10.05"), quote(traded, 2, "10.00", "10.05")]
        run(core, [*events, trade(traded, 3, "10.01")])
        assert equity(core) - 1_000_000 == Fraction(profit)


def test_before_the_first_trade_the_last_price_is_what_would_close() -> None:
    traded = marked(MarkRule.LAST)
    core = trading_core(Scripted({1: market(Side.BUY, 1)}), traded)
    run(core, [quote(traded, 1, "10.00", "10.05"), quote(traded, 2, "10.00", "10.05")])
    assert equity(core) - 1_000_000 == Fraction("-0.05")


def test_quotes_move_no_mark_that_is_the_last_trade() -> None:
    traded = marked(MarkRule.LAST)
    core = trading_core(Scripted({2: market(Side.BUY, 1)}), traded)
    first: list[Event] = [bar(traded, n, "10 10 10 10") for n in (1, 2, 3)]
    later_ns = first[-1].ts_ns + 1
    quotes: list[Event] = [
        quote(traded, later_ns, "7.00", "7.05"),
        quote(traded, later_ns, "6", "6.05"),
    ]
    core.start(first[0].ts_ns)
    for event in [*first, *quotes]:
        core.step(event)
    assert equity(core) == 1_000_000
    core.step(bar(traded, 10, "9 9 9 9.5"))
    assert equity(core) - 1_000_000 == Fraction("-0.5")


def test_a_limit_on_losses_follows_the_mark() -> None:
    def guards(rule: MarkRule) -> list[Code]:
        traded = marked(rule)
        core = trading_core(Scripted({1: market(Side.BUY, 10)}), traded, max_drawdown="20")
        wide = [quote(traded, n, "10", "13") for n in (2, 3)]
        records = run(core, [quote(traded, 1, "12.99", "13"), *wide])
        return [code for code, _ in guards_in(records)]

    assert guards(MarkRule.BID_ASK) == [Code.MAX_DRAWDOWN]
    assert guards(MarkRule.MID) == []


def test_a_trade_that_is_the_mark_trips_a_limit_beside_quotes() -> None:
    traded = marked(MarkRule.LAST)
    core = trading_core(Scripted({1: market(Side.BUY, 10)}), traded, max_drawdown="20")
    events = [quote(traded, n, "13", "13") for n in (1, 2)]
    records = run(core, [*events, trade(traded, 3, "10.99")])
    assert guards_in(records)[0][0] is Code.MAX_DRAWDOWN


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.tuples(some.integers(1, 500), some.integers(0, 9)), min_size=2, max_size=12),
    some.lists(some.integers(-3, 3), min_size=12, max_size=12),
)
def test_the_middle_is_exact_at_every_event(
    prices: list[tuple[int, int]], wishes: list[int]
) -> None:
    traded = marked(MarkRule.MID)
    script = {
        n + 1: market(Side.BUY if wish > 0 else Side.SELL, abs(wish))
        for n, wish in enumerate(wishes)
        if wish
    }
    core = trading_core(Scripted(script), traded)
    cash, position = Fraction(1_000_000), 0
    wish = 0
    for number, (bid, spread) in enumerate(prices, start=1):
        ask = bid + spread
        core.step(quote(traded, number, str(Decimal(bid) / 100), str(Decimal(ask) / 100)))
        cash -= wish * Fraction(ask if wish > 0 else bid, 100)
        position += wish
        assert equity(core) == cash + position * Fraction(bid + ask, 200)
        wish = wishes[number - 1]


def test_a_mark_survives_a_snapshot() -> None:
    def fresh() -> tuple[TradingCore, Instrument]:
        traded = marked(MarkRule.LAST)
        return trading_core(Scripted({1: market(Side.BUY, 1)}), traded), traded

    core, traded = fresh()
    events: list[Event] = [quote(traded, n, "10.00", "10.05") for n in (1, 2)]
    core.start(1)
    for event in [*events, trade(traded, 3, "10.01")]:
        core.step(event)
    other, _ = fresh()
    restore_core(other, save_core(core))
    for each in (core, other):
        each.step(quote(traded, 4, "9.00", "9.05"))
    assert equity(other) == equity(core)


@pytest.mark.long
def test_a_session_says_its_marks_and_verify_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    config = session_config(session={"id": "mid", "sample_interval_s": 60})
    config["risk"] = {"max_order_share": "0.9", "total": {"max_gross_share": "2"}}
    config["instruments"]["ACME"]["mark"] = "mid"
    acme = instrument("ACME", tick="0.01", lot="1", quote="USD")
    minute = 60 * 10**9
    events = [
        quote(acme, n * minute, f"{100 + n % 3}.00", f"{100 + n % 3}.05") for n in range(1, 41)
    ]
    script = {n: market(Side.BUY if n % 8 else Side.SELL, 3) for n in range(2, 30, 2)}
    result = session.run(config, strategy=Scripted(script), feed=ListFeed(events))
    assert verify(result.folder).findings == []
    assert result.summary["symbols"]["ACME"]["mark"].endswith(".025")
    text = (result.folder / "positions.csv").read_text(encoding="utf-8")
    assert ".025," in text


def test_the_settings_know_three_marks_and_a_table_made_of_an_instrument_has_its_own() -> None:
    table = {"quote": "USD", "tick": "0.01", "lot": "1"}
    for rule in MarkRule:
        config = make_config({"instruments": {"X": {**table, "mark": rule.value}}})
        made = make_instruments(config.instruments)["X"]
        assert made.mark is rule
        again = instrument_settings("X", instrument_table(made))
        assert make_instruments({"X": again})["X"].mark is rule
        assert instrument_table(config.instruments["X"])["mark"] is rule
    assert "mark" not in instrument_table(
        make_config({"instruments": {"X": table}}).instruments["X"]
    )
    with pytest.raises(ConfigError, match="use one of bid_ask, mid, last"):
        make_config({"instruments": {"X": {**table, "mark": "middle"}}})
