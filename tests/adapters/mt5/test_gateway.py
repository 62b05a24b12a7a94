"""The gateway over real sockets on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import mt5_libraries  # noqa: F401 - before anything that needs zmq
import pytest
import zmq.auth
from mt5_helpers import (
    CALM,
    FAST,
    Bench,
    WallClock,
    an_order,
    bench,
    endpoints,
    held,
    lets_out,
    quiet,
    trade,
)
from waiting import until

from logos.adapters.mt5.gateway.failures import QuestionLost, TradeLost, TradeNotSent
from logos.adapters.mt5.gateway.gateway import Gateway
from logos.adapters.mt5.gateway.settings import (
    CurveKeys,
    Endpoints,
    GatewayConfigError,
    GatewaySettings,
)
from logos.loopback import EndpointError
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions, Simulator
from logos.venues.contract import NotSent, OutcomeUnknown, Unavailable


def _assert_paired(box: Bench) -> None:
    """Each acquire is followed by its own release, before the next one."""
    locks = [r for r in box.log if r["action"].startswith("ZMQ_LOCK_")]
    assert len(locks) % 2 == 0
    pairs = zip(locks[::2], locks[1::2], strict=True)
    for number, (acquired, released) in enumerate(pairs, start=1):
        assert acquired["action"] == "ZMQ_LOCK_ACQUIRE"
        assert released["action"] == "ZMQ_LOCK_RELEASE"
        assert acquired["lock_id"] == released["lock_id"] == number
        assert acquired["symbol"] == released["symbol"]
        assert acquired["wait_ns"] >= 0
        assert released["hold_ns"] > 0


@pytest.mark.long
def test_fifty_coroutines_share_one_socket_without_a_turn_out_of_order() -> None:
    async def scenario() -> None:
        names = [f"S{number:02}.s" for number in range(50)]
        async with bench(None, *(quiet(name) for name in names)) as box:

            async def one(name: str) -> None:
                for number in range(6):
                    reply = await box.gateway.request(
                        name, trade(name, f"{name}-{number}"), an_order()
                    )
                    assert reply["error"] is False
                    assert reply["comment"] == f"{name}-{number}"
                    order = next(d for d in box.simulator.book.deals if d.order == reply["order"])
                    assert order.symbol == name

            await asyncio.gather(*(one(name) for name in names))
            _assert_paired(box)
            assert box.gateway.stats.lost == 0
            assert box.gateway.stats.answered == 301  # with the question of `open`
            assert set(box.simulator.book.client_ids.values()) == {1}

    asyncio.run(scenario())


@pytest.mark.long
def test_releases_are_logged_when_requests_fail_and_are_cancelled() -> None:
    async def scenario() -> None:
        plan = FaultPlan(seed=3, lost=0.5)
        async with bench(SimOptions(faults=plan), settings=FAST) as box:
            tasks = [
                asyncio.create_task(
                    box.gateway.request("BTCUSD.s", trade("BTCUSD.s", f"c-{n}"), an_order())
                )
                for n in range(8)
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            tasks[5].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert done
            assert isinstance(results[5], asyncio.CancelledError)
            assert any(isinstance(result, TradeLost) for result in results)
            assert any(isinstance(result, dict) for result in results)
            _assert_paired(box)

    asyncio.run(scenario())


def test_a_busy_symbol_does_not_starve_another() -> None:
    async def scenario() -> None:
        async with bench(None, quiet("A.s"), quiet("B.s")) as box:
            busy = [
                asyncio.create_task(box.gateway.request("A.s", trade("A.s", f"a-{n}"), an_order()))
                for n in range(40)
            ]
            await asyncio.sleep(0)
            await box.gateway.request("B.s", trade("B.s", "b-1"), an_order())
            finished = sum(task.done() for task in busy)
            assert finished <= 2
            await asyncio.gather(*busy)

    asyncio.run(scenario())


@pytest.mark.long
def test_a_symbol_whose_answers_never_come_in_time_costs_others_one_timeout_each_turn() -> None:
    async def scenario() -> None:
        plan = FaultPlan(slow_s={"SLOW.s": 2.0})
        symbols = (quiet("SLOW.s"), quiet("B.s"))
        async with bench(SimOptions(faults=plan), *symbols, settings=FAST) as box:
            slow = [
                asyncio.create_task(
                    box.gateway.request("SLOW.s", trade("SLOW.s", f"s-{n}"), an_order())
                )
                for n in range(4)
            ]
            await asyncio.sleep(0)
            for number in range(8):
                reply = await box.gateway.request("B.s", trade("B.s", f"b-{number}"), an_order())
                assert reply["error"] is False
            results = await asyncio.gather(*slow, return_exceptions=True)
            assert all(isinstance(result, TradeLost) for result in results)
            waits = [r["wait_ns"] for r in box.actions("ZMQ_LOCK_ACQUIRE") if r["symbol"] == "B.s"]
            # One turn of the slow symbol at most before each: its timeout, and some time to spare.
            assert max(waits) < 0.15e9 + 0.5e9
            holds = [r["hold_ns"] for r in box.actions("ZMQ_LOCK_RELEASE")]
            assert max(holds) < 0.15e9 + 0.5e9

    asyncio.run(scenario())


def test_a_full_queue_of_a_symbol_says_not_sent() -> None:
    async def scenario() -> None:
        few = GatewaySettings(waiting_max=2, heartbeat_s=60.0)
        async with bench(None, settings=few) as box:
            with held(box.gateway):
                tasks = [
                    asyncio.create_task(
                        box.gateway.request("BTCUSD.s", trade("BTCUSD.s", f"q-{n}"), an_order())
                    )
                    for n in range(5)
                ]
                await until(lambda: box.gateway.waiting("BTCUSD.s") == 2, "two to wait")
                await asyncio.sleep(0)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            refused = [result for result in results if isinstance(result, NotSent)]
            assert len(refused) == 3
            assert len(box.simulator.book.deals) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "example.org", "::", "192.168.1.5"])
def test_anything_but_this_machine_is_refused_without_keys(host: str) -> None:
    with pytest.raises(EndpointError, match="CURVE keys"):
        Gateway(Endpoints(host=host), CALM, WallClock(), lambda _: None, lambda _: None, lets_out)
    with pytest.raises(EndpointError, match="CURVE keys"):
        Simulator({"A.s": quiet("A.s")}, SimOptions(host=host), lambda _: None)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_machine_needs_no_keys(host: str) -> None:
    gateway = Gateway(
        Endpoints(host=host), CALM, WallClock(), lambda _: None, lambda _: None, lets_out
    )
    assert not gateway.is_dead


def _certificates(folder: Path) -> tuple[Path, Path, Path]:
    """A server's folder, a client that it knows, and one that it does not."""
    (folder / "clients").mkdir(parents=True)
    zmq.auth.create_certificates(folder, "server")
    own = folder / "own"
    own.mkdir()
    known, known_secret = zmq.auth.create_certificates(own, "known")
    _, stranger_secret = zmq.auth.create_certificates(own, "stranger")
    Path(known).rename(folder / "clients" / "known.key")
    return folder, Path(known_secret), Path(stranger_secret)


