"""Data is checked once: the record of a check is found again, and trusted with nothing."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from feed_helpers import BAR_HEADER, TRADE_HEADER, bar_row, source_of, traded, write
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.data import check as checking
from logos.data.check import CheckReport
from logos.data.checked import store as stores
from logos.data.checked import threads
from logos.data.checked.columns import Columns, ColumnsWriter
from logos.data.checked.question import Question
from logos.data.checked.store import CheckedStore
from logos.data.defects import GAP, OFF_TICK
from logos.data.layout import TRADES
from logos.data.readers.blocks import read_blocks
from logos.data.readers.rows import Block
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource
from logos.data.times.reader import TimeRules
from logos.errors import DataError

ROWS = [bar_row(minute, volume=str(minute % 7)) for minute in range(60)]
INSTRUMENTS = {"BTCUSD": traded()}
GAPPED = [row for row in ROWS if ":30:" not in row]


@pytest.fixture(autouse=True)
def _short_sources_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "KEPT_ROWS_MIN", 10)
    monkeypatch.setattr(stores, "FREE_BYTES_MIN", 0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that a check reads from now on."""
    seen: list[Path] = []
    real = read_blocks

    def seen_blocks(source: DataSource, *given: Any, **said: Any) -> Iterator[Block]:
        seen.append(source.path)
        return real(source, *given, **said)

    monkeypatch.setattr(checking, "read_blocks", seen_blocks)
    return seen


def asked(**changes: Any) -> Question:
    return replace(Question(traded(), b"{}", frozenset({GAP})), **changes)


def kept(tmp_path: Path) -> CheckedStore:
    return CheckedStore(tmp_path / "checked", "build")


def replayed(source: DataSource, report: CheckReport, columns: Columns | None) -> list[Any]:
    feed = ReplayFeed([source], INSTRUMENTS, accept=frozenset({GAP}), stamps=report.stamps)
    if columns is not None:
        feed.checked = {source.paths: columns}
    return [event for chunk in feed.chunks() for event in chunk]


@pytest.mark.parametrize("kind", ["bars", TRADES, "pair"])
def test_a_checked_source_is_not_read_again(tmp_path: Path, reads: list[Path], kind: str) -> None:
    if kind == TRADES:
        rows = [f"2024-01-02T00:00:{each:02d}Z,10.5,1,{['buy', 'sell'][each % 2]}"
                for each in range(60)]  # fmt: skip
        source = source_of(write(tmp_path / "BTCUSD_trades.csv", TRADE_HEADER, rows), TRADES)
    else:
        path = write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, GAPPED)
        ask = write(tmp_path / "BTCUSD_ask_1m.csv", BAR_HEADER, ROWS) if kind == "pair" else None
        source = source_of(path, "quote_bars" if ask else "bars", ask)
    question = asked(accept=frozenset({GAP, "unpaired"}), moments_ns=(1_704_154_000_000_000_000,))
    first, first_columns = kept(tmp_path).check(source, question)
    again, again_columns = kept(tmp_path).check(source, question)
    assert reads == [source.path]
    assert (again, again.fingerprints) == (first, first.fingerprints)
    assert first.rows
    assert first_columns is not None
    events = ReplayFeed([source], INSTRUMENTS, accept=question.accept)
    expected = [event for chunk in events.chunks() for event in chunk]
    assert replayed(source, again, again_columns) == expected
    assert replayed(source, first, first_columns) == expected


def test_another_content_is_checked_whatever_the_file_says_of_itself(
    tmp_path: Path, reads: list[Path]
) -> None:
    path = write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS)
    before = path.stat()
    kept(tmp_path).check(source_of(path), asked())
    write(path, BAR_HEADER, [row.replace("10,12", "11,12") for row in ROWS])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    report, columns = kept(tmp_path).check(source_of(path), asked())
    assert len(reads) == 2
    assert replayed(source_of(path), report, columns)[0].open_units == 1100


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"said": b'{"tick":"1"}'}, id="settings"),
        pytest.param({"now_ns": 1_704_154_000_000_000_000}, id="judged by a clock"),
        pytest.param({"moments_ns": (1,)}, id="moments"),
    ],
)
def test_another_question_is_another_check(
    tmp_path: Path, reads: list[Path], change: dict[str, Any]
) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    kept(tmp_path).check(source, asked())
    kept(tmp_path).check(source, asked(**change))
    CheckedStore(tmp_path / "checked", "another build").check(source, asked())
    kept(tmp_path).check(replace(source, is_named=True), asked())
    assert len(reads) == 4


