"""Writing market data: cleaned copies, and conversion between CSV and Parquet.

Both write what the reader read, so what stands in the copy is what a session would have used:
prices exact, sizes truncated to the instrument's quantity decimals, unusable rows left out. No
existing file is ever overwritten, and a copy appears under its name only when it is complete.
"""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from operator import sub
from pathlib import Path
from typing import IO, Any, Protocol, cast

from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.core.types import SIZE_UNKNOWN
from logos.data.check import inspect_source
from logos.data.defects import BACKWARDS_TIME, OFF_TICK, DefectTally
from logos.data.layout import Layout, extension_of, file_layout, stem_of
from logos.data.readers.blocks import read_files, read_sorted_files
from logos.data.readers.numbers import format_timestamp
from logos.data.readers.optional import require_arrow
from logos.data.readers.rows import Block, lengths_of
from logos.data.source import DataSource
from logos.errors import DataError
from logos.files import make_folder, open_new


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did: files written, rows in each, how many rows were put where their time
    belongs, and the defects by kind that stayed out or, of KEEPING_KINDS, in."""

    paths: tuple[Path, ...]
    rows: int
    counts: Mapping[str, int]
    sorted_rows: int = 0


class _BlockWriter(Protocol):
    def write(self, block: Block) -> None: ...
    def close(self) -> None: ...


def repair(
    source: DataSource, instrument: Instrument, out: Path, *, accept: frozenset[str] = frozenset()
) -> RepairReport:
    """Write a cleaned copy of the source to `out` (.csv, .csv.gz or .parquet).

    Rows that cannot be used are dropped, the rest is in the order of time (rows of equal time
    keep their order), and of bars of the same time the first is kept. Gaps and crossed quotes
    stay as they are. A two-sided pair gives two files, `_bid` and `_ask`, of the same times.
    Where rows have to be sorted the file is held in memory; otherwise it streams.

    Prices off the tick are no damage of the rows: the tick may be wrong, and which of the two is
    would be a guess. They are left out only with "off_tick" in `accept`.

    Raises DataError when `out` exists or cannot be written, for prices off the tick, and when no
    row is usable.
    """
    found = inspect_source(source, instrument)
    if OFF_TICK in found.counts and OFF_TICK not in accept:
        raise DataError(
            f"{source.path}: {found.counts[OFF_TICK]:,} rows have prices off the tick, which is not"
            f" repaired by a guess. {found.hints.get(OFF_TICK, '')}. To leave these rows out:"
            " --accept off_tick"
        )
    # Sorting brings rows back that reading in order would have had to drop.
    reading = read_sorted_files if BACKWARDS_TIME in found.counts else read_files
    tally = DefectTally()
    parts = reading(source, instrument, accept=None, tally=tally)
    paths, rows = _write_parts(source, instrument, out, parts)
    return RepairReport(paths, rows, dict(tally.counts), tally.sorted_rows)


def to_parquet(
    source: DataSource,
    instrument: Instrument,
    out: Path,
    *,
    accept: frozenset[str] = frozenset(),
) -> tuple[Path, ...]:
    """Convert a source to Parquet with decimal128 columns; a pair gives two files.

    Returns the files written. Raises DataError when `out` does not end in .parquet or exists,
    when pyarrow is not installed, and for data defects outside of `accept`.
    """
    if extension_of(out) != ".parquet":
        raise DataError(f"{out}: the name must end in .parquet")
    paths, _ = _write_parts(source, instrument, out, read_files(source, instrument, accept=accept))
    return paths


def _write_parts(
    source: DataSource, instrument: Instrument, out: Path, parts: Iterator[tuple[Block, ...]]
) -> tuple[tuple[Path, ...], int]:
    extension = extension_of(out)
    if extension is None:
        raise DataError(f"{out}: the name must end in .csv, .csv.gz or .parquet")
    paths = (out,) if source.ask_path is None else _pair_paths(out, extension)
    for path in paths:
        check_absent(path)
    unfinished = [_unfinished(path) for path in paths]
    try:
        make_folder(out.parent)
        rows = _write_blocks(source, instrument, unfinished, extension, parts)
        if not rows:
            raise DataError(f"{source.path}: not one row can be used; fetch the data again")
        for made, path in zip(unfinished, paths, strict=True):
            publish(made, path)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        for made in unfinished:
            made.unlink(missing_ok=True)
    return paths, rows


def _write_blocks(
    source: DataSource,
    instrument: Instrument,
    paths: Sequence[Path],
    extension: str,
    parts: Iterator[tuple[Block, ...]],
) -> int:
    layout = file_layout(source.kind)
    interval_ns = source.interval_ns or 0
    rows = 0
    with ExitStack() as stack:
        writers = [
            stack.enter_context(closing(_writer(path, extension, layout, instrument)))
            for path in paths
        ]
        for part in parts:
            rows += len(part[0])
            for writer, block in zip(writers, part, strict=True):
                # Files hold a bar's open time, events its close.
                opened_ns = list(map(sub, block.ts_ns, lengths_of(block, interval_ns)))
                writer.write(Block(opened_ns, block.columns, block.lines))
    return rows


def _unfinished(path: Path) -> Path:
    """Where `path` is made: hidden, in the same folder, and not in another process's way."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def publish(made: Path, path: Path) -> None:
    """Give a finished file its name, once its bytes are on disk."""
    check_absent(path)
    with made.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(made, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_absent(path: Path) -> None:
    """Raise DataError when `path` is there already: data is never overwritten."""
    if path.exists():
        raise DataError(f"{path}: exists already and is not overwritten; choose another name")


def _pair_paths(out: Path, extension: str) -> tuple[Path, Path]:
    stem = stem_of(out)
    base = stem[:-4] if stem.endswith(("_bid", "_ask")) else stem
    real_extension = out.name[len(stem) :] or extension
    bid, ask = (out.with_name(f"{base}{side}{real_extension}") for side in ("_bid", "_ask"))
    return bid, ask


def _writer(path: Path, extension: str, layout: Layout, instrument: Instrument) -> _BlockWriter:
    if extension != ".parquet":
        return _CsvWriter(path, extension, layout, instrument)
    require_arrow(path)
    from logos.data.readers.parquet import ParquetWriter

    open_new(path).close()  # pyarrow would make it readable for others
    return ParquetWriter(path, layout, instrument)


class _CsvWriter:
    """Writes blocks of one file's layout as CSV, plain or compressed."""

    def __init__(self, path: Path, extension: str, layout: Layout, instrument: Instrument) -> None:
        self._file = open_text(path, extension)
        self._file.write(",".join(layout.columns) + "\n")
        price_decimals, size_decimals = instrument.price_decimals, instrument.quantity_decimals
        self._formats: list[Callable[[Any], str]] = [
            *[lambda units: format_units(units, price_decimals) for _ in layout.prices],
            *[
                lambda units: "" if units == SIZE_UNKNOWN else format_units(units, size_decimals)
                for _ in layout.sizes
            ],
            *[str.lower for _ in layout.sides],
        ]

    def write(self, block: Block) -> None:
        """Append the block's rows."""
        columns: list[Iterator[str]] = [map(format_timestamp, block.ts_ns)]
        for cell_text, values in zip(self._formats, block.columns, strict=True):
            columns.append(map(cell_text, values))
        self._file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def open_text(path: Path, extension: str) -> IO[str]:
    """Open a new .csv or .csv.gz for writing text; the same text gives the same bytes."""
    if extension != ".csv.gz":
        return open_new(path, "w", encoding="utf-8", newline="")
    # No name and no time in the header, so that equal data is an equal file.
    raw = open_new(path)
    packed = _OwningGzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
    return io.TextIOWrapper(cast("IO[bytes]", packed), encoding="utf-8", newline="")


class _OwningGzipFile(gzip.GzipFile):
    """Closes the file beneath as well, which GzipFile leaves open when it was given one."""

    def close(self) -> None:
        beneath = cast("IO[bytes] | None", self.fileobj)
        super().close()
        if beneath is not None:
            beneath.close()


@contextmanager
def new_csv(path: Path, header: Sequence[str]) -> Iterator[IO[str]]:
    """A new .csv or .csv.gz with `header`, which appears as `path` only when all went well.

    Raises DataError when `path` exists or cannot be written.
    """
    extension = extension_of(path)
    if extension not in (".csv", ".csv.gz"):
        raise DataError(f"{path}: the name must end in .csv or .csv.gz")
    check_absent(path)
    unfinished = _unfinished(path)
    try:
        make_folder(path.parent)
        with open_text(unfinished, extension) as file:
            file.write(",".join(header) + "\n")
            yield file
        publish(unfinished, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
