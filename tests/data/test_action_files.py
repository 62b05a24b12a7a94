"""Splits and dividends from yfinance and Lean into files, used by sessions where prices show them.

Figures of the factor file are those of AAPL in Lean's repository (Data/equity/usa/factor_files).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from feed_helpers import BAR_HEADER, traded, write

from logos import Side, Strategy, market, session
from logos.audit.verify import verify
from logos.cli.main import main
from logos.config import ConfigError
from logos.data.beside.actions import import_actions, write_actions
from logos.data.check import inspect_source
from logos.data.source import discover
from logos.errors import DataError

YAHOO = """\
Date,Dividends,Stock Splits
2021-07-20 00:00:00-04:00,0.0,4.0
2024-03-05 00:00:00-05:00,0.004,0.0
2024-06-10 00:00:00-04:00,0.0,10.0
2024-06-11 00:00:00-04:00,0.01,0.0
"""
LEAN = """\
20140507,0.9687481,0.142857,592.33
20140606,0.9741588,0.142857,645.57
20140806,0.9741588,1,94.96
20501231,1.0000000,1,0
"""


def file_of(folder: Path, text: str) -> Path:
    path = folder / "given.csv"
    path.write_text(text)
    return path


# ---- yfinance ----


def test_for_its_own_prices_yfinance_has_dividends_alone(tmp_path: Path) -> None:
    found = import_actions(file_of(tmp_path, YAHOO), "yfinance", "adjusted")
    assert found.splits == []
    assert found.dividends == [
        "2024-03-05 0.004",
        "2024-06-11 0.01",
    ]
    assert found.notes == ["2 splits left out: the prices are adjusted for them"]


def test_for_raw_prices_its_dividends_are_made_raw(tmp_path: Path) -> None:
    found = import_actions(file_of(tmp_path, YAHOO), "yfinance", "raw")
    assert found.splits == ["2021-07-20 4:1", "2024-06-10 10:1"]
    assert found.dividends == [
        "2024-03-05 0.04",  # before the split of 10 for 1
        "2024-06-11 0.01",
    ]


def test_it_is_asked_for_which_prices(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--prices adjusted .* --prices raw"):
        import_actions(file_of(tmp_path, YAHOO), "yfinance")


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [("1.5", "3:2"), ("0.1", "1:10"), ("0.3333333333", "1:3"), ("1.05", "21:20"), ("20", "20:1")],
)
def test_ratios_are_whole_numbers(tmp_path: Path, ratio: str, expected: str) -> None:
    path = file_of(tmp_path, f"Date,Dividends,Stock Splits\n2024-06-10,0,{ratio}\n")
    assert import_actions(path, "yfinance", "raw").splits == [f"2024-06-10 {expected}"]


def test_columns_of_a_history_and_empty_cells_are_read(tmp_path: Path) -> None:
    text = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
    text += "2024-06-07,1,2,1,2,5,,\n2024-06-10,1,2,1,2,5,nan,10.0\n2024-06-11,1,2,1,2,5,0.01,\n"
    found = import_actions(file_of(tmp_path, text), "yfinance", "raw")
    assert (found.splits, found.dividends) == (["2024-06-10 10:1"], ["2024-06-11 0.01"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Date,Close\n2024-06-10,1\n", r":1: the columns must be"),
        ("Date,Dividends\n10.06.2024,1\n", r":2: not a day"),
        ("Date,Dividends\n2024-06-10,one\n", r":2: dividends: not a number"),
        ("Date,Dividends\n2024-06-10,-1\n", r":2: dividends: -1 is below zero"),
        ("Date,Dividends\n2024-06-10,1,2\n", r":2: 3 columns instead of 2"),
        ("Date,Stock Splits\n2024-06-10,3.14159265\n", "is no split in whole numbers"),
        ("Date,Dividends\n2024-06-10,1", r":2: .*newline"),
        ("", "there are no rows"),
    ],
)
def test_what_cannot_be_understood_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        import_actions(file_of(tmp_path, text), "yfinance", "raw")


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2024-06-10 00:00:00-04:00", "2024-06-10"),
        ("2024-06-10 00:00:00+00:00", "2024-06-10"),
        ("2024-06-10 00:00:00+09:00", "2024-06-10T00:00:00+09:00"),
    ],
)
def test_an_action_comes_before_the_bar_of_its_day_however_that_is_stamped(
    tmp_path: Path, stamp: str, expected: str
) -> None:
    path = file_of(tmp_path, f"Date,Dividends\n{stamp},0.5\n")
    assert import_actions(path, "yfinance", "adjusted").dividends == [f"{expected} 0.5"]


# ---- Lean ----


@pytest.mark.parametrize("end", ["\n", ""])
def test_lean_factors_become_splits_and_dividends(tmp_path: Path, end: str) -> None:
    found = import_actions(file_of(tmp_path, LEAN.rstrip("\n") + end), "lean")
    # On 2014-06-09 seven new shares came for each; 3.29 was paid on 2014-05-08, before them.
    assert found.splits == ["2014-06-07 7:1"]
    assert found.dividends == ["2014-05-08 3.29", "2014-08-07 2.45"]


def test_without_closing_prices_there_are_no_dividends_and_it_is_said(tmp_path: Path) -> None:
    rows = [line.rpartition(",")[0] for line in LEAN.splitlines()]
    found = import_actions(file_of(tmp_path, "\n".join(rows) + "\n"), "lean")
    assert (found.splits, found.dividends) == (["2014-06-07 7:1"], [])
    assert found.notes == ["2 dividends left out: the file has no closing prices for them"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n".join(LEAN.splitlines()[:2]) + "\n", "it may have been cut short"),
        (LEAN[:-5], "newline|cut short|has rows like"),
        (LEAN.replace("20140606", "20140506"), "must follow each other"),
        (LEAN.replace("0.9741588,0.142857", "x,0.142857"), r":2: a factor file has rows like"),
        ("2014-05-07,1,1\n", r":1: a factor file has rows like"),
    ],
)
def test_a_factor_file_that_is_none_or_was_cut_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    path = file_of(tmp_path, text)
    with pytest.raises(DataError, match=words):
        import_actions(path, "lean")


# ---- prices that jump (case 48) ----

NVDA = [
    "2024-06-06T00:00:00Z,1210,1240,1200,1209.98,100",
    "2024-06-07T00:00:00Z,1197.7,1216.92,1180.22,1208.88,100",
    "2024-06-10T00:00:00Z,120.37,123.1,117.01,121.79,100",
    "2024-06-11T00:00:00Z,121.77,122.87,118.74,120.91,100",
    "2024-06-12T00:00:00Z,123,126,122,125,100",
]


class Once(Strategy):
    """Buys ten at the first bar."""

    def __init__(self) -> None:
        self.is_done = False

    def on_bar(self, context: Any, bar: Any) -> Any:
        if self.is_done:
            return None
        self.is_done = True
        return market(Side.BUY, 10)


def config(folder: Path, rows: list[str], **words: object) -> dict[str, Any]:
    path = write(folder / "NVDA_1d.csv", BAR_HEADER, rows)
    terms = {"tick": "0.01", "lot": "1", "quote": "USD", **words}
    data = {"paths": [str(path)], "accept": ["gap"]}
    return {"data": data, "instruments": {"NVDA": terms}, "session": {"id": "one"}}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (["1208.88", "120.37"], [("2024-01-03", 10, 1)]),
        (["120.37", "1208.88"], [("2024-01-03", 1, 10)]),  # a reverse split
        (["30.00", "20.00"], [("2024-01-03", 3, 2)]),
        (["30.00", "26.00"], []),  # a bad day
        (["100.00", "60.00"], []),  # a very bad one, which is no usual split's
        (["100.00", "100.00"], []),
    ],
)
def test_a_jump_between_days_that_looks_like_a_split_is_kept(
    tmp_path: Path, prices: list[str], expected: list[tuple[str, int, int]]
) -> None:
    rows = [f"2024-01-0{day}T00:00:00Z,{p},{p},{p},{p},1" for day, p in enumerate(prices, 2)]
    (source,) = discover(write(tmp_path / "A_1d.csv", BAR_HEADER, rows))
    report = inspect_source(source, traded("A"))
    assert [(each.moment, each.new, each.old) for each in report.jumps] == expected


def test_a_run_within_a_day_is_no_split(tmp_path: Path) -> None:
    rows = [f"2024-01-02T10:0{m}:00Z,{p},{p},{p},{p},1" for m, p in enumerate((100, 50, 25))]
    (source,) = discover(write(tmp_path / "A_1m.csv", BAR_HEADER, rows))
    assert inspect_source(source, traded("A")).jumps == ()


@pytest.mark.long
def test_a_check_points_it_out_until_the_split_is_given(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(home / "NVDA_1d.csv", BAR_HEADER, NVDA)
    table = '[instruments.NVDA]\ntick = "0.01"\nlot = "1"\nquote = "USD"\n'
    (home / "s.toml").write_text(table)
    words = ["data", "check", str(path), "--config", "s.toml", "--accept", "gap"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "looks like a split: " in said
    assert "NVDA_1d.csv:4: 1208.88 was followed by 120.37; if it was one: " in said
    assert '[instruments.NVDA] splits = ["2024-06-10 10:1"]' in said
    (home / "s.toml").write_text(table + 'splits = ["2024-06-10 10:1"]\n')
    assert main(words) == 0
    assert "looks like" not in capsys.readouterr().out


# ---- sessions ----


@pytest.mark.long
def test_a_session_uses_the_file_and_notes_its_hash(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = file_of(home, YAHOO)
    words = ["--format", "yfinance", "--symbol", "NVDA", "--prices", "raw"]
    assert main(["data", "actions", str(given), *words]) == 0
    assert capsys.readouterr().out.startswith("actions/NVDA.toml  2 splits, 2 dividends")
    result = session.run(config(home, NVDA, actions="actions/NVDA.toml"), strategy=Once())
    (book,) = result.summary["symbols"].values()
    # Ten at 1197.70 became a hundred; each paid 0.01 the day behind, and stands at 125.
    assert book["position"] == "100"
    assert book["realised"] == "1.00000000"
    assert book["unrealised"] == "523.00000000"
    assert verify(result.folder).findings == []
    digest = hashlib.sha256((home / "actions" / "NVDA.toml").read_bytes()).hexdigest()
    assert digest in (result.folder / "config.json").read_text()
    assert main(["data", "actions", str(given), *words]) == 3  # never overwritten


@pytest.mark.long
def test_a_split_that_the_prices_do_not_show_is_refused(home: Path) -> None:
    adjusted = [*(f"2024-06-0{d}T00:00:00Z,120,121,119,120.5,9" for d in (6, 7)), *NVDA[2:]]
    found = import_actions(file_of(home, YAHOO), "yfinance", "raw")
    write_actions("NVDA", "yfinance", found, home / "a.toml")
    with pytest.raises(ConfigError, match=r"do not show the split of 10 for 1: 120\.50 was"):
        session.run(config(home, adjusted, actions="a.toml"), strategy=Once())
    adjusted_file = import_actions(file_of(home, YAHOO), "yfinance", "adjusted")
    write_actions("NVDA", "yfinance", adjusted_file, home / "b.toml")
    result = session.run(config(home, adjusted, actions="b.toml"), strategy=Once())
    (book,) = result.summary["symbols"].values()
    assert (book["position"], book["realised"]) == ("10", "0.10000000")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('symbol = "AMD"\n', "is of 'AMD', not of 'NVDA'"),
        ('symbol = "NVDA"\nsplits = ["soon 2:1"]\n', "write a split like"),
        ('symbol = "NVDA"\nsplits = "2024-06-10 10:1"\n', "splits must be a list"),
        ('symbol = "NVDA"\nsplit = []\n', "unknown key 'split'"),
        ('symbol = "NVDA"\nsplits = ["2024-06-10 10:1"', "cannot be read"),
        ('symbol = "NVDA"\nsplits = ["2024-06-10 10:1"]', "newline"),
    ],
)
def test_a_file_that_was_changed_is_refused(home: Path, text: str, words: str) -> None:
    (home / "a.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        session.run(config(home, NVDA, actions="a.toml"), strategy=Once())


def test_a_file_that_is_not_there_and_splits_beside_one_are_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"nope\.toml cannot be read: No such file"):
        session.run(config(home, NVDA, actions="nope.toml"), strategy=Once())
    terms = config(home, NVDA, actions="a.toml", splits=["2024-06-10 10:1"])
    with pytest.raises(ConfigError, match="leave splits and dividends out"):
        session.run(terms, strategy=Once())