@pytest.mark.long
def test_curve_lets_in_who_is_known_and_nobody_else(tmp_path: Path) -> None:
    folder, known, stranger = _certificates(tmp_path / "keys")
    server = folder / "server.key"

    async def scenario() -> None:
        options = SimOptions(curve_folder=folder)
        keys = CurveKeys.from_files(known, server)
        async with bench(options, settings=CALM, curve=keys) as box:
            reply = await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "curve-1"), an_order())
            assert reply["retcode"] == 10009
            wrong: list[CurveKeys | None] = [CurveKeys.from_files(stranger, server), None]
            for other in wrong:
                outsider = Gateway(
                    endpoints(box.simulator),
                    FAST,
                    WallClock(),
                    lambda _: None,
                    print,
                    lets_out,
                    other,
                )
                with pytest.raises(QuestionLost):
                    await outsider.open()
            assert len(box.simulator.book.deals) == 1

    asyncio.run(scenario())


def test_a_secret_key_shows_in_no_text(tmp_path: Path) -> None:
    folder, known, _ = _certificates(tmp_path / "keys")
    keys = CurveKeys.from_files(known, folder / "server.key")
    assert keys.reveal() not in repr(keys)
    assert keys.reveal() not in str(vars(CurveKeys))
    with pytest.raises(GatewayConfigError, match=r"\.key_secret"):
        CurveKeys.from_files(folder / "server.key", folder / "server.key")
    with pytest.raises(EndpointError, match="no CURVE key file"):
        CurveKeys.from_files(folder / "missing", folder / "server.key")


