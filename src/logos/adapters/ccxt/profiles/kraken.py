"""Kraken spot.

It takes a client id of 36 characters or 32 hexadecimal digits (a UUID) or 18 free ones, so ours,
which is longer than 18, goes as 32 digits. A look-up by id takes Kraken's own id only: after a
lost answer an order is sought among the open and the closed ones.

The documentation is https://docs.kraken.com/api-reference/ (D); C is ccxt 4.5.90, kraken.py.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from logos.adapters.ccxt.profiles.profile import (
    Answer,
    By,
    Cancel,
    DeadMan,
    Look,
    Pages,
    Paging,
    Profile,
    Stream,
)
from logos.core.types import TimeInForce
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://docs.kraken.com/api-reference"


def _cancel_all_after(exchange: Any, seconds: int, _market_id: str) -> Awaitable[Any]:
    call: Awaitable[Any] = exchange.privatePostCancelAllOrdersAfter({"timeout": seconds})
    return call


_CLOSED: Final = Paging(
    Pages.OFFSET, size=50, parameter="ofs", asks_for_size=False, is_of_account=True
)

KRAKEN: Final = Profile(
    exchange_id="kraken",
    ids=IdRule(36, takes_punctuation=False, is_uuid=True),
    new_order=Answer.ID,
    looks=(
        Look("fetch_order", By.VENUE),
        Look("fetch_open_orders", By.LIST, paging=Paging(is_of_account=True)),
        Look("fetch_closed_orders", By.LIST, "clientOrderId", paging=_CLOSED),
    ),
    cancel=Cancel(By.CLIENT, "clientOrderId"),
    open_orders=Paging(is_of_account=True),
    fills=Paging(
        Pages.OFFSET,
        size=50,
        parameter="ofs",
        asks_for_size=False,
        early_ms=1000,
        is_of_account=True,
    ),
    times_in_force=frozenset((TimeInForce.GTC, TimeInForce.IOC)),
    unknown=(
        "EService:Unavailable",
        "EService:Busy",
        "EService:Deadline elapsed",
        "EGeneral:Internal error",
    ),
    # Its words for an id that is in use are not documented; any words that name the field count.
    exists=("EOrder:Duplicate order", "cl_ord_id"),
    refused=(
        "EOrder:Cost minimum not met",
        "EOrder:Invalid price",
        "EOrder:Tick size check failed",
        "EOrder:Orders limit exceeded",
    ),
    shapes={
        "/QueryOrders": "result",
        "/OpenOrders": "result.open",
        "/ClosedOrders": "result.closed",
        "/TradesHistory": "result.trades",
        "/BalanceEx": "result",
    },
    asset_endings=(".F",),
    dead_man=DeadMan(_cancel_all_after),
    # The smallest counters. A cancel of a young order counts up to 8 in the engine's; it is not
    # held back for that, for a cancel that is turned away is asked for again.
    budget=Budget(
        (
            Pool(
                "calls",
                15,
                0.33,
                1,
                {RequestKind.ORDER: 0, RequestKind.CANCEL: 0, RequestKind.FILLS: 2},
            ),
            Pool("engine", 60, 1, 0, {RequestKind.ORDER: 1, RequestKind.CANCEL: 1}),
        )
    ),
    # An update of an order that is there already names it by Kraken's id alone.
    stream=Stream(
        confirmed={"method": "subscribe", "success": True, "result.channel": "executions"},
        about={"channel": "executions"},
        rows="data",
        names=("cl_ord_id",),
        number="order_id",
    ),
    test_place="none: read-only questions, AddOrder with validate=true, then the smallest order",
    sources={
        "stream": "https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/executions: "
        "the subscription's answer, cl_ord_id, order_id",
        "budget": "docs.kraken.com/api/docs/guides/spot-rest-ratelimits: 15, 0.33 a second, trade "
        "history 2, no AddOrder or CancelOrder; guides/spot-ratelimits: 60 a pair, 1 a second",
        "ids": f"{_DOCS}/trading/add-order cl_ord_id: long UUID, short UUID or 18 characters",
        "new_order": f"{_DOCS}/trading/add-order: the answer holds descr and txid only",
        "looks": f"{_DOCS}/account-data/query-orders-info: txid only; get-closed-orders: cl_ord_id",
        "cancel": f"{_DOCS}/trading/cancel-order: txid or cl_ord_id",
        "open_orders": f"{_DOCS}/account-data/get-open-orders: all of them, no pages",
        "fills": f"{_DOCS}/account-data/get-trades-history: 50 at a time, most recent first, ofs; "
        "start is exclusive and in seconds",
        "times_in_force": f"{_DOCS}/trading/add-order timeinforce: GTC, IOC, GTD",
        "unknown": "https://docs.kraken.com/exchange/guides/spot-errors",
        "refused": "https://docs.kraken.com/exchange/guides/spot-errors",
        "exists": f"{_DOCS}/trading/add-order cl_ord_id: unique among open orders",
        "shapes": f"{_DOCS}/account-data: the answers of each",
        "asset_endings": f"{_DOCS}/account-data/get-extended-balance: .F is auto-earn, tradable",
        "dead_man": f"{_DOCS}/trading/cancel-all-orders-after-x",
        "test_place": f"{_DOCS}/trading/add-order: validate",
    },
)
