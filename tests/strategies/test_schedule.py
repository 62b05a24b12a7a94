"""The schedule: orders at their time, all of it or none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logos.core.types import FillRule
from logos.strategies import StrategyLoadError, load_strategy
from logos.strategies.schedule import Schedule

if TYPE_CHECKING:
    from tests.strategies.conftest import MakeBench

HEADER = "time,symbol,side,quantity,type,limit_price,stop_price,time_in_force,tag\n"
ROWS = """\
2026-01-05T00:02:30Z,ACME,sell,2,LIMIT,12.5,,DAY,out
2026-01-05T00:01:00Z,ACME,BUY,5,,,,,
2026-01-05T00:03:00,ACME,SELL,1,STOP_LIMIT,8,9,,
2026-01-05T01:00:00+01:00,BOLT,BUY,1,MARKET,,,IOC,
2026-01-06T00:00:00Z,ACME,BUY,1,,,,,
"""


def test_orders_are_sent_at_the_first_event_at_or_after_their_time(
    make_bench: MakeBench, tmp_path: Path
) -> None:
    path = tmp_path / "schedule.csv"
    path.write_text(HEADER + ROWS)
    strategy = Schedule(file=str(path))
    bench = make_bench(strategy, fill_rule=FillRule.NEXT_OPEN)
    bench.bar("ACME", "10")
    assert bench.orders == ["BUY 5 ACME"]
    bench.bar("ACME", "10")
    assert len(bench.orders) == 1
    bench.bar("ACME", "10")
    assert bench.orders[1:] == ["SELL 2 ACME limit 12.50 #out", "SELL 1 ACME limit 8.00 stop 9.00"]
    assert strategy.unused == {"BOLT": 1, "ACME": 1}


def test_orders_may_come_as_tables(make_bench: MakeBench) -> None:
    table = {"time": datetime(2026, 1, 5, tzinfo=UTC), "symbol": "ACME", "side": "BUY"}
    strategy = load_strategy("schedule", {"orders": [{**table, "quantity": 3}]})
    bench = make_bench(strategy)
    bench.quote("ACME", "9", "10")
    assert bench.orders == ["BUY 3 ACME"]


def test_all_defects_are_named_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "schedule.csv"
    path.write_text(
        HEADER
        + "yesterday,ACME,BUY,5,,,,,\n"
        + "2026-01-05T00:01:00Z,ACME,HOLD,5,,,,,\n"
        + "2026-01-05T00:01:00Z,ACME,BUY,-5,,,,,\n"
        + "2026-01-05T00:01:00Z,ACME,BUY,nil,,,,,\n"
        + "2026-01-05T00:01:00Z,,BUY,,,,,,\n"
        + "2026-01-05T00:01:00Z,ACME,BUY,5,,,,,,more\n"
    )
    with pytest.raises(StrategyLoadError) as caught:
        load_strategy("schedule", {"file": str(path)})
    for words in (
        f"{path}:2: time is ISO-8601",
        f"{path}:3: side is one of BUY, SELL, not 'HOLD'",
        f"{path}:4: quantity must be positive: -5",
        f"{path}:5: quantity is not a number: 'nil'",
        f"{path}:6: symbol, quantity missing",
        f"{path}:7: no column",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "either as file or as orders"),
        ({"file": "x.csv", "orders": [{}]}, "either as file or as orders"),
        ({"file": "not_there.csv"}, "cannot be read"),
        ({"orders": ["x"]}, "orders[0]: not a table"),
        ({"orders": [{"tiem": 1}]}, "orders[0]: no column 'tiem'"),
    ],
)
def test_a_schedule_that_is_none_is_refused(params: dict[str, object], words: str) -> None:
    with pytest.raises(StrategyLoadError) as caught:
        load_strategy("schedule", params)
    assert words in str(caught.value)
