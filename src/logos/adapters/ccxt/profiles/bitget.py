"""Bitget spot, in a classic account.

A new order is answered with its ids only. Fees are taken in what was received, or in BGB where
that was switched on. An id counts as used for six hours and only while its order is open.

D is https://www.bitget.com/api-doc/spot; E its table of error codes,
https://www.bitget.com/legacy-docs/classic/contract/error-code/restapi; C is ccxt 4.5.90, bitget.py.
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
    Stream,
)
from logos.core.types import Side
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://www.bitget.com/api-doc/spot"
_CODES: Final = "https://www.bitget.com/legacy-docs/classic/contract/error-code/restapi"

_PLACE: Final = "/trade/place-order"
_CANCEL: Final = "/trade/cancel-order"
_INFO: Final = "/trade/orderInfo"
_UNFILLED: Final = "/trade/unfilled-orders"
_FILLS: Final = "/trade/fills"
_ASSETS: Final = "/account/assets"
_POOLS: Final = (_PLACE, _CANCEL, _INFO, _UNFILLED, _FILLS, _ASSETS)

BITGET: Final = Profile(
    exchange_id="bitget",
    ids=IdRule(40, takes_punctuation=True),
    priced=frozenset((Side.BUY,)),
    new_order=Answer.ID,
    looks=(
        Look("fetch_order", By.VENUE),
        Look("fetch_order", By.CLIENT, "clientOrderId"),
    ),
    cancel=Cancel(By.CLIENT, "clientOrderId", id_beside=""),
    open_orders=Paging(Pages.LAST_ID, size=100, parameter="idLessThan", cursor="orderId"),
    fills=Paging(
        Pages.LAST_ID,
        size=100,
        parameter="idLessThan",
        cursor="tradeId",
        kept_ms=90 * DAY_MS,
    ),
    unknown=("40010", "40015", "40725", "45001"),
    exists=("40786", "40708", "43118", "45034", "50060"),
    shapes={
        "/trade/unfilled-orders": "data",
        "/trade/orderInfo": "data",
        "/trade/fills": "data",
        "/account/assets": "data",
    },
    options={"fetchMarkets": {"types": ["spot"]}, "uta": False},
    has_demo=True,
    # In a second 10 or 20 of each; in a minute 6000 of an address, whose ban lasts five minutes.
    budget=Budget(
        (
            Pool(_PLACE, 5, 5, 0, {RequestKind.ORDER: 1}),
            Pool(_CANCEL, 5, 5, 0, {RequestKind.CANCEL: 1}),
            Pool(_INFO, 10, 10, 0, {RequestKind.FIND: 1}),
            Pool(_UNFILLED, 10, 10, 0, {RequestKind.OPEN_ORDERS: 1}),
            Pool(_FILLS, 5, 5, 0, {RequestKind.FILLS: 1}),
            Pool(_ASSETS, 5, 5, 0, {RequestKind.HOLDINGS: 1}),
            Pool("requests of the address", 1000, 80),
        )
    ),
    left=tuple(Left(each, (each,), "x-mbx-used-remain-limit", window_s=1) for each in _POOLS),
    stream=Stream(
        confirmed={"event": "subscribe", "arg.channel": "orders"},
        about={"arg.channel": "orders", "action": None},
        rows="data",
        names=("clientOid",),
        number="orderId",
    ),
    test_place="the demo mode of the account, with keys of its own (header PAPTRADING)",
    sources={
        "budget": f"{_DOCS}: the frequency limit of each page; https://www.bitget.com/api-doc/"
        "common/faq Q10: each endpoint by itself, 6000 a minute of an address",
        "left": "https://www.bitget.com/api-doc/common/faq Q11: what is left in this second",
        "stream": f"{_DOCS}/websocket/private/Order-Channel clientOid; the answer's event",
        "ids": f"{_CODES} 40305: 50 characters; D websocket: 40 of letters, digits, _ : # - +",
        "priced": f"{_DOCS}/trade/Place-Order size: a market order to buy is told in quote coins",
        "new_order": f"{_DOCS}/trade/Place-Order: the answer holds orderId and clientOid only",
        "looks": f"{_DOCS}/trade/Get-Order-Info: orderId or clientOid",
        "cancel": f"{_DOCS}/trade/Cancel-Order: orderId or clientOid",
        "open_orders": f"{_DOCS}/trade/Get-Unfilled-Orders: limit 100, idLessThan (orderId)",
        "fills": f"{_DOCS}/trade/Get-Fills: limit 100, idLessThan (tradeId), 90 days",
        "unknown": f"{_CODES} 40010 Request timed out (ccxt 4.5.90 takes it for a wrong key), "
        "40015, 40725, 45001",
        "exists": f"{_CODES} 40786, 40708, 43118, 45034, 50060",
        "shapes": f"{_DOCS}/trade: the answers of each",
        "options": "C fetch_default_markets, handle_uta_and_params (it hides the failure of its "
        "question); 40085 refuses a unified account",
        "has_demo": "C set_sandbox_mode: header PAPTRADING",
        "test_place": "C set_sandbox_mode; D common/demotrading",
    },
)
