"""Market data as the core and the strategies see it.

Exact integers are stored (`*_units`); the plain names (`quote.bid`, `bar.close`) are floats,
made on demand, for indicators only: the integer over its power of ten, which is the nearest
float to the decimal the venue wrote. `ts_ns` is the moment the event is known: nanoseconds since
1970 UTC; for a bar that is its close, never its open.

These are msgspec structs and this module stays interpreted: creating one is several times
cheaper than any class of our own, compiled or not, and `gc=False` keeps millions of them out
of the collector's sight. They hold no reference that could lead back to themselves.
"""

from __future__ import annotations

from typing import Final

import msgspec

from logos.core.instrument import Instrument
from logos.core.types import ReportKind


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask. Sizes are SIZE_UNKNOWN (-1) where the source reports none."""

    ts_ns: int
    symbol: str
    bid_units: int
    ask_units: int
    bid_size_units: int
    ask_size_units: int
    instrument: Instrument

    @property
    def bid(self) -> float:
        """The best bid in the quote currency, as a float for indicators."""
        return self.bid_units / self.instrument.price_scale

    @property
    def ask(self) -> float:
        """The best ask in the quote currency, as a float for indicators."""
        return self.ask_units / self.instrument.price_scale

    @property
    def mid(self) -> float:
        """The middle of bid and ask, as a float for indicators."""
        return (self.bid_units + self.ask_units) / (2 * self.instrument.price_scale)

    @property
    def opened_ns(self) -> int:
        """When the event began: a quote is a moment."""
        return self.ts_ns


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One print. `aggressor` is "BUY", "SELL" or "" where the source does not say."""

    ts_ns: int
    symbol: str
    price_units: int
    size_units: int
    aggressor: str
    instrument: Instrument

    @property
    def price(self) -> float:
        """The price in the quote currency, as a float for indicators."""
        return self.price_units / self.instrument.price_scale

    @property
    def size(self) -> float:
        """The size in units of the symbol, as a float; meaningless for SIZE_UNKNOWN."""
        return self.size_units / self.instrument.quantity_scale

    @property
    def opened_ns(self) -> int:
        """When the event began, nanoseconds UTC: a print is a moment."""
        return self.ts_ns


class Bar(msgspec.Struct, frozen=True, gc=False):
    """Open, high, low, close and volume of one interval; `ts_ns` is the close.

    Of a live bar `ts_ns` is when it was received; `closed_ns` is its end then, in sessions that
    make longer bars of it (0: it is `ts_ns`).
    """

    ts_ns: int
    symbol: str
    interval_ns: int
    open_units: int
    high_units: int
    low_units: int
    close_units: int
    volume_units: int
    instrument: Instrument
    closed_ns: int = 0

    @property
    def opened_ns(self) -> int:
        """When the bar began, nanoseconds UTC."""
        return self.ts_ns - self.interval_ns

    @property
    def open(self) -> float:
        """The first price in the quote currency, as a float for indicators."""
        return self.open_units / self.instrument.price_scale

    @property
    def high(self) -> float:
        """The highest price in the quote currency, as a float for indicators."""
        return self.high_units / self.instrument.price_scale

    @property
    def low(self) -> float:
        """The lowest price in the quote currency, as a float for indicators."""
        return self.low_units / self.instrument.price_scale

    @property
    def close(self) -> float:
        """The last price in the quote currency, as a float for indicators."""
        return self.close_units / self.instrument.price_scale

    @property
    def volume(self) -> float:
        """The volume in units of the symbol, as a float; meaningless for SIZE_UNKNOWN."""
        return self.volume_units / self.instrument.quantity_scale


class QuoteBar(msgspec.Struct, frozen=True, gc=False):
    """A two-sided bar: bid and ask each with open, high, low and close; `ts_ns` is the close.

    `volume_units` is the smaller of the two sides' volumes, SIZE_UNKNOWN where there is none.
    The float prices are mids. `closed_ns` is as in `Bar`.
    """

    ts_ns: int
    symbol: str
    interval_ns: int
    bid_open_units: int
    bid_high_units: int
    bid_low_units: int
    bid_close_units: int
    ask_open_units: int
    ask_high_units: int
    ask_low_units: int
    ask_close_units: int
    volume_units: int
    instrument: Instrument
    closed_ns: int = 0

    @property
    def opened_ns(self) -> int:
        """When the bar began, nanoseconds UTC."""
        return self.ts_ns - self.interval_ns

    @property
    def open(self) -> float:
        """The mid of the first bid and ask, as a float for indicators."""
        return (self.bid_open_units + self.ask_open_units) / (2 * self.instrument.price_scale)

    @property
    def high(self) -> float:
        """The mid of the highest bid and ask, as a float for indicators."""
        return (self.bid_high_units + self.ask_high_units) / (2 * self.instrument.price_scale)

    @property
    def low(self) -> float:
        """The mid of the lowest bid and ask, as a float for indicators."""
        return (self.bid_low_units + self.ask_low_units) / (2 * self.instrument.price_scale)

    @property
    def close(self) -> float:
        """The mid of the last bid and ask, as a float for indicators."""
        return (self.bid_close_units + self.ask_close_units) / (2 * self.instrument.price_scale)

    @property
    def volume(self) -> float:
        """The volume in units of the symbol, as a float; meaningless for SIZE_UNKNOWN."""
        return self.volume_units / self.instrument.quantity_scale


NOW: Final = 0
"""The `ts_ns` of a command for a session, which carries it out at its present time."""


