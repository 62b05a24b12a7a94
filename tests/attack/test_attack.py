"""A bounded sample of `make attack`, and that its judges can find something."""

from __future__ import annotations

import json
import random
import shutil
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import attack_damage
import pytest
from attack_box import Box, Done
from attack_damage import DAMAGES, DESK, Original, damage_trial, made, meaning
from attack_judge import Judge, bodies, order_ids
from attack_signals import Life, judged
from hostile_moves import hostile_source

from attack import attack

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return Original(tmp_path_factory.mktemp("attack"))


@pytest.mark.campaign
@pytest.mark.campaign
@pytest.mark.parametrize("seeds", [range(1, 7)])
def test_hostile_strategies_do_no_harm_or_are_found(tmp_path: Path, seeds: range) -> None:
    assert attack(tmp_path, "strategies", seeds) == []


@pytest.mark.campaign
@pytest.mark.campaign
@pytest.mark.parametrize("seeds", [range(1, 5)])
def test_signals_at_random_moments_lose_nothing_and_a_kill_holds(
    tmp_path: Path, seeds: range
) -> None:
    assert attack(tmp_path, "signals", seeds) == []


@pytest.mark.campaign
def test_damage_to_any_file_of_a_session_or_switch_is_found(original: Original) -> None:
    wrong = [each for seed in range(1, 25) for each in damage_trial(original, seed)]
    assert wrong == []


# ---- the judges can fail ----


def write_journal(path: Path, records: list[dict[str, Any]]) -> None:
    """A journal with a right chain, whatever its records say."""
    digest, lines = b"\0" * 32, []
    for number, record in enumerate(records, 1):
        body = json.dumps(record, separators=(",", ":")).encode()
        digest = sha256(digest + body).digest()
        head = (
            f'{{"seq":{number},"crc":"{zlib.crc32(body, number):08x}","hash":"{digest.hex()[:16]}"'
        )
        lines.append(head.encode() + b',"body":' + body + b"}\n")
    path.write_bytes(b"".join(lines))


def first(records: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(each for each in records if each["kind"] == kind)


HARM = {
    "quantity": ("order", "quantity_units", 51),
    "worth too much": ("order", "reference_price_units", 900_000),
    "prices": ("order", "reference_price_units", 0),
    "is order number": ("order", "order_id", 7),
    "filled of": ("fill", "quantity_units", 8),
    "price 1 in a bar": ("fill", "price_units", 1),
    "of an order to": ("fill", "side", "SELL"),
    "and not": ("fill", "position_units", 99),
}


@pytest.mark.parametrize("words", HARM)
def test_the_judge_finds_each_harm_in_a_journal_whose_chain_is_right(
    original: Original, tmp_path: Path, words: str
) -> None:
    records, damage = bodies(original.finished.journal)
    assert (damage, Judge(original.finished.bars).judge(records)) == ("", [])
    assert len(order_ids(records)) > 20
    kind, name, value = HARM[words]
    first(records, kind)[name] = value
    write_journal(tmp_path / "state.jsonl", records)
    records, damage = bodies(tmp_path / "state.jsonl")
    wrong = Judge(original.finished.bars).judge(records)
    assert damage == ""
    assert any(words in each for each in wrong), wrong


def test_the_judge_finds_an_order_after_the_kill_and_a_storm(original: Original) -> None:
    records, _ = bodies(original.finished.journal)
    at = records.index(first(records, "order"))
    engaged = {"kind": "switch", "state": "ENGAGED"}
    wrong = Judge(original.finished.bars).judge([*records[:at], engaged, *records[at:]])
    assert "while the switch was ENGAGED" in wrong[0]
    for each in records:
        each["ts_ns"] = records[at]["ts_ns"]
    assert any("orders in 600 s" in each for each in Judge(original.finished.bars).judge(records))


def test_a_journal_with_a_line_out_of_place_is_damaged(original: Original, tmp_path: Path) -> None:
    lines = original.finished.journal.read_bytes().splitlines(keepends=True)
    path = tmp_path / "state.jsonl"
    path.write_bytes(b"".join([*lines[:5], *lines[6:]]))
    records, damage = bodies(path)
    assert len(records) == 5
    assert "record 6" in damage


def test_a_verdict_that_overlooks_damage_is_a_failure(
    original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attack_damage, "in_this_process", lambda *_: Done(0, "intact"))
    wrong = [each for seed in range(1, 13) for each in damage_trial(original, seed)]
    assert any("finished: " in each and "verify says intact" in each for each in wrong)


def test_only_what_says_nothing_may_pass_unseen(original: Original) -> None:
    host = (original.finished.folder / "host.json").read_bytes()
    other = json.dumps({**json.loads(host), "host": "elsewhere"}).encode()
    assert meaning("host.json", other) == meaning("host.json", host)
    assert meaning("host.json", host[:-5]) != meaning("host.json", host)
    assert meaning("state.json", b'{"a": 1}') == meaning("state.json", b'{"a":1}')
    assert meaning("state.jsonl", b'{"a": 1}') != meaning("state.jsonl", b'{"a":1}')
    assert meaning("trades.csv", b'a,"1"\n') == meaning("trades.csv", b"a,1\n")
    assert meaning("trades.csv", b"a,1\n") != meaning("trades.csv", b"a,2\n")


def test_other_bytes_after_a_signal_are_a_failure(original: Original) -> None:
    box = original.finished
    assert judged(box, Life(), original.straight) == []
    straight = {**original.straight, "trades.csv": b""}
    assert judged(box, Life(), straight) == ["other bytes in ['trades.csv']"]


@pytest.mark.campaign
def test_a_session_that_goes_on_after_the_kill_is_a_failure(tmp_path: Path) -> None:
    box = made(tmp_path / "home")
    (box.home / "calls").write_text("5000000000\n")
    life = Life(killed_ns=1_000_000_000, done=Done(0, ""))
    [wrong] = judged(box, life, {})
    assert "asked 1 times, up to 4.0 s after" in wrong


@pytest.mark.parametrize("change", DAMAGES)
def test_each_damage_changes_a_file(original: Original, change: Any) -> None:
    data = original.finished.journal.read_bytes()
    assert any(change(data, random.Random(seed)) != data for seed in range(3))


def test_a_seed_makes_the_same_strategy_again() -> None:
    assert hostile_source(5, ("a",), 2) == hostile_source(5, ("a",), 2)
    assert hostile_source(5, ("a",), 2) != hostile_source(6, ("a",), 2)
    for seed in range(30):
        compile(hostile_source(seed, ("a",), seed % 3)[0], "desk.py", "exec")


def test_a_box_is_found_again(tmp_path: Path) -> None:
    box = Box(tmp_path / "home")
    shutil.copy(DESK, box.home / "desk.py")
    assert Box.at(box.home).journal == box.journal
