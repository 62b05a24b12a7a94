"""Each row of docs/MT5.md's table of the published Expert Advisor is held to by a test."""

from __future__ import annotations

import ast
from functools import cache

import pytest
from places import PROJECT

_EXPERT, _PORTS = "test_mt5_published", "test_mt5_published_ports"
_TRADE = "a_trades_answer_has_neither_deal_nor_comment_nor_request_id"
_NOTHING = "magic_deviation_and_expiration_do_nothing"
ROWS = {
    "`type` of a deal": (_EXPERT, "deals_say_buy_type_and_nothing_of_order_magic_comment"),
    "HISTORY TRADES": (_EXPERT, "every_history_of_trades_is_the_whole_one"),
    "a deal": (_EXPERT, "deals_say_buy_type_and_nothing_of_order_magic_comment"),
    "no deals": (_EXPERT, "without_deals_the_history_of_trades_is_an_empty_frame"),
    "the answer to a trade": (_EXPERT, _TRADE),
    "success": (_EXPERT, "success_carries_an_error_code_too"),
    "BALANCE, HISTORY, POSITIONS without any": (_EXPERT, "balance_history_and_positions_without"),
    "ACCOUNT": (_EXPERT, "the_account_has_its_margin_level_and_no_time"),
    "numbers with a fraction": (_EXPERT, "fractions_have_always_five_decimals"),
    "empty texts": (_EXPERT, "fractions_have_always_five_decimals_and_empty_texts_are_null"),
    "candles": (_EXPERT, "candles_have_seven_columns_live_too"),
    "TICK history; H2, H3, H6, H8, H12, W1, MN1": (_EXPERT, "every_timeframe_is_there"),
    "HISTORY WRITE": (_EXPERT, "a_history_that_fails_is_no_json_and_writing_one_is_an_error"),
    "CONFIG": (_EXPERT, "an_unknown_symbol_is_an_error_and_is_subscribed_all_the_same"),
    "after CONFIG": (_EXPERT, "subscriptions_add_up_and_reset_ends_them_all"),
    "prices": (_EXPERT, "prices_between_two_timer_events_are_not_told"),
    "RESET": (_EXPERT, "subscriptions_add_up_and_reset_ends_them_all"),
    "a trade in an unknown symbol, or of an unknown type": (
        _EXPERT, "a_trade_that_cannot_be_meant_brings_two_frames",
    ),
    "POSITIONS, ORDERS": (_EXPERT, "a_list_comes_after_an_error_about_an_entry"),
    "positions of a hedging account": (_EXPERT, "on_a_hedging_account_the_first_position"),
    "what closes a position": (_EXPERT, "what_closes_carries_no_comment"),
    "POSITION_PARTIAL": (_EXPERT, "a_part_is_at_most_what_is_held"),
    "price of an order": (_EXPERT, "a_price_is_rounded_to_the_digits_of_the_chart"),
    "tickets": (_EXPERT, "tickets_are_cut_to_32_bits_in_an_answer_and_in_a_request"),
    "what is not JSON": (_PORTS, "what_is_no_json_brings_an_error_before_the_ok"),
    "a history that fails": (_EXPERT, "a_history_that_fails_is_no_json"),
    "streaming": (_EXPERT, "only_own_requests_are_streamed"),
    "magic": (_EXPERT, _NOTHING),
    "deviation, expiration, filling": (_EXPERT, _NOTHING),
    "the broker is lost": (_EXPERT, "losing_the_broker_is_told_once"),
    "speed": (_PORTS, "one_request_is_read_at_each_timer_event"),
    "a frame without a client": (_PORTS, "frames_without_a_client_are_dropped"),
}  # fmt: skip
"""Each row's first cell, the module in tests/simulators and how its test's name begins."""


def rows() -> list[str]:
    """The first cells of the table, its head left out."""
    text = (PROJECT / "docs" / "MT5.md").read_text(encoding="utf-8")
    table = text[text.index("## What the published Expert Advisor answers") :]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    assert lines[0] == "| what | the published Expert Advisor | source |"
    return [line.split("|")[1].strip() for line in lines[1:]]


@cache
def names_in(module: str) -> tuple[str, ...]:
    """The names of the tests of a module, without their beginning."""
    path = PROJECT / "tests" / "simulators" / f"{module}.py"
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = [each.name for each in body if isinstance(each, ast.FunctionDef)]
    return tuple(name.removeprefix("test_") for name in names if name.startswith("test_"))


def test_no_row_is_without_a_test_and_no_test_without_a_row() -> None:
    assert rows() == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_the_test_of_a_row_is_there(row: str) -> None:
    module, name = ROWS[row]
    assert [each for each in names_in(module) if each.startswith(name)] != []
