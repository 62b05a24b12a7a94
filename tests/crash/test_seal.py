"""A crashed session that is not gone on with: brought to its last record, and sealed there."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash_helpers import Bench, operations_of, truth
from crash_sessions import STORIES, files_of, replay, resume, session_folder, stopped
from file_faults import Cut, Decide, Fault, FileFaults, Operation, PowerCut, at
from sampling import first_quick

from logos.audit.verify import verify
from logos.config import ConfigError
from logos.core.gates import InProcessSwitch
from logos.core.types import SessionStatus
from logos.session import ExitCode, restoring


def sealed(name: str, cut: Decide, home: Path) -> dict[str, bytes] | None:
    """Crash and seal the story; what is left then. None when it had come to its own end."""
    bench = Bench(name, home)
    if bench.go(cut) is not None:
        return None
    if not (session_folder(home) / "state.jsonl").is_file():
        return None
    try:
        resume(STORIES[name], home, InProcessSwitch(), seal=True)
    except (ConfigError, restoring.CannotResumeError):
        return None  # nothing had happened yet, or all had
    return files_of(home)


def judged(name: str, home: Path, files: dict[str, bytes]) -> str:
    """What is wrong with a sealed session; empty when nothing is."""
    status = json.loads(files["state.json"])["status"]
    ended = json.loads(truth(name)["state.json"])["status"]
    if status not in (SessionStatus.CRASHED_RECOVERED.value, ended):
        return f"sealed as {status}"
    whole = truth(name)["state.jsonl"]
    kept = files["state.jsonl"].partition(b'"body":{"kind":"stopping"')[0].rpartition(b"\n")[0]
    if not whole.startswith(kept) and status != ended:
        return "its history is not the beginning of the true one"
    verdict = verify(session_folder(home))
    if verdict.exit_code is not ExitCode.FINISHED:
        return f"verify: {verdict.exit_code.name} {verdict.findings}"
    replay(STORIES[name], home)
    try:
        resume(STORIES[name], home, InProcessSwitch())
    except restoring.CannotResumeError as error:
        return "" if "has ended" in str(error) else str(error)
    return "it could be resumed"


@pytest.mark.parametrize("name", first_quick(["trading", "saved", "saved, halted", "failing"], 0))
def test_a_session_crashed_anywhere_is_sealed_where_it_stood_and_stands(name: str) -> None:
    problems = {}
    statuses = set()
    operations = operations_of(name)
    for number in range(3, operations, max(2, operations // 16)):
        cut = at(number, Cut(written=37) if number % 2 else Cut())
        with TemporaryDirectory() as folder:
            files = sealed(name, cut, Path(folder))
            if files is not None:
                problems[number] = judged(name, Path(folder), files)
                statuses.add(json.loads(files["state.json"])["status"])
    assert {number: text for number, text in problems.items() if text} == {}
    assert SessionStatus.CRASHED_RECOVERED.value in statuses


def test_nothing_is_run_beyond_the_event_of_the_last_record(tmp_path: Path) -> None:
    files = sealed("trading", at(operations_of("trading") // 2, Cut()), tmp_path)
    assert files is not None
    bodies = [json.loads(line)["body"] for line in files["state.jsonl"].splitlines()]
    kinds = [body["kind"] for body in bodies]
    stop = kinds.index("stopping")
    assert bodies[stop]["tick_id"] == max(body.get("tick_id", 0) for body in bodies[:stop])
    assert set(kinds[stop + 1 :]) == {"position", "account", "sealed"}
    rows = list(csv.DictReader(files["orders.csv"].decode().splitlines()))
    still_open = [row for row in rows if not row["ended"]]
    assert still_open
    assert {row["status"] for row in still_open} <= {"NEW", "ACCEPTED", "PARTIALLY_FILLED"}


@pytest.mark.long
def test_the_recovery_is_told_in_a_file_of_its_own(tmp_path: Path) -> None:
    Bench("trading", tmp_path).go(at(operations_of("trading") // 2, Cut(written=17)))
    path = session_folder(tmp_path) / "state.jsonl"
    whole = path.read_bytes().rfind(b"\n") + 1
    path.write_bytes(path.read_bytes()[:whole] + b"torn")
    resume(STORIES["trading"], tmp_path, InProcessSwitch(), seal=True)
    lines = (session_folder(tmp_path) / "recoveries.jsonl").read_text().splitlines()
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert (told["bytes_cut_off"], told["is_torn"], told["was"]) == (4, True, "CRASHED")
    assert told["result"] == "CRASHED_RECOVERED"


@pytest.mark.long
def test_a_torn_line_of_recoveries_spoils_no_other(tmp_path: Path) -> None:
    bench = Bench("trading", tmp_path)
    bench.go(at(operations_of("trading") // 2, Cut()))
    path = session_folder(tmp_path) / "recoveries.jsonl"
    path.write_bytes(b'{"began":"20')
    bench.finish()
    torn, line = path.read_bytes().splitlines()
    assert torn == b'{"began":"20'
    assert json.loads(line)["result"] == "ENDED"


def test_a_crash_while_it_is_sealed_is_sealed_by_any_later_attempt(tmp_path: Path) -> None:
    bench = Bench("trading", tmp_path)
    bench.go(at(operations_of("trading") // 2, Cut()))

    def in_the_last_file(operation: Operation) -> Fault:
        is_last = operation.path.name == "host.json" and operation.kind == "replace"
        return Cut() if is_last else None

    story, switch = STORIES["trading"], InProcessSwitch()
    with FileFaults(tmp_path, decide=in_the_last_file), pytest.raises(PowerCut):
        resume(story, tmp_path, switch, seal=True)
    once = {name: file for name, file in files_of(tmp_path).items() if not name.startswith(".")}
    result = resume(story, tmp_path, switch)  # without saying so again
    assert result.status is SessionStatus.CRASHED_RECOVERED
    assert files_of(tmp_path) == once
    replay(story, tmp_path)


def test_a_stopped_session_is_not_sealed_but_gone_on_with(tmp_path: Path) -> None:
    bench = Bench("trading", tmp_path)
    story = bench.story
    bench.story = stopped(story, 5)
    bench.go()
    with pytest.raises(restoring.CannotResumeError, match="did not crash but was stopped"):
        resume(story, tmp_path, InProcessSwitch(), seal=True)
    replay(story, tmp_path)
