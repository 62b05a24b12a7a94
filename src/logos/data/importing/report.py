"""What an import understood, in words, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from logos.data.importing.plan import Plan
from logos.data.layout import BARS, QUOTE_BARS


@dataclass(slots=True)
class ImportReport:
    """The files written, rows of each symbol, and a line for each reason why rows were left out."""

    paths: list[Path] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def is_pair(plans: Sequence[Plan]) -> bool:
    """Whether the files are bids and asks of the same bars."""
    return plans[0].kind == BARS and {plan.half for plan in plans} == {"bid", "ask"}


def understood(plans: Sequence[Plan]) -> list[str]:
    """What was understood of the files, a line each; all of them are read like the first."""
    plan = plans[0]
    table = plan.table
    title = "a table, by the names of its columns"
    if plan.layout is not None:
        title = f"{plan.layout.title} ({plan.layout.name})"
    if plan.layout is None and not table.headers:
        title = "a table, by the columns that were named"
    names = ", ".join(each.table.member.name for each in plans[:3])
    lines = [
        f"{names}{f' and {len(plans) - 3} more' if len(plans) > 3 else ''}: {title}",
        f"  kind       {'quote bars' if is_pair(plans) else plan.kind.replace('_', ' ')}",
        f"  symbol     {_symbol_words(plan)}",
    ]
    if plan.half and not is_pair(plans):
        lines.append(f"  side       {plan.half}s alone: the spread is not in them")
    if plan.kind in (BARS, QUOTE_BARS):
        end = (
            "stamped at the close, made its open"
            if plan.is_stamped_close
            else "stamped at the open"
        )
        if plan.is_last_day:
            end = "stamped with the last day, made the first"
        lines.append(f"  interval   {plan.length}, {end}")
    lines.append(f"  times      {plan.zone_said or 'each has its offset'}")
    lines.append(f"  columns    {_columns_words(plan)}")
    unused = _unused(plan)
    if plan.layout is not None and plan.layout.left:
        lines.append(f"  not used   {plan.layout.left}")
    elif unused:
        lines.append(f"  not used   {', '.join(unused)[:200]}")
    if table.skipped:
        lines.append(f"  skipped    {len(table.skipped)} lines above: {table.skipped[0][:60]!r}")
    if plan.prices.decimal == ",":
        lines.append("  figures    decimals after a comma")
    if plan.layout is not None and plan.layout.note:
        lines.append(f"  note       {plan.layout.note}")
    return lines


def _symbol_words(plan: Plan) -> str:
    if plan.symbol_place is None:
        return plan.symbol
    name = _column_name(plan, plan.symbol_place)
    if plan.own_symbol:
        return f"{plan.symbol}, for the file's {plan.own_symbol}"
    return f"{plan.symbol}, of column {name}" if plan.symbol else f"each of column {name}"


def _column_name(plan: Plan, place: int) -> str:
    headers = plan.table.headers
    name = headers[0][place] if headers and place < len(headers[0]) else ""
    return name or f"{place + 1}"


def _columns_words(plan: Plan) -> str:
    words = []
    for role, place in plan.places.items():
        name = _column_name(plan, place)
        words.append(role if name.lower() == role else f"{role} ({name})")
    return ", ".join(words)


def _unused(plan: Plan) -> list[str]:
    used = {*plan.places.values(), plan.symbol_place}
    if not plan.table.headers:
        return [f"column {at + 1}" for at in range(plan.table.width) if at not in used]
    return [name for at, name in enumerate(plan.table.headers[0]) if at not in used and name]


def left_words(counts: Mapping[str, int], first: Mapping[str, str]) -> list[str]:
    """What was left out, a line for each reason."""
    return [f"{reason}: {count:,} ({first[reason]})" for reason, count in counts.items()]
