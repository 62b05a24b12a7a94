"""What a file of another program looks like, as a record: how to tell it, and how to read it.

A known layout is data, not code. It says by what a file of it is recognised (the names in its
header, or the shape of its first row, and where that is not enough the file's name), what each
column holds, and what such a file never says about itself: the zone of its times, whether a bar
is stamped at its open or its close, which sign divides whole and fraction. What a record leaves
open is read from the file, or asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

BAR_ROLES: Final = ("open", "high", "low", "close", "volume")
PAIR_ROLES: Final = tuple(f"{side}_{name}" for side in ("bid", "ask") for name in BAR_ROLES)
QUOTE_ROLES: Final = ("bid", "ask", "bid_size", "ask_size")
TRADE_ROLES: Final = ("price", "size", "side")
TIME_ROLES: Final = ("time", "date", "clock", "close_time")
"""`time` is a whole moment; or `date` and `clock` are its two halves."""
OTHER_ROLES: Final = ("symbol", "maker", "-")
"""`maker`: whether the buyer was the maker, so that true means that the seller took; `-`: unused"""

ROLES: Final = frozenset(
    (*TIME_ROLES, *BAR_ROLES, *PAIR_ROLES, *QUOTE_ROLES, *TRADE_ROLES, *OTHER_ROLES)
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are no data: those whose cell of `column` (a name of the header, or the place of a
    cell counted from 0) has the whole of `pattern`. `why` completes "3 rows left out: "."""

    column: str | int
    pattern: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLayout:
    """One known layout. Names in `header`, `absent` and `roles` are without case and blanks.

    A file is of this layout when every condition that is given holds:

    - `header`: each of these names stands in its header. A layout with `row` has no header.
    - `absent`: none of these names stands in its header.
    - `row`: its rows have this many cells, and each cell of the first fits its pattern.
    - `file_name`: the file's name (without folder) has this pattern in it. Its named groups may
      be `symbol`, `interval` (as `INTERVALS` translates it, or a token such as 1h), `half` (bid or
      ask, in any case of letters) and `day` (YYYYMMDD). `name_decides`: a name that does not fit
      is another layout; otherwise a renamed file is still of this one.
    - `path`: the whole path, and the name within an archive after it, divided by `/`, have this
      pattern in them; its named groups count as those of `file_name`.
    - `doubt`: asked with the first rows, answers nothing.
    """

    name: str
    """What `--format` takes."""
    title: str
    """What a person calls it."""
    source: str
    """Where its form is documented, or was seen."""
    kind: str
    """bars, quotes, trades or quote_bars, as in `logos.data.layout`."""
    header: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    row: tuple[str, ...] = ()
    file_name: str = ""
    name_decides: bool = False
    path: str = ""
    doubt: Callable[[Sequence[Sequence[str]]], str] | None = None
    """Why rows of this form are not of this layout after all; empty: they are."""
    on_request: bool = False
    """Its form does not tell it from others: only its name or `--format` selects it."""
    refused: str = ""
    """A file of this layout is not data that can be used: why, and what to take instead."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Role of each header name; a name that is not in it has none. Empty: by the alias table.
    A name that is not in `header` too may be missing. One that ends in " *" stands for the first
    column that begins so. Of two names of one role the first counts, where the file has it."""
    columns: tuple[str, ...] = ()
    """Roles by place, of a file without a header."""
    optional_header: bool = False
    """With `row`: a line of names may stand above, and is passed over."""
    separator: str = ""
    """What stands between cells; empty: as the file shows."""
    decimal: str = "."
    """The sign between whole and fraction, "." or ","; empty: as the file shows."""
    time_format: str = ""
    """Empty: as the file shows. "epoch": a number since 1970, of a unit that its size tells.
    "clock-epoch": such a number of a clock that is not UTC's.
    "midnight-ms": milliseconds since midnight of the `day` in the file's name. Else a pattern of
    strptime; its %f takes one to nine digits, and its %3 takes three of milliseconds."""
    second_choice: Mapping[str, str] = field(default_factory=dict)
    """{"vol": "tickvol"}: where the column is 0 in all of the first rows, the other has its role.
    """
    sides: Mapping[str, str] = field(default_factory=dict)
    """What cells of `side` mean, in small letters: "buy", "sell", or "" for not known."""
    not_reported: tuple[str, ...] = ()
    """Figures that stand for no figure, beside the usual ones (-1, 9223372036854775807)."""
    carries_quotes: bool = False
    """An empty bid or ask has not changed since the row before."""
    left_out: tuple[LeftOut, ...] = ()
    shift: int = 0
    """The point of prices stands this many places further left (Lean's equities: 4)."""
    shift_whole: int = 0
    """Prices are whole numbers: the point stands this many places further left. A file whose
    prices have a point of their own is read as it is."""
    symbol: str = "{symbol}"
    """The symbol, from the groups of the file's name: "{base}/{quote}"."""
    upper: bool = False
    """The name has the symbol in small letters."""
    is_last_day: bool = False
    """Weeks and months are stamped with their last day."""
    zone: str = ""
    """The zone of times without an offset: an IANA name, UTC, or an offset such as -05:00.
    Empty: it is asked for (`--timezone`)."""
    stamp: str = "open"
    """A bar is stamped at its "open" or its "close"; empty: asked for (`--stamp`)."""
    interval: str = ""
    """The length of a bar, such as "1m"; empty: from the name, the close times or the steps."""
    intervals: Mapping[str, str] = field(default_factory=dict)
    """How the name's `interval` is written: {"60": "1h", "1440": "1d"}."""
    asset_class: bool = False
    """Prices are shifted by what `--asset-class` says (Lean)."""
    joined: bool = False
    """Its maker writes no newline after the last line; in an archive that is whole."""
    floats: bool = False
    """Figures are the text of binary floats, with their noise; a tick may round it away."""
    note: str = ""
    """What is to be said of such a file beside the rest, such as the unit of its volumes."""
    left: str = ""
    """Which columns are left out."""
