"""What a live session says of itself while it runs, for `logos status` and other watchers.

One small file in `state/sessions`, replaced at every heartbeat: whoever reads it sees how old it
is, and so whether the loop still turns. It describes a running process, needs no fsync, and is
removed when the session ends in order.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from logos import paths
from logos.core.engine import TradingCore
from logos.core.types import NS_PER_SECOND
from logos.execution.inbox import Inbox
from logos.feeds.contract import FeedNews
from logos.files import replace_json
from logos.session.presence.lock import STATUS_SUFFIX, status_path

_NEWS_MAX = 1_000


class LiveStatus(msgspec.Struct, frozen=True):
    """One heartbeat. Times are nanoseconds since 1970 UTC."""

    session_id: str
    pid: int
    written_ns: int
    ticks: int
    orders: int
    fills: int
    open_orders: int
    switch: str
    waiting: int
    peak_waiting: int
    conflated: int
    market_age_ns: int
    """How long ago the latest market event was received; -1: none yet."""
    closed: bool
    """Whether an operator closed the session for now: its strategy is not asked."""
    paused: list[str]
    """Symbols that an operator paused."""
    symbols: list[str]
    feeds: dict[str, str]
    """The state of each feed, or of one of its symbols ("feed symbol"), in words."""


class StatusFile:
    """Writes a session's heartbeat, and remembers what its feeds said."""

    def __init__(self, session_id: str, home: Path | None) -> None:
        self._id = session_id
        self._path = status_path(session_id, home)
        self._feeds: dict[str, str] = {}
        self._news: list[FeedNews] = []
        self.news_count = 0

    def news(self, news: FeedNews) -> None:
        """Remember a feed's change of state."""
        self.news_count += 1
        if len(self._news) < _NEWS_MAX:
            self._news.append(news)
        name = f"{news.feed} {news.symbol}".strip()
        self._feeds[name] = (
            f"{news.state.value}: {news.detail}" if news.detail else news.state.value
        )

    def feed_facts(self) -> list[dict[str, Any]]:
        """What feeds said, oldest first, the first thousand of it."""
        return [msgspec.to_builtins(news) for news in self._news]

    def write(self, core: TradingCore, inbox: Inbox, now_ns: int) -> None:
        """Replace the file. A disk that refuses it is the journal's to report, not ours."""
        order_manager = core.order_manager
        age_ns = now_ns - inbox.last_market_ns if inbox.last_market_ns else -1
        status = LiveStatus(
            self._id,
            os.getpid(),
            now_ns,
            order_manager.tick_id,
            order_manager.order_count,
            order_manager.fill_count,
            order_manager.guards.open_orders,
            core.switch_state.name,
            len(inbox),
            inbox.peak,
            inbox.conflated,
            age_ns,
            core.is_suspended,
            [
                symbol
                for symbol, instrument_state in order_manager.states.items()
                if instrument_state.is_paused
            ],
            list(order_manager.states),
            dict(self._feeds),
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_json(self._path, status, durable=False)
        except OSError:
            self._feeds["status file"] = f"cannot be written: {self._path}"

    def remove(self) -> None:
        """The session has ended in order."""
        self._path.unlink(missing_ok=True)


def status_folder(home: Path | None = None) -> Path:
    """Where heartbeats lie."""
    return paths.within(home, paths.state_dir()) / "sessions"


def read_statuses(home: Path | None = None) -> list[tuple[Path, LiveStatus | None]]:
    """Every heartbeat there is, by name; None for one that does not read back."""
    folder = status_folder(home)
    found: list[tuple[Path, LiveStatus | None]] = []
    for path in sorted(folder.glob(f"*{STATUS_SUFFIX}")) if folder.is_dir() else []:
        try:
            found.append((path, msgspec.json.decode(path.read_bytes(), type=LiveStatus)))
        except FileNotFoundError:
            continue  # it ended in order a moment ago
        except (OSError, msgspec.DecodeError):
            found.append((path, None))
    return found


def age_s(status: LiveStatus, now_ns: int) -> float:
    """How long ago a heartbeat was, in seconds."""
    return (now_ns - status.written_ns) / NS_PER_SECOND
