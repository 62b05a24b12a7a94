"""An engine to embed: ticks in, decisions out, with the whole road of a session in between.

    tick -> recorded -> gate 1 -> paper market -> strategy -> intent -> risk -> gate 2 -> order

The program around it owns the loop and the feed; the engine owns the session: its folder, journal,
books and kill switch. Every tick is on record before the strategy sees it, so that the session can
be replayed and verified like any other. The engine is not thread-safe: one tick after the other.
"""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self, Unpack

from logos.config import Config
from logos.core.gates import Switch
from logos.core.instrument import Instrument
from logos.core.messages import SessionEnd
from logos.core.records import (
    BlockedRecord,
    OrderRecord,
    PaperFillRecord,
    Record,
    RefusalRecord,
)
from logos.core.strategy import Strategy
from logos.core.types import SwitchState
from logos.errors import LogosError, StrategyError
from logos.execution.latency import LatencyHistogram
from logos.library.options import EngineOptions, Options, Place, workspace
from logos.library.result import Result
from logos.library.sessions import Session, StrategyWish, as_library
from logos.library.ticks import Tick, TickReader
from logos.session import ExitCode, SessionSpec, open_session
from logos.session import Session as SessionMachine
from logos.session.artifacts.decisions import GATE_2
from logos.session.connections import Outside
from logos.session.drive import catch_up

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


class Action(enum.Enum):
    """What came of a tick."""

    NO_SIGNAL = "NO_SIGNAL"
    """The strategy saw it and asked for nothing."""
    ORDER_GENERATED = "ORDER_GENERATED"
    """At least one order was made."""
    REFUSED = "REFUSED"
    """The strategy asked for orders, and every one was refused."""
    BLOCKED = "BLOCKED"
    """The kill switch stood against it, before the strategy (gate 1) or the order (gate 2)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of one tick."""

    action: Action
    reason: str
    """Of a refusal or a block: code and particulars; else empty."""
    circuit_breaker: SwitchState
    """The kill switch as the session sees it after the tick."""
    order: OrderRecord | None
    """The first order that was made; None: none was."""
    fills: tuple[PaperFillRecord, ...]
    """Fills at this tick, also of orders made before."""
    tick_id: int
    """Counts the session's ticks from 1."""
    latency_ns: int
    """From the call to the journalled decision, nanoseconds."""
    records: tuple[Record, ...] = field(repr=False)
    """Everything that was journalled, in order; orders and refusals beyond the first are here."""


