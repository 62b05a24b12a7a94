"""Columns read at once give the text that rows read one by one give: ticks, shifts, quotes."""

from __future__ import annotations

from pathlib import Path

import pytest
from layout_example import options_of

from logos.data.importing import run
from logos.errors import DataError

HEAD = "time,open,high,low,close,volume\n"
X = ("--symbol", "X", "--interval", "1m")
FIGURES = ("1.5", "1.50", "1", "1.500", "01.5", "0.30", "12", "187.2201", "1.5000000000000002")
FILES = {
    "a tick that is all decimals": (HEAD, "{0},{1},{1},{1},{1},2.500\n", (*X, "--tick", "0.01")),
    "a whole tick": (HEAD, "{0},{1},{1},{1},{1},7\n", (*X, "--tick", "1")),
    "a tick of five": (HEAD, "{0},{1},{1},{1},{1},7.0\n", (*X, "--tick", "0.05")),
    "quoted": (HEAD, '"{0}","{1}","{1}","{1}","{1}","1,250"\n', X),
    "quoted, thousands": (HEAD, '"{0}","4,{1}","4,{1}","4,{1}","4,{1}","1,250.5"\n', X),
}


def lines(row: str, figure: str) -> str:
    return "".join(row.format(1_704_067_200 + 60 * at, figure) for at in range(3))


def read(path: Path, out: Path, options: tuple[str, ...]) -> str:
    try:
        (made,) = run.import_files([path], out, options_of(options)).paths
    except DataError as error:
        return str(error)
    return made.read_text()


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("name", FILES)
def test_both_ways_give_one_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, figure: str
) -> None:
    head, row, options = FILES[name]
    path = tmp_path / "export.csv"
    path.write_text(head + lines(row, figure))
    fast = read(path, tmp_path / "fast", options)
    monkeypatch.setattr(run, "arrow_available", lambda: False)
    assert fast == read(path, tmp_path / "careful", options)


@pytest.mark.parametrize("tick", ["", "0.01", "0.0001"])
def test_both_ways_shift_one_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tick: str
) -> None:
    path = tmp_path / "equity" / "usa" / "hour" / "spy.csv"
    path.parent.mkdir(parents=True)
    rows = [f"20240304 {hour:02d}:00,1871500,1873000,1871001,18722{hour},7\n" for hour in (10, 11)]
    path.write_text("".join(rows))
    options = ("--tick", tick) if tick else ()
    fast = read(path, tmp_path / "fast", options)
    monkeypatch.setattr(run, "arrow_available", lambda: False)
    assert fast == read(path, tmp_path / "careful", options)
