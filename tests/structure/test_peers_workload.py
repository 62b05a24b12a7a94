"""The work that engines are compared on: what must come out of it, computed in another way."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from places import PROJECT

sys.path.insert(0, str(PROJECT / "bench" / "peers"))

import workload


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one."""
    folder = tmp_path_factory.mktemp("work")
    workload.write(folder, 3_000, 6_000)
    return folder


def test_the_same_work_every_time(folder: Path, tmp_path: Path) -> None:
    workload.write(tmp_path, 3_000, 6_000)
    for name in ("bars.csv", "quotes.csv", "expected.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert workload.read(folder, "quotes") == workload.quotes(6_000)


def test_bars_hold_together() -> None:
    made = workload.bars(2_000)
    assert all(low <= min(first, close) for _, first, _, low, close, _ in made)
    assert all(high >= max(first, close) for _, first, high, _, close, _ in made)
    assert all(after[0] - bar[0] == workload.MINUTE_NS for bar, after in pairwise(made))


def test_profit_of_bars_is_the_sum_of_its_round_trips() -> None:
    """By lists of entries and exits, with means as fractions."""
    made = workload.bars(2_000)
    closes = [bar[4] for bar in made]
    holding, trips, entry, now = False, [], 0, 0
    for number in range(29, len(made)):
        fast = Fraction(sum(closes[number - 9 : number + 1]), 10)
        slow = Fraction(sum(closes[number - 29 : number + 1]), 30)
        if (fast > slow) == holding:
            continue
        holding = not holding
        if holding:
            entry = number
        else:
            trips.append((entry, number))
    expected = workload.expected_of_bars(made)
    now = sum(closes[out] - closes[into] for into, out in trips)
    later = sum(made[min(out + 1, 1_999)][1] - made[into + 1][1] for into, out in trips)
    open_now = closes[-1] - closes[entry] if holding else 0
    open_later = closes[-1] - made[entry + 1][1] if holding else 0
    assert len(trips) > 20
    assert expected["orders"] == 2 * len(trips) + holding
    assert expected["signal_close"] == pytest.approx((now + open_now) / 100)
    assert expected["next_open"] == pytest.approx((later + open_later) / 100)


def test_profit_of_quotes_is_the_sum_over_symbols() -> None:
    made = workload.quotes(6_000)
    touched = later = Fraction(0)
    orders = 0
    for which in range(3):
        own = [quote for quote in made if quote[1] == which]
        last = Fraction(own[-1][2] + own[-1][3], 2)
        for number in range(99, len(own), 100):
            sign = 1 if (number + 1) % 200 else -1
            _, _, bid, ask = own[number]
            orders += 1
            touched += sign * (last - (ask if sign > 0 else bid))
            if number + 1 < len(own):
                later += sign * (last - Fraction(own[number + 1][2] + own[number + 1][3], 2))
    expected = workload.expected_of_quotes(made)
    assert expected["orders"] == orders
    assert expected["bid_ask"] == pytest.approx(float(touched / 100))
    assert expected["next_mid"] == pytest.approx(float(later / 100))


@pytest.mark.parametrize("what", ["bars", "quotes"])
def test_the_bare_loop_comes_to_what_is_expected(folder: Path, what: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "bench" / "peers" / "plain.py"), str(folder), what],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    expected = json.loads((folder / "expected.json").read_text())[what]
    assert said["orders"] == expected["orders"]
    assert said["profit"] == pytest.approx(expected[said["rule"]], abs=0.006)
