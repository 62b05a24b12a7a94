"""Every venue in a box of one shape, with the place behind it: what the contract suite asks.

Each box is a venue of the session "s-1" for one instrument, connected to the place it trades at
(in memory, or a local simulator over its own protocol), and hands to make that place do what real
ones do: fill, lose a request or its answer, turn one away, fall silent, use a word nobody knows.
Quantities are lots of the instrument, so that one suite fits coins, shares and contracts.
"""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from random import Random
from typing import Final

from link_helpers import coin as fake_coin
from mt5_helpers import FAST, Hand, bench, quiet
from venue_box import Box
from venue_ib_box import ib_box
from venue_mt5_boxes import Mt5Box, PublishedMt5Box, SharedMt5Box
from venue_native_box import NativeBox
from venue_tools import NOW_NS, BrokerDesk, Desk, broker_desk, exchange_desk

from logos.core.types import Side, TimeInForce
from logos.simulators.exchange.faults import Fault
from logos.simulators.mt5.simulator import SimOptions
from logos.testing.clock import ManualClock
from logos.testing.fake_venue import FakeVenue, Faults, FillRules
from logos.venues.contract import Venue

_SILENT_S: Final = 0.3
"""After this a venue over a network gives up waiting where no answer ever comes; an answer that
does come is waited for as long as a busy machine takes."""
_PATIENT_S: Final = 60.0


# ---- in memory ----


class FakeBox(Box):
    """The venue in memory."""

    def __init__(self) -> None:
        self.instrument = fake_coin()
        self.low, self.high = 900, 1_100
        self.clock = ManualClock()
        self.since_ns = self.clock.now_ns()
        money = {"USD": "10000", "COIN": "1000"}
        rules = FillRules(0, 0, 0)
        self.place = FakeVenue([self.instrument], self.clock, Random(1), money, fills=rules)
        self.place.set_price(self.symbol, 1_000)
        self.venue = self.place

    def fill(self, client_order_id: str, lots: int) -> None:
        self.place._fill(client_order_id, lots * self.lot)

    def by_hand(self) -> None:
        self.place.place_external(self.symbol, Side.SELL, self.instrument.lot, self.high)

    def arrived(self) -> list[str]:
        return list(self.place.reached.elements())

    def requests(self) -> int:
        return sum(self.place.reached.values())

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    def lose(self, what: str, is_handled: bool) -> None:
        chance = {"lost_after": 1.0} if is_handled else {"lost_before": 1.0}
        self.place.faults = Faults(**chance, timeout_s=0.0, late_s=0.0)

    def turn_away(self, what: str) -> None:
        self.place.faults = Faults(turned_away=1.0, retry_after_s=1.0)

    def fall_silent(self) -> None:
        self.place.faults = Faults(unavailable=1.0)

    def recover(self) -> None:
        self.place.faults = Faults()
        self.place.settle()

    def another(self, session_id: str = "s-1") -> Venue:
        return self.place


# ---- over HTTP ----

_PATHS: Final = {
    "ccxt": {
        "submit": "POST /api/v3/order",
        "cancel": "DELETE /api/v3/order",
        "find": "GET /api/v3/order",
        "open_orders": "GET /api/v3/openOrders",
        "fills": "GET /api/v3/myTrades",
        "balances": "GET /api/v3/account",
    },
    "alpaca": {
        "submit": "POST /v2/orders",
        "cancel": "DELETE /v2/orders",
        "find": "GET /v2/orders:by_client_order_id",
        "open_orders": "GET /v2/orders",
        "fills": "GET /v2/account/activities/FILL",
        "positions": "GET /v2/positions",
        "balances": "GET /v2/account",
    },
}


class WebBox(Box):
    """A venue at a local exchange; `desk` holds both."""

    kind = ""

    def __init__(self, desk: Desk | BrokerDesk) -> None:
        self.desk = desk
        self.venue = desk.venue
        self.since_ns = NOW_NS

    def by_hand(self) -> None:
        raise NotImplementedError

    def arrived(self) -> list[str]:
        return [order.client_id for order in self.desk.account.orders]

    def requests(self) -> int:
        return len(self.desk.exchange.requests)

    async def pass_time(self, seconds: float) -> None:
        await self.desk.exchange.advance(seconds)
        await self.desk.clock.advance(seconds)

    def lose(self, what: str, is_handled: bool) -> None:
        fault = Fault.RESET_AFTER if is_handled else Fault.RESET_BEFORE
        self.desk.exchange.fail(_PATHS[self.kind][what], fault)

    def turn_away(self, what: str) -> None:
        self.desk.exchange.fail(_PATHS[self.kind][what], Fault.RATE_LIMIT)

    def fall_silent(self) -> None:
        self.desk.exchange.fail("GET", Fault.TIMEOUT_BEFORE, times=100)
        self.wait_for_answers(_SILENT_S)

    def recover(self) -> None:
        self.desk.exchange.faults.clear()
        self.wait_for_answers(_PATIENT_S)

    def wait_for_answers(self, timeout_s: float) -> None:
        """From now on an answer is given up after so long."""
        raise NotImplementedError

    def swap(self, question: str, field: str, word: object) -> None:
        self.desk.swapped[_PATHS[self.kind][question]] = (field, word)

    def another(self, session_id: str = "s-1") -> Venue:
        return self.desk.another(session_id)


