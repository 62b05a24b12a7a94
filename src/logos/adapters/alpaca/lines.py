"""What one symbol of Alpaca's feed has had, and what of an answer or a message is news of it."""

from __future__ import annotations

from collections.abc import Sequence

from logos.adapters.alpaca.market_data import RawQuote
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.data.readers.numbers import RowError
from logos.feeds.bars import BarsOut
from logos.feeds.common import Reporter, UnitReader, Voice
from logos.feeds.quotes import QuotesOut
from logos.feeds.sequence import RawBar, RawTrade, TradeSequence


class SymbolLine:
    """One symbol: `name` is Alpaca's, `kinds` what is delivered of it.

    `begin` before anything is offered. Each `offer_...` hands over what is new and says how much
    that was.
    """

    def __init__(
        self,
        name: str,
        instrument: Instrument,
        reporter: Reporter,
        clock: Clock,
        kinds: Sequence[str],
        interval_ns: int,
    ) -> None:
        self.name = name
        self.symbol = instrument.symbol
        self.voices = {kind: reporter.voice(self.symbol, kind) for kind in kinds}
        self._clock = clock
        self._units = UnitReader(instrument)
        self._quote: RawQuote | None = None
        self._is_begun = False
        if "quotes" in self.voices:
            empty = "nobody quotes one side or both; no quote until somebody does"
            self._quotes = QuotesOut(self.voices["quotes"], clock, self._units, empty)
        self.trades = TradeSequence(0)
        self._bars: BarsOut | None = None
        if "bars" in self.voices:
            voice = self.voices["bars"]
            self._bars = BarsOut(voice, clock, instrument, self._units, interval_ns)

    def begin(self, now_ns: int) -> None:
        """Deliver what happens from `now_ns` on, which is Alpaca's time; only the first counts."""
        if not self._is_begun:
            self._is_begun = True
            self.trades = TradeSequence(now_ns)
            if self._bars is not None:
                self._bars.begin(now_ns)

    @property
    def bars(self) -> BarsOut:
        """The bars of a symbol whose bars are delivered."""
        assert self._bars is not None, self.symbol
        return self._bars

    @property
    def all_voices(self) -> list[Voice]:
        return list(self.voices.values())

    async def offer_quote(self, quote: RawQuote) -> int:
        """The best prices, whenever they or their sizes change."""
        last = self._quote
        if last is not None and (quote == last or quote.ts_ns < last.ts_ns):
            return 0
        self._quote = quote
        return await self._quotes.offer(*quote[1:], quote.ts_ns)

    async def offer_trades(self, page: Sequence[RawTrade], *, follows: bool = False) -> int:
        """Every trade once; `follows` where nothing can lie between the last and these."""
        voice = self.voices["trades"]
        taken = self.trades.take(page, follows=follows)
        voice.gap(taken.gap)
        for raw in taken.fresh:
            try:
                event = self._units.trade(raw, self._clock.now_ns())
            except RowError as error:
                voice.leave_out(error)
                continue
            await voice.deliver(event, raw.ts_ns)
        return len(taken.fresh)

    async def offer_bars(self, page: Sequence[RawBar], closed_ns: int) -> int:
        """Every bar that has closed by `closed_ns`, Alpaca's time, once; and what was corrected."""
        # A span without a trade has no bar: that one is missing cannot be told.
        return await self.bars.offer(page, closed_ns, sessions=())

    def correct(self, raw: RawBar) -> None:
        """See `BarsOut.correct`."""
        self.bars.correct(raw)
