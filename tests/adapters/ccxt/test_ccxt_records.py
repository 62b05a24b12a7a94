"""What a fill cost, and what a new order's answer must hold, of ccxt's records."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from decimal import Decimal
from typing import Any

import pytest
from ccxt_rows import CCXT_FILL, CCXT_ORDER, records_of
from venue_tools import approved, bitcoin

from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.adapters.ccxt.profiles.bybit import BYBIT
from logos.adapters.ccxt.profiles.kraken import KRAKEN
from logos.adapters.ccxt.records import balances
from logos.core.outbox import SubmitOrder
from logos.core.types import OrderStatus, Side
from logos.venues.records import Unreadable


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"fee": {"cost": "0", "currency": None}}, (Decimal(0), "USDT", ())),
        ({"fee": {"cost": "0.5", "currency": "BTC"}}, (Decimal("0.5"), "BTC", ())),
        ({"fee": {"cost": "-0.5", "currency": "BNB"}}, (Decimal("-0.5"), "BNB", ())),
        # The list comes before the one; parts in one currency are one fee.
        (
            {
                "fees": [{"cost": "0.2", "currency": "USDT"}, {"cost": "0.3", "currency": "USDT"}],
                "fee": {"cost": "9", "currency": "BTC"},
            },
            (Decimal("0.5"), "USDT", ()),
        ),
        # What can be booked stands first, and what else it cost is not forgotten.
        (
            {"fees": [{"cost": "3", "currency": "BNB"}, {"cost": "0.2", "currency": "USDT"}]},
            (Decimal("0.2"), "USDT", (("BNB", Decimal(3)),)),
        ),
        (
            {"fees": [{"cost": "0", "currency": "BTC"}, {"cost": "3", "currency": "KCS"}]},
            (Decimal(3), "KCS", ()),
        ),
        # ccxt's list of a fill whose fee it could not put together.
        (
            {"fees": [{"cost": None, "currency": None}], "fee": {"cost": "1", "currency": "BTC"}},
            (Decimal(1), "BTC", ()),
        ),
    ],
)
def test_what_a_fill_cost_is_read_in_all_its_parts(
    change: dict[str, Any], expected: object
) -> None:
    fill = records_of().fill("BTCUSDT", {**CCXT_FILL, **change})
    assert (fill.fee, fill.fee_currency, fill.other_fees) == expected


@pytest.mark.parametrize("fee", [None, {}, {"cost": None, "currency": "BNB"}])
def test_a_fill_that_does_not_say_what_it_cost_did_not_cost_nothing(fee: object) -> None:
    with pytest.raises(Unreadable, match=r"^BTCUSDT: the fill does not say what it cost$"):
        records_of().fill("BTCUSDT", {**CCXT_FILL, "fee": fee})


def test_a_fee_of_no_currency_is_not_taken_for_quote_money() -> None:
    with pytest.raises(Unreadable, match=r"does not say in what its fee is$"):
        records_of().fill("BTCUSDT", {**CCXT_FILL, "fee": {"cost": "0.5"}})


def new_order() -> Any:
    approval = approved(bitcoin(), Side.BUY, "0.001", "90000.00")
    return SubmitOrder(approval, "s-1-1", 0).terms


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "BTCUSDT: the answer holds no order"),
        ({"id": None}, "the answer has no id"),
        ({"id": "7", "clientOrderId": "s-1-2"}, "the answer is about another order"),
        ({"id": "7", "side": "sell"}, "the answer is about another order"),
        ({"id": "7", "amount": "0.002"}, "the answer is about another quantity"),
    ],
)
def test_what_an_answer_to_a_new_order_holds_must_fit(answer: object, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        records_of().placed(new_order(), answer)
    assert str(caught.value) == words


@pytest.mark.parametrize("told", [{}, {"clientOrderId": "s-1-1", "amount": "0.001"}])
def test_an_id_without_a_status_is_an_order_that_was_accepted(told: dict[str, Any]) -> None:
    records = records_of()
    order = records.placed(new_order(), {"id": "7", **told})
    assert order.status is OrderStatus.ACCEPTED
    assert (order.venue_order_id, order.client_order_id) == ("7", "s-1-1")
    assert (order.quantity_units, order.filled_units, order.limit_price_units) == (100, 0, 9000000)
    # From now on it is known whose order that is, though a list may not say it.
    nameless = {**CCXT_ORDER, "id": "7", "clientOrderId": None}
    assert records.order("BTCUSDT", nameless).client_order_id == "s-1-1"


def test_fees_of_a_kind_that_is_not_known_are_said() -> None:
    records = records_of(BYBIT)
    told = {**CCXT_FILL, "info": {"extraFees": "[{}]"}}
    with pytest.raises(Unreadable, match="BTCUSDT: the fill tells fees in extraFees, unknown here"):
        records.fill("BTCUSDT", told)
    third = {**CCXT_FILL, "info": {"extraFees": "", "feeCurrency": "MNT"}}
    assert records.fill("BTCUSDT", third).fee_currency == "MNT"


def test_assets_are_counted_under_the_names_of_markets() -> None:
    told = {"total": {"BTC": "1", "BTC.F": "0.5", "BTC.S": "9"}, "info": {"result": {}}}
    assert balances(told, KRAKEN) == {"BTC": Decimal("1.5"), "BTC.S": Decimal(9)}
    assert balances(told, BINANCE)["BTC.F"] == Decimal("0.5")


def test_a_row_without_any_id_is_nobody_s() -> None:
    records = records_of()
    for nameless in ({}, {"id": ""}, {"id": "", "clientOrderId": ""}, {"id": None}):
        assert not records.is_of("s-1-1", nameless)
    records.order("BTCUSDT", CCXT_ORDER)
    assert records.is_of("s-1-1", {"id": "1001"})
    assert records.is_of("s-1-1", {"id": "7", "clientOrderId": "s-1-1"})
    assert not records.is_of("s-1-1", {"id": ""})
