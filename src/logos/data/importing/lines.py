"""The lines of a foreign file, plain or packed, and errors that name the line at hand."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from logos.data.readers.chunks import (
    LINE_BYTES_MAX,
    split_line,
    unpacked_max,
    unpacks_to_too_much,
)
from logos.errors import DataError
from logos.files import cut_words, is_cut, open_regular


class ImportInput:
    """A file of text rows: plain, .gz, or a .zip that holds one file.

    A context manager. `separator` is what stands between cells. `read` gives the next row's
    cells, `rest` all that follow; blank lines are passed over. Raises DataError for a file that
    cannot be read; a line that does not end, and a file that unpacks to hundreds of times its size,
    are refused before they fill the memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.separator = ","
        self.line = 0
        self.may_end_open = False
        """Whether the last line may lack its newline: its maker writes none, and the file it is
        packed in shows by its checksum that nothing was cut off."""
        self._stack = ExitStack()
        self._file: IO[str] | None = None
        self._read = 0
        self._most = 0
        """How many characters a packed file may have; 0 for a plain one."""

    def __enter__(self) -> ImportInput:
        try:
            self._file = self._stack.enter_context(self._opened())
        except DataError:
            self._stack.close()
            raise
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            self._stack.close()
            raise DataError(f"{self.path}: cannot be read: {error}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _opened(self) -> IO[str]:
        name = self.path.name.lower()
        beneath = self._stack.enter_context(open_regular(self.path))
        self._most = unpacked_max(self.path) if name.endswith((".zip", ".gz")) else 0
        if name.endswith(".zip"):
            archive = self._stack.enter_context(zipfile.ZipFile(beneath))
            members = [member for member in archive.infolist() if not member.is_dir()]
            # HistData packs a .txt of remarks beside the data.
            tables = [m for m in members if m.filename.lower().endswith(".csv")] or members
            if len(tables) != 1:
                raise DataError(
                    f"{self.path}: {len(tables)} files in the archive; unpack it and import the"
                    " one you want"
                )
            packed = self._stack.enter_context(archive.open(tables[0]))
            return io.TextIOWrapper(packed, encoding="utf-8-sig", errors="replace", newline="\n")
        if name.endswith(".gz"):
            unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=beneath))
            return io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors="replace", newline="\n")
        return io.TextIOWrapper(beneath, encoding="utf-8-sig", errors="replace", newline="\n")

    def error(self, problem: str) -> DataError:
        """An error that names the file and the line read last."""
        return DataError(f"{self.path}:{max(self.line, 1)}: {problem}")

    def read(self) -> list[str]:
        """The cells of the next row; empty at the end of the file."""
        assert self._file is not None
        while True:
            try:
                text = self._file.readline(LINE_BYTES_MAX + 1)
            except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
                raise self.error(f"reading failed, the file may be truncated: {error}") from error
            if not text:
                return []
            self.line += 1
            if len(text) > LINE_BYTES_MAX:
                raise self.error(f"the line has more than {LINE_BYTES_MAX:,} characters")
            self._read += len(text)
            if self._most and self._read > self._most:
                raise unpacks_to_too_much(self.path)
            if is_cut(text) and not self.may_end_open:
                raise self.error(cut_words(self.path))
            text = text.rstrip("\r\n")
            if text:
                return split_line(text) if self.separator == "," else text.split(self.separator)

    def rest(self) -> Iterator[list[str]]:
        """The cells of all rows that follow."""
        while cells := self.read():
            yield cells
