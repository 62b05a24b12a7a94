"""How a session went, as a caller sees it: figures, and its tables as DataFrames.

The tables are the CSV artifacts of the session's folder, read when they are asked for. Money,
prices and quantities are exact text there: they become Decimals in lists of records, and floats in
a DataFrame, as everything that computes on one wants them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from logos.analysis import Analysis, analyse
from logos.core.types import SessionStatus
from logos.errors import LogosError, StrategyError
from logos.library.saved import Saved
from logos.library.views.notebook import figures_of, result_html
from logos.library.views.picture import Chart
from logos.session.artifacts.derived.files import DERIVED
from logos.session.artifacts.derived.reading import plain_text
from logos.session.artifacts.payments import PAYMENT_COLUMNS
from logos.session.artifacts.report import code_lines
from logos.session.outcome import ExitCode, SessionResult
from logos.shown import html

Record = dict[str, Any]

_TIMES: Final = frozenset(("time", "created", "ended", "entry_time", "exit_time"))
_WHOLE: Final = frozenset(
    (
        *("order_id", "fill_id", "tick_id", "ended_tick_id", "open_lots"),
        *("trip", "entry_order_id", "exit_order_id"),
    )
)
_TEXT: Final = frozenset(
    (
        *("client_order_id", "symbol", "side", "type", "time_in_force", "status", "reason"),
        *("tag", "notes", "liquidity", "currency", "lots_closed", "lot_opened"),
        *("entry_tag", "exit_tag", "book", "point", "figure"),
    )
)

_TABLES: Final = ("orders", "trades", "positions", "account", "payments", "trips", "equity")


class Result:
    """One session that has ended, or was stopped.

    `orders`, `trades` (fills with what they realised), `trips` (round trips), `positions` and
    `equity` (samples through the session), `curve` and `stats` are pandas DataFrames, polars ones
    where only polars is installed, and lists of records where neither is. `fills` are the same rows
    as `trades`. A notebook shows a result as a few figures and the curve of its equity.
    """

    def __init__(self, of: SessionResult | Saved) -> None:
        self.folder: Path = of.folder
        """The session's folder; docs/ARTIFACTS.md describes the files in it."""
        self.status: SessionStatus = of.status
        self.exit_code: ExitCode = of.exit_code
        """As the command line ends: 0 finished, 4 halted, 5 the strategy failed, 3 bad data."""
        self.reason: str = of.reason
        """Why it ended, in words."""
        self.summary: Mapping[str, Any] = of.summary
        """Counts and books in plain JSON values; money is decimal text."""
        self.host: Mapping[str, Any] = of.host
        """What differs between runs: machine, times, speed."""

    @property
    def session_id(self) -> str:
        """The session's name, for `logos.resume`, `logos.replay` and `logos.result`."""
        return self.folder.name

    @property
    def home(self) -> Path:
        """The workspace it lies in: what `home=` takes."""
        return self.folder.parents[3]

    @property
    def ok(self) -> bool:
        """Whether the session came to its end, or was stopped in order."""
        return self.exit_code is ExitCode.FINISHED

    def check(self) -> Result:
        """Itself, for a session that came to no harm.

        Raises StrategyError when the strategy failed, LogosError for any other failure or a halt;
        the message has the reason and the folder.
        """
        if self.ok:
            return self
        kind = StrategyError if self.exit_code is ExitCode.STRATEGY_FAILED else LogosError
        raise kind(
            f"session {self.session_id} {self.status.value}: {self.reason}\nWhat was done until "
            f"then is in {self.folder}"
        )

    @cached_property
    def orders(self) -> Any:
        """A row for each order that has ended (docs/ARTIFACTS.md, orders.csv)."""
        return _as_frame(*self._table("orders"))

    @cached_property
    def trades(self) -> Any:
        """A row for each fill (docs/ARTIFACTS.md, trades.csv)."""
        return _as_frame(*self._table("trades"))

    @property
    def fills(self) -> Any:
        """The same as `trades`."""
        return self.trades

    @cached_property
    def positions(self) -> Any:
        """Each symbol's books at every sample (docs/ARTIFACTS.md, positions.csv)."""
        return _as_frame(*self._table("positions"))

    @cached_property
    def equity(self) -> Any:
        """Each currency's ledger at every sample (docs/ARTIFACTS.md, account.csv)."""
        return _as_frame(*self._table("account"))

    @cached_property
    def trips(self) -> Any:
        """A row for each round trip (docs/ARTIFACTS.md, trips.csv)."""
        return _as_frame(*self._table("trips"))

    @cached_property
    def curve(self) -> Any:
        """Equity with every high and every deepest fall (docs/ARTIFACTS.md, equity.csv)."""
        return _as_frame(*self._table("equity"))

    @cached_property
    def analysis(self) -> Analysis:
        """All figures as docs/RESULTS.md has them, with exact Decimals, and what they are made of.

        Raises LogosError when the session's files are gone or damaged.
        """
        with _read(self.folder):
            return analyse(self.folder)

    @cached_property
    def stats(self) -> Any:
        """A row for each figure, a column for each book: the total, if any, and each currency.

        Figures have the names of `analysis.statistics`; ratios are 0.01 for one per cent, times and
        durations nanoseconds, what is not defined is missing.
        """
        books = {each.name: figures_of(each.statistics) for each in self.analysis.books}
        first = next(iter(books.values()))
        records = [
            {"figure": name, **{book: of[name] for book, of in books.items()}} for name in first
        ]
        return _as_frame(["figure", *books], records)

    def plot(self, book: str = "") -> Chart:
        """The curve of equity and drawdown, which a notebook shows and `save` writes to a file.

        `book` is a currency or "total"; empty: the first. Raises LogosError.
        """
        return Chart(self.analysis, book)

    def report(self) -> Path:
        """The path of report.html, the page that shows the session; made if it is not there, or is
        older than the session's end.

        Raises LogosError when the session's files are gone or damaged, or it cannot be written.
        """
        from logos.report import REPORT, write_report

        page, end = self.folder / REPORT, self.folder / "host.json"
        with _read(self.folder):
            if page.exists() and end.exists() and page.stat().st_mtime_ns >= end.stat().st_mtime_ns:
                return page
            return write_report(self.folder)

    def records(self, table: str) -> list[Record]:
        """The rows of orders, trades, positions, account, payments, trips or equity (equity.csv),
        figures as exact Decimals.

        Times are text, nanoseconds UTC. Without payments over time there are no rows of them.
        Raises LogosError when the file cannot be read or is damaged.
        """
        if table not in _TABLES:
            raise LogosError(f"no table {table!r}: there are {', '.join(_TABLES)}")
        return self._table(table)[1]

    def _table(self, table: str) -> tuple[list[str], list[Record]]:
        """Names of the columns, and the rows."""
        path = self.folder / f"{table}.csv"
        if table == "payments" and not path.exists():
            return list(PAYMENT_COLUMNS), []
        try:
            with open(path, newline="", encoding="utf-8") as file:
                rows = csv.reader(file)
                names = next(rows, [])
                if not names:
                    raise ValueError("it is empty")
                readers = [(name, _reader(name)) for name in names]
                records = [
                    {name: read(cell) for (name, read), cell in zip(readers, row, strict=True)}
                    for row in rows
                ]
        except FileNotFoundError as error:
            more = ""
            if path.name in DERIVED:
                more = ": a session that has not ended, or ended with an older version, has none"
                more += "; `.analysis` has its round trips and its curve"
            raise LogosError(f"{path} is not there{more}") from error
        except OSError as error:
            raise LogosError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, ArithmeticError, csv.Error) as error:
            raise LogosError(f"{path} is damaged: {error}") from error
        return names, records

    def _repr_html_(self) -> str:
        """What a notebook shows; the text of `repr` where the session's files cannot be read."""
        try:
            return result_html(self.analysis, self.summary)
        except LogosError:
            text = "\n".join(html(line) for line in repr(self).splitlines())
            return f"<pre>{text}</pre>"

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{self.summary[name]:,} {name}" for name in ("ticks", "orders", "fills")
        )
        ended = "; ".join(filter(None, (self.reason, self.summary["headline"])))
        lines = [f"<logos session {self.session_id} {self.status.value}: {ended}>"]
        lines.append(f"  {counts}, {self.summary['refused']:,} refused")
        lines += [f"  {line}" for line in code_lines("refused", self.summary["refusals"])]
        for currency, ledger in self.summary["currencies"].items():
            lines.append(
                f"  {currency} {ledger['initial']} -> {ledger['equity']}: realised "
                f"{ledger['realised']}, fees {ledger['fees']}, open {ledger['unrealised']}, "
                f"deepest fall {ledger['max_drawdown']}"
            )
        lines.append(f"  {self.folder}")
        return "\n".join(lines)


