"""The tickets that the session holds at a hedging account, recovered from the terminal's lists.

A ticket is the session's when its comment or its magic number is of one of the session's orders, or
when a deal of such an order opened it (by its identifier, which outlives comment and ticket).
Everything else, other Expert Advisors' and manual trades, is neither counted nor closed.

What is held must be what the session's deals make it: the tickets at the first look, and every deal
of the session since. What an answer says was done counts until the deals of that request have told
as much, however many they are. A list that says otherwise is asked again together with the deals;
what does not explain itself is told once as a doubt, and the session stops. So does a deal of
somebody else against a ticket of the session (its stop, a stop out, a trade by hand), and tickets
on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from logos.adapters.mt5.known.ledger import Ledger
from logos.adapters.mt5.lists import TerminalLists
from logos.adapters.mt5.records import Deal, Ticket
from logos.core.clock import Clock
from logos.core.types import NS_PER_SECOND, Side
from logos.venues.contract import Unavailable

HEDGING: Final = "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"
"""What the terminal calls the margin mode of such an account (ENUM_ACCOUNT_MARGIN_MODE)."""

DOUBT_S: Final = 5.0
"""How long the tickets may differ from what the deals make them before the session stops."""

_AGAIN_S: Final = 0.25
_TRIES: Final = 3
_SEEN_MAX: Final = 20_000
_SLACK_S: Final = 5


class Tickets:
    """The session's tickets at one account. It does nothing unless `is_on`."""

    def __init__(self, lists: TerminalLists, ledger: Ledger, clock: Clock) -> None:
        self._lists = lists
        self._ledger = ledger
        self._clock = clock
        self.is_on = False
        """Whether the account is a hedging one whose positions can be closed by ticket."""
        self.on_doubt: Callable[[str], object] = lambda _: None
        """Told once of each contradiction, with the reason."""
        self._has_begun = False
        self._began = 0
        """The newest deal that there was at the first look."""
        self._from_s = 0
        self._units: dict[str, int] = {}
        """What tickets and deals make the position of each symbol."""
        self._seen: dict[int, None] = {}
        """Deals that are counted in it, oldest first."""
        self._done: dict[str, tuple[int, int]] = {}
        """Of the terminal's orders, oldest first: units that deals told of, and that an answer told
        of. The larger of the two is counted."""
        self._identifiers: set[str] = set()
        """Of tickets that are or were the session's."""
        self._differs_ns: dict[str, int] = {}
        self._told: set[str] = set()

    # ---- what is held ----

    async def positions(self) -> Mapping[str, int]:
        """The sum of the session's tickets of each symbol, as they are listed. Raises
        Unavailable."""
        await self._begin()
        return self._sums(self._own(await self._lists.tickets()))

    async def look(self, symbol: str) -> list[Ticket]:
        """The session's tickets of a symbol; they are what its deals make them.

        Raises Unavailable while they are not.
        """
        await self._begin()
        own: list[Ticket] = []
        for is_last in (False, True):
            own = [t for t in self._own(await self._lists.tickets()) if t.symbol == symbol]
            if sum(each.signed_units for each in own) == self._units.get(symbol, 0):
                self._differs_ns.pop(symbol, None)
                break
            if is_last:
                raise self._differing(symbol, own)
            self.note_all(await self._lists.deals(self._from_s))
        if len({each.side for each in own}) > 1:
            names = ", ".join(f"{each.side.value} {each.ticket}" for each in own)
            words = f"{symbol}: this session's tickets are on both sides: {names}"
            self._doubt(words)
            raise Unavailable(words, _AGAIN_S)
        return own

    def _differing(self, symbol: str, own: Iterable[Ticket]) -> Unavailable:
        held = sum(each.signed_units for each in own)
        words = (
            f"{symbol}: the terminal holds {held} units under this session's tickets, and its "
            f"deals make it {self._units.get(symbol, 0)}"
        )
        now_ns = self._clock.now_ns()
        since_ns = self._differs_ns.setdefault(symbol, now_ns)
        if now_ns - since_ns >= DOUBT_S * NS_PER_SECOND:
            self._doubt(f"{words}, for {DOUBT_S:g} s")
        return Unavailable(words, _AGAIN_S)

    def _own(self, tickets: Iterable[Ticket]) -> list[Ticket]:
        found = []
        for each in tickets:
            by_mark = self._ledger.opener_of(each.mark, each.identifier)
            if by_mark or each.identifier in self._identifiers:
                self._identifiers.add(each.identifier)
                found.append(each)
        return found

    def _sums(self, own: Iterable[Ticket]) -> dict[str, int]:
        totals = dict.fromkeys(self._lists.names.values(), 0)
        for each in own:
            totals[each.symbol] += each.signed_units
        return totals

    async def _begin(self) -> None:
        """The first look. Raises Unavailable."""
        for _ in range(0 if self._has_begun else _TRIES):
            before = await self._lists.tickets()
            deals = await self._lists.deals(0)
            self._note_identifiers(deals)
            if await self._lists.tickets() != before:
                continue
            self._units = self._sums(self._own(before))
            self._began = max((int(each.ticket) for each in deals), default=0)
            self._from_s = max(0, max((each.time_s for each in deals), default=0) - _SLACK_S)
            self._has_begun = True
            return
        if not self._has_begun:
            raise Unavailable("positions change while the terminal is asked: there is no beginning")

    def _note_identifiers(self, deals: Iterable[Deal]) -> None:
        self._identifiers.update(
            each.position for each in deals if each.position and self._ledger.owner_of(each)
        )

    # ---- what changes it ----

    def note_all(self, deals: Iterable[Deal]) -> None:
        """Deals were listed."""
        for each in sorted(deals, key=lambda each: int(each.ticket)):
            self.note(each)

    def note(self, deal: Deal) -> None:
        """A deal was told."""
        number = int(deal.ticket)
        if not (self.is_on and self._has_begun) or number <= self._began or number in self._seen:
            return
        if self._ledger.owner_of(deal):
            self._identifiers.add(deal.position or deal.order)
            self._see(number)
            told, answered = self._done.get(deal.order, (0, 0))
            done = told + deal.volume_units, answered
            self._count(deal.symbol, deal.order, deal.side, done)
        elif deal.position in self._identifiers:
            self._see(number)
            units = f"{deal.side.value} {deal.volume_units} units"
            self._doubt(
                f"{deal.symbol}: deal {deal.ticket} ({units}) changed position {deal.position} of "
                f"this session, and no order of it did that: {deal.mark.comment or 'by hand'!r}"
            )

    def answered(self, symbol: str, order: str, side: Side, units: int) -> None:
        """The answer to a request of the session says that the terminal's `order` did so much, in
        one deal or in several, which may be listed later."""
        told, _ = self._done.get(order, (0, 0))
        self._count(symbol, order, side, (told, units))

    def _count(self, symbol: str, order: str, side: Side, done: tuple[int, int]) -> None:
        """An order has `done` so much by its deals, and by its answer."""
        more = max(done) - max(self._done.get(order, (0, 0)))
        self._done[order] = done
        self._units[symbol] = self._units.get(symbol, 0) + (more if side is Side.BUY else -more)
        if len(self._done) > _SEEN_MAX:
            for old in list(self._done)[: _SEEN_MAX // 2]:
                del self._done[old]

    def _see(self, number: int) -> None:
        self._seen[number] = None
        if len(self._seen) > _SEEN_MAX:
            for old in sorted(self._seen)[: _SEEN_MAX // 2]:
                del self._seen[old]
                self._began = max(self._began, old)

    def _doubt(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self.on_doubt(words)
