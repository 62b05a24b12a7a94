"""A line of the decision log for each kind of record, with the switch's state at that moment."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rehearsal_helpers import whole

from logos.core.records import Record
from logos.core.types import SwitchState
from logos.session.artifacts.decisions import DecisionLog

SAFE, ENGAGED = SwitchState.SAFE, SwitchState.ENGAGED


class Lines:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def decision(self, *line: Any) -> None:
        self.said.append(line)


def logged(*bodies: dict[str, Any]) -> list[tuple[Any, ...]]:
    lines = Lines()
    log = DecisionLog(lines)  # type: ignore[arg-type]
    records = [
        msgspec.convert(whole({"ts_ns": 5, "tick_id": 7, **body}), Record) for body in bodies
    ]
    log.write(records, [b"{}"] * len(records))
    return lines.said


ORDER = msgspec.Raw(b"{}")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"kind": "order_update", "symbol": "A", "status": "FILLED", "reason": "r"},
         (5, 7, "ORDER_FILLED", "r", SAFE, "A", ORDER)),
        ({"kind": "order", "symbol": "A", "notes": "n"}, (5, 7, "ORDER", "n", SAFE, "A", ORDER)),
        ({"kind": "fill", "symbol": "A", "liquidity": "MAKER"},
         (5, 7, "FILL", "MAKER", SAFE, "A", ORDER)),
        ({"kind": "refusal", "symbol": "A", "code": "ORDER_RATE", "also": ["STALE_DATA"],
          "detail": "d"}, (5, 7, "REFUSED", "ORDER_RATE,STALE_DATA: d", SAFE, "A", None)),
        ({"kind": "refusal", "symbol": "A", "code": "KILL_SWITCH_ACTIVATED_MID_PROCESSING",
          "detail": "d"},
         (5, 7, "REFUSED", "KILL_SWITCH_ACTIVATED_MID_PROCESSING: d", ENGAGED, "A", None)),
        ({"kind": "guard", "subject": "USD", "code": "MAX_DRAWDOWN", "action": "engage",
          "detail": "d"}, (5, 7, "GUARD_ENGAGE", "MAX_DRAWDOWN: d", SAFE, "USD")),
        ({"kind": "blocked", "symbol": "A", "code": "KILL_SWITCH_ACTIVE"},
         (5, 7, "BLOCKED", "KILL_SWITCH_ACTIVE", SAFE, "A", None)),
        ({"kind": "switch", "state": "ENGAGED", "reason": "r"},
         (5, 7, "SWITCH", "r", ENGAGED, "")),
        ({"kind": "command", "action": "flatten", "reason": "r", "by": "ann"},
         (5, 7, "COMMAND_FLATTEN", "r (by ann)", SAFE, "")),
        ({"kind": "warning", "symbol": "A", "code": "BAD_PRICE", "detail": "d"},
         (5, 7, "WARNING", "BAD_PRICE: d", SAFE, "A", None)),
    ],
)  # fmt: skip
def test_a_record_is_one_line(body: dict[str, Any], line: tuple[Any, ...]) -> None:
    assert logged(body) == [line]


def test_samples_are_no_decisions_and_the_switch_s_state_stays() -> None:
    switch = {"kind": "switch", "state": "ENGAGED", "reason": "r"}
    warning = {"kind": "warning", "symbol": "A", "code": "W", "detail": "d"}
    said = logged(warning, {"kind": "account"}, switch, warning)
    assert [line[4] for line in said] == [SAFE, ENGAGED, ENGAGED]
