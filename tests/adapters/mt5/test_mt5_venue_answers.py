"""The MT5 venue against answers that the simulated terminal never gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from mt5_helpers import WallClock, an_order, coin

from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.records import magic_of
from logos.adapters.mt5.retcodes import documented
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.types import OrderStatus, OrderType, Side, TimeInForce
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable

SYMBOL = "BTCUSD.s"
BTC = coin()


@pytest.mark.parametrize(("retcode", "knowledge", "words"), documented())
def test_each_return_code_means_what_the_table_says(
    retcode: int, knowledge: Any, words: str
) -> None:
    errors = {"REFUSED": Refused, "NOT_SENT": NotSent, "UNKNOWN": OutcomeUnknown}

    async def scenario() -> None:
        link = FakeLink({"error": True, "retcode": retcode, "order": 0, "volume": 0})
        venue = link.venue()
        with pytest.raises(errors[knowledge.name], match=str(retcode)):
            await venue.submit(an_order(BTC))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "reply",
    [
        {"error": True, "description": "x", "function": "y"},
        {"error": False, "retcode": 99999},
        {"error": False, "retcode": "10009", "order": 5},
        {"error": False, "retcode": 10009},
        {"error": False, "retcode": 10009, "order": -4, "volume": 1},
        {"error": False, "retcode": 10009, "order": 4, "volume": "much"},
        {"error": False, "retcode": 10009, "order": 4, "volume": Decimal("0.005")},
        {"error": False, "retcode": 10009, "order": [], "volume": 1},
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_order_unknown(reply: dict[str, Any]) -> None:
    async def scenario() -> None:
        link = FakeLink(reply)
        venue = link.venue()
        with pytest.raises(OutcomeUnknown):
            await venue.submit(an_order(BTC))
        # The same order is not sent again, and a next one asks first.
        with pytest.raises(OutcomeUnknown, match="sent before"):
            await venue.submit(an_order(BTC))
        assert link.trades == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("approved", "words"),
    [
        (an_order(BTC, type=OrderType.STOP_LIMIT, price=9_000), "STOP_LIMIT"),
        (an_order(BTC, type=OrderType.LIMIT, price=9_000, time_in_force=TimeInForce.IOC), "IOC"),
        (an_order(BTC, time_in_force=TimeInForce.FOK), "FOK"),
        (an_order(coin("OTHER")), "not among the symbols"),
    ],
)
def test_what_the_bridge_cannot_do_is_refused_before_it_is_sent(approved: Any, words: str) -> None:
    async def scenario() -> None:
        link = FakeLink({})
        with pytest.raises(Refused, match=words):
            await link.venue().submit(approved)
        assert link.trades == 0

    asyncio.run(scenario())


class FakeLink:
    """Answers by a table: any TRADE gets one answer, each question its own."""

    does_echo = False
    has_ids = False

    def __init__(self, trade: Mapping[str, Any], **answers: list[dict[str, Any]]) -> None:
        self._trade = dict(trade)
        self._answers = answers
        self.trades = 0

    def venue(self, settle_s: float = 0.0) -> Mt5Venue:
        return Mt5Venue(
            self,
            {SYMBOL: Mt5VenueSymbol(BTC, SYMBOL)},
            WallClock(),
            session_id="run",
            is_sandbox=True,
            settle_s=settle_s,
        )

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def next_transaction(self, timeout_s: float) -> dict[str, Any] | None:
        return None

    def listen(self, on_transaction: Callable[[Mapping[str, Any]], None]) -> None: ...

    def epoch(self) -> int:
        return 0

    async def request(
        self,
        symbol: str,
        fields: Mapping[str, Any],
        order: Any = None,
        epoch: int | None = None,
    ) -> Any:
        if fields["action"] == "TRADE":
            self.trades += 1
            return self._trade
        name = {"ORDERS": "orders", "POSITIONS": "positions"}.get(str(fields["action"]), "trades")
        return {name: self._answers.get(name, [{}])}


def _deal(**changes: Any) -> dict[str, Any]:
    return {
        "ticket": 9,
        "time": 1_700_000_000,
        "price": Decimal("100.10"),
        "volume": 1,
        "symbol": SYMBOL,
        "type": "buy",
        "entry": 0,
        "profit": 0,
    } | changes


def test_a_hedging_account_is_refused_once_it_is_seen() -> None:
    positions = [
        {"id": 1, "symbol": SYMBOL, "type": "POSITION_TYPE_BUY", "volume": Decimal("1.5")},
        {"id": 2, "symbol": SYMBOL, "type": "POSITION_TYPE_SELL", "volume": Decimal("0.4")},
        {"id": 3, "symbol": "EURUSD", "type": "POSITION_TYPE_SELL", "volume": 9},
        {},
    ]
    link = FakeLink({"error": False, "retcode": 10009, "order": 4}, positions=positions)
    venue, stops = link.venue(), list[str]()
    venue.stop_on_doubt(stops.append)
    for _ in range(2):
        with pytest.raises(Unavailable, match=f"positions 1 and 2 in {SYMBOL}"):
            asyncio.run(venue.positions())
    assert len(stops) == 1
    assert "hedging" in stops[0]
    with pytest.raises(Refused, match="a netting account is needed"):
        asyncio.run(venue.submit(an_order(BTC)))
    assert link.trades == 0


def test_positions_of_a_netting_account_are_told() -> None:
    positions = [
        {"id": 1, "symbol": SYMBOL, "type": "POSITION_TYPE_SELL", "volume": Decimal("1.5")},
        {"id": 3, "symbol": "EURUSD", "type": "POSITION_TYPE_SELL", "volume": 9},
        {},
    ]
    venue = FakeLink({}, positions=positions).venue()
    assert asyncio.run(venue.positions()) == {SYMBOL: -150}


def test_an_unmarked_deal_keeps_an_order_from_being_declared_absent() -> None:
    venue = FakeLink({}, trades=[_deal()]).venue()
    with pytest.raises(Unavailable, match="without comment and magic"):
        asyncio.run(venue.find("run-1", SYMBOL))
    marked = FakeLink({}, trades=[_deal(comment="by hand", magic=0)]).venue()
    assert asyncio.run(marked.find("run-1", SYMBOL)) is None


def test_an_order_is_found_by_its_magic_when_the_broker_changed_its_comment() -> None:
    deals = [_deal(comment="[changed]", magic=magic_of("run-1"), order=7)]
    found = asyncio.run(FakeLink({}, trades=deals).venue().find("run-1", SYMBOL))
    assert found is not None
    assert (found.client_order_id, found.venue_order_id) == ("run-1", "7")


def test_deposits_are_no_fills_and_fees_are_exact() -> None:
    deals = [
        _deal(type="balance", symbol=""),
        _deal(ticket=11, commission=Decimal("-0.35"), fee=Decimal("-0.1"), time=1_700_000_001),
        _deal(ticket=10, type="DEAL_TYPE_SELL"),
    ]
    fills = asyncio.run(FakeLink({}, trades=deals).venue().fills_since(0))
    assert [(f.fill_id, f.side, f.fee) for f in fills] == [
        ("10", Side.SELL, Decimal(0)),
        ("11", Side.BUY, Decimal("0.45")),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"price": Decimal("100.103")},
        {"price": "100.10"},
        {"price": None},
        {"volume": Decimal("0.015")},
        {"volume": -1},
        {"volume": True},
        {"ticket": None},
        {"ticket": "nine"},
        {"time": "now"},
        {"commission": "free"},
    ],
)
def test_a_deal_that_does_not_fit_the_instrument_makes_the_answer_unreadable(
    change: dict[str, Any],
) -> None:
    venue = FakeLink({}, trades=[_deal(**change)]).venue()
    with pytest.raises(Unavailable):
        asyncio.run(venue.fills_since(0))


def test_the_noise_of_a_double_is_the_nearest_tick() -> None:
    deals = [_deal(price=Decimal("100.10000000000001"), volume=Decimal("0.30000000000000004"))]
    [fill] = asyncio.run(FakeLink({}, trades=deals).venue().fills_since(0))
    assert (fill.price_units, fill.quantity_units) == (10_010, 30)


def test_a_filled_market_order_whose_deal_is_not_listed_yet_stays_open_to_question() -> None:
    async def scenario() -> None:
        done = {"error": False, "retcode": 10009, "deal": 4, "order": 5, "volume": 1}
        venue = FakeLink(done).venue()
        told = await venue.submit(an_order(BTC, quantity=100))
        assert told.status is OrderStatus.FILLED
        with pytest.raises(Unavailable, match="not in the history yet"):
            await venue.find("run-1", SYMBOL)

    asyncio.run(scenario())
