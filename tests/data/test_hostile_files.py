"""Files that would fill the memory, wait for ever or change meanwhile: one message, in bounds."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from feed_helpers import BAR_HEADER, READERS, bar_row, needs_arrow, source_of, traded, write

from logos.cli.main import main
from logos.data import check as checking
from logos.data.check import inspect_source
from logos.data.readers import chunks
from logos.data.readers.blocks import read_blocks
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.errors import DataError

MEMORY = 400 << 20
"""Bytes of address space that a command may take beyond what its libraries took."""


def good(path: Path, rows: int = 3) -> Path:
    return write(path, BAR_HEADER, [row_of(minute) for minute in range(rows)])


def row_of(minute: int) -> str:
    return f"{1704153600 + 60 * minute},10,12,9,11,1"


# ---- inputs that commands must refuse ----


def one_line(folder: Path) -> Path:
    path = folder / "A_1m.csv"
    with path.open("wb") as file:
        file.write(f"{BAR_HEADER}\n{bar_row(0)}\n".encode())
        file.truncate(1 << 30)  # a gigabyte that takes no room on the disk
    return path


def one_header(folder: Path) -> Path:
    path = folder / "A_1m.csv"
    with path.open("wb") as file:
        file.write(b"timestamp,open,high,low,close,")
        file.truncate(1 << 30)
    return path


def gzip_bomb(folder: Path) -> Path:
    path = folder / "A_1m.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(f"{BAR_HEADER},note\n".encode())
        for number in range(2_000):
            file.write(f"{row_of(number)},{'x' * 50_000}\n".encode())
    return path


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "A_1m.csv")
    return folder / "A_1m.csv"


def pipe_in_a_folder(folder: Path) -> Path:
    return pipe(folder).parent


def parquet_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "A_1m.parquet")
    return folder / "A_1m.parquet"


def loop(folder: Path) -> Path:
    (folder / "in").mkdir()
    good(folder / "in" / "A_1m.csv")
    (folder / "in" / "again").symlink_to(folder)
    return folder


def circle(folder: Path) -> Path:
    (folder / "a.csv").symlink_to(folder / "b.csv")
    (folder / "b.csv").symlink_to(folder / "a.csv")
    return folder


def nothing_behind(folder: Path) -> Path:
    (folder / "A_1m.csv").symlink_to(folder / "gone.csv")
    return folder


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a gigabyte in one line": (one_line, "A_1m.csv:3: the line has more than"),
    "a gigabyte in the header": (one_header, "A_1m.csv:1: the line has more than 65,536 bytes"),
    "a gz bomb": (gzip_bomb, "unpacks to more than"),
    "a pipe": (pipe, "it is a named pipe"),
    "a pipe in a folder": (pipe_in_a_folder, "it is a named pipe"),
    "a pipe called Parquet": (parquet_pipe, "it is a named pipe"),
    "a link back": (loop, "this link leads back to a folder that it lies in"),
    "links in a circle": (circle, "symbolic links"),
    "a link to nothing": (nothing_behind, "No such file"),
}
ASKED = [
    *(("check", name) for name in HOSTILE),
    *((command, name) for command in ("list", "trade") for name in ("a pipe", "a link back")),
    *(("import", name) for name in ("a pipe", "a gigabyte in one line")),
]
WORDS = {
    "check": ["data", "check"],
    "list": ["data", "list"],
    "trade": ["trade", "--strategy", "sma_cross", "--data"],
    "import": ["data", "import", "--format", "binance", "--symbol", "A", "--out", "OUT"],
}
CHILD = """
import io, json, resource, sys
from contextlib import redirect_stderr, redirect_stdout
import pyarrow.parquet
from logos.cli.main import main
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[1]),) * 2)
told = []
for words in json.loads(sys.argv[2]):
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        try:
            code = main(words)
        except SystemExit as error:
            code = error.code
        except BaseException as error:
            code = repr(error)
    told.append([code, said.getvalue()])
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Told:
    """What a command said of an input, and what there was in its folder before and after."""

    code: object
    said: str
    before: list[str]
    after: list[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Told]:
    """All commands over all inputs, in one process with MEMORY bytes to spare."""
    base = tmp_path_factory.mktemp("hostile")
    inputs, folders = {}, {}
    for number, (name, (make, _)) in enumerate(HOSTILE.items()):
        folders[name] = base / f"in{number}"
        folders[name].mkdir()
        inputs[name] = make(folders[name])
    before = {name: sorted(os.listdir(folder)) for name, folder in folders.items()}
    out = base / "out"
    lines = [
        [*(str(out) if word == "OUT" else word for word in WORDS[command]), str(inputs[name])]
        for command, name in ASKED
    ]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(MEMORY), json.dumps(lines)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "LOGOS_HOME": str(base / "home")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not out.exists() or list(out.iterdir()) == []
    assert not list((base / "home").glob("runs/live/sessions/*"))
    return {
        asked: Told(code, said, before[asked[1]], sorted(os.listdir(folders[asked[1]])))
        for asked, (code, said) in zip(ASKED, json.loads(done.stdout), strict=True)
    }


