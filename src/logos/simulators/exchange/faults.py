"""What can go wrong between a client and an exchange, and when it is to go wrong.

A rule says which requests it is about (a piece of their path), how many of them it lets pass
first, how many it then spoils, and how. Rules are asked in the order they were made and each
counts for itself, so that "the third request for trades fails twice" is one line of a test. A
seeded plan draws faults from a generator instead: the same seed spoils the same requests.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random


class Fault(enum.Enum):
    """One way of failing. The last group is about what an answer holds, not how it travels."""

    TIMEOUT_BEFORE = "timeout_before"
    """The request is read and never handled nor answered (a half-open connection)."""
    TIMEOUT_AFTER = "timeout_after"
    """The request is handled and never answered."""
    RESET_BEFORE = "reset_before"
    """The connection is reset before the request is handled."""
    RESET_AFTER = "reset_after"
    """The request is handled, then the connection is reset."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After; the request is not handled."""
    SERVER_ERROR = "server_error"
    """500; the request is not handled."""
    SERVER_ERROR_AFTER = "server_error_after"
    """The request is handled, and answered with 500."""
    UNAVAILABLE = "unavailable"
    """503 with a page instead of JSON; the request is not handled."""
    MAINTENANCE = "maintenance"
    """503 with the exchange's own words about maintenance; the request is not handled."""
    UNSURE = "unsure"
    """The request is handled, and answered with the exchange's words that it does not know what
    became of it."""
    MALFORMED = "malformed"
    """200 with text that is no JSON; the request is handled."""
    TRUNCATED = "truncated"
    """200 with the first half of the answer; the request is handled."""

    DUPLICATE = "duplicate"
    """Rows come twice."""
    REORDERED = "reordered"
    """Rows come in another order."""
    LATE = "late"
    """The newest rows are held back until the next answer."""
    GAP = "gap"
    """Rows in the middle are missing."""
    EMPTY_BOOK = "empty_book"
    """No bids and no asks."""
    CROSSED_BOOK = "crossed_book"
    """The best bid is above the best ask."""


IN_THE_ANSWER = frozenset(
    {
        Fault.DUPLICATE,
        Fault.REORDERED,
        Fault.LATE,
        Fault.GAP,
        Fault.EMPTY_BOOK,
        Fault.CROSSED_BOOK,
    }
)
"""Faults that the handler of a request applies itself."""


@dataclass(slots=True)
class Rule:
    """Spoil `times` requests whose "METHOD /path" holds `where`, after letting `after` pass."""

    where: str
    fault: Fault
    times: int = 1
    after: int = 0
    retry_after_s: int = 1
    spoiled: int = 0

    def applies(self, request_line: str) -> bool:
        """Whether this request is to be spoiled; counts it."""
        if self.where not in request_line or self.spoiled >= self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.spoiled += 1
        return True


class FaultPlan:
    """The rules of one server, and the dice."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.spoiled: list[tuple[str, Fault]] = []
        """Every request that was spoiled, and how, in order."""
        self._random: Random | None = None
        self._odds: Mapping[Fault, float] = {}
        self._where: Sequence[str] = ()

    def add(self, rule: Rule) -> Rule:
        """Follow one more rule."""
        self.rules.append(rule)
        return rule

    def roll(self, random: Random, odds: Mapping[Fault, float], where: Sequence[str] = ()) -> None:
        """From now on each request fails with these odds (a fault's chance, 0 to 1).

        `where` limits it to requests whose line holds one of these pieces.
        """
        self._random = random
        self._odds = dict(odds)
        self._where = tuple(where)

    def clear(self) -> None:
        """Forget all rules and dice: everything works again."""
        self.rules.clear()
        self._random = None

    def next(self, request_line: str) -> Rule | None:
        """How this request ("GET /api/v3/depth") is to fail, or None."""
        rule = next((rule for rule in self.rules if rule.applies(request_line)), None)
        if rule is None:
            rule = self._rolled(request_line)
        if rule is not None:
            self.spoiled.append((request_line, rule.fault))
        return rule

    def _rolled(self, request_line: str) -> Rule | None:
        if self._random is None:
            return None
        if self._where and not any(piece in request_line for piece in self._where):
            return None
        draw = self._random.random()
        for fault, chance in self._odds.items():
            draw -= chance
            if draw < 0:
                return Rule(request_line, fault, spoiled=1)
        return None
