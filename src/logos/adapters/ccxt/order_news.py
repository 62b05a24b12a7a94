"""News of orders by an exchange's private stream, through ccxt: that something happened, not what.

Problem: ccxt's `watchOrders` gives orders as its own parsers read them, says nothing until the
first of them changes, makes a lost connection anew without a word, and knows floats. Method: ccxt
signs in and subscribes; every message is looked at here before ccxt sees it. What an exchange's
messages look like its profile says (`Profile.stream`): which one confirms the subscription, which
are about orders, and where they name them. An order is then asked for as always; so nothing of a
message but a name is believed.

A quiet connection is pinged, in the exchange's own way; without an answer it is lost. Whoever
listens connects again. Requests that ccxt makes to sign in go through the venue's own object, in
its turn and under its numbers.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from decimal import localcontext
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from logos.adapters.ccxt.addresses import redirected
from logos.adapters.ccxt.profiles.profile import Profile, Stream
from logos.core.clock import Clock
from logos.venues.contract import OrderNews, Unavailable
from logos.venues.ids import ClientIds
from logos.venues.redact import Redactor

QUIET_S: Final = 8.0
"""How long nothing may come before the other side is pinged."""
_KNOWN_MAX: Final = 10_000
_ALIVE: Final = OrderNews("", is_sign_of_life=True)


class _Lost(Exception):
    """The stream could not be had, or is there no more; the message says why."""


async def order_news(
    exchange: Any,
    profile: Profile,
    ids: ClientIds,
    clock: Clock,
    redactor: Redactor,
    *,
    url: str,
    sandbox: bool,
    timeout_s: float,
) -> AsyncIterator[OrderNews]:
    """News from the stream of the account that `exchange` (ccxt's object, signed in, its markets
    loaded) is connected to; a sign of life first. Raises Unavailable once it is lost."""
    assert profile.stream is not None, profile.exchange_id
    # The import alone takes a second: not in the loop.
    library = await asyncio.to_thread(importlib.import_module, "ccxt.pro")
    listening = _listening(library, exchange, profile.exchange_id, clock, url, sandbox)
    stream = _OrderStream(listening, profile.stream, ids, clock, timeout_s)
    words = ""
    try:
        async for news in stream.news():
            yield news
    except _Lost as lost:
        words = redactor.clean(str(lost))
    finally:
        await stream.close()
    raise Unavailable(f"{profile.exchange_id}: order stream: {words}")


def _listening(
    library: Any, exchange: Any, exchange_id: str, clock: Clock, url: str, sandbox: bool
) -> Any:
    """ccxt's object with streams beside the venue's own, which makes its requests."""
    made = getattr(library, exchange_id)(
        {"enableRateLimit": False, "timeout": exchange.timeout, "options": dict(exchange.options)}
    )
    if sandbox:
        made.set_sandbox_mode(True)
    made.number = str
    made.logger = exchange.logger
    made.nonce = made.milliseconds = lambda: clock.now_ns() // 1_000_000
    made.seconds = lambda: clock.now_ns() // 1_000_000_000
    for name in ("apiKey", "secret", "password", "walletAddress", "privateKey"):
        setattr(made, name, getattr(exchange, name, None))
    for name in exchange.options.get("marketHelperProps", ()):
        exchange.options.setdefault(name, None)  # ccxt 4.5.90 trips over one that was not filled
    made.set_markets_from_exchange(exchange)
    made.request = exchange.request
    made.ssl_context = exchange.ssl_context
    # Quiet connections are pinged here, by our clock.
    made.streaming = {**made.streaming, "keepAlive": 0}
    if url:
        parts = urlsplit(url)
        is_secure = parts.scheme == "https"
        made.urls["api"] = redirected(made.urls["api"], parts.netloc, is_secure=is_secure)
        if not is_secure:
            made.timeout_on_exit = 0  # the wait is for encrypted connections to say goodbye
    return made


class _OrderStream:
    """One connection: what came is put into a queue, and handed out one by one."""

    def __init__(
        self, exchange: Any, rule: Stream, ids: ClientIds, clock: Clock, timeout_s: float
    ) -> None:
        self._exchange = exchange
        self._rule = rule
        self._ids = ids
        self._clock = clock
        self._timeout_s = timeout_s
        self._came: asyncio.Queue[OrderNews | _Lost] = asyncio.Queue()
        self._frame = asyncio.Event()
        """Set with every frame, pongs included."""
        self._is_confirmed = False
        self._names: dict[str, str] = {}
        """By the exchange's id: our id of an order that was named once; empty: a stranger's."""
        self._watching: asyncio.Task[None] | None = None
        self._make_connection = exchange.client
        self._connections: list[Any] = []
        exchange.client = self._connection
        self._digest = exchange.handle_message
        exchange.handle_message = self._take

    async def news(self) -> AsyncIterator[OrderNews]:
        """Everything that comes, from the confirmation on. Raises _Lost."""
        self._watching = asyncio.ensure_future(self._watch())
        while True:
            item = await self._next()
            if isinstance(item, _Lost):
                raise item
            yield item

    async def close(self) -> None:
        """Drop the connection."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        with suppress(Exception):  # whatever it dies of, it is let go
            await self._exchange.close()

    async def _watch(self) -> None:
        """Sign in, subscribe, and stay connected. Orders are taken before ccxt would wake this."""
        try:
            with localcontext():
                while True:
                    await self._exchange.watch_orders(None, None, None, dict(self._rule.parameters))
        except Exception as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())
            self._came.put_nowait(_Lost(words))

    async def _next(self) -> OrderNews | _Lost:
        """The next word: of an order, or that the connection is alive."""
        coming = asyncio.ensure_future(self._came.get())
        try:
            while not coming.done():
                self._frame.clear()
                quiet = asyncio.ensure_future(self._clock.sleep(QUIET_S))
                try:
                    await asyncio.wait({coming, quiet}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    quiet.cancel()
                if coming.done():
                    break
                # Before the subscription is confirmed nothing counts as alive.
                if self._is_confirmed and (self._frame.is_set() or await self._pong()):
                    return _ALIVE
            return coming.result()
        finally:
            coming.cancel()

    async def _pong(self) -> bool:
        """Ping the other side; whether anything came of it. Else the stream is lost."""
        [*_, connection] = [None, *(each for each in self._connections if not each.closed())]
        ping = getattr(self._exchange, "ping", None)
        words = f"no answer to a ping within {self._timeout_s:g} s"
        try:
            async with asyncio.timeout(self._timeout_s):
                if connection is not None:
                    if ping is None:
                        await connection.connection.ping()
                    else:
                        await connection.send(ping(connection))
                    await self._frame.wait()
                    return True
            words = "the connection is closed"
        except TimeoutError:
            pass
        except (OSError, RuntimeError, ValueError) as error:
            words = f"{type(error).__name__}: {error}"
        self._came.put_nowait(_Lost(words))
        return False

    # ---- what comes ----

    def _connection(self, address: str) -> Any:
        """ccxt's own: the connection to an address; its frames are noted."""
        connection = self._make_connection(address)
        if connection not in self._connections:
            self._connections.append(connection)
            connection.handle_message = partial(self._note, connection.handle_message)
        return connection

    def _note(self, digest: Any, frame: Any) -> None:
        self._frame.set()
        try:
            digest(frame)
        except Exception as error:
            # ccxt would read no further, and say nothing.
            self._came.put_nowait(_Lost(f"a message cannot be read: {type(error).__name__}"))

    def _take(self, connection: Any, message: Any) -> Any:
        """A message, before ccxt sees it; one about orders it does not see at all."""
        if not isinstance(message, dict | str):
            raise TypeError("neither a record nor a text")
        if isinstance(message, str) and message.startswith(("{", "[", "<")):
            raise ValueError("a text that is no JSON")
        if isinstance(message, dict):
            if holds(message, self._rule.ended):
                self._came.put_nowait(_Lost("the exchange has ended it"))
                return None
            if holds(message, self._rule.about):
                for row in rows_at(message, self._rule.rows):
                    self._came.put_nowait(self._news(row))
                return None
            if not self._is_confirmed and holds(message, self._rule.confirmed):
                self._is_confirmed = True
                self._came.put_nowait(_ALIVE)
        return self._digest(connection, message)

    def _news(self, row: Any) -> OrderNews:
        """What a row is about. What cannot be read may be about any order of ours; what is of
        somebody else only shows that the stream is alive."""
        if not isinstance(row, dict):
            return OrderNews("")
        number = str(at(row, self._rule.number) or "") if self._rule.number else ""
        name = next(filter(None, (at(row, each) for each in self._rule.names)), None)
        if isinstance(name, str):
            ours = self._ids.to_ours(name) or ""
            if number:
                self._learn(number, ours)
            return OrderNews(ours) if ours else _ALIVE
        if number and self._rule.always_names:
            return _ALIVE
        if number in self._names:
            ours = self._names[number]
            return OrderNews(ours) if ours else _ALIVE
        return OrderNews("")

    def _learn(self, number: str, ours: str) -> None:
        self._names[number] = ours
        if len(self._names) > _KNOWN_MAX:
            del self._names[next(iter(self._names))]


def at(message: Any, path: str) -> Any:
    """What stands in a record of records, by names joined by dots; None where nothing does."""
    for name in path.split("."):
        message = message.get(name) if isinstance(message, dict) else None
    return message


def holds(message: Any, fields: Mapping[str, Any]) -> bool:
    """Whether a message holds all of this, by `at`; None stands for anything. Nothing asked for is
    held by none."""
    return bool(fields) and all(
        at(message, path) is not None if value is None else at(message, path) == value
        for path, value in fields.items()
    )


def rows_at(message: Any, path: str) -> list[Any]:
    """Every record that stands there, by names joined by dots, through lists on the way; what is
    missing is a row that nobody can read."""
    found = [message]
    for name in path.split("."):
        inner = [each.get(name) if isinstance(each, dict) else None for each in found]
        found = [row for each in inner for row in (each if isinstance(each, list) else [each])]
    return found
