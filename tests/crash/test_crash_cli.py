"""The real command, really killed and stopped: a handful of `crash_campaign.py --cli`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_trials import TRADE, Kept, command, files_of, run_cli_trial, session_folder, straight

pytestmark = pytest.mark.campaign


@pytest.mark.parametrize("seed", range(4))
def test_a_command_that_is_killed_is_gone_on_with_by_the_next(seed: int) -> None:
    trial = run_cli_trial(seed)
    assert trial.problems == []


def test_so_is_one_on_rows_that_were_kept_when_they_were_checked() -> None:
    with Kept() as kept:
        trial = run_cli_trial(1, kept)
    assert trial.problems == []
    assert trial.name == "cli, rows kept from before"


def test_a_crashed_session_is_sealed_by_the_command(tmp_path: Path) -> None:
    assert command(tmp_path, *TRADE).wait(60) == 0
    folder = session_folder(tmp_path)
    journal = folder / "state.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[-1][:30])
    (folder / "host.json").unlink()
    assert command(tmp_path, "resume", "cli", "--seal", "--quiet").wait(60) == 0
    assert b'"CRASHED_RECOVERED"' in (folder / "state.json").read_bytes()
    assert command(tmp_path, "verify", "cli").wait(60) == 0
    assert command(tmp_path, "replay", "cli").wait(60) == 0
    assert command(tmp_path, "resume", "cli", "--quiet").wait(60) == 2


def test_a_new_session_under_the_id_of_a_removed_one_begins_a_log_of_its_own(
    tmp_path: Path,
) -> None:
    log = tmp_path / "logos" / "logs" / "cli.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(b'{"of":"another session"}\n')
    assert command(tmp_path, *TRADE).wait(60) == 0
    assert files_of(tmp_path) == straight()[0]
    assert os.path.getsize(log) > 100
