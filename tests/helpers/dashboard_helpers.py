"""Sessions made up for the dashboard, which is asked in this process or served in a thread."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from metrics_helpers import CURRENCY, SYMBOL

from logos.observe.dashboard.access import Access
from logos.observe.dashboard.app import Dashboard
from logos.observe.dashboard.server import DashboardServer
from logos.observe.serving import Certificate

OPEN = Access()
START_NS = 1_767_621_600 * 10**9
_ACCOUNT = "time,currency,balance,locked,initial,realised,fees,unrealised,equity,high_water"


def line(seq: int, kind: str, **fields: object) -> bytes:
    """A line of a journal as far as the dashboard looks at it."""
    body = {"kind": kind, "ts_ns": START_NS + seq * 10**9, "tick_id": seq, **fields}
    text = json.dumps(
        {"seq": seq, "crc": "00000000", "hash": "0" * 16, "body": body}, separators=(",", ":")
    )
    return text.encode() + b"\n"


def order(seq: int, number: int, **fields: object) -> bytes:
    whole = {
        "order_id": number,
        "symbol": "AAA",
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "quantity_units": 15,
        "limit_price_units": 10_050,
        "price_decimals": 2,
        "quantity_decimals": 1,
        "money_decimals": 2,
        "tag": "",
    }
    return line(seq, "order", **{**whole, **fields})


def update(seq: int, number: int, status: str, **fields: object) -> bytes:
    whole = {"order_id": number, "symbol": "AAA", "status": status, "filled_units": 0}
    return line(seq, "order_update", **{**whole, "fee_units": 0, "reason": "", **fields})


class MadeSession:
    """A session's folder that a test writes."""

    def __init__(self, home: Path, name: str = "made") -> None:
        self.home, self.name = home, name
        self.folder = home / "runs" / "live" / "sessions" / name
        self.folder.mkdir(parents=True)
        self.journal = self.folder / "state.jsonl"
        self.sequence = 0
        self.add(line(1, "manifest", session_id=name))
        (self.folder / "config.json").write_text(json.dumps({"strategy": {"name": "mine"}}))

    def add(self, *lines: bytes) -> None:
        with self.journal.open("ab") as file:
            file.writelines(lines)

    def account(self, *equities: float) -> None:
        """Samples of an account, a minute apart, of which the first is the start."""
        path = self.folder / "account.csv"
        if not path.exists():
            path.write_text(f"{_ACCOUNT}\n")
        with path.open("a") as file:
            for number, equity in enumerate(equities):
                hour, minute = divmod(number, 60)
                day, hour = divmod(hour, 24)
                time = f"2026-01-{day + 1:02}T{hour:02}:{minute:02}:00.000000000Z"
                high = max(equities[: number + 1]) if number < 2_000 else max(equities)
                file.write(f"{time},USD,0,0,100,0,0,0,{equity},{high}\n")

    def figures(self, **changed: object) -> Path:
        """Its page of figures."""
        path = self.home / "logos" / "logs" / f"{self.name}.metrics.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**_page(self.name), **changed}))
        return path

    def log(self, *lines: Mapping[str, object]) -> Path:
        """Lines of its log of decisions."""
        path = self.home / "logos" / "logs" / f"{self.name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            for each in lines:
                file.write(json.dumps(each) + "\n")
        return path


def _page(name: str) -> dict[str, Any]:
    disk = {"records": 5, "size_bytes": 900, "syncs": 2, "sync_ns": 4_000, "sync_max_ns": 3_000}
    symbol = {**SYMBOL, "open_orders": 1, "stale_after_ns": 0, "is_stale": False}
    guard = {
        "guard": "MAX_DRAWDOWN",
        "subject": "USD",
        "used_units": 100,
        "limit_units": 400,
        "unit": "USD",
        "decimals": 2,
        "ratio": 0.25,
        "action": "halt",
    }
    return {
        "schema": 1,
        "session_id": name,
        "software": "0.1.0",
        "strategy": "mine",
        "mode": "paper",
        "is_live": False,
        "pid": 1,
        "began_ns": START_NS,
        "written_ns": START_NS,
        "status": "RUNNING",
        "exit_code": -1,
        "last_event_ns": START_NS + 5 * 10**9,
        "ticks": 1_234,
        "orders": 2,
        "fills": 1,
        "switch": {"state": "SAFE", "is_engaged": False, "epoch": 1, "engaged_ns": 0},
        "open_orders": 1,
        "blocked": 0,
        "refused": 3,
        "warnings": 0,
        "refusals": {"MAX_POSITION": 2, "STALE_DATA": 1},
        "guards": {},
        "risk": {
            "currencies": [CURRENCY],
            "symbols": [{**symbol, "is_paused": False}],
            "guards": [guard],
        },
        "journal": disk,
        "inputs": None,
        "market": None,
        "feeds": [],
        "latency": {},
        "overruns": 0,
        "stalls": 0,
        "version": 0,
        "symbols": [],
        "currencies": [],
        "total": None,
    }


class Answer:
    """What the dashboard answered."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status, self.headers, self.content = status, headers, content

    def json(self) -> Any:
        return json.loads(self.content)


def ask(dashboard: Dashboard, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request, in this process. In the names of headers `_` stands for `-`."""
    given = {"host": "localhost", **{key.replace("_", "-"): text for key, text in headers.items()}}
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": place,
        "raw_path": place.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("x", 1),
        "headers": [(key.lower().encode(), text.encode()) for key, text in given.items()],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(dashboard(scope, receive, send))
    answered = {key.decode(): text.decode() for key, text in sent[0]["headers"]}
    content = b"".join(each.get("body", b"") for each in sent[1:])
    return Answer(sent[0]["status"], answered, content)


class Served:
    """A dashboard that listens on loopback."""

    def __init__(self, server: DashboardServer, app: Dashboard) -> None:
        self.app = app
        self.url = server.url
        self.port = int(server.url.rstrip("/").rpartition(":")[2])

    def get(self, path: str, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()


@contextmanager
def served(
    workspace: Path,
    access: Access = OPEN,
    certificate: Certificate | None = None,
    port: int = 0,
) -> Iterator[Served]:
    """A dashboard in a thread of this process; ended at once in the end."""
    app = Dashboard(workspace, access)
    server = DashboardServer(("127.0.0.1", port), app, certificate)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Served(server, app)
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive(), "the dashboard did not end"


def events_of(answer: http.client.HTTPResponse, count: int) -> list[tuple[str, str, Any]]:
    """The next server-sent events as (name, id, data)."""
    found: list[tuple[str, str, Any]] = []
    fields: dict[str, str] = {}
    while len(found) < count:
        text = answer.readline().decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
            fields = {}
        else:
            fields = {}
    return found