@pytest.mark.long
def test_without_a_terminal_nothing_is_sent_and_it_is_known() -> None:
    async def scenario() -> None:
        async with bench(None, settings=FAST) as box:
            await box.simulator.stop()
            # A connection that has just gone may still look alive to the first one.
            with pytest.raises((TradeNotSent, TradeLost)):
                await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "gone-1"), an_order())
            with pytest.raises(TradeNotSent) as caught:
                await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "gone-2"), an_order())
            assert caught.value.retry_after_s > 0
            with pytest.raises(Unavailable):
                await box.gateway.request("", {"action": "BALANCE"})

    asyncio.run(scenario())


@pytest.mark.long
def test_a_dead_terminal_is_reported_once_and_its_return_begins_another_life() -> None:
    async def scenario() -> None:
        hasty = GatewaySettings(reply_timeout_s=0.5, heartbeat_s=0.05, dead_after_s=1.0)
        async with bench(None, settings=hasty) as box:
            ports = box.simulator.ports
            await box.simulator.stop()
            await until(lambda: bool(box.deaths), "the gateway finds the terminal dead")
            assert box.gateway.is_dead
            lives = box.gateway.lives
            fixed = (ports["system"], ports["data"], ports["live"], ports["streaming"])
            again = Simulator({"BTCUSD.s": quiet()}, SimOptions(ports=fixed), lambda _: None)
            await again.start()
            try:
                await until(lambda: not box.gateway.is_dead, "the terminal is found again")
                assert box.gateway.lives == lives + 1
                assert len(box.deaths) == 1
                assert "answered nothing" in box.deaths[0]
                reply = await box.gateway.request(
                    "BTCUSD.s", trade("BTCUSD.s", "back-1"), an_order()
                )
                assert reply["retcode"] == 10009
            finally:
                await again.stop()

    asyncio.run(scenario())


def test_an_idle_gateway_asks_the_terminal_now_and_then() -> None:
    async def scenario() -> None:
        often = GatewaySettings(heartbeat_s=0.02)
        async with bench(None, settings=often) as box:

            def questions() -> int:
                return sum(each["action"] == "BALANCE" for each in box.audited("request"))

            await until(lambda: questions() >= 3, "three questions of an idle gateway")
            assert not box.deaths

    asyncio.run(scenario())


@pytest.mark.long
def test_a_trade_whose_answer_is_lost_is_unknown_and_a_question_open() -> None:
    async def scenario() -> None:
        async with bench(SimOptions(), settings=FAST) as box:
            box.simulator.faults = FaultPlan(lost=1.0)
            with pytest.raises(OutcomeUnknown):
                await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "lost-1"), an_order())
            with pytest.raises(Unavailable):
                await box.gateway.request("", {"action": "ORDERS"})
            assert len(box.simulator.book.deals) == 1
            assert len(box.actions("ZMQ_REPLY_LOST")) == 2

    asyncio.run(scenario())


def test_after_a_request_that_was_never_read_two_questions_are_answered_before_a_trade() -> None:
    async def scenario() -> None:
        async with bench(SimOptions(), settings=FAST) as box:
            box.simulator.faults = FaultPlan(unread=1.0)
            with pytest.raises(OutcomeUnknown):
                await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "unread-1"), an_order())
            box.simulator.faults = FaultPlan()
            before = len(box.audited("request"))
            await box.gateway.request("BTCUSD.s", trade("BTCUSD.s", "next-1"), an_order())
            asked = [record["action"] for record in box.audited("request")[before:]]
            assert asked == ["BALANCE", "ACCOUNT", "TRADE"]

    asyncio.run(scenario())


def test_a_field_that_the_protocol_does_not_have_is_refused() -> None:
    async def scenario() -> None:
        async with bench() as box:
            with pytest.raises(ValueError, match="no field leverage"):
                await box.gateway.request("", {"action": "ACCOUNT", "leverage": 3})
            _assert_paired(box)

    asyncio.run(scenario())


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(GatewayConfigError, match="reply_timeout_s"):
        GatewaySettings(reply_timeout_s=0.0)
