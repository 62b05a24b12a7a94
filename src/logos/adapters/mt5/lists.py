"""The lists of a MetaTrader 5 terminal: asked for, and read for the session's symbols."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final, Protocol

import msgspec

from logos.adapters.mt5.gateway.wire import ERRORS_BEFORE
from logos.adapters.mt5.known.ledger import Ledger
from logos.adapters.mt5.records import (
    Deal,
    Mark,
    OpenOrder,
    Ticket,
    deal,
    entries_of,
    held_ticket,
    open_order,
    trades_from,
)
from logos.adapters.mt5.server_clock import ServerClock
from logos.core.instrument import Instrument
from logos.core.outbox import SubmitOrder
from logos.core.types import NS_PER_SECOND
from logos.venues.contract import Unavailable
from logos.venues.records import Unreadable

_WORDS_MAX: Final = 120
_NO_TICKETS: Final = (
    "orders would open further positions in place of closing one, and through this terminal no "
    "position can be closed by its ticket for certain: a netting account is needed, or logos' own "
    "Expert Advisor (docs/MT5.md)"
)


class TerminalLink(Protocol):
    """What the venue needs of `logos.adapters.mt5.gateway.gateway.Gateway`.

    Its failures are the contract's: OutcomeUnknown and NotSent for a TRADE, else Unavailable.
    """

    @property
    def does_echo(self) -> bool: ...

    @property
    def has_ids(self) -> bool: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def epoch(self) -> int: ...

    async def request(
        self,
        symbol: str,
        fields: Mapping[str, object],
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> dict[str, Any]: ...

    async def next_transaction(self, timeout_s: float) -> dict[str, Any] | None: ...

    def listen(self, on_transaction: Callable[[Mapping[str, Any]], None]) -> None: ...


class Mt5VenueSymbol(msgspec.Struct, frozen=True):
    """An instrument, and the terminal's name of it, suffix and all ("BTCUSD.s")."""

    instrument: Instrument
    terminal_symbol: str


class Mt5Transaction(msgspec.Struct, frozen=True):
    """Something happened in the terminal: a hint to ask, not a fill to book.

    `client_order_id` is empty for what was done by hand or by somebody else; `symbol` is the
    session's, empty for one that it does not trade.
    """

    symbol: str
    terminal_symbol: str
    client_order_id: str
    venue_order_id: str
    action: str
    retcode: int


class OpenOrders(list[OpenOrder]):
    """A list of what waits; `errors` came before it, and it may lack what they are about."""

    errors: str = ""

    def check_whole(self) -> None:
        """Raise Unavailable for a list from which nothing follows about what is not in it."""
        if self.errors:
            raise Unavailable(f"orders: an entry may be missing, the terminal says {self.errors}")


