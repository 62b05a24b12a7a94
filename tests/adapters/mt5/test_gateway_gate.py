"""An order that waits for the gateway's lock meets the kill switch once more before it leaves.

The whole road is there: a core, the link, the venue, the gateway, and a simulated terminal on its
sockets. One symbol's slow answer holds the lock; the switch changes while an order waits behind it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from mt5_helpers import (
    Record,
    WallClock,
    an_order,
    bench,
    coin,
    held,
    quiet,
    sockets_of,
    trade,
)
from waiting import until

from logos.adapters.mt5.terminal import Mt5Terminal, gateway_log
from logos.config import Config, VenueName
from logos.config.tables.live import VenueSettings
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch
from logos.core.messages import Quote, Report
from logos.core.outbox import OrderTerms, SubmitOrder
from logos.core.strategy import Answer, market
from logos.core.types import ReportKind, Side, SwitchState
from logos.execution.venue_link import VenueLink
from logos.simulators.mt5.faults import FaultPlan
from logos.simulators.mt5.simulator import SimOptions, Simulator
from logos.testing.builders import Scripted
from logos.testing.venue_core import outbox_of, venue_core
from logos.venues.contract import NotSent

SLOW = "ETHUSD.s"
TRADED = coin()


class Road:
    """A core whose orders go to a simulated terminal."""

    def __init__(self, simulator: Simulator, script: Mapping[int, Answer], home: Path) -> None:
        ports = ",".join(str(port) for port in simulator.ports.values())
        config = Config(
            venue=VenueSettings(
                name=VenueName.MT5, live=True, url=f"tcp://127.0.0.1:{ports}/reply_timeout_s=5"
            )
        )
        clock, random = WallClock(), Random(1)
        self.clock = clock
        self.home = home
        self.switch = InProcessSwitch()
        self.simulator = simulator
        self.reports: list[Report] = []
        self.core: TradingCore = venue_core(
            Scripted(script), TRADED, switch=self.switch, cash={"USD": "1000000"}
        )
        view = CoreView(self.core.order_manager)
        self.terminal = Mt5Terminal(config, {TRADED.symbol: TRADED}, clock, random)
        self.terminal.begin(self.switch, view, lambda *_: None, home)
        venue = self.terminal.venue_of("test")
        assert venue is not None
        self.venue = venue
        self.link = VenueLink(
            venue,
            view,
            self.switch,
            clock,
            random,
            self.reports.append,
        )

    def quote(self) -> None:
        """One quote for the core; what the strategy orders goes to the link."""
        now_ns = self.clock.now_ns()
        self.core.run([Quote(now_ns, TRADED.symbol, 10_000, 10_010, -1, -1, TRADED)])
        self.core.take_effects()
        self.link.dispatch(outbox_of(self.core).take())

    async def fate(self) -> Report:
        """The report that says whether the order left: NOT_SENT, FILLED or ACCEPTED."""
        await until(lambda: bool(self.reports), "a report")
        report = self.reports.pop(0)
        self.core.run([report])
        return report

    def kept_back(self) -> list[Record]:
        """What the gateway's log says of orders that were held back at its gate."""
        lines = gateway_log("test", self.home).read_bytes().splitlines()
        records = [msgspec.json.decode(line, type=Record) for line in lines]
        return [each for each in records if each["action"] == "ORDER_KEPT_BACK"]

    async def behind_the_lock(self) -> asyncio.Task[dict[str, object]]:
        """Hold the gateway's lock by a slow question, and send an order that waits behind it."""
        self.simulator.faults = FaultPlan(slow_s={SLOW: 0.5})
        fields = {"action": "HISTORY", "actionType": "DATA", "symbol": SLOW, "chartTF": "M1"}
        holder = asyncio.create_task(self.terminal.gateway.request(SLOW, fields))
        await asyncio.sleep(0)
        self.quote()
        await until(lambda: self.terminal.gateway.waiting(TRADED.symbol) > 0, "the order waits")
        return holder


def story(
    home: Path,
    script: Mapping[int, Answer],
    work: Callable[[Road], object],
    options: SimOptions | None = None,
) -> list[Record]:
    """Run `work` on a road; returns the terminal's audit."""
    audit: list[Record] = []

    async def body() -> None:
        symbols = {name: quiet(name) for name in (TRADED.symbol, SLOW)}
        simulator = Simulator(
            symbols,
            options or SimOptions(),
            lambda record: audit.append(dict(record)),
            time.time_ns,
        )
        await simulator.start()
        road = Road(simulator, script, home)
        await road.venue.open()
        serving = asyncio.create_task(road.link.run())
        try:
            await work(road)  # type: ignore[misc]
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await road.terminal.close()
            await simulator.stop()

    asyncio.run(body())
    return audit


def orders_in(audit: list[Record]) -> list[str]:
    """Comments of the orders that reached the terminal."""
    return [each["comment"] for each in audit if each["kind"] == "order"]


@pytest.mark.long
@pytest.mark.parametrize("change", ["set_reduce_only", "engage"])
def test_an_order_that_grows_a_position_does_not_leave_after_the_switch(
    tmp_path: Path, change: str
) -> None:
    async def work(road: Road) -> None:
        holder = await road.behind_the_lock()
        getattr(road.switch, change)("test", "test")
        report = await road.fate()
        assert report.kind is ReportKind.NOT_SENT
        await holder
        [kept] = road.kept_back()
        assert (kept["token"], kept["reason"]) == (
            "test-1",
            "kill switch in the gateway: test (by test)",
        )

    audit = story(tmp_path, {1: market(Side.BUY, "1")}, work)
    assert orders_in(audit) == []


