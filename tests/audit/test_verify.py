"""logos verify: what is intact is called so, and what was changed is found and located."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journal_helpers import (
    KINDS,
    bodies_of,
    change_manifest,
    content_of,
    forge_tables,
    places_of,
    reforge,
    write_chain,
)

from logos import session
from logos.audit.verify import verify
from logos.session import ExitCode
from logos.session.artifacts.tables import TRADE_COLUMNS

Body = dict[str, Any]


def change(folder: Path, kind: str, number: int, **fields: Any) -> int:
    """Give the `number`-th record of `kind` other fields and make the chain right again.

    state.json is made to agree, as a forger would. Returns the record's sequence number.
    """
    journal = folder / "state.jsonl"
    bodies = bodies_of(journal)
    places = [place for place, body in enumerate(bodies) if json.loads(body)["kind"] == kind]
    place = places[number]
    body = json.loads(bodies[place])
    assert any(body[key] != value for key, value in fields.items())
    bodies[place] = msgspec.json.encode({**body, **fields})
    reforge(folder, bodies)
    return place + 1


def record_of(folder: Path, kind: str, number: int) -> Body:
    bodies = [json.loads(body) for body in bodies_of(folder / "state.jsonl")]
    found: Body = [body for body in bodies if body["kind"] == kind][number]
    return found


# ---- intact ----


@pytest.mark.long
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_kind_of_session_is_intact_and_is_not_written_to(
    make: Callable[[Path], session.SessionResult], tmp_path: Path
) -> None:
    result = make(tmp_path)
    before = content_of(result.folder)
    verdict = verify(result.folder)
    assert [str(finding) for finding in verdict.findings] == []
    assert verdict.damage is None
    assert (verdict.exit_code, verdict.status) == (ExitCode.FINISHED, result.status.value)
    rows = (result.folder / "trades.csv").read_bytes().count(b"\n") - 1
    assert verdict.fills == rows == result.summary["fills"]
    assert verdict.samples == sum(
        (result.folder / name).read_bytes().count(b"\n") - 1
        for name in ("positions.csv", "account.csv")
    )
    assert content_of(result.folder) == before


def test_the_sessions_of_these_tests_are_of_every_kind(tmp_path: Path) -> None:
    results = [make(tmp_path / make.__name__) for make in KINDS]
    assert [result.status.value for result in results] == [
        "ENDED", "ENDED", "HALTED", "FAILED", "STOPPED", "ENDED",
    ]  # fmt: skip
    with_fills = [result for result in results if result.summary["fills"]]
    assert len(with_fills) == len(results) - 1


# ---- one digit ----


def digits_of(trades: Path) -> Iterator[tuple[int, str, int]]:
    """Line, column and byte of the last digit of every cell that has one, in some rows."""
    content = trades.read_text(encoding="utf-8")
    start = 0
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        if number in (2, 4):
            place = start
            cells = next(csv.reader([line]))
            for column, cell in zip(TRADE_COLUMNS, cells, strict=True):
                ends = [match.start() for match in re.finditer(r"\d", cell)]
                if ends:
                    yield number, column, place + ends[-1]
                place += len(cell) + 1
        start += len(line)


@pytest.mark.long
def test_one_changed_digit_in_any_cell_of_trades_is_located(folder: Path) -> None:
    trades = folder / "trades.csv"
    content = bytearray(trades.read_bytes())
    columns = set()
    for line, column, place in digits_of(trades):
        digit = content[place]
        content[place] = ord("7") if digit != ord("7") else ord("3")
        trades.write_bytes(content)
        content[place] = digit
        verdict = verify(folder)
        assert verdict.exit_code is ExitCode.DIFFERS, (line, column)
        assert places_of(verdict)[0] == ("trades.csv", f"line {line}, column {column}")
        columns.add(column)
    assert len(columns) >= 14


FIGURES = (
    ("quantity", "quantity_units"), ("price", "price_units"), ("fee", "fee_units"),
    ("realised", "realised_units"), ("position", "position_units"), ("wallet", "wallet_units"),
    ("symbol_realised", "symbol_realised_units"), ("symbol_fees", "symbol_fees_units"),
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("column", "field"), FIGURES, ids=[column for column, _ in FIGURES])
def test_a_figure_forged_in_journal_and_trades_alike_is_found_by_the_auditor(
    folder: Path, column: str, field: str
) -> None:
    fill = record_of(folder, "fill", 1)
    change(folder, "fill", 1, **{field: fill[field] + 1})
    [first, *_] = verify(folder).findings
    assert (first.file, first.place[:13]) == ("trades.csv", "line 3, colum")
    assert "the journal says" in first.message
    # The forger changes the table too: projected from the forged journal, it agrees.
    forge_tables(folder)
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert not any("the journal says" in finding.message for finding in verdict.findings)
    assert ("trades.csv", "line 3") in [(f, p.split(",")[0]) for f, p in places_of(verdict)]


@pytest.mark.long
@pytest.mark.parametrize("field", ["balance_units", "equity_units", "fees_units", "realised_units"])
def test_a_forged_sample_of_the_account_is_found_at_its_record(folder: Path, field: str) -> None:
    account = record_of(folder, "account", 1)
    sequence = change(folder, "account", 1, **{field: account[field] + 1})
    forge_tables(folder)
    [finding] = verify(folder).findings
    assert (finding.file, finding.place) == ("state.jsonl", f"record {sequence}")
    assert "account of USD" in finding.message
    assert field.removesuffix("_units") in finding.message


@pytest.mark.long
@pytest.mark.parametrize(
    "field", ["position_units", "cost_units", "mark_units", "unrealised_units", "open_lots"]
)
def test_a_forged_sample_of_a_position_is_found_at_its_record(folder: Path, field: str) -> None:
    position = record_of(folder, "position", 1)
    assert position["position_units"] != 0
    sequence = change(folder, "position", 1, **{field: position[field] + 1})
    forge_tables(folder)
    assert ("state.jsonl", f"record {sequence}") in places_of(verify(folder))


def test_a_changed_digit_in_the_journal_is_damage_at_its_place(folder: Path) -> None:
    journal = folder / "state.jsonl"
    content = journal.read_bytes()
    place = content.index(b'"price_units":') + len(b'"price_units":')
    changed = bytearray(content)
    changed[place] ^= 1
    journal.write_bytes(changed)
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DAMAGED
    assert verdict.damage is not None
    assert verdict.damage.sequence == content.count(b"\n", 0, place) + 1
    assert verdict.damage.offset == content.rindex(b"\n", 0, place) + 1


# ---- everything else that may be wrong ----


def test_what_is_not_as_the_journal_says_is_named(folder: Path) -> None:
    orders = (folder / "orders.csv").read_bytes().splitlines(keepends=True)
    (folder / "orders.csv").write_bytes(b"".join(orders[:-1]))
    with open(folder / "account.csv", "ab") as file:
        file.write(b"more\n")
    (folder / "positions.csv").unlink()
    (folder / "session.md").unlink()
    state = json.loads((folder / "state.json").read_bytes())
    state["sequence"] -= 1
    state["wallets"]["ACME"] = "1"
    state["positions"]["ACME"]["lots"] = []
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    settings = json.loads((folder / "config.json").read_bytes())
    settings["account"]["balances"]["USD"] = "2000"
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    verdict = verify(folder)
    accounts = (folder / "account.csv").read_bytes().count(b"\n")
    assert places_of(verdict) == [
        ("orders.csv", f"line {len(orders)}"),
        ("positions.csv", ""),
        ("account.csv", f"line {accounts}"),
        ("state.json", "sequence"),
        ("state.json", "positions.ACME.lots"),
        ("config.json", "account"),
        ("session.md", ""),
        ("state.json", "wallets.ACME"),
        ("state.json", "positions.ACME: open lots"),
    ]
    assert verdict.exit_code is ExitCode.DIFFERS


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"sequence": "x"}'])
def test_a_snapshot_that_is_none_is_a_difference(folder: Path, text: bytes) -> None:
    (folder / "state.json").write_bytes(text)
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert {finding.file for finding in verdict.findings} == {"state.json"}


@pytest.mark.parametrize("text", [b"", b"fill_id\n", b"\0\n", b"\xff\xfe\n"])
def test_a_trades_file_that_is_none_is_a_difference(folder: Path, text: bytes) -> None:
    (folder / "trades.csv").write_bytes(text)
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert "trades.csv" in {finding.file for finding in verdict.findings}


def test_a_balance_forged_in_the_manifest_betrays_itself(folder: Path) -> None:
    manifest = record_of(folder, "manifest", 0)
    config = manifest["config"]
    config["account"]["balances"]["USD"] = "1001"
    change_manifest(folder, config=config)
    found = places_of(verify(folder))
    assert ("state.jsonl", "record 1") in found
    assert ("config.json", "account") in found


def test_a_session_id_forged_in_the_manifest_betrays_itself(folder: Path) -> None:
    change_manifest(folder, session_id="other")
    messages = [finding.message for finding in verify(folder).findings]
    assert any(message.startswith("uuid is") for message in messages)


@pytest.mark.parametrize(
    "edit",
    [
        lambda bodies: [*bodies[:3], b'{"kind":"unknown"}', *bodies[3:]],
        lambda bodies: [*bodies[:3], b'{"kind":"fill"}', *bodies[3:]],
        lambda bodies: [*bodies[:3], b"\xff", *bodies[3:]],
        lambda bodies: [*bodies[:3], bodies[0], *bodies[3:]],
    ],
)
def test_a_record_that_no_session_writes_is_damage(
    folder: Path, edit: Callable[[list[bytes]], list[bytes]]
) -> None:
    write_chain(folder / "state.jsonl", edit(bodies_of(folder / "state.jsonl")))
    verdict = verify(folder)
    assert verdict.damage is not None
    assert (verdict.damage.sequence, verdict.records) == (4, 3)


def test_records_after_the_seal_and_before_the_manifest_are_damage(folder: Path) -> None:
    journal = folder / "state.jsonl"
    bodies = bodies_of(journal)
    write_chain(journal, [*bodies, bodies[-2]])
    verdict = verify(folder)
    assert verdict.damage is not None
    assert verdict.damage.sequence == len(bodies) + 1
    write_chain(journal, bodies[1:])
    verdict = verify(folder)
    assert verdict.damage is not None
    assert verdict.damage.offset == 0


@pytest.mark.long
def test_an_update_of_an_order_that_was_never_made_is_a_difference(folder: Path) -> None:
    bodies = bodies_of(folder / "state.jsonl")
    made = next(place for place, body in enumerate(bodies) if b'"kind":"order"' in body)
    reforge(folder, [*bodies[:made], *bodies[made + 1 :]])
    verdict = verify(folder)
    assert verdict.exit_code is ExitCode.DIFFERS
    assert verdict.findings[0].file == "state.jsonl"


@pytest.mark.long
def test_a_fill_that_is_taken_out_of_the_journal_is_missed(folder: Path) -> None:
    bodies = bodies_of(folder / "state.jsonl")
    last = max(place for place, body in enumerate(bodies) if b'"kind":"fill"' in body)
    reforge(folder, [*bodies[:last], *bodies[last + 1 :]])
    rows = (folder / "trades.csv").read_bytes().count(b"\n")
    assert ("trades.csv", f"line {rows}") in places_of(verify(folder))
