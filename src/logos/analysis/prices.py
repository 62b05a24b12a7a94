"""The prices of a finished or running session, read again from its data or from what it recorded.

A chart needs some thousands of bars, whatever the data holds: rows are put together into bars of a
length that is chosen from the time of the session, and never shorter than those of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

from logos.analysis.model import BARS_MAX, Bars, Facts
from logos.config import Config
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.defects import accept_set
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource
from logos.errors import DataError, LogosError
from logos.files import open_regular
from logos.journal.inputs import RecordedInputs
from logos.session.artifacts.derived.prices import PriceBlock, price_streams
from logos.session.opening.recorded import find_sources
from logos.session.opening.times import data_range
from logos.session.stored.origin import origin_of

_NS_PER_HOUR: Final = 60 * NS_PER_MINUTE

_LENGTHS_NS: Final = (
    *(each * NS_PER_SECOND for each in (1, 5, 15, 30)),
    *(each * NS_PER_MINUTE for each in (1, 5, 15, 30)),
    *(each * _NS_PER_HOUR for each in (1, 4, 12)),
    *(each * NS_PER_DAY for each in (1, 7, 28)),
)
"""Lengths that bars of quotes and trades may have."""


FirstPrices = dict[tuple[object, ...], float | None]
"""First prices by the digests of the files they were read from, the stretch and the symbol."""


class SessionPrices:
    """The prices of one session; each question reads its data once."""

    def __init__(
        self, facts: Facts, config: Config, instruments: Mapping[str, Instrument], workspace: Path
    ) -> None:
        self._facts = facts
        self._config = config
        self._instruments = instruments
        self._workspace = workspace

    @cached_property
    def feed(self) -> ReplayFeed | RecordedInputs:
        """What the session ran on. Raises DataError where it is not there any more or
        has changed, ConfigError, OSError."""
        recorded = RecordedInputs.of(self._facts.folder)
        if recorded is not None:
            recorded.know(self._instruments)
            return recorded
        if not self._config.data.paths:
            raise DataError("the session was given its data by a program, which keeps it")
        sources = find_sources(self._config, origin_of(self._facts.session_id, self._workspace))
        self._check(sources)
        start_ns, end_ns = data_range(self._config)
        accept = accept_set(self._config.data.accept)
        return ReplayFeed(
            sources, self._instruments, start_ns=start_ns, end_ns=end_ns, accept=accept
        )

    def _check(self, sources: Iterable[DataSource]) -> None:
        for source in sources:
            for path in source.paths:
                with open_regular(path) as file:
                    digest = sha256()
                    while piece := file.read(1 << 20):
                        digest.update(piece)
                if self._facts.data_files.get(path.name) != digest.hexdigest():
                    raise DataError(f"{path} is not what the session ran on")

    def bars(self, symbol: str, bars_max: int = BARS_MAX) -> Bars:
        """The symbol's prices, at most `bars_max` bars; see `Analysis.prices`."""
        try:
            for name, blocks in price_streams(self.feed):
                if name in ("", symbol):
                    of_symbol = (block for block in blocks if block.symbol == symbol)
                    return self._bars(symbol, of_symbol, bars_max)
        except (LogosError, OSError) as error:
            return Bars(symbol=symbol, problem=str(error))
        return Bars(symbol=symbol, problem=f"the session has no prices of {symbol}")

    def first_price(self, symbol: str, known: FirstPrices | None = None) -> float | None:
        """The symbol's first price: of bars the open, of quotes the middle; None: not known.

        `known` holds those of other sessions on the same files, and is added to.
        """
        files, data = self._facts.data_files, self._config.data
        if known is None or not files:
            return self._read_first(symbol)
        scale = self._instruments[symbol].price_scale
        key = (*sorted(files.items()), data.start, data.end, str(data.accept), symbol, scale)
        if key not in known:
            known[key] = self._read_first(symbol)
        return known[key]

    def _read_first(self, symbol: str) -> float | None:
        try:
            for name, blocks in price_streams(self.feed):
                if name in ("", symbol):
                    for block in blocks:
                        if block.symbol == symbol and block.ts_ns:
                            scale = 2 * self._instruments[symbol].price_scale
                            return (block.bid[0][0] + block.ask[0][0]) / scale
        except (LogosError, OSError):
            return None
        return None

    def _bars(self, symbol: str, blocks: Iterable[PriceBlock], bars_max: int) -> Bars:
        began_ns, ended_ns = self._facts.begun_ns or 0, self._facts.ended_ns or 0
        least_ns = max(ended_ns - began_ns, 0) // max(bars_max - 2, 1) + 1
        maker: _BarMaker | None = None
        for block in blocks:
            if maker is None:
                maker = _BarMaker(_length_ns(least_ns, block))
            maker.add(block)
        scale = 2 * self._instruments[symbol].price_scale
        return Bars(symbol=symbol) if maker is None else maker.bars(symbol, scale)


def _length_ns(least_ns: int, block: PriceBlock) -> int:
    """The length of the bars: of bars a multiple of theirs, which is the shortest step there is."""
    times = block.ts_ns
    if block.are_bars and len(times) > 1:
        step_ns = min(late - early for early, late in pairwise(times))
        if step_ns > 0:
            return -(-least_ns // step_ns) * step_ns
    return next((each for each in _LENGTHS_NS if each >= least_ns), least_ns)


class _BarMaker:
    """Puts rows together into bars that end at whole multiples of their length."""

    def __init__(self, length_ns: int) -> None:
        self._length_ns = length_ns
        self._number = -1
        self._times: list[int] = []
        self._opens: list[int] = []
        self._highs: list[int] = []
        self._lows: list[int] = []
        self._closes: list[int] = []

    def add(self, block: PriceBlock) -> None:
        """The next rows. Prices are added as bid plus ask: twice the middle."""
        length_ns, number = self._length_ns, self._number
        times, opens = self._times, self._opens
        highs, lows, closes = self._highs, self._lows, self._closes
        for row in zip(block.ts_ns, *block.bid, *block.ask, strict=True):
            ts_ns, bid_open, bid_high, bid_low, bid_close = row[:5]
            ask_open, ask_high, ask_low, ask_close = row[5:]
            high, low, close = bid_high + ask_high, bid_low + ask_low, bid_close + ask_close
            of = (ts_ns - 1) // length_ns
            if of != number:
                number = of
                times.append(ts_ns)
                opens.append(bid_open + ask_open)
                highs.append(high)
                lows.append(low)
                closes.append(close)
                continue
            times[-1], closes[-1] = ts_ns, close
            if high > highs[-1]:
                highs[-1] = high
            if low < lows[-1]:
                lows[-1] = low
        self._number = number

    def bars(self, symbol: str, scale: int) -> Bars:
        """What was put together."""
        return Bars(
            symbol=symbol,
            interval_ns=self._length_ns,
            time_ns=tuple(self._times),
            open=tuple([each / scale for each in self._opens]),
            high=tuple([each / scale for each in self._highs]),
            low=tuple([each / scale for each in self._lows]),
            close=tuple([each / scale for each in self._closes]),
        )
