"""The live source of a session: inbox, states of its feeds, connections, and its past."""

from __future__ import annotations

from logos.core.engine import TradingCore
from logos.execution.incoming.inbox import Inbox
from logos.session.bars.backfill import Backfilling
from logos.session.bars.sources import wishes_in
from logos.session.connections import Connections
from logos.session.opening.spec import SessionSpec
from logos.session.presence.feeds import FeedStates
from logos.session.source import LiveSource, Past


def live_source(
    spec: SessionSpec, core: TradingCore, connections: Connections, past: Past | None = None
) -> LiveSource:
    """Of a new session, or of one that continues behind its `past`."""
    order_manager = core.order_manager
    feeds = FeedStates()
    stale_after_ns = {
        symbol: state.limits.stale_after_ns for symbol, state in order_manager.states.items()
    }
    plan = connections.plan
    wishes = wishes_in(plan.strategy)
    inbox = Inbox(
        plan.config.live.inbox_size,
        stale_after_ns,
        feeds.news,
        keeps_closes=bool(wishes.timeframes) or wishes.has_warmup,
    )
    backfill = None
    if past is None and core.book is not None:
        backfill = Backfilling(plan, core.book, connections.feeds, inbox, connections.clock)
    return LiveSource(inbox, connections, feeds, spec.home, past, spec.flatten, spec.tell, backfill)
