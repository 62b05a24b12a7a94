"""What an exchange's own answers say is left of its budget, told in its own form, is kept to.

Each simulated exchange counts as its exchange documents and says so in the documented headers;
`exchange.limits.others` is another program of the same account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

import pytest
from link_helpers import rest
from round_trips import CASES, Bench, Case, bench

from logos.adapters.ccxt.pace import asked_s, told_left
from logos.adapters.ccxt.profiles import PROFILES
from logos.adapters.ccxt.profiles.profile import Left
from logos.core.outbox import CancelOrder
from logos.core.types import NS_PER_SECOND
from logos.execution.bounded import BoundedVenue
from logos.execution.sending.lane import Lane
from logos.simulators.exchange.limits import Limits
from logos.venues.budget import Allowance, RequestKind
from logos.venues.contract import NotSent, Unavailable

# 2023-11-14 22:13:20 UTC, a whole second, twenty seconds into its minute.
NOW_NS = 1_700_000_000 * NS_PER_SECOND
CANCEL, ORDER = RequestKind.CANCEL, RequestKind.ORDER
HEADERS = {
    "binance": {"X-MBX-USED-WEIGHT-1M": "5990", "Date": formatdate(1_700_000_000, usegmt=True)},
    "bybit": {
        "X-Bapi-Limit": "50",
        "X-Bapi-Limit-Status": "10",
        "X-Bapi-Limit-Reset-Timestamp": "1700000000000",
    },
    "gate": {
        "X-Gate-RateLimit-Requests-Remain": "10",
        "X-Gate-RateLimit-Limit": "200",
        "X-Gate-RateLimit-Reset-Timestamp": "1700000000",
    },
    "bitget": {"x-mbx-used-remain-limit": "10"},
    "kucoin": {"gw-ratelimit-remaining": "10", "gw-ratelimit-reset": "20000"},
    "coinbase": {"x-ratelimit-remaining": "10", "x-ratelimit-reset": "1"},
}
"""An answer to a question about open orders of which ten are left, as each documents it."""
HOLDS_S = {"binance": 40, "bybit": 1, "gate": 10, "bitget": 1, "kucoin": 20, "coinbase": 1}
"""For how long from then on that counts."""
TELLING = [case for case in CASES if PROFILES[case.exchange_id].left]


def left_of_list(exchange_id: str) -> Left:
    """How the answer to a list of open orders tells what is left."""
    case = next(each for each in CASES if each.exchange_id == exchange_id)
    path = "GET /api/v3/openOrders" if case.dialect is None else case.dialect.requests["open"]
    rules = PROFILES[exchange_id].left
    return next(rule for rule in rules if any(piece in path for piece in rule.requests))


def test_six_exchanges_tell_by_headers_one_is_asked_and_the_others_document_neither() -> None:
    telling = {each.exchange_id for each in TELLING}
    assert telling == HEADERS.keys() == HOLDS_S.keys()
    asked = {case.exchange_id for case in CASES if PROFILES[case.exchange_id].counter}
    assert asked == {"hyperliquid"}
    assert {case.exchange_id for case in CASES} - telling - asked == {"kraken", "okx", "mexc"}


@pytest.mark.parametrize("exchange_id", HEADERS)
def test_the_documented_headers_say_what_is_left_and_for_how_long(exchange_id: str) -> None:
    rule = left_of_list(exchange_id)
    told = told_left(rule, HEADERS[exchange_id], "{}", NOW_NS)
    until_ns = NOW_NS + HOLDS_S[exchange_id] * NS_PER_SECOND
    assert told == Allowance(rule.pool, 10.0, NOW_NS, until_ns)


@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_a_header_is_known_however_its_name_is_written(write: Callable[[str], str]) -> None:
    for exchange_id, headers in HEADERS.items():
        rule = left_of_list(exchange_id)
        written = {write(name): text for name, text in headers.items()}
        told = told_left(rule, written, "{}", NOW_NS)
        assert told == told_left(rule, headers, "{}", NOW_NS) != None  # noqa: E711
        assert asked_s(PROFILES["binance"], {write("Retry-After"): "7"}, "", NOW_NS) == (7, 7)


@pytest.mark.parametrize("exchange_id", HEADERS)
@pytest.mark.parametrize("text", ["", "-1", "many", "1.5", "²"])
def test_what_is_no_number_says_nothing(exchange_id: str, text: str) -> None:
    rule = left_of_list(exchange_id)
    assert told_left(rule, {**HEADERS[exchange_id], rule.header: text}, "{}", NOW_NS) is None


def test_a_count_of_the_minute_before_does_not_count_in_this_one() -> None:
    rule = left_of_list("binance")
    before = {**HEADERS["binance"], "Date": formatdate(1_700_000_000 - 21, usegmt=True)}
    told = told_left(rule, before, "{}", NOW_NS)
    assert told is not None
    assert told.until_ns <= NOW_NS


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_without_a_date_our_own_clock_says_which_minute_it_is(date: str) -> None:
    told = told_left(left_of_list("binance"), {**HEADERS["binance"], "Date": date}, "{}", NOW_NS)
    assert told is not None
    assert told.until_ns == NOW_NS + 40 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("exchange_id", "reset", "seconds"),
    [
        ("bybit", "1700000000400", 0.4),
        ("gate", "1700000003", 3),
        ("gate", "1700099999", 60),
        ("kucoin", "99999999", 60),
        ("kucoin", "soon", 30),
    ],
)
def test_a_reset_that_lies_ahead_is_when_it_is_counted_anew(
    exchange_id: str, reset: str, seconds: float
) -> None:
    rule = left_of_list(exchange_id)
    headers = {rule.header: "0", rule.reset_header: reset}
    told = told_left(rule, headers, "{}", NOW_NS)
    assert told == Allowance(rule.pool, 0.0, NOW_NS, NOW_NS + round(seconds * NS_PER_SECOND))


@pytest.mark.parametrize(
    ("exchange_id", "headers", "words", "asked"),
    [
        ("binance", {"Retry-After": "7"}, '{"code":-1003,"msg":"Too much"}', (7.0, 7.0)),
        # Too many orders: cancels and questions may go on.
        ("binance", {"Retry-After": "7"}, '{"code":-1015,"msg":"Too many"}', (None, 7.0)),
        ("binance", {"Retry-After": "259200"}, "418 I'm a teapot", (259_200.0, 259_200.0)),
        ("binance", {}, "429", (0.0, 0.0)),
        ("kucoin", {"gw-ratelimit-reset": "1489"}, "429000", (1.489, 1.489)),
        # Each endpoint of these is counted by itself: a cancel has its own.
        ("bybit", HEADERS["bybit"], "10006", (0.0, 0.0)),
        ("gate", HEADERS["gate"], "TOO_MANY_REQUESTS", (0.0, 0.0)),
        ("okx", None, "50011", (0.0, 0.0)),
    ],
)
def test_who_is_asked_too_much_says_for_how_long_and_whom_it_means(
    exchange_id: str, headers: dict[str, str] | None, words: str, asked: tuple[float | None, float]
) -> None:
    assert asked_s(PROFILES[exchange_id], headers, words, NOW_NS) == asked


# ---- the real ccxt, at an exchange that counts ----


def at(case: Case, work: Callable[[Bench, Limits, Lane], Awaitable[None]]) -> None:
    async def story() -> None:
        async with bench(case) as made:
            made.venue._pacing._is_limited = True
            limits = made.exchange.limits
            assert limits is not None
            lane = Lane(made.venue, made.clock)
            lane.may_need = lambda: 3
            await work(made, limits, lane)

    asyncio.run(story())


def case_of(exchange_id: str) -> Case:
    return next(each for each in CASES if each.exchange_id == exchange_id)


def count_of_list(case: Case) -> tuple[str, int]:
    """The name of the simulated exchange's limit of lists of open orders, and how much it is."""
    if case.dialect is None:
        return "weight", 6000
    path = case.dialect.requests["open"]
    limit = next(each for each in case.dialect.limits if each.weight_of(path))
    return limit.name, limit.much


