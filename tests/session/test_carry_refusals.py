"""What is not carried on, and why: the message says what to do."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from carry_helpers import SCRIPT, few, folder_of, small, trade
from session_helpers import ListFeed

from logos import session
from logos.audit.money.hand_over import check_carried
from logos.config import make_config
from logos.core.strategy import market
from logos.core.types import Side
from logos.journal.codec import GENESIS, encode_lines
from logos.journal.reader import read_lines
from logos.session import SessionSpec, open_session
from logos.session.carrying.books import CarryError
from logos.session.carrying.hand_over import carried_by
from logos.session.history import JournalDamagedError
from logos.testing.builders import Scripted


@pytest.mark.long
@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"instruments": {"CORP": {"quote": "USD", "tick": "1", "lot": "1"}}}, "old holds ACME"),
        (
            {"instruments": {"ACME": {"quote": "EUR", "tick": "0.01", "lot": "1"}}},
            "has an account in USD",
        ),
        *(
            ({"instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1", **other}}}, word)
            for other, word in (
                ({"tick": "0.05"}, "its tick was 0.01 in session old and is 0.05 now"),
                ({"lot": "5"}, "its lot was 1"),
                ({"multiplier": "2"}, "its multiplier was 1"),
                ({"settlement": "margin"}, "its settlement was spot"),
                ({"base": "ACM"}, "its base was ACME"),
            )
        ),
    ],
)
def test_other_terms_are_refused_and_named(
    tmp_path: Path, tables: dict[str, Any], words: str
) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    with pytest.raises(CarryError, match=words):
        trade(tmp_path, "new", few(5, 6), carry="old", **tables)
    assert carried_by("old", tmp_path) == ""
    assert not folder_of(tmp_path, "new").exists()


@pytest.mark.long
def test_a_session_that_runs_is_refused(tmp_path: Path) -> None:
    feed = ListFeed(few(1, 9))
    config = make_config(small("old"))
    spec = SessionSpec(config=config, strategy=Scripted(SCRIPT), feed=feed, home=tmp_path)
    with open_session(spec) as opened:
        opened.apply(feed.events[:1])
        with pytest.raises(CarryError, match="old still runs: stop it"):
            trade(tmp_path, "new", few(5, 6), carry="old")
        for event in feed.events[1:]:
            opened.apply([event])
        opened.apply(None)


@pytest.mark.long
def test_what_is_damaged_or_does_not_add_up_is_refused(tmp_path: Path) -> None:
    old = trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    state, journal = old.folder / "state.json", old.folder / "state.jsonl"
    good = state.read_bytes()
    for bad, words in (
        (good.replace(b'"position": "5"', b'"position": "6"'), "positions in state.json is not"),
        (good.replace(b'"sequence": ', b'"sequence": 1'), "sequence in state.json is not"),
        (b"{}", "state.json cannot be read"),
    ):
        assert bad != good
        state.write_bytes(bad)
        with pytest.raises(CarryError, match=words):
            trade(tmp_path, "new", few(5, 6), carry="old")
    state.write_bytes(good)
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"fill_id":1', b'"fill_id":7'))
    with pytest.raises(JournalDamagedError):
        trade(tmp_path, "new", few(5, 6), carry="old")
    # A journal that was written anew, checksums and all, and says what no fill can.
    bodies = [entry.body for entry in read_lines_of(whole, tmp_path)]
    changed = [
        each.replace(b'"symbol_realised_units":0', b'"symbol_realised_units":9') for each in bodies
    ]
    journal.write_bytes(encode_lines(0, GENESIS, changed)[0])
    with pytest.raises(CarryError, match="fill 1: symbol_realised does not follow"):
        trade(tmp_path, "new", few(5, 6), carry="old")


def read_lines_of(content: bytes, folder: Path) -> Any:
    path = folder / "copy.jsonl"
    path.write_bytes(content)
    return list(read_lines(path))


@pytest.mark.long
def test_data_from_before_the_end_is_refused(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    new = trade(tmp_path, "new", few(3, 6), carry="old")
    assert new.exit_code == 3
    assert "session old, which is carried on, ended at" in new.reason
    # What it took over is not lost: it is carried on from there.
    assert trade(tmp_path, "third", few(5, 6), carry="new").exit_code == 0


@pytest.mark.long
def test_settings_that_name_what_is_carried_are_refused(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    new = trade(tmp_path, "new", few(5, 6), carry="old")
    tables = json.loads((new.folder / "config.json").read_bytes())
    tables["session"]["id"] = "forged"
    with pytest.raises(CarryError, match="take it out of the settings"):
        session.run(
            make_config(tables), strategy=Scripted({}), feed=ListFeed(few(7, 8)), home=tmp_path
        )


@pytest.mark.long
def test_a_judge_sees_that_something_else_was_carried(tmp_path: Path) -> None:
    trade(tmp_path, "old", few(1, 4), {1: market(Side.BUY, 5)})
    new = trade(tmp_path, "new", few(5, 6), carry="old")
    carry = make_config(json.loads((new.folder / "config.json").read_bytes()))
    assert check_carried(new.folder, carry) == ([], [])
    assert not isinstance(carry.carry, msgspec.UnsetType)
    richer = msgspec.structs.replace(carry.carry, balances={"USD": Decimal(99999)})
    findings, _ = check_carried(new.folder, msgspec.structs.replace(carry, carry=richer))
    assert "carry: balance in USD is 99999, and 9489.9 by the fills" in findings[0].message
    other = msgspec.structs.replace(carry.carry, journal_hash="00")
    findings, _ = check_carried(new.folder, msgspec.structs.replace(carry, carry=other))
    assert "not the one that was carried" in findings[0].message
