"""The gateway at the published Expert Advisor: errors before answers, empty frames, frames that are
no JSON, sockets that say there is something when there is nothing, and silence."""

from __future__ import annotations

import asyncio
from typing import Any

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
import zmq
from mt5_helpers import CALM, an_order, bench, coin, quiet, sockets_of, trade
from waiting import until

from logos.adapters.mt5.gateway.failures import QuestionLost, TradeLost, TradeNotSent
from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import GatewaySettings
from logos.adapters.mt5.gateway.sockets import LIVE, SYSTEM
from logos.adapters.mt5.gateway.wire import ERRORS_BEFORE
from logos.core.types import Side
from logos.simulators.mt5.faults import Fate, FaultPlan
from logos.simulators.mt5.simulator import SimOptions

SYMBOL = "BTCUSD.s"
PUBLISHED = SimOptions(ea="published", timer_s=0.001)


def damaging(share: float = 1.0) -> SimOptions:
    return SimOptions(ea="published", timer_s=0.001, faults=FaultPlan(seed=3, damaged=share))


def order() -> Any:
    return an_order(coin(), Side.BUY, 100)


async def buy(gateway: Gateway, comment: str = "run-1", symbol: str = SYMBOL) -> dict[str, Any]:
    return await gateway.request(symbol, trade(symbol, comment), order())


def test_an_error_before_a_list_is_not_taken_for_the_list_and_is_told_with_it() -> None:
    async def scenario() -> None:
        async with bench(damaging(), quiet()) as box:
            await buy(box.gateway)
            seen = set()
            for _ in range(20):
                reply = await box.gateway.request("", {"action": "POSITIONS"})
                seen.add(tuple(reply[ERRORS_BEFORE]))
                if reply.get("error") is not True:
                    assert len(reply["positions"]) == 1
            damaged = ("5040: Damaged parameter of string type",)
            assert seen == {damaged, ("4753: Position not found",)}
            assert box.gateway.stats.strays == 0

    asyncio.run(scenario())


def test_a_list_without_an_error_before_it_says_so() -> None:
    async def scenario() -> None:
        async with bench(PUBLISHED) as box:
            reply = await box.gateway.request("", {"action": "ORDERS"})
            assert reply == {"error": False, "orders": []}

    asyncio.run(scenario())


def test_the_answer_to_a_trade_is_the_second_frame_and_nothing_is_left_for_the_next() -> None:
    async def scenario() -> None:
        async with bench(PUBLISHED) as box:
            reply = await buy(box.gateway, symbol="NONE")
            assert (reply["retcode"], reply[ERRORS_BEFORE]) == (0, ["4301: Unknown symbol"])
            good = await buy(box.gateway, "run-2")
            assert (good["retcode"], ERRORS_BEFORE in good) == (10009, False)
            assert box.gateway.stats.strays == 0

    asyncio.run(scenario())


def test_an_error_of_another_function_is_no_answer() -> None:
    async def scenario() -> None:
        async with bench(PUBLISHED, settings=GatewaySettings(reply_timeout_s=0.3)) as box:
            expert = box.simulator._expert
            assert expert is not None
            late = expert.answer(b'{"action":"CONFIG","symbol":"NONE"}', Fate("", 0, False))[0]
            known = expert.answer

            def after_a_late_one(frame: bytes, fate: Any) -> tuple[list[bytes], str]:
                frames, symbol = known(frame, fate)
                return [*late, *frames], symbol

            expert.answer = after_a_late_one  # type: ignore[method-assign]
            reply = await box.gateway.request("", {"action": "POSITIONS"})
            assert reply == {"positions": []}
            assert box.gateway.stats.strays == 1

    asyncio.run(scenario())


def test_a_history_without_deals_is_an_empty_frame_and_means_none() -> None:
    async def scenario() -> None:
        async with bench(PUBLISHED) as box:
            fields = {"action": "HISTORY", "actionType": "TRADES", "fromDate": 5}
            assert await box.gateway.request("", fields) == {"trades": []}

    asyncio.run(scenario())


def test_a_history_that_failed_is_told_at_once_and_not_waited_for() -> None:
    async def scenario() -> None:
        async with bench(PUBLISHED, settings=CALM) as box:
            fields = {"action": "HISTORY", "actionType": "DATA", "symbol": "NONE", "chartTF": "M1"}
            reply = await box.gateway.request("NONE", fields)
            assert reply["error"] is True
            assert "history" in reply["description"]
            assert (box.gateway.stats.lost, box.actions("ZMQ_BAD_FRAME")) == (0, [])

    asyncio.run(scenario())


# ---- sockets of a terminal that dies ----


