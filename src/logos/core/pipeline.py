"""From a strategy's answer to orders: the one road, for events, fills, start and stop alike.

answer -> request -> intent -> risk -> gate 2 -> order -> (paper market, if at once)
"""

from __future__ import annotations

from typing import Any, final

from logos.core.exits.held import is_exit_under_way
from logos.core.exits.keeper import Exits
from logos.core.exits.targets import (
    TRIES_MAX,
    WAITS,
    closing_part,
    in_the_way,
    intent_of,
    is_reached,
    leave_room,
    must_wait,
    next_quantity,
    shrinks,
    standing,
    wanted_position,
)
from logos.core.guards import Action
from logos.core.handlers.agenda import Agenda
from logos.core.handlers.callbacks import Callbacks
from logos.core.instrument_state import InstrumentState, find_open
from logos.core.intents import (
    NotTranslatable,
    check_group,
    check_reference,
    check_text,
    from_replace,
    from_request,
    from_side,
    listed,
    not_an_answer,
)
from logos.core.matching import PaperMarket, PaperRules
from logos.core.order_manager import OrderManager
from logos.core.orders import HELD, Order, OrderIntent, StandingTarget
from logos.core.prices.sanity import PriceSanity, why_paused
from logos.core.risk import Approved, Refused, Verdict, check_intent, check_storm
from logos.core.safety import SafetyMonitor
from logos.core.strategy import Answer, Cancel, OrderRequest, Replace, Target, Weight
from logos.core.types import Code, Side
from logos.errors import InvariantBroken, StrategyError


