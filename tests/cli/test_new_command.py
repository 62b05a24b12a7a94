"""`logos new`, as WRITING-A-STRATEGY.md shows it: what it writes runs as it stands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from logos.cli.main import main
from logos.cli.strategy.new import files_of


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOGOS_HOME", raising=False)
    return tmp_path


@pytest.mark.long
def test_settings_and_strategy_run_as_written(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "new_high"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "new_high/new_high.py",
        "new_high/new_high.toml",
        "new_high/test_new_high.py",
        "new_high/pytest.ini",
        "new_high/data  (made up from a seed, to try it on)",
        "",
        "cd new_high",
        "logos trade --config new_high.toml",
        "pytest  # a program of its own: pip install pytest",
    ]
    monkeypatch.chdir(here / "new_high")
    assert main(["config", "check", "--config", "new_high.toml", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["trade", "--config", "new_high.toml", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["refusals"], summary["headline"]) == ({}, "")
    assert summary["fills"] > 10
    assert main(["verify", summary["session_id"]]) == 0


@pytest.mark.campaign
def test_its_test_passes_also_below_a_project_with_settings_of_its_own(here: Path) -> None:
    """In a process of its own: an import of pytest there takes seconds."""
    above = '[tool.pytest.ini_options]\naddopts = "--of-a-plugin-that-is-not-here"\n'
    (here / "pyproject.toml").write_text(above, encoding="utf-8")
    assert main(["new", "new_high"]) == 0
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=here / "new_high"
    )
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


def test_what_is_there_is_not_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "mine.py").write_text("mine", encoding="utf-8")
    assert main(["new", "mine"]) == 2
    assert "mine exists already and was not changed" in capsys.readouterr().err
    assert [path.name for path in (here / "mine").iterdir()] == ["mine.py"]
    (here / "file").write_text("mine", encoding="utf-8")
    assert main(["new", "file"]) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mine", "use small letters"),
        ("9lives", "a letter first"),
        ("../mine", "use small letters"),
        ("class", "means something else to Python"),
        ("random", "means something else to Python"),
        ("logos", "means something else to Python"),
    ],
)
def test_a_name_that_cannot_be_imported_is_refused(
    name: str, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", name]) == 2
    assert words in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "mine")

    monkeypatch.setattr("logos.cli.strategy.new.make_folder", full)
    assert main(["new", "mine"]) == 6
    assert "cannot write mine: No space left on device" in capsys.readouterr().err


def test_the_texts_pass_the_checks_of_the_house(here: Path) -> None:
    for name, text in files_of("new_high").items():
        (here / name).write_text(text, encoding="utf-8")
    found = subprocess.run(
        (sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "100", "."),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout
