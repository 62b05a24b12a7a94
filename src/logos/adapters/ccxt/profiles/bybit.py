"""Bybit spot in a unified trading account.

The documentation is https://github.com/bybit-exchange/docs, folder docs/v5 (D), which
https://bybit-exchange.github.io/docs/v5 shows; C is ccxt 4.5.90, bybit.py.
"""

from __future__ import annotations

from typing import Final

from logos.adapters.ccxt.profiles.profile import (
    DAY_MS,
    Answer,
    By,
    Cancel,
    Left,
    Look,
    Pages,
    Paging,
    Profile,
    Reset,
    Stream,
)
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://bybit-exchange.github.io/docs/v5"


def _left(pool: str) -> Left:
    return Left(
        pool,
        (pool,),
        "X-Bapi-Limit-Status",
        window_s=1,
        reset_header="X-Bapi-Limit-Reset-Timestamp",
        reset=Reset.MS_SINCE_1970,
    )


_CREATE: Final = "/v5/order/create"
_CANCEL: Final = "/v5/order/cancel"
_REALTIME: Final = "/v5/order/realtime"
_HISTORY: Final = "/v5/order/history"
_EXECUTIONS: Final = "/v5/execution/list"
_WALLET: Final = "/v5/account/wallet-balance"

BYBIT: Final = Profile(
    exchange_id="bybit",
    ids=IdRule(36, takes_punctuation=True),
    # ccxt leaves a bare `timeInForce` in place only for limit orders; market orders are IOC there.
    market_buy_parameters={"marketUnit": "baseCoin"},
    new_order=Answer.ID,
    looks=(
        Look("fetch_open_orders", By.LIST, "orderLinkId"),
        Look("fetch_canceled_and_closed_orders", By.LIST, "orderLinkId"),
    ),
    cancel=Cancel(By.CLIENT, "orderLinkId"),
    open_orders=Paging(Pages.CURSOR, size=50, parameter="cursor", cursor="nextPageCursor"),
    fills=Paging(
        Pages.CURSOR,
        size=100,
        parameter="cursor",
        cursor="nextPageCursor",
        window_ms=7 * DAY_MS,
    ),
    fee_currency="feeCurrency",
    fee_extras=("extraFees",),
    unknown=("170007", "10000", "10016", "170031", "170032", "Request timeout", "server timeout"),
    exists=("170141", "110072"),
    shapes={
        "/order/realtime": "result.list",
        "/order/history": "result.list",
        "/execution/list": "result.list",
        "/account/wallet-balance": "result.list",
    },
    options={"fetchMarkets": {"types": ["spot"]}},
    # In a second 20 orders, 20 cancels, 50 of each question; in five 600 of an address.
    budget=Budget(
        (
            Pool(_CREATE, 10, 10, 0, {RequestKind.ORDER: 1}),
            Pool(_CANCEL, 10, 10, 0, {RequestKind.CANCEL: 1}),
            Pool(_REALTIME, 25, 25, 0, {RequestKind.FIND: 1, RequestKind.OPEN_ORDERS: 1}),
            Pool(_HISTORY, 25, 25, 0, {RequestKind.FIND: 1}),
            Pool(_EXECUTIONS, 25, 25, 0, {RequestKind.FILLS: 1}),
            Pool(_WALLET, 25, 25, 0, {RequestKind.HOLDINGS: 1}),
            Pool("requests of the address", 100, 100),
        )
    ),
    left=tuple(map(_left, (_CREATE, _CANCEL, _REALTIME, _HISTORY, _EXECUTIONS, _WALLET))),
    stream=Stream(
        confirmed={"op": "subscribe", "success": True},
        about={"topic": "order"},
        rows="data",
        names=("orderLinkId",),
        number="orderId",
    ),
    test_place="api-testnet.bybit.com",
    sources={
        "budget": f"{_DOCS}/rate-limit: HTTP IP limit, API Rate Limit Table, spot",
        "left": f"{_DOCS}/rate-limit: of the current endpoint, in a rolling second; the reset is "
        "the present moment unless the limit was passed",
        "stream": f"{_DOCS}/websocket/private/order orderLinkId; {_DOCS}/ws/connect: subscribe",
        "ids": f"{_DOCS}/order/create-order orderLinkId: 36 of letters, digits, - and _",
        "market_buy_parameters": f"{_DOCS}/order/create-order marketUnit",
        "new_order": f"{_DOCS}/order/create-order: the answer holds orderId and orderLinkId only",
        "looks": f"{_DOCS}/order/open-order and order-list: orderLinkId",
        "cancel": f"{_DOCS}/order/cancel-order: orderId or orderLinkId",
        "open_orders": f"{_DOCS}/order/open-order: limit 50, cursor, newest first",
        "fills": f"{_DOCS}/order/execution: limit 100, cursor, newest first, 7 days at most",
        "fee_currency": f"{_DOCS}/order/execution feeCurrency (ccxt 4.5.90 reads feeCoin)",
        "fee_extras": f"{_DOCS}/order/execution extraFees",
        "unknown": f"{_DOCS}/error 10000, 10016, 170007, 170031, 170032",
        "exists": f"{_DOCS}/error 170141, 110072",
        "shapes": f"{_DOCS}/order/open-order, order-list, execution; account/wallet-balance",
        "options": "ccxt 4.5.90 bybit.py, options.fetchMarkets",
        "test_place": f"{_DOCS}/guide: testnet",
    },
)
