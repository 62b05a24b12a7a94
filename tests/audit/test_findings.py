"""Each thing that `logos verify` can find, found in a session that was tampered with, in words."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journal_helpers import (
    bodies_of,
    change_manifest,
    forge_tables,
    places_of,
    reforge,
    write_chain,
)

from logos.audit.auditor import Auditor, Terms
from logos.audit.csv_cells import UnreadableTrades
from logos.audit.verdict import verdict_json
from logos.audit.verify import verify
from logos.session import ExitCode

Change = Callable[[dict[str, Any]], object]


def edit_json(path: Path, change: Change) -> None:
    """Change the object in a file in its place."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def said(folder: Path) -> list[str]:
    """Everything found, as it is printed; the session is not intact."""
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    return [str(finding) for finding in verdict.findings]


# ---- state.json and config.json ----


def set_to(key: str, value: object) -> Change:
    return lambda state: state.update({key: value})


@pytest.mark.long
@pytest.mark.parametrize("key", ["sequence", "journal_hash", "status", "seed", "start", "end"])
def test_what_the_snapshot_says_of_the_journal_is_compared(folder: Path, key: str) -> None:
    right = json.loads((folder / "state.json").read_bytes())[key]
    edit_json(folder / "state.json", set_to(key, "other"))
    assert said(folder) == [f"state.json, {key}: is 'other', and the journal's is {right!r}"]
    edit_json(folder / "state.json", lambda state: state.pop(key))
    assert said(folder) == [f"state.json, {key}: is None, and the journal's is {right!r}"]


@pytest.mark.long
def test_the_books_of_the_snapshot_are_recomputed(folder: Path) -> None:
    state = json.loads((folder / "state.json").read_bytes())
    cash, position = state["wallets"]["USD"], state["positions"]["ACME"]["position"]
    lots = len(state["positions"]["ACME"]["lots"])
    path = folder / "state.json"
    edit_json(path, lambda each: each["wallets"].update(USD="1", EUR="2"))
    recomputed = "recomputed from trades.csv"
    found = said(folder)
    assert f"state.json, wallets.EUR: is '2', and {recomputed} '0'" in found
    [usd] = [line for line in found if "wallets.USD" in line]
    assert usd.startswith(f"state.json, wallets.USD: is '1', and {recomputed} '")
    assert Fraction(usd.rsplit("'", 2)[1]) == Fraction(cash)
    path.write_text(json.dumps(state), encoding="utf-8")
    edit_json(path, lambda each: each["positions"]["ACME"].update(position="x", lots=None))
    lots_words = "the lots do not come to the position of the journal's last sample"
    assert said(folder) == [
        f"state.json, positions.ACME.lots: {lots_words}",
        f"state.json, positions.ACME.position: is 'x', and {recomputed} {position!r}",
        f"state.json, positions.ACME: open lots: is 'missing', and {recomputed} '{lots}'",
    ]
    edit_json(path, lambda each: each.pop("positions"))
    assert f"state.json, positions.ACME.position: is 'missing', and {recomputed} {position!r}" in (
        said(folder)
    )


@pytest.mark.long
@pytest.mark.parametrize("name", ["state.json", "config.json"])
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "is missing"), (b"[1]", "is not a JSON object"), (b"{", "is not JSON: ")],
)
def test_a_file_that_is_none_is_told(
    folder: Path, name: str, content: bytes | None, words: str
) -> None:
    path = folder / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    [finding] = said(folder)
    assert finding.startswith(f"{name}: {words}")


def test_other_settings_are_named_by_their_tables(folder: Path) -> None:
    edit_json(folder / "config.json", lambda config: config.update(paper={}, more=1))
    assert said(folder) == [
        "config.json, paper, more: differs from the settings in the journal's manifest"
    ]


def test_a_page_that_is_missing_is_told(folder: Path) -> None:
    (folder / "session.md").unlink()
    assert said(folder) == ["session.md: is missing"]


# ---- the manifest and the seal ----


