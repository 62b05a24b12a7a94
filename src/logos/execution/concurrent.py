"""Many symbols in one session: a task for each symbol's feed around one sequenced core.

The problem: symbols share cash, limits and one way to the terminal, so their decisions must be made
in one order, while none of them may hold up another, and one broken part must stop them all.

The method is a `LiveEngine` and what many symbols need besides:

- Every feed is a task; give one feed for each symbol (`symbol_links`) and they wait for nobody.
  What the core sees is one sequence through the inbox, which lets newer quotes take the place of
  older ones under load and counts them; reports, commands and the passing of time never.
- Limits of each symbol and of all together are the core's guards: there is one core, so they hold
  whatever the order in which symbols speak.
- One circuit breaker for everything: `trip` engages the kill switch and lets the core see it before
  any event that comes later. A dead terminal, a dead task, a failed disk trip it.
- `pause` stops one symbol: what is open of it is cancelled, nothing new is ordered, on the record.
- Figures (`metrics`) move with the session's records, and what is held is marked at every heartbeat
  and every look: no tick pays for them, and a symbol that is silent costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from logos.core.clock import Clock
from logos.core.context import CoreView
from logos.core.gates import Switch
from logos.core.messages import (
    NOW,
    Event,
    OperatorCommand,
    PauseSymbol,
    TimePassed,
    UnpauseSymbol,
)
from logos.execution.inbox import Inbox
from logos.execution.latency import LatencyHistogram
from logos.execution.live_engine import LiveEngine
from logos.execution.metrics import MetricsAggregator, MetricsSnapshot

Result = TypeVar("Result")


class Operator(Protocol):
    """Who carries operator commands out; `logos.session.running.Running` does."""

    def command(self, command: OperatorCommand) -> None:
        """Carry it out before the next event, at the time of that moment."""


class EngineSnapshot(msgspec.Struct, frozen=True):
    """How the engine stands."""

    metrics: MetricsSnapshot
    switch: str
    market_events: int
    conflated: int
    """Quotes that a newer one took the place of before the core had time for them."""
    waiting: int
    waiting_peak: int
    paused: tuple[str, ...]
    failure: str


class ConcurrentTradingEngine(Generic[Result]):
    """A `LiveEngine` for many symbols; its figures, its breaker, its pauses."""

    def __init__(
        self,
        engine: LiveEngine[Result],
        inbox: Inbox,
        view: CoreView,
        switch: Switch,
        clock: Clock,
        operator: Operator,
        metrics: MetricsAggregator,
        on_mark: Callable[[MetricsAggregator], object] = lambda _: None,
    ) -> None:
        """All of one session: the engine drives it, `view` reads its core, `metrics` are fed with
        its records, and `operator` carries commands out before the next event. `on_mark` is called
        with the metrics each time they have been marked."""
        self._engine = engine
        self._inbox = inbox
        self._view = view
        self._switch = switch
        self._clock = clock
        self._operator = operator
        self.metrics = metrics
        self._on_mark = on_mark

    async def run(self, past: Iterable[Sequence[Event]] = ()) -> Result:
        """As `LiveEngine.run`."""
        return await self._engine.run(past)

    # ---- stopping ----

    def trip(self, reason: str, by: str) -> None:
        """Stop everything: engage the kill switch, and let the core see that at once."""
        self._switch.engage(reason, by)
        self._inbox.put(TimePassed(self._clock.now_ns()))

    def pause(self, symbol: str, reason: str, by: str) -> None:
        """Cancel what is open in `symbol` and order nothing in it. Raises KeyError."""
        self._command(PauseSymbol(NOW, reason, by, symbol))

    def unpause(self, symbol: str, reason: str, by: str) -> None:
        """Let `symbol` trade again. Raises KeyError."""
        self._command(UnpauseSymbol(NOW, reason, by, symbol))

    def _command(self, command: PauseSymbol | UnpauseSymbol) -> None:
        if command.symbol not in self._view.symbols:
            raise KeyError(command.symbol)
        self._operator.command(command)
        self._inbox.put(TimePassed(self._clock.now_ns()))

    # ---- reading ----

    def mark(self) -> None:
        """Value what is held at the latest prices; for every heartbeat and every look."""
        self.metrics.mark_all(self._view.marks())
        self._on_mark(self.metrics)

    def snapshot(self) -> EngineSnapshot:
        """How everything stands between two events; to be called in the engine's own loop."""
        self.mark()
        return EngineSnapshot(
            self.metrics.snapshot(),
            self._switch.authority().name,
            self._inbox.market_count,
            self._inbox.conflated,
            len(self._inbox),
            self._inbox.peak,
            self._view.paused(),
            self.failure,
        )

    @property
    def failure(self) -> str:
        """What died, and of what; empty while all is well."""
        return self._engine.failure

    @property
    def beats(self) -> int:
        """Grows as long as the loop turns."""
        return self._engine.beats

    @property
    def overruns(self) -> int:
        """Batches that took longer than their budget."""
        return self._engine.overruns

    @property
    def stages(self) -> Mapping[str, LatencyHistogram]:
        """How long each stage took."""
        return self._engine.stages