class TerminalLists:
    """Orders, deals and positions of some symbols of one terminal."""

    def __init__(
        self, link: TerminalLink, symbols: Mapping[str, Mt5VenueSymbol], server_clock: ServerClock
    ) -> None:
        self._link = link
        self._server_clock = server_clock
        self._symbols = symbols
        self.names = {each.terminal_symbol: name for name, each in symbols.items()}
        """The session's name of each symbol of the terminal."""
        self.hedging = ""
        """How it is known that the account is a hedging one; empty while it is not."""
        self.on_hedging: Callable[[str], object] = lambda _: None
        """Told once that it is."""

    @property
    def offset_s(self) -> int:
        """Seconds that the terminal's clock is ahead of UTC."""
        return self._server_clock.offset_s

    async def measure_clock(self) -> None:
        """Measure that, where it was not yet in this life of the terminal."""
        symbol = next(iter(self.names), "")
        await self._server_clock.measure(self._link.request, symbol)

    def server_s(self, ts_ns: int) -> int:
        """A moment (nanoseconds UTC) in seconds of the terminal's clock."""
        return ts_ns // NS_PER_SECOND + self.offset_s

    async def ask(self, fields: Mapping[str, object], what: str) -> dict[str, Any]:
        """A question without a symbol of its own. Raises Unavailable, also for an error."""
        reply = await self._link.request("", fields)
        if reply.get("error") is True:
            words = str(reply.get("description", ""))[:_WORDS_MAX]
            raise Unavailable(f"{what}: the terminal says {words!r}")
        return reply

    async def orders(self) -> OpenOrders:
        """Orders that wait in the session's symbols. Raises Unavailable."""
        reply = await self.ask({"action": "ORDERS"}, "orders")
        found = OpenOrders()
        found.errors = ", ".join(reply.get(ERRORS_BEFORE, ()))
        try:
            for entry in entries_of(reply, "orders"):
                name = self.names.get(str(entry.get("symbol")))
                if name is not None:
                    found.append(open_order(entry, self._symbols[name].instrument))
        except Unreadable as error:
            raise Unavailable(f"orders: {error}") from None
        return found

    async def deals(self, from_server_s: int) -> list[Deal]:
        """Deals of the session's symbols from a second of the terminal's clock on, in order."""
        # Some terminals send everything whatever they are asked for.
        from_s = max(0, from_server_s)
        fields = {"action": "HISTORY", "actionType": "TRADES", "fromDate": from_s}
        reply = await self.ask(fields, "deals")
        found = self.read_deals(reply, from_s, ())
        found.sort(key=lambda each: (each.time_s, int(each.ticket)))
        return found

    def read_deals(
        self, reply: Mapping[str, Any], from_s: int, known: Container[str]
    ) -> list[Deal]:
        """Deals in an answer, from that second on and without those known. Raises Unavailable."""
        found = []
        try:
            for entry in trades_from(reply, from_s):
                name = self.names.get(str(entry.get("symbol")))
                if name is None or str(entry.get("ticket")) in known:
                    continue
                each = deal(entry, self._symbols[name].instrument)
                if each is not None:
                    found.append(each)
        except Unreadable as error:
            raise Unavailable(f"deals: {error}") from None
        return found

    def transaction(self, frame: Mapping[str, Any], ledger: Ledger) -> Mt5Transaction | None:
        """A frame of the streaming port; None for one that is no transaction."""
        request = frame.get("request")
        # The bridge has called it both.
        result = frame.get("reply", frame.get("result"))
        if not isinstance(request, dict) or not isinstance(result, dict):
            return None
        terminal_symbol = str(request.get("symbol", ""))
        comment, magic = request.get("comment"), request.get("magic")
        mark = Mark(
            comment if isinstance(comment, str) else None, magic if type(magic) is int else None
        )
        ticket = str(result.get("order") or request.get("order") or "")
        retcode = result.get("retcode")
        return Mt5Transaction(
            self.names.get(terminal_symbol, ""),
            terminal_symbol,
            ledger.client_id_of(mark, ticket),
            ticket,
            str(request.get("action", "")),
            retcode if type(retcode) is int else 0,
        )

    async def tickets(self) -> list[Ticket]:
        """All positions of the session's symbols, whoever opened them. Raises Unavailable."""
        reply = await self.ask({"action": "POSITIONS"}, "positions")
        if errors := ", ".join(reply.get(ERRORS_BEFORE, ())):
            raise Unavailable(f"positions: an entry may be missing, the terminal says {errors}")
        found = []
        try:
            for entry in entries_of(reply, "positions"):
                name = self.names.get(str(entry.get("symbol")))
                if name is not None:
                    found.append(held_ticket(entry, self._symbols[name].instrument))
        except Unreadable as error:
            raise Unavailable(f"positions: {error}") from None
        return found

    async def positions(self) -> Mapping[str, int]:
        """The position of each symbol of a netting account. Raises Unavailable."""
        totals = dict.fromkeys(self._symbols, 0)
        seen = dict[str, str]()
        for each in await self.tickets():
            if each.symbol in seen:
                self._say_hedging(each.symbol, seen[each.symbol], each.ticket)
            seen[each.symbol] = each.ticket
            totals[each.symbol] += each.signed_units
        return totals

    def _say_hedging(self, symbol: str, one: str, other: str) -> None:
        """Two positions in one symbol. Raises Unavailable: their sum may be of one twice."""
        what = f"position {one} twice" if one == other else f"positions {one} and {other}"
        terminal_symbol = self._symbols[symbol].terminal_symbol
        words = f"the terminal lists {what} in {terminal_symbol}"
        self.refuse_hedging(words)
        raise Unavailable(f"positions: {words}")

    def refuse_hedging(self, how: str) -> None:
        """The account is a hedging one, as `how` says, and this terminal cannot close by ticket."""
        if not self.hedging:
            self.hedging = f"a hedging account: {how}; {_NO_TICKETS}"
            self.on_hedging(self.hedging)
