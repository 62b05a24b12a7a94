"""Memory does not grow with the events of a session, nor with the orders that have ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logos.session.artifacts.derived.orders import OrdersInTurn

GROWTH_MAX_MIB = 10
_QUOTES = (60_000, 300_000)

_CHILD = """
import sys
from pathlib import Path
from logos import session
from logos.core.strategy import Strategy
from logos.core.types import Side


class Often(Strategy):
    seen = 0

    def on_quote(self, context, quote):
        self.seen += 1
        if self.seen % 15 == 0:
            return Side.BUY if self.seen % 30 else Side.SELL


config = {"data": {"paths": [sys.argv[1]]}, "account": {"balances": {"USDT": "1000000"}},
          "instruments": {"BTCUSDT": {"tick": "0.01", "lot": "0.001", "quote": "USDT"}},
          "orders": {"quantity": "0.01"}, "risk": {"unlimited": True}}
result = session.run(config, strategy=Often(), home=Path(sys.argv[2]))
assert result.exit_code == 0, result.reason
# Not what getrusage says: that counts what the process held that this one was forked from.
status = Path("/proc/self/status").read_text()
print(result.summary["ticks"], status.split("VmHWM:")[1].split()[0])
"""


def _peak_mib(data: Path, home: Path) -> tuple[int, float]:
    """Events of a session in a process of its own, and the most that it held."""
    # The reader without pyarrow: with it each thread of its own has pools that grow by chance.
    environment = {**os.environ, "LOGOS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(data), str(home)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ticks, peak = done.stdout.split()
    return int(ticks), int(peak) / 1024


def _write(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("timestamp,bid,ask\n")
        for row in range(count):
            price = 6_000_000 + row * 7919 % 1_000
            moment = 1_704_067_200_000 + row * 250
            file.write(f"{moment},{price / 100:.2f},{(price + 1) / 100:.2f}\n")


@pytest.mark.long
def test_five_times_the_events_and_orders_take_no_more_memory(tmp_path: Path) -> None:
    peaks: dict[str, list[float]] = {"checked": [], "recorded": []}
    for count in _QUOTES:
        data = tmp_path / "BTCUSDT_quotes.csv"
        _write(data, count)
        for peak in peaks.values():
            ticks, mib = _peak_mib(data, tmp_path / f"home{count}")
            assert ticks == count
            peak.append(mib)
    for few, many in peaks.values():
        assert many - few < GROWTH_MAX_MIB
    assert max(peaks["recorded"]) < 80, "neither pyarrow nor all rows at once"


def _rows(count: int, pulled: list[int]) -> Iterator[tuple[str, ...]]:
    for number in range(1, count + 1):
        pulled.append(number)
        filled = "0.00" if number % 3 == 0 else "1.00"
        yield str(number), filled, f"'={number}"


def test_orders_are_read_as_far_as_they_are_asked_for_and_forgotten() -> None:
    pulled: list[int] = []
    orders = OrdersInTurn(_rows(9, pulled))
    order = orders.get(4)
    assert order is not None
    assert (str(order.filled), order.tag, pulled) == ("1.00", "=4", [1, 2, 3, 4])
    assert orders.get(2) is not None
    orders.forget(4)
    assert orders.get(3) is None, "it was not filled"
    assert pulled == [*range(1, 10)]
    assert orders.get(4) is None
    assert orders.get(7) is not None
