"""A simulated terminal and a gateway to it in one event loop, for the tests of this folder."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq

from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import CurveKeys, Endpoints, GatewaySettings
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.venue import Mt5Venue
from logos.core.instrument import Instrument, instrument
from logos.core.orders import OrderIntent
from logos.core.outbox import SubmitOrder
from logos.core.risk import Approved
from logos.core.types import OrderType, Side, TimeInForce
from logos.simulators.mt5.simulator import SimOptions, SimSymbol, Simulator

Record = dict[str, Any]

FAST = GatewaySettings(reply_timeout_s=0.15, heartbeat_s=60.0, dead_after_s=60.0)
CALM = GatewaySettings(reply_timeout_s=10.0, heartbeat_s=60.0, dead_after_s=60.0)


class WallClock:
    """The real clock; the tests of sockets need it."""

    def now_ns(self) -> int:
        return time.time_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Hand:
    """A terminal's clock that a test moves."""

    def __init__(self, now_s: int = 1_700_000_000 // 60 * 60) -> None:
        self.now_s = now_s

    def __call__(self) -> int:
        return self.now_s * 1_000_000_000


class HandClock:
    """The terminal's clock as the session's; sleeping is real and short."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def now_ns(self) -> int:
        return self._hand()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


def coin(name: str = "BTCUSD.s", contract: str = "1") -> Instrument:
    return instrument(
        name,
        tick="0.01",
        lot="0.01",
        min_quantity="0.01",
        max_quantity="50",
        multiplier=contract,
        quote="USD",
        settlement="margin",
    )


def quiet(name: str = "BTCUSD.s", bid: int = 10_000, ask: int = 10_010) -> SimSymbol:
    """A symbol whose price stands still until a test moves it."""
    return SimSymbol(instrument=coin(name), prices=itertools.repeat((bid, ask)), interval_s=0.0)


def an_order(
    made: Instrument | None = None,
    side: Side = Side.BUY,
    quantity: int = 100,
    type: OrderType = OrderType.MARKET,
    price: int = 0,
    time_in_force: TimeInForce = TimeInForce.GTC,
    name: str = "run-1",
) -> SubmitOrder:
    """An order made without the risk layer: venues and gateways do not ask what was judged."""
    what = coin() if made is None else made
    limit = price if type is not OrderType.STOP else 0
    stop = price if type is OrderType.STOP else 0
    intent = OrderIntent(what, side, quantity, type, limit, stop, time_in_force, 0, "", "")
    return SubmitOrder(Approved(intent, 0, 0), name, 0)


def lets_out(_order: SubmitOrder) -> str:
    """A gate that is always open."""
    return ""


class Bench:
    """One terminal, one gateway, and what both wrote down."""

    def __init__(self, simulator: Simulator, gateway: Gateway, audit: list[Record]) -> None:
        self.simulator = simulator
        self.gateway = gateway
        self.audit = audit
        self.log: list[Record] = []
        self.deaths: list[str] = []

    def actions(self, action: str) -> list[Record]:
        return [record for record in self.log if record["action"] == action]

    def audited(self, kind: str) -> list[Record]:
        return [record for record in self.audit if record["kind"] == kind]

    def venue(self, session_id: str = "run", settle_s: float = 0.0, **symbols: str) -> Mt5Venue:
        """A venue for the simulator's symbols, under the same names in the session."""
        names = self.simulator.terminal.instruments
        known = {
            symbols.get(name, name): Mt5VenueSymbol(made, name) for name, made in names.items()
        }
        return Mt5Venue(
            self.gateway,
            known,
            WallClock(),
            session_id=session_id,
            is_sandbox=True,
            settle_s=settle_s,
        )


@contextmanager
def held(gateway: Gateway) -> Iterator[None]:
    """The gateway's thread serves nothing meanwhile."""
    queue: Any = gateway._queue
    take = queue.take
    queue.take = lambda: None
    try:
        yield
    finally:
        queue.take = take
        assert gateway._worker is not None
        gateway._worker.call(lambda _: None)


def sockets_of(gateway: Gateway) -> Any:
    """The sockets of an open gateway, which its thread has."""
    sockets = gateway._exchange._sockets
    assert sockets is not None
    return sockets


def endpoints(simulator: Simulator, host: str = "127.0.0.1") -> Endpoints:
    ports = simulator.ports
    return Endpoints(
        host=host,
        system=ports["system"],
        data=ports["data"],
        live=ports["live"],
        streaming=ports["streaming"],
    )


@asynccontextmanager
async def bench(
    options: SimOptions | None = None,
    *symbols: SimSymbol,
    settings: GatewaySettings = CALM,
    curve: CurveKeys | None = None,
    clock: Hand | None = None,
) -> AsyncIterator[Bench]:
    """A running terminal and an open gateway to it."""
    audit: list[Record] = []
    log: list[Record] = []
    deaths: list[str] = []
    known = {each.instrument.symbol: each for each in symbols or (quiet(),)}
    moments = clock or time.time_ns
    simulator = Simulator(known, options or SimOptions(), lambda r: audit.append(dict(r)), moments)
    await simulator.start()
    gateway = Gateway(
        endpoints(simulator),
        settings,
        WallClock(),
        lambda record: log.append(dict(record)),
        deaths.append,
        lets_out,
        curve,
    )
    try:
        await open_patiently(gateway)
        made = Bench(simulator, gateway, audit)
        made.log, made.deaths = log, deaths
        yield made
    finally:
        await gateway.close()
        await simulator.stop()


async def open_patiently(gateway: Gateway) -> None:
    """Open even when the first answers are lost."""
    for attempt in itertools.count():
        try:
            await gateway.open()
            return
        except OSError:
            if attempt == 20:
                raise


def trade(symbol: str, comment: str, side: str = "BUY", volume: int = 1) -> Mapping[str, object]:
    return {
        "action": "TRADE",
        "actionType": f"ORDER_TYPE_{side}",
        "symbol": symbol,
        "volume": volume,
        "comment": comment,
    }
