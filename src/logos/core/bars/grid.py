"""Where the time bars of one length begin and end.

Without trading hours they begin at whole multiples of their length since 1970 UTC; whole weeks
begin on Monday. With hours they begin at each open, and the last one of a session ends at its
close, however short it is; outside of the hours there are no bars.
"""

from __future__ import annotations

from typing import Final, final

from logos.core.instrument import Instrument
from logos.core.terms.market_hours import EPOCH_MINUTES, WEEK_MINUTES
from logos.core.types import NS_PER_MINUTE

_WEEK_NS: Final = WEEK_MINUTES * NS_PER_MINUTE
_MONDAY_NS: Final = EPOCH_MINUTES * NS_PER_MINUTE
"""What is added to a time so that weeks of it begin on Monday: 1970 began on a Thursday."""


def session_spans(hours: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sessions of a week, [open, close) in nanoseconds from Monday 00:00 UTC.

    Spans that touch are one session; one that lasts over Monday 00:00 stands here twice, as it
    looks from either week. Empty: no session ever ends.
    """
    joined: list[tuple[int, int]] = []
    for start, end in sorted(hours):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    spans = [(start * NS_PER_MINUTE, end * NS_PER_MINUTE) for start, end in joined]
    if not spans or spans == [(0, _WEEK_NS)]:
        return []
    if spans[0][0] == 0 and spans[-1][1] == _WEEK_NS:
        opened, closed = spans[-1][0], spans[0][1]
        spans[0] = (opened - _WEEK_NS, closed)
        spans[-1] = (opened, closed + _WEEK_NS)
    return spans


@final
class Grid:
    """The bars of one length of one instrument. After `place`, `start_ns` and `end_ns` are those of
    the bar that was asked for."""

    __slots__ = ("_close_ns", "_open_ns", "_shift_ns", "_spans", "end_ns", "length_ns", "start_ns")

    def __init__(self, length_ns: int, instrument: Instrument) -> None:
        self.length_ns = length_ns
        self._shift_ns: int = _MONDAY_NS if length_ns % _WEEK_NS == 0 else 0
        self._spans: list[tuple[int, int]] = session_spans(instrument.hours)
        self._open_ns: int = 0
        self._close_ns: int = 0
        self.start_ns: int = 0
        self.end_ns: int = 0

    def place(self, ts_ns: int) -> bool:
        """Find the bar that the moment belongs to; False: it lies outside of the trading hours."""
        if not self._spans:
            start_ns = (ts_ns + self._shift_ns) // self.length_ns * self.length_ns - self._shift_ns
            self.start_ns = start_ns
            self.end_ns = start_ns + self.length_ns
            return True
        if not self._open_ns <= ts_ns < self._close_ns and not self._find_session(ts_ns):
            return False
        start_ns = ts_ns - (ts_ns - self._open_ns) % self.length_ns
        self.start_ns = start_ns
        self.end_ns = min(start_ns + self.length_ns, self._close_ns)
        return True

    def _find_session(self, ts_ns: int) -> bool:
        into_ns = (ts_ns + _MONDAY_NS) % _WEEK_NS
        monday_ns = ts_ns - into_ns
        for opens_ns, closes_ns in self._spans:
            if opens_ns <= into_ns < closes_ns:
                self._open_ns = monday_ns + opens_ns
                self._close_ns = monday_ns + closes_ns
                return True
        return False
