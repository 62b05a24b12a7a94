"""No answer is ever taken for another request's: lost, late and repeated ones, by the hundred."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mt5_helpers import Bench, an_order, bench, quiet, trade
from sampling import first_quick

from logos.adapters.mt5.gateway.matching.replies import Attribution, Match
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.gateway.wire import Question
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions
from logos.venues.contract import NotSent, OutcomeUnknown, Unavailable

TIGHT = GatewaySettings(reply_timeout_s=0.05, heartbeat_s=60.0, dead_after_s=60.0)
SYMBOLS = ("A.s", "B.s", "C.s")


async def _traffic(box: Bench, seed: int, count: int) -> dict[str, int]:
    """Random requests of three symbols at once; every answer is held against the terminal's books.

    Each request buys or sells a volume of its own, so an answer to another would not fit.
    """
    outcomes = {"answered": 0, "unknown": 0, "open": 0, "not sent": 0}
    book = box.simulator.book

    async def one(symbol: str, generator: Random) -> None:
        for number in range(count):
            name = f"{symbol}-{seed}-{number}"
            side = generator.choice(("BUY", "SELL"))
            is_question = generator.random() < 0.3
            try:
                if is_question:
                    kind = generator.choice(("ORDERS", "POSITIONS", "BALANCE", "ACCOUNT"))
                    reply = await box.gateway.request(symbol, {"action": kind})
                    key = {"ORDERS": "orders", "POSITIONS": "positions"}.get(kind, "balance")
                    assert key in reply
                    assert ("server" in reply) == (kind == "ACCOUNT")
                else:
                    reply = await box.gateway.request(symbol, trade(symbol, name, side), an_order())
                    _assert_own(book, reply, name)
                outcomes["answered"] += 1
            except OutcomeUnknown:
                outcomes["unknown"] += 1
            except NotSent:
                outcomes["not sent"] += 1
                assert name not in book.client_ids
            except Unavailable:
                outcomes["open"] += 1

    await asyncio.gather(*(one(symbol, Random(f"{seed}/{symbol}")) for symbol in SYMBOLS))
    return outcomes


def _assert_own(book: Any, reply: dict[str, Any], name: str) -> None:
    if reply["error"]:
        assert name not in book.client_ids, f"{name} was refused, and it is there"
        return
    owners = {deal.comment for deal in book.deals if deal.order == reply["order"]}
    assert owners == {name}


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(3)))
def test_with_echoes_no_answer_is_mistaken_however_late_it_comes(seed: int) -> None:
    plan = FaultPlan(
        seed=seed,
        unread=0.03,
        ok_lost=0.03,
        lost=0.05,
        late=0.1,
        late_s=0.08,
        twice=0.1,
        twice_s=0.02,
        requote=0.1,
        retcodes={10019: 0.1},
    )

    async def scenario() -> None:
        symbols = [quiet(name) for name in SYMBOLS]
        async with bench(SimOptions(faults=plan), *symbols, settings=TIGHT) as box:
            outcomes = await _traffic(box, seed, 30)
            assert outcomes["answered"] > 45
            assert outcomes["unknown"] > 0
            assert box.gateway.stats.strays > 0
            assert max(box.simulator.book.client_ids.values()) == 1

    asyncio.run(scenario())


@pytest.mark.long
@pytest.mark.parametrize("seed", first_quick(range(3)))
def test_without_echoes_a_terminal_that_works_in_order_is_never_misread(seed: int) -> None:
    plan = FaultPlan(
        seed=seed,
        unread=0.03,
        ok_lost=0.03,
        lost=0.05,
        late=0.06,
        late_s=0.08,
        requote=0.1,
        retcodes={10019: 0.1},
    )
    options = SimOptions(faults=plan, does_echo=False, in_order=True)

    async def scenario() -> None:
        symbols = [quiet(name) for name in SYMBOLS]
        async with bench(options, *symbols, settings=TIGHT) as box:
            outcomes = await _traffic(box, seed, 30)
            assert not box.gateway.does_echo
            assert outcomes["answered"] > 30
            assert outcomes["unknown"] > 0
            assert max(box.simulator.book.client_ids.values()) == 1

    asyncio.run(scenario())


def _frame(reply: dict[str, Any]) -> bytes:
    return msgspec.json.encode(reply)


def _question(kind: str, token: str) -> Question:
    fields: dict[str, object] = {"action": kind}
    if kind == "TRADE":
        fields = {"action": "TRADE", "actionType": "ORDER_TYPE_BUY", "symbol": "A.s"}
    return Question(fields, token)


def _answer(kind: str, number: int, is_error: bool, token: str | None) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {
        "TRADE": {"retcode": 10006 if is_error else 10009, "order": 0 if is_error else number},
        "ORDERS": {"orders": []},
        "POSITIONS": {"positions": []},
        "BALANCE": {"balance": 1},
        "ACCOUNT": {"balance": 1, "server": "x"},
    }
    reply = {"error": is_error, **bodies[kind]}
    if is_error and kind != "TRADE":
        reply = {"error": True, "description": "x", "function": "y"}
    return reply if token is None else reply | {"comment": token}


_KINDS = st.sampled_from(("TRADE", "ORDERS", "POSITIONS", "BALANCE", "ACCOUNT"))


@pytest.mark.long
@given(
    st.lists(st.tuples(_KINDS, st.booleans()), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
@settings(max_examples=200, deadline=None)
def test_an_echoing_terminal_may_repeat_and_shuffle_everything(
    asked: list[tuple[str, bool]], shuffle: Any
) -> None:
    attribution = Attribution()
    first = _question("ACCOUNT", "hello")
    attribution.asked(first)
    hello = _answer("ACCOUNT", 0, False, "hello")
    assert attribution.judge(first, hello, _frame(hello)) is Match.OURS
    earlier = [hello]
    for number, (kind, is_error) in enumerate(asked, start=1):
        question = _question(kind, f"token-{number}")
        attribution.asked(question)
        own = _answer(kind, number, is_error, f"token-{number}")
        late = shuffle.sample(earlier, shuffle.randint(0, len(earlier)))
        for reply in late:
            assert attribution.judge(question, reply, _frame(reply)) is Match.STRAY
        assert attribution.judge(question, own, _frame(own)) is Match.OURS
        earlier.append(own)


def test_a_repeated_request_id_is_a_repeated_frame_even_for_the_same_order() -> None:
    attribution = Attribution()
    question = _question("TRADE", "run-1")
    attribution.asked(question)
    refused = _answer("TRADE", 0, True, "run-1") | {"request_id": 7}
    assert attribution.judge(question, refused, _frame(refused)) is Match.OURS
    attribution.asked(question)  # the same order again, after a requote
    assert attribution.judge(question, refused, _frame(refused)) is Match.STRAY


def test_a_terminal_that_was_restarted_may_number_its_answers_from_the_beginning() -> None:
    attribution = Attribution()
    for life in range(2):
        for number in (1, 2):
            question = _question("TRADE", f"run-{life}{number}")
            attribution.asked(question)
            own = _answer("TRADE", 0, True, question.token) | {"request_id": number}
            assert attribution.judge(question, own, _frame(own)) is Match.OURS


def test_an_answer_to_a_process_before_this_one_is_a_stray() -> None:
    attribution = Attribution()
    question = _question("ACCOUNT", "q00000000.1")
    attribution.asked(question)
    old = _answer("ACCOUNT", 0, False, "q12345678.9")
    assert attribution.judge(question, old, _frame(old)) is Match.STRAY


def test_without_echoes_nothing_about_a_trade_is_believed_while_something_is_outstanding() -> None:
    attribution = Attribution()
    attribution.lost(_question("TRADE", "run-1"))
    question = _question("TRADE", "run-2")
    for is_error in (False, True):
        reply = _answer("TRADE", 5, is_error, None)
        assert attribution.judge(question, reply, _frame(reply)) is Match.DOUBTFUL
    attribution.fenced()
    reply = _answer("TRADE", 6, False, None)
    assert attribution.judge(question, reply, _frame(reply)) is Match.OURS


def test_without_echoes_a_ticket_seen_before_and_a_repeated_refusal_are_not_answers() -> None:
    attribution = Attribution()
    done = _answer("TRADE", 5, False, None)
    first, second = _question("TRADE", "run-1"), _question("TRADE", "run-2")
    assert attribution.judge(first, done, _frame(done)) is Match.OURS
    assert attribution.judge(second, done, _frame(done)) is Match.STRAY
    refused = _answer("TRADE", 0, True, None)
    assert attribution.judge(first, refused, _frame(refused)) is Match.OURS
    assert attribution.judge(second, refused, _frame(refused)) is Match.DOUBTFUL


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (kind, other)
        for kind in ("TRADE", "ORDERS", "POSITIONS", "BALANCE", "ACCOUNT")
        for other in ("TRADE", "ORDERS", "POSITIONS", "BALANCE", "ACCOUNT")
        if kind != other
    ],
)
def test_an_answer_of_another_shape_is_never_an_answer(kind: str, other: str) -> None:
    attribution = Attribution()
    reply = _answer(other, 1, False, None)
    question = _question(kind, "run-1")
    assert attribution.judge(question, reply, _frame(reply)) is Match.STRAY
