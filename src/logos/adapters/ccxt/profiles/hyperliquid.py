"""Hyperliquid spot, by an agent's key.

Every request is a POST, to /info or to /exchange; what changes something is an action signed with
the wallet's or an agent's key. A client id is a number of 128 bits. There are no market orders: one
is a limit order that does not rest. ccxt signs two actions of its own before the first order, an
approval of a builder's fee and a referrer: both are off here, and any request that holds them is
stopped.

D is https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api; C is ccxt 4.5.90,
hyperliquid.py.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from logos.adapters.ccxt.profiles.profile import (
    Answer,
    By,
    Cancel,
    Counter,
    Look,
    Pages,
    Paging,
    Profile,
    Stream,
)
from logos.core.types import Side, TimeInForce
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.ids import IdRule

_DOCS: Final = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api"

_ACTIONS: Final = "actions of the address"


def _ask_actions(exchange: Any) -> Awaitable[Any]:
    asked = {"type": "userRateLimit", "user": exchange.walletAddress}
    call: Awaitable[Any] = exchange.publicPostInfo(asked)
    return call


HYPERLIQUID: Final = Profile(
    exchange_id="hyperliquid",
    ids=IdRule(34, takes_punctuation=False, prefix="0x", is_uuid=True),
    priced=frozenset((Side.BUY, Side.SELL)),
    new_order=Answer.ID,
    looks=(
        Look("fetch_order", By.VENUE),
        Look("fetch_order", By.CLIENT, "clientOrderId"),
    ),
    cancel=Cancel(By.CLIENT, "clientOrderId", id_beside=""),
    open_orders=Paging(is_of_account=True),
    fills=Paging(
        Pages.FORWARD, size=2000, asks_for_size=False, is_of_account=True, rows_max=10_000
    ),
    times_in_force=frozenset((TimeInForce.GTC, TimeInForce.IOC)),
    fill_client_id="cloid",
    fee_extras=("builderFee",),
    refused=("Order must have minimum value", "Order has insufficient spot balance"),
    exists=("duplicate nonce",),
    statuses={"scheduledCancel": "canceled"},
    shapes={
        "/info frontendOpenOrders": "",
        "/info userFillsByTime": "",
        "/info spotClearinghouseState": "balances",
    },
    credentials={"walletAddress": "key", "privateKey": "secret"},
    options={
        "fetchMarkets": {"types": ["spot"]},
        "builderFee": False,
        "approvedBuilderFee": False,
        "refSet": True,
        "enableUnifiedMargin": False,
    },
    switched_off=("initialize_client",),
    forbidden=("builder", "setReferrer", "approveBuilderFee"),
    asset_names={
        "UBTC": "BTC",
        "UETH": "ETH",
        "USOL": "SOL",
        "USDT0": "USDT",
        "XAUT0": "XAUT",
        "UFART": "FARTCOIN",
        "UBONK": "BONK",
        "UPUMP": "PUMP",
        "UXPL": "XPL",
    },
    # In a minute 1200 of an address on the net; fills cost more by 20 of them, 400 here. An address
    # of the chain has 10000 actions, and one more for each USDC traded; cancels have twice that, so
    # they go on when orders wait.
    budget=Budget(
        (
            Pool(
                "weight",
                200,
                16,
                20,
                {
                    RequestKind.ORDER: 2,
                    RequestKind.CANCEL: 1,
                    RequestKind.FIND: 2,
                    RequestKind.FILLS: 40,
                },
            ),
            Pool(_ACTIONS, 100, 100, 0, {RequestKind.ORDER: 1}),
        )
    ),
    counter=Counter(
        _ACTIONS, _ask_actions, "nRequestsCap", "nRequestsUsed", holds_s=600, empty_s=10
    ),
    stream=Stream(
        confirmed={
            "channel": "subscriptionResponse",
            "data.subscription.type": "orderUpdates",
        },
        about={"channel": "orderUpdates"},
        rows="data",
        names=("order.cloid",),
        number="order.oid",
        always_names=True,
    ),
    test_place="api.hyperliquid-testnet.xyz",
    sources={
        "stream": f"{_DOCS}/websocket/subscriptions orderUpdates: WsBasicOrder cloid, which each "
        "order that was given one has; by address",
        "budget": f"{_DOCS}/rate-limits-and-user-limits: by address on the net; address-based",
        "counter": f"{_DOCS}/info-endpoint#query-user-rate-limits; rate-limits-and-user-limits: "
        "one request every 10 seconds beyond it, cancels min(limit + 100000, limit * 2)",
        "ids": f"{_DOCS}/exchange-endpoint#place-an-order cloid: 128 bits, 0x and 32 digits",
        "priced": f"{_DOCS}/exchange-endpoint#place-an-order: tif Alo, Ioc or Gtc; no market order",
        "new_order": f"{_DOCS}/exchange-endpoint#place-an-order: resting with an oid, or filled",
        "looks": f"{_DOCS}/info-endpoint#query-order-status-by-oid-or-cloid",
        "cancel": f"{_DOCS}/exchange-endpoint#cancel-order-s-by-cloid",
        "open_orders": f"{_DOCS}/info-endpoint: frontendOpenOrders, all of the account",
        "fills": f"{_DOCS}/info-endpoint#retrieve-a-users-fills-by-time: 2000 a response, the "
        "10000 most recent; pagination: the last time is the next startTime",
        "times_in_force": f"{_DOCS}/exchange-endpoint#place-an-order: no fill-or-kill",
        "fill_client_id": f"{_DOCS}/info-endpoint#retrieve-a-users-fills-by-time: cloid, not in C",
        "fee_extras": f"{_DOCS}/info-endpoint: fee holds builderFee already; ccxt adds it again",
        "refused": f"{_DOCS}/error-responses MinTradeSpotNtl, InsufficientSpotBalance",
        "exists": "https://github.com/hummingbot/hummingbot/issues/7737; of a cloid used twice "
        "nothing is documented",
        "statuses": f"{_DOCS}/info-endpoint orderStatus: scheduledCancel, which C lets pass",
        "shapes": f"{_DOCS}/info-endpoint: the answers of each; ccxt makes an empty list of others",
        "credentials": "C requiredCredentials; D nonces-and-api-wallets: an agent's key",
        "options": "C options, handle_builder_fee_approval, set_ref, is_unified_enabled",
        "switched_off": "C create_orders, cancel_orders: initialize_client signs two more actions, "
        "whatever the options say (https://github.com/ccxt/ccxt/pull/26420)",
        "forbidden": "C approve_builder_fee, set_ref, create_orders_request",
        "asset_names": "C options.spotCurrencyMapping, which fills' feeToken does not go through",
        "test_place": "C urls.test; D Testnet",
    },
)
