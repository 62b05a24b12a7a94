"""A local exchange: market data over HTTP and websockets, and every way in which they fail.

Problem: a feed or venue that has only met a healthy exchange has not been tried. Method: a small
aiohttp server on the loopback that answers what the real client libraries really ask (in the
shape of a large spot exchange, and of a chart service of bars), plays back a recorded market
whose time is moved by hand or by the clock, writes down every request, and fails on demand.

Other modules add their own endpoints with `add_routes`; faults and the record of requests apply
to those too. As a process, to rehearse with: `python -m logos.simulators.exchange --help`.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from types import TracebackType

from aiohttp import web

from logos.core.types import NS_PER_SECOND
from logos.simulators.exchange.faults import IN_THE_ANSWER, Fault, FaultPlan, Rule
from logos.simulators.exchange.limits import Limits
from logos.simulators.exchange.market import Market

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BEFORE = {
    Fault.TIMEOUT_BEFORE,
    Fault.RESET_BEFORE,
    Fault.RATE_LIMIT,
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.MAINTENANCE,
}
_REQUESTS_KEPT = 100_000
FAULT_KEY = web.RequestKey("fault", Rule)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    host: str


class Exchange:
    """The server: made, started, used over `url`, closed. Also `async with Exchange(market)`.

    `market` is what it plays back. `faults` says what fails, `requests` holds what was asked.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.faults = FaultPlan()
        self.requests: deque[Received] = deque(maxlen=_REQUESTS_KEPT)
        self.heard = asyncio.Event()
        """Set whenever a client has said something."""
        self.words: dict[Fault, tuple[object, int, Mapping[str, str]]] = {}
        """Body, status and headers of a fault, where they are not Binance's."""
        self.limits: Limits | None = None
        """How many requests it answers, and how it says so; see `limits`."""
        self.url = ""
        self.tells_time = True
        """Whether answers have a `Date`; RFC 9110 lets a server without a clock leave it out."""
        self.app = web.Application(middlewares=[self._middleware])
        self.app.on_response_prepare.append(self._without_time)
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._on_advance: list[Callable[[int, int], Awaitable[None]]] = []

    def add_routes(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """Answer these requests too; call before `start`."""
        self.app.add_routes(routes)

    def on_advance(self, listener: Callable[[int, int], Awaitable[None]]) -> None:
        """Call `listener(before_ns, now_ns)` whenever the market's time has moved."""
        self._on_advance.append(listener)

    async def __aenter__(self) -> Exchange:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self, port: int = 0) -> str:
        """Listen on the loopback (port 0: any free one); the URL."""
        self._runner = web.AppRunner(self.app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    async def close(self) -> None:
        """Stop listening and drop every connection; closing again does nothing."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fail(
        self, where: str, fault: Fault, *, times: int = 1, after: int = 0, retry_after_s: int = 1
    ) -> Rule:
        """Spoil the next `times` requests whose "METHOD /path" holds `where`, after `after`."""
        return self.faults.add(Rule(where, fault, times, after, retry_after_s))

    async def advance(self, seconds: float) -> None:
        """Let the market's time go on by `seconds`."""
        await self.advance_to(self.market.now_ns + round(seconds * 1_000_000_000))

    async def advance_to(self, now_ns: int) -> None:
        """Let the market's time go on to `now_ns`; what happened goes out to the streams."""
        before_ns = self.market.now_ns
        if now_ns < before_ns:
            raise ValueError(f"the market's time cannot go back from {before_ns} to {now_ns}")
        self.market.now_ns = now_ns
        for listener in self._on_advance:
            await listener(before_ns, now_ns)

    async def wait_for_request(self) -> None:
        """Return once something more was asked, or said on a stream."""
        self.heard.clear()
        await self.heard.wait()

    def asked(self, where: str) -> int:
        """How many requests so far whose "METHOD /path" holds `where`."""
        return sum(where in f"{each.method} {each.path}" for each in self.requests)

    @property
    def served_ns(self) -> int:
        """The time that answers are stamped with: the exchange's own, as it says it."""
        return self.market.now_ns + self.market.skew_ns

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await self._respond(request, handler)
        except web.HTTPException as refusal:
            self._stamp(refusal)
            raise
        self._stamp(response)
        if self.limits is not None and not response.prepared:
            told = await self.limits.headers(request, response.status)
            response.headers.update({k: v for k, v in told.items() if k not in response.headers})
        return response

    def _stamp(self, response: web.StreamResponse) -> None:
        """Put the exchange's time into an answer (RFC 9110, 6.6.1: whole seconds, cut off)."""
        if not response.prepared and "Date" not in response.headers:
            moment = formatdate(self.served_ns // NS_PER_SECOND, usegmt=True)
            response.headers["Date"] = moment

    async def _without_time(self, _: web.Request, response: web.StreamResponse) -> None:
        if not self.tells_time:
            response.headers.popall("Date", None)

    async def _respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(
            Received(request.method, request.path, request.query_string, request.host)
        )
        self.heard.set()
        too_many = None if self.limits is None else await self.limits.take(request)
        if too_many is not None:
            return too_many
        rule = self.faults.next(f"{request.method} {request.path}")
        if rule is None:
            return await handler(request)
        if rule.fault in IN_THE_ANSWER:
            request[FAULT_KEY] = rule
            return await handler(request)
        answer = None if rule.fault in _BEFORE else await handler(request)
        return await self._spoiled(request, rule, answer)

    async def _spoiled(
        self, request: web.Request, rule: Rule, answer: web.StreamResponse | None
    ) -> web.StreamResponse:
        fault = rule.fault
        if fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER):
            await self._closing.wait()
        if fault in (
            Fault.TIMEOUT_BEFORE,
            Fault.TIMEOUT_AFTER,
            Fault.RESET_BEFORE,
            Fault.RESET_AFTER,
        ):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault in self.words:
            body, status, headers = self.words[fault]
            return web.json_response(body, status=status, headers=headers)
        if fault is Fault.UNSURE:
            words = {"code": -1007, "msg": "Timeout waiting for response from backend server."}
            return web.json_response(words, status=408)
        if fault is Fault.RATE_LIMIT:
            words = {"code": -1003, "msg": "Too many requests queued."}
            headers = {"Retry-After": str(rule.retry_after_s)}
            return web.json_response(words, status=429, headers=headers)
        if fault is Fault.MAINTENANCE:
            words = {"code": 1, "msg": "System is under maintenance."}
            return web.json_response(words, status=503)
        if fault in (Fault.SERVER_ERROR, Fault.SERVER_ERROR_AFTER):
            told = "An unknown error occurred while processing the request."
            return web.json_response({"code": -1000, "msg": told}, status=500)
        if fault is Fault.UNAVAILABLE:
            return web.Response(status=503, text="<html>Service Unavailable</html>")
        text = answer.text if isinstance(answer, web.Response) and answer.text else "{}"
        cut = text[: len(text) // 2] if fault is Fault.TRUNCATED else "<html>not JSON</html>"
        return web.Response(text=cut, content_type="application/json")


def json_answer(value: object, status: int = 200) -> web.Response:
    """A JSON response, in few bytes."""
    text = json.dumps(value, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")
