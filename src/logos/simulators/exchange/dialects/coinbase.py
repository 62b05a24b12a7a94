"""Coinbase's Advanced Trade API, spot: how it is asked, and how it answers.

Sources: D is https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/, by page; S
the enumerations of github.com/coinbase-samples/advanced-sdk-ts; C ccxt 4.5.90, coinbase.py.
What is peculiar:

- an order is asked for and cancelled by Coinbase's id only; ours is in the rows of lists;
- a new order whose client id was used before is not made: the one of that id is answered;
- a no to an order is HTTP 200 with `success` false; a no to a cancel is in `results`;
- lists come newest first and go on by a cursor, which fills show on their last page too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, TypeVar

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from logos.simulators.exchange.account import Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.dialects.coinbase_rows import (
    CONFIGURATIONS,
    account_row,
    configuration,
    fill_row,
    order_id,
    order_row,
    product_row,
    time_text,
)
from logos.simulators.exchange.dialects.dialect import (
    Asked,
    Dialect,
    Keys,
    Told,
    newest_first,
    short,
)
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import COINBASE, Limit, Met
from logos.simulators.exchange.server import Exchange

_Row = TypeVar("_Row")

_ROWS_DEFAULT: Final = 100
_FAILURES: Final[Mapping[Why, str]] = {
    Why.MARKET: "INVALID_PRODUCT_ID",
    Why.CLOSED: "ORDER_ENTRY_DISABLED",
    Why.LOT: "INVALID_SIZE_PRECISION",
    Why.TICK: "INVALID_PRICE_PRECISION",
    Why.VALUE: "UNSUPPORTED_ORDER_CONFIGURATION",
    Why.FUNDS: "INSUFFICIENT_FUND",
    Why.ARGUMENTS: "INVALID_REQUEST",
}
"""S NewOrderFailureReason."""


class Coinbase(Dialect):
    """Coinbase's private and public requests, as ccxt asks them."""

    exchange_id: ClassVar[str] = "coinbase"
    limits: ClassVar[tuple[Limit, ...]] = COINBASE
    ids_are_unique: ClassVar[bool] = True
    takes_fee_of_quote: ClassVar[bool] = True  # D orders/list-fills, commission
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /api/v3/brokerage/orders",
        "cancel": "POST /api/v3/brokerage/orders/batch_cancel",
        "find": "GET /api/v3/brokerage/orders/historical/",
        "open": "GET /api/v3/brokerage/orders/historical/batch",
        "fills": "GET /api/v3/brokerage/orders/historical/fills",
        "balances": "GET /api/v3/brokerage/accounts",
    }

    new_status = "OPEN"
    """How a new order stands at first: PENDING, QUEUED and OPEN are its words for that."""
    cancel_failure = ""
    """Why every cancel fails, in the words of S CancelOrderFailureReason."""

    def __init__(self, exchange: Exchange, account: SpotAccount, keys: Keys) -> None:
        super().__init__(exchange, account, keys)
        self.sized_in_quote: set[int] = set()
        """Trades of orders that told what they were to cost, as the website makes them."""
        self.trade_types: dict[int, str] = {}
        """By trade: REVERSAL, CORRECTION or SYNTHETIC where it is no plain one (D list-fills)."""
        self.alias = ""
        """Of which product every market is another name (D list-public-products)."""

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return f"{base}-{quote}"

    def routes(self) -> list[web.RouteDef]:
        private, base = self.private, "/api/v3/brokerage"
        return [
            web.get(f"{base}/time", self.public(self._clock)),
            web.get(f"{base}/market/products", self.public(self._products)),
            web.get(f"{base}/transaction_summary", private(lambda _: {"fee_tier": {}})),
            web.post(f"{base}/orders", private(self._place, trades=True)),
            web.post(f"{base}/orders/batch_cancel", private(self._cancel, trades=True)),
            web.get(f"{base}/orders/historical/batch", private(self._orders)),
            web.get(f"{base}/orders/historical/fills", private(self._fills)),
            web.get(f"{base}/orders/historical/{{order_id}}", private(self._show)),
            web.get(f"{base}/accounts", private(self._accounts)),
        ]

    def verify(self, asked: Asked) -> None:
        """D authentication: the token names the request."""
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = claims_of(self.keys, token, self.account.now_ms)
        if not claims["uri"].endswith(asked.path):
            raise Denied(why=Why.SIGNATURE)

    def refusal(self, denied: Denied, asked: Asked) -> Told:
        if denied.why in (Why.KEY, Why.SIGNATURE, Why.TIME):
            return _error("unauthorized", "Unauthorized", 401)
        if denied.why is Why.RIGHTS:
            return _error("PERMISSION_DENIED", "Missing required scopes", 403)
        if denied.why is Why.NO_ORDER:
            # C handle_errors: as it came.
            return _error("unknown", "order with this orderID was not found", 404)
        if asked.path.endswith("/orders"):
            return Told(_refused_order(_FAILURES[denied.why], asked))
        return _error("INVALID_ARGUMENT", denied.why.value, 400)

    def told_limits(self, met: Met) -> Mapping[str, str]:
        # coinbase-advanced-py, constants.py: the names; in what the reset is told is not said there
        [count] = met.counts
        return {
            "x-ratelimit-limit": str(count.limit.much),
            "x-ratelimit-remaining": str(count.left(met.now_ms)),
            "x-ratelimit-reset": "1",
        }

    def fault(self, fault: Fault) -> Told | None:
        """C exceptions: rate_limit_exceeded; S NewOrderFailureReason: UNKNOWN_FAILURE_REASON."""
        if fault is Fault.RATE_LIMIT:
            words = {"id": "rate_limit_exceeded", "message": "Rate limit exceeded"}
            return Told({"errors": [words]}, 429)
        if fault is Fault.UNSURE:
            return Told(_refused_order("UNKNOWN_FAILURE_REASON", None))
        return None

    # ---- public ----

    def _clock(self, _asked: Asked) -> object:
        # D public/get-server-time
        now_ms = self.account.now_ms
        seconds = now_ms // 1000
        iso = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {"iso": iso, "epochSeconds": str(seconds), "epochMillis": str(now_ms)}

    def _products(self, asked: Asked) -> object:
        # D public/list-public-products
        listings = self.account.market.listings.values()
        is_spot = asked.text("product_type", "SPOT") == "SPOT"
        rows = [product_row(each) | {"alias": self.alias} for each in listings if is_spot]
        return {"products": rows, "num_products": len(rows)}

    # ---- orders ----

    def _place(self, asked: Asked) -> object:
        # D orders/create-order: an id that was used before brings its order, and makes none
        client_id = asked.text("client_order_id")
        if not client_id:
            raise Denied(why=Why.ARGUMENTS)
        same = [each for each in self.account.orders if each.client_id == client_id]
        order = same[-1] if same else self._new_order(asked, client_id)
        return {
            "success": True,
            "success_response": {
                "order_id": order_id(order),
                "product_id": order.listing.market_id,
                "side": order.side,
                "client_order_id": order.client_id,
                "attached_order_id": "",
            },
            "order_configuration": configuration(order),
        }

    def _new_order(self, asked: Asked, client_id: str) -> PlacedOrder:
        [(name, told)] = asked.parameters["order_configuration"].items()
        is_market = name == "market_market_ioc"
        if "base_size" not in told:
            # The quantity of such an order is what the price makes of it.
            raise Denied(why=Why.ARGUMENTS)
        listing = self.listing(asked.text("product_id"))
        price = "" if is_market else told["limit_price"]
        force = "IOC" if is_market else CONFIGURATIONS[name]
        side, size = asked.text("side"), told["base_size"]
        return self.place(listing, client_id, side, size, price, force=force)

    def _asked_order(self, name: str) -> PlacedOrder:
        """By Coinbase's id only."""
        number = next((x.order_id for x in self.account.orders if order_id(x) == name), 0)
        return self.order_of(None, number=number)

    def _show(self, asked: Asked) -> object:
        # D orders/get-order
        order = self._asked_order(asked.request.match_info["order_id"])
        return {"order": self._row(order)}

    def _row(self, order: PlacedOrder) -> dict[str, Any]:
        row = order_row(order, self.executions_of(order))
        return row | {"status": self.new_status} if order.status == "NEW" else row

    def _cancel(self, asked: Asked) -> object:
        # D orders/cancel-orders: a result for each; S CancelOrderFailureReason
        return {"results": [self._cancelled(name) for name in asked.parameters["order_ids"]]}

    def _cancelled(self, name: str) -> dict[str, Any]:
        row = {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": name}
        if self.cancel_failure:
            return row | {"failure_reason": self.cancel_failure}
        try:
            order = self._asked_order(name)
            self.cancel(order)
        except Denied as denied:
            if denied.why is Why.NOT_OPEN and order.status == "FILLED":
                row["failure_reason"] = "ORDER_IS_FULLY_FILLED"
            return row
        return row | {"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON"}

    def _orders(self, asked: Asked) -> object:
        # D orders/list-orders: newest first; no filter by the client's id
        found = [
            each
            for each in newest_first(self.account.orders)
            if asked.text("product_id", each.listing.market_id) == each.listing.market_id
            and asked.text("order_status") in ("", self._row(each)["status"])
            and not self.is_hidden(each)
        ]
        page, cursor = _page(found, asked)
        is_more = int(cursor) < len(found)
        rows = self.spoiled(asked, [self._row(each) for each in page])
        return {
            "orders": rows,
            "sequence": "0",
            "has_next": is_more,
            "cursor": cursor if is_more else "",
        }

    # ---- fills and holdings ----

    def _fills(self, asked: Asked) -> object:
        # D orders/list-fills: newest first; a cursor stands on the last page too, as ccxt recorded
        # (ts/src/test/static/response/coinbase.json, fetchMyTrades), here on an empty one as well
        start = asked.text("start_sequence_timestamp")
        found = [
            each
            for each in newest_first(self.account.executions)
            if asked.text("product_id", each.order.listing.market_id)
            == each.order.listing.market_id
            and time_text(each.time_ms) >= start
        ]
        page, cursor = _page(found, asked)
        return {
            "fills": self.spoiled(asked, [self._fill_row(each) for each in page]),
            "cursor": cursor,
        }

    def _fill_row(self, each: Execution) -> dict[str, Any]:
        row = fill_row(each) | {"trade_type": self.trade_types.get(each.trade_id, "FILL")}
        if each.trade_id not in self.sized_in_quote:
            return row
        return row | {"size": short(each.quantity * each.price), "size_in_quote": True}

    def _accounts(self, _asked: Asked) -> object:
        # D accounts/list-accounts
        rows = [account_row(asset, each) for asset, each in self.account.holdings.items()]
        return {"accounts": rows, "has_next": False, "cursor": "", "size": len(rows)}


def _error(code: str, words: str, status: int) -> Told:
    return Told({"error": code, "error_details": words, "message": words}, status)


def _refused_order(reason: str, asked: Asked | None) -> dict[str, Any]:
    """D orders/create-order: a no is HTTP 200."""
    return {
        "success": False,
        "error_response": {
            "error": reason,
            "message": reason.replace("_", " ").capitalize(),
            "error_details": "",
            "preview_failure_reason": "UNKNOWN_PREVIEW_FAILURE_REASON",
            "new_order_failure_reason": reason,
        },
        "order_configuration": asked.parameters["order_configuration"] if asked else None,
    }


def _page(found: Sequence[_Row], asked: Asked) -> tuple[Sequence[_Row], str]:
    """A page, and the cursor that leads on from it."""
    start = int(asked.text("cursor") or 0)
    rows = found[start : start + int(asked.text("limit") or _ROWS_DEFAULT)]
    return rows, str(start + len(rows))


def claims_of(keys: Keys, token: str, now_ms: int) -> dict[str, Any]:
    """D authentication: what a token of two minutes says, signed with the key (ES256), that names
    the key. `keys.secret` is the private key as PEM. Raises Denied."""
    parts = token.split(".")
    key = serialization.load_pem_private_key(keys.secret.encode(), None).public_key()
    if len(parts) != 3 or not isinstance(key, ec.EllipticCurvePublicKey):
        raise Denied(why=Why.SIGNATURE)
    claims, raw = json.loads(_bytes(parts[1])), _bytes(parts[2])
    if claims["sub"] != keys.key:
        raise Denied(why=Why.KEY)
    halves = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    signature = utils.encode_dss_signature(*halves)
    try:
        said = f"{parts[0]}.{parts[1]}".encode()
        key.verify(signature, said, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Denied(why=Why.SIGNATURE) from None
    if not claims["nbf"] - 1 <= now_ms / 1000 <= claims["exp"]:
        raise Denied(why=Why.TIME)
    found: dict[str, Any] = claims
    return found


def _bytes(text: str) -> bytes:
    """What base64 without its ending stands for."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
