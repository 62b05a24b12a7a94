"""One request and its answer, in the gateway's thread, with the lock held.

A request not answered in `reply_timeout_s` is lost: the request socket is closed and opened again
(what it had not sent is thrown away), and the lock goes on. An order meets the session's gate in
the step in which it is sent (`door`); after a request that the terminal never confirmed, others
prove it over first (`fences`); whose an answer is, `replies` decides, or its id (`identified`).
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, Protocol

import zmq

from logos.adapters.mt5.gateway.door import Door
from logos.adapters.mt5.gateway.failures import (
    NeverLeft,
    NoAnswer,
    TradeNotSent,
    not_sent,
)
from logos.adapters.mt5.gateway.jobs import Job
from logos.adapters.mt5.gateway.log import GatewayStats, Records
from logos.adapters.mt5.gateway.matching.fences import Fences
from logos.adapters.mt5.gateway.matching.identified import Identified
from logos.adapters.mt5.gateway.matching.replies import Attribution, Match
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.gateway.sockets import DATA, SYSTEM, PortError, Sockets
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

_NS: Final = 1_000_000_000


class Told(Protocol):
    """What hears of requests, from the thread."""

    def asked(self) -> None:
        """Something has left for the terminal."""

    def failed(self, words: str) -> None:
        """Something was not answered in its time, or could not even be sent."""

    def answered(self, at_ns: int) -> None:
        """The terminal answered, at that moment (`perf_counter_ns`)."""

    def lost(self, question: Question, was_read: bool, reason: str) -> None:
        """A request was lost, and so was what waited for answers by their ids."""


class Exchange:
    """The requests of one gateway, one after the other; `sockets` come with the thread."""

    def __init__(
        self,
        settings: GatewaySettings,
        door: Door,
        identified: Identified,
        told: Told,
        stats: GatewayStats,
        records: Records,
        new_question: Callable[[dict[str, object]], Question],
    ) -> None:
        self._settings = settings
        self._door = door
        self._identified = identified
        self._told = told
        self._stats = stats
        self._records = records
        self.attribution = Attribution()
        self._fences = Fences(self.attribution, new_question, self._ask_fence, records.say)
        self._timeout_ns = round(settings.reply_timeout_s * _NS)
        self.needs_barrier = False
        """Whether something may still lie in the terminal's inbox."""
        self._last_loss_ns = 0
        self._sockets: Sockets | None = None
        self._job: Job | None = None

    def use(self, sockets: Sockets) -> None:
        """From here on by these."""
        self._sockets = sockets

    def serve(self, job: Job) -> Reply:
        """Send a request and wait for its answer; where it has an id, only until it was read: then
        an empty one is returned. Raises NoAnswer, and what never left as `not_sent` says."""
        question = job.question
        self._job = job
        try:
            if self.needs_barrier:
                calm_ns = perf_counter_ns() - self._last_loss_ns
                self.needs_barrier = False  # it may be set anew meanwhile
                try:
                    self._fences.pass_all(calm_ns > self._settings.forget_after_s * _NS)
                except BaseException:
                    self.needs_barrier = True
                    raise
        except (NoAnswer, NeverLeft) as error:
            words = f"something was lost, and the terminal does not answer since: {error}"
            raise not_sent(question.kind, words, self._settings.reply_timeout_s) from None
        try:
            return self._exchange(question, job)
        except NeverLeft as error:
            raise not_sent(question.kind, str(error), self._settings.reply_timeout_s) from None
        finally:
            self._job = None

    def _is_over(self) -> bool:
        return self._job is not None and self._job.is_given_up

    def _ask_fence(self, question: Question) -> Reply:
        return self._exchange(question, None)

    def _exchange(self, question: Question, job: Job | None) -> Reply:
        """Send and wait; on any failure the connection is made anew."""
        sockets = self._sockets
        assert sockets is not None
        deadline_ns = perf_counter_ns() + self._timeout_ns
        was_read = has_left = False
        try:
            for _ in range(0 if question.rid else sockets.drain()):
                self._stray("")
            if not sockets.can_send(deadline_ns, self._is_over):
                raise NeverLeft("no terminal is connected")
            self.attribution.asked(question)
            self._records.flush()
            if question.is_new_order:
                self._door.check(question.token, None if job is None else job.leaving)
            if self._is_over():
                raise NeverLeft("its wait was given up")
            self._told.asked()
            has_left = True
            question.outcome = Outcome.LOST
            self._send(sockets, question, deadline_ns)
            was_read = True
            if question.rid:
                question.outcome = Outcome.CONFIRMED
                return {}
            reply = self._wait_for_reply(sockets, question, deadline_ns)
        except TradeNotSent:
            raise  # held back at the gate: that says nothing about the terminal
        except BaseException as error:
            if has_left and not isinstance(error, NeverLeft):
                self._on_loss(question, was_read, str(error))
            self._told.failed(str(error))
            raise
        question.outcome = Outcome.ANSWERED
        self._identified.learn(reply)
        self._stats.add(answered=1)
        self._told.answered(perf_counter_ns())
        return reply

    def _send(self, sockets: Sockets, question: Question, deadline_ns: int) -> None:
        """Send and see that the terminal read it."""
        try:
            sockets.send(question.frame)
        except zmq.Again:
            question.outcome = Outcome.NOT_SENT
            raise NeverLeft("the terminal has just gone") from None
        except zmq.ZMQError as error:
            raise NoAnswer(f"sending failed: {error.strerror}", False) from None
        confirmation = self._receive(sockets, SYSTEM, deadline_ns)
        if confirmation is None:
            raise NoAnswer("the terminal did not confirm that it read the request", False)
        if confirmation != b"OK":
            self._bad_frame(SYSTEM, "anything but OK")
            raise NoAnswer("the terminal confirmed with something other than OK", False)

    def _wait_for_reply(self, sockets: Sockets, question: Question, deadline_ns: int) -> Reply:
        errors: list[str] = []
        while True:
            frame = self._receive(sockets, DATA, deadline_ns)
            if frame is None:
                words = "the terminal read the request, and no answer came in time"
                raise NoAnswer("; ".join((words, *errors)), True)
            reply = unset_answer(question, frame)
            if reply is None:
                try:
                    reply = decode_frame(frame, self._settings.reply_bytes_max)
                except FrameError as error:
                    self._bad_frame(DATA, str(error))
                    continue
            if question.is_before_answer(reply):
                errors.append(error_words(reply))
                continue
            match = self.attribution.judge(question, reply, frame)
            if match is Match.OURS:
                return reply | {ERRORS_BEFORE: errors} if errors else reply
            if match is Match.DOUBTFUL:
                raise NoAnswer("an answer came that may belong to an earlier request", True)
            self._stray(question.kind)

    def _receive(self, sockets: Sockets, name: str, deadline_ns: int) -> bytes | None:
        """The next frame of a port. Raises NoAnswer when it failed; it is opened anew."""
        try:
            frame = sockets.receive(name, deadline_ns, self._is_over)
        except PortError as error:
            raise NoAnswer(str(error), name == DATA) from None
        if frame is None and self._is_over():
            raise NoAnswer("its wait was given up", name == DATA)
        return frame

    def _on_loss(self, question: Question, was_read: bool, reason: str) -> None:
        self._stats.add(lost=1)
        self._identified.is_known = False
        self._last_loss_ns = perf_counter_ns()
        if not self.attribution.does_echo:
            self.attribution.lost(question)
        if not was_read or not self.attribution.does_echo:
            self.needs_barrier = True
        if self._sockets is not None:
            self._sockets.reopen(SYSTEM)
        self._told.lost(question, was_read, reason)

    def _stray(self, waiting_kind: str) -> None:
        self._stats.add(strays=1)
        self._records.say("ZMQ_STRAY_REPLY", waiting_for=waiting_kind)

    def _bad_frame(self, name: str, words: str) -> None:
        self._records.say("ZMQ_BAD_FRAME", port=name, reason=words)
