"""The result of a session as a person reads it at the end: the money first, then why.

The figures are those of the analysis of the session's files, which is made here, once the session
has ended. Of a session whose tables are too large to be read in a moment, and of one whose analysis
fails, the table has what the session itself counted, and says so: what a session came to and how it
ended never depends on this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from logos.cli.screen.figures import amount, lasted, percent
from logos.cli.screen.terminal import Colour, Terminal, cut, wrapped
from logos.core.types import NS_PER_SECOND, SessionStatus
from logos.data.readers.numbers import parse_timestamp
from logos.journal.names import JOURNAL
from logos.session import SessionResult
from logos.session.artifacts.report import code_lines, halt_lines, held_words
from logos.session.presence.now import money_decimals
from logos.shown import plain

REPORT: Final = "report.html"
BYTES_MAX: Final = 32 << 20
"""Of journal and tables: what is larger, and takes more than about two seconds, is not read."""
_READ: Final = (JOURNAL, "orders.csv", "trades.csv", "positions.csv", "account.csv")
_BOOKS_MAX: Final = 4
"""Books that are shown beside each other."""
_TITLE_COLUMNS: Final = 10
_WARNINGS_MAX: Final = 5
_SYMBOLS_MAX: Final = 8
_NAME_MAX: Final = 16
_NOTHING: Final = "-"
_SHORT_NS: Final = 600 * NS_PER_SECOND

Summary = Mapping[str, Any]
_GOOD: Final = (SessionStatus.ENDED.value, SessionStatus.STOPPED.value)


class Money(NamedTuple):
    """One column of the table: a currency, or the total in one. None: not known."""

    name: str
    initial: Decimal
    net: Decimal
    ratio: float | None
    unrealised: Decimal
    fees: Decimal
    payments: Decimal
    drawdown: Decimal
    drawdown_ratio: float | None
    slippage: Decimal | None = None
    before: Decimal | None = None
    """What it would have come to without fees, slippage and payments."""
    against: float | None = None
    """`ratio` less that of buying and holding."""
    trips: int | None = None
    win_rate: float | None = None


class Figures(NamedTuple):
    """What the table shows of a session."""

    books: list[Money]
    where: str = ""
    """Whether its orders were real and where its data came from, in words."""
    note: str = ""
    """Why not all is known, in words."""


def figures_of(result: SessionResult) -> Figures:
    """The figures of a session that has ended. Raises nothing for what its files hold."""
    folder = result.folder
    try:
        size = sum((folder / name).stat().st_size for name in _READ if (folder / name).is_file())
        if size <= BYTES_MAX:
            found = _analysed(folder)
            return found._replace(books=[_deepest(each, result.summary) for each in found.books])
        why = f"its files are large ({size >> 20:,} MB)"
    except Exception as error:
        why = f"its files cannot be analysed: {type(error).__name__}: {error}"
    return Figures(_counted(result.summary), note=f"without round trips and slippage: {why}")


def _analysed(folder: Path) -> Figures:
    """The figures by the analysis of the files in `folder`. Raises what that raises."""
    from logos.analysis import analyse  # a reader of files: no session needs it before its end

    analysis = analyse(folder)
    facts = analysis.facts
    books = [
        Money(
            name=f"total {each.currency}" if each.statistics.is_total else each.currency,
            initial=each.statistics.initial,
            net=each.statistics.net,
            ratio=each.statistics.net_ratio,
            unrealised=each.statistics.unrealised,
            fees=each.statistics.fees,
            payments=each.statistics.payments,
            drawdown=each.statistics.max_drawdown,
            drawdown_ratio=each.statistics.max_drawdown_ratio,
            slippage=each.statistics.slippage,
            before=each.statistics.before_costs,
            against=each.statistics.against_hold_ratio,
            trips=each.statistics.trips.trips,
            win_rate=each.statistics.trips.win_rate,
        )
        for each in analysis.books
    ]
    mode = "REAL orders" if facts.mode == "live" else "paper"
    data = "recorded data" if facts.data == "recorded" else f"{facts.data} feed"
    return Figures(books, f"{mode}, {data}")


def _deepest(book: Money, summary: Summary) -> Money:
    """The book with the deepest fall that the session itself saw, which is that after any event:
    where there is no equity.csv, the total of several currencies is known by its samples alone."""
    total = summary["total"]
    counted = Decimal(total["max_drawdown"]) if total and book.name.startswith("total ") else 0
    if counted <= book.drawdown:
        return book
    if not book.drawdown or book.drawdown_ratio is None:
        return book._replace(drawdown=Decimal(counted))
    deeper = float(Decimal(counted) / book.drawdown)
    return book._replace(drawdown=Decimal(counted), drawdown_ratio=book.drawdown_ratio * deeper)


def _counted(summary: Summary) -> list[Money]:
    """The books by what the session itself counted."""
    found = [(name, each) for name, each in summary["currencies"].items()]
    total = summary["total"]
    if total is not None and len(found) > 1:
        found.insert(0, (f"total {total['currency']}", total))
    books = []
    for name, each in found:
        initial, equity = Decimal(each["initial"]), Decimal(each["equity"])
        high, fall = Decimal(each["high_water"]), Decimal(each["max_drawdown"])
        books.append(
            Money(
                name=name,
                initial=initial,
                net=equity - initial,
                ratio=float((equity - initial) / initial) if initial else None,
                unrealised=Decimal(each["unrealised"]),
                fees=Decimal(each["fees"]),
                payments=Decimal(each.get("payments", 0)),
                drawdown=fall,
                drawdown_ratio=float(fall / high) if high > 0 else None,
            )
        )
    return books


# ---- the lines ----


def result_lines(
    result: SessionResult, figures: Figures, terminal: Terminal, *, is_verbose: bool = False
) -> list[str]:
    """What a person reads at the end of a session, in the width and colours of `terminal`."""
    summary = result.summary
    lines = _titled(_head(summary, figures), terminal)
    status = summary["status"]
    colour = Colour.STRONG if status in _GOOD else Colour.ALARM
    lines[0] = lines[0].replace(f" {status}:", f" {terminal.coloured(status, colour)}:", 1)
    lines += ["", *_table(figures.books, summary), ""]
    rows = [*_reasons(summary, figures), *_coded(summary)]
    if is_verbose:
        rows += speed_rows(result.host, summary["ticks"])
    lines += _titled(rows, terminal)
    return [
        *lines,
        "",
        *(f"{title:<{_TITLE_COLUMNS}}{plain(text)}" for title, text in _next(result)),
    ]


Row = tuple[str, str]
"""A title and its words."""


def _titled(rows: Iterable[Row], terminal: Terminal) -> list[str]:
    """Rows as lines no wider than the terminal."""
    return [
        line
        for title, text in rows
        for line in wrapped(plain(text).split(" "), terminal.columns, f"{title:<{_TITLE_COLUMNS}}")
    ]


def _head(summary: Summary, figures: Figures) -> Iterator[Row]:
    """Which session, how it ended; of a halted one first of all what halted it."""
    how = "; ".join(filter(None, (summary["reason"], summary["headline"])))
    yield "session", f"{summary['session_id']}   {summary['status']}: {how}"
    yield from ((title, words) for title, words in halt_lines(summary) if title != "next")
    symbols = list(summary["symbols"])
    more = f" and {len(symbols) - _SYMBOLS_MAX} more" if len(symbols) > _SYMBOLS_MAX else ""
    where = f"; {figures.where}" if figures.where else ""
    names = ", ".join(symbols[:_SYMBOLS_MAX])
    yield "strategy", f"{summary['strategy']} on {names}{more}{where}"
    if summary["first_event"]:
        yield "time", _span(summary["first_event"], summary["last_event"])


def _span(first: str, last: str) -> str:
    """From when to when, in UTC; of a short time with its seconds."""
    first_ns, last_ns = parse_timestamp(first), parse_timestamp(last)
    length_ns = last_ns - first_ns
    form = "%Y-%m-%d %H:%M:%S" if length_ns < _SHORT_NS else "%Y-%m-%d %H:%M"
    begun, ended = (
        datetime.fromtimestamp(moment // NS_PER_SECOND, UTC).strftime(form)
        for moment in (first_ns, last_ns)
    )
    return f"{begun} to {ended} UTC ({lasted(length_ns)})"


# ---- the money ----


def _table(books: Sequence[Money], summary: Summary) -> list[str]:
    """The money of each currency, the total first; decimal points below each other."""
    if not summary["fills"] and not any(each.net for each in books):
        kept = ", ".join(
            f"{amount(each.initial, money_decimals(each.initial))} {each.name}" for each in books
        )
        return [f"no trade: {kept}, as at the start"]
    shown = books[:_BOOKS_MAX]
    labels, cells = zip(*_money_rows(shown), strict=True)
    columns = [_aligned([row[number] for row in cells]) for number in range(len(shown))]
    heads = [cut(plain(each.name), _NAME_MAX) for each in shown]
    widths = [
        max(len(head), *map(len, column)) for head, column in zip(heads, columns, strict=True)
    ]
    label = max(len(each) for each in labels)
    lines = [_line("", heads, label, widths)]
    lines += [
        _line(name, [column[row] for column in columns], label, widths)
        for row, name in enumerate(labels)
    ]
    left = len(books) - len(shown)
    return [*lines, f"and {left} more currencies"] if left else lines


def _line(name: str, cells: Sequence[str], label: int, widths: Sequence[int]) -> str:
    shown = "   ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{name:<{label}}   {shown}".rstrip()


def _aligned(cells: Sequence[str]) -> list[str]:
    """The cells of a column, their decimal points below each other."""
    parts = [cell.partition(".") for cell in cells]
    before = max(len(whole) for whole, _, _ in parts)
    behind = max(len(point + rest) for _, point, rest in parts)
    return [f"{whole:>{before}}{point + rest:<{behind}}" for whole, point, rest in parts]


def _money_rows(books: Sequence[Money]) -> Iterator[tuple[str, list[str]]]:
    """Each row's label, and a cell for each book."""

    def money(value: Callable[[Money], Decimal | None], *, sign: bool = True) -> list[str]:
        return [
            _NOTHING if found is None else amount(found, money_decimals(each.initial), sign=sign)
            for each in books
            for found in [value(each)]
        ]

    def part(value: Callable[[Money], float | None], *, sign: bool = True) -> list[str]:
        found = [value(each) for each in books]
        return [_NOTHING if each is None else percent(each, sign=sign) for each in found]

    yield "started with", money(lambda each: each.initial, sign=False)
    yield "net", money(lambda each: each.net)
    yield "net %", part(lambda each: each.ratio)
    if any(each.unrealised for each in books):
        yield "of it unrealised", money(lambda each: each.unrealised)
    if any(each.trips is not None for each in books):
        yield "against buy and hold", part(lambda each: each.against)
    yield "max drawdown", money(lambda each: -each.drawdown)
    yield "max drawdown %", part(lambda each: _negative(each.drawdown_ratio))
    if any(each.trips is not None for each in books):
        trips = [each.trips for each in books]
        yield "round trips", [_NOTHING if each is None else f"{each:,}" for each in trips]
        yield "win rate", part(lambda each: each.win_rate, sign=False)
    yield "", [""] * len(books)
    if any(each.before is not None for each in books):
        yield "before costs", money(lambda each: each.before)
    yield "fees", money(lambda each: -each.fees)
    if any(each.slippage is not None for each in books):
        yield "slippage", money(lambda each: None if each.slippage is None else -each.slippage)
    if any(each.payments for each in books):
        yield "funding, interest", money(lambda each: each.payments)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


