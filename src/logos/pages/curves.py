"""Curves with fewer points, for pages and drawings: what a screen can show, no extreme lost."""

from __future__ import annotations

from collections.abc import Sequence


def thinned(xs: Sequence[int], ys: Sequence[float], most: int) -> tuple[list[int], list[float]]:
    """At most `most` points (4 or more): first, last, lowest and highest of each stretch."""
    count = len(xs)
    if count <= most:
        return list(xs), list(ys)
    stretches = (most - 2) // 2
    kept = {0, count - 1}
    for number in range(stretches):
        part = range(count * number // stretches, count * (number + 1) // stretches)
        kept.add(min(part, key=ys.__getitem__))
        kept.add(max(part, key=ys.__getitem__))
    order = sorted(kept)
    return [xs[at] for at in order], [ys[at] for at in order]
