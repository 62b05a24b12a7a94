"""From a strategy's answer to orders: the one road, for events, fills, start and stop alike.

answer -> request -> intent -> risk -> gate 2 -> order -> (paper market, if at once)
"""

from __future__ import annotations

from typing import Any, Final, final

from logos.core.context import CoreContext
from logos.core.fixed import to_decimal
from logos.core.guards import Action
from logos.core.instrument_state import InstrumentState
from logos.core.intents import (
    NotTranslatable,
    check_reference,
    check_text,
    from_request,
    from_side,
    from_target,
    from_weight,
    listed,
    quantity_units,
    shown,
)
from logos.core.matching import PaperMarket, PaperRules
from logos.core.order_manager import OrderManager
from logos.core.orders import Order, OrderIntent
from logos.core.risk import Approved, check_intent, check_storm
from logos.core.safety import SafetyMonitor
from logos.core.strategy import (
    Answer,
    Cancel,
    Number,
    OrderRequest,
    Replace,
    Strategy,
    Target,
    Weight,
)
from logos.core.types import Code, FillRule, Side
from logos.errors import InvariantBroken, StrategyError, error_words

_FILL_ANSWERS_MAX: Final = 10_000
"""Fills that may follow from one event before the strategy is taken to be in a loop."""


@final
class OrderPipeline:
    """Carries out what the strategy answers, and tells it of its fills."""

    __slots__ = ("_context", "_market", "_order_manager", "_rules", "_safety", "_strategy")

    def __init__(
        self,
        order_manager: OrderManager,
        safety: SafetyMonitor,
        market: PaperMarket,
        strategy: Strategy,
        context: CoreContext,
    ) -> None:
        self._order_manager = order_manager
        self._safety = safety
        self._market = market
        self._rules: PaperRules = market.rules
        self._strategy = strategy
        self._context = context

    def start(self) -> None:
        """Ask the strategy's `on_start`, and carry out what it answers."""
        try:
            answer = self._strategy.on_start(self._context)
        except BaseException as error:
            raise strategy_failed("on_start", error) from error
        self.carry_out(None, answer)
        self.settle()

    def stop(self, is_replaced: bool) -> None:
        """Ask the strategy's `on_stop`, unless it `is_replaced`; carry out what it answers."""
        answer: Answer = None
        if not is_replaced:
            try:
                answer = self._strategy.on_stop(self._context)
            except BaseException as error:
                raise strategy_failed("on_stop", error) from error
        self.carry_out(None, answer)
        self.settle()

    def settle(self) -> None:
        """After fills: observe equity, send successors of replaced orders, tell the strategy.

        What the strategy answers may fill at once, and is told too.
        """
        order_manager = self._order_manager
        told = 0
        while order_manager.is_unsettled:
            order_manager.is_unsettled = False
            for ledger in order_manager.account.ledgers:
                if ledger.observe():
                    self._safety.on_breach(ledger)
            self._safety.check_losses()
            while order_manager.replaced:
                self._replace(order_manager.replaced.pop(0))
            while order_manager.fills:
                fill = order_manager.fills.pop(0)
                told += 1
                if told > _FILL_ANSWERS_MAX:
                    raise StrategyError("on_fill keeps ordering on every fill of one event")
                try:
                    answer = self._strategy.on_fill(self._context, fill)
                except BaseException as error:
                    raise strategy_failed("on_fill", error) from error
                self.carry_out(order_manager.states[fill.symbol], answer)

    def carry_out(self, state: InstrumentState | None, answer: Answer) -> None:
        """Carry out what the strategy answered, one request after the other."""
        if answer is None:
            return
        if isinstance(answer, (list, tuple)):
            for request in listed(answer):
                self._request(state, request)
        else:
            self._request(state, answer)

    def _request(self, state: InstrumentState | None, request: object) -> None:
        words: Any = request  # what it holds is a stranger's: nothing is taken for its type yet
        if type(request) is Cancel:
            tag = check_reference(words.order_id, words.tag)
            self._cancel(state, request.order_id, tag, None)
            return
        if type(request) is Replace:
            tag = check_reference(words.order_id, words.tag)
            self._cancel(state, request.order_id, tag, request)
            return
        if type(request) is Target or type(request) is Weight or type(request) is OrderRequest:
            symbol = check_text(words.symbol, "symbol")
            if symbol:
                state = self._order_manager.states.get(symbol)
                if state is None:
                    detail = "the session does not trade it"
                    self._refuse(symbol, [(Code.UNKNOWN_SYMBOL, detail)])
                    return
        elif type(request) is not Side:
            raise _not_an_answer(request)
        if state is None:
            raise StrategyError(
                f"a {type(request).__name__} answered outside of an event needs a symbol"
            )
        try:
            intent = _translate(state, request)
        except NotTranslatable as refusal:
            self._refuse(state.instrument.symbol, [(refusal.code, refusal.detail)])
            return
        if intent is not None:
            self._send(state, intent)

    def _send(self, state: InstrumentState, intent: OrderIntent) -> None:
        """Risk, gate 2, and the paper market if the fill rule is immediate."""
        order_manager = self._order_manager
        symbol = state.instrument.symbol
        rules = self._rules
        if self._safety.is_halted:
            self._order_manager.refuse(symbol, [(Code.SESSION_HALTED, self._safety.trigger)])
            return
        if state.is_paused:
            self._refuse(symbol, [(Code.SYMBOL_PAUSED, "an operator paused it")])
            return
        is_paper = order_manager.outbox is None
        if is_paper and rules.fill_rule is FillRule.BID_ASK and not state.two_sided:
            self._refuse(symbol, [(Code.NO_REFERENCE_PRICE, "no bid and ask seen yet")])
            return
        verdict = check_intent(intent, state, order_manager.guards, order_manager.now_ns)
        if not isinstance(verdict, Approved):
            self._refuse(symbol, verdict.violations)
            return
        order = order_manager.submit(verdict, rules.latency_ns if is_paper else 0)
        if order is None:
            self._safety.see_switch("order")
            return
        if rules.latency_ns or not is_paper:
            return
        order_manager.apply_accept(order)
        if rules.fill_rule is not FillRule.NEXT_OPEN:
            self._market.meet(state, order, state.ask, state.bid, True, order_manager)

    def _refuse(self, symbol: str, violations: list[tuple[Code, str]]) -> None:
        """Record a refusal, and do what its guards do besides refusing; many make a storm.

        That prices are old while the market is closed is no reason to do anything.
        """
        order_manager = self._order_manager
        guards = order_manager.guards
        order_manager.refuse(symbol, violations)
        first = violations[0][0]
        for code, detail in violations:
            is_closed = code is Code.STALE_DATA and first is Code.MARKET_CLOSED
            if guards.action(code) is not Action.REFUSE and not is_closed:
                self._safety.act(code, symbol, detail)
        storm = None if first is Code.SYMBOL_PAUSED else check_storm(guards, order_manager.now_ns)
        if storm is not None:
            self._safety.act(storm[0], symbol, storm[1])

    def _cancel(
        self, state: InstrumentState | None, order_id: int, tag: str, new: Replace | None
    ) -> None:
        """Cancel one open order, at once or after the latency; replace it if `new` is given.

        A tag is looked for in the event's own symbol first.
        """
        states = list(self._order_manager.states.values())
        if state is not None:
            states.insert(0, state)
        found: Order | None = None
        for candidate in states:
            found = found or _find(candidate.working, order_id, tag)
        if found is None:
            symbol = "" if state is None else state.instrument.symbol
            words = f"no open order {order_id or repr(tag)}"
            self._order_manager.refuse(symbol, [(Code.UNKNOWN_ORDER, words)])
            return
        code = Code.CANCELLED_BY_STRATEGY if new is None else Code.REPLACED
        found.replacement = new
        if self._rules.latency_ns == 0 or self._order_manager.outbox is not None:
            self._order_manager.cancel(found, code)
            return
        found.cancel_code = code
        if found.cancel_at_ns < 0:  # a second wish does not put off the first
            found.cancel_at_ns = self._order_manager.now_ns + self._rules.latency_ns

    def _replace(self, order: Order) -> None:
        """Send the successor of an order that has just been cancelled for it."""
        new = order.replacement
        if new is None:
            raise InvariantBroken(f"order {order.order_id} was replaced by nothing")
        instrument = order.instrument
        state = self._order_manager.states[instrument.symbol]
        try:
            total = order.quantity
            if new.quantity is not None:
                total = quantity_units(state, new.quantity)
        except NotTranslatable as refusal:
            self._order_manager.refuse(instrument.symbol, [(refusal.code, refusal.detail)])
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
        self._request(state, request)


