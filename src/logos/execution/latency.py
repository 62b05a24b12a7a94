"""How long things took: a histogram that costs one addition a value and forgets nothing.

Buckets grow in proportion: 16 to each doubling, so a percentile is at most a sixteenth above the
true value. The maximum is exact. Memory is fixed: 64 doublings of nanoseconds outlast anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_STEPS_BITS: Final = 4
_STEPS: Final = 1 << _STEPS_BITS


class LatencyHistogram:
    """Counts durations in nanoseconds."""

    __slots__ = ("_counts", "count", "max_ns")

    def __init__(self) -> None:
        self._counts = [0] * (64 * _STEPS)
        self.count = 0
        self.max_ns = 0

    def add(self, duration_ns: int, times: int = 1) -> None:
        """Count one duration, or several that were the same; below zero counts as zero."""
        if duration_ns > self.max_ns:
            self.max_ns = duration_ns
        self.count += times
        if duration_ns < _STEPS:
            self._counts[max(duration_ns, 0)] += times
            return
        shift = duration_ns.bit_length() - _STEPS_BITS - 1
        self._counts[(shift + 1) * _STEPS + (duration_ns >> shift) - _STEPS] += times

    def add_all(self, ended_ns: int, began_ns: Iterable[int]) -> None:
        """Count what began at these moments and ended together."""
        counts = self._counts
        for moment_ns in began_ns:
            duration_ns = ended_ns - moment_ns
            if duration_ns < _STEPS:
                self.add(duration_ns)
                continue
            if duration_ns > self.max_ns:
                self.max_ns = duration_ns
            self.count += 1
            shift = duration_ns.bit_length() - _STEPS_BITS - 1
            counts[(shift + 1) * _STEPS + (duration_ns >> shift) - _STEPS] += 1

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

    def summary(self) -> dict[str, int]:
        """Count, p50, p99, p99.9 and maximum, in nanoseconds."""
        return {
            "count": self.count,
            "p50_ns": self.percentile_ns(50),
            "p99_ns": self.percentile_ns(99),
            "p99_9_ns": self.percentile_ns(99.9),
            "max_ns": self.max_ns,
        }


def _upper_end(index: int) -> int:
    if index < _STEPS:
        return index
    shift = index // _STEPS - 1
    return (((index % _STEPS) + _STEPS + 1) << shift) - 1
