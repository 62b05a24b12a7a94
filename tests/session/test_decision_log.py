"""A line of the decision log for each kind of record, with the switch's state at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rehearsal_helpers import whole

from logos.core.records import Record
from logos.journal.jsonlog import PIECES
from logos.session.artifacts.decisions import DecisionLog, Tick


class Lines:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def front(self, ts_ns: int, tick_id: int) -> bytes:
        return msgspec.json.encode((ts_ns, tick_id))

    def add(self, pieces: Sequence[bytes]) -> None:
        for front, words, order in zip(*[iter(pieces)] * PIECES, strict=True):
            line = msgspec.json.decode(b'{"_":0' + words + order + b"}")
            said = (line["action"], line["reason"], line["circuit_breaker_state"], line["symbol"])
            self.said.append((*msgspec.json.decode(front), *said, line.get("order")))


def logged(
    *bodies: dict[str, Any], ticks: tuple[Tick, ...] = (), told: list[str] | None = None
) -> list[tuple[Any, ...]]:
    lines = Lines()
    log = DecisionLog(lines)  # type: ignore[arg-type]
    log.tell = str if told is None else told.append
    records = [
        msgspec.convert(whole({"ts_ns": 5, "tick_id": 7, **body}), Record) for body in bodies
    ]
    log.write(records, [b"{}"] * len(records), ticks)
    log.finish()
    return lines.said


def breaker(state: str, epoch: int | None = None, since: int | None = None) -> dict[str, Any]:
    """The kill switch in a line."""
    time = None if since is None else f"1970-01-01T00:00:00.{since:09d}Z"
    is_engaged = state == "ENGAGED"
    return {
        "state": state, "is_engaged": is_engaged, "epoch": epoch, "engagement_time": time,
    }  # fmt: skip


SAFE, ENGAGED = breaker("SAFE"), breaker("ENGAGED", since=5)
ORDER: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"kind": "order_update", "symbol": "A", "status": "FILLED", "reason": "r"},
         (5, 7, "ORDER_FILLED", "r", SAFE, "A", ORDER)),
        ({"kind": "order", "symbol": "A", "notes": "n"},
         (5, 7, "ORDER_GENERATED", "n", SAFE, "A", ORDER)),
        ({"kind": "fill", "symbol": "A", "liquidity": "MAKER"},
         (5, 7, "FILL", "MAKER", SAFE, "A", ORDER)),
        ({"kind": "refusal", "symbol": "A", "code": "ORDER_RATE", "also": ["STALE_DATA"],
          "detail": "d"}, (5, 7, "REFUSED", "ORDER_RATE,STALE_DATA: d", SAFE, "A", None)),
        ({"kind": "refusal", "symbol": "A", "code": "KILL_SWITCH_ACTIVATED_MID_PROCESSING",
          "detail": "d"},
         (5, 7, "BLOCKED", "KILL_SWITCH_ACTIVATED_MID_PROCESSING: d", ENGAGED, "A", None)),
        ({"kind": "refusal", "symbol": "A", "code": "REDUCE_ONLY", "detail": "d"},
         (5, 7, "BLOCKED", "REDUCE_ONLY: d", SAFE, "A", None)),
        ({"kind": "guard", "subject": "USD", "code": "MAX_DRAWDOWN", "action": "engage",
          "detail": "d"}, (5, 7, "GUARD_ENGAGE", "MAX_DRAWDOWN: d", SAFE, "USD", None)),
        ({"kind": "blocked", "symbol": "A", "code": "KILL_SWITCH_ACTIVE"},
         (5, 7, "BLOCKED", "KILL_SWITCH_ACTIVE", SAFE, "A", None)),
        ({"kind": "switch", "state": "ENGAGED", "reason": "r", "epoch": 3},
         (5, 7, "SWITCH", "[KILL_SWITCH] ENGAGED at tick #7: r", breaker("ENGAGED", 3, 5), "",
          None)),
        ({"kind": "switch", "state": "REDUCE_ONLY", "reason": "r"},
         (5, 7, "SWITCH", "[KILL_SWITCH] REDUCE_ONLY at tick #7: r", breaker("REDUCE_ONLY"), "",
          None)),
        ({"kind": "command", "action": "flatten", "reason": "r", "by": "ann"},
         (5, 7, "COMMAND_FLATTEN", "r (by ann)", SAFE, "", None)),
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


def test_the_time_of_the_engagement_stays_until_the_switch_changes_again() -> None:
    warning = {"kind": "warning", "symbol": "A", "code": "W", "detail": "d"}
    refused = {"kind": "refusal", "code": "KILL_SWITCH_ACTIVATED_MID_PROCESSING", "symbol": "A"}
    said = logged(
        {"kind": "switch", "state": "ENGAGED", "ts_ns": 5, "epoch": 2},
        {**refused, "ts_ns": 8},
        {**warning, "ts_ns": 9},
        {"kind": "switch", "state": "SAFE", "ts_ns": 10, "epoch": 3},
    )
    assert [line[4] for line in said] == [
        *[breaker("ENGAGED", 2, 5)] * 3,
        breaker("SAFE", 3),
    ]


def test_whoever_watches_hears_of_the_switch_alone() -> None:
    told: list[str] = []
    logged(
        {"kind": "switch", "state": "ENGAGED", "reason": "r (by ann)"},
        {"kind": "blocked", "symbol": "A", "code": "KILL_SWITCH_ACTIVE"},
        told=told,
    )
    assert told == ["[KILL_SWITCH] ENGAGED at tick #7: r (by ann)"]


# ---- a line for each tick ----


def at(tick_id: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "tick_id": tick_id, "symbol": "A", **fields}


def ticks(*numbers: int) -> tuple[Tick, ...]:
    return tuple(Tick(number, number, "A") for number in numbers)


def test_a_tick_on_which_nothing_was_decided_has_a_line_behind_what_happened_on_it() -> None:
    said = logged(
        at(2, "order"),
        at(2, "order_update", status="ACCEPTED"),
        at(3, "fill"),
        at(4, "refusal", code="ORDER_RATE"),
        at(5, "blocked", code="KILL_SWITCH_ACTIVE"),
        {"kind": "account"},
        ticks=ticks(1, 2, 3, 4, 5, 6),
    )
    assert [line[1:3] for line in said] == [
        (1, "NO_SIGNAL"),
        (2, "ORDER_GENERATED"),
        (2, "ORDER_ACCEPTED"),
        (3, "FILL"),
        (3, "NO_SIGNAL"),
        (4, "REFUSED"),
        (5, "BLOCKED"),
        (6, "NO_SIGNAL"),
    ]
    assert said[0] == (1, 1, "NO_SIGNAL", "", SAFE, "A", None)


def test_ticks_without_any_record_have_their_lines() -> None:
    assert [line[1] for line in logged(ticks=ticks(1, 2, 3))] == [1, 2, 3]


@pytest.mark.long
@given(st.lists(st.integers(1, 6), max_size=5), st.sets(st.integers(1, 6)))
def test_where_the_ticks_are_cut_into_pieces_is_not_to_be_seen(
    cuts: list[int], decided: set[int]
) -> None:
    """What is decided on a tick may come with a later piece: a timer's order, or one at the end."""
    records = [msgspec.convert(whole(at(number, "order")), Record) for number in sorted(decided)]

    def said(places: list[int], saved_at: int | None) -> list[tuple[Any, ...]]:
        lines = Lines()
        log = DecisionLog(lines)  # type: ignore[arg-type]
        known = 0
        for place in [*places, 6]:
            # The last tick's own decisions come with the next piece.
            some = [each for each in records if known <= each.tick_id < place]
            log.write(some, [b"{}"] * len(some), ticks(*range(known + 1, place + 1)))
            known = place
            if saved_at == place:
                state = msgspec.json.decode(msgspec.json.encode(log.save()))
                log = DecisionLog(lines)  # type: ignore[arg-type]
                log.load(state)
        rest = [each for each in records if each.tick_id == 6]
        log.write(rest, [b"{}"] * len(rest))
        log.finish()
        return lines.said

    places = sorted(set(cuts) - {6})
    assert said(places, places[0] if places else None) == said([], None)
    assert len(said([], None)) == 6
