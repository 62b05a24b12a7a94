"""Jumps that look like splits: found at every change of day, and looked for nowhere else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from feed_helpers import traded
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.prices.watch import split_between
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data.layout import BARS, QUOTES
from logos.data.readers.jumps import JumpWatch
from logos.data.readers.rows import Block

NS_PER_HOUR = 60 * NS_PER_MINUTE
START_NS = 20_000 * NS_PER_DAY


class Counted(list[int]):
    """A column that counts how many of its values are taken."""

    taken = 0

    def __getitem__(self, at: Any) -> Any:
        self.taken += 1
        return super().__getitem__(at)

    def __iter__(self) -> Any:
        self.taken += len(self)
        return super().__iter__()


def block_of(ts_ns: list[int], prices: list[tuple[int, int]], first_line: int) -> Block:
    """Rows of (first, last) price; where the kind has one price, it is the first."""
    firsts, lasts = map(list, zip(*prices, strict=True))
    columns = [firsts, firsts, firsts, lasts]
    return Block(ts_ns, columns, range(first_line, first_line + len(ts_ns)))


def by_every_row(
    rows: list[tuple[int, tuple[int, int]]], kind: str, interval_ns: int, cut: int
) -> list[tuple[int, int, int]]:
    """(line, new, old) by looking at every pair of rows. A block of which a price is not above
    zero is passed over, with the last price before it."""
    found: list[tuple[int, int, int]] = []
    for start in range(0, len(rows), cut):
        known = rows[max(start - 1, 0) : start + cut]
        block = rows[start : start + cut]
        prices = [price for _, (first, last) in block for price in (first, last)]
        if kind == QUOTES:
            prices = [first for _, (first, _) in block]
        before_price = (known[0][1][1 if kind == BARS else 0] if start else 0) or 1
        if min(*prices, before_price) <= 0:
            continue
        for at, ((early, early_prices), (late, late_prices)) in enumerate(
            pairwise(known), max(start, 1)
        ):
            days = [(moment - interval_ns) // NS_PER_DAY for moment in (early, late)]
            before = early_prices[1 if kind == BARS else 0]
            split = split_between(before, late_prices[0]) if days[0] != days[1] and before else None
            if split is not None:
                found.append((at, *split))
    return found


@settings(max_examples=50)
@given(
    kind=st.sampled_from([BARS, QUOTES]),
    steps=st.lists(
        st.sampled_from(
            [0, NS_PER_MINUTE, NS_PER_HOUR, 7 * NS_PER_HOUR, NS_PER_DAY, 3 * NS_PER_DAY]
        ),
        min_size=1,
        max_size=40,
    ),
    interval_ns=st.sampled_from([NS_PER_MINUTE, NS_PER_HOUR, NS_PER_DAY]),
    cut=st.integers(1, 12),
    data=st.data(),
)
def test_what_is_found_is_what_every_row_shows(
    kind: str, steps: list[int], interval_ns: int, cut: int, data: st.DataObject
) -> None:
    interval_ns = interval_ns if kind == BARS else 0
    price = st.sampled_from([100, 100, 100, 101, 140, 150, 200, 50, 25, 1000, 0, -100])
    rows: list[tuple[int, tuple[int, int]]] = []
    moment_ns = START_NS
    for step_ns in steps:
        moment_ns += step_ns
        rows.append((moment_ns, data.draw(st.tuples(price, price))))
    watch = JumpWatch(kind, interval_ns, traded("A"))
    for start in range(0, len(rows), cut):
        times, prices = zip(*rows[start : start + cut], strict=True)
        watch.see(block_of(list(times), list(prices), start))
    expected = by_every_row(rows, kind, interval_ns, cut)
    assert watch.count == len(expected)
    found = [(jump.line, jump.new, jump.old) for jump in watch.jumps]
    assert found == expected[: len(found)]


@pytest.mark.parametrize("kind", [BARS, QUOTES])
def test_of_rows_within_a_day_no_price_is_looked_at_but_the_ends(kind: str) -> None:
    watch = JumpWatch(kind, 0, traded("A"))
    for number in range(3):  # 1,500 minutes: the second day begins in the last block
        column = Counted([100] * 500)
        begins_ns = START_NS + number * 500 * NS_PER_MINUTE
        ts_ns = Counted(begins_ns + row * NS_PER_MINUTE for row in range(500))
        watch.see(Block(ts_ns, [column] * 4, range(500)))
        assert column.taken <= 4
        assert ts_ns.taken <= 20  # a search by halves where the day changes
