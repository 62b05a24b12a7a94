"""A shard's session goes from one claim's folder to the next; a former owner writes where nobody
looks."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from logos.config import ConfigError
from logos.killswitch.fleet.records import EngineEntry
from logos.session.fleet.taking import ShardLostError, one_of_this_machine, prepare_folder

ID = "desk-s0"


def silent(_: str) -> None:
    pass


def journal(claims: Path, epoch: int) -> Path:
    return claims / f"{epoch:07d}" / "sessions" / ID / "state.jsonl"


def take(tmp_path: Path, epoch: int, machine: str = "a") -> Path:
    """The journal's path by the machine's own links, after it has taken the shard."""
    workspace = tmp_path / machine
    prepare_folder(tmp_path / "claims", epoch, workspace, ID, silent)
    return workspace / "runs" / "live" / "sessions" / ID / "state.jsonl"


def begin(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_next_owner_has_a_copy_of_what_was_there_and_the_former_writes_beside_it(
    tmp_path: Path,
) -> None:
    first = take(tmp_path, 1)
    begin(first, "one\n")
    (first.parent / "inputs").mkdir()
    (first.parent / "inputs" / "part").write_text("in")
    (tmp_path / "a" / "logos" / "logs" / f"{ID}.jsonl").write_text("log\n")
    with first.open("a") as still_open:
        second = take(tmp_path, 2, "b")
        still_open.write("late\n")
    assert second.read_text() == "one\n"
    assert (second.parent / "inputs" / "part").read_text() == "in"
    assert (tmp_path / "b" / "logos" / "logs" / f"{ID}.jsonl").read_text() == "log\n"
    assert first.read_text() == "one\nlate\n", "the former owner's own folder"
    second.write_text("one\ntwo\n")
    assert first.read_text() == "one\nlate\n"
    assert take(tmp_path, 3).read_text() == "one\ntwo\n", "and back to the first machine"


def test_a_folder_that_was_not_finished_is_passed_over(tmp_path: Path) -> None:
    begin(take(tmp_path, 1), "one\n")
    claims = tmp_path / "claims"
    begin(claims / ".0000002.ab" / "sessions" / ID / "state.jsonl", "half")
    (claims / "0000003" / "sessions").mkdir(parents=True)  # claimed, and nothing begun in it
    assert take(tmp_path, 4, "b").read_text() == "one\n"


def test_what_a_later_claim_left_is_not_taken_by_an_earlier_one(tmp_path: Path) -> None:
    begin(take(tmp_path, 1), "one\n")
    begin(take(tmp_path, 3, "b"), "three\n")
    assert take(tmp_path, 2, "c").read_text() == "one\n"


def test_a_shard_that_nobody_had_begins_without_a_session(tmp_path: Path) -> None:
    assert not prepare_folder(tmp_path / "claims", 1, tmp_path / "a", ID, silent)
    assert not journal(tmp_path / "claims", 1).parent.exists()


def test_a_folder_in_the_place_of_the_links_is_not_removed(tmp_path: Path) -> None:
    own = tmp_path / "a" / "runs" / "live" / "sessions" / "mine"
    own.mkdir(parents=True)
    with pytest.raises(FileExistsError, match="move it away"):
        take(tmp_path, 1)
    assert own.is_dir()


def test_one_process_of_a_machine_owns_a_shard(tmp_path: Path) -> None:
    with (
        one_of_this_machine(tmp_path / "s0", "s0"),
        pytest.raises(ConfigError, match="shard s0 is run by another process"),
        one_of_this_machine(tmp_path / "s0", "s0"),
    ):
        pass
    with one_of_this_machine(tmp_path / "s0", "s0"):
        pass


def said(claim: int) -> EngineEntry:
    """What the owner of a claim said last."""
    return EngineEntry(
        token="t", host="desk1", workspace="/srv/a", session=ID, pid=7, ttl_ns=1, claim=claim,
        written=120,
    )  # fmt: skip


@pytest.mark.parametrize("left", [0, 1])
def test_a_shard_whose_last_folder_is_missing_is_begun_neither_anew_nor_from_an_older_one(
    tmp_path: Path, left: int
) -> None:
    if left:
        begin(take(tmp_path, 1), "one\n")
    claims = tmp_path / "claims"
    with pytest.raises(ShardLostError, match=r"no folder of claim 2 .* desk1 .* written 120 rec"):
        prepare_folder(claims, 3, tmp_path / "b", ID, silent, said(2))
    assert not [each for each in claims.iterdir() if "0000003" in each.name]


def test_where_the_last_folder_is_missing_the_session_is_what_was_shipped(tmp_path: Path) -> None:
    begin(take(tmp_path, 1), "one\n")
    asked = []

    def restore(folder: Path, last: EngineEntry) -> None:
        asked.append(last.claim)
        begin(folder / "state.jsonl", "shipped\n")

    claims, told = tmp_path / "claims", list[str]()
    for epoch, last in ((2, said(1)), (4, said(3))):
        assert prepare_folder(claims, epoch, tmp_path / "b", ID, told.append, last, restore)
    assert asked == [3], "of claim 1 there is a folder"
    assert journal(claims, 2).read_text() == "one\n"
    assert journal(claims, 4).read_text() == "shipped\n"
    assert "there is no folder of claim 3" in told[-1]


def test_a_disk_that_is_full_is_no_folder_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(take(tmp_path, 1), "one\n")

    def full(*_paths: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def restore(_folder: Path, _last: EngineEntry) -> None:
        pytest.fail("what the owner wrote is there, and more than was shipped")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        prepare_folder(tmp_path / "claims", 2, tmp_path / "b", ID, silent, said(1), restore)


def test_a_folder_that_cannot_be_read_is_as_good_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(take(tmp_path, 1), "one\n")
    claims = tmp_path / "claims"

    def stale(_source: Path, target: Path) -> None:
        target.write_text("half")
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(shutil, "copyfile", stale)
    with pytest.raises(ShardLostError, match="cannot be read: Stale file handle"):
        prepare_folder(claims, 2, tmp_path / "b", ID, silent, said(1))
    with pytest.raises(OSError, match="Stale file handle"):
        prepare_folder(claims, 2, tmp_path / "b", ID, silent)
    prepare_folder(
        claims, 2, tmp_path / "b", ID, silent, said(1),
        lambda folder, _: begin(folder / "state.jsonl", "shipped"),
    )  # fmt: skip
    assert [each.name for each in journal(claims, 2).parent.iterdir()] == ["state.jsonl"]
