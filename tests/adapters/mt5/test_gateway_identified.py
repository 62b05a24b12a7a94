"""Answers that carry ids: the lock is let go once a request was read, late answers are known."""

from __future__ import annotations

import asyncio
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
from mt5_helpers import CALM, FAST, Bench, an_order, bench, coin, held, quiet, trade
from waiting import until

from logos.adapters.mt5.gateway.failures import QuestionLost, TradeLost, TradeNotSent
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions

SLOW = FaultPlan(slow_s={"SLOW.s": 1.0})
IDS = SimOptions(has_ids=True)
PATIENT = GatewaySettings(reply_timeout_s=1.0, heartbeat_s=60.0, dead_after_s=60.0)


def market(symbol: str, comment: str) -> tuple[Any, Any]:
    return trade(symbol, comment), an_order(coin(symbol), name=comment)


async def buy(box: Bench, symbol: str, comment: str) -> dict[str, Any]:
    fields, order = market(symbol, comment)
    return await box.gateway.request(symbol, fields, order)


def confirmed(box: Bench) -> list[dict[str, Any]]:
    """Locks that were let go before the answer had come."""
    return [r for r in box.actions("ZMQ_LOCK_RELEASE") if r["outcome"] == "confirmed"]


def test_ids_are_used_only_where_the_terminal_says_that_it_knows_them() -> None:
    async def scenario(options: SimOptions) -> tuple[bool, list[str]]:
        async with bench(options) as box:
            await box.gateway.request("", {"action": "ORDERS"})
            rids = [r["rid"] for r in box.actions("ZMQ_LOCK_RELEASE") if "rid" in r]
            return box.gateway.has_ids, rids

    assert asyncio.run(scenario(SimOptions())) == (False, [])
    has_ids, rids = asyncio.run(scenario(IDS))
    assert has_ids
    assert len(rids) == 1  # the first question, ACCOUNT, is asked without


@pytest.mark.long
def test_a_slow_symbol_costs_the_others_nothing() -> None:
    """Its answers take a second each; five orders of another are done before the first comes."""

    async def scenario(options: SimOptions) -> list[str]:
        async with bench(options, quiet("SLOW.s"), quiet("B.s"), settings=CALM) as box:
            done: list[str] = []

            async def one(symbol: str, number: int) -> None:
                await buy(box, symbol, f"run-{number}")
                done.append(symbol)

            slow = [asyncio.create_task(one("SLOW.s", n)) for n in (1, 2)]
            await asyncio.sleep(0)
            for number in range(3, 8):
                await one("B.s", number)
            await asyncio.gather(*slow)
            return done

    with_ids = asyncio.run(scenario(SimOptions(has_ids=True, faults=SLOW)))
    assert with_ids == ["B.s"] * 5 + ["SLOW.s"] * 2
    without = asyncio.run(scenario(SimOptions(faults=SLOW)))
    assert without[0] == "SLOW.s"


def test_each_lock_is_a_pair_and_each_answer_names_its_lock() -> None:
    async def scenario() -> None:
        async with bench(IDS, quiet("A.s"), quiet("B.s"), settings=CALM) as box:
            await asyncio.gather(*(buy(box, f"{'AB'[n % 2]}.s", f"run-{n}") for n in range(1, 9)))
            locks = [r for r in box.log if r["action"].startswith("ZMQ_LOCK_")]
            for acquired, released in zip(locks[::2], locks[1::2], strict=True):
                assert acquired["lock_id"] == released["lock_id"]
                assert acquired["access"] == released["access"]
            sent = [r for r in box.actions("ZMQ_LOCK_RELEASE") if r["outcome"] == "confirmed"]
            answers = box.actions("ZMQ_ANSWER")
            assert len(sent) == 8
            assert {r["rid"]: r["symbol"] for r in sent} == {r["rid"]: r["symbol"] for r in answers}
            assert {r["outcome"] for r in answers} == {"answered"}

    asyncio.run(scenario())


@pytest.mark.long
def test_an_answer_that_comes_too_late_belongs_to_nobody_and_costs_nobody_the_lock() -> None:
    plan = FaultPlan(slow_s={"SLOW.s": 0.4})

    async def scenario() -> None:
        options = SimOptions(has_ids=True, faults=plan)
        async with bench(options, quiet("SLOW.s"), quiet("B.s"), settings=FAST) as box:
            with pytest.raises(TradeLost, match="no answer came in time"):
                await buy(box, "SLOW.s", "run-1")
            assert [r["outcome"] for r in box.actions("ZMQ_ANSWER")] == ["lost"]
            reply = await buy(box, "B.s", "run-2")
            assert reply["comment"] == "run-2"
            await until(lambda: len(box.actions("ZMQ_STRAY_REPLY")) == 1, "the late answer")
            assert box.gateway.has_ids
            assert not box.actions("ZMQ_FENCE")

    asyncio.run(scenario())


def test_a_request_that_was_not_confirmed_is_fenced_and_ids_begin_anew() -> None:
    async def scenario() -> None:
        async with bench(IDS, quiet("A.s"), settings=FAST) as box:
            box.simulator.faults = FaultPlan(unread=1.0)
            with pytest.raises(TradeLost, match="did not confirm"):
                await buy(box, "A.s", "run-1")
            assert not box.gateway.has_ids
            box.simulator.faults = FaultPlan()
            await box.gateway.request("", {"action": "ORDERS"})
            assert [r["outcome"] for r in box.actions("ZMQ_FENCE")] == ["answered"] * 2
            assert box.gateway.has_ids

    asyncio.run(scenario())


