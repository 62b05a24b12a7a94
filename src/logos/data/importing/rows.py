"""Rows of a foreign table into rows of ours, one at a time: the authority on what a row says.

Figures are carried over as text, digit by digit. A row is converted whole, or left out for a
reason that is counted and said, or refused with its line. Nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from logos.data.digits import TickRounding
from logos.data.importing.cells.figures import FigureError, is_not_reported
from logos.data.importing.cells.roles import TRUTHS
from logos.data.importing.cells.times import TimeError
from logos.data.importing.plan import Plan
from logos.data.importing.record import BAR_ROLES
from logos.data.layout import BARS, QUOTE_BARS, QUOTES
from logos.data.readers.numbers import format_timestamp
from logos.errors import DataError

SIDES: Final = {
    **dict.fromkeys(("buy", "b", "bid", "buyer"), "buy"),
    **dict.fromkeys(("sell", "s", "ask", "seller"), "sell"),
    **dict.fromkeys(("", "unknown", "n", "none"), ""),
}
MAKERS: Final = {word: "sell" if is_maker else "buy" for word, is_maker in TRUTHS.items()} | {
    "": ""
}

EMPTY_ROW: Final = "rows without a price"
FOOTER: Final = "lines after the last row"
OTHER_SYMBOL: Final = "rows of other symbols"
CUT_ROW: Final = "a last row without its end"
DUPLICATE: Final = "rows that stand there twice"


@dataclass(slots=True)
class Left:
    """What was left out: how many of each kind, and where the first was."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, where: str, count: int = 1) -> None:
        """Count one more."""
        self.counts[reason] = self.counts.get(reason, 0) + count
        self.first.setdefault(reason, where)


@dataclass(slots=True)
class Batch:
    """Converted rows of one symbol: their times (ns since 1970) and, for each output file, their
    lines of text; None where a half of a pair has no such row. `lines` are those of the input."""

    symbol: str
    moments: list[int]
    texts: list[list[str | None]]
    lines: Sequence[int] | None = None


