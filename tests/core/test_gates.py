"""The kill switch: the acceptance scenarios (requirement A6), both gates, and reduce-only."""

from __future__ import annotations

import pytest

from logos.core.commands import make_command
from logos.core.gates import InProcessSwitch, lets_all_out, reduces, why_closed
from logos.core.instrument import instrument
from logos.core.messages import Engage, Event, Quote
from logos.core.orders import StandingTarget
from logos.core.records import BlockedRecord, Record, SwitchRecord
from logos.core.strategy import Answer, Context, Replace, Strategy, Target, limit, market
from logos.core.types import Code, FillRule, Side, SwitchState
from logos.testing.builders import (
    Always,
    Scripted,
    bar,
    ends_in,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    refusals_in,
    run,
    trading_core,
)

COIN = instrument("COIN", tick="0.01", lot="0.01", quote="USD")
OTHER = instrument("OTHER", tick="0.01", lot="0.01", quote="USD")
AT_ONCE = paper_rules(FillRule.BID_ASK)
MID = Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING


def ticks(count: int) -> list[Quote]:
    return [quote(COIN, number, "99.99", "100.01") for number in range(1, count + 1)]


def blocked_in(records: list[Record]) -> list[int]:
    """Times (here: numbers) of the ticks that gate 1 blocked."""
    return [each.ts_ns for each in records if isinstance(each, BlockedRecord)]


@pytest.mark.parametrize(
    ("count", "kill_at", "orders", "blocked"),
    [(10, 0, 10, 0), (15, 5, 4, 11), (5, 1, 0, 5)],
    ids=["10 ticks, no kill", "15 ticks, kill at tick 5", "5 ticks, kill at tick 1"],
)
def test_acceptance_scenario(count: int, kill_at: int, orders: int, blocked: int) -> None:
    events: list[Event] = list(ticks(count))
    if kill_at:
        events.insert(kill_at - 1, Engage(kill_at, "rehearsal", "tester"))
    core = trading_core(Always(Side.BUY), COIN, rules=AT_ONCE)
    records = run(core, events)
    assert len(orders_in(records)) == orders
    assert blocked_in(records) == list(range(count + 1 - blocked, count + 1))
    assert core.blocked_count == blocked


def test_a_halting_session_stops_at_the_first_blocked_tick() -> None:
    events: list[Event] = [*ticks(4), Engage(5, "rehearsal", "tester"), *ticks(9)[4:]]
    core = trading_core(Always(Side.BUY), COIN, rules=AT_ONCE, halt_on_engage=True)
    core.start(1)
    core.run(events)
    records = core.take_effects()
    assert core.is_halted
    assert len(orders_in(records)) == 4
    assert blocked_in(records) == [5]
    assert core.order_manager.now_ns == 5


@pytest.mark.parametrize("state", SwitchState)
def test_what_lets_all_out_is_what_the_rule_closes_to_no_order(state: SwitchState) -> None:
    # One that opens a position, one that adds to it, and one that turns it round.
    orders = [(5, 0, 0), (5, 5, 5), (-9, 5, 0)]
    assert lets_all_out(state) is all(why_closed(state, *order) is None for order in orders)


class EngagesItself(Strategy):
    """Engages the switch while it decides, then orders all the same."""

    def __init__(self, switch: InProcessSwitch, at: int, answer: Answer) -> None:
        self.switch = switch
        self.at = at
        self.answer = answer

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        if context.now_ns == self.at:
            self.switch.engage("seen in the signal", "strategy")
        return self.answer


def test_engaged_between_signal_and_order_blocks_at_the_second_gate() -> None:
    switch = InProcessSwitch()
    strategy = EngagesItself(switch, 5, [Side.BUY, limit(Side.BUY, 1, 90), Side.BUY])
    core = trading_core(strategy, COIN, rules=AT_ONCE, switch=switch, order_quantity="0.5")
    records = run(core, ticks(15))
    made = orders_in(records)
    assert max(order.ts_ns for order in made) == 4
    assert [code for code in refusals_in(records) if code is MID] == [MID] * 3
    assert blocked_in(records) == list(range(6, 16))
    assert core.order_manager.states["COIN"].working == []
    assert {end for end in ends_in(records).values() if end != "FILLED"} == {
        "CANCELLED CANCELLED_BY_KILL_SWITCH"
    }


def test_a_target_after_an_engagement_sends_nothing_and_is_forgotten() -> None:
    switch = InProcessSwitch()
    core = trading_core(EngagesItself(switch, 5, Target(3)), COIN, rules=AT_ONCE, switch=switch)
    switch.engage("before the first target", "test")
    core.start(1)
    core.step(quote(COIN, 2, "99.99", "100.01"))
    assert core.order_manager.targeted == []
    switch = InProcessSwitch()
    core = trading_core(EngagesItself(switch, 5, Target(3)), COIN, rules=AT_ONCE, switch=switch)
    core.start(1)
    state = core.order_manager.states["COIN"]
    core.order_manager.set_target(state, StandingTarget(Target(7)))
    switch.engage("while a target stands", "test")
    records = core.step(quote(COIN, 3, "99.99", "100.01"))
    assert (orders_in(records), state.target, core.order_manager.targeted) == ([], None, [])


