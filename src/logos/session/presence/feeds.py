"""What the feeds of a live session said of themselves, for its heartbeat and for its summary."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from logos.execution.incoming.inbox import Inbox
from logos.feeds.contract import FeedNews

_NEWS_MAX: Final = 1_000


class FeedStates:
    """The latest state of each feed, and the first thousand changes."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        """The state of each feed, or of one of its symbols ("feed symbol"), in words."""
        self.latest: dict[str, FeedNews] = {}
        """What each of these last said."""
        self.news_count = 0
        self._news: list[FeedNews] = []

    def news(self, news: FeedNews) -> None:
        """Remember a feed's change of state."""
        self.news_count += 1
        if len(self._news) < _NEWS_MAX:
            self._news.append(news)
        name = f"{news.feed} {news.symbol}".strip()
        self.latest[name] = news
        self.words[name] = f"{news.state.value}: {news.detail}" if news.detail else news.state.value

    def facts(self) -> list[dict[str, Any]]:
        """What feeds said, oldest first, the first thousand of it."""
        return [msgspec.to_builtins(news) for news in self._news]

    def figures(self, inbox: Inbox, now_ns: int) -> dict[str, object]:
        """The fields of a heartbeat that only a live session has."""
        return {
            "waiting": len(inbox),
            "peak_waiting": inbox.peak,
            "conflated": inbox.conflated,
            "market_age_ns": now_ns - inbox.last_market_ns if inbox.last_market_ns else -1,
            "feeds": dict(self.words),
        }
