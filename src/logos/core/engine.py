"""The trading core: market events in, effects out, nothing else.

    event -> gate 1 -> paper market -> marks -> strategy -> translator -> risk -> gate 2 -> order

`step` is pure in the sense that matters: no clock, no input or output, no randomness but the
seeded generator, so the same events and seed give the same effects, byte for byte. Sequence
numbers order things; times only explain.

Gate 1 comes first on every tick: a switch that is engaged cancels what rests before the event
could fill it, and the strategy is not asked. Gate 2 stands in `Desk.submit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final, cast, final

from logos.core.account import NO_FLOOR, Account, Ledger
from logos.core.book import Book
from logos.core.desk import Desk
from logos.core.fixed import to_decimal
from logos.core.gates import Switch, reduces
from logos.core.guards import Action, SessionGuards
from logos.core.matching import PaperMarket, PaperRules, Path, bar_points
from logos.core.messages import Bar, Command, Event, MarketEvent, Quote, QuoteBar, Trade
from logos.core.orders import InvariantBroken, Order, OrderIntent
from logos.core.records import (
    AccountRecord,
    BlockedRecord,
    GuardRecord,
    PositionRecord,
    Record,
    SwitchRecord,
    WarningRecord,
)
from logos.core.risk import Approved, check_intent
from logos.core.strategy import (
    Answer,
    Cancel,
    Number,
    OpenOrder,
    OrderRequest,
    Replace,
    Strategy,
    Target,
    Weight,
)
from logos.core.translator import (
    NotTranslatable,
    StrategyError,
    check_reference,
    check_text,
    from_request,
    from_side,
    from_target,
    from_weight,
    quantity_units,
    shown,
)
from logos.core.types import (
    NS_PER_DAY,
    Code,
    FillRule,
    OrderStatus,
    Side,
    SwitchState,
)

_ENGAGED: Final = 2
_NEVER_NS: Final = 1 << 63
_FILL_ANSWERS_MAX: Final = 10_000
"""Fills that may follow from one event before the strategy is taken to be in a loop."""


@final
class CoreContext:
    """What the strategy may know; see `strategy.Context`."""

    def __init__(self, core: TradingCore, params: Mapping[str, object], random: Random) -> None:
        self._core = core
        self.params = params
        self.random = random
        self.symbols: Sequence[str] = list(core.desk.books)

    @property
    def now_ns(self) -> int:
        return self._core.desk.now_ns

    def position(self, symbol: str) -> Decimal:
        book = self._core.desk.books[symbol]
        return book.instrument.quantity_decimal(book.inventory.position)

    def equity(self, currency: str) -> Decimal:
        ledger = self._core.desk.account.ledger(currency)
        return to_decimal(ledger.equity, ledger.decimals)

    def open_orders(self, symbol: str) -> list[OpenOrder]:
        return [_open_order(order) for order in self._core.desk.books[symbol].working]


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
        "_halt_on_engage",
        "_has_lost_too_often",
        "_market",
        "_next_check_ns",
        "_next_sample_ns",
        "_on_bar",
        "_on_quote",
        "_on_trade",
        "_rules",
        "_sample_ns",
        "_switch_seen",
        "bad_price_count",
        "blocked_count",
        "desk",
        "is_halted",
        "strategy",
        "switch",
    )

    def __init__(
        self,
        session_id: str,
        books: dict[str, Book],
        account: Account,
        strategy: Strategy,
        switch: Switch,
        rules: PaperRules,
        guards: SessionGuards,
        seed: int,
        params: Mapping[str, object],
        sample_ns: int,
        halt_on_engage: bool,
    ) -> None:
        self.desk = Desk(session_id, books, account, switch, guards)
        self.strategy = strategy
        self.switch = switch
        self._rules = rules
        self._market = PaperMarket(rules)
        # A generator for simulation, seeded on purpose: the session must be repeatable.
        self._context = CoreContext(self, params, Random(seed))  # noqa: S311
        kind = type(strategy)
        # A method the strategy did not override is not called: most see one kind of event.
        self._on_quote = None if kind.on_quote is Strategy.on_quote else strategy.on_quote
        self._on_trade = None if kind.on_trade is Strategy.on_trade else strategy.on_trade
        self._on_bar = None if kind.on_bar is Strategy.on_bar else strategy.on_bar
        self.desk.wants_fills = kind.on_fill is not Strategy.on_fill
        self._sample_ns = sample_ns
        self._next_sample_ns: int = _NEVER_NS
        self._next_check_ns: int = 0
        self._day: int = 0
        """Days since 1970 of the latest event, UTC."""
        self._has_lost_too_often: bool = False
        self._switch_seen: int = 0
        self._halt_on_engage = halt_on_engage
        self.is_halted: bool = False
        """Whether the switch ended the session; events after that are left alone."""
        self.blocked_count: int = 0
        self.bad_price_count: int = 0

    # ---- the session's life ----

    def start(self, ts_ns: int) -> list[Record]:
        """Begin at `ts_ns` (the first event's time): on_start, and the first samples."""
        self.desk.now_ns = ts_ns
        self._day = ts_ns // NS_PER_DAY
        if self._sample_ns:
            self._next_sample_ns = (ts_ns // self._sample_ns + 1) * self._sample_ns
        self.sample(ts_ns)
        if not self._is_gated():
            self._answer(None, self._ask_start())
            self._settle()
        return self.take_effects()

    def step(self, event: Event) -> list[Record]:
        """Process one event; returns what happened, in order."""
        self.run([event])
        return self.take_effects()

    def stop(self) -> list[Record]:
        """End in order: on_stop, then cancel what is still open, then the last samples."""
        if not self._is_gated():
            self._answer(None, self._ask_stop())
            self._settle()
        self.cancel_all(Code.SESSION_ENDED)
        self.sample(self.desk.now_ns)
        return self.take_effects()

    def abort(self) -> list[Record]:
        """End after a failure: the strategy is not asked again."""
        self.cancel_all(Code.SESSION_ENDED)
        self.sample(self.desk.now_ns)
        return self.take_effects()

    def take_effects(self) -> list[Record]:
        """The records since the last call; they are handed over once."""
        effects = self.desk.effects
        self.desk.effects = []
        return effects

    # ---- events ----

    def run(self, events: Sequence[Event]) -> None:
        """Process events in order; their effects wait in `take_effects`.

        Raises KeyError for an event of a symbol that has no book.
        Stops at the event that halts the session (`is_halted`).
        Raises InvariantBroken when time runs backwards, StrategyError when the strategy fails.
        """
        desk = self.desk
        books = desk.books
        context = self._context
        switch = self.switch
        on_quote = self._on_quote
        has_cap = self._rules.participation_rate != 0
        quote_type = Quote  # a local: the compiled loop would look the global up for every event
        for event in events:
            if type(event) is not quote_type:
                self._on_other(event)
                if self.is_halted:
                    return
                continue
            # What `_on_other` does, spelled out for the most frequent event.
            now_ns = event.ts_ns
            if now_ns < desk.now_ns or now_ns >= self._next_check_ns:
                self._check_time(now_ns)
            desk.now_ns = now_ns
            desk.tick_id += 1
            book = books[event.symbol]
            bid = event.bid_units
            ask = event.ask_units
            if switch.flag[0] or self._switch_seen or book.working or has_cap or not 0 < bid <= ask:
                if self._meet_quote(book, event):
                    if self.is_halted:
                        return
                    continue
            else:
                # Nothing is gated and nothing rests: only the marks move.
                book.two_sided = True
                book.last_ns = now_ns
                book.bid = bid
                book.ask = ask
                if book.inventory.position != 0 and book.remark():
                    self._on_breach(book.ledger)
            if on_quote is not None:
                try:
                    answer = on_quote(context, event)
                except (Exception, SystemExit) as error:
                    raise _strategy_failed("on_quote", error) from error
                if answer is not None:
                    self._answer(book, answer)
                    if desk.is_unsettled:
                        self._settle()

    def _check_time(self, now_ns: int) -> None:
        """Refuse time that runs back; begin a new day, and sample the books when it is time."""
        if now_ns < self.desk.now_ns:
            raise InvariantBroken(f"time ran back from {self.desk.now_ns} to {now_ns}")
        if now_ns // NS_PER_DAY != self._day:
            self._day = now_ns // NS_PER_DAY
            for ledger in self.desk.account.ledgers:
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
        event = cast(MarketEvent, event)
        desk = self.desk
        now_ns = event.ts_ns
        if now_ns < desk.now_ns or now_ns >= self._next_check_ns:
            self._check_time(now_ns)
        desk.now_ns = now_ns
        desk.tick_id += 1
        book = desk.books[event.symbol]
        if self.switch.flag[0] != self._switch_seen:
            self._see_switch()
        method: Any
        if type(event) is Bar:
            if not book.two_sided:
                self._meet_bar(book, event)
            method = self._on_bar
        elif type(event) is QuoteBar:
            self._meet_quote_bar(book, event)
            method = self._on_bar
        elif type(event) is Trade:
            if not book.two_sided:
                self._meet_trade(book, event)
            method = self._on_trade
        else:
            raise InvariantBroken(f"an event of unknown type {type(event).__name__}")
        if self._switch_seen == _ENGAGED:
            self._block(book.instrument.symbol)
            return
        if desk.is_unsettled:
            self._settle()
        if method is None:
            return
        try:
            answer = method(self._context, event)
        except (Exception, SystemExit) as error:
            name = "on_trade" if type(event) is Trade else "on_bar"
            raise _strategy_failed(name, error) from error
        if answer is not None:
            self._answer(book, answer)
            if desk.is_unsettled:
                self._settle()

    def _on_command(self, command: Command) -> None:
        """An operator's word takes effect at its place among the events; it is no tick."""
        if command.ts_ns < self.desk.now_ns:
            self._check_time(command.ts_ns)
        if command.action != "engage":
            raise InvariantBroken(f"unknown command {command.action!r}")
        self.desk.now_ns = command.ts_ns
        self.switch.engage(command.reason, command.by)
        self._see_switch()

    # ---- the market meets the books ----

    def _meet_quote(self, book: Book, quote: Quote) -> bool:
        """A quote meets gate 1 and the open orders; whether gate 1 blocks it."""
        if self.switch.flag[0] != self._switch_seen:
            self._see_switch()
        if not 0 < quote.bid_units <= quote.ask_units:
            self._see_bad_price(book)
        else:
            book.two_sided = True
            if self._rules.participation_rate:
                self._market.offer(book, quote.ask_size_units, quote.bid_size_units, False)
            if book.working:
                path = Path(quote.ts_ns, [quote.ask_units], [quote.bid_units])
                self._market.match(book, path, self.desk)
            self._set_prices(book, quote.bid_units, quote.ask_units)
        if self._switch_seen == _ENGAGED:
            self._block(book.instrument.symbol)
            return True
        if self.desk.is_unsettled:
            self._settle()
        return False

    def _meet_trade(self, book: Book, trade: Trade) -> None:
        price = trade.price_units
        if price <= 0:
            self._see_bad_price(book)
            return
        if self._rules.participation_rate:
            self._market.offer(book, trade.size_units, trade.size_units, True)
        if book.working:
            self._market.match(book, Path(trade.ts_ns, [price], [price]), self.desk)
        self._set_prices(book, price, price)

    def _meet_bar(self, book: Book, bar: Bar) -> None:
        if bar.low_units <= 0:
            self._see_bad_price(book)
            return
        if self._rules.participation_rate:
            self._market.offer(book, bar.volume_units, bar.volume_units, True)
        if book.working:
            points = bar_points(
                bar.open_units,
                bar.high_units,
                bar.low_units,
                bar.close_units,
                self._rules.bar_path,
            )
            self._market.match(book, Path(bar.opened_ns, points, points), self.desk)
        self._set_prices(book, bar.close_units, bar.close_units)

    def _meet_quote_bar(self, book: Book, bar: QuoteBar) -> None:
        is_crossed = (
            bar.bid_close_units > bar.ask_close_units or bar.bid_open_units > bar.ask_open_units
        )
        if is_crossed or bar.bid_low_units <= 0:
            self._see_bad_price(book)
            return
        book.two_sided = True
        if self._rules.participation_rate:
            self._market.offer(book, bar.volume_units, bar.volume_units, True)
        if book.working:
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
            self._market.match(book, Path(bar.opened_ns, asks, bids), self.desk)
        self._set_prices(book, bar.bid_close_units, bar.ask_close_units)

    def _set_prices(self, book: Book, bid: int, ask: int) -> None:
        book.last_ns = self.desk.now_ns
        if book.set_prices(bid, ask):
            self._on_breach(book.ledger)

    def _see_bad_price(self, book: Book) -> None:
        """A bid above its ask, or a price that is not positive, is none: nothing fills there.

        Said once; the rest is counted.
        """
        self.bad_price_count += 1
        if self.bad_price_count == 1:
            self._warn(book.instrument.symbol, "BAD_PRICE", "crossed or not positive; prices kept")

    # ---- guards on every tick ----

    def _on_breach(self, ledger: Ledger) -> None:
        """Equity is below its floor: say which guard it was, and do what it says, once."""
        ledger.floor = NO_FLOOR  # watched again from the next high or the next day
        if ledger.is_drawn_down:
            self._act(Code.MAX_DRAWDOWN, ledger.currency, "equity fell too far from its high")
        if ledger.is_daily_loss_exceeded:
            self._act(Code.MAX_DAILY_LOSS, ledger.currency, "the day lost more than it may")

    def _check_losses(self) -> None:
        """A run of losses that has just reached its limit."""
        guards = self.desk.guards
        if guards.has_too_many_losses and not self._has_lost_too_often:
            self._act(Code.CONSECUTIVE_LOSSES, "", f"{guards.consecutive_losses} in a row")
        self._has_lost_too_often = guards.has_too_many_losses

    def _act(self, code: Code, subject: str, detail: str) -> None:
        """Record a tripped guard and carry out its action."""
        desk = self.desk
        action = desk.guards.action(code)
        desk.effects.append(
            GuardRecord(desk.now_ns, desk.tick_id, code, action.value, subject, detail)
        )
        if action is Action.ENGAGE:
            self.switch.engage(f"guard {code.value}", "guard")
        elif action is Action.REDUCE_ONLY:
            self.switch.set_reduce_only(f"guard {code.value}", "guard")
        if action is not Action.REFUSE:
            self._see_switch()

    # ---- gate 1 ----

    def _see_switch(self) -> None:
        """The flag changed: ask the authority, record it, and cancel what rests if engaged."""
        state = self.switch.authority()
        if state == self._switch_seen:
            return
        self._switch_seen = int(state)
        self.desk.effects.append(
            SwitchRecord(self.desk.now_ns, self.desk.tick_id, state.name, self.switch.why())
        )
        if state == SwitchState.ENGAGED:
            self.cancel_all(Code.CANCELLED_BY_KILL_SWITCH)
            self.desk.fills.clear()
        elif state == SwitchState.REDUCE_ONLY:
            self._cancel_increasing()

    def _cancel_increasing(self) -> None:
        """Cancel open orders that could grow a position, oldest kept first."""
        for book in self.desk.books.values():
            in_flight = 0
            for order in list(book.working):
                signed = order.sign * order.remaining
                if reduces(signed, book.inventory.position, in_flight):
                    in_flight += order.remaining
                else:
                    self.desk.apply_end(order, OrderStatus.CANCELLED, Code.CANCELLED_BY_KILL_SWITCH)

    def _block(self, symbol: str) -> None:
        """Keep the strategy from this tick; the session ends here if it is to halt."""
        self.blocked_count += 1
        self.is_halted = self._halt_on_engage
        self.desk.effects.append(
            BlockedRecord(self.desk.now_ns, self.desk.tick_id, symbol, Code.KILL_SWITCH_ACTIVE)
        )

    def _is_gated(self) -> bool:
        """Gate 1 for the calls that are no ticks: start and stop."""
        if self.switch.flag[0] != self._switch_seen:
            self._see_switch()
        return self._switch_seen == _ENGAGED

    @property
    def is_blocked(self) -> bool:
        """Whether gate 1 has seen the switch engaged and keeps the strategy from every tick."""
        return self._switch_seen == _ENGAGED

    def cancel_all(self, code: Code) -> None:
        """Cancel every open order of every symbol; always allowed."""
        for book in self.desk.books.values():
            for order in list(book.working):
                self.desk.apply_end(order, OrderStatus.CANCELLED, code)

    # ---- the strategy's answers ----

    def _ask_start(self) -> Answer:
        try:
            return self.strategy.on_start(self._context)
        except (Exception, SystemExit) as error:
            raise _strategy_failed("on_start", error) from error

    def _ask_stop(self) -> Answer:
        try:
            return self.strategy.on_stop(self._context)
        except (Exception, SystemExit) as error:
            raise _strategy_failed("on_stop", error) from error

    def _settle(self) -> None:
        """After fills: observe equity, send successors of replaced orders, tell the strategy.

        What the strategy answers may fill at once, and is told too.
        """
        desk = self.desk
        told = 0
        while desk.is_unsettled:
            desk.is_unsettled = False
            for ledger in desk.account.ledgers:
                if ledger.observe():
                    self._on_breach(ledger)
            self._check_losses()
            while desk.replaced:
                self._replace(desk.replaced.pop(0))
            while desk.fills:
                fill = desk.fills.pop(0)
                told += 1
                if told > _FILL_ANSWERS_MAX:
                    raise StrategyError("on_fill keeps ordering on every fill of one event")
                try:
                    answer = self.strategy.on_fill(self._context, fill)
                except (Exception, SystemExit) as error:
                    raise _strategy_failed("on_fill", error) from error
                self._answer(desk.books[fill.symbol], answer)

    def _answer(self, book: Book | None, answer: Answer) -> None:
        """Carry out what the strategy answered, one request after the other."""
        if answer is None:
            return
        if isinstance(answer, (list, tuple)):
            for request in answer:
                self._request(book, request)
        else:
            self._request(book, answer)

    def _request(self, book: Book | None, request: object) -> None:
        words: Any = request  # what it holds is a stranger's: nothing is taken for its type yet
        if type(request) is Cancel:
            check_reference(words.order_id, words.tag)
            self._cancel(book, request.order_id, request.tag, None)
            return
        if type(request) is Replace:
            check_reference(words.order_id, words.tag)
            self._cancel(book, request.order_id, request.tag, request)
            return
        if type(request) is not Side:
            symbol = getattr(words, "symbol", "")
            check_text(symbol, "symbol")
            if symbol:
                book = self.desk.books.get(symbol)
                if book is None:
                    words = "the session does not trade it"
                    self.desk.refuse(symbol, [(Code.UNKNOWN_SYMBOL, words)])
                    return
        if book is None:
            raise StrategyError(
                f"a {type(request).__name__} answered outside of an event needs a symbol"
            )
        try:
            intent = _translate(book, request)
        except NotTranslatable as refusal:
            self.desk.refuse(book.instrument.symbol, [(refusal.code, refusal.detail)])
            return
        if intent is not None:
            self._send(book, intent)

    def _send(self, book: Book, intent: OrderIntent) -> None:
        """Risk, gate 2, and the paper market if the fill rule is immediate."""
        desk = self.desk
        symbol = book.instrument.symbol
        rules = self._rules
        if rules.fill_rule is FillRule.BID_ASK and not book.two_sided:
            desk.refuse(symbol, [(Code.NO_REFERENCE_PRICE, "no bid and ask seen yet")])
            return
        verdict = check_intent(intent, book, desk.guards, desk.now_ns)
        if not isinstance(verdict, Approved):
            desk.refuse(symbol, verdict.trips)
            for code, detail in verdict.trips:
                if desk.guards.action(code) is not Action.REFUSE:
                    self._act(code, symbol, detail)
            return
        order = desk.submit(verdict, rules.latency_ns)
        if order is None:
            self._see_switch()
            return
        if rules.latency_ns:
            return
        desk.apply_accept(order)
        if rules.fill_rule is not FillRule.NEXT_OPEN:
            self._market.meet(book, order, book.ask, book.bid, True, desk)

    def _cancel(self, book: Book | None, order_id: int, tag: str, new: Replace | None) -> None:
        """Cancel one open order, at once or after the latency; replace it if `new` is given.

        A tag is looked for in the event's own symbol first.
        """
        books = list(self.desk.books.values())
        if book is not None:
            books.insert(0, book)
        found: Order | None = None
        for candidate in books:
            found = found or _find(candidate.working, order_id, tag)
        if found is None:
            symbol = "" if book is None else book.instrument.symbol
            words = f"no open order {order_id or repr(tag)}"
            self.desk.refuse(symbol, [(Code.UNKNOWN_ORDER, words)])
            return
        found.cancel_code = Code.CANCELLED_BY_STRATEGY if new is None else Code.REPLACED
        found.replacement = new
        if self._rules.latency_ns == 0:
            self.desk.apply_end(found, OrderStatus.CANCELLED, found.cancel_code)
        elif found.cancel_at_ns < 0:  # a second wish does not put off the first
            found.cancel_at_ns = self.desk.now_ns + self._rules.latency_ns

    def _replace(self, order: Order) -> None:
        """Send the successor of an order that has just been cancelled for it."""
        new = order.replacement
        if new is None:
            raise InvariantBroken(f"order {order.order_id} was replaced by nothing")
        instrument = order.instrument
        book = self.desk.books[instrument.symbol]
        try:
            total = order.quantity
            if new.quantity is not None:
                total = quantity_units(book, new.quantity)
        except NotTranslatable as refusal:
            self.desk.refuse(instrument.symbol, [(refusal.code, refusal.detail)])
            return
        request = OrderRequest(
            order.side,
            instrument.quantity_decimal(total - order.filled),
            order.type,
            _kept(new.limit_price, order.limit_price, instrument.price_decimals),
            _kept(new.stop_price, order.stop_price, instrument.price_decimals),
            order.time_in_force,
            instrument.symbol,
            order.tag,
        )
        self._request(book, request)

    # ---- samples and warnings ----

    def sample(self, ts_ns: int) -> None:
        """Record every symbol's books and every ledger as they stand."""
        effects = self.desk.effects
        for book in self.desk.books.values():
            instrument = book.instrument
            effects.append(
                PositionRecord(
                    ts_ns,
                    instrument.symbol,
                    book.ledger.currency,
                    book.inventory.position,
                    book.mark,
                    book.inventory.cost,
                    book.realised,
                    book.unrealised,
                    book.fees,
                    len(book.inventory.lots()),
                    instrument.price_decimals,
                    instrument.quantity_decimals,
                    book.ledger.decimals,
                )
            )
        for ledger in self.desk.account.ledgers:
            ledger.check()
            is_call = ledger.equity < ledger.maintenance_margin
            if is_call and not ledger.margin_call:
                self._warn("", "MARGIN_CALL", f"{ledger.currency}: equity is below maintenance")
            ledger.margin_call = is_call
            effects.append(
                AccountRecord(
                    ts_ns,
                    ledger.currency,
                    ledger.wallet.balance,
                    ledger.wallet.locked + ledger.maintenance_margin,
                    ledger.initial,
                    ledger.realised,
                    ledger.fees,
                    ledger.unrealised,
                    ledger.equity,
                    ledger.track.high_water,
                    ledger.track.max_drawdown,
                    ledger.decimals,
                )
            )

    def _warn(self, symbol: str, code: str, detail: str) -> None:
        self.desk.effects.append(
            WarningRecord(self.desk.now_ns, self.desk.tick_id, symbol, code, detail)
        )


def _translate(book: Book, request: object) -> OrderIntent | None:
    if type(request) is Side:
        return from_side(book, request)
    if type(request) is Target:
        return from_target(book, request)
    if type(request) is Weight:
        return from_weight(book, request)
    if type(request) is OrderRequest:
        return from_request(book, request)
    raise StrategyError(
        f"a strategy answers with None, a Side, Target, Weight, OrderRequest, Cancel, Replace or "
        f"a list of these, not {shown(request)}"
    )


def _find(working: list[Order], order_id: int, tag: str) -> Order | None:
    for order in working:
        if order.order_id == order_id or (tag and order.tag == tag and not order_id):
            return order
    return None


def _open_order(order: Order) -> OpenOrder:
    instrument = order.instrument
    decimals = instrument.price_decimals
    return OpenOrder(
        order.order_id,
        order.tag,
        instrument.symbol,
        order.side,
        order.type,
        instrument.quantity_decimal(order.quantity),
        instrument.quantity_decimal(order.filled),
        to_decimal(order.limit_price, decimals) if order.limit_price else None,
        to_decimal(order.stop_price, decimals) if order.stop_price else None,
    )


def _kept(new: Number | None, old_units: int, decimals: int) -> Number | None:
    """A replaced order's price: the new one if named, else the old one, if there was one."""
    if new is not None:
        return new
    return to_decimal(old_units, decimals) if old_units else None


def _strategy_failed(method: str, error: BaseException) -> StrategyError:
    if isinstance(error, StrategyError):
        return error
    # What a strategy says may hold anything; what is written down must be writable.
    words = str(error).encode("utf-8", "backslashreplace").decode()
    return StrategyError(f"the strategy raised in {method}: {type(error).__name__}: {words}")
