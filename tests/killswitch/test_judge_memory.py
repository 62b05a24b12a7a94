"""The judge of the switch on copies, clocks, and what a process saw before."""

from __future__ import annotations

from typing import Any

import pytest
from switch_helpers import Clock, Workspace
from switch_judging import (
    KILL,
    NOW_NS,
    SECOND,
    copy_of,
    evidence,
    follows,
    judged,
    record,
)

from logos.core.types import SwitchState
from logos.killswitch.evidence import Copy, Evidence
from logos.killswitch.history import Tail
from logos.killswitch.judge import Cause, Consequence, Memory, Pending, Terms, Verdict
from logos.killswitch.records import Transition, encode_line

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED
LIVE = Terms("live", "1.0", "here")


# ---- an older copy, another copy, the shared flag ----


def test_an_engaged_record_needs_no_further_reason() -> None:
    engaged = record(state="ENGAGED", who="bob", why="fire")
    other = copy_of(record(epoch=9, granted_epoch=9))
    memory = Memory(epoch=8, latched=ENGAGED, latched_epoch=8, latest_ns=NOW_NS * 2)
    found = evidence(engaged, witness=other)
    verdict = judged(found, memory, LIVE, flag=(2, 9), history_problem="damaged")
    assert verdict == Verdict(ENGAGED, (Cause(ENGAGED, Consequence.NOTHING, "fire", "bob"),))


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (Memory(epoch=4, line=b"older"), []),
        (Memory(epoch=5), []),
        (Memory(epoch=5, line=encode_line(record())), []),
        (Memory(epoch=5, line=b"another"), [(ENGAGED, Consequence.RECORD)]),
        (Memory(epoch=6), [(ENGAGED, Consequence.RECORD)]),
        (Memory(epoch=6, line=encode_line(record())), [(ENGAGED, Consequence.RECORD)]),
    ],
)
def test_an_older_record_than_the_one_seen_before_was_put_back(
    memory: Memory, expected: list[tuple[SwitchState, Consequence]]
) -> None:
    verdict = judged(evidence(), memory)
    assert follows(verdict) == expected
    if expected:
        assert "of epoch 5, but this process has seen another one" in verdict.causes[0].why


def tail_of(transition: Transition) -> dict[str, Any]:
    return {"tail": Tail(True, encode_line(transition), 0, ""), "tail_transition": transition}


OLDER, SAME, NEWER = record(epoch=4, granted_epoch=4), record(why="other"), record(epoch=6)
LOWERED = record(state="REDUCE_ONLY")


@pytest.mark.parametrize(
    ("transition", "changes", "words"),
    [
        (record(), {"tail": Tail(True, b"", 0, "it is a FIFO")}, "it is a FIFO"),
        (record(), {"tail": Tail(True, encode_line(record()), 1, "")}, "the middle of a line"),
        (
            record(),
            {"tail": Tail(True, b"", 0, ""), "tail_transition": None},
            "the history is damaged",
        ),
        (
            record(),
            {"tail": Tail(False, b"", 0, ""), "tail_transition": None},
            "the history is missing",
        ),
        (record(), {"witness": Copy(b"", None, "x", True)}, "folder is damaged"),
        (record(), {"witness": Copy(b"", None, "x", False)}, "folder is missing"),
        (record(), {"witness": copy_of(NEWER)}, "is at epoch 6, the arm record at 5"),
        (record(), tail_of(NEWER), "the history is at epoch 6, the arm record at 5"),
        (record(), {"witness": copy_of(SAME)}, "(epoch 5) disagrees with the arm record (5)"),
        (record(), tail_of(SAME), "the history (epoch 5) disagrees"),
        (record(), {"witness": copy_of(OLDER)}, "(epoch 4) disagrees with the arm record (5)"),
        (record(), tail_of(OLDER), "the history (epoch 4) disagrees"),
        # REDUCE_ONLY is written record first: its copies may lag, and may not be ahead.
        (LOWERED, {"witness": copy_of(OLDER)}, ""),
        (LOWERED, tail_of(OLDER), ""),
        (LOWERED, {"witness": copy_of(SAME)}, "(epoch 5) disagrees"),
        (LOWERED, {"witness": copy_of(NEWER)}, "is at epoch 6"),
        (LOWERED, {**tail_of(OLDER), "witness": copy_of(NEWER)}, "is at epoch 6"),
        (LOWERED, {"witness": Copy(b"", None, "x", False)}, "folder is missing"),
    ],
)
def test_copies_that_contradict_the_record_are_looked_at_again(
    transition: Transition, changes: dict[str, Any], words: str
) -> None:
    verdict = judged(evidence(transition, **changes))
    doubts = [cause for cause in verdict.causes if cause.follow is not Consequence.NOTHING]
    if not words:
        assert (doubts, verdict.state) == ([], REDUCE_ONLY)
        return
    assert [(cause.state, cause.follow) for cause in doubts] == [(ENGAGED, Consequence.CONFIRM)]
    assert words in doubts[0].why
    assert verdict.state is ENGAGED


