"""Drafts of instruments into the `instruments.toml` beside the data: added, never overwritten.

What stands in the file stays as it is, to the last comment; a symbol that it knows already is not
touched. New tables are put at its end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from logos.errors import DataError
from logos.files import make_folder, read_whole, replace_file

INSTRUMENTS_NAME: Final = "instruments.toml"
_BYTES_MAX: Final = 16 << 20


def known_symbols(folder: Path) -> frozenset[str]:
    """The symbols in the folder's `instruments.toml`. Raises DataError for a damaged one."""
    return frozenset(_tables(folder / INSTRUMENTS_NAME, _text(folder / INSTRUMENTS_NAME)))


def add_instruments(folder: Path, drafts: Mapping[str, str]) -> list[str]:
    """Add a draft (TOML text) for each symbol that the folder's file does not know.

    Returns the symbols that were added. Raises DataError when the file is no TOML, or when a draft
    cannot be added to it; it is then left as it was.
    """
    path = folder / INSTRUMENTS_NAME
    text = _text(path)
    known = _tables(path, text)
    added = [symbol for symbol in drafts if symbol not in known]
    if not added:
        return []
    parts = [text.rstrip("\n") + "\n"] if text.strip() else []
    whole = "\n".join([*parts, *(drafts[symbol].rstrip("\n") + "\n" for symbol in added)])
    after = _tables(path, whole)
    if any(after.get(symbol) != table for symbol, table in known.items()):
        raise DataError(f"{path}: an instrument would change; add it by hand:\n\n{whole}")
    missing = [symbol for symbol in added if symbol not in after]
    if missing:
        raise DataError(f"{path}: the draft of {missing[0]} is of another symbol")
    make_folder(folder)
    replace_file(path, whole.encode("utf-8"))
    return added


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    try:
        return read_whole(path, _BYTES_MAX).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _tables(path: Path, text: str) -> dict[str, object]:
    try:
        found = tomllib.loads(text).get("instruments", {})
    except tomllib.TOMLDecodeError as error:
        raise DataError(
            f"{path}: an instrument cannot be added: {error}; correct the file first"
        ) from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: `instruments` is no table; correct the file first")
    return found
