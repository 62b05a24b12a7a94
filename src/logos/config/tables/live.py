"""`[venue]` and `[live]`: where orders go, where live data comes from."""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from logos.config.tables.base import Settings
from logos.config.tables.kafka import LiveKafkaSettings


class VenueName(enum.Enum):
    """Where orders go."""

    PAPER = "paper"
    CCXT = "ccxt"
    ALPACA = "alpaca"
    MT5 = "mt5"
    MT5_NATIVE = "mt5-native"
    IB = "ib"

    @property
    def limits_must_rest(self) -> bool:
        """Whether such a venue refuses a limit order that could trade at once."""
        return self in (VenueName.MT5, VenueName.MT5_NATIVE)


class FeedName(enum.Enum):
    """Where live market data comes from."""

    NONE = ""
    CCXT = "ccxt"
    YAHOO = "yahoo"
    REPLAY = "replay"
    MT5 = "mt5"
    KAFKA = "kafka"
    ALPACA = "alpaca"
    IB = "ib"


class Transport(enum.Enum):
    """How a feed gets its data."""

    POLL = "poll"
    WEBSOCKET = "websocket"


class FeedKind(enum.Enum):
    """What a live feed delivers."""

    QUOTES = "quotes"
    TRADES = "trades"
    BOTH = "both"
    BARS = "bars"


class OnExternal(enum.Enum):
    """What is done about orders and positions that are not the session's."""

    REPORT = "report"
    HALT = "halt"


class VenueSettings(Settings, frozen=True, kw_only=True):
    """`[venue]`: where orders go. Keys and passwords are never here; see docs/CONFIGURATION.md."""

    name: VenueName = VenueName.PAPER
    """paper, ccxt, alpaca, mt5, mt5-native or ib."""
    exchange: str = ""
    """The exchange's ccxt id, such as "kraken"; "ccxt" only."""
    sandbox: bool = True
    """The venue's test environment instead of real money."""
    url: str = ""
    """Another address than the venue's own, such as a test server of yours."""
    share: int | msgspec.UnsetType = msgspec.UNSET
    """Percent of the account's requests that this session may make; not set: all; "alpaca" only."""
    account: str = ""
    """A name of the account, where sessions with other keys of it share its requests; "ccxt"."""
    live: bool = False
    """Orders leave this process. Only --live with --i-acknowledge-risk sets it, each time."""


class LiveSettings(Settings, frozen=True, kw_only=True):
    """`[live]`: a session on live data."""

    feed: FeedName = FeedName.NONE
    """ccxt, yahoo, replay, mt5, kafka, alpaca or ib; empty: recorded data, no live feed."""
    exchange: str = ""
    """The exchange's ccxt id; of "alpaca" the feed of shares, iex (default) or sip; of "ib"
    "delayed" for delayed quotes."""
    url: str = ""
    """Another address than the feed's own."""
    kind: FeedKind = FeedKind.QUOTES
    """quotes, trades, both or bars; Yahoo has bars only."""
    interval: str = "1m"
    """The length of bars, such as "1m", "5m" or "1h"."""
    markets: dict[str, str] = {}
    """What the source calls a symbol, where that is not BASE/QUOTE (ccxt) or the symbol itself."""
    transport: Transport = Transport.POLL
    """poll or websocket."""
    poll_interval_ms: int = 1000
    """Milliseconds from one poll to the next; above 0."""
    speed: Decimal = Decimal(1)
    """How many times faster than recorded; 0: as fast as can be; "replay" only."""
    heartbeat_ms: int = 1000
    """Milliseconds from one sign of life to the next, when no data comes; above 0."""
    inbox_size: int = 100_000
    """How many events may wait for the core; above 0."""
    reconcile_every_s: int = 60
    """Seconds from one comparison with the venue to the next; above 0."""
    stop_after_s: int = 0
    """The session stops by itself after so many seconds; 0: never."""
    drain_timeout_s: int = 10
    """Seconds that a stop waits for the venue to confirm cancels; above 0."""
    max_clock_skew_ms: int = 1000
    """How far this machine's clock may be from the venue's, in milliseconds; above 0."""
    on_external: OnExternal = OnExternal.REPORT
    """Orders and positions at the venue that are not the session's: "report" or "halt"."""
    kafka: LiveKafkaSettings | msgspec.UnsetType = msgspec.UNSET
    """Topics of Kafka brokers; "kafka" only. Not set: none."""
