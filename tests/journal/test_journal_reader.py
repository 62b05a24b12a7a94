"""The journal read back: everything that was written, and nothing that was not."""

from __future__ import annotations

import itertools
import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_helpers import BUY, bodies_of, run, spot, stopped, write_chain

from logos.core.strategy import market
from logos.errors import ConfigError
from logos.journal import reader
from logos.journal.codec import GENESIS, BadLine, chain, decode_line, encode_line
from logos.journal.entries import Manifest, Sealed, read_journal
from logos.journal.reader import (
    Damaged,
    Entry,
    JournalError,
    JournalReader,
    TornTail,
    read_lines,
)
from logos.journal.writer import JournalWriter
from logos.testing.builders import Scripted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=8)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a small session."""
    return spot(tmp_path_factory.mktemp("home")).folder / "state.jsonl"


@pytest.fixture(scope="module")
def content(journal: Path) -> bytes:
    return journal.read_bytes()


def read_until_wrong(path: Path) -> tuple[list[Entry[bytes]], JournalError | None]:
    """All lines that are given out, and what ended the reading."""
    lines: list[Entry[bytes]] = []
    try:
        for line in read_lines(path):
            lines.append(line)
    except JournalError as error:
        return lines, error
    return lines, None


def starts_of(content: bytes) -> list[int]:
    """The byte at which each line starts."""
    sizes = [len(line) for line in content.splitlines(keepends=True)]
    return [0, *itertools.accumulate(sizes)][:-1]


# ---- round trips ----


@given(
    body=st.binary(), sequence=st.integers(1, 2**40), previous=st.binary(min_size=32, max_size=32)
)
def test_a_line_is_read_as_it_was_written(body: bytes, sequence: int, previous: bytes) -> None:
    digest = chain(previous, body)
    line = encode_line(sequence, digest, body)
    assert decode_line(line[:-1], sequence, previous) == (body, digest)
    with pytest.raises(BadLine):
        decode_line(line[:-1], sequence + 1, previous)
    with pytest.raises(BadLine):
        decode_line(line[:-1], sequence, digest)


@pytest.mark.long
@given(records=RECORDS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_record_comes_back(records: list[object], tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.unlink(missing_ok=True)
    writer = JournalWriter(path)
    for record in records:
        writer.append(record)
    writer.close()
    lines = list(read_lines(path))
    assert [msgspec.json.decode(line.body) for line in lines] == records
    assert [line.sequence for line in lines] == list(range(1, len(records) + 1))
    assert [line.offset for line in lines] == starts_of(path.read_bytes())
    with JournalReader(path, bytes) as reader:
        for _ in reader.entries():
            pass
        assert (reader.sequence, reader.digest.hex()) == (len(records), writer.digest)
        assert reader.offset == path.stat().st_size == writer.offset


def test_a_session_is_read_with_types_from_its_manifest_to_its_seal(
    journal: Path, content: bytes
) -> None:
    entries = list(read_journal(journal))
    assert isinstance(entries[0].record, Manifest)
    assert entries[0].record.session_id == "small"
    page = (journal.parent / "session.md").read_bytes()
    sealed = Sealed("ENDED", "all events processed", sha256(page).hexdigest())
    assert entries[-1].record == sealed
    assert [entry.body for entry in entries] == bodies_of(journal)
    assert len(entries) == content.count(b"\n")
    assert entries[-1].offset + entries[-1].size == len(content)


def test_an_empty_journal_is_whole_and_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(b"")
    assert list(read_journal(path)) == []
    assert list(read_lines(path)) == []


def test_a_journal_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_lines(tmp_path / "state.jsonl"))


def test_a_growing_journal_is_read_on_where_it_ended(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(b"")
    seen: list[Entry[bytes]] = []
    with JournalReader(path, bytes) as journal, open(path, "ab", buffering=0) as file:
        for start in range(0, len(content), 97):
            file.write(content[start : start + 97])
            with suppress(TornTail):
                seen += journal.entries()
        assert not journal.is_cut_back()
        file.truncate(10)
        assert journal.is_cut_back()
    path.write_bytes(content)
    assert seen == list(read_lines(path))


def test_what_stands_in_place_of_an_end_that_was_cut_off_is_read_and_not_what_stood_there(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "state.jsonl"
    count = content.count(b"\n")
    end = content.rindex(b"\n", 0, -1) + 1
    path.write_bytes(content[:end] + b'{"seq":other}\n')
    with JournalReader(path, bytes) as journal:
        assert len(list(islice(journal.entries(), count - 1))) == count - 1
        assert journal.offset == end
        path.write_bytes(content)  # the same file, continued after a cut
        [last] = journal.entries()
        assert last.offset == end


# ---- torn ----


@pytest.mark.long
def test_the_last_three_records_cut_at_every_byte_are_torn_and_all_before_is_whole(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(content)
    whole = list(read_lines(path))
    starts = starts_of(content)
    for length in range(starts[-3], len(content)):
        path.write_bytes(content[:length])
        lines, error = read_until_wrong(path)
        kept = sum(start < length for start in starts) - 1
        if length in starts:
            assert error is None, "a cut between two lines leaves no trace in the file"
            assert lines == whole[: kept + 1]
            continue
        assert isinstance(error, TornTail), length
        assert (error.sequence, error.offset) == (kept + 1, starts[kept])
        assert lines == whole[:kept]


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 5000, b'{"seq":', b"\xff\xfe", b"}"])
def test_whatever_follows_the_last_newline_is_torn(
    content: bytes, tmp_path: Path, tail: bytes
) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(content + tail)
    lines, error = read_until_wrong(path)
    assert isinstance(error, TornTail)
    assert (error.sequence, error.offset) == (len(lines) + 1, len(content))
    assert f"byte {len(content)}" in str(error)


def test_nuls_that_end_in_a_newline_are_damage(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_bytes(content + b"\0" * 50 + b"\n")
    _, error = read_until_wrong(path)
    assert isinstance(error, Damaged)
    assert error.offset == len(content)


# ---- damaged ----


def flips(content: bytes) -> Iterator[tuple[int, int]]:
    """One bit of every byte, and every bit of the first and the last line."""
    last = content.rindex(b"\n", 0, -1)
    for place in range(len(content)):
        is_outer = place > last or place < 200
        for bit in range(8) if is_outer else (place % 8,):
            yield place, bit


@pytest.mark.long
def test_a_flip_anywhere_is_found_in_its_line(tmp_path: Path) -> None:
    path = run(tmp_path, Scripted({1: market(BUY, 3)}), count=3).folder / "state.jsonl"
    content = path.read_bytes()
    assert {b"manifest", b"order", b"fill", b"account", b"sealed"} <= set(kinds_of(content))
    starts = starts_of(content)
    last = len(content) - 1
    descriptor = os.open(path, os.O_WRONLY)
    try:
        for place, bit in flips(content):
            os.pwrite(descriptor, bytes([content[place] ^ 1 << bit]), place)
            lines, error = read_until_wrong(path)
            os.pwrite(descriptor, content[place : place + 1], place)
            sequence = bisect_right(starts, place)
            assert isinstance(error, TornTail if place == last else Damaged), (place, bit)
            assert (error.sequence, error.offset) == (sequence, starts[sequence - 1]), (place, bit)
            assert len(lines) == sequence - 1
    finally:
        os.close(descriptor)
    assert path.read_bytes() == content


def kinds_of(content: bytes) -> list[bytes]:
    """The kind of each record."""
    return re.findall(rb'"body":{"kind":"(\w+)"', content)


def test_a_record_that_is_removed_is_missed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    lines = content.splitlines(keepends=True)
    for place in range(len(lines) - 1):
        path.write_bytes(b"".join(lines[:place] + lines[place + 1 :]))
        _, error = read_until_wrong(path)
        assert isinstance(error, Damaged)
        assert (error.sequence, error.offset) == (place + 1, starts_of(content)[place])
        assert "expected record" in error.reason


def test_a_record_that_is_repeated_is_not_taken_twice(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    lines = content.splitlines(keepends=True)
    for place, line in enumerate(lines):
        path.write_bytes(b"".join([*lines[: place + 1], line, *lines[place + 1 :]]))
        _, error = read_until_wrong(path)
        assert isinstance(error, Damaged)
        assert error.sequence == place + 2


def test_records_that_change_places_are_found(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    lines = content.splitlines(keepends=True)
    for place in range(len(lines) - 1):
        swapped = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
        path.write_bytes(b"".join(swapped))
        _, error = read_until_wrong(path)
        assert isinstance(error, Damaged)
        assert error.sequence == place + 1


def test_a_record_of_another_session_does_not_follow(
    content: bytes, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = (stopped(tmp_path_factory.mktemp("other")).folder / "state.jsonl").read_bytes()
    path = tmp_path / "state.jsonl"
    mine, theirs = content.splitlines(keepends=True), other.splitlines(keepends=True)
    differing = [
        place for place in range(min(len(mine), len(theirs))) if mine[place] != theirs[place]
    ]
    assert differing
    for place in differing:
        path.write_bytes(b"".join([*mine[:place], theirs[place], *mine[place + 1 :]]))
        _, error = read_until_wrong(path)
        assert isinstance(error, Damaged)
        # Any manifest can be a first record: there, what follows is the odd one.
        assert error.sequence == (place + 1 if place else 2)


def test_a_changed_record_with_a_right_checksum_breaks_the_chain(
    journal: Path, tmp_path: Path
) -> None:
    bodies = bodies_of(journal)
    path = tmp_path / "state.jsonl"
    changed = bodies[4].replace(b"1", b"2", 1)
    assert changed != bodies[4]
    digest = GENESIS
    lines = []
    for sequence, body in enumerate(bodies, start=1):
        digest = chain(digest, body)
        lines.append(encode_line(sequence, digest, changed if sequence == 5 else body))
    path.write_bytes(b"".join(lines))
    _, error = read_until_wrong(path)
    assert isinstance(error, Damaged)
    assert error.sequence == 5
    assert "does not follow" in error.reason


# ---- memory ----


def test_a_line_that_is_too_long_is_damage_even_at_the_end(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = max(len(line) for line in content.splitlines(keepends=True))
    monkeypatch.setattr(reader, "LINE_BYTES_MAX", longest)
    path = tmp_path / "state.jsonl"
    path.write_bytes(content)
    lines, error = read_until_wrong(path)
    assert error is None
    for tail in (b"x" * longest, b"x" * longest + b"\n", b"\0" * longest + b"x"):
        path.write_bytes(content + tail)
        _, error = read_until_wrong(path)
        assert isinstance(error, Damaged)
        assert error.sequence == len(lines) + 1
        assert "a line of more than" in error.reason
    path.write_bytes(content + b"\0" * 3 * longest)
    _, error = read_until_wrong(path)
    assert isinstance(error, TornTail)


# ---- records ----

MANIFEST = b'{"kind":"manifest","schema":1,"session_id":"small"}'
STOPPING = b'{"kind":"stopping","tick_id":3}'
SEALED = b'{"kind":"sealed","status":"ENDED","reason":""}'


@pytest.mark.parametrize(
    ("bodies", "sequence", "reason"),
    [
        ([b"[1]"], 1, "cannot be read"),
        ([b""], 1, "cannot be read"),
        ([MANIFEST, b"\xff"], 2, "cannot be read"),
        ([MANIFEST, b'{"kind":"unheard of"}'], 2, "cannot be read"),
        ([MANIFEST, b'{"kind":"stopping"}'], 2, "cannot be read"),
        ([STOPPING, MANIFEST], 1, "the manifest must be the first record, and no other"),
        ([MANIFEST, MANIFEST], 2, "the manifest must be the first record, and no other"),
        ([MANIFEST, SEALED, STOPPING], 3, "it comes after the seal, and nothing may"),
    ],
)
def test_what_no_session_writes_is_damage_and_all_before_it_is_given_out(
    tmp_path: Path, bodies: list[bytes], sequence: int, reason: str
) -> None:
    path = tmp_path / "state.jsonl"
    write_chain(path, bodies)
    seen: list[bytes] = []
    with pytest.raises(Damaged, match=re.escape(reason)) as caught:
        seen.extend(entry.body for entry in read_journal(path))
    assert caught.value.sequence == sequence
    assert caught.value.offset == starts_of(path.read_bytes())[sequence - 1]
    assert seen == bodies[: sequence - 1]


@pytest.mark.parametrize("tail", [b"x", b"\0" * 600, b"x\n"])
def test_whatever_follows_the_seal_was_never_written_by_the_session(
    tmp_path: Path, tail: bytes
) -> None:
    path = tmp_path / "state.jsonl"
    write_chain(path, [MANIFEST, SEALED])
    path.write_bytes(path.read_bytes() + tail)
    with pytest.raises(Damaged) as caught:
        list(read_journal(path))
    assert caught.value.sequence == 3


def test_a_journal_of_another_schema_names_the_software_that_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    write_chain(path, [b'{"kind":"manifest","schema":2,"software":"9.1"}', STOPPING])
    with pytest.raises(ConfigError, match=r"schema 2, .* reads schema 1: use logos 9\.1"):
        list(read_journal(path))
