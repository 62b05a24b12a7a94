"""The log's bytes against a plain encoder: one JSON object a line, each put together anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rehearsal_helpers import whole

from logos.core.records import Record
from logos.journal.jsonlog import JsonLog
from logos.session.artifacts import decisions
from logos.session.artifacts.decisions import DecisionLog

SECOND_NS = 10**9
START_NS = 1_767_614_399 * SECOND_NS
SESSION = 's"%d'

symbols = st.sampled_from(["BTC", "ETH", 'odd "%b\\', "\u00fc", ""])
words = st.sampled_from(["", "", "why", '"%d', "bad \udcff", "\u00fc\n"])
statuses = st.sampled_from(["ACCEPTED", "FILLED", "CANCELLED", "REJECTED"])
codes = st.sampled_from(["ORDER_RATE", "REDUCE_ONLY"])


def kind(name: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"kind": st.just(name), **fields})


quantities = st.sampled_from([0, 0, 0, 7, 8])
switches = st.sampled_from(["SAFE", "REDUCE_ONLY", "ENGAGED"])
bodies = st.one_of(
    kind("order", symbol=symbols, notes=words),
    kind("order_update", symbol=symbols, status=statuses, reason=words, quantity_units=quantities),
    kind("fill", symbol=symbols, liquidity=st.sampled_from(["MAKER", "TAKER"])),
    kind("refusal", symbol=symbols, code=codes, detail=words),
    kind("guard", subject=symbols, code=codes, action=st.just("engage"), detail=words),
    kind("blocked", symbol=symbols, code=codes),
    kind("switch", state=switches, reason=words, epoch=st.integers(0, 3)),
    kind("warning", symbol=symbols, code=st.just("BAD_PRICE"), detail=words),
    kind("account"),
)
steps = st.sampled_from([0, 0, 0, 1, 99_999_999, 100_000_000, SECOND_NS, 61 * SECOND_NS])
batches = st.lists(st.lists(st.tuples(steps, bodies), max_size=6), max_size=5)


class PlainLog:
    """The same log, by the standard library: nothing is kept but the switch."""

    def __init__(self) -> None:
        self.switch: dict[str, Any] = {
            "state": "SAFE", "is_engaged": False, "epoch": None, "engagement_time": None,
        }  # fmt: skip

    def line(self, record: dict[str, Any], body: bytes) -> bytes:
        """The line of one record, or nothing."""
        said = self._said(record)
        if said is None:
            return b""
        action, reason, symbol, has_order = said
        line = {
            "timestamp": moment(record["ts_ns"]),
            "session_id": SESSION,
            "tick_id": record["tick_id"],
            "symbol": symbol,
            "action": action,
            "reason": reason.encode("utf-8", "backslashreplace").decode(),
            "circuit_breaker_state": self.switch,
            **({"order": json.loads(body)} if has_order else {}),
        }
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _said(self, record: dict[str, Any]) -> tuple[str, str, str, bool] | None:
        symbol = record.get("symbol", "")
        match record["kind"]:
            case "order":
                return "ORDER_GENERATED", record["notes"], symbol, True
            case "order_update":
                resized = record["quantity_units"] != 0
                action = "ORDER_RESIZED" if resized else f"ORDER_{record['status']}"
                return action, record["reason"], symbol, True
            case "fill":
                return "FILL", record["liquidity"], symbol, True
            case "refusal":
                action = "BLOCKED" if record["code"] == "REDUCE_ONLY" else "REFUSED"
                return action, f"{record['code']}: {record['detail']}", symbol, False
            case "guard":
                reason = f"{record['code']}: {record['detail']}"
                return "GUARD_ENGAGE", reason, record["subject"], False
            case "blocked":
                return "BLOCKED", record["code"], symbol, False
            case "warning":
                return "WARNING", f"{record['code']}: {record['detail']}", symbol, False
            case "switch":
                self._see(record)
                at = f"at tick #{record['tick_id']}: {record['reason']}"
                return "SWITCH", f"[KILL_SWITCH] {record['state']} {at}", "", False
        return None

    def _see(self, record: dict[str, Any]) -> None:
        is_engaged = record["state"] == "ENGAGED"
        self.switch = {
            "state": record["state"],
            "is_engaged": is_engaged,
            "epoch": record["epoch"] or None,
            "engagement_time": moment(record["ts_ns"]) if is_engaged else None,
        }


def moment(ts_ns: int) -> str:
    """ISO-8601 with nine decimals."""
    second, rest = divmod(ts_ns, SECOND_NS)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(batches, st.sampled_from([1, 2, 4_096]))
def test_the_log_is_to_the_byte_what_a_plain_encoder_makes(
    tmp_path_factory: pytest.TempPathFactory,
    given_batches: list[list[tuple[int, dict[str, Any]]]],
    words_max: int,
) -> None:
    path = tmp_path_factory.mktemp("log") / "s.jsonl"
    plain, expected = PlainLog(), b""
    ts_ns, tick_id = START_NS, 1
    with pytest.MonkeyPatch.context() as patch, JsonLog(path, SESSION) as log:
        patch.setattr(decisions, "WORDS_MAX", words_max)
        decision_log = DecisionLog(log)
        for batch in given_batches:
            records, encoded = [], []
            for step_ns, fields in batch:
                ts_ns, tick_id = ts_ns + step_ns, tick_id + (step_ns > 1)
                body = whole({**fields, "ts_ns": ts_ns, "tick_id": tick_id})
                records.append(msgspec.convert(body, Record))
                encoded.append(b'{"of":%d}' % tick_id)
                expected += plain.line(body, encoded[-1])
            decision_log.write(records, encoded)
    assert path.read_bytes() == expected
