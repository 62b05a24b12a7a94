"""The report is always written, says who rehearsed what and where, and needs no other file."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from journal_bodies import ENDED, ENGAGED, GUARD, account, order, refusal
from rehearsal_helpers import DATA, write_journal

from logos.cli import rehearse as command
from logos.cli.main import main
from logos.rehearsal.evidence import JournalView
from logos.rehearsal.reports import report
from logos.rehearsal.reports.picture import picture

BTC = ("--strategy", "sma_cross", "--data", str(DATA / "BTCUSDT_1m_bars.csv"))
NAMES = ("kill_at_tick", "crossed_quotes", "duplicate_orders", "reduce_only")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rehearsed") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGOS_HOME", str(out.parent))
        assert main(["rehearse", *NAMES, *BTC, "--out", str(out), "--quiet"]) == 0
    return out


def record_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "rehearsal.json").read_bytes()))


def test_the_record_says_when_where_with_what_and_on_what(folder: Path) -> None:
    record = record_of(folder)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", record["started"])
    assert record["started"] < record["ended"]
    assert record["host"]
    assert record["python"].split()[1].startswith("3.")
    assert record["settings"]["strategy"]["name"] == "sma_cross"
    assert list(record["data"]) == ["BTCUSDT"]
    assert record["evidence_sha256"] == (
        hashlib.sha256((folder / "evidence.tar.gz").read_bytes()).hexdigest()
    )


@pytest.mark.parametrize("name", ["rehearsal.md", "rehearsal.html"])
def test_both_reports_have_the_facts_the_guards_and_every_scenario(folder: Path, name: str) -> None:
    text, record = (folder / name).read_text(encoding="utf-8"), record_of(folder)
    facts = ("started", "host", "python", "config_hash", "evidence_sha256", "strategy_fingerprint")
    for fact in facts:
        assert record[fact] in text, fact
    for guard in record["guards"]:
        assert guard["guard"] in text
    for scenario in NAMES:
        assert text.count(scenario) >= 2
    assert "DUPLICATE_ORDER has no limit: set risk.duplicate_window_s" in text
    assert "risk.duplicate_window_s = 60 (yours: 0)" in text


def test_the_guard_matrix_shows_both_parts(folder: Path) -> None:
    rows = {each["guard"]: each for each in record_of(folder)["guards"]}
    duplicate = rows["DUPLICATE_ORDER"]
    assert (duplicate["limit"], duplicate["action"]) == ("none", "refuse")
    assert duplicate["engine"] == "duplicate_orders: PASS"
    assert duplicate["settings"] == "duplicate_orders: NO LIMIT SET"
    assert rows["MAX_POSITION"]["engine"] == "not rehearsed"
    assert rows["INSUFFICIENT_FUNDS"]["limit"] == "always on"


def test_the_page_has_a_picture_for_every_session_and_asks_for_nothing(folder: Path) -> None:
    page = (folder / "rehearsal.html").read_text(encoding="utf-8")
    assert page.count("<svg ") == 3  # one of the four does not apply
    assert not re.search(r"<(script|link|img|iframe|object)|url\(|@import", page)
    addresses = set(re.findall(r"https?://[^\"'<> ]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}
    for drawn in re.findall(r"<svg .*?</svg>", page):
        ET.fromstring(drawn)


class Stopped(Exception):
    """Stands for whatever ends a rehearsal in its middle."""


@pytest.mark.long
@pytest.mark.parametrize("ending", [KeyboardInterrupt, Stopped])
def test_a_rehearsal_that_something_ends_leaves_a_report_of_what_there_is(
    logos_home: Path, monkeypatch: pytest.MonkeyPatch, ending: type[BaseException]
) -> None:
    def end(result: Any, **words: Any) -> str:
        if result.scenario.name == "crossed_quotes":
            raise ending
        return report.table_row(result, **words)

    monkeypatch.setattr("logos.cli.rehearse.table_row", end)
    with pytest.raises(ending):
        command.run(command_options(*NAMES, *BTC))
    folder = logos_home / "runs" / "rehearsals" / "rehearsal-0001"
    record = record_of(folder)
    assert record["problem"] == f"ended by {ending.__name__}"
    assert [row["name"] for row in record["rows"]] == ["kill_at_tick", "crossed_quotes"]
    assert (record["planned"], record["rows"][0]["verdict"]) == (5, "PASS")
    for name in ("rehearsal.md", "rehearsal.html"):
        assert f"ended by {ending.__name__}" in (folder / name).read_text(encoding="utf-8")


def command_options(*arguments: str) -> Any:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.long
def test_what_strangers_wrote_is_text_in_both_reports(logos_home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        """
[[scenario]]
name = "strange"
description = "a | b <script>alert(1)</script> \\u001b[31m"
expect = [{ check = "sealed", status = "<b>" }]
""",
        encoding="utf-8",
    )
    assert main(["rehearse", "strange", "--scenarios", str(own), *BTC, "--quiet"]) == 1
    folder = logos_home / "runs" / "rehearsals" / "rehearsal-0001"
    for name in ("rehearsal.md", "rehearsal.html"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "<script>" not in text
        assert "<b>" not in re.sub(r"<b>[^<]*</b>", "", text)
    assert "\x1b" not in (folder / "rehearsal.md").read_text(encoding="utf-8")


# ---- the picture ----


def drawn(tmp_path: Path, bodies: list[dict[str, Any]], injected_ns: int = 0) -> str:
    return picture(JournalView(write_journal(tmp_path / "j.jsonl", bodies)), injected_ns)


def test_a_picture_shows_orders_refusals_the_trip_and_the_switch(tmp_path: Path) -> None:
    bodies = [
        {**order(1, 1), "reference_price_units": 100},
        {**order(2, 3, "SELL"), "reference_price_units": 120},
        {**refusal("ORDER_RATE", 4), "ts_ns": 4 * 10**9, "symbol": "ACME"},
        {**GUARD, "ts_ns": 5 * 10**9},
        {**ENGAGED, "ts_ns": 6 * 10**9},
        {**account(100), "ts_ns": 9 * 10**9},
    ]
    svg = drawn(tmp_path, bodies, 4 * 10**9)
    assert all(f'class="{kind}"' in svg for kind in ("buy", "sell", "no", "trip", "injected"))
    assert "MAX_DRAWDOWN: engage" in svg
    assert re.findall(r"<rect class=\"(\w+)\"[^>]*><title>(\w+)", svg) == [
        ("safe", "SAFE"),
        ("engaged", "ENGAGED"),
    ]
    assert "orders 2" in svg
    assert "refused 1" in svg


def test_a_journal_without_prices_or_records_is_drawn_as_such(tmp_path: Path) -> None:
    assert "no price in the journal" in drawn(tmp_path, [account(100)])
    assert drawn(tmp_path, [ENDED]) == ""
    assert picture(JournalView(tmp_path / "absent.jsonl"), 5) == ""


@pytest.mark.long
def test_a_picture_of_many_orders_is_as_small_as_one_of_few(tmp_path: Path) -> None:
    many = [{**order(n, n), "reference_price_units": 100 + n % 7} for n in range(1, 5001)]
    assert len(drawn(tmp_path, many)) < 60_000
