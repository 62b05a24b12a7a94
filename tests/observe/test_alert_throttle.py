"""When a channel gets what: rate, quiet, summaries; nothing is lost by any of it."""

from __future__ import annotations

import pytest
from alert_helpers import SECOND, alert
from hypothesis import given
from hypothesis import strategies as st

from logos.config.tables.alerts import AlertKind, AlertSettings
from logos.observe.alerts.alert import Alert
from logos.observe.alerts.throttle import Throttle

RULES = AlertSettings(rate=3, rate_window_s=60, quiet_s=300)


class Channel:
    """A channel that takes everything, with the throttle of `RULES`."""

    def __init__(self, rules: AlertSettings = RULES) -> None:
        self.throttle = Throttle(rules)
        self.pending: list[Alert] = []
        self.got: list[tuple[int, list[str]]] = []
        self.again_ns = 0

    def run(self, now_s: float, *alerts: Alert) -> list[list[str]]:
        """What comes at `now_s` if `alerts` are made then."""
        self.pending += alerts
        now_ns = round(now_s * SECOND)
        came = []
        while (due := self.throttle.due(self.pending, now_ns)).alerts:
            self.throttle.delivered(due.alerts, now_ns)
            self.pending = [each for each in self.pending if each not in due.alerts]
            came.append([each.id for each in due.alerts])
            self.got.append((now_ns, came[-1]))
        self.again_ns = due.again_ns
        return came


def test_alerts_of_different_causes_come_at_once_each_by_itself() -> None:
    assert Channel().run(0, alert(1), alert(2)) == [["desk-1:1"], ["desk-1:2"]]


def test_what_is_above_the_rate_comes_as_one_summary_when_there_is_room() -> None:
    channel = Channel()
    assert len(channel.run(0, *(alert(n) for n in range(9)))) == 3
    assert channel.again_ns == 60 * SECOND
    assert channel.run(59.9) == []
    assert channel.run(60) == [[f"desk-1:{n}" for n in range(3, 9)]]


def test_one_that_waited_alone_comes_as_it_is() -> None:
    channel = Channel()
    channel.run(0, *(alert(n) for n in range(4)))
    assert channel.run(60) == [["desk-1:3"]]


def test_urgent_alerts_pass_the_others_up_to_twice_the_rate() -> None:
    channel = Channel()
    channel.run(0, *(alert(n) for n in range(5)))
    urgent = [alert(n, AlertKind.HALT) for n in range(10, 15)]
    assert channel.run(1, *urgent) == [["desk-1:10"], ["desk-1:11"], ["desk-1:12"]]
    assert sorted(each.id for each in channel.pending) == [
        *("desk-1:13", "desk-1:14", "desk-1:3", "desk-1:4"),
    ]


def test_an_urgent_alert_is_not_behind_those_before_it() -> None:
    channel = Channel()
    came = channel.run(0, *(alert(n) for n in range(5)), alert(9, AlertKind.CRASH))
    assert came[0] == ["desk-1:9"]


def test_repeats_of_one_cause_wait_and_come_as_one_summary() -> None:
    channel = Channel()
    same = [alert(n, cause="same") for n in range(5)]
    assert channel.run(0, same[0]) == [["desk-1:0"]]
    assert channel.run(10, *same[1:4]) == []
    assert channel.again_ns == 300 * SECOND
    assert channel.run(299, same[4], alert(9)) == [["desk-1:9"]]
    assert channel.run(300) == [["desk-1:1", "desk-1:2", "desk-1:3", "desk-1:4"]]
    assert channel.run(301, alert(10, cause="same")) == []


def test_another_session_or_kind_is_another_cause() -> None:
    channel = Channel(AlertSettings(rate=9))
    alerts = [
        alert(1, cause="same"),
        alert(2, cause="same", session="desk-2"),
        alert(3, AlertKind.LAG, cause="same"),
    ]
    assert len(channel.run(0, *alerts)) == 3


def test_without_a_quiet_time_repeats_come() -> None:
    channel = Channel(AlertSettings(quiet_s=0))
    assert len(channel.run(0, alert(1, cause="same"), alert(2, cause="same"))) == 2


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    channel = Channel()
    channel.run(1_000_000, *(alert(n, cause="same") for n in range(4)))
    assert channel.run(0, alert(9, cause="same")) != []


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 50),
        st.sampled_from([AlertKind.FEED, AlertKind.HALT]),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=60,
)


@pytest.mark.long
@given(EVENTS, st.integers(1, 4))
def test_every_alert_comes_once_and_the_rate_is_never_passed(
    events: list[tuple[int, AlertKind, str]], rate: int
) -> None:
    channel = Channel(AlertSettings(rate=rate, rate_window_s=60, quiet_s=30))
    now_s = 0
    for number, (later_s, kind, cause) in enumerate(events):
        now_s += later_s
        channel.run(now_s, alert(number, kind, cause=cause))
    for _ in range(200):
        if not channel.pending:
            break
        assert channel.again_ns > now_s * SECOND
        now_s = -(-channel.again_ns // SECOND)
        channel.run(now_s)
    came = [each for _, ids in channel.got for each in ids]
    assert sorted(came) == sorted(f"desk-1:{n}" for n in range(len(events)))
    for time_ns, _ in channel.got:
        window = [each for each, _ in channel.got if time_ns - 60 * SECOND < each <= time_ns]
        assert len(window) <= 2 * rate
