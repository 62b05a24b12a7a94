"""A record that is put is one that was appended and flushed, and the hash of what is behind is that
of the file, however the lines came to it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.journal.writer import JournalDiffersError, JournalWriter

_RECORDS = st.lists(
    st.tuples(st.booleans(), st.lists(st.text(max_size=400), min_size=1, max_size=3)), max_size=20
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("put")


@given(_RECORDS)
def test_what_is_put_is_what_would_be_appended_and_flushed(
    folder: Path, records: list[tuple[bool, list[str]]]
) -> None:
    ours, other = folder / "put.jsonl", folder / "appended.jsonl"
    for path in (ours, other):
        path.unlink(missing_ok=True)
    put, appended = JournalWriter(ours), JournalWriter(other)
    for is_put, texts in records:
        before = put.position
        bodies = [{"text": text} for text in texts]
        if is_put:
            for body in bodies:
                before = put.position
                put.put(body)
        else:
            put.append(*bodies)
            put.flush()
        appended.append(*bodies)
        content = ours.read_bytes()  # it has reached the operating system
        assert put.position == appended.position
        assert put.content_sha256 == sha256(content).hexdigest()
        assert put.sha256_at(before) == sha256(content[: before.offset]).hexdigest()
    put.close()
    appended.close()
    assert ours.read_bytes() == other.read_bytes()


def test_a_put_behind_what_waits_comes_after_it(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "state.jsonl")
    writer.append({"text": "first"})
    writer.put({"text": "second"})
    lines = (tmp_path / "state.jsonl").read_bytes().splitlines()
    writer.close()
    assert [b"first" in lines[0], b"second" in lines[1], len(lines)] == [True, True, 2]


def test_a_put_of_a_continued_journal_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    writer = JournalWriter(path)
    writer.put({"text": "one"})
    writer.close()
    content = path.read_bytes()
    again = JournalWriter.continuing(path, len(content))
    again.put({"text": "one"})
    again.put({"text": "two"})
    again.close()
    assert path.read_bytes().startswith(content)
    other = JournalWriter.continuing(path, len(content))
    with pytest.raises(JournalDiffersError):
        other.put({"text": "another"})
    other.close()
