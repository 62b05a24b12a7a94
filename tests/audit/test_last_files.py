"""session.md, state.json, host.json and the decision log, judged against the journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import copy_of, spot

from logos.audit.verify import verify


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the object in a file in its place."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def said(folder: Path) -> list[str]:
    return [str(each) for each in verify(folder).findings]


PAGE = [
    ("**ENDED**: all", "**HALTED**: all", "session.md, status: is not the seal's ENDED"),
    ("| seed | 2", "| seed | 3", "session.md, seed: is '3"),
    ("9 ticks, ", "8 ticks, ", "session.md, ticks: is '8', and the journal says '9'"),
    (" 0 refusals", " 1 refusals", "session.md, refusals: is '1', and the journal says '0'"),
    (" | 1,000.00 | ", " | 1,001.00 | ", "session.md, USD: initial: is '1,001.00"),
    ("| ACME | 5 | ", "| ACME | 6 | ", "session.md, ACME: orders: is '6', and the journal says"),
    (
        "| kill switch | SAFE |",
        "| kill switch | ENGAGED |",
        "session.md, kill switch: is 'ENGAGED'",
    ),
    ("| SESSION_ENDED | 2 |", "| SESSION_ENDED | 3 |", "fill: SESSION_ENDED: is '3', and the"),
]


@pytest.mark.long
@pytest.mark.parametrize(("old", "new", "words"), PAGE, ids=[each[2] for each in PAGE])
def test_a_figure_of_the_page_that_was_changed_is_found_twice(
    folder: Path, old: str, new: str, words: str
) -> None:
    page = folder / "session.md"
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")
    found = said(folder)
    assert "session.md: its SHA-256 is " in found[0]
    assert ", and that in the seal " in found[0]
    assert any(words in each for each in found[1:]), found


def test_a_word_of_the_page_that_is_no_figure_is_found_by_its_hash(folder: Path) -> None:
    page = folder / "session.md"
    page.write_bytes(page.read_bytes() + b"All is well.\n")
    [finding] = said(folder)
    assert "its SHA-256 is " in finding


STATE: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda s: s.update(next_order_id=99), "next_order_id: is 99, and the journal says 6"),
    (lambda s: s.update(next_fill_id=99), "next_fill_id: is 99, and the journal says"),
    (lambda s: s.update(now_ns=1), "now_ns: is 1, and the journal says"),
    (lambda s: s.update(tick_id=1), "tick_id: is 1, and the journal says"),
    (lambda s: s["positions"]["ACME"].update(mark="1"), "positions.ACME.mark: is '1', and"),
    (
        lambda s: s["positions"]["ACME"]["lots"][0].update(quantity="7"),
        "the lots do not come to the position of the journal's last sample",
    ),
    (
        lambda s: s["positions"]["ACME"].update(open_orders=[{"order_id": 1}]),
        "open_orders: are not the orders that the journal left open",
    ),
]


@pytest.mark.parametrize(("change", "words"), STATE, ids=[each[1] for each in STATE])
def test_a_figure_of_state_json_that_was_changed_is_found(
    folder: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    edit(folder / "state.json", change)
    found = [each for each in said(folder) if each.startswith("state.json")]
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"software": "9"}, "host.json, software: is '9', and the journal says '"),
        ({"ended": "1999"}, "host.json, ended: is '1999', and the session started at '"),
    ],
)
def test_what_host_json_cannot_say_is_found(
    folder: Path, change: dict[str, str], words: str
) -> None:
    edit(folder / "host.json", lambda host: host.update(change))
    [finding] = said(folder)
    assert words in finding


@pytest.mark.long
def test_the_decision_log_is_judged_where_there_is_one(tmp_path: Path) -> None:
    folder = spot(tmp_path).folder
    log = tmp_path / "logos" / "logs" / "small.jsonl"
    assert verify(folder).findings == []
    assert not [each for each in verify(folder).not_judged if "decision log" in each]
    log.write_bytes(log.read_bytes().replace(b"FILL", b"LILL", 1))
    [finding] = verify(folder).findings
    assert finding.file == "small.jsonl"
    log.unlink()
    assert said(folder) == ["small.jsonl: is missing"]
    elsewhere = verify(copy_of(folder, tmp_path / "elsewhere"))
    assert elsewhere.findings == []
    words = "the decision log, as this is no session of a workspace"
    assert words in elsewhere.not_judged


@pytest.mark.long
def test_what_only_a_live_run_measured_is_no_part_of_the_hash(folder: Path) -> None:
    page = folder / "session.md"
    content = page.read_bytes()
    page.write_bytes(content + b"## The live loop\n\nMicroseconds\n")
    assert said(folder) == []
    page.write_bytes(content.replace(b"ENDED", b"ended", 1) + b"## The live loop\n")
    assert any("its SHA-256 is" in each for each in said(folder))
