"""Lists of a terminal that are asked for once for all who ask, and deals that came by themselves.

Whoever asks while a question is under way shares the next one, which is begun after all of them
asked, so its answer is as new as each could want. Deals never change once they are made, so they
are remembered (`deals`), and asked for only from a little before the newest that an answer told.

A question does no harm, so one whose answer was lost is put again, at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import perf_counter_ns
from typing import Any, Final, Generic, TypeVar

from logos.adapters.mt5.known.deals import NEVER_S, Deals
from logos.adapters.mt5.lists import Mt5VenueSymbol, OpenOrders, TerminalLink, TerminalLists
from logos.adapters.mt5.records import Deal, entries_of
from logos.adapters.mt5.server_clock import ServerClock
from logos.venues.contract import Unavailable

_AGAIN_S: Final = 2
"""How far before the newest known deal the terminal is asked again: a deal may be booked late."""

_LATE_S: Final = 10
"""An order that was sent longer ago is looked for in all deals since then."""

_TRIES: Final = 3
_NEW_NS: Final = 100_000_000
CLOSED: Final = "the venue is closed"

Answer = TypeVar("Answer")


class SharedQuestion(Generic[Answer]):
    """One question that many ask at once: at most one is under way, and one waits to follow it."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        self._ask = ask
        self._current: asyncio.Future[Answer] | None = None
        self._next: asyncio.Future[Answer] | None = None
        self.asked = 0
        """How often it was asked for."""
        self.rounds = 0
        """How often it was put."""

    async def answer(self) -> Answer:
        """The answer to a question that is put after this call. Raises what asking raises."""
        self.asked += 1
        if self._next is None:
            self._next = asyncio.ensure_future(self._follow(self._current))
            self._next.add_done_callback(_retrieve)
        # Shielded: one who gives up must not take the answer from the others.
        return await asyncio.shield(self._next)

    async def _follow(self, before: asyncio.Future[Answer] | None) -> Answer:
        if before is not None:
            await asyncio.wait((before,))
        # From here on whoever asks needs a newer answer.
        self._current, self._next = self._next, None
        self.rounds += 1
        return await self._ask()

    async def close(self) -> None:
        """Ask no more, and wait until what is under way has let go of the gateway."""
        tasks = [task for task in (self._current, self._next) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Whoever asked has heard of it, or has gone."""
    if not future.cancelled():
        future.exception()


class SharedLists(TerminalLists):
    """The lists of a terminal, asked for together, with a memory for deals."""

    def __init__(
        self, link: TerminalLink, symbols: Mapping[str, Mt5VenueSymbol], server_clock: ServerClock
    ) -> None:
        super().__init__(link, symbols, server_clock)
        self.order_question = SharedQuestion(super().orders)
        self.deal_question = SharedQuestion(self._new_deals)
        self._wanted_s = NEVER_S
        """From when on those who wait for the next question want deals."""
        self.answered_ns = 0
        """When deals were answered last (`perf_counter_ns`)."""
        self.known = Deals()
        self._awaited: dict[str, asyncio.Future[None]] = {}
        """Deals whose coming by themselves is waited for, by ticket."""
        self.does_stream = False
        """Whether the terminal tells of deals by itself, as one has shown."""
        self.is_closed = False

    async def close(self) -> None:
        """Ask no more."""
        self.is_closed = True
        await self.order_question.close()
        await self.deal_question.close()

    async def ask(self, fields: Mapping[str, object], what: str) -> dict[str, Any]:
        """The answer to a question, asked again at once, a few times, when it was lost.

        Raises Unavailable, also for an error that the terminal reports.
        """
        if self.is_closed:
            raise Unavailable(f"{what}: {CLOSED}")

        async def once() -> dict[str, Any]:
            return await super(SharedLists, self).ask(fields, what)

        return await again(once)

    async def orders(self) -> OpenOrders:
        """Orders that wait in the session's symbols, from one question shared with all who ask now.

        Raises Unavailable.
        """
        return await self.order_question.answer()

    async def deals(self, from_server_s: int) -> list[Deal]:
        """Deals from a second of the terminal's clock on, by time; only new ones are read.

        Raises Unavailable.
        """
        from_s = max(0, from_server_s)
        await self.learn_deals(from_s)
        return self.known_deals(from_s)

    async def learn_deals(self, from_s: int) -> None:
        """Have all deals from that second on known, as of a question that is put after this call.
        Raises Unavailable."""
        self._wanted_s = min(self._wanted_s, from_s)
        await self.deal_question.answer()

    def known_deals(self, from_s: int) -> list[Deal]:
        """Deals from that second on, as of the latest answer."""
        return self.known.since(from_s)

    def knows_from(self, from_s: int) -> bool:
        """Whether an answer of a moment ago reaches back so far."""
        is_new = perf_counter_ns() - self.answered_ns <= _NEW_NS
        return is_new and self.known.from_s <= from_s

    def hear(self, entry: Mapping[str, Any]) -> Deal | None:
        """A deal that the terminal told by itself; None for one that is known, of no symbol here or
        unreadable. What is unreadable here is so in the list too, and that is an error."""
        try:
            found = self.read_deals({"trades": [entry]}, 0, self.known)
        except Unavailable:
            return None
        self.does_stream = True
        for each in found:
            self.known.note(each)
            awaited = self._awaited.pop(each.ticket, None)
            if awaited is not None and not awaited.done():
                awaited.set_result(None)
            return each
        return None

    async def wait_for(self, ticket: str, seconds: float) -> None:
        """Wait until that deal has come by itself, at most so long."""
        if ticket in self.known or not self.does_stream:
            return
        awaited = self._awaited.setdefault(ticket, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(awaited)
        except TimeoutError:
            pass
        finally:
            self._awaited.pop(ticket, None)

    async def _new_deals(self) -> None:
        wanted_s, self._wanted_s = self._wanted_s, NEVER_S
        newest = self.known.newest_told
        newest_s = newest.time_s if newest is not None else 0
        # Who asks for a while already may miss a deal that was booked late: then all is asked for.
        is_recent = self.known.from_s <= wanted_s and newest_s - wanted_s <= _LATE_S
        ask_s = max(wanted_s, newest_s - _AGAIN_S) if is_recent else wanted_s
        # One that was booked late under a lower number is found by who asks for a while.
        since = int(newest.ticket) if is_recent and newest is not None else 0
        await self._ask_for_deals(ask_s, since if self._link.has_ids else 0)
        self.answered_ns = perf_counter_ns()

    async def _ask_for_deals(self, from_s: int, ticket: int) -> None:
        """Ask for deals from that second on; only those that are not known yet are read.

        Only those after `ticket` are asked for, unless it is 0.
        """
        fields: dict[str, object] = {
            "action": "HISTORY",
            "actionType": "TRADES",
            "fromDate": from_s,
        }
        if ticket:
            fields["fromTicket"] = ticket
        reply = await self.ask(fields, "deals")
        fresh = self.read_deals(reply, from_s, self.known)
        self.known.told(
            fresh, (str(each.get("ticket")) for each in entries_of(reply, "trades")), from_s
        )


async def again(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask; where the answer was lost, ask again at once, a few times. Raises what the last does."""
    for _ in range(_TRIES - 1):
        with suppress(Unavailable):
            return await ask()
    return await ask()
