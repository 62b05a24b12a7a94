"""The contract of live feeds: what one does, what it is given, and how it says how it is.

A live feed is one task. It connects, hands events to its sink in order, and keeps itself going:
retries with backoff, reconnects, finds gaps, asks for what it missed, drops what it has had before.
It ends only when it is cancelled or can never work again (`FeedFailedError`).

Every event's `ts_ns` is when it was received (`Clock.now_ns` at its making), which is the order in
which the session sees it; `event_ns`, beside it, is when the source says it happened. Their
difference is its age. A heartbeat of the connection is no event: it never makes data fresh.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from logos.core.messages import Bar, MarketEvent, ReceivedSignal
from logos.errors import LogosError


class FeedState(enum.Enum):
    """What a feed says of itself, for one symbol or for all."""

    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    RETRYING = "RETRYING"
    GAP = "GAP"
    """Something was missed; what could be had of it was asked for."""
    MAINTENANCE = "MAINTENANCE"
    CLOSED = "CLOSED"


class FeedNews(msgspec.Struct, frozen=True):
    """A change of a feed's state: `symbol` is empty for the whole feed, `detail` for people."""

    ts_ns: int
    feed: str
    symbol: str
    state: FeedState
    detail: str


class FeedFailedError(LogosError):
    """The feed can never work as it is configured; the message says what to change."""


class Sink(Protocol):
    """Where a feed hands over what it received."""

    def market(self, event: MarketEvent, event_ns: int) -> bool:
        """Take one event; False when there is no room: `await room()` and offer it again."""

    async def room(self) -> None:
        """Return once there is room."""

    def news(self, news: FeedNews) -> None:
        """Take note of a change of state; never refused."""


class OffsetSink(Sink, Protocol):
    """A sink that keeps how far a source was read that keeps what it said, and takes signals.

    What is handed over and how far that is are of one batch, if nothing is awaited between them.
    """

    def read_up_to(self, source: str, offset: int) -> None:
        """Message `offset` of `source`, and all before it, has been handed over."""

    def offset_of(self, source: str) -> int | None:
        """The last message of `source` that the session has, also from before it was resumed."""

    def signal(self, signal: ReceivedSignal) -> bool:
        """Take one signal; False when there is no room: `await room()` and offer it again."""


class LiveFeed(Protocol):
    """A source of live market data."""

    @property
    def name(self) -> str:
        """A short name for logs: "ccxt:binance"."""

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols it delivers, as the session names them."""

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled. Raises FeedFailedError when it can never work."""


@runtime_checkable
class KeepsPast(Protocol):
    """A feed whose source can be asked for bars from before now."""

    @property
    def past_intervals(self) -> Sequence[str]:
        """The lengths of the bars that it has, such as "1m"; empty: none."""

    async def past_bars(
        self, symbol: str, interval: str, since_ns: int, until_ns: int
    ) -> Sequence[Bar]:
        """The closed bars that begin at `since_ns` or later and end by `until_ns`, in order; the
        time of each is its end. Tries again until it is cancelled.

        Raises FeedFailedError, LogosError, OSError.
        """
