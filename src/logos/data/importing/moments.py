"""In what form and zone a table's times are written: as said, by its layout, or as they show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo

from logos.data.importing.cells.times import (
    EPOCH,
    MIDNIGHT_MS,
    TimeReader,
    find_formats,
    find_zone,
    is_of_days,
)
from logos.data.importing.options import ImportOptions
from logos.data.importing.record import ForeignLayout
from logos.data.importing.tables.table import Table
from logos.data.times.epochs import likely_reading, looks_like_number
from logos.errors import DataError

_OFFSET = re.compile(r":.*[0-9](Z| ?UTC|[+-][0-9:]{2,5})$")


def time_reader(
    table: Table,
    options: ImportOptions,
    layout: ForeignLayout | None,
    places: Mapping[str, int],
    named: Mapping[str, str],
    repeats: bool,
) -> tuple[TimeReader, str]:
    """The reader of the table's times, and their zone in words.

    `places` is the column of each role, `named` what the file's name says, `repeats` whether a
    time may stand in several rows. Raises DataError that names the option for what cannot be told.
    """
    samples = _moments(table, places)
    format = options.time_format or (layout.time_format if layout is not None else "")
    if not format:
        format = _found_format(table, samples)
    zone_name = options.timezone or (layout.zone if layout is not None else "")
    try:
        zone: tzinfo | None = find_zone(zone_name) if zone_name else None
    except DataError as error:
        raise DataError(f"{table.member}: {error}") from None
    said = zone_name
    if format == EPOCH:
        said = "UTC, counted since 1970"
    elif all(_OFFSET.search(text) for text in samples):
        said = "each time has its offset"
    if not said and is_of_days(format, samples):
        zone, said = find_zone("UTC"), "dates without a time of day, taken as days in UTC"
    try:
        day = _day_of_name(format, named)
        return TimeReader(format, zone, day=day, repeats=repeats), said
    except (DataError, ValueError) as error:
        raise DataError(f"{table.member}: {error}") from None


def _moments(table: Table, places: Mapping[str, int]) -> list[str]:
    names = ["time"] if "time" in places else [n for n in ("date", "clock") if n in places]
    return [
        " ".join(row[places[name]].strip() for name in names)
        for row in table.sample
        if len(row) == table.width
    ]


def _found_format(table: Table, samples: Sequence[str]) -> str:
    found = find_formats(samples)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{table.member}: {samples[0]!r} can be read in more than one way; say which with"
            f" --time-format: {' or '.join(repr(name) for name in found)}"
        )
    odd = next((text for text in samples if not find_formats([text])), samples[0])
    if looks_like_number(odd):
        raise DataError(f"{table.member}: {odd!r} is not a time since 1970: {likely_reading(odd)}")
    raise DataError(
        f"{table.member}: not a time of a known form: {odd[:40]!r}; say its form with"
        " --time-format, such as '%d.%m.%Y %H:%M:%S'"
    )


def _day_of_name(format: str, named: Mapping[str, str]) -> date | None:
    if format != MIDNIGHT_MS:
        return None
    try:
        return datetime.strptime(named.get("day", ""), "%Y%m%d").date()
    except ValueError:
        raise DataError("such files are named for their day, such as 20131007_trade.zip") from None
