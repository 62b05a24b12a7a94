"""What may be so for a while: a session that lags, a feed that is away, a disk that runs full."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.config.tables.alerts import AlertKind, AlertSettings
from logos.config.tables.live import LiveSettings
from logos.core.types import NS_PER_SECOND
from logos.feeds.contract import FeedState
from logos.files import read_whole
from logos.session.presence.found import FoundSession
from logos.session.presence.heartbeat import Heartbeat

_AWAY: Final = {
    FeedState.RETRYING.value: "is away",
    FeedState.MAINTENANCE.value: "is away",
    FeedState.GAP.value: "missed something",
}
"""What a feed's state means for people, where it means trouble. GAP is the last word of a feed that
goes on, until it has something else to say."""
_QUEUE_SHARE: Final = 2
"""A queue counts as long from one part in so many of `live.inbox_size`."""
_BEATS: Final = 3
"""A heartbeat is late when so many of `live.heartbeat_ms` have passed, if `lag_s` is less."""
_BYTES_MAX: Final = 16 << 20


class Holding(msgspec.Struct, frozen=True):
    """A condition that holds; `condition` names it as long as it does."""

    condition: str
    kind: AlertKind
    session: str
    text: str
    next: str


class Conditions:
    """Judges the conditions of one workspace."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._away_ns: dict[str, int] = {}
        """Since when each feed is away, by its condition."""
        self._live: dict[str, _LivePart] = {}
        """The `[live]` of each session."""

    def now(
        self, found: Mapping[str, FoundSession], settings: AlertSettings, now_ns: int
    ) -> list[Holding]:
        """What holds at `now_ns`, nanoseconds since 1970 UTC."""
        holding = []
        away = set()
        for session in found.values():
            if not session.running or not session.sends_orders:
                continue
            holding += self._lag(session, settings, now_ns)
            beat = None if session.report is None else session.report.heartbeat
            if beat is None:
                continue
            holding += self._queue(beat)
            for name, state in beat.feeds.items():
                condition = f"feed:{beat.session_id}:{name}"
                word = state.partition(":")[0]
                if word in _AWAY:
                    away.add(condition)
                    since_ns = self._away_ns.setdefault(condition, now_ns)
                    if now_ns - since_ns >= settings.feed_s * NS_PER_SECOND:
                        text = f"feed {name} {_AWAY[word]}: {state}"
                        next_command = f"status {beat.session_id}"
                        holding.append(
                            Holding(condition, AlertKind.FEED, beat.session_id, text, next_command)
                        )
        self._away_ns = {each: ns for each, ns in self._away_ns.items() if each in away}
        return holding + self._disk(settings)

    def _lag(self, session: FoundSession, settings: AlertSettings, now_ns: int) -> list[Holding]:
        beat = None if session.report is None else session.report.heartbeat
        shown_ns = session.since_ns if beat is None else beat.written_ns
        age_s = (now_ns - shown_ns) / NS_PER_SECOND
        stuck = "" if beat is None else beat.stuck
        name = session.session_id
        every_s = self._live_of(name).heartbeat_ms / 1000
        limit_s = max(float(settings.lag_s), _BEATS * every_s)
        if not stuck and age_s <= limit_s:
            return []
        what = stuck or "not responding"
        text = f"{what}; its last heartbeat is {age_s:.1f} s old (limit {limit_s:g} s)"
        return [Holding(f"lag:{name}", AlertKind.LAG, name, text, f"status {name}")]

    def _queue(self, beat: Heartbeat) -> list[Holding]:
        name = beat.session_id
        limit = self._live_of(name).inbox_size // _QUEUE_SHARE
        if not beat.is_live or beat.waiting < max(1, limit):
            return []
        text = (
            f"the session is too slow for its feed: {beat.waiting:,} events queued (limit "
            f"{limit:,}, peak {beat.peak_waiting:,}), {beat.conflated:,} quotes conflated"
        )
        return [Holding(f"queue:{name}", AlertKind.LAG, name, text, f"status {name}")]

    def _live_of(self, session_id: str) -> _LivePart:
        """The `[live]` of a session, as its folder says."""
        if session_id not in self._live:
            folder = paths.within(self._workspace, paths.sessions_dir()) / session_id
            try:
                content = read_whole(folder / "config.json", _BYTES_MAX)
                self._live[session_id] = msgspec.json.decode(content, type=_ConfigFile).live
            except (OSError, ValueError):  # it is being made, or from another version
                return _LivePart()
        return self._live[session_id]

    def _disk(self, settings: AlertSettings) -> list[Holding]:
        if not settings.min_free_bytes:
            return []
        try:
            status = os.statvfs(self._workspace)
        except OSError as error:
            text = f"{self._workspace} cannot be asked for its free space: {error.strerror}"
            return [Holding("disk", AlertKind.DISK, "", text, "doctor")]
        free = status.f_bavail * status.f_frsize
        if free >= settings.min_free_bytes:
            return []
        text = (
            f"{free:,} bytes are free for {self._workspace} (limit {settings.min_free_bytes:,}): "
            "make room; a session that cannot write ends"
        )
        return [Holding("disk", AlertKind.DISK, "", text, "doctor")]


class _LivePart(msgspec.Struct, frozen=True):
    inbox_size: int = LiveSettings().inbox_size
    heartbeat_ms: int = LiveSettings().heartbeat_ms


class _ConfigFile(msgspec.Struct, frozen=True):
    live: _LivePart = _LivePart()
