"""What the tests of venues share: a local exchange with an account, and orders from text."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from aiohttp import web

from logos.adapters.alpaca.venue import AlpacaVenue
from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.clock import Clock
from logos.core.fixed import parse_units
from logos.core.instrument import Instrument, instrument
from logos.core.orders import OrderIntent
from logos.core.risk import Approved
from logos.core.types import OrderType, Side, TimeInForce
from logos.simulators.alpaca import AlpacaAccount
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders
from logos.simulators.exchange.server import Exchange, Handler, json_answer
from logos.testing.clock import ManualClock

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
NOW_NS = 1_767_225_600 * 10**9


class Word:
    """A credential as a venue is given one."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Word(***)"


def bitcoin(**changes: str) -> Instrument:
    """BTCUSDT as the local exchange lists it."""
    rules = {"tick": "0.01", "lot": "0.00001", "min_quantity": "0.00001", "min_notional": "5"}
    return instrument("BTCUSDT", base="BTC", quote="USDT", **(rules | changes))  # type: ignore[arg-type]


def approved(
    what: Instrument,
    side: Side,
    quantity: str,
    limit: str = "",
    *,
    stop: str = "",
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> Approved:
    """An approved order from decimal texts; its type follows from the prices named."""
    kinds = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }
    intent = OrderIntent(
        what,
        side,
        parse_units(quantity, what.quantity_decimals),
        kinds[bool(limit), bool(stop)],
        parse_units(limit or "0", what.price_decimals),
        parse_units(stop or "0", what.price_decimals),
        time_in_force,
        0,
        "",
        "",
    )
    return Approved(intent, 0, 1)


@dataclass
class Desk:
    """A venue, and the exchange behind it."""

    venue: CcxtVenue
    exchange: Exchange
    account: ExchangeOrders
    clock: ManualClock
    instrument: Instrument
    replaced: dict[str, object]
    """Answers by request ("GET /path") that replace the exchange's own."""
    swapped: dict[str, tuple[str, object]]
    """By request: a field, and what it holds instead in every record of the answer."""
    another: Callable[[str], CcxtVenue]
    """A second venue at the same exchange, for the session of that id; not open yet."""

    def limit_buy(self, quantity: str = "0.001", price: str = "90000.00") -> Approved:
        """A buy that rests below the market."""
        return approved(self.instrument, Side.BUY, quantity, price)


def replacing(answers: dict[str, object]) -> Any:
    """A server's middleware that gives these answers, or (answer, status), to these requests."""

    @web.middleware
    async def replace(request: web.Request, handler: Handler) -> web.StreamResponse:
        line = f"{request.method} {request.path}"
        if line not in answers:
            return await handler(request)
        answer = answers[line]
        return json_answer(*answer) if isinstance(answer, tuple) else json_answer(answer)

    return replace


