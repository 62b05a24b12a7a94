"""The way to a MetaTrader 5 terminal: requests, answers, and what is known when none comes.

The problem: one request socket that must send and receive in strict turns, answers that come on
another socket and name no request, and many symbols that all want to be served. So there is one
lock around each request with its answer (`lock`), its time shared by the symbols that want
it; every acquire and release is logged in pairs, with the symbol and a lock id that counts up.
A thread of its own has the sockets and serves what waits (`worker`, `exchange`); this is its face
in the event loop.

A request not answered in `reply_timeout_s` is lost, and the lock goes on. So a slow symbol holds up
the others no longer than that at a time, and has no more of the lock's time than they. What was
lost is `OutcomeUnknown` for a trade and `Unavailable` for a question.

An order meets the session's gate once more when it has the lock and nothing is left but to send it
(`door`): it may have waited for seconds, and a kill switch thrown in them would come too late for
what already waits. So of a thousand orders that wait, at most the one that is being sent now still
arrives. Cancels and questions pass always. Every order that is held back is one record in the
gateway's log.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

from logos.adapters.mt5.gateway.accesses import Accesses
from logos.adapters.mt5.gateway.door import Door, Gate
from logos.adapters.mt5.gateway.exchange import Exchange
from logos.adapters.mt5.gateway.failures import QuestionLost, not_sent
from logos.adapters.mt5.gateway.jobs import Job, Posts
from logos.adapters.mt5.gateway.lock import FairQueue, QueueFullError
from logos.adapters.mt5.gateway.log import GatewayStats, Log, Records
from logos.adapters.mt5.gateway.matching.identified import Hooks, Identified
from logos.adapters.mt5.gateway.matching.replies import token_start
from logos.adapters.mt5.gateway.ports import Port
from logos.adapters.mt5.gateway.settings import CurveKeys, Endpoints, GatewaySettings
from logos.adapters.mt5.gateway.silence import Silence
from logos.adapters.mt5.gateway.sockets import DATA, LIVE, STREAMING, PortError, Sockets
from logos.adapters.mt5.gateway.wire import FrameError, Question, Reply, decode_frame
from logos.adapters.mt5.gateway.worker import Worker
from logos.core.clock import Clock
from logos.core.outbox import SubmitOrder
from logos.loopback import check_host

Listener = Callable[[Mapping[str, Any]], None]


class Gateway:
    """One terminal. Use it from one event loop; `open` first, `close` at the end.

    `on_dead` is called once each time the terminal is found dead, with the reason.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        settings: GatewaySettings,
        clock: Clock,
        log: Log,
        on_dead: Callable[[str], None],
        gate: Gate,
        curve: CurveKeys | None = None,
        flush: Callable[[], None] = lambda: None,
    ) -> None:
        """`gate` is called in the gateway's thread, `log` and `flush` in it or in the loop, one at
        a time. Raises EndpointError for a host that is not this machine, without CURVE keys."""
        check_host(endpoints.host, curve is not None)
        self._endpoints = endpoints
        self._settings = settings
        self._on_dead = on_dead
        self._curve = curve
        self._records = Records(clock, log, flush)
        self._say = self._records.say
        self._queue: FairQueue[Job] = FairQueue(settings.waiting_max)
        self._tokens = itertools.count(1)  # one step, for the loop and the thread
        # A late answer to a process before this one must not look like an answer to this one.
        self._token_start = token_start()
        self._silence = Silence(settings, clock, self._ask_balance, self._on_silence)
        self.lives = 0
        """Raised each time a terminal answers after none did: subscriptions may be gone."""
        self.stats = GatewayStats()
        self.door = Door(gate, self._say)
        hooks = Hooks(self._on_identified, self._on_late, self._stray, self._say)
        self._identified = Identified(self._token_start, settings, hooks)
        self._exchange = Exchange(
            settings, self.door, self._identified, self, self.stats, self._records, self._question
        )
        self._accesses = Accesses(self._queue.release, self.stats, self._records)
        self._worker: Worker | None = None
        self._posts: Posts | None = None
        self._ports: dict[str, Port] = {}
        self._listener: Listener | None = None
        self._opening = asyncio.Lock()

    @property
    def token_start(self) -> str:
        """What the tokens of this gateway's own requests begin with."""
        return self._token_start

    @property
    def is_dead(self) -> bool:
        """Whether the terminal has left requests unanswered for too long; an answer ends it."""
        return self._silence.is_dead

    @property
    def does_echo(self) -> bool:
        """Whether the terminal puts the comments of requests into its answers."""
        return self._exchange.attribution.does_echo

    @property
    def has_ids(self) -> bool:
        """Whether the terminal is logos' own Expert Advisor (`identified`)."""
        return self._identified.is_known

    def epoch(self) -> int:
        """Which change of the kill switch is the latest."""
        return self.door.epoch()

    def waiting(self, symbol: str) -> int:
        """How many requests of `symbol` wait for the lock now."""
        return self._queue.waiting(symbol)

    @property
    def queue_peak(self) -> int:
        """The most requests that ever waited for one symbol."""
        return self._queue.waiting_peak

    async def open(self) -> None:
        """Connect and ask who is there; anew where the thread has ended by itself. Who comes second
        waits for the first. Raises QuestionLost when nobody answers."""
        async with self._opening:
            if self._worker is not None and self._worker.has_ended:
                await self.close()
            if self._worker is None:
                await self._connect()

    async def _connect(self) -> None:
        frames_max = self._settings.push_frames_max
        self._ports = {name: Port(frames_max) for name in (LIVE, STREAMING)}
        posts = self._posts = Posts(lambda error: self._on_end(repr(error)))
        self._worker = Worker(
            self._queue,
            self._exchange,
            self._identified,
            self._accesses,
            self._records,
            posts,
            self._on_end,
        )
        self._silence.begin()
        self._worker.start(
            lambda waker: Sockets(self._endpoints, self._settings, self._curve, self, waker)
        )
        try:
            await self.request("", {"action": "ACCOUNT"})
        except BaseException:
            await self.close()
            raise
        self._silence.start()

    async def close(self) -> None:
        """Close every socket; closing again does nothing."""
        await self._silence.stop()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        self._identified.forget("the gateway was closed")
        for job in self._queue.clear():
            job.fail(not_sent(job.question.kind, "the gateway was closed", 0.0))
        await asyncio.sleep(0)  # what the thread told last
        self._records.flush()

    # ---- requests ----

    async def request(
        self,
        symbol: str,
        fields: Mapping[str, object],
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> Reply:
        """Send one request and return its answer, errors that the terminal reports included.

        `symbol` is whose turn it takes (empty for none); `fields` are the protocol's, those left
        out are null. A new order leaves only if `order`, which it carries out, passes the gate and
        the switch is still at `epoch` (None: that of now); its `comment` is its token, every other
        request gets one. Raises TradeNotSent or TradeLost for a
        TRADE, QuestionLost for anything else, ValueError for a field that does not exist.
        """
        question = self._question(fields)
        worker = self._worker
        if worker is None or worker.has_ended:
            words = "the gateway is not open" if worker is None else "the gateway's thread ended"
            raise not_sent(question.kind, words, self._settings.reply_timeout_s)
        leaving = self.door.begin(order, epoch)
        job = Job(symbol, question, leaving, asyncio.get_running_loop().create_future())
        try:
            self._queue.put(symbol, job)
        except QueueFullError as error:
            raise not_sent(question.kind, str(error), 0.0) from None
        worker.wake()
        self._identified.expect()
        try:
            return await job.future
        except asyncio.CancelledError:
            if not self._queue.drop(symbol, job):
                worker.give_up(job)
                self._identified.give_up(job, "its wait was given up")
            raise
        finally:
            self._identified.expected -= 1

    def _question(self, fields: Mapping[str, object]) -> Question:
        token = str(fields.get("comment") or "")
        if not token:
            token = f"{self._token_start}.{next(self._tokens)}"
        return Question(fields, token)

    # ---- what comes by itself: `sockets.Takes`, in the thread ----

    def wants(self, name: str) -> bool:
        """Whether a frame of that port would be taken now."""
        if name == DATA:
            return self._identified.is_known
        return name == STREAMING or not self._ports[name].is_full

    def take(self, name: str, frame: bytes | PortError) -> None:
        """One frame, or that its port failed."""
        posts = self._posts
        assert posts is not None
        if name == DATA:
            posts(self._on_data, frame, perf_counter_ns())
        elif name == STREAMING:
            posts(self._on_transaction, frame)
        else:
            posts(self._ports[name].put, frame)

    # ---- the same in the loop ----

    def listen(self, on_transaction: Listener) -> None:
        """Have every transaction of a terminal with ids told from now on, in the loop."""
        self._listener = on_transaction

    async def next_live(self, timeout_s: float) -> Reply | None:
        """The next candle or tick; None when none came for so long, or it could not be read."""
        return await self._next(LIVE, timeout_s)

    async def next_transaction(self, timeout_s: float) -> Reply | None:
        """The next trade transaction that nobody listened to; None when none came for so long, or
        it was unreadable."""
        return await self._next(STREAMING, timeout_s)

    async def _next(self, name: str, timeout_s: float) -> Reply | None:
        worker = self._worker
        if worker is None:
            raise QuestionLost("the gateway is not open")
        frame = await self._ports[name].next(timeout_s)
        if frame is None:
            # Now rather than at the next call: who hears of the silence asks what was missed.
            worker.call(lambda sockets: sockets.renew(name))
            return None
        return self._decode(name, frame, self._settings.push_bytes_max)

    def _on_transaction(self, frame: bytes | PortError) -> None:
        listener = self._listener
        if listener is None or not self.has_ids or isinstance(frame, PortError):
            port = self._ports[STREAMING]
            port.drop_oldest()
            port.put(frame)
        elif (told := self._decode(STREAMING, frame, self._settings.push_bytes_max)) is not None:
            listener(told)

    def _on_data(self, frame: bytes | PortError, at_ns: int) -> None:
        if isinstance(frame, PortError):
            self._say("ZMQ_BAD_FRAME", port=DATA, reason=str(frame))
            return
        reply = self._decode(DATA, frame, self._settings.reply_bytes_max)
        if reply is not None:
            self._identified.take(reply, at_ns)

    def _decode(self, name: str, frame: bytes, bytes_max: int) -> Reply | None:
        try:
            return decode_frame(frame, bytes_max)
        except FrameError as error:
            self._say("ZMQ_BAD_FRAME", port=name, reason=str(error))
            return None

    # ---- what follows from an answer, and from none: `exchange.Told`, in the thread ----

    def asked(self) -> None:
        """Something has left for the terminal."""
        self._silence.asked()

    def failed(self, words: str) -> None:
        """Something was not answered in its time, or could not even be sent."""
        self._post(self._silence.failed, words)

    def answered(self, at_ns: int) -> None:
        """The terminal answered, at that moment (`perf_counter_ns`)."""
        self._post(self._on_answer, at_ns)

    def lost(self, question: Question, was_read: bool, reason: str) -> None:
        """A request was lost, and so was what waited for answers by their ids."""
        self._say_lost(question, was_read, reason)
        words = f"another request was lost: {reason}"
        self._post(self._give_up_all, self._identified.awaited(), words)

    def _post(self, function: Callable[..., object], *values: Any) -> None:
        posts = self._posts
        assert posts is not None
        posts(function, *values)

    # ---- the same in the loop ----

    def _give_up_all(self, jobs: list[Job], reason: str) -> None:
        for job in jobs:
            self._identified.give_up(job, reason)

    def _on_identified(self, at_ns: int) -> None:
        self.stats.add(answered=1)
        self._on_answer(at_ns)

    def _on_answer(self, at_ns: int) -> None:
        if self._silence.answered(at_ns):
            self.lives += 1
            self._say("ZMQ_TERMINAL_BACK", lives=self.lives)

    def _on_late(self, question: Question, reason: str) -> None:
        self.stats.add(lost=1)
        self._say_lost(question, True, reason)
        self._silence.failed(reason)

    def _on_silence(self, reason: str) -> None:
        self._exchange.needs_barrier = True
        self._exchange.attribution.forget_terminal()
        self._identified.forget("the terminal is dead")
        if self._worker is not None:
            self._worker.call(lambda sockets: sockets.distrust())
        self._say("ZMQ_TERMINAL_DEAD", reason=reason)
        self._records.flush()
        self._on_dead(reason)

    def _on_end(self, why: str) -> None:
        """The thread, or what it told, came to grief: nothing is served any more."""
        self._say("ZMQ_THREAD_END", reason=why)
        for job in self._queue.clear():
            job.fail(not_sent(job.question.kind, f"the gateway's thread ended: {why}", 0.0))
        self._identified.forget(f"the gateway's thread ended: {why}")
        self._silence.die(f"the gateway's thread ended: {why}")

    async def _ask_balance(self) -> None:
        await self.request("", {"action": "BALANCE"})

    def _say_lost(self, question: Question, was_read: bool, reason: str) -> None:
        which = {"kind": question.kind, "token": question.token}
        self._say("ZMQ_REPLY_LOST", **which, was_read=was_read, reason=reason)

    def _stray(self, waiting_kind: str) -> None:
        self.stats.add(strays=1)
        self._say("ZMQ_STRAY_REPLY", waiting_for=waiting_kind)
