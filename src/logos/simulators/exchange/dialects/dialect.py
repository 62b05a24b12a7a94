"""What the dialects have in common: requests taken apart, refusals and faults in their words."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

from logos.simulators.exchange.account import Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.answers import spoil_rows
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.limits import Count, Limit, Limits, Met
from logos.simulators.exchange.market import Listing
from logos.simulators.exchange.orders import Troubles
from logos.simulators.exchange.server import FAULT_KEY, Exchange, Handler, json_answer


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs requests; the exchanges that need more than two name it `password`."""

    key: str
    secret: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, taken apart. `query` is as it was sent; `parameters` are those of the address
    and of the body alike."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    parameters: Mapping[str, Any]
    request: web.Request

    @property
    def target(self) -> str:
        """The path, with the query where there is one, as some exchanges have it signed."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def text(self, name: str, default: str = "") -> str:
        """A parameter as text."""
        value = self.parameters.get(name, default)
        return default if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is not a plain success: its body, status and headers."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], object]


class Dialect(ABC):
    """One exchange's requests and answers: `Dialect(exchange, account, keys)`, before it starts.

    A dialect names its private requests in `requests`, by what they are for, as "METHOD /path", so
    that faults can be set on them: create, cancel, find, open, fills, balances.
    """

    exchange_id: ClassVar[str]
    requests: ClassVar[Mapping[str, str]]
    ids_are_unique: ClassVar[bool] = False
    """Whether a client id is never taken again, even after the end of its order."""
    limits: ClassVar[tuple[Limit, ...]] = ()
    """How many requests are answered."""
    takes_fee_of_quote: ClassVar[bool] = False
    fee_decimals: ClassVar[int] = 8

    def __init__(self, exchange: Exchange, account: SpotAccount, keys: Keys) -> None:
        self.exchange = exchange
        self.account = account
        self.keys = keys
        self.troubles = Troubles()
        self.cancelled_with_all: list[str] = []
        """Client ids of what a request to cancel everything of a market has ended."""
        account.ids_are_unique = self.ids_are_unique
        account.takes_fee_of_quote = self.takes_fee_of_quote
        account.fee_unit = Decimal(1).scaleb(-self.fee_decimals)
        for fault in (Fault.RATE_LIMIT, Fault.UNSURE):
            told = self.fault(fault)
            if told is not None:
                exchange.words[fault] = (told.body, told.status, told.headers)
        if self.limits:
            now_ms = lambda: account.now_ms  # noqa: E731
            exchange.limits = Limits(self.limits, now_ms, self.told_limits, self._too_many)
        exchange.add_routes(self.routes())
        exchange.on_advance(self._on_advance)

    async def _on_advance(self, _before_ns: int, _now_ns: int) -> None:
        self.account.match_all()

    # ---- what each exchange has of its own ----

    @staticmethod
    @abstractmethod
    def market_id(base: str, quote: str) -> str:
        """What the exchange calls the market of a base and a quote asset."""

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Every request that is answered."""

    @abstractmethod
    def verify(self, asked: Asked) -> None:
        """Raise Denied for a request that is not signed by the right key."""

    @abstractmethod
    def refusal(self, denied: Denied, asked: Asked) -> Told:
        """The exchange's words for a no."""

    @abstractmethod
    def fault(self, fault: Fault) -> Told | None:
        """The exchange's words for a fault that has words (RATE_LIMIT, UNSURE); None: those of
        Binance."""

    def told_limits(self, _met: Met) -> Mapping[str, str]:
        """Headers that say what is left of the limits that a request met."""
        return {}

    def _too_many(self, _count: Count, _now_ms: int) -> web.Response:
        """The answer to a request too many."""
        told = self.fault(Fault.RATE_LIMIT)
        assert told is not None, "every dialect has words for it"
        return self._response(told)

    # ---- what they share ----

    def private(self, answer: Answering, *, trades: bool = False) -> Handler:
        """A handler of signed requests. `trades`: it changes something."""

        async def handle(request: web.Request) -> web.StreamResponse:
            asked = await taken_apart(request)
            try:
                self.verify(asked)
                if trades and not self.account.may_trade:
                    raise Denied(why=Why.RIGHTS)
                told = answer(asked)
            except Denied as denied:
                told = self.refusal(denied, asked)
            if trades and self.troubles.hold is not None:
                await self.troubles.hold.wait()
            return self._response(told)

        return handle

    def public(self, answer: Answering) -> Handler:
        """A handler of requests that need no key."""

        async def handle(request: web.Request) -> web.StreamResponse:
            asked = await taken_apart(request)
            try:
                told = answer(asked)
            except Denied as denied:
                told = self.refusal(denied, asked)
            return self._response(told)

        return handle

    @staticmethod
    def _response(told: object) -> web.Response:
        if not isinstance(told, Told):
            told = Told(told)
        response = json_answer(told.body, told.status)
        response.headers.update(told.headers)
        return response

    def listing(self, market_id: str) -> Listing:
        """The market of that name. Raises Denied."""
        return self.account.listing({"symbol": market_id})

    def place(
        self,
        listing: Listing,
        client_id: str,
        side: str,
        quantity: str,
        price: str = "",
        *,
        force: str = "GTC",
    ) -> PlacedOrder:
        """Take a limit order, or a market order where no price is named. Raises Denied."""
        asked = {
            "symbol": listing.market_id,
            "newClientOrderId": client_id,
            "side": side.upper(),
            "type": "LIMIT" if price else "MARKET",
            "quantity": quantity,
            "timeInForce": force.upper(),
        }
        if price:
            asked["price"] = price
        return self.account.take(asked)

    def cancel(self, order: PlacedOrder) -> None:
        """End one order. Raises Denied when it has ended."""
        if self.troubles.before_cancel is not None:
            self.troubles.before_cancel(order)
        if not order.is_open:
            raise Denied(why=Why.NOT_OPEN)
        self.account.end(order, "CANCELED")

    def order_of(
        self, listing: Listing | None, *, client_id: str = "", number: int = 0
    ) -> PlacedOrder:
        """The latest order of a client id or of a number. Raises Denied."""
        for order in reversed(self.account.orders):
            is_it = order.order_id == number or (client_id and order.client_id == client_id)
            if is_it and listing in (None, order.listing) and not self.is_hidden(order):
                return order
        raise Denied(why=Why.NO_ORDER)

    def cancel_all(self, listing: Listing) -> list[PlacedOrder]:
        """End every open order of a market, strangers' too."""
        ended = [each for each in self.account.orders if each.is_open and each.listing is listing]
        for order in ended:
            self.account.end(order, "CANCELED")
            self.cancelled_with_all.append(order.client_id)
        return ended

    def open_orders(self, listing: Listing | None = None) -> list[PlacedOrder]:
        """The open orders of a market, or of all, the newest first."""
        return [
            each
            for each in newest_first(self.account.orders)
            if each.is_open and listing in (None, each.listing)
        ]

    def executions_of(self, order: PlacedOrder) -> list[Execution]:
        """The fills of an order, the oldest first."""
        return [each for each in self.account.executions if each.order is order]

    def is_hidden(self, order: PlacedOrder) -> bool:
        """Whether this question about the order is answered as if it were not there."""
        left = self.troubles.not_found.get(order.client_id, 0)
        if left:
            self.troubles.not_found[order.client_id] = left - 1
        return bool(left)

    def spoiled(self, asked: Asked, rows: list[Any]) -> list[Any]:
        """Rows as a fault leaves them."""
        rule = asked.request.get(FAULT_KEY)
        return spoil_rows(rows, None if rule is None else rule.fault)


async def taken_apart(request: web.Request) -> Asked:
    """A request with all its parameters. A body that is neither JSON nor a form holds none."""
    body = await request.text()
    parameters: dict[str, Any] = dict(
        parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
    )
    if body.startswith(("{", "[")):
        held = json.loads(body)
        parameters |= held if isinstance(held, dict) else {}
    else:
        parameters |= dict(parse_qsl(body, keep_blank_values=True))
    return Asked(
        request.method,
        request.path,
        request.rel_url.raw_query_string,
        body,
        request.headers,
        parameters,
        request,
    )


def plain(number: Decimal, decimals: int = 8) -> str:
    """A figure with so many decimals."""
    return f"{number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN):f}"


def short(number: Decimal) -> str:
    """A figure without the zeros behind its last digit."""
    return f"{number.normalize():f}" if number else "0"


def decimals_of(step: str) -> int:
    """How many decimals a step has."""
    return max(0, -int(Decimal(step).normalize().as_tuple().exponent))


def newest_first(rows: Sequence[Any]) -> list[Any]:
    """Rows from the newest to the oldest, of a list that grew at its end."""
    return list(reversed(rows))
