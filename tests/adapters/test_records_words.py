"""Every status, type and side of ccxt and Alpaca, and in which words the rest is unreadable."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from decimal import Decimal
from typing import Any

import pytest
from ccxt_rows import CCXT_FILL, CCXT_ORDER, RULE, records_of
from venue_tools import share

from logos.adapters.alpaca import records as alpaca
from logos.adapters.ccxt import records as ccxt
from logos.adapters.ccxt.pages import whole
from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.core.types import OrderStatus, OrderType, Side
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, rows

ALPACA_ORDER: dict[str, Any] = {
    "id": "a-1", "status": "new", "type": "limit", "side": "buy", "qty": "10", "filled_qty": "0",
    "limit_price": "150.00", "client_order_id": "s-1-1", "symbol": "AAPL",
}  # fmt: skip
ALPACA_FILL: dict[str, Any] = {
    "id": "f-1", "order_id": "a-1", "side": "sell", "qty": "10", "price": "150.01",
    "transaction_time": "2026-01-01T00:00:00.000000001Z", "symbol": "AAPL",
}  # fmt: skip


def of_alpaca() -> alpaca.Records:
    return alpaca.Records({"AAPL": share()}, {"AAPL": "AAPL"}, ClientIds(RULE, "s-1"))


# ---- ccxt ----


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("open", "0", OrderStatus.ACCEPTED),
        ("open", "0.0005", OrderStatus.PARTIALLY_FILLED),
        ("canceling", "0", OrderStatus.ACCEPTED),
        ("canceling", "0.0005", OrderStatus.PARTIALLY_FILLED),
        ("closed", "0.001", OrderStatus.FILLED),
        ("closed", "0.0009", OrderStatus.CANCELLED),
        ("closed", "0", OrderStatus.CANCELLED),
        ("canceled", "0", OrderStatus.CANCELLED),
        ("canceled", "0.0005", OrderStatus.CANCELLED),
        ("expired", "0.0005", OrderStatus.EXPIRED),
        ("rejected", "0", OrderStatus.REJECTED),
    ],
)
def test_a_status_of_ccxt(status: str, filled: str, expected: OrderStatus) -> None:
    order = records_of().order("BTCUSDT", {**CCXT_ORDER, "status": status, "filled": filled})
    assert order.status is expected


@pytest.mark.parametrize(
    ("own", "unified", "expected", "limit"),
    [
        ("", "market", OrderType.MARKET, 0),
        ("", "limit", OrderType.LIMIT, 9_000_000),
        ("MARKET", "limit", OrderType.MARKET, 0),
        ("LIMIT_MAKER", "limit", OrderType.LIMIT, 9_000_000),
        ("STOP_LOSS", "market", OrderType.STOP, 0),
        ("TAKE_PROFIT", "market", OrderType.STOP, 0),
        ("STOP_LOSS_LIMIT", "limit", OrderType.STOP_LIMIT, 9_000_000),
        ("TAKE_PROFIT_LIMIT", "limit", OrderType.STOP_LIMIT, 9_000_000),
        ("ODD", "limit", OrderType.LIMIT, 9_000_000),
    ],
)
def test_a_type_of_ccxt(own: str, unified: str, expected: OrderType, limit: int) -> None:
    order = records_of().order("BTCUSDT", {**CCXT_ORDER, "type": unified, "info": {"type": own}})
    assert (order.type, order.limit_price_units) == (expected, limit)


@pytest.mark.parametrize(
    ("word", "reason"),
    [("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"), ("REJECTED", "REJECTED"), ("FILLED", "")],
)
def test_the_exchange_s_word_for_an_end_is_kept(word: str, reason: str) -> None:
    order = records_of().order("BTCUSDT", {**CCXT_ORDER, "info": {"status": word}})
    assert order.reason == reason


def test_an_order_and_a_fill_of_ccxt_in_full() -> None:
    there = records_of()
    order = there.order("BTCUSDT", CCXT_ORDER)
    assert (order.client_order_id, order.venue_order_id, order.symbol) == (
        "s-1-1", "1001", "BTCUSDT",
    )  # fmt: skip
    assert (order.side, order.quantity_units, order.filled_units) == (Side.BUY, 100, 0)
    fill = there.fill("BTCUSDT", CCXT_FILL)
    assert (fill.fill_id, fill.client_order_id, fill.venue_order_id) == ("7", "s-1-1", "1001")
    assert (fill.side, fill.quantity_units, fill.price_units) == (Side.SELL, 100, 9_000_000)
    assert (fill.fee, fill.fee_currency, fill.is_maker) == (Decimal("0.09"), "USDT", True)
    assert fill.ts_ns == 1_700_000_000_123_000_000
    assert records_of().fill("BTCUSDT", CCXT_FILL).client_order_id == ""


@pytest.mark.parametrize(("word", "is_maker"), [("maker", True), ("taker", False), (None, False)])
def test_only_a_maker_is_one(word: object, is_maker: bool) -> None:
    assert records_of().fill("BTCUSDT", {**CCXT_FILL, "takerOrMaker": word}).is_maker is is_maker


FINER = "if the number is right, set a finer {} for the instrument"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "the answer has no id"),
        ({"id": ""}, "the answer has no id"),
        ({"status": "odd"}, "BTCUSDT: the order's status 'odd' is unknown"),
        ({"status": None}, "BTCUSDT: the order's status None is unknown"),
        ({"type": "odd"}, "BTCUSDT: the order's type 'odd' is unknown"),
        ({"side": "odd"}, "BTCUSDT: the side 'odd' is unknown"),
        ({"amount": None}, "BTCUSDT: quantity is missing"),
        ({"filled": None}, "BTCUSDT: filled quantity is missing"),
        ({"price": None}, "BTCUSDT: price is missing"),
        ({"amount": "0.000001"}, FINER.format("lot")),
        ({"filled": "0.000001"}, FINER.format("lot")),
        ({"price": "1.001"}, FINER.format("tick")),
    ],
)
def test_an_order_of_ccxt_that_cannot_be_read(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        records_of().order("BTCUSDT", {**CCXT_ORDER, **change})
    assert str(caught.value).endswith(words)
    assert str(caught.value).startswith(("BTCUSDT: ", "the answer has no "))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "the answer has no id"),
        ({"order": None}, "the answer has no order"),
        ({"side": None}, "BTCUSDT: the side None is unknown"),
        ({"amount": 5}, "BTCUSDT: quantity is missing"),
        ({"price": 5.0}, "BTCUSDT: price is missing"),
        ({"timestamp": "soon"}, "the answer holds no time that can be read"),
        ({"fee": {"cost": "much"}}, "the fee is not a decimal number"),
        ({"fee": {"cost": "NaN"}}, "the fee is not a decimal number"),
        ({"fee": {"cost": 0.5}}, "the fee is not a decimal number"),
    ],
)
def test_a_fill_of_ccxt_that_cannot_be_read(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        records_of().fill("BTCUSDT", {**CCXT_FILL, **change})
    assert str(caught.value) == words


def test_what_is_no_record_or_list_of_ccxt_cannot_be_read() -> None:
    for read, words in (
        (lambda: records_of().order("BTCUSDT", None), "BTCUSDT: the answer holds no order"),
        (lambda: records_of().fill("BTCUSDT", []), "BTCUSDT: the answer holds no fill"),
        (lambda: rows({}), "the answer is no list"),
        (lambda: rows([{}, 1]), "the answer's list holds something else than records"),
        (lambda: ccxt.balances({}, BINANCE), "the answer holds no balances"),
        (
            lambda: ccxt.balances({"total": {}, "info": None}, BINANCE),
            "the answer holds no balances",
        ),
        (
            lambda: ccxt.balances({"total": {"BTC": "x"}, "info": {"a": 1}}, BINANCE),
            "the balance of BTC is not a decimal number",
        ),
    ):
        with pytest.raises(Unreadable) as caught:
            read()
        assert str(caught.value) == words
    assert ccxt.balances({"total": {"B": "2", "A": "1", "C": "0"}, "info": []}, BINANCE) == {
        "A": Decimal(1), "B": Decimal(2),
    }  # fmt: skip


def test_a_trade_number_that_is_none_cannot_be_read() -> None:
    import asyncio

    async def fetch(_since: object, _limit: object, _parameters: dict[str, Any]) -> Any:
        return [{"id": "x7"}]

    with pytest.raises(Unreadable, match=r"^the trade id 'x7' is no number$"):
        asyncio.run(whole(fetch, BINANCE.fills, 0, 1))


# ---- Alpaca ----


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        *(
            (status, filled, expected)
            for status in (
                "new", "accepted", "pending_new", "accepted_for_bidding", "held", "stopped",
                "suspended", "calculated", "done_for_day", "pending_cancel", "pending_replace",
            )
            for filled, expected in (
                ("0", OrderStatus.ACCEPTED), ("3", OrderStatus.PARTIALLY_FILLED),
            )
        ),
        ("partially_filled", "3", OrderStatus.PARTIALLY_FILLED),
        ("filled", "10", OrderStatus.FILLED),
        ("canceled", "3", OrderStatus.CANCELLED),
        ("replaced", "0", OrderStatus.CANCELLED),
        ("expired", "0", OrderStatus.EXPIRED),
        ("rejected", "0", OrderStatus.REJECTED),
    ],
)  # fmt: skip
def test_a_status_of_alpaca(status: str, filled: str, expected: OrderStatus) -> None:
    order = of_alpaca().order({**ALPACA_ORDER, "status": status, "filled_qty": filled})
    assert order.status is expected


@pytest.mark.parametrize(
    ("kind", "expected", "limit"),
    [
        ("market", OrderType.MARKET, 0), ("limit", OrderType.LIMIT, 15_000),
        ("stop", OrderType.STOP, 0), ("stop_limit", OrderType.STOP_LIMIT, 15_000),
    ],
)  # fmt: skip
def test_a_type_of_alpaca(kind: str, expected: OrderType, limit: int) -> None:
    order = of_alpaca().order({**ALPACA_ORDER, "type": kind})
    assert (order.type, order.limit_price_units) == (expected, limit)


@pytest.mark.parametrize(
    ("word", "side"), [("buy", Side.BUY), ("sell", Side.SELL), ("sell_short", Side.SELL)]
)
def test_a_side_of_alpaca(word: str, side: Side) -> None:
    assert of_alpaca().order({**ALPACA_ORDER, "side": word}).side is side
    assert of_alpaca().fill({**ALPACA_FILL, "side": word}).side is side


def test_an_order_and_a_fill_of_alpaca_in_full() -> None:
    there = of_alpaca()
    order = there.order(ALPACA_ORDER)
    assert (order.client_order_id, order.venue_order_id) == ("s-1-1", "a-1")
    assert (order.quantity_units, order.filled_units) == (10, 0)
    assert there.venue_ids == {"s-1-1": "a-1"}
    fill = there.fill(ALPACA_FILL)
    assert (fill.fill_id, fill.client_order_id, fill.quantity_units) == ("f-1", "s-1-1", 10)
    assert (fill.price_units, fill.fee, fill.fee_currency) == (15_001, Decimal(0), "USD")
    assert fill.ts_ns == 1_767_225_600_000_000_001
    assert there.position({"symbol": "AAPL", "qty": "-7", "side": "short"}) == ("AAPL", -7)
    assert there.position({"symbol": "AAPL", "qty": "7", "side": "short"}) == ("AAPL", -7)
    assert there.position({"symbol": "AAPL", "qty": "7", "side": "long"}) == ("AAPL", 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "the answer has no id"),
        ({"status": "odd"}, "AAPL: the order has an unknown status 'odd' or type 'limit'"),
        ({"type": "odd"}, "AAPL: the order has an unknown status 'new' or type 'odd'"),
        ({"side": "odd"}, "AAPL: the side 'odd' is unknown"),
        ({"qty": None}, "AAPL: quantity is missing"),
        ({"filled_qty": None}, "AAPL: filled quantity is missing"),
        ({"limit_price": None}, "AAPL: limit price is missing"),
        ({"symbol": "TSLA"}, "the answer is about 'TSLA'"),
    ],
)
def test_an_order_of_alpaca_that_cannot_be_read(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        of_alpaca().order({**ALPACA_ORDER, **change})
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "the answer has no id"),
        ({"order_id": None}, "the answer has no order_id"),
        ({"side": "odd"}, "AAPL: the side 'odd' is unknown"),
        ({"qty": None}, "AAPL: quantity is missing"),
        ({"price": None}, "AAPL: price is missing"),
        ({"transaction_time": "soon"}, "the answer holds no time that can be read"),
        ({"transaction_time": "2026-02-30T00:00:00Z"},
         "the answer holds no time that can be read"),
        ({"symbol": "TSLA"}, "the answer is about 'TSLA'"),
    ],
)  # fmt: skip
def test_a_fill_of_alpaca_that_cannot_be_read(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        of_alpaca().fill({**ALPACA_FILL, **change})
    assert str(caught.value) == words


def test_what_is_no_record_or_list_of_alpaca_cannot_be_read() -> None:
    position = {"symbol": "AAPL", "qty": "7", "side": "flat"}
    for read, words in (
        (lambda: of_alpaca().order([]), "the answer holds no order"),
        (lambda: of_alpaca().fill(None), "the answer holds no fill"),
        (lambda: of_alpaca().position(position), "AAPL: the position's side 'flat' is unknown"),
        (lambda: rows({}), "the answer is no list"),
        (lambda: rows([1]), "the answer's list holds something else than records"),
    ):
        with pytest.raises(Unreadable) as caught:
            read()
        assert str(caught.value) == words