@pytest.mark.parametrize("case", TELLING, ids=lambda case: case.exchange_id)
def test_what_another_program_of_the_account_uses_up_is_noticed(case: Case) -> None:
    said: list[str] = []

    async def work(made: Bench, limits: Limits, lane: Lane) -> None:
        lane.short.tell = said.append
        venue = BoundedVenue(made.venue, made.clock, 1000.0, lane)
        name, much = count_of_list(case)
        limits.is_strict = True
        await venue.open_orders()
        assert said == []
        limits.others(name, limits.left(name) - max(much // 25, 4))
        await venue.open_orders()
        for _ in range(2 * much):
            if not lane.go(RequestKind.OPEN_ORDERS):
                break
        else:
            raise AssertionError("questions went on as if nobody else asked")
        waiting = asyncio.create_task(venue.open_orders())
        await rest()
        assert lane.go(CANCEL), "a cancel waits for no question"
        assert lane.go(ORDER)
        await made.pass_time(60)
        await waiting
        assert limits.turned_away == []

    at(case, work)
    assert len(said) == 1
    assert "questions wait until then, cancels and orders go on" in said[0]


def test_cancels_go_on_to_the_last_of_a_weight_that_others_used() -> None:
    async def work(made: Bench, limits: Limits, lane: Lane) -> None:
        venue = BoundedVenue(made.venue, made.clock, 1000.0, lane)
        for number in (1, 2, 3):
            await venue.submit(made.order(number))
        limits.is_strict = True
        limits.others("weight", limits.left("weight") - 10)
        await venue.open_orders()
        for number in (1, 2, 3):
            await venue.cancel(CancelOrder(f"s-1-{number}", "COIN"))
        assert [each.status for each in made.placed()] == ["CANCELED"] * 3
        assert limits.turned_away == []
        assert not lane.go(RequestKind.FIND)
        assert lane.go(CANCEL)
        assert not lane.go(CANCEL), "none is left: it would be the way to a ban"

    at(case_of("binance"), work)


def test_too_many_orders_at_binance_hold_up_orders_alone() -> None:
    async def work(made: Bench, limits: Limits, lane: Lane) -> None:
        venue = BoundedVenue(made.venue, made.clock, 1000.0, lane)
        await venue.submit(made.order(1))
        limits.is_strict = True
        limits.others("10S", 49)
        with pytest.raises(NotSent) as caught:
            await venue.submit(made.order(2))
        assert caught.value.demand_s is None
        assert caught.value.retry_after_s >= 1
        assert "-1015" in str(caught.value)
        assert not lane.go(ORDER)
        await venue.find("s-1-1", "COIN")
        await venue.cancel(CancelOrder("s-1-1", "COIN"))
        await made.pass_time(10)
        await venue.submit(made.order(3))

    at(case_of("binance"), work)


def test_an_address_that_binance_has_banned_sends_nothing_before_the_ban_is_over() -> None:
    async def work(made: Bench, limits: Limits, lane: Lane) -> None:
        venue = BoundedVenue(made.venue, made.clock, 1000.0, lane)
        limits.ban_s = 120
        with pytest.raises(Unavailable, match="418"):
            await venue.open_orders()
        limits.ban_s = 0
        assert not lane.go(CANCEL)
        await made.pass_time(119)
        assert not lane.go(CANCEL)
        await made.pass_time(2)
        assert lane.go(CANCEL)

    at(case_of("binance"), work)


def test_a_cancel_of_bybit_is_not_held_up_by_questions_that_were_too_many() -> None:
    async def work(made: Bench, limits: Limits, lane: Lane) -> None:
        venue = BoundedVenue(made.venue, made.clock, 1000.0, lane)
        await venue.submit(made.order(1))
        limits.is_strict = True
        limits.others("GET /v5/order/realtime", 50)
        with pytest.raises(Unavailable) as caught:
            await venue.open_orders()
        assert caught.value.demand_s == 0
        assert not lane.go(RequestKind.OPEN_ORDERS)
        await venue.cancel(CancelOrder("s-1-1", "COIN"))
        await made.pass_time(3)
        await venue.open_orders()

    at(case_of("bybit"), work)


def test_hyperliquid_is_asked_how_many_actions_its_address_has_left() -> None:
    async def work(made: Bench, _limits: Limits, lane: Lane) -> None:
        venue = BoundedVenue(made.venue, made.clock, 1000.0, lane)
        actions: Any = made.dialect.actions
        await venue.submit(made.order(1))
        await venue.balances()
        assert next(iter(made.venue.allowances)).left == 9999
        actions.used = actions.cap
        await venue.balances()
        assert not lane.go(ORDER), "orders wait"
        await venue.cancel(CancelOrder("s-1-1", "COIN"))
        with pytest.raises(NotSent, match="Too many cumulative requests"):
            await made.submit(2)
        await made.pass_time(10)
        await venue.submit(made.order(3))
        actions.cap = -1
        before = list(made.venue.allowances)
        await venue.balances()
        assert list(made.venue.allowances) == before, "an answer that cannot be read is no news"

    at(case_of("hyperliquid"), work)
