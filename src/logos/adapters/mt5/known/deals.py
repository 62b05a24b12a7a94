"""The deals that are known, by time, and found by what they carry.

The problem: an account has thousands of deals a day, each order wants its own, and whoever goes
through all of them for each order goes through millions. The method: a deal never changes once it
was made, so each is filed once, by its comment, its magic, its order and its own ticket. How far
back nothing is missing is known too (`from_s`); a deal that came by itself (`note`) says nothing of
those before it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final

from logos.adapters.mt5.records import Deal
from logos.adapters.mt5.tickets.legs import order_comment

REMEMBERED_MAX: Final = 50_000
NEVER_S: Final = 1 << 62

_Index = dict[str, list[Deal]]


class Deals:
    """Known deals of one account; the older half is let go of beyond `REMEMBERED_MAX`."""

    def __init__(self) -> None:
        self._deals: list[Deal] = []
        self._blank: list[Deal] = []
        """Those that say nothing of whose they are."""
        self._listed: list[Deal] = []
        self._by_ticket: dict[str, Deal] = {}
        self._by_comment: _Index = {}
        self._by_magic: dict[int, list[Deal]] = {}
        self._by_order: _Index = {}
        self.from_s = NEVER_S
        """From when on all deals up to the newest that an answer told are known."""
        self.newest_told: Deal | None = None
        """The newest that an answer told; what came by itself may have overtaken others."""

    def __contains__(self, ticket: object) -> bool:
        return ticket in self._by_ticket

    def __len__(self) -> int:
        return len(self._deals)

    def note(self, deal: Deal) -> bool:
        """Take one in, unless it is known; whether it was new."""
        if deal.ticket in self._by_ticket:
            return False
        self._by_ticket[deal.ticket] = deal
        _file(self._deals, deal)
        if deal.mark.is_blank:
            _file(self._blank, deal)
        if deal.mark.comment:
            comment = order_comment(deal.mark.comment)  # of the order, whichever of its requests
            self._by_comment.setdefault(comment, []).append(deal)
        if deal.mark.magic:
            self._by_magic.setdefault(deal.mark.magic, []).append(deal)
        if deal.order:
            self._by_order.setdefault(deal.order, []).append(deal)
        return True

    def told(self, fresh: Iterable[Deal], listed: Iterable[str], from_s: int) -> None:
        """An answer listed all deals from that second on (of the terminal's clock), by their
        tickets; `fresh` are those among them that were not known."""
        self._listed += [each for each in fresh if self.note(each)]
        for ticket in listed:
            known, newest = self._by_ticket.get(ticket), self.newest_told
            if known is not None and (newest is None or _order_of(newest) < _order_of(known)):
                self.newest_told = known
        self.from_s = min(self.from_s, from_s)
        if len(self._deals) > REMEMBERED_MAX:
            self._forget()

    def since(self, from_s: int) -> list[Deal]:
        """Those from that second on, by time and ticket."""
        return self._deals[bisect_left(self._deals, from_s, key=_time_of) :]

    def blank_since(self, from_s: int) -> list[Deal]:
        """Those of them that say nothing of whose they are."""
        return self._blank[bisect_left(self._blank, from_s, key=_time_of) :]

    def take_listed(self) -> list[Deal]:
        """Those that answers told first, since this was called the last time."""
        taken, self._listed = self._listed, []
        return taken

    def found_by(self, comment: str, magic: int, order: str, tickets: Sequence[str]) -> list[Deal]:
        """Those that carry any of these, by time and ticket, each once."""
        found: dict[str, Deal] = {}
        for some in (
            self._by_comment.get(comment, ()),
            self._by_magic.get(magic, ()),
            self._by_order.get(order, ()),
            (self._by_ticket[ticket] for ticket in tickets if ticket in self._by_ticket),
        ):
            for each in some:
                found[each.ticket] = each
        return list(found.values()) if len(found) < 2 else sorted(found.values(), key=_order_of)

    def _forget(self) -> None:
        """Let go of the older half."""
        gone = len(self._deals) // 2
        last, kept = self._deals[gone - 1], self._deals[gone:]
        self._deals, self._blank = [], []
        for index in (self._by_ticket, self._by_comment, self._by_magic, self._by_order):
            index.clear()
        for each in kept:
            self.note(each)
        self._listed = [each for each in self._listed if each.ticket in self._by_ticket]
        self.from_s = max(self.from_s, last.time_s + 1)


def _file(deals: list[Deal], deal: Deal) -> None:
    """Put one in its place by time and ticket, nearly always at the end."""
    if not deals or _order_of(deals[-1]) < _order_of(deal):
        deals.append(deal)
    else:
        insort(deals, deal, key=_order_of)


def _time_of(each: Deal) -> int:
    return each.time_s


def _order_of(each: Deal) -> tuple[int, int]:
    return each.time_s, int(each.ticket)
