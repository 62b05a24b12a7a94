"""`logos doctor`: names what is wrong and what to do, and leaves no trace."""

from __future__ import annotations

import argparse
import importlib.machinery
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from logos.cli import doctor
from logos.core.types import NS_PER_SECOND
from logos.data import fixtures
from logos.installation import install_command

NOON_NS = 1_767_614_400 * NS_PER_SECOND


def spec_at(origin: str | None) -> importlib.machinery.ModuleSpec:
    return importlib.machinery.ModuleSpec("logos.core.engine", None, origin=origin)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and a core that is there."""
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    monkeypatch.delenv("LOGOS_SEED", raising=False)
    monkeypatch.setattr(doctor, "find_spec", lambda name: spec_at("engine.py"))
    return tmp_path


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    return doctor.run(parser.parse_args(words))


def test_a_fit_machine_passes_and_nothing_is_left_behind(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    printed = capsys.readouterr().out
    assert "BAD" not in printed
    assert printed.endswith("all fine\n")
    for word in ("msgspec", "pyarrow", "sessions", "clock", "disk", "kernel"):
        assert word in printed
    assert list(workspace.iterdir()) == []


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["fine"] is True
    assert [finding["name"] for finding in answer["findings"]] == [
        finding.name for finding in doctor.examine()
    ]


def test_what_is_wrong_is_marked_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_SEED", "soon")
    assert run() == 1
    printed = capsys.readouterr().out
    assert "BAD  seed" in printed
    assert "do: unset LOGOS_SEED" in printed
    assert run("--json") == 1
    assert json.loads(capsys.readouterr().out)["fine"] is False


def test_a_missing_optional_library_is_no_fault_and_a_missing_base_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "")
    findings = {finding.name: finding for finding in doctor.check_versions()}
    assert findings["pyarrow"].fine
    assert findings["pyarrow"].seen == f"not installed: {install_command('parquet')}"
    assert not findings["msgspec"].fine
    assert findings["msgspec"].advice == "pip install msgspec"


@pytest.mark.parametrize(
    ("origin", "fine", "word"),
    [
        ("/x/engine.py", True, "interpreted"),
        ("/x/engine" + importlib.machinery.EXTENSION_SUFFIXES[0], True, "compiled"),
        (None, False, "missing"),
    ],
)
def test_it_tells_the_compiled_core_from_the_interpreted_and_from_none(
    monkeypatch: pytest.MonkeyPatch, origin: str | None, fine: bool, word: str
) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda name: spec_at(origin))
    finding = doctor.check_core()
    assert finding.fine == fine
    assert word in finding.seen


def test_a_folder_that_is_a_file_is_wrong(workspace: Path) -> None:
    (workspace / "state").write_text("")
    findings = {finding.name: finding for finding in doctor.check_folders()}
    assert [name for name, finding in findings.items() if not finding.fine] == ["state"]
    assert str(workspace / "state") in findings["state"].seen
    assert "LOGOS_HOME" in findings["state"].advice


def test_a_failing_fsync_is_found_and_the_file_still_removed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    finding = doctor.check_folder("home", workspace)
    assert not finding.fine
    assert "Input/output error" in finding.seen
    assert list(workspace.iterdir()) == []


@pytest.mark.long
def test_damaged_bundled_data_is_named(workspace: Path) -> None:
    folder = workspace / "data" / "cache"
    assert "no bundled data" in doctor.check_bundle(folder).seen
    fixtures.write_fixtures(folder)
    assert doctor.check_bundle(folder).fine
    (folder / "EURUSD_1m_bid.csv").write_text("")
    finding = doctor.check_bundle(folder)
    assert not finding.fine
    assert "EURUSD_1m_bid.csv" in finding.seen


def test_a_full_disk_is_wrong(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FREE_BYTES_MIN", 10**30)
    finding = doctor.check_disk(workspace / "not" / "there" / "yet")
    assert not finding.fine
    assert "make room" in finding.advice


def ticking(start_ns: int, step_ns: int) -> Iterator[int]:
    return itertools.count(start_ns, step_ns)


@pytest.mark.parametrize(
    ("wall", "fine"),
    [
        (ticking(NOON_NS, 1_000), True),
        (ticking(NOON_NS, -1_000), False),
        (ticking(5 * NS_PER_SECOND, 1_000), False),
        (ticking(NOON_NS, 10_000_000), False),
    ],
    ids=["in step", "backward", "in 1970", "running away"],
)
def test_the_clock_is_judged(wall: Iterator[int], fine: bool) -> None:
    monotonic = ticking(0, 1_000)
    finding = doctor.check_clock(lambda: next(wall), lambda: next(monotonic))
    assert finding.fine == fine
    assert fine or "time service" in finding.advice
