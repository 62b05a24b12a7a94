"""What a strategy writes down is on one line, bounded, without secrets, and in order."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from logos.core.engine import TradingCore
from logos.core.handlers import notes
from logos.core.handlers.notes import NAME_MAX, NOTES_MAX, TEXT_MAX, TICK_MAX
from logos.core.instrument import instrument
from logos.core.messages import Quote
from logos.core.records import NoteRecord, OrderRecord, PlotRecord, Record, WarningRecord
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import FillRule, Side
from logos.shown import plain
from logos.testing.builders import paper_rules, quote, trading_core

COIN = instrument("COIN", tick="1", lot="1", quote="USD")


class Writing(Strategy):
    """Keeps its context; calls a function at each quote."""

    def __init__(self) -> None:
        self.context: Any = None

    def on_start(self, context: Context) -> Answer:
        self.context = context
        return None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        context.log("before")
        context.plot("bid", quote.bid)
        return market(Side.BUY, 1)

    def on_stop(self, context: Context) -> Answer:
        context.log("the end")
        return None


def writing() -> tuple[TradingCore, Any]:
    strategy = Writing()
    core = trading_core(strategy, COIN, rules=paper_rules(FillRule.BID_ASK))
    core.start(5)
    core.take_effects()
    return core, strategy.context


def texts(records: list[Record]) -> list[str]:
    return [each.text for each in records if isinstance(each, NoteRecord)]


def test_notes_and_points_stand_among_the_records_where_they_were_written() -> None:
    core, _ = writing()
    records = core.step(quote(COIN, 7, "4", "5"))
    assert [type(each) for each in records[:3]] == [NoteRecord, PlotRecord, OrderRecord]
    note, point = records[:2]
    assert note == NoteRecord(7, 1, "", "before")
    assert point == PlotRecord(7, 1, "", "bid", "4.0")
    assert texts(core.stop()) == ["the end"]


def test_a_note_may_be_about_a_symbol_and_be_anything_with_words() -> None:
    core, context = writing()
    context.log(Decimal("1.50"), symbol="COIN")
    [note] = core.take_effects()
    assert note == NoteRecord(5, 0, "COIN", "1.50")
    with pytest.raises(TypeError, match="symbol must be text"):
        context.log("x", symbol=5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\nlines\r\n", r"two\u000alines\u000d\u000a"),
        ("\x1b[31mred\x07", r"\u001b[31mred\u0007"),
        ("a\u202eb\u2028c\ufeff", r"a\u202eb\u2028c\ufeff"),
        ("half \ud800", r"half \ud800"),
        ("naïve 日本 ≥ 🙂", "naïve 日本 ≥ 🙂"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, expected: str) -> None:
    core, context = writing()
    context.log(text)
    context.plot(text, 1)
    note, point = core.take_effects()
    assert isinstance(note, NoteRecord)
    assert isinstance(point, PlotRecord)
    assert note.text == point.name == expected


def test_it_spells_out_what_every_other_output_does() -> None:
    """The core has a table of its own, as it imports nothing that prints."""
    letters = map(chr, (*range(0x3000), *range(0xD800, 0xE000), *range(0xFE00, 0x10000), 0xE0041))
    assert [
        each for each in letters if (notes._spelled(each) == each) != (plain(each) == each)
    ] == []


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    core, context = writing()
    context.log("x" * (TEXT_MAX + 1))
    context.log("x" * TEXT_MAX)
    cut, whole = texts(core.take_effects())
    assert cut == "x" * TEXT_MAX + f" ... ({TEXT_MAX + 1} characters)"
    assert whole == "x" * TEXT_MAX
    context.plot("n" * 500, 1, symbol="s" * 500)
    [point] = core.take_effects()
    assert isinstance(point, PlotRecord)
    assert len(point.symbol) == NAME_MAX


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, "1"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (True, "1"),
        (Fraction(1, 4), "0.25"),
    ],
)
def test_a_points_value_reads_back_to_what_it_was(value: Any, expected: str) -> None:
    core, context = writing()
    context.plot("x", value)
    [point] = core.take_effects()
    assert isinstance(point, PlotRecord)
    assert point.value == expected


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_not_there_yet_or_not_finite_is_no_point(value: Any) -> None:
    core, context = writing()
    context.plot("x", value)
    assert core.take_effects() == []


def test_what_is_no_number_or_has_no_name_is_an_error() -> None:
    _, context = writing()
    with pytest.raises(TypeError, match="must be a number, not str"):
        context.plot("x", "5")
    with pytest.raises(TypeError, match="name must be text"):
        context.plot(5, 5)
    with pytest.raises(ValueError, match="needs a name"):
        context.plot("", 5)


def test_a_tick_has_so_many_rows_and_the_rest_is_warned_of_once() -> None:
    core, context = writing()
    for number in range(TICK_MAX + 5):
        context.log(number)
    records = core.take_effects()
    assert texts(records) == [str(number) for number in range(TICK_MAX)]
    assert [each.code for each in records if isinstance(each, WarningRecord)] == ["NOTES_DROPPED"]
    records = core.step(quote(COIN, 7, "4", "5"))
    assert texts(records) == ["before"], "the next tick has room again"
    assert [each for each in records if isinstance(each, WarningRecord)] == []


def test_a_session_has_so_many_notes_and_points_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    core, context = writing()
    counted = core._notes
    counted.notes = NOTES_MAX - 1
    counted.plots = notes.PLOTS_MAX
    context.log("the last one")
    context.log("one more")
    context.plot("x", 1)
    records = core.take_effects()
    assert texts(records) == ["the last one"]
    assert [type(each) for each in records] == [NoteRecord, WarningRecord]


def test_secrets_are_masked_before_a_text_is_cut() -> None:
    core, context = writing()
    core.mask_notes(lambda text: text.replace("key-of-mine", "***"))
    context.log("x" * (TEXT_MAX - 5) + " key-of-mine")
    context.plot("key-of-mine", 1)
    records = core.take_effects()
    assert "key" not in "".join(str(each) for each in records)
    long = "key-of-mine" * 20
    core.mask_notes(lambda text: text.replace(long, "***"))
    context.plot(long, 1, symbol=long)
    [point] = core.take_effects()
    assert isinstance(point, PlotRecord)
    assert point.name == point.symbol == "***"
