"""A crashed session is gone on with from its snapshot, and a snapshot that does not fit is left."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from crash_helpers import Bench, operations_of, truth
from crash_sessions import (
    SAVED_STORIES,
    STORIES,
    Story,
    begin,
    files_of,
    first_difference,
    log_file,
    replay,
    resume,
    session_folder,
    stopped,
)
from crash_strategies import Saving
from file_faults import Cut, at

from logos.core.gates import InProcessSwitch
from logos.core.types import SessionStatus
from logos.session import restoring
from logos.session.artifacts.averages import AverageCosts
from logos.session.artifacts.counts import RecordCounts
from logos.session.artifacts.snapshots.snapshot import (
    SNAPSHOT,
    SnapshotError,
    plain_copy,
    read_snapshot,
)

NAME = "saved"
CRASHED_AT = 2 / 3
"""Of the operations of a straight run."""


@cache
def crashed(name: str = NAME, share: float = CRASHED_AT) -> dict[str, bytes]:
    """Every file of a workspace in which the story crashed after some snapshots."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        assert Bench(name, home).go(at(int(operations_of(name) * share), Cut())) is None
        assert (session_folder(home) / SNAPSHOT).is_file()
        files = [path for path in home.rglob("*") if path.is_file()]
        return {str(path.relative_to(home)): path.read_bytes() for path in files}


def put(home: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)


def finish(home: Path, name: str = NAME, **options: Any) -> tuple[int | None, list[str]]:
    """Resume to the end; the record it went on from (None: its beginning), and what was told."""
    told: list[str] = []
    resume(STORIES[name], home, InProcessSwitch(), tell=told.append, **options)
    line = (session_folder(home) / "recoveries.jsonl").read_bytes().splitlines()[-1]
    return json.loads(line)["snapshot_sequence"], told


@pytest.mark.long
@pytest.mark.parametrize("name", ["saved", "saved often", "saved, bars"])
@pytest.mark.parametrize("share", [0.4, 0.66, 0.85])
def test_a_crashed_session_goes_on_from_its_snapshot_to_the_same_bytes(
    tmp_path: Path, name: str, share: float
) -> None:
    put(tmp_path, crashed(name, share))
    sequence, told = finish(tmp_path, name)
    assert sequence is not None
    assert sequence > 1
    assert told == []
    assert first_difference(tmp_path, truth(name)) == ""
    assert not (session_folder(tmp_path) / SNAPSHOT).exists()
    replay(STORIES[name], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", SAVED_STORIES)
def test_a_session_that_writes_snapshots_leaves_what_one_without_them_leaves(
    tmp_path: Path, name: str
) -> None:
    story = SAVED_STORIES[name]
    begin(Story(**{**vars(story), "every": 0}), tmp_path, InProcessSwitch())
    left, expected = files_of(tmp_path), dict(truth(name))
    for own in ("state.jsonl", "state.json", "session.md"):  # the strategy's name is another
        left[own] = left[own].replace(b"Restless", b"Saving")
    different = [file for file in expected if left[file] != expected[file]]
    assert set(different) <= {"state.jsonl", "state.json"}
    # The seal has the hash of session.md, which names the strategy.
    bare = [re.sub(rb'"session_md":"\w+"', b"", each["state.jsonl"]) for each in (left, expected)]
    lines = zip(bare[0].splitlines(), bare[1].splitlines(), strict=True)
    assert all(
        here.partition(b'"body":')[2] == there.partition(b'"body":')[2] for here, there in lines
    )


@pytest.mark.long
def test_without_a_snapshot_the_session_is_run_again_from_its_beginning(tmp_path: Path) -> None:
    put(tmp_path, crashed())
    (session_folder(tmp_path) / SNAPSHOT).unlink()
    assert finish(tmp_path) == (None, [])
    assert first_difference(tmp_path, truth(NAME)) == ""


def test_the_snapshot_is_left_alone_when_the_operator_says_so(tmp_path: Path) -> None:
    put(tmp_path, crashed())
    assert finish(tmp_path, use_snapshot=False) == (None, [])
    assert first_difference(tmp_path, truth(NAME)) == ""


def test_an_older_snapshot_of_the_same_session_serves_as_well(tmp_path: Path) -> None:
    files = dict(crashed())
    key = str(session_folder(tmp_path).relative_to(tmp_path) / SNAPSHOT)
    files[key] = crashed(NAME, 0.4)[key]
    assert files[key] != crashed()[key]
    put(tmp_path, files)
    sequence, told = finish(tmp_path)
    assert sequence is not None
    assert told == []
    assert first_difference(tmp_path, truth(NAME)) == ""


# ---- snapshots that do not fit ----


def lose_the_journals_end(home: Path) -> None:
    path = session_folder(home) / "state.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:20]))


def cut_before_the_end(home: Path) -> None:
    path = session_folder(home) / SNAPSHOT
    path.write_bytes(path.read_bytes()[:-3])


def empty(home: Path) -> None:
    (session_folder(home) / SNAPSHOT).write_bytes(b"")


def take_another_sessions(home: Path) -> None:
    """The same settings but the seed, so that everything but the session fits."""
    other = home / "other"
    Bench("saved often", other).go(at(int(operations_of("saved often") * CRASHED_AT), Cut()))
    shutil.copy(session_folder(other) / SNAPSHOT, session_folder(home) / SNAPSHOT)
    shutil.rmtree(other)


def shorten(name: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        path = log_file(home) if name == "log" else session_folder(home) / name
        path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 2])

    return change


