"""The desk that launches are tried at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from launch_helpers import Desk
from places import PROJECT

from logos.cli.launch import launcher
from logos.rehearsal.acceptance import SCENARIOS, AcceptanceResult


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    home = tmp_path / "desk"
    home.mkdir(mode=0o700)
    (home / "data").symlink_to(PROJECT / "data")
    monkeypatch.chdir(home)
    monkeypatch.setenv("LOGOS_HOME", str(home))
    before = os.umask(0o077)
    yield Desk(home, monkeypatch)
    os.umask(before)


@pytest.fixture
def no_self_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what the self-test has no part in: it is not run again."""
    passed = AcceptanceResult(SCENARIOS[0], 10, 0, 0, (), 0.0)
    monkeypatch.setattr(launcher, "run_acceptance", lambda folder: iter([passed]))
