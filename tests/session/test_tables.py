"""The tables of a session: what a failed write, or a stop, leaves of them."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from crash_sessions import STORIES, begin, resume, session_folder, stopped
from file_faults import FileFaults
from journal_helpers import bodies_of
from session_helpers import table

from logos.core.gates import InProcessSwitch
from logos.files import AppendFile
from logos.journal.codec import GENESIS, chain
from logos.session.artifacts import tables
from logos.session.artifacts.folder import projection_files
from logos.session.artifacts.notes import NOTE_TABLES
from logos.session.artifacts.rows import Table
from logos.session.artifacts.snapshots.snapshot import read_snapshot


def test_rows_after_a_failed_write_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays a beginning of what it should be, also when the disk has room again."""
    path = tmp_path / "rows.csv"
    rows = Table(path, ["a", "b"], is_there=False)
    rows.add("1,2\n")
    rows.flush()
    write, full = AppendFile.write, [True]

    def refuse(self: AppendFile, content: bytearray) -> None:
        if full[0]:
            del content[3:]
            write(self, content)  # a part of it arrives
            raise OSError(28, "No space left on device", str(path))
        write(self, content)

    monkeypatch.setattr(AppendFile, "write", refuse)
    rows.add("3,4\n")
    with pytest.raises(OSError, match="No space left"):
        rows.flush()
    full[0] = False
    rows.add("5,6\n")
    rows.flush()
    rows.add("7,8\n")
    rows.close()
    assert path.read_bytes() == b"a,b\n1,2\n3,4"


@pytest.mark.long
def test_what_a_stop_leaves_open_has_the_status_it_came_to(tmp_path: Path) -> None:
    begin(stopped(STORIES["trading"], 9), tmp_path, InProcessSwitch())
    folder = session_folder(tmp_path)
    bodies = [json.loads(body) for body in bodies_of(folder / "state.jsonl")]
    orders = {body["order_id"]: body for body in bodies if body["kind"] == "order"}
    last = {body["order_id"]: body for body in bodies if body["kind"] == "order_update"}
    left = [row for row in table(folder, "orders") if row["ended"] == ""]
    assert {row["status"] for row in left} >= {"NEW", "ACCEPTED", "PARTIALLY_FILLED"}
    for row in left:
        assert row["ended_tick_id"] == ""
        made = orders[int(row["order_id"])]
        update = last.get(made["order_id"], {"status": "NEW", "filled_units": 0, "fee_units": 0})
        assert row["status"] == update["status"]
        assert Decimal(row["filled"]) == amount(update, "filled_units", made, "quantity_decimals")
        assert Decimal(row["fee"]) == amount(update, "fee_units", made, "money_decimals")


def amount(record: Any, name: str, made: Any, decimals: str) -> Decimal:
    return Decimal(record[name]).scaleb(-made[decimals])


@pytest.mark.long
def test_a_snapshot_marks_the_journal_and_every_table_as_they_were(tmp_path: Path) -> None:
    result = begin(stopped(STORIES["saved"], 9), tmp_path, InProcessSwitch())
    folder = session_folder(tmp_path)
    snapshot = read_snapshot(folder)
    assert snapshot is not None
    assert snapshot.uuid == result.summary["uuid"]
    assert snapshot.consumed == result.summary["ticks"] == 90
    assert snapshot.inputs is None
    content = (folder / "state.jsonl").read_bytes()
    assert content[: snapshot.offset].count(b"\n") == snapshot.sequence
    digest = GENESIS
    for body in bodies_of(folder / "state.jsonl")[: snapshot.sequence]:
        digest = chain(digest, body)
    assert snapshot.digest == digest.hex()
    files = projection_files("crashed", folder, tmp_path)
    assert snapshot.files.keys() == files.keys()
    for name, path in files.items():
        mark = snapshot.files[name]
        if name in NOTE_TABLES:
            assert (mark.size, path.exists()) == (0, False), "this one writes nothing down"
            continue
        assert 0 < mark.size <= path.stat().st_size, name
        assert zlib.crc32(path.read_bytes()[: mark.size]) == mark.crc, name
    open_ids = {order["order_id"] for order in snapshot.projections["artifacts"]["orders"]}
    left = {int(row["order_id"]) for row in table(folder, "orders") if row["ended"] == ""}
    assert open_ids == left
    assert left
    assert snapshot.projections["log"]["switch"]["state"] == "SAFE"


@pytest.mark.long
def test_a_resumed_session_is_unfinished_on_the_disk_before_its_tables_are_cut(
    tmp_path: Path,
) -> None:
    """Else a power cut could leave a folder that says it is finished, with tables that are not."""
    story = STORIES["saved"]
    begin(stopped(story, 9), tmp_path, InProcessSwitch())
    folder = session_folder(tmp_path)
    with FileFaults(tmp_path) as files:
        resume(story, tmp_path, InProcessSwitch())
    steps = [(step.kind, step.path) for step in files.steps]
    gone = steps.index(("unlink", folder / "host.json"))
    known = steps.index(("fsync", folder), gone)
    cut = [steps.index(("truncate", folder / name)) for name in tables.TABLES]
    assert gone < known < min(cut)
