"""Twenty credentials of different shapes through everything: no piece of one comes out anywhere."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

import asyncio
import base64
import logging
import re
import traceback
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web
from sampling import first_quick
from venue_tools import Word, approved, bitcoin, coin, share

from logos.adapters.alpaca.venue import AlpacaVenue
from logos.adapters.ccxt.venue import CcxtVenue
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import Side
from logos.simulators.alpaca import AlpacaAccount
from logos.simulators.exchange.binance import BinanceShape
from logos.simulators.exchange.faults import Fault
from logos.simulators.exchange.market import Listing, Market
from logos.simulators.exchange.orders import ExchangeOrders
from logos.simulators.exchange.server import Exchange, Handler
from logos.testing.clock import ManualClock
from logos.venues.contract import Refused, Venue, VenueError

NOW_NS = ManualClock().now_ns()
FAULTS = [
    Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.RATE_LIMIT, Fault.SERVER_ERROR, Fault.UNAVAILABLE,
    Fault.MAINTENANCE, Fault.MALFORMED, Fault.TRUNCATED,
]  # fmt: skip


def canaries() -> list[str]:
    """Credentials in the shapes that venues hand out, and in some that break things."""
    random = Random(20260101)

    def letters(alphabet: str, count: int) -> str:
        return "".join(random.choice(alphabet) for _ in range(count))

    big, small, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
    word = big + small + digits
    return [
        letters(word, 64),
        letters(word, 40),
        letters(word, 20),
        "PK" + letters(big + digits, 18),
        letters("0123456789abcdef", 64),
        letters("0123456789ABCDEF", 32),
        letters(word + "+/", 86) + "==",
        letters(word + "-_", 43),
        "-".join(letters("0123456789abcdef", count) for count in (8, 4, 4, 4, 12)),
        "sk_" + letters(small + digits, 48),
        letters(digits, 24),
        letters(word + "!$%^*()~", 30),
        letters(word + "&=?#/", 36),
        letters(word + "%", 28),
        letters(word, 12) + " " + letters(word, 12),
        letters(word, 10) + '"' + letters(word, 10) + "\\" + letters(word, 10),
        f"{{{letters(word, 12)}:{letters(word, 12)}}}",
        letters("äöüßéñ" + word, 32),
        letters(word, 8),
        f"-----BEGIN PRIVATE KEY-----\n{letters(word, 90)}\n-----END PRIVATE KEY-----",
    ]


def forms(secret: str) -> list[str]:
    raw = secret.encode()
    found = [secret, raw.hex(), raw.hex().upper(), quote(secret, safe=""), quote_plus(secret)]
    for head, skip in ((b"", 0), (b"x", 2), (b"xy", 3)):
        found.append(base64.b64encode(head + raw).decode().rstrip("=")[skip:-1])
        found.append(base64.urlsafe_b64encode(head + raw).decode().rstrip("=")[skip:-1])
    return found


def leaks(text: str, secret: str) -> list[str]:
    """Every six characters of the secret, in any form, that `text` holds."""
    # The lines around a PEM key are no secret; ccxt's own words name them.
    public = "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----"
    there = {text[at : at + 6] for at in range(len(text) - 5)}
    pieces = {form[at : at + 6] for form in forms(secret) for at in range(len(form) - 5)}
    return sorted(piece for piece in pieces & there if piece not in public)


def shown(error: BaseException) -> str:
    """All that a log, a debugger or a crash report could show of an exception."""
    parts = [str(error), repr(error), repr(error.args), repr(vars(error))]
    seen: BaseException | None = error
    while seen is not None:
        parts += traceback.format_exception(seen)
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            if "/logos/venues/" in frame.f_code.co_filename:
                parts += [repr(value) for value in frame.f_locals.values()]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(parts)


def echoing(key: str, secret: str) -> Any:
    """A server's middleware that answers orders with all it was told, and more."""

    @web.middleware
    async def echo(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != "POST":
            return await handler(request)
        words = " ".join(
            [
                key, secret, secret[3:-3], base64.b64encode(f"{key}:{secret}".encode()).decode(),
                secret.encode().hex(), quote(secret), str(dict(request.headers)),
                await request.text(),
            ]
        )  # fmt: skip
        answer = {"code": -2010, "msg": words, "message": words}
        return web.json_response(answer, status=422)

    return echo


async def provoke(
    venue: Venue, order: Any, symbol: str, exchange: Exchange, faults: list[Fault]
) -> list[str]:
    """Use everything of a venue, healthy and under faults; what could be seen of it."""
    seen: list[str] = []

    async def attempt(what: Callable[[], Awaitable[object]]) -> None:
        try:
            answer = await what()
        except VenueError as error:
            seen.append(shown(error))
        else:
            seen.append(repr(answer))

    requests: list[Callable[[], Awaitable[object]]] = [
        lambda: venue.submit(SubmitOrder(order, "s-1-1", 0)),
        lambda: venue.cancel(CancelOrder("s-1-1", symbol)),
        lambda: venue.find("s-1-1", symbol),
        venue.open_orders,
        lambda: venue.fills_since(NOW_NS),
        venue.balances,
        venue.positions,
    ]
    await attempt(venue.open)
    await attempt(venue.check)
    for request in requests:
        await attempt(request)
    for fault in faults:
        exchange.fail("/", fault, times=len(requests) + 1)
        for request in requests:
            await attempt(request)
        await attempt(venue.check)
        exchange.faults.clear()
    await exchange.close()
    for request in requests:
        await attempt(request)
    seen += [venue.name, repr(venue), str(venue), repr(vars(venue))]
    await venue.close()
    return seen


def server() -> Exchange:
    shares = Listing("AAPL", "AAPL", "USD", lot="1", minimum_quantity="1")
    bits = Listing("BTCUSDT", "BTC", "USDT")
    coins = Listing("BTC/USD", "BTC", "USD", lot="0.0001")
    for listing in (shares, bits, coins):
        listing.add_top(NOW_NS - 1, "99.00", "101.00", "5", "5")
    return Exchange(Market([shares, bits, coins], NOW_NS))


@pytest.mark.long
@pytest.mark.parametrize("number", first_quick(range(20), 4))
@pytest.mark.parametrize("accepts", ["right keys", "wrong keys", "echo"])
def test_nothing_of_a_credential_comes_out(
    number: int,
    accepts: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secrets = canaries()
    key, secret = secrets[number], secrets[(number + 7) % 20]
    # Every fault meets several credentials, and every credential several faults.
    faults = [FAULTS[(number + step) % len(FAULTS)] for step in (0, 3)]
    faults = faults if accepts == "right keys" else []

    async def story() -> list[str]:
        seen: list[str] = []
        for which in ("ccxt", "alpaca"):
            exchange = server()
            if accepts == "echo":
                exchange.app.middlewares.append(echoing(key, secret))
            theirs = ("other", "others") if accepts == "wrong keys" else (key, secret)
            BinanceShape(exchange)
            ExchangeOrders(exchange, *theirs, {"USDT": "100000"})
            AlpacaAccount(exchange, *theirs)
            async with exchange:
                if which == "ccxt":
                    venue: Venue = CcxtVenue(
                        "binance", {"BTCUSDT": bitcoin()}, ManualClock(), Random(1),
                        key=Word(key), secret=Word(secret), url=exchange.url, limit_rate=False,
                    )  # fmt: skip
                    order = approved(bitcoin(), Side.BUY, "1", "90.00")
                    seen += await provoke(venue, order, "BTCUSDT", exchange, faults)
                else:
                    venue = AlpacaVenue(
                        {"AAPL": share(), "BTC/USD": coin()}, ManualClock(), Random(1),
                        key=Word(key), secret=Word(secret), url=exchange.url,
                    )  # fmt: skip
                    order = approved(share(), Side.BUY, "1", "90.00")
                    seen += await provoke(venue, order, "AAPL", exchange, faults)
        return seen

    with caplog.at_level(logging.DEBUG):
        seen = asyncio.run(story(), debug=number == 0)
    seen += [
        f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records
    ]
    seen += capsys.readouterr()
    assert len(seen) > 30
    # Addresses in memory are random digits; lines come many times.
    lines = dict.fromkeys(re.sub("0x[0-9a-f]+", "0x", "\n".join(seen)).split("\n"))
    everything = "\n".join(lines)
    assert len(everything) > 3_000
    for canary in (key, secret):
        found = leaks(everything, canary)
        at = everything.find(found[0]) if found else 0
        assert found == [], everything[at - 200 : at + 200]


def test_the_search_finds_what_leaks() -> None:
    for canary in canaries():
        for form in forms(canary):
            assert leaks(f"words {form} words", canary)
    assert leaks("nothing to see", canaries()[0]) == []


def test_a_venue_that_cannot_be_made_shows_no_credential() -> None:
    key, secret = canaries()[:2]
    for exchange_id in ("nowhere", "kraken"):
        with pytest.raises(Refused) as caught:
            CcxtVenue(exchange_id, {}, ManualClock(), Random(1), key=Word(key), secret=Word(secret))
        assert leaks(shown(caught.value), key) + leaks(shown(caught.value), secret) == []
