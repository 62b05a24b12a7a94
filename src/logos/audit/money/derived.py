"""trips.csv and equity.csv made again from the journal's tables, and compared.

What they hold besides that is judged as far as it can be: MAE and MFE follow from the prices, which
no table has, so only what a trip came to bounds them; the extremes of a total between its samples
stand in no table, so only the samples bound them. A replay makes both again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

from logos.audit.findings import Finding
from logos.config import Config
from logos.session.artifacts.derived.equity import EQUITY, EQUITY_COLUMNS, TOTAL, equity_points
from logos.session.artifacts.derived.files import totals_of, trips_of
from logos.session.artifacts.derived.reading import Row, number, table_rows
from logos.session.artifacts.derived.trips import TRIP_COLUMNS, TRIPS, trip_row
from logos.session.artifacts.rows import Moments

_FROM_PRICES: Final = ("mae", "mfe")


def check_derived(folder: Path, made: Path, config: Config) -> tuple[list[Finding], list[str]]:
    """What is wrong with the two files in `folder`, and what was not judged. `made` has the tables
    that the journal makes. Raises OSError."""
    there = [name for name in (TRIPS, EQUITY) if (folder / name).is_file()]
    if not there:
        return [], ["trips.csv and equity.csv, which the session did not write"]
    findings: list[Finding] = []
    left_out = [f"{name}, which is not there" for name in (TRIPS, EQUITY) if name not in there]
    checks = {TRIPS: _check_trips, EQUITY: _check_equity}
    for name in there:
        try:
            found = checks[name](folder, made, config)
        except (ValueError, LookupError) as error:
            found = Finding(name, "", f"is no such table: {error}")
        if found is not None:
            findings.append(found)
    if TRIPS in there:
        left_out.append("MAE and MFE of trips.csv")
    return findings, left_out


def _check_trips(folder: Path, made: Path, config: Config) -> Finding | None:
    moments = Moments()
    lines = (
        trip_row(number_, trip, moments) for number_, trip in enumerate(trips_of(made, config), 1)
    )
    columns = tuple(name for name in TRIP_COLUMNS if name not in _FROM_PRICES)
    found = _compare(TRIPS, folder, ",".join(TRIP_COLUMNS), lines, columns)
    return found or _check_excursions(folder)


def _check_excursions(folder: Path) -> Finding | None:
    for line, row in enumerate(table_rows(folder / TRIPS), 2):
        if not row["mae"] and not row["mfe"]:
            continue
        gross = number(row["gross"])
        for name, least in (
            ("mae", max(-gross, gross - gross)),
            ("mfe", max(gross, gross - gross)),
        ):
            if not row[name] or number(row[name]) < least:
                message = f"is {row[name]!r}, and the trip came to a gross of {gross}"
                return Finding(TRIPS, f"line {line}, column {name}", message)
    return None


def _check_equity(folder: Path, made: Path, config: Config) -> Finding | None:
    account = made / "account.csv"
    currencies = tuple(dict.fromkeys(row["currency"] for row in table_rows(account)))
    totals = totals_of(config, currencies)
    lines = (point.line() for point in equity_points(table_rows(account), totals))
    if totals is None:
        return _compare(EQUITY, folder, ",".join(EQUITY_COLUMNS), lines, EQUITY_COLUMNS)
    extremes: list[Row] = []
    found = _compare(EQUITY, folder, ",".join(EQUITY_COLUMNS), lines, EQUITY_COLUMNS, extremes)
    return found or _check_extremes(folder, extremes)


def _check_extremes(folder: Path, extremes: list[Row]) -> Finding | None:
    """The last two rows of a total: its highest and its deepest, which its samples bound."""
    samples = [
        (number(row["high_water"]), number(row["drawdown"]))
        for row in table_rows(folder / EQUITY)
        if row["book"] == TOTAL and row["point"] == "sample"
    ]
    if not samples and not extremes:
        return None
    if [row["point"] for row in extremes] != ["high", "low"]:
        return Finding(EQUITY, "", "does not end with the high and the low of its total")
    high, deepest = number(extremes[0]["high_water"]), number(extremes[1]["drawdown"])
    if high < samples[-1][0] or deepest < max(each for _, each in samples):
        return Finding(EQUITY, "", "its total was higher, or fell deeper, than its last rows say")
    return None


def _compare(
    name: str,
    folder: Path,
    head: str,
    lines: Iterator[str],
    columns: tuple[str, ...],
    rest: list[Row] | None = None,
) -> Finding | None:
    """The first difference of the file from `lines`, by `columns`; more rows of a total than that
    go to `rest`."""
    with open(folder / name, encoding="utf-8", newline="") as file:
        if file.readline() != head + "\n":
            return Finding(name, "line 1", f"its columns are not {head}")
    made = _rows_of(head, lines)
    for line, (there, must) in enumerate(zip_longest(table_rows(folder / name), made), 2):
        if must is None and there is not None and rest is not None and there["book"] == TOTAL:
            rest.append(there)
        elif there is None or must is None:
            what = "the file ends" if there is None else "more than the journal has"
            return Finding(name, f"line {line}", what)
        else:
            for column in columns:
                if there[column] != must[column]:
                    message = f"is {there[column]!r}, and the journal says {must[column]!r}"
                    return Finding(name, f"line {line}, column {column}", message)
    return None


def _rows_of(head: str, lines: Iterator[str]) -> Iterator[Row]:
    names = head.split(",")
    for cells in csv.reader(lines, strict=True):
        yield dict(zip(names, cells, strict=True))
