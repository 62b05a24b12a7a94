"""One live session: its parts, and how they work together in one event loop.

See `live` for the two ways in. Every part is made here, once, for one run: the inbox, the link to a
venue and its reconciliation, the engine, the heartbeat and the operator's inbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from logos.config import OnExternal
from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.gates import Switch
from logos.core.messages import NOW, Flatten, Report, ResumeTrading
from logos.core.outbox import VenueRequest
from logos.core.types import ReportKind
from logos.execution.concurrent import ConcurrentTradingEngine
from logos.execution.inbox import Inbox
from logos.execution.live_engine import LiveEngine, LiveRules
from logos.execution.reconcile import Reconciler, ReconcileRules
from logos.execution.stall import StallWatch
from logos.execution.venue_link import VenueLink
from logos.feeds.contract import LiveFeed
from logos.journal.inputs import InputsWriter, RecordedInputs
from logos.session.history import Journal
from logos.session.live_parts import (
    LiveFacts,
    Terminal,
)
from logos.session.live_venues import venue_of
from logos.session.outcome import SessionResult
from logos.session.plan import Plan
from logos.session.presence.commands import OperatorInbox
from logos.session.presence.heartbeat import StatusFile
from logos.session.presence.metrics import MeteredFolder, MetricsFile, metrics_of
from logos.session.recorded import RecordedSwitch
from logos.session.running import Running
from logos.session.script import Script, recorded_commands
from logos.session.supervisor import SessionSupervisor
from logos.venues.contract import Venue

_STALL_S: Final = 5.0
_BASELINE_FILE: Final = "venue.json"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Connected:
    """What a live session is connected to, all of it."""

    feeds: Sequence[LiveFeed]
    venue: Venue | None
    clock: Clock
    random: Random
    terminal: Terminal | None = None
    """Of MetaTrader 5: one gateway for the feeds and the venue."""


class LiveRun:
    """One live session's parts, and how they work together."""

    def __init__(
        self,
        plan: Plan,
        session_id: str,
        core: TradingCore,
        folder: MeteredFolder,
        guardian: SessionSupervisor,
        recorder: InputsWriter,
        switch: Switch,
        place: Path,
        journal: Journal | None = None,
        flatten: Flatten | None = None,
    ) -> None:
        self._flatten = flatten
        self._plan = plan
        self._id = session_id
        self._core = core
        self._view = CoreView(core.order_manager)
        self._folder = folder
        self._metrics = folder.metrics = metrics_of(core.order_manager)
        self._recorder = recorder
        self._switch = switch
        self._place = place
        self._journal = journal
        self._facts = LiveFacts(recorder)
        self._running = Running(
            plan,
            session_id,
            core,
            folder,
            guardian,
            Script([] if journal is None else recorded_commands(journal.recording.commands)),
            facts=self._facts.conclude,
            drain_s=float(plan.config.live.drain_timeout_s),
        )

    # ---- what the engine asks ----

    def life(self) -> Any:
        """The session's life; see `Running.life`."""
        return self._running.life()

    def take_requests(self) -> Sequence[VenueRequest]:
        """What is to leave for the venue."""
        outbox = self._core.order_manager.outbox
        return () if outbox is None else outbox.take()

    def order_count(self) -> int:
        """Orders made so far."""
        return self._core.order_manager.order_count

    def decided_ns(self) -> int:
        """When the core was last done with events."""
        return self._running.decided_ns

    def is_ending(self) -> bool:
        """Whether the session is over and waits only for its venue."""
        return self._core.order_manager.is_ending

    def is_at_venue(self) -> bool:
        """Whether orders are open at a real venue."""
        outbox = self._core.order_manager.outbox
        return outbox is not None and bool(outbox.open)

    def sync(self) -> None:
        """Make the journal durable."""
        self._folder.sync()

    # ---- the run ----

    def run(
        self,
        outside: Connected,
        tell: Callable[[str], object],
        home: Path | None,
        past: RecordedInputs | None = None,
    ) -> SessionResult:
        """Run it in an event loop of its own."""
        try:
            return _in_loop(self._run(outside, tell, home, past))
        finally:
            self._recorder.close()

    async def _run(
        self,
        outside: Connected,
        tell: Callable[[str], object],
        home: Path | None,
        past: RecordedInputs | None,
    ) -> SessionResult:
        settings = self._plan.config.live
        clock, random = outside.clock, outside.random
        plan = self._plan
        venue, terminal = outside.venue, outside.terminal
        if venue is None and terminal is not None:
            venue = terminal.venue_of(self._id)
        elif venue is None:
            venue = venue_of(plan.config, plan.instruments, self._id, clock, random)
        status = StatusFile(self._id, home)
        self._operator = OperatorInbox(self._id, home, self._running, plan.instruments, tell)
        inbox = Inbox(settings.inbox_size, self._stale_after_ns(), status.news)
        link = reconciler = None
        if venue is not None and self._core.order_manager.outbox is not None:
            link = VenueLink(
                venue,
                self._view,
                self._switch,
                clock,
                random,
                inbox.put,
                None if terminal is None else terminal.link_rules,
                since_ns=_began_ns(past),
            )
            reconciler = self._reconciler(venue, link, clock, inbox, tell)
        metrics_file = MetricsFile(self._id, home)
        loop: LiveEngine[SessionResult] = LiveEngine(
            self,
            inbox,
            self._recorder,
            outside.feeds,
            clock,
            self._switch,
            LiveRules(
                settings.heartbeat_ms / 1000,
                float(settings.stop_after_s),
                float(settings.drain_timeout_s),
            ),
            link,
            on_heartbeat=lambda: self._on_heartbeat(status, inbox, clock, loop),
            others={} if reconciler is None else {"reconciliation": reconciler.run},
            before_live=lambda: self._before_live(venue, link, reconciler, past, tell, terminal),
        )
        engine = ConcurrentTradingEngine(
            loop,
            inbox,
            self._view,
            self._switch,
            clock,
            self._running,
            self._metrics,
            on_mark=metrics_file.write,
        )
        self._engine = engine
        self._facts.watch(engine, inbox, status)
        if terminal is not None:
            terminal.begin(self._switch, self._view, engine.trip, home)
        try:
            with StallWatch(lambda: engine.beats, _STALL_S, tell) as stalls:
                self._facts.stalls = stalls
                return await engine.run(() if past is None else past.batches())
        finally:
            status.remove()
            engine.mark()
            if venue is not None:
                await venue.close()
            if terminal is not None:
                await terminal.close()

    def _on_heartbeat(
        self, status: StatusFile, inbox: Inbox, clock: Clock, engine: LiveEngine[SessionResult]
    ) -> None:
        """Show that the loop turns, and listen to the operator."""
        status.write(self._core, inbox, clock.now_ns())
        self._engine.mark()
        self._operator.look()
        if self._flatten is not None and self._is_flat():
            engine.finish()

    def _is_flat(self) -> bool:
        """Whether a flattening has been carried out: no whole lot is held, and nothing open."""
        states = self._core.order_manager.states.values()
        is_ordered = not self._running.has_commands
        return is_ordered and all(state.is_flat and not state.working for state in states)

    async def _before_live(
        self,
        venue: Venue | None,
        link: VenueLink | None,
        reconciler: Reconciler | None,
        past: RecordedInputs | None,
        tell: Callable[[str], object],
        terminal: Terminal | None,
    ) -> None:
        """Once everything recorded has been lived through: connect, and settle old questions."""
        if past is not None:
            self._catch_up(tell)
        if self._core.is_suspended:
            self._running.command(ResumeTrading(NOW, "resumed", "operator"))
        if self._flatten is not None:
            self._running.command(self._flatten)
        if venue is None or link is None or reconciler is None:
            return
        await venue.open()
        if terminal is not None:
            terminal.adopt(self._view.outstanding())
        link.adopt([] if past is None else _fills_of(past))
        if link.open_count == 0 or reconciler.baseline is None:
            await reconciler.start()
        # Otherwise fills from an earlier run are not in the books yet: nobody takes reports before
        # the session is live, so the first comparison is the timer's.
        held = reconciler.baseline or {}
        baseline = {name: format(amount, "f") for name, amount in held.items()}
        self._folder.write_json(_BASELINE_FILE, baseline)

    def _catch_up(self, tell: Callable[[str], object]) -> None:
        """From here on the session is new, whatever its journal says beyond."""
        lost = self._folder.cut_off_rest()
        if lost:
            tell(
                f"logos: the last inputs of session {self._id} never reached the disk; {lost} "
                "bytes of its journal, which followed from them, are cut off"
            )
        if isinstance(self._switch, RecordedSwitch):
            self._switch.hand_over()

    def _reconciler(
        self,
        venue: Venue,
        link: VenueLink,
        clock: Clock,
        inbox: Inbox,
        tell: Callable[[str], object],
    ) -> Reconciler:
        settings = self._plan.config.live
        return Reconciler(
            venue,
            self._view,
            link,
            clock,
            inbox.put,
            tell,
            ReconcileRules(
                every_s=float(settings.reconcile_every_s),
                stop_on_external=settings.on_external is OnExternal.HALT,
            ),
            self._baseline(),
        )

    def _baseline(self) -> dict[str, Decimal] | None:
        """What the account held besides the session when it began; None when it begins now."""
        path = self._place / _BASELINE_FILE
        if self._journal is None or not path.is_file():
            return None
        # Amounts as text: they are exact, whatever the asset.
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        return {name: Decimal(amount) for name, amount in found.items()}

    def _stale_after_ns(self) -> dict[str, int]:
        return {
            symbol: state.limits.stale_after_ns
            for symbol, state in self._core.order_manager.states.items()
        }


def _began_ns(past: RecordedInputs | None) -> int:
    """When the session began: no fill of ours is older; 0 for one that begins now."""
    if past is None:
        return 0
    first = next((events for events in past.batches() if events), None)
    return 0 if first is None else first[0].ts_ns


def _fills_of(past: RecordedInputs) -> list[tuple[str, str]]:
    """Client order id and fill id of every fill that a recording reports."""
    return [
        (event.client_order_id, event.fill_id)
        for events in past.batches()
        for event in events
        if isinstance(event, Report) and event.kind is ReportKind.FILLED
    ]


def _in_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work` in a fresh event loop: uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