def test_a_strategy_that_engages_and_stays_silent_is_blocked_from_the_next_tick() -> None:
    switch = InProcessSwitch()
    core = trading_core(EngagesItself(switch, 3, None), COIN, switch=switch)
    assert blocked_in(run(core, ticks(6))) == [4, 5, 6]


@pytest.mark.parametrize("crossing", ["quote", "bar", "other symbol"])
def test_what_rests_is_cancelled_before_the_tick_could_fill_it(crossing: str) -> None:
    switch = InProcessSwitch()
    strategy = Scripted({1: limit(Side.BUY, 1, 99)})
    core = trading_core(strategy, COIN, OTHER, switch=switch)
    core.start(1)
    records = core.step(bar(COIN, 1, "100 100 100 100"))
    switch.engage("now", "tester")
    crossings: dict[str, Event] = {
        "quote": quote(COIN, 60_000_000_001, "89.99", "90.01"),
        "bar": bar(COIN, 2, "90 90 90 90"),
        "other symbol": bar(OTHER, 2, "1 1 1 1"),
    }
    records += core.step(crossings[crossing])
    assert ends_in(records) == {1: "CANCELLED CANCELLED_BY_KILL_SWITCH"}
    assert fills_in(records) == []
    assert all(wallet.locked == 0 for wallet in core.order_manager.account.wallets)


def test_a_replacement_under_way_dies_with_its_order() -> None:
    switch = InProcessSwitch()
    script: dict[int, Answer] = {
        1: limit(Side.BUY, 1, 99, tag="a"),
        2: Replace(tag="a", limit_price=98),
    }
    core = trading_core(Scripted(script), COIN, switch=switch, rules=paper_rules(latency_ns=2))
    records = core.start(1) + core.step(ticks(1)[0]) + core.step(ticks(2)[1])
    switch.engage("now", "tester")
    for event in ticks(9)[2:]:
        records += core.step(event)
    assert ends_in(records) == {1: "CANCELLED CANCELLED_BY_KILL_SWITCH"}
    assert len(orders_in(records)) == 1


def test_positions_are_still_valued_and_nothing_is_flattened_while_engaged() -> None:
    core = trading_core(Scripted({1: market(Side.BUY, 1)}), COIN, rules=AT_ONCE)
    core.start(1)
    core.step(ticks(1)[0])
    core.step(Engage(2, "drill", "tester"))
    core.step(quote(COIN, 3, "109.99", "110.01"))
    book = core.order_manager.states["COIN"]
    assert book.inventory.position == 100
    assert book.unrealised == 998 * 10**6  # bought at 100.01, worth 109.99
    core.stop()
    assert book.inventory.position == 100


def test_the_switch_is_recorded_once_with_its_reason() -> None:
    core = trading_core(Scripted(), COIN)
    events: list[Event] = [ticks(1)[0], Engage(2, "fire drill", "ann"), *ticks(5)[2:]]
    seen = [each for each in run(core, events) if isinstance(each, SwitchRecord)]
    assert [(each.ts_ns, each.state, each.reason) for each in seen] == [
        (2, "ENGAGED", "fire drill (by ann)")
    ]


def test_an_engaged_switch_keeps_start_and_stop_from_the_strategy() -> None:
    switch = InProcessSwitch()
    switch.engage("before", "tester")
    order = market(Side.BUY, 1, symbol="COIN")
    core = trading_core(Scripted({0: order, -1: order}), COIN, switch=switch)
    records = run(core, ticks(2))
    assert orders_in(records) == []
    assert refusals_in(records) == []


class LyingFlag:
    """A switch whose hint says SAFE while the authority says ENGAGED: a bare touched file."""

    epoch = 0

    flag = bytearray(1)

    def authority(self) -> SwitchState:
        return SwitchState.ENGAGED

    def engage(self, reason: str, by: str) -> None:
        raise AssertionError("nobody engages it here")

    def set_reduce_only(self, reason: str, by: str) -> None:
        raise AssertionError("nobody restricts it here")

    def why(self) -> str:
        return "touched"


def test_the_authority_stops_the_very_next_order_whatever_the_hint_says() -> None:
    core = trading_core(Always(Side.BUY), COIN, rules=AT_ONCE, switch=LyingFlag())
    records = run(core, ticks(5))
    assert orders_in(records) == []
    assert refusals_in(records) == [MID]
    assert blocked_in(records) == [2, 3, 4, 5]


# ---- reduce-only ----


