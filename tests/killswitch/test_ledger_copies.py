"""The copies of a transition: written in order, repaired, and markers cleared."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from switch_evidence import descriptor_count, evidence
from switch_helpers import FaultyLayer, QuickLayer, Workspace

from logos.killswitch.evidence import NO_KEY, Copy, Evidence
from logos.killswitch.files import Folder
from logos.killswitch.history import Tail
from logos.killswitch.ledger import SwitchLedger
from logos.killswitch.records import (
    NO_PREVIOUS,
    ResetRefusedError,
    Transition,
    digest,
    encode_line,
)


def lines(*epochs: int) -> list[Transition]:
    """Engagements of these epochs, each naming the one before as its predecessor."""
    made: list[Transition] = []
    for epoch in epochs:
        held = evidence(epoch, 0).armed.transition
        assert held is not None
        previous = digest(encode_line(made[-1])) if made else NO_PREVIOUS
        made.append(msgspec.structs.replace(held, state="ENGAGED", previous=previous))
    return made


def disk(record: Transition | None, witness: Transition | None, *listed: Transition) -> Evidence:
    """What a look finds where these are the record, the witness and the history."""

    def copy(held: Transition | None) -> Copy:
        return Copy(b"", None, "gone", False) if held is None else Copy(
            encode_line(held), held, "", True
        )  # fmt: skip

    last = listed[-1] if listed else None
    tail = Tail(bool(listed), encode_line(last) if last else b"", 0, "")
    return Evidence(
        "", None, None, copy(record), copy(witness), tail, last, True, True, NO_KEY, (-1, -1)
    )


ONE, TWO, THREE = lines(1, 2, 3)
SAFE_TWO = msgspec.structs.replace(TWO, state="SAFE", granted_epoch=2)


@pytest.mark.parametrize(
    ("found", "is_unlisted", "is_behind"),
    [
        (disk(TWO, TWO, ONE, TWO), False, False),
        (disk(TWO, TWO, ONE), True, True),
        (disk(TWO, ONE, ONE, TWO), False, True),
        (disk(TWO, None, ONE, TWO), False, True),
        (disk(TWO, THREE, ONE, TWO), False, False),
        (disk(ONE, ONE), True, True),
        (disk(THREE, THREE, ONE), False, False),
        (disk(None, ONE, ONE), False, False),
        (disk(SAFE_TWO, ONE, ONE), True, False),
        (msgspec.structs.replace(
            disk(ONE, ONE), tail=Tail(True, b"", 0, "cannot be read")), False, False),
    ],
    ids=["whole", "not in the history", "an old witness", "no witness", "a newer witness",
         "no history", "lines are missing", "no record", "a grant", "an unreadable history"],
)  # fmt: skip
def test_what_a_crash_kept_from_its_copies_is_known(
    found: Evidence, is_unlisted: bool, is_behind: bool
) -> None:
    assert SwitchLedger.is_unlisted(found) is is_unlisted
    assert SwitchLedger.is_behind(found) is is_behind


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[FaultyLayer, SwitchLedger, Folder]]:
    """A ledger of an empty folder, and that folder open."""
    layer = FaultyLayer()
    ledger = SwitchLedger(tmp_path / "switch", tmp_path / "far" / "witness", layer)
    ledger.make()
    layer.calls.clear()
    with ledger.open() as folder:
        yield layer, ledger, folder


Written = tuple[FaultyLayer, SwitchLedger, Folder]


def content(ledger: SwitchLedger) -> tuple[bytes, bytes, bytes]:
    """The bytes of record, witness and history; empty where there is none."""
    folder = ledger.folder_path
    paths = (folder / "armed.json", ledger.witness_path, folder / "history.jsonl")
    record, witness, listed = (path.read_bytes() if path.exists() else b"" for path in paths)
    return record, witness, listed


@pytest.mark.parametrize(
    ("before", "missing"), [(disk(ONE, ONE, ONE), b""), (disk(ONE, ONE), encode_line(ONE))]
)
@pytest.mark.parametrize("how", ["write_raise", "write_grant"])
def test_a_transition_is_written_everywhere_behind_a_line_that_was_missing(
    written: Written, how: str, before: Evidence, missing: bytes
) -> None:
    _, ledger, folder = written
    assert not getattr(ledger, how)(folder, TWO, before)
    line = encode_line(TWO)
    assert content(ledger) == (line, line, missing + line)
    assert ledger.previous_for(before) == digest(encode_line(ONE))
    assert ledger.holds(line)
    assert not ledger.holds(encode_line(ONE))
    assert not ledger.holds(b"")


def test_looking_whether_a_line_is_held_leaves_no_descriptor_open(workspace: Workspace) -> None:
    workspace.armed().close()
    before = descriptor_count()
    assert not SwitchLedger(workspace.folder, None, QuickLayer()).holds(b"other")
    assert descriptor_count() == before


def test_a_stop_tries_every_file_and_says_which_of_them_failed(written: Written) -> None:
    layer, ledger, folder = written

    def broken(number: int, call: str, name: str) -> None:
        if call == "write":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    layer.rule = broken
    words = "cannot be used: input/output error (EIO)"
    assert ledger.write_raise(folder, TWO, disk(ONE, ONE, ONE)) == [
        f"{ledger.folder_path / 'armed.json'} {words}",
        f"{ledger.witness_path} {words}",
        f"{ledger.folder_path / 'history.jsonl'} {words}",
    ]


def test_a_grant_swaps_the_record_last(written: Written) -> None:
    layer, ledger, folder = written
    ledger.write_grant(folder, SAFE_TWO, disk(ONE, ONE, ONE))
    swaps = [call for call in layer.calls if call.startswith(("replace", "open history"))]
    assert swaps == ["replace history.jsonl", "replace witness", "replace armed.json"]


@pytest.mark.parametrize(
    ("found", "witness", "listed"),
    [
        (disk(TWO, TWO, ONE, TWO), b"", b""),
        (disk(TWO, ONE, ONE, TWO), encode_line(TWO), b""),
        (disk(TWO, None, ONE, TWO), encode_line(TWO), b""),
        (disk(TWO, THREE, ONE, TWO), b"", b""),
        (disk(TWO, TWO, ONE), b"", encode_line(TWO)),
        (disk(None, ONE, ONE), b"", b""),
    ],
)
def test_a_repair_writes_what_is_missing_and_nothing_else(
    written: Written, found: Evidence, witness: bytes, listed: bytes
) -> None:
    _, ledger, folder = written
    ledger.repair(folder, found)
    assert content(ledger) == (b"", witness, listed)


def marked(ledger: SwitchLedger, *names: str) -> Evidence:
    """What a look finds after these markers were touched."""
    for name in names:
        (ledger.folder_path / name).touch()
    found = ledger.look()
    ledger.release(found)
    return found


def names_in(ledger: SwitchLedger) -> list[str]:
    return sorted(os.listdir(ledger.folder_path))


@pytest.mark.parametrize("names", [(), ("KILL",), ("REDUCE_ONLY",), ("KILL", "REDUCE_ONLY")])
def test_markers_are_moved_aside_and_then_deleted(written: Written, names: tuple[str, ...]) -> None:
    _, ledger, folder = written
    assert ledger.take_markers(folder, marked(ledger, *names)) is True
    assert names_in(ledger) == [f".cleared-{name}" for name in names]
    ledger.drop_taken(folder)
    assert names_in(ledger) == []


@pytest.mark.parametrize("again", ["KILL", "REDUCE_ONLY"])
def test_when_one_marker_was_touched_again_all_of_them_stay(written: Written, again: str) -> None:
    _, ledger, folder = written
    found = marked(ledger, "KILL", "REDUCE_ONLY")
    (ledger.folder_path / again).write_text("touched again")
    assert ledger.take_markers(folder, found) is False
    assert names_in(ledger) == ["KILL", "REDUCE_ONLY"]


def test_a_folder_as_a_marker_is_never_cleared(written: Written) -> None:
    _, ledger, folder = written
    (ledger.folder_path / "KILL").mkdir()
    with pytest.raises(ResetRefusedError, match="KILL is a directory: remove it by hand"):
        ledger.take_markers(folder, marked(ledger))
    (ledger.folder_path / ".cleared-KILL").mkdir()
    ledger.drop_taken(folder)
    assert names_in(ledger) == [".cleared-KILL", "KILL"]


def test_without_a_record_the_next_line_follows_the_last_one_of_the_history() -> None:
    ledger = SwitchLedger(Path("/nowhere/switch"), None, QuickLayer())
    assert ledger.previous_for(disk(None, ONE, ONE)) == digest(encode_line(ONE))
    assert ledger.previous_for(disk(None, None)) == NO_PREVIOUS


def test_a_marker_that_vanishes_while_it_is_moved_aside_ends_the_reset(written: Written) -> None:
    layer, ledger, folder = written
    found = marked(ledger, "KILL")

    def take_away(call: str, name: str) -> None:
        if name == ".cleared-KILL":
            (ledger.folder_path / name).unlink()

    layer.read_rule = take_away
    with pytest.raises(FileNotFoundError):
        ledger.take_markers(folder, found)
