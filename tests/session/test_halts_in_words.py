"""A halted session says which figure passed which limit, what is held, and what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from journal_helpers import BarByBar, bars
from screen_helpers import table_of
from session_helpers import session_config

from logos.core.gates import InProcessSwitch
from logos.core.strategy import limit, market
from logos.core.types import Side
from logos.session import SessionResult
from logos.session.artifacts.report import halt_lines
from logos.session.entry import run
from logos.testing.builders import Scripted

BUYS = {1: [market(Side.BUY, 10), limit(Side.BUY, 1, 5)]}


def halted(script: Any = None, **risk: Any) -> SessionResult:
    """A session that has an order far from the market, and 10 ACME bought at 10.90 in a bar that
    closes at 10.20."""
    tables = session_config(session={"id": "over"}, risk={"unlimited": True, **risk})
    strategy = Scripted(BUYS if script is None else script)
    return run(tables, strategy=strategy, feed=BarByBar(bars(12)), switch=InProcessSwitch())


def said(result: SessionResult) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for title, words in halt_lines(result.summary):
        lines.setdefault(title, []).append(words)
    return lines


@pytest.mark.parametrize(
    ("total", "guard", "detail", "setting"),
    [
        (
            {"max_drawdown": "1"},
            "MAX_DRAWDOWN USD",
            "equity fell 7.00000000 USD from its high of 1000000.00000000, the limit is 1.00000000",
            "max_drawdown = 1",
        ),
        (
            {"max_daily_loss": "3.5"},
            "MAX_DAILY_LOSS USD",
            "the day lost 7.00000000 USD, the limit is 3.50000000",
            "max_daily_loss = 3.5",
        ),
    ],
)
def test_a_loss_limit_says_the_loss_and_the_limit(
    total: dict[str, str], guard: str, detail: str, setting: str, logos_home: Path
) -> None:
    (name,) = total
    result = halted(total=total, actions={name: "halt"})
    lines = said(result)
    (trigger,) = lines["trigger"]
    assert trigger.startswith(f"{guard} at tick ")
    assert trigger.endswith(f": {detail}, action halt")
    assert lines["limit"] == [setting]
    assert lines["holds"] == [f"10 ACME at {result.summary['symbols']['ACME']['mark']}"]
    assert lines["next"] == ["logos sessions show over", "logos verify over"]


def test_a_run_of_losses_says_how_many_and_how_many_are_allowed(logos_home: Path) -> None:
    script = {1: market(Side.BUY, 1), 3: market(Side.SELL, 1), 5: market(Side.SELL, 2)}
    risk = {"total": {"max_consecutive_losses": 1}, "actions": {"consecutive_losses": "halt"}}
    (trigger,) = said(halted(script, **risk))["trigger"]
    assert trigger.endswith(": 1 losses in a row, the limit is 1, action halt")


def test_a_switch_that_halts_names_who_and_why_and_the_way_to_it(logos_home: Path) -> None:
    switch = InProcessSwitch()

    class Engaging(Scripted):
        def on_bar(self, context: Any, bar: Any) -> Any:
            if len(self.seen) == 4:
                switch.engage("prices look wrong", "ANN")
            return super().on_bar(context, bar)

    tables = session_config(session={"id": "over"}, switch={"on_engaged": "halt"})
    result = run(tables, strategy=Engaging(BUYS), feed=BarByBar(bars(12)), switch=switch)
    lines = said(result)
    assert "kill switch at tick" in lines["trigger"][0]
    assert "prices look wrong" in lines["trigger"][0]
    assert "limit" not in lines
    assert lines["next"][0] == "logos kill status"


@pytest.mark.long
def test_the_page_and_the_terminal_say_it_before_all_figures(logos_home: Path) -> None:
    result = halted(total={"max_drawdown": "1"}, actions={"max_drawdown": "halt"})
    page = (result.folder / "session.md").read_text()
    above = page.partition("| what | value |")[0].splitlines()
    mark = result.summary["symbols"]["ACME"]["mark"]
    assert [line for line in above if line.startswith(("Limit", "Holds", "Next"))] == [
        "Limit: max_drawdown = 1.",
        f"Holds: 10 ACME at {mark}.",
        "Next: `logos sessions show over`",
        "Next: `logos verify over`",
    ]
    table = table_of(result).splitlines()
    assert f"holds     10 ACME at {mark}" in table
    assert "next      logos verify over" in table


def test_a_session_that_did_not_halt_says_none_of_it(logos_home: Path) -> None:
    result = halted()
    assert result.summary["held"]["positions"] == {"ACME": "10"}
    assert halt_lines(result.summary) == []
    assert "Holds:" not in (result.folder / "session.md").read_text()