def alter(name: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        path = log_file(home) if name == "log" else session_folder(home) / name
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 1
        path.write_bytes(content)

    return change


def remove(name: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        (log_file(home) if name == "log" else session_folder(home) / name).unlink()

    return change


PROJECTED = ("orders.csv", "trades.csv", "positions.csv", "account.csv", "log")
MISFITS: dict[str, tuple[Callable[[Path], None], str]] = {
    "the journal lost its end": (lose_the_journals_end, "the journal has only 20"),
    "it is cut off": (cut_before_the_end, "it is damaged"),
    "it is empty": (empty, "it is damaged"),
    "it is of another session": (take_another_sessions, "it is of another session"),
    **{f"{name} is shorter": (shorten(name), f"{name} does not begin") for name in PROJECTED},
    **{f"{name} is changed": (alter(name), f"{name} does not begin") for name in PROJECTED},
    **{f"{name} is gone": (remove(name), f"{name} cannot be read") for name in PROJECTED},
}


@pytest.mark.long
@pytest.mark.parametrize("name", MISFITS)
def test_a_snapshot_that_does_not_fit_is_told_and_left(tmp_path: Path, name: str) -> None:
    change, reason = MISFITS[name]
    put(tmp_path, crashed())
    change(tmp_path)
    sequence, told = finish(tmp_path)
    assert sequence is None
    assert len(told) == 1
    assert reason in told[0]
    assert "run again from its beginning" in told[0]
    assert first_difference(tmp_path, truth(NAME)) == ""


@pytest.mark.parametrize("name", PROJECTED)
def test_a_table_that_went_on_after_the_snapshot_is_cut_back(tmp_path: Path, name: str) -> None:
    put(tmp_path, crashed())
    path = log_file(tmp_path) if name == "log" else session_folder(tmp_path) / name
    path.write_bytes(path.read_bytes() + b"rows of a time that never was\n")
    sequence, told = finish(tmp_path)
    assert (sequence is not None, told) == (True, [])
    assert first_difference(tmp_path, truth(NAME)) == ""


@pytest.mark.parametrize("part", range(4))
def test_a_snapshot_with_any_changed_byte_is_not_read(tmp_path: Path, part: int) -> None:
    put(tmp_path, crashed())
    path = session_folder(tmp_path) / SNAPSHOT
    content = path.read_bytes()
    chance = Random(part)
    places = {*range(100), *range(len(content) - 5, len(content))}
    places |= {chance.randrange(len(content)) for _ in range(400)}
    for place in sorted(places)[part::4]:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(SnapshotError):
            read_snapshot(path.parent)
        path.write_bytes(content[:place])
        with pytest.raises(SnapshotError):
            read_snapshot(path.parent)
    path.write_bytes(content)
    assert read_snapshot(path.parent) is not None


# ---- strategies ----


class CannotLoad(Saving):
    def save(self) -> dict[str, Any]:
        return {"seen": self._seen}

    def load(self, context: Any, state: dict[str, Any]) -> None:
        raise LookupError("where is it")


class CannotSave(Saving):
    def save(self) -> dict[str, Any]:
        raise OSError("nowhere")

    def load(self, context: Any, state: dict[str, Any]) -> None: ...


class SavesNoJson(Saving):
    def save(self) -> dict[str, Any]:
        return {"seen": (self._seen,)}

    def load(self, context: Any, state: dict[str, Any]) -> None: ...


def with_strategy(kind: type[Saving], story: Story) -> Story:
    """The story with a strategy of another class."""
    made = type("Other", (Story,), {"strategy": property(lambda _: kind())})(**vars(story))
    assert isinstance(made, Story)
    return made


@pytest.mark.long
def test_a_strategy_that_cannot_load_ends_the_attempt_and_says_what_to_do(tmp_path: Path) -> None:
    bench = Bench(NAME, tmp_path)
    bench.story = with_strategy(CannotLoad, STORIES[NAME])
    bench.go(at(int(operations_of(NAME) * CRASHED_AT), Cut()))
    before = files_of(tmp_path)
    with pytest.raises(restoring.CannotResumeError, match=r"where is it.*--no-snapshot"):
        resume(bench.story, tmp_path, InProcessSwitch())
    assert files_of(tmp_path) == before
    result = resume(bench.story, tmp_path, InProcessSwitch(), use_snapshot=False)
    assert result.status is SessionStatus.ENDED


@pytest.mark.long
@pytest.mark.parametrize("kind", [CannotSave, SavesNoJson])
def test_a_strategy_that_cannot_save_is_told_once_and_trades_on(
    tmp_path: Path, kind: type[Saving], capsys: pytest.CaptureFixture[str]
) -> None:
    story = with_strategy(kind, STORIES["saved often"])
    result = begin(story, tmp_path, InProcessSwitch())
    assert result.status is SessionStatus.ENDED
    assert capsys.readouterr().err.count("no snapshots: the strategy's save() failed") == 1
    assert (result.folder / "trades.csv").read_bytes() == truth("saved often")["trades.csv"]


def test_state_that_comes_back_from_json_as_something_else_is_refused() -> None:
    assert plain_copy({"a": [1, 2.5, None, "x"], "big": 1 << 200}) == {
        "a": [1, 2.5, None, "x"],
        "big": 1 << 200,
    }
    for odd in ({"a": (1,)}, {1: "a"}, {"a": float("nan")}, {"a": {1, 2}}):
        with pytest.raises(ValueError, match="not JSON data"):
            plain_copy(odd)  # type: ignore[arg-type]


def test_the_tally_comes_back_whole() -> None:
    tally = RecordCounts()
    for number, value in enumerate(vars(tally).values()):
        if isinstance(value, dict):
            value["x"] = number
    tally.refused, tally.blocked, tally.warning_count = 3, 4, 5
    tally.averages.load({"books": {"x": [5, 6, 7]}, "paid": {"x": 8}, "taken": {"y": [9, 10, 0]}})
    other = RecordCounts()
    other.load(json.loads(json.dumps(tally.save())))
    averages = vars(tally).pop("averages")
    assert vars(vars(other).pop("averages")) == vars(averages) != vars(AverageCosts())
    assert vars(other) == vars(tally)


# ---- a stop ----


def test_a_stopped_session_goes_on_from_where_it_stopped(tmp_path: Path) -> None:
    bench = Bench(NAME, tmp_path)
    story = bench.story
    bench.story = stopped(story, 5)
    result = bench.go()
    assert result is not None
    assert result.status is SessionStatus.STOPPED
    snapshot = read_snapshot(session_folder(tmp_path))
    assert snapshot is not None
    assert snapshot.consumed == result.summary["ticks"]
    replay(story, tmp_path)
    sequence, told = finish(tmp_path)
    assert (sequence, told) == (snapshot.sequence, [])
    assert first_difference(tmp_path, truth(NAME)) == ""
