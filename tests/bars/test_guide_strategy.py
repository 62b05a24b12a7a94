"""The guide's strategy of two timeframes, run on real minutes, decides as a plain recomputation."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from places import PROJECT

from logos.core.instrument import instrument
from logos.core.messages import Bar
from logos.core.types import FillRule
from logos.data.replay import ReplayFeed
from logos.data.source import discover
from logos.testing.builders import fills_in, paper_rules, run, trading_core

COIN = instrument("BTCUSD", tick="0.01", lot="1", quote="USD", settlement="margin")
HOUR_NS = 3_600_000_000_000


def listing(name: str) -> Any:
    """A class of the guide, from its code block."""
    text = (PROJECT / "docs" / "WRITING-A-STRATEGY.md").read_text(encoding="utf-8")
    [block] = [code for code in re.findall(r"```python\n(.*?)```", text, re.S) if name in code]
    names: dict[str, Any] = {}
    exec(compile(block, name, "exec"), names)
    return names[name]


def averages(values: list[float], length: int) -> list[float | None]:
    """As TA-Lib: the first is the mean of the first `length`."""
    found: list[float | None] = [None] * len(values)
    if len(values) >= length:
        last = sum(values[:length]) / length
        found[length - 1] = last
        for at in range(length, len(values)):
            last += (values[at] - last) * 2 / (length + 1)
            found[at] = last
    return found


def test_it_is_long_where_minutes_cross_in_the_direction_of_the_hours(market_data: Path) -> None:
    source = discover(market_data / "bars" / "BTCUSD_coinbase_1m_2017-09-03_04.csv")
    feed = ReplayFeed(source, {"BTCUSD": COIN}, accept=frozenset({"gap", "flat", "zero_volume"}))
    bars = [each for chunk in feed.chunks() for each in chunk if isinstance(each, Bar)]
    strategy = listing("TwoTimeframes")(quantity=1)
    core = trading_core(strategy, COIN, rules=paper_rules(FillRule.DECISION_CLOSE))
    fills = fills_in(run(core, bars))

    closes = [each.close for each in bars]
    fast, slow = averages(closes, 10), averages(closes, 30)
    hours: dict[int, float] = {}
    for each in bars:
        hours[(each.ts_ns - 1) // HOUR_NS] = each.close
    ends = sorted(hours)
    assert bars[-1].ts_ns % HOUR_NS == 0
    trend = averages([hours[end] for end in ends], 20)
    expected, held, is_rising = [], 0, False
    for each, quick, late in zip(bars, fast, slow, strict=True):
        # The minute is told before the hour that ends with it.
        if quick is not None and late is not None:
            wanted = 1 if quick > late and is_rising else 0
            if wanted != held:
                expected.append((each.ts_ns, wanted, Decimal(str(each.close))))
                held = wanted
        if each.ts_ns % HOUR_NS == 0:
            at = ends.index((each.ts_ns - 1) // HOUR_NS)
            before, after = (trend[at - 1] if at else None), trend[at]
            is_rising = before is not None and after is not None and after > before
    assert len(expected) > 10
    assert [(fill.ts_ns, int(fill.position), fill.price) for fill in fills] == expected
