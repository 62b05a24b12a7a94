"""What a feed asks a gateway: contracts, the time, bars of the past.

A connection of its own, with a client id of its own: the venue's must not wait behind it. Requests
wait in the library's queue, half of the 50 a second that a gateway takes
(interactivebrokers.github.io/tws-api/order_limitations.html). Bars: `historical_bars.html` there;
of a minute and longer they have no hard limit of their own (`historical_limitations.html`).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from logos.adapters.ib.connection import Address, Connection
from logos.adapters.ib.contracts import Market, contract_of, market_of
from logos.adapters.ib.ledger import Ledger
from logos.adapters.ib.lookup import look_up
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.feeds.common import SymbolGoneError, Trouble
from logos.feeds.sequence import RawBar
from logos.venues.contract import NotSent, Refused, Unavailable
from logos.venues.records import Unreadable

BAR_SIZES: Final = {
    "1m": "1 min",
    "5m": "5 mins",
    "15m": "15 mins",
    "30m": "30 mins",
    "1h": "1 hour",
    "4h": "4 hours",
}
"""IB's words for our lengths of bars."""
LIVE, DELAYED = "", "delayed"
SOURCES: Final = (LIVE, DELAYED)
"""What may be asked for, as `live.exchange` says it."""
GONE: Final = frozenset((200, 321, 354, 10089, 10090, 10168, 10186, 10187, 10189))
"""Codes after which a second question gets the same answer: no such contract, no permission."""
_DATA_KINDS: Final = {LIVE: 1, DELAYED: 3}
_WHAT: Final = "ib: market data"
_MESSAGES_A_SECOND: Final = 25
_PACING_S: Final = 15.0
"""How long an identical question for bars may not be made (`historical_limitations.html`)."""


class Link:
    """The connection of one feed: made when somebody asks, and anew after it was lost."""

    def __init__(self, clock: Clock, address: Address, source: str, timeout_s: float) -> None:
        self._clock = clock
        self._address = address
        self._source = source
        self._timeout_s = timeout_s
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._lost = asyncio.Event()
        self._served_ns = 0
        self._ahead_ns = 0

    def close(self) -> None:
        """Release the connection; the next question makes one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def connection(self) -> Connection:
        """One that is up. Raises Trouble."""
        async with self._connecting:
            if self._connection is not None and self._connection.is_up:
                return self._connection
            self.close()
            connection = Connection(self._address, Ledger(), self._timeout_s, _MESSAGES_A_SECOND)
            words = ""
            try:
                await connection.open(_WHAT, _DATA_KINDS[self._source])
            except NotSent as error:
                words = str(error)
            if words:
                if "326: " in words:
                    words += "; name another client id in live.url"
                raise Trouble(words)
            lost = self._lost = asyncio.Event()
            connection.on_news = lambda _ref: None if connection.is_up else lost.set()
            self._connection = connection
            return connection

    async def rest(self, seconds: float) -> None:
        """Return after so long. Raises Trouble once the connection is lost."""
        resting = asyncio.ensure_future(self._clock.sleep(seconds))
        losing = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({resting, losing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            resting.cancel()
            losing.cancel()
        if self._connection is not None and not self._connection.is_up:
            raise Trouble(self._connection.lost)

    async def time_ns(self) -> int:
        """The gateway's time, in whole seconds: never later than it is. Raises Trouble."""
        connection, asked_ns = await self.connection(), self._clock.now_ns()
        [seconds] = await _asked(
            connection.ask("ib: time", "time", lambda client: client.reqCurrentTime())
        )
        self._served_ns = int(seconds) * NS_PER_SECOND
        self._ahead_ns = self._served_ns - asked_ns
        return self._served_ns

    @property
    def estimate_ns(self) -> int:
        """About what time it is there, by our clock: only to know when to ask."""
        return self._clock.now_ns() + self._ahead_ns

    async def details(self, symbol: str, name: str, quote: str) -> tuple[Any, Any]:
        """A contract's details and its steps of price. Raises Trouble and SymbolGoneError."""
        connection = await self.connection()
        words = ""
        try:
            asked = contract_of(symbol, name, quote)
            found: tuple[Any, Any] = await _asked(
                look_up(connection, f"ib: {symbol}", symbol, asked)
            )
            return found
        except Refused as error:
            words = str(error)
        raise SymbolGoneError(words)

    async def market(self, instrument: Instrument, name: str) -> Market:
        """The contract of an instrument, its terms compared. Raises Trouble and SymbolGoneError."""
        details, steps = await self.details(instrument.symbol, name, instrument.quote)
        words = ""
        try:
            return market_of(instrument, details, steps)
        except (Refused, Unreadable) as error:
            words = str(error)
        raise SymbolGoneError(words)

    async def bars(
        self, contract: Any, interval: str, since_ns: int, until_ns: int
    ) -> list[RawBar]:
        """Bars of trades that begin within [since, until), the one under way too where until is
        now or later. Raises Trouble and SymbolGoneError."""
        connection = await self.connection()
        is_now = until_ns >= self._served_ns
        end = "" if is_now else _utc(until_ns)
        # A stock's in regular hours, as its orders; futures trade around the clock.
        is_regular = contract.secType == "STK"
        terms = (end, _length(since_ns, until_ns), BAR_SIZES[interval], "TRADES", is_regular)
        words = ""
        try:
            found = await connection.ask_numbered(
                f"ib: bars of {contract.symbol}",
                lambda client, number: client.reqHistoricalData(
                    number, contract, *terms, 2, False, None
                ),
            )
        except Unavailable as error:
            words = str(error)
        if words:
            return _no_bars(words)
        return [each for each in found if since_ns <= each.opened_ns < until_ns]


def _no_bars(words: str) -> list[RawBar]:
    """What a question for bars that failed comes to: nothing was traded, or trouble."""
    if "query returned no data" in words:
        return []
    if "pacing violation" in words:
        raise Trouble(words, retry_after_s=_PACING_S)
    if "No market data permissions" in words or any(f"{code}: " in words for code in GONE):
        raise SymbolGoneError(words)
    raise Trouble(words)


async def _asked(answer: Any) -> Any:
    """The answer to a question; its failure as Trouble."""
    words = ""
    try:
        return await answer
    except Unavailable as error:
        words = str(error)
    raise Trouble(words)


def _length(since_ns: int, until_ns: int) -> str:
    """How long a question for bars reaches back: in seconds up to a day, else in days."""
    span_ns = max(until_ns - since_ns, NS_PER_MINUTE)
    if span_ns <= NS_PER_DAY:
        return f"{-(-span_ns // NS_PER_SECOND)} S"
    return f"{-(-span_ns // NS_PER_DAY)} D"


def _utc(ts_ns: int) -> str:
    """A moment as IB takes it in UTC, rounded up to the second."""
    return f"{datetime.fromtimestamp(-(-ts_ns // NS_PER_SECOND), UTC):%Y%m%d-%H:%M:%S}"
