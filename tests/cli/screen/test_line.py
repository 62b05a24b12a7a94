"""The line of a live session: all that it must say, in as few columns as there are."""

from __future__ import annotations

from typing import Any

import pytest
from places import PROJECT
from screen_helpers import NOW_NS, Shown, currency, page, symbol

from logos.cli.screen.line import StatusLine, colour_of
from logos.cli.screen.terminal import Colour, width_of


def lines(columns: int = 120, now_ns: int = NOW_NS, **changes: Any) -> list[str]:
    return StatusLine(Shown(columns).terminal).lines(page(**changes), now_ns)


def test_a_session_of_one_symbol_fits_into_one_line() -> None:
    held = symbol(position_units=-25, mark_units=1_234_05)
    money = currency(day_profit_units=-3_2300, drawdown_units=12_3400)
    assert lines(
        symbols=[held], currencies=[money], orders=10, fills=9, open_orders=1, refused=112
    ) == [
        "08:00:00  AAA 1,234.05 short 2.5  lag 12 ms  day -3.23 USD  drawdown 0.01%  "
        "orders 10 (1 open), fills 9, refused 112"
    ]


def test_at_80_columns_it_is_broken_between_two_parts() -> None:
    found = lines(80, orders=10, fills=10, refused=24)
    assert found == [
        "08:00:00  AAA 100.05  lag 12 ms  day 0.00 USD  drawdown 0.00%",
        "          orders 10, fills 10, refused 24",
    ]


def test_the_runbook_shows_the_line_as_it_is() -> None:
    document = (PROJECT / "docs" / "LIVE-RUNBOOK.md").read_text(encoding="utf-8")
    example = document.split("```text\n10:31:10")[1].split("```")[0]
    held = symbol("ETHUSDT", position_units=1, mark_units=3_199_48)
    money = currency("USDT", day_profit_units=-3_2300, drawdown_units=3_2300)
    now_ns = NOW_NS + (2 * 3600 + 31 * 60 + 10) * 10**9
    shown = page(
        symbols=[held],
        currencies=[money],
        written_ns=now_ns,
        orders=10,
        open_orders=1,
        fills=9,
        refused=24,
    )
    found = StatusLine(Shown(80).terminal).lines(shown, now_ns)
    assert "\n".join(found) == f"10:31:10{example}".rstrip()


def test_many_symbols_are_counted_and_those_with_a_position_go_first() -> None:
    many = [symbol(f"S{number}") for number in range(50)]
    many[30] = symbol("S30", position_units=5)
    text = " ".join(lines(80, symbols=many))
    assert text.split("  ")[1] == "S30 100.05 long 0.5"
    assert "and 46 more symbols" in text


def test_the_oldest_price_is_the_lag_and_no_price_is_said() -> None:
    two = [symbol("A", price_age_ns=2_500_000_000), symbol("B", mark_units=0, price_age_ns=-1)]
    text = lines(symbols=two)[0]
    assert "B no price yet" in text
    assert "lag 2.5 s" in text
    old = [symbol("A", price_age_ns=74 * 10**9), symbol("B")]
    assert "lag 74 s (A)" in lines(symbols=old)[0]
    assert "lag 74 s  " in lines(symbols=old[:1])[0]
    assert "lag -" in lines(symbols=[symbol(mark_units=0, price_age_ns=-1)])[0]


def test_each_currency_has_its_day_and_the_deepest_drawdown_is_shown() -> None:
    two = [
        currency("USD", day_profit_units=1_0000),
        currency("BTC", initial_units=1_0000, high_water_units=1_0000, drawdown_units=2500,
                 day_profit_units=-2500),
    ]  # fmt: skip
    text = " ".join(lines(currencies=two))
    assert "day +1.00 USD  day -0.25000000 BTC  drawdown 25.00%" in text
    assert "drawdown -" in lines(currencies=[currency(high_water_units=0)])[0]


@pytest.mark.parametrize(
    ("changes", "late_ns", "colour", "words"),
    [
        ({}, 0, Colour.NONE, "08:00:00  AAA"),
        ({"symbols": [symbol(is_stale=True)]}, 0, Colour.NOTICE, "AAA"),
        ({}, 6 * 10**9, Colour.ALARM, "no heartbeat for 6.0 s"),
        (
            {"switch": {"state": "ENGAGED", "is_engaged": True, "epoch": 2, "engaged_ns": 1}},
            0,
            Colour.ALARM,
            "switch ENGAGED",
        ),
        ({"symbols": [symbol(is_paused=True)]}, 0, Colour.NONE, "AAA 100.05 paused"),
        ({"blocked": 3}, 0, Colour.NONE, "blocked ticks 3"),
    ],
)
def test_what_is_not_as_it_should_be_stands_out(
    changes: dict[str, Any], late_ns: int, colour: Colour, words: str
) -> None:
    assert colour_of(page(**changes), NOW_NS + late_ns) is colour
    assert words in lines(now_ns=NOW_NS + late_ns, **changes)[0]


def test_lines_below_each_other_read_like_a_table() -> None:
    line = StatusLine(Shown(200).terminal)
    money = currency(day_profit_units=-1_234_0000)
    first = line.lines(page(symbols=[symbol(position_units=100)], currencies=[money]), NOW_NS)[0]
    second = line.lines(page(), NOW_NS)[0]
    assert [second.index(word) for word in ("lag", "day", "drawdown", "orders")] == [
        first.index(word) for word in ("lag", "day", "drawdown", "orders")
    ]


def test_names_of_strangers_are_harmless_and_keep_to_their_room() -> None:
    found = lines(80, symbols=[symbol("\x1b[2J" + "漢" * 100)], currencies=[currency("\x07")])
    assert "\x1b" not in "".join(found)
    assert "\x07" not in "".join(found)
    assert all(width_of(line) <= 80 for line in found)
