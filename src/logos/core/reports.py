"""What a live session hears besides market data: what a venue says of our orders, age, time.

What a real venue says is booked, and what makes no sense of it is reported.

The edge hands reports over in an order that fits an order's life (fills before the end they belong
to). What still does not fit (a fill beyond the order's quantity, a word about an order that is not
open, a difference found by reconciliation) is not booked: RECONCILIATION engages the kill switch,
and a person has to look. Nothing is invented to make it fit.
"""

from __future__ import annotations

from typing import final

from logos.core.exits.keeper import Exits
from logos.core.messages import EdgeEvent, Lag, Report
from logos.core.order_manager import OrderManager
from logos.core.orders import Execution, Order
from logos.core.pipeline import OrderPipeline
from logos.core.safety import SafetyMonitor
from logos.core.terms.payments import book_charge
from logos.core.types import Code, OrderStatus, ReportKind


@final
class Reports:
    """Applies reports to the orders of one session."""

    __slots__ = ("_exits", "_order_manager", "_pipeline", "_safety")

    def __init__(
        self,
        order_manager: OrderManager,
        safety: SafetyMonitor,
        exits: Exits,
        pipeline: OrderPipeline,
    ) -> None:
        self._exits = exits
        self._order_manager = order_manager
        self._safety = safety
        self._pipeline = pipeline

    def hear(self, event: EdgeEvent) -> None:
        """Take in what was said at the order manager's present time.

        The strategy is told what a report says of its orders, and is asked about nothing else.
        """
        order_manager = self._order_manager
        safety = self._safety
        is_engaged = safety.is_engaged("tick")
        if type(event) is Lag:
            order_manager.states[event.symbol].lag_ns = event.lag_ns
        elif type(event) is Report:
            self.apply(event)
            is_engaged = safety.is_blocking
        elif not is_engaged:
            self.see_time()
        if is_engaged or safety.is_halted:
            order_manager.news.clear()
            safety.halt_if_engaged()
        if order_manager.is_unsettled or order_manager.targeted:
            self._pipeline.settle_all()

    def apply(self, report: Report) -> None:
        """Apply one report; engages the kill switch for one that fits no open order."""
        outbox = self._order_manager.outbox
        order = None if outbox is None else outbox.open.get(report.client_order_id)
        if report.kind is ReportKind.DIFFERENCE:
            self._trip(report.client_order_id, report.detail)
        elif report.kind is ReportKind.CHARGED:
            self._charge(report)
        elif order is None:
            words = f"{report.kind.value} for {report.client_order_id!r}, which is not open"
            self._trip(report.client_order_id, words)
        elif report.kind is ReportKind.FILLED:
            self._fill(order, report)
        else:
            self._change(order, report)

    def see_time(self) -> None:
        """Time has passed: what is held back may be sent again after a failure."""
        self._exits.held.pursue_all()

    def _fill(self, order: Order, report: Report) -> None:
        quantity = report.quantity_units
        if not 0 < quantity <= order.remaining or report.price_units <= 0:
            self._trip(
                order.client_order_id,
                f"fill {report.fill_id} of {quantity} at {report.price_units} units, where "
                f"{order.remaining} remain",
            )
            return
        base_fee = report.base_fee_units
        if base_fee:
            factor = self._order_manager.states[order.instrument.symbol].base_factor
            is_spot = order.instrument.settlement == "spot"
            if not (is_spot and 0 < base_fee < quantity * factor):
                words = f"fill {report.fill_id} cost {base_fee} units of {order.instrument.base}"
                self._trip(order.client_order_id, f"{words}, which cannot be")
                return
        self._accept(order)
        self._order_manager.book_fill(
            order,
            Execution(quantity, report.price_units, report.is_maker, report.fee_units, base_fee),
        )
        self._exits.follow_fill(order, quantity)

    def _charge(self, report: Report) -> None:
        ledgers = self._order_manager.account.ledgers
        ledger = next((each for each in ledgers if each.currency == report.client_order_id), None)
        if ledger is None or not ledger.is_charged or report.fee_units <= 0:
            words = f"charge {report.fill_id} of {report.fee_units} units, which cannot be"
            self._trip(report.client_order_id, words)
            return
        book_charge(self._order_manager, self._safety, ledger, report.fee_units)

    def _change(self, order: Order, report: Report) -> None:
        kind = report.kind
        order_manager = self._order_manager
        if report.detail:
            self._say(order, kind.value, report.detail)
        if kind is ReportKind.ACCEPTED:
            self._accept(order)
        elif kind is ReportKind.UNKNOWN:
            if order.status is OrderStatus.NEW:
                order_manager.apply_unknown(order)
        elif kind is ReportKind.NOT_SENT:
            self._end_unaccepted(order, Code.NEVER_SENT)
        elif kind is ReportKind.REJECTED:
            self._end_unaccepted(order, Code.REJECTED_BY_VENUE)
        elif kind is ReportKind.EXPIRED:
            order_manager.apply_end(order, OrderStatus.EXPIRED, Code.EXPIRED_AT_VENUE)
        else:
            was_asked = order.cancel_at_ns >= 0
            code = order.cancel_code if was_asked else Code.CANCELLED_BY_VENUE
            order_manager.apply_end(order, OrderStatus.CANCELLED, code)
        if not order.is_open:
            self._exits.follow_end(order)

    def _accept(self, order: Order) -> None:
        if order.status in (OrderStatus.NEW, OrderStatus.UNKNOWN):
            self._order_manager.apply_accept(order)

    def _end_unaccepted(self, order: Order, code: Code) -> None:
        """A venue that had it and now denies it contradicts itself."""
        if order.status in (OrderStatus.NEW, OrderStatus.UNKNOWN):
            self._order_manager.apply_end(order, OrderStatus.REJECTED, code)
        else:
            self._trip(order.client_order_id, f"{code.value} after it was {order.status.value}")

    def _say(self, order: Order, code: str, detail: str) -> None:
        words = f"{order.client_order_id}: {detail}"
        self._order_manager.warn(order.instrument.symbol, code, words)

    def _trip(self, subject: str, detail: str) -> None:
        self._safety.act_on_difference(subject, detail)
