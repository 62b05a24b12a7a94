"""Sessions made up for the metrics page, and the page read back as Prometheus reads it."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from heartbeat_helpers import Journals
from prometheus_client.parser import text_string_to_metric_families

from logos.observe.metrics.exposition import Page
from logos.observe.metrics.gathering import Gatherer
from logos.session.presence.heartbeat import HeartbeatFile, heartbeat_path
from logos.session.presence.registry import Kind, Registration, enter

NOW_NS = 1_800_000_000 * 10**9

CURRENCY: dict[str, Any] = {
    "currency": "USD",
    "equity_units": 99_950,
    "initial_units": 100_000,
    "realised_units": 250,
    "fees_units": 100,
    "unrealised_units": -200,
    "payments_units": 0,
    "gross_exposure_units": 20_000,
    "net_exposure_units": -20_000,
    "high_water_units": 100_050,
    "drawdown_units": 100,
    "max_drawdown_units": 300,
    "day_profit_units": -50,
    "money_decimals": 2,
}
SYMBOL: dict[str, Any] = {
    "symbol": "AAA",
    "currency": "USD",
    "position_units": -20,
    "mark_units": 1_000_5,
    "value_units": -20_000,
    "realised_units": 250,
    "unrealised_units": -200,
    "fees_units": 100,
    "price_age_ns": 500_000_000,
    "quantity_decimals": 1,
    "mark_decimals": 3,
    "money_decimals": 2,
}
TRADES: dict[str, Any] = {
    "name": "AAA",
    "orders": 7,
    "answered": 6,
    "fills": 5,
    "trades": 3,
    "wins": 2,
    "losses": 1,
    "latency_sum_ns": 3_000_000,
}
FIGURES: dict[str, Any] = {
    "schema": 1,
    "session_id": "desk",
    "mode": "paper",
    "is_live": True,
    "pid": os.getpid(),
    "written_ns": NOW_NS,
    "exit_code": -1,
    "blocked": 2,
    "warnings": 1,
    "guards": {"STALE_DATA": 1},
    "overruns": 3,
    "stalls": 0,
    "ticks": 1_000,
    "orders": 7,
    "fills": 5,
    "refusals": {"MAX_POSITION": 4, "STALE_DATA": 1},
    "risk": {
        "currencies": [CURRENCY],
        "symbols": [SYMBOL],
        "guards": [
            {"guard": "MAX_DRAWDOWN", "subject": "USD", "used_units": 100, "limit_units": 400},
            {"guard": "MAX_POSITION", "subject": "AAA", "used_units": 5, "limit_units": 0},
        ],
    },
    "journal": {"syncs": 3, "sync_ns": 6_000_000},
    "inputs": {"syncs": 2, "sync_ns": 1_000_000},
    "market": {"conflated": 11},
    "feeds": [{"feed": "box", "symbol": "AAA", "state": "LIVE"}],
    "latency": {
        "feed to strategy": {
            "count": 10,
            "sum_ns": 1_000_000,
            "buckets": [[65_535, 4], [131_071, 9]],
        }
    },
    "symbols": [TRADES],
}

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Desk:
    """A workspace whose sessions are made up; use it in a `with`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.now_ns = NOW_NS
        self.journals = Journals(home / "runs" / "live" / "sessions")
        self.gatherer = Gatherer([home], lambda: self.now_ns)
        self.page = Page(self.gatherer.gather)
        self._held = ExitStack()
        self._lives: dict[str, tuple[Registration, HeartbeatFile]] = {}

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._lives):
            self.end(name)
        self._held.close()
        self.journals.close()

    def begin(self, name: str = "desk", kind: Kind = "trade", **figures: object) -> HeartbeatFile:
        """A session begins; with `figures` it shows a heartbeat of a live one."""
        entry = enter(kind, self.home)
        entry.name(name, self.home)
        beat = HeartbeatFile(
            heartbeat_path(name, self.home), name, self.journals.hold(name), entry.token
        )
        self._lives[name] = entry, beat
        if figures:
            self.beat(name, **figures)
        return beat

    def has_begun(self, name: str = "desk") -> bool:
        return name in self._lives

    def beat(self, name: str = "desk", **figures: object) -> None:
        whole: dict[str, object] = {"switch": "SAFE", "is_live": True, "symbols": ("AAA",)}
        self._lives[name][1].beat(self.now_ns, **{**whole, **figures})

    def end(self, name: str = "desk") -> None:
        """The session ends in order."""
        entry, beat = self._lives.pop(name)
        beat.close()
        self.journals.release(name)
        entry.close()

    def die(self, name: str = "desk") -> None:
        """Its process is killed: the heartbeat stays, and the locks are gone."""
        entry, beat = self._lives.pop(name)
        content = json.loads(beat.path.read_text())
        beat.close()
        # It names a process that is not there any more.
        beat.path.write_text(json.dumps({**content, "start_ticks": 1}))
        self.journals.release(name)
        entry.close()

    def figures(self, name: str = "desk", **changed: object) -> Path:
        """What the session wrote of itself."""
        path = self.home / "logos" / "logs" / f"{name}.metrics.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**FIGURES, "session_id": name, **changed}))
        os.utime(path, ns=(self.now_ns, self.now_ns))
        return path

    def scrape(self) -> Values:
        """Every value of the page."""
        return parsed(self.page.encoded()[0].decode())

    def value(self, name: str, values: Values | None = None, **labels: str) -> float | None:
        """One value of a session's metric, None where the page has none."""
        wanted = {"workspace": str(self.home), "session": "desk", **labels}
        return (self.scrape() if values is None else values).get((name, frozenset(wanted.items())))


def parsed(text: str) -> Values:
    """The values of a page by name and labels; no series stands there twice."""
    found: Values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found