@final
class OrderPipeline:
    """Carries out what the strategy answers, and tells it of its fills."""

    __slots__ = (
        "_callbacks",
        "_exits",
        "_market",
        "_order_manager",
        "_rules",
        "_safety",
        "_sanity",
    )

    def __init__(
        self,
        order_manager: OrderManager,
        exits: Exits,
        safety: SafetyMonitor,
        market: PaperMarket,
        callbacks: Callbacks,
    ) -> None:
        self._sanity = PriceSanity(order_manager)
        self._order_manager = order_manager
        self._exits = exits
        self._safety = safety
        self._market = market
        self._rules: PaperRules = market.rules
        leave_room(order_manager.states.values(), market.rules)
        self._callbacks = callbacks

    def start(self) -> None:
        """Ask the strategy's `on_start`, and carry out what it answers."""
        self.carry_out(None, self._callbacks.start())
        self.settle()

    def stop(self, is_replaced: bool) -> None:
        """Ask the strategy's `on_stop`, unless it `is_replaced`; carry out what it answers."""
        self.carry_out(None, None if is_replaced else self._callbacks.stop())
        self.settle()

    def run_due(self, agenda: Agenda) -> None:
        """Call the strategy for what is due at the present moment, and carry out its answers."""
        while self._may_ask():
            due = agenda.take()
            if due is None:
                return
            state = self._order_manager.states.get(due.symbol)
            self.carry_out(state, self._callbacks.tell(due))
            self.settle()
        agenda.pass_over()

    def _may_ask(self) -> bool:
        """Whether the strategy may be asked now."""
        return self._callbacks.is_asking and self._safety.may_ask

    def settle(self) -> None:
        """After fills: observe equity, send successors of replaced orders, tell the strategy.

        What the strategy answers may fill or be refused at once, and is told too.
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
            while order_manager.news:
                if not self._may_ask():
                    order_manager.news.clear()
                    break
                news = order_manager.news.pop(0)
                told += 1
                self._callbacks.check_count(told, news)
                answer = self._callbacks.tell(news)
                self.carry_out(order_manager.states.get(news.symbol), answer)
            for state in list(order_manager.targeted):
                self._pursue(state, False)

    def settle_event(self, state: InstrumentState) -> None:
        """After an event of the symbol: pursue the target that stands in it, and settle."""
        self._pursue(state, False)
        self.settle()

    def settle_all(self) -> None:
        """After a venue's report: pursue every target that stands, and settle."""
        for state in list(self._order_manager.targeted):
            self._pursue(state, False)
        self.settle()

    def _pursue(self, state: InstrumentState, is_asked: bool) -> None:
        """Do what can be done now towards the target that stands in the symbol, if one does.

        `is_asked`: the strategy has just answered it.
        """
        target = state.target
        if target is None:
            return
        if self._safety.is_halted:
            self._order_manager.set_target(state, None)
            return
        is_shrinking = False
        try:
            wanted = wanted_position(state, target)
            is_shrinking = shrinks(state, wanted)
            for order, most in in_the_way(state, wanted):
                self._clear(state, order, most)
            quantity = next_quantity(state, target, wanted)
            if is_reached(state, target, quantity):
                self._order_manager.set_target(state, None)
                return
            if quantity == 0 or must_wait(state, quantity):
                return
            verdict = self._judge(state, intent_of(state, target.request, quantity))
            closing = closing_part(state, quantity)
            if closing and isinstance(verdict, Refused) and verdict.lacks_funds:
                verdict = self._judge(state, intent_of(state, target.request, closing))
        except NotTranslatable as refusal:
            verdict = Refused([(refusal.code, refusal.detail)])
        if isinstance(verdict, Refused):
            self._refuse_target(state, target, verdict, is_asked, is_shrinking)
        elif target.tries > TRIES_MAX and not is_shrinking:
            words = f"given up after {target.tries} orders that ended without their fill"
            self._order_manager.warn(state.instrument.symbol, "TARGET_GIVEN_UP", words)
            self._order_manager.set_target(state, None)
        else:
            target.code = None
            self._submit(state, verdict, target)

    def _refuse_target(
        self,
        state: InstrumentState,
        target: StandingTarget,
        refused: Refused,
        is_asked: bool,
        is_shrinking: bool,
    ) -> None:
        """Record why nothing can be done now, once; drop the target unless it may wait."""
        code = refused.violations[0][0]
        is_known = target.code is code
        target.code = code
        if not is_shrinking and code not in WAITS:
            self._order_manager.set_target(state, None)
        if is_asked or not is_known:
            self._refuse(state.instrument.symbol, refused.violations)

    def _clear(self, state: InstrumentState, order: Order, most: int) -> None:
        """Cancel an order that is in the way of a target, or let `most` units of it remain."""
        if most == 0:
            self._end(order, Code.CANCELLED_BY_TARGET)
            return
        total = state.instrument.quantity_decimal(order.filled + most)
        order.replacement = Replace(order.order_id, quantity=total)
        self._end(order, Code.REPLACED)

    def carry_out(self, state: InstrumentState | None, answer: Answer) -> None:
        """Carry out what the strategy answered, one request after the other."""
        if answer is None:
            return
        if isinstance(answer, (list, tuple)):
            for request in listed(answer):
                self._request(state, request)
        else:
            self._request(state, answer)

    def _request(
        self, state: InstrumentState | None, request: object, is_successor: bool = False
    ) -> None:
        """Carry out one request; `is_successor`: it takes the place of an order that was replaced,
        and says nothing of targets or of what the strategy may name."""
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
                    self._refuse(symbol, [(Code.UNKNOWN_SYMBOL, detail)], *_names(request))
                    return
        elif type(request) is not Side:
            raise not_an_answer(request)
        if state is None:
            raise StrategyError(
                f"a {type(request).__name__} answered outside of an event needs a symbol"
            )
        if type(request) is Target or type(request) is Weight:
            self._stand(state, request)
            return
        is_exit = type(request) is OrderRequest and request.reduce_only
        if state.target is not None and not is_exit and not is_successor:
            self._order_manager.set_target(state, None)
        try:
            if type(request) is Side:
                intent = from_side(state, request)
            else:
                intent = from_request(state, words)
            if intent.exit.group and not is_successor:
                check_group(state, intent.exit.group)
        except NotTranslatable as refusal:
            why = [(refusal.code, refusal.detail)]
            self._refuse(state.instrument.symbol, why, *_names(request))
            return
        verdict = self._judge(state, intent)
        if isinstance(verdict, Refused):
            self._refuse(state.instrument.symbol, verdict.violations, *_names(request))
        else:
            self._submit(state, verdict, None)

    def _stand(self, state: InstrumentState, request: Target | Weight) -> None:
        """Let a target stand, and do what can be done for it now."""
        try:
            target = standing(state, request)
        except NotTranslatable as refusal:
            self._refuse(state.instrument.symbol, [(refusal.code, refusal.detail)])
            return
        self._order_manager.set_target(state, target)
        self._pursue(state, True)

    def _judge(self, state: InstrumentState, intent: OrderIntent) -> Verdict:
        """Risk, and what an operator and the market say to any order in the symbol."""
        order_manager = self._order_manager
        if self._safety.is_halted:
            return Refused([(Code.SESSION_HALTED, self._safety.trigger)])
        is_paper = order_manager.outbox is None
        warming = state.bars.warming_words(order_manager.now_ns)
        if warming:
            return Refused([(Code.WARMING_UP, warming)])
        if state.is_paused:
            return Refused([(Code.SYMBOL_PAUSED, why_paused(state))])
        if not is_paper and is_exit_under_way(state, intent):
            words = "an exit of the symbol is at the venue: wait for its end, or ask for a target"
            return Refused([(Code.EXIT_UNDER_WAY, words)])
        if is_paper and self._rules.needs_sides and not state.two_sided:
            return Refused([(Code.NO_REFERENCE_PRICE, "no bid and ask seen yet")])
        return check_intent(intent, state, order_manager.guards, order_manager.now_ns)

    def _submit(
        self, state: InstrumentState, approved: Approved, target: StandingTarget | None
    ) -> None:
        """Gate 2, and the paper market if the fill rule is immediate."""
        order_manager = self._order_manager
        rules = self._rules
        is_paper = order_manager.outbox is None
        order = order_manager.submit(approved, rules.latency_ns if is_paper else 0)
        if order is None:
            order_manager.set_target(state, None)
            self._safety.see_switch("order")
            return
        if target is not None:
            target.order_id = order.order_id
            target.is_filled = False
        if not is_paper:
            if order.status is HELD:
                self._exits.held.begin(order_manager.states[order.instrument.symbol], order)
            return
        if rules.latency_ns:
            return
        order_manager.apply_accept(order)
        if rules.fills_at_once and self._sanity.may_meet(state, order):
            exits = self._exits
            self._market.meet(state, order, state.ask, state.bid, True, exits)
            self._market.meet_born(state, state.ask, state.bid, exits)
            if exits.was_gate_closed:
                exits.was_gate_closed = False
                self._safety.see_switch("order")

    def _refuse(
        self, symbol: str, violations: list[tuple[Code, str]], tag: str = "", group: str = ""
    ) -> None:
        """Record a refusal, and do what its guards do besides refusing; many make a storm.

        That prices are old while the market is closed is no reason to do anything.
        """
        order_manager = self._order_manager
        guards = order_manager.guards
        order_manager.refuse(symbol, violations, tag, group)
        first = violations[0][0]
        if first is Code.SESSION_HALTED:
            return
        for code, detail in violations:
            is_closed = code is Code.STALE_DATA and first is Code.MARKET_CLOSED
            if guards.action(code) is not Action.REFUSE and not is_closed:
                self._safety.act(code, symbol, detail)
        is_meant = first is Code.SYMBOL_PAUSED or first is Code.WARMING_UP
        storm = None if is_meant else check_storm(guards, order_manager.now_ns)
        if storm is not None:
            self._safety.act(storm[0], symbol, storm[1])

    def _cancel(
        self, state: InstrumentState | None, order_id: int, tag: str, new: Replace | None
    ) -> None:
        """Cancel one open order, at once or after the latency; replace it if `new` is given.

        A tag is looked for in the event's own symbol first.
        """
        found = find_open(self._order_manager.states.values(), state, order_id, tag)
        if found is None:
            symbol = "" if state is None else state.instrument.symbol
            words = f"no open order {order_id or repr(tag)}"
            self._order_manager.refuse(symbol, [(Code.UNKNOWN_ORDER, words)], tag)
            return
        code = Code.CANCELLED_BY_STRATEGY if new is None else Code.REPLACED
        found.replacement = new
        self._end(found, code)

    def _end(self, order: Order, code: Code) -> None:
        """Cancel an open order, at once or after the latency."""
        if self._rules.latency_ns == 0 or self._order_manager.outbox is not None:
            self._order_manager.cancel(order, code)
            return
        order.cancel_code = code
        if order.cancel_at_ns < 0:  # a second request does not put off the first
            order.cancel_at_ns = self._order_manager.now_ns + self._rules.latency_ns

    def _replace(self, order: Order) -> None:
        """Send the successor of an order that has just been cancelled for it."""
        new = order.replacement
        if new is None:
            raise InvariantBroken(f"order {order.order_id} was replaced by nothing")
        state = self._order_manager.states[order.instrument.symbol]
        try:
            request = from_replace(state, order, new)
        except NotTranslatable as refusal:
            why = [(refusal.code, refusal.detail)]
            self._order_manager.refuse(order.instrument.symbol, why, order.tag, order.group)
            return
        self._request(state, request, is_successor=True)


def _names(request: object) -> tuple[str, str]:
    """The tag and the group that a request gives, to tell the strategy of its refusal."""
    if not isinstance(request, OrderRequest):
        return "", ""
    names: tuple[Any, Any] = request.tag, request.group
    tag, group = (name if type(name) is str else "" for name in names)
    return tag, group
