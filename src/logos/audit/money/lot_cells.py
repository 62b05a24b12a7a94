"""The cells of trades.csv that tell of lots: `L1:1000@1.07:10.00:2.00;...` and `L2:500`."""

from __future__ import annotations

import re
from fractions import Fraction

from logos.audit.csv_cells import Cells, plain
from logos.audit.money.lots import Closed, Lot

_CLOSURE = re.compile(r"L([0-9]+):([0-9.]+)@(-?[0-9.]+):(-?[0-9.]+):(-?[0-9.]+)")
_OPENING = re.compile(r"L([0-9]+):(-?[0-9.]+)")


def compare_closures(cells: Cells, closed: list[Closed]) -> None:
    """Judge `lots_closed`: every lot, quantity, price, profit and share of fees."""
    printed = cells.text("lots_closed")
    texts = printed.split(";") if printed else []
    values = [_closure_values(cells, text) for text in texts]
    if values != [(part.number, list(part[1:])) for part in closed]:
        expected = [
            f"L{part.number}:{plain(part.quantity)}@{plain(part.price)}:{plain(part.pnl)}"
            f":{plain(part.fee)}"
            for part in closed
        ]
        cells.differ("lots_closed", printed, ";".join(expected))


def _closure_values(cells: Cells, text: str) -> tuple[int, list[Fraction]]:
    match = _CLOSURE.fullmatch(text)
    if match is None:
        raise cells.error("lots_closed", f"{text!r} is not lot:quantity@price:profit:fee")
    number, *amounts = match.groups()
    return int(number), [cells.fraction("lots_closed", amount) for amount in amounts]


def compare_opening(cells: Cells, opened: Lot | None) -> None:
    """Judge `lot_opened`: its number and quantity, or that there is none."""
    printed = cells.text("lot_opened")
    expected = "" if opened is None else f"L{opened.number}:{plain(opened.left)}"
    if not printed or opened is None:
        cells.compare_text("lot_opened", expected)
        return
    match = _OPENING.fullmatch(printed)
    if match is None:
        raise cells.error("lot_opened", "not lot:quantity")
    if (int(match[1]), cells.fraction("lot_opened", match[2])) != (opened.number, opened.left):
        cells.differ("lot_opened", printed, expected)