@needs_arrow
@pytest.mark.long
@pytest.mark.parametrize(("command", "name"), ASKED)
def test_it_is_refused_with_one_message_in_bounded_memory_and_leaves_nothing(
    told: dict[tuple[str, str], Told], command: str, name: str
) -> None:
    found = told[command, name]
    assert found.code == 3, found.said
    assert found.said.count("logos data: ") + found.said.count("logos trade: ") == 1
    if command != "import":
        assert HOSTILE[name][1] in found.said
    assert found.before == found.after


# ---- links that lead to data ----


def test_a_linked_folder_is_searched_and_each_folder_once(tmp_path: Path) -> None:
    (tmp_path / "far" / "deep").mkdir(parents=True)
    good(tmp_path / "far" / "deep" / "B_1m.csv")
    data = tmp_path / "data"
    (data / "2024").mkdir(parents=True)
    good(data / "2024" / "A_1m.csv")
    (data / "latest").symlink_to(data / "2024")
    (data / "disk").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "deep" / "round").symlink_to(data / "2024")
    found = discover(data)
    assert sorted(source.symbol for source in found) == ["A", "B"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    good(tmp_path / "A_1m.csv")
    (tmp_path / "sub").mkdir()
    with pytest.raises(DataError, match=r"sub: cannot be searched: Permission denied"):
        list(_refused_folder(tmp_path))


def _refused_folder(folder: Path) -> Iterator[object]:
    """As root every folder can be read, so the system's answer is made here."""
    real = os.scandir

    def scandir(path: str | Path) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        yield from discover(folder)


# ---- a file that grows or changes while it is read ----


@pytest.mark.long
@pytest.mark.parametrize("fast", READERS)
def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, fast: bool) -> None:
    path = good(tmp_path / "A_1m.csv", 60_000)
    blocks = read_blocks(source_of(path), traded(), fast=fast)
    next(blocks)  # bars are given out a piece later than they are read: their ends may be cut
    with path.open("a") as file:
        file.write(row_of(60_000) + "\n")
    with pytest.raises(DataError, match=r"A_1m.csv: it changed while it was read"):
        list(blocks)


def test_a_writer_that_is_faster_than_the_reader_ends_nothing_but_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = good(tmp_path / "A_1m.csv", 20)
    real, reads = chunks._read_piece, []

    def read(*words: object) -> tuple[bytes, str]:
        with path.open("a") as file:
            file.write(bar_row(0) + "\n")
        reads.append(1)
        assert len(reads) < 100
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(chunks, "_read_piece", read)
    with pytest.raises(DataError, match="it changed while it was read"):
        list(chunks.csv_chunks(path, 64))


def test_a_file_that_changes_behind_the_check_is_refused_by_the_replay(tmp_path: Path) -> None:
    path = good(tmp_path / "A_1m.csv")
    report = inspect_source(source_of(path), traded())
    feed = ReplayFeed([source_of(path)], {"BTCUSD": traded()}, stamps=report.stamps)
    assert len([event for chunk in feed.chunks() for event in chunk]) == 3
    with path.open("a") as file:
        file.write(row_of(3) + "\n")
    with pytest.raises(DataError, match="it changed while it was read"):
        list(feed.chunks())


