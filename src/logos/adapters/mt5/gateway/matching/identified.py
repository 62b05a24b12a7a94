"""Requests whose answers carry their ids: the lock is let go as soon as the terminal has read them.

The problem: where an answer names no request, the lock must be held until it has come, so a symbol
whose broker takes a second holds up all others for a second. logos' own Expert Advisor (and the
simulated terminal) puts the id of a request (`rid`) into its answer. Then only the sending needs
the lock, and answers may come in any order: a late one is recognised, and belongs to nobody else.

The method: whoever reads the data port hands each answer to whoever waits for its id. A
terminal says that it can do this in its answers to ACCOUNT and BALANCE (`bridge`), so a gateway
begins without ids and goes on with them. When a request was not even confirmed, or the terminal is
found dead, it is back at the beginning: what still waits is lost, and the next ACCOUNT or BALANCE
begins it anew.

The gateway's thread gives ids and confirms; everything else is done in the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Final, NamedTuple

from logos.adapters.mt5.gateway.accesses import WHOLE_ACCOUNT
from logos.adapters.mt5.gateway.failures import NoAnswer, lost
from logos.adapters.mt5.gateway.jobs import Job
from logos.adapters.mt5.gateway.lock import QueueFullError
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.gateway.wire import Outcome, Question, Reply

BRIDGE: Final = "logos/1"
"""What a terminal calls the protocol that has ids."""

_NS: Final = 1_000_000_000
_LOOKS: Final = 8
"""How often in the time that an answer may take it is looked whether one is late."""


class Hooks(NamedTuple):
    """What is needed of the gateway, in the loop."""

    answered: Callable[[int], None]
    """A request was answered, at that moment (`perf_counter_ns`)."""
    lost: Callable[[Question, str], None]
    """A request that the terminal had read was not answered in time, and why."""
    stray: Callable[[str], None]
    """An answer came that nobody waits for."""
    say: Callable[..., None]
    """Write a record into the gateway's log."""


class Identified:
    """The requests with ids of one gateway, whose tokens begin with `start`."""

    def __init__(self, start: str, settings: GatewaySettings, hooks: Hooks) -> None:
        self._start = start
        self._hooks = hooks
        self._timeout_ns = round(settings.reply_timeout_s * _NS)
        self._in_flight_max = settings.waiting_max
        self._count = 0
        self._mutex = threading.Lock()
        self._waiting: dict[str, Job] = {}
        self._in_flight: Counter[str] = Counter()
        self._watch: asyncio.TimerHandle | None = None
        self.expected = 0
        """Requests that somebody waits for, in the queue or without the lock."""
        self.is_known = False
        """Whether the terminal has said that it knows ids."""

    # ---- in the gateway's thread ----

    def learn(self, reply: Mapping[str, object]) -> None:
        """Look in an answer for the terminal's word that it knows ids."""
        if reply.get("bridge") == BRIDGE:
            self.is_known = True

    def begin(self, job: Job) -> None:
        """Give a request its id, with the lock held, unless the terminal knows none.

        Raises QueueFullError when too many requests of the symbol are in flight.
        """
        if not self.is_known:
            return
        symbol = job.symbol
        with self._mutex:
            if self._in_flight[symbol] >= self._in_flight_max:
                words = f"{self._in_flight[symbol]} requests of {symbol or 'no symbol'}"
                raise QueueFullError(f"{words} are in flight")
            self._count += 1
            job.question.identify(f"{self._start}-{self._count}")
            self._in_flight[symbol] += 1
            self._waiting[job.question.rid] = job

    def confirm(self, job: Job) -> None:
        """It was read: from here on its answer is awaited without the lock."""
        job.confirmed_ns = perf_counter_ns()

    def awaited(self) -> list[Job]:
        """Whose answers are awaited without the lock."""
        return [job for job in list(self._waiting.values()) if job.confirmed_ns]

    def drop(self, job: Job) -> bool:
        """Nobody waits for it any more; whether somebody did."""
        with self._mutex:
            if self._waiting.pop(job.question.rid, None) is None:
                return False
            self._in_flight[job.symbol] -= 1
            if not self._in_flight[job.symbol]:
                del self._in_flight[job.symbol]
            return True

    # ---- in the loop ----

    def take(self, reply: Reply, at_ns: int) -> None:
        """An answer came, at that moment (`perf_counter_ns`)."""
        rid = reply.get("rid")
        job = self._waiting.get(rid) if isinstance(rid, str) else None
        if job is None or not self.drop(job):
            self._hooks.stray("")
            return
        self._say(job, Outcome.ANSWERED)
        self._hooks.answered(at_ns)
        job.finish(reply)

    def give_up(self, job: Job, reason: str) -> None:
        """An answer that is awaited without the lock is lost."""
        if not job.confirmed_ns or not self.drop(job):
            return
        self._say(job, Outcome.LOST)
        self._hooks.lost(job.question, reason)
        job.fail(lost(job.question.kind, NoAnswer(reason, True)))

    def forget(self, reason: str) -> None:
        """Go on without ids; what still waits for its answer is lost."""
        self.is_known = False
        for job in self.awaited():
            self.give_up(job, reason)

    def expect(self) -> None:
        """Somebody waits for one more request: while anybody does, whatever is late is lost."""
        self.expected += 1
        self._watch_on()

    def _watch_on(self) -> None:
        if self._watch is None:
            later = asyncio.get_running_loop().call_later
            self._watch = later(self._timeout_ns / _NS / _LOOKS, self._look)

    def _look(self) -> None:
        self._watch = None
        late_ns = perf_counter_ns() - self._timeout_ns
        for job in list(self._waiting.values()):
            if 0 < job.confirmed_ns <= late_ns:
                reason = "the terminal read the request, and no answer came in time"
                self.give_up(job, reason)
        if self.expected or self._waiting:  # also one that still waits for the lock
            self._watch_on()

    def _say(self, job: Job, outcome: Outcome) -> None:
        which = {"symbol": job.symbol or WHOLE_ACCOUNT, "rid": job.question.rid}
        took_ns = perf_counter_ns() - job.confirmed_ns
        self._hooks.say("ZMQ_ANSWER", **which, outcome=outcome.value, took_ns=took_ns)