@pytest.mark.parametrize(
    ("signed", "position", "in_flight", "is_allowed"),
    [
        (-5, 10, 0, True),
        (-10, 10, 0, True),
        (-11, 10, 0, False),
        (-5, 10, 5, True),
        (-6, 10, 5, False),
        (5, 10, 0, False),
        (1, 0, 0, False),
        (-1, 0, 0, False),
        (5, -10, 0, True),
        (11, -10, 0, False),
        (-5, -10, 0, False),
    ],
)
def test_reduce_only_lets_through_what_cannot_pass_flat(
    signed: int, position: int, in_flight: int, is_allowed: bool
) -> None:
    switch = InProcessSwitch()
    assert why_closed(switch.authority(), signed, position, in_flight) is None
    switch.set_reduce_only("careful", "tester")
    assert reduces(signed, position, in_flight) is is_allowed
    verdict = why_closed(switch.authority(), signed, position, in_flight)
    assert verdict is (None if is_allowed else Code.REDUCE_ONLY)
    switch.engage("stop", "tester")
    assert why_closed(switch.authority(), signed, position, in_flight) is MID


def test_reduce_only_shrinks_and_never_grows_a_position() -> None:
    switch = InProcessSwitch()
    script: dict[int, Answer] = {
        1: [market(Side.BUY, 5), limit(Side.BUY, 1, 90), limit(Side.SELL, 2, 110)],
        3: [market(Side.BUY, 1), market(Side.SELL, 4), market(Side.SELL, 3)],
    }
    core = trading_core(Scripted(script), COIN, rules=AT_ONCE, switch=switch, borrow={"COIN": "99"})
    core.start(1)
    events = ticks(5)
    records = core.step(events[0])
    switch.set_reduce_only("careful", "tester")
    for event in events[1:]:
        records += core.step(event)
    # The resting purchase goes; the resting sale of 2 stays and counts against what may follow.
    assert ends_in(records)[2] == "CANCELLED CANCELLED_BY_KILL_SWITCH"
    assert refusals_in(records) == [Code.REDUCE_ONLY, Code.REDUCE_ONLY]
    assert core.order_manager.states["COIN"].inventory.position == 200
    assert blocked_in(records) == []


def test_a_switch_only_gets_stricter_and_keeps_its_first_reason() -> None:
    switch = InProcessSwitch()
    switch.set_reduce_only("careful", "ann")
    assert (switch.authority(), switch.why()) == (SwitchState.REDUCE_ONLY, "careful (by ann)")
    switch.engage("stop", "bob")
    switch.engage("again", "eve")
    switch.set_reduce_only("careful", "ann")
    assert (switch.authority(), switch.why()) == (SwitchState.ENGAGED, "stop (by bob)")
    assert switch.flag[0] == SwitchState.ENGAGED


def test_no_command_resets_the_switch() -> None:
    with pytest.raises(ValueError, match="unknown command 'reset'; one of suspend, resume, pause"):
        make_command("reset", 1, "let me", "someone")


@pytest.mark.parametrize("kill_at", range(1, 9))
def test_after_engagement_there_is_no_order_whenever_it_comes(kill_at: int) -> None:
    """Killed before any one of the ticks, with orders of every age under way."""
    script: dict[int, Answer] = {
        number: [Side.BUY, limit(Side.SELL, 1, 101), Replace(order_id=number, quantity=2)]
        for number in range(1, 9)
    }
    core = trading_core(
        Scripted(script), COIN, borrow={"COIN": "99"}, rules=paper_rules(latency_ns=2)
    )
    events: list[Event] = list(ticks(9))
    events.insert(kill_at - 1, Engage(kill_at, "drill", "tester"))
    records = run(core, events)
    assert all(order.ts_ns < kill_at for order in orders_in(records))
    assert all(fill.ts_ns < kill_at for fill in fills_in(records))
    assert core.order_manager.states["COIN"].working == []


@pytest.mark.parametrize(
    ("signed", "position", "in_flight", "expected"),
    [
        (-1, 1, 0, True),
        (1, -1, 0, True),
        (-2, 2, 0, True),
        (-2, 1, 0, False),
        (-1, 2, 1, True),
        (-1, 2, 2, False),
        (1, 1, 0, False),
        (-1, -1, 0, False),
        (1, 0, 0, False),
        (-1, 0, 0, False),
    ],
)
def test_an_order_reduces_down_to_the_last_unit_and_not_beyond(
    signed: int, position: int, in_flight: int, expected: bool
) -> None:
    assert reduces(signed, position, in_flight) is expected
    switch = InProcessSwitch()
    assert why_closed(switch.authority(), signed, position, in_flight) is None
    switch.set_reduce_only("drill", "ann")
    refused = None if expected else Code.REDUCE_ONLY
    assert why_closed(switch.authority(), signed, position, in_flight) is refused
    switch.engage("drill", "ann")
    killed = Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING
    assert why_closed(switch.authority(), signed, position, in_flight) is killed


def test_a_switch_that_nobody_threw_has_no_reason() -> None:
    assert InProcessSwitch().why() == ""
