"""Gate spot, in a classic account.

Every client id begins with `t-`. An order can be asked for by our id while it is open and for an
hour after it has ended; after that only by Gate's own id, so "not found" is believed only when
neither the open nor the finished orders hold it. A cancel names the order in its path: the path
without an id is the address of cancelling every order of the pair.

D is Gate's own description of its API, https://github.com/gateio/gateapi-python, folder docs; C is
ccxt 4.5.90, gate.py. The order of rows on a page is taken from C's recorded answers.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from logos.adapters.ccxt.profiles.profile import (
    DAY_MS,
    By,
    Cancel,
    DeadMan,
    Left,
    Look,
    Pages,
    Paging,
    Profile,
    Reset,
    Stream,
)
from logos.core.types import Side
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://github.com/gateio/gateapi-python/blob/master/docs"


def _cancel_all_after(exchange: Any, seconds: int, market_id: str) -> Awaitable[Any]:
    asked = {"timeout": seconds, "currency_pair": market_id}
    call: Awaitable[Any] = exchange.privateSpotPostCountdownCancelAll(asked)
    return call


def _left(pool: str, window_s: int) -> Left:
    return Left(
        pool,
        (pool,),
        "X-Gate-RateLimit-Requests-Remain",
        window_s=window_s,
        reset_header="X-Gate-RateLimit-Reset-Timestamp",
        reset=Reset.S_SINCE_1970,
    )


_PLACE: Final = "POST /api/v4/spot/orders"
_CANCEL: Final = "DELETE /api/v4/spot/orders"
_SHOW: Final = "GET /api/v4/spot/orders"
_LIST: Final = "GET /api/v4/spot/open_orders"
_TRADES: Final = "GET /api/v4/spot/my_trades"
_ACCOUNTS: Final = "GET /api/v4/spot/accounts"

_OPEN: Final = Paging(Pages.PAGE, size=100, parameter="page")

GATE: Final = Profile(
    exchange_id="gate",
    ids=IdRule(28, takes_punctuation=True, prefix="t-"),
    priced=frozenset((Side.BUY,)),
    looks=(
        Look("fetch_order", By.VENUE),
        Look("fetch_order", By.CLIENT, "clientOrderId"),
        Look("fetch_open_orders", By.LIST, paging=_OPEN),
        Look("fetch_closed_orders", By.LIST, paging=_OPEN),
    ),
    cancel=Cancel(By.CLIENT),
    open_orders=_OPEN,
    fills=Paging(Pages.PAGE, size=1000, parameter="page", window_ms=30 * DAY_MS, early_ms=1000),
    fill_client_id="text",
    unknown=("SERVER_ERROR", "INTERNAL", "TOO_BUSY"),
    exists=("REPEATED_CREATION",),
    shapes={
        "/spot/open_orders": "",
        "/spot/my_trades": "",
        "/spot/accounts": "",
    },
    options={"fetchMarkets": {"types": ["spot"]}, "unifiedAccount": False},
    dead_man=DeadMan(_cancel_all_after, is_by_market=True),
    # Ten orders a second and market, 200 cancels a second, 200 of each question in ten seconds.
    budget=Budget(
        (
            Pool(_PLACE, 5, 5, 0, {RequestKind.ORDER: 1}),
            Pool(_CANCEL, 100, 100, 0, {RequestKind.CANCEL: 1}),
            Pool(_SHOW, 100, 10, 0, {RequestKind.FIND: 1}),
            Pool(_LIST, 100, 10, 0, {RequestKind.FIND: 1, RequestKind.OPEN_ORDERS: 1}),
            Pool(_TRADES, 100, 10, 0, {RequestKind.FILLS: 1}),
            Pool(_ACCOUNTS, 100, 10, 0, {RequestKind.HOLDINGS: 1}),
        )
    ),
    left=(
        _left(_PLACE, 1),
        _left(_CANCEL, 1),
        *(_left(each, 10) for each in (_SHOW, _LIST, _TRADES, _ACCOUNTS)),
    ),
    stream=Stream(
        confirmed={"channel": "spot.orders", "event": "subscribe", "result.status": "success"},
        about={"channel": "spot.orders", "event": "update"},
        rows="result",
        names=("text",),
        number="id",
    ),
    test_place="api-testnet.gateapi.io",
    sources={
        "budget": "https://www.gate.com/docs/developers/apiv4/en/ Frequency limit rule: spot, "
        "private endpoints",
        "left": "https://www.gate.com/docs/developers/apiv4/en/ Rate Limit: of the current "
        "endpoint; the reset in seconds, the present moment unless the limit was passed",
        "stream": "https://www.gate.com/docs/developers/apiv4/ws/en/ spot.orders: text; C, "
        "its streams: handle_order; the subscription's result",
        "ids": f"{_DOCS}/Order.md text: t- and 28 bytes of 0-9, A-Z, a-z, _, - and .; C takes 28 "
        "with the prefix",
        "priced": f"{_DOCS}/Order.md amount: a market order to buy is told in the quote currency",
        "looks": f"{_DOCS}/SpotApi.md get_order: by text while in the book and one hour after its "
        "end, then by id only; list_orders: status finished",
        "cancel": f"{_DOCS}/SpotApi.md cancel_order: order_id is the id or the text; "
        "cancel_orders: the path without it cancels all of the pair",
        "open_orders": f"{_DOCS}/SpotApi.md list_all_open_orders: page, 100 a pair",
        "fills": f"{_DOCS}/SpotApi.md list_my_trades: page, limit, from and to at most 30 days "
        "apart, in seconds; C: at most 1000 rows",
        "fill_client_id": "https://www.gate.com/docs/developers/apiv4/en/ Query personal trading "
        "records: text; C drops it",
        "unknown": "C exceptions: ExchangeNotAvailable",
        "exists": "C exceptions: REPEATED_CREATION, which ccxt takes for a refusal",
        "shapes": f"{_DOCS}/SpotApi.md: list[...] of each",
        "options": "C fetch_markets, load_unified_status (it hides the failure of its question)",
        "dead_man": f"{_DOCS}/SpotApi.md countdown_cancel_all_spot",
        "test_place": "C urls.test",
    },
)
