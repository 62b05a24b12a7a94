"""What the documents say is so: the code runs, the table of fills is what the paper market does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from places import PROJECT

from logos.core.instrument import instrument
from logos.core.records import NoteRecord, PaperFillRecord, PlotRecord
from logos.core.strategy import OrderRequest
from logos.core.types import OrderType, Side
from logos.strategies import BUNDLED
from logos.strategies.load import load_class
from logos.strategies.parameters import describe
from logos.testing.builders import Scripted, bar, orders_in, run, trading_core

DOCS = PROJECT / "docs"
STRATEGIST = (DOCS / "WRITING-A-STRATEGY.md").read_text(encoding="utf-8")
FILLS = (DOCS / "FILLS.md").read_text(encoding="utf-8")

ROW = re.compile(r"^\| ((?:BUY|SELL) [A-Z_]+[ 0-9.]*) \| ([0-9. ]+) \| (\S+) \| (\S+) \|$", re.M)
COIN = instrument("COIN", tick="0.01", lot="1", quote="USD")


def test_the_code_of_the_guide_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", STRATEGIST, re.S)
    assert len(blocks) == 14
    path = tmp_path / "guide.py"
    path.write_text("\n".join(blocks), encoding="utf-8")
    guide = runpy.run_path(str(path))
    assert "Breakout" in guide
    core = trading_core(guide["Patient"](), COIN, cash={"USD": "100"})
    records = run(core, [bar(COIN, number, "50 50 50 50") for number in range(1, 50)])
    made = [(each.ts_ns // 60_000_000_000, each.tag) for each in orders_in(records)]
    assert made == [(15, "patient")], "one bid rests, and no other is made beside it"
    points = [each.ts_ns // 60_000_000_000 for each in records if isinstance(each, PlotRecord)]
    assert points == [15, 30, 45]
    poor = trading_core(guide["Patient"](), COIN, cash={"USD": "1"})
    said = run(poor, [bar(COIN, number, "50 50 50 50") for number in range(1, 17)])
    [note] = [each for each in said if isinstance(each, NoteRecord)]
    assert note.text.startswith("not ordered: INSUFFICIENT_FUNDS: ")


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_the_guide_names_every_parameter_of_a_bundled_strategy(name: str) -> None:
    [row] = re.findall(rf"^\| `{name}` \|.*$", STRATEGIST, re.M)
    parameters = {each.name for each in describe(load_class(name))}
    in_python_only = {"signals"}
    assert set(re.findall(r"`([a-z_]+)`", row)) - {name, "slow"} == (
        parameters - in_python_only - {name, "slow"}
    )


@pytest.mark.parametrize(("words", "prices", "price", "liquidity"), ROW.findall(FILLS))
def test_the_table_of_fills_is_what_happens(
    words: str, prices: str, price: str, liquidity: str
) -> None:
    side, kind, *named = words.split()
    type_ = OrderType(kind)
    stop_price = named[0] if kind.startswith("STOP") else None
    limit_price = named[-1] if kind.endswith("LIMIT") else None
    order = OrderRequest(Side(side), 1, type_, limit_price, stop_price)
    core = trading_core(
        Scripted({1: order}), COIN, cash={"USD": "1000", "COIN": "5"}, order_quantity="1"
    )
    before = bar(COIN, 1, "11 11 11 11")
    records = run(core, [before, bar(COIN, 2, prices)])
    fills = [
        (str(record.price), record.liquidity.value)
        for record in records
        if isinstance(record, PaperFillRecord)
    ]
    assert fills == ([] if price == "-" else [(price, liquidity)])


def test_the_table_of_fills_was_found() -> None:
    assert len(ROW.findall(FILLS)) == 17
