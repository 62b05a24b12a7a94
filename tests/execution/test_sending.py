"""What leaves for a venue that bears few requests: cancels first, nothing late, few questions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from link_bench import AT_ONCE, BUY, LinkBench, story
from link_helpers import rest
from traffic import ALPACA_LIKE, KRAKEN_LIKE, QUESTIONS, Traffic, resting

from logos.core.strategy import Cancel, market
from logos.core.types import Side
from logos.execution.looking.looks import DISTRUST_S
from logos.execution.tracked import LinkRules
from logos.venues.budget import Budget, Pool, RequestKind
from logos.venues.contract import NotSent, Unavailable, VenueOrder

ONE_A_SECOND = Budget((Pool("all", 1, 1),))


@pytest.mark.parametrize(
    ("budget", "sent_s", "drained_s"),
    [(KRAKEN_LIKE, 12, 14), (ALPACA_LIKE, 1, 2), (ONE_A_SECOND, 20, 22), (None, 0, 1)],
    ids=["as Kraken", "as Alpaca", "one a second", "no limit"],
)
def test_a_kill_with_twenty_resting_orders_sends_every_cancel_before_any_question(
    budget: Budget | None, sent_s: float, drained_s: float
) -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, budget)
        await traffic.rest_orders(20)
        traffic.begin()
        await traffic.kill()
        while any(bench.link.may_rest(name) for name in bench.link._kept):
            await bench.wait(0.25)
            assert traffic.now_s < 100
        drained = traffic.now_s
        names = [name for _, name in traffic.calls]
        if budget is not None:
            assert names[:20] == ["cancel"] * 20
        assert traffic.open == []
        last_cancel_s = max(moment for moment, name in traffic.calls if name == "cancel")
        print(f"{budget}: the last cancel left after {last_cancel_s:.1f} s, drained {drained:.1f}")
        assert last_cancel_s <= sent_s
        assert drained <= drained_s
        assert traffic.counts["cancel"] == 20, "none is asked for twice"

    story(work, script=resting(20))


@pytest.mark.parametrize("question", [6, 12])
def test_one_list_after_the_last_cancel_shows_that_nothing_rests(question: int) -> None:
    weights = {RequestKind.CANCEL: 1, RequestKind.ORDER: 1}
    slow = Budget((Pool("all", question, 1, question, weights),))

    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, slow)
        await traffic.rest_orders(10)
        while not bench.link.lane.count(RequestKind.OPEN_ORDERS):
            await bench.wait(0.25)
        traffic.begin()
        await traffic.kill()  # the list that waits was asked for before any cancel
        while any(bench.link.may_rest(name) for name in bench.link._kept):
            await bench.wait(0.25)
            assert traffic.now_s < 100
        names = [name for _, name in traffic.calls]
        assert names[:10] == ["cancel"] * 10
        assert names.count("open_orders") <= 2, "the one that waited, and one that knows"
        assert names.count("find") <= 1, "one waited already"

    story(work, script=resting(10))


@pytest.mark.parametrize("budget", [KRAKEN_LIKE, ALPACA_LIKE, None])
def test_one_list_serves_all_orders_that_rest(budget: Budget | None) -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, budget)
        await traffic.rest_orders(20)
        traffic.begin()
        await bench.wait(30)
        assert traffic.counts["find"] == 0
        asked = sum(traffic.counts[name] for name in QUESTIONS)
        # Half of what the venue bears; without a limit one list in every pause of 0.5 s.
        share = 60 if budget is None else budget.pools[0].per_s * 30 / 2
        assert share / 3 <= asked <= share + 2

    story(work, script=resting(20))


def test_few_orders_are_asked_for_one_by_one() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(3)
        traffic.begin()
        await bench.wait(3)
        assert traffic.counts["open_orders"] == 0
        assert traffic.counts["find"] >= 12

    story(work, script=resting(3))


@pytest.mark.parametrize("units", [400, 1000], ids=["in part", "whole"])
def test_fills_of_many_orders_are_asked_for_once(units: int) -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(10)
        traffic.begin()
        for number in range(10, 0, -1):
            bench.venue._fill(f"test-{number}", units)
        await bench.wait(3)
        assert bench.kinds.count("FILLED") == 10
        assert traffic.counts["fills_since"] <= 2
        assert not bench.is_stopped

    story(work, script=resting(10))


def test_an_order_that_a_list_lacks_is_asked_for_alone_and_the_list_is_left_for_a_while() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(5)
        whole = traffic.venue.open_orders

        async def lags() -> list[VenueOrder]:
            return [each for each in await whole() if each.client_order_id != "test-2"]

        traffic.venue.open_orders = lags
        traffic.begin()
        await bench.wait(20)
        assert traffic.counts["find"] > 5
        assert traffic.counts["open_orders"] <= 2
        assert not bench.is_stopped
        assert len(traffic.open) == 5
        traffic.venue.open_orders = whole
        await bench.wait(DISTRUST_S)
        traffic.begin()
        await bench.wait(5)
        assert traffic.counts["find"] == 0

    story(work, script=resting(5))


def test_a_list_that_is_behind_the_fills_is_not_believed() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(5)
        old = await traffic.venue.open_orders()
        bench.venue._fill("test-2", 400)
        await bench.wait(2)
        assert bench.kinds.count("FILLED") == 1

        async def behind() -> list[VenueOrder]:
            return list(old)

        traffic.venue.open_orders = behind
        await bench.wait(30)
        assert not bench.is_stopped

    story(work, script=resting(5))


def test_an_order_that_a_kill_met_in_the_queue_never_leaves() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        bench.quote()
        bench.quote()
        await rest()
        assert traffic.counts["submit"] == 1
        bench.switch.engage("drill", "ann")
        await bench.wait(5)
        assert traffic.counts["submit"] == 1
        assert bench.kinds.count("NOT_SENT") == 1

    story(work, script=resting(2))


def test_nor_does_it_when_the_switch_was_reset_before_its_turn() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        bench.quote()
        bench.quote()
        await rest()
        # Both within the second that the order waits, and unseen by the core.
        bench.switch.epoch += 2
        await bench.wait(5)
        assert traffic.counts["submit"] == 1
        assert bench.kinds.count("NOT_SENT") == 1

    story(work, script=resting(2))


def test_the_switch_is_asked_after_the_wait_in_the_step_in_which_the_order_leaves() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        lane, turn = bench.link.lane, bench.link.lane.turn

        async def kill_at_the_turn(*arguments: Any) -> None:
            await turn(*arguments)
            bench.switch.engage("in the very last moment", "ann")

        lane.turn = kill_at_the_turn  # type: ignore[method-assign, assignment]
        bench.quote()
        await bench.wait(1)
        assert traffic.counts["submit"] == 0
        assert bench.kinds == ["NOT_SENT"]
        assert lane.go(RequestKind.FIND), "what the order would have taken is there for the next"

    story(work)


def test_an_order_that_is_cancelled_while_it_waits_never_leaves() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        for _ in range(3):
            bench.quote()
        await bench.wait(0.5)
        assert traffic.counts["submit"] == 1
        assert bench.kinds == ["ACCEPTED", "CANCELLED"], "at once, not at its turn"
        await bench.wait(3)
        assert traffic.counts["submit"] == 1

    script = {**resting(2), 3: Cancel(tag="t2")}
    story(work, script=script)


def test_an_order_that_could_only_leave_late_is_not_sent_and_says_why() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        for _ in range(10):
            bench.quote()
        await bench.wait(12)
        said = bench.details["NOT_SENT"]
        assert 4 <= len(said) <= 8
        assert all("the venue limits requests" in words for words in said)
        sent = [moment for moment, name in traffic.calls if name == "submit"]
        assert max(sent) <= 3.0 + 1e-9, "2 s, and what one request takes"
        assert len(sent) + len(said) == 10

    story(work, script=resting(10))


def test_a_new_order_is_not_dropped_because_questions_fill_the_queue() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, Budget((Pool("all", 1, 1 / 3),)))
        for _ in range(6):
            bench.quote()
            await bench.wait(12)
        assert traffic.counts["submit"] == 6
        assert "NOT_SENT" not in bench.kinds

    story(work, script=resting(6))


def test_a_cancel_waits_for_no_question_that_hangs() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        bench.quote()
        await bench.wait(1)

        async def never(*_: object) -> None:
            await asyncio.get_running_loop().create_future()

        traffic.venue.find = never
        await bench.wait(1)
        traffic.begin()
        bench.quote()
        await bench.wait(0.25)
        assert traffic.counts["cancel"] == 1
        assert traffic.open == []

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_a_cancel_that_fails_while_a_question_hangs_is_asked_for_again() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        bench.quote()
        await bench.wait(1)

        async def never(*_: object) -> None:
            await asyncio.get_running_loop().create_future()

        traffic.venue.find = never
        await bench.wait(1)
        bench.wish(turned_away=1.0, retry_after_s=0.2)
        bench.quote()
        await bench.wait(2)
        assert bench.link.unheard_cancels == ["test-1"]
        bench.wish()
        await bench.wait(1)
        assert traffic.open == []
        assert bench.link.unheard_cancels == []

    story(work, script={1: BUY, 2: Cancel(tag="mine")})


def test_too_many_requests_pause_the_questions_and_not_the_cancels() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(2)

        async def limited(*_: object) -> None:
            raise Unavailable("429", retry_after_s=20.0, demand_s=0.0)

        find, traffic.venue.find = traffic.venue.find, limited
        await bench.wait(1)
        traffic.venue.find = find
        traffic.begin()
        await traffic.kill()
        assert traffic.counts["cancel"] == 2
        await bench.wait(10)
        assert traffic.counts["find"] == 0
        await bench.wait(20)
        assert bench.kinds.count("CANCELLED") == 2

    story(work, script=resting(2))


def test_a_cancel_comes_back_when_the_venue_demands_and_not_when_we_would_back_off() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench)
        await traffic.rest_orders(1)
        cancel = traffic.venue.cancel

        async def limited(*_: object) -> None:
            raise NotSent("429", retry_after_s=40.0, demand_s=3.0)

        traffic.venue.cancel = limited
        await traffic.kill()
        traffic.venue.cancel = cancel
        traffic.begin()
        await bench.wait(2.75)
        assert traffic.calls == []
        await bench.wait(0.5)
        assert traffic.counts["cancel"] == 1

    story(work, script=resting(1))


def test_a_market_order_meets_a_venue_with_a_budget_and_fills() -> None:
    async def work(bench: LinkBench) -> None:
        Traffic(bench, KRAKEN_LIKE)
        bench.quote()
        await bench.wait(3)
        assert bench.kinds == ["ACCEPTED", "FILLED"]

    story(work, script={1: market(Side.BUY, "1")}, fills=AT_ONCE)


def test_two_equal_questions_that_wait_are_asked_once() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        venue = bench.link._venue
        asking: list[asyncio.Task[Any]]
        asking = [asyncio.create_task(venue.balances()) for _ in range(5)]
        asking += [asyncio.create_task(venue.fills_since(since)) for since in (50, 10, 90)]
        await bench.wait(6)
        assert all(task.done() for task in asking)
        assert traffic.counts["balances"] == 2, "the first had left already"
        assert traffic.counts["fills_since"] == 1

    story(work, script={})


def test_whoever_gives_up_waiting_takes_no_other_asker_along() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        venue = bench.link._venue
        await venue.open_orders()
        asking = [asyncio.create_task(venue.balances()) for _ in range(3)]
        await rest()
        asking[0].cancel()
        await bench.wait(2)
        assert [task.cancelled() for task in asking] == [True, False, False]
        assert traffic.counts["balances"] == 1
        alone = asyncio.create_task(venue.positions())
        await rest()
        alone.cancel()
        await rest()
        assert bench.link.lane.waiting == {}

    story(work, script={})


def test_patience_of_the_link_is_a_rule() -> None:
    async def work(bench: LinkBench) -> None:
        traffic = Traffic(bench, ONE_A_SECOND)
        for _ in range(10):
            bench.quote()
        await bench.wait(20)
        assert traffic.counts["submit"] == 10

    story(work, script=resting(10), rules=replace(LinkRules(), send_again_s=30.0))
