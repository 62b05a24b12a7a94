"""What `make` runs: campaigns with the Python of the checkout's environment, or of a wheel's."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from places import PROJECT

CAMPAIGNS = re.findall(
    r"^([a-z]+-campaign):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
)


def runs(*words: str) -> list[str]:
    """The commands that `make` would run, but for those that make the environment."""
    command = ["make", "--no-print-directory", "--dry-run", "--old-file=env", *words]
    said = subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MAKEFLAGS": ""},
    )
    return said.stdout.replace("\\\n", "").splitlines()


@pytest.mark.parametrize("target", CAMPAIGNS)
def test_a_campaign_runs_with_the_environment_of_the_checkout(target: str) -> None:
    commands = runs("VENV=here", target)
    assert commands
    assert [each for each in commands if not each.startswith("here/bin/python ")] == []


@pytest.mark.parametrize(
    "target", ["crash-campaign", "kill-campaign", "sweep-campaign", "venue-campaign"]
)
def test_a_campaign_runs_with_the_python_of_a_wheel(target: str) -> None:
    commands = runs("WHEEL=/wheel/python", target)
    assert [each for each in commands if not each.startswith("/wheel/python tests/")] == []
