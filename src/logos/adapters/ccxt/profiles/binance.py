"""Binance spot, and its sister for the United States, which answers in the same shapes.

Sources: R is https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md (the
chapters `New order`, `Query order`, `Cancel order`, `Account trade list`), E is errors.md beside
it, and C is ccxt 4.5.90, python/ccxt/binance.py.
"""

from __future__ import annotations

from typing import Final

import msgspec

from logos.adapters.ccxt.profiles.profile import (
    DAY_MS,
    By,
    Cancel,
    Left,
    Look,
    Pages,
    Paging,
    Profile,
    Stream,
)
from logos.core.types import OrderType
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_REST: Final = "https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md"
_ERRORS: Final = "https://github.com/binance/binance-spot-api-docs/blob/master/errors.md"

_STREAM: Final = "https://github.com/binance/binance-spot-api-docs/blob/master/user-data-stream.md"

_FAQ: Final = (
    "https://github.com/binance/binance-spot-api-docs/blob/master/faqs/order_count_decrement.md"
)

_WEIGHT: Final = "weight of the address"
_ORDERS: Final = "orders in 10 s"
_ORDERS_A_DAY: Final = "orders in a day"
_ORDER_COUNTED: Final = ("POST /api/v3/order",)

_BUDGET: Final = Budget(
    (
        # 6000 in a minute.
        Pool(
            _WEIGHT,
            1000,
            80,
            20,
            {
                RequestKind.ORDER: 1,
                RequestKind.CANCEL: 1,
                RequestKind.FIND: 4,
                RequestKind.OPEN_ORDERS: 6,
            },
        ),
        # 50 and 160000; one that fills is taken off again, which is not reckoned with.
        Pool(_ORDERS, 20, 3, 0, {RequestKind.ORDER: 1}),
        Pool(_ORDERS_A_DAY, 10_000, 1.7, 0, {RequestKind.ORDER: 1}),
    )
)
_LEFT: Final = (
    Left(_WEIGHT, ("",), "X-MBX-USED-WEIGHT-1M", 60, used_of=6000, is_aligned=True),
    Left(
        _ORDERS,
        _ORDER_COUNTED,
        "X-MBX-ORDER-COUNT-10S",
        10,
        used_of=50,
        is_aligned=True,
        refusal='"code":-1015',
    ),
    Left(
        _ORDERS_A_DAY,
        _ORDER_COUNTED,
        "X-MBX-ORDER-COUNT-1D",
        86_400,
        used_of=160_000,
        is_aligned=True,
    ),
)

BINANCE: Final = Profile(
    exchange_id="binance",
    ids=IdRule(36, takes_punctuation=True),
    looks=(Look("fetch_order", By.CLIENT, "clientOrderId"),),
    cancel=Cancel(By.CLIENT, "clientOrderId", id_beside=""),
    fills=Paging(Pages.NUMBER, size=1000, parameter="fromId", window_ms=DAY_MS),
    order_types=frozenset(
        (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
    ),
    unknown=("-1000", "-1006", "-1007"),
    exists=("Duplicate order sent",),
    shapes={"/openOrders": "", "/myTrades": "", "/account": "balances"},
    options={"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False},
    budget=_BUDGET,
    left=_LEFT,
    # The report of a cancel names the cancel in `c`, and the order in `C`.
    stream=Stream(
        confirmed={"status": 200, "result.subscriptionId": None},
        about={"event.e": "executionReport"},
        rows="event",
        names=("C", "c"),
        ended={"event.e": "eventStreamTerminated"},
    ),
    test_place="Spot Test Network, testnet.binance.vision",
    sources={
        "stream": f"{_STREAM} Order Update, Event Stream Terminated; web-socket-api.md "
        "userDataStream.subscribe.signature",
        "ids": f"{_REST} New order: newClientOrderId, ^[a-zA-Z0-9-_]{{1,36}}$",
        "looks": f"{_REST} Query order: origClientOrderId",
        "cancel": f"{_REST} Cancel order: origClientOrderId",
        "fills": f"{_REST} Account trade list: fromId, limit 1000, 24 hours at most",
        "order_types": f"{_REST} New order: type",
        "unknown": f"{_ERRORS} -1000, -1006, -1007: execution status unknown",
        "exists": f"{_ERRORS} -2010 and its messages",
        "shapes": f"{_REST} answers of openOrders, myTrades, account",
        "budget": f"{_REST} Weight of each; enums.md REQUEST_WEIGHT 6000 a minute; Query Unfilled "
        f"Order Count: 50 in 10 s, 160000 in a day; {_FAQ}",
        "left": f"{_REST} IP Limits, Unfilled Order Count; {_FAQ}: -1015",
        "options": "ccxt 4.5.90 binance.py, options.fetchMarkets and fetchMargins",
        "test_place": "https://testnet.binance.vision",
    },
)

BINANCEUS: Final = msgspec.structs.replace(
    BINANCE, exchange_id="binanceus", test_place="none", stream=None, budget=None, left=()
)
