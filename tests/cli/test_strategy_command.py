"""`logos strategy show` and `list`, and what `logos config check` says of a strategy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logos.cli.main import main
from logos.strategies.load import BUNDLED

SOURCE = '''
"""Two strategies of a user."""

from decimal import Decimal

from logos import Strategy, param

print("words of an import")


class Breaks(Strategy):
    """Buys new highs.

    Sells new lows.
    """

    lookback: int = param(60, 2, 500, meaning="bars looked back")
    share: Decimal = param(Decimal("0.2"), 0, 1)
    kind: str = param("both", choices=("both", "long"))

    def on_bar(self, context, bar):
        if self.lookback > 100 and not self.share:
            raise ValueError("never here")

    def on_fil(self, context, fill):
        pass


class Misspelt(Strategy):
    def onbar(self, context, bar):
        pass


class Needs(Strategy):
    def __init__(self, file: str):
        raise ValueError(f"{file} is no use")

    def on_bar(self, context, bar):
        pass
'''


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    (tmp_path / "mine.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path / "mine.py"


def test_a_strategy_is_shown_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["strategy", "show", "mine.py:Breaks"]) == 0
    shown, aside = capsys.readouterr()
    assert aside == "words of an import\n"
    assert shown.splitlines() == [
        "mine.py:Breaks  (logos_strategy_file.mine:Breaks)",
        "",
        "Buys new highs.",
        "",
        "Sells new lows.",
        "",
        "hears         on_bar",
        "never called  on_fil: did you mean on_fill?",
        "can be saved  no",
        "",
        "parameter  type     default  range        meaning",
        "lookback   int      60       2..500       bars looked back",
        "share      Decimal  0.2      0..1",
        "kind       str      both     both | long",
    ]


def test_a_file_shows_every_strategy_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["strategy", "show", "mine.py", "--json"]) == 0
    breaks, misspelt, needs = json.loads(capsys.readouterr().out)
    assert breaks["hears"] == ["on_bar"]
    assert breaks["never_called"] == {"on_fil": "on_fill"}
    assert breaks["parameters"][0] == {
        "name": "lookback",
        "type": "int",
        "required": False,
        "default": 60,
        "low": 2,
        "high": 500,
        "choices": [],
        "meaning": "bars looked back",
    }
    assert breaks["parameters"][1]["default"] == "0.2"
    assert misspelt["never_called"] == {"onbar": "on_bar"}
    assert misspelt["purpose"] == "Two strategies of a user."
    assert needs["parameters"][0]["required"] is True


def test_every_bundled_strategy_is_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["strategy", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(BUNDLED)
    assert all(len(line) <= 100 for line in lines)
    for name in BUNDLED:
        assert main(["strategy", "show", name]) == 0
        assert "never called" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine.py:Break", "did you mean Breaks?"),
        ("none.py", "there is no file none.py"),
        ("sma_cros", "did you mean sma_cross?"),
        ("empty.py", "empty.py has no strategy: derive a class from logos.Strategy"),
    ],
)
def test_what_is_not_there_is_said(
    name: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.py").write_text("from logos import Strategy\n", encoding="utf-8")
    assert main(["strategy", "show", name]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["mine.py:Breaks", "--param", "lookback=1"], "parameter lookback: 1 is not from 2 to 500"),
        (["mine.py:Breaks", "--param", "lokback=9"], "did you mean lookback?"),
        (["mine.py:Misspelt"], "its onbar is never called: did you mean on_bar?"),
        (["mine.py:Needs", "--param", "file=x"], "x is no use"),
        (["mine.py:Brakes"], "did you mean Breaks?"),
        (["sma_cross", "--param", "fast=50"], "below slow"),
    ],
)
def test_config_check_makes_the_strategy(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", "--strategy", *options]) == 2
    assert words in capsys.readouterr().err
    assert main(["config", "check", "--strategy", *options, "--json"]) == 2
    whole = json.loads(capsys.readouterr().out)
    assert whole["ok"] is False
    assert words in whole["problems"][0]


def test_config_check_of_a_sound_strategy_is_ok_and_its_prints_are_aside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["config", "check", "--strategy", "mine.py:Breaks", "--param", "lookback=90"]) == 0
    shown, aside = capsys.readouterr()
    assert shown.startswith("OK  config hash")
    assert aside == "words of an import\n"