@pytest.mark.parametrize(
    ("transition", "flag", "expected"),
    [
        (record(), (0, 0), []),
        (record(), (0, 5), []),
        (record(), (2, 4), []),
        (record(), (2, 5), [(ENGAGED, Consequence.CONFIRM)]),
        (record(), (2, 6), [(ENGAGED, Consequence.CONFIRM)]),
        (record(), (1, 5), [(REDUCE_ONLY, Consequence.CONFIRM)]),
        (record(), (77, 5), [(ENGAGED, Consequence.CONFIRM)]),
        (record(), (0, 6), [(ENGAGED, Consequence.CONFIRM)]),
        (LOWERED, (1, 5), [(REDUCE_ONLY, Consequence.NOTHING)]),
        (LOWERED, (1, 6), [(ENGAGED, Consequence.CONFIRM), (REDUCE_ONLY, Consequence.NOTHING)]),
        (LOWERED, (2, 5), [(ENGAGED, Consequence.CONFIRM), (REDUCE_ONLY, Consequence.NOTHING)]),
    ],
)
def test_the_shared_flag_counts_unless_it_is_older_than_the_record(
    transition: Transition,
    flag: tuple[int, int],
    expected: list[tuple[SwitchState, Consequence]],
) -> None:
    assert follows(judged(evidence(transition), flag=flag)) == expected


# ---- time, live trading, what this process saw ----


@pytest.mark.parametrize(
    ("memory", "back_ns", "behind"),
    [
        (Memory(), 5 * SECOND, False),
        (Memory(), 5 * SECOND + 1, True),
        (Memory(latest_ns=NOW_NS + SECOND, granted_epoch=5), 4 * SECOND, False),
        (Memory(latest_ns=NOW_NS + SECOND, granted_epoch=5), 4 * SECOND + 1, True),
        (Memory(latest_ns=NOW_NS + SECOND, granted_epoch=4), 5 * SECOND, False),
        (Memory(latest_ns=NOW_NS + SECOND, granted_epoch=6), 4 * SECOND + 1, True),
        (Memory(latest_ns=NOW_NS - SECOND, granted_epoch=5), 5 * SECOND, False),
        (Memory(latest_ns=NOW_NS - SECOND, granted_epoch=5), 5 * SECOND + 1, True),
    ],
)
def test_a_clock_may_step_back_by_five_seconds_and_a_newer_grant_starts_it_anew(
    memory: Memory, back_ns: int, behind: bool
) -> None:
    verdict = judged(evidence(), memory, now_ns=NOW_NS - back_ns)
    assert follows(verdict) == ([(ENGAGED, Consequence.RECORD)] if behind else [])


