"""Whether the columns taken for open, high, low and close can be those: their figures tell.

Programs write bars in many orders (low, high, open, close; open, close, high, low), and a file
without names, or with columns named in the wrong order, gives bars that never were. A vendor's
own bars have single faulty rows; most of them are never wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from logos.data.importing.cells.figures import FigureError, FigureStyle
from logos.data.importing.record import BAR_ROLES
from logos.data.importing.tables.table import Table
from logos.errors import DataError


def check_order(table: Table, places: Mapping[str, int], style: FigureStyle) -> None:
    """Raise DataError when most bars of the first rows are none: high below the open, say.

    Bars of one price throughout show no order and do not count.
    """
    for side in ("", "bid_", "ask_"):
        columns = [places[f"{side}{name}"] for name in BAR_ROLES[:4] if f"{side}{name}" in places]
        if len(columns) < 4:
            continue
        bars = [bar for row in table.sample if (bar := _bar(row, columns, style)) is not None]
        told = [bar for bar in bars if min(bar) < max(bar)]
        wrong = [bar for bar in told if not _is_bar(bar)]
        if len(wrong) * 2 > len(told):
            figures = ", ".join(str(figure) for figure in wrong[0])
            raise DataError(
                f"{table.member}: {len(wrong)} of its first {len(told)} bars are none by the order"
                f" {', '.join(f'{side}{name}' for name in BAR_ROLES[:4])} ({figures}): say what"
                " each column holds with --columns, in the order in which they stand"
            )


def _bar(row: Sequence[str], columns: Sequence[int], style: FigureStyle) -> list[Decimal] | None:
    try:
        return [Decimal(style.plain(row[place])) for place in columns]
    except (FigureError, IndexError):
        return None  # an empty row, or one that is named when its turn comes


def _is_bar(bar: Sequence[Decimal]) -> bool:
    opened, high, low, closed = bar
    return low <= min(opened, closed) <= max(opened, closed) <= high
