"""What `logos sweep` says of a wrong command line: one line, and no folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from sweep_helpers import make_market

from logos.cli.main import main

BASE = ("--data", "WAVE_6h_bars.csv", "--by", "net")


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_market(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("mine.py:Abve", "--param", "length=3,4", *BASE), 2, "did you mean Above?"),
        (("mine.py:Above", "--param", "lenth=3,4", *BASE), 2, "did you mean length?"),
        (("mine.py:Above", "--param", "length=1,2", *BASE), 2, "1 is not from 2 to 20"),
        (
            ("mine.py:Above", "--param", "length=3,4", "--param", "length=5"),
            2,
            "each parameter once",
        ),
        (("mine.py:Above", "--param", "length=3,4", "--data", "none.csv"), 3, "no such file"),
        (("mine.py:Above", "--param", "length=3,4", *BASE, "--workers", "0"), 2, "one or more"),
        (("mine.py:Above", "--param", "length=3,4", *BASE, "--dask", "x"), 2, "tcp://HOST:PORT"),
        (("mine.py:Plain", "--param", "length=3,4", *BASE), 2, "has no parameters"),
        (("--resume", "nowhere"), 2, "nowhere is no sweep"),
        (("show", "nowhere"), 2, "nowhere is no sweep"),
        (("rerun", "nowhere"), 2, "logos sweep rerun FOLDER ROW"),
        (("rerun", "nowhere", "x"), 2, "'x' is no number of a row"),
        ((), 2, "logos sweep STRATEGY --param NAME=RANGE"),
    ],
)
def test_one_line_each(
    words: tuple[str, ...],
    code: int,
    said: str,
    market: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sweep", *words]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.strip().splitlines()[-1]
    assert last.startswith("logos sweep: ")
    assert said in last
    assert not list((market / "runs").rglob("sweep.json"))


@pytest.mark.parametrize(
    ("words", "library"), [(("--optuna", "3"), "optuna"), (("--dask", "local"), "distributed")]
)
def test_a_missing_library_is_named_with_what_installs_it(
    words: tuple[str, ...],
    library: str,
    market: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    load = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name == library:
            raise ImportError(name)
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    assert main(["sweep", "mine.py:Above", "--param", "length=3,4", *BASE, *words]) == 2
    error = capsys.readouterr().err
    assert f"needs the library {library}: " in error
    assert "install" in error or "make" in error
    assert not list((market / "runs").rglob("sweep.json"))
