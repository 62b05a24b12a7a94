"""The trading core: market events in, effects out, nothing else.

    event -> gate 1 -> paper market -> marks -> strategy -> translator -> risk -> gate 2 -> order

`step` is pure in the sense that matters: no clock, no input or output, no randomness but the
seeded generator, so the same events and seed give the same effects, byte for byte. Sequence
numbers order things; times only explain.

Gate 1 comes first on every tick: a switch that is engaged cancels what rests before the event
could fill it, and the strategy is not asked. Gate 2 stands in `Desk.submit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final, cast, final

from logos.core.account import Account
from logos.core.context import CoreContext
from logos.core.fixed import format_units
from logos.core.flattener import Flattener
from logos.core.gates import Switch
from logos.core.guards import SessionGuards
from logos.core.instrument_state import InstrumentState
from logos.core.matching import PaperMarket, PaperRules, Path, bar_points
from logos.core.messages import (
    Bar,
    Command,
    Event,
    Lag,
    MarketEvent,
    Quote,
    QuoteBar,
    Report,
    TimePassed,
    Trade,
)
from logos.core.order_manager import OrderManager
from logos.core.outbox import Outbox
from logos.core.pipeline import OrderPipeline, strategy_failed
from logos.core.recording import account_record, position_record
from logos.core.records import CommandRecord, Record, WarningRecord
from logos.core.reports import Reports
from logos.core.safety import ENGAGED, SafetyMonitor
from logos.core.strategy import Answer, Strategy
from logos.core.types import NS_PER_DAY, Code, SwitchState
from logos.errors import InvariantBroken

_NEVER_NS: Final = 1 << 63


@final
class TradingCore:
    """One session's decisions. Feed it events in order of time with `step` or `run`.

    `halt_on_engage`: whether an engaged switch ends the session at the tick that sees it, or
    lets it watch on, blocked. `sample_ns` is the interval of event time at which account and
    position records are made (0: only at the start and at the end).
    """

    __slots__ = (
        "_context",
        "_day",
        "_flattener",
        "_market",
        "_next_check_ns",
        "_next_sample_ns",
        "_on_bar",
        "_on_quote",
        "_on_trade",
        "_pipeline",
        "_reports",
        "_rules",
        "_safety",
        "_sample_ns",
        "bad_price_count",
        "is_closed",
        "order_manager",
        "strategy",
        "switch",
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
        """`outbox` is where a real venue's requests go; None: the paper market fills orders."""
        self.order_manager = OrderManager(session_id, states, account, switch, guards, outbox)
        self.strategy = strategy
        self.switch = switch
        self._rules = rules
        self._market = PaperMarket(rules, is_open=outbox is None)
        self._safety = SafetyMonitor(self.order_manager, switch, halt_on_engage)
        self._reports = Reports(self.order_manager, self._safety)
        # A generator for simulation, seeded on purpose: the session must be repeatable.
        self._context = CoreContext(self.order_manager, params, Random(seed))  # noqa: S311
        self._pipeline = OrderPipeline(
            self.order_manager, self._safety, self._market, strategy, self._context
        )
        self._flattener: Flattener | None = None
        """What has taken the strategy's place, once an operator wanted everything closed."""
        self._on_quote: Any = None
        self._on_trade: Any = None
        self._on_bar: Any = None
        self._listen()
        self._sample_ns = sample_ns
        self._next_sample_ns: int = _NEVER_NS
        self._next_check_ns: int = 0
        self._day: int = 0
        """Days since 1970 of the latest event, UTC."""
        self.is_closed: bool = False
        """Whether the strategy is not asked, because an operator closed the session for now."""
        self.bad_price_count: int = 0

    def _listen(self) -> None:
        """Ask the strategy, or what has taken its place, about whatever it has a method for."""
        strategy = self._flattener or self.strategy
        kind = type(strategy)
        # A method the strategy did not override is not called: most see one kind of event.
        self._on_quote = None if kind.on_quote is Strategy.on_quote else strategy.on_quote
        self._on_trade = None if kind.on_trade is Strategy.on_trade else strategy.on_trade
        self._on_bar = None if kind.on_bar is Strategy.on_bar else strategy.on_bar
        self.order_manager.wants_fills = kind.on_fill is not Strategy.on_fill

    def _ask_nobody(self) -> None:
        self._on_quote = self._on_trade = self._on_bar = None
        self.order_manager.wants_fills = False
        self.order_manager.fills.clear()

    @property
    def is_halted(self) -> bool:
        """Whether the switch ended the session; events after that are left alone."""
        return self._safety.is_halted

    @property
    def is_blocked(self) -> bool:
        """Whether gate 1 has seen the switch engaged and keeps the strategy from every tick."""
        return self._safety.seen == ENGAGED

    @property
    def switch_state(self) -> SwitchState:
        """The kill switch as the session last took note of it."""
        return SwitchState(self._safety.seen)

    @property
    def blocked_count(self) -> int:
        """Ticks that gate 1 kept from the strategy."""
        return self._safety.blocked_count

    # ---- the session's life ----

    def start(self, ts_ns: int) -> list[Record]:
        """Begin at `ts_ns` (the first event's time): on_start, and the first samples."""
        self.order_manager.now_ns = ts_ns
        self._day = ts_ns // NS_PER_DAY
        if self._sample_ns:
            self._next_sample_ns = (ts_ns // self._sample_ns + 1) * self._sample_ns
        self.sample(ts_ns)
        if not self._safety.is_engaged("edge"):
            self._pipeline.carry_out(None, self._ask_start())
            self._pipeline.settle()
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
        """The strategy's last word, and the cancelling of what is still open.

        A real venue reports those cancels later: run its reports before `finish`.
        """
        self.order_manager.is_ending = True
        if not self._safety.is_engaged("edge"):
            self._pipeline.carry_out(None, self._ask_stop())
            self._pipeline.settle()
        self._safety.halt_if_engaged()
        self._safety.cancel_all(Code.SESSION_ENDED)
        self._ask_nobody()

    def finish(self) -> list[Record]:
        """What is too little to be sold, and the last samples."""
        for state in self.order_manager.states.values():
            if state.dust:
                amount = format_units(state.dust, state.base_wallet.decimals)
                words = f"{amount} {state.instrument.base} stays: less than a lot cannot be sold"
                self._warn(state.instrument.symbol, "DUST", words)
        self.sample(self.order_manager.now_ns)
        return self.take_effects()

    def abort(self) -> list[Record]:
        """End after a failure: the strategy is not asked again."""
        self._safety.cancel_all(Code.SESSION_ENDED)
        self.sample(self.order_manager.now_ns)
        return self.take_effects()

    def take_effects(self) -> list[Record]:
        """The records since the last call; they are handed over once."""
        effects = self.order_manager.effects
        self.order_manager.effects = []
        return effects

    # ---- events ----

    def run(self, events: Sequence[Event]) -> None:
        """Process events in order; their effects wait in `take_effects`.

        Raises KeyError for an event of a symbol that has no book.
        Stops at the event that halts the session (`is_halted`); what a venue reports behind it
        of orders that had left is booked all the same.
        Raises InvariantBroken when time runs backwards, StrategyError when the strategy fails.
        """
        order_manager = self.order_manager
        states = order_manager.states
        context = self._context
        switch = self.switch
        safety = self._safety
        on_quote = self._on_quote
        has_cap = self._rules.participation_rate != 0
        quote_type = Quote  # a local: the compiled loop would look the global up for every event
        coming = iter(events)
        if safety.is_halted:
            self._book_reports(coming)
        for event in coming:
            if type(event) is not quote_type:
                self._on_other(event)
                on_quote = self._on_quote  # a command may have put another in its place
                if safety.is_halted:
                    self._book_reports(coming)
                continue
            # What `_on_other` does, spelled out for the most frequent event.
            now_ns = event.ts_ns
            if now_ns < order_manager.now_ns or now_ns >= self._next_check_ns:
                self._check_time(now_ns)
            order_manager.now_ns = now_ns
            order_manager.tick_id += 1
            state = states[event.symbol]
            bid = event.bid_units
            ask = event.ask_units
            if switch.flag[0] or safety.seen or state.working or has_cap or not 0 < bid <= ask:
                if self._meet_quote(state, event):
                    if safety.is_halted:
                        self._book_reports(coming)
                    continue
            else:
                # Nothing is gated and nothing rests: only the marks move.
                state.two_sided = True
                state.last_ns = now_ns
                state.bid = bid
                state.ask = ask
                if state.inventory.position != 0 and state.remark():
                    self._safety.on_breach(state.ledger)
            if on_quote is not None:
                try:
                    answer = on_quote(context, event)
                except (Exception, SystemExit) as error:
                    raise strategy_failed("on_quote", error) from error
                if answer is not None:
                    self._pipeline.carry_out(state, answer)
                    if order_manager.is_unsettled:
                        self._pipeline.settle()

    def _book_reports(self, coming: Iterator[Event]) -> None:
        """The session has halted: of what is still coming, only the venue's reports count."""
        for event in coming:
            if type(event) is Report:
                self._on_rim(event)

    def _check_time(self, now_ns: int) -> None:
        """Refuse time that runs back; begin a new day, and sample the books when it is time."""
        if now_ns < self.order_manager.now_ns:
            raise InvariantBroken(f"time ran back from {self.order_manager.now_ns} to {now_ns}")
        if now_ns // NS_PER_DAY != self._day:
            self._day = now_ns // NS_PER_DAY
            for ledger in self.order_manager.account.ledgers:
                ledger.start_day()
        if self._sample_ns and now_ns >= self._next_sample_ns:
            boundary = now_ns // self._sample_ns * self._sample_ns
            self.sample(boundary)
            self._next_sample_ns = boundary + self._sample_ns
        next_day_ns = (self._day + 1) * NS_PER_DAY
        self._next_check_ns = min(self._next_sample_ns, next_day_ns)

    def _on_other(self, event: Event) -> None:
        """Anything but a quote: time, gate 1, the paper market and marks, the strategy."""
        # By type and not isinstance: for a msgspec struct that is several times cheaper.
        if type(event) is Command:
            self._on_command(event)
            return
        if type(event) is TimePassed or type(event) is Lag or type(event) is Report:
            self._on_rim(event)
            return
        event = cast(MarketEvent, event)
        order_manager = self.order_manager
        now_ns = event.ts_ns
        if now_ns < order_manager.now_ns or now_ns >= self._next_check_ns:
            self._check_time(now_ns)
        order_manager.now_ns = now_ns
        order_manager.tick_id += 1
        state = order_manager.states[event.symbol]
        is_engaged = self._safety.is_engaged("tick")
        method: Any
        if type(event) is Bar:
            if not state.two_sided:
                self._meet_bar(state, event)
            method = self._on_bar
        elif type(event) is QuoteBar:
            self._meet_quote_bar(state, event)
            method = self._on_bar
        elif type(event) is Trade:
            if not state.two_sided:
                self._meet_trade(state, event)
            method = self._on_trade
        else:
            raise InvariantBroken(f"an event of unknown type {type(event).__name__}")
        if is_engaged:
            self._safety.block(state.instrument.symbol)
            return
        if order_manager.is_unsettled:
            self._pipeline.settle()
        if method is None:
            return
        try:
            answer = method(self._context, event)
        except (Exception, SystemExit) as error:
            name = "on_trade" if type(event) is Trade else "on_bar"
            raise strategy_failed(name, error) from error
        if answer is not None:
            self._pipeline.carry_out(state, answer)
            if order_manager.is_unsettled:
                self._pipeline.settle()

    def _on_rim(self, event: TimePassed | Lag | Report) -> None:
        """What a live session hears besides market data; it is a step with gate 1 of its own.

        The strategy is asked about the fills of a report, and about nothing else.
        """
        order_manager = self.order_manager
        now_ns = event.ts_ns
        if now_ns < order_manager.now_ns or now_ns >= self._next_check_ns:
            self._check_time(now_ns)
        order_manager.now_ns = now_ns
        order_manager.tick_id += 1
        is_engaged = self._safety.is_engaged("tick")
        if type(event) is Lag:
            order_manager.states[event.symbol].lag_ns = event.lag_ns
        elif type(event) is Report:
            self._reports.apply(event)
            is_engaged = self.is_blocked
        if is_engaged:
            order_manager.fills.clear()
            self._safety.halt_if_engaged()
        if order_manager.is_unsettled:
            self._pipeline.settle()

    def _on_command(self, command: Command) -> None:
        """An operator's word takes effect at its place among the events; it is no tick."""
        if command.ts_ns < self.order_manager.now_ns:
            self._check_time(command.ts_ns)
        self.order_manager.now_ns = command.ts_ns
        if command.action == "engage":
            self.switch.engage(command.reason, command.by)
            self._safety.see_switch("command")
        elif command.action == "flatten":
            self._flatten(command)
        elif command.action == "close":
            self._record(command)
            self.is_closed = True
            self._ask_nobody()
            self._safety.cancel_all(Code.CANCELLED_BY_OPERATOR)
        elif command.action == "open":
            self._record(command)
            self.is_closed = False
            self._listen()
        elif command.action == "pause":
            self._record(command)
            state = self.order_manager.states[command.symbol]
            state.is_paused = True
            self._safety.cancel_in(state, Code.CANCELLED_BY_OPERATOR)
        elif command.action == "unpause":
            self._record(command)
            self.order_manager.states[command.symbol].is_paused = False
        else:
            raise InvariantBroken(f"unknown command {command.action!r}")

    def _record(self, command: Command) -> None:
        order_manager = self.order_manager
        record = CommandRecord(
            order_manager.now_ns,
            order_manager.tick_id,
            command.action,
            command.reason,
            command.by,
            command.symbol,
        )
        order_manager.effects.append(record)

    def _flatten(self, command: Command) -> None:
        """Take the strategy's place: cancel what is open, close what is held, trade no more."""
        order_manager = self.order_manager
        self._record(command)
        flattener = Flattener()
        self._flattener = flattener
        self.is_closed = False
        self._listen()
        self._safety.cancel_all(Code.CANCELLED_BY_OPERATOR)
        for state in order_manager.states.values():
            state.is_paused = False  # nothing but closing is done from here on
            self._pipeline.carry_out(state, flattener.close(self._context, state.instrument.symbol))
        self._pipeline.settle()

    # ---- the market meets the books ----

    def _meet_quote(self, state: InstrumentState, quote: Quote) -> bool:
        """A quote meets gate 1 and the open orders; whether gate 1 blocks it."""
        is_engaged = self._safety.is_engaged("tick")
        if not 0 < quote.bid_units <= quote.ask_units:
            self._see_bad_price(state)
        else:
            state.two_sided = True
            if self._rules.participation_rate:
                self._market.offer(state, quote.ask_size_units, quote.bid_size_units, False)
            if state.working:
                path = Path(quote.ts_ns, [quote.ask_units], [quote.bid_units])
                self._market.match(state, path, self.order_manager)
            self._set_prices(state, quote.bid_units, quote.ask_units)
        if is_engaged:
            self._safety.block(state.instrument.symbol)
            return True
        if self.order_manager.is_unsettled:
            self._pipeline.settle()
        return False

    def _meet_trade(self, state: InstrumentState, trade: Trade) -> None:
        price = trade.price_units
        if price <= 0:
            self._see_bad_price(state)
            return
        if self._rules.participation_rate:
            self._market.offer(state, trade.size_units, trade.size_units, True)
        if state.working:
            self._market.match(state, Path(trade.ts_ns, [price], [price]), self.order_manager)
        self._set_prices(state, price, price)

    def _meet_bar(self, state: InstrumentState, bar: Bar) -> None:
        if bar.low_units <= 0:
            self._see_bad_price(state)
            return
        if self._rules.participation_rate:
            self._market.offer(state, bar.volume_units, bar.volume_units, True)
        if state.working:
            points = bar_points(
                bar.open_units,
                bar.high_units,
                bar.low_units,
                bar.close_units,
                self._rules.bar_path,
            )
            self._market.match(state, Path(bar.opened_ns, points, points), self.order_manager)
        self._set_prices(state, bar.close_units, bar.close_units)

    def _meet_quote_bar(self, state: InstrumentState, bar: QuoteBar) -> None:
        is_crossed = (
            bar.bid_close_units > bar.ask_close_units or bar.bid_open_units > bar.ask_open_units
        )
        if is_crossed or bar.bid_low_units <= 0:
            self._see_bad_price(state)
            return
        state.two_sided = True
        if self._rules.participation_rate:
            self._market.offer(state, bar.volume_units, bar.volume_units, True)
        if state.working:
            bids = bar_points(
                bar.bid_open_units,
                bar.bid_high_units,
                bar.bid_low_units,
                bar.bid_close_units,
                self._rules.bar_path,
            )
            asks = bar_points(
                bar.ask_open_units,
                bar.ask_high_units,
                bar.ask_low_units,
                bar.ask_close_units,
                self._rules.bar_path,
            )
            self._market.match(state, Path(bar.opened_ns, asks, bids), self.order_manager)
        self._set_prices(state, bar.bid_close_units, bar.ask_close_units)

    def _set_prices(self, state: InstrumentState, bid: int, ask: int) -> None:
        state.last_ns = self.order_manager.now_ns
        is_breached = state.set_prices(bid, ask)
        if state.working and state.ledger.limits.gross_exposure:
            state.refresh_in_flight()  # what a flip could add hangs on the mark
        if is_breached:
            self._safety.on_breach(state.ledger)

    def _see_bad_price(self, state: InstrumentState) -> None:
        """A bid above its ask, or a price that is not positive, is none: nothing fills there.

        Said once; the rest is counted.
        """
        self.bad_price_count += 1
        if self.bad_price_count == 1:
            self._warn(state.instrument.symbol, "BAD_PRICE", "crossed or not positive; prices kept")

    # ---- what the strategy is asked ----

    def _ask_start(self) -> Answer:
        try:
            return self.strategy.on_start(self._context)
        except (Exception, SystemExit) as error:
            raise strategy_failed("on_start", error) from error

    def _ask_stop(self) -> Answer:
        if self._flattener is not None:
            return None
        try:
            return self.strategy.on_stop(self._context)
        except (Exception, SystemExit) as error:
            raise strategy_failed("on_stop", error) from error

    # ---- samples and warnings ----

    def sample(self, ts_ns: int) -> None:
        """Record every symbol's books and every ledger as they stand."""
        effects = self.order_manager.effects
        for state in self.order_manager.states.values():
            effects.append(position_record(state, ts_ns))
        for ledger in self.order_manager.account.ledgers:
            is_call = ledger.equity < ledger.maintenance_margin
            if is_call and not ledger.margin_call:
                self._warn("", "MARGIN_CALL", f"{ledger.currency}: equity is below maintenance")
            ledger.margin_call = is_call
            effects.append(account_record(ledger, ts_ns))

    def _warn(self, symbol: str, code: str, detail: str) -> None:
        self.order_manager.effects.append(
            WarningRecord(
                self.order_manager.now_ns, self.order_manager.tick_id, symbol, code, detail
            )
        )
