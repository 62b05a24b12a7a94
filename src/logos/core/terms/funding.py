"""When a perpetual contract pays funding, and at which rate."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import final

from logos.core.types import NEVER_NS, NS_PER_DAY


@final
class FundingSchedule:
    """Times and rates of funding; rates are counts of 10**-9, times nanoseconds UTC.

    Either one `rate` at `times_ns` of every day, in order, or a rate of its own at each of
    `moments_ns`. At a rate above 0 those who are long pay those who are short.
    """

    __slots__ = ("_moments_ns", "_rate", "_rates", "_times_ns")

    def __init__(
        self, rate: int, times_ns: list[int], moments_ns: list[int], rates: list[int]
    ) -> None:
        """Raises ValueError for neither, and for moments that do not follow each other."""
        if not (times_ns or moments_ns) or len(moments_ns) != len(rates):
            raise ValueError("funding needs times of the day, or moments with a rate each")
        for times in (times_ns, moments_ns):
            if sorted(set(times)) != times:
                raise ValueError("times of funding follow each other")
        self._rate = rate
        self._times_ns = times_ns
        self._moments_ns = moments_ns
        self._rates = rates

    def next_after(self, ts_ns: int) -> int:
        """The first time of funding after `ts_ns`; NEVER_NS for none."""
        if self._moments_ns:
            place = bisect_right(self._moments_ns, ts_ns)
            return self._moments_ns[place] if place < len(self._moments_ns) else NEVER_NS
        day_ns = ts_ns - ts_ns % NS_PER_DAY
        for time_ns in self._times_ns:
            if day_ns + time_ns > ts_ns:
                return day_ns + time_ns
        return day_ns + NS_PER_DAY + self._times_ns[0]

    def rate_at(self, ts_ns: int) -> int:
        """The rate of the funding at `ts_ns`; 0 where there is none then."""
        if self._moments_ns:
            place = bisect_left(self._moments_ns, ts_ns)
            is_one = place < len(self._moments_ns) and self._moments_ns[place] == ts_ns
            return self._rates[place] if is_one else 0
        return self._rate if ts_ns % NS_PER_DAY in self._times_ns else 0
