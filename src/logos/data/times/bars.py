"""When the bars of a file close, where the step to the next one is not simply their length.

A bar is shown at its close. For most files that is its open plus the length. Three kinds of bars
differ: the first of a session that begins between two places of the grid is cut short (hours on
the hour, and the exchange opens at 09:30); days, weeks and months go by the calendar, and a day
on which the clocks change has 23 or 25 hours; and the last row of a file can be a live one, stamped
with the second it was made. The next bar's open shows the first; of the second the zone tells,
where it is said, or the next bar's open; where neither does, the bar is shown an hour late. So are
bars of several hours in whose night the clocks may have been set back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.times.lengths import (
    BarLength,
    ahead_of_month,
    is_cut,
    is_set_forward,
    may_change_clocks,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_NS: Final = 60 * NS_PER_MINUTE
_CLOCK_STEPS: Final = (0, 30 * NS_PER_MINUTE, _HOUR_NS)
"""By how much clocks are changed: an hour, on Lord Howe Island half of one."""


class BarTimes(msgspec.Struct, frozen=True):
    """The length of a file's bars, the zone whose days they are (None: not said), where in a
    length since 1970 most of them open, and whether they are stamped with their close."""

    length: BarLength
    zone: tzinfo | None = None
    phase_ns: int = 0
    is_stamped_close: bool = False

    @property
    def is_calendar(self) -> bool:
        """Whether the calendar says how long a bar is."""
        return bool(self.length.months) or self.length.ns % NS_PER_DAY == 0

    @property
    def is_of_hours(self) -> bool:
        """Whether bars are of several hours: one over a change of the clocks has another length."""
        return not self.is_calendar and self.length.ns > _HOUR_NS and self.zone is not UTC

    def joins(self, opened_ns: int, next_ns: int) -> bool:
        """Whether a bar ends by `next_ns` although that is less than its length after its open."""
        if self.is_calendar:
            return next_ns >= self._calendar_close(opened_ns) - self._slack_ns
        if self.is_stamped_close:  # "open" is the stamp less the length: the later one is cut
            into_ns = (next_ns - self.phase_ns) % self.length.ns
            return into_ns > 0 and next_ns - opened_ns == into_ns
        if self.is_of_hours and is_set_forward(opened_ns, next_ns, self.length.ns):
            return True
        return is_cut(opened_ns, next_ns, self.length.ns, self.phase_ns)

    def is_gap(self, opened_ns: int, next_ns: int) -> bool:
        """Whether bars are missing between two that are more than a length apart."""
        if self.is_calendar:
            return next_ns > self._calendar_close(opened_ns) + self._slack_ns
        return next_ns - opened_ns > self.length.ns

    def is_odd(self, before_ns: int, opened_ns: int) -> bool:
        """Whether a last row, after a bar that opened at `before_ns`, is no bar of this file."""
        if self.length.months:
            days = [self._local(moment_ns) for moment_ns in (before_ns, opened_ns)]
            if all(ahead_of_month(day) is not None for day in days):
                return False
            return days[0].day != days[1].day
        step_ns = opened_ns - before_ns
        if self.is_calendar:
            return not _is_clock_step(step_ns)
        length_ns = self.length.ns
        if length_ns > _HOUR_NS and length_ns % _HOUR_NS == 0 and step_ns % _HOUR_NS == 0:
            return False  # the clocks changed while the market was closed
        return step_ns % length_ns != 0 and not self.joins(before_ns, opened_ns)

    def close_of(self, opened_ns: int, next_ns: int | None) -> tuple[int, bool]:
        """(when a bar closes, whether that is late because it is not known better).

        `next_ns` is the open of the bar after it (None: there is none).
        """
        if not self.is_calendar:
            return self._close_of_hours(opened_ns, next_ns)
        close_ns = self._calendar_close(opened_ns)
        if self.zone is not None:
            return close_ns, False
        if next_ns is None:
            # Days that begin at midnight UTC are days of UTC, or of clocks on winter time.
            may_be_longer = opened_ns % NS_PER_DAY != 0 and may_change_clocks(opened_ns, close_ns)
            return close_ns + _HOUR_NS * may_be_longer, may_be_longer
        if abs(next_ns - close_ns) in _CLOCK_STEPS:
            return next_ns, False
        if next_ns > close_ns and (next_ns - close_ns) % NS_PER_DAY in _CLOCK_STEPS[1:]:
            # One of the days until then had 25 hours, and which one is not known.
            return close_ns + _HOUR_NS, True
        return close_ns, False

    def _close_of_hours(self, opened_ns: int, next_ns: int | None) -> tuple[int, bool]:
        """As `close_of`, of bars that are shorter than a day."""
        close_ns = opened_ns + self.length.ns
        if next_ns is not None and next_ns < close_ns:
            return next_ns, False
        if not self.is_of_hours:
            return close_ns, False
        if self.zone is not None:
            offsets = [self._local(each_ns).utcoffset() for each_ns in (opened_ns, close_ns)]
            early, late = (each or timedelta() for each in offsets)
            set_back_ns = max(early - late, timedelta()) // timedelta(microseconds=1) * 1_000
            return close_ns + set_back_ns, set_back_ns > 0
        if next_ns is None:
            may_be_longer = may_change_clocks(opened_ns, close_ns)
        else:
            # The clocks that the rows go by were set back in this bar, or in a gap after it.
            may_be_longer = (next_ns - close_ns) % self.length.ns == _HOUR_NS
        return close_ns + _HOUR_NS * may_be_longer, may_be_longer

    @property
    def _slack_ns(self) -> int:
        return _HOUR_NS if self.zone is None else 0

    def _local(self, moment_ns: int) -> datetime:
        seconds = moment_ns // NS_PER_SECOND
        return (_EPOCH + timedelta(seconds=seconds)).astimezone(self.zone or UTC)

    def _calendar_close(self, opened_ns: int) -> int:
        close_ns = self.length.close_of(opened_ns, self.zone or UTC)
        if self.zone is None or self.zone is UTC:
            return close_ns
        local = self._local(opened_ns)
        if local.hour or local.minute:
            # Days that begin elsewhere may be of another clock: the later of the two readings.
            close_ns = max(close_ns, self.length.close_of(opened_ns))
        return close_ns


MOMENTS: Final = BarTimes(BarLength(1))
"""Of a file without bars."""


def _is_clock_step(step_ns: int) -> bool:
    rest_ns = step_ns % NS_PER_DAY
    return rest_ns in _CLOCK_STEPS or NS_PER_DAY - rest_ns in _CLOCK_STEPS