# ---- why, and what was not done ----


def _reasons(summary: Summary, figures: Figures) -> Iterator[Row]:
    if figures.books and summary["fills"]:
        words = why(figures.books[0])
        if words:
            yield "why", words
    if summary["status"] != SessionStatus.HALTED.value and summary["held"]["positions"]:
        yield "holds", held_words(summary)
    yield (
        "orders",
        f"{summary['orders']:,}   fills {summary['fills']:,}   refused {summary['refused']:,}"
        f"   blocked {summary['blocked']:,}",
    )
    if summary.get("without_costs"):
        yield "costs", summary["without_costs"]
    if figures.note:
        yield "note", figures.note


def why(book: Money) -> str:
    """Why the session won or lost: what it made before costs, and what these took."""
    if book.before is None:
        return ""
    decimals = money_decimals(book.initial)
    verdict = "it won" if book.net > 0 else "it lost" if book.net < 0 else "it came to nothing"
    before = f"{amount(book.before, decimals, sign=True)} before costs"
    taken = [
        ("fees", book.fees),
        ("slippage", book.slippage or 0),
        ("funding and interest", -book.payments),
    ]
    parts = [
        f"{name} {'took' if value > 0 else 'brought'} {amount(abs(Decimal(value)), decimals)}"
        for name, value in taken
        if amount(Decimal(value), decimals) != amount(Decimal(0), decimals)
    ]
    return f"{verdict}: {', '.join([before, *parts])}"


