"""The three acceptance scenarios of the kill switch, each as a whole session.

Ten ticks make ten orders; a switch engaged at a tick keeps that tick and all later ones from
ordering. The switch is engaged in each of the ways a session knows: by an operator's command
among the events, and by somebody else between two ticks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from session_helpers import ARTIFACTS, ListFeed, session_config, table

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.instrument import instrument
from logos.core.messages import Engage, Event, Quote
from logos.core.strategy import Answer, Context, Strategy, limit, market
from logos.core.types import Code, SessionStatus, Side
from logos.testing.builders import Always, quote

pytestmark = pytest.mark.usefixtures("logos_home")

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
SECOND_NS = 1_000_000_000
ONE_ORDER_EACH = market(Side.BUY, 1)


def ticks(count: int) -> list[Event]:
    return [quote(ACME, number * SECOND_NS, "10.00", "10.02") for number in range(1, count + 1)]


def with_command(count: int, at_tick: int) -> list[Event]:
    """An operator's command that arrives just before tick `at_tick`."""
    events = ticks(count)
    ts_ns = events[at_tick - 1].ts_ns
    events.insert(at_tick - 1, Engage(ts_ns, "drill", "operator"))
    return events


class EngagedBetweenTicks:
    """A feed during which somebody outside engages the switch right before tick `at_tick`."""

    def __init__(self, count: int, at_tick: int, switch: InProcessSwitch) -> None:
        self._events = ticks(count)
        self._at_tick = at_tick
        self._switch = switch

    def chunks(self) -> Iterator[Sequence[Event]]:
        for number, event in enumerate(self._events, start=1):
            if number == self._at_tick:
                self._switch.engage("drill", "another process")
            yield [event]


class OrdersThenEngages(Strategy):
    """Engages the switch within its own answer at tick `at_tick`, before its order leaves."""

    def __init__(self, at_tick: int, switch: InProcessSwitch) -> None:
        self._at_tick = at_tick
        self._switch = switch
        self._seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._seen += 1
        if self._seen == self._at_tick:
            self._switch.engage("drill", "strategy")
        return ONE_ORDER_EACH


def counts(result: session.SessionResult) -> tuple[int, int]:
    """(orders, blocked ticks), which summary, orders.csv and tick numbers must agree on."""
    assert len(table(result.folder, "orders")) == result.summary["orders"]
    return result.summary["orders"], result.summary["blocked"]


SCENARIOS = [
    pytest.param(10, None, (10, 0), id="ten ticks, no kill"),
    pytest.param(15, 5, (4, 11), id="fifteen ticks, kill at tick 5"),
    pytest.param(5, 1, (0, 5), id="five ticks, kill at tick 1"),
]


@pytest.mark.long
@pytest.mark.parametrize(("count", "kill_at", "expected"), SCENARIOS)
@pytest.mark.parametrize("chunk", [1, 100])
def test_a_command_among_the_ticks_blocks_its_tick_and_all_later_ones(
    count: int, kill_at: int | None, expected: tuple[int, int], chunk: int
) -> None:
    events = ticks(count) if kill_at is None else with_command(count, kill_at)
    result = session.run(
        session_config(switch={"on_engaged": "block"}),
        strategy=Always(ONE_ORDER_EACH),
        feed=ListFeed(events, chunk),
    )
    assert result.status is SessionStatus.ENDED
    assert counts(result) == expected
    assert result.summary["ticks"] == count, "a command is no tick"
    assert result.summary["switch_state"] == ("SAFE" if kill_at is None else "ENGAGED")


@pytest.mark.long
@pytest.mark.parametrize(("count", "kill_at", "expected"), SCENARIOS)
def test_a_switch_engaged_from_outside_blocks_the_very_next_tick(
    count: int, kill_at: int | None, expected: tuple[int, int]
) -> None:
    switch = InProcessSwitch()
    result = session.run(
        session_config(switch={"on_engaged": "block"}),
        strategy=Always(ONE_ORDER_EACH),
        feed=EngagedBetweenTicks(count, kill_at or 0, switch),
        switch=switch,
    )
    assert result.exit_code == session.ExitCode.FINISHED
    assert counts(result) == expected


@pytest.mark.long
@pytest.mark.parametrize(("count", "kill_at"), [(15, 5), (5, 1)])
def test_a_switch_engaged_during_a_decision_stops_that_decision_at_gate_2(
    count: int, kill_at: int
) -> None:
    switch = InProcessSwitch()
    result = session.run(
        session_config(switch={"on_engaged": "block"}),
        strategy=OrdersThenEngages(kill_at, switch),
        feed=ListFeed(ticks(count)),
        switch=switch,
    )
    assert counts(result) == (kill_at - 1, count - kill_at)
    assert result.summary["refusals"] == {Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING.value: 1}


@pytest.mark.parametrize(("count", "kill_at", "orders"), [(15, 5, 4), (5, 1, 0)])
@pytest.mark.parametrize("chunk", [1, 100])
def test_with_halt_the_session_ends_at_the_tick_that_sees_the_switch(
    count: int, kill_at: int, orders: int, chunk: int
) -> None:
    result = session.run(
        session_config(switch={"on_engaged": "halt"}),
        strategy=Always(ONE_ORDER_EACH),
        feed=ListFeed(with_command(count, kill_at), chunk),
    )
    assert int(result.exit_code) == 4
    assert result.status is SessionStatus.HALTED
    assert counts(result) == (orders, 1)
    assert "drill" in result.reason
    assert "operator" in result.reason
    assert {path.name for path in result.folder.iterdir()} == set(ARTIFACTS)
    report = (result.folder / "session.md").read_text(encoding="utf-8")
    assert "**HALTED**" in report
    assert "drill" in report
    assert {order["status"] for order in table(result.folder, "orders")} <= {"FILLED", "CANCELLED"}
    assert len(table(result.folder, "account")) >= 2


def test_engagement_cancels_what_rests_and_flattens_nothing() -> None:
    events = with_command(6, 4)
    resting = limit(Side.BUY, 1, "9.00")
    result = session.run(
        session_config(switch={"on_engaged": "halt"}),
        strategy=Always([ONE_ORDER_EACH, resting]),
        feed=ListFeed(events),
    )
    orders = table(result.folder, "orders")
    ended = [(order["type"], order["status"], order["reason"]) for order in orders]
    killed = Code.CANCELLED_BY_KILL_SWITCH.value
    assert ended.count(("LIMIT", "CANCELLED", killed)) == 3
    # A market order of tick 3 would have filled at tick 4, which never came to the market.
    assert ended.count(("MARKET", "CANCELLED", killed)) == 1
    assert ended.count(("MARKET", "FILLED", "")) == 2
    assert len(ended) == 6
    assert result.summary["symbols"]["ACME"]["position"] == "2"


def test_a_session_that_begins_engaged_does_nothing_at_all() -> None:
    switch = InProcessSwitch()
    switch.engage("left from yesterday", "operator")
    result = session.run(
        session_config(), strategy=Always(ONE_ORDER_EACH), feed=ListFeed(ticks(5)), switch=switch
    )
    assert result.exit_code == session.ExitCode.HALTED
    assert counts(result)[0] == 0
    assert "left from yesterday" in result.reason
