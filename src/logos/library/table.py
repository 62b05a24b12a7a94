"""Tables of any library as plain columns: pandas, polars, Arrow, or Python's own.

No library is imported for this that the caller has not imported: pandas and polars tables are
known by the module of their class and read through their own methods, everything else through
the Arrow PyCapsule interface (`__arrow_c_stream__`), which needs pyarrow to be received. A mapping
of columns and a list of rows (mappings) need nothing.

A column of times comes as nanoseconds, either since 1970 UTC or on a clock without a zone; what
that clock meant is the caller's to say.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from logos.errors import DataError
from logos.installation import install_command

INDEX: Final = ""
"""The name under which a pandas index stands among the columns."""

_NOT_A_TIME: Final = -(2**63)
_MISSING_TYPES: Final = frozenset(("NAType", "NaTType"))


class Times(enum.Enum):
    """What the integers of a column are."""

    NONE = "no times"
    UTC = "nanoseconds since 1970 UTC"
    WALL = "nanoseconds since 1970 on a clock without a zone"


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one column, missing ones as None, and what they are if they are times."""

    values: Sequence[Any]
    times: Times = Times.NONE


Table = Mapping[str, Column]
"""Columns by name; that of a pandas index, where it is more than a count of rows, is INDEX."""


def read_table(frame: Any) -> Table:
    """The columns of `frame`. Raises DataError for what is no table, or cannot be read here."""
    library = type(frame).__module__.partition(".")[0]
    if library == "pandas":
        return _from_pandas(frame)
    if library == "polars":
        return _from_polars(frame)
    if isinstance(frame, Mapping):
        return _checked({str(name): Column(_listed(each)) for name, each in frame.items()})
    if isinstance(frame, Sequence) and not isinstance(frame, str | bytes):
        return _from_rows(frame)
    if hasattr(frame, "__arrow_c_stream__"):
        return _from_arrow(frame)
    raise DataError(
        f"not a table: {type(frame).__name__}; give a pandas or polars DataFrame, an Arrow table, "
        "a mapping of columns, or a list of rows"
    )


def _listed(values: Any) -> list[Any]:
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [_present(value) for value in listed]


def _present(value: Any) -> Any:
    """None for what a library writes for a missing value; anything else as it is."""
    return None if type(value).__name__ in _MISSING_TYPES else value


def _checked(columns: dict[str, Column]) -> Table:
    lengths = {name: len(column.values) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the columns of the table differ in length: {lengths}")
    return columns


def _from_rows(rows: Sequence[Any]) -> Table:
    names: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise DataError(
                f"row {number} of the table is a {type(row).__name__}; each row must map the names "
                "of the columns to values"
            )
        names.update(dict.fromkeys(row))
    return {str(name): Column([_present(row.get(name)) for row in rows]) for name in names}


# ---- pandas ----


def _from_pandas(frame: Any) -> Table:
    if not hasattr(frame, "columns"):
        raise DataError(f"a pandas {type(frame).__name__} has no columns: give a DataFrame")
    if getattr(frame.columns, "nlevels", 1) > 1:
        raise DataError(
            "the columns have several levels, as yfinance gives them: choose one symbol first, "
            "such as df.xs('ACME', axis=1, level='Ticker')"
        )
    names = [str(name) for name in frame.columns]
    if len(set(names)) != len(names):
        raise DataError(f"a column of the table is named twice: {', '.join(names)}")
    columns = {name: _pandas_column(frame.iloc[:, place]) for place, name in enumerate(names)}
    if type(frame.index).__name__ != "RangeIndex":
        columns[INDEX] = _pandas_column(frame.index.to_series())
    return columns


def _pandas_column(series: Any) -> Column:
    if not str(series.dtype).startswith("datetime64") and not _is_arrow_time(series.dtype):
        return Column(_listed(series))
    zoned = getattr(series.dt, "tz", None) is not None
    plain = series.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else series
    try:
        numbers = plain.astype("datetime64[ns]").to_numpy().view("int64").tolist()
    except (ValueError, OverflowError) as error:
        raise DataError(f"times outside of the years 1677 to 2262: {error}") from None
    values = [None if number == _NOT_A_TIME else number for number in numbers]
    return Column(values, Times.UTC if zoned else Times.WALL)


def _is_arrow_time(dtype: Any) -> bool:
    return str(dtype).startswith("timestamp[")


# ---- polars ----


def _from_polars(frame: Any) -> Table:
    if type(frame).__name__ == "LazyFrame":
        raise DataError("a polars LazyFrame has no rows yet: give frame.collect()")
    if not hasattr(frame, "get_columns"):
        raise DataError(f"a polars {type(frame).__name__} has no columns: give a DataFrame")
    return {str(series.name): _polars_column(series) for series in frame.get_columns()}


def _polars_column(series: Any) -> Column:
    kind = type(series.dtype).__name__
    if kind not in ("Datetime", "Date") and str(series.dtype) != "Date":
        return Column(series.to_list())
    zoned = getattr(series.dtype, "time_zone", None) is not None
    return Column(series.dt.epoch("ns").to_list(), Times.UTC if zoned else Times.WALL)


# ---- Arrow ----


def _from_arrow(frame: Any) -> Table:
    try:
        import pyarrow as pa
    except ImportError:
        raise DataError(
            f"a {type(frame).__module__} table is read through pyarrow, which is not installed: "
            f"{install_command('parquet')}, or give a pandas or polars DataFrame or a mapping of "
            "columns"
        ) from None
    table = pa.table(frame)
    columns: dict[str, Column] = {}
    for name in table.column_names:
        if name in columns:
            raise DataError(f"a column of the table is named twice: {name}")
        columns[name] = _arrow_column(pa, table.column(name))
    return columns


def _arrow_column(pa: Any, column: Any) -> Column:
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        return Column(column.to_pylist())
    zone = getattr(column.type, "tz", None)
    try:
        numbers = column.cast(pa.timestamp("ns", zone)).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise DataError(f"times outside of the years 1677 to 2262: {error}") from None
    return Column(numbers.to_pylist(), Times.WALL if zone is None else Times.UTC)
