"""Writes the table of guards into docs/GUARDS.md, from `logos.core.guards.table`.

Run: python tools/make_guard_table.py
"""

from __future__ import annotations

from pathlib import Path

from document_table import with_new_rows

from logos.core.guards import SessionGuards
from logos.core.guards.table import TABLE

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "GUARDS.md"
_HEAD = "| code | judges | default action | key | closing |\n|---|---|---|---|---|\n"


def rows() -> str:
    """The rows of the table as Markdown."""
    actions = SessionGuards()
    return "".join(
        f"| `{guard.code.value}` | {guard.judges}{', also on every tick' * guard.is_on_ticks} "
        f"| {actions.action(guard.code).value} "
        f"| {', '.join(f'`{key}`' for key in guard.keys) or 'always on'} | {guard.closing} |\n"
        for guard in TABLE
    )


def with_table(text: str) -> str:
    """The document with the table of today in place of the one it has."""
    return with_new_rows(text, _HEAD, rows(), DOCUMENT)


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