def _coded(summary: Summary) -> list[Row]:
    """What was refused or not filled, and why; warnings."""
    lines = code_lines("refused", summary["refusals"])
    if not summary["fills"]:
        lines += code_lines("unfilled", summary["orders_ended_by"])
    rows = [(line[:_TITLE_COLUMNS].rstrip(), line[_TITLE_COLUMNS:]) for line in lines]
    listed = summary["warnings"][:_WARNINGS_MAX]
    for each in listed:
        rows.append(("warning", f"{each['code']} {each['symbol']}: {each['detail']}"))
    left = summary["warning_count"] - len(listed)
    return [*rows, ("warning", f"and {left:,} more: see session.md")] if left > 0 else rows


def speed_rows(host: Mapping[str, Any], ticks: int) -> list[Row]:
    """How fast it ran; how long it took from a tick to what was decided on it, in microseconds."""
    rows = [("ticks", f"{ticks:,}   ({host['ticks_per_second']:,} a second)")]
    stage, each = next(iter(host["latency"].items()), ("", {"count": 0}))
    if each["count"]:
        figures = ", ".join(
            f"{name} {each[f'{name}_ns'] / 1_000:,.1f}" for name in ("p50", "p90", "p99", "max")
        )
        rows.append(("latency", f"{stage}: {figures} us   ({each['count']:,} timed)"))
    return rows


def _next(result: SessionResult) -> Iterator[Row]:
    """Where everything is, and what to type next."""
    report = result.folder / REPORT
    if report.is_file():
        yield "report", str(report)
    yield "folder", str(result.folder)
    if report.is_file() and result.summary["status"] == SessionStatus.ENDED.value:
        yield "next", f"logos report {result.session_id} --open"
    for command in result.summary["next"]:
        yield "next", command
