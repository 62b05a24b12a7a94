"""Prices of zero and less, where an instrument allows them; everywhere else they are refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from session_helpers import session_config

from logos import session
from logos.aggregation import TimeBars, VolumeBars
from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Event, QuoteBar
from logos.core.strategy import Answer, Context, Strategy, limit, market, stop
from logos.core.types import Code, Side
from logos.data.readers.numbers import PriceReader, RowError
from logos.library.instruments import instrument_table
from logos.session.build import make_instruments
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fee_schedule,
    fills_in,
    paper_rules,
    quote,
    refusals_in,
    run,
    trading_core,
)


def crude(**fees: Any) -> Instrument:
    made = instrument(
        "CL", tick="0.01", lot="1", quote="USD", multiplier="1000", settlement="margin",
        initial_margin="0.1", fees=fee_schedule(**fees),
    )  # fmt: skip
    made.allows_negative = True
    return made


def equity(core: TradingCore) -> Fraction:
    ledger = core.order_manager.account.ledgers[0]
    ledger.check()
    return Fraction(ledger.equity, 10**ledger.decimals)


def crash(made: Instrument) -> list[Event]:
    """The twentieth of April 2020 in six quotes."""
    prices = ["18.27", "10.01", "0.00", "-0.01", "-37.63", "-13.10"]
    return [quote(made, n, each, each) for n, each in enumerate(prices, start=1)]


def test_a_contract_is_bought_at_ten_and_sold_at_less_than_nothing() -> None:
    made = crude(taker="0.001", decimals=2)
    script = {1: market(Side.BUY, 1), 4: market(Side.SELL, 1)}
    core = trading_core(Scripted(script), made)
    fills = fills_in(run(core, crash(made)))
    assert [fill.price for fill in fills] == [Decimal("10.01"), Decimal("-37.63")]
    assert fills[1].realised == -47_640
    assert fills[1].fee == Decimal("37.63")  # a fee is of the value's size
    assert equity(core) == 1_000_000 - 47_640 - Fraction("10.01") - Fraction("37.63")


def test_orders_that_name_prices_below_zero_fill_as_any_other() -> None:
    made = crude()
    script: dict[int, Answer] = {
        4: [limit(Side.BUY, 1, "-20"), stop(Side.SELL, 1, "-30")],
        5: limit(Side.SELL, 1, "-14"),
    }
    core = trading_core(Scripted(script), made)
    fills = fills_in(run(core, crash(made)))
    assert [(fill.side, fill.price) for fill in fills] == [
        (Side.BUY, Decimal("-37.63")),
        (Side.SELL, Decimal("-37.63")),
        (Side.SELL, Decimal("-13.10")),
    ]


def test_slippage_worsens_a_price_below_zero_too() -> None:
    made = crude()
    script = {4: market(Side.SELL, 1), 5: market(Side.BUY, 1)}
    rules = paper_rules(slippage="0.01")
    fills = fills_in(run(trading_core(Scripted(script), made, rules=rules), crash(made)))
    assert [fill.price for fill in fills] == [Decimal("-38.01"), Decimal("-12.96")]


def test_zero_is_no_price_to_name_or_to_order_at() -> None:
    made = crude()
    script = {2: limit(Side.BUY, 1, 0), 3: market(Side.BUY, 1), 4: market(Side.BUY, 1)}
    core = trading_core(Scripted(script), made)
    records = run(core, crash(made))
    assert refusals_in(records) == [Code.INVALID_PRICE, Code.NO_REFERENCE_PRICE]
    assert core.bad_price_count == 0


def test_limits_are_about_the_size_of_a_value_below_zero() -> None:
    made = crude()
    orders = {5: market(Side.BUY, 1)}
    for options, code in (
        ({"max_order_notional": "37000"}, Code.MAX_ORDER_NOTIONAL),
        ({"max_gross_exposure": "37000"}, Code.GROSS_EXPOSURE),
        ({"max_net_exposure": "37000"}, Code.NET_EXPOSURE),
        ({"cash": {"USD": "3700"}}, Code.INSUFFICIENT_FUNDS),
    ):
        core = trading_core(Scripted(dict(orders)), made, **options)
        assert refusals_in(run(core, crash(made))) == [code]
    core = trading_core(Scripted({5: market(Side.BUY, 3)}), made, cap_notional="80000")
    assert [fill.quantity for fill in fills_in(run(core, crash(made)))] == [2]


def test_gross_exposure_is_a_size_though_the_value_is_below_zero() -> None:
    made = crude()
    core = trading_core(Scripted({1: market(Side.BUY, 2)}), made)
    core.start(1)
    for event in crash(made)[:5]:
        core.step(event)
    ledger = core.order_manager.account.ledgers[0]
    unit = 10**ledger.decimals
    assert (ledger.gross_exposure, ledger.net_exposure) == (75_260 * unit, -75_260 * unit)


@pytest.mark.long
@settings(max_examples=80, deadline=None)
@given(
    some.lists(some.tuples(some.integers(-300, 300), some.integers(-3, 3)), min_size=2, max_size=12)
)
def test_the_books_are_those_of_a_plain_account_at_any_price(steps: list[tuple[int, int]]) -> None:
    made = crude()
    script = {
        number: market(Side.BUY if wish > 0 else Side.SELL, abs(wish))
        for number, (price, wish) in enumerate(steps, start=1)
        if wish and price
    }
    core = trading_core(Scripted(script), made)
    cash, position, wish = Fraction(1_000_000), 0, 0
    core.start(1)
    for number, (price, asked) in enumerate(steps, start=1):
        text = str(Decimal(price) / 100)
        core.step(quote(made, number, text, text))
        cash -= wish * price * 10
        position += wish
        wish = asked if price else 0
        assert equity(core) == cash + position * price * 10
        ledger = core.order_manager.account.ledgers[0]
        assert ledger.gross_exposure == abs(position * price * 10) * 10**ledger.decimals


def test_a_bar_may_pass_through_zero() -> None:
    made = crude()
    core = trading_core(Scripted({1: stop(Side.SELL, 1, "-5")}), made)
    records = run(core, [bar(made, 1, "10 11 9 10"), bar(made, 2, "9 9 -40 -37")])
    assert [fill.price for fill in fills_in(records)] == [Decimal("-5")]
    assert ends_in(records) == {1: "FILLED"}


def test_everywhere_else_a_price_below_zero_is_none() -> None:
    plain = instrument("CL", tick="0.01", lot="1", quote="USD", settlement="margin")
    core = trading_core(Scripted({1: market(Side.BUY, 1)}), plain)
    run(
        core, [quote(plain, n, each, each) for n, each in enumerate(["1", "-1", "0", "2"], start=1)]
    )
    assert core.bad_price_count == 2
    with pytest.raises(RowError, match="is not positive"):
        PriceReader(plain)["-37.63"]
    assert PriceReader(crude())["-37.63"] == -3763
    assert PriceReader(crude())["0.00"] == 0


class Always(Strategy):
    """Buys one at every other quote, sells one at the rest, once there is a price to meet."""

    def on_quote(self, context: Context, quote: Any) -> Answer:
        if quote.ask_units == 0:
            return None
        return market(Side.BUY if context.position("CL") <= 0 else Side.SELL, 2)


@pytest.mark.long
def test_a_session_of_files_trades_through_zero_and_verify_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    folder = tmp_path / "data"
    folder.mkdir()
    lines = ["timestamp,bid,ask,bid_size,ask_size"]
    for number in range(1, 200):
        price = Decimal(1800 - 28 * number) / 100
        lines.append(f"2020-04-20T{13 + number // 60}:{number % 60:02d}:00Z,{price},{price},5,5")
    (folder / "CL_quotes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = {
        "quote": "USD", "tick": "0.01", "lot": "1", "multiplier": "1000", "settlement": "margin",
        "initial_margin": "0.1", "fees": {"taker": "0.0001", "decimals": 2},
        "allow_negative_prices": True,
    }  # fmt: skip
    config = session_config(
        session={"id": "crude", "sample_interval_s": 600},
        instruments={"CL": table},
        data={"paths": [str(folder)]},
    )
    config["risk"] = {"total": {"max_gross_share": "2", "max_drawdown_share": "0.9"}}
    result = session.run(config, strategy=Always())
    assert result.summary["fills"] > 150
    assert result.summary["symbols"]["CL"]["mark"].startswith("-37")
    assert verify(result.folder).findings == []


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"settlement": "spot"}, "an asset changes hands at a price above 0; set settlement"),
        ({"settlement": "margin", "band": "0.1"}, "leave band out: it is a fraction of the price"),
        (
            {"settlement": "margin", "splits": ["2024-01-02 2:1"]},
            "a split divides a price above 0; take splits out",
        ),
    ],
)
def test_what_does_not_go_with_prices_below_zero_is_refused(
    table: dict[str, Any], problem: str
) -> None:
    plain = {"quote": "USD", "tick": "0.01", "lot": "1", "allow_negative_prices": True}
    with pytest.raises(ConfigError, match=f"instruments.CL.allow_negative_prices: {problem}"):
        make_config({"instruments": {"CL": {**plain, **table}}})
    config = make_config({"instruments": {"CL": {**plain, "settlement": "margin"}}})
    made = make_instruments(config.instruments)["CL"]
    assert made.allows_negative
    assert instrument_table(made)["allow_negative_prices"] is True


# ---- bars that are made of such prices ----


class Minutes(Strategy):
    timeframes = ("2m",)

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> None:
        assert isinstance(bar, Bar)
        self.told.append((bar.low_units, bar.close_units))


def test_longer_bars_have_prices_below_zero() -> None:
    made = crude()
    strategy = Minutes()
    core = trading_core(strategy, made)
    core.start(0)
    for number, path in enumerate(("1 1 -2 -1", "-1 0 -5 -3"), start=1):
        core.step(bar(made, number, path))
    assert strategy.told == [(-500, -300)]


@pytest.mark.parametrize("made_of", [TimeBars("2m"), VolumeBars(20)])
def test_bars_that_a_strategy_makes_have_them_too(made_of: TimeBars | VolumeBars) -> None:
    made = crude()
    closed = [
        each
        for number, path in enumerate(("1 1 -2 -1", "-1 0 -5 -3"), start=1)
        for each in made_of.add(bar(made, number, path, "10"))
    ]
    assert [(each.low_units, each.close_units) for each in closed] == [(-500, -300)]  # type: ignore[union-attr]
