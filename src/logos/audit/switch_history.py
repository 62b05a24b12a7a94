"""What the kill switch's own history says of the time in which a session ran.

A strategy that takes the switch away in its process leaves a journal in which nothing was engaged.
The switch's history was written by another process, and names each engagement with its time. One
that came while the session certainly still ran, and that its journal does not know, is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from logos.audit.findings import Finding
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.records import Transition

MARGIN_NS: Final = 5_000_000_000
"""How long an engagement must have stood within the session's time: two clocks are compared."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def check_history(
    folder: Path, host: Mapping[str, Any], states: Sequence[str], last_live_ns: int
) -> list[Finding]:
    """Engagements in the switch `folder` that a session should have seen, and did not.

    `host` is its host.json, `states` what its journal saw of the switch, `last_live_ns` the time of
    a live session's last record (0: recorded data, whose times are not the clock's). Raises
    SwitchError for a history that cannot be read.
    """
    if host.get("kill_switch") != "workspace" or "ENGAGED" in states:
        return []
    try:
        started_ns = _nanoseconds(str(host["started"]))
        run_ns = int(float(host["run_seconds"]) * 1e9)
    except (LookupError, ValueError):
        return [Finding("host.json", "started", "is no time, or run_seconds is no number")]
    ended_ns = last_live_ns or started_ns + run_ns
    return [
        Finding("state.jsonl", "", f"does not know that the kill switch was {words}")
        for from_ns, until_ns, words in _engagements(CircuitBreakerMonitor(folder).history())
        if started_ns <= from_ns and min(until_ns, ended_ns) - from_ns > MARGIN_NS
    ]


def _engagements(history: Sequence[Transition]) -> list[tuple[int, int, str]]:
    """From when until when the switch was engaged, nanoseconds since 1970 UTC, and by whom."""
    found: list[tuple[int, int, str]] = []
    since: Transition | None = None
    for each in history:
        if each.state == "ENGAGED":
            since = since or each
        elif since is not None:
            found.append((since.time_ns, each.time_ns, _words(since)))
            since = None
    if since is not None:
        found.append((since.time_ns, 1 << 63, _words(since)))
    return found


def _words(each: Transition) -> str:
    moment = datetime.fromtimestamp(each.time_ns // 10**9, UTC)
    return f"engaged at {moment:%Y-%m-%d %H:%M:%S} UTC by {each.who}, while the session ran"


def _nanoseconds(text: str) -> int:
    """A time as host.json has it, in nanoseconds since 1970. Raises ValueError."""
    moment = datetime.strptime(text.split(".")[0] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return (moment - _EPOCH) // timedelta(seconds=1) * 10**9
