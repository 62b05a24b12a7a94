"""What tests of whole sessions share: the real data if it is here, and a workspace of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from decimal import getcontext, setcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from journal_helpers import copy_of, spot
from places import absent, is_all_required, required_market_data
from registry_box import use_registry
from switch_helpers import Workspace

from logos.session.presence.registry import VARIABLE

# Continuous integration draws the same examples every time; at a desk they are new ones each run,
# and what they find becomes an example of its own. How long one takes is never judged: a machine
# that has much else to do would fail it.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", derandomize=True, database=None, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") or is_all_required() else "desk")


_ADAPTER_LIBRARIES = (
    *("pyarrow", "ccxt", "aiohttp", "yfinance", "alpaca", "zmq", "markdown_it"),
    *("exchange_calendars", "prometheus_client", "confluent_kafka", "redis", "apprise", "ib_async"),
    *("starlette", "uvicorn"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Where nothing may be skipped for want of a library, its absence is an error at once.

    And no test may meet the sessions of whoever runs it: the registry of running sessions is a
    folder of this run's from the first moment, for what is started in a process of its own too.
    """
    os.environ["COLUMNS"] = "80"  # what a command prints does not depend on whose terminal this is
    registry = use_registry()
    config.add_cleanup(registry.cleanup)
    if not is_all_required():
        return
    missing = [name for name in _ADAPTER_LIBRARIES if find_spec(name) is None]
    if missing:
        raise pytest.UsageError(
            f"LOGOS_REQUIRE_SERVICES=1, and {', '.join(missing)} cannot be imported: `make env`"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A long sample may take ten minutes, unless it says otherwise."""
    for item in items:
        if item.get_closest_marker("campaign") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What is skipped for one reason is one line of the summary, not one for each place."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = ("tests", 0, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real recordings; see LOGOS_MARKET_DATA in CONTRIBUTING.md."""
    return required_market_data()


@pytest.fixture(scope="session")
def oracles(market_data: Path) -> dict[str, Any]:
    """The results other engines assert, by case id: a list of cases or one dict of figures."""
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        absent(f"no expected results of other engines: {path} is absent")
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return {case["id"]: case.get("expected", case.get("cases")) for case in cases}


@pytest.fixture(autouse=True)
def own_registry(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The registry of running sessions of this test: no other test's sessions are in it."""
    folder = tmp_path_factory.mktemp("registry")
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture(autouse=True)
def own_decimals(request: pytest.FixtureRequest) -> Iterator[None]:
    """The decimals of this test: what a library does to their rounding ends with it, and no code
    of ours may let it happen outside of `localcontext` (`calls_ccxt`: the test itself does)."""
    before = getcontext()
    setcontext(before.copy())
    yield
    after = getcontext()
    setcontext(before)
    if request.node.get_closest_marker("calls_ccxt") is None:
        assert (after.rounding, after.prec) == (before.rounding, before.prec), "another rounding"


@pytest.fixture
def logos_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and no seed from the environment."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("LOGOS_HOME", str(home))
    monkeypatch.delenv("LOGOS_SEED", raising=False)
    return home


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a kill switch of its own."""
    return Workspace(tmp_path)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished session's folder; tests change copies of it."""
    return spot(tmp_path_factory.mktemp("home")).folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it to be tampered with."""
    return copy_of(original, tmp_path)
