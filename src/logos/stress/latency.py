"""The rule on latency: of each symbol by itself, so that none can hide among the others.

The slow symbol of `slow_ms` is not judged. What it may cost the others depends on the terminal:
where answers name no request, the lock is held while its answer is waited for, so the others may
lose one request's deadline; where answers carry ids, they may lose nothing.
"""

from __future__ import annotations

from typing import Final

from logos.stress.evidence import Evidence
from logos.stress.gateway_rules import ANSWER
from logos.stress.numbers import order_lives, spread
from logos.stress.results import ALL

_NS_PER_MS: Final = 1_000_000
_LEISURELY: Final = frozenset(("slow_ms", "late_ms", "disconnect_for"))
"""Settings of the simulator that are no fault by themselves, or are judged here."""


def check_latency(evidence: Evidence) -> tuple[str, list[str]]:
    """From an order's making to the venue's yes, and to its fill: 99 of 100 within the bound."""
    plan = evidence.plan
    if not plan.latency_ms:
        return "not judged: no bound was asked for", []
    faults = [name for name, value in plan.faults.items() if value and name not in _LEISURELY]
    if faults or plan.kill:
        why = f"{', '.join(faults) or 'a kill'} makes orders wait on purpose"
        return f"not judged: {why}", []
    slow = plan.symbols[-1].name if plan.faults.get("slow_ms") else ""
    has_ids = any(each["action"] == ANSWER for each in evidence.gateway)
    bound_ms = plan.latency_ms
    if slow and not has_ids:
        bound_ms += 1000 * plan.reply_timeout_s
    problems = []
    worst_ms = 0.0
    judged = 0
    for what, lives in zip(("accepted", "filled"), order_lives(evidence), strict=True):
        for symbol, durations in sorted(lives.items()):
            if symbol in (slow, ALL):
                continue
            judged += 1
            p99_ms = spread(durations).p99_ns / _NS_PER_MS
            worst_ms = max(worst_ms, p99_ms)
            if p99_ms > bound_ms:
                words = f"made to {what} took {p99_ms:.1f} ms (p99), above {bound_ms:g} ms"
                problems.append(f"{symbol}: {words}")
    if not judged:
        problems.append("no order was accepted")
    but = f", {slow} left out" if slow else ""
    return f"p99 at most {worst_ms:.1f} of {bound_ms:g} ms, each symbol by itself{but}", problems
