"""What a session says of its end: how it ended, why it halted, what was refused most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from logos.core.types import SessionStatus
from logos.session.artifacts.counts import trigger_words
from logos.session.artifacts.cures import cure, most_frequent

Summary = Mapping[str, Any]

_CODES_MAX = 5
"""Codes of refusals that a terminal shows with their cures; session.md has all."""
_ORDERS_MAX = 5


def how_it_ended(summary: Summary) -> str:
    """Why the session ended, and what of its orders must not be overlooked."""
    return "; ".join(filter(None, (summary["reason"], summary["headline"])))


def halt_lines(summary: Summary) -> list[tuple[str, str]]:
    """What a halted session must say: its trigger, the limit that was passed, what is still held,
    the next commands. Each a title and words; nothing for a session that did not halt."""
    if summary["status"] != SessionStatus.HALTED.value:
        return []
    lines = []
    first = summary["trigger"]
    if first is not None:
        lines.append(("trigger", trigger_words(first)))
        limits = {row["guard"]: row["limit"] for row in summary["limits"]}
        if first["guard"] in limits:
            lines.append(("limit", limits[first["guard"]]))
    lines.append(("holds", held_words(summary)))
    return [*lines, *(("next", command) for command in summary["next"])]


def held_words(summary: Summary) -> str:
    """Positions with their marks, and orders that are open."""
    held = summary["held"]
    parts = [
        f"{quantity} {symbol} at {summary['symbols'][symbol]['mark']}"
        for symbol, quantity in held["positions"].items()
    ]
    orders = held["orders"]
    if orders:
        named = ", ".join(orders[:_ORDERS_MAX])
        more = f" and {len(orders) - _ORDERS_MAX} more" if len(orders) > _ORDERS_MAX else ""
        parts.append(f"open orders {named}{more}")
    return ", ".join(parts) or "no position, no open order"


def code_lines(title: str, counts: Mapping[str, int]) -> list[str]:
    """The most frequent codes, a line for each: how often it came, and what would cure it."""
    lines = [
        f"{title:<9} {code} {count:,}: {cure(code)}"
        for code, count in most_frequent(counts, _CODES_MAX)
    ]
    left = len(counts) - len(lines)
    return [*lines, f"{title:<9} and {left} more codes: see session.md"] if left else lines
