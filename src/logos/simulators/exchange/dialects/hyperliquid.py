"""Hyperliquid's API for spot, as it documents it and as ccxt asks it.

Documentation: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (info-endpoint,
exchange-endpoint, error-responses, nonces-and-api-wallets); samples: ccxt 4.5.90, hyperliquid.py,
and https://github.com/ccxt/ccxt, ts/src/test/static/request/hyperliquid.json.

- Two addresses, both POST: /info for questions, /exchange for signed actions.
- A market's name is `@` and its index; its asset in actions is 10000 and the index; bitcoin is the
  token UBTC.
- A new order is answered with `resting`, `filled` or `error` inside a 200.
- A nonce is used once: milliseconds, no more than two days back and one day ahead.
- Fills by time come oldest first, 2000 an answer, of every market at once.
- A builder's share or a referrer is an action of its own: `extras` keeps what came of those.
- What a second order with the same client id comes to is not documented: here it is refused in
  words that no table knows.

Of a signature the form is looked at, not who made it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder
from logos.simulators.exchange.dialects.ground import Denied, Dialect, Refusal, decimals, plain
from logos.simulators.exchange.market import Listing

_PAGE: Final = 2000
_KEPT: Final = 10_000
_DAY_MS: Final = 86_400_000
_SPOT: Final = 10_000
_CLOID: Final = re.compile(r"0x[0-9a-f]{32}", re.ASCII)
_WORD: Final = re.compile(r"0x[0-9a-f]{1,64}", re.ASCII)
_TOKENS: Final = {"BTC": "UBTC", "ETH": "UETH", "SOL": "USOL"}

_ERRORS: Final = {
    "Duplicate order sent.": "Cannot place order with this cloid.",
    "Account has insufficient balance for requested action.": (
        "Insufficient spot balance asset={asset}"
    ),
    "Market is closed.": "No liquidity available for market order.",
    "Filter failure: LOT_SIZE": "Order has invalid size.",
    "Filter failure: PRICE_FILTER": "Price must be divisible by tick size.",
    "Filter failure: NOTIONAL": "Order must have minimum value of 10 USDC.",
}
_STATUS: Final = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "canceled",
}


class HyperliquidDialect(Dialect):
    """See the module's words."""

    def __init__(self, *arguments: Any) -> None:
        self.extras: list[dict[str, Any]] = []
        """Actions and parts of actions beyond orders and cancels, as they came."""
        self._nonces: set[int] = set()
        super().__init__(*arguments)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/info", self.public(self._info)),
            web.post("/exchange", self.public(self._exchange)),
        ]

    def refused(self, refusal: Refusal) -> Any:
        return {"status": "err", "response": refusal.words}

    def denied(self, denial: Denied) -> Refusal:
        return Refusal("", denial.words, 200)

    def _market(self, asset: int) -> Listing:
        return list(self.account.market.listings.values())[asset - _SPOT]

    def _coin(self, listing: Listing) -> str:
        return f"@{list(self.account.market.listings.values()).index(listing)}"

    # ---- questions ----

    def _info(self, asked: dict[str, Any]) -> Any:
        answers = {
            "spotMetaAndAssetCtxs": self._meta,
            "exchangeStatus": lambda _: {"time": self.now_ms, "specialStatuses": None},
            "l2Book": self._book,
            "userAbstraction": lambda _: "disabled",
            "orderStatus": self._order_status,
            "frontendOpenOrders": self._open_orders,
            "userFills": self._fills,
            "userFillsByTime": self._fills,
            "spotClearinghouseState": self._balances,
        }
        if asked.get("type") not in answers:
            raise Refusal("", "Failed to deserialize the JSON body into the target type", 422)
        if "user" in asked and asked["user"] != self.keys["walletAddress"]:
            return []
        return answers[asked["type"]](asked)

    def _meta(self, _asked: dict[str, Any]) -> list[Any]:
        tokens = [_token("USDC", 8, 0)]
        universe, contexts = [], []
        for number, listing in enumerate(self.account.market.listings.values()):
            bids, asks = self.top(listing)
            middle = (Decimal(bids[0][0]) + Decimal(asks[0][0])) / 2 if bids else Decimal(0)
            tokens.append(_token(_name(listing.base), decimals(listing.lot), number + 1))
            universe.append(
                {
                    "name": f"@{number}",
                    "tokens": [number + 1, 0],
                    "index": number,
                    "isCanonical": False,
                }
            )
            contexts.append(
                {
                    "dayNtlVlm": "8906.0",
                    "markPx": plain(middle),
                    "midPx": plain(middle),
                    "prevDayPx": plain(middle),
                    "circulatingSupply": "21000000",
                    "coin": f"@{number}",
                }
            )
        return [{"tokens": tokens, "universe": universe}, contexts]

    def _book(self, asked: dict[str, Any]) -> dict[str, Any]:
        listing = self._market(int(asked["coin"].removeprefix("@")) + _SPOT)
        levels = [
            [{"px": price, "sz": size, "n": 1} for price, size in side]
            for side in self.top(listing)
        ]
        return {"coin": asked["coin"], "time": self.now_ms, "levels": levels}

    def _found(self, oid: Any) -> PlacedOrder | None:
        for order in reversed(self.account.orders):
            if oid in (order.order_id, order.client_id):
                return order
        return None

    def _order_status(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self._found(asked["oid"])
        if order is None:
            return {"status": "unknownOid"}
        left = self.troubles.not_found.get(order.client_id, 0)
        if left:
            self.troubles.not_found[order.client_id] = left - 1
            return {"status": "unknownOid"}
        status = _STATUS[order.status]
        told = {
            "order": self._order_row(order),
            "status": status,
            "statusTimestamp": order.placed_ms,
        }
        return {"status": "order", "order": told}

    def _open_orders(self, _asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._order_row(each) for each in reversed(self.account.orders) if each.is_open]

    def _order_row(self, order: PlacedOrder) -> dict[str, Any]:
        return {
            "coin": self._coin(order.listing),
            "side": "B" if order.is_buy else "A",
            "limitPx": _figure(order.limit),
            "sz": _figure(order.remaining),
            "oid": order.order_id,
            "timestamp": order.placed_ms,
            "triggerCondition": "N/A",
            "isTrigger": False,
            "triggerPx": "0.0",
            "children": [],
            "isPositionTpsl": False,
            "reduceOnly": False,
            "orderType": "Limit",
            "origSz": _figure(order.quantity),
            "tif": order.time_in_force.capitalize(),
            "cloid": order.client_id or None,
        }

    def _fills(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        kept = self.account.executions[-_KEPT:]
        start_ms, end_ms = int(asked.get("startTime", 0)), int(asked.get("endTime", 2**62))
        found = [each for each in kept if start_ms <= each.time_ms <= end_ms]
        if asked["type"] == "userFills":
            return [self._fill_row(each) for each in found[::-1][:_PAGE]]
        return [self._fill_row(each) for each in found[:_PAGE]]

    def _fill_row(self, each: Execution) -> dict[str, Any]:
        [(asset, fee)] = self.fees(each).items()
        order = each.order
        return {
            "coin": self._coin(order.listing),
            "px": _figure(each.price),
            "sz": _figure(each.quantity),
            "side": "B" if order.is_buy else "A",
            "time": each.time_ms,
            "startPosition": "0.0",
            "dir": "Buy" if order.is_buy else "Sell",
            "closedPnl": "0.0",
            "hash": "0x" + f"{each.trade_id:064x}",
            "oid": order.order_id,
            "crossed": not each.is_maker,
            "fee": plain(fee),
            "tid": 128_423_918_764_978 + each.trade_id,
            "cloid": order.client_id or None,
            "feeToken": _name(asset),
            "twapId": None,
        }

    def _balances(self, _asked: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {
                "coin": _name(asset),
                "token": number,
                "hold": plain(each.locked),
                "total": plain(each.free + each.locked),
                "entryNtl": "0.0",
            }
            for number, (asset, each) in enumerate(self.account.holdings.items())
        ]
        return {"balances": rows}

    # ---- actions ----

    def _exchange(self, asked: dict[str, Any]) -> dict[str, Any]:
        signature, nonce = asked["signature"], int(asked["nonce"])
        is_signed = _WORD.fullmatch(signature["r"]) and _WORD.fullmatch(signature["s"])
        if not is_signed or signature["v"] not in (27, 28):
            raise Refusal("", "L1 error: Invalid signature", 200)
        if not -2 * _DAY_MS < nonce - self.now_ms < _DAY_MS:
            raise Refusal("", "Invalid nonce: not within the bounds of time", 200)
        if nonce in self._nonces:
            raise Refusal("", "Invalid nonce: duplicate nonce", 200)
        self._nonces.add(nonce)
        action = asked["action"]
        if action["type"] == "order":
            return self._ordered(action)
        if action["type"] in ("cancel", "cancelByCloid"):
            statuses = [self._cancelled(each) for each in action["cancels"]]
            return _ok("cancel", {"data": {"statuses": statuses}})
        self.extras.append(action)
        return _ok("default", {})

    def _ordered(self, action: dict[str, Any]) -> dict[str, Any]:
        if "builder" in action:
            self.extras.append({"builder": action["builder"]})
        statuses = [self._taken(each) for each in action["orders"]]
        return _ok("order", {"data": {"statuses": statuses}})

    def _taken(self, asked: dict[str, Any]) -> dict[str, Any]:
        asset = asked["a"]
        listing = self._market(asset)
        if not self._is_price(listing, asked["p"]):
            return {"error": f"Price must be divisible by tick size. asset={asset}"}
        if not _CLOID.fullmatch(asked.get("c", "")):
            raise Refusal("", "Failed to deserialize the JSON body into the target type", 422)
        try:
            order = self.account.take(
                {
                    "symbol": listing.market_id,
                    "side": "BUY" if asked["b"] else "SELL",
                    "type": "LIMIT",
                    "timeInForce": asked["t"]["limit"]["tif"].upper(),
                    "quantity": asked["s"],
                    "price": asked["p"],
                    "newClientOrderId": asked["c"],
                }
            )
        except Denied as denial:
            return {"error": f"{_ERRORS[denial.words].format(asset=asset)} asset={asset}"}
        told = {"oid": order.order_id, "cloid": order.client_id}
        if order.is_open:
            return {"resting": told}
        if order.filled:
            average = order.spent / order.filled
            filled = {"totalSz": _figure(order.filled), "avgPx": _figure(average)}
            return {"filled": filled | told}
        words = "Order could not immediately match against any resting orders."
        return {"error": f"{words} asset={asset}"}

    def _is_price(self, listing: Listing, text: str) -> bool:
        """At most five significant figures, or a whole number, and eight decimals less those of
        the size."""
        price = Decimal(text).normalize()
        if price == price.to_integral_value():
            return True
        digits, exponent = len(price.as_tuple().digits), price.as_tuple().exponent
        places = -exponent if isinstance(exponent, int) else 0
        return digits <= 5 and places <= 8 - decimals(listing.lot)

    def _cancelled(self, asked: dict[str, Any]) -> Any:
        order = self._found(asked["cloid"] if "cloid" in asked else asked["o"])
        if order is not None:
            self.before_cancel(order)
        if order is None or not order.is_open:
            asset = asked["asset"] if "asset" in asked else asked["a"]
            words = "Order was never placed, already canceled, or filled."
            return {"error": f"{words} asset={asset}"}
        self.account.end(order, "CANCELED")
        return "success"


def _ok(kind: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok", "response": {"type": kind, **told}}


def _name(asset: str) -> str:
    """The exchange's token of an asset."""
    return _TOKENS.get(asset, asset)


def _token(name: str, places: int, index: int) -> dict[str, Any]:
    return {
        "name": name,
        "szDecimals": places,
        "weiDecimals": 8,
        "index": index,
        "tokenId": f"0x{index:032x}",
        "isCanonical": index == 0,
        "evmContract": None,
        "fullName": None,
    }


def _figure(number: Decimal) -> str:
    """A figure with at least one decimal."""
    text = plain(number)
    return text if "." in text else f"{text}.0"
