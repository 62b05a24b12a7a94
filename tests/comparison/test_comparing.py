"""Sessions held against each other: their figures, notes of what keeps them apart, their words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import BarByBar, bars
from session_helpers import session_config
from stored_helpers import crashed, ended, failed

from logos.analysis import analyse
from logos.comparison.comparing import SESSIONS_MAX, Comparison, compare
from logos.comparison.page import comparison_page, page_data
from logos.comparison.plain import comparison_json
from logos.comparison.words import DIFFERENCES_MAX, comparison_text, drawn
from logos.core.gates import InProcessSwitch
from logos.core.strategy import market
from logos.core.types import Side
from logos.errors import ConfigError
from logos.journal.lock import JournalLock
from logos.pages import assets
from logos.session import SessionResult
from logos.session.entry import run
from logos.testing.builders import Scripted

BUY_AND_SELL = {1: market(Side.BUY, 10), 5: market(Side.SELL, 10)}


def of(*results: SessionResult) -> Comparison:
    return compare([each.folder for each in results])


def later(session_id: str, days: int) -> SessionResult:
    """A session over the same bars, so many days later."""
    step_ns = days * 86_400 * 10**9
    moved = [
        type(each)(**{**{name: getattr(each, name) for name in each.__struct_fields__},
                      "ts_ns": each.ts_ns + step_ns})
        for each in bars(12)
    ]  # fmt: skip
    config = session_config(session={"id": session_id})
    strategy = Scripted(BUY_AND_SELL)
    return run(config, strategy=strategy, feed=BarByBar(moved), switch=InProcessSwitch())


# ---- figures ----


def test_every_figure_is_that_of_the_analysis(logos_home: Path) -> None:
    one, other = ended("one", BUY_AND_SELL), ended("other")
    figures = {row.key: row.values for row in of(one, other).figures}
    analyses = [analyse(each.folder) for each in (one, other)]
    for key in ("net", "net_ratio", "fees", "max_drawdown", "sharpe", "turnover"):
        assert figures[key] == tuple(getattr(each.statistics, key) for each in analyses)
    assert figures["trips"] == (1, 0)
    assert figures["orders"] == (2, 1)


def test_of_two_sessions_the_difference_stands_beside_them(logos_home: Path) -> None:
    comparison = of(ended("one", BUY_AND_SELL), ended("other"))
    rows = {row.key: row.difference() for row in comparison.figures}
    assert rows["trips"] == "-1"
    assert rows["currency"] == ""
    assert rows["initial"] == "="
    assert rows["win_rate"] == "", "the other has no trade, so no rate"
    assert "B - A" in comparison_text(comparison, 100)


def test_the_same_session_run_twice_differs_in_nothing(logos_home: Path) -> None:
    comparison = of(ended("one"), ended("two"))
    assert (comparison.settings, comparison.strategy, comparison.data) == ((), (), ())
    assert {row.difference() for row in comparison.figures} == {"=", ""}
    text = comparison_text(comparison, 100)
    assert "settings: the same" in text
    assert "data: the same" in text


def test_a_setting_that_differs_is_named(logos_home: Path) -> None:
    comparison = of(ended("one"), ended("two", paper={"slippage_ticks": 3}))
    (setting,) = comparison.settings
    assert setting == ("paper.slippage_ticks", ("0", "3"))
    assert "paper.slippage_ticks  0  3" in comparison_text(comparison, 100)


# ---- what keeps them apart ----


def notes_of(*results: SessionResult) -> str:
    return "\n".join(of(*results).notes)


def test_a_session_that_is_not_over_is_said_to_be_so(logos_home: Path) -> None:
    one, cut, bad = ended("one"), crashed("cut"), failed("bad")
    lock = JournalLock(one.folder / "state.jsonl")
    try:
        notes = notes_of(one, cut, bad)
    finally:
        lock.close()
    assert "A one is running: its figures are those until now" in notes
    assert "B cut is CRASHED: " in notes
    assert "C bad did not end in order: FAILED, " in notes


def test_other_currencies_are_said_and_amounts_not_subtracted(logos_home: Path) -> None:
    euros = {"ACME": {"tick": "0.01", "lot": "1", "quote": "EUR"}}
    comparison = of(
        ended("one"), ended("two", instruments=euros, account={"balances": {"EUR": "1000000"}})
    )
    assert "currencies differ (A USD; B EUR): compare ratios, not amounts" in comparison.notes
    assert not comparison.is_one_currency
    by_name = {each["name"]: each["difference"] for each in page_data(comparison)["figures"]}
    assert by_name["net"] == ""
    assert by_name["trades"] == "="


def test_other_amounts_at_the_beginning_are_said(logos_home: Path) -> None:
    notes = notes_of(ended("one"), ended("two", account={"balances": {"USD": "500"}}))
    assert "they began with different amounts" in notes


def test_sessions_of_different_times_are_drawn_from_the_start_of_each(logos_home: Path) -> None:
    comparison = of(ended("one"), later("two", 30))
    assert not comparison.is_by_date
    assert any("at different times" in note for note in comparison.notes)
    assert [curve.xs[0] for curve in drawn(comparison)] == [0, 0]
    same = of(ended("three"), ended("four"))
    assert same.is_by_date
    assert drawn(same)[0].xs[0] == same.sessions[0].analysis.facts.begun_ns


def test_a_session_without_an_event_is_compared_too(logos_home: Path) -> None:
    config = session_config(session={"id": "none"})
    none = run(config, strategy=Scripted({}), feed=BarByBar([]), switch=InProcessSwitch())
    comparison = of(ended("one"), none)
    assert comparison.sessions[1].period == "no event"
    assert "A one" in comparison_text(comparison, 100)
    assert comparison_page(comparison)


# ---- which sessions ----


def test_one_session_or_too_many_or_one_twice_is_refused(logos_home: Path) -> None:
    one = ended("one").folder
    for folders in ([one], [one] * (SESSIONS_MAX + 1)):
        with pytest.raises(ConfigError, match="2 to 12 sessions"):
            compare(folders)
    with pytest.raises(ConfigError, match="one is named twice"):
        compare([one, one.parent / "." / "one"])


def test_the_same_id_in_two_workspaces_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []
    for name in ("here", "there"):
        monkeypatch.setenv("LOGOS_HOME", str(tmp_path / name))
        folders.append(ended("one").folder)
    first, second = compare(folders).sessions
    assert (first.name, second.name) == (f"one ({tmp_path}/here)", f"one ({tmp_path}/there)")


# ---- words and page ----


@pytest.mark.parametrize("count", [2, 5])
def test_the_words_keep_to_the_width_where_a_column_fits(count: int, logos_home: Path) -> None:
    limits = [{"max_position": str(100 + number), "unlimited": True} for number in range(count)]
    results = [ended(f"session-{at}", risk=each) for at, each in enumerate(limits)]
    comparison = of(*results)
    for width in (20, 60, 80, 100, 200):
        text = comparison_text(comparison, width)
        assert max(map(len, text.splitlines())) <= max(width, 66)
        assert all(f"{letter} session-" in text for letter in "ABCDE"[:count])


@pytest.mark.long
def test_many_differences_are_cut_in_the_words_and_whole_in_the_page(logos_home: Path) -> None:
    many = {f"S{number}": {"tick": "1", "lot": "1", "quote": "USD"} for number in range(45)}
    acme = {"ACME": {"tick": "0.01", "lot": "1", "quote": "USD"}}
    comparison = of(ended("one"), ended("two", instruments={**acme, **many}))
    assert len(comparison.settings) >= 45
    more = len(comparison.settings) - DIFFERENCES_MAX
    assert f"and {more} more: --json and --html have all" in comparison_text(comparison, 100)
    assert len(page_data(comparison)["settings"]) == len(comparison.settings)
    assert len(comparison_json(comparison)["settings"]) == len(comparison.settings)


def test_the_json_is_plain_and_exact(logos_home: Path) -> None:
    one = ended("one", BUY_AND_SELL)
    told: dict[str, Any] = json.loads(json.dumps(comparison_json(of(one, ended("two")))))
    net = analyse(one.folder).statistics.net
    assert told["figures"]["net"][0] == f"{net:f}"
    assert told["sessions"][0]["session_id"] == "one"
    assert told["sessions"][0]["begun"].endswith("Z")


def test_the_page_has_the_licence_of_the_code_that_it_hands_on(logos_home: Path) -> None:
    page = comparison_page(of(ended("one"), ended("two")))
    assert assets.text(assets.UPLOT_LICENSE) in page


def test_the_same_sessions_give_the_same_page(logos_home: Path) -> None:
    results = ended("one"), ended("two")
    assert comparison_page(of(*results)) == comparison_page(of(*results))
