"""The dashboard as an ASGI application (Starlette, extra `dashboard`): GET, and nothing else.

Before any route is looked at, a request passes one gate: its method is GET, it names a host that we
answer to, no page of another site sent it, and it may see what it asks for. What is behind the
gate by default is everything: only the page's own files are before it, and they hold no figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logos.observe.dashboard.access import COOKIE_S, Access
from logos.observe.dashboard.background import Background
from logos.observe.dashboard.inside import Inside
from logos.observe.dashboard.listing import Listing
from logos.observe.dashboard.log import LEVELS, Filter, page_of
from logos.observe.dashboard.results import CannotTell, Results
from logos.observe.dashboard.stream import BadPlace, SessionNews
from logos.observe.dashboard.view import REPORT, NoSession, SessionFiles, Views
from logos.pages.assets import CHARTS_JS, SHARED_CSS, UPLOT_CSS, UPLOT_JS, text

STREAMS_MAX: Final = 24
"""How many clients may follow sessions at a time."""
THREADS_MAX: Final = 4
LOOK_EVERY_S: Final = 0.5
COMMENT_EVERY_S: Final = 10.0
COMPARED_MAX: Final = 6
_REPORT_BYTES_MAX: Final = 32 << 20
_TEXT_MAX: Final = 200

_OWN: Final = "logos.observe.dashboard"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_STYLE: Final = "text/css; charset=utf-8"
_FILES: Final = {
    "/": (_OWN, "page/index.html", "text/html; charset=utf-8"),
    "/app.js": (_OWN, "page/app.js", _SCRIPT),
    "/list.js": (_OWN, "page/list.js", _SCRIPT),
    "/session.js": (_OWN, "page/session.js", _SCRIPT),
    "/compare.js": (_OWN, "page/compare.js", _SCRIPT),
    "/equity.js": (_OWN, "page/equity.js", _SCRIPT),
    "/log.js": (_OWN, "page/log.js", _SCRIPT),
    "/parts.js": (_OWN, "page/parts.js", _SCRIPT),
    "/style.css": (_OWN, "page/style.css", _STYLE),
    "/shared.css": ("logos.pages", SHARED_CSS, _STYLE),
    "/charts.js": ("logos.pages", CHARTS_JS, _SCRIPT),
    "/uplot.js": ("logos.pages", UPLOT_JS, _SCRIPT),
    "/uplot.css": ("logos.pages", UPLOT_CSS, _STYLE),
}
"""What is served of the package: by path, its package, name and type."""
_NO_TOKEN: Final = frozenset((*_FILES, "/login", "/-/healthy"))
"""What is before the gate's token: nothing of it shows a figure."""

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",  # no text becomes markup, not even by a mistake here
        "trusted-types 'none'",
    )
)
_REPORT_POLICY: Final = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""A report and a comparison bring a policy of their own. This one holds if they do not: nothing is
loaded or sent, and what runs has an origin of its own, without this one's cookie."""
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Dashboard:
    """The application; call it as ASGI does."""

    def __init__(self, workspace: Path, access: Access, cookie: str = "logos_dashboard") -> None:
        """`cookie` is the name of its cookie. Raises OSError when its own files are missing."""
        self.access = access
        self.cookie = cookie
        self.is_tls = False
        """Whether the cookie is for TLS alone."""
        self.closing = asyncio.Event()
        """Set when the server ends: every stream does."""
        self._inside = Inside(workspace)
        self._views = Views(self._inside)
        self._listing = Listing(self._inside)
        self._results = Results()
        self._background = Background(THREADS_MAX)
        self._long_work = Background(THREADS_MAX)
        """For what reads whole sessions: it keeps nobody else waiting."""
        self.streams = 0
        """How many clients follow a session now."""
        self._own = {path: _own_file(*place) for path, place in _FILES.items()}
        self._app: ASGIApp = Starlette(
            routes=[
                *(Route(path, self._file, methods=["GET"]) for path in _FILES),
                Route("/-/healthy", self._healthy, methods=["GET"]),
                Route("/login", self._login, methods=["GET"]),
                Route("/api/sessions", self._sessions, methods=["GET"]),
                Route("/api/sessions/{session}", self._session, methods=["GET"]),
                Route("/api/sessions/{session}/orders", self._orders, methods=["GET"]),
                Route("/api/sessions/{session}/log", self._log, methods=["GET"]),
                Route("/api/sessions/{session}/stream", self._stream, methods=["GET"]),
                Route("/api/sessions/{session}/statistics", self._statistics, methods=["GET"]),
                Route("/comparison", self._comparison, methods=["GET"]),
                Route("/report/{session}", self._report, methods=["GET"]),
            ],
            exception_handlers={
                NoSession: _problem(HTTPStatus.NOT_FOUND),
                BadPlace: _problem(HTTPStatus.BAD_REQUEST),
                _BadQuery: _problem(HTTPStatus.BAD_REQUEST),
                CannotTell: _problem(HTTPStatus.CONFLICT),
                PermissionError: _problem(HTTPStatus.FORBIDDEN),
                OSError: _problem(HTTPStatus.SERVICE_UNAVAILABLE),
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, if it may be answered."""
        if scope["type"] != "http":
            return  # no websocket and no lifespan: uvicorn is told so
        sent = _with_headers(send)
        refusal = self._refusal(scope)
        await (self._app if refusal is None else refusal)(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let through; None for one that is."""
        headers = _headers_of(scope)
        path = scope["path"]
        if scope["method"] != "GET":
            answer = _failure(HTTPStatus.METHOD_NOT_ALLOWED, "GET is the only method here")
            answer.headers["allow"] = "GET"
            return answer
        if not self.access.answers_to(headers.get("host", "")):
            return _failure(HTTPStatus.MISDIRECTED_REQUEST, "not a name of this dashboard")
        site = headers.get("sec-fetch-site", "none")
        is_opened = path == "/" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("same-origin", "none") and not is_opened:
            return _failure(HTTPStatus.FORBIDDEN, "asked for by a page of another site")
        if path in _NO_TOKEN or self.access.allows(
            headers.get("authorization", ""), self._cookies(headers.get("cookie", ""))
        ):
            return None
        answer = _failure(HTTPStatus.UNAUTHORIZED, "a token is needed")
        answer.headers["www-authenticate"] = 'Bearer realm="logos"'
        return answer

    def _cookies(self, header: str) -> list[str]:
        """The values of our cookie, of which a browser may send several."""
        pairs = (each.strip().partition("=") for each in header.split(";"))
        return [value for name, _, value in pairs if name == self.cookie]

    # ---- what is before the token ----

    async def _file(self, request: Request) -> Response:
        content, content_type = self._own[request.url.path]
        answer = Response(content, media_type=content_type)
        answer.headers["content-security-policy"] = _POLICY
        return answer

    async def _healthy(self, _: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def _login(self, request: Request) -> Response:
        """Whether a token is needed; for the right one as a header, the cookie."""
        authorization = request.headers.get("authorization", "")
        if self.access.is_open or (
            not authorization
            and self.access.allows("", self._cookies(request.headers.get("cookie", "")))
        ):
            return _json({"is_open": self.access.is_open})
        if not self.access.has_token(authorization):
            return _failure(HTTPStatus.UNAUTHORIZED, "not the token")
        answer = _json({"is_open": False})
        answer.set_cookie(
            self.cookie,
            self.access.new_cookie(),
            max_age=COOKIE_S,
            httponly=True,
            secure=self.is_tls,
            samesite="strict",
        )
        return answer

    # ---- figures ----

    async def _sessions(self, _: Request) -> Response:
        return _json(await self._background.run(self._listing.read))

    async def _session(self, request: Request) -> Response:
        view = self._views.find(request.path_params["session"])
        return _json(await self._background.run(view.snapshot))

    async def _orders(self, request: Request) -> Response:
        view = self._views.find(request.path_params["session"])
        return _json(await self._background.run(view.orders))

    async def _log(self, request: Request) -> Response:
        files = SessionFiles(self._inside, request.path_params["session"])
        query = _query_of(request)
        before = query.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise _BadQuery("before is no byte of the log")
        level = query.get("level", "")
        if level and level not in LEVELS:
            raise _BadQuery(f"level is one of {', '.join(LEVELS)}")
        wanted = Filter(
            level, query.get("event", ""), query.get("symbol", ""), query.get("text", "").lower()
        )

        def read() -> Mapping[str, Any]:
            with self._inside.open(files.log) as file:
                return page_of(file, int(before) if before else None, wanted)

        try:
            return _json(await self._background.run(read))
        except FileNotFoundError:
            return _json({"lines": [], "next": None, "unreadable": 0})

    async def _statistics(self, request: Request) -> Response:
        files = SessionFiles(self._inside, request.path_params["session"])
        try:
            return _json(await self._long_work.run(self._results.statistics, files))
        except CannotTell as error:  # of a session that has not begun, or is damaged
            return _json({"book": "", "books": 0, "rows": [], "notes": [str(error)]})

    # ---- pages that others made ----

    async def _comparison(self, request: Request) -> Response:
        names = parse_qs(request.url.query).get("id", [])
        if not 2 <= len(names) <= COMPARED_MAX:
            raise _BadQuery(f"name 2 to {COMPARED_MAX} sessions")
        sessions = [SessionFiles(self._inside, name) for name in names]
        return _in_sandbox(await self._long_work.run(self._results.comparison, sessions))

    async def _report(self, request: Request) -> Response:
        files = SessionFiles(self._inside, request.path_params["session"])
        try:
            content = await self._background.run(
                self._inside.read, files.folder / REPORT, _REPORT_BYTES_MAX
            )
        except FileNotFoundError:
            raise NoSession(f"no report was made: logos report {files.session_id}") from None
        return _in_sandbox(content)

    # ---- news ----

    async def _stream(self, request: Request) -> Response:
        files = SessionFiles(self._inside, request.path_params["session"])
        place = request.headers.get("last-event-id") or _query_of(request).get("at", "")
        news = SessionNews(files, place)
        if self.streams >= STREAMS_MAX or self.closing.is_set():
            answer = _failure(
                HTTPStatus.SERVICE_UNAVAILABLE, f"{STREAMS_MAX} clients follow sessions already"
            )
            answer.headers["retry-after"] = "5"
            return answer
        return _EventStream(self, news)

    async def _events(self, news: SessionNews) -> AsyncIterator[bytes]:
        """What the client is sent, each piece when it has taken the one before."""
        loop = asyncio.get_running_loop()
        yield b"retry: 1000\n\n"
        sent_s = loop.time()
        while not self.closing.is_set():
            for each in await self._background.run(news.look):
                yield each
                sent_s = loop.time()
            if news.is_over:
                return
            if loop.time() - sent_s >= COMMENT_EVERY_S:
                yield b":\n\n"  # a client that is gone shows by this
                sent_s = loop.time()
            if not news.has_more:
                try:
                    await asyncio.wait_for(self.closing.wait(), LOOK_EVERY_S)
                except TimeoutError:
                    continue


class _EventStream(StreamingResponse):
    """A stream that is counted as long as it lasts."""

    def __init__(self, dashboard: Dashboard, news: SessionNews) -> None:
        super().__init__(dashboard._events(news), media_type="text/event-stream")
        self._dashboard = dashboard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until one of both ends."""
        self._dashboard.streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._dashboard.streams -= 1


class _BadQuery(ValueError):
    """A request whose question cannot be understood."""


def _own_file(package: str, name: str, content_type: str) -> tuple[bytes, str]:
    return text(name, package).encode(), content_type


def _headers_of(scope: Scope) -> dict[str, str]:
    """The headers by name, those of one name joined as HTTP says."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        joint = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{joint}{text}" if key in found else text
    return found


def _query_of(request: Request) -> dict[str, str]:
    """The parameters, the last of each name, cut to what a person types."""
    found = parse_qs(request.url.query, keep_blank_values=True)
    return {name: values[-1][:_TEXT_MAX] for name, values in found.items()}


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *_HEADERS]
        await send(message)

    return sent


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _in_sandbox(content: bytes) -> Response:
    answer = Response(content, media_type="text/html; charset=utf-8")
    answer.headers["content-security-policy"] = _REPORT_POLICY
    return answer


def _failure(status: HTTPStatus, words: str) -> Response:
    answer = _json({"error": words})
    answer.status_code = status
    return answer


def _problem(status: HTTPStatus) -> Any:
    async def answer(_: Request, error: Exception) -> Response:
        words = str(error)
        if isinstance(error, OSError):
            name = Path(str(error.filename)).name if error.filename else ""
            words = f"{name}: {error.strerror}" if name else str(error.strerror or error)
        return _failure(status, words)

    return answer
