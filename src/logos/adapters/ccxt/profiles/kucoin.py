"""KuCoin spot, in a classic account (not the unified one), by its "hf" addresses.

The documentation is https://www.kucoin.com/docs-new/ (the pages are named); C is ccxt 4.5.90,
kucoin.py. An order that was cancelled can be asked for during two days, a filled one during seven.
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
)
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://www.kucoin.com/docs-new"
_SPOT: Final = "spot"
_MANAGEMENT: Final = "management"
_WEIGHTS: Final = {RequestKind.ORDER: 1.0, RequestKind.CANCEL: 1.0, RequestKind.HOLDINGS: 0.0}
_ORDERS: Final = f"{_DOCS}/rest/spot-trading/orders"

KUCOIN: Final = Profile(
    exchange_id="kucoin",
    ids=IdRule(40, takes_punctuation=True),
    create_parameter="clientOid",
    new_order=Answer.ID,
    looks=(Look("fetch_order", By.CLIENT, "clientOid"),),
    cancel=Cancel(By.CLIENT, "clientOid"),
    fills=Paging(Pages.LAST_ID, size=100, parameter="lastId", cursor="id", window_ms=7 * DAY_MS),
    fee_extras=("tax",),
    unknown=("408000", "500000", "126038", "126039"),
    exists=("validation.createOrder.clientOidDuplicated", "126033", "126044"),
    shapes={"/hf/orders/active": "data", "/hf/fills": "data.items", "/v1/accounts": "data"},
    market_parameters={"marginables": False},
    options={
        "fetchMarkets": {"types": ["spot"], "fetchTickersFees": False},
        # Which account this is: ccxt would ask before the first order, at a cost of its own.
        "hf": True,
        "uta": False,
        # ccxt would sign its own partner's name into every request.
        "partner": {"spot": {"id": None, "key": None}, "future": {"id": None, "key": None}},
    },
    budget=Budget(
        (
            Pool(_SPOT, 1000, 100, 2, _WEIGHTS),  # 4000 in 30 s
            Pool(_MANAGEMENT, 500, 50, 0, {RequestKind.HOLDINGS: 5}),  # 2000 in 30 s
        )
    ),
    left=(
        Left(
            _SPOT,
            ("/api/v1/hf/",),
            "gw-ratelimit-remaining",
            window_s=30,
            reset_header="gw-ratelimit-reset",
            stops_all=True,
        ),
        Left(
            _MANAGEMENT,
            ("/api/v1/accounts",),
            "gw-ratelimit-remaining",
            window_s=30,
            reset_header="gw-ratelimit-reset",
        ),
    ),
    stream_off="its address and the key to it come in an answer, and nothing here holds it to an "
    "address of the exchange yet",
    test_place="none: the sandbox was closed; orders/test is not asked here",
    sources={
        "stream_off": "C, its streams: negotiate: endpoint and token of bullet-private",
        "ids": f"{_ORDERS}/add-order clientOid: 40 of letters, digits, _ and -",
        "create_parameter": f"{_ORDERS}/add-order clientOid",
        "new_order": f"{_ORDERS}/add-order: the answer holds orderId and clientOid only",
        "looks": f"{_ORDERS}/get-order-by-clientoid; {_DOCS}/rest/ua/get-order-details: of a "
        "classic account, cancelled 2 days, filled 7 days",
        "cancel": f"{_ORDERS}/cancel-order-by-clientoid",
        "fills": f"{_ORDERS}/get-trade-history: limit 100, lastId, newest first, startAt to endAt "
        "7 days at most",
        "fee_extras": f"{_ORDERS}/get-trade-history tax",
        "unknown": "C exceptions: 408000 network timeout (a refusal to ccxt), 500000 internal "
        "error, 126038 and 126039 a third party's call failed",
        "exists": "https://github.com/JKorf/Kucoin.Net/issues/120: 400100 "
        "validation.createOrder.clientOidDuplicated; C exceptions: 126033, 126044; "
        "https://github.com/Kucoin/kucoin-api-docs/issues/468: among active orders only",
        "shapes": f"{_ORDERS}/get-open-orders, get-trade-history; account-funding/"
        "get-account-list-spot; C reads a missing list as an empty one",
        "market_parameters": "C fetch_markets would ask for margin's, with the keys",
        "options": "C options, handle_hf_and_params, is_uta_enabled, sign",
        "budget": f"{_DOCS}/rate-limit: of a VIP 0; the weights are those of each request's page",
        "left": f"{_DOCS}/rate-limit: the headers of each answer, the reset in milliseconds",
        "test_place": "C urls: no test address",
    },
)
