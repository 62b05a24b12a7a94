"""Coinbase spot (Advanced Trade).

An order is asked for and cancelled by Coinbase's own id only. Ours is in the rows of its lists, so
after a lost answer an order is sought there. A new order with an id that was used before is not
made: the answer is the one that has it.

The documentation is https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api (the
pages are named); C is ccxt 4.5.90, coinbase.py.
"""

from __future__ import annotations

from typing import Final

from logos.adapters.ccxt.profiles.profile import (
    QUANTITY,
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
from logos.core.types import TimeInForce
from logos.venues.budget import Budget, Pool
from logos.venues.ids import IdRule

_DOCS: Final = "https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api"
_SDK: Final = "https://github.com/coinbase/coinbase-advanced-py"
_WORDS: Final = "https://github.com/coinbase-samples/advanced-sdk-ts"

_PRIVATE: Final = "private requests"
_PAGE: Final = Paging(Pages.CURSOR, size=100, parameter="cursor", cursor="cursor")

COINBASE: Final = Profile(
    exchange_id="coinbase",
    ids=IdRule(36, takes_punctuation=True),
    create_parameter="client_order_id",
    market_buy_parameters={
        "cost": "1",  # ccxt wants one; what is sent is the configuration
        "order_configuration": {"market_market_ioc": {"base_size": QUANTITY}},
    },
    new_order=Answer.ID,
    looks=(
        Look("fetch_order", By.VENUE),
        Look("fetch_orders", By.LIST, paging=_PAGE),
    ),
    cancel=Cancel(By.VENUE),
    open_orders=_PAGE,
    fills=_PAGE,
    fill_holds={"trade_type": "FILL"},
    not_ours={"size_in_quote": True},
    refused=(
        "INSUFFICIENT_FUND",
        "INSUFFICIENT_FUNDS",
        "UNSUPPORTED_ORDER_CONFIGURATION",
        "INVALID_SIDE",
        "INVALID_PRODUCT_ID",
        "INVALID_SIZE_PRECISION",
        "INVALID_PRICE_PRECISION",
        "INVALID_LEDGER_BALANCE",
        "ORDER_ENTRY_DISABLED",
        "INELIGIBLE_PAIR",
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "INVALID_LIMIT_PRICE",
        "INVALID_NO_LIQUIDITY",
        "INVALID_REQUEST",
        "UNTRADABLE_PRODUCT",
        "GEOFENCING_RESTRICTION",
    ),
    absent={
        "/orders/historical/": ("order with this orderID was not found",),
        "/orders/batch_cancel": ("UNKNOWN_CANCEL_ORDER", "ORDER_IS_FULLY_FILLED"),
    },
    statuses={
        "PENDING": "open",
        "QUEUED": "open",
        "CANCEL_QUEUED": "open",
        "EDIT_QUEUED": "open",
    },
    times_in_force=frozenset((TimeInForce.GTC, TimeInForce.IOC)),
    exists=("DUPLICATE_CLIENT_ORDER_ID",),
    shapes={
        "/orders/historical/batch": "orders",
        "/orders/historical/fills": "fills",
        "/brokerage/accounts": "accounts",
    },
    market_lacks=("alias",),
    options={
        "fetchBalance": "v3PrivateGetBrokerageAccounts",
        "fetchTime": "v3PublicGetBrokerageTime",
    },
    budget=Budget((Pool(_PRIVATE, 10, 20),)),  # 30 in a second
    left=(Left(_PRIVATE, ("/api/v3/brokerage/",), "x-ratelimit-remaining", window_s=1),),
    # It is closed when it is quiet for a minute, unless another channel is subscribed to; then it
    # is had anew, and every order is asked for once.
    stream=Stream(
        confirmed={"channel": "subscriptions", "events": None},
        about={"channel": "user", "events": None},
        rows="events.orders",
        names=("client_order_id",),
        number="order_id",
    ),
    test_place="none: its sandbox gives fixed answers; the smallest order",
    sources={
        "left": f"{_SDK}/blob/master/README.md rate limit headers, and its constants; in what "
        "the reset is told is not said, so it is not read",
        "stream": "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket, the "
        "channel user; C, its streams: create_ws_auth, and the comments of handle_order and "
        "handle_subscription_status",
        "ids": f"{_DOCS}/orders/create-order client_order_id: a text, of a UUID's length here",
        "create_parameter": "C create_order leaves clientOrderId out and sends an id of its own",
        "market_buy_parameters": f"{_DOCS}/orders/create-order market_market_ioc base_size; "
        f"{_SDK}/blob/master/CHANGELOG.md 1.4.0: buys in base",
        "new_order": f"{_DOCS}/orders/create-order: order_id, product_id, side, client_order_id",
        "looks": f"{_DOCS}/orders/get-order order_id; list-orders: no filter by our id",
        "cancel": f"{_DOCS}/orders/cancel-orders order_ids",
        "open_orders": f"{_DOCS}/orders/list-orders: cursor, newest first",
        "fills": f"{_DOCS}/orders/list-fills: cursor; {_SDK} ListFillsResponse has no has_next",
        "fill_holds": f"{_DOCS}/orders/list-fills trade_type: REVERSAL, CORRECTION and SYNTHETIC "
        "adjust fills",
        "not_ours": f"{_DOCS}/orders/list-fills size_in_quote: ours are told in base; C divides, "
        "and the quantity is no multiple of the step",
        "refused": f"{_WORDS} NewOrderFailureReason",
        "absent": "C exceptions.broad, which its handle_errors does not look for in a 404's "
        f"error_details; {_WORDS} CancelOrderFailureReason; C cancel_orders drops the reason",
        "statuses": f"{_DOCS}/orders/list-orders order_status; C parse_order_status lets them pass",
        "times_in_force": "C parse_order does not read limit_limit_fok, its price and size",
        "exists": f"{_DOCS}/orders/create-order client_order_id: the order of that id is answered",
        "shapes": f"{_DOCS} the answers of each; C reads a missing list as an empty one",
        "market_lacks": f"{_DOCS}/public/list-public-products alias: the product of the one book "
        "behind both; under which name orders are listed is not told",
        "options": "C options.fetchBalance, fetchTime: the others are of another API",
        "budget": "https://docs.cloud.coinbase.com/advanced-trade/docs/rest-api-rate-limits: "
        "private requests, 30 a second for each user",
        "test_place": "C urls: no test address",
    },
)
