"""Makes a session's page of figures (see `page`), and writes it while the session runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from logos import __version__
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.guards.standing import RiskFigures
from logos.core.guards.uses import GuardUse
from logos.execution.incoming.batches import TICK_TO_DECISION, Pieces
from logos.execution.latency import LatencyHistogram
from logos.execution.metrics import MetricsSnapshot
from logos.files import make_folder, replace_json
from logos.journal.inputs import InputsWriter
from logos.session.artifacts.folder import SessionFolder
from logos.session.outcome import SessionResult
from logos.session.plan import Plan
from logos.session.presence.page import (
    SCHEMA,
    GuardFigures,
    LatencyFigures,
    LiveFigures,
    MetricsPage,
    RiskPage,
    SwitchFigures,
    metrics_path,
)
from logos.session.source import LiveSource, Source

EVERY_S: Final = 1.0
"""Between two looks at a session on recorded data; a live one is shown at each heartbeat."""

NO_FIGURES: Final = MetricsSnapshot(0, (), (), None)
"""Trades, wins and answers are aggregated in live sessions only."""


class SessionFigures:
    """Makes the pages of one session and writes them."""

    def __init__(
        self,
        plan: Plan,
        core: TradingCore,
        folder: SessionFolder,
        source: Source,
        pieces: Pieces,
        inputs: InputsWriter | None,
    ) -> None:
        """A session with a live `source` is shown by its loop, at its heartbeats."""
        self.is_live = isinstance(source, LiveSource)
        self._core = core
        self._strategy = plan.strategy_name
        self._pieces = pieces
        self._folder = folder
        self._inputs = inputs
        self._path = metrics_path(core.order_manager.session_id, folder.home)
        self._view = CoreView(core.order_manager)
        self._began_ns = time.time_ns()
        self._shown_s = time.monotonic()
        self.live: Callable[[int], LiveFigures] | None = None
        """Asked for what only a live session has, at a time in nanoseconds UTC."""
        self.latest: MetricsPage | None = None
        """The page that was shown last; whoever has it may read it in any thread."""

    def show_if_due(self) -> None:
        """Write the file of a session without a live loop if the last time is a second ago."""
        if self.is_live:
            return
        now_s = time.monotonic()
        if now_s - self._shown_s >= EVERY_S:
            self._shown_s = now_s
            self.show()

    def show(self, result: SessionResult | None = None, now_ns: int | None = None) -> None:
        """Write the file; `result` is how the session ended, `now_ns` now (None: the clock's)."""
        page = self.page(time.time_ns() if now_ns is None else now_ns, result)
        self.latest = page
        with suppress(OSError):
            make_folder(self._path.parent)
            replace_json(self._path, page, durable=False)

    def page(self, now_ns: int, result: SessionResult | None = None) -> MetricsPage:
        """Everything at `now_ns`."""
        core, tally = self._core, self._folder.tally
        order_manager = core.order_manager
        live = None if self.live is None else self.live(now_ns)
        metrics = NO_FIGURES if live is None else live.metrics
        # On recorded data time is the data's, and stands still when that has ended.
        risk = self._view.risk(now_ns if live is not None else order_manager.now_ns)
        return MetricsPage(
            schema=SCHEMA,
            session_id=order_manager.session_id,
            software=__version__,
            strategy=self._strategy,
            mode="paper" if order_manager.outbox is None else "live",
            is_live=self.is_live,
            pid=os.getpid(),
            began_ns=self._began_ns,
            written_ns=now_ns,
            status="RUNNING" if result is None else result.status.value,
            exit_code=-1 if result is None else int(result.exit_code),
            last_event_ns=order_manager.now_ns,
            switch=self._switch(),
            ticks=order_manager.tick_id,
            orders=order_manager.order_count,
            fills=order_manager.fill_count,
            open_orders=order_manager.guards.open_orders,
            blocked=tally.blocked,
            refused=tally.refused,
            warnings=tally.warning_count,
            refusals=dict(sorted(tally.refusals.items())),
            guards=dict(sorted(tally.guards.items())),
            risk=self._risk(risk),
            journal=self._folder.measured,
            inputs=None if self._inputs is None else self._inputs.measured,
            market=None if live is None else live.market,
            feeds=[] if live is None else live.feeds,
            latency=latency_figures({TICK_TO_DECISION: self._pieces.latency})
            if live is None
            else live.latency,
            overruns=0 if live is None else live.overruns,
            stalls=0 if live is None else live.stalls,
            version=metrics.version,
            symbols=metrics.symbols,
            currencies=metrics.currencies,
            total=metrics.total,
        )

    def _switch(self) -> SwitchFigures:
        seen = self._folder.switch
        since_ns = seen.since_ns if seen.is_engaged else 0
        return SwitchFigures(seen.state, seen.is_engaged, self._core.switch.epoch, since_ns)

    def _risk(self, figures: RiskFigures) -> RiskPage:
        return RiskPage(figures.currencies, figures.symbols, tuple(self._guards(figures.guards)))

    def _guards(self, uses: Sequence[GuardUse]) -> list[GuardFigures]:
        guards = self._core.order_manager.guards
        return [
            GuardFigures(
                each.guard.value,
                each.subject,
                each.used_units,
                each.limit_units,
                each.unit,
                each.decimals,
                None if each.ratio is None else round(each.ratio, 6),
                guards.action(each.guard).value,
            )
            for each in uses
        ]


def latency_figures(stages: Mapping[str, LatencyHistogram]) -> dict[str, LatencyFigures]:
    """What each stage took so far."""
    return {
        name: LatencyFigures(**each.summary(), sum_ns=each.sum_ns, buckets=each.cumulative())
        for name, each in stages.items()
    }
