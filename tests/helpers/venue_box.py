"""What every venue's box offers to the contract suite; `venue_boxes` has the boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod

from link_helpers import coin as fake_coin

from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.orders import OrderIntent
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.risk import Approved
from logos.core.types import OrderType, Side, TimeInForce
from logos.venues.contract import Venue, VenueOrder

Word = tuple[str, str, str]
"""A question, the field of its answer's records, and a word that the field never holds."""


class Box(ABC):
    """One venue, open, and the place behind it."""

    venue: Venue
    instrument: Instrument
    currency: str = "USD"
    """What the account is kept in."""
    low: int
    """A price, in units, at which a buy rests and a sale does not."""
    high: int
    """A price at which a sale rests."""
    since_ns: int
    """The moment, by the place's clock, before which nothing happened."""
    market_force = TimeInForce.IOC
    fills_in_parts = True
    keeps_positions = False
    words: tuple[Word, ...] = ()
    """Words of an answer that must be told, not passed over."""

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    def rest(self, lots: int = 10, side: Side = Side.BUY) -> Approved:
        """A limit order away from the market."""
        price = self.low if side is Side.BUY else self.high
        return self._order(side, lots, OrderType.LIMIT, price, TimeInForce.GTC)

    def at_once(self, lots: int = 10, side: Side = Side.BUY) -> Approved:
        """A market order."""
        return self._order(side, lots, OrderType.MARKET, 0, self.market_force)

    def too_big(self) -> Approved:
        """A market order that the account cannot pay for."""
        return self.at_once(10**9 // self.lot)

    def stranger(self) -> Approved:
        """An order in a symbol that is none of the session's."""
        other = fake_coin("OTHER")
        return self._order(Side.BUY, 1, OrderType.MARKET, 0, self.market_force, other)

    def _order(
        self,
        side: Side,
        lots: int,
        kind: OrderType,
        price: int,
        force: TimeInForce,
        instrument: Instrument | None = None,
    ) -> Approved:
        made = self.instrument if instrument is None else instrument
        intent = OrderIntent(made, side, lots * self.lot, kind, price, 0, force, 0, "", "")
        return Approved(intent, 0, 1)

    @property
    def lot(self) -> int:
        """The quantity units that count as one lot here."""
        return self.instrument.lot

    def text(self, lots: int) -> str:
        """So many lots as decimal text."""
        return format_units(lots * self.lot, self.instrument.quantity_decimals)

    async def submit(self, order: Approved, client_order_id: str = "s-1-1") -> VenueOrder:
        """Send an order."""
        return await self.venue.submit(SubmitOrder(order, client_order_id, 0))

    def cancel_of(self, client_order_id: str = "s-1-1", symbol: str = "") -> CancelOrder:
        """A cancel of an order in the session's symbol, or in another."""
        return CancelOrder(client_order_id, symbol or self.symbol)

    async def cancel(self, client_order_id: str = "s-1-1") -> None:
        """Cancel an order in the session's symbol."""
        await self.venue.cancel(self.cancel_of(client_order_id))

    async def find(self, client_order_id: str = "s-1-1") -> VenueOrder:
        """The order, which must be there."""
        found = await self.venue.find(client_order_id, self.symbol)
        assert found is not None, f"{client_order_id} is not found"
        return found

    # ---- what the place does ----

    @abstractmethod
    def fill(self, client_order_id: str, lots: int) -> None:
        """Fill so much of an order that rests."""

    @abstractmethod
    def by_hand(self) -> None:
        """Somebody else places an order that rests."""

    @abstractmethod
    def arrived(self) -> list[str]:
        """The client order id of every order that ever came there, as the place knows it."""

    @abstractmethod
    def requests(self) -> int:
        """How many requests came there."""

    @abstractmethod
    async def pass_time(self, seconds: float) -> None:
        """Let the place's clock and the venue's move."""

    @abstractmethod
    def lose(self, what: str, is_handled: bool) -> None:
        """The next "submit" or "cancel" gets no answer; it is carried out or never comes there."""

    @abstractmethod
    def turn_away(self, what: str) -> None:
        """The next "submit" or "cancel" is not looked at: too many requests."""

    @abstractmethod
    def fall_silent(self) -> None:
        """No question is answered any more."""

    @abstractmethod
    def recover(self) -> None:
        """Everything works again."""

    @abstractmethod
    def another(self, session_id: str = "s-1") -> Venue:
        """A second venue at the same place, as a session has after a restart; not open yet."""

    def swap(self, question: str, field: str, word: object) -> None:
        """From now on this field holds `word` in every record of the question's answer."""
        raise NotImplementedError
