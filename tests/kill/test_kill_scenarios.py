"""The acceptance scenarios of the kill switch, with the machine's file-backed switch.

Ten ticks make ten orders; fifteen with the switch thrown right before tick five make four; five
with the switch thrown before the first make none. It is thrown in this process and by another one,
which has ended before the tick is handed over, so that the tick is exact and nothing is timed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from kill_helpers import kill_marker, logos, read_journal

from logos import __version__, session
from logos.core.instrument import instrument
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Code, SessionStatus, Side
from logos.killswitch.breaker import CircuitBreaker
from logos.testing.builders import Always, quote

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
ONE_ORDER_EACH = market(Side.BUY, 1)
SETTINGS = {
    "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "account": {"balances": {"USD": "1000000"}},
}


def by_command(home: Path) -> None:
    """`logos kill`; it does not wait, for the session waits for it, and says so."""
    done = logos(home, "kill", "--reason", "drill", "--by", "ann", "--timeout", "0")
    assert done.returncode == 3
    assert "session-0001" in done.stderr
    assert "NOT BLOCKED" in done.stderr


def by_touch(home: Path) -> None:
    subprocess.run(["touch", str(kill_marker(home))], check=True)


def by_this_process(home: Path) -> None:
    """Somebody else in this process: an object of its own on the same files."""
    breaker = CircuitBreaker(home / "state" / "kill-switch", build=__version__, mode="paper")
    breaker.engage("drill", "ann")
    breaker.close()


WAYS: list[Callable[[Path], None]] = [by_command, by_touch, by_this_process]


class ThrownBefore:
    """Ticks one by one; right before tick `at_tick` the switch is thrown."""

    def __init__(self, count: int, at_tick: int | None, throw: Callable[[], None]) -> None:
        self._count = count
        self._at_tick = at_tick
        self._throw = throw

    def chunks(self) -> Iterator[Sequence[Event]]:
        for number in range(1, self._count + 1):
            if number == self._at_tick:
                self._throw()
            yield [quote(ACME, number * 1_000_000_000, "10.00", "10.02")]


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("count", "at_tick", "orders"), [(10, None, 10), (15, 5, 4), (5, 1, 0)], ids=str
)
def test_not_one_order_is_made_from_the_tick_on_at_which_the_switch_is_thrown(
    logos_home: Path,
    way: Callable[[Path], None],
    count: int,
    at_tick: int | None,
    orders: int,
) -> None:
    result = session.run(
        {**SETTINGS, "switch": {"on_engaged": "block"}},
        strategy=Always(ONE_ORDER_EACH),
        feed=ThrownBefore(count, at_tick, lambda: way(logos_home)),
    )
    assert result.status is SessionStatus.ENDED
    assert result.summary["ticks"] == count
    assert result.summary["orders"] == orders
    stopped = 0 if at_tick is None else count - at_tick + 1
    # Gate 1 learns of a bare touch from whoever looks first; gate 2 always looks.
    refused = result.summary["refusals"].get(Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING.value, 0)
    assert result.summary["blocked"] + refused == stopped
    assert refused <= (way is by_touch)
    journal = read_journal(result.folder)
    assert len(journal.of("order")) == orders
    assert journal.orders_after_engagement == 0
    assert journal.open_orders == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_halted_session_ends_with_the_guards_exit_code_and_cancels_what_rests(
    logos_home: Path, way: Callable[[Path], None]
) -> None:
    result = session.run(
        {**SETTINGS, "switch": {"on_engaged": "halt"}},
        strategy=Always(ONE_ORDER_EACH),
        feed=ThrownBefore(15, 5, lambda: way(logos_home)),
    )
    assert (result.status, int(result.exit_code)) == (SessionStatus.HALTED, 4)
    journal = read_journal(result.folder)
    assert len(journal.of("order")) == 4
    assert journal.open_orders == 0
    cancelled = Code.CANCELLED_BY_KILL_SWITCH.value
    # The order of tick 4 would have filled at tick 5, or did where gate 2 was the first to see.
    assert sum(each["reason"] == cancelled for each in journal.of("order_update")) <= 1
    with pytest.raises(session.SwitchEngagedError, match=r"logos kill reset .*--epoch \d+"):
        session.run(SETTINGS, strategy=Always(None), feed=ThrownBefore(1, None, lambda: None))


class TouchesBeforeItAnswers(Strategy):
    """The marker appears while the strategy thinks; its order must not leave."""

    def __init__(self, home: Path, at_tick: int) -> None:
        self._home = home
        self._left = at_tick

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self._left -= 1
        if self._left == 0:
            os.close(os.open(kill_marker(self._home), os.O_CREAT, 0o644))
        return ONE_ORDER_EACH


@pytest.mark.parametrize("on_engaged", ["halt", "block"])
def test_a_marker_that_appears_during_the_decision_stops_that_very_order(
    logos_home: Path, on_engaged: str
) -> None:
    result = session.run(
        {**SETTINGS, "switch": {"on_engaged": on_engaged}},
        strategy=TouchesBeforeItAnswers(logos_home, 5),
        feed=ThrownBefore(15, None, lambda: None),
    )
    assert result.summary["orders"] == 4
    assert result.summary["refusals"] == {Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING.value: 1}
    assert result.summary["blocked"] == (1 if on_engaged == "halt" else 10)
