"""What an example of a vendor's file is: its bytes, and what must come out of it."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from logos.data.importing.options import ImportOptions


@dataclass(frozen=True)
class Example:
    """A file as a vendor writes it, made by hand, and the rows it stands for.

    `rows` are the lines of our CSV without its header; of a two-sided pair, the bid's and then,
    after a line `--`, the ask's. `says` are words that the report must hold.
    """

    layout: str
    name: str
    text: str
    symbol: str
    kind: str
    interval: str
    rows: str
    options: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    encoding: str = "utf-8"
    member: str = ""
    """The name of the file within the archive, of a .zip."""

    def write(self, folder: Path) -> Path:
        """Write the example's file into `folder`, packed as its name says."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.text.encode(self.encoding)
        if path.suffix == ".gz":
            data = gzip.compress(data, mtime=0)
        elif path.suffix == ".zip":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                archive.writestr(self.member, data)
            data = packed.getvalue()
        path.write_bytes(data)
        return path

    @property
    def expected(self) -> list[list[str]]:
        """The lines of each file that must be written, without its header."""
        return [
            [line.strip() for line in half.split("\n") if line.strip()]
            for half in self.rows.split("--\n")
        ]


@dataclass(frozen=True)
class Refused:
    """A file that must not be taken for what it resembles, and words of the refusal."""

    name: str
    text: str
    says: tuple[str, ...]
    options: tuple[str, ...] = ("--symbol", "X")

    def write(self, folder: Path) -> Path:
        """Write the file into `folder`."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text, encoding="utf-8")
        return path


def options_of(words: tuple[str, ...]) -> ImportOptions:
    """The options that these words of a command line mean."""
    given = dict(zip(words[::2], words[1::2], strict=True))
    symbols = given.pop("--symbol", "")
    named: dict[str, object] = {
        name.removeprefix("--").replace("-", "_"): text for name, text in given.items()
    }
    if "columns" in named:
        named["columns"] = tuple(str(named["columns"]).split(","))
    return ImportOptions(symbols=tuple(filter(None, symbols.split(","))), **named)  # type: ignore[arg-type]