def test_what_waits_is_lost_when_ids_are_given_up() -> None:
    """The reader of answers ends with the confidence in the connection, and nobody waits on."""
    plan = FaultPlan(slow_s={"SLOW.s": 5.0})

    async def scenario() -> None:
        options = SimOptions(has_ids=True, faults=plan)
        async with bench(options, quiet("SLOW.s"), quiet("B.s"), settings=PATIENT) as box:
            slow = asyncio.create_task(buy(box, "SLOW.s", "run-1"))
            await until(lambda: len(confirmed(box)) == 1, "the request to be read")
            box.gateway._identified.forget("for a test")
            with pytest.raises(TradeLost, match="for a test"):
                await slow
            assert (await buy(box, "B.s", "run-2"))["comment"] == "run-2"

    asyncio.run(scenario())


def test_a_request_that_waited_long_for_the_lock_is_lost_in_time_too() -> None:
    async def scenario() -> None:
        async with bench(IDS, quiet("A.s"), settings=FAST) as box:
            box.simulator.faults = FaultPlan(lost=1.0)
            with held(box.gateway):
                buying = asyncio.create_task(buy(box, "A.s", "run-1"))
                looks = box.gateway._identified
                await until(lambda: looks._watch is not None, "the watch to begin")
                first = looks._watch
                await until(lambda: looks._watch is not first, "a look that finds nothing sent")
            async with asyncio.timeout(5):
                with pytest.raises(TradeLost, match="no answer came in time"):
                    await buying

    asyncio.run(scenario())


@pytest.mark.long
def test_no_more_requests_of_a_symbol_are_in_flight_than_may_wait() -> None:
    plan = FaultPlan(slow_s={"SLOW.s": 0.8})
    settings = GatewaySettings(
        reply_timeout_s=9.0, heartbeat_s=60.0, dead_after_s=60.0, waiting_max=2
    )

    async def scenario() -> None:
        options = SimOptions(has_ids=True, faults=plan)
        async with bench(options, quiet("SLOW.s"), quiet("B.s"), settings=settings) as box:
            slow = [asyncio.create_task(buy(box, "SLOW.s", f"run-{n}")) for n in (1, 2)]
            await until(lambda: len(confirmed(box)) == 2, "both to be read")
            with pytest.raises(TradeNotSent, match=r"2 requests of SLOW\.s are in flight"):
                await buy(box, "SLOW.s", "run-3")
            await buy(box, "B.s", "run-4")
            await asyncio.gather(*slow)
            await buy(box, "SLOW.s", "run-5")
            assert len(box.audited("order")) == 4

    asyncio.run(scenario())


def test_a_question_that_is_given_up_leaves_nothing_behind() -> None:
    plan = FaultPlan(slow_s={"SLOW.s": 5.0})

    async def scenario() -> None:
        options = SimOptions(has_ids=True, faults=plan)
        async with bench(options, quiet("SLOW.s"), settings=PATIENT) as box:
            asking = asyncio.create_task(
                box.gateway.request("SLOW.s", {"action": "CONFIG", "symbol": "SLOW.s"})
            )
            await until(lambda: len(confirmed(box)) == 1, "the request to be read")
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert [r["outcome"] for r in box.actions("ZMQ_ANSWER")] == ["lost"]
            await box.gateway.request("", {"action": "ORDERS"})

    asyncio.run(scenario())


def test_deals_since_a_ticket_and_how_a_symbol_is_counted_are_told() -> None:
    async def scenario() -> None:
        async with bench(IDS, quiet("A.s"), settings=CALM) as box:
            for number in (1, 2, 3):
                await buy(box, "A.s", f"run-{number}")
            asked = {"action": "HISTORY", "actionType": "TRADES"}
            every = (await box.gateway.request("", asked))["trades"]
            later = await box.gateway.request("", asked | {"fromTicket": every[0]["ticket"]})
            assert [d["ticket"] for d in later["trades"]] == [d["ticket"] for d in every[1:]]
            told = await box.gateway.request("A.s", {"action": "SYMBOL", "symbol": "A.s"})
            assert (told["digits"], str(told["volume_step"]), told["contract_size"]) == (
                2,
                "0.01",
                1,
            )
            account = await box.gateway.request("", {"action": "ACCOUNT"})
            assert account["bridge"] == "logos/1"
            assert account["margin_mode"] == "ACCOUNT_MARGIN_MODE_RETAIL_NETTING"

    asyncio.run(scenario())


def test_a_terminal_without_ids_refuses_what_it_does_not_know() -> None:
    async def scenario() -> None:
        async with bench(SimOptions(), quiet("A.s"), settings=CALM) as box:
            asked = {"action": "HISTORY", "actionType": "TRADES", "fromTicket": 1}
            reply = await box.gateway.request("", asked)
            assert "does not know" in reply["description"]

    asyncio.run(scenario())


def test_nothing_is_read_any_more_once_it_is_closed() -> None:
    async def scenario() -> None:
        async with bench(IDS, quiet("A.s"), settings=CALM) as box:
            await box.gateway.request("", {"action": "ORDERS"})
            await box.gateway.close()
            with pytest.raises(QuestionLost, match="not open"):
                await box.gateway.request("", {"action": "ORDERS"})
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert "mt5 answers" not in names

    asyncio.run(scenario())
