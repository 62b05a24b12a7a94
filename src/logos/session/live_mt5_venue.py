"""An MT5 venue that asks once for all: orders in flight share one look at the terminal's lists.

The problem: every order that is followed asks for the lists of orders and of deals. With a hundred
orders in flight that is two hundred questions through one socket whose answers hold the same, each
longer than the one before, because the day's deals only grow.

The method: whoever asks while a question is under way shares the next one, which is begun after all
of them asked, so its answer is as new as each could want. Deals never change once they are made, so
they are remembered, and asked for only from a little before the newest one that is known.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from logos.core.clock import Clock
from logos.venues.mt5 import Mt5Venue
from logos.venues.mt5_lists import Mt5VenueSymbol, TerminalLink, TerminalLists
from logos.venues.mt5_records import Deal, OpenOrder

_AGAIN_S: Final = 2
"""How far before the newest known deal the terminal is asked again: a deal may be booked late."""

_LATE_S: Final = 10
"""An order that was sent longer ago is looked for in all deals since then."""

_REMEMBERED_MAX: Final = 50_000
_NEVER_S: Final = 1 << 62

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


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Whoever asked has heard of it, or has gone."""
    if not future.cancelled():
        future.exception()


class SharedLists(TerminalLists):
    """The lists of a terminal, asked for together, with a memory for deals."""

    def __init__(self, link: TerminalLink, symbols: Mapping[str, Mt5VenueSymbol]) -> None:
        super().__init__(link, symbols)
        self.order_question = SharedQuestion(super().orders)
        self.deal_question = SharedQuestion(self._new_deals)
        self._wanted_s = _NEVER_S
        """From when on those who wait for the next question want deals."""
        self._deals: list[Deal] = []
        """What is known, by time and ticket."""
        self._tickets: set[str] = set()
        self._known_from_s = _NEVER_S
        """From when on all deals up to the newest are known."""

    async def orders(self) -> list[OpenOrder]:
        """As TerminalLists."""
        return await self.order_question.answer()

    async def deals(self, from_server_s: int) -> list[Deal]:
        """As TerminalLists."""
        from_s = max(0, from_server_s)
        self._wanted_s = min(self._wanted_s, from_s)
        await self.deal_question.answer()
        return self._deals[bisect_left(self._deals, from_s, key=_time_of) :]

    async def _new_deals(self) -> None:
        wanted_s, self._wanted_s = self._wanted_s, _NEVER_S
        newest_s = self._deals[-1].time_s if self._deals else 0
        # Who asks for a while already may miss a deal that was booked late: then all is asked for.
        is_recent = self._known_from_s <= wanted_s and newest_s - wanted_s <= _LATE_S
        ask_s = max(wanted_s, newest_s - _AGAIN_S) if is_recent else wanted_s
        fresh = [d for d in await super().deals(ask_s) if d.ticket not in self._tickets]
        self._tickets.update(each.ticket for each in fresh)
        self._deals += fresh
        self._deals.sort(key=_order_of)
        self._known_from_s = min(self._known_from_s, ask_s)
        if len(self._deals) > _REMEMBERED_MAX:
            self._forget()

    def _forget(self) -> None:
        """Let go of the older half."""
        gone = self._deals[: len(self._deals) // 2]
        self._deals = self._deals[len(gone) :]
        self._tickets.difference_update(each.ticket for each in gone)
        self._known_from_s = gone[-1].time_s + 1


def _time_of(deal: Deal) -> int:
    return deal.time_s


def _order_of(deal: Deal) -> tuple[int, int]:
    return deal.time_s, int(deal.ticket)


class SharedMt5Venue(Mt5Venue):
    """An `Mt5Venue` whose questions about lists are shared."""

    def __init__(
        self,
        link: TerminalLink,
        symbols: Mapping[str, Mt5VenueSymbol],
        clock: Clock,
        *,
        session_id: str,
        is_sandbox: bool,
        settle_s: float,
        server_offset_s: int = 0,
    ) -> None:
        """As Mt5Venue."""
        super().__init__(
            link,
            symbols,
            clock,
            session_id=session_id,
            is_sandbox=is_sandbox,
            settle_s=settle_s,
            server_offset_s=server_offset_s,
        )
        self._lists = SharedLists(link, symbols)
