"""The examples run as they stand, each in a workspace of its own, and do what they show."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from places import PROJECT

from logos.strategies.load import load_class

pytestmark = pytest.mark.long

ROOT = PROJECT
NOT_RUN = {"own_guard.py", "sma_atr.py", "rsi_bollinger.py", "ema_timeframes.py"}
"""A guard is no session; tests/guards/test_own_guards.py asks it. The others are a strategy and
nothing besides; tests/oracles/test_peers.py runs them, and compares them with another engine."""
EXAMPLES = [each for each in sorted((ROOT / "examples").glob("*.py")) if each.name not in NOT_RUN]


def run_example(name: str, home: Path) -> Path:
    """Run an example from a strange working directory; the folder of its session."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)],
        cwd=home,
        env={**os.environ, "LOGOS_HOME": str(home), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("kill switch: first use of this workspace; armed for paper")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout.startswith("ENDED: see ")
    [session] = (home / "runs" / "live" / "sessions").iterdir()
    return session


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The session folder of every example, by the example's name."""
    return {
        path.name: run_example(path.name, tmp_path_factory.mktemp(path.stem)) for path in EXAMPLES
    }


def rows(session: Path, name: str) -> list[dict[str, str]]:
    with (session / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_fills_orders(path: Path, sessions: dict[str, Path]) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
    assert len(rows(sessions[path.name], "trades.csv")) > 3


def test_the_ladder_replaces_bids_and_offers_what_it_bought(
    sessions: dict[str, Path],
) -> None:
    orders = rows(sessions["ladder.py"], "orders.csv")
    assert Counter(order["reason"] for order in orders)["REPLACED"] > 10
    offers = [order for order in orders if order["tag"].startswith("out-")]
    assert offers
    assert {order["side"] for order in offers} == {"SELL"}


def test_the_pair_is_traded_in_opposite_directions(sessions: dict[str, Path]) -> None:
    orders = rows(sessions["pairs.py"], "orders.csv")
    assert {order["symbol"] for order in orders} == {"ACME", "EURUSD"}
    first_two = orders[:2]
    assert {order["side"] for order in first_two} == {"BUY", "SELL"}


def test_every_signal_of_the_example_becomes_an_order(sessions: dict[str, Path]) -> None:
    orders = rows(sessions["from_signals.py"], "orders.csv")
    with (ROOT / "examples" / "signals.csv").open(newline="", encoding="utf-8") as file:
        signals = list(csv.DictReader(file))
    assert [order["symbol"] for order in orders] == [signal["symbol"] for signal in signals]


def test_the_examples_can_be_named_as_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    assert load_class("examples.breakout:Breakout").__name__ == "Breakout"