def test_a_hash_is_that_of_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = good(tmp_path / "A_1m.csv")
    real = chunks.fingerprint

    def late(name: Path) -> str:
        with name.open("a") as file:
            file.write(row_of(3) + "\n")
        return real(name)

    monkeypatch.setattr(checking, "fingerprint", late)
    with pytest.raises(DataError, match="it changed while it was read"):
        inspect_source(source_of(path), traded())


# ---- Parquet that says of itself what is not so ----


def parquet(path: Path, rows: int = 300, **words: object) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    prices = pa.array([1000 + number % 7 for number in range(rows)], pa.int64())
    schema = pa.schema(
        [
            ("timestamp", pa.int64()),
            *(
                pa.field(name, pa.int64(), metadata={"decimals": str(words.get("decimals", 2))})
                for name in ("open", "high", "low", "close")
            ),
        ]
    )
    moments = pa.array([1704153600 + 60 * number for number in range(rows)], pa.int64())
    table = pa.table([moments, prices, prices, prices, prices], schema=schema)
    pq.write_table(table, path, write_page_checksum=True)
    return path


@needs_arrow
@pytest.mark.parametrize("decimals", ["two", "-2", "19", "99999999999999999999", ""])
def test_a_column_whose_decimals_are_no_number_is_named(tmp_path: Path, decimals: str) -> None:
    path = parquet(tmp_path / "A_1m.parquet", decimals=decimals)
    with pytest.raises(DataError, match=r"column 'open': its metadata says"):
        discover(path)
    assert main(["data", "check", str(path)]) == 3


@needs_arrow
@pytest.mark.parametrize("rows", [299, 301, 1, 5_000_000_000])
def test_a_wrong_number_of_rows_is_found(tmp_path: Path, rows: int) -> None:
    path = parquet(tmp_path / "A_1m.parquet")
    content = path.read_bytes()
    # In the table of contents the number stands as a varint, zigzag: of the file and of its parts.
    for count in (1, 2):
        path.write_bytes(_renumbered(content, 300, rows, count))
        with pytest.raises(DataError, match=r"A_1m.parquet: .*Parquet file"):
            inspect_source(source_of(path), traded(tick="0.01"))


def _varint(number: int) -> bytes:
    number <<= 1
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _renumbered(content: bytes, old: int, new: int, count: int) -> bytes:
    """The file with another number of rows in `count` of the places that come last."""
    size = int.from_bytes(content[-8:-4], "little")
    foot = content[-8 - size : -8]
    # Field 3 of the file and of its parts: an i64 one field behind the last.
    old_field, new_field = b"\x16" + _varint(old), b"\x16" + _varint(new)
    for _ in range(count):
        place = foot.rfind(old_field)
        assert place >= 0
        foot = foot[:place] + new_field + foot[place + len(old_field) :]
        old_field = b"\x16" + _varint(old)
    return content[: -8 - size] + foot + len(foot).to_bytes(4, "little") + b"PAR1"


@needs_arrow
def test_parquet_that_unpacks_to_much_more_than_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path / "A_1m.parquet", rows=30_000)
    monkeypatch.setattr(chunks, "UNPACKED_FREE", 1_000)
    report = inspect_source(source_of(path), traded())
    assert report.rows == 30_000
    monkeypatch.setattr(chunks, "UNPACKED_RATIO_MAX", 1)
    with pytest.raises(DataError, match=r"unpacks to more than 1 times its size"):
        inspect_source(source_of(path), traded())


@needs_arrow
@pytest.mark.long
def test_any_byte_of_a_parquet_file_may_be_wrong(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "whole_1m.parquet").read_bytes()
    path = tmp_path / "A_1m.parquet"
    outcomes = set()
    for place in range(0, len(whole), 11):
        damaged = bytearray(whole)
        damaged[place] ^= 0x5A
        path.write_bytes(damaged)
        try:
            (source,) = discover(path)
            report = inspect_source(source, traded("A"))
        except DataError:
            outcomes.add("refused")
        else:
            outcomes.add("read")
            assert report.rows <= 300
    assert outcomes == {"refused", "read"}
