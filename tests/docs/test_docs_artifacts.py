"""docs/ARTIFACTS.md names every column, record, key and code; its examples are real."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from places import PROJECT

from logos.core.records import LotClosure, Record
from logos.core.types import Code, OrderStatus, SessionStatus
from logos.journal.codec import GENESIS, BadLine, encode_line
from logos.session import ExitCode, SessionResult, run
from logos.session.artifacts.derived.equity import EQUITY_COLUMNS
from logos.session.artifacts.derived.trips import TRIP_COLUMNS
from logos.session.artifacts.payments import PAYMENT_COLUMNS
from logos.session.artifacts.tables import (
    ACCOUNT_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    TRADE_COLUMNS,
)

TEXT = (PROJECT / "docs" / "ARTIFACTS.md").read_text(encoding="utf-8")
COLUMNS = {
    "orders.csv": ORDER_COLUMNS,
    "trades.csv": TRADE_COLUMNS,
    "positions.csv": POSITION_COLUMNS,
    "account.csv": ACCOUNT_COLUMNS,
    "trips.csv": TRIP_COLUMNS,
    "equity.csv": EQUITY_COLUMNS,
}
TABLES = {**COLUMNS, "payments.csv": PAYMENT_COLUMNS}


def _section(name: str) -> str:
    [section] = re.findall(rf"^### {re.escape(name)}$(.*?)(?=^##|\Z)", TEXT, re.M | re.S)
    return str(section)


def _first_cells(name: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", _section(name), re.M)


DEMO: dict[str, Any] = {
    "session": {"id": "demo"},
    "strategy": {"name": "sma_cross"},
    "data": {"paths": ["data/cache"], "symbols": ["ACME"], "accept": ["gap"]},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> SessionResult:
    """The session that the document's examples are taken from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGOS_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("LOGOS_SEED", raising=False)
        patch.chdir(PROJECT)
        return run(DEMO)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_is_documented_in_its_place(name: str) -> None:
    assert tuple(_first_cells(name)) == TABLES[name]


def test_every_kind_of_record_is_documented_with_its_fields() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", _section("state.jsonl"), re.M))
    found = {kind: re.findall(r"`(\w+)`", fields) for kind, fields in rows.items()}
    del found["manifest"], found["sealed"]
    assert found == {
        str(kind.__struct_config__.tag): [field.name for field in msgspec.structs.fields(kind)]
        for kind in get_args(Record)
    }
    [lots] = re.findall(r"^.*Each of `lots` has ([^.]+)\.", TEXT, re.M)
    assert re.findall(r"`(\w+)`", lots) == list(LotClosure.__struct_fields__)


def test_the_notes_that_frame_the_journal_are_documented(demo: SessionResult) -> None:
    bodies = _bodies(demo.folder / "state.jsonl")
    for body in (bodies[0], bodies[-1]):
        [row] = re.findall(rf"^\| `{body['kind']}` \| [^|]+ \| ([^|]+) \|$", TEXT, re.M)
        assert ["kind", *re.findall(r"`(\w+)`", row)] == list(body)


@pytest.mark.parametrize("name", ["state.json", "host.json"])
def test_every_key_of_the_json_files_is_documented(demo: SessionResult, name: str) -> None:
    content = json.loads((demo.folder / name).read_text(encoding="utf-8"))
    assert _first_cells(name) == list(content)


def test_every_file_is_in_the_first_table(demo: SessionResult) -> None:
    named = set(re.findall(r"^\| `runs/live/sessions/ID/([\w.]+)` \|", TEXT, re.M))
    # It neither runs nor was resumed, and time brings and costs it nothing.
    not_in_this_one = {"snapshot.json", "recoveries.jsonl", "payments.csv"}
    not_in_this_one.add("report.html")  # the commands make it, and no command ran it
    assert named == {path.name for path in demo.folder.iterdir()} | not_in_this_one


