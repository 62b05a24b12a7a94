"""What a live session shows to the outside and hears from its operator, at every heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from logos.core.exits.lost import protection_words
from logos.core.order_manager import OrderManager
from logos.execution.latency import LatencyHistogram
from logos.execution.metrics import (
    MetricsAggregator,
    MetricsSnapshot,
    MetricSymbol,
    ReportingRates,
)
from logos.session.presence.commands import OperatorInbox
from logos.session.presence.figures import latency_figures
from logos.session.presence.page import FeedFigures, LiveFigures, MarketFigures
from logos.session.session import Session
from logos.session.source import LiveSource, Past

Measured = tuple[Mapping[str, LatencyHistogram], int, int]
"""How long each stage took; batches over their budget; times the event loop stood still."""


class EngineSnapshot(msgspec.Struct, frozen=True):
    """How the engine stands."""

    metrics: MetricsSnapshot
    switch: str
    market_events: int
    conflated: int
    """Quotes that a newer one replaced before the core had time for them."""
    waiting: int
    waiting_peak: int
    paused: tuple[str, ...]
    failure: str


class LiveView:
    """The heartbeat's files of one session, its figures, and its operator's commands."""

    def __init__(self, session: Session, source: LiveSource) -> None:
        self._session = session
        self._source = source
        self._operator = OperatorInbox(
            session.session_id, source.home, session, session.plan.instruments, source.tell
        )
        self._has_told_of_exits = False
        self.loop: Callable[[], Measured] = lambda: ({}, 0, 0)
        """Asked for what was measured of the event loop."""
        self.metrics: MetricsAggregator = metrics_of(session.core.order_manager)
        if source.past is not None:
            self._take_up(source.past)
        session.folder.more_to_save = self._saved
        session.figures.live = self._figures

    def _take_up(self, past: Past) -> None:
        """The figures as they were where the core stands."""
        if past.metrics is not None:
            self.metrics.load(past.metrics)
            return
        for records in past.records_before():
            self.metrics.add(records)

    def _saved(self) -> dict[str, Any]:
        """What a snapshot is to hold: the figures with all records, also those not handed out."""
        metrics = self.metrics
        if self._session.unseen:
            metrics = metrics_of(self._session.core.order_manager)
            metrics.load(self.metrics.save())
            metrics.add(self._session.unseen)
        return {"metrics": metrics.save()}

    def beat(self) -> None:
        """Show that the event loop responds, and read the operator's commands."""
        now_ns = self._source.connections.clock.now_ns()
        feeds = self._source.feeds
        try:
            self._session.supervisor.beat(now_ns, **feeds.figures(self._source.inbox, now_ns))
        except OSError as error:  # a disk that refuses it is the journal's to report
            feeds.words["heartbeat"] = f"cannot be written: {error.strerror}"
        self.mark()
        self._tell_of_exits()
        self._operator.look()

    def _tell_of_exits(self) -> None:
        """Say, once in a process, which exits are held and end with it."""
        if self._has_told_of_exits:
            return
        words = protection_words(self._session.core.order_manager.states.values())
        if words:
            self._has_told_of_exits = True
            self._source.tell(f"logos: {words}")

    def mark(self) -> None:
        """Value what is held at the latest prices, and show the figures."""
        session = self._session
        session.figures.show(session.result, self._source.connections.clock.now_ns())

    def _figures(self, now_ns: int) -> LiveFigures:
        """What of the session's figures only a live one has."""
        self.metrics.mark_all(self._session.view.marks())
        inbox, (stages, overruns, stalls) = self._source.inbox, self.loop()
        return LiveFigures(
            metrics=self.metrics.snapshot(),
            market=MarketFigures(
                events=inbox.market_count,
                conflated=inbox.conflated,
                waiting=len(inbox),
                peak_waiting=inbox.peak,
                size=inbox.size,
                age_ns=now_ns - inbox.last_market_ns if inbox.last_market_ns else -1,
            ),
            feeds=[
                FeedFigures(each.feed, each.symbol, each.state.value, each.detail, each.ts_ns)
                for each in self._source.feeds.latest.values()
            ],
            latency=latency_figures(stages),
            overruns=overruns,
            stalls=stalls,
        )

    def facts(self) -> dict[str, Any]:
        """What was counted of the feeds."""
        inbox, feeds = self._source.inbox, self._source.feeds
        return {
            "market_events": inbox.market_count,
            "conflated": inbox.conflated,
            "peak_waiting": inbox.peak,
            "feed_news_count": feeds.news_count,
            "feed_news": feeds.facts(),
        }

    def snapshot(self, failure: str) -> EngineSnapshot:
        """How everything stands; `failure` is what died, empty while all is well."""
        self.mark()
        core, inbox = self._session.core, self._source.inbox
        return EngineSnapshot(
            self.metrics.snapshot(),
            core.switch.authority().name,
            inbox.market_count,
            inbox.conflated,
            len(inbox),
            inbox.peak,
            self._session.view.paused(),
            failure,
        )

    def close(self) -> None:
        """The session has ended in order: its figures stay."""
        self.mark()


def metrics_of(order_manager: OrderManager) -> MetricsAggregator:
    """An aggregator for the symbols of a core, in the scales of its ledgers."""
    account = order_manager.account
    reporting = None
    if account.total is not None:
        factors = {ledger.currency: ledger.total_factor for ledger in account.ledgers}
        reporting = ReportingRates(account.total_currency, account.total_decimals, factors)
    return MetricsAggregator(
        (
            MetricSymbol(symbol, state.ledger.currency, state.ledger.decimals, state.unit_value)
            for symbol, state in order_manager.states.items()
        ),
        reporting,
    )
