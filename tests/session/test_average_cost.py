"""Average cost beside books that are first in, first out: by figures, by hand, and judged."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from session_helpers import ListFeed, session_config

import logos
from logos import session
from logos.audit.money.averages import AverageBooks
from logos.audit.verify import verify
from logos.core.instrument import instrument
from logos.core.messages import Event
from logos.core.strategy import market
from logos.core.types import Side
from logos.session.artifacts.averages import AverageCosts
from logos.testing.builders import Scripted, bar, fills_in, run, trading_core

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD", settlement="margin")


def bars(*opens: int) -> list[Event]:
    return [bar(ACME, n, f"{price} {price} {price} {price}") for n, price in enumerate(opens, 1)]


def test_ten_at_10_and_ten_at_20_cost_15_and_a_sale_at_30_earns_on_that() -> None:
    script = {1: market(Side.BUY, 10), 2: market(Side.BUY, 10), 3: market(Side.SELL, 10)}
    averages = AverageCosts()
    for fill in fills_in(run(trading_core(Scripted(script), ACME), bars(5, 10, 20, 30))):
        averages.add(fill)
    assert averages.realised("ACME") == 10 * 15 * 100  # first in, first out: 10 * 20
    assert averages.entry_price("ACME", 2) == Decimal("15")


@pytest.mark.long
@settings(max_examples=80, deadline=None)
@given(some.lists(some.tuples(some.integers(-7, 7), some.integers(1, 60)), min_size=1, max_size=14))
def test_profit_only_moves_between_realised_and_unrealised(steps: list[tuple[int, int]]) -> None:
    script = {
        number: market(Side.BUY if wish > 0 else Side.SELL, abs(wish))
        for number, (wish, _) in enumerate(steps, start=1)
        if wish
    }
    core = trading_core(Scripted(script), ACME)
    fills = fills_in(run(core, bars(1, *(price for _, price in steps))))
    averages, judge = AverageCosts(), AverageBooks()
    held, cost, made = 0, 0, 0
    for fill in fills:
        averages.add(fill)
        judge.see(fill)
        change = fill.quantity_units * (1 if fill.side is Side.BUY else -1)
        if held * change < 0:
            closes = min(abs(held), abs(change)) * (1 if change > 0 else -1)
            share = round(Fraction(cost * abs(closes), abs(held)))
            made -= closes * fill.price_units + share
            cost, held, change = cost - share, held + closes, change - closes
        held, cost = held + change, cost + change * fill.price_units
    if fills:
        state = core.order_manager.states["ACME"]
        assert averages.realised("ACME") == made
        value = state.inventory.position * state.bid
        assert (made + value - cost) * state.unit_value == state.realised + state.unrealised
        again = AverageCosts()
        again.load(averages.save())
        assert again.save() == averages.save()


@pytest.mark.long
def test_a_session_shows_it_a_later_reader_finds_the_same_and_verify_judges_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    script = {1: market(Side.BUY, 3), 2: market(Side.BUY, 4), 3: market(Side.SELL, 2)}
    config = session_config(session={"id": "average"})
    result = session.run(config, strategy=Scripted(script), feed=ListFeed(bars(9, 10, 20, 30)))
    mine = {"entry_price": "15.714", "realised": "28.57", "unrealised": "71.43"}
    shown = result.summary["average_cost"]["ACME"]
    assert {key: Decimal(text) for key, text in shown.items()} == {
        key: Decimal(text) for key, text in mine.items()
    }
    read = logos.result("average")
    assert read.summary["average_cost"] == result.summary["average_cost"]
    page = result.folder / "session.md"
    text = page.read_text(encoding="utf-8")
    assert "## Average cost" in text
    assert verify(result.folder).findings == []
    page.write_text(text.replace("| 28.57", "| 28.58"), encoding="utf-8")
    [found] = [each for each in verify(result.folder).findings if "by average" in each.message]
    assert found.place == "Average cost: ACME: realised"
    assert "and by average cost of the journal's fills" in found.message