def test_the_keys_and_actions_of_the_log_are_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    monkeypatch.chdir(PROJECT)
    run({**DEMO, "log": {"risk_interval_s": 3_600}})
    lines = (tmp_path / "logos" / "logs" / "demo.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in lines.splitlines()]
    text = (PROJECT / "docs" / "JSON-LOG.md").read_text(encoding="utf-8")
    section = text[text.index("## The log of decisions") : text.index("## The page of figures")]
    keys, actions = section.split("| action | meaning |")
    names = re.findall(r"^\| `(\w+)` \|", keys, re.M)
    assert set(names) == {key for record in records for key in record}
    assert all([name for name in names if name in record] == list(record) for record in records)
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", actions, re.M)
    schema = json.loads((PROJECT / "docs" / "schema" / "decision-log.schema.json").read_bytes())
    documented = [word for row in rows for word in re.findall(r"`(\w+)`", row)]
    assert sorted(documented) == sorted(schema["$defs"]["action"]["enum"])
    assert set(schema["properties"]) == set(names)


def test_the_fields_of_the_page_of_figures_are_documented(demo: SessionResult) -> None:
    text = (PROJECT / "docs" / "JSON-LOG.md").read_text(encoding="utf-8")
    section = text[text.index("## The page of figures") :]
    rows = re.findall(r"^\| (`[a-z_.`, ]+`) \|", section, re.M)
    documented = {name.split(".")[0] for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    path = demo.folder.parents[3] / "logos" / "logs" / "demo.metrics.json"
    page = json.loads(path.read_bytes())
    assert documented == set(page)
    for part in ("switch", "journal"):
        [row] = re.findall(rf"^\| `{part}` \| (.*) \|$", section, re.M)
        assert set(page[part]) <= set(re.findall(r"`(\w+)`", row))


def test_every_code_status_and_exit_code_is_documented() -> None:
    words = TEXT[TEXT.index("## Words") :]
    codes = re.findall(r"^\| (`[A-Z_`, ]+`) \| [^|]+ \|$", words, re.M)
    named = [code for cell in codes for code in re.findall(r"`([A-Z_]+)`", cell)]
    assert sorted(named) == sorted(code.value for code in Code)
    for status in OrderStatus:
        assert f"`{status.value}`" in words
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", words, re.M)
    assert {status for status, _ in rows} == {status.value for status in SessionStatus}
    without = {ExitCode.BAD_CONFIGURATION, ExitCode.CANNOT_WRITE}
    alone = re.findall(r"^\| (\d+) \|", words, re.M)  # of the commands that look at sessions
    documented = {int(code) for code in [*alone, *(code for _, code in rows)]}
    assert documented == {int(code) for code in set(ExitCode) - without}


def test_the_rows_shown_are_in_the_files(demo: SessionResult) -> None:
    shown = [
        line for block in re.findall(r"```csv\n(.*?)```", TEXT, re.S) for line in block.split()
    ]
    assert len(shown) == 9
    files = "".join((demo.folder / name).read_text(encoding="utf-8") for name in COLUMNS)
    assert set(shown) <= set(files.splitlines())


def test_the_journal_line_shown_is_in_the_journal(demo: SessionResult) -> None:
    # The chain hangs on the version of the software, so its hash is the one thing not compared.
    [shown] = re.findall(r"```json\n(.*?)```", TEXT, re.S)
    found = json.loads((demo.folder / "state.jsonl").read_bytes().splitlines()[6])
    assert {**json.loads(shown), "hash": ""} == {**found, "hash": ""}


def test_the_code_shown_checks_a_journal(demo: SessionResult, tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    script = tmp_path / "check.py"
    script.write_text(code, encoding="utf-8")
    check_journal = runpy.run_path(str(script))["check_journal"]
    journal = demo.folder / "state.jsonl"
    assert check_journal(journal) == len(_bodies(journal))
    lines = journal.read_bytes().splitlines(keepends=True)
    torn = tmp_path / "state.jsonl"
    torn.write_bytes(b"".join([*lines[:5], *lines[6:]]))
    with pytest.raises(BadLine, match="expected record 6"):
        check_journal(torn)


def test_the_first_line_is_chained_to_zeros() -> None:
    assert not any(GENESIS)
    assert len(GENESIS) == 32
    assert encode_line(1, GENESIS, b"{}").startswith(b'{"seq":1,"crc":"')


def test_the_last_sample_comes_after_one_of_the_same_time(demo: SessionResult) -> None:
    times = [
        line.split(",")[0]
        for line in (demo.folder / "account.csv").read_text(encoding="utf-8").splitlines()[1:]
    ]
    assert times[-1] == times[-2]
    assert len(set(times)) == len(times) - 1


def _bodies(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line)["body"] for line in path.read_bytes().splitlines()]
