"""Hyperliquid spot: two addresses, both POST, and actions that a key signs.

Sources. D: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (info-endpoint,
exchange-endpoint, error-responses, nonces-and-api-wallets, tick-and-lot-size). C: samples and words
in ccxt 4.5.90, hyperliquid.py. R: requests recorded by ccxt,
https://github.com/ccxt/ccxt, ts/src/test/static/request/hyperliquid.json. H:
https://github.com/hummingbot/hummingbot/issues/7737.

- A market's name is `@` and its index; its asset in actions is 10000 and the index; bitcoin is the
  token UBTC.
- A new order is answered with `resting`, `filled` or `error` inside of a 200.
- A nonce is used once, and lies within two days back and one day ahead.
- Fills by time come oldest first, 2000 an answer, of every market at once, the last 10000.
- A builder's share and a referrer are actions of their own: `extras` keeps what came of those.
- What a second order with the same client id comes to is not documented; the words here are ours.
- Every request goes to one of two addresses, so a fault cannot tell a question from another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.dialects.dialect import (
    Asked,
    Dialect,
    Keys,
    Told,
    decimals_of,
    short,
)
from logos.simulators.exchange.dialects.hyperliquid_signing import address_of, signer_of
from logos.simulators.exchange.dialects.parts import best_prices, paid
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import HYPERLIQUID, Actions, Limit
from logos.simulators.exchange.market import Listing
from logos.simulators.exchange.server import Exchange

_PAGE: Final = 2000
_KEPT: Final = 10_000
"""D retrieve-a-users-fills-by-time."""

_DAY_MS: Final = 86_400_000
_SPOT: Final = 10_000
_CLOID: Final = re.compile(r"0x[0-9a-f]{32}", re.ASCII)
_TOKENS: Final = {"BTC": "UBTC", "ETH": "UETH", "SOL": "USOL"}
"""C options.spotCurrencyMapping."""

_ERRORS: Final[Mapping[Why, str]] = {
    Why.CLOSED: "No liquidity available for market order.",
    Why.DUPLICATE: "Cannot place order with this cloid.",
    Why.LOT: "Order has invalid size.",
    Why.TICK: "Price must be divisible by tick size.",
    Why.VALUE: "Order must have minimum value of 10 USDC.",
    Why.FUNDS: "Insufficient spot balance asset={asset}.",
    Why.NO_ORDER: "Order was never placed, already canceled, or filled.",
    Why.NOT_OPEN: "Order was never placed, already canceled, or filled.",
}
"""D error-responses and C exceptions: errors of one order, inside of a 200."""

_REFUSALS: Final[Mapping[Why, str]] = {
    Why.KEY: "User or API Wallet {agent} does not exist.",
    Why.RIGHTS: "User or API Wallet {agent} does not exist.",
    Why.SIGNATURE: "L1 error: User or API Wallet {agent} does not exist.",
    Why.TIME: "Invalid nonce: {nonce} is not within the bounds of time",
}
"""C handle_errors; the words of TIME are ours."""

_STATUS: Final = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "canceled",
}


class Hyperliquid(Dialect):
    """Hyperliquid's questions and actions, as ccxt asks them. `keys.key` is the wallet's address,
    `keys.secret` the private key of its agent."""

    exchange_id: ClassVar[str] = "hyperliquid"
    limits: ClassVar[tuple[Limit, ...]] = HYPERLIQUID
    requests: ClassVar[Mapping[str, str]] = {
        "create": "POST /exchange",
        "cancel": "POST /exchange",
        "find": "POST /info",
        "open": "POST /info",
        "fills": "POST /info",
        "balances": "POST /info",
    }

    def __init__(self, exchange: Exchange, account: SpotAccount, keys: Keys) -> None:
        super().__init__(exchange, account, keys)
        self.extras: list[dict[str, Any]] = []
        """Actions and parts of actions beyond orders and cancels, as they came."""
        self.is_mute = False
        """While set, every question about the account is answered with an empty object."""
        self.actions = Actions()
        self._nonces: set[int] = set()
        self._agent = address_of(keys.secret)

    @staticmethod
    def market_id(base: str, quote: str) -> str:
        return f"{_TOKENS.get(base, base)}/{quote}"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/info", self.public(self._info)),
            web.post("/exchange", self.private(self._exchange, trades=True)),
        ]

    def verify(self, asked: Asked) -> None:
        """D nonces-and-api-wallets; the signature as `hyperliquid_signing` says."""
        signature, nonce = asked.parameters["signature"], int(asked.parameters["nonce"])
        action = asked.parameters["action"]
        if action["type"] == "approveBuilderFee":
            return  # signed by the user in another way, of which nothing depends here
        if signer_of(action, nonce, signature, is_mainnet=True) != self._agent:
            raise Denied(why=Why.SIGNATURE)
        if not -2 * _DAY_MS < nonce - self.account.now_ms < _DAY_MS:
            raise Denied(why=Why.TIME)

    def refusal(self, denied: Denied, asked: Asked) -> Told:
        words = _REFUSALS.get(denied.why)
        if words is None:
            return Told("Failed to deserialize the JSON body into the target type", 422)
        told = words.format(agent="0x" + "00" * 20, nonce=asked.parameters.get("nonce"))
        return Told({"status": "err", "response": told})

    def fault(self, fault: Fault) -> Told | None:
        if fault is Fault.RATE_LIMIT:  # C exceptions
            words = (
                "Too many cumulative requests sent (37986 > 10436) for cumulative volume traded "
                "$437.92. Place taker orders to free up 1 request per USDC traded."
            )
            return Told({"status": "err", "response": words})
        if fault is Fault.UNSURE:  # D: 500 of both addresses
            return Told(None, 500)
        return None

    def _market(self, asset: int) -> Listing:
        return list(self.account.market.listings.values())[asset - _SPOT]

    def _coin(self, listing: Listing) -> str:
        return f"@{list(self.account.market.listings.values()).index(listing)}"

    # ---- questions ----

    def _info(self, asked: Asked) -> object:
        answers = {
            "spotMetaAndAssetCtxs": self._meta,
            "exchangeStatus": self._status,
            "l2Book": self._book,
            "userAbstraction": lambda _: "disabled",
            "orderStatus": self._order_status,
            "frontendOpenOrders": self._open_orders,
            "userFills": self._fills,
            "userFillsByTime": self._fills,
            "spotClearinghouseState": self._balances,
            "userRateLimit": self._rate_limit,
        }
        kind = asked.text("type")
        if kind not in answers:
            raise Denied(why=Why.ARGUMENTS)
        if asked.text("user") not in ("", self.keys.key):
            return []
        if self.is_mute and "user" in asked.parameters:
            return {}
        return answers[kind](asked)

    def _rate_limit(self, _asked: Asked) -> object:
        return self.actions.told()

    def _status(self, _asked: Asked) -> object:
        # C, comment of fetch_time
        return {"time": self.account.now_ms, "specialStatuses": None}

    def _meta(self, _asked: Asked) -> object:
        # D info-endpoint/spot#retrieve-spot-asset-contexts
        tokens = [_token("USDC", 8, 0)]
        universe, contexts = [], []
        for number, listing in enumerate(self.account.market.listings.values()):
            bids, asks = best_prices(listing, self.account.market.now_ns)
            middle = (Decimal(bids[0][0]) + Decimal(asks[0][0])) / 2 if bids else Decimal(0)
            tokens.append(_token(_name(listing.base), decimals_of(listing.lot), number + 1))
            name = f"@{number}"
            pair = {"name": name, "tokens": [number + 1, 0], "index": number}
            universe.append({**pair, "isCanonical": False})
            prices = dict.fromkeys(("markPx", "midPx", "prevDayPx"), short(middle))
            contexts.append({"dayNtlVlm": "8906.0", **prices, "coin": name})
        return [{"tokens": tokens, "universe": universe}, contexts]

    def _book(self, asked: Asked) -> object:
        # D info-endpoint#l2-book-snapshot
        coin = asked.text("coin")
        listing = self._market(int(coin.removeprefix("@")) + _SPOT)
        levels = [
            [{"px": price, "sz": size, "n": 1} for price, size in side]
            for side in best_prices(listing, self.account.market.now_ns)
        ]
        return {"coin": coin, "time": self.account.now_ms, "levels": levels}

    def _order_named(self, oid: Any) -> PlacedOrder:
        """By the exchange's number or by a client id."""
        if isinstance(oid, int):
            return self.order_of(None, number=oid)
        return self.order_of(None, client_id=str(oid))

    def _order_status(self, asked: Asked) -> object:
        # D info-endpoint#query-order-status-by-oid-or-cloid
        try:
            order = self._order_named(asked.parameters["oid"])
        except Denied:
            return {"status": "unknownOid"}
        at_ms = order.ended_ms or order.placed_ms
        told = {"order": self._order_row(order), "status": _STATUS[order.status]}
        return {"status": "order", "order": {**told, "statusTimestamp": at_ms}}

    def _open_orders(self, asked: Asked) -> object:
        # D info-endpoint#retrieve-a-users-open-orders-with-additional-frontend-info
        return self.spoiled(asked, [self._order_row(each) for each in self.open_orders()])

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

    def _fills(self, asked: Asked) -> object:
        # D info-endpoint#retrieve-a-users-fills, and by time
        kept = self.account.executions[-_KEPT:]
        start_ms = int(asked.text("startTime", "0"))
        end_ms = int(asked.text("endTime", str(2**62)))
        found = [each for each in kept if start_ms <= each.time_ms <= end_ms]
        page = found[:_PAGE] if asked.text("type") == "userFillsByTime" else found[::-1][:_PAGE]
        return self.spoiled(asked, [self._fill_row(each) for each in page])

    def _fill_row(self, each: Execution) -> dict[str, Any]:
        [(asset, fee)] = paid(each).items()
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
            "fee": short(fee),
            "tid": 128_423_918_764_978 + each.trade_id,
            "cloid": order.client_id or None,
            "feeToken": _name(asset),
            "twapId": None,
        }

    def _balances(self, _asked: Asked) -> object:
        # D info-endpoint/spot#retrieve-a-users-token-balances
        rows = [
            {
                "coin": _name(asset),
                "token": number,
                "hold": short(each.locked),
                "total": short(each.free + each.locked),
                "entryNtl": "0.0",
            }
            for number, (asset, each) in enumerate(self.account.holdings.items())
        ]
        return {"balances": rows}

    # ---- actions ----

    def _exchange(self, asked: Asked) -> object:
        # D exchange-endpoint
        nonce, action = int(asked.parameters["nonce"]), asked.parameters["action"]
        if nonce in self._nonces:
            return {"status": "err", "response": "Invalid nonce: duplicate nonce"}  # H
        self._nonces.add(nonce)
        is_cancel = action["type"] in ("cancel", "cancelByCloid")
        if not self.actions.take(self.account.now_ms, is_cancel=is_cancel):
            return self.fault(Fault.RATE_LIMIT)
        if action["type"] == "order":
            if "builder" in action:
                self.extras.append({"builder": action["builder"]})
            return _ok("order", [self._taken(each) for each in action["orders"]])
        if action["type"] in ("cancel", "cancelByCloid"):
            return _ok("cancel", [self._cancelled(each) for each in action["cancels"]])
        self.extras.append(action)
        return {"status": "ok", "response": {"type": "default"}}

    def _taken(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """D place-an-order: one order's part of the answer."""
        asset = asked["a"]
        listing = self._market(asset)
        if not _CLOID.fullmatch(asked.get("c", "")):
            raise Denied(why=Why.ARGUMENTS)
        if not _is_price(listing, asked["p"]):
            return _error(Why.TICK, asset)
        side, force = ("BUY" if asked["b"] else "SELL"), asked["t"]["limit"]["tif"]
        try:
            order = self.place(listing, asked["c"], side, asked["s"], asked["p"], force=force)
        except Denied as denied:
            return _error(denied.why, asset)
        told = {"oid": order.order_id, "cloid": order.client_id}
        if order.is_open:
            return {"resting": told}
        if order.filled:
            average = order.spent / order.filled
            figures = {"totalSz": _figure(order.filled), "avgPx": _figure(average)}
            return {"filled": {**figures, **told}}
        words = "Order could not immediately match against any resting orders."
        return {"error": f"{words} asset={asset}"}

    def _cancelled(self, asked: Mapping[str, Any]) -> object:
        # D exchange-endpoint#cancel-order-s, and by cloid
        asset = asked["asset"] if "asset" in asked else asked["a"]
        try:
            self.cancel(self._order_named(asked["cloid"] if "cloid" in asked else asked["o"]))
        except Denied as denied:
            return _error(denied.why, asset)
        return "success"


def _is_price(listing: Listing, text: str) -> bool:
    """D tick-and-lot-size: a whole number, or at most five significant figures and no more
    decimals than eight less those of the size."""
    price = Decimal(text).normalize()
    if price == price.to_integral_value():
        return True
    places = max(0, -int(price.as_tuple().exponent))
    return len(price.as_tuple().digits) <= 5 and places <= 8 - decimals_of(listing.lot)


def _ok(kind: str, statuses: list[Any]) -> dict[str, Any]:
    return {"status": "ok", "response": {"type": kind, "data": {"statuses": statuses}}}


def _error(why: Why, asset: int) -> dict[str, Any]:
    return {"error": f"{_ERRORS[why].format(asset=asset)} asset={asset}"}


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
    text = short(number)
    return text if "." in text else f"{text}.0"