def test_what_was_judged_by_a_clock_is_good_later_and_without_one(
    tmp_path: Path, reads: list[Path]
) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    now_ns, year_ns = 1_704_154_000_000_000_000, 366 * 86_400 * 10**9
    kept(tmp_path).check(source, asked(now_ns=now_ns))
    kept(tmp_path).check(source, asked(now_ns=now_ns + 3 * year_ns))
    kept(tmp_path).check(source, asked())
    assert len(reads) == 1
    kept(tmp_path).check(source, asked(now_ns=now_ns - year_ns))
    assert len(reads) == 2


def _forge(record: Path) -> None:
    """The record of another file, honestly sealed, under this one's name."""
    content = json.loads(record.read_bytes())["record"]
    body = json.dumps({**content, "key": "0" * 64}, separators=(",", ":")).encode()
    digest = sha256(body).hexdigest().encode()
    record.write_bytes(b'{"sha256":"' + digest + b'","record":' + body + b"}\n")


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def _put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "record": lambda record: _flip(record, 120),
    "hash": lambda record: _flip(record, 20),
    "cut record": lambda record: record.write_bytes(record.read_bytes()[:-9]),
    "forged": _forge,
    "columns": lambda record: _flip(record.with_suffix(".columns"), 300),
    "cut columns": lambda record: os.truncate(record.with_suffix(".columns"), 200),
    "no columns": lambda record: record.with_suffix(".columns").unlink(),
    "no record": lambda record: record.unlink(),
    "a pipe": lambda record: _put_pipe(record.with_suffix(".columns")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_or_forged_is_checked_again(
    tmp_path: Path, reads: list[Path], damage: str
) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    kept(tmp_path).check(source, asked())
    (record,) = (tmp_path / "checked").glob("*.json")
    DAMAGES[damage](record)
    report, columns = kept(tmp_path).check(source, asked())
    assert len(reads) == 2
    assert len(replayed(source, report, columns)) == 60
    kept(tmp_path).check(source, asked())
    assert len(reads) == 2, "it was mended"


def test_columns_that_change_while_they_are_read_stop_the_reading(tmp_path: Path) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    report, columns = kept(tmp_path).check(source, asked())
    assert columns is not None
    os.truncate(columns.path, 100)
    with pytest.raises(DataError, match="changed while it was read"):
        replayed(source, report, columns)


def test_what_is_refused_is_refused_again_in_the_same_words(
    tmp_path: Path, reads: list[Path]
) -> None:
    off = [*ROWS[:50], bar_row(50, "10.001,12,9,11"), *ROWS[51:]]
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, off))
    tolerant = asked(accept=frozenset({GAP, OFF_TICK}))
    with pytest.raises(DataError) as unkept:
        stores.UNKEPT.check(source, asked())
    assert kept(tmp_path).check(source, tolerant)[0].counts[OFF_TICK] == 1
    with pytest.raises(DataError) as recorded:
        kept(tmp_path).check(source, asked())
    assert str(recorded.value) == str(unkept.value)
    assert len(reads) == 2


def test_times_in_a_zone_are_checked_each_time(tmp_path: Path, reads: list[Path]) -> None:
    path = write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS)
    source = replace(source_of(path), rules=TimeRules(timezone="America/New_York"))
    for _ in range(2):
        assert kept(tmp_path).check(source, asked())[1] is None
    assert len(reads) == 2


def test_a_folder_that_takes_nothing_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "checked").write_text("no folder")
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    report, columns = kept(tmp_path).check(source, asked())
    assert columns is None
    assert len(replayed(source, report, columns)) == 60


def test_a_full_disk_and_a_short_source_keep_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    monkeypatch.setattr(stores, "KEPT_ROWS_MIN", 61)
    assert kept(tmp_path).check(source, asked())[1] is None
    monkeypatch.setattr(stores, "KEPT_ROWS_MIN", 10)
    monkeypatch.setattr(stores, "FREE_BYTES_MIN", 1 << 62)
    assert kept(tmp_path).check(source, asked())[1] is None
    assert [*(tmp_path / "checked").iterdir()] == []


def test_what_was_used_longest_ago_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    for name in (b"1", b"2"):
        kept(tmp_path).check(source, asked(said=name))
        for record in (tmp_path / "checked").glob("*.json"):
            os.utime(record, (1, 1))
    kept(tmp_path).check(source, asked(said=b"1"))  # used now
    (columns, _) = (tmp_path / "checked").glob("*.columns")
    monkeypatch.setattr(stores, "KEPT_BYTES_MAX", 2 * columns.stat().st_size)
    kept(tmp_path).check(source, asked(said=b"3"))
    assert len([*(tmp_path / "checked").glob("*.columns")]) == 2
    reads: list[Path] = []
    monkeypatch.setattr(checking, "read_blocks", lambda source, *_, **__: reads.append(source.path))
    for name in (b"1", b"3"):
        kept(tmp_path).check(source, asked(said=name))
    assert reads == []


