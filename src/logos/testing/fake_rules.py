"""How the fake venue fills orders, and what goes wrong there: chances and times of a test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FillRules:
    """How orders fill, as shares of all orders; what is left of 1 never fills by itself."""

    at_once: float = 0.5
    in_parts: float = 0.2
    later: float = 0.2
    later_s: float = 20.0
    """The latest that a part, or a late fill, comes after the order's arrival."""
    fills_market: bool = False
    """Whether market orders that would never fill do so within `later_s`: the market is open."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong: chances of a request or an order, and times in seconds."""

    lost_before: float = 0.0
    """A submit or cancel times out and never reached the venue."""
    lost_after: float = 0.0
    """A submit or cancel times out, and the venue has it: at once, or within `late_s`."""
    turned_away: float = 0.0
    """NotSent: a rate limit or maintenance."""
    refused: float = 0.0
    """Refused: the order does not exist."""
    rejected: float = 0.0
    """The order is on record there, as REJECTED."""
    silent: float = 0.0
    """Half open: no answer ever, to an order, a cancel or a question."""
    silent_arrives: float = 0.5
    """Of orders and cancels that are never answered: how many arrived."""
    unavailable: float = 0.0
    """A question cannot be answered."""
    slow: float = 0.0
    """The answer to an order or cancel takes up to `slow_s`, with nothing wrong."""
    hidden: float = 0.0
    """The order cannot be found for up to `hidden_s` after its arrival."""
    racing: float = 0.0
    """A cancel finds the order filled in part, or wholly, a moment earlier."""
    expired: float = 0.0
    """The venue lets an order expire by itself, within `slow_s` of its fills' time."""
    unsorted: float = 0.0
    """A list of fills comes shuffled, some of them twice, some without their client id."""
    retry_after_s: float = 1.0
    timeout_s: float = 5.0
    late_s: float = 3.0
    slow_s: float = 4.0
    hidden_s: float = 4.0
    listed_s: float = 0.0
    """The longest a fill takes from the order's count to the list of fills."""
    skew_s: float = 0.0
    """How far the venue's clock is ahead of ours (negative: behind)."""