def _translate(state: InstrumentState, request: object) -> OrderIntent | None:
    if type(request) is Side:
        return from_side(state, request)
    if type(request) is Target:
        return from_target(state, request)
    if type(request) is Weight:
        return from_weight(state, request)
    if type(request) is OrderRequest:
        return from_request(state, request)
    raise _not_an_answer(request)


def _not_an_answer(request: object) -> StrategyError:
    return StrategyError(
        f"a strategy answers with None, a Side, Target, Weight, OrderRequest, Cancel, Replace or "
        f"a list of these, not {shown(request)}"
    )


def _find(working: list[Order], order_id: int, tag: str) -> Order | None:
    for order in working:
        if order.order_id == order_id or (tag and order.tag == tag and not order_id):
            return order
    return None


def _kept(new: Number | None, old_units: int, decimals: int) -> Number | None:
    """A replaced order's price: the new one if named, else the old one, if there was one."""
    if new is not None:
        return new
    return to_decimal(old_units, decimals) if old_units else None


def strategy_failed(method: str, error: BaseException) -> StrategyError:
    """The error of a strategy's method, as one that ends the session.

    Whatever a strategy raises is its failure, also what would end a process (SystemExit). A
    KeyboardInterrupt may be an operator's all the same: the edge looks at the cause.
    """
    if type(error) is StrategyError:
        return error
    return StrategyError(f"the strategy raised in {method}: {error_words(error)}")
