"""What the simulated gateway keeps: orders, executions and commissions, and how they look.

Layouts: `Decoder.openOrder`, `Decoder.completedOrder`, `Decoder.execDetails` and
`Decoder.commissionReport` of ib-api-reloaded/ib_async (`ib_async/decoder.py`, server version 178);
the values of a plain order: the frames in the tests of wboayue/rust-ibapi (`src/orders/tests.rs`,
recorded from a gateway) and in ThomasMarcelis/ibkr-go (`testdata/transcripts/`, recorded too).
Statuses: interactivebrokers.github.io/tws-api/order_submission.html, "Order Status Message".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from logos.simulators.ib.contracts import CONTRACT_FIELDS, Listing

UNSET: Final = "1.7976931348623157E308"
"""A figure that is not there: the greatest double."""
_NS: Final = 1_000_000_000

OPEN: Final = frozenset(
    ("ApiPending", "PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel")
)
"""The statuses in which an order may still fill."""

ORDER_FIELDS: Final = (
    *("id", *CONTRACT_FIELDS, "sec_id_type", "sec_id"),
    *("action", "quantity", "kind", "limit", "stop", "tif", "oca_group", "account"),
    *("open_close", "origin", "order_ref", "transmit", "parent_id", "block", "sweep"),
    *("display", "trigger_method", "outside_rth", "hidden", "shares_allocation"),
    *("discretionary", "good_after", "good_till", "fa_group", "fa_method", "fa_percentage"),
    *("model_code", "short_slot", "location", "exempt_code", "oca_type", "rule_80a"),
    *("settling_firm", "all_or_none", "min_quantity", "percent_offset", "e_trade_only"),
    *("firm_quote_only", "nbbo_cap", "auction", "starting_price", "stock_ref", "delta"),
    *("range_lower", "range_upper", "override", "volatility", "volatility_type"),
    *("dn_order_type", "dn_aux_price", "continuous", "reference_type", "trail_stop"),
    *("trailing_percent", "scale_level", "scale_subs", "scale_increment", "scale_table"),
    *("active_start", "active_stop", "hedge_type", "opt_out_smart", "clearing_account"),
    *("clearing_intent", "not_held", "delta_neutral", "algo_strategy", "algo_id"),
    *("what_if", "misc_options", "solicited", "randomize_size", "randomize_price"),
    *("conditions", "adjusted_type", "trigger_price", "limit_offset", "adjusted_stop"),
    *("adjusted_stop_limit", "adjusted_trailing", "adjustable_unit", "ext_operator"),
    *("tier_name", "tier_value", "cash_quantity", "mifid_maker", "mifid_algo"),
    *("mifid_trader", "mifid_execution", "dont_use_auto", "is_oms", "discretionary_up_to"),
    *("price_mgmt", "duration", "post_to_ats", "auto_cancel_parent", "error_override"),
    "manual_time",
)
"""A plain order in a request, in this order: `Client.placeOrder` of ib_async at version 178, or
`EClient.placeOrder` of IB's own client. One with legs, scales, hedges or an algorithm has more."""


@dataclass(slots=True)
class GatewayOrder:
    """One order as the gateway keeps it. `order_id` is its number for `client_id` alone."""

    client_id: int
    order_id: int
    perm_id: int
    listing: Listing
    exchange: str
    action: str
    quantity: Decimal
    kind: str
    limit: Decimal
    stop: Decimal
    tif: str
    account: str
    order_ref: str
    status: str = "PreSubmitted"
    filled: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    completed: str = ""
    """Words of its end in the list of completed orders."""
    completed_ns: int = 0
    is_triggered: bool = False
    why_held: str = ""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_buy(self) -> bool:
        return self.action == "BUY"

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        return self.spent / self.filled if self.filled else Decimal(0)

    def meets(self, bid: Decimal, ask: Decimal) -> Decimal | None:
        """The price at which the order fills in such a market; None where it does not."""
        best = ask if self.is_buy else bid
        if self.stop and not self.is_triggered:
            self.is_triggered = best >= self.stop if self.is_buy else best <= self.stop
            if not self.is_triggered:
                return None
        if self.limit and (best > self.limit if self.is_buy else best < self.limit):
            return None
        return best


@dataclass(slots=True)
class Execution:
    """One execution. `exec_id` ends in its revision: ".01", and ".02" once it was corrected."""

    exec_id: str
    order: GatewayOrder
    quantity: Decimal
    price: Decimal
    ts_ns: int
    filled: Decimal
    average: Decimal
    commission: str = "1.0"
    currency: str = "USD"
    has_commission: bool = True
    """False while the commission is not known yet."""


