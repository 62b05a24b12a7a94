"""Requests whose answers carry their ids: the lock is let go as soon as the terminal has read them.

The problem: where an answer names no request, the lock must be held until it has come, so a symbol
whose broker takes a second holds up all others for a second. logos' own Expert Advisor (and the
simulated terminal) puts the id of a request (`rid`) into its answer. Then only the sending needs
the lock, and answers may come in any order: a late one is recognised, and belongs to nobody else.

The method: one task reads the data port and hands each answer to whoever waits for its id. A
terminal says that it can do this in its answers to ACCOUNT and BALANCE (`bridge`), so a gateway
begins without ids and goes on with them. When a request was not even confirmed, or the terminal is
found dead, it is back at the beginning: what still waits is lost, and the next ACCOUNT or BALANCE
begins it anew.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter_ns
from typing import Final, NamedTuple

from logos.adapters.mt5.gateway.accesses import WHOLE_ACCOUNT
from logos.adapters.mt5.gateway.failures import NoAnswer
from logos.adapters.mt5.gateway.lock import QueueFullError
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.gateway.wire import Outcome, Question, Reply

BRIDGE: Final = "logos/1"
"""What a terminal calls the protocol that has ids."""

_NS: Final = 1_000_000_000
_READ_S: Final = 1.0


class Hooks(NamedTuple):
    """What is needed of the gateway."""

    next_answer: Callable[[int], Awaitable[Reply | None]]
    """The next frame of the data port by then (`perf_counter_ns`); None: none, or unreadable."""
    answered: Callable[[], None]
    """A request was answered."""
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
        self._timeout_s = settings.reply_timeout_s
        self._in_flight_max = settings.waiting_max
        self._count = 0
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._in_flight: Counter[str] = Counter()
        self._reader: asyncio.Task[None] | None = None
        self.is_known = False
        """Whether the terminal has said that it knows ids."""

    def learn(self, reply: Mapping[str, object]) -> None:
        """Look in an answer for the terminal's word that it knows ids."""
        if reply.get("bridge") == BRIDGE:
            self.is_known = True

    def forget(self, reason: str) -> None:
        """Go on without ids; what still waits for its answer is lost."""
        self.is_known = False
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(NoAnswer(reason, True))

    async def close(self) -> None:
        """Read no more."""
        reader = self._reader
        self.forget("the gateway was closed")
        if reader is not None:
            await asyncio.gather(reader, return_exceptions=True)

    def begin(self, symbol: str, question: Question) -> asyncio.Future[Reply] | None:
        """Give a question its id, with the lock held; None while the terminal knows none.

        Raises QueueFullError when too many requests of the symbol are in flight.
        """
        if not self.is_known:
            return None
        if self._in_flight[symbol] >= self._in_flight_max:
            words = f"{self._in_flight[symbol]} requests of {symbol or 'no symbol'} are in flight"
            raise QueueFullError(words)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="mt5 answers")
            self._reader.add_done_callback(self._on_end)
        self._count += 1
        question.identify(f"{self._start}-{self._count}")
        self._in_flight[symbol] += 1
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[question.rid] = answer
        return answer

    def done(self, symbol: str, question: Question) -> None:
        """A question is over, however it ended."""
        answer = self._waiting.pop(question.rid, None)
        if answer is None:
            return
        answer.cancel()
        self._in_flight[symbol] -= 1
        if not self._in_flight[symbol]:
            del self._in_flight[symbol]

    async def wait(self, symbol: str, question: Question, answer: asyncio.Future[Reply]) -> Reply:
        """Wait for an answer, without the lock; one record says what came of it.

        Raises NoAnswer.
        """
        began_ns = perf_counter_ns()
        reason = "its wait was given up"
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await answer
            reason = ""
        except TimeoutError:
            reason = "the terminal read the request, and no answer came in time"
            raise NoAnswer(reason, True) from None
        finally:
            outcome = Outcome.LOST if reason else Outcome.ANSWERED
            which = {"symbol": symbol or WHOLE_ACCOUNT, "rid": question.rid}
            took_ns = perf_counter_ns() - began_ns
            self._hooks.say("ZMQ_ANSWER", **which, outcome=outcome.value, took_ns=took_ns)
            if reason:
                self._hooks.lost(question, reason)
        self._hooks.answered()
        return reply

    async def _read(self) -> None:
        """Hand out answers for ever."""
        while True:
            reply = await self._hooks.next_answer(perf_counter_ns() + round(_READ_S * _NS))
            if reply is None:
                continue
            rid = reply.get("rid")
            answer = self._waiting.get(rid) if isinstance(rid, str) else None
            if answer is None or answer.done():
                self._hooks.stray("")
            else:
                answer.set_result(reply)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task is self._reader:  # whoever forgets it lets go of it first
            why = "it was cancelled" if task.cancelled() else repr(task.exception())
            self._hooks.say("ZMQ_ANSWERS_END", reason=why)
            self.forget(f"answers are not read any more: {why}")
