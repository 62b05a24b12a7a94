"""What people and programs are told of position and profit: decimal text of a page of figures."""

from __future__ import annotations

import msgspec
import pytest
from figures_pages import page, symbol

from logos.session.presence.now import amount_words, money_words, now_of, position_lines


@pytest.mark.parametrize(
    ("text", "words", "signed"),
    [
        ("0", "0", "0"),
        ("0.00000000", "0.00", "0.00"),
        ("-0.50", "-0.50", "-0.50"),
        ("1234567.10000000", "1,234,567.10", "+1,234,567.10"),
        ("-1234567", "-1,234,567", "-1,234,567"),
        ("0.00012300", "0.000123", "+0.000123"),
    ],
)
def test_an_amount_has_separators_and_no_zeros_that_say_nothing(
    text: str, words: str, signed: str
) -> None:
    assert (amount_words(text), amount_words(text, sign=True)) == (words, signed)


def test_a_position_has_its_average_entry_its_mark_and_its_open_profit() -> None:
    (line,) = position_lines(now_of(page([symbol("ETH", held=-3)])))
    assert line == "ETH -3 at 12.50, average entry 10.3333, unrealised -6.51 USD"
    (flat,) = position_lines(now_of(page([symbol("ETH", held=0, open_orders=1)])))
    assert flat == "ETH nothing held, at 12.50, 1 open order"
    silent = msgspec.structs.replace(symbol("ETH", held=0), price_age_ns=-1, mark_units=0)
    assert position_lines(now_of(page([silent]))) == ["ETH nothing held, no price yet"]
    old = msgspec.structs.replace(symbol("ETH", held=0), is_stale=True)
    assert position_lines(now_of(page([old]))) == ["ETH nothing held, at 12.50, price too old"]


def test_figures_of_a_version_that_knew_no_entry_are_shown_without_it() -> None:
    older = msgspec.structs.replace(symbol("ETH", held=2), entry_units=None, entry_decimals=0)
    (line,) = position_lines(now_of(page([older])))
    assert line == "ETH 2 at 12.50, unrealised +4.34 USD"


def test_of_many_symbols_those_are_shown_that_hold_something() -> None:
    many = [symbol(f"S{number}", held=number % 2) for number in range(50)]
    lines = position_lines(now_of(page(many)))
    assert [line.split()[0] for line in lines[:12]] == [f"S{number}" for number in range(1, 25, 2)]
    assert lines[12:] == ["and 13 more that hold something", "25 symbols hold nothing"]


def test_money_says_what_the_day_brought_and_how_far_it_fell() -> None:
    (dollars,) = now_of(page([])).money
    assert money_words(dollars) == (
        "equity 100,004.33 USD (today -12.50, exposure 25.00, drawdown 15.00)"
    )