@pytest.mark.long
def test_a_seal_of_no_known_status_is_told(folder: Path) -> None:
    bodies = bodies_of(folder / "state.jsonl")
    seal = {**json.loads(bodies[-1]), "status": "PERFECT"}
    reforge(folder, [*bodies[:-1], msgspec.json.encode(seal)])
    edit_json(folder / "state.json", set_to("status", "PERFECT"))
    place = f"record {len(bodies)}"
    assert said(folder) == [
        f"state.jsonl, {place}: no session is sealed as 'PERFECT'",
        "session.md, status: is not the seal's PERFECT",
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("config_hash", "config_hash is 'forged', and that of its settings "),
        ("uuid", "uuid is 'forged', and what it follows from makes "),
    ],
)
def test_a_manifest_that_was_forged_betrays_itself(folder: Path, field: str, words: str) -> None:
    change_manifest(folder, **{field: "forged"})
    assert any(line.startswith(f"state.jsonl, record 1: {words}") for line in said(folder))


@pytest.mark.long
def test_another_strategy_in_the_manifest_betrays_itself(folder: Path) -> None:
    change_manifest(folder, strategy_fingerprint="forged")
    assert any(line.startswith("state.jsonl, record 1: uuid is ") for line in said(folder))


# ---- the tables ----

TABLES = ("orders.csv", "trades.csv", "positions.csv", "account.csv")


