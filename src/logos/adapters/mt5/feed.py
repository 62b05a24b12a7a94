"""Live candles and prices of a MetaTrader 5 terminal, over the ZeroMQ bridge.

The terminal pushes each candle as it closes (or each price, with the timeframe TICK) for every
symbol that was asked for with CONFIG. What can go wrong, and what is done:

- The terminal loses its broker and says DISCONNECTED: the symbols are RETRYING; when candles come
  again, the last one is a repetition (dropped), and what lies between is asked for with HISTORY.
- The terminal is restarted and knows of no subscription: after a silence, or when the link says
  that another life of the terminal began, every symbol is asked for again, and so is what lies
  between.
- A candle does not follow on: HISTORY is asked. MetaTrader makes no candle for a minute without
  prices, so what HISTORY does not have is no gap; a gap is told when HISTORY cannot be had.
- The last candle of a HISTORY may be open: only closed ones are delivered.

Prices come as JSON floats; what is not within a millionth of a tick from one is left out, counted
and told. A candle's volume counts price changes, not lots, so it is delivered as not reported.
The terminal's clock is its broker's, and what it is ahead of UTC is measured (`server_clock`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final, Protocol

import msgspec

from logos.adapters.mt5.server_clock import ServerClock
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND
from logos.data.defects import BAD_NUMBER
from logos.data.readers.numbers import RowError
from logos.feeds.common import Patience, Reporter, Trouble, UnitReader, Voice
from logos.feeds.contract import FeedFailedError, FeedState, Sink
from logos.feeds.sequence import BarSequence, RawBar

TICK: Final = "TICK"
TIMEFRAMES_S: Final = {
    "M1": 60,
    "M5": 300,
    "M15": 900,
    "M30": 1800,
    "H1": 3600,
    "H4": 14400,
    "D1": 86400,
}
_NS_PER_MS: Final = 1_000_000


class TerminalLink(Protocol):
    """What the feed needs of the gateway; its failures are OSErrors."""

    lives: int

    async def open(self) -> None: ...

    async def request(self, symbol: str, fields: Mapping[str, object]) -> dict[str, Any]: ...

    async def next_live(self, timeout_s: float) -> dict[str, Any] | None: ...


class Mt5FeedSymbol(msgspec.Struct, frozen=True):
    """An instrument, and the terminal's name of it, suffix and all ("BTCUSD.s")."""

    instrument: Instrument
    terminal_symbol: str


class _Line:
    """What one symbol remembers."""

    def __init__(self, each: Mt5FeedSymbol, voice: Voice) -> None:
        self.each = each
        self.voice = voice
        self.reader = UnitReader(each.instrument)
        self.bars: BarSequence | None = None
        """Only where candles are delivered."""
        self.last_ms = 0
        self.last_price: tuple[object, object] = (None, None)
        self.was_cut_off = False
        """Whether candles may have been missed since the last one."""


