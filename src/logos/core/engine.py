"""The trading core: market events in, effects out, nothing else.

    event -> gate 1 -> paper market -> marks -> strategy -> intents -> risk -> gate 2 -> order

`step` is pure in the sense that matters: no clock, no input or output, no randomness but the seeded
generator, so the same events and seed give the same effects. Sequence numbers order things.

Gate 1 comes first on every tick: a switch that is engaged cancels what rests before the event
could fill it, and the strategy is not asked. Gate 2 stands in `OrderManager.submit`.

This module is the loop. `market` applies events to prices and orders, `reports` what a venue says,
`commands` what an operator orders, `pipeline` what the strategy answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any, final

from logos.core.account import Account
from logos.core.bars.book import BarBook, make_book
from logos.core.bars.keeper import BarKeeper
from logos.core.commands import Commands, command_word
from logos.core.context import CoreContext
from logos.core.exits.keeper import Exits
from logos.core.exits.targets import warn_of_unreached
from logos.core.gates import Switch
from logos.core.guards import SessionGuards
from logos.core.handlers.agenda import Agenda
from logos.core.handlers.callbacks import Callbacks
from logos.core.handlers.notes import Notes
from logos.core.handlers.timekeeping import Timekeeper
from logos.core.handlers.tools import make_tools
from logos.core.instrument_state import InstrumentState
from logos.core.market import BAR, QUOTE_BAR, TRADE, Market
from logos.core.matching import PaperMarket, PaperRules
from logos.core.messages import (
    EDGE_KINDS,
    EdgeEvent,
    Event,
    Lag,
    MarketEvent,
    OperatorCommand,
    Quote,
    Reconcile,
    Report,
    TimePassed,
)
from logos.core.order_manager import OrderManager
from logos.core.outbox import Outbox
from logos.core.pipeline import OrderPipeline
from logos.core.records import Record
from logos.core.reports import Reports
from logos.core.safety import SafetyMonitor
from logos.core.strategy import Strategy
from logos.core.types import Code, SwitchState
from logos.errors import strategy_failed


@final
class TradingCore:
    """One session's decisions. Feed it events in order of time with `step` or `run`.

    `halt_on_engage`: whether an engaged switch ends the session at the tick that sees it.
    `sample_ns`: how much event time lies between two samples (0: only at start and end).
    """

    __slots__ = (
        "_agenda",
        "_callbacks",
        "_commands",
        "_context",
        "_market",
        "_notes",
        "_pipeline",
        "_reports",
        "_safety",
        "order_manager",
        "strategy",
        "switch",
        "timekeeper",
    )

    def __init__(
        self,
        session_id: str,
        states: dict[str, InstrumentState],
        account: Account,
        strategy: Strategy,
        switch: Switch,
        rules: PaperRules,
        guards: SessionGuards,
        seed: int,
        params: Mapping[str, object],
        sample_ns: int,
        halt_on_engage: bool,
        outbox: Outbox | None = None,
    ) -> None:
        """`outbox` is where a real venue's requests go; None: the paper market fills orders.

        Raises ValueError for timeframes and the like that the strategy cannot have.
        """
        order_manager = OrderManager(session_id, states, account, switch, guards, outbox)
        paper_market = PaperMarket(rules, is_open=outbox is None)
        safety = SafetyMonitor(order_manager, switch, halt_on_engage)
        agenda = Agenda(order_manager)
        timekeeper = Timekeeper(order_manager, safety, agenda, sample_ns)
        notes = Notes(order_manager)
        tools = make_tools(order_manager, agenda, timekeeper, notes)
        # A generator for simulation, seeded on purpose: the session must be repeatable.
        book = make_book(strategy, states)
        context = CoreContext(order_manager, tools, params, Random(seed), book)  # noqa: S311
        callbacks = Callbacks(order_manager, context, strategy)
        exits = Exits(order_manager, safety)
        pipeline = OrderPipeline(order_manager, exits, safety, paper_market, callbacks)
        if book is not None:
            callbacks.keep_bars(BarKeeper(book, order_manager, safety, pipeline, context))
        callbacks.ask(strategy)
        self.order_manager = order_manager
        self.strategy = strategy
        self.switch = switch
        self._context = context
        self._agenda = agenda
        self.timekeeper = timekeeper
        self._notes = notes
        self._safety = safety
        self._pipeline = pipeline
        self._callbacks = callbacks
        self._market = Market(order_manager, exits, safety, paper_market)
        self._reports = Reports(order_manager, safety, exits, pipeline)
        self._commands = Commands(order_manager, safety, pipeline, context, callbacks, strategy)

    @property
    def is_halted(self) -> bool:
        """Whether a guard or the switch ended the session; events after that are left alone."""
        return self._safety.is_halted

    @property
    def trigger(self) -> str:
        """What halts the session, by its first reason; empty while nothing does."""
        return self._safety.trigger

    @property
    def is_blocked(self) -> bool:
        """Whether gate 1 has seen the switch engaged and keeps the strategy from every tick."""
        return self._safety.is_blocking

    @property
    def is_suspended(self) -> bool:
        """Whether an operator suspended the session: the strategy is asked nothing."""
        return self._safety.is_suspended

    @property
    def is_flattening(self) -> bool:
        """Whether an operator wanted every position closed: the strategy is asked no more."""
        return self._commands.flattener is not None

    @property
    def switch_state(self) -> SwitchState:
        """The kill switch as the session last took note of it."""
        return SwitchState(self._safety.seen)

    @property
    def blocked_count(self) -> int:
        """Ticks that gate 1 kept from the strategy."""
        return self._safety.blocked_count

    @property
    def bad_price_count(self) -> int:
        """Events whose prices were crossed or not positive, and changed nothing."""
        return self._market.bad_price_count

    @property
    def book(self) -> BarBook | None:
        """The bars that the strategy's class asks for; None: it asks for none."""
        return self._callbacks.book

    def mask_notes(self, mask: Callable[[str], str]) -> None:
        """Let what the strategy writes down go through `mask`, which leaves secrets out."""
        self._notes.mask = mask

    # ---- the session's life ----

    def start(self, ts_ns: int) -> list[Record]:
        """Begin at `ts_ns` (the first event's time): on_start, and the first samples."""
        self.timekeeper.begin(ts_ns)
        self._callbacks.begin(ts_ns)
        self._agenda.begin(self._callbacks.hears_hours)
        if not self._safety.is_engaged("edge"):
            self._pipeline.start()
        return self.take_effects()

    def step(self, event: Event) -> list[Record]:
        """Process one event; returns what happened, in order."""
        self.run([event])
        return self.take_effects()

    def stop(self) -> list[Record]:
        """End in order: on_stop, then cancel what is still open, then the last samples."""
        self.begin_stop()
        return self.finish()

    def begin_stop(self) -> None:
        """Ask the strategy for the last time, then cancel what is still open; a real venue reports
        those cancels later: run its reports before `finish`."""
        self.order_manager.is_ending = True
        if not self._safety.is_engaged("edge") and not self.is_halted:
            self._pipeline.run_due(self._agenda)
        if not self.is_blocked and not self.is_halted:
            self._pipeline.stop(is_replaced=self.is_flattening)
        self._safety.halt_if_engaged()
        self._safety.cancel_all(Code.SESSION_ENDED)
        warn_of_unreached(self.order_manager)
        self._callbacks.ask_nobody()

    def finish(self) -> list[Record]:
        """Warn of what is too little to be sold, and take the last samples."""
        self._safety.warn_of_dust()
        self.order_manager.sample(self.order_manager.now_ns)
        return self.take_effects()

    def abort(self) -> list[Record]:
        """End after a failure, without asking the strategy."""
        self._safety.cancel_all(Code.SESSION_ENDED)
        self.order_manager.sample(self.order_manager.now_ns)
        return self.take_effects()

    def take_effects(self) -> list[Record]:
        """The records since the last call; they are handed over once."""
        effects = self.order_manager.effects
        self.order_manager.effects = []
        return effects

    # ---- events ----

    def run(self, events: Iterable[Event]) -> None:
        """Process events in order; their effects wait in `take_effects`.

        Stops at the event that halts the session (`is_halted`), or before one whose time does;
        what a venue reports after it of orders that had left is booked all the same.
        Raises KeyError for a symbol that the session does not trade, InvariantBroken when time
        runs backwards, StrategyError when the strategy fails.
        """
        order_manager, context, switch = self.order_manager, self._context, self.switch
        safety, timekeeper, callbacks = self._safety, self.timekeeper, self._callbacks
        states, on_quote = order_manager.states, callbacks.on_quote
        quote_type = Quote  # a local: the compiled loop would look the global up for every event
        coming = iter(events)
        for event in () if safety.is_halted else coming:
            if type(event) is not quote_type:
                self._on_other(event)
                on_quote = callbacks.on_quote  # a command may have put another in its place
                if safety.is_halted:
                    break
                continue
            # `_begin` and `_on_other`, spelled out for the most frequent event.
            now_ns = event.ts_ns
            if now_ns < order_manager.now_ns or now_ns >= timekeeper.next_check_ns:
                self._see_time(now_ns, event.symbol)
                if safety.is_halted:
                    break
            order_manager.now_ns = now_ns
            order_manager.tick_id += 1
            state = states[event.symbol]
            bid = event.bid_units
            ask = event.ask_units
            if (
                switch.flag[0]
                or safety.seen
                or state.is_busy
                or not state.calm_low <= bid <= ask <= state.calm_high
            ):
                is_engaged = safety.is_engaged("tick")
                self._market.apply_quote(state, event)
                if is_engaged:
                    self._block(event)
                elif order_manager.is_unsettled or order_manager.targeted:
                    self._pipeline.settle_event(state)
                if safety.is_halted:
                    break
                if is_engaged:
                    continue
            else:
                # Nothing is gated, nothing rests and nothing is wished for: only the marks move.
                state.two_sided = True
                state.last_ns = now_ns
                state.bid = bid
                state.ask = ask
                if state.inventory.position != 0 and state.remark():
                    safety.on_breach(state.ledger)
                    if safety.is_halted:
                        break
            if on_quote is not None:
                try:
                    answer = on_quote(context, event)
                except BaseException as error:
                    raise strategy_failed("on_quote", error) from error
                if answer is not None:
                    self._pipeline.carry_out(state, answer)
                    if order_manager.is_unsettled:
                        self._pipeline.settle()
                    if safety.is_halted:
                        break
        if safety.is_halted:
            self._book_reports(coming)

    def _book_reports(self, coming: Iterator[Event]) -> None:
        """It has halted: of what still comes the venue's reports count, and what undoes that."""
        for event in coming:
            if type(event) is Report:
                self._on_edge(event)
            elif type(event) is Reconcile:
                self._on_command(event)

    def _see_time(self, now_ns: int, symbol: str = "") -> None:
        """Something may be due before the event at `now_ns`, which is about `symbol`: calls of the
        moment before, and what `Timekeeper.check` sees to. The session may halt."""
        if self._agenda.is_due(now_ns):
            self._pipeline.run_due(self._agenda)
        if not self._safety.is_halted:
            self.timekeeper.check(now_ns, symbol)

    def _begin(self, now_ns: int) -> None:
        """A tick begins at `now_ns`. Raises InvariantBroken when time runs back."""
        order_manager = self.order_manager
        if now_ns < order_manager.now_ns or now_ns >= self.timekeeper.next_check_ns:
            self._see_time(now_ns)
        order_manager.now_ns = now_ns
        order_manager.tick_id += 1

    def _on_other(self, event: Any) -> None:
        """A bar or a print (with `_begin` spelled out); the rest goes on to edge or command."""
        # By type and not isinstance: for a msgspec struct that is several times cheaper.
        kind = type(event)
        if kind is not BAR and kind is not TRADE and kind is not QUOTE_BAR:
            if kind in EDGE_KINDS:
                self._on_edge(event)
            else:
                self._on_command(event)
            return
        order_manager = self.order_manager
        now_ns: int = event.ts_ns
        if now_ns < order_manager.now_ns or now_ns >= self.timekeeper.next_check_ns:
            self._see_time(now_ns, event.symbol)
            if self._safety.is_halted:
                return
        order_manager.now_ns = now_ns
        order_manager.tick_id += 1
        state = order_manager.states[event.symbol]
        safety, is_engaged = self._safety, False
        if self.switch.flag[0] or safety.seen:
            is_engaged = safety.is_engaged("tick")
        self._market.apply(state, kind, event)
        if is_engaged:
            self._block(event)
            return
        if order_manager.is_unsettled or order_manager.targeted:
            self._pipeline.settle_event(state)
        method: Any = self._callbacks.on_trade if kind is TRADE else self._callbacks.on_bar
        if method is None or safety.is_halted:
            return
        try:
            answer = method(self._context, event)
        except BaseException as error:
            raise strategy_failed("on_trade" if kind is TRADE else "on_bar", error) from error
        if answer is not None:
            self._pipeline.carry_out(state, answer)
            if order_manager.is_unsettled:
                self._pipeline.settle()

    def _block(self, event: MarketEvent) -> None:
        """Keep the strategy from an event; bars are made all the same."""
        self._safety.block(event.symbol)
        self._callbacks.see(event)

    def _on_edge(self, event: EdgeEvent) -> None:
        """What a live session hears besides market data; it is a step with gate 1 of its own."""
        self._begin(event.ts_ns)
        if type(event) is Lag:
            self.timekeeper.see_lag()
        self._reports.hear(event)
        self._callbacks.hear(event)
        if type(event) is TimePassed:
            self._agenda.is_clocked = True
            self._pipeline.run_due(self._agenda)

    def _on_command(self, command: OperatorCommand) -> None:
        """An operator's command takes effect at its place among the events; it is no tick."""
        command_word(command)
        if command.ts_ns < self.order_manager.now_ns:
            self._see_time(command.ts_ns)
        self.timekeeper.pass_to(command.ts_ns)
        if self.is_suspended:
            self._agenda.pass_over()  # what fell due until now did so unheard
        self._commands.carry_out(command)
