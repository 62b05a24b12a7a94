"""logos: a paper-first trading engine whose safety can be proved.

Everything that a strategist or an embedding program needs is here: `logos.run`, `logos.bars`,
`logos.Strategy` and its answers, `logos.CircuitBreaker`. docs/API.md has each name with examples.
Names are loaded when they are asked for, so that `import logos` and the command line stay quick.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

TYPE_CHECKING = False  # what checkers take for true; the module `typing` alone takes 10 ms
if TYPE_CHECKING:
    from typing import Any

    from logos.core.declared.parameters import param
    from logos.core.handlers.events import OrderChange, OrderEvent, Timer
    from logos.core.instrument import FeeSchedule, Instrument, instrument
    from logos.core.messages import Bar, Quote, QuoteBar, Trade
    from logos.core.records import PaperFillRecord
    from logos.core.records import PaperFillRecord as Fill
    from logos.core.strategy import (
        Answer,
        Cancel,
        Context,
        OpenOrder,
        OrderRequest,
        Replace,
        Strategy,
        Target,
        Weight,
        limit,
        market,
        stop,
        stop_limit,
    )
    from logos.core.types import OrderType, Side, SwitchState, TimeInForce
    from logos.errors import (
        ConfigError,
        DataError,
        LogosError,
        StrategyError,
        WorkspaceError,
    )
    from logos.execution.metrics import MetricsAggregator
    from logos.killswitch.breaker import CircuitBreaker
    from logos.killswitch.history import CircuitBreakerMonitor
    from logos.library.calls import replay, result, resume, run, run_live
    from logos.library.engine import Action, Decision, LiveEngine
    from logos.library.frames import FrameData, bars, quotes, trades
    from logos.library.result import Result
    from logos.library.sessions import Session
    from logos.session.drive import ConcurrentTradingEngine
    from logos.sweeps.calls import Sweep, read_sweep, resume_sweep, sweep

_HOMES = {
    "core.handlers.events": ("OrderChange", "OrderEvent", "Timer"),
    "core.declared.parameters": ("param",),
    "core.instrument": ("FeeSchedule", "Instrument", "instrument"),
    "core.messages": ("Bar", "Quote", "QuoteBar", "Trade"),
    "core.records": ("PaperFillRecord",),
    "core.strategy": (
        *("Answer", "Cancel", "Context", "OpenOrder", "OrderRequest", "Replace", "Strategy"),
        *("Target", "Weight", "limit", "market", "stop", "stop_limit"),
    ),
    "core.types": ("OrderType", "Side", "SwitchState", "TimeInForce"),
    "errors": ("ConfigError", "DataError", "LogosError", "StrategyError", "WorkspaceError"),
    "session.drive": ("ConcurrentTradingEngine",),
    "execution.metrics": ("MetricsAggregator",),
    "killswitch.breaker": ("CircuitBreaker",),
    "killswitch.history": ("CircuitBreakerMonitor",),
    "library.calls": ("replay", "result", "resume", "run", "run_live"),
    "library.engine": ("Action", "Decision", "LiveEngine"),
    "library.frames": ("FrameData", "bars", "quotes", "trades"),
    "library.result": ("Result",),
    "library.sessions": ("Session",),
    "sweeps.calls": ("Sweep", "read_sweep", "resume_sweep", "sweep"),
}
_PLACES = {name: (home, name) for home, names in _HOMES.items() for name in names}
_PLACES["Fill"] = ("core.records", "PaperFillRecord")

__all__ = [
    "Action",
    "Answer",
    "Bar",
    "Cancel",
    "CircuitBreaker",
    "CircuitBreakerMonitor",
    "ConcurrentTradingEngine",
    "ConfigError",
    "Context",
    "DataError",
    "Decision",
    "FeeSchedule",
    "Fill",
    "FrameData",
    "Instrument",
    "LiveEngine",
    "LogosError",
    "MetricsAggregator",
    "OpenOrder",
    "OrderChange",
    "OrderEvent",
    "OrderRequest",
    "OrderType",
    "PaperFillRecord",
    "Quote",
    "QuoteBar",
    "Replace",
    "Result",
    "Session",
    "Side",
    "Strategy",
    "StrategyError",
    "Sweep",
    "SwitchState",
    "Target",
    "TimeInForce",
    "Timer",
    "Trade",
    "Weight",
    "WorkspaceError",
    "bars",
    "instrument",
    "limit",
    "market",
    "param",
    "quotes",
    "read_sweep",
    "replay",
    "result",
    "resume",
    "resume_sweep",
    "run",
    "run_live",
    "stop",
    "stop_limit",
    "sweep",
    "trades",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'logos' has no attribute {name!r}")
    home, there = _PLACES[name]
    found = getattr(import_module(f"logos.{home}"), there)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
