"""A comparison for a terminal: tables, in blocks where they are too wide, and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from logos.comparison.comparing import Compared, Comparison, day
from logos.comparison.differences import Difference
from logos.comparison.figures import Row
from logos.comparison.text_chart import Curve, draw
from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.shown import plain

DIFFERENCES_MAX: Final = 40
"""Lines of differing settings that are shown; the page and the JSON have all."""
_CELL_MAX: Final = 34
_HEIGHT: Final = 14
_SHORTEST: Final = 40
_NS_PER_HOUR: Final = 3_600 * NS_PER_SECOND


def comparison_text(comparison: Comparison, width: int) -> str:
    """All that is said of it, `width` characters wide where that is possible."""
    sessions = comparison.sessions
    lines = [*_names(sessions), ""]
    for note in comparison.notes:
        lines += wrap(
            plain(note), max(width, _SHORTEST), initial_indent="note: ", subsequent_indent="      "
        )
    lines += [""] * bool(comparison.notes)
    lines += _figures(comparison, width)
    lines += ["", *_differences("settings", comparison.settings, sessions, width)]
    lines += ["", *_differences("strategy", comparison.strategy, sessions, width)]
    lines += ["", *_differences("data", comparison.data, sessions, width)]
    picture = _picture(comparison, width)
    if picture:
        lines += ["", "equity, change from what each began with", *picture]
    return "\n".join(lines)


def _names(sessions: Sequence[Compared]) -> list[str]:
    table = [
        (
            each.letter,
            plain(each.name),
            _cut(each.analysis.facts.strategy),
            each.analysis.facts.outcome,
            each.period,
        )
        for each in sessions
    ]
    return list(_table(table))


def _figures(comparison: Comparison, width: int) -> Iterator[str]:
    """The statistics, a row each; of two sessions with what the second has more."""
    letters = [each.letter for each in comparison.sessions]
    has_difference = len(letters) == 2
    for block in _blocks(comparison, width):
        if block[0]:
            yield ""
        heads = [_cut(comparison.sessions[at].title) for at in block]
        table = [("", *heads, *([f"{letters[1]} - {letters[0]}"] if has_difference else []))]
        for row in comparison.figures:
            cells = [_cut(row.cells[at]) for at in block]
            more = [difference(row, comparison)] if has_difference else []
            table.append((row.name, *cells, *more))
        yield from _table(table, numbers=True)


def _blocks(comparison: Comparison, width: int) -> list[list[int]]:
    """Which sessions stand beside each other, as many as there is room for."""
    names = max(len(row.name) for row in comparison.figures)
    sizes = [
        max(len(_cut(each.title)), *(len(_cut(row.cells[at])) for row in comparison.figures))
        for at, each in enumerate(comparison.sessions)
    ]
    blocks: list[list[int]] = []
    left = 0
    for at, size in enumerate(sizes):
        if not blocks or left < size + 2:
            blocks.append([])
            left = width - names
        blocks[-1].append(at)
        left -= size + 2
    if len(sizes) == 2 and len(blocks) == 2:  # their difference stands beside both
        return [[0, 1]]
    return blocks


def difference(row: Row, comparison: Comparison) -> str:
    """How much more the second of two sessions has; nothing for amounts of two currencies."""
    if row.kind in ("money", "signed") and not comparison.is_one_currency:
        return ""
    return row.difference()


def _differences(
    what: str, found: Sequence[Difference], sessions: Sequence[Compared], width: int
) -> Iterator[str]:
    if not found:
        yield f"{what}: the same"
        return
    yield f"{what} {'differs' if what == 'strategy' else 'differ'}"
    shown = found[:DIFFERENCES_MAX]
    table = [("", *(each.letter for each in sessions))]
    table += [(_cut(each.name), *map(_cut, each.values)) for each in shown]
    if max(map(len, _table(table))) <= width:
        yield from (f"  {line}" for line in _table(table))
    else:
        for each in shown:
            yield f"  {_cut(each.name)}"
            for letters, value in _grouped(each, sessions):
                yield f"    {letters}  {_cut(value, max(_SHORTEST, width) - 6 - len(letters))}"
    if len(found) > len(shown):
        yield f"  and {len(found) - len(shown)} more: --json and --html have all"


def _grouped(row: Difference, sessions: Sequence[Compared]) -> list[tuple[str, str]]:
    """Each value with the letters of those that have it."""
    found: dict[str, list[str]] = {}
    for session, value in zip(sessions, row.values, strict=True):
        found.setdefault(value, []).append(session.letter)
    return [(", ".join(letters), value) for value, letters in found.items()]


def _picture(comparison: Comparison, width: int) -> list[str]:
    curves = drawn(comparison)
    span = max((each.xs[-1] for each in curves if each.xs), default=0) - min(
        (each.xs[0] for each in curves if each.xs), default=0
    )

    def end(x: int) -> str:
        if comparison.is_by_date:
            return day(x)
        if span < 2 * NS_PER_DAY:
            return f"{x / _NS_PER_HOUR:,.1f} h"
        return f"{x / NS_PER_DAY:,.1f} d"

    return draw(
        curves,
        max(_SHORTEST, min(width, 120)),
        _HEIGHT,
        lambda value: f"{value * 100:+,.2f}%",
        end,
    )


def drawn(comparison: Comparison) -> list[Curve]:
    """The curves, over dates or from the start of each."""
    curves = [each.curve() for each in comparison.sessions]
    if comparison.is_by_date:
        return curves
    return [
        Curve([x - each.xs[0] for x in each.xs], each.ys) if each.xs else each for each in curves
    ]


def _table(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Rows in columns as wide as they must be; `numbers`: all but the first to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            f"{cell:>{width}}" if numbers and column else f"{cell:<{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _cut(text: str, most: int = _CELL_MAX) -> str:
    """On one line, cut where it is too long."""
    flat = plain(text)
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