class LiveEngine:
    """One paper session that a program of one's own feeds tick by tick.

    Use it in a `with`, or call `close`, which ends the session in order and seals its folder. The
    kill switch is the workspace's: while it is engaged, ticks are BLOCKED and the session goes on
    (`switch.on_engaged = "halt"` ends it instead).
    """

    def __init__(
        self,
        strategy: StrategyWish | None,
        instruments: Instrument | Sequence[Instrument] | Mapping[str, Any],
        *,
        cash: Mapping[str, Any] | None = None,
        config: Config | Mapping[str, Any] | Place | None = None,
        home: Place | None = None,
        signals: Any = None,
        **options: Unpack[EngineOptions],
    ) -> None:
        """`instruments` is one, several, or a mapping of symbols to instruments or their tables.

        The rest is as for `logos.run`. Raises as that.
        """
        if config is None or isinstance(config, Mapping):
            config = {"switch": {"on_engaged": "block"}, **(config or {})}
        session = Session(
            strategy,
            cash=cash,
            signals=signals,
            config=config,
            home=home,
            **Options(**options, instruments=_by_symbol(instruments)),
        )
        with as_library(session.is_verbose) as watch:
            spec = SessionSpec(
                config=session.config,
                strategy=session.strategy,
                outside=Outside(feeds=[]),
                switch=session.switch,
                tell=watch.tell,
                home=session.home,
                carry=session.carry,
                takes_signals=False,
            )
            self._begin(open_session(spec))

    @classmethod
    def resume(
        cls, session_id: str, strategy: Strategy | None = None, *, home: Place | None = None
    ) -> Self:
        """Go on with an engine's session that was stopped or crashed, positions and orders as they
        were. `strategy` is needed where an object was given. Raises as `logos.resume`."""
        engine = cls.__new__(cls)
        with as_library(False) as watch:
            spec = SessionSpec(
                session_id=session_id,
                strategy=strategy,
                outside=Outside(feeds=[]),
                tell=watch.tell,
                home=workspace(home),
                takes_signals=False,
            )
            engine._begin(open_session(spec))
            engine._live_through_the_past(watch.tell)
        return engine

    def _begin(self, session: SessionMachine) -> None:
        self._session = session
        self._ticks = TickReader(session.plan.instruments)
        self.latency = LatencyHistogram()
        """How long `process` took, for every tick so far."""
        session.folder.on_switch(lambda words: _log.warning("%s", words))
        session.__enter__()

    def _live_through_the_past(self, tell: Callable[[str], object]) -> None:
        session = self._session
        for batch in session.source.batches():
            session.apply(batch)
        catch_up(session, tell)
        self._ticks.go_on_from(session.now_ns)

    # ---- ticks ----

    def process(self, tick: Tick) -> Decision:
        """Run one tick through the session; returns what came of it.

        A tick is a Quote, Trade, Bar or QuoteBar, or a mapping (docs/API.md); ticks come in order
        of time. Raises DataError for a tick that is none (nothing is recorded of it), StrategyError
        when the strategy failed, LogosError when the session is over, WorkspaceError when its
        files cannot be written.
        """
        began_ns = time.perf_counter_ns()
        self._check_open()
        event = self._ticks.event(tick)
        with as_library(False):
            records = self._session.apply([event]).records
            self._session.save_if_due()
        self._check_strategy()
        took_ns = time.perf_counter_ns() - began_ns
        self.latency.add(took_ns)
        return self._decision(records, took_ns)

    async def process_tick(self, tick: Tick) -> Decision:
        """`process` for a program with an event loop. It takes microseconds and does not wait."""
        return self.process(tick)

    def _decision(self, records: Sequence[Record], took_ns: int) -> Decision:
        core = self._session.core
        tick_id = core.order_manager.tick_id
        action, reason = _judge(records, core.switch)
        orders = [record for record in records if isinstance(record, OrderRecord)]
        return Decision(
            action=action,
            reason=reason,
            circuit_breaker=core.switch_state,
            order=orders[0] if orders else None,
            fills=tuple(record for record in records if isinstance(record, PaperFillRecord)),
            tick_id=tick_id,
            latency_ns=took_ns,
            records=tuple(records),
        )

    # ---- what it knows ----

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self._session.session_id

    @property
    def switch(self) -> Switch:
        """The kill switch: `engine.switch.engage(reason, by)` stops all trading."""
        return self._session.core.switch

    def position(self, symbol: str) -> Decimal:
        """Signed quantity held. Raises KeyError."""
        state = self._session.core.order_manager.states[symbol]
        return state.instrument.quantity_decimal(state.inventory.position)

    def equity(self, currency: str) -> Decimal:
        """Equity of the ledger in `currency`, marked at the latest prices. Raises KeyError."""
        for ledger in self._session.core.order_manager.account.ledgers:
            if ledger.currency == currency:
                return Decimal(ledger.equity).scaleb(-ledger.decimals)
        raise KeyError(currency)

    # ---- its end ----

    def close(self) -> Result:
        """End the session in order: the strategy's last word, open orders cancelled, files sealed.

        Closing again returns the same. Raises WorkspaceError.
        """
        session = self._session
        with as_library(False):
            if session.result is None and not session.is_closed:
                session.apply([SessionEnd(max(time.time_ns(), session.now_ns))])
            if session.result is None and not session.is_closed:
                session.apply(None)
            session.__exit__(None, None, None)
        if session.result is None:
            raise LogosError(f"session {self.session_id} could not be ended; resume it")
        return Result(session.result)

    def stop(self) -> Result:
        """Stop so that `LiveEngine.resume` can go on: nothing is cancelled or closed."""
        session = self._session
        if session.result is None and not session.is_closed:
            session.supervisor.stop_requested = True
            with as_library(False):
                session.apply([])
        return self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        session = self._session
        if session.result is not None:
            raise LogosError(
                f"session {self.session_id} is over ({session.result.status.value}: "
                f"{session.result.reason}); make a new engine"
            )
        if session.is_closed:
            raise LogosError(
                f"session {self.session_id} cannot go on: its files could not be written"
            )

    def _check_strategy(self) -> None:
        result = self._session.result
        if result is not None and result.exit_code is ExitCode.STRATEGY_FAILED:
            raise StrategyError(f"{result.reason}; the session is sealed in {result.folder}")


def _judge(records: Sequence[Record], switch: Switch) -> tuple[Action, str]:
    """What came of a tick by the records of it, and why."""
    if any(isinstance(record, OrderRecord) for record in records):
        return Action.ORDER_GENERATED, ""
    for record in records:
        if isinstance(record, BlockedRecord):
            return Action.BLOCKED, f"{record.code.value}: {switch.why()}"
    refusals = [record for record in records if isinstance(record, RefusalRecord)]
    if not refusals:
        return Action.NO_SIGNAL, ""
    first = refusals[0]
    blocked = all(refusal.code in GATE_2 for refusal in refusals)
    return (
        Action.BLOCKED if blocked else Action.REFUSED,
        f"{first.code.value}: {first.detail}",
    )


def _by_symbol(
    given: Instrument | Sequence[Instrument] | Mapping[str, Any],
) -> dict[str, Any]:
    if isinstance(given, Instrument):
        given = [given]
    if isinstance(given, Mapping):
        return dict(given)
    return {each.symbol: each for each in given}
