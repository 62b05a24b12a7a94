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
    Look,
    Pages,
    Paging,
    Profile,
    Stream,
)
from logos.core.types import OrderType
from logos.venues.ids import IdRule

_REST: Final = "https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md"
_ERRORS: Final = "https://github.com/binance/binance-spot-api-docs/blob/master/errors.md"

_STREAM: Final = "https://github.com/binance/binance-spot-api-docs/blob/master/user-data-stream.md"

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
        "options": "ccxt 4.5.90 binance.py, options.fetchMarkets and fetchMargins",
        "test_place": "https://testnet.binance.vision",
    },
)

BINANCEUS: Final = msgspec.structs.replace(
    BINANCE, exchange_id="binanceus", test_place="none", stream=None
)
