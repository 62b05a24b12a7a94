"""`logos export returns`: the daily returns that the figures for a year are made of."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from places import PROJECT

from logos.analysis import analyse
from logos.cli.main import main


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the bundled session, whose books are a total and two currencies."""
    folder = tmp_path_factory.mktemp("export")
    words = ["trade", "--config", str(PROJECT / "examples/session.toml"), "--session-id", "demo"]
    data = str(PROJECT / "data/cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGOS_HOME", str(folder))
        assert main([*words, "--data", data, "--quiet"]) == 0
    return folder


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(home))
    return home / "runs" / "live" / "sessions" / "demo"


@pytest.mark.long
def test_what_is_written_reads_back_as_the_returns_of_the_analysis(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    books = {book.name: book for book in analyse(folder).books}
    assert set(books) == {"total", "USD", "USDT"}
    for name, words in (("total", []), ("USDT", ["--book", "USDT"])):
        assert main(["export", "returns", "demo", *words]) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert tuple((row["date"], float(row["return"])) for row in rows) == books[name].returns
        assert rows
    out = tmp_path / "returns.csv"
    assert main(["export", "returns", str(folder), "--out", str(out)]) == 0
    assert out.read_text().splitlines()[0] == "date,return"
    assert len(out.read_text().splitlines()) == 1 + len(books["total"].returns)


@pytest.mark.long
def test_what_is_not_there_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "returns", "demo", "--book", "EUR"]) == 2
    assert "there is no book EUR; there are: total, USD, USDT" in capsys.readouterr().err
    assert main(["export", "returns", "gone"]) == 2
    assert "gone" in capsys.readouterr().err
    missing = folder / "no" / "returns.csv"
    assert main(["export", "returns", "demo", "--out", str(missing)]) == 6
    assert str(folder / "no") in capsys.readouterr().err