def test_a_clock_that_went_back_says_by_how_much() -> None:
    causes = judged(evidence(), now_ns=NOW_NS - 7_500_000_000).causes
    assert ["it is 7.5 s behind" in cause.why for cause in causes] == [True]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "live"}, []),
        ({}, ["armed for paper"]),
        ({"mode": "live", "build": "0.9"}, ["build '0.9', this is '1.0'"]),
        ({"mode": "live", "host": "there"}, ["host 'there', this is 'here'"]),
    ],
)
def test_live_trading_takes_a_record_made_for_it(changes: dict[str, Any], words: list[str]) -> None:
    found = evidence(record(**changes))
    verdict = judged(found, terms=LIVE)
    assert follows(verdict) == [(ENGAGED, Consequence.LOCAL)] * len(words)
    for cause, word in zip(verdict.causes, words, strict=True):
        assert word in cause.why
    assert judged(found).state is SAFE, "paper asks for none of it"


@pytest.mark.parametrize(
    ("transition", "memory", "expected"),
    [
        (record(), Memory(latched=ENGAGED, latched_epoch=4), []),
        (record(), Memory(latched=ENGAGED, latched_epoch=5), [(ENGAGED, Consequence.LOCAL)]),
        (record(), Memory(latched=ENGAGED, latched_epoch=6), [(ENGAGED, Consequence.LOCAL)]),
        (
            record(),
            Memory(latched=REDUCE_ONLY, latched_epoch=5),
            [(REDUCE_ONLY, Consequence.LOCAL)],
        ),
        (
            LOWERED,
            Memory(latched=REDUCE_ONLY, latched_epoch=5),
            [(REDUCE_ONLY, Consequence.NOTHING)],
        ),
    ],
)
def test_what_this_process_saw_stands_until_a_newer_grant(
    transition: Transition, memory: Memory, expected: list[tuple[SwitchState, Consequence]]
) -> None:
    assert follows(judged(evidence(transition), memory)) == expected


def test_the_most_severe_cause_decides_and_comes_first() -> None:
    found = evidence(LOWERED, kill=KILL)
    verdict = judged(found)
    assert [cause.state for cause in verdict.causes] == [ENGAGED, REDUCE_ONLY]
    assert verdict.state is ENGAGED
    assert verdict.first(Consequence.NOTHING) == verdict.causes[1]
    assert verdict.first(Consequence.NOTHING, Consequence.RECORD) == verdict.causes[0]
    assert verdict.first(Consequence.LOCAL) is None


# ---- writing down: what has become of it meanwhile ----


MISSING = Copy(b"", None, "is missing", False)


@pytest.mark.parametrize(
    ("found", "state", "follow", "is_moot"),
    [
        (evidence(armed=MISSING), ENGAGED, Consequence.RECORD, False),
        (
            evidence(record(epoch=6, engaged_epoch=6, state="ENGAGED")),
            ENGAGED,
            Consequence.RECORD,
            True,
        ),
        (evidence(record(epoch=7, engaged_epoch=6)), ENGAGED, Consequence.RECORD, True),
        (evidence(record(engaged_epoch=5, state="ENGAGED")), ENGAGED, Consequence.RECORD, False),
        (evidence(record(epoch=6, state="REDUCE_ONLY")), REDUCE_ONLY, Consequence.RECORD, True),
        (evidence(record(epoch=6, state="REDUCE_ONLY")), ENGAGED, Consequence.RECORD, False),
        (evidence(record(state="REDUCE_ONLY")), REDUCE_ONLY, Consequence.RECORD, False),
        (evidence(record(epoch=6)), REDUCE_ONLY, Consequence.RECORD, False),
        (evidence(), ENGAGED, Consequence.RECORD, False),
        (evidence(), ENGAGED, Consequence.CONFIRM, True),
        (evidence(witness=MISSING), ENGAGED, Consequence.CONFIRM, False),
        (evidence(kill=KILL), ENGAGED, Consequence.CONFIRM, False),
    ],
)
def test_what_was_seen_is_moot_once_it_is_on_record_or_was_a_writer_at_work(
    workspace: Workspace, found: Evidence, state: SwitchState, follow: Consequence, is_moot: bool
) -> None:
    breaker = workspace.armed(clock=Clock(NOW_NS))
    pending = Pending(Cause(state, follow, "seen"), 5, own=False)
    assert breaker._writer._is_moot(pending, found, False) is is_moot
