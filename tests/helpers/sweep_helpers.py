"""A small market and a strategy for sweeps, and lanes that run them in this process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from logos.config import make_config
from logos.session.stored.origin import Origin
from logos.sweeps.lanes import Hooks, Request
from logos.sweeps.prepare import Wish, prepare
from logos.sweeps.run import Finished, Watch, run_sweep
from logos.sweeps.worker import run_task

STRATEGY = '''
"""Long above the mean of the last closes, flat below."""

from collections import deque

from logos import Strategy, Target, param


class Above(Strategy):
    length: int = param(3, 2, 20, meaning="closes")
    quantity: int = param(10, 1)
    margin: float = param(0.0, 0, 0.05)

    def on_start(self, context):
        if self.length == 13:
            raise_it = self.length
            assert raise_it != 13, "an unlucky number"
        self.closes = deque(maxlen=self.length)

    def on_bar(self, context, bar):
        self.closes.append(bar.close)
        if len(self.closes) < self.length:
            return None
        mean = sum(self.closes) / len(self.closes)
        return Target(self.quantity if bar.close > mean * (1 + self.margin) else 0)


class Refusing(Strategy):
    def __init__(self, fast: int = 2, slow: int = 5) -> None:
        if fast >= slow:
            raise ValueError(f"fast ({fast}) must be below slow ({slow})")
        self.fast, self.slow = fast, slow

    def on_bar(self, context, bar):
        return Target(self.fast if int(bar.close) % self.slow else 0)


class Remembering(Strategy):
    """Keeps something from one session to the next, which it must not."""

    length: int = param(3, 2, 20)
    orders = []

    def on_bar(self, context, bar):
        import builtins

        kept = builtins.__dict__.setdefault("_kept_by_a_strategy", [])
        kept.append(1)
        return Target(len(kept) % 7)


class Keyed(Strategy):
    api_key: str = param("")
    length: int = param(3, 2, 20)

    def on_bar(self, context, bar):
        print("the key is", self.api_key)
        if self.length == 5:
            raise RuntimeError(f"refused by the server with {self.api_key}")
        return Target(1)


class Plain(Strategy):
    def on_bar(self, context, bar):
        return None
'''

INSTRUMENTS = """
[instruments.WAVE]
quote = "USD"
tick = "0.01"
lot = "1"
settlement = "spot"
"""
BARS_A_DAY = 4


def make_market(folder: Path, days: int = 12) -> Path:
    """Bars of six hours in `folder`, with their instrument, and the strategies; the data file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instruments.toml").write_text(INSTRUMENTS, encoding="utf-8")
    (folder / "mine.py").write_text(STRATEGY, encoding="utf-8")
    lines, last = ["timestamp,open,high,low,close,volume"], 100.0
    for number in range(days * BARS_A_DAY):
        close = round(100 + 8 * math.sin(number / 5) + 3 * math.sin(number * 1.7), 2)
        high, low = max(last, close) + 0.25, min(last, close) - 0.25
        day, part = divmod(number, BARS_A_DAY)
        moment = f"2026-01-{day + 1:02d}T{part * 6:02d}:00:00Z"
        lines.append(f"{moment},{last:.2f},{high:.2f},{low:.2f},{close:.2f},100")
        last = close
    path = folder / "WAVE_6h_bars.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def settings(market: Path, kind: str = "Above", **tables: Any) -> dict[str, Any]:
    """Tables for a session of the strategy `kind` on that market."""
    return {
        "strategy": {"name": f"{market / 'mine.py'}:{kind}"},
        "data": {"paths": [str(market / "WAVE_6h_bars.csv")]},
        "account": {"balances": {"USD": "10000"}},
        **tables,
    }


def tell(text: str) -> None:
    """What a sweep tells its operator, which most tests do not hear."""


def make_sweep(market: Path, home: Path, wish: Wish, kind: str = "Above", **tables: Any) -> Path:
    """The folder of a new sweep."""
    home.mkdir(exist_ok=True)
    config = make_config(settings(market, kind, **tables))
    return prepare(wish, config, Origin.here(), home, tell=lambda text: tell(text))


class InlineLanes:
    """Runs rows in this process, in the order of the requests or backwards."""

    def __init__(
        self, *, is_backwards: bool = False, before: Callable[[int], object] = lambda row: None
    ) -> None:
        """`before` is called with each row before it is run."""
        self.is_backwards = is_backwards
        self.before = before
        self.ran: list[int] = []

    def run(self, requests: Iterable[Request], hooks: Hooks) -> str:
        ordered = list(requests)
        for request in reversed(ordered) if self.is_backwards else ordered:
            why = hooks.stop()
            if why:
                return why
            self.before(request.row)
            self.ran.append(request.row)
            hooks.done(request.row, run_task(request.content))
        return ""  # as the lanes of processes do

    def close(self) -> None:
        pass


def go(folder: Path, lanes: InlineLanes | None = None, **watch: Any) -> Finished:
    """Run it in this process; the repetition of the best row too."""
    return run_sweep(folder, lanes or InlineLanes(), Watch(**watch))
