"""What live feeds share: figures into units, handing over, and saying how they are.

Sources send text, or floats that once were text. A float is read by its shortest spelling, which
gives the text back; what then lies within a small tolerance of a tick is that tick, and anything
else is left out, counted and said, never rounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeVar

from logos.core.clock import Backoff, Clock
from logos.core.fixed import HALF_EVEN, divide
from logos.core.instrument import Instrument
from logos.core.messages import Bar, MarketEvent, Quote, Trade
from logos.core.types import SIZE_UNKNOWN
from logos.data.defects import BAD_NUMBER, HIGH_BELOW_LOW, OFF_TICK
from logos.data.readers.numbers import PriceReader, RowError, SideReader, SizeReader
from logos.errors import LogosError
from logos.feeds.contract import FeedNews, FeedState, Sink
from logos.feeds.sequence import RawBar, RawTrade

TICK_TOLERANCE: Final = Fraction(1, 1_000_000)
"""How far from a tick, in ticks, a price may be: the noise of a double is far below."""

SINGLE_TOLERANCE: Final = Fraction(1, 2**23)
"""Of a price that has been through a 32-bit float, how far off it may be, as part of itself."""


_Answer = TypeVar("_Answer")


class UnitReader:
    """Figures of one symbol into its units.

    `price_noise` is the part of a price by which a source may be off (see SINGLE_TOLERANCE).
    """

    def __init__(self, instrument: Instrument, price_noise: Fraction = Fraction(0)) -> None:
        self._instrument = instrument
        self._noise = price_noise
        self._prices = PriceReader(instrument)
        self._sizes = SizeReader(instrument)
        self._sides = SideReader()

    def price(self, figure: Any) -> int:
        """Price units of text or a float: the nearest tick within the tolerance.

        Raises RowError (not_a_number, bad_number, non_positive_price, off_tick).
        """
        text = _text(figure)
        try:
            return self._prices[text]
        except RowError as error:
            if error.kind != OFF_TICK:
                raise
            units = self._nearest(text)
            if units is None:
                raise
            self._prices[text] = units
            return units

    def _nearest(self, text: str) -> int | None:
        exact = Fraction(Decimal(text)) * self._instrument.price_scale
        ticks = exact / self._instrument.data_tick
        nearest = divide(ticks.numerator, ticks.denominator, HALF_EVEN)
        is_none = nearest <= 0 and not self._instrument.allows_negative
        if is_none or abs(ticks - nearest) > TICK_TOLERANCE + abs(ticks) * self._noise:
            return None
        return nearest * self._instrument.data_tick

    def size(self, figure: Any) -> int:
        """Quantity units, truncated; None is SIZE_UNKNOWN. Raises RowError."""
        return SIZE_UNKNOWN if figure is None else self._sizes[_text(figure)]

    def trade(self, raw: RawTrade, ts_ns: int) -> Trade:
        """A trade known at `ts_ns`. Raises RowError."""
        units = self._instrument
        return Trade(
            ts_ns,
            units.symbol,
            self.price(raw.price),
            self.size(raw.size),
            self._sides[raw.side],
            units,
        )

    def bar(self, raw: RawBar, interval_ns: int, ts_ns: int) -> Bar:
        """A bar known at `ts_ns`. Raises RowError, also for a high below another price."""
        units = self._instrument
        opened, high = self.price(raw.open), self.price(raw.high)
        low, closed = self.price(raw.low), self.price(raw.close)
        if not low <= min(opened, closed) <= max(opened, closed) <= high:
            raise RowError(HIGH_BELOW_LOW, f"open, high, low, close are {list(raw[1:5])}")
        volume = self.size(raw.volume)
        return Bar(ts_ns, units.symbol, interval_ns, opened, high, low, closed, volume, units)

    def quote(self, bid: Any, ask: Any, bid_size: Any, ask_size: Any, ts_ns: int) -> Quote:
        """A quote known at `ts_ns`. Raises RowError; a crossed one is passed on as it came."""
        units = self._instrument
        return Quote(
            ts_ns,
            units.symbol,
            self.price(bid),
            self.price(ask),
            self.size(bid_size),
            self.size(ask_size),
            units,
        )


def _text(figure: Any) -> str:
    if isinstance(figure, str):
        return figure
    if isinstance(figure, float | int) and not isinstance(figure, bool):
        return repr(figure)
    raise RowError(BAD_NUMBER, f"not a number: {figure!r}")


class Trouble(LogosError):
    """Something that may pass: the message says what; try again, not before `retry_after_s`."""

    def __init__(
        self, message: str, *, retry_after_s: float = 0.0, is_maintenance: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_maintenance = is_maintenance


class SymbolGoneError(LogosError):
    """This symbol can never work as it is configured; others may."""


class Reporter:
    """What a feed tells its sink: events, waiting for room, and changes of state.

    A symbol is LIVE when all its streams are. The same state is told once, but for RETRYING and
    GAP, whose particulars differ.
    """

    def __init__(self, feed: str, sink: Sink, clock: Clock) -> None:
        self._feed = feed
        self._sink = sink
        self._clock = clock
        self._states: dict[str, FeedState] = {}
        self._not_live: dict[str, set[str]] = {}
        self.left_out: Counter[tuple[str, str]] = Counter()
        """Rows that could not be used, by (symbol, kind of defect)."""

    def voice(self, symbol: str, stream: str) -> Voice:
        """How one stream ("quotes") of a symbol speaks; it counts as not live until it says so."""
        self._not_live.setdefault(symbol, set()).add(stream)
        return Voice(self, symbol, stream)

    def say(self, symbol: str, state: FeedState, detail: str = "") -> None:
        """Tell of a state of a symbol ("" is the whole feed)."""
        is_told = self._states.get(symbol) is state
        if is_told and state not in (FeedState.RETRYING, FeedState.GAP):
            return
        # A gap is an incident, not a state to come out of.
        if state is not FeedState.GAP:
            self._states[symbol] = state
        self._sink.news(FeedNews(self._clock.now_ns(), self._feed, symbol, state, detail))

    def stream_says(self, symbol: str, stream: str, state: FeedState, detail: str) -> None:
        """Tell of a state of one of a symbol's streams."""
        waiting = self._not_live.setdefault(symbol, set())
        if state is FeedState.LIVE:
            waiting.discard(stream)
            if waiting:
                return
        elif state is not FeedState.GAP:
            waiting.add(stream)
        self.say(symbol, state, detail)

    def leave_out(self, symbol: str, error: RowError) -> None:
        """Count a row that cannot be used; told the first time and at each tenfold."""
        self.left_out[symbol, error.kind] += 1
        count = self.left_out[symbol, error.kind]
        if str(count).strip("0") == "1":
            detail = f"{error.kind}: {error.detail}; left out, {count} so far"
            self.say(symbol, FeedState.GAP, detail)

    async def deliver(self, event: MarketEvent, event_ns: int) -> None:
        """Hand over one event, however long the sink has no room."""
        while not self._sink.market(event, event_ns):
            await self._sink.room()


