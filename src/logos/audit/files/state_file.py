"""What state.json and host.json say besides the journal's position, against the journal."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from logos.audit.files.figures import Figures
from logos.audit.findings import Finding
from logos.audit.open_orders import SymbolBook
from logos.core.records import PositionRecord
from logos.journal.entries import Manifest


def check_state(
    state: Mapping[str, Any], figures: Figures, books: Mapping[str, SymbolBook], last_ns: int
) -> list[Finding]:
    """Counters, marks, lots and open orders of state.json; `last_ns` is the last record's time."""
    found: list[Finding] = []
    orders, fills = sum(figures.orders.values()), sum(figures.fills.values())
    for key, mine in (
        ("next_order_id", orders + 1),
        ("next_fill_id", fills + 1),
        ("now_ns", last_ns),
    ):
        if state.get(key) != mine:
            found.append(_differs(key, state.get(key), mine))
    ticks = state.get("tick_id")
    if not isinstance(ticks, int) or ticks < figures.last_tick_id:
        found.append(_differs("tick_id", ticks, figures.last_tick_id))
    positions = state.get("positions")
    there = positions if isinstance(positions, dict) else {}
    for symbol, record in figures.positions.items():
        entry = there.get(symbol)
        entry = entry if isinstance(entry, dict) else {}
        found += _check_position(f"positions.{symbol}", entry, record)
        found += _check_orders(f"positions.{symbol}.open_orders", entry, books.get(symbol), record)
    return found


def check_host(host: Mapping[str, Any], manifest: Manifest) -> list[Finding]:
    """What host.json says that the journal knows, and whether its times can be."""
    found = []
    if host.get("software") != manifest.software:
        words = f"is {host.get('software')!r}, and the journal says {manifest.software!r}"
        found.append(Finding("host.json", "software", words))
    started, ended = str(host.get("started", "")), str(host.get("ended", ""))
    if not started or ended < started:
        words = f"is {ended!r}, and the session started at {started!r}"
        found.append(Finding("host.json", "ended", words))
    return found


def _differs(place: str, said: object, mine: object) -> Finding:
    return Finding("state.json", place, f"is {said!r}, and the journal says {mine!r}")


def _check_position(place: str, entry: Mapping[str, Any], record: PositionRecord) -> list[Finding]:
    """The mark, and that the lots come to the position and its cost."""
    found = []
    mark = record.mark_units / Fraction(10) ** record.price_decimals
    if _number(entry.get("mark")) != mark:
        found.append(_differs(f"{place}.mark", entry.get("mark"), float(mark)))
    lots = entry.get("lots")
    lots = [lot for lot in lots if isinstance(lot, dict)] if isinstance(lots, list) else []
    quantities = [_number(lot.get("quantity")) for lot in lots]
    held = record.position_units / Fraction(10) ** record.quantity_decimals
    if None in quantities or sum(each or 0 for each in quantities) != held:
        words = "the lots do not come to the position of the journal's last sample"
        found.append(Finding("state.json", f"{place}.lots", words))
    return found


def _check_orders(
    place: str, entry: Mapping[str, Any], book: SymbolBook | None, record: PositionRecord
) -> list[Finding]:
    """The orders that are open at the end."""
    scale = 10**record.quantity_decimals
    mine = {}
    for order in book.open.values() if book is not None else ():
        side = "BUY" if order.is_buy else "SELL"
        filled = Fraction(order.filled, scale)
        mine[order.order_id] = (side, order.status.value, Fraction(order.quantity, scale), filled)
    orders = entry.get("open_orders")
    said = {}
    for each in orders if isinstance(orders, list) else ():
        if isinstance(each, dict):
            amounts = (_number(each.get("quantity")), _number(each.get("filled")))
            said[each.get("order_id")] = (each.get("side"), each.get("status"), *amounts)
    if said == mine:
        return []
    return [Finding("state.json", place, "are not the orders that the journal left open")]


def _number(text: object) -> Fraction | None:
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return None
