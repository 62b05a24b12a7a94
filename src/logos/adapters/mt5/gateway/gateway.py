"""The way to a MetaTrader 5 terminal: requests, answers, and what is known when none comes.

The problem: one request socket that must send and receive in strict turns, answers that come on
another socket and name no request, and many symbols that all want to be served. So there is one
lock around each request with its answer (`lock`), its time shared by the symbols that want
it; every acquire and release is logged in pairs, with the symbol and a lock id that counts up.

A request not answered in `reply_timeout_s` is lost: the request socket is closed and opened again
(what it had not sent is thrown away), and the lock goes on. So a slow symbol holds up the others no
longer than that at a time, and has no more of the lock's time than they. What was lost is
`OutcomeUnknown` for a trade and `Unavailable` for a question.

An order meets the session's gate once more when it has the lock and nothing is left but to send it
(`door`): it may have waited for seconds, and a kill switch thrown in them would come too late for
what already waits. So of a thousand orders that wait, at most the one that is being sent now still
arrives. Cancels and questions pass always. Every order that is held back is one record in the
gateway's log.

After a request that the terminal never confirmed, others prove it over first (`fences`). Whose an
answer is, `replies` decides, or its id (`identified`): then the lock is let go before it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any, Final

import zmq

from logos.adapters.mt5.gateway.accesses import Accesses
from logos.adapters.mt5.gateway.door import Door, Gate, Leaving
from logos.adapters.mt5.gateway.failures import (
    NeverLeft,
    NoAnswer,
    QuestionLost,
    TradeNotSent,
    lost,
    not_sent,
)
from logos.adapters.mt5.gateway.fences import Fences
from logos.adapters.mt5.gateway.identified import Hooks, Identified
from logos.adapters.mt5.gateway.lock import FairLock, QueueFullError
from logos.adapters.mt5.gateway.log import GatewayStats, Log
from logos.adapters.mt5.gateway.replies import Attribution, Match, token_start
from logos.adapters.mt5.gateway.settings import CurveKeys, Endpoints, GatewaySettings
from logos.adapters.mt5.gateway.silence import Silence
from logos.adapters.mt5.gateway.sockets import DATA, LIVE, STREAMING, SYSTEM, PortError, Sockets
from logos.adapters.mt5.gateway.transactions import Listening
from logos.adapters.mt5.gateway.wire import (
    ERRORS_BEFORE,
    FrameError,
    Outcome,
    Question,
    Reply,
    decode_frame,
    error_words,
    unset_answer,
)
from logos.core.clock import Clock
from logos.core.outbox import SubmitOrder
from logos.loopback import check_host

_NS: Final = 1_000_000_000


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
    ) -> None:
        """Raises EndpointError for a host that is not this machine, without CURVE keys."""
        check_host(endpoints.host, curve is not None)
        self._endpoints = endpoints
        self._settings = settings
        self._clock = clock
        self._log = log
        self._on_dead = on_dead
        self._curve = curve
        self._lock = FairLock(settings.waiting_max)
        self._attribution = Attribution()
        self._sockets: Sockets | None = None
        self._tokens = 0
        # A late answer to a process before this one must not look like an answer to this one.
        self._token_start = token_start()
        self._timeout_ns = round(settings.reply_timeout_s * _NS)
        self._needs_barrier = False
        self._last_loss_ns = 0
        self._silence = Silence(settings, clock, self._ask_balance, self._on_silence)
        self.lives = 0
        """Raised each time a terminal answers after none did: subscriptions may be gone."""
        self.stats = GatewayStats()
        self._accesses = Accesses(self._lock, self.stats, self._say)
        self.door = Door(gate, self._say)
        self._listening = Listening(self, on_dead)
        self._fences = Fences(self._attribution, self._question, self._exchange, self._say)
        hooks = Hooks(self._next_answer, self._on_answer, self._on_late, self._stray, self._say)
        self._identified = Identified(self._token_start, settings, hooks)

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
        return self._attribution.does_echo

    @property
    def has_ids(self) -> bool:
        """Whether the terminal is logos' own Expert Advisor (`identified`)."""
        return self._identified.is_known

    def epoch(self) -> int:
        """Which change of the kill switch is the latest."""
        return self.door.epoch()

    def waiting(self, symbol: str) -> int:
        """How many requests of `symbol` wait for the lock now."""
        return self._lock.waiting(symbol)

    @property
    def queue_peak(self) -> int:
        """The most requests that ever waited for one symbol."""
        return self._lock.waiting_peak

    async def open(self) -> None:
        """Connect and ask who is there. Raises QuestionLost when nobody answers."""
        if self._sockets is not None:
            return
        self._sockets = Sockets(self._endpoints, self._settings, self._curve)
        self._silence.begin()
        try:
            await self.request("", {"action": "ACCOUNT"})
        except BaseException:
            await self.close()
            raise
        self._silence.start()

    async def close(self) -> None:
        """Close every socket; closing again does nothing."""
        await self._silence.stop()
        await self._listening.close()
        await self._identified.close()
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None

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
        leaving = self.door.begin(order, epoch)
        try:
            async with self._accesses.access(symbol, question):
                answer = self._identified.begin(symbol, question)
                reply = await self._ask(question, leaving)
            if answer is None:
                return reply
            return await self._identified.wait(symbol, question, answer)
        except QueueFullError as error:
            raise not_sent(question.kind, str(error), 0.0) from None
        except NoAnswer as error:
            raise lost(question.kind, error) from None
        finally:
            self._identified.done(symbol, question)

    async def _ask(self, question: Question, leaving: Leaving | None) -> Reply:
        """One request and its answer, with the lock held. Raises NoAnswer, what never left as
        `not_sent` says."""
        try:
            if self._needs_barrier:
                calm_ns = perf_counter_ns() - self._last_loss_ns
                await self._fences.pass_all(calm_ns > self._settings.forget_after_s * _NS)
                self._needs_barrier = False
        except (NoAnswer, NeverLeft) as error:
            words = f"something was lost, and the terminal does not answer since: {error}"
            raise not_sent(question.kind, words, self._settings.reply_timeout_s) from None
        try:
            return await self._exchange(question, leaving)
        except NeverLeft as error:
            raise not_sent(question.kind, str(error), self._settings.reply_timeout_s) from None

    async def _exchange(self, question: Question, leaving: Leaving | None = None) -> Reply:
        """Send and wait (for the answer to a question with an id `identified` waits); on any
        failure, cancels included, the connection is made anew."""
        sockets = self._sockets
        if sockets is None:
            raise NeverLeft("the gateway is not open")
        deadline_ns = perf_counter_ns() + self._timeout_ns
        was_read = False
        has_left = False
        try:
            for _ in range(0 if question.rid else sockets.drain()):
                self._stray("")
            if not await sockets.can_send(deadline_ns):
                raise NeverLeft("no terminal is connected")
            if question.is_new_order:
                self.door.check(question.token, leaving)
            has_left = True
            question.outcome = Outcome.LOST
            self._silence.asked()
            await self._send(sockets, question, deadline_ns)
            was_read = True
            if question.rid:
                question.outcome = Outcome.CONFIRMED
                return {}
            reply = await self._wait_for_reply(sockets, question, deadline_ns)
        except TradeNotSent:
            raise  # held back at the gate: that says nothing about the terminal
        except BaseException as error:
            if has_left and not isinstance(error, NeverLeft):
                self._on_loss(question, was_read, str(error))
            self._silence.failed(str(error))
            raise
        question.outcome = Outcome.ANSWERED
        self._identified.learn(reply)
        self._on_answer()
        return reply

    async def _send(self, sockets: Sockets, question: Question, deadline_ns: int) -> None:
        self._attribution.asked(question)
        try:
            await sockets.send(question.frame)
        except zmq.Again:
            question.outcome = Outcome.NOT_SENT
            raise NeverLeft("the terminal has just gone") from None
        except zmq.ZMQError as error:
            raise NoAnswer(f"sending failed: {error.strerror}", False) from None
        confirmation = await self._receive(sockets, SYSTEM, deadline_ns)
        if confirmation is None:
            raise NoAnswer("the terminal did not confirm that it read the request", False)
        if confirmation != b"OK":
            self._bad_frame(SYSTEM, "anything but OK")
            raise NoAnswer("the terminal confirmed with something other than OK", False)

    async def _wait_for_reply(
        self, sockets: Sockets, question: Question, deadline_ns: int
    ) -> Reply:
        errors: list[str] = []
        while True:
            frame = await self._receive(sockets, DATA, deadline_ns)
            if frame is None:
                words = "the terminal read the request, and no answer came in time"
                raise NoAnswer("; ".join((words, *errors)), True)
            reply = unset_answer(question, frame)
            if reply is None:
                reply = self._decode(DATA, frame, self._settings.reply_bytes_max)
            if reply is None:
                continue
            if question.is_before_answer(reply):
                errors.append(error_words(reply))
                continue
            match = self._attribution.judge(question, reply, frame)
            if match is Match.OURS:
                return reply | {ERRORS_BEFORE: errors} if errors else reply
            if match is Match.DOUBTFUL:
                raise NoAnswer("an answer came that may belong to an earlier request", True)
            self._stray(question.kind)

    async def _receive(self, sockets: Sockets, name: str, deadline_ns: int) -> bytes | None:
        try:
            return await sockets.receive(name, deadline_ns)
        except PortError as error:
            raise NoAnswer(str(error), name == DATA) from None

    # ---- candles and transactions ----

    async def next_live(self, timeout_s: float) -> Reply | None:
        """The next candle or tick; None: none in time, or unreadable. Raises QuestionLost."""
        return await self._next(LIVE, timeout_s)

    async def next_transaction(self, timeout_s: float) -> Reply | None:
        """The next trade transaction; None when none came for so long, or it was unreadable."""
        return await self._next(STREAMING, timeout_s)

    def listen(self, on_transaction: Callable[[Mapping[str, Any]], None]) -> None:
        """Have every transaction of a terminal with ids told from now on, in the loop."""
        self._listening.begin(on_transaction)

    async def _next(self, name: str, timeout_s: float) -> Reply | None:
        if self._sockets is None:
            raise QuestionLost("the gateway is not open")
        deadline_ns = perf_counter_ns() + round(timeout_s * _NS)
        try:
            frame = await self._sockets.receive(name, deadline_ns)
        except PortError as error:
            raise QuestionLost(str(error)) from None
        if frame is None:
            return None
        return self._decode(name, frame, self._settings.push_bytes_max)

    def _decode(self, name: str, frame: bytes, bytes_max: int) -> Reply | None:
        try:
            return decode_frame(frame, bytes_max)
        except FrameError as error:
            self._bad_frame(name, str(error))
            return None

    # ---- what follows from an answer, and from none ----

    async def _next_answer(self, deadline_ns: int) -> Reply | None:
        if self._sockets is None:
            raise QuestionLost("the gateway is not open")
        try:
            frame = await self._sockets.receive(DATA, deadline_ns)
        except PortError as error:
            self._bad_frame(DATA, str(error))
            return None
        return (frame and self._decode(DATA, frame, self._settings.reply_bytes_max)) or None

    def _on_late(self, question: Question, reason: str) -> None:
        self.stats.lost += 1
        self._say_lost(question, True, reason)
        self._silence.failed(reason)

    def _on_loss(self, question: Question, was_read: bool, reason: str) -> None:
        self.stats.lost += 1
        self._identified.forget(f"another request was lost: {reason}")
        self._last_loss_ns = perf_counter_ns()
        attribution = self._attribution
        if not attribution.does_echo:
            attribution.lost(question)
        if not was_read or not attribution.does_echo:
            self._needs_barrier = True
        if self._sockets is not None:
            self._sockets.reopen(SYSTEM)
        self._say_lost(question, was_read, reason)

    def _on_answer(self) -> None:
        self.stats.answered += 1
        if self._silence.answered():
            self.lives += 1
            self._say("ZMQ_TERMINAL_BACK", lives=self.lives)

    def _on_silence(self, reason: str) -> None:
        self._needs_barrier = True
        self._attribution.forget_terminal()
        self._identified.forget("the terminal is dead")
        if self._sockets is not None:
            self._sockets.distrust()
        self._say("ZMQ_TERMINAL_DEAD", reason=reason)
        self._on_dead(reason)

    async def _ask_balance(self) -> None:
        await self.request("", {"action": "BALANCE"})

    # ---- words ----

    def _question(self, fields: Mapping[str, object]) -> Question:
        token = str(fields.get("comment") or "")
        if not token:
            self._tokens += 1
            token = f"{self._token_start}.{self._tokens}"
        return Question(fields, token)

    def _say_lost(self, question: Question, was_read: bool, reason: str) -> None:
        which = {"kind": question.kind, "token": question.token}
        self._say("ZMQ_REPLY_LOST", **which, was_read=was_read, reason=reason)

    def _stray(self, waiting_kind: str) -> None:
        self.stats.strays += 1
        self._say("ZMQ_STRAY_REPLY", waiting_for=waiting_kind)

    def _bad_frame(self, name: str, words: str) -> None:
        self._say("ZMQ_BAD_FRAME", port=name, reason=words)

    def _say(self, action: str, **values: object) -> None:
        self._log({"ts_ns": self._clock.now_ns(), "action": action, **values})
