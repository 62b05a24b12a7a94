"""Random sequences of orders at a hedging account, without sockets, and what must hold after each.

Trades are lost before and after they were done, arrive late, are refused, requoted and filled in
part; lists of positions and deals are a few questions old; the process is replaced in the middle of
an order; strangers trade beside it. Then: at most
one request per record, every request recorded, never both sides open, nobody else's position
touched, and the position is what the fills say that the venue told.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import mt5_libraries  # noqa: F401 - before anything that needs zmq
from mt5_hedging import SYMBOL, Judged
from mt5_helpers import Hand, an_order, coin, quiet

from logos.adapters.mt5.gateway.failures import QuestionLost, TradeLost, TradeNotSent
from logos.adapters.mt5.gateway.wire import FIELDS, decode_frame
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.shared_venue import SharedMt5Venue
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, OrderTerms, OutstandingOrder, SubmitOrder
from logos.core.types import OrderStatus, OrderType, Side
from logos.simulators.mt5.faults import Fate
from logos.simulators.mt5.simulator import SimOptions, SimSymbol, Simulator
from logos.simulators.mt5.wire import parse_request
from logos.venues.contract import NotSent, OutcomeUnknown, Refused, Unavailable, VenueError

ENDS = (OrderStatus.FILLED, OrderStatus.CANCELLED)


class Killed(BaseException):
    """The process is no more."""


class DirectLink:
    """logos' own Expert Advisor without sockets; what goes wrong is drawn from a seed."""

    does_echo = has_ids = True

    def __init__(self, simulator: Simulator, draw: random.Random) -> None:
        self.simulator = simulator
        self.draw = draw
        self.is_calm = False
        self.dies_at = 0
        """Before the n-th trade from now the process is killed; 0: never."""
        self.late: list[tuple[int, dict[str, object]]] = []
        """Trades on their way, and at which request they arrive."""
        self.count = 0
        self.old: dict[str, tuple[int, dict[str, Any]]] = {}
        """Lists that are told as they were, until a request."""
        self.hear: Callable[[Mapping[str, Any]], None] = lambda _: None
        simulator.terminal._push_transaction = self._push

    def _push(self, frame: Mapping[str, object]) -> None:
        self.hear(self._read(frame))

    @staticmethod
    def _read(frame: Mapping[str, object]) -> dict[str, Any]:
        return decode_frame(msgspec.json.encode(frame), 1 << 24)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def epoch(self) -> int:
        return 0

    def listen(self, on_transaction: Callable[[Mapping[str, Any]], None]) -> None:
        self.hear = on_transaction if self.draw.random() < 0.7 else lambda _: None

    async def next_transaction(self, timeout_s: float) -> None:
        await asyncio.sleep(0)

    def carry_out(self, fields: Mapping[str, object], fate: Fate) -> dict[str, Any]:
        request = parse_request(msgspec.json.encode(dict.fromkeys(FIELDS) | dict(fields)))
        self.simulator._note(request)
        answer = self.simulator.terminal.handle(request, fate)
        now_ms = self.simulator.now_ms()
        return self._read(self.simulator._extension.complete(request, dict(answer), now_ms))

    async def request(
        self,
        symbol: str,
        fields: Mapping[str, object],
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.count += 1
        for each in [each for each in self.late if each[0] <= self.count]:
            self.late.remove(each)
            self.carry_out(each[1], Fate("", 0, False))
        luck = 1.0 if self.is_calm else self.draw.random()
        if fields["action"] != "TRADE":
            if luck < 0.04:
                raise QuestionLost("lost")
            until, old = self.old.get(str(fields["action"]), (0, {}))
            return old if self.count <= until else self.carry_out(fields, Fate("", 0, False))
        if "." in str(fields.get("comment")):
            luck *= 0.6  # a later request of several
        self.dies_at -= 1
        if self.dies_at == 0:
            raise Killed
        if luck < 0.05:
            raise TradeNotSent("never left")
        if luck < 0.10:
            raise TradeLost("lost on its way")
        if luck < 0.15:
            self.late.append((self.count + self.draw.randrange(1, 6), dict(fields)))
            raise TradeLost("late")
        if luck > 0.4 and self.draw.random() < 0.4 and not self.is_calm:
            asked = {"action": "POSITIONS"}
            old = self.carry_out(asked, Fate("", 0, False))
            self.old["POSITIONS"] = (self.count + self.draw.randrange(1, 5), old)
        retcode = 10004 if luck < 0.20 else 10018 if luck < 0.23 else 0
        answer = self.carry_out(fields, Fate("", retcode, luck > 0.9 and not self.is_calm))
        if luck < 0.33:
            raise TradeLost("its answer is lost")
        return answer


class Campaign:
    """One sequence, from a seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.draw = random.Random(seed)
        self.path = folder / f"{seed}.tickets.jsonl"
        self.hand = Hand()
        self.audit: list[dict[str, Any]] = []
        self.instrument: Instrument = coin()
        symbol = SimSymbol(instrument=self.instrument, prices=quiet().prices, interval_s=0.0)
        self.simulator = Simulator(
            {SYMBOL: symbol},
            SimOptions(is_hedging=True, has_ids=True, balance="10000000"),
            lambda record: self.audit.append(dict(record)),
            self.hand,
        )
        self.link = DirectLink(self.simulator, self.draw)
        self.open: dict[str, OrderTerms] = {}
        self.stops: list[str] = []
        self.fills: dict[str, int] = {}
        self.fills_of: dict[str, str] = {}
        self.count = self.deaths = self.multiple = 0
        self.side = Side.BUY
        self.price()

    def now_ns(self) -> int:
        return self.hand()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def price(self) -> None:
        self.bid = bid = self.draw.randrange(9_500, 10_500)
        self.simulator.terminal.price(SYMBOL, bid, bid + 10)

    async def begin(self) -> None:
        """A process begins, after another perhaps."""
        self.venue = SharedMt5Venue(
            self.link,
            {SYMBOL: Mt5VenueSymbol(self.instrument, SYMBOL)},
            self,
            session_id="run",
            is_sandbox=True,
            settle_s=3.0,
        )
        self.venue.stop_on_doubt(self.stops.append)
        self.venue.keep_record(self.path)
        calm, self.link.is_calm = self.link.is_calm, True
        await self.venue.open()
        self.link.is_calm = calm
        self.venue.adopt(
            [OutstandingOrder(each, 0, OrderStatus.UNKNOWN, False) for each in self.open.values()],
            [(owner, deal) for deal, owner in self.fills_of.items()],
        )

    async def play(self, steps: int) -> list[str]:
        """Play so many steps; what is wrong in the end."""
        await self.begin()
        for _ in range(steps):
            await self.step()
        self.link.is_calm, self.link.dies_at = True, 0
        self.link.old.clear()
        for name in list(self.open):
            with suppress(VenueError):  # it waits no more
                await self.venue.cancel(CancelOrder(name, SYMBOL))
        await self.settle()
        await self.venue.close()
        return self.judge((await self._positions())[SYMBOL])

    async def _positions(self) -> Mapping[str, int]:
        self.venue._shared.is_closed = False
        return await self.venue.positions()

    async def step(self) -> None:
        self.hand.now_s += 1
        what = self.draw.random()
        if what < 0.15:
            self.price()
        elif what < 0.25:
            self.by_hand()
        elif what < 0.32:
            await self.restart()
        else:
            await self.order()
        if self.draw.random() < 0.5:
            await self.settle()

    def by_hand(self) -> None:
        """A stranger opens a position, or closes one of his own."""
        terminal = self.simulator.terminal
        theirs = [each for each in self.simulator.book.holdings.open() if not each.comment]
        if theirs and self.draw.random() < 0.5:
            mine = self.draw.choice(theirs)
            terminal.by_hand(SYMBOL, mine.volume_units < 0, abs(mine.volume_units), mine)
        else:
            terminal.by_hand(SYMBOL, self.draw.random() < 0.5, self.draw.randrange(1, 40))

    async def restart(self) -> None:
        await self.venue.close()
        await self.begin()

    async def order(self) -> None:
        if self.draw.random() < 0.3:
            self.side = Side.SELL if self.side is Side.BUY else Side.BUY
        side = self.side
        units = self.draw.randrange(1, 20) if self.draw.random() < 0.7 else 60
        kind = OrderType.MARKET if self.draw.random() < 0.75 else OrderType.LIMIT
        price = 0
        if kind is OrderType.LIMIT:
            away = self.draw.randrange(1, 300)
            price = self.bid + 10 - away if side is Side.BUY else self.bid + away
        self.count += 1
        name = f"run-{self.count}"
        order = an_order(self.instrument, side, units, kind, price, name=name)
        if self.draw.random() < 0.15:
            self.link.dies_at = self.draw.randrange(1, 4)
        self.open[name] = order.terms
        try:
            await self.venue.submit(order)
        except (Refused, NotSent):
            del self.open[name]
        except OutcomeUnknown:
            await self.settle([name])
        except Killed:
            self.deaths += 1
            self.venue._by_ticket.close()
            await self.begin()
        self.link.dies_at = 0

    async def settle(self, names: Iterable[str] = ()) -> None:
        """Every order that is over is told, of these or of all."""
        for name in list(names or self.open):
            for _ in range(100):
                self.venue._shared.answered_ns = 0
                try:
                    found = await self.venue.find(name, SYMBOL)
                    fills = await self.venue.fills_since(0)
                    break
                except Unavailable:
                    self.hand.now_s += 1
            else:
                raise AssertionError(f"{name} is never told: {self.stops}")
            if found is None or found.status in ENDS:
                units = 0 if found is None else found.filled_units
                mine = [each for each in fills if each.client_order_id == name]
                assert sum(each.quantity_units for each in mine) == units, (name, found, mine)
                self.multiple += len(mine) > 1
                sign = 1 if self.open[name].side is Side.BUY else -1
                self.fills[name] = sign * units
                self.fills_of |= {each.fill_id: name for each in mine}
                del self.open[name]

    def judge(self, held: int) -> list[str]:
        judged = Judged("run", self.audit)
        if self.path.exists():
            judged.check_record(self.path)
        told = sum(self.fills.values())
        if not told == judged.net == held:
            judged.complaints.append(
                f"the fills make {told}, the broker has {judged.net}, the venue says {held}"
            )
        return judged.complaints + self.stops