def test_what_does_not_belong_in_the_folder_hinders_nothing(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checked"
    (folder / "folder.columns").mkdir(parents=True)
    (folder / ".folder.tmp").mkdir()
    os.utime(folder / ".folder.tmp", (1, 1))
    (folder / "gone.columns").symlink_to(tmp_path / "nowhere")
    (folder / "gone.head").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr(stores, "KEPT_BYTES_MAX", 4_000)
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    for _ in range(2):
        assert kept(tmp_path).check(source, asked())[1] is not None
    assert len(reads) == 1


def test_columns_that_another_session_puts_in_their_place_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(write(tmp_path / "BTCUSD_1m.csv", BAR_HEADER, ROWS))
    other = source_of(write(tmp_path / "ETHUSD_1m.csv", BAR_HEADER, ROWS[30:]))
    CheckedStore(tmp_path / "other", "build").check(other, asked())
    (theirs,) = (tmp_path / "other").glob("*.columns")
    real = os.replace

    def replace_twice(made: Path, place: Path) -> None:
        real(made, place)
        if place.suffix == ".columns":
            real(theirs, place)

    monkeypatch.setattr(os, "replace", replace_twice)
    report, columns = kept(tmp_path).check(source, asked())
    assert not theirs.exists()
    assert columns is not None
    assert len(replayed(source, report, columns)) == 60


def test_a_file_that_cannot_be_written_to_its_end_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "rows.columns"
    path.touch()
    writer = ColumnsWriter(path, os.open("/dev/full", os.O_WRONLY))
    writer.add(Block([1], [[2]], range(1, 2)))
    writer.discard()
    assert not path.exists()


INTEGERS = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=40)
@given(st.data())
def test_columns_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    blocks = []
    for _ in range(data.draw(st.integers(1, 3))):
        rows = data.draw(st.integers(1, 20))
        some = st.lists(
            data.draw(st.sampled_from([INTEGERS, st.integers(-2, 2), st.just(-1)])),
            min_size=rows, max_size=rows,
        )  # fmt: skip
        sides = st.lists(st.sampled_from(["BUY", "SELL", ""]), min_size=rows, max_size=rows)
        first = data.draw(st.integers(1, 10**9))
        lines = data.draw(st.one_of(st.just(range(first, first + rows)), some))
        lengths = data.draw(st.none() | some)
        columns: list[list[Any]] = [data.draw(some), data.draw(some), data.draw(sides)]
        blocks.append(Block(data.draw(some), columns, lines, lengths))
    path = tmp_path_factory.mktemp("columns") / "rows.columns"
    writer = ColumnsWriter(path, os.open(path, os.O_WRONLY | os.O_CREAT))
    for block in blocks:
        writer.add(block)
    written = writer.finish()
    columns_there = Columns(path)
    assert columns_there.is_whole(written)
    assert [*columns_there.blocks()] == blocks
    step = data.draw(st.integers(1, 7))
    parts = [(each, at) for each in blocks for at in range(0, len(each), step)]
    expected = [each.part(at, min(at + step, len(each))) for each, at in parts]
    assert [*columns_there.blocks(step)] == expected
    columns_there.close()


def test_threads_find_what_one_after_the_other_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [
        source_of(write(tmp_path / f"BTC{number}_1m.csv", BAR_HEADER, ROWS[number:]))
        for number in range(5)
    ]
    monkeypatch.setattr(threads, "_BYTES_MIN", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    calls = array("q")
    found = threads.side_by_side(
        lambda source, moved: (moved(), stores.UNKEPT.check(source, asked(moved=moved)))[1][0].rows,
        sources,
        lambda: calls.append(1),
    )
    assert found == [60, 59, 58, 57, 56]
    assert calls


def test_the_first_refusal_in_order_is_told_and_ends_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_BYTES_MIN", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    sources = [source_of(tmp_path / f"BTC{number}_1m.csv") for number in range(3)]

    def check_one(source: DataSource, moved: threads.Moved) -> int:
        if source is sources[0]:
            return 1
        if source is sources[2]:
            while True:
                moved()  # until it is not needed any more
        raise DataError("refused")

    with pytest.raises(DataError, match="refused"):
        threads.side_by_side(check_one, sources, lambda: None)


def test_an_interruption_while_others_check_comes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_BYTES_MIN", 0)
    monkeypatch.setattr(threads, "_LOOK_S", 0.0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    sources = [source_of(tmp_path / f"BTC{number}_1m.csv") for number in range(2)]

    def check_one(_: DataSource, moved: threads.Moved) -> int:
        while True:
            moved()

    def moved() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        threads.side_by_side(check_one, sources, moved)
