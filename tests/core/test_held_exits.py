"""Exits at a real venue: held by the engine until their price, and never two for one position."""

from __future__ import annotations

from held_bench import A_BRACKET, Bench, S, with_a_bracket
from scripted_bars import COIN, FUTURE, held, sizes

from logos.core.outbox import terms_of
from logos.core.strategy import Answer, Target, limit, market, stop
from logos.core.types import NS_PER_DAY, Code, ReportKind, Side, TimeInForce
from logos.testing.builders import ends_in, quote_bar, refusals_in
from logos.testing.venue_core import outbox_of

# ---- held, and sent when their price is reached ----


def test_exits_of_a_bracket_are_held_and_nothing_of_them_leaves() -> None:
    bench = with_a_bracket()
    assert bench.working == [(2, "HELD", 10), (3, "HELD", 10)]
    assert outbox_of(bench.core).open == {}
    assert bench.quote("95.01") == []


def test_a_stop_that_is_reached_leaves_as_a_market_order() -> None:
    bench = with_a_bracket()
    assert bench.quote("95") == [("MARKET", 2, "SELL", 10)]
    assert bench.working == [(2, "NEW", 10), (3, "HELD", 10)]
    assert bench.fills(2, 10, 9499) == []
    assert (held(bench.core), bench.working) == (0, [])
    assert ends_in(bench.records)[3] == "CANCELLED GROUP_FILLED"


def test_a_target_that_is_reached_leaves_as_a_limit_order() -> None:
    bench = with_a_bracket()
    assert bench.quote("105") == [("LIMIT", 3, "SELL", 10, 10500)]
    bench.fills(3, 10, 10500)
    assert (held(bench.core), bench.working) == (0, [])


def test_where_limits_must_rest_a_target_that_is_reached_leaves_as_a_market_order() -> None:
    bench = with_a_bracket()
    outbox_of(bench.core).limits_must_rest = True
    assert bench.quote("105") == [("MARKET", 3, "SELL", 10)]
    assert terms_of(outbox_of(bench.core).open["test-3"]).limit_price == 0
    bench.fills(3, 10, 10499)
    assert (held(bench.core), bench.working) == (0, [])


def test_and_as_a_limit_order_where_the_price_has_gone_back_before_its_way_was_free() -> None:
    script: dict[int, Answer] = {
        1: market(Side.BUY, 10, stop_loss=95, take_profit=105),
        2: limit(Side.SELL, 10, 110),
    }
    bench = Bench(script)
    outbox_of(bench.core).limits_must_rest = True
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("101")
    assert bench.quote("105") == [("cancel", 4)]
    assert bench.quote("104") == []
    assert bench.says(ReportKind.CANCELLED, 4) == [("LIMIT", 3, "SELL", 10, 10500)]


def test_where_limits_must_rest_an_entry_keeps_its_limit() -> None:
    bench = Bench({1: [limit(Side.BUY, 10, 90, group="g"), limit(Side.BUY, 10, 80, group="g")]})
    outbox_of(bench.core).limits_must_rest = True
    bench.quote("100")
    assert bench.quote("89") == [("LIMIT", 1, "BUY", 10, 9000)]