@pytest.mark.parametrize("change", ["set_reduce_only", "engage"])
def test_an_order_does_not_leave_after_the_switch_where_answers_carry_ids(
    tmp_path: Path, change: str
) -> None:
    """A slow answer does not hold the lock there, so it is held by hand."""

    async def work(road: Road) -> None:
        gateway = road.terminal.gateway
        assert gateway.has_ids
        with held(gateway):
            road.quote()
            await until(lambda: gateway.waiting(TRADED.symbol) > 0, "the order waits")
            getattr(road.switch, change)("test", "test")
        assert (await road.fate()).kind is ReportKind.NOT_SENT
        assert [each["token"] for each in road.kept_back()] == ["test-1"]
        assert gateway.has_ids
        assert await road.venue.positions() == {TRADED.symbol: 0}

    script = {1: market(Side.BUY, "1")}
    assert orders_in(story(tmp_path, script, work, SimOptions(has_ids=True))) == []


def test_an_order_that_a_kill_met_while_it_waited_does_not_leave_after_a_reset(
    tmp_path: Path,
) -> None:
    async def work(road: Road) -> None:
        gateway = road.terminal.gateway
        with held(gateway):
            road.quote()
            await until(lambda: gateway.waiting(TRADED.symbol) > 0, "the order waits")
            road.switch.engage("test", "test")
            road.switch.flag[0] = SwitchState.SAFE
            road.switch.epoch += 2
        assert (await road.fate()).kind is ReportKind.NOT_SENT
        [kept] = road.kept_back()
        assert kept["reason"] == "kill switch in the gateway: it changed while the order waited"

    script = {1: market(Side.BUY, "1")}
    assert orders_in(story(tmp_path, script, work, SimOptions(has_ids=True))) == []


def test_a_kill_that_was_reset_while_the_venue_asked_first_keeps_the_order_too() -> None:
    async def scenario() -> None:
        async with bench() as box:
            epochs = [1]
            box.gateway.door.epoch = lambda: epochs[0]
            venue = box.venue()

            async def ask_first(terms: OrderTerms) -> str:
                epochs[0] += 2
                return ""

            venue._unmarked.why_not = ask_first  # type: ignore[method-assign]
            with pytest.raises(NotSent, match="changed while the order waited"):
                await venue.submit(an_order())
            assert not box.audited("order")

    asyncio.run(scenario())


@pytest.mark.parametrize("has_ids", [False, True])
def test_the_last_look_at_the_switch_and_the_sending_are_one_step(has_ids: bool) -> None:
    """In the gateway's thread, with the lock held: nothing is logged, written or waited for
    between them, and no other request."""

    async def scenario() -> list[str]:
        async with bench(SimOptions(has_ids=has_ids)) as box:
            steps: list[str] = []
            thread = box.gateway._worker._thread  # type: ignore[union-attr]
            sockets = sockets_of(box.gateway)

            def gate(_: SubmitOrder) -> str:
                assert threading.current_thread() is thread
                assert box.gateway._queue.is_held
                steps.append("asked")
                return ""

            def noted(object: Any, name: str) -> None:
                known = getattr(object, name)

                def instead(*values: Any, **words: Any) -> Any:
                    steps.append(name)
                    return known(*values, **words)

                setattr(object, name, instead)

            noted(sockets, "send")
            noted(sockets, "hand_over")
            noted(box.gateway._records, "flush")
            noted(box.gateway._records, "say")
            box.gateway.door.gate = gate
            fields = trade(TRADED.symbol, "run-1")
            await box.gateway.request(TRADED.symbol, fields, an_order())
            return steps

    steps = asyncio.run(scenario())
    at = steps.index("asked")
    assert steps[at : at + 2] == ["asked", "send"]
    # What is in the log by then is with the system before anything leaves.
    assert steps[at - 1] == "flush"
    assert steps.count("send") == 1


@pytest.mark.long
def test_an_order_that_reduces_a_position_leaves_in_reduce_only(tmp_path: Path) -> None:
    async def work(road: Road) -> None:
        road.quote()
        while (await road.fate()).kind is not ReportKind.FILLED:
            pass
        holder = await road.behind_the_lock()
        road.switch.set_reduce_only("test", "test")
        assert (await road.fate()).kind is ReportKind.ACCEPTED
        await holder

    script = {1: market(Side.BUY, "1"), 2: market(Side.SELL, "1")}
    assert orders_in(story(tmp_path, script, work)) == ["test-1", "test-2"]


@pytest.mark.long
def test_an_order_that_reduces_waits_in_vain_once_the_position_has_gone(tmp_path: Path) -> None:
    """What counts is the position at the moment at which the order would leave."""

    async def work(road: Road) -> None:
        road.quote()
        while (await road.fate()).kind is not ReportKind.FILLED:
            pass
        holder = await road.behind_the_lock()
        road.switch.set_reduce_only("test", "test")
        road.core.order_manager.states[TRADED.symbol].inventory.position = 0
        assert (await road.fate()).kind is ReportKind.NOT_SENT
        await holder
        assert [each["token"] for each in road.kept_back()] == ["test-2"]

    script = {1: market(Side.BUY, "1"), 2: market(Side.SELL, "1")}
    assert orders_in(story(tmp_path, script, work)) == ["test-1"]
