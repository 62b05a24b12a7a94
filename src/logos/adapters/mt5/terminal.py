"""A MetaTrader 5 terminal for a live session: one gateway, shared by the feeds and the venue.

`live.url` (for the feed) or `venue.url` says where it is; both must be the same if both are given:

    tcp://127.0.0.1:15555            the system port; data, live and streaming are the next three
    tcp://127.0.0.1:15555,1,2,3      all four ports
    tcp://.../reply_timeout_s=0.5,heartbeat_s=1    settings of the gateway, server_offset_s too,
                                     which holds while the terminal's clock cannot be measured

`live.interval` names the candles ("1m" is M1) or "tick", which delivers prices; `live.markets` the
terminal's names of symbols where they differ. CURVE keys stand in the environment or `.env`, as
LOGOS_MT5_CURVE_PUBLIC, LOGOS_MT5_CURVE_SECRET and LOGOS_MT5_CURVE_SERVER: all three, or none.

Everything the gateway does with its lock is in `<session>.gateway.jsonl` beside the session's log;
each process begins there with GATEWAY_OPENED and, unless it is killed, ends with GATEWAY_CLOSED.
At a hedging account the requests that orders come to are in `<session>.tickets.jsonl` there.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from logos import paths
from logos.adapters.mt5.feed import TICK, TIMEFRAMES_S, Mt5Feed, Mt5FeedSymbol
from logos.adapters.mt5.gateway.door import for_threads
from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import (
    CurveKeys,
    Endpoints,
    GatewaySettings,
)
from logos.adapters.mt5.links import SymbolLinks
from logos.adapters.mt5.lists import Mt5VenueSymbol
from logos.adapters.mt5.server_clock import ServerClock
from logos.adapters.mt5.shared_venue import SharedMt5Venue
from logos.config import Config, ConfigError, FeedKind, VenueName
from logos.config.environment import Environment
from logos.config.secret import Secret
from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.gates import Switch, lets_all_out
from logos.core.instrument import Instrument
from logos.core.outbox import OutstandingOrder, SubmitOrder
from logos.execution.tracked import LinkRules
from logos.feeds.contract import LiveFeed
from logos.files import JsonLines
from logos.loopback import EndpointError

KEY_NAMES: Final = ("LOGOS_MT5_CURVE_PUBLIC", "LOGOS_MT5_CURVE_SECRET", "LOGOS_MT5_CURVE_SERVER")
GATEWAY_OPENED: Final = "GATEWAY_OPENED"
GATEWAY_CLOSED: Final = "GATEWAY_CLOSED"
URL_DEFAULT: Final = "tcp://127.0.0.1:15555"

_OFFSET: Final = "server_offset_s"
_PORT_COUNT: Final = 4
_TICK_SILENCE_S: Final = 10.0
_INTERVALS: Final = {
    "1m": "M1",
    "5m": "M5",
    "15m": "M15",
    "30m": "M30",
    "1h": "H1",
    "4h": "H4",
    "1d": "D1",
    "tick": TICK,
}

_SETTLE_S_MIN: Final = 1.0
_PRICES_MAX: Final = 4
_CANDLES_MAX: Final = 1024
"""How many of a symbol's prices, or candles, may wait for its feed; older ones give way."""

Trip = Callable[[str, str], object]


class Mt5Address(NamedTuple):
    """What a URL says."""

    endpoints: Endpoints
    settings: GatewaySettings
    server_offset_s: int


