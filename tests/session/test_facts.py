"""What a session is, where it ran and what it read, as its summary tells it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from logos.session.artifacts.summary import data_facts, host_facts, session_uuid


def test_the_same_session_has_the_same_uuid_and_another_one_has_not() -> None:
    one = session_uuid("a", "hash", ["1", "2"])
    assert one == session_uuid("a", "hash", ["1", "2"])
    others = {
        session_uuid("b", "hash", ["1", "2"]), session_uuid("a", "other", ["1", "2"]),
        session_uuid("a", "hash", ["2", "1"]), session_uuid("a", "hash", ["1"]),
    }  # fmt: skip
    assert one not in others
    assert len(others) == 4


def test_what_depends_on_the_machine_is_told_apart() -> None:
    facts = host_facts(1_000_000_000, 3_500_000_000, 2_000_000_000, 5)
    assert (facts["started"], facts["ended"]) == (
        "1970-01-01T00:00:01.000000000Z", "1970-01-01T00:00:03.500000000Z",
    )  # fmt: skip
    assert (facts["run_seconds"], facts["ticks_per_second"]) == ("2.000000", 2)
    assert facts["core"] in ("compiled", "interpreted")
    assert host_facts(0, 0, 0, 5)["ticks_per_second"] == 0


def test_what_was_read_is_told_in_full() -> None:
    read = SimpleNamespace(
        source=SimpleNamespace(symbol="ACME", kind="bars", paths=[Path("x/a.csv"), Path("b.csv")]),
        fingerprints={Path("x/a.csv"): "12ab", Path("b.csv"): "34cd"},
        rows=9, dropped=1, first_ns=0, last_ns=1_500_000_000, counts={"late": 1, "gap": 2},
    )  # fmt: skip
    empty = SimpleNamespace(**{**vars(read), "first_ns": None, "last_ns": None, "counts": {}})
    first, second = data_facts([read, empty])  # type: ignore[list-item]
    assert first == {
        "symbol": "ACME", "kind": "bars", "files": {"a.csv": "12ab", "b.csv": "34cd"}, "rows": 9,
        "rows_dropped": 1, "first": "1970-01-01T00:00:00.000000000Z",
        "last": "1970-01-01T00:00:01.500000000Z", "accepted_defects": {"gap": 2, "late": 1},
    }  # fmt: skip
    assert (second["first"], second["last"], second["accepted_defects"]) == ("", "", {})
