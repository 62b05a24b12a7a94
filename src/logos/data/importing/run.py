"""Importing: files of other programs into our own CSV, whole or not at all.

First every file is opened and understood, then what was understood is shown, then rows are
converted, and only when the last row was read without a fault the outputs get their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from logos.core.types import NS_PER_DAY
from logos.data.importing.cells.times import TimeError
from logos.data.importing.formats import LAYOUTS
from logos.data.importing.options import ImportOptions
from logos.data.importing.plan import Plan, make_plan
from logos.data.importing.report import ImportReport, is_pair, left_words, understood
from logos.data.importing.rows import CUT_ROW, Left, RowConverter
from logos.data.importing.sink import Sink, SymbolRows
from logos.data.importing.tables.container import TEXT, Member, members_of
from logos.data.importing.tables.json import JsonTable, is_json
from logos.data.importing.tables.table import RowBlock, Table, TextTable
from logos.data.layout import BARS, QUOTE_BARS
from logos.data.names import check_symbol, parse_name, stem_for
from logos.data.readers.optional import arrow_available
from logos.data.times.lengths import BarLength
from logos.errors import DataError

_STEPS_MIN: Final = 3


def open_table(member: Member, options: ImportOptions) -> Table:
    """The table in a member. Raises DataError."""
    if member.form != TEXT:
        from logos.data.importing.tables.arrow import ArrowTable

        return ArrowTable(member)
    if is_json(member):
        return JsonTable(member)
    return TextTable(member, separator=options.separator, skip=options.skip)


def import_files(
    paths: Sequence[str | Path],
    out_dir: str | Path,
    options: ImportOptions,
    *,
    show: Callable[[list[str]], None] | None = None,
) -> ImportReport:
    """Import files into `out_dir`, one output for each symbol (two for bids and asks).

    `show` is called with what was understood, before anything is written. Raises DataError with
    file and line for what cannot be read, and leaves nothing behind then.
    """
    members = [member for path in paths for member in members_of(Path(path))]
    plans = [_planned(member, options) for member in members]
    _check_alike(plans)
    plans.sort(key=_sample_ends)
    if show is not None:
        show(understood(plans))
    left = Left()
    kind = BARS if plans[0].kind == QUOTE_BARS else plans[0].kind
    stem = _original(plans)

    def name_of(rows: SymbolRows, side: str) -> Path:
        return Path(out_dir) / _name(plans[0], rows, stem, side)

    with ExitStack() as stack:
        sinks: list[Sink] = []
        for sides, group in _by_half(plans):
            sink = Sink(Path(out_dir), kind, sides, left, sort=options.sort)
            sinks.append(stack.enter_context(sink))
            for plan in group:
                sink.begin(plan.table.member)
                _convert(plan, options, sink, left)
                sink.end()
            sink.finish()
            if not sink.symbols:
                why = "; ".join(_left(left)) or "no rows"
                raise DataError(f"{group[0].table.member}: not one row was imported: {why}")
            _check_steps(group[0], options, sink)
        report = ImportReport()
        for sink in sinks:
            sink.check_names(name_of)
        report.paths = [path for sink in sinks for path in sink.publish(name_of)]
        for sink in sinks:
            for symbol, rows in sink.symbols.items():
                report.rows[symbol] = max(*rows.halves_rows, report.rows.get(symbol, 0))
    report.left = _left(left)
    return report


def _by_half(plans: Sequence[Plan]) -> list[tuple[tuple[str, ...], list[Plan]]]:
    """(sides of the outputs, files) of what is written together.

    Files of bids and files of asks that are given together make a pair; one of the two sides
    alone is bars like any others.
    """
    if plans[0].kind == QUOTE_BARS:
        return [(("bid", "ask"), list(plans))]
    if not is_pair(plans):
        return [(("",), list(plans))]
    return [((side,), [plan for plan in plans if plan.half == side]) for side in ("bid", "ask")]


def _planned(member: Member, options: ImportOptions) -> Plan:
    with closing(open_table(member, options)) as table:
        plan = make_plan(table, options, LAYOUTS)
    if plan.symbol:
        check_symbol(plan.symbol)
    if not plan.symbol and plan.symbol_place is None:
        plan.symbol = _named_symbol(member)
    if plan.kind == BARS and not plan.half:
        plan.half = parse_name(Path(member.name)).side
    if not plan.symbol and plan.symbol_place is None:
        raise DataError(f"{member}: say of which symbol its rows are with --symbol")
    return plan


def _named_symbol(member: Member) -> str:
    """The symbol in the name of a file that says an interval, or is a symbol alone; else empty."""
    named = parse_name(Path(member.name))
    stem = member.name.split(".")[0]
    is_symbol = re.fullmatch(r"[A-Z0-9^=-]{2,20}", stem) and not stem.isdigit()
    return named.symbol if named.interval or is_symbol else ""


def _check_alike(plans: Sequence[Plan]) -> None:
    first = plans[0]
    may_be_sides = is_pair(plans)
    for plan in plans[1:]:
        for what, one, other in (
            ("kind", first.kind, plan.kind),
            ("format", first.format, plan.format),
            ("interval", str(first.length), str(plan.length)),
            ("side", first.half or "none", plan.half or "none"),
        ):
            if one != other and not (what == "side" and may_be_sides):
                raise DataError(
                    f"{first.table.member} and {plan.table.member} differ in {what}: {one} and"
                    f" {other}; import them one by one"
                )


def _sample_ends(plan: Plan) -> tuple[int, int]:
    """The first and the last moment of the first rows, for the order of files and of rows."""
    time = plan.time.again()
    moments: list[int] = []
    for row in (*plan.table.sample[:2], *plan.table.sample[-1:]):
        try:
            moments.append(time(plan.moment_text(row)))
        except (TimeError, IndexError):
            continue  # the row is named when its turn comes
    return (moments[0], moments[-1]) if moments else (0, 0)


def _convert(plan: Plan, options: ImportOptions, sink: Sink, left: Left) -> None:
    wanted = frozenset(options.symbols) if plan.symbol_place is not None else frozenset()
    first_ns, last_ns = _sample_ends(plan)
    plan.time = plan.time.again(is_backwards=last_ns < first_ns)
    converter = RowConverter(plan, wanted, left)
    is_fast = arrow_available()
    with closing(open_table(plan.table.member, options)) as table:
        for block in table.blocks():
            rows = _whole_rows(block, options, converter, left)
            if rows is None and is_fast and _take_fast(block, converter, sink):
                continue
            for batch in converter.convert(block.rows() if rows is None else rows):
                sink.add(batch)
    converter.finish()


def _take_fast(block: RowBlock, converter: RowConverter, sink: Sink) -> bool:
    columns = block.arrow_columns()
    if columns is None:
        return False
    from logos.data.importing.fast import fast_batches

    batches = fast_batches(converter, columns)
    if batches is None:
        return False
    for batch in batches:
        if not sink.add(batch):
            # Read again row by row, which names the line of what is out of order.
            again = {each.symbol: each for each in converter.convert(block.rows())}
            sink.add(again[batch.symbol])
    return True


def _whole_rows(
    block: RowBlock, options: ImportOptions, converter: RowConverter, left: Left
) -> list[tuple[int, list[str]]] | None:
    """The rows of a block whose last line lacks its end; None for any other block."""
    if not block.is_cut:
        return None
    rows = list(block.rows())
    layout = converter.plan.layout
    # What was cut off an archive its checksums show.
    is_joined = layout is not None and layout.joined and converter.plan.table.member.inside
    if not rows or is_joined or options.last_row == "keep":
        return rows
    line, cells = rows[-1]
    if options.last_row == "drop":
        left.add(CUT_ROW, f"line {line}: {','.join(cells)[:60]!r}")
        return rows[:-1]
    raise converter.error(
        line,
        f"the last line has no newline, so it may be cut short: {','.join(cells)[:60]!r}; fetch"
        " the file again, or say --last-row drop to leave this row out, or --last-row keep if it"
        " is whole",
    )


def _check_steps(plan: Plan, options: ImportOptions, sink: Sink) -> None:
    """A length of bars that a layout, a name or the first rows say must be that of all: bars that
    are taken as shorter than they are would be seen before they close."""
    if plan.length is None or options.interval or "close_time" in plan.places:
        return
    # Of months the length is the longest they can be, and February is the shortest.
    shortest_ns = plan.length.months * 28 * NS_PER_DAY or plan.length.ns
    longest_ns = plan.length.months * 31 * NS_PER_DAY or plan.length.ns
    for rows in sink.symbols.values():
        steps = {step: count for step, count in rows.steps.items() if step > 0}
        if not steps:
            continue
        commonest_ns = max(steps, key=lambda step: (steps[step], -step))
        if plan.is_stamped_close and plan.length.ns % NS_PER_DAY == 0 and not plan.has_zoned_days:
            odd = next((step for step in steps if step % NS_PER_DAY), 0)
            if odd:
                raise DataError(
                    f"{plan.table.member}: {rows.symbol}: its days end at a clock that is changed"
                    f" ({BarLength(odd)} lie between two of them); say its zone with --timezone"
                )
        # Two days with a weekend between them are no sign of longer bars.
        is_shown = sum(steps.values()) >= _STEPS_MIN
        if commonest_ns < shortest_ns or (is_shown and commonest_ns > longest_ns):
            raise DataError(
                f"{plan.table.member}: {rows.symbol}: its bars were taken as {plan.length} long,"
                f" and most begin {BarLength(commonest_ns)} after each other; say --interval"
            )


def _left(left: Left) -> list[str]:
    return left_words(left.counts, left.first)


def _original(plans: Sequence[Plan]) -> str:
    paths = [plan.table.member.path for plan in plans]
    names = [
        member.path.name if paths.count(member.path) == 1 else member.name
        for member in (plan.table.member for plan in plans)
    ]
    names = [re.sub(r"[^A-Za-z0-9-]+", "-", name.split(".")[0]).strip("-") for name in names]
    # Whether a side alone is half of a pair is told by the name that it gets.
    sides = re.compile(r"(?i)-(bid|ask)(?=-|$)")
    names = list(dict.fromkeys(sides.sub("", name) if plans[0].half else name for name in names))
    return names[0] if len(names) == 1 else f"{names[0]}-to-{names[-1]}"


def _name(plan: Plan, rows: SymbolRows, original: str, side: str) -> str:
    token = "" if plan.length is None else str(plan.length)
    return f"{stem_for(rows.symbol, plan.format, token, original, side=side)}.csv"
