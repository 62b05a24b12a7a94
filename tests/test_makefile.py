"""`make help`, `make shell` and `make report`: what a newcomer types after `make session`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from doc_commands import make_targets
from places import PROJECT

ENVIRONMENT = Path(sys.executable).parent.parent


def make(*words: str, typed: str = "") -> str:
    done = subprocess.run(
        [
            *("make", "--no-print-directory", "-o", f"{ENVIRONMENT}/.installed"),
            *(f"VENV={ENVIRONMENT}", *words),
        ],
        cwd=PROJECT,
        input=typed,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MAKEFLAGS": "", "SHELL": "/bin/sh"},
    )
    return done.stdout


def test_help_lists_every_target() -> None:
    listed = {line.split()[1] for line in make("help").splitlines()}
    assert listed == make_targets()
    assert {"session", "shell", "test"} <= listed


def test_shell_has_logos_on_its_path_and_says_how_to_leave() -> None:
    shown = make("shell", typed="command -v logos\nexit\n").splitlines()
    assert "leave it with: exit" in shown[0]
    assert shown[-1] == f"{ENVIRONMENT}/bin/logos"


def test_report_is_of_the_session_that_is_named_or_of_the_newest(tmp_path: Path) -> None:
    """The newest has the youngest journal: a report that was made anew makes no session newer."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    python = environment / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)

    def report(*words: str) -> tuple[int, str]:
        command = [
            "make",
            f"--file={PROJECT / 'Makefile'}",
            "-s",
            "-o",
            f"{environment}/.installed",
        ]
        done = subprocess.run(
            [*command, f"VENV={environment}", "report", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MAKEFLAGS": ""},
        )
        return done.returncode, done.stdout + done.stderr

    code, said = report()
    assert code != 0
    assert "no session yet: make session" in said
    for number, name in enumerate(("b-first", "a-second")):
        folder = tmp_path / "runs" / "live" / "sessions" / name
        folder.mkdir(parents=True)
        (folder / "state.jsonl").touch()
        os.utime(folder / "state.jsonl", (number, number))
        os.utime(folder, (9 - number, 9 - number))
    assert report() == (0, "-m logos.live report --open a-second\n")
    assert report("ID=b-first") == (0, "-m logos.live report --open b-first\n")
