"""MEXC spot.

A new order is answered without a status. "Order does not exist" (-2013) comes for a moment after
an order was taken, too. Nothing is documented about a client id that is used twice, and no test
place exists.

D is https://www.mexc.com/api-docs/spot-v3 (a copy: https://github.com/rosssaunders/coincise, folder
docs/mexc); C is ccxt 4.5.90, mexc.py.
"""

from __future__ import annotations

from typing import Final

from logos.adapters.ccxt.profiles.profile import (
    DAY_MS,
    Answer,
    By,
    Cancel,
    Look,
    Pages,
    Paging,
    Profile,
)
from logos.core.types import Side
from logos.venues.ids import IdRule

_DOCS: Final = "https://www.mexc.com/api-docs/spot-v3/spot-account-trade"

MEXC: Final = Profile(
    exchange_id="mexc",
    ids=IdRule(32, takes_punctuation=False),
    priced=frozenset((Side.BUY,)),
    new_order=Answer.ID,
    looks=(
        Look("fetch_order", By.VENUE),
        Look("fetch_order", By.CLIENT, "clientOrderId"),
    ),
    cancel=Cancel(By.CLIENT, "clientOrderId", id_beside=""),
    fills=Paging(Pages.BACKWARD, size=100, parameter="until", kept_ms=30 * DAY_MS),
    fill_client_id="clientOrderId",
    absent={"/api/v3/order": ('"code":-2013', "Order does not exist")},
    unknown=("603", "500", "501", "503", "504", "20002", "730000"),
    shapes={
        "/openOrders": "",
        "/myTrades": "",
        "/account": "balances",
    },
    stream_off="its messages are protobuf: ccxt reads them with classes made for protobuf 5.29.5, "
    "which it does not bring",
    test_place="none",
    sources={
        "stream_off": "C, its streams: watch_orders: spot@private.orders.v3.api.pb",
        "ids": f"{_DOCS}#new-order newClientOrderId: no form is documented, 700008 refuses some",
        "priced": f"{_DOCS}#new-order: a market order's quantity is what is sold; buys are by cost",
        "new_order": f"{_DOCS}#new-order: the answer holds no status",
        "looks": f"{_DOCS}#query-order: orderId or origClientOrderId",
        "cancel": f"{_DOCS}#cancel-order: orderId or origClientOrderId",
        "fills": f"{_DOCS}#account-trade-list: at most 100 rows, of the past month only",
        "fill_client_id": f"{_DOCS}#account-trade-list: clientOrderId or null; C drops it",
        "absent": "https://github.com/ccxt/ccxt/issues/21614: -2013, unknown to ccxt",
        "unknown": "C exceptions: 603 Repeated request, which ccxt takes for a refusal; 500, 501, "
        "503, 504, 20002, 730000",
        "shapes": f"{_DOCS}: the answers of each",
        "test_place": "C urls: no test",
    },
)
