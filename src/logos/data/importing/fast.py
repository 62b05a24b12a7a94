"""Columns of cells at once, with pyarrow: only where there is nothing to decide.

What this module cannot take as it stands gives None, and is then read row by row by `rows`, which
is the authority; both give the same text.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from logos.data.digits import TickRounding
from logos.data.importing.cells.times import (
    CLOCK_EPOCH,
    EPOCH,
    ISO,
    MIDNIGHT_MS,
    TimeError,
    epoch_ns,
    pattern_of,
)
from logos.data.importing.plan import Plan
from logos.data.importing.record import BAR_ROLES
from logos.data.importing.rows import MAKERS, SIDES, Batch, RowConverter, without_zeros
from logos.data.layout import BARS, QUOTE_BARS, QUOTES, TRADES
from logos.data.times.reader import TIME_FORMATS

_FIGURES: Final = {
    ".": r"^-?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?$",
    ",": r"^-?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?$",
}
_SIZES: Final = {sign: "^$|" + pattern.replace("-?", "") for sign, pattern in _FIGURES.items()}
_ISO_UTC: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
_PRICE_ROLES: Final = (*BAR_ROLES[:4], "price", "bid", "ask")
_SIZE_ROLES: Final = ("volume", "size", "bid_size", "ask_size")
_ISO_PLAIN: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}$"


def fast_batches(converter: RowConverter, columns: list[Any]) -> list[Batch] | None:
    """The cells of a block as batches, or None when a row of it needs a careful look."""
    plan = converter.plan
    if len(columns) != plan.table.width or plan.kind == QUOTE_BARS:
        return None
    try:
        if not _is_ruled_plainly(plan, columns):
            return None
        rounding = copy.copy(converter.rounding)
        cells = _output_columns(plan, columns, rounding)
        if cells is None or (rounding is not None and rounding.moved):
            return None  # what a tick would change is counted and named row by row
        # Last, as the reader of times keeps in mind what it has read.
        moments = _moments(plan, columns)
        if moments is None or not _are_closed_in_time(plan, columns, moments):
            return None
        _carry_on(plan, columns)
        converter.rounding = rounding
        if plan.is_last_day or (plan.is_stamped_close and plan.has_zoned_days):
            moments = pa.array(map(plan.opened_ns, moments.to_pylist()), pa.int64())
        elif plan.is_stamped_close:
            moments = pc.subtract(moments, plan.interval_ns)
        return _by_symbol(converter, columns, moments, [_time_text(moments), *cells])
    except (pa.ArrowException, OverflowError):
        return None


def _is_ruled_plainly(plan: Plan, columns: list[Any]) -> bool:
    """Whether none of these rows is one of which the layout says something of its own."""
    rules = plan.rules
    for place, pattern in rules.patterns:
        cells = pc.utf8_trim_whitespace(columns[place])
        if pc.any(pc.match_substring_regex(cells, f"^(?:{pattern})$")).as_py():
            return False
    sizes = [plan.places[name] for name in _SIZE_ROLES if name in plan.places]
    if rules.not_reported:
        unknown = pa.array(sorted(rules.not_reported), pa.string())
        if any(pc.any(pc.is_in(columns[place], unknown)).as_py() for place in sizes):
            return False
    if rules.needs_point:
        prices = [plan.places[name] for name in _PRICE_ROLES if name in plan.places]
        if not all(pc.all(pc.match_substring(columns[at], ".")).as_py() for at in prices):
            return False
    return not any(pc.any(pc.equal(columns[place], "")).as_py() for place in rules.carried_places)


def _carry_on(plan: Plan, columns: list[Any]) -> None:
    """The rows after this block may leave out what its last row says."""
    rules = plan.rules
    rules.carry_on({place: columns[place][-1].as_py() for place in rules.carried_places})


def _by_symbol(
    converter: RowConverter, columns: list[Any], moments: Any, cells: list[Any]
) -> list[Batch] | None:
    place = converter.plan.symbol_place
    if place is None:
        return [_batch(converter.plan.symbol, moments, cells)]
    symbols = pc.utf8_trim_whitespace(columns[place])
    batches: list[Batch] = []
    for name in pc.unique(symbols).to_pylist():
        if not name:
            return None
        mask = pc.equal(symbols, name)
        called = converter.named(name, converter.plan.table.member.name, pc.sum(mask).as_py())
        if called is not None:
            batches.append(
                _batch(called, moments.filter(mask), [_kept(each, mask) for each in cells])
            )
    return batches


def _kept(column: Any, mask: Any) -> Any:
    """The cells of the rows in `mask`; one text that stands for a whole column stays as it is."""
    return column if isinstance(column, pa.Scalar) else column.filter(mask)


def _batch(symbol: str, moments: Any, cells: list[Any]) -> Batch:
    texts = pc.binary_join_element_wise(*cells, ",").to_pylist()
    return Batch(symbol, moments.to_pylist(), [texts])


def _output_columns(
    plan: Plan, columns: list[Any], rounding: TickRounding | None
) -> list[Any] | None:
    roles = {
        BARS: (BAR_ROLES[:4], BAR_ROLES[4:]),
        QUOTES: (("bid", "ask"), ("bid_size", "ask_size")),
        TRADES: (("price",), ("size",)),
    }[plan.kind]
    cells: list[Any] = []
    for style, pattern, names in (
        (plan.prices, _FIGURES, roles[0]),
        (plan.sizes, _SIZES, roles[1]),
    ):
        for name in names:
            place = plan.places.get(name)
            if place is None:
                cells.append(pa.scalar(""))
                continue
            column = columns[place]
            if not pc.all(pc.match_substring_regex(column, pattern[style.decimal])).as_py():
                return None
            is_price = names is roles[0]
            if style.shift and is_price and pc.any(pc.match_substring(column, ".")).as_py():
                return None
            if style.decimal == ",":
                column = pc.replace_substring(column, ".", "")
                column = pc.replace_substring(column, ",", ".")
            else:
                column = pc.replace_substring(column, ",", "")
            if style.shift:
                column = _mapped(column, style.plain)
            if rounding is not None:
                column = _on_tick(column, rounding) if is_price else _mapped(column, without_zeros)
            cells.append(column)
    if plan.kind == TRADES:
        cells.append(_sides(plan, columns))
    return cells if cells[-1] is not None else None


def _mapped(column: Any, plain: Callable[[str], str]) -> Any:
    """The column with `plain` of each cell, which is asked once for cells that are the same."""
    encoded = pc.dictionary_encode(column)
    texts = [plain(text) for text in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(texts, pa.string()), encoded.indices)


def _on_tick(column: Any, rounding: TickRounding) -> Any:
    """Prices as `TickRounding` writes them."""
    decimals = rounding.plain_decimals
    pattern = rf"^(0|[1-9][0-9]{{0,14}})(\.[0-9]{{1,{decimals or 1}}})?$"
    if not decimals or not pc.all(pc.match_substring_regex(column, pattern)).as_py():
        return _mapped(column, rounding)
    padded = pc.binary_join_element_wise(column, "0" * decimals, "")
    has_point = pc.match_substring(column, ".")
    whole = pc.binary_join_element_wise(column, "0" * decimals, ".")
    cut = pc.replace_substring_regex(padded, rf"^([0-9]+\.[0-9]{{{decimals}}})0*$", r"\1")
    return pc.if_else(has_point, cut, whole)


def _sides(plan: Plan, columns: list[Any]) -> Any:
    for role, words in (("side", plan.rules.sides or SIDES), ("maker", MAKERS)):
        place = plan.places.get(role)
        if place is not None:
            encoded = pc.dictionary_encode(columns[place])
            sides = [words.get(text.strip().lower()) for text in encoded.dictionary.to_pylist()]
            if None in sides:
                return None
            return pc.take(pa.array(sides, pa.string()), encoded.indices)
    return pa.scalar("")


def _moments(plan: Plan, columns: list[Any]) -> Any:
    """Nanoseconds since 1970 of each row, or None."""
    if "close_time" in plan.places and plan.time.format != EPOCH:
        return None
    if "time" in plan.places:
        texts = columns[plan.places["time"]]
    elif "clock" in plan.places:
        texts = pc.binary_join_element_wise(
            columns[plan.places["date"]], columns[plan.places["clock"]], " "
        )
    else:
        texts = columns[plan.places["date"]]
    if plan.time.format == EPOCH:
        return _epochs(texts)
    moments = _of_clock(plan, texts)
    if moments is not None:
        return moments
    try:
        return pa.array(map(plan.time, texts.to_pylist()), pa.int64())
    except TimeError:
        return None


def _of_clock(plan: Plan, texts: Any) -> Any:
    """Nanoseconds since 1970 of times of one width, by the format's parts; None for others."""
    if plan.time.format == ISO and pc.all(pc.match_substring_regex(texts, _ISO_UTC)).as_py():
        wall = pc.utf8_slice_codeunits(texts, 0, 19).cast(pa.timestamp("s"))
        return wall.cast(pa.timestamp("ns")).cast(pa.int64())
    template = _iso_template(plan.time.format)
    if template is None or plan.time.zone is None:
        return None
    pattern = _ISO_PLAIN if plan.time.format == ISO else f"^{pattern_of(plan.time.format).pattern}$"
    if not pc.all(pc.match_substring_regex(texts, pattern)).as_py():
        return None
    if plan.time.format != ISO:
        texts = pc.replace_substring_regex(texts, pattern, template)
    try:
        wall = texts.cast(pa.timestamp("ns"))
    except pa.ArrowException:
        return None
    if isinstance(plan.time.zone, ZoneInfo):
        # An hour that the clocks showed twice, or never, raises; the careful reader judges.
        return pc.assume_timezone(wall, plan.time.zone.key).cast(pa.int64())
    offset = plan.time.zone.utcoffset(None)
    if offset is None:
        return None
    return pc.subtract(wall.cast(pa.int64()), offset // timedelta(microseconds=1) * 1000)


def _iso_template(format: str) -> str | None:
    """What makes a time of a format an ISO time, by the groups of its pattern."""
    if format == ISO:
        return ""
    if format in TIME_FORMATS or format in (EPOCH, CLOCK_EPOCH, MIDNIGHT_MS):
        return None
    group = pattern_of(format).groupindex
    if not {"Y", "m", "d", "H", "M"} <= set(group) or set(group) & {"b", "y", "I", "p", "z", "Z"}:
        return None
    clock = "".join(f":\\{group[part]}" for part in ("M", "S") if part in group)
    fraction = f".\\{group['f']}" if "f" in group else ""
    return f"\\{group['Y']}-\\{group['m']}-\\{group['d']} \\{group['H']}{clock}{fraction}"


def _are_closed_in_time(plan: Plan, columns: list[Any], opened: Any) -> bool:
    """Whether each bar closes as late as its own close time may be, as `RowConverter` judges."""
    place = plan.places.get("close_time")
    if place is None or not plan.interval_ns:
        return True
    closed = _epochs(columns[place])
    if closed is None:
        return False
    spans = pc.min_max(pc.subtract(closed, opened)).as_py()
    return bool(spans["min"] > 0 and spans["max"] <= plan.interval_ns)


def _epochs(texts: Any) -> Any:
    if not pc.all(pc.match_substring_regex(texts, "^[0-9]{9,19}$")).as_py():
        return None
    numbers = texts.cast(pa.int64())
    ends = pc.min_max(numbers).as_py()
    first, last = (epoch_ns(str(ends[name])) for name in ("min", "max"))
    unit, other = first // ends["min"], last // ends["max"]
    return pc.multiply_checked(numbers, unit) if unit == other else None


def _time_text(moments: Any) -> Any:
    """The times as `format_timestamp` writes them: none, three, six or nine decimals."""
    for unit, ns in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        counts = pc.divide(moments, ns)
        if pc.all(pc.equal(pc.multiply(counts, ns), moments)).as_py():
            text = counts.cast(pa.timestamp(unit)).cast(pa.string())
            break
    else:
        unit, text = "ns", moments.cast(pa.timestamp("ns")).cast(pa.string())
    text = pc.replace_substring(text, " ", "T")
    for _ in range({"s": 0, "ms": 1, "us": 2, "ns": 3}[unit]):
        text = pc.replace_substring_regex(text, r"(\.[0-9]*)000$", r"\1")
    if unit != "s":
        text = pc.replace_substring_regex(text, r"\.$", "")
    return pc.binary_join_element_wise(text, "", "Z")