@contextmanager
def _read(folder: Path) -> Iterator[None]:
    """While a session's files are read: what is wrong with them leaves as a LogosError."""
    try:
        yield
    except LogosError:
        raise
    except OSError as error:
        raise LogosError(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:  # of what a report shows besides the analysis
        raise LogosError(f"the tables in {folder} are damaged: {error}") from error


def _reader(name: str) -> Callable[[str], Any]:
    if name in _TEXT:
        return plain_text
    if name in _TIMES:
        return lambda cell: cell or None
    if name in _WHOLE:
        return lambda cell: int(cell) if cell else None
    return lambda cell: Decimal(cell) if cell else None


def _as_frame(names: Sequence[str], records: Sequence[Record]) -> Any:
    """A DataFrame of the first library that is installed, or the records themselves."""
    columns = {name: [record[name] for record in records] for name in names}
    for library, make in (("pandas", _pandas_frame), ("polars", _polars_frame)):
        try:
            found = import_module(library)
        except ImportError:
            continue
        return make(found, columns)
    return list(records)


def _pandas_frame(pandas: Any, columns: Mapping[str, list[Any]]) -> Any:
    series = {}
    for name, values in columns.items():
        if name in _TIMES:
            series[name] = pandas.to_datetime(
                pandas.Series(values, dtype="object"), utc=True, format="ISO8601"
            ).astype("datetime64[ns, UTC]")
        elif name in _TEXT:
            series[name] = pandas.Series(values, dtype="object")
        elif name in _WHOLE:
            series[name] = pandas.Series(values, dtype="Int64" if None in values else "int64")
        else:
            series[name] = pandas.Series(_floats(values), dtype="float64")
    return pandas.DataFrame(series)


def _polars_frame(polars: Any, columns: Mapping[str, list[Any]]) -> Any:
    series = []
    for name, values in columns.items():
        if name in _TIMES:
            texts = polars.Series(name, values, dtype=polars.String)
            series.append(
                texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", time_zone="UTC")
            )
        elif name in _TEXT:
            series.append(polars.Series(name, values, dtype=polars.String))
        elif name in _WHOLE:
            series.append(polars.Series(name, values, dtype=polars.Int64))
        else:
            series.append(polars.Series(name, _floats(values), dtype=polars.Float64))
    return polars.DataFrame(series)


def _floats(values: Sequence[Decimal | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]