@dataclass(slots=True)
class Book:
    """Everything the gateway knows of one login; it outlives a restart."""

    orders: list[GatewayOrder] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    positions: dict[tuple[str, int], tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Quantity and average cost by account and contract."""
    cash: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    """What each account has, by currency."""

    def pay(self, account: str, currency: str, amount: Decimal) -> None:
        """Take so much from an account; a negative amount is received."""
        held = self.cash.setdefault(account, {})
        held[currency] = held.get(currency, Decimal(0)) - amount


def open_order(order: GatewayOrder) -> list[object]:
    """The message about an order: its terms and where it stands."""
    return [
        5,
        order.order_id,
        *order.listing.short(order.exchange, is_order=True),
        *_terms(order),
        order.client_id,
        order.perm_id,
        *("0", "0", "0", ""),  # outside hours, hidden, discretionary, good after
        f"{order.perm_id}.0/{order.account}/100",
        *("", "", "", "", "", "", "", ""),  # advisors, model, good till, rule 80A, offset, firm
        *("0", "", "-1", "0"),  # short sale, auction
        *("", "", "", "", ""),  # prices and ranges of other kinds of orders
        *("2147483647", "0", "0", "0", "", "3", "0", "0", "", "0", "0"),
        *("", "0", "None", "", "0", "", "", "", "?", "0", "0", ""),  # volatility, delta neutral
        *("0", "0", "", "", "", "", ""),
        *("0", "0", "0"),  # legs, prices of legs, routing parameters
        *("2147483647", "2147483647", "", ""),  # scale, hedge
        *("0", "", "IB", "0", "0", "", "0", "0"),
        order.status,
        *((UNSET,) * 9),  # margins
        *("", "", "", "", ""),  # commission, warning
        *("0", "0", "0"),  # randomised; conditions
        "None",
        *((UNSET,) * 6),
        *("0", "", "", "", "0", "1", "0", "0", "0", "", "", "0"),
        *("", "", "", "", ""),
    ]


def completed_order(order: GatewayOrder, zone: str) -> list[object]:
    """An order of today that has ended. It has no number and no client here, only `permId`."""
    return [
        101,
        *order.listing.short(order.exchange, is_order=True),
        *_terms(order),
        order.perm_id,
        *("0", "0", "0"),
        *("", "", "", "", "", ""),
        *("0", "", "", "0", "", "-1"),
        *("", "", "", "", ""),
        *("2147483647", "0", "0", "", "3", "0", "", "0", "None", ""),
        *("0", "0", "0", "", "0", "0", "", "", ""),
        *("0", "0", "0", "2147483647", "2147483647", "", ""),
        *("", "IB", "0", "0", "", "0"),
        order.status,
        *("0", "0", "0", UNSET, UNSET, "0", "1", "0", ""),
        plain(order.filled),
        *("2147483647", "0", "Not an insider or substantial shareholder", "0", "0", "0"),
        clock_text(order.completed_ns, zone or "US/Eastern"),
        order.completed,
        *("", "", "", "", ""),
    ]


def _terms(order: GatewayOrder) -> list[object]:
    return [
        order.action,
        plain(order.quantity),
        order.kind,
        plain(order.limit, "0.0"),
        plain(order.stop, "0.0"),
        order.tif,
        "",
        order.account,
        "",
        "0",
        order.order_ref,
    ]


def order_status(order: GatewayOrder) -> list[object]:
    """The message about what of an order has filled."""
    return [
        3,
        order.order_id,
        order.status,
        plain(order.filled),
        plain(order.remaining),
        plain(order.average),
        order.perm_id,
        "0",
        plain(order.last_price),
        order.client_id,
        order.why_held,
        "0",
    ]


def execution_details(each: Execution, request_id: object, zone: str) -> list[object]:
    """The message about an execution; times are those of `zone` (see `clock_text`)."""
    order = each.order
    return [
        11,
        request_id,
        order.order_id,
        *order.listing.short(order.listing.primary_exchange),
        each.exec_id,
        clock_text(each.ts_ns, zone),
        order.account,
        order.listing.primary_exchange,
        "BOT" if order.is_buy else "SLD",
        plain(each.quantity),
        plain(each.price),
        order.perm_id,
        order.client_id,
        "0",
        plain(each.filled),
        plain(each.average),
        order.order_ref,
        *("", "", "", "2", "0"),
    ]


def commission_report(each: Execution, instead: str = "") -> list[object]:
    """The message about what an execution cost, or with another figure."""
    cost = instead or each.commission
    return [59, "1", each.exec_id, cost, each.currency, UNSET, UNSET, ""]


def clock_text(ts_ns: int, zone: str) -> str:
    """A moment in one of the gateway's three spellings, by the setting "Send instrument-specific
    attributes for dual-mode API client in": a time zone's name, "UTC" (a hyphen, and always UTC),
    or "" for the operator's own zone, which is not said (UTC here). All three are recorded:
    ThomasMarcelis/ibkr-go, `testdata/transcripts/place_order_fill_native_execution_time.txt` and
    `order_cancel_replay_test.go`; wboayue/rust-ibapi, `src/orders/tests.rs`."""
    if zone == "UTC":
        return f"{datetime.fromtimestamp(ts_ns // _NS, UTC):%Y%m%d-%H:%M:%S}"
    if not zone:
        return f"{datetime.fromtimestamp(ts_ns // _NS, UTC):%Y%m%d  %H:%M:%S}"
    return f"{datetime.fromtimestamp(ts_ns // _NS, ZoneInfo(zone)):%Y%m%d %H:%M:%S} {zone}"


def plain(number: Decimal, zero: str = "0") -> str:
    """A figure without exponent and trailing zeros, as the gateway writes them."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return zero if text in ("", "0") else text
