"""The rules of a permit, against a model that says them in another way."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from fleet_helpers import record, value_of
from hypothesis import given
from hypothesis import strategies as st

from logos.core.types import SwitchState
from logos.killswitch.fleet.permit import Known, Permit, judge_reading
from logos.killswitch.fleet.records import Reading

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED
TTL = 5


class Clock:
    def __init__(self) -> None:
        self.now = 100

    def __call__(self) -> int:
        return self.now


@dataclass
class Model:
    """What a permit is, told as a history: readings (time of request, state) and resets."""

    readings: list[tuple[int, SwitchState]] = field(default_factory=list)
    lost: bool = False

    def counts(self, now: int) -> bool:
        return bool(self.readings) and now < self.readings[-1][0] + TTL

    def see(self, now: int) -> None:
        """Somebody looks: what has run out, or is forbidden, is lost from now on."""
        if self.readings and (not self.counts(now) or self.readings[-1][1] is ENGAGED):
            self.lost = True

    def allowed(self, now: int) -> SwitchState:
        if self.lost or not self.counts(now):
            return ENGAGED
        return self.readings[-1][1]


def gate(permit: Permit, now: int, granted: int) -> SwitchState:
    """What gate 2 finds: an integer compare, and the long way where that says no."""
    if now < permit.deadline_ns:
        return SAFE
    state, _ = permit.standing(granted)
    if state is ENGAGED:
        permit.lost(granted)
    return state


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 4)),
        st.tuples(st.just("read"), st.sampled_from([SAFE, SAFE, REDUCE_ONLY, ENGAGED])),
        st.tuples(st.just("late"), st.sampled_from([SAFE, REDUCE_ONLY])),
        st.tuples(st.just("look"), st.just(0)),
        st.tuples(st.just("reset"), st.just(0)),
    ),
    max_size=40,
)


@pytest.mark.long
@given(STEPS)
def test_a_permit_allows_what_its_history_allows(steps: list[tuple[str, int]]) -> None:
    clock, model, granted = Clock(), Model(), 1
    permit = Permit("desk", clock)
    for what, argument in steps:
        if what == "wait":
            clock.now += argument
        elif what in ("read", "late"):
            # A late answer: its request began three ticks ago, and the age counts from there.
            began = clock.now - (3 if what == "late" else 0)
            model.see(clock.now)
            state = SwitchState(argument)
            permit.renew(state, 1, began + TTL, "said so")
            model.readings.append((began, state))
            model.see(clock.now)
        elif what == "reset":
            # What ran out before a person's reset is cleared by it; what is engaged is not.
            gate(permit, clock.now, granted)
            model.see(clock.now)
            if not model.readings:
                model.lost = True
            granted += 1
            if model.counts(clock.now) and model.readings[-1][1] is not ENGAGED:
                model.lost = False
            else:
                # The next look finds it still forbidden, and loses it at the new reset.
                gate(permit, clock.now, granted)
                model.lost = True
        else:
            if not model.readings:
                model.lost = True
            model.see(clock.now)
        assert gate(permit, clock.now, granted) is model.allowed(clock.now)
        model.see(clock.now)
        if not model.readings:
            model.lost = True


def test_a_permit_that_ran_out_unseen_is_not_brought_back_by_a_reading() -> None:
    clock = Clock()
    permit = Permit("desk", clock)
    permit.renew(SAFE, 1, clock.now + TTL)
    clock.now += TTL
    permit.renew(SAFE, 1, clock.now + TTL)
    assert permit.deadline_ns == 0
    state, why = permit.standing(granted_epoch=1)
    assert state is ENGAGED
    assert "has expired" in why
    permit.lost(1)
    assert permit.standing(1)[0] is ENGAGED
    assert permit.standing(2)[0] is SAFE, "a person has reset this machine's switch since"
    assert permit.deadline_ns == clock.now + TTL


def test_there_is_no_permit_before_the_first_reading() -> None:
    permit = Permit("desk", Clock())
    assert permit.deadline_ns == 0
    assert permit.standing(1) == (ENGAGED, "fleet desk has given no permit yet")


KNOWN = judge_reading("desk", Known(), Reading("c1", 10, value_of(record(3)), 9)).known


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading("c1", 11, None, 0), "the key is not there"),
        (Reading("c2", 11, value_of(record(3)), 9), "another cluster (c2) than before (c1)"),
        (Reading("c1", 9, value_of(record(3)), 9), "an older copy was put back"),
        (Reading("c1", 11, value_of(record(2)), 9), "at epoch 2, and was at 3"),
        (Reading("c1", 11, value_of(record(3, who="eve")), 9), "two different records of epoch 3"),
        (Reading("c1", 11, b"{}", 9), "is not the switch of a fleet"),
        (Reading("c1", 11, b"\xff", 9), "is not the switch of a fleet"),
        (Reading("c1", 11, value_of(record(3)) + b" " * 9000, 9), "is larger than 8192 bytes"),
        (Reading("c1", 11, value_of(record(0)), 9), "impossible epoch 0"),
        (Reading("c1", 11, value_of(record(4, schema="x")), 9), "has the schema 'x'"),
        (Reading("c1", 11, value_of(record(4, state="FINE")), 9), "is not the switch of a fleet"),
    ],
)
def test_every_doubt_about_the_coordinator_is_engaged(reading: Reading, words: str) -> None:
    judgment = judge_reading("desk", KNOWN, reading)
    assert judgment.state is ENGAGED
    assert judgment.is_doubt
    assert words in judgment.why


@pytest.mark.parametrize("state", ["SAFE", "REDUCE_ONLY", "ENGAGED"])
def test_what_the_fleets_switch_says_holds(state: str) -> None:
    judgment = judge_reading("desk", KNOWN, Reading("c1", 10, value_of(record(4, state=state)), 9))
    assert judgment.state is SwitchState[state]
    assert not judgment.is_doubt
    assert judgment.known.epoch == 4


def test_a_first_reading_has_nothing_to_contradict_but_must_be_there() -> None:
    assert judge_reading("desk", Known(), Reading("c1", 1, None, 0)).is_doubt
    assert judge_reading("desk", Known(), Reading("c1", 1, value_of(record(7)), 1)).state is SAFE


@pytest.mark.long
@given(
    st.lists(
        st.builds(
            lambda cluster, position, epoch, state: Reading(
                cluster, position, value_of(record(epoch, state=state)), position
            ),
            st.sampled_from(["c1", "c1", "c1", "c2"]),
            st.integers(1, 9),
            st.integers(1, 9),
            st.sampled_from(["SAFE", "REDUCE_ONLY", "ENGAGED"]),
        ),
        max_size=20,
    )
)
def test_what_is_taken_for_the_fleets_word_never_goes_back(readings: list[Reading]) -> None:
    known = Known()
    for reading in readings:
        judgment = judge_reading("desk", known, reading)
        if not judgment.is_doubt and known.cluster:
            assert reading.cluster == known.cluster
            assert reading.position >= known.position
            assert judgment.known.epoch >= known.epoch
        known = judgment.known
