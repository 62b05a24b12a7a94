"""A workspace with a deployment that passes every check, and what can be changed about it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from logos.cli.launch import begin, launcher
from logos.cli.main import main

SETTINGS = """
[strategy]
name = "sma_cross"
params = { fast = 5, slow = 15 }

[data]
paths = ["data/cache/ETHUSDT_quotes.csv"]

[account]
balances = { USDT = "100000" }
"""
INSTRUMENT = (
    '\n[instruments.ETHUSDT]\nbase = "ETH"\nquote = "USDT"\ntick = "0.01"\nlot = "0.0001"\n'
)
LIVE = """
[strategy]
name = "sma_cross"
params = { fast = 5, slow = 15 }

[venue]
name = "alpaca"

[live]
feed = "replay"

[data]
paths = ["data/cache/ACME_1m_bars.csv"]

[account]
balances = { USD = "10000" }

[instruments.ACME]
quote = "USD"
tick = "0.01"
lot = "1"

[risk]
max_order_notional = "1000"
max_position = "10"
max_open_orders = 5
price_collar = "0.05"
stale_after_s = 30

[risk.total]
max_gross_exposure = "5000"
max_drawdown = "500"
max_daily_loss = "200"
max_orders = 20
max_orders_window_s = 60
"""
LEAVE = ("--live", "--i-acknowledge-risk")


class Desk:
    """A workspace with a deployment that passes, and what can be changed about it."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.patch = patch
        self.executed: list[tuple[str, list[str]]] = []
        self.execute_error: OSError | None = None
        self.settings = SETTINGS
        self.launch: dict[str, Any] = {"settings": "session.toml", "session_id": "desk-1"}
        self.limits: dict[str, Any] = {}
        self.is_open = False
        patch.setattr(begin, "Launcher", partial(launcher.Launcher, execute=self._execute))

    def _execute(self, path: str, words: list[str], _environment: object) -> None:
        if self.execute_error is not None:
            raise self.execute_error
        self.executed.append((path, words))

    def run(self, *words: str) -> int:
        for name, text in (("session.toml", self.settings), ("deploy.toml", self._deployment())):
            path = self.home / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o666 if self.is_open else 0o600)
        return main(["launch", "--config", str(self.home / "deploy.toml"), *words])

    def _deployment(self) -> str:
        tables = {"launch": self.launch, "limits": self.limits}
        return "".join(
            f"[{name}]\n"
            + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
            for name, table in tables.items()
        )

    def report(self, number: int = 1) -> dict[str, Any]:
        path = self.home / f"runs/launches/launch-{number:04d}/deployment-report.json"
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def log(self) -> list[dict[str, Any]]:
        text = (self.home / "runs/launches/launch-0001/launch.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def session(self) -> Path:
        return self.home / "runs/live/sessions/desk-1"
