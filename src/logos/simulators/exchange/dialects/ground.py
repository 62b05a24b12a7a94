"""What the dialects of a simulated exchange have in common: who asks, troubles, pages, figures.

A dialect puts an exchange's own paths, fields and words over a `SpotAccount`. Each is written from
the exchange's documentation and ccxt's recorded answers, which its module cites; the client comes
after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from aiohttp import web

from logos.simulators.exchange.account import Denied as Denied
from logos.simulators.exchange.account import Execution, PlacedOrder, SpotAccount
from logos.simulators.exchange.orders import Troubles
from logos.simulators.exchange.server import Exchange, Handler, json_answer

_Row = TypeVar("_Row")
Answer = Callable[[dict[str, Any]], Any]


class Refusal(Exception):
    """An exchange's own code and words for a no."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status


class Dialect:
    """One exchange's way of asking and answering; make it before the exchange is started.

    `keys` holds the credentials by ccxt's names. `troubles` are what it does wrong on purpose.
    """

    def __init__(self, exchange: Exchange, account: SpotAccount, keys: Mapping[str, str]) -> None:
        self.account = account
        self.keys = keys
        self.troubles = Troubles()
        self.fees_of: dict[int, dict[str, Decimal]] = {}
        """By trade id: the fee in parts, where it is not the one in the asset received."""
        self.cancelled_with_all: list[str] = []
        """Client ids of orders that a cancel of everything ended."""
        exchange.add_routes(self.routes())
        exchange.on_advance(self._on_advance)

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def verify(self, request: web.Request, body: str, /) -> None:
        """Raise Refusal for a request whose key, signature or time is wrong."""
        raise NotImplementedError

    def refused(self, refusal: Refusal) -> Any:
        """The exchange's answer to what it refuses."""
        raise NotImplementedError

    def denied(self, denial: Denied) -> Refusal:
        """A refusal of the account in the exchange's words."""
        raise NotImplementedError

    @property
    def now_ms(self) -> int:
        return self.account.now_ms

    async def _on_advance(self, _before_ns: int, _now_ns: int) -> None:
        self.account.match_all()

    # ---- requests ----

    def public(self, answer: Answer) -> Handler:
        """A handler of a request that anybody may make."""
        return self._handler(answer, is_signed=False, status=200)

    def private(self, answer: Answer, *, status: int = 200) -> Handler:
        """A handler of a signed request; `status` is that of a success."""
        return self._handler(answer, is_signed=True, status=status)

    def _handler(self, answer: Answer, *, is_signed: bool, status: int) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.text()
            try:
                if is_signed:
                    self.verify(request, body)
                response = json_answer(self.wrapped(answer(self.asked(request, body))), status)
            except Denied as denial:
                refusal = self.denied(denial)
                return json_answer(self.refused(refusal), refusal.status)
            except Refusal as refusal:
                return json_answer(self.refused(refusal), refusal.status)
            if request.method != "GET" and self.troubles.hold is not None:
                await self.troubles.hold.wait()
            return response

        return handle

    def asked(self, request: web.Request, body: str) -> dict[str, Any]:
        """The parameters of a request: of its path, its query and its body."""
        told = json.loads(body) if body else {}
        return {**request.query, **request.match_info, **(told if isinstance(told, dict) else {})}

    def wrapped(self, answer: Any) -> Any:
        """A good answer as the exchange wraps it."""
        return answer

    # ---- troubles ----

    def check_visible(self, order: PlacedOrder, refusal: Exception) -> None:
        """Raise `refusal` while a new order is not to be found yet."""
        left = self.troubles.not_found.get(order.client_id, 0)
        if left:
            self.troubles.not_found[order.client_id] = left - 1
            raise refusal

    def before_cancel(self, order: PlacedOrder) -> None:
        """Let what is to happen just before a cancel happen."""
        if self.troubles.before_cancel is not None:
            self.troubles.before_cancel(order)

    # ---- what rows are made of ----

    def fees(self, execution: Execution) -> dict[str, Decimal]:
        """The fee of an execution by asset."""
        own = {execution.fee_asset: execution.fee}
        return self.fees_of.get(execution.trade_id, own)

    def top(self, listing: Any) -> tuple[list[list[str]], list[list[str]]]:
        """Bids and asks of a listing, one level each."""
        top = listing.top_at(self.account.market.now_ns)
        if top is None:
            return [], []
        return [[top.bid, top.bid_size]], [[top.ask, top.ask_size]]


def plain(number: Decimal) -> str:
    """A figure without an exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals(step: str) -> int:
    """How many decimals a step has: 2 of 0.01."""
    exponent = Decimal(step).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def page_of(rows: Sequence[_Row], asked: Mapping[str, Any], longest: int) -> Sequence[_Row]:
    """The rows of the numbered page asked for; 100 are a page unless fewer or more are asked."""
    limit = min(longest, int(asked.get("limit", 100)))
    start = (int(asked.get("page", 1)) - 1) * limit
    return rows[start : start + limit]


def newer_than(rows: Sequence[_Row], first_id: str, id_of: Callable[[_Row], str]) -> list[_Row]:
    """Rows, newest first, that come after (are older than) the one with an id."""
    if not first_id:
        return list(rows)
    return [row for row in rows if int(id_of(row)) < int(first_id)]
