"""What can be wrong with market data, how often it was, and where it was first seen.

A defect has a kind. The rows of two kinds are still good data (`KEEPING_KINDS`): a gap says
something about the rows that are not there, and a crossed quote is what the venue sent. All
other kinds cost the row: once accepted, the row is left out and counted, never repaired by
guessing. Each row is dropped for one reason only, the first in the order of `KINDS`.

Counts are complete; examples are bounded, so that a file with a million bad rows does not fill
the memory or the screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from logos.core.fixed import decimals_of, format_units
from logos.errors import DataError

BAD_HEADER: Final = "bad_header"
EMPTY_FILE: Final = "empty_file"
TRUNCATED_ROW: Final = "truncated_row"
WRONG_COLUMN_COUNT: Final = "wrong_column_count"
OTHER_SYMBOL: Final = "other_symbol"
BAD_TIMESTAMP: Final = "bad_timestamp"
NOT_A_NUMBER: Final = "not_a_number"
BAD_NUMBER: Final = "bad_number"
NON_POSITIVE_PRICE: Final = "non_positive_price"
OFF_TICK: Final = "off_tick"
BAD_SIDE: Final = "bad_side"
HIGH_BELOW_LOW: Final = "high_below_low"
BACKWARDS_TIME: Final = "backwards_time"
DUPLICATE_BAR: Final = "duplicate_bar"
OVERLAP: Final = "overlap"
UNPAIRED: Final = "unpaired"
DOUBTFUL_TIME: Final = "doubtful_time"
ODD_LAST_ROW: Final = "odd_last_row"
SHOWN_LATE: Final = "shown_late"
GAP: Final = "gap"
CROSSED: Final = "crossed"

KINDS: Final[dict[str, str]] = {
    BAD_HEADER: "the first line does not name the columns of a known layout",
    EMPTY_FILE: "there are no rows",
    TRUNCATED_ROW: "the last line has no newline, or a .gz ends early; the row is dropped",
    WRONG_COLUMN_COUNT: "more or fewer columns than the header names; the row is dropped",
    OTHER_SYMBOL: "the file's symbol column names another symbol; the row is dropped",
    BAD_TIMESTAMP: "not a UTC ISO-8601 time or an epoch number; the row is dropped",
    DOUBTFUL_TIME: "a local time that came twice, or a number that is a time after next year",
    NOT_A_NUMBER: "NaN or infinity; the row is dropped",
    BAD_NUMBER: "not a decimal number, out of range, or a negative size; the row is dropped",
    NON_POSITIVE_PRICE: "a price of zero or less; the row is dropped",
    OFF_TICK: "a price that is not a multiple of the instrument's tick; the row is dropped",
    BAD_SIDE: "an aggressor that is neither buy nor sell; the row is dropped",
    HIGH_BELOW_LOW: "high below low, or open or close outside of them; the bar is dropped",
    BACKWARDS_TIME: "earlier than the row before it; the row is dropped",
    DUPLICATE_BAR: "a second bar of the same time; the first is kept, this one dropped",
    OVERLAP: "a bar that begins before the one before it ended; the bar is dropped",
    ODD_LAST_ROW: "a last row between the times of bars, as of one still live; it is left out",
    UNPAIRED: "a time that only the bid or only the ask file has; the row is dropped",
    SHOWN_LATE: "a bar whose close is not known to the hour; it is kept and shown an hour late",
    GAP: "bars are missing before this one; it is kept",
    CROSSED: "bid above ask; the row is kept",
}
"""Every kind of defect, in order of precedence, and what accepting it means."""

SAID_KINDS: Final = frozenset({ODD_LAST_ROW, SHOWN_LATE})
"""Kinds that are counted and said, and refuse nothing: there is no doubt what is right."""

KEEPING_KINDS: Final = frozenset({GAP, CROSSED, SHOWN_LATE})
"""Kinds whose rows are kept when accepted."""

ACCEPTABLE_KINDS: Final = frozenset(KINDS) - {BAD_HEADER, DOUBTFUL_TIME} - SAID_KINDS
"""Kinds a person may accept: without a header nothing can be read at all, and of a doubtful time
it is not known how many rows before it were read wrongly."""

_OTHER_NAMES: Final = {"truncated": TRUNCATED_ROW}
"""Short names that a person may write for a kind."""

EXAMPLES_PER_KIND: Final = 20
EXAMPLES_IN_MESSAGE: Final = 3


_HINTS: Final = {
    OTHER_SYMBOL: "To split the file by that column: logos data import {path} --symbol-column"
    " COLUMN. If all its rows are of one symbol that is only spelled otherwise: name it in"
    " files.toml beside the file (docs/DATA.md, Names)",
}
"""What is better than leaving the rows out."""


class Defect(msgspec.Struct, frozen=True):
    """One thing wrong in one place. `line` counts from 1 with the header (rows in Parquet)."""

    kind: str
    path: Path
    line: int
    detail: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.detail}"


class DefectTally:
    """Counts of defects by kind, and the first few of each.

    `add` raises nothing; `refuse_unaccepted` judges. `counts` is complete. `hints` say by kind what
    is better than to leave rows out. `sorted_rows` are those that stood behind a later one.
    """

    __slots__ = ("_finest", "counts", "examples", "hints", "sorted_rows")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: list[Defect] = []
        self.hints: dict[str, str] = {}
        self.sorted_rows: int = 0
        self._finest: dict[str, int] = {}

    def add(self, defect: Defect) -> None:
        """Count `defect`, and keep it when it is among the first of its kind."""
        count = self.counts.get(defect.kind, 0)
        self.counts[defect.kind] = count + 1
        if count < EXAMPLES_PER_KIND:
            self.examples.append(defect)

    def see_off_tick(self, symbol: str, tick: str, decimals: int) -> None:
        """Note how fine the prices of a row are that are no multiples of `tick`."""
        decimals = max(decimals, decimals_of(tick), self._finest.get(symbol, 0))
        if decimals == self._finest.get(symbol):
            return
        self._finest[symbol] = decimals
        finer = format_units(1, decimals)
        self.hints[OFF_TICK] = (
            f"The finest price of these rows shows a tick of {finer}, with which nothing is left"
            f' out: tick = "{finer}" in [instruments.{toml_key(symbol)}]; or, where orders go in'
            f' steps of {tick}, keep that and add data_tick = "{finer}"'
        )

    def refuse_unaccepted(self, accept: frozenset[str], repairable: Path) -> None:
        """Raise DataError when a kind outside of `accept` has been counted."""
        tolerated = accept | SAID_KINDS
        refused = [kind for kind in KINDS if kind in self.counts and kind not in tolerated]
        if not refused:
            return
        raise DataError(self._message(refused, accept, repairable))

    def _message(self, refused: list[str], accept: frozenset[str], repairable: Path) -> str:
        lines = [f"{repairable}: the data has defects:"]
        for kind in refused:
            lines.append(f"  {kind} x{self.counts[kind]}: {KINDS[kind]}")
            found = [defect for defect in self.examples if defect.kind == kind]
            for defect in found[:EXAMPLES_IN_MESSAGE]:
                lines.append(f"    {defect.path}:{defect.line}: {defect.detail}")
        if BAD_HEADER in refused:
            lines.append("Correct the first line of the file, or import it from its own format.")
            return "\n".join(lines)
        if DOUBTFUL_TIME in refused:
            lines.append(
                "Doubtful times cannot be accepted: correct them, or say how they are meant."
            )
            return "\n".join(lines)
        hints = _HINTS | self.hints
        lines += [hints[kind].format(path=repairable) for kind in refused if kind in hints]
        names = sorted(accept.union(refused))
        quoted = ", ".join(f'"{name}"' for name in names)
        lines.append(
            f"To accept: --accept {','.join(names)} (configuration: data.accept = [{quoted}])"
        )
        lines.append(f"To repair: logos data check {repairable} --repair OUT")
        return "\n".join(lines)


def toml_key(text: str) -> str:
    """`text` as a key of TOML: in quotes where it needs them."""
    plain = text.replace("-", "").replace("_", "")
    if plain.isascii() and plain.isalnum():
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def accept_set(names: Iterable[str]) -> frozenset[str]:
    """Validate kinds a person wants accepted; "all" stands for every acceptable kind.

    Raises DataError naming the ones that are unknown or cannot be accepted.
    """
    wanted = {_OTHER_NAMES.get(name, name) for name in names}
    if "all" in wanted:
        wanted = (wanted - {"all"}) | ACCEPTABLE_KINDS
    unknown = sorted(wanted - ACCEPTABLE_KINDS)
    if unknown:
        known = ", ".join(kind for kind in KINDS if kind in ACCEPTABLE_KINDS)
        raise DataError(f"cannot accept {', '.join(unknown)}; data defects to accept: all, {known}")
    return frozenset(wanted)