class Mt5Feed:
    """Candles of one timeframe, or prices (TICK), of some symbols of one terminal."""

    def __init__(
        self,
        link: TerminalLink,
        symbols: Mapping[str, Mt5FeedSymbol],
        timeframe: str,
        clock: Clock,
        random: Random,
        *,
        silence_s: float,
        server_clock: ServerClock | None = None,
    ) -> None:
        """`silence_s` without a frame, and subscriptions are renewed: longer than a candle.

        Raises FeedFailedError for a timeframe that does not exist.
        """
        if timeframe != TICK and timeframe not in TIMEFRAMES_S:
            known = ", ".join((TICK, *TIMEFRAMES_S))
            raise FeedFailedError(f"mt5: no timeframe {timeframe!r}; there are {known}")
        self._link = link
        self._symbols = dict(symbols)
        self._timeframe = timeframe
        self._clock = clock
        self._random = random
        self._silence_s = silence_s
        self._server_clock = ServerClock(clock) if server_clock is None else server_clock
        self._interval_ns = TIMEFRAMES_S.get(timeframe, 0) * NS_PER_SECOND
        self._lines: dict[str, _Line] = {}
        """By the terminal's names; a symbol that the terminal does not have is taken out."""

    @property
    def name(self) -> str:
        """A short name for logs."""
        return f"mt5:{self._timeframe}"

    @property
    def symbols(self) -> Sequence[str]:
        """The session's symbols."""
        return tuple(self._symbols)

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled. Raises FeedFailedError when the terminal has none of them."""
        reporter = Reporter(self.name, sink, self._clock)
        for symbol, each in self._symbols.items():
            voice = reporter.voice(symbol, "")
            self._lines[each.terminal_symbol] = _Line(each, voice)
            reporter.say(symbol, FeedState.CONNECTING)
        whole = Patience(
            reporter.voice("", ""), self._clock, Backoff(self._random, first_s=0.5, cap_s=30.0)
        )
        started_ns = self._clock.now_ns()
        await whole.ask(self._open)
        await self._measure_clock()
        if self._interval_ns:
            for line in self._lines.values():
                line.bars = BarSequence(self._interval_ns, started_ns + self._offset_ns)
        life = self._link.lives
        await whole.ask(self._subscribe)
        while True:
            try:
                frame = await self._link.next_live(self._silence_s)
            except OSError as error:
                await whole.wait_out(Trouble(str(error)))
                await whole.ask(self._open)
                frame = None
            if frame is None or self._link.lives != life:
                life = self._link.lives
                for line in self._lines.values():
                    line.was_cut_off = True
                await self._measure_clock()
                await whole.ask(self._subscribe)
                await self._catch_up()
            if frame is not None:
                await self._on_frame(reporter, frame)

    # ---- asking ----

    @property
    def _offset_ns(self) -> int:
        return self._server_clock.offset_s * NS_PER_SECOND

    async def _measure_clock(self) -> None:
        await self._server_clock.measure(self._link.request, next(iter(self._lines)))

    async def _open(self) -> None:
        try:
            await self._link.open()
        except OSError as error:
            raise Trouble(str(error)) from None

    async def _ask(self, line: _Line, fields: Mapping[str, object]) -> dict[str, Any]:
        """One question about a symbol. Raises Trouble when it stays open."""
        symbol = line.each.terminal_symbol
        whole = {"symbol": symbol, "chartTF": self._timeframe, **fields}
        try:
            return await self._link.request(symbol, whole)
        except OSError as error:
            raise Trouble(str(error)) from None

    async def _subscribe(self) -> None:
        """Ask for every symbol; asking again does no harm."""
        for symbol, line in list(self._lines.items()):
            reply = await self._ask(line, {"action": "CONFIG"})
            if reply.get("error") is True:
                words = str(reply.get("description", ""))[:100]
                line.voice.closed(f"the terminal does not deliver {symbol}: {words}")
                del self._lines[symbol]
        if not self._lines:
            names = ", ".join(each.terminal_symbol for each in self._symbols.values())
            raise FeedFailedError(
                f"mt5: the terminal delivers none of {names}: show them in its Market Watch, and "
                "write their names with their suffix"
            )

    async def _catch_up(self) -> None:
        """Ask for the candles that were missed, of every symbol that was cut off."""
        for line in list(self._lines.values()):
            if line.bars is None or not line.was_cut_off or not line.bars.has_any:
                continue
            try:
                page = await self._history(line, line.bars)
            except Trouble:
                continue  # the next candle does not follow on, and asks again
            line.was_cut_off = False
            await self._deliver(line, line.bars, page, 0)

    async def _history(self, line: _Line, bars: BarSequence) -> list[RawBar]:
        """Candles from the next expected one on; the last may be open. Raises Trouble."""
        from_s = bars.next_open_ns // NS_PER_SECOND
        fields = {"action": "HISTORY", "actionType": "DATA", "fromDate": from_s}
        reply = await self._ask(line, fields)
        rows = reply.get("data")
        if reply.get("error") is True or not isinstance(rows, list):
            raise Trouble(f"no history: {str(reply.get('description', ''))[:100]}")
        page = []
        for row in rows:
            if row in (None, [], {}):
                continue  # how the bridge says that there are none
            try:
                page.append(self._usable(line, row))
            except RowError as error:
                line.voice.leave_out(error)
        return page

    # ---- hearing ----

    async def _on_frame(self, reporter: Reporter, frame: dict[str, Any]) -> None:
        status = frame.get("status")
        if status == "DISCONNECTED":
            for cut_off in self._lines.values():
                cut_off.was_cut_off = True
                symbol = cut_off.voice.symbol
                reporter.say(symbol, FeedState.RETRYING, "the terminal has lost its broker")
            return
        line = self._line_of(frame)
        if status != "CONNECTED" or line is None:
            return
        try:
            if line.bars is None:
                await self._on_price(line, frame.get("data"))
            else:
                candle = self._usable(line, frame.get("data"))
                await self._on_candle(line, line.bars, candle)
        except RowError as error:
            line.voice.leave_out(error)

    def _line_of(self, frame: dict[str, Any]) -> _Line | None:
        """Whose frame it is. Older bridges name no symbol: that is clear for one symbol only."""
        if frame.get("timeframe", self._timeframe) != self._timeframe:
            return None
        symbol = frame.get("symbol")
        if symbol is None and len(self._symbols) == 1:
            return next(iter(self._lines.values()), None)
        return self._lines.get(symbol) if isinstance(symbol, str) else None

    async def _on_price(self, line: _Line, data: object) -> None:
        if not isinstance(data, list) or len(data) < 3 or type(data[0]) is not int:
            raise RowError(BAD_NUMBER, "a price is not [milliseconds, bid, ask]")
        at_ms = data[0]
        price = (data[1], data[2])
        if at_ms < line.last_ms or (at_ms == line.last_ms and price == line.last_price):
            return  # told again, or out of turn: a newer one has been had
        quote = line.reader.quote(
            _figure(data[1]), _figure(data[2]), None, None, self._clock.now_ns()
        )
        line.last_ms, line.last_price = at_ms, price
        line.voice.live()
        await line.voice.deliver(quote, at_ms * _NS_PER_MS - self._offset_ns)

    async def _on_candle(self, line: _Line, bars: BarSequence, candle: RawBar) -> None:
        closed_ns = candle.opened_ns + self._interval_ns
        page = [candle]
        is_whole = bars.joins_on(page, closed_ns) and not (line.was_cut_off and bars.has_any)
        if not is_whole:
            try:
                page += await self._history(line, bars)
                is_whole = True
                line.was_cut_off = False
            except Trouble as trouble:
                line.voice.gap(f"candles before this one may be missing: {trouble}")
        else:
            line.was_cut_off = False
        line.voice.live()
        await self._deliver(line, bars, page, closed_ns)

    async def _deliver(
        self, line: _Line, bars: BarSequence, page: list[RawBar], closed_ns: int
    ) -> None:
        for raw in bars.take(page, closed_ns).fresh:
            bar = line.reader.bar(raw, self._interval_ns, self._clock.now_ns())
            event_ns = raw.opened_ns + self._interval_ns - self._offset_ns
            await line.voice.deliver(bar, event_ns)

    def _usable(self, line: _Line, row: object) -> RawBar:
        """A candle of which a bar can be made; only such ones count as had. Raises RowError."""
        raw = _raw_bar(row)
        line.reader.bar(raw, self._interval_ns, 0)
        return raw


def _raw_bar(row: object) -> RawBar:
    """A candle of the bridge. Raises RowError."""
    if not isinstance(row, list) or len(row) < 6 or type(row[0]) is not int or row[0] <= 0:
        raise RowError(BAD_NUMBER, "a candle is not [seconds, open, high, low, close, volume]")
    if row[0] > 2**40:
        raise RowError(BAD_NUMBER, "a candle's time is out of range")
    prices = [_figure(value) for value in row[1:5]]
    return RawBar(row[0] * NS_PER_SECOND, prices[0], prices[1], prices[2], prices[3], None)


def _figure(value: object) -> str:
    """A JSON number as plain text. Raises RowError."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise RowError(BAD_NUMBER, "a price is not a number")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
