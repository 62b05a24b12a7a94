"""The orders of the simulated gateway: taken, refused, filled, cancelled, and who is told what.

Order ids belong to a client id, and `permId` to the order: an id that was used is a duplicate
(103), one of an order that rests is a modification of that order, one of an order that has filled
cannot be modified (104). Sources: interactivebrokers.github.io/tws-api/order_submission.html,
`modifying_orders.html`, `cancel_order.html`; in which order things are told: the recordings
that `book` names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from logos.simulators.ib.book import (
    ORDER_FIELDS,
    Book,
    Execution,
    GatewayOrder,
    commission_report,
    execution_details,
    open_order,
    order_status,
    plain,
)
from logos.simulators.ib.codes import Told, error
from logos.simulators.ib.contracts import Listing, Quote

KINDS: Final = frozenset(("MKT", "LMT", "STP", "STP LMT"))
TIFS: Final = frozenset(("DAY", "GTC", "IOC", "FOK"))

Tell = Callable[[int, list[object]], None]
"""Sends a message to whoever is connected as that client."""


@dataclass(slots=True)
class Whims:
    """What a test wants of the gateway beyond the market."""

    reject_next: str = ""
    """The reason with which the next order is rejected (201)."""
    warn_next: str = ""
    """What the next order is warned of (399): it is taken all the same."""
    holds_orders: bool = False
    """Orders stay PendingSubmit: the gateway has them, the broker has not said a word."""
    holds_cancels: bool = False
    """A cancel is taken (PendingCancel), and nothing comes of it yet."""
    is_deaf_to_orders: bool = False
    """Orders and cancels are taken, and nobody is told of them."""
    late_commissions: bool = False
    """Commissions come with `tell_commissions`, not with the execution."""
    are_late_pending: bool = False
    """Such a one is told as -1.0 first, which means that it is not known yet
    (nautechsystems/nautilus_trader, pull request 4230)."""
    lets_others_cancel: bool = False
    """A client that has listed all open orders may cancel another's by its number there, as
    ThomasMarcelis/ibkr-go recorded it (`api_cross_client_cancel_aapl.txt`)."""
    is_read_only: bool = False
    commission: str = "1.0"
    commission_currency: str = "USD"


@dataclass(slots=True)
class Desk:
    """Orders and executions of one gateway."""

    book: Book
    listings: list[Listing]
    accounts: list[str]
    tell: Tell
    now_ns: Callable[[], int]
    whims: Whims = field(default_factory=Whims)
    quotes: dict[int, Quote] = field(default_factory=dict)
    used: dict[int, set[int]] = field(default_factory=dict)
    """The order ids that each client has used; forgotten when ids roll back."""
    zone: str = "US/Eastern"
    funds: dict[str, Decimal] = field(default_factory=dict)
    """What an account can pay; one that is not there can pay everything."""
    is_connected: bool = True
    """Whether the gateway has a connection to IB."""
    _perm_id: int = 1_376_327_562

    def next_id(self, client_id: int) -> int:
        """The next valid order id of a client: above all it has used."""
        known = self.used.get(client_id, set())
        return max([each.order_id for each in self.open_orders(client_id)] + [*known, 0]) + 1

    def roll_back(self) -> None:
        """Forget which ids were used, as after a restart with its sequence reset."""
        self.used.clear()

    def open_orders(self, client_id: int | None = None) -> list[GatewayOrder]:
        """Open orders, of one client or of all."""
        return [
            each
            for each in self.book.orders
            if each.is_open and client_id in (None, each.client_id)
        ]

    # ---- requests ----

    def place(self, client_id: int, fields: list[str]) -> None:
        """A placeOrder of a client, without its message id."""
        asked = dict(zip(ORDER_FIELDS, fields, strict=False))
        order_id = asked["id"]
        try:
            if len(fields) != len(ORDER_FIELDS):
                raise Told(320, f"{len(fields)} fields for a plain order")
            self._place(client_id, asked)
        except Told as told:
            self._say(client_id, [4, 2, order_id, told.code, told.words, ""])

    def _place(self, client_id: int, asked: dict[str, str]) -> None:
        order_id = int(asked["id"])
        if self.whims.is_read_only:
            raise Told(321, "The API interface is currently in Read-Only mode.")
        before = self._of(client_id, order_id)
        if before is not None:
            self._modify(before, asked)
            return
        if order_id in self.used.get(client_id, ()) or order_id < self.next_id(client_id):
            raise Told(103)
        order = self._read(client_id, asked)
        self._check_funds(order)
        self.used.setdefault(client_id, set()).add(order_id)
        if self.whims.reject_next:
            reason, self.whims.reject_next = self.whims.reject_next, ""
            order.status, order.completed = "Inactive", "Rejected by System"
            order.completed_ns = self.now_ns()
            self._take(order)
            self._say(client_id, error(order_id, 201, reason))
            return
        order.status = "PreSubmitted" if order.stop else "Submitted"
        order.why_held = "trigger" if order.stop else ""
        if self.whims.holds_orders or not self.is_connected:
            order.status = "PendingSubmit"
        self._take(order)
        if self.whims.warn_next:
            words, self.whims.warn_next = self.whims.warn_next, ""
            self._say(client_id, error(order_id, 399, words))
        self._match(order)
        self._end_immediate(order)

    def _read(self, client_id: int, asked: dict[str, str]) -> GatewayOrder:
        contract = next((each for each in self.listings if each.answers(asked)), None)
        if contract is None:
            raise Told(200)
        if asked["kind"] not in KINDS:
            raise Told(321, "Invalid order type was entered")
        tif = asked["tif"] or "DAY"
        if tif not in TIFS or asked["action"] not in ("BUY", "SELL"):
            raise Told(321, "Invalid time in force or action was entered")
        if not asked["account"] and len(self.accounts) > 1:
            raise Told(435)
        if asked["account"] and asked["account"] not in self.accounts:
            raise Told(321, "Invalid account code")
        quantity = Decimal(asked["quantity"])
        if quantity < Decimal(contract.min_size):
            raise Told(388, plain(quantity), contract.min_size)
        has_limit, has_stop = "LMT" in asked["kind"], "STP" in asked["kind"]
        limit = Decimal(asked["limit"]) if has_limit else Decimal(0)
        stop = Decimal(asked["stop"]) if has_stop else Decimal(0)
        if not contract.conforms(limit) or not contract.conforms(stop):
            raise Told(110)
        self._perm_id += 1
        return GatewayOrder(
            client_id,
            int(asked["id"]),
            self._perm_id,
            contract,
            asked["exchange"] or contract.exchange,
            asked["action"],
            quantity,
            asked["kind"],
            limit,
            stop,
            tif,
            asked["account"] or self.accounts[0],
            asked["order_ref"],
        )

    def _modify(self, before: GatewayOrder, asked: dict[str, str]) -> None:
        """Another order under the number of one that is there changes that one."""
        if before.status == "Filled":
            raise Told(104)
        if not before.is_open:
            raise Told(103)
        after = self._read(before.client_id, asked)
        if (after.listing, after.action) != (before.listing, before.action):
            raise Told(105)
        before.quantity, before.limit, before.stop = after.quantity, after.limit, after.stop
        before.kind, before.order_ref = after.kind, after.order_ref
        self._tell(before)
        self._match(before)

    def cancel(self, client_id: int, text: str, has_listed_all: bool) -> None:
        """A cancelOrder of a client."""
        order = self._of(client_id, int(text))
        if order is None and self.whims.lets_others_cancel and has_listed_all:
            others = [each for each in self.book.orders if each.order_id == int(text)]
            order = others[-1] if others else None
        if order is None:
            self._say(client_id, error(text, 10147, text))
        elif not order.is_open:
            self._say(client_id, error(text, 10148, text, order.status))
        elif self.whims.holds_cancels:
            order.status = "PendingCancel"
            self._say(client_id, order_status(order))
        else:
            self.end(order, "Cancelled", "Cancelled by Trader", client_id)

    def cancel_all(self, client_id: int) -> None:
        """A global cancel: everything open, and a word about what is not."""
        for order in list(self.book.orders):
            if order.is_open:
                self.end(order, "Cancelled", "Cancelled by Trader", client_id)
            elif order.client_id == client_id:
                self._say(client_id, error(order.order_id, 161, order.perm_id))

    def end(
        self, order: GatewayOrder, status: str, words: str, by: int | None = None, reason: str = ""
    ) -> None:
        """End an order, and tell whoever it concerns."""
        order.status, order.completed, order.completed_ns = status, words, self.now_ns()
        for client_id in {order.client_id, order.client_id if by is None else by}:
            self._say(client_id, order_status(order))
            if status == "Cancelled":
                self._say(client_id, error(order.order_id, 202, reason))

    # ---- the market ----

    def quote(self, con_id: int, quote: Quote) -> None:
        """The market of a contract from now on; what it crosses fills."""
        self.quotes[con_id] = quote
        for order in self.open_orders():
            if order.listing.con_id == con_id:
                self._match(order)

    def fill(self, order: GatewayOrder, quantity: str, price: str) -> Execution:
        """Fill so much of an order, in the order in which a gateway tells of it."""
        size, at = Decimal(quantity), Decimal(price)
        order.filled += size
        order.spent += size * at
        order.last_price = at
        if not order.remaining:
            order.status, order.completed = "Filled", "Filled Size: " + plain(order.filled)
            order.completed_ns = self.now_ns()
        elif order.status == "PendingSubmit":
            order.status = "Submitted"
        number = len(self.book.executions) + 1
        execution = Execution(
            f"00025b46.63f8f39c.{number:02d}.01",
            order,
            size,
            at,
            self.now_ns(),
            order.filled,
            order.average,
            self.whims.commission,
            self.whims.commission_currency,
            not self.whims.late_commissions,
        )
        self.book.executions.append(execution)
        self._hold(order, size if order.is_buy else -size, at)
        self._pay(order, size * at)
        self._say(order.client_id, execution_details(execution, -1, self.zone))
        self._tell(order)
        if execution.has_commission:
            self._charge(execution)
        elif self.whims.are_late_pending:
            self._say(order.client_id, commission_report(execution, "-1.0"))
        return execution

    def correct(self, execution: Execution, quantity: str, price: str) -> Execution:
        """Correct an execution: the same id with the next revision after its last period."""
        stem, _, revision = execution.exec_id.rpartition(".")
        order, was = execution.order, execution
        size, at = Decimal(quantity), Decimal(price)
        order.filled += size - was.quantity
        order.spent += size * at - was.quantity * was.price
        change = size - was.quantity
        self._hold(order, change if order.is_buy else -change, at)
        self._pay(order, size * at - was.quantity * was.price)
        corrected = Execution(
            f"{stem}.{int(revision) + 1:02d}",
            order,
            size,
            at,
            was.ts_ns,
            order.filled,
            order.average,
            was.commission,
            was.currency,
        )
        self.book.executions.append(corrected)
        for told in (execution_details(corrected, -1, self.zone), commission_report(corrected)):
            self._say(order.client_id, told)
        return corrected

    def tell_commissions(self) -> None:
        """Tell the commissions that were held back."""
        for each in self.book.executions:
            if not each.has_commission:
                each.has_commission = True
                self._charge(each)

    def accept_held(self) -> None:
        """The broker takes what was PendingSubmit."""
        for order in self.open_orders():
            if order.status == "PendingSubmit":
                order.status = "PreSubmitted" if order.stop else "Submitted"
                self._tell(order)
                self._match(order)

    def by_hand(self, con_id: int, action: str, quantity: str, limit: str) -> GatewayOrder:
        """An order that somebody makes in TWS itself: of client 0, without a number."""
        listing = next(each for each in self.listings if each.con_id == con_id)
        self._perm_id += 1
        size, price = Decimal(quantity), Decimal(limit)
        order = GatewayOrder(
            *(0, 0, self._perm_id, listing, listing.exchange, action, size, "LMT"),
            *(price, Decimal(0), "GTC", self.accounts[0], "", "Submitted"),
        )
        self._take(order)
        return order

    # ---- helpers ----

    def _check_funds(self, order: GatewayOrder) -> None:
        quote = self.quotes.get(order.listing.con_id)
        price = order.limit or (quote.ask if quote is not None else Decimal(0))
        if order.is_buy and order.quantity * price > self.funds.get(order.account, Decimal("inf")):
            raise Told(201, "Insufficient funds")

    def _of(self, client_id: int, order_id: int) -> GatewayOrder | None:
        for each in reversed(self.book.orders):
            if (each.client_id, each.order_id) == (client_id, order_id):
                is_known = each.is_open or order_id in self.used.get(client_id, ())
                return each if is_known else None
        return None

    def _take(self, order: GatewayOrder) -> None:
        self.book.orders.append(order)
        self._tell(order)

    def _match(self, order: GatewayOrder) -> None:
        quote = self.quotes.get(order.listing.con_id)
        if quote is None or not order.is_open or order.status == "PendingSubmit":
            return
        price = order.meets(quote.bid, quote.ask)
        if price is None:
            return
        order.why_held = ""
        self.fill(order, str(order.remaining), str(price))

    def _end_immediate(self, order: GatewayOrder) -> None:
        """IOC: what did not fill is cancelled; FOK: inactive. As ThomasMarcelis/ibkr-go recorded
        them at a paper account (`api_ioc_fok_aapl.txt`), without an error of their own."""
        if not order.is_open or order.status == "PendingSubmit":
            return
        if order.tif == "IOC":
            order.status, order.completed = "Cancelled", "Cancelled by System"
        elif order.tif == "FOK":
            order.status, order.completed = "Inactive", "Cancelled by System"
        else:
            return
        order.completed_ns = self.now_ns()
        self._say(order.client_id, order_status(order))

    def _pay(self, order: GatewayOrder, money: Decimal) -> None:
        """What a stock costs is paid; a future is not."""
        if order.listing.sec_type == "STK":
            signed = money if order.is_buy else -money
            self.book.pay(order.account, order.listing.currency, signed)

    def _charge(self, execution: Execution) -> None:
        """Take a commission, and tell it."""
        order = execution.order
        self.book.pay(order.account, execution.currency, Decimal(execution.commission))
        self._say(order.client_id, commission_report(execution))

    def _hold(self, order: GatewayOrder, change: Decimal, price: Decimal) -> None:
        key = (order.account, order.listing.con_id)
        quantity, cost = self.book.positions.get(key, (Decimal(0), Decimal(0)))
        is_larger = quantity * change >= 0
        total = quantity + change
        if is_larger and total:
            cost = (quantity * cost + change * price) / total
        self.book.positions[key] = (total, cost if total else Decimal(0))

    def _tell(self, order: GatewayOrder) -> None:
        self._say(order.client_id, open_order(order))
        self._say(order.client_id, order_status(order))

    def _say(self, client_id: int, message: list[object]) -> None:
        if not self.whims.is_deaf_to_orders:
            self.tell(client_id, message)
