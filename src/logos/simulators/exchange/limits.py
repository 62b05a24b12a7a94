"""How many requests the local exchanges answer, as each documents it, and how they say so.

Every request is counted in every limit that names it, whoever made it: `Limits.others` stands for
another program of the account. An exchange that is made strict (`is_strict`) turns away what is too
much; else it only counts and tells, for its time is mostly moved by hand.

Binance takes an order that fills off its counts again; this one does not. Of Hyperliquid's lists
the weight of their rows is not counted.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

_KEPT: Final = 200_000
"""More than any limit lets through in its window."""
_THROTTLED_MS: Final = 10_000
_REFUSED: Final = web.RequestKey("refused", bool)


@dataclass(frozen=True, slots=True)
class Limit:
    """So `much` in each window. `weights` is what requests count, by the beginning of "METHOD /path
    type"; the longest that fits holds, and a request that none fits does not count."""

    name: str
    weights: Mapping[str, int]
    much: int
    window_ms: int
    is_aligned: bool = False
    """Whether windows begin at multiples of their length; else they roll."""

    def weight_of(self, request: str) -> int:
        """What a request counts."""
        fitting = [each for each in self.weights if request.startswith(each)]
        return self.weights[max(fitting, key=len)] if fitting else 0


@dataclass(slots=True)
class Count:
    """What was counted of one limit: (milliseconds since 1970, weight), oldest first."""

    limit: Limit
    rows: deque[tuple[int, int]] = field(default_factory=deque)
    total: int = 0
    """Of all rows."""

    def add(self, now_ms: int, weight: int) -> None:
        """Count so much."""
        self.rows.append((now_ms, weight))
        self.total += weight
        if len(self.rows) > _KEPT:
            self.total -= self.rows.popleft()[1]

    def used(self, now_ms: int) -> int:
        """What counts now."""
        window_ms = self.limit.window_ms
        since_ms = now_ms // window_ms * window_ms if self.limit.is_aligned else now_ms - window_ms
        while self.rows and (
            self.rows[0][0] < since_ms if self.limit.is_aligned else self.rows[0][0] <= since_ms
        ):
            self.total -= self.rows.popleft()[1]
        return self.total

    def left(self, now_ms: int) -> int:
        """What is left of it."""
        return max(self.limit.much - self.used(now_ms), 0)

    def anew_ms(self, now_ms: int) -> int:
        """When there is more of it: the window's end, or when the oldest counts no more."""
        window_ms = self.limit.window_ms
        if self.limit.is_aligned:
            return (now_ms // window_ms + 1) * window_ms
        return self.rows[0][0] + window_ms if self.rows else now_ms


@dataclass(frozen=True, slots=True)
class Met:
    """The counts that a request met, the time in milliseconds, and whether it was answered rather
    than turned away."""

    counts: Sequence[Count]
    now_ms: int
    is_good: bool


Told = Callable[[Met], Mapping[str, str]]
"""Headers of an answer."""
Refusal = Callable[[Count, int], web.Response]
"""The answer to one too many: which limit was passed, and the time in milliseconds."""


class Limits:
    """One exchange's limits. `told` makes the headers, `refusal` the answer to one too many."""

    def __init__(
        self, limits: Sequence[Limit], now_ms: Callable[[], int], told: Told, refusal: Refusal
    ) -> None:
        self.is_strict = False
        self.ban_s = 0
        """While it is above 0 the address is banned: every request is answered with 418 and with
        how long it lasts (Binance rest-api.md, IP Limits)."""
        self.turned_away: list[str] = []
        """Requests that were one too many."""
        self._now_ms = now_ms
        self._told = told
        self._refusal = refusal
        self._counts = [Count(each) for each in limits]

    def others(self, name: str, much: int) -> None:
        """Somebody else uses so much of a limit, now."""
        self._count_of(name).add(self._now_ms(), much)

    def left(self, name: str) -> int:
        """What is left of a limit, now."""
        return self._count_of(name).left(self._now_ms())

    def _count_of(self, name: str) -> Count:
        return next(each for each in self._counts if each.limit.name == name)

    async def take(self, request: web.Request) -> web.Response | None:
        """Count a request; the answer where it is one too many, and is turned away."""
        asked, now_ms = await _named(request), self._now_ms()
        if self.ban_s:
            self.turned_away.append(asked)
            request[_REFUSED] = True
            return _banned(self.ban_s, now_ms)
        met = [each for each in self._counts if each.limit.weight_of(asked)]
        for count in met:
            weight = count.limit.weight_of(asked)
            if self.is_strict and count.left(now_ms) < weight:
                self.turned_away.append(asked)
                request[_REFUSED] = True
                return self._refusal(count, now_ms)
        for count in met:
            count.add(now_ms, count.limit.weight_of(asked))
        return None

    async def headers(self, request: web.Request, status: int) -> Mapping[str, str]:
        """What the answer to a request says of the limits that it met."""
        asked = await _named(request)
        met = [each for each in self._counts if each.limit.weight_of(asked)]
        is_good = status < 400 and not request.get(_REFUSED, False)
        return self._told(Met(met, self._now_ms(), is_good)) if met else {}


@dataclass(slots=True)
class Actions:
    """What an address of Hyperliquid may still do (rate-limits-and-user-limits, address-based): one
    request for each dollar traded since its beginning, 10000 to begin with; beyond it one every ten
    seconds, and cancels up to min(limit + 100000, limit * 2)."""

    cap: int = 10_000
    used: int = 0
    volume: str = "0.0"
    _last_ms: int = -_THROTTLED_MS

    def take(self, now_ms: int, *, is_cancel: bool) -> bool:
        """Count one; False for one too many."""
        most = min(self.cap + 100_000, 2 * self.cap) if is_cancel else self.cap
        if self.used >= most and now_ms - self._last_ms < _THROTTLED_MS:
            return False
        self.used += 1
        self._last_ms = now_ms
        return True

    def told(self) -> dict[str, object]:
        """info-endpoint#query-user-rate-limits."""
        return {
            "cumVlm": self.volume,
            "nRequestsUsed": self.used,
            "nRequestsCap": self.cap,
            "nRequestsSurplus": 0,
        }


async def _named(request: web.Request) -> str:
    """A request by method, path and, where its body has one, type."""
    name = f"{request.method} {request.path}"
    if request.method != "POST" or not request.can_read_body:
        return name
    try:
        body: Any = json.loads(await request.text())
    except ValueError:
        return name
    kind = body.get("type", "") if isinstance(body, dict) else ""
    return f"{name} {kind}".rstrip()


def _banned(seconds: int, now_ms: int) -> web.Response:
    """Binance's errors.md -1003, and rest-api.md, IP Limits: 418 with Retry-After."""
    until_ms = now_ms + seconds * 1000
    words = f"Way too much request weight used; IP banned until {until_ms}. "
    words += "Please use WebSocket Streams for live updates to avoid bans."
    body = json.dumps({"code": -1003, "msg": words}, separators=(",", ":"))
    headers = {"Retry-After": str(seconds)}
    return web.Response(text=body, status=418, headers=headers, content_type="application/json")


def each_alone(much: Mapping[str, int], window_ms: int) -> tuple[Limit, ...]:
    """A limit for each request, in windows of one length."""
    return tuple(Limit(each, {each: 1}, count, window_ms) for each, count in much.items())


BINANCE: Final = (
    Limit(
        "weight",
        {
            "GET /": 1,
            "GET /api/v3/order": 4,
            "POST /api/v3/order": 1,
            "DELETE /api/v3/order": 1,
            "GET /api/v3/openOrders": 6,
            "GET /api/v3/myTrades": 20,
            "GET /api/v3/account": 20,
            "GET /api/v3/exchangeInfo": 20,
        },
        6000,
        60_000,
        is_aligned=True,
    ),
    Limit("10S", {"POST /api/v3/order": 1}, 50, 10_000, is_aligned=True),
    Limit("1D", {"POST /api/v3/order": 1}, 160_000, 86_400_000, is_aligned=True),
)
"""binance-spot-api-docs, rest-api.md: IP Limits, Unfilled Order Count, the weight of each request,
Query Unfilled Order Count; enums.md, REQUEST_WEIGHT."""

BYBIT: Final = each_alone(
    {
        "POST /v5/order/create": 20,
        "POST /v5/order/cancel": 20,
        "GET /v5/order/realtime": 50,
        "GET /v5/order/history": 50,
        "GET /v5/execution/list": 50,
        "GET /v5/account/wallet-balance": 50,
    },
    1000,
)
"""bybit-exchange.github.io/docs/v5/rate-limit, API Rate Limit Table, spot: in a rolling second."""

GATE: Final = (
    *each_alone({"POST /api/v4/spot/orders": 10, "DELETE /api/v4/spot/orders": 200}, 1000),
    *each_alone(
        {
            "GET /api/v4/spot/orders": 200,
            "GET /api/v4/spot/open_orders": 200,
            "GET /api/v4/spot/my_trades": 200,
            "GET /api/v4/spot/accounts": 200,
        },
        10_000,
    ),
)
"""gate.com/docs/developers/apiv4/en/, Frequency limit rule: spot, private endpoints."""

BITGET: Final = each_alone(
    {
        "POST /api/v2/spot/trade/place-order": 10,
        "POST /api/v2/spot/trade/cancel-order": 10,
        "GET /api/v2/spot/trade/orderInfo": 20,
        "GET /api/v2/spot/trade/unfilled-orders": 20,
        "GET /api/v2/spot/trade/fills": 10,
        "GET /api/v2/spot/account/assets": 10,
    },
    1000,
)
"""bitget.com/api-doc/spot, the frequency limit of each page; common/faq Q10: each by itself."""

KUCOIN: Final = (
    Limit(
        "spot",
        {
            "POST /api/v1/hf/": 1,
            "DELETE /api/v1/hf/": 1,
            "GET /api/v1/hf/": 2,
        },
        4000,
        30_000,
    ),
    Limit("management", {"GET /api/v1/accounts": 5}, 2000, 30_000),
)
"""kucoin.com/docs-new/rate-limit, of a VIP 0; the weights are those of each request's page."""

COINBASE: Final = (
    Limit(
        "private requests",
        {
            "GET /api/v3/brokerage/": 1,
            "POST /api/v3/brokerage/": 1,
            "GET /api/v3/brokerage/market/": 0,
            "GET /api/v3/brokerage/time": 0,
        },
        30,
        1000,
    ),
)
"""docs.cdp.coinbase.com/advanced-trade/docs/rest-api-rate-limits: private, 30 a second."""

OKX: Final = each_alone(
    {
        "POST /api/v5/trade/batch-orders": 300,
        "POST /api/v5/trade/cancel-order": 60,
        "GET /api/v5/trade/order": 60,
        "GET /api/v5/trade/orders-pending": 60,
        "GET /api/v5/trade/fills-history": 10,
        "GET /api/v5/account/balance": 10,
    },
    2000,
)
"""okx.com/docs-v5/en/, the rate limit of each request. No header tells of it."""

HYPERLIQUID: Final = (
    Limit(
        "weight",
        {
            "POST /exchange": 1,
            "POST /info": 20,
            "POST /info l2Book": 2,
            "POST /info orderStatus": 2,
            "POST /info spotClearinghouseState": 2,
            "POST /info exchangeStatus": 2,
        },
        1200,
        60_000,
    ),
)
"""hyperliquid.gitbook.io, rate-limits-and-user-limits: by address on the net. No header tells."""
