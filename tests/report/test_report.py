"""The report of a session: whole for every kind of ending, the same bytes, safe, and no risk."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from carry_helpers import trade
from journal_helpers import KINDS, bars, halted, run, silent, spot
from page_reading import Page
from stored_helpers import crashed

import logos.report.page as making
from logos.analysis import analyse
from logos.cli.main import main
from logos.cli.run_command import attempt
from logos.core.strategy import Context, Strategy, market
from logos.core.types import Side
from logos.pages.assets import content_policy
from logos.report import report_page, try_report, write_report
from logos.session import SessionResult

HOSTILE = "</script><script>alert(1)</script><!-- \u2028\u202e & \"'` =cmd|' /C calc'!A0"

TAG = "=</script><script>alert(1)</script><!-- &"


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_session_has_a_whole_report_of_the_same_bytes(
    tmp_path: Path, kind: Callable[[Path], SessionResult]
) -> None:
    folder = kind(tmp_path).folder
    markup = report_page(folder)
    page = Page(markup)
    assert page.of("h1") == ["small"]
    headings = page.of("h2")
    assert headings[-2:] == ["Settings", "Provenance"]
    assert {"Equity", "Round trips", "Refusals and guards", "All figures"} <= set(headings)
    assert str(tmp_path) not in markup
    assert report_page(folder) == markup


def test_a_session_without_any_trade_says_so(tmp_path: Path) -> None:
    text = Page(report_page(silent(tmp_path).folder)).text
    for words in ("No round trip has ended", "No order was refused", "none closed"):
        assert words in text


def test_a_session_that_halted_says_its_trigger_and_the_next_command_first(tmp_path: Path) -> None:
    text = Page(report_page(halted(tmp_path).folder)).text
    trigger = text.index("This session halted")
    assert "kill switch at tick" in text[trigger : trigger + 200]
    assert trigger < text.index("logos kill status") < text.index("Net result")


def test_a_session_that_crashed_says_that_it_has_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    text = Page(report_page(crashed("dead").folder)).text
    assert "The session has not ended (CRASHED)." in text
    assert "logos report dead" in text


def test_the_policy_names_every_script_and_style_of_the_page_and_no_other(tmp_path: Path) -> None:
    markup = report_page(spot(tmp_path).folder)
    scripts = re.findall(r"<script>(.*?)</script>", markup, re.S)
    styles = re.findall(r"<style>(.*?)</style>", markup, re.S)
    assert (len(scripts), len(styles)) == (3, 3)
    policies = [
        each["content"]
        for name, each in Page(markup).elements
        if name == "meta" and each.get("http-equiv")
    ]
    assert policies == [content_policy(scripts, styles)]
    for name, attributes in Page(markup).elements:
        assert not {"src", "style", "srcset"} & set(attributes), name
        assert not [each for each in attributes if each.startswith("on")], name
        assert (attributes.get("href") or "#").startswith("#"), name


class Hostile(Strategy):
    """Writes hostile words wherever a strategy can write."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Any) -> Any:
        self.seen += 1
        context.plot(HOSTILE[:60], self.seen)
        context.log(HOSTILE)
        side = Side.BUY if self.seen % 2 else Side.SELL
        return market(side, 1, tag=TAG)


def test_words_of_a_stranger_stay_words(tmp_path: Path) -> None:
    folder = run(tmp_path, Hostile(), 8).folder
    markup = report_page(folder)
    page = Page(markup)
    names = [name for name, _ in page.elements]
    assert names.count("script") == 4
    assert not {"iframe", "img", "object", "link", "base"} & set(names)
    assert "\u2028" not in markup
    assert "\u202e" not in markup
    data = page.data()
    assert TAG in data["texts"]
    assert len(data["trips"]) == 3
    [plot] = data["plots"]
    assert plot["name"].startswith("</script><script>")


def test_a_failure_of_the_report_is_one_line_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = spot(tmp_path)
    before = sorted(each.name for each in result.folder.iterdir())

    def broken(folder: Path) -> None:
        raise RuntimeError("broken\nfor a test")

    monkeypatch.setattr(making, "analyse", broken)
    said = try_report(result.folder)
    assert said == (
        "no report was made (RuntimeError broken for a test); make it with: logos report small"
    )
    assert sorted(each.name for each in result.folder.iterdir()) == before
    options = argparse.Namespace(quiet=True, json=False)
    assert attempt(lambda bar: result, options, "trade") == 0
    assert said in capsys.readouterr().err


def test_a_command_that_runs_a_session_leaves_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = spot(tmp_path)
    options = argparse.Namespace(quiet=True, json=False)
    assert attempt(lambda bar: result, options, "trade") == 0
    assert (result.folder / "report.html").read_text(encoding="utf-8") == report_page(result.folder)
    assert "report" not in capsys.readouterr().err


@pytest.mark.long
def test_the_command_makes_a_report_anew_and_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = spot(tmp_path).folder
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    (folder / "report.html").write_text("old")
    assert main(["report", "small"]) == 0
    assert capsys.readouterr().out == f"report    {folder / 'report.html'}\n"
    assert "old" not in (folder / "report.html").read_text(encoding="utf-8")[:10]
    elsewhere = tmp_path / "other.html"
    assert main(["report", str(folder), "--out", str(elsewhere)]) == 0
    assert elsewhere.read_bytes() == (folder / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 2, "no such session"),
        (["small", "--out", "nowhere/r.html"], 6, "No such file or directory"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    spot(tmp_path)
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["report", *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_damaged_table_is_told_with_what_says_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = spot(tmp_path).folder
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    with (folder / "trades.csv").open("a", encoding="utf-8") as file:
        file.write("1,2\n")
    assert main(["report", "small"]) == 8
    assert "`logos verify small` says more" in capsys.readouterr().err
    assert not (folder / "report.html").exists()


def test_a_session_without_an_event_has_no_time(tmp_path: Path) -> None:
    folder = trade(tmp_path, "none", []).folder
    analysis = analyse(folder)
    figures = analysis.statistics
    assert (analysis.facts.begun_ns, analysis.facts.ended_ns) == (None, None)
    assert (figures.begun_ns, figures.ended_ns, figures.duration_ns) == (None, None, 0)
    assert figures.initial == figures.final == 10_000
    markup = report_page(folder)
    assert "1970" not in markup
    assert "No sample of the equity was written yet." in markup


def test_one_bar_is_enough(tmp_path: Path) -> None:
    assert len(bars(1)) == 1
    folder = run(tmp_path, count=1).folder
    assert write_report(folder).stat().st_size < 400_000
