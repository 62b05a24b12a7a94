"""The queue before a venue: who goes first, what it costs, and that nobody is lost."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from lane_bench import CANCEL, FIND, OPEN_ORDERS, ORDER, Bench, play
from link_helpers import rest

from logos.core.types import NS_PER_SECOND
from logos.execution.sending.lane import CALL, PATIENCE_S, Call, Overdue, Withheld
from logos.execution.sending.together import NOBODY
from logos.venues.budget import Allowance, Budget, Pool, RequestKind
from logos.venues.contract import NotSent, Unavailable


def test_without_a_budget_nobody_waits() -> None:
    async def work(bench: Bench) -> None:
        for number in range(100):
            bench.add(f"q{number}", FIND)
            bench.add(f"c{number}", CANCEL)
        await rest()
        assert len(bench.left) == 200

    play(work, None)


def test_a_cancel_that_comes_overtakes_the_questions_and_the_orders_that_wait() -> None:
    async def work(bench: Bench) -> None:
        bench.add("first", FIND)
        for number in range(20):
            bench.add(f"q{number}", FIND)
        bench.add("o0", ORDER)
        await bench.wait(0.5)
        bench.add("c0", CANCEL)
        bench.add("c1", CANCEL)
        await bench.wait(4)
        assert bench.left == [("first", 0), ("c0", 1), ("c1", 2), ("o0", 3), ("q0", 4)]

    play(work)


def test_twenty_cancels_leave_before_any_question_and_take_as_long_as_the_budget_says() -> None:
    async def work(bench: Bench) -> None:
        for number in range(20):
            bench.add(f"q{number}", FIND)
        await bench.wait(0.5)
        for number in range(20):
            bench.add(f"c{number}", CANCEL)
        await bench.wait(30)
        cancels = [f"c{number}" for number in range(20)]
        # The bucket holds ten: half of it was left by the questions.
        assert bench.names[5:25] == cancels
        assert bench.left[24][1] == pytest.approx(15, abs=1)

    play(work, Budget((Pool("all", 10, 1),)))


def test_questions_leave_half_of_the_pool_and_orders_leave_room_for_a_cancel() -> None:
    async def work(bench: Bench) -> None:
        for number in range(20):
            bench.add(f"q{number}", FIND)
        await rest()
        assert len(bench.left) == 4
        for number in range(20):
            bench.add(f"o{number}", ORDER)
        await rest()
        assert len(bench.left) == 4 + 3
        bench.add("c", CANCEL)
        await rest()
        assert bench.names[-1] == "c"

    play(work, Budget((Pool("all", 8, 1),)))


def test_a_pool_of_its_own_for_questions_is_used_up_whole() -> None:
    async def work(bench: Bench) -> None:
        for number in range(20):
            bench.add(f"q{number}", FIND)
        await rest()
        assert len(bench.left) == 15

    play(work, Budget((Pool("counter", 15, 0.5, 1, {ORDER: 0, CANCEL: 0}),)))


def test_an_order_that_cannot_leave_in_time_is_told_so_at_once() -> None:
    async def work(bench: Bench) -> None:
        bench.add("o0", ORDER, within_s=2)
        bench.add("o1", ORDER, within_s=2)
        bench.add("o2", ORDER, within_s=2)
        bench.add("o3", ORDER, within_s=2)
        await rest()
        assert bench.names == ["o0"]
        assert isinstance(bench.refused["o3"], Overdue)
        assert isinstance(bench.refused["o3"], NotSent), "it does not exist at the venue"
        assert "could leave in 3.0 s, later than it may (2.0 s)" in str(bench.refused["o3"])
        await bench.wait(5)
        assert bench.names == ["o0", "o1", "o2"]

    play(work)


def test_an_order_that_cancels_hold_up_beyond_its_time_does_not_leave_late() -> None:
    async def work(bench: Bench) -> None:
        bench.add("o0", ORDER)
        bench.add("o1", ORDER, within_s=2)
        await rest()
        for number in range(5):
            bench.add(f"c{number}", CANCEL)
        await bench.wait(10)
        assert "o1" not in bench.names
        assert "for its turn; the venue limits requests" in str(bench.refused["o1"])

    play(work)


def test_an_order_is_never_late_for_questions() -> None:
    async def work(bench: Bench) -> None:
        for number in range(50):
            bench.add(f"q{number}", FIND)
        await bench.wait(PATIENCE_S - 1)
        bench.add("o", ORDER, within_s=2)
        await bench.wait(2)
        assert "o" in bench.names

    play(work)


def test_an_order_that_may_not_leave_any_more_does_not_and_takes_nothing() -> None:
    async def work(bench: Bench) -> None:
        may = {"o1": True}
        bench.add("o0", ORDER)
        bench.add("o1", ORDER, lambda: may["o1"])
        bench.add("o2", ORDER)
        await rest()
        may["o1"] = False
        await bench.wait(1)
        assert bench.left == [("o0", 0), ("o2", 1)]
        assert isinstance(bench.refused["o1"], Withheld)

    play(work)


def test_who_does_not_wait_any_more_takes_nothing_and_holds_nobody_up() -> None:
    async def work(bench: Bench) -> None:
        for name in ("q0", "q1", "q2"):
            bench.add(name, FIND)
        await rest()
        bench.tasks["q1"].cancel()
        await bench.wait(1)
        assert bench.left == [("q0", 0), ("q2", 1)]

    play(work)


def test_a_turn_that_comes_in_the_step_in_which_its_waiter_is_cancelled_is_given_back() -> None:
    async def work(bench: Bench) -> None:
        for name in ("q0", "q1", "q2"):
            bench.add(name, FIND)
        await rest()
        bench.clock.set_ns(bench.clock.now_ns() + NS_PER_SECOND)
        bench.lane._give_turns(bench.clock.now_ns(), NOBODY)
        bench.tasks["q1"].cancel()
        await rest()
        assert bench.names == ["q0", "q2"]

    play(work)


def test_a_question_that_has_waited_long_goes_before_new_orders_now_and_then() -> None:
    async def work(bench: Bench) -> None:
        bench.add("first", FIND)
        bench.add("patient", FIND)
        bench.add("other", FIND)
        for number in range(40):
            bench.add(f"o{number}", ORDER, within_s=3)
            await bench.wait(1)
        times = dict(bench.left)
        assert times["patient"] == pytest.approx(PATIENCE_S, abs=1)
        assert times["other"] == pytest.approx(2 * PATIENCE_S, abs=1)
        assert len(bench.left) == 41, "the venue is never idle"

    play(work)


def test_after_too_many_requests_questions_pause_and_cancels_go_on() -> None:
    async def work(bench: Bench) -> None:
        bench.lane.obey(Unavailable("429", retry_after_s=8.0, demand_s=0.0))
        bench.add("q", FIND)
        bench.add("c0", CANCEL)
        bench.add("o", ORDER)
        bench.add("c1", CANCEL)
        await bench.wait(10)
        assert bench.left == [("c0", 0), ("c1", 1), ("o", 2), ("q", 8)]

    play(work)


def test_what_the_venue_demands_holds_for_all() -> None:
    async def work(bench: Bench) -> None:
        bench.lane.obey(NotSent("429", retry_after_s=1.0, demand_s=5.0))
        bench.add("q", FIND)
        bench.add("c", CANCEL)
        bench.add("o", ORDER, within_s=2)
        await bench.wait(8)
        assert bench.left == [("c", 5), ("q", 6)]
        assert isinstance(bench.refused["o"], Overdue)

    play(work)


def test_a_failure_of_another_kind_holds_nobody_up() -> None:
    async def work(bench: Bench) -> None:
        bench.lane.obey(Unavailable("no answer", retry_after_s=30.0))
        bench.add("q", FIND)
        await rest()
        assert bench.names == ["q"]

    play(work)


def test_a_long_pause_of_questions_does_not_hold_up_orders_behind_a_patient_one() -> None:
    async def work(bench: Bench) -> None:
        bench.lane.obey(Unavailable("429", retry_after_s=60.0, demand_s=0.0))
        bench.add("q", FIND)
        await bench.wait(20)
        bench.add("o", ORDER)
        await bench.wait(1)
        assert bench.names == ["o"]

    play(work)


def test_the_venue_s_word_on_what_is_left_counts_where_it_is_less() -> None:
    async def work(bench: Bench) -> None:
        call = Call(FIND)
        bench.place.allowances = [Allowance("all", 2, bench.clock.now_ns())]
        bench.lane.heard(call)
        for number in range(5):
            bench.add(f"c{number}", CANCEL)
        await rest()
        assert len(bench.left) == 2
        bench.place.allowances = [Allowance("all", 100, bench.clock.now_ns())]
        bench.lane.heard(call)
        await rest()
        assert len(bench.left) == 2, "more than we think is not believed"
        await bench.wait(3)
        assert len(bench.left) == 5

    play(work, Budget((Pool("all", 10, 1),)))


def test_what_was_heard_once_does_not_count_again() -> None:
    async def work(bench: Bench) -> None:
        call = Call(FIND)
        bench.place.allowances = [Allowance("all", 0, bench.clock.now_ns())]
        bench.lane.heard(call)
        await bench.wait(10)
        bench.lane.heard(call)
        for number in range(10):
            bench.add(f"c{number}", CANCEL)
        await rest()
        assert len(bench.left) == 10

    play(work, Budget((Pool("all", 10, 1),)))


def test_a_venue_closed_until_then_lets_nothing_out() -> None:
    async def work(bench: Bench) -> None:
        now_ns = bench.clock.now_ns()
        bench.place.allowances = [Allowance("all", 0, now_ns, now_ns + 30 * NS_PER_SECOND)]
        bench.lane.heard(Call(FIND))
        bench.add("c", CANCEL)
        await bench.wait(31)
        assert bench.left == [("c", 30)]

    play(work)


def test_a_budget_that_changes_keeps_what_was_used() -> None:
    async def work(bench: Bench) -> None:
        bench.add("c0", CANCEL)
        await rest()
        bench.place.budget = Budget((Pool("all", 1, 2),))
        bench.add("c1", CANCEL)
        await bench.wait(2)
        assert bench.left == [("c0", 0), ("c1", 1)]

    play(work)


def test_the_first_request_of_a_call_is_paid_and_further_ones_of_a_question_wait() -> None:
    async def work(bench: Bench) -> None:
        pace, moments = bench.place.pace, []
        assert pace is not None

        async def pages(kind: RequestKind) -> None:
            assert bench.lane.go(kind)
            call = Call(kind)
            CALL.set(call)
            for _ in range(3):
                await pace()
                moments.append(bench.now_s)
            bench.lane.heard(call)

        bench.tasks["pages"] = asyncio.create_task(pages(OPEN_ORDERS))
        await bench.wait(0.5)
        bench.add("c", CANCEL)
        await bench.wait(4)
        assert moments == [0, 2, 3], "a cancel goes between two pages"
        assert bench.left == [("c", 1)]
        assert bench.lane.price_s(OPEN_ORDERS) == 3
        assert bench.lane.price_s(FIND) == 1
        await bench.wait(4)
        moments.clear()
        bench.tasks["cancel"] = asyncio.create_task(pages(CANCEL))
        await rest()
        assert moments == [bench.now_s] * 3, "an order or a cancel never waits under way"
        bench.add("later", FIND)
        await bench.wait(2)
        assert "later" not in bench.names, "but it is counted"

    play(work)


SEEDS = [pytest.param(seed, marks=pytest.mark.long if seed > 9 else ()) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_arrivals_leave_in_order_once_each_and_within_the_budget(seed: int) -> None:
    random = Random(seed)
    pool = Pool("all", random.choice((1, 3, 10)), random.choice((0.5, 1, 7)))
    kinds = (CANCEL, ORDER, FIND, OPEN_ORDERS)
    rank = {CANCEL: 0, ORDER: 1, FIND: 2, OPEN_ORDERS: 2}

    async def work(bench: Bench) -> None:
        asked: dict[str, tuple[RequestKind, float]] = {}
        gone: set[str] = set()
        for number in range(random.randint(1, 60)):
            kind, name = random.choice(kinds), str(number)
            asked[name] = (kind, bench.now_s)
            bench.add(name, kind)
            if random.random() < 0.1:
                victim = random.choice(list(asked))
                if bench.tasks[victim].cancel():
                    gone.add(victim)
            await bench.wait(random.choice((0.0, 0.0, 0.1, 1.0, 5.0)))
        await bench.finish()
        # Nothing is lost, nothing comes twice.
        assert sorted(bench.names) == sorted(set(asked) - gone)
        # No more than the pool bears, in any stretch of time.
        moments = [moment for _, moment in bench.left]
        for first in range(len(moments)):
            for last in range(first, len(moments)):
                bears = pool.size + (moments[last] - moments[first]) * pool.per_s
                assert last - first + 1 <= bears + 1e-6
        # Nobody overtakes what is above it and waited already, but for patience.
        waits = {name: (asked[name], moment) for name, moment in bench.left}
        for place, name in enumerate(bench.names):
            (kind, since_s), moment = waits[name]
            for later in bench.names[place + 1 :]:
                (other, other_since_s), _ = waits[later]
                is_above = rank[other] < rank[kind]
                is_before = rank[other] == rank[kind] and int(later) < int(name)
                if (is_above or is_before) and other_since_s < moment:
                    assert other is ORDER, (name, later)
                    assert moment - since_s >= PATIENCE_S, (name, later)

    play(work, Budget((pool,)))
