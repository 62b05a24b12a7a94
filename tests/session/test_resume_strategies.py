"""Each bundled strategy, interrupted on recorded data and resumed from its snapshot."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from places import PROJECT
from sampling import first_quick

from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.types import SessionStatus
from logos.errors import DataError
from logos.execution.incoming import batches
from logos.session import entry
from logos.session.artifacts.snapshots.snapshot import read_snapshot
from logos.session.plan import chunks_after, make_plan

CACHE = PROJECT / "data" / "cache"
ORDERS = [
    {"time": f"2026-01-0{day}T1{hour}:00:00Z", "symbol": "ACME", "side": side, "quantity": 10}
    for day, hour, side in [(5, 5, "BUY"), (5, 8, "BUY"), (6, 6, "SELL"), (7, 5, "SELL")]
]
STRATEGIES: dict[str, dict[str, Any]] = {
    "sma_cross": {"fast": 5, "slow": 20},
    "ema_cross": {"fast": 5, "slow": 20},
    "mean_reversion": {"window": 30, "stop": "0.002"},
    "pairs": {"first": "ACME", "second": "EURUSD", "window": 30},
    "schedule": {"orders": ORDERS},
    "signals": {"file": str(PROJECT / "examples" / "signals.csv"), "quantity": "100"},
}


def config(name: str) -> dict[str, Any]:
    return {
        "session": {"id": "interrupted", "seed": 4, "sample_interval_s": 3_600},
        "strategy": {"name": name, "params": STRATEGIES[name]},
        "data": {
            "paths": [str(CACHE)],
            "symbols": ["ACME", "BTCUSDT", "EURUSD"],
            "accept": ["gap"],
        },
        "account": {"balances": {"USD": "100000", "USDT": "100000", "ACME": "500"}},
    }


def files(home: Path) -> dict[str, bytes]:
    folder = home / "runs" / "live" / "sessions" / "interrupted"
    return {name: (folder / name).read_bytes() for name in entry.COMPARED}


@pytest.mark.long
@pytest.mark.parametrize("name", first_quick(STRATEGIES))
@pytest.mark.parametrize("pieces", first_quick([7, 11]))
def test_an_interrupted_session_goes_on_from_its_snapshot_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pieces: int
) -> None:
    monkeypatch.setattr(batches, "_PIECE_EVENTS", 1)  # and they double
    numbers = count(1)

    def due_and_interrupted() -> bool:
        number = next(numbers)
        if number == pieces:
            raise KeyboardInterrupt
        return number % 3 == 0

    straight = entry.run(config(name), switch=InProcessSwitch(), home=tmp_path / "straight")
    assert straight.status is SessionStatus.ENDED
    home = tmp_path / "home"
    with pytest.raises(KeyboardInterrupt):
        entry.run(
            config(name), switch=InProcessSwitch(), home=home, snapshot_due=due_and_interrupted
        )
    folder = home / "runs" / "live" / "sessions" / "interrupted"
    snapshot = read_snapshot(folder)
    assert snapshot is not None
    assert snapshot.consumed > 0
    entry.resume("interrupted", switch=InProcessSwitch(), home=home, tell=pytest.fail)
    line = (folder / "recoveries.jsonl").read_bytes()
    assert json.loads(line)["snapshot_sequence"] == snapshot.sequence
    assert files(home) == files(tmp_path / "straight")


@pytest.mark.long
def test_a_feed_goes_on_after_any_event() -> None:
    feed = make_plan(make_config(config("sma_cross"))).feed
    events = [event for chunk in feed.chunks() for event in chunk]
    for skipped in (0, 1, 777, len(events) - 1, len(events)):
        left = [event for chunk in chunks_after(feed, skipped) for event in chunk]
        assert left == events[skipped:]
    with pytest.raises(DataError, match="cannot continue after event"):
        list(chunks_after(feed, len(events) + 1))
