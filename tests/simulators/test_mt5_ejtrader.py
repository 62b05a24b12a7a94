"""A client that others wrote, ejtraderMT 1.0.5 of the Python Package Index, at the simulator.

It is installed into an environment of its own, in a temporary folder, with what it needs. Where it
cannot be installed (the index is not reached, or too slow), the test is skipped with the reason,
and fails under LOGOS_REQUIRE_SERVICES=1. The client is not changed; its ports, which are fixed in
its source, are exchanged on their way out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import TESTS, absent

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(420)]

CLIENT = "ejtraderMT==1.0.5"
DRIVER = TESTS / "helpers" / "ejtrader_session.py"
SYMBOL = "BTCUSD.s"
INSTALL_S = 270
TALK_S = 120


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the client."""
    place = tmp_path_factory.mktemp("ejtrader")
    venv.create(place, with_pip=True)
    found = place / "bin" / "python"
    command = [str(found), "-m", "pip", "install", "-q", "--disable-pip-version-check", CLIENT]
    try:
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        absent(f"{CLIENT} could not be installed within {INSTALL_S} s")
    if done.returncode:
        absent(f"{CLIENT} could not be installed: {done.stderr.decode()[-300:]}")
    return found


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[list[str]]:
    """A simulated terminal's ports."""
    command = [sys.executable, "-m", "logos.live", "mt5-sim", "--symbols", SYMBOL]
    command += ["--ports", "0,0,0,0", "--interval-ms", "20", "--audit", str(tmp_path / "audit")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())["ports"]
        yield [str(told[name]) for name in ("system", "data", "live", "streaming")]
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def test_a_client_that_others_wrote_asks_and_trades(python: Path, ports: list[str]) -> None:
    done = subprocess.run(
        [str(python), str(DRIVER), *ports, SYMBOL], capture_output=True, timeout=TALK_S, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    assert abs(told["offset"]) < 60  # the terminal's clock, by ACCOUNT's time
    assert told["account"]["currency"] == "USD"
    assert all(len(row) == 6 for row in told["candles"]["data"])
    assert all(len(row) == 3 for row in told["ticks"])
    assert told["ticks"]
    assert told["frame"] == ["bid", "ask"]
    assert told["short"]
    [held] = told["held"]["positions"]
    assert (held["symbol"], held["type"], held["volume"]) == (SYMBOL, "POSITION_TYPE_BUY", 0.02)
    [waiting] = told["waiting"]["orders"]
    assert (waiting["type"], waiting["open"]) == ("ORDER_TYPE_BUY_LIMIT", 1.0)
    assert told["cancelled"]["orders"] == []
    assert told["closed"]["positions"] == []