class Voice:
    """One stream of one symbol, speaking through the reporter and waiting out its troubles."""

    def __init__(self, reporter: Reporter, symbol: str, stream: str) -> None:
        self._reporter = reporter
        self._stream = stream
        self.symbol = symbol

    def live(self, detail: str = "") -> None:
        """Data comes (again)."""
        self._reporter.stream_says(self.symbol, self._stream, FeedState.LIVE, detail)

    def gap(self, detail: str) -> None:
        """Something is missing for good."""
        if detail:
            detail = f"{self._stream}: {detail}" if self._stream else detail
            self._reporter.stream_says(self.symbol, self._stream, FeedState.GAP, detail)

    def closed(self, detail: str) -> None:
        """No data is to be expected."""
        self._reporter.stream_says(self.symbol, self._stream, FeedState.CLOSED, detail)

    def trouble(self, trouble: Trouble, wait_s: float) -> None:
        """Something failed and is tried again after `wait_s`."""
        state = FeedState.MAINTENANCE if trouble.is_maintenance else FeedState.RETRYING
        detail = f"{trouble}; again in {wait_s:.1f} s"
        self._reporter.stream_says(self.symbol, self._stream, state, detail)

    def leave_out(self, error: RowError) -> None:
        """A row cannot be used."""
        self._reporter.leave_out(self.symbol, error)

    async def deliver(self, event: MarketEvent, event_ns: int) -> None:
        """Hand over one event."""
        await self._reporter.deliver(event, event_ns)


class Patience:
    """Asks again and again, waiting longer each time, until there is an answer."""

    def __init__(self, voice: Voice, clock: Clock, backoff: Backoff) -> None:
        self._voice = voice
        self._clock = clock
        self._backoff = backoff

    async def ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """The answer. Whatever is not `Trouble` propagates."""
        while True:
            try:
                answer = await question()
            except Trouble as trouble:
                await self.wait_out(trouble)
            else:
                self._backoff.reset()
                return answer

    def calm(self) -> None:
        """It works: the next failure is the first again."""
        self._backoff.reset()

    async def wait_out(self, trouble: Trouble) -> None:
        """Say what is wrong and wait before the next try."""
        wait_s = max(self._backoff.next_s(), trouble.retry_after_s)
        self._voice.trouble(trouble, wait_s)
        await self._clock.sleep(wait_s)
