"""What an alert is, and what a channel gets of it.

An alert is made once, from what a session or the kill switch wrote, and kept until every channel
that wants it has it. Its id says where it comes from, so that the same thing read twice makes the
same alert: `SESSION:SEQUENCE:CRC` for a line of a journal, `switch:EPOCH` for a transition of the
switch, `SESSION:crash:LIFE` for a death, `SUBJECT:KIND:NANOSECONDS` for a condition. A channel may
get an alert twice (the sender died between delivery and note), and the id tells.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from logos.config.tables.alerts import AlertKind
from logos.core.types import NS_PER_SECOND
from logos.shown import plain

SCHEMA: Final = "logos-alert/1"
TEXT_MAX: Final = 1_000
"""Characters of an alert's text."""
SUMMARY_LINES_MAX: Final = 10
"""How many alerts a summary repeats in words."""

URGENT: Final = frozenset(
    (
        AlertKind.SWITCH,
        AlertKind.HALT,
        AlertKind.CRASH,
        AlertKind.STRATEGY,
        AlertKind.FAILED,
    )
)
"""Kinds after which a session does not trade any more, or not as it did."""


class Alert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that people should know. Times are nanoseconds since 1970 UTC."""

    id: str
    kind: AlertKind
    workspace: str
    session: str
    """Empty when it is of the workspace as a whole."""
    cause: str
    """What repeats of it have in common, besides session and kind."""
    text: str
    next: str
    """The command to type next."""
    time_ns: int
    """When it was noticed."""
    event_ns: int = 0
    """The time of what it is about, as that was written down; 0: as noticed."""
    condition: str = ""
    """What is so as long as it lasts; empty for what happened once."""
    channels: tuple[str, ...] = ()
    """Who is to get it."""

    @property
    def repeats_of(self) -> tuple[str, str, str]:
        """The same for alerts that say the same again."""
        return self.session, self.kind.value, self.cause

    @property
    def is_urgent(self) -> bool:
        """Whether it may not wait behind others."""
        return self.kind in URGENT


class Message(msgspec.Struct, frozen=True):
    """What a channel gets: one JSON object, see docs/ALERTS.md."""

    schema: str
    id: str
    kind: str
    severity: str
    """critical or warning; a test is info."""
    host: str
    workspace: str
    session: str
    time: str
    """When it was noticed, UTC."""
    event_time: str
    text: str
    next: str
    covers: tuple[str, ...]
    """The ids of the alerts that this stands for; of a single alert, its own."""

    @property
    def title(self) -> str:
        """One line for people."""
        about = f"{self.session}: " if self.session else ""
        return f"logos {self.kind.upper()} {about}{self.text.splitlines()[0][:120]}"

    @property
    def body(self) -> str:
        """Some lines for people."""
        lines = [
            self.text,
            "",
            f"session    {self.session or '(the workspace)'}",
            f"workspace  {self.workspace}",
            f"host       {self.host}",
            f"time       {self.time}",
        ]
        if self.next:
            lines.append(f"next       {self.next}")
        lines.append(f"id         {self.id}")
        return "\n".join(lines) + "\n"


def fit(text: str) -> str:
    """`text` on one line, bounded, and without what a terminal would obey."""
    flat = plain(text)
    return flat if len(flat) <= TEXT_MAX else f"{flat[: TEXT_MAX - 3]}..."


def message_of(alert: Alert) -> Message:
    """What a channel gets of one alert."""
    return Message(
        schema=SCHEMA,
        id=alert.id,
        kind=alert.kind.value,
        severity="critical" if alert.is_urgent else "warning",
        host=socket.gethostname(),
        workspace=alert.workspace,
        session=alert.session,
        time=moment(alert.time_ns),
        event_time=moment(alert.event_ns or alert.time_ns),
        text=alert.text,
        next=alert.next,
        covers=(alert.id,),
    )


def summary_of(alerts: Sequence[Alert]) -> Message:
    """What a channel gets of several alerts at once: urgent ones first, ten in words."""
    ordered = sorted(alerts, key=lambda alert: (not alert.is_urgent, alert.time_ns))
    first = ordered[0]
    lines = [f"{len(alerts)} more alerts were held back"]
    for alert in ordered[:SUMMARY_LINES_MAX]:
        about = f"{alert.session}: " if alert.session else ""
        lines.append(f"{moment(alert.time_ns)} {alert.kind.value} {about}{alert.text}")
    if len(alerts) > SUMMARY_LINES_MAX:
        lines.append(f"and {len(alerts) - SUMMARY_LINES_MAX} more: `logos alerts list` has all")
    sessions = {alert.session for alert in alerts}
    return msgspec.structs.replace(
        message_of(first),
        id=f"summary:{alerts[-1].id}",
        kind="summary",
        session=first.session if len(sessions) == 1 else "",
        text="\n".join(lines),
        covers=tuple(alert.id for alert in alerts),
    )


def test_message(channel: str, workspace: str, now_ns: int) -> Message:
    """What `logos alerts test` sends."""
    return Message(
        schema=SCHEMA,
        id=f"test:{channel}:{now_ns}",
        kind="test",
        severity="info",
        host=socket.gethostname(),
        workspace=workspace,
        session="",
        time=moment(now_ns),
        event_time=moment(now_ns),
        text=f"this is a test of the channel {channel}; nothing has happened",
        next="",
        covers=(),
    )


def moment(time_ns: int) -> str:
    """A time for people and programs: ISO-8601 UTC, milliseconds."""
    seconds, rest = divmod(time_ns, NS_PER_SECOND)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{rest // 1_000_000:03}Z"
