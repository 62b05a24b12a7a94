"""Several tables as one stream of events in order of time.

Everything is in memory, so that a step can take all rows up to a moment from every table: events of
one time come in the order of the tables, and within a table in that of its rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter

from logos.config import DataSettings
from logos.core.messages import MarketEvent
from logos.data.check import CheckReport
from logos.data.readers.blocks import to_events
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.data.readers.rows import Block
from logos.data.source import DataSource
from logos.errors import ConfigError, DataError
from logos.library.frames import FrameData

_CHUNK_ROWS = 8_192
_by_time = attrgetter("ts_ns")


class FrameFeed:
    """The events of `frames` with `start_ns <= ts_ns < end_ns`; see `logos.session.plan.Feed`."""

    def __init__(
        self, frames: Sequence[FrameData], start_ns: int | None = None, end_ns: int | None = None
    ) -> None:
        """Raises DataError when no event lies in between, ConfigError for a table given twice."""
        names = [str(frame.source) for frame in frames]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"data: {', '.join(twice)}: give each table once")
        self.frames = list(frames)
        self.reports: list[CheckReport] = [frame.report for frame in frames]
        self._bounds = [
            (
                0 if start_ns is None else bisect_left(frame.block.ts_ns, start_ns),
                len(frame) if end_ns is None else bisect_left(frame.block.ts_ns, end_ns),
            )
            for frame in frames
        ]
        if not any(start < end for start, end in self._bounds):
            held = "; ".join(map(repr, frames)) or "no tables"
            raise DataError(f"there are no events in the time asked for: {held}")

    def blocks(self) -> Iterator[tuple[DataSource, Iterator[Block]]]:
        """Every table with its rows in the time asked for, as columns."""
        for frame, (start, end) in zip(self.frames, self._bounds, strict=True):
            yield frame.source, iter([frame.block.part(start, end)])

    def chunks(self) -> Iterator[Sequence[MarketEvent]]:
        """Lists of some thousands of events, in order of time."""
        places = [start for start, _ in self._bounds]
        while True:
            horizons_ns = [
                frame.block.ts_ns[place + _CHUNK_ROWS]
                for frame, place, (_, end) in zip(self.frames, places, self._bounds, strict=True)
                if place + _CHUNK_ROWS < end
            ]
            events: list[MarketEvent] = []
            filled = 0
            for number, (frame, (_, end)) in enumerate(zip(self.frames, self._bounds, strict=True)):
                stop = end
                if horizons_ns:
                    stop = min(end, bisect_right(frame.block.ts_ns, min(horizons_ns)))
                part = frame.block.part(places[number], stop)
                places[number] = max(places[number], stop)
                if len(part):
                    events += to_events(frame.source, frame.instrument, part)
                    filled += 1
            if filled > 1:
                events.sort(key=_by_time)
            if events:
                yield events
            if not horizons_ns:
                return


def feed_of(
    frames: Sequence[FrameData], settings: DataSettings, symbols: Collection[str]
) -> FrameFeed:
    """The feed of `frames`, cut to the times and symbols of the settings.

    Raises ConfigError for a time or symbol that is wrong, DataError when nothing is left.
    """
    found = [frame.symbol for frame in frames]
    missing = sorted(set(symbols) - set(found))
    if missing:
        raise DataError(
            f"no table of {', '.join(missing)} was given; given: {', '.join(found) or 'none'}"
        )
    chosen = [frame for frame in frames if not symbols or frame.symbol in symbols]
    return FrameFeed(chosen, _moment(settings.start, "start"), _moment(settings.end, "end"))


def _moment(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        return parse_timestamp(text)
    except RowError as error:
        raise ConfigError(f"{name}: {error}; write it like 2024-01-31T13:30:00Z") from None
