"""Judges a run of the campaign from outside: orders with their times, the coordinator's history.

Shares no code with what it judges. Of each engine it knows from the coordinator's own history which
renewals were committed, what the switch was when they were, and when each had been begun: what an
engine may have read at all. An order may leave only within the time to live of a renewal that saw
SAFE; and where two such renewals lie further apart than that, none may leave ever after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Change:
    """A change of one key: its revision, and its value (None: deleted)."""

    revision: int
    key: str
    value: Mapping[str, Any] | None


@dataclass
class Verdict:
    """What became of one engine in one run."""

    token: str
    orders: int = 0
    last_ns: int = 0
    """When the last order left; 0: none did."""
    unpermitted: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    """Of orders that passed their gate within the permit and left after its end: how long after.
    Their process stood still in between, which no gate on the sender's side can know."""
    unkills: int = 0
    refused_ns: int = 0
    """When an order was first refused; 0: never."""


def states_of(changes: Sequence[Change], fleet: str, before: str) -> list[tuple[int, str]]:
    """The states of the switch, each from its revision on; `before` is the one at the start."""
    found = [(0, before)]
    for change in changes:
        if change.key == f"logos/{fleet}/switch":
            state = "MISSING" if change.value is None else str(change.value.get("state"))
            found.append((change.revision, state))
    return found


def renewals_of(
    changes: Sequence[Change], fleet: str, token: str, before: str
) -> list[tuple[int, str]]:
    """When each committed renewal of an engine was begun, and the state that it read."""
    states = states_of(changes, fleet, before)
    found = []
    for change in changes:
        if change.key != f"logos/{fleet}/engines/{token}" or change.value is None:
            continue
        # It reads before it writes, in one transaction: what it saw is older than its own revision.
        read = [state for revision, state in states if revision < change.revision][-1]
        found.append((int(change.value["renewed_ns"]), read))
    return sorted(found)


def allowed_until(renewals: Sequence[tuple[int, str]], ttl_ns: int) -> list[tuple[int, int]]:
    """The spans in which orders may leave: from the first renewal to the first lapse, or to the end
    of the last one that saw SAFE."""
    spans: list[tuple[int, int]] = []
    for begun_ns, state in renewals:
        if state != "SAFE":
            break
        if spans and begun_ns >= spans[-1][1]:
            break
        spans.append((begun_ns, begun_ns + ttl_ns))
    return spans


def judge(token: str, lines: Sequence[str], spans: Sequence[tuple[int, int]]) -> Verdict:
    """Judge an engine's orders (see `fleet_engine`) by the spans in which they were permitted."""
    verdict = Verdict(token)
    for line in lines:
        kind, *times = line.split()
        if kind == "R":
            verdict.refused_ns = verdict.refused_ns or int(times[0])
            continue
        gate_ns, sent_ns = int(times[0]), int(times[1])
        verdict.orders += 1
        if any(begin <= sent_ns < end for begin, end in spans):
            verdict.last_ns = max(verdict.last_ns, sent_ns)
        elif any(begin <= gate_ns < end for begin, end in spans):
            verdict.held.append(
                sent_ns - max(end for begin, end in spans if begin <= gate_ns < end)
            )
        else:
            verdict.unpermitted.append(sent_ns)
            verdict.last_ns = max(verdict.last_ns, sent_ns)
        if verdict.refused_ns and sent_ns > verdict.refused_ns:
            verdict.unkills += 1
    return verdict
