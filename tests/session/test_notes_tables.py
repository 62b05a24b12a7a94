"""notes.csv and plots.csv: there if a strategy wrote something down, and made of the journal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from crash_sessions import STORIES, begin, log_file, replay, session_folder
from crash_strategies import SYMBOLS

from logos.audit.verify import verify
from logos.session.artifacts.notes import NOTE_TABLES
from logos.session.entry import SessionDiffersError
from logos.session.outcome import ExitCode


@pytest.fixture
def talked(tmp_path: Path) -> Path:
    begin(STORIES["protected, from its beginning"], tmp_path)
    return tmp_path


def rows(home: Path, name: str) -> list[dict[str, str]]:
    with open(session_folder(home) / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_note_and_point_of_the_journal_is_a_row_and_every_note_a_line_of_the_log(
    talked: Path,
) -> None:
    lines = (session_folder(talked) / "state.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [json.loads(line)["body"] for line in lines]
    noted = [body for body in bodies if body["kind"] == "note"]
    plotted = [body for body in bodies if body["kind"] == "plot"]
    notes, points = rows(talked, "notes.csv"), rows(talked, "plots.csv")
    assert [row["text"] for row in notes] == [body["text"] for body in noted]
    assert [row["value"] for row in points] == [body["value"] for body in plotted]
    assert len(notes) > 10
    assert {row["name"] for row in points} == {"held"}
    assert {row["symbol"] for row in points} == set(SYMBOLS)
    log = [json.loads(line) for line in log_file(talked).read_bytes().splitlines()]
    told = [line for line in log if line["action"] == "NOTE"]
    assert [line["reason"] for line in told] == [row["text"] for row in notes]
    assert [line["timestamp"] for line in told] == [row["time"] for row in notes]


@pytest.mark.long
def test_a_replay_writes_the_same_again_and_verify_finds_it_whole(talked: Path) -> None:
    replay(STORIES["protected, from its beginning"], talked)
    verdict = verify(session_folder(talked))
    assert (verdict.exit_code, verdict.findings) == (ExitCode.FINISHED, [])


@pytest.mark.long
def test_a_session_that_writes_nothing_down_has_no_such_tables(tmp_path: Path) -> None:
    begin(STORIES["trading"], tmp_path)
    folder = session_folder(tmp_path)
    assert not [name for name in NOTE_TABLES if (folder / name).exists()]
    (folder / "notes.csv").write_text("time,tick_id,symbol,text\n", encoding="utf-8")
    [finding] = verify(folder).findings
    assert (finding.file, finding.message) == (
        "notes.csv",
        "is there, and the journal has no row of it",
    )
    with pytest.raises(SessionDiffersError, match=r"the replay writes no notes\.csv"):
        replay(STORIES["trading"], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", NOTE_TABLES)
def test_a_changed_or_missing_row_is_found(talked: Path, name: str) -> None:
    path = session_folder(talked) / name
    content = path.read_text(encoding="utf-8").splitlines()
    cells = content[3].split(",")
    content[3] = ",".join([*cells[:3], "other", *cells[4:]])
    path.write_text("\n".join(content) + "\n", encoding="utf-8")
    [finding] = verify(session_folder(talked)).findings
    assert finding.file == name
    assert finding.place.startswith("line 4")
    with pytest.raises(SessionDiffersError, match=name):
        replay(STORIES["protected, from its beginning"], talked)
    path.unlink()
    [finding] = verify(session_folder(talked)).findings
    assert (finding.file, finding.message) == (name, "is missing")
