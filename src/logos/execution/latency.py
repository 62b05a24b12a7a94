"""How long things took: a histogram that costs one addition a value and forgets nothing.

Buckets grow in proportion: 16 to each doubling, so a percentile is at most a sixteenth above the
true value. The maximum is exact. Memory is fixed: 64 doublings of nanoseconds outlast anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

_STEPS_BITS: Final = 4
_STEPS: Final = 1 << _STEPS_BITS

BOUNDS_NS: Final = tuple((1 << exponent) - 1 for exponent in range(8, 35))
"""Upper bounds for whoever wants a few wide buckets: 255 ns, doubled up to 17 s. Each is the upper
end of a narrow bucket, so that counts up to it are exact."""


class LatencyHistogram:
    """Counts durations in nanoseconds."""

    __slots__ = ("_counts", "count", "max_ns", "sum_ns")

    def __init__(self) -> None:
        self._counts = [0] * (64 * _STEPS)
        self.count = 0
        self.max_ns = 0
        self.sum_ns = 0

    def add(self, duration_ns: int, times: int = 1) -> None:
        """Count one duration, or several that were the same; below zero counts as zero."""
        if duration_ns > self.max_ns:
            self.max_ns = duration_ns
        self.count += times
        if duration_ns < _STEPS:
            duration_ns = max(duration_ns, 0)
            self.sum_ns += duration_ns * times
            self._counts[duration_ns] += times
            return
        self.sum_ns += duration_ns * times
        shift = duration_ns.bit_length() - _STEPS_BITS - 1
        self._counts[(shift + 1) * _STEPS + (duration_ns >> shift) - _STEPS] += times

    def add_all(self, ended_ns: int, began_ns: Sequence[int]) -> None:
        """Count what began at these moments, which are in order, and ended together."""
        count = len(began_ns)
        if count < 2 or ended_ns - began_ns[-1] < _STEPS:
            for moment_ns in began_ns:
                self.add(ended_ns - moment_ns)
            return
        self.max_ns = max(self.max_ns, ended_ns - began_ns[0])
        self.count += count
        self.sum_ns += count * ended_ns - sum(began_ns)
        # What came together is of a few buckets: each is worked out once, and so is its end.
        counts = self._counts
        place = 0
        while place < count:
            duration_ns = ended_ns - began_ns[place]
            shift = duration_ns.bit_length() - _STEPS_BITS - 1
            least_ns = duration_ns >> shift << shift
            after = bisect_right(began_ns, ended_ns - least_ns, place)
            counts[(shift + 1) * _STEPS + (duration_ns >> shift) - _STEPS] += after - place
            place = after

    def percentile_ns(self, percent: float) -> int:
        """The duration that this share of all did not exceed: its bucket's upper end; 0 of none."""
        if not self.count:
            return 0
        needed = max(1, -(-self.count * round(percent * 1000) // 100_000))
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= needed:
                return min(_upper_end(index), self.max_ns)
        return self.max_ns

    def cumulative(self) -> list[tuple[int, int]]:
        """How many durations did not exceed each of `BOUNDS_NS`, exactly: (bound, count)."""
        found = []
        seen = index = 0
        for bound_ns in BOUNDS_NS:
            last = _index(bound_ns)
            seen += sum(self._counts[index : last + 1])
            index = last + 1
            found.append((bound_ns, seen))
        return found

    def summary(self) -> dict[str, int]:
        """Count, p50, p90, p99, p99.9 and maximum, in nanoseconds."""
        return {
            "count": self.count,
            "p50_ns": self.percentile_ns(50),
            "p90_ns": self.percentile_ns(90),
            "p99_ns": self.percentile_ns(99),
            "p99_9_ns": self.percentile_ns(99.9),
            "max_ns": self.max_ns,
        }


def _index(duration_ns: int) -> int:
    """The bucket of a duration that is not below zero."""
    if duration_ns < _STEPS:
        return duration_ns
    shift = duration_ns.bit_length() - _STEPS_BITS - 1
    return (shift + 1) * _STEPS + (duration_ns >> shift) - _STEPS


def _upper_end(index: int) -> int:
    if index < _STEPS:
        return index
    shift = index // _STEPS - 1
    return (((index % _STEPS) + _STEPS + 1) << shift) - 1