def test_a_port_that_has_nothing_after_all_is_waited_for_again() -> None:
    async def scenario() -> None:
        async with bench() as box:
            sockets = sockets_of(box.gateway)
            live: Any = sockets._sockets[LIVE]
            failures = [zmq.Again(), zmq.Again()]
            known = live.recv_multipart

            def dying(flags: int = 0) -> Any:
                if failures:
                    raise failures.pop()
                return known(flags)

            live.recv_multipart = dying
            await box.gateway.request("", {"action": "CONFIG", "symbol": SYMBOL, "chartTF": "TICK"})
            box.simulator.terminal.price(SYMBOL, 10_000, 10_010)
            frame = await box.gateway.next_live(5.0)
            assert frame is not None
            assert failures == []

    asyncio.run(scenario())


def test_a_port_that_fails_is_opened_anew_and_its_reader_hears_an_oserror() -> None:
    async def scenario() -> None:
        async with bench() as box:
            sockets = sockets_of(box.gateway)
            live: Any = sockets._sockets[LIVE]

            def broken(*_: int) -> list[bytes]:
                raise zmq.ZMQError(zmq.EFSM)

            live.recv_multipart = broken
            await box.gateway.request("", {"action": "CONFIG", "symbol": SYMBOL, "chartTF": "TICK"})
            box.simulator.terminal.price(SYMBOL, 10_000, 10_010)
            with pytest.raises(QuestionLost, match="the live port failed: Operation cannot"):
                await box.gateway.next_live(5.0)
            assert sockets._sockets[LIVE] is not live
            await box.gateway.request("", {"action": "CONFIG", "symbol": SYMBOL, "chartTF": "TICK"})
            await until(lambda: _has_price(box), "prices to come by the new connection")

    def _has_price(box: Any) -> bool:
        box.simulator.terminal.price(SYMBOL, 10_000, 10_010)
        sockets = sockets_of(box.gateway)
        return bool(sockets._sockets[LIVE].getsockopt(zmq.EVENTS) & zmq.POLLIN)

    asyncio.run(scenario())


def test_an_order_that_no_socket_took_has_not_left() -> None:
    async def scenario() -> None:
        async with bench() as box:
            sockets = sockets_of(box.gateway)

            def gone(*_: Any) -> Any:
                raise zmq.Again()

            system: Any = sockets._sockets[SYSTEM]
            system.send = gone
            with pytest.raises(TradeNotSent):
                await buy(box.gateway)
            assert box.gateway.stats.lost == 0

    asyncio.run(scenario())


# ---- silence ----


@pytest.mark.long
def test_silence_engages_while_a_request_is_still_waited_for() -> None:
    async def scenario() -> None:
        patient = GatewaySettings(reply_timeout_s=30.0, heartbeat_s=0.05, dead_after_s=0.3)
        async with bench(settings=patient) as box:
            box.simulator.faults = FaultPlan(unread=1.0)
            asking = asyncio.create_task(buy(box.gateway))
            await until(lambda: bool(box.deaths), "the terminal to be found dead")
            assert not asking.done(), "it was found dead only when a request had failed"
            assert box.gateway.is_dead
            assert "answered nothing" in box.deaths[0]
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert len(box.deaths) == 1

    asyncio.run(scenario())


@pytest.mark.long
def test_a_terminal_that_was_asked_nothing_is_asked_in_time() -> None:
    """The heartbeat is due later than the terminal would be dead: it is asked before that."""

    async def scenario() -> None:
        lazy = GatewaySettings(reply_timeout_s=30.0, heartbeat_s=60.0, dead_after_s=0.3)
        async with bench(settings=lazy) as box:
            box.simulator.faults = FaultPlan(unread=1.0)
            await until(lambda: bool(box.deaths), "the terminal to be found dead")

    asyncio.run(scenario())


@pytest.mark.long
def test_a_terminal_that_answers_is_never_found_dead() -> None:
    async def scenario() -> None:
        lazy = GatewaySettings(reply_timeout_s=5.0, heartbeat_s=60.0, dead_after_s=1.0)
        async with bench(settings=lazy) as box:
            before = box.simulator.requests
            await until(lambda: box.simulator.requests > before + 2, "three heartbeats")
            assert box.deaths == []

    asyncio.run(scenario())


def test_a_lost_order_at_the_published_expert_is_unknown() -> None:
    async def scenario() -> None:
        quick = GatewaySettings(reply_timeout_s=0.2, heartbeat_s=60.0, dead_after_s=60.0)
        async with bench(PUBLISHED, settings=quick) as box:
            box.simulator.faults = FaultPlan(lost=1.0)
            with pytest.raises(TradeLost):
                await buy(box.gateway)
            box.simulator.faults = FaultPlan()
            assert await box.gateway.request("", {"action": "ORDERS"}) is not None

    asyncio.run(scenario())
