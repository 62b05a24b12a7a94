"""Curves over each other as a few lines of text, for a terminal or a file.

Each curve is drawn with a letter of its own, so no colour is needed to tell them apart; where
several meet there is a `*`. A column shows the last value up to its end, and nothing before a curve
begins or after it ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

LETTERS: Final = "ABCDEFGHIJKLMNOP"
"""The letters of the curves, in their order."""
_MEETING: Final = "*"
_LABEL_WIDTH: Final = 9
_FLAT: Final = 0.01
"""Half the height, in the unit of the curves, that a picture without any movement has."""


class Curve(NamedTuple):
    """One line of a picture: `xs` ascending, a y for each."""

    xs: Sequence[int]
    ys: Sequence[float]


def draw(
    curves: Sequence[Curve],
    width: int,
    height: int,
    label: Callable[[float], str],
    ends: Callable[[int], str],
) -> list[str]:
    """The picture, `width` characters wide with its labels; no lines when there is no point.

    `label` words a value at the left, `ends` the first and the last x under the picture. The line
    of zero is dotted where it is in the picture.
    """
    shown = [curve for curve in curves if curve.xs]
    if not shown:
        return []
    columns = max(10, width - _LABEL_WIDTH - 2)
    first, last = min(each.xs[0] for each in shown), max(each.xs[-1] for each in shown)
    low = min(min(each.ys) for each in shown)
    high = max(max(each.ys) for each in shown)
    if low == high:
        low, high = low - _FLAT, high + _FLAT
    rows = [[" "] * columns for _ in range(height)]
    zero = _place(0.0, high, low, height) if low <= 0 <= high else None
    if zero is not None:
        rows[zero] = list("." * columns)
    for letter, curve in zip(LETTERS, curves, strict=False):
        before: int | None = None
        for column, value in enumerate(_sampled(curve, first, last, columns)):
            at = None if value is None else _place(value, high, low, height)
            if at is not None:
                _ink(rows, column, letter, at, at if before is None else before)
            before = at
    lines = []
    for number, row in enumerate(rows):
        value = 0.0 if number == zero else high - (high - low) * number / (height - 1)
        text = label(value) if number in (0, zero, height - 1) else ""
        lines.append(f"{text:>{_LABEL_WIDTH}} |{''.join(row)}".rstrip())
    begin, end = ends(first), ends(last)
    gap = max(2, columns - len(begin) - len(end))
    return [*lines, f"{'':{_LABEL_WIDTH}}  {begin}{' ' * gap}{end}"]


def _ink(rows: list[list[str]], column: int, letter: str, row: int, before: int) -> None:
    """Draw a column's value, and the way to it from the row of the column before."""
    way = range(min(row, before + 1), max(row, before - 1) + 1)
    for each in way:
        cells = rows[each]
        cells[column] = letter if cells[column] in " ." else _MEETING


def _place(value: float, high: float, low: float, height: int) -> int:
    """The row of a value, 0 at the top."""
    return round((high - value) / (high - low) * (height - 1))


def _sampled(curve: Curve, first: int, last: int, columns: int) -> list[float | None]:
    """The curve's value at the end of each column; None where it has none."""
    if not curve.xs:
        return [None] * columns
    span = max(1, last - first)
    found: list[float | None] = []
    for column in range(columns):
        begin = first + span * column // columns
        end = first + span * (column + 1) // columns
        at = bisect_right(curve.xs, end) - 1
        is_within = at >= 0 and curve.xs[-1] >= begin
        found.append(curve.ys[at] if is_within else None)
    return found
