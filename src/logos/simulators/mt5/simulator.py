"""A MetaTrader 5 terminal with the ZeroMQ bridge in it, simulated: the four ports and their faults.

For tests, rehearsals and stress: it trades on a paper market of its own, and every request, order
and deal is in its audit, so that a judge can compare books. The system port is a router, which a
REQ socket cannot tell from a REP socket, because a fault may be that no OK comes at all. The OK is
sent once a request has been read, then the request is carried out, then the answer is pushed.

A late or slow answer is pushed when it is due, while the terminal goes on; with `in_order` the
terminal waits for it, as a real one would, because it does one thing after the other.

With `ea` "logos" it speaks the protocol of docs/MT5.md as logos would have it; with "published" it
is the published Expert Advisor (`published`): one request at each event of its timer, answers in
its words, and a frame for which there is no client is dropped, not kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import zmq
import zmq.asyncio
import zmq.auth
import zmq.auth.asyncio

from logos.core.instrument import Instrument
from logos.loopback import check_host, load_keys
from logos.simulators.mt5.book import FIRST_TICKET, Audit, SimBook
from logos.simulators.mt5.extension import Extension
from logos.simulators.mt5.faults import (
    LATE,
    LOST,
    OK_LOST,
    TWICE,
    UNREAD,
    Fate,
    FaultPlan,
    fate_of,
)
from logos.simulators.mt5.market import Prices
from logos.simulators.mt5.ports import PushPorts, SystemPort
from logos.simulators.mt5.published import PublishedExpert
from logos.simulators.mt5.terminal import Terminal
from logos.simulators.mt5.ticker import Ticker
from logos.simulators.mt5.wire import (
    REQUEST_BYTES_MAX,
    UNKNOWN_FIELD,
    WRONG_VALUE,
    Request,
    RequestError,
    parse_request,
)

PORT_NAMES: Final = ("system", "data", "live", "streaming")
EXPERTS: Final = ("logos", "published")
"""Whose words the terminal speaks."""

TIMER_S: Final = 1 / 64
"""How often a Windows timer fires that was set to a millisecond (EventSetMillisecondTimer(1))."""


class SimSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of the terminal. `prices` gives (bid, ask) in units, one each `interval_s`.

    With an interval of 0 nothing moves by itself: a test sets prices.
    """

    instrument: Instrument
    prices: Prices
    interval_s: float
    commission_per_lot: str = "0"


class SimOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the terminal is reached and how it behaves. A port of 0 is chosen by the system."""

    host: str = "127.0.0.1"
    ports: tuple[int, int, int, int] = (0, 0, 0, 0)
    balance: str = "100000"
    speed: float = 1.0
    """Seconds of the terminal's clock per second: candles close so much sooner."""
    faults: FaultPlan = FaultPlan()
    does_echo: bool = True
    """Whether answers carry the request's comment; an unchanged Expert Advisor's do not."""
    has_ids: bool = False
    """Whether it is logos' own Expert Advisor, with request ids (`extension`)."""
    in_order: bool = False
    by_hand_every_s: float = 0.0
    """Somebody trades by hand, in each symbol in turn, this often; 0: never."""
    ea: str = EXPERTS[0]
    timer_s: float = TIMER_S
    """The published Expert Advisor reads one request this often."""
    chart: str = ""
    """The symbol of its chart, whose digits it rounds prices to; empty: the first symbol."""
    is_hedging: bool = False
    """Each order opens a position of its own (`holdings`)."""
    first_ticket: int = FIRST_TICKET
    server_offset_s: int = 0
    """What the terminal's clock is ahead of the simulator's."""
    curve_folder: Path | None = None
    """`server.key_secret` and, below `clients/`, the `.key` of everybody who may connect."""


