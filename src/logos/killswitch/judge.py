"""From evidence to a state: the rules of the kill switch, as one pure function.

Problem: "fail closed" is easy to say and easy to lose in a branch. Method: nothing here reads a
file or a clock. `judge` collects every reason against trading, each a `Cause` with its severity
and what must follow from it, and the state is the most severe. SAFE is what is left when no cause
was found, and it takes a valid record, agreeing copies and no marker to find none.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.evidence import Evidence, Marker
from logos.killswitch.ledger import KILL_FILE, REDUCE_FILE
from logos.killswitch.records import Mode, Transition

CLOCK_TOLERANCE_NS: Final = 5 * NS_PER_SECOND
"""How far a clock may step back (time servers do that) before it stops trading."""

SAFE: Final = SwitchState.SAFE
REDUCE_ONLY: Final = SwitchState.REDUCE_ONLY
ENGAGED: Final = SwitchState.ENGAGED


class Consequence(enum.Enum):
    """What a cause demands beyond the state it gives."""

    NOTHING = "nothing"
    """The arm record says so itself."""
    RECORD = "record"
    """Write it into the record, so that it outlives what caused it."""
    CONFIRM = "confirm"
    """A writer may be half-way: look again under the lock, and record it if it is still so."""
    LOCAL = "local"
    """True of this process only; others may trade."""
    WAIT_FOR_ARMING = "wait"
    """Nothing is armed here: a machine that is new, or one that lost its switch."""


class Cause(msgspec.Struct, frozen=True):
    """One reason against SAFE."""

    state: SwitchState
    follow: Consequence
    why: str
    who: str = "logos"


class Pending(msgspec.Struct, frozen=True):
    """An engagement that this process knows of and the disk does not, yet."""

    cause: Cause
    seen_epoch: int
    """The newest epoch known when it was seen."""
    own: bool
    """Asked for through this object: it gets a transition of its own in any case."""


class Memory(msgspec.Struct, frozen=True):
    """What the process remembers of earlier looks."""

    epoch: int = 0
    """The highest epoch ever seen."""
    line: bytes = b""
    """The arm record of that epoch."""
    latched: SwitchState = SAFE
    latched_epoch: int = 0
    """Only a record granted after this epoch lifts `latched`."""
    granted_epoch: int = 0
    """The newest grant ever seen; a newer one starts the watch over the clock anew."""
    latest_ns: int = 0
    pending: Pending | None = None


class Terms(msgspec.Struct, frozen=True):
    """What this process needs a SAFE record to permit."""

    mode: Mode
    build: str
    host: str
    network_problem: str = ""
    flag_problem: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """The state and every cause of it, most severe first."""

    state: SwitchState
    causes: tuple[Cause, ...]

    def first(self, *follows: Consequence) -> Cause | None:
        """The most severe cause with one of these consequences."""
        return next((cause for cause in self.causes if cause.follow in follows), None)


def judge(
    evidence: Evidence,
    memory: Memory,
    terms: Terms,
    *,
    now_ns: int,
    flag: tuple[int, int] = (0, 0),
    history_problem: str = "",
    strict_markers: bool = False,
) -> Verdict:
    """Judge the switch as this process sees it.

    `memory` must have been taken before the evidence was: then an older record on the disk can
    only be a rollback. `flag` is the shared flag's (state, epoch). `strict_markers` also reports
    a marker that was touched again after an engagement was recorded.
    """
    causes = _causes_of_process(memory, terms)
    if evidence.is_unarmed and memory.epoch == 0:
        why = "nothing was ever armed on this machine"
        if evidence.past:
            why = (
                "the kill switch of this workspace is gone, its witness too, but "
                f"{evidence.past}: a person must arm it anew"
            )
        causes.append(Cause(ENGAGED, Consequence.WAIT_FOR_ARMING, why))
        return _verdict(causes)
    record = evidence.armed.transition
    if evidence.folder_problem:
        causes.append(Cause(ENGAGED, Consequence.RECORD, evidence.folder_problem))
    elif record is None:
        # Missing may be an arming under way; anything unreadable is damage.
        follow = (
            Consequence.RECORD if evidence.armed.exists or memory.epoch else Consequence.CONFIRM
        )
        causes.append(Cause(ENGAGED, follow, evidence.armed.problem))
    if not evidence.stable:
        causes.append(Cause(ENGAGED, Consequence.CONFIRM, "the arm record keeps changing"))
    causes += _causes_of_markers(evidence, strict_markers)
    if history_problem and not (record is not None and record.severity is ENGAGED):
        causes.append(Cause(ENGAGED, Consequence.CONFIRM, history_problem))
    if record is not None:
        causes += _causes_of_record(evidence, record, memory, terms, now_ns, flag)
    return _verdict(causes)


def _verdict(causes: list[Cause]) -> Verdict:
    ordered = tuple(sorted(causes, key=lambda cause: -cause.state))
    return Verdict(ordered[0].state if ordered else SAFE, ordered)


def _causes_of_process(memory: Memory, terms: Terms) -> list[Cause]:
    causes = []
    for problem in (terms.network_problem, terms.flag_problem):
        if problem:
            causes.append(Cause(ENGAGED, Consequence.LOCAL, problem))
    if memory.pending is not None:
        # It is recorded through the pending entry itself, not through this cause.
        seen = memory.pending.cause
        follow = Consequence.CONFIRM if seen.follow is Consequence.CONFIRM else Consequence.NOTHING
        causes.append(Cause(seen.state, follow, seen.why, seen.who))
    return causes


def _causes_of_markers(evidence: Evidence, strict: bool) -> list[Cause]:
    record = evidence.armed.transition
    causes = []
    for name, marker, state in (
        (KILL_FILE, evidence.kill, ENGAGED),
        (REDUCE_FILE, evidence.reduce, REDUCE_ONLY),
    ):
        if marker is None:
            continue
        if record is not None and record.severity >= state:
            newer = marker.identity not in record.markers.split(";")
            if not (strict and newer):
                continue
            state = record.severity
        causes.append(_marker_cause(name, marker, state))
    return causes


def _marker_cause(name: str, marker: Marker, state: SwitchState) -> Cause:
    what = f"the marker {name} is there"
    if marker.kind:
        what += f" ({marker.kind})"
    # The note's words alone: an engagement leaves its marker before its record, and whoever looks
    # in between must give the reason that the record will give.
    why = marker.note.why or what
    return Cause(state, Consequence.RECORD, why, marker.note.who or "whoever made the marker")


def _causes_of_record(
    evidence: Evidence,
    record: Transition,
    memory: Memory,
    terms: Terms,
    now_ns: int,
    flag: tuple[int, int],
) -> list[Cause]:
    """Reasons in a record that reads well, from the record itself to the faintest doubt."""
    causes = []
    if record.severity is not SAFE:
        causes.append(Cause(record.severity, Consequence.NOTHING, record.why, record.who))
    if record.severity is ENGAGED:
        return causes
    if record.epoch < memory.epoch or (
        record.epoch == memory.epoch and memory.line not in (b"", evidence.armed.line)
    ):
        why = (
            f"the arm record is of epoch {record.epoch}, but this process has seen another one "
            f"of epoch {memory.epoch}: an older copy was put back"
        )
        causes.append(Cause(ENGAGED, Consequence.RECORD, why))
    disagreement = _disagreement(evidence, record)
    if disagreement:
        causes.append(Cause(ENGAGED, Consequence.CONFIRM, disagreement))
    if flag[0] > record.severity and flag[1] >= record.epoch:
        why = "a process engaged through the shared flag and could not write it down"
        hinted = REDUCE_ONLY if flag[0] == REDUCE_ONLY else ENGAGED
        causes.append(Cause(hinted, Consequence.CONFIRM, why))
    elif flag[1] > record.epoch:
        why = f"the shared flag knows epoch {flag[1]}, the arm record is of {record.epoch}"
        causes.append(Cause(ENGAGED, Consequence.CONFIRM, why))
    latest_ns = record.time_ns
    if record.granted_epoch <= memory.granted_epoch:
        latest_ns = max(latest_ns, memory.latest_ns)
    if now_ns < latest_ns - CLOCK_TOLERANCE_NS:
        behind_s = (latest_ns - now_ns) / NS_PER_SECOND
        why = f"the clock went backwards: it is {behind_s:.1f} s behind what was seen before"
        causes.append(Cause(ENGAGED, Consequence.RECORD, why))
    if terms.mode == "live":
        causes += _causes_of_live_terms(record, terms)
    if memory.latched > record.severity and record.granted_epoch <= memory.latched_epoch:
        why = f"this process saw {memory.latched.name}, and no reset since"
        causes.append(Cause(memory.latched, Consequence.LOCAL, why))
    return causes


def _disagreement(evidence: Evidence, record: Transition) -> str:
    """How the witness or the history contradict a record that is not ENGAGED; empty: not at all.

    SAFE takes three equal copies. REDUCE_ONLY is written record first, so the others may lag.
    """
    if evidence.tail.problem:
        return evidence.tail.problem
    if evidence.tail.torn_bytes:
        return "the history ends in the middle of a line"
    for name, line, other, exists in (
        ("the history", evidence.tail.line, evidence.tail_transition, evidence.tail.exists),
        (
            "the witness outside the folder",
            evidence.witness.line,
            evidence.witness.transition,
            evidence.witness.exists,
        ),
    ):
        if line == evidence.armed.line:
            continue
        if other is None:
            return f"{name} is {'damaged' if exists else 'missing'}"
        if other.epoch > record.epoch:
            return (
                f"{name} is at epoch {other.epoch}, the arm record at {record.epoch}: an older "
                "copy of the folder was put back, or a change was cut short"
            )
        if other.epoch == record.epoch or record.severity is SAFE:
            return f"{name} (epoch {other.epoch}) disagrees with the arm record ({record.epoch})"
    return ""


def _causes_of_live_terms(record: Transition, terms: Terms) -> list[Cause]:
    """Trading real money takes a record made for it, by this build, on this host."""
    reasons = []
    if record.mode != "live":
        reasons.append("the switch is armed for paper, not for live trading")
    if record.build != terms.build:
        reasons.append(f"the switch was armed for build {record.build!r}, this is {terms.build!r}")
    if record.host != terms.host:
        reasons.append(f"the switch was armed on host {record.host!r}, this is {terms.host!r}")
    return [Cause(ENGAGED, Consequence.LOCAL, why) for why in reasons]