class CcxtBox(WebBox):
    """A spot exchange through ccxt."""

    kind = "ccxt"
    desk: Desk
    currency = "USDT"
    words = (
        ("find", "status", "SUSPENDED"),
        ("find", "type", "ICEBERG"),
        ("find", "side", "SIDEWAYS"),
        ("open_orders", "status", "SUSPENDED"),
        ("open_orders", "side", "SIDEWAYS"),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.instrument = desk.instrument
        self.low, self.high = 9_000_000, 20_000_000

    @property
    def lot(self) -> int:
        # The exchange takes no order below 5 USDT.
        return 10 * self.instrument.lot

    def wait_for_answers(self, timeout_s: float) -> None:
        self.desk.venue._exchange.timeout = int(1000 * timeout_s)

    def fill(self, client_order_id: str, lots: int) -> None:
        self.desk.account.fill(client_order_id, self.text(lots))

    def by_hand(self) -> None:
        self.desk.account.place_by_hand(self.symbol, "SELL", "0.1", "200000")


class AlpacaBox(WebBox):
    """A broker of shares."""

    kind = "alpaca"
    desk: BrokerDesk
    market_force = TimeInForce.DAY
    words = (
        ("find", "status", "sleeping"),
        ("find", "type", "iceberg"),
        ("find", "side", "sideways"),
        ("open_orders", "status", "sleeping"),
        ("open_orders", "type", "iceberg"),
        ("fills", "side", "sideways"),
    )

    def __init__(self, desk: BrokerDesk) -> None:
        super().__init__(desk)
        self.instrument = desk.share
        self.low, self.high = 15_000, 90_000

    def wait_for_answers(self, timeout_s: float) -> None:
        connection = self.desk.venue._questions.connection
        assert connection is not None
        connection._timeout_s = connection._client.timeout_s = timeout_s

    def fill(self, client_order_id: str, lots: int) -> None:
        self.desk.account.fill(client_order_id, self.text(lots))

    def by_hand(self) -> None:
        self.desk.account.place_by_hand(
            {
                "symbol": "AAPL", "side": "sell", "type": "limit", "time_in_force": "day",
                "qty": "1", "limit_price": "900.00", "client_order_id": "by-hand",
            }
        )  # fmt: skip


class AlpacaCoinBox(AlpacaBox):
    """A broker of coins, who takes his fee out of what is bought."""

    market_force = TimeInForce.GTC

    def __init__(self, desk: BrokerDesk) -> None:
        super().__init__(desk)
        self.instrument = desk.coin
        self.low, self.high = 900_000, 20_000_000
        desk.account.held["BTC/USD"] = Decimal(1)

    def by_hand(self) -> None:
        self.desk.account.place_by_hand(
            {
                "symbol": "BTC/USD", "side": "sell", "type": "limit", "time_in_force": "gtc",
                "qty": "0.0001", "limit_price": "900000.00", "client_order_id": "by-hand",
            }
        )  # fmt: skip


@asynccontextmanager
async def box(name: str, *, is_open: bool = True) -> AsyncIterator[Box]:
    """One of BOXES."""
    if name == "fake":
        made = FakeBox()
        if is_open:
            await made.venue.open()
        yield made
    elif name == "ccxt":
        async with exchange_desk(timeout_s=_PATIENT_S, is_open=is_open) as desk:
            yield CcxtBox(desk)
    elif name == "alpaca":
        async with broker_desk(timeout_s=_PATIENT_S, is_open=is_open) as broker:
            yield AlpacaBox(broker)
    elif name == "alpaca coins":
        async with broker_desk(timeout_s=_PATIENT_S, is_open=False) as broker:
            coins = AlpacaCoinBox(broker)
            if is_open:
                await broker.venue.open()
            yield coins
    elif name == "ib":
        async with ib_box(is_open) as brokers:
            yield brokers
    elif name == "mt5 native":
        native = NativeBox()
        if is_open:
            await native.venue.open()
        try:
            yield native
        finally:
            await native.venue.close()
    else:
        hand = Hand()
        ea = "published" if name == "mt5 published" else "logos"
        options = SimOptions(ea=ea, timer_s=0.001)
        async with bench(options, quiet(), settings=FAST, clock=hand) as terminal:
            kinds = {"mt5 shared": SharedMt5Box, "mt5 published": PublishedMt5Box}
            kind = kinds.get(name, Mt5Box)
            there = kind(terminal, hand)
            if is_open:
                await there.venue.open()
            try:
                yield there
            finally:
                await there.venue.close()


BOXES: Final = (
    *("fake", "ccxt", "alpaca", "alpaca coins"),
    *("mt5", "mt5 shared", "mt5 published", "mt5 native", "ib"),
)