class Suspend(msgspec.Struct, frozen=True, gc=False):
    """Cancel what is open, and ask the strategy nothing until `ResumeTrading`.

    In every operator command, `reason` and `by` (a person or a part of logos) are for the record.
    """

    ts_ns: int
    reason: str
    by: str


class ResumeTrading(msgspec.Struct, frozen=True, gc=False):
    """Ask the strategy again after a `Suspend`; a flattened session stays flat."""

    ts_ns: int
    reason: str
    by: str


class PauseSymbol(msgspec.Struct, frozen=True, gc=False):
    """Cancel what is open in `symbol`, and order nothing in it until `UnpauseSymbol`."""

    ts_ns: int
    reason: str
    by: str
    symbol: str


class UnpauseSymbol(msgspec.Struct, frozen=True, gc=False):
    """Let `symbol` trade again."""

    ts_ns: int
    reason: str
    by: str
    symbol: str


class Flatten(msgspec.Struct, frozen=True, gc=False):
    """Cancel what is open, close every position, and trade no more."""

    ts_ns: int
    reason: str
    by: str


class SetLimit(msgspec.Struct, frozen=True, gc=False):
    """Let the gross exposure of each currency come to no more than `amount`, decimal text, however
    much more `[risk.total]` allows. What is open is left: only what would grow it is refused."""

    ts_ns: int
    reason: str
    by: str
    amount: str


class Engage(msgspec.Struct, frozen=True, gc=False):
    """Engage the kill switch."""

    ts_ns: int
    reason: str
    by: str


class Reconcile(msgspec.Struct, frozen=True, gc=False):
    """What the venue proves has been booked, by a person's decision: the session that a difference
    had halted is halted no more, and stays suspended until `ResumeTrading`.

    `adjusted` names what of the account is its owner's from now on, as asset or symbol and amount:
    it was no part of the session's books, and does not become one. It is the one command that lies
    among the recorded inputs, behind the reports it speaks of.
    """

    ts_ns: int
    reason: str
    by: str
    adjusted: tuple[tuple[str, str], ...] = ()


class TimePassed(msgspec.Struct, frozen=True, gc=False):
    """The live clock at a moment at which nothing else came: it makes silent data stale."""

    ts_ns: int


class Lag(msgspec.Struct, frozen=True, gc=False):
    """How much older than its receipt a symbol's latest data is, from here on; 0: no longer."""

    ts_ns: int
    symbol: str
    lag_ns: int


class PastBar(msgspec.Struct, frozen=True, gc=False):
    """A bar from before a live session, received at `ts_ns`: it is for warm-up and history alone.

    `bar` has the length of the strategy's finest timeframe, and its own end as its time.
    """

    ts_ns: int
    symbol: str
    bar: Bar


class Backfill(msgspec.Struct, frozen=True, gc=False):
    """A symbol's past bars begin to come (`is_over` is False), or all have come.

    `until_ns`: up to when the source was asked for all of them, 0: it was not. `detail` says why
    they are fewer than were wanted.
    """

    ts_ns: int
    symbol: str
    is_over: bool
    until_ns: int = 0
    detail: str = ""


class Report(msgspec.Struct, frozen=True, gc=False):
    """What a venue said of one order of ours.

    `quantity_units`, `price_units`, `fee_units` (of the ledger), `is_maker` and `fill_id` speak of
    one fill; `base_fee_units` is a fee in the traded asset, in units of its wallet. `detail` is the
    venue's wording, or what is wrong (DIFFERENCE). CHARGED is about no order: `client_order_id` is
    the currency, `fee_units` what was charged, `fill_id` the venue's id of it.
    """

    ts_ns: int
    kind: ReportKind
    client_order_id: str
    detail: str = ""
    quantity_units: int = 0
    price_units: int = 0
    fee_units: int = 0
    is_maker: bool = False
    fill_id: str = ""
    base_fee_units: int = 0


class FeedOffset(msgspec.Struct, frozen=True, gc=False):
    """Up to where the session has read a feed that keeps what it said: message `offset` of `source`
    came with this batch, or before.

    It is not for the core: a session that is resumed reads on behind it.
    """

    ts_ns: int
    source: str
    offset: int


class ReceivedSignal(msgspec.Struct, frozen=True, gc=False):
    """What the maker of signals wished for, received at `ts_ns`: see `logos.data.signals`.

    `wish` is side, target or weight; `value` and `quantity` are as they were written. It is not for
    the core: whoever runs a session gives it to the strategy.
    """

    ts_ns: int
    symbol: str
    wish: str
    value: str
    quantity: str = ""


class SessionEnd(msgspec.Struct, frozen=True, gc=False):
    """The live session came to its end here; what follows is its venue's last reports.

    It is not for the core: whoever runs a session stops it when this comes.
    """

    ts_ns: int


MarketEvent = Quote | Trade | Bar | QuoteBar
OperatorCommand = (
    Suspend | ResumeTrading | PauseSymbol | UnpauseSymbol | Flatten | Engage | Reconcile | SetLimit
)
"""What an operator may order, sequenced among the market data; `core.commands` carries it out."""
EdgeEvent = TimePassed | Lag | Report | PastBar | Backfill
"""What a live session hears besides market data and commands."""
EDGE_KINDS: Final = frozenset((TimePassed, Lag, Report, PastBar, Backfill))
SessionEvent = SessionEnd | FeedOffset | ReceivedSignal
"""What whoever runs a session hears; it is not for the core."""
Event = MarketEvent | OperatorCommand | EdgeEvent | SessionEvent
