"""What a person says about a file that the file does not say itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """The options of `logos data import`; an empty one is left to the file to tell.

    `symbols`: the name of the one symbol in the files, or which of several are wanted.
    `columns`: roles by place. `last_row`: whether a last line that lacks its end is kept
    ("keep") or left out ("drop"); else it is refused. `sort`: rows out of order are sorted.
    """

    format: str = ""
    symbols: tuple[str, ...] = ()
    symbol_column: str = ""
    columns: tuple[str, ...] = ()
    timezone: str = ""
    time_format: str = ""
    stamp: str = ""
    interval: str = ""
    tick: str = ""
    asset_class: str = ""
    separator: str = ""
    decimal: str = ""
    skip: int = 0
    last_row: str = ""
    sort: bool = False
