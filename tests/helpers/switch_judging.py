"""Records, copies and evidence for the judge of the switch, and what it says of them."""

from __future__ import annotations

from typing import Any

import msgspec

from logos.core.types import SwitchState
from logos.killswitch.evidence import NO_KEY, Copy, Evidence, Marker
from logos.killswitch.history import Tail
from logos.killswitch.judge import Consequence, Memory, Terms, Verdict, judge
from logos.killswitch.records import NO_PREVIOUS, SCHEMA, MarkerNote, Transition, encode_line

SECOND = 10**9
NOW_NS = 1_700_000_000 * SECOND
PAPER = Terms("paper", "1.0", "here")
NOTE = MarkerNote()


def record(**changes: Any) -> Transition:
    """A record that permits paper trading, as epoch 5 of the switch."""
    plain = Transition(
        schema=SCHEMA,
        epoch=5,
        state="SAFE",
        was="ENGAGED",
        who="ann",
        why="checked",
        time_ns=NOW_NS,
        mode="paper",
        build="1.0",
        host="here",
        granted_epoch=5,
        engaged_epoch=4,
        markers="",
        previous=NO_PREVIOUS,
    )
    return msgspec.structs.replace(plain, **changes)


def copy_of(transition: Transition) -> Copy:
    return Copy(encode_line(transition), transition, "", True)


def evidence(transition: Transition | None = None, **changes: Any) -> Evidence:
    """A disk on which all copies hold `transition`, without any marker."""
    held = record() if transition is None else transition
    line = encode_line(held)
    tail = Tail(True, line, 0, "")
    same = copy_of(held)
    plain = Evidence("", None, None, same, same, tail, held, True, True, NO_KEY, (-1, -1))
    return msgspec.structs.replace(plain, **changes)


def judged(
    found: Evidence, memory: Memory | None = None, terms: Terms = PAPER, **how: Any
) -> Verdict:
    return judge(found, memory or Memory(), terms, **{"now_ns": NOW_NS, **how})


def follows(verdict: Verdict) -> list[tuple[SwitchState, Consequence]]:
    return [(cause.state, cause.follow) for cause in verdict.causes]


KILL = Marker("KILL:1:1:0", NOTE, "")