class Simulator:
    """The terminal on its sockets. Make it, `await start()`, `await stop()`, in one event loop."""

    def __init__(
        self,
        symbols: Mapping[str, SimSymbol],
        options: SimOptions,
        audit: Audit,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Raises EndpointError for a host that is not this machine, without CURVE keys."""
        check_host(options.host, options.curve_folder is not None)
        self._symbols = dict(symbols)
        self._options = options
        self._audit = audit
        self._now_ns = now_ns
        self._started_ns = now_ns()
        instruments = {name: each.instrument for name, each in symbols.items()}
        commissions = {name: each.commission_per_lot for name, each in symbols.items()}
        money, first, hedges = options.balance, options.first_ticket, options.is_hedging
        self.book = SimBook(instruments, money, commissions, audit, first, is_hedging=hedges)
        self.terminal = Terminal(
            instruments, self.book, audit, self.now_ms, self._push_live, self._push_transaction
        )
        self.terminal.tells_deals = options.has_ids
        self._extension = Extension(instruments, is_hedging=options.is_hedging)
        self._expert = self._published() if options.ea == "published" else None
        self.faults = options.faults
        """May be exchanged while it runs."""
        self.ports: dict[str, int] = {}
        """The ports in use, by name; filled by `start`."""
        self.requests = 0
        self._context: zmq.asyncio.Context | None = None
        self._system: SystemPort | None = None
        self._pushing = PushPorts(PORT_NAMES[1:], keeps=self._expert is None)
        self._tasks: list[asyncio.Task[None]] = []
        self._authenticator: zmq.auth.asyncio.AsyncioAuthenticator | None = None
        self._encode = msgspec.json.Encoder().encode

    def _published(self) -> PublishedExpert:
        """The published Expert Advisor. Raises ValueError for a chart of no symbol here."""
        chart = self._options.chart or next(iter(self._symbols))
        if chart not in self._symbols:
            raise ValueError(f"the chart's symbol {chart} is not among the terminal's")
        return PublishedExpert(self.terminal, chart, self._note, partial(self._push, "live"))

    @property
    def dropped(self) -> int:
        """Frames for which there was no client, or no room."""
        return self._pushing.dropped

    def now_ms(self) -> int:
        """The terminal's clock, in milliseconds."""
        now_ns: float = self._now_ns()
        if self._options.speed != 1.0:
            now_ns = self._started_ns + (now_ns - self._started_ns) * self._options.speed
        return int(now_ns // 1_000_000) + 1000 * self._options.server_offset_s

    async def start(self) -> None:
        """Bind the ports and begin.

        Raises OSError (zmq.ZMQError) when a port is taken, DataError for prices that there are not.
        """
        for symbol in self._symbols:
            self._next_price(symbol)
        try:
            self._bind_all()
        except BaseException:
            await self.stop()
            raise
        self._start_tasks()

    def _bind_all(self) -> None:
        self._context = zmq.asyncio.Context()
        if self._options.curve_folder is not None:
            self._start_curve(self._context, self._options.curve_folder)
        plain: zmq.Context[zmq.Socket[bytes]] = zmq.Context(shadow=self._context)
        self._system = SystemPort(plain)
        self._bind(self._system.socket, "system", self._options.ports[0])
        for name, port in zip(PORT_NAMES[1:], self._options.ports[1:], strict=True):
            # Not asynchronous: sending never waits here.
            self._bind(self._pushing.make(name, plain), name, port)

    def _start_tasks(self) -> None:
        self._tasks = [asyncio.create_task(self._serve(), name="mt5 sim system")]
        for name in PORT_NAMES[1:]:
            send = self._pushing.send(name)
            self._tasks.append(asyncio.create_task(send, name=f"mt5 sim {name}"))
        moving = {name: e.interval_s for name, e in self._symbols.items() if e.interval_s > 0}
        if moving:
            ticks = Ticker(moving, self._on_tick).run()
            self._tasks.append(asyncio.create_task(ticks, name="mt5 sim prices"))
        if self.faults.disconnect_every_s > 0:
            self._tasks.append(asyncio.create_task(self._disconnect(), name="mt5 sim broker"))
        if self._options.by_hand_every_s > 0:
            self._tasks.append(asyncio.create_task(self._trade_by_hand(), name="mt5 sim hand"))

    async def wait(self) -> None:
        """Return never; raises what any part of the simulator died of."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Close everything; stopping again does nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._system is not None:
            self._system.close()
            self._system = None
        self._pushing.close()
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None
        if self._context is not None:
            self._context.term()
            self._context = None

    # ---- sockets ----

    def _start_curve(self, context: zmq.asyncio.Context, folder: Path) -> None:
        self._authenticator = zmq.auth.asyncio.AsyncioAuthenticator(context)
        self._authenticator.start()
        self._authenticator.configure_curve(domain="*", location=str(folder / "clients"))

    def _bind(self, socket: zmq.Socket[bytes], name: str, port: int) -> None:
        socket.linger = 0
        # Beyond this a frame cannot even be refused in words: the peer is cut off.
        socket.setsockopt(zmq.MAXMSGSIZE, 2 * REQUEST_BYTES_MAX)
        if self._options.curve_folder is not None:
            public, secret = load_keys(self._options.curve_folder / "server.key_secret")
            socket.curve_publickey = public.encode()
            socket.curve_secretkey = secret.encode()
            socket.curve_server = True
        socket.bind(f"tcp://{self._options.host}:{port or '*'}")
        endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.ports[name] = int(endpoint.rpartition(":")[2])

    async def _serve(self) -> None:
        """Read requests for ever, one after the other."""
        system = self._system
        assert system is not None
        while True:
            if self._expert is None:
                parts = await system.next()
            else:
                await asyncio.sleep(self._options.timer_s)
                self._expert.on_timer()
                if (found := system.read()) is None:
                    continue
                parts = found
            if len(parts) != 3 or parts[1]:
                self._audit({"kind": "malformed", "reason": "not a request of one part"})
                continue
            self.requests += 1
            await self._take(system, parts[0], parts[2])

    async def _take(self, system: SystemPort, client: bytes, frame: bytes) -> None:
        """One request: read, confirmed, carried out, answered."""
        fate = fate_of(self.faults, self.requests)
        if self._expert is not None and fate.delivery != UNREAD:
            for early in self._expert.before_ok(frame):
                self._push("data", early)
        if fate.delivery not in (UNREAD, OK_LOST):
            system.confirm(client)
        delay_s, answers = self._read(frame, fate)
        if delay_s and (self._options.in_order or self._expert is not None):
            await asyncio.sleep(delay_s)
            delay_s = 0.0
        for answer in answers:
            self._push_after(delay_s, answer)
        if self._expert is not None:
            streamed, self._expert.streamed = self._expert.streamed, []
            for transaction in streamed:
                self._push("streaming", transaction)

    def _push_after(self, delay_s: float, answer: bytes) -> None:
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._push, "data", answer)
        else:
            self._push("data", answer)

    def _read(self, frame: bytes, fate: Fate) -> tuple[float, list[bytes]]:
        """Carry out one request; after how long which answers are due."""
        plan = self.faults
        if fate.delivery:
            self._audit({"kind": "fault", "sequence": self.requests, "fault": fate.delivery})
        if fate.delivery == UNREAD:
            return 0.0, []
        if self._expert is None:
            answer, symbol = self._carry_out(frame, fate)
            answers = [answer]
        else:
            answers, symbol = self._expert.answer(frame, fate)
        if fate.delivery in (OK_LOST, LOST):
            return 0.0, []
        delay_s = plan.slow_s.get(symbol, 0.0)
        if fate.delivery == LATE:
            delay_s += plan.late_s
        if fate.delivery == TWICE:
            for answer in answers:
                loop = asyncio.get_running_loop()
                loop.call_later(delay_s + plan.twice_s, self._push, "data", answer)
        return delay_s, answers

    def _carry_out(self, frame: bytes, fate: Fate) -> tuple[bytes, str]:
        """The answer to one frame, encoded, and the symbol it is about."""
        token = symbol = rid = ""
        try:
            request = parse_request(frame)
            token, symbol, rid = request.comment, request.symbol, request.rid
            self._note(request)
            answer = self._answer_to(request, fate)
        except RequestError as error:
            token = token or error.token
            self._audit({"kind": "malformed", "sequence": self.requests, "reason": str(error)})
            answer = error.answer()
        if self._options.does_echo:
            answer["comment"] = token
        if rid:
            answer["rid"] = rid
        return self._encode(answer), symbol

    def _answer_to(self, request: Request, fate: Fate) -> dict[str, object]:
        """The answer to a readable request. Raises RequestError."""
        if not self._options.has_ids:
            if request.rid or request.from_ticket:
                raise RequestError(WRONG_VALUE, UNKNOWN_FIELD, request.comment)
            return self.terminal.handle(request, fate)
        answer = self._extension.answer(request) or self.terminal.handle(request, fate)
        return self._extension.complete(request, answer, self.now_ms())

    def _note(self, request: Request) -> None:
        self._audit(
            {
                "kind": "request",
                "ts_ns": self._now_ns(),
                "sequence": self.requests,
                "action": request.action,
                "action_type": request.action_type,
                "symbol": request.symbol,
                "client_id": request.comment,
                "magic": request.magic,
                "id": request.id,
                "volume": None if request.volume is None else f"{request.volume:f}",
                "price": None if request.price is None else f"{request.price:f}",
            }
        )

    def _push_live(self, frame: Mapping[str, object]) -> None:
        if self._expert is None:  # the published one looks by itself, at its timer
            self._push("live", self._encode(frame))

    def _push_transaction(self, frame: Mapping[str, object]) -> None:
        if self._expert is None:
            self._push("streaming", self._encode(frame))

    def _push(self, name: str, frame: bytes) -> None:
        self._pushing.push(name, frame)

    # ---- what happens by itself ----

    def _on_tick(self, symbol: str) -> None:
        if self.terminal.is_connected:
            self._next_price(symbol)

    def _next_price(self, symbol: str) -> None:
        bid_units, ask_units = next(self._symbols[symbol].prices)
        self.terminal.price(symbol, bid_units, ask_units)

    async def _disconnect(self) -> None:
        plan = self.faults
        while True:
            await asyncio.sleep(plan.disconnect_every_s)
            self.terminal.set_connected(False)
            await asyncio.sleep(plan.disconnect_for_s)
            self.terminal.set_connected(True)

    async def _trade_by_hand(self) -> None:
        is_buy = True
        while True:
            for symbol, each in self._symbols.items():
                await asyncio.sleep(self._options.by_hand_every_s)
                self.terminal.by_hand(symbol, is_buy, each.instrument.lot)
            is_buy = not is_buy
