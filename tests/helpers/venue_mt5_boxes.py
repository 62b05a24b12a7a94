"""The venues over a MetaTrader 5 terminal's bridge, in boxes of the shape of `venue_boxes`."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from collections.abc import Callable
from typing import Any

import msgspec
from mt5_helpers import Bench, Hand, WallClock
from venue_box import Box

from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.shared_venue import SharedMt5Venue
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.types import NS_PER_SECOND
from logos.simulators.mt5.faults import Fate, FaultPlan
from logos.simulators.mt5.mql_json import deserialize, serialize
from logos.venues.contract import Venue


class Mt5Box(Box):
    """A terminal behind its gateway."""

    fills_in_parts = False
    keeps_positions = True
    words = (
        ("open_orders", "type", "ORDER_TYPE_ICEBERG"),
        ("find", "type", "ORDER_TYPE_ICEBERG"),
        ("fills", "type", "DEAL_TYPE_SIDEWAYS"),
        ("positions", "type", "POSITION_TYPE_SIDEWAYS"),
    )
    make: type[Mt5Venue] = Mt5Venue

    def __init__(self, made: Bench, hand: Hand) -> None:
        self.bench = made
        self.hand = hand
        self.since_ns = hand()
        self.instrument = made.simulator.terminal.instruments["BTCUSD.s"]
        self.low, self.high = 9_000, 20_000
        self.venue = self.another()

    def fill(self, client_order_id: str, lots: int) -> None:
        book = self.bench.simulator.book
        [order] = [each for each in book.orders.values() if each.comment == client_order_id]
        volume = lots * self.lot
        assert volume == order.volume_units, "this terminal fills what waits as a whole"
        book.fill(order, volume, order.price_units, self.hand.now_s)

    def by_hand(self) -> None:
        self.bench.simulator.book.take_order(
            self.symbol, "ORDER_TYPE_SELL_LIMIT", 1, self.high, (0, 0), 0, "", self.hand.now_s
        )

    def arrived(self) -> list[str]:
        book = self.bench.simulator.book
        return [name for name, count in book.client_ids.items() for _ in range(count)]

    def requests(self) -> int:
        return len([each for each in self.bench.audited("request") if each["action"] == "TRADE"])

    async def pass_time(self, seconds: float) -> None:
        self.hand.now_s += round(seconds)

    def lose(self, what: str, is_handled: bool) -> None:
        lost = FaultPlan(lost=1.0) if is_handled else FaultPlan(unread=1.0)
        self.bench.simulator.faults = lost

    def turn_away(self, what: str) -> None:
        self.bench.simulator.faults = FaultPlan(retcodes={10024: 1.0})

    def fall_silent(self) -> None:
        self.bench.simulator.faults = FaultPlan(lost=1.0)

    def recover(self) -> None:
        self.bench.simulator.faults = FaultPlan()

    def another(self, session_id: str = "s-1") -> Venue:
        return self.make(
            self.bench.gateway,
            {self.symbol: Mt5VenueSymbol(self.instrument, self.symbol)},
            HandClock(self.hand),
            session_id=session_id,
            is_sandbox=True,
            settle_s=0.0,
        )

    def swap(self, question: str, field: str, word: object) -> None:
        actions = {"find": "ORDERS", "open_orders": "ORDERS", "fills": "HISTORY"}
        action = actions.get(question, question.upper())
        answers = self.bench.simulator.terminal._answers
        right: Callable[[Any], dict[str, Any]] = answers.answer

        def answer(request: Any) -> dict[str, Any]:
            given = right(request)
            if request.action == action:
                for rows in given.values():
                    for row in rows if isinstance(rows, list) else []:
                        if row:
                            row[field] = word
            return given

        answers.answer = answer  # type: ignore[method-assign]


class SharedMt5Box(Mt5Box):
    """The venue that shares its questions, as sessions use it."""

    make = SharedMt5Venue
    venue: SharedMt5Venue

    async def pass_time(self, seconds: float) -> None:
        await super().pass_time(seconds)
        self.venue._shared.answered_ns = 0  # an answer of a moment ago serves for a moment only


class PublishedMt5Box(SharedMt5Box):
    """The same at a terminal with the published Expert Advisor."""

    words = (
        ("open_orders", "type", "ORDER_TYPE_ICEBERG"),
        ("find", "type", "ORDER_TYPE_ICEBERG"),
        ("fills", "type", "Canceled Buy type"),
        ("positions", "type", "POSITION_TYPE_SIDEWAYS"),
    )

    async def pass_time(self, seconds: float) -> None:
        await super().pass_time(seconds)
        # It lists deals up to the time of the latest price.
        self.bench.simulator.terminal.price(self.symbol, 10_000, 10_010)

    def swap(self, question: str, field: str, word: object) -> None:
        actions = {"find": "ORDERS", "open_orders": "ORDERS", "fills": "HISTORY"}
        action = actions.get(question, question.upper())
        expert = self.bench.simulator._expert
        assert expert is not None
        right = expert.answer

        def answer(frame: bytes, fate: Fate) -> tuple[list[bytes], str]:
            frames, symbol = right(frame, fate)
            if msgspec.json.decode(frame)["action"] != action:
                return frames, symbol
            given = [deserialize(each) or {} for each in frames]
            for rows in (rows for each in given for rows in each.values()):
                for row in rows if isinstance(rows, list) else []:
                    row[field] = word
            return [serialize(each).encode() for each in given], symbol

        expert.answer = answer  # type: ignore[method-assign]


class HandClock(WallClock):
    """Real pauses, and the time that the terminal shows."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def now_ns(self) -> int:
        return self._hand.now_s * NS_PER_SECOND
