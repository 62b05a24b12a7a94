"""Puts a table that a tool makes into a document, in place of the one that it has."""

from __future__ import annotations

from pathlib import Path


def with_new_rows(text: str, head: str, rows: str, document: Path) -> str:
    """`text` with `head` and `rows` where it has a table with that head, up to an empty line.

    Raises SystemExit, naming the `document`, when it has none.
    """
    before, found, rest = text.partition(head)
    if not found:
        raise SystemExit(f"{document} has no line {head.splitlines()[0]!r}")
    _, blank, rest = rest.partition("\n\n")
    return before + head + rows + blank[1:] + rest
