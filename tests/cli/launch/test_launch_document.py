"""docs/DEPLOY.md: what it shows of a launch is what a launch prints, in processes of their own.

A launch becomes the session (`exec`), so the test that runs the other commands of the documents in
its own process cannot run these.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from doc_commands import DESK, Step, blocks, files, make_workspace, missing

DOCUMENT = "docs/DEPLOY.md"
STEPS = [step for block in blocks(DOCUMENT) if "run by" in block.marks for step in block.steps]


def run(step: Step, home: Path) -> tuple[int, str]:
    program, *arguments = shlex.split(step.command)
    assert program == "logos"
    done = subprocess.run(
        [sys.executable, "-m", "logos.live", *arguments],
        cwd=home,
        env={**os.environ, "LOGOS_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.replace(str(home), DESK)


@pytest.mark.campaign
def test_a_launch_prints_what_the_document_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "desk"
    home.mkdir(mode=0o700)
    make_workspace(home, monkeypatch)
    before = os.umask(0o077)
    try:
        for name, body in files(DOCUMENT).items():
            (home / name).write_text(body, encoding="utf-8")
        assert [step.exit_code for step in STEPS] == [0, 2]
        for step in STEPS:
            code, output = run(step, home)
            absent = missing(step, output, figures=True)
            assert (code, absent) == (step.exit_code, []), output
    finally:
        os.umask(before)
