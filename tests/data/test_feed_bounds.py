"""Data that never ends, never comes, or unpacks to thousands of times its size is refused."""

from __future__ import annotations

import gzip
import os
import signal
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from sampling import first_quick

from logos.data.importing.tables.container import members_of
from logos.data.importing.tables.text import text_pieces
from logos.data.readers import chunks
from logos.data.readers.chunks import csv_chunks, fingerprint
from logos.data.signals import read_signals
from logos.data.source import discover
from logos.errors import DataError
from logos.strategies.schedule import Schedule

HEADER = "timestamp,open,high,low,close,volume\n"
ROW = "2024-01-02T10:00:00Z,100,101,99,100,1000\n"


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    """A reader that waits for a named pipe would wait for ever."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def read_all(path: Path) -> int:
    return sum(len(chunk.data) for chunk in csv_chunks(path))


def import_all(path: Path) -> int:
    return sum(len(piece.lines) for member in members_of(path) for piece in text_pieces(member))


# ---- what is no file ----


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "a named pipe, not a file"),
        (lambda path: os.symlink("/dev/zero", path), "a device, not a file"),
    ],
)
@pytest.mark.parametrize(
    "read",
    [read_all, import_all, fingerprint, discover, read_signals, lambda path: Schedule(str(path))],
)
@pytest.mark.parametrize("extension", ["csv", "csv.gz"])
def test_a_pipe_or_device_in_the_place_of_data_is_refused_at_once(
    tmp_path: Path,
    make: Callable[[Path], None],
    words: str,
    read: Callable[[Path], object],
    extension: str,
) -> None:
    path = tmp_path / f"ACME_1m.{extension}"
    make(path)
    with pytest.raises((DataError, ValueError), match=words) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_a_pipe_in_the_place_of_parquet_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ACME_1m.parquet")
    with pytest.raises(DataError, match="a named pipe, not a file"):
        discover(tmp_path / "ACME_1m.parquet")


# ---- lines without an end ----


@pytest.mark.parametrize("read", [read_all, import_all])
def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_held(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "ACME_1m.csv"
    with path.open("wb") as file:
        file.write((HEADER + ROW + ROW).encode())
        file.truncate(100 << 20)  # a hole: it takes no place on the disk
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r":4: the line has more than 1,048,576") as refused:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert str(path) in str(refused.value)


def test_a_line_up_to_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ACME_1m.csv"
    path.write_text(HEADER + "x" * (chunks.LINE_BYTES_MAX - 1) + "\n" + ROW)
    assert read_all(path) == chunks.LINE_BYTES_MAX + len(ROW)
    assert import_all(path) == 3


# ---- packed files ----


def packed(path: Path, line: bytes, bytes_in_all: int) -> Path:
    content = HEADER.encode() + line * (bytes_in_all // len(line))
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.csv", content)
    else:
        path.write_bytes(gzip.compress(content))
    return path


@pytest.mark.parametrize(
    ("name", "read"),
    first_quick([("ACME_1m.csv.gz", read_all), ("x.csv.gz", import_all), ("x.zip", import_all)]),
)
def test_a_bomb_is_refused_and_market_data_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, read: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(chunks, "UNPACKED_FREE", 1 << 20)
    bomb = packed(tmp_path / name, b"\n" * 1000, 8 << 20)
    with pytest.raises(DataError, match="unpacks to more than 250 times its size"):
        read(bomb)
    bomb.unlink()
    rows = b"".join(
        b"2024-01-02T%02d:%02d:%02dZ,%d.%02d,101,99,100,1000\n"
        % (n // 3600 % 24, n // 60 % 60, n % 60, n % 97, n * 7 % 100)
        for n in range(20_000)
    )
    read(packed(tmp_path / name, rows, 2 << 20))


def test_a_small_file_may_unpack_to_whatever_it_likes(tmp_path: Path) -> None:
    assert read_all(packed(tmp_path / "ACME_1m.csv.gz", b"\n" * 1000, 8 << 20)) == 8_388_000


# ---- files that are held in memory ----


@pytest.mark.long
@pytest.mark.parametrize("read", [read_signals, lambda path: Schedule(str(path))])
def test_signals_and_schedules_have_a_size(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "signals.csv"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises((DataError, ValueError), match="larger than 268,435,456 bytes"):
        read(path)
