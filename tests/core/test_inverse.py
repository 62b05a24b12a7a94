"""Inverse contracts: settled in the coin, against an account in fractions, to the last digit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from session_helpers import ListFeed, session_config

from logos import session
from logos.audit.verify import verify
from logos.config import ConfigError, make_config
from logos.core.engine import TradingCore
from logos.core.instrument import Instrument, instrument
from logos.core.records import PaperFillRecord
from logos.core.saved.state import restore_core, save_core
from logos.core.strategy import OrderRequest, Target, Weight, limit, market
from logos.core.types import Code, MarkRule, Side
from logos.session.build import make_instruments
from logos.testing.builders import (
    Scripted,
    fee_schedule,
    fills_in,
    quote,
    refusals_in,
    run,
    trading_core,
)


def xbt(contract: str = "100", lot: str = "1", **options: Any) -> Instrument:
    return instrument(
        "XBTUSD", tick="0.5", lot=lot, quote="XBT", base="USD", multiplier=contract,
        settlement="inverse", initial_margin="0.01", **options,
    )  # fmt: skip


def coins(core: TradingCore) -> Fraction:
    ledger = core.order_manager.account.ledgers[0]
    ledger.check()
    return Fraction(ledger.equity, 10**ledger.decimals)


def traded(made: Instrument, script: dict[int, Any], *prices: str, **options: Any) -> Any:
    core = trading_core(Scripted(script), made, cash={"XBT": "10"}, **options)
    events = [quote(made, number, each, each) for number, each in enumerate(prices, start=1)]
    return core, run(core, events)


@pytest.mark.parametrize(("side", "profit"), [(Side.BUY, "0.2"), (Side.SELL, "-0.2")])
def test_a_hundred_contracts_from_ten_to_twelve_and_a_half_thousand(
    side: Side, profit: str
) -> None:
    back = Side.SELL if side is Side.BUY else Side.BUY
    script = {1: market(side, 100), 2: market(back, 100)}
    core, records = traded(xbt(), script, "10000", "10000", "12500")
    assert coins(core) - 10 == Fraction(profit)  # 100 * 100 * (1/10000 - 1/12500)
    fills = fills_in(records)
    assert fills[1].realised_units == Fraction(profit) * 10**8
    assert core.order_manager.account.ledgers[0].wallet.balance == coins(core) * 10**8


def test_an_open_position_is_worth_its_mark_and_binds_margin_in_the_coin() -> None:
    core = trading_core(Scripted({1: market(Side.BUY, 100)}), xbt(), cash={"XBT": "10"})
    core.start(1)
    for number, price in enumerate(("10000", "10000", "8000"), start=1):
        core.step(quote(xbt(), number, price, price))
    ledger = core.order_manager.account.ledgers[0]
    state = core.order_manager.states["XBTUSD"]
    assert coins(core) - 10 == Fraction("-0.25")  # 10000 * (1/10000 - 1/8000)
    assert (ledger.net_exposure, ledger.gross_exposure) == (125_000_000, 125_000_000)
    assert state.unrealised == ledger.unrealised == -25_000_000
    assert ledger.initial_margin == 1_000_000
    assert core.order_manager.account.ledgers[0].track.max_drawdown == 25_000_000


steps = some.lists(
    some.tuples(some.integers(1, 60_000), some.integers(-50, 50)), min_size=2, max_size=14
)


def half_even(amount: Fraction) -> int:
    return round(amount)


class Oracle:
    """The same fills in fractions: lots, first in, first out, satoshis rounded as is stated."""

    def __init__(self, contract: int, fee: Fraction) -> None:
        self.contract, self.fee = contract, fee
        self.lots: list[list[Fraction | int]] = []  # signed quantity, worth in satoshis, price
        self.realised = self.fees = 0
        self.exact = Fraction(0)

    def worth(self, price: Fraction, quantity: int) -> int:
        return half_even(Fraction(quantity * self.contract * 10**8) / price)

    def fill(self, signed: int, price: Fraction) -> None:
        left, done, sign = abs(signed), 0, 1 if signed > 0 else -1
        self.fees += -(-self.worth(price, left) * self.fee // 1)
        while left and self.lots and self.lots[0][0] * sign < 0:
            held, worth, entry = self.lots[0]
            part = min(left, abs(int(held)))
            stays = half_even(Fraction(worth * (abs(int(held)) - part), abs(int(held))))
            leaves = self.worth(price, done + part) - self.worth(price, done)
            self.realised += -sign * (int(worth) - stays - leaves)
            self.exact += -sign * part * self.contract * (1 / Fraction(entry) - 1 / price) * 10**8
            self.lots[0] = [int(held) + sign * part, stays, entry]
            if not self.lots[0][0]:
                self.lots.pop(0)
            left -= part
            done += part
        if left:
            worth = self.worth(price, done + left) - self.worth(price, done)
            self.lots.append([sign * left, worth, price])

    def equity(self, price: Fraction) -> int:
        position = sum(int(lot[0]) for lot in self.lots)
        cost = sum((1 if lot[0] > 0 else -1) * int(lot[1]) for lot in self.lots)
        value = half_even(Fraction(position * self.contract * 10**8) / price)
        return 10**9 + self.realised - self.fees + cost - value


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(steps, some.sampled_from([1, 10, 100]))
def test_the_books_are_those_of_an_account_in_fractions(
    wishes: list[tuple[int, int]], contract: int
) -> None:
    made = xbt(str(contract), fees=fee_schedule(taker="0.0005", decimals=8))
    script: dict[int, OrderRequest] = {
        number: market(Side.BUY if wish > 0 else Side.SELL, abs(wish))
        for number, (_, wish) in enumerate(wishes, start=1)
        if wish
    }
    core = trading_core(Scripted(dict(script)), made, cash={"XBT": "10"})
    oracle, seen, parts = Oracle(contract, Fraction("0.0005")), 0, 0
    core.start(1)
    for number, (half, _) in enumerate(wishes, start=1):
        price = Fraction(half, 2)
        text = f"{half // 2}.{half % 2 * 5}"
        for record in core.step(quote(made, number, text, text)):
            if isinstance(record, PaperFillRecord):
                sign = 1 if record.side is Side.BUY else -1
                oracle.fill(sign * record.quantity_units, price)
                seen += record.realised_units
                assert record.realised_units == sum(lot.pnl_units for lot in record.lots)
                parts += len(record.lots) + 1
        assert coins(core) * 10**8 == oracle.equity(price)
        state = core.order_manager.states["XBTUSD"]
        assert state.market_value == state.inventory.worth(state.mark, state.inventory.position)
    assert seen == oracle.realised
    # Every lot is rounded when it opens, and each part of it when it closes.
    assert abs(oracle.realised - oracle.exact) <= 2 * parts


def test_a_whole_round_trip_loses_nothing_to_rounding() -> None:
    made = xbt("1")
    script = {n: market(Side.BUY, 7) for n in (1, 2, 3)} | {4: market(Side.SELL, 21)}
    prices = ["3333.5", "3333.5", "7777", "9999.5", "7000"]
    core, records = traded(made, script, *prices)
    state = core.order_manager.states["XBTUSD"]
    assert state.inventory.position == state.inventory.cost == state.market_value == 0
    bought = [half_even(Fraction(7 * 10**8) / Fraction(each)) for each in prices[1:4]]
    sold = half_even(Fraction(21 * 10**8, 7000))
    assert fills_in(records)[-1].realised_units == sum(bought) - sold
    assert coins(core) - 10 == Fraction(sum(bought) - sold, 10**8)


def test_limits_are_in_the_coin_and_the_lower_price_counts() -> None:
    for options, code in (
        ({"max_order_notional": "0.9"}, Code.MAX_ORDER_NOTIONAL),
        ({"max_gross_exposure": "0.9"}, Code.GROSS_EXPOSURE),
        ({"max_net_exposure": "0.9"}, Code.NET_EXPOSURE),
    ):
        _, records = traded(xbt(), {1: market(Side.BUY, 100)}, "10000", "10000", **options)
        assert refusals_in(records) == [code]
        _, records = traded(xbt(), {1: market(Side.BUY, 100)}, "12500", "12500", **options)
        assert refusals_in(records) == []
    script = {1: limit(Side.BUY, 100, "8000")}  # it would be worth 1.25 there
    _, records = traded(xbt(), script, "10000", "10000", max_order_notional="1.2")
    assert refusals_in(records) == [Code.MAX_ORDER_NOTIONAL]
    _, records = traded(xbt(), {1: market(Side.BUY, 200_000)}, "10000", "10000")
    assert refusals_in(records) == [Code.INSUFFICIENT_FUNDS]


def test_orders_in_flight_leave_nothing_behind() -> None:
    made = xbt()
    script = {
        1: [limit(Side.BUY, 33, "9000"), limit(Side.SELL, 77, "11000.5")],
        3: [limit(Side.BUY, 11, "7000.5")],
    }
    core, _ = traded(
        made, script, "10000", "9500", "8999.5", "11001", "3000", max_gross_exposure="9"
    )
    ledger = core.order_manager.account.ledgers[0]
    assert (ledger.open_buy_value, ledger.open_sell_value, ledger.open_increase) == (0, 0, 0)
    assert ledger.wallet.locked == 0


def test_a_weight_is_a_part_of_the_coins_and_a_cap_too() -> None:
    core, _ = traded(xbt(), {1: Weight("0.5")}, "10000", "10000")
    assert core.order_manager.states["XBTUSD"].inventory.position == 500  # 5 of 10 coins
    core, _ = traded(xbt(), {1: Target(900)}, "10000", "10000", cap_notional="2")
    assert fills_quantity(core) == 200


def fills_quantity(core: TradingCore) -> int:
    return abs(core.order_manager.states["XBTUSD"].inventory.lots()[0].quantity)


def test_lots_survive_a_snapshot() -> None:
    def fresh() -> TradingCore:
        script = {1: market(Side.BUY, 7), 2: market(Side.BUY, 9), 4: market(Side.SELL, 11)}
        return trading_core(Scripted(dict(script)), xbt("1"), cash={"XBT": "10"})

    core, other, made = fresh(), fresh(), xbt("1")
    core.start(1)
    for number, price in enumerate(("3333.5", "7777", "9999.5"), start=1):
        core.step(quote(made, number, price, price))
    restore_core(other, save_core(core))
    assert [lot.worth for lot in other.order_manager.states["XBTUSD"].inventory.lots()] == [
        half_even(Fraction(7 * 10**8, 7777)), half_even(Fraction(9 * 10**8 * 10, 99995)),
    ]  # fmt: skip
    for each in (core, other):
        each.step(quote(made, 4, "5000", "5000"))
    assert coins(other) == coins(core)


@pytest.mark.long
@pytest.mark.parametrize("mark", list(MarkRule))
def test_a_session_and_its_auditor_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: MarkRule
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    table = {
        "quote": "XBT", "base": "USD", "tick": "0.5", "lot": "1", "multiplier": "100",
        "settlement": "inverse", "initial_margin": "0.05", "mark": mark.value,
        "fees": {"maker": "-0.00025", "taker": "0.00075", "decimals": 8},
        "funding": {"rate": "0.0001"}, "borrow_rate": "0.03",
    }  # fmt: skip
    config = session_config(
        session={"id": "inverse", "sample_interval_s": 3600},
        instruments={"XBTUSD": table},
        account={"balances": {"XBT": "3"}},
    )
    config["risk"] = {"max_order_notional": "1", "total": {"max_gross_share": "3"}}
    made = xbt()
    hour = 3_600 * 10**9
    script = {
        n: limit(Side.BUY if n % 5 else Side.SELL, 11 + n % 7, str(9_900 if n % 5 else 10_100))
        if n % 3
        else market(Side.SELL if n % 2 else Side.BUY, 5 + n % 11)
        for n in range(2, 90)
    }
    events = [
        quote(made, n * hour, f"{10_000 + n * 37 % 410 - 200}", f"{10_000 + n * 37 % 410 - 199}")
        for n in range(1, 100)
    ]
    result = session.run(config, strategy=Scripted(script), feed=ListFeed(events))
    assert result.summary["fills"] > 30
    verdict = verify(result.folder)
    assert verdict.findings == []
    assert "exposure in the coins of inverse contracts" in verdict.not_judged
    trades = result.folder / "trades.csv"
    text = trades.read_text(encoding="utf-8")
    last = text.splitlines()[-1].split(",")
    trades.write_text(text.replace(last[10], f"{Fraction(last[10]) + 1}"), encoding="utf-8")
    assert verify(result.folder).findings != []


def test_what_does_not_go_with_it_is_refused() -> None:
    table = {"quote": "XBT", "tick": "0.5", "lot": "1", "settlement": "inverse"}
    with pytest.raises(ConfigError, match="has no price of zero"):
        make_config({"instruments": {"X": {**table, "allow_negative_prices": True}}})
    with pytest.raises(ConfigError, match="has neither splits nor dividends; take them out"):
        make_config({"instruments": {"X": {**table, "splits": ["2024-01-02 2:1"]}}})
    with pytest.raises(ConfigError, match="is for recorded data and the paper market"):
        make_config({"instruments": {"X": table}, "live": {"feed": "replay"}})
    made = make_config({"instruments": {"X": {**table, "min_notional": "1"}}})
    with pytest.raises(ConfigError, match="an inverse contract has no min_notional"):
        make_instruments(made.instruments)
    with pytest.raises(ValueError, match="settlement is 'spot', 'margin' or 'inverse'"):
        instrument("X", tick="1", lot="1", quote="Y", settlement="coin")
