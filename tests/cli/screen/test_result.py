"""The result that a person reads: short where nothing happened, whole where files are missing."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from journal_helpers import BarByBar, bars
from screen_helpers import Shown, table_of
from session_helpers import session_config

from logos.cli.screen import result as module
from logos.cli.screen.result import Money, figures_of, result_lines, why
from logos.cli.screen.terminal import width_of
from logos.core.gates import InProcessSwitch
from logos.core.strategy import Answer, market
from logos.core.types import Side
from logos.session import SessionResult
from logos.session.entry import run
from logos.testing.builders import Scripted

ROUND_TRIP: dict[int, Answer] = {1: market(Side.BUY, 10), 4: market(Side.SELL, 10)}


def lived(script: dict[int, Answer], **tables: object) -> SessionResult:
    settings = session_config(session={"id": "lived"}, risk={"unlimited": True}, **tables)
    feed = BarByBar(bars(12))
    return run(settings, strategy=Scripted(script), feed=feed, switch=InProcessSwitch())


def test_a_session_without_a_trade_says_so_in_place_of_a_table(logos_home: Path) -> None:
    result = lived({})
    assert table_of(result).splitlines() == [
        "session   lived   ENDED: all events processed; the strategy asked for nothing",
        "strategy  logos.testing.scripted:Scripted on ACME; paper, recorded data",
        table_of(result).splitlines()[2],
        "",
        "no trade: 1,000,000.00 USD, as at the start",
        "",
        "orders    0   fills 0   refused 0   blocked 0",
        "",
        f"folder    {result.folder}",
        "next      logos verify lived",
    ]


def test_a_report_that_is_there_is_named(logos_home: Path) -> None:
    result = lived({})
    (result.folder / "report.html").write_text("", encoding="utf-8")
    assert table_of(result).splitlines()[-4:] == [
        f"report    {result.folder}/report.html",
        f"folder    {result.folder}",
        "next      logos report lived --open",
        "next      logos verify lived",
    ]


def test_files_that_cannot_be_analysed_change_nothing_of_what_the_session_counted(
    logos_home: Path,
) -> None:
    result = lived(ROUND_TRIP)
    whole = table_of(result)
    (result.folder / "trades.csv").write_text("no table\nat,all\n", encoding="utf-8")
    counted = table_of(result)
    assert "note      without round trips and slippage: its files cannot be analysed: " in counted
    for row in ("started with", "net", "net %", "max drawdown", "max drawdown %", "fees"):
        (there,) = re.findall(rf"^{row}  +(\S+)", whole, re.M)
        assert re.findall(rf"^{row}  +(\S+)", counted, re.M) == [there]
    assert "round trips" in whole
    assert "\nround trips" not in counted


def test_files_that_would_take_long_are_not_read(
    logos_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = lived(ROUND_TRIP)
    monkeypatch.setattr(module, "BYTES_MAX", 10)
    figures = figures_of(result)
    assert figures.note == "without round trips and slippage: its files are large (0 MB)"
    assert figures.books[0].trips is None


def book(**changes: object) -> Money:
    fields: dict[str, object] = {
        "name": "USD",
        "initial": Decimal(100_000),
        "net": Decimal(0),
        "ratio": 0.0,
        "unrealised": Decimal(0),
        "fees": Decimal(0),
        "payments": Decimal(0),
        "drawdown": Decimal(0),
        "drawdown_ratio": 0.0,
        "slippage": Decimal(0),
        "before": Decimal(0),
        **changes,
    }
    return Money(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("money", "words"),
    [
        (
            {
                "net": Decimal(-20),
                "before": Decimal(5),
                "fees": Decimal(20),
                "slippage": Decimal(5),
            },
            "it lost: +5.00 before costs, fees took 20.00, slippage took 5.00",
        ),
        (
            {"net": Decimal(30), "before": Decimal(20), "payments": Decimal(10)},
            "it won: +20.00 before costs, funding and interest brought 10.00",
        ),
        ({"net": Decimal(-5), "before": Decimal(-5)}, "it lost: -5.00 before costs"),
        ({}, "it came to nothing: 0.00 before costs"),
        ({"before": None}, ""),
    ],
)
def test_why_it_won_or_lost_stands_in_one_line(money: dict[str, object], words: str) -> None:
    assert why(book(**money)) == words


def test_no_line_is_wider_than_the_terminal_but_a_path_to_be_copied(logos_home: Path) -> None:
    result = lived({1: [market(Side.BUY, 10**7), market(Side.BUY, -1)], **ROUND_TRIP})
    result = replace(result, summary={**result.summary, "strategy": "\x1b[2J" + "long name " * 30})
    lines = result_lines(result, figures_of(result), Shown(80).terminal)
    assert "\x1b" not in "".join(lines)
    assert all(width_of(line) <= 80 for line in lines if not line.startswith("folder"))


def test_many_currencies_are_counted() -> None:
    names = [f"C{number}" for number in range(9)]
    summary = {"fills": 1}
    lines = module._table([book(name=name) for name in names], summary)
    assert lines[0].split() == ["C0", "C1", "C2", "C3"]
    assert lines[-1] == "and 5 more currencies"
