"""`make help` and `make shell`: what a newcomer types after `make session`."""

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
