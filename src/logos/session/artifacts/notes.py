"""What a strategy wrote down, as tables: notes.csv and plots.csv, there only if it did.

Both are projections of the journal, as the other tables are. A file is made with its first row.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from logos.core.records import NoteRecord, PlotRecord
from logos.session.artifacts.rows import Moments, Table, cell, text_cell

NOTE_COLUMNS: Final = ("time", "tick_id", "symbol", "text")
PLOT_COLUMNS: Final = ("time", "tick_id", "symbol", "name", "value")

NOTE_TABLES: Final = {"notes.csv": NOTE_COLUMNS, "plots.csv": PLOT_COLUMNS}
"""Tables that a session's folder has only if there is something to write into them."""


class NoteTables:
    """Writes notes.csv and plots.csv into a session's folder, or continues what is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._moments = Moments()
        self._tables: dict[str, Table] = {}
        self._closing = ExitStack()
        for name in NOTE_TABLES:
            if (folder / name).exists():
                self._open(name)

    def write(self, record: NoteRecord | PlotRecord) -> None:
        """Add the row of a record. Raises OSError when its file cannot be made."""
        is_note = isinstance(record, NoteRecord)
        name = "notes.csv" if is_note else "plots.csv"
        table = self._tables.get(name)
        if table is None:
            table = self._open(name)
        head = f"{self._moments.text(record.ts_ns)},{record.tick_id},{cell(record.symbol)}"
        if isinstance(record, NoteRecord):
            table.add(f"{head},{cell(text_cell(record.text))}\n")
        else:
            table.add(f"{head},{cell(text_cell(record.name))},{record.value}\n")

    def flush(self) -> None:
        """Hand all rows to the operating system."""
        for table in self._tables.values():
            table.flush()

    def close(self) -> None:
        """Flush and close what was opened."""
        self._closing.close()

    def _open(self, name: str) -> Table:
        path = self._folder / name
        table = Table(path, NOTE_TABLES[name], is_there=path.exists())
        self._closing.callback(table.close)
        self._tables[name] = table
        return table