class RowConverter:
    """Converts the rows of one table. Raises DataError with the line of what it cannot read."""

    def __init__(self, plan: Plan, wanted: frozenset[str], left: Left) -> None:
        self.plan = plan
        self.left = left
        self._wanted = wanted
        self._member = plan.table.member
        self.rounding = TickRounding(plan.tick) if plan.tick else None
        self._closes = plan.time.again()
        self._halves = _halves(plan)
        self._footer: tuple[int, str] | None = None

    def error(self, line: int, problem: str) -> DataError:
        """An error that names the file and the line."""
        return DataError(f"{self._member}:{line}: {problem}")

    def convert(self, rows: Iterable[tuple[int, list[str]]]) -> list[Batch]:
        """The rows as batches, one for each symbol."""
        batches: dict[str, Batch] = {}
        for line, cells in rows:
            if len(cells) != self.plan.table.width:
                self._odd_line(line, cells)
                continue
            if self._footer is not None:
                at, text = self._footer
                raise self.error(at, f"not a row of the table: {text[:60]!r}")
            symbol = self.symbol_of(line, cells)
            texts = self._row(line, cells) if symbol is not None else None
            if symbol is None or texts is None:
                continue
            moment_ns, halves = texts
            batch = batches.get(symbol)
            if batch is None:
                batch = batches[symbol] = Batch(symbol, [], [[] for _ in halves], [])
            batch.moments.append(moment_ns)
            assert isinstance(batch.lines, list)
            batch.lines.append(line)
            for column, text_of_half in zip(batch.texts, halves, strict=True):
                column.append(text_of_half)
        return list(batches.values())

    def finish(self) -> None:
        """Count what stood below the last row. Raises DataError for a tick that changes prices."""
        problem = "" if self.rounding is None else self.rounding.problem()
        if problem:
            raise DataError(f"{self._member}: {problem}")
        for doubt in self.plan.time.doubts():
            raise DataError(f"{self._member}: {doubt}")
        if self._footer is not None:
            self.left.add(FOOTER, f"line {self._footer[0]}: {self._footer[1][:60]!r}")

    def _odd_line(self, line: int, cells: Sequence[str]) -> None:
        text = self.plan.table.separator.join(cells)
        is_row = text.lstrip("\"'")[:1].isdigit() or self.plan.symbol_place == 0
        if is_row or not text[:1].isalpha():
            raise self.error(
                line, f"{len(cells)} columns instead of {self.plan.table.width}: {text[:60]!r}"
            )
        if self._footer is None:
            self._footer = line, text

    def symbol_of(self, line: int, cells: Sequence[str]) -> str | None:
        """The symbol of a row; None for one that is not wanted."""
        place = self.plan.symbol_place
        if place is None:
            return self.plan.symbol
        symbol = cells[place].strip()
        if not symbol:
            raise self.error(line, "there is no symbol in this row")
        return self.named(symbol, f"line {line}")

    def named(self, symbol: str, where: str, count: int = 1) -> str | None:
        """What rows of a symbol are called; None when they are not wanted."""
        own = self.plan.own_symbol
        if own:
            if symbol == own:
                return self.plan.symbol
            raise DataError(
                f"{self._member}: {where}: there are {own} and {symbol} in this file; say which"
                f" with --symbol {symbol}, or leave --symbol out to import all"
            )
        if not self._wanted or symbol in self._wanted:
            return symbol
        self.left.add(OTHER_SYMBOL, where, count)
        return None

    def _row(self, line: int, cells: list[str]) -> tuple[int, list[str | None]] | None:
        plan = self.plan
        why = plan.rules.left_out(cells)
        if why:
            self.left.add(why, f"line {line}: {plan.moment_text(cells)}")
            return None
        figures = [place for _, places in self._halves for place in places[:4] if place >= 0]
        if all(is_not_reported(cells[place]) for place in figures):
            self.left.add(EMPTY_ROW, f"line {line}: {plan.moment_text(cells)}")
            return None
        try:
            moment_ns = plan.opened_ns(plan.moment_ns(cells))
            closing = plan.places.get("close_time")
            if closing is not None and plan.interval_ns:
                self._check_close(line, moment_ns, cells[closing])
        except TimeError as error:
            raise self.error(line, str(error)) from None
        moment = format_timestamp(moment_ns)
        if plan.kind not in (BARS, QUOTE_BARS):
            return moment_ns, [",".join((moment, *self._event(line, cells)))]
        return moment_ns, [self._bar(line, cells, moment, places) for _, places in self._halves]

    def _check_close(self, line: int, opened_ns: int, text: str) -> None:
        closed_ns = self._closes(text)
        if not opened_ns < closed_ns <= opened_ns + self.plan.interval_ns:
            raise self.error(
                line,
                f"it opens at {format_timestamp(opened_ns)} and closes at"
                f" {format_timestamp(closed_ns)}: not a bar of"
                f" {self.plan.interval_ns / 10**9:g} s",
            )

    def _bar(
        self, line: int, cells: Sequence[str], moment: str, places: Sequence[int]
    ) -> str | None:
        if all(not cells[place].strip() for place in places[:4]):
            return None
        names = BAR_ROLES[:4]
        prices = [
            self._price(line, cells[place], name)
            for name, place in zip(names, places, strict=False)
        ]
        return ",".join((moment, *prices, self._size(line, cells, places[4], "volume")))

    def _event(self, line: int, cells: Sequence[str]) -> list[str]:
        places = self.plan.places
        if self.plan.kind == QUOTES:
            prices = [self._price(line, cells[places[name]], name) for name in ("bid", "ask")]
            names = ("bid_size", "ask_size")
            return [*prices, *(self._size(line, cells, places.get(n, -1), n) for n in names)]
        price = self._price(line, cells[places["price"]], "price")
        return [
            price,
            self._size(line, cells, places.get("size", -1), "size"),
            self._side(line, cells),
        ]

    def _side(self, line: int, cells: Sequence[str]) -> str:
        for role, words in (("side", self.plan.rules.sides or SIDES), ("maker", MAKERS)):
            place = self.plan.places.get(role)
            if place is not None:
                side = words.get(cells[place].strip().lower())
                if side is None:
                    raise self.error(line, f"{role} is {cells[place][:40]!r}: neither of two sides")
                return side
        return ""

    def _price(self, line: int, text: str, name: str) -> str:
        problem = self.plan.rules.price_problem(text)
        if problem:
            raise self.error(line, f"{name} {problem}")
        try:
            plain = self.plan.prices.plain(text)
        except FigureError as error:
            raise self.error(line, f"{name} {error}") from None
        return plain if self.rounding is None else self.rounding(plain, f"line {line}")

    def _size(self, line: int, cells: Sequence[str], place: int, name: str) -> str:
        if place < 0 or is_not_reported(cells[place]):
            return ""
        if cells[place].strip() in self.plan.rules.not_reported:
            return ""
        try:
            plain = self.plan.sizes.plain(cells[place])
        except FigureError as error:
            raise self.error(line, f"{name} {error}") from None
        if plain.startswith("-") and plain.strip("-0."):
            raise self.error(
                line,
                f"{name} is {cells[place][:40]!r}: less than nothing (where a sign says the side,"
                " the file must be written with a column for it first)",
            )
        return plain if self.rounding is None else without_zeros(plain)


def without_zeros(plain: str) -> str:
    """A figure without the zeros at its end that say nothing."""
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _halves(plan: Plan) -> list[tuple[str, tuple[int, ...]]]:
    """(side, columns of the figures) of each output file."""
    if plan.kind == QUOTE_BARS:
        return [
            (side, tuple(plan.places.get(f"{side}_{name}", -1) for name in BAR_ROLES))
            for side in ("bid", "ask")
        ]
    if plan.kind == BARS:
        return [("", tuple(plan.places.get(name, -1) for name in BAR_ROLES))]
    names = ("bid", "ask") if plan.kind == QUOTES else ("price",)
    return [("", tuple(plan.places[name] for name in names))]
