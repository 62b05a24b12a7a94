"""The simulated terminal as the published Expert Advisor answers: each row of docs/MT5.md's table.

The rows are read from khramkov/MQL5-JSON-API and the MQL5 standard library; docs/MT5.md names the
lines. Here each one is held to, before any client meets it.
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import Hand, quiet

from logos.core.instrument import instrument
from logos.simulators.mt5.faults import Fate, FaultPlan, fate_of
from logos.simulators.mt5.market import PERIODS_S, period_start
from logos.simulators.mt5.mql_json import UNSET, serialize, to_int
from logos.simulators.mt5.published import PublishedExpert
from logos.simulators.mt5.simulator import SimOptions, SimSymbol, Simulator
from logos.simulators.mt5.wire import Request

SYMBOL = "BTCUSD.s"
OTHER = "ETHUSD.s"
WELL = Fate("", 0, False)


class Terminal:
    """The Expert Advisor without sockets, and a clock that the test moves."""

    def __init__(self, **options: Any) -> None:
        self.hand = Hand()
        self.pushed: list[bytes] = []
        fine = instrument(
            OTHER, tick="0.0001", lot="0.01", min_quantity="0.01", quote="USD", settlement="margin"
        )
        symbols = {
            SYMBOL: quiet(),
            OTHER: SimSymbol(
                instrument=fine, prices=itertools.repeat((30_000, 30_010)), interval_s=0.0
            ),
        }
        self.notes: list[Request] = []
        chosen = SimOptions(ea="published", **options)
        self.simulator = Simulator(symbols, chosen, lambda _: None, self.hand)
        terminal = self.simulator.terminal
        self.expert = PublishedExpert(terminal, SYMBOL, self.notes.append, self.pushed.append)
        self.price(SYMBOL, 10_000, 10_010)
        self.price(OTHER, 30_000, 30_010)

    def price(self, symbol: str, bid: int, ask: int) -> None:
        self.simulator.terminal.price(symbol, bid, ask)

    def frames(self, fate: Fate = WELL, **fields: Any) -> list[bytes]:
        frames, _ = self.expert.answer(json.dumps(fields).encode(), fate)
        return frames

    def ask(self, **fields: Any) -> dict[str, Any]:
        [frame] = self.frames(**fields)
        answer = json.loads(frame)
        assert isinstance(answer, dict)
        return answer

    def trade(self, kind: str = "ORDER_TYPE_BUY", **fields: Any) -> dict[str, Any]:
        whole = {"symbol": SYMBOL, "volume": 1, **fields}
        return self.ask(action="TRADE", actionType=kind, **whole)

    def deals(self) -> list[dict[str, Any]]:
        trades = self.ask(action="HISTORY", actionType="TRADES")["trades"]
        assert isinstance(trades, list)
        return trades

    def live(self) -> list[dict[str, Any]]:
        """What the timer tells now."""
        self.pushed.clear()
        self.expert.on_timer()
        return [json.loads(frame) for frame in self.pushed]


def test_deals_say_buy_type_and_nothing_of_order_magic_comment_or_commission() -> None:
    terminal = Terminal()
    terminal.trade(comment="run-1", magic=77)
    terminal.trade("ORDER_TYPE_SELL", volume=0.5)
    first, second = terminal.deals()
    assert (first["type"], second["type"]) == ("Buy type", "Sell type")
    fields = ["ticket", "time", "price", "volume", "symbol", "type", "entry", "profit"]
    assert list(first) == fields
    assert (first["entry"], second["entry"]) == (0, 1)


def test_every_history_of_trades_is_the_whole_one_up_to_the_latest_prices_time() -> None:
    terminal = Terminal()
    terminal.trade()
    now_s = terminal.hand.now_s
    terminal.hand.now_s += 5
    terminal.trade()
    assert len(terminal.deals()) == 1, "a deal newer than the latest price is listed"
    terminal.price(OTHER, 30_000, 30_010)
    asked = terminal.ask(action="HISTORY", actionType="TRADES", fromDate=now_s + 5)
    assert len(asked["trades"]) == 2


def test_without_deals_the_history_of_trades_is_an_empty_frame() -> None:
    assert Terminal().frames(action="HISTORY", actionType="TRADES") == [b""]


def test_a_trades_answer_has_neither_deal_nor_comment_nor_request_id() -> None:
    done = Terminal().trade(comment="run-1")
    assert list(done) == [
        *("error", "retcode", "desription", "order", "volume", "price", "bid", "ask", "function"),
    ]
    assert (done["error"], done["retcode"], done["volume"]) == (False, 10009, 1.0)
    assert (done["price"], done["desription"]) == (100.1, "TRADE_RETCODE_DONE")


def test_success_carries_an_error_code_too() -> None:
    done = Terminal().ask(action="CONFIG", symbol=SYMBOL, chartTF="M1")
    assert done == {
        "error": False,
        "lastError": "0",
        "description": "ERR_SUCCESS",
        "function": "ScriptConfiguration",
    }


def test_balance_history_and_positions_without_any_have_no_error_field() -> None:
    terminal = Terminal()
    assert list(terminal.ask(action="BALANCE")) == ["balance", "equity", "margin", "margin_free"]
    assert terminal.ask(action="POSITIONS") == {"positions": []}
    history = terminal.ask(action="HISTORY", actionType="DATA", symbol=SYMBOL, chartTF="M1")
    assert list(history) == ["data", "symbol", "timeframe"]
    assert terminal.ask(action="ORDERS") == {"error": False, "orders": []}


def test_the_account_has_its_margin_level_and_no_time() -> None:
    terminal = Terminal()
    assert terminal.ask(action="ACCOUNT")["margin_level"] == 0
    terminal.trade()
    account = terminal.ask(action="ACCOUNT")
    assert account["margin_level"] == pytest.approx(account["equity"] / account["margin"] * 100)
    assert "time" not in account


def test_fractions_have_always_five_decimals_and_empty_texts_are_null() -> None:
    terminal = Terminal()
    [frame] = terminal.frames(action="BALANCE")
    assert frame.startswith(b'{"balance":100000.00000,"equity":100000.00000,')
    terminal.trade("ORDER_TYPE_BUY_LIMIT", price=90)
    [frame] = terminal.frames(action="ORDERS")
    assert b'"open":90.00000,"stoploss":0.00000' in frame
    [frame] = terminal.frames(action="HISTORY", actionType="DATA", chartTF="M1")
    assert b'"symbol":null' in frame
    assert serialize({"lost": UNSET, "next": 1}) == '{,"next":1}'


def test_candles_have_seven_columns_live_too() -> None:
    terminal = Terminal()
    terminal.ask(action="CONFIG", symbol=SYMBOL, chartTF="M1")
    for minute in range(3):
        terminal.hand.now_s += 60
        terminal.price(SYMBOL, 10_000 + minute, 10_010 + minute)
        told = terminal.live()
        assert len(told) == (0 if minute == 0 else 1), "the first one after CONFIG is passed over"
    [row] = [each["data"] for each in told]
    asked = terminal.ask(action="HISTORY", actionType="DATA", symbol=SYMBOL, chartTF="M1")
    assert row == asked["data"][-2]
    assert (len(row), row[5], row[6]) == (7, 1.0, 10)


def test_subscriptions_add_up_and_reset_ends_them_all() -> None:
    terminal = Terminal()
    for _ in range(2):
        terminal.ask(action="CONFIG", symbol=SYMBOL, chartTF="TICK")
    assert terminal.live() == []
    terminal.hand.now_s += 1
    terminal.price(SYMBOL, 10_001, 10_011)
    told = terminal.live()
    assert [each["data"] for each in told] == [[terminal.hand.now_s * 1000, 100.01, 100.11]] * 2
    done = terminal.ask(action="RESET")
    assert (done["error"], done["function"]) == (False, "ResetSubscriptionsAndIndicators")
    terminal.hand.now_s += 1
    terminal.price(SYMBOL, 10_002, 10_012)
    assert terminal.live() == []


def test_prices_between_two_timer_events_are_not_told() -> None:
    terminal = Terminal()
    terminal.ask(action="CONFIG", symbol=SYMBOL, chartTF="TICK")
    terminal.live()
    for step in range(3):
        terminal.hand.now_s += 1
        terminal.price(SYMBOL, 10_001 + step, 10_011 + step)
    [told] = terminal.live()
    assert told["data"][1] == 100.03
    assert terminal.live() == []


def test_an_unknown_symbol_is_an_error_and_is_subscribed_all_the_same() -> None:
    terminal = Terminal()
    done = terminal.ask(action="CONFIG", symbol="NONE", chartTF="M1")
    assert (done["error"], done["lastError"]) == (True, "4301")
    assert len(terminal.expert._subscriptions) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"actionType": "ORDER_TYPE_BUY", "symbol": "NONE", "volume": 1}, "4301"),
        ({"actionType": "ORDER_DANCE", "symbol": SYMBOL}, "65538"),
    ],
)
def test_a_trade_that_cannot_be_meant_brings_two_frames(fields: dict[str, Any], code: str) -> None:
    first, second = map(json.loads, Terminal().frames(action="TRADE", **fields))
    assert (first["error"], first["lastError"], first["function"]) == (True, code, "TradingModule")
    assert "retcode" not in first
    assert (second["error"], second["retcode"], second["order"]) == (True, 0, 0)
    assert second["desription"] == "TRADE_RETCODE_UNKNOWN=0"


@pytest.mark.parametrize("action", ["POSITIONS", "ORDERS"])
def test_a_list_comes_after_an_error_about_an_entry_and_may_lack_it(action: str) -> None:
    terminal = Terminal()
    terminal.trade()
    terminal.trade("ORDER_TYPE_BUY_LIMIT", price=90)
    whole, lacking = Fate("", 0, False, True), Fate("", 0, False, True, True)
    first, second = map(json.loads, terminal.frames(whole, action=action))
    assert (first["lastError"], first["description"]) == (
        "5040",
        "Damaged parameter of string type",
    )
    assert "retcode" not in first
    assert len(second[action.lower()]) == 1
    first_frame, second_frame = terminal.frames(lacking, action=action)
    assert json.loads(first_frame)["lastError"] in ("4753", "4754")
    assert second_frame == b""


def test_on_a_hedging_account_the_first_position_is_listed_for_each_of_its_symbol() -> None:
    terminal = Terminal(is_hedging=True)
    terminal.trade(volume=0.3)
    terminal.trade(volume=0.7)
    first, second = terminal.ask(action="POSITIONS")["positions"]
    assert first == second
    assert first["volume"] == 0.3


def test_what_closes_carries_no_comment_and_by_symbol_it_is_the_first() -> None:
    terminal = Terminal(is_hedging=True)
    first = terminal.trade(volume=0.3, comment="run-1")["order"]
    second = terminal.trade(volume=0.7, comment="run-2")["order"]
    terminal.trade("POSITION_CLOSE_ID", id=second, comment="run-3", volume=0)
    terminal.trade("POSITION_CLOSE_SYMBOL", comment="run-4", volume=0)
    deals = terminal.simulator.book.deals
    assert [deal.comment for deal in deals] == ["run-1", "run-2", "", ""]
    assert [deal.position for deal in deals] == [first, second, second, first]


def test_a_part_is_at_most_what_is_held_and_on_a_netting_account_nothing_is_sent() -> None:
    hedging = Terminal(is_hedging=True)
    ticket = hedging.trade(volume=0.3)["order"]
    assert hedging.trade("POSITION_PARTIAL", id=ticket, volume=0.9)["retcode"] == 10009
    assert hedging.simulator.book.holdings.open() == []
    netting = Terminal()
    ticket = netting.trade(volume=0.3)["order"]
    assert netting.trade("POSITION_PARTIAL", id=ticket, volume=0.1)["retcode"] == 0
    assert netting.simulator.book.positions[SYMBOL].volume_units == 30


def test_a_price_is_rounded_to_the_digits_of_the_chart_and_not_of_its_symbol() -> None:
    terminal = Terminal()  # the chart's symbol has two digits, this one four
    terminal.trade("ORDER_TYPE_BUY_LIMIT", symbol=OTHER, price=2.9876)
    [order] = terminal.ask(action="ORDERS")["orders"]
    assert order["open"] == 2.99


def test_magic_deviation_and_expiration_do_nothing() -> None:
    terminal = Terminal()
    terminal.trade("ORDER_TYPE_BUY_LIMIT", price=90, magic=5, deviation=7, expiration=1)
    terminal.trade(magic=5)
    [order] = terminal.ask(action="ORDERS")["orders"]
    [position] = terminal.ask(action="POSITIONS")["positions"]
    assert (order["magic"], position["magic"]) == (0, 0)
    assert "comment" not in order
    assert "comment" not in position


def test_tickets_are_cut_to_32_bits_in_an_answer_and_in_a_request_but_not_in_lists() -> None:
    terminal = Terminal(first_ticket=2**31 + 5)
    told = terminal.trade("ORDER_TYPE_BUY_LIMIT", price=90)["order"]
    assert told == to_int(2**31 + 5) == -(2**31) + 5
    [order] = terminal.ask(action="ORDERS")["orders"]
    assert order["id"] == str(2**31 + 5)
    refused = terminal.trade("ORDER_CANCEL", id=2**31 + 5)
    assert (refused["error"], refused["retcode"]) == (True, 10035)
    assert len(terminal.ask(action="ORDERS")["orders"]) == 1


def test_only_own_requests_are_streamed_under_the_key_result_and_deal_is_the_order() -> None:
    terminal = Terminal()
    done = terminal.trade(comment="run-1")
    [frame] = terminal.expert.streamed
    told = json.loads(frame)
    assert list(told) == ["request", "result"]
    assert told["result"]["deal"] == told["result"]["order"] == done["order"]
    assert (told["request"]["comment"], "magic" in told["request"]) == ("run-1", False)
    terminal.expert.streamed.clear()
    terminal.trade("ORDER_TYPE_BUY_LIMIT", price=90)
    terminal.expert.streamed.clear()
    terminal.price(SYMBOL, 8_900, 8_910)
    terminal.simulator.terminal.by_hand(SYMBOL, True, 1)
    assert terminal.expert.streamed == []
    assert len(terminal.simulator.book.deals) == 3


def test_a_history_that_fails_is_no_json_and_writing_one_is_an_error() -> None:
    terminal = Terminal()
    asked: dict[str, Any] = {"action": "HISTORY", "symbol": "NONE", "chartTF": "M1"}
    [frame] = terminal.frames(actionType="DATA", **asked)
    assert frame == b'{,"symbol":"NONE","timeframe":"M1"}'
    with pytest.raises(json.JSONDecodeError):
        json.loads(frame)
    assert terminal.ask(actionType="WRITE", **asked)["lastError"] == "65542"
    assert terminal.ask(actionType="DANCE", **asked)["lastError"] == "65538"


def test_prices_are_told_one_by_one_too() -> None:
    terminal = Terminal()
    terminal.hand.now_s += 1
    terminal.price(SYMBOL, 10_001, 10_011)
    at = terminal.hand.now_s
    asked = {"action": "HISTORY", "actionType": "DATA", "symbol": SYMBOL, "chartTF": "TICK"}
    rows = terminal.ask(**asked, fromDate=at)["data"]
    assert rows == [[at * 1000, 100.01, 100.11]]
    assert len(terminal.ask(**asked)["data"]) == 2


def test_every_timeframe_is_there_weeks_begin_on_sunday_and_months_on_their_first() -> None:
    moment = int(datetime(2024, 2, 29, 13, 37, 12, tzinfo=UTC).timestamp())
    begun = {
        name: datetime.fromtimestamp(period_start(name, moment), UTC).strftime("%m-%d %H:%M")
        for name in PERIODS_S
    }
    assert begun == {
        "M1": "02-29 13:37",
        "M5": "02-29 13:35",
        "M15": "02-29 13:30",
        "M30": "02-29 13:30",
        "H1": "02-29 13:00",
        "H2": "02-29 12:00",
        "H3": "02-29 12:00",
        "H4": "02-29 12:00",
        "H6": "02-29 12:00",
        "H8": "02-29 08:00",
        "H12": "02-29 12:00",
        "D1": "02-29 00:00",
        "W1": "02-25 00:00",
        "MN1": "02-01 00:00",
    }
    terminal = Terminal()
    for name in PERIODS_S:
        asked = {"action": "HISTORY", "actionType": "DATA", "symbol": SYMBOL, "chartTF": name}
        [row] = terminal.ask(**asked)["data"]
        assert row[0] == period_start(name, terminal.hand.now_s)


def test_losing_the_broker_is_told_once_and_no_candle_comes_again_afterwards() -> None:
    terminal = Terminal()
    terminal.ask(action="CONFIG", symbol=SYMBOL, chartTF="TICK")
    terminal.live()
    terminal.simulator.terminal.set_connected(False)
    assert terminal.live() == [{"status": "DISCONNECTED"}]
    assert terminal.live() == []
    terminal.simulator.terminal.set_connected(True)
    assert terminal.live() == []


def test_the_terminals_clock_may_be_ahead() -> None:
    hand = Hand()
    options = SimOptions(server_offset_s=7200)
    simulator = Simulator({SYMBOL: quiet()}, options, lambda _: None, hand)
    assert simulator.now_ms() == (hand.now_s + 7200) * 1000


def test_faults_are_as_they_were_for_those_who_ask_for_no_damage() -> None:
    plan = FaultPlan(seed=3, lost=0.3, partial=0.3)
    damaging = FaultPlan(seed=3, lost=0.3, partial=0.3, damaged=1.0)
    for sequence in range(50):
        one, other = fate_of(plan, sequence), fate_of(damaging, sequence)
        assert (one.delivery, one.is_partial) == (other.delivery, other.is_partial)
        assert other.is_damaged
        assert not one.is_damaged


def test_the_chart_is_one_of_the_terminals_symbols() -> None:
    with pytest.raises(ValueError, match="chart"):
        Simulator({SYMBOL: quiet()}, SimOptions(ea="published", chart="NONE"), lambda _: None)