def swapping(swapped: dict[str, tuple[str, object]]) -> Any:
    """A server's middleware that puts a value of its own into each record of these answers."""

    @web.middleware
    async def swap(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        change = swapped.get(f"{request.method} {request.path}")
        if change is None or not isinstance(response, web.Response):
            return response
        answer = json.loads(response.text or "null")
        for record in answer if isinstance(answer, list) else [answer]:
            record[change[0]] = change[1]
        return json_answer(answer, response.status)

    return swap


@asynccontextmanager
async def exchange_desk(
    *,
    key: str = KEY,
    secret: str = SECRET,
    what: Instrument | None = None,
    clock: Clock | None = None,
    is_open: bool = True,
    timeout_s: float = 5.0,
    **options: Any,
) -> AsyncIterator[Desk]:
    """A venue connected to a local exchange: BTCUSDT at 99,990.00 bid and 100,000.00 asked."""
    listing = Listing("BTCUSDT", "BTC", "USDT")
    listing.add_top(NOW_NS - 1, "99990.00", "100000.00", "5", "5")
    exchange = Exchange(Market([listing], NOW_NS))
    BinanceShape(exchange)
    account = ExchangeOrders(exchange, KEY, SECRET, {"USDT": "100000", "BTC": "1"})
    replaced: dict[str, object] = {}
    swapped: dict[str, tuple[str, object]] = {}
    exchange.app.middlewares.append(replacing(replaced))
    exchange.app.middlewares.append(swapping(swapped))
    own_clock = ManualClock(NOW_NS)
    coin = what if what is not None else bitcoin()
    async with exchange:

        def make(session_id: str) -> CcxtVenue:
            return CcxtVenue(
                "binance",
                {coin.symbol: coin},
                clock if clock is not None else own_clock,
                Random(1),
                key=Word(key),
                secret=Word(secret),
                url=exchange.url,
                timeout_s=timeout_s,
                session_id=session_id,
                limit_rate=False,
                **options,
            )

        venue = make("s-1")
        try:
            if is_open:
                await venue.open()
            yield Desk(venue, exchange, account, own_clock, coin, replaced, swapped, make)
        finally:
            await venue.close()


# ---- a broker of shares ----

PAPER_KEY = "PKTEST1234567890ABCD"
PAPER_SECRET = "x9kLmQ2vR7tYpW4zB8nC1dF5gH3jK6sA0uEiOoPq"


def share(symbol: str = "AAPL", **changes: str) -> Instrument:
    """A share in cents and whole shares."""
    rules = {"tick": "0.01", "lot": "1", "quote": "USD"} | changes
    return instrument(symbol, **rules)  # type: ignore[arg-type]


def coin(**changes: str) -> Instrument:
    """BTC/USD as the local broker lists it."""
    rules = {"tick": "0.01", "lot": "0.0001", "quote": "USD", "min_quantity": "0.0001"} | changes
    return instrument("BTC/USD", **rules)  # type: ignore[arg-type]


@dataclass
class BrokerDesk:
    """A venue at the local broker, and the broker behind it."""

    venue: AlpacaVenue
    exchange: Exchange
    account: AlpacaAccount
    clock: ManualClock
    share: Instrument
    coin: Instrument
    replaced: dict[str, object]
    swapped: dict[str, tuple[str, object]]
    another: Callable[[str], AlpacaVenue]

    def limit_buy(self, quantity: str = "10", price: str = "150.00") -> Approved:
        """A buy that rests below the market."""
        return approved(self.share, Side.BUY, quantity, price)


@asynccontextmanager
async def broker_desk(
    *,
    key: str = PAPER_KEY,
    secret: str = PAPER_SECRET,
    what: Instrument | None = None,
    is_open: bool = True,
    timeout_s: float = 5.0,
    requests_a_minute: int = 0,
    **options: Any,
) -> AsyncIterator[BrokerDesk]:
    """A venue at a local broker: AAPL at 199.99 bid and 200.01 asked, BTC/USD about 100,000.

    Without `requests_a_minute` the broker, whose time stands still, answers any number of them.
    """
    shares = Listing("AAPL", "AAPL", "USD", tick="0.01", lot="1", minimum_quantity="1")
    shares.add_top(NOW_NS - 1, "199.99", "200.01", "500", "500")
    coins = Listing("BTC/USD", "BTC", "USD", lot="0.0001", minimum_quantity="0.0001")
    coins.add_top(NOW_NS - 1, "99990.00", "100000.00", "5", "5")
    exchange = Exchange(Market([shares, coins], NOW_NS))
    account = AlpacaAccount(exchange, PAPER_KEY, PAPER_SECRET, requests_a_minute=requests_a_minute)
    replaced: dict[str, object] = {}
    swapped: dict[str, tuple[str, object]] = {}
    exchange.app.middlewares.append(replacing(replaced))
    exchange.app.middlewares.append(swapping(swapped))
    clock = ManualClock(NOW_NS)
    one = what if what is not None else share()
    other = coin()
    async with exchange:

        def make(session_id: str) -> AlpacaVenue:
            return AlpacaVenue(
                {one.symbol: one, "BTC/USD": other},
                clock,
                Random(1),
                key=Word(key),
                secret=Word(secret),
                url=exchange.url,
                timeout_s=timeout_s,
                session_id=session_id,
                **options,
            )

        venue = make("s-1")
        try:
            if is_open:
                await venue.open()
            yield BrokerDesk(venue, exchange, account, clock, one, other, replaced, swapped, make)
        finally:
            await venue.close()
