"""A session on data that was checked before is the same session, to the byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from feed_helpers import needs_arrow
from places import PROJECT
from session_helpers import Busy, session_config

from logos import session
from logos.data import check as checking
from logos.data.checked import store as stores
from logos.session import open as opening
from logos.session.outcome import SessionResult

VOLATILE = {"host.json"}


@pytest.fixture(autouse=True)
def _short_sources_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "KEPT_ROWS_MIN", 10)
    monkeypatch.setattr(stores, "FREE_BYTES_MIN", 0)


def run(home: Path) -> SessionResult:
    config = session_config(
        session={"id": "same"},
        data={
            "paths": ["data/cache/ACME_1m_bars.csv", "data/cache/EURUSD_1m_bid.csv"],
            "accept": ["gap"],
        },
    )
    return session.run(config, strategy=busy(), home=home)


def busy() -> Busy:
    sizes = {"ACME": "3", "BTCUSDT": "0.001", "ETHUSDT": "0.01", "EURUSD": "1000"}
    return Busy(sizes=sizes, every=9)


def files(result: SessionResult) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in result.folder.iterdir()
        if path.name not in VOLATILE
    }


@pytest.mark.long
def test_read_twice_once_or_from_the_record_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    homes = [tmp_path / name for name in ("twice", "once", "recorded")]
    with monkeypatch.context() as patched:
        patched.setattr(opening, "checked_store", lambda _: stores.UNKEPT)
        twice = files(run(homes[0]))
    assert not (homes[0] / "state" / "checked").exists()
    once = files(run(homes[1]))
    assert [*(homes[1] / "state" / "checked").glob("*.columns")]
    homes[2].joinpath("state").mkdir(parents=True)
    (homes[1] / "state" / "checked").rename(homes[2] / "state" / "checked")

    def read_blocks(*_: object, **__: object) -> None:
        raise AssertionError("it was checked before")

    monkeypatch.setattr(checking, "read_blocks", read_blocks)
    recorded = files(run(homes[2]))
    assert twice["trades.csv"].count(b"\n") > 10
    assert once == twice
    assert recorded == twice
    assert session.replay("same", strategy=busy(), home=homes[2]).summary["ticks"]


_CHILD = """
import sys
from pathlib import Path
from logos import session
from logos.data.checked import store
store.KEPT_ROWS_MIN, store.FREE_BYTES_MIN, store._HEAD_BYTES_MIN = 10, 0, 0
config = {"data": {"paths": [sys.argv[1]]}, "account": {"balances": {"USDT": "1000"}},
          "instruments": {"BTCUSDT": {"tick": "0.01", "lot": "0.001", "quote": "USDT"}},
          "strategy": {"name": "sma_cross"}, "risk": {"unlimited": True}}
result = session.run(config, home=Path(sys.argv[2]))
print(result.summary["ticks"], result.status.value, "pyarrow" in sys.modules)
"""


@needs_arrow
@pytest.mark.long
def test_parquet_that_was_checked_needs_no_pyarrow(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "BTCUSDT_1m.parquet"
    times = pa.array([1_704_067_200_000 + 60_000 * row for row in range(200)], pa.int64())
    prices = {name: pa.array(["100.5"] * 200) for name in ("open", "high", "low", "close")}
    pq.write_table(pa.table({"timestamp": times, **prices}), path)
    said = [
        subprocess.run(
            [sys.executable, "-c", _CHILD, str(path), str(tmp_path / "home")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert said == [["200", "ENDED", "True"], ["200", "ENDED", "False"]]
