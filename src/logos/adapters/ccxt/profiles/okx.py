"""OKX spot.

The documentation is https://www.okx.com/docs-v5/en/ (the sections are named); C is ccxt 4.5.90,
okx.py. An order that was cancelled without a fill can be asked for during two hours only.
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
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://www.okx.com/docs-v5/en/"


def _cancel_all_after(exchange: Any, seconds: int, _market_id: str) -> Awaitable[Any]:
    call: Awaitable[Any] = exchange.privatePostTradeCancelAllAfter({"timeOut": str(seconds)})
    return call


OKX: Final = Profile(
    exchange_id="okx",
    ids=IdRule(32, takes_punctuation=False),
    create_parameter="clOrdId",
    market_buy_parameters={"tgtCcy": "base_ccy"},
    new_order=Answer.ID,
    looks=(Look("fetch_order", By.CLIENT, "clOrdId"),),
    cancel=Cancel(By.CLIENT, "clOrdId"),
    open_orders=Paging(Pages.LAST_ID, size=100, parameter="after", cursor="ordId"),
    fills=Paging(Pages.LAST_ID, size=100, parameter="after", cursor="billId"),
    fill_client_id="clOrdId",
    unknown=("50004",),
    exists=("51016",),
    shapes={
        "/trade/orders-pending": "data",
        "/trade/fills-history": "data",
        "/account/balance": "data",
    },
    options={"fetchMarkets": {"types": ["spot"]}},
    dead_man=DeadMan(_cancel_all_after),
    # In two seconds: 300 orders, 60 cancels, 60 looks, 60 lists, 10 of fills, 10 of balances.
    budget=Budget(
        (
            Pool("orders", 100, 100, 0, {RequestKind.ORDER: 1}),
            Pool("cancels", 20, 20, 0, {RequestKind.CANCEL: 1}),
            Pool("looks", 20, 20, 0, {RequestKind.FIND: 1}),
            Pool("open orders", 20, 20, 0, {RequestKind.OPEN_ORDERS: 1}),
            Pool("fills", 4, 3, 0, {RequestKind.FILLS: 1}),
            Pool("balances", 4, 3, 0, {RequestKind.HOLDINGS: 1}),
        )
    ),
    stream=Stream(
        confirmed={"event": "subscribe", "arg.channel": "orders"},
        about={"arg.channel": "orders", "data": None},
        rows="data",
        names=("clOrdId",),
        number="ordId",
        parameters={"type": "SPOT"},
    ),
    test_place="demo trading: the same host, keys of its own and the header x-simulated-trading",
    sources={
        "stream": f"{_DOCS} WS / Order channel: clOrdId; Subscribe: the answer's event",
        "ids": f"{_DOCS} Place order: clOrdId, up to 32 case-sensitive letters and digits",
        "create_parameter": f"{_DOCS} Place order: clOrdId; C create_order_request",
        "market_buy_parameters": f"{_DOCS} Place order: tgtCcy, quote_ccy by default for a buy",
        "new_order": f"{_DOCS} Place multiple orders: ordId, clOrdId, sCode, sMsg only",
        "looks": f"{_DOCS} Get order details: ordId or clOrdId, the latest of several; Order "
        "history: cancelled without a fill is kept for 2 hours",
        "cancel": f"{_DOCS} Cancel order: ordId or clOrdId",
        "open_orders": f"{_DOCS} Get order list: limit 100, after an ordId, newest first",
        "fills": f"{_DOCS} Get transaction details (last 3 months): limit 100, after a billId, "
        "newest first, begin; C fetch_my_trades sends no limit beside begin",
        "fill_client_id": f"{_DOCS} Get transaction details: clOrdId; C parse_trade drops it",
        "unknown": f"{_DOCS} Error code: 50004, a timeout that says neither success nor failure",
        "exists": f"{_DOCS} Error code: 51016 Client order ID already exists",
        "shapes": f"{_DOCS} the answers of each; C reads a missing list as an empty one",
        "options": "C options.fetchMarkets",
        "budget": f"{_DOCS} the rate limit of each request, by user: in 2 s: Place multiple orders "
        "300, Cancel order 60, Order details 60, Order list 60, Transaction details 10, Balance 10",
        "dead_man": f"{_DOCS} Cancel All After: timeOut, 10 to 120 s",
        "test_place": f"{_DOCS} Demo Trading Services; C set_sandbox_mode",
    },
)
