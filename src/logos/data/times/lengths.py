"""How long a bar is: as people write it, and as the steps between the rows of a file show it.

A bar is known at its close, so a length that is too short would show it before. The commonest step
is the length; a smaller one is the odd row, never the rule. Every other step must be explained: it
is a multiple of the length (bars are missing), it belongs to a bar that a session cut short, it
crosses a change of the clock, or it leads to one odd row at the end (the bar that was still live
when the file was made). What cannot be explained is asked for, not guessed. Months have no length
of their own: they go by the calendar.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

import msgspec

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from logos.data.readers.numbers import format_timestamp
from logos.errors import DataError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR_NS: Final = 60 * NS_PER_MINUTE
_MONTH_DAYS: Final = 31
_AHEAD_MAX: Final = timedelta(hours=14)
_SATURDAY: Final = 5
_CHANGES: Final = (3, 4, 9, 10, 11)
"""Months in which clocks are changed, of both halves of the earth."""
_MONTHS_SEEN: Final = (1, 3, 6, 12)
_TEXT: Final = re.compile(r"([1-9][0-9]{0,3})\s*([A-Za-z]+)")
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), NS_PER_SECOND),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "t"), NS_PER_MINUTE),
    **dict.fromkeys(("h", "hr", "hour", "hours"), _HOUR_NS),
    **dict.fromkeys(("d", "day", "days"), NS_PER_DAY),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 7 * NS_PER_DAY),
}
_MONTH_UNITS: Final = ("mo", "mon", "month", "months")


class BarLength(msgspec.Struct, frozen=True):
    """How long the bars of a file are: `ns` nanoseconds, or `months` of the calendar.

    Of months, `ns` is the longest they can be (31 days each). Lengths of whole days are days of
    the market's zone where that is known: a day on which the clocks change has 23 or 25 hours.
    """

    ns: int
    months: int = 0

    def __str__(self) -> str:
        if self.months:
            return f"{self.months}mo"
        units = (("w", 7 * NS_PER_DAY), ("d", NS_PER_DAY), ("h", _HOUR_NS), ("m", NS_PER_MINUTE))
        for unit, unit_ns in units:
            if self.ns % unit_ns == 0:
                return f"{self.ns // unit_ns}{unit}"
        whole, part = divmod(self.ns, NS_PER_SECOND)
        return f"{whole}.{part:09d}".rstrip("0") + "s" if part else f"{whole}s"

    def close_of(self, opened_ns: int, zone: tzinfo = UTC) -> int:
        """The moment a bar that opened at `opened_ns` closes, by the calendar of `zone`.

        Only lengths of whole days depend on the zone.
        """
        if not self.months and (self.ns % NS_PER_DAY or zone is UTC):
            return opened_ns + self.ns
        seconds, part_ns = divmod(opened_ns, NS_PER_SECOND)
        local = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).replace(tzinfo=None)
        if not self.months:
            local += timedelta(days=self.ns // NS_PER_DAY)
        else:
            local = self._month_after(local)
        ends = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return (max(ends) - _EPOCH) // _MICROSECOND * 1_000 + part_ns

    def _month_after(self, local: datetime) -> datetime:
        ahead = ahead_of_month(local)
        if ahead is not None:
            return self._month_after(local + ahead) - ahead
        # A bar that opened on the 31st is no bar of the calendar: it is shown late, not early.
        late, day = (1, 1) if local.day > 28 else (0, local.day)
        month = local.month - 1 + self.months + late
        return local.replace(year=local.year + month // 12, month=month % 12 + 1, day=day)


def ahead_of_month(moment: datetime) -> timedelta | None:
    """How long after `moment` a month begins, where it is the midnight of a clock that is ahead
    of the one that `moment` is of; None where it is not."""
    later = moment + _AHEAD_MAX
    if later.day != 1 or moment.day == 1:
        return None
    return later.replace(hour=0, minute=0, second=0, microsecond=0) - moment


def may_change_clocks(early_ns: int, late_ns: int) -> bool:
    """Whether clocks somewhere may be changed within a span: at weekends of spring and autumn."""
    days = range(early_ns // NS_PER_DAY, late_ns // NS_PER_DAY + 1)
    dates = [_EPOCH + timedelta(days=day) for day in days]
    return any(each.weekday() >= _SATURDAY and each.month in _CHANGES for each in dates)


def months_length(months: int) -> BarLength:
    """The length of bars of whole months."""
    return BarLength(months * _MONTH_DAYS * NS_PER_DAY, months)


def length_from_text(text: str | int) -> BarLength:
    """The length that "1m", "90min", "4h", "1d", "1w", "1mo" or "1M" says; an integer is
    nanoseconds already. "1M" is a month and "1m" a minute; of other units case does not matter.

    Raises DataError for anything else.
    """
    if isinstance(text, int):
        if text > 0:
            return BarLength(text)
    else:
        match = _TEXT.fullmatch(text.strip())
        if match:
            count, unit = int(match[1]), match[2]
            if unit == "M" or unit.lower() in _MONTH_UNITS:
                return months_length(count)
            if unit.lower() in _UNITS:
                return BarLength(count * _UNITS[unit.lower()])
    raise DataError(f"not an interval: {text!r}; write it like 1s, 5m, 1h, 1d, 1w or 1mo")


class FoundLength(msgspec.Struct, frozen=True):
    """What the rows of a file show: the length of its bars, and whether the last row is odd (the
    bar that was still live when the file was made, to be left out)."""

    length: BarLength
    is_last_odd: bool = False


def find_length(
    opened_ns: Sequence[int], zone: tzinfo = UTC, *, ask: str = "say --interval"
) -> FoundLength:
    """The length of bars that opened at `opened_ns` (nanoseconds UTC, in order).

    `zone` is the market's, where it is known: months begin at its midnight. Rows that do not come
    after the one before are passed over. Raises DataError, without the file's name, when the rows
    do not show it; the message says to give --interval.
    """
    moments = [opened_ns[0]] if opened_ns else []
    for moment_ns in opened_ns:
        if moment_ns > moments[-1]:
            moments.append(moment_ns)
    steps = [late - early for early, late in pairwise(moments)]
    if not steps:
        raise DataError(f"cannot tell the bars' interval from one row: {ask}")
    months = _months_between(moments, zone)
    if months is not None:
        return months
    return _commonest(moments, steps, ask)


def _months_between(moments: Sequence[int], zone: tzinfo) -> FoundLength | None:
    """Bars of 1, 3, 6 or 12 months: most rows begin so many after the row before, on its day."""
    days = [(_EPOCH + timedelta(microseconds=ns // 1_000)).astimezone(zone) for ns in moments]
    numbers = [day.year * 12 + day.month for day in days]
    fits = [
        late - early if days[row].day == days[row + 1].day else 0
        for row, (early, late) in enumerate(pairwise(numbers))
    ]
    counts = Counter(fits)
    commonest, count = max(
        ((months, counts[months]) for months in _MONTHS_SEEN), key=lambda each: each[1]
    )
    # The last row may be a live one that is stamped with its own day.
    whole = fits[:-1] if len(fits) > 1 and not fits[-1] else fits
    if not count or any(not months or months % commonest for months in whole):
        return None
    return FoundLength(months_length(commonest), is_last_odd=not fits[-1])


def _commonest(moments: Sequence[int], steps: Sequence[int], ask: str) -> FoundLength:
    counts = Counter(steps)
    most = max(counts.values())
    tied = sorted(step for step, count in counts.items() if count == most)
    length_ns = tied[0]
    # Days of few rows have weekends, minutes have holes; neither is ever a longer bar cut short.
    is_finest = length_ns in (NS_PER_MINUTE, NS_PER_DAY)
    if not is_finest or any(step_ns % length_ns for step_ns in tied):
        _check_evidence(steps, tied, ask)
    phase_ns = common_phase(moments, length_ns)
    is_last_odd = False
    for row, step_ns in enumerate(steps):
        if step_ns % length_ns == 0 or _is_explained(moments, row, length_ns, phase_ns):
            continue
        if row == len(steps) - 1 and len(steps) > 1:
            is_last_odd = True
            continue
        raise DataError(
            f"the rows are {BarLength(length_ns)} apart most often, but the one of "
            f"{format_timestamp(moments[row + 1])} comes {BarLength(step_ns)} after the one "
            f"before it: {ask}"
        )
    return FoundLength(BarLength(length_ns), is_last_odd)


def _check_evidence(steps: Sequence[int], tied: Sequence[int], ask: str) -> None:
    """Two steps of the length must follow each other somewhere: a session of two bars, of which
    the first is cut short, shows its short step each day. Raises DataError."""
    if len(tied) > 1:
        raise DataError(
            f"the rows are {' and '.join(str(BarLength(step)) for step in tied[:4])} apart equally "
            f"often: {ask}"
        )
    length_ns = tied[0]
    if length_ns % NS_PER_DAY and not any(
        early == late == length_ns for early, late in pairwise(steps)
    ):
        raise DataError(
            f"no three rows follow each other at one step, which is {BarLength(length_ns)} most "
            f"often: {ask}"
        )


def _is_explained(moments: Sequence[int], row: int, length_ns: int, phase_ns: int) -> bool:
    """Whether the step from `row` to the next is one that whole bars of this length can make."""
    step_ns = moments[row + 1] - moments[row]
    if length_ns % NS_PER_DAY == 0 and is_shifted_day(step_ns, length_ns):
        return True
    if step_ns > length_ns and row + 2 < len(moments):
        # Into a bar that the next one, on the grid again, shows to be cut short.
        return is_cut(moments[row + 1], moments[row + 2], length_ns, phase_ns) or (
            # Hours of a zone: its clocks changed while the market was closed.
            length_ns % _HOUR_NS == 0
            and step_ns % length_ns in (_HOUR_NS, length_ns - _HOUR_NS)
            and (moments[row + 2] - moments[row + 1]) % length_ns == 0
        )
    if is_set_forward(moments[row], moments[row + 1], length_ns):
        return True
    return is_cut(moments[row], moments[row + 1], length_ns, phase_ns)


def common_phase(moments: Sequence[int], length_ns: int) -> int:
    """Where in a length of `length_ns` since 1970 most bars open, nanoseconds."""
    counts = Counter(moment % length_ns for moment in moments)
    if not counts:
        return 0
    return max(sorted(counts), key=counts.__getitem__)


def is_cut(opened_ns: int, next_ns: int, length_ns: int, phase_ns: int) -> bool:
    """Whether a bar was cut short by the beginning of its session: it opened between two places
    of the grid, and the next bar opens at the place that follows."""
    into_ns = (opened_ns - phase_ns) % length_ns
    return into_ns > 0 and next_ns == opened_ns - into_ns + length_ns


def is_set_forward(opened_ns: int, next_ns: int, length_ns: int) -> bool:
    """Whether a bar of several hours may have been cut short by clocks that were set forward."""
    is_hour_short = length_ns > _HOUR_NS and next_ns - opened_ns == length_ns - _HOUR_NS
    return is_hour_short and may_change_clocks(opened_ns, next_ns)


def is_shifted_day(step_ns: int, length_ns: int) -> bool:
    """Whether a step is whole lengths of days but for an hour, as a change of the clock makes."""
    return step_ns % length_ns in (_HOUR_NS, length_ns - _HOUR_NS)