@pytest.mark.long
@pytest.mark.parametrize("name", TABLES)
def test_a_table_s_missing_and_added_and_changed_lines_are_told(folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    last = lines[-1].decode().rstrip("\n")
    path.write_bytes(b"".join(lines[:-1]))
    shown = repr(last[:200])
    place = f"{name}, line {len(lines)}"
    assert f"{place}: the file ends; the journal has here: {shown}" in said(folder)
    path.write_bytes(whole + b"more\n")
    place = f"{name}, line {len(lines) + 1}"
    assert f"{place}: more than the journal has: 'more'" in said(folder)
    path.write_bytes(b"x" + whole)
    head = lines[0].decode().rstrip("\n")
    expected = f"is {('x' + head)[:200]!r}, and the journal says {head[:200]!r}"
    assert f"{name}, line 1, character 1: {expected}" in said(folder)
    path.write_bytes(b"".join([*lines[:-1], lines[-1].rstrip(b"\n") + b",more\n"]))
    assert any(
        line.startswith(f"{name}, line {len(lines)}, character {len(last) + 1}: is ")
        for line in said(folder)
    )
    path.unlink()
    assert f"{name}: is missing" in said(folder)


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_cell_of_a_table_is_told_by_its_column(folder: Path, name: str) -> None:
    path = folder / name
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    column = lines[0].split(",")[1]
    cells = lines[2].split(",")
    right, cells[1] = cells[1], "forged"
    path.write_text("".join([*lines[:2], ",".join(cells), *lines[3:]]), encoding="utf-8")
    place = f"{name}, line 3, column {column}"
    assert f"{place}: is 'forged', and the journal says {right!r}" in said(folder)


# ---- samples ----


def forge(folder: Path, kind: str, number: int, **fields: Any) -> int:
    """Give the `number`-th record of a kind other fields, in journal, tables and snapshot."""
    bodies = bodies_of(folder / "state.jsonl")
    places = [place for place, body in enumerate(bodies) if json.loads(body)["kind"] == kind]
    place = places[number]
    bodies[place] = msgspec.json.encode({**json.loads(bodies[place]), **fields})
    reforge(folder, bodies)
    forge_tables(folder)
    return place + 1


@pytest.mark.long
def test_a_high_water_mark_below_what_was_reached_is_told(folder: Path) -> None:
    sequence = forge(folder, "account", -1, high_water_units=0)
    words = "account of USD: high_water is '0', and it was '1000' by now"
    assert f"state.jsonl, record {sequence}: {words}" in said(folder)


@pytest.mark.long
def test_a_drawdown_smaller_than_what_was_lost_is_told(folder: Path) -> None:
    sequence = forge(folder, "account", -1, max_drawdown_units=-1)
    page, only = said(folder)
    assert page.startswith("session.md, USD: max drawdown: is '")
    assert ", and the journal's last sample says -" in page
    place = f"state.jsonl, record {sequence}: account of USD: max_drawdown is '-"
    assert only.startswith(place)
    assert ", and equity had fallen by '" in only


@pytest.mark.long
def test_less_than_nothing_cannot_be_locked(folder: Path) -> None:
    sequence = forge(folder, "account", 1, locked_units=-1)
    [only] = said(folder)
    assert only.startswith(f"state.jsonl, record {sequence}: account of USD: locked is '-")
    assert only.endswith("and nothing can lock less than nothing")


@pytest.mark.long
def test_samples_of_what_the_session_does_not_trade_are_told(folder: Path) -> None:
    sequence = forge(folder, "account", 0, currency="EUR")
    place = f"state.jsonl, record {sequence}"
    words = "account is 'EUR', and no symbol is quoted in it"
    assert f"{place}: {words}" in said(folder)


@pytest.mark.long
def test_a_fill_more_or_less_than_the_journal_has_is_told(folder: Path) -> None:
    bodies = bodies_of(folder / "state.jsonl")
    fills = [place for place, body in enumerate(bodies) if b'"kind":"fill"' in body]
    trades = folder / "trades.csv"
    rows = trades.read_bytes().splitlines(keepends=True)
    trades.write_bytes(b"".join(rows[:-1]))
    near = f"trades.csv, near line {len(rows) - 1}: no row is left for the fill of record "
    assert f"{near}{fills[-1] + 1}" in said(folder)
    trades.write_bytes(b"".join([*rows, rows[-1]]))
    assert f"trades.csv, line {len(rows) + 1}: more rows than the journal has fills" in said(folder)


@pytest.mark.parametrize("settlement", ["spot", "margin"])
@pytest.mark.parametrize(("fee", "is_wrong"), [("1", False), ("0", True), ("-1", True)])
def test_a_fee_in_the_coin_is_for_spot_markets_and_above_nothing(
    folder: Path, settlement: str, fee: str, is_wrong: bool
) -> None:
    with (folder / "trades.csv").open(encoding="utf-8", newline="") as lines:
        row = next(iter(csv.DictReader(lines))) | {"base_fee": fee}
    terms = {"ACME": Terms("ACME", "USD", Fraction(1), settlement)}
    auditor = Auditor(terms, {"USD": Fraction(1000), "ACME": Fraction(2)})
    if is_wrong or settlement == "margin":
        with pytest.raises(UnreadableTrades, match="only a spot market takes one"):
            auditor.apply(row)
    else:
        assert auditor.apply(row)


# ---- the verdict as JSON ----


@pytest.mark.long
def test_the_verdict_as_json_has_every_fact(folder: Path) -> None:
    verdict = verify(folder)
    told = verdict_json(verdict)
    bodies = bodies_of(folder / "state.jsonl")
    state = json.loads((folder / "state.json").read_bytes())
    assert told == {
        "session_id": "small", "folder": str(folder), "verdict": "intact", "exit_code": 0,
        "status": "ENDED", "records": len(bodies),
        "whole_bytes": (folder / "state.jsonl").stat().st_size,
        "journal_hash": state["journal_hash"], "is_torn": False, "is_sealed": True,
        "orders_judged": verdict.orders, "not_judged": verdict.not_judged,
            "fills_recomputed": verdict.fills, "samples_recomputed": verdict.samples,
        "damage": None, "findings": [], "notes": [],
    }  # fmt: skip
    (folder / "session.md").unlink()
    assert verdict_json(verify(folder))["findings"] == [
        {"file": "session.md", "place": "", "message": "is missing"}
    ]
    write_chain(folder / "state.jsonl", [*bodies, bodies[-1]])
    damaged = verdict_json(verify(folder))
    assert (damaged["verdict"], damaged["exit_code"]) == ("damaged", int(ExitCode.DAMAGED))
    assert damaged["damage"]["sequence"] == len(bodies) + 1
    assert damaged["damage"]["reason"] == "it comes after the seal, and nothing may"
    assert places_of(verify(folder)) == []
