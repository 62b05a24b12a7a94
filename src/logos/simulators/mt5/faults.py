"""Faults on demand, from a seed: what goes wrong with the n-th request follows from the seed alone.

A request can fail on its way (its OK or its answer is lost, late or comes twice) or at the broker
(a requote, a partial fill, any return code). The two are drawn apart, so that adding one kind does
not move the others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

import msgspec

UNREAD: Final = "unread"
OK_LOST: Final = "ok_lost"
LOST: Final = "lost"
LATE: Final = "late"
TWICE: Final = "twice"

_REQUOTE: Final = 10004


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities from 0 to 1, delays in seconds; everything is off by default."""

    seed: int = 0
    unread: float = 0.0
    """The request vanishes: no OK, no answer, nothing is done."""
    ok_lost: float = 0.0
    """The request is carried out, but neither OK nor answer comes."""
    lost: float = 0.0
    """The answer is lost."""
    late: float = 0.0
    """The answer comes after `late_s`."""
    late_s: float = 1.0
    twice: float = 0.0
    """The answer comes again, after `twice_s`."""
    twice_s: float = 0.0
    requote: float = 0.0
    partial: float = 0.0
    """A market order of two volume steps or more is filled in part, and its rest is gone."""
    damaged: float = 0.0
    """A list comes after an error about one of its entries, which it may lack; only the published
    Expert Advisor does that."""
    retcodes: Mapping[int, float] = msgspec.field(default_factory=dict)
    """Return codes with which trade requests are refused."""
    slow_s: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Symbols whose answers all take this long."""
    disconnect_every_s: float = 0.0
    """The terminal loses its broker this often; 0: never."""
    disconnect_for_s: float = 0.5

    @property
    def spares_requests(self) -> bool:
        """Whether nothing ever happens to a request on its way or at the broker."""
        return not (
            self.unread or self.ok_lost or self.lost or self.late or self.twice or self.requote
            or self.partial or self.damaged or self.retcodes
        )  # fmt: skip

    def __post_init__(self) -> None:
        delivery = self.unread + self.ok_lost + self.lost + self.late + self.twice
        broker = self.requote + self.partial + sum(self.retcodes.values())
        for total, words in ((delivery, "of delivery"), (broker, "at the broker")):
            if not 0 <= total <= 1:
                raise ValueError(f"faults: the probabilities {words} add up to {total}, not 0 to 1")
        if not 0 <= self.damaged <= 1:
            raise ValueError(f"faults: damaged is {self.damaged}, not 0 to 1")


class Fate(msgspec.Struct, frozen=True):
    """What happens to one request: how it is delivered, and what the broker says ("" and 0: all
    is well); `is_partial` asks for a partial fill. `is_damaged`: the entries of a list come with an
    error before it, and with `loses_entry` the list lacks them."""

    delivery: str
    retcode: int
    is_partial: bool
    is_damaged: bool = False
    loses_entry: bool = False


ALL_WELL: Final = Fate("", 0, False)


def fate_of(plan: FaultPlan, sequence: int) -> Fate:
    """The fate of request number `sequence`."""
    if plan.spares_requests:
        return ALL_WELL  # as would be drawn
    # Text seeds go through SHA-512, so the draw is the same on every Python.
    generator = random.Random(f"{plan.seed}/{sequence}")  # noqa: S311 - reproducible, not secret
    deliveries = {
        UNREAD: plan.unread,
        OK_LOST: plan.ok_lost,
        LOST: plan.lost,
        LATE: plan.late,
        TWICE: plan.twice,
    }
    delivery = _pick(generator.random(), deliveries) or ""
    answers: dict[object, float] = {_REQUOTE: plan.requote, "partial": plan.partial}
    for code, share in plan.retcodes.items():
        answers[code] = answers.get(code, 0.0) + share
    answer = _pick(generator.random(), answers)
    is_damaged = bool(plan.damaged) and generator.random() < plan.damaged
    return Fate(
        str(delivery),
        answer if isinstance(answer, int) else 0,
        answer == "partial",
        is_damaged,
        is_damaged and generator.random() < 0.5,
    )


def _pick(draw: float, shares: Mapping[str, float] | Mapping[object, float]) -> object:
    for name, share in shares.items():
        if draw < share:
            return name
        draw -= share
    return None
