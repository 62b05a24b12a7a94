"""A session's venue at a simulated hedging account, and a judge who reads the broker's audit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import mt5_libraries  # noqa: F401 - before anything that needs zmq
from mt5_helpers import Bench, Hand, HandClock, an_order, bench, coin, quiet

from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.shared_venue import SharedMt5Venue
from logos.core.instrument import Instrument
from logos.core.outbox import SubmitOrder
from logos.core.types import OrderType, Side
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions, SimSymbol
from logos.venues.contract import Unavailable, VenueOrder

SYMBOL = "BTCUSD.s"
QUICK = GatewaySettings(reply_timeout_s=0.15, heartbeat_s=60.0, dead_after_s=60.0)
STEADY = GatewaySettings(reply_timeout_s=5.0, heartbeat_s=60.0, dead_after_s=60.0)


class Desk:
    """A hedging terminal, and one session's venue there (`another`: after a restart)."""

    def __init__(
        self, box: Bench, hand: Hand, folder: Path, made: Instrument, session_id: str
    ) -> None:
        self.box = box
        self.hand = hand
        self.folder = folder
        self.instrument = made
        self.book = box.simulator.book
        self.session_id = session_id
        self.stops: list[str] = []
        self.count = 0
        self.venue = self.another()
        box.simulator.terminal.price(SYMBOL, 10_000, 10_010)

    def another(self, session_id: str = "") -> SharedMt5Venue:
        session_id = session_id or self.session_id
        venue = SharedMt5Venue(
            self.box.gateway,
            {SYMBOL: Mt5VenueSymbol(self.instrument, SYMBOL)},
            HandClock(self.hand),
            session_id=session_id,
            is_sandbox=True,
            settle_s=0.0,
        )
        venue.stop_on_doubt(self.stops.append)
        venue.keep_record(self.folder / f"{session_id}.tickets.jsonl")
        return venue

    def order(
        self, side: Side, units: int, type: OrderType = OrderType.MARKET, price: int = 0
    ) -> SubmitOrder:
        self.count += 1
        return an_order(
            self.instrument, side, units, type, price, name=f"{self.session_id}-{self.count}"
        )

    async def buy(self, units: int) -> VenueOrder:
        return await self.venue.submit(self.order(Side.BUY, units))

    async def sell(self, units: int) -> VenueOrder:
        return await self.venue.submit(self.order(Side.SELL, units))

    def meets(self, number: int, faults: FaultPlan) -> None:
        """The n-th trade from now on meets these faults, and nothing else does."""
        trade, count = self.venue._by_ticket._trade, 0

        async def watched(*given: Any) -> dict[str, Any]:
            nonlocal count
            count += 1
            self.box.simulator.faults = faults if count == number else FaultPlan()
            try:
                return await trade(*given)
            finally:
                self.box.simulator.faults = FaultPlan()

        self.venue._by_ticket._trade = watched

    async def held(self) -> int:
        return (await self.venue.positions())[SYMBOL]

    def tickets(self) -> list[tuple[int, int]]:
        """What the broker holds, everybody's: (ticket, signed units)."""
        return [(each.ticket, each.volume_units) for each in self.book.holdings.open()]

    def trades(self) -> list[tuple[str, str, int]]:
        """What was asked of the broker: (type, comment, ticket that it names)."""
        found = self.box.audited("request")
        return [
            (each["action_type"], each["client_id"], each["id"])
            for each in found
            if each["action"] == "TRADE"
        ]

    async def told(self, name: str) -> VenueOrder | None:
        """What the venue says of an order in the end."""
        for _ in range(200):
            self.venue._shared.answered_ns = 0
            try:
                return await self.venue.find(name, SYMBOL)
            except Unavailable:
                self.hand.now_s += 1
                await asyncio.sleep(0)
        raise AssertionError(f"{name} is never told")


@asynccontextmanager
async def desk(
    folder: Path,
    settings: GatewaySettings = STEADY,
    made: Instrument | None = None,
    session_id: str = "run",
    **more: Any,
) -> AsyncIterator[Desk]:
    hand = Hand()
    options = SimOptions(is_hedging=True, has_ids=True, **more)
    symbol = quiet()
    instrument = coin() if made is None else made
    symbol = SimSymbol(instrument=instrument, prices=symbol.prices, interval_s=0.0)
    async with bench(options, symbol, settings=settings, clock=hand) as box:
        on = Desk(box, hand, folder, instrument, session_id)
        await on.venue.open()
        yield on


def at_desk(folder: Path, story: Callable[[Desk], Coroutine[Any, Any, None]], **more: Any) -> None:
    """Play a story at a desk."""

    async def play() -> None:
        async with desk(folder, **more) as on:
            await story(on)

    asyncio.run(play())


def is_of(session_id: str, comment: str) -> bool:
    return comment.startswith(f"{session_id}-")


class Judged:
    """What a broker's audit says of one session: by identifier, and its net over time."""

    def __init__(self, session_id: str, audit: Iterable[Mapping[str, Any]]) -> None:
        self.net = 0
        self.complaints: list[str] = []
        self.requests: Counter[str] = Counter()
        """New orders and closes of the session that the terminal read, by comment."""
        held: dict[int, int] = {}
        for record in audit:
            is_trade = record["kind"] == "request" and record["action"] == "TRADE"
            if is_trade and is_of(session_id, record["client_id"]):
                self.requests[record["client_id"]] += 1
            if record["kind"] != "deal":
                continue
            ours, position = is_of(session_id, record["comment"]), int(record["position"])
            units = int(record["volume_units"]) * (1 if record["is_buy"] else -1)
            if record["entry"] == 0 and ours:
                held[position] = held.get(position, 0) + units
            elif position in held:
                held[position] += units
                if not ours:
                    self.complaints.append(f"deal {record['ticket']}: closed by somebody else")
            elif ours:
                self.complaints.append(f"deal {record['ticket']}: closed what is not the session's")
            if len({each > 0 for each in held.values() if each}) > 1:
                self.complaints.append(f"deal {record['ticket']}: both sides are open")
            self.net = sum(held.values())
        self.complaints += [f"{name}: sent {n} times" for name, n in self.requests.items() if n > 1]

    def check_record(self, path: Path) -> None:
        """Every request of the session that was read is in its record, once."""
        lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
        recorded = Counter(
            each["order"] if each["number"] == 1 else f"{each['order']}.{each['number']}"
            for each in lines
            if "symbol" in each
        )
        self.complaints += [f"{name}: recorded {n} times" for name, n in recorded.items() if n > 1]
        unknown = set(self.requests) - set(recorded)
        self.complaints += [f"{name}: sent and not recorded" for name in unknown]
