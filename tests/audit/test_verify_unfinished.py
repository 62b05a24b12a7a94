"""logos verify where there is no end yet, and what the command says and returns."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from journal_helpers import change_manifest, failed, margin, places_of, stopped

from logos.audit.verify import verify
from logos.cli.main import main
from logos.journal.writer import JournalWriter
from logos.session import ExitCode

# ---- sessions without a seal ----


def without_end(folder: Path, records: int) -> Path:
    """The folder as a crash leaves it: no last files, and fewer records."""
    journal = folder / "state.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-records]))
    for name in ("state.json", "session.md", "host.json"):
        (folder / name).unlink()
    return journal


@pytest.mark.long
def test_a_crashed_session_can_be_resumed_whatever_its_tables_hold(folder: Path) -> None:
    journal = without_end(folder, 3)
    ahead = verify(folder)
    assert (ahead.exit_code, ahead.status, ahead.findings) == (ExitCode.TORN, "CRASHED", [])
    content = (folder / "trades.csv").read_bytes()
    for length in range(0, len(content), 37):
        (folder / "trades.csv").write_bytes(content[:length])
        assert verify(folder).exit_code is ExitCode.TORN, length
    (folder / "trades.csv").unlink()
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.TORN
    assert verdict.fills > 0
    with open(journal, "ab") as file:
        file.write(b'{"seq":')
    assert verify(folder).is_torn


def test_a_crashed_session_with_another_figure_differs(folder: Path) -> None:
    without_end(folder, 3)
    trades = (folder / "trades.csv").read_bytes()
    (folder / "trades.csv").write_bytes(trades.replace(b",BUY,", b",SELL,", 1))
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert places_of(verdict) == [("trades.csv", "line 2, column side")]


def test_a_sealed_journal_that_lost_its_end_is_noted(folder: Path) -> None:
    journal = folder / "state.jsonl"
    content = journal.read_bytes()
    journal.write_bytes(content[:-10])
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.TORN
    [note] = verdict.notes
    assert f"at record {verdict.records + 1}: the journal has lost its end" in note


@pytest.mark.long
def test_a_session_whose_last_files_are_missing_is_to_be_finished(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("state.json", "session.md", "host.json"):
        (folder / name).unlink()
    (folder / "trades.csv").write_bytes((folder / "trades.csv").read_bytes()[:-5])
    verdict = verify(folder)
    assert (verdict.exit_code, verdict.status, verdict.findings) == (ExitCode.TORN, "CRASHED", [])
    assert (verdict.is_sealed, verdict.is_torn) == (True, False)
    code, out, _ = say("verify", folder, capsys=capsys)
    assert code == 7
    assert "sealed, but its last files are missing\n  what now  logos resume small" in out
    code, out, _ = say("inspect", folder, capsys=capsys)
    assert code == 7
    assert out.startswith("session small: CRASHED")


@pytest.mark.long
def test_a_session_that_is_running_is_intact_so_far(folder: Path) -> None:
    journal = without_end(folder, 5)
    size = journal.stat().st_size
    writer = JournalWriter.continuing(journal, size)
    try:
        verdict = verify(folder)
        assert (verdict.exit_code, verdict.status) == (ExitCode.FINISHED, "RUNNING")
    finally:
        os.close(writer._descriptor)  # its process is gone: the lock with it
        if writer._there is not None:
            writer._there.close()
    assert verify(folder).status == "CRASHED"


def test_the_ending_of_a_stopped_session_has_its_open_orders(tmp_path: Path) -> None:
    folder = stopped(tmp_path).folder
    orders = (folder / "orders.csv").read_text(encoding="utf-8")
    [waiting] = [line for line in orders.splitlines() if ",LIMIT," in line and ",ACCEPTED," in line]
    assert ",," in waiting
    changed = orders.replace(waiting, waiting.replace(",4,", ",5,", 1))
    assert changed != orders
    (folder / "orders.csv").write_text(changed, encoding="utf-8")
    assert places_of(verify(folder))[0][0] == "orders.csv"


# ---- the command ----


def say(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.long
def test_the_command_tells_the_four_verdicts_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = say("verify", folder, capsys=capsys)
    assert code == 0
    assert out.startswith("session small: intact (ENDED)\n")
    trades = folder / "trades.csv"
    content = trades.read_bytes()
    trades.write_bytes(content.replace(b"2,", b"3,", 1))
    code, out, _ = say("verify", folder, capsys=capsys)
    assert code == 9
    assert "trades.csv, line " in out
    trades.write_bytes(content)
    journal = folder / "state.jsonl"
    lines = journal.read_bytes()
    journal.write_bytes(lines[:-1])
    code, out, _ = say("verify", folder, capsys=capsys)
    assert code == 7
    assert "logos resume small" in out
    journal.write_bytes(lines.replace(b"order", b"ordre", 1))
    code, out, _ = say("verify", folder, capsys=capsys)
    assert code == 8
    assert re.match(r"session small: DAMAGED at record \d+, byte \d+: ", out)


def test_the_command_finds_a_session_by_its_id_and_prints_json(
    logos_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = margin(logos_home).folder
    code, out, _ = say("verify", "small", "--json", capsys=capsys)
    told = json.loads(out)
    assert code == told["exit_code"] == 0
    assert (told["verdict"], told["status"]) == ("intact", "ENDED")
    assert told["folder"] == str(folder)
    (folder / "state.jsonl").write_bytes(b"x\n")
    code, out, _ = say("verify", "small", "--json", capsys=capsys)
    assert code == 8
    assert json.loads(out)["damage"] == {
        "sequence": 1,
        "offset": 0,
        "reason": "not a journal line",
    }


@pytest.mark.parametrize("name", ["none", "no/such/folder", "../x", "."])
def test_what_is_no_session_is_refused(
    logos_home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, out, err = say("verify", name, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("logos verify: ")


def test_a_journal_of_another_schema_is_refused_with_its_software(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = failed(tmp_path).folder
    change_manifest(folder, schema=99, software="9.9.9")
    code, _, err = say("verify", folder, capsys=capsys)
    assert code == 2
    assert "schema 99" in err
    assert "use logos 9.9.9" in err


def test_nothing_but_a_torn_first_line_means_that_nothing_happened(folder: Path) -> None:
    journal = folder / "state.jsonl"
    journal.write_bytes(journal.read_bytes()[:100])
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.TORN
    assert "`logos resume small` starts it anew" in verdict.notes[0]