def read_url(url: str) -> Mt5Address:
    """What a terminal's URL says. Raises ConfigError."""
    parts = urlsplit(url)
    host, colon, listed = parts.netloc.rpartition(":")
    words = listed.split(",")
    try:
        ports = [int(word) for word in words]
        if parts.scheme != "tcp" or not colon or parts.query or len(ports) not in (1, _PORT_COUNT):
            raise ValueError("that is another form")
        if len(ports) == 1:
            ports = [ports[0] + step for step in range(_PORT_COUNT)]
        if not all(0 < port < 65536 for port in ports):
            raise ValueError("a port is a number from 1 to 65535")
        given = dict(_pair(text) for text in parts.path.strip("/").split(",") if text)
        offset_s = int(given.pop(_OFFSET, "0"))
        values = {name: _setting(name, text) for name, text in given.items()}
        settings = GatewaySettings(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise ConfigError(
            f"the terminal's URL {url!r}: {error}; write it like {URL_DEFAULT}, with all four "
            "ports as 15555,15556,15557,15558, and settings behind it as /reply_timeout_s=2"
        ) from None
    names = Endpoints(
        host=host.strip("[]"), system=ports[0], data=ports[1], live=ports[2], streaming=ports[3]
    )
    return Mt5Address(names, settings, offset_s)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name, value


def _setting(name: str, text: str) -> int | float:
    """A setting of the gateway from its text. Raises ValueError."""
    if name not in GatewaySettings.__struct_fields__:
        known = ", ".join((*GatewaySettings.__struct_fields__, _OFFSET))
        raise ValueError(f"no setting {name!r}; there are {known}")
    return float(text) if name.endswith("_s") else int(text)


def curve_keys(environment: Environment | None = None) -> CurveKeys | None:
    """The CURVE keys of the environment or `.env`; None where there are none.

    Raises ConfigError when some are missing, or one is no key.
    """
    environment = Environment.read() if environment is None else environment
    found = [environment.find(name) for name in KEY_NAMES]
    missing = [name for name, each in zip(KEY_NAMES, found, strict=True) if each is None]
    if len(missing) == len(KEY_NAMES):
        return None
    if missing:
        raise ConfigError(f"mt5: CURVE keys are incomplete: set {' and '.join(missing)} as well")
    public, secret, server = (Secret(each.value) for each in found if each is not None)
    try:
        return CurveKeys(
            public=public.reveal(), secret=secret.reveal(), server_public=server.reveal()
        )
    except EndpointError as error:
        raise ConfigError(f"mt5: {error}") from None


class Mt5Terminal:
    """One terminal of one session. Made before the session has an id; `begin` when it has."""

    def __init__(
        self,
        config: Config,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        random: Random,
        patience_s: float = 0.0,
    ) -> None:
        """An answer is waited for as long as the URL says, and at least `patience_s`. Raises
        ConfigError for settings that cannot be meant."""
        urls = {url for url in (config.live.url, config.venue.url) if url}
        if len(urls) > 1:
            raise ConfigError("live.url and venue.url name two terminals; there can be one only")
        address = read_url(urls.pop() if urls else URL_DEFAULT)
        wait_s = max(patience_s, address.settings.reply_timeout_s)
        patient = msgspec.structs.replace(address.settings, reply_timeout_s=wait_s)
        self._address = address._replace(settings=patient)
        # Deals carry whole seconds of the terminal's clock, whose offset is configured: a fill is
        # looked for from a little before its order on. A terminal reads its requests in order, so
        # what it denies after a few timeouts will not come any more.
        timeout_s = self._address.settings.reply_timeout_s
        self.link_rules = LinkRules(
            poll_s=0.25, overlap_s=2.0, settle_s=max(_SETTLE_S_MIN, 4 * timeout_s)
        )
        self._venue: SharedMt5Venue | None = None
        self._config = config
        self._instruments = instruments
        self._clock = clock
        self._random = random
        self._log: JsonLines | None = None
        self._trip: Trip | None = None
        self._pump: asyncio.Task[None] | None = None
        markets = config.live.markets
        self._names = {symbol: markets.get(symbol, symbol) for symbol in instruments}
        try:
            self.gateway = Gateway(
                self._address.endpoints,
                self._address.settings,
                clock,
                self._say,
                self._on_dead,
                lambda _: "no session has begun",
                curve_keys(),
                self._flush,
            )
        except EndpointError as error:
            raise ConfigError(f"mt5: {error}") from None
        self._server_clock = ServerClock(
            clock, self._address.server_offset_s, lambda: self.gateway.lives
        )
        is_tick = config.live.interval == "tick"
        self._links = SymbolLinks(
            self.gateway, self._names.values(), _PRICES_MAX if is_tick else _CANDLES_MAX
        )

    def feeds(self) -> list[LiveFeed]:
        """A feed for each symbol. Raises ConfigError for an interval that there is none of."""
        settings = self._config.live
        timeframe = _INTERVALS.get(settings.interval, "")
        if settings.kind is not FeedKind.BARS and timeframe != TICK:
            raise ConfigError(
                'live: a terminal delivers candles (kind = "bars") or, with interval = "tick", '
                "prices"
            )
        if not timeframe:
            known = ", ".join(_INTERVALS)
            raise ConfigError(f"live.interval: no {settings.interval!r} at mt5; there are {known}")
        silence_s = 3.0 * TIMEFRAMES_S[timeframe] if timeframe != TICK else _TICK_SILENCE_S
        return [
            Mt5Feed(
                self._links.links[name],
                {symbol: Mt5FeedSymbol(self._instruments[symbol], name)},
                timeframe,
                self._clock,
                self._random,
                silence_s=silence_s,
                server_clock=self._server_clock,
            )
            for symbol, name in self._names.items()
        ]

    def begin(self, switch: Switch, view: CoreView, trip: Trip, home: Path | None) -> None:
        """The session has a switch, a core and an engine that can be tripped; to be called in its
        loop. From here on the gateway lets orders out, as `gates.why_closed` says. Raises OSError
        when the gateway's log cannot be written."""
        self._log = JsonLines(gateway_log(view.session_id, home))
        if self._venue is not None:
            self._venue.keep_record(tickets_log(view.session_id, home))
        self._say(
            {
                "ts_ns": self._clock.now_ns(),
                "action": GATEWAY_OPENED,
                "pid": os.getpid(),
                "tokens": self.gateway.token_start,
                "cpu_ns": time.process_time_ns(),
            }
        )
        self._flush()
        self._trip = trip

        def closed(order: SubmitOrder) -> str:
            if view.why_closed(switch, order.terms) is None:
                return ""
            return f"kill switch in the gateway: {switch.why()}"

        self.gateway.door.gate = for_threads(lambda: lets_all_out(switch.authority()), closed)
        self.gateway.door.epoch = lambda: switch.epoch
        self._pump = asyncio.create_task(self._links.run(), name="mt5 live port")
        self._pump.add_done_callback(self._on_pump_end)

    def venue_of(self, session_id: str) -> SharedMt5Venue | None:
        """The venue on this terminal; None where orders do not go to it."""
        venue = self._config.venue
        if not venue.live or venue.name is not VenueName.MT5:
            return None
        symbols = {
            symbol: Mt5VenueSymbol(self._instruments[symbol], name)
            for symbol, name in self._names.items()
        }
        self._venue = SharedMt5Venue(
            self.gateway,
            symbols,
            self._clock,
            session_id=session_id,
            is_sandbox=self._config.venue.sandbox,
            settle_s=2 * self._address.settings.reply_timeout_s,
            server_clock=self._server_clock,
        )
        self._venue.stop_on_doubt(self._on_doubt)
        return self._venue

    def adopt(
        self, orders: Iterable[OutstandingOrder], fills: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Tell the venue of orders that an earlier process of the session left open, and of fills,
        as (client order id, deal), that it had."""
        if self._venue is not None:
            self._venue.adopt(orders, fills)

    async def close(self) -> None:
        """Close the gateway and its log; closing again does nothing."""
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if self._venue is not None:
            await self._venue.close()
        await self.gateway.close()
        if self._log is not None:
            stats = self.gateway.stats
            self._say(
                {
                    "ts_ns": self._clock.now_ns(),
                    "action": GATEWAY_CLOSED,
                    "answered": stats.answered,
                    "lost": stats.lost,
                    "queue_peak": self.gateway.queue_peak,
                    "prices_overtaken": self._links.overwritten,
                    "cpu_ns": time.process_time_ns(),
                }
            )
            self._log.close()
            self._log = None

    def _say(self, record: Mapping[str, object]) -> None:
        if self._log is not None:
            self._log.add(record)

    def _flush(self) -> None:
        if self._log is not None:
            self._log.flush()

    def _on_dead(self, reason: str) -> None:
        if self._trip is not None:
            self._trip(reason, "mt5 gateway")

    def _on_doubt(self, reason: str) -> None:
        if self._trip is not None:
            self._trip(reason, "mt5 venue")

    def _on_pump_end(self, task: asyncio.Task[None]) -> None:
        if task is self._pump and self._trip is not None:
            # Whoever closes lets go of it first: one that was cancelled has died like any other.
            why = "it was cancelled" if task.cancelled() else repr(task.exception())
            self._trip(f"the live port is not read any more: {why}", "mt5 gateway")


def gateway_log(session_id: str, home: Path | None = None) -> Path:
    """Where a session's gateway writes what it does."""
    return paths.within(home, paths.logs_dir()) / f"{session_id}.gateway.jsonl"


def tickets_log(session_id: str, home: Path | None = None) -> Path:
    """Where a session at a hedging account records its requests by ticket."""
    return paths.within(home, paths.logs_dir()) / f"{session_id}.tickets.jsonl"