def test_a_short_is_bought_back_where_the_ask_reaches_its_stop() -> None:
    bench = Bench({1: market(Side.SELL, 10, stop_loss=105, take_profit=95)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("104.98") == []
    assert bench.quote("104.99") == [("MARKET", 2, "BUY", 10)]


def test_exits_follow_a_partial_entry() -> None:
    bench = with_a_bracket(filled=4)
    assert bench.working[1:] == [(2, "HELD", 4), (3, "HELD", 4)]
    bench.fills(1, 6)
    assert bench.working == [(2, "HELD", 10), (3, "HELD", 10)]
    assert sizes(bench.records) == [(2, 10), (3, 10)]


def test_an_order_that_only_reduces_is_held_and_cut_to_what_is_left() -> None:
    script: dict[int, Answer] = {
        1: market(Side.BUY, 10),
        2: stop(Side.SELL, 20, 95, reduce_only=True),
        3: market(Side.SELL, 4),
    }
    bench = Bench(script)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == []
    assert bench.quote("100") == [("MARKET", 3, "SELL", 4)]
    bench.fills(3, 4)
    assert bench.working == [(2, "HELD", 6)]
    assert bench.quote("90") == [("MARKET", 2, "SELL", 6)]


def test_a_market_order_that_only_reduces_leaves_at_once() -> None:
    bench = Bench({1: market(Side.BUY, 10), 2: market(Side.SELL, 99, reduce_only=True)})
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == [("MARKET", 2, "SELL", 10)]


def test_a_stop_that_was_passed_before_it_was_there_leaves_at_once() -> None:
    bench = Bench({1: A_BRACKET})
    bench.quote("100")
    bench.quote("94")
    assert bench.fills(1, 10) == [("MARKET", 2, "SELL", 10)]


def test_of_a_bar_that_was_open_before_the_exit_only_the_close_counts() -> None:
    bench = with_a_bracket()
    early = quote_bar(COIN, 1, "100 100 90 99", "100 100 90 99")
    assert early.opened_ns < bench.now_ns
    assert bench.step(early) == []
    late = quote_bar(COIN, 2, "99 100 90 99", "99 100 90 99")
    assert late.opened_ns > bench.now_ns
    assert bench.step(late) == [("MARKET", 2, "SELL", 10)]


def test_a_day_order_ends_with_its_day_while_it_is_held() -> None:
    day = stop(Side.SELL, 10, 95, reduce_only=True, time_in_force=TimeInForce.DAY)
    bench = Bench({1: market(Side.BUY, 10), 2: day})
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("90", after_s=NS_PER_DAY // S) == []
    assert ends_in(bench.records)[2] == "EXPIRED DAY_ENDED"


# ---- never two for one position ----


def test_a_stop_waits_until_the_target_at_the_venue_has_ended() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    assert bench.quote("95") == [("cancel", 3)]
    assert bench.quote("94") == [], "a cancel that is asked for may be too late"
    assert bench.says(ReportKind.CANCELLED, 3) == [("MARKET", 2, "SELL", 10)]
    assert ends_in(bench.records)[3] == "CANCELLED EXIT_REACHED"


def test_what_the_target_filled_before_its_cancel_is_not_sold_again() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.quote("95")
    assert bench.fills(3, 7, 10500) == []
    assert bench.says(ReportKind.CANCELLED, 3) == [("MARKET", 2, "SELL", 3)]


def test_a_target_that_fills_whole_in_spite_of_its_cancel_leaves_no_stop() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.quote("95")
    assert bench.fills(3, 10, 10500) == []
    assert bench.working == []
    assert bench.quote("90") == []


def test_a_target_waits_for_a_stop_at_the_venue_and_cancels_nothing() -> None:
    bench = with_a_bracket()
    bench.quote("95")
    assert bench.quote("106") == []
    bench.fills(2, 10)
    assert bench.working == []


def test_both_reached_by_one_bar_sends_the_stop_alone() -> None:
    bench = with_a_bracket()
    bar = quote_bar(COIN, 2, "100 106 94 100", "100 106 94 100")
    assert bench.step(bar) == [("MARKET", 2, "SELL", 10)]


def test_an_order_whose_fate_is_unknown_is_waited_for() -> None:
    bench = with_a_bracket()
    bench.quote("105")
    bench.says(ReportKind.UNKNOWN, 3, detail="timeout")
    assert bench.quote("94") == [("cancel", 3)]
    assert bench.waits(3600) == []
    assert bench.fills(3, 10, 10500) == []
    assert (held(bench.core), bench.working) == (0, [])


def test_a_plain_sale_that_rests_is_cancelled_before_the_stop_leaves() -> None:
    script: dict[int, Answer] = {1: A_BRACKET, 2: limit(Side.SELL, 10, 110)}
    bench = Bench(script, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    assert bench.quote("100") == [("LIMIT", 4, "SELL", 10, 11000)]
    assert bench.quote("95") == [("cancel", 4)]
    assert bench.says(ReportKind.CANCELLED, 4) == [("MARKET", 2, "SELL", 10)]


def test_a_plain_sale_on_its_way_is_waited_for_and_the_stop_cut() -> None:
    bench = Bench({1: A_BRACKET, 2: market(Side.SELL, 6)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("95") == []
    assert bench.fills(4, 6) == [("MARKET", 2, "SELL", 4)]


def test_no_plain_order_is_made_beside_an_exit_that_is_under_way() -> None:
    bench = Bench({1: A_BRACKET, 3: market(Side.SELL, 10)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("95")
    assert bench.quote("95") == []
    assert refusals_in(bench.records) == [Code.EXIT_UNDER_WAY]


def test_a_target_is_reached_after_the_exit_that_was_under_way() -> None:
    bench = Bench({1: A_BRACKET, 3: Target(-5)}, traded=FUTURE)
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("95")
    assert bench.quote("95") == []
    assert bench.fills(2, 10) == [("MARKET", 4, "SELL", 5)]


def test_two_groups_together_never_leave_for_more_than_is_held() -> None:
    exits = [stop(Side.SELL, 7, 95, reduce_only=True, group=name) for name in ("a", "b")]
    bench = Bench({1: market(Side.BUY, 10), 2: exits})
    bench.quote("100")
    bench.fills(1, 10)
    bench.quote("100")
    assert bench.quote("95") == [("MARKET", 2, "SELL", 7), ("MARKET", 3, "SELL", 3)]


def test_of_two_entries_that_exclude_each_other_one_is_at_the_venue() -> None:
    pair = [stop(Side.BUY, 10, 105, group="break"), stop(Side.SELL, 10, 95, group="break")]
    bench = Bench({1: pair}, traded=FUTURE)
    assert bench.quote("100") == []
    assert bench.quote("105") == [("MARKET", 1, "BUY", 10)]
    assert bench.quote("94") == [], "the first may still fill"
    bench.fills(1, 10)
    assert ends_in(bench.records)[2] == "CANCELLED GROUP_FILLED"


def test_an_entry_that_fills_on_while_its_stop_is_under_way_has_a_stop_for_the_rest() -> None:
    bench = with_a_bracket(filled=6)
    assert bench.quote("95") == [("MARKET", 2, "SELL", 6)]
    assert bench.fills(1, 4) == []
    assert bench.working == [(2, "NEW", 6), (3, "HELD", 10), (4, "HELD", 4)]
    assert bench.fills(2, 6) == [("MARKET", 4, "SELL", 4)]
    assert bench.working == [(3, "HELD", 4), (4, "NEW", 4)]
    bench.fills(4, 4)
    assert (held(bench.core), bench.working) == (0, [])
