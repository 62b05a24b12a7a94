"""The judge of the switch, asked directly: records, damage, markers, and what must follow."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from switch_judging import (
    KILL,
    NOTE,
    NOW_NS,
    PAPER,
    evidence,
    follows,
    judged,
    record,
)

from logos.core.types import SwitchState
from logos.killswitch.evidence import NO_KEY, NOTHING, Copy, Evidence, Marker
from logos.killswitch.history import Tail
from logos.killswitch.judge import Cause, Consequence, Memory, Pending, Verdict, judge
from logos.killswitch.records import MarkerNote, Transition

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED


# ---- a record, what the disk says besides, and what must follow ----


NEW = Evidence(
    "", None, None, NOTHING, NOTHING, Tail(False, b"", 0, ""), None, False, True, NO_KEY, (-1, -1)
)


def test_a_record_that_all_copies_hold_is_safe_and_nothing_else_is_said() -> None:
    assert judged(evidence()) == Verdict(SAFE, ())


def test_a_process_begins_without_any_memory_and_asks_for_no_second_touches() -> None:
    assert Memory() == Memory(0, b"", SAFE, 0, 0, 0, None)
    touched = evidence(record(state="ENGAGED"), kill=Marker("KILL:1:1:0", NOTE, ""))
    assert follows(judge(touched, Memory(), PAPER, now_ns=NOW_NS)) == [
        (ENGAGED, Consequence.NOTHING)
    ]


def test_a_new_machine_waits_to_be_armed_and_needs_nothing_written() -> None:
    assert follows(judged(NEW)) == [(ENGAGED, Consequence.WAIT_FOR_ARMING)]


def test_a_process_that_has_seen_a_record_takes_no_empty_disk_for_a_new_machine() -> None:
    found = follows(judged(NEW, Memory(epoch=1)))
    assert (ENGAGED, Consequence.RECORD) in found
    assert (ENGAGED, Consequence.WAIT_FOR_ARMING) not in found


@pytest.mark.parametrize(
    ("changes", "memory", "expected"),
    [
        ({"folder_problem": "no way in"}, Memory(), Consequence.RECORD),
        ({"armed": Copy(b"", None, "is missing", False)}, Memory(), Consequence.CONFIRM),
        ({"armed": Copy(b"", None, "is missing", False)}, Memory(epoch=5), Consequence.RECORD),
        ({"armed": Copy(b"", None, "is damaged", True)}, Memory(), Consequence.RECORD),
    ],
)
def test_a_record_that_cannot_be_read_engages_and_a_missing_one_is_looked_for_again(
    changes: dict[str, Any], memory: Memory, expected: Consequence
) -> None:
    verdict = judged(evidence(**changes), memory)
    assert verdict.state is ENGAGED
    assert follows(verdict)[0] == (ENGAGED, expected)


def test_an_unreadable_folder_is_told_once_and_not_also_as_a_missing_record() -> None:
    found = evidence(folder_problem="no way in", armed=Copy(b"", None, "is missing", False))
    assert [cause.why for cause in judged(found).causes] == ["no way in"]


def test_a_record_that_keeps_changing_is_looked_at_again() -> None:
    assert follows(judged(evidence(stable=False))) == [(ENGAGED, Consequence.CONFIRM)]


@pytest.mark.parametrize(
    ("transition", "expected"),
    [
        (record(), [(ENGAGED, Consequence.CONFIRM)]),
        (
            record(state="REDUCE_ONLY"),
            [(ENGAGED, Consequence.CONFIRM), (REDUCE_ONLY, Consequence.NOTHING)],
        ),
        (record(state="ENGAGED"), [(ENGAGED, Consequence.NOTHING)]),
    ],
)
def test_a_damaged_history_engages_unless_that_is_on_record_already(
    transition: Transition, expected: list[tuple[SwitchState, Consequence]]
) -> None:
    assert follows(judged(evidence(transition), history_problem="line 1 is damaged")) == expected


def test_a_damaged_history_without_a_record_is_told_as_well() -> None:
    found = evidence(armed=Copy(b"", None, "is damaged", True))
    words = [cause.why for cause in judged(found, history_problem="line 1 is damaged").causes]
    assert "line 1 is damaged" in words


@pytest.mark.parametrize("field", ["network_problem", "flag_problem"])
def test_what_only_this_process_cannot_do_is_its_own_reason(field: str) -> None:
    terms = msgspec.structs.replace(PAPER, **{field: "cannot"})
    verdict = judged(evidence(), terms=terms)
    assert verdict.causes == (Cause(ENGAGED, Consequence.LOCAL, "cannot"),)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Consequence.NOTHING, Consequence.NOTHING),
        (Consequence.RECORD, Consequence.NOTHING),
        (Consequence.CONFIRM, Consequence.CONFIRM),
    ],
)
def test_what_is_pending_counts_and_only_a_doubt_is_looked_at_again(
    seen: Consequence, expected: Consequence
) -> None:
    pending = Pending(Cause(REDUCE_ONLY, seen, "thin book", "ann"), 5, own=True)
    verdict = judged(evidence(), Memory(pending=pending))
    assert verdict == Verdict(REDUCE_ONLY, (Cause(REDUCE_ONLY, expected, "thin book", "ann"),))


# ---- markers ----


REDUCE = Marker("REDUCE_ONLY:2:1:0", NOTE, "")


@pytest.mark.parametrize(
    ("transition", "changes", "strict", "expected"),
    [
        (record(), {"kill": KILL}, False, [(ENGAGED, Consequence.RECORD)]),
        (record(), {"reduce": REDUCE}, False, [(REDUCE_ONLY, Consequence.RECORD)]),
        (
            record(),
            {"kill": KILL, "reduce": REDUCE},
            False,
            [(ENGAGED, Consequence.RECORD), (REDUCE_ONLY, Consequence.RECORD)],
        ),
        # What the record has taken into account, or outranks, is said only when asked for.
        (record(state="ENGAGED"), {"kill": KILL}, False, [(ENGAGED, Consequence.NOTHING)]),
        (
            record(state="ENGAGED"),
            {"kill": KILL},
            True,
            [(ENGAGED, Consequence.NOTHING), (ENGAGED, Consequence.RECORD)],
        ),
        (
            record(state="ENGAGED"),
            {"reduce": REDUCE},
            True,
            [(ENGAGED, Consequence.NOTHING), (ENGAGED, Consequence.RECORD)],
        ),
        (
            record(state="ENGAGED", markers=KILL.identity),
            {"kill": KILL},
            True,
            [(ENGAGED, Consequence.NOTHING)],
        ),
        (
            record(state="ENGAGED", markers=f"{KILL.identity};{REDUCE.identity}"),
            {"kill": KILL, "reduce": REDUCE},
            True,
            [(ENGAGED, Consequence.NOTHING)],
        ),
        (
            record(state="REDUCE_ONLY", markers=REDUCE.identity),
            {"kill": KILL, "reduce": REDUCE},
            False,
            [(ENGAGED, Consequence.RECORD), (REDUCE_ONLY, Consequence.NOTHING)],
        ),
        # A marker always counts against SAFE, whatever the record says of it.
        (record(markers=KILL.identity), {"kill": KILL}, False, [(ENGAGED, Consequence.RECORD)]),
    ],
)
def test_a_marker_counts_until_a_record_as_severe_has_taken_note_of_it(
    transition: Transition,
    changes: dict[str, Any],
    strict: bool,
    expected: list[tuple[SwitchState, Consequence]],
) -> None:
    verdict = judged(evidence(transition, **changes), strict_markers=strict)
    assert sorted(follows(verdict), key=repr) == sorted(expected, key=repr)
    assert verdict.state == expected[0][0]


def test_a_marker_without_a_record_counts_besides() -> None:
    verdict = judged(evidence(armed=Copy(b"", None, "is missing", False), kill=KILL))
    assert (ENGAGED, Consequence.RECORD) in follows(verdict)


@pytest.mark.parametrize(
    ("marker", "why", "who"),
    [
        (KILL, "the marker KILL is there", "whoever made the marker"),
        (
            Marker("KILL:1:1:0", NOTE, "a directory"),
            "the marker KILL is there (a directory)",
            "whoever made the marker",
        ),
        (
            Marker("KILL:1:1:0", MarkerNote("ann", "fire"), ""),
            "fire",
            "ann",
        ),
    ],
)
def test_a_marker_is_told_in_its_own_words_where_it_has_any(
    marker: Marker, why: str, who: str
) -> None:
    assert judged(evidence(kill=marker)).causes == (Cause(ENGAGED, Consequence.RECORD, why, who),)
