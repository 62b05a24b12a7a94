"""What `import logos` gives, and what it costs."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import logos
from logos.errors import LogosError

WANTED = (
    *("run", "run_live", "resume", "replay", "result", "Session", "Result", "bars", "quotes"),
    *("trades", "Strategy", "Answer", "Target", "Weight", "Cancel", "Replace", "OrderRequest"),
    *("market", "limit", "stop", "stop_limit", "Side", "OpenOrder", "Fill", "Instrument"),
    *("instrument", "CircuitBreaker", "CircuitBreakerMonitor", "LiveEngine", "LogosError"),
    *("OrderEvent", "OrderChange", "Timer"),
    *("ConcurrentTradingEngine", "MetricsAggregator", "Quote", "Trade", "Bar", "QuoteBar"),
)

INTERNAL = {
    "logos.adapters.mt5.gateway.failures.NeverLeft",  # becomes TradeNotSent or QuestionLost
    "logos.adapters.mt5.gateway.failures.NoAnswer",  # becomes TradeLost or QuestionLost
    "logos.cli.launch.launcher.PhaseFailed",  # becomes how the launch ends
    "logos.data.importing.cells.figures.FigureError",  # becomes DataError, with its place
    "logos.data.importing.cells.times.TimeError",  # becomes DataError, with its place
    "logos.data.readers.arrow.Unusual",  # the careful reader judges
    "logos.core.intents.NotTranslatable",  # becomes a refusal
    "logos.core.state.NotThisCore",  # becomes a run from the beginning
    "logos.session.outcome.Stopped",
    "logos.session.supervisor.StopWhileStartingError",  # becomes SessionStoppedError
    "logos.observe.dashboard.results.CannotTell",  # becomes the page's answer
    "logos.observe.dashboard.stream.BadPlace",  # becomes 400
    "logos.observe.dashboard.view.NoSession",  # becomes 404
    "logos.interrupts.OperatorInterrupt",  # a KeyboardInterrupt, which passes through
    "logos.data.readers.numbers.RowError",  # becomes a defect
    "logos.journal.codec.BadLine",  # becomes Damaged, with its place
    "logos.rehearsal.profile.NotApplicable",  # becomes a line of the report
    "logos.simulators.exchange.account.Denied",  # becomes the simulator's answer
    "logos.simulators.mt5.wire.TradeRefusedError",  # becomes the simulator's answer
    "logos.testing.faults.PowerCut",  # a test's own
}
"""Exceptions that end inside of logos: each is caught by the one module that knows of it."""


def test_every_name_is_there_and_shown() -> None:
    for name in WANTED:
        assert name in dir(logos)
        assert name in logos.__all__
        assert getattr(logos, name) is not None
    assert logos.Fill is logos.PaperFillRecord


@pytest.mark.parametrize("name", logos.__all__)
def test_every_name_loads_and_says_what_it_is(name: str) -> None:
    found = getattr(logos, name)
    if inspect.isclass(found) or inspect.isfunction(found):
        assert inspect.getdoc(found)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'logos' has no attribute 'rum'"):
        _ = logos.rum


def run_python(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_importing_logos_imports_next_to_nothing() -> None:
    script = (
        "import sys\nbefore = set(sys.modules)\nimport logos\n"
        "print(sorted(m for m in set(sys.modules) - before if m.partition('.')[0] == 'logos'))"
    )
    assert run_python(script).strip() == "['logos']"


@pytest.mark.long
def test_a_frame_library_is_imported_only_by_who_has_a_frame() -> None:
    script = (
        "import sys\nimport logos\n"
        "rows = [{'timestamp': f'2026-01-05T14:{m:02d}:00Z', 'open': '1', 'high': '1', "
        "'low': '1', 'close': '1'} for m in range(30)]\n"
        "data = logos.bars(rows, symbol='ACME', tick='0.01', lot='1', quote='USD')\n"
        "result = logos.run('sma_cross', data=data, cash={'USD': 1000}, home='temporary')\n"
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'numpy') if m in sys.modules])\n"
        "result.orders\n"
        "print('pandas' in sys.modules)"
    )
    assert run_python(script).splitlines() == ["[]", "True"]


def _exceptions() -> list[type[BaseException]]:
    found = []
    for module in pkgutil.walk_packages(logos.__path__, "logos."):
        if module.name.endswith("__main__"):
            continue
        for each in vars(importlib.import_module(module.name)).values():
            if (
                inspect.isclass(each)
                and issubclass(each, BaseException)
                and each.__module__ == module.name
            ):
                found.append(each)
    return found


def test_every_exception_that_may_reach_a_caller_is_a_logos_error() -> None:
    kinds = _exceptions()
    assert len(kinds) > 25
    outside = {
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if not issubclass(kind, LogosError)
    }
    private = {name for name in outside if name.rpartition(".")[2].startswith("_")}
    assert outside - private - INTERNAL == set()
