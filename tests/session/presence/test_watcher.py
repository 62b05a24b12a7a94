"""The watching thread dies or hangs: the switch engages within a second (G19)."""

from __future__ import annotations

import ctypes
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import bars
from live_session_helpers import HandClock, ScriptedFeed, live
from waiting import PATIENCE_S, wait_until

from logos.core.gates import InProcessSwitch
from logos.core.messages import Event
from logos.core.types import SessionStatus
from logos.execution.pulse import CREDIT_S, SILENCE_S, Pulse
from logos.feeds.contract import Sink
from logos.killswitch.breaker import CircuitBreaker
from logos.session import SessionResult
from logos.session import run as run_session
from logos.session.presence.watcher import Watcher
from logos.testing.builders import Scripted

G19_S = 1.0
WATCHER, STALLS = "kill switch watch", "stall watch"
CONFIG = {
    "session": {"id": "small"},
    "instruments": {"ACME": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    "account": {"balances": {"USD": "1000000"}},
}


def kill_thread(name: str) -> None:
    """End the thread of that name, wherever it is."""
    (found,) = [each for each in threading.enumerate() if each.name == name]
    assert found.ident is not None
    number = ctypes.c_ulong(found.ident)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(SystemExit))


class Stopwatch:
    """From `begin` to the first engagement of a switch, in time in which this process ran."""

    def __init__(self) -> None:
        self.starved_s = 0.0
        self.took_s = 0.0
        self._began_s = 0.0
        self._over = threading.Event()

    def begin(self) -> None:
        self._began_s = time.monotonic()
        threading.Thread(target=self._feel, daemon=True).start()

    def engaged(self) -> None:
        if not self._over.is_set():
            self.took_s = time.monotonic() - self._began_s - self.starved_s
            self._over.set()

    def _feel(self) -> None:
        """A busy machine lets this thread wait for longer than it asked to; so it does others."""
        last_s = time.monotonic()
        while not self._over.wait(0.005):
            now_s = time.monotonic()
            self.starved_s += max(0.0, now_s - last_s - 0.01)
            last_s = now_s


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """Stops when any switch is engaged."""
    watch = Stopwatch()
    for kind in (CircuitBreaker, InProcessSwitch):
        engage = kind.engage

        def noted(switch: Any, reason: str, by: str, engage: Any = engage) -> object:
            watch.engaged()
            return engage(switch, reason, by)

        monkeypatch.setattr(kind, "engage", noted)
    return watch


class Paced:
    """Bars for as long as the session takes them, a moment apart; `at_third` comes in between."""

    def __init__(self, at_third: Callable[[], object]) -> None:
        self._at_third = at_third

    def chunks(self) -> Iterator[Sequence[Event]]:
        pause = threading.Event()
        for number, bar in enumerate(bars(100_000)):
            if number == 2:
                self._at_third()
            if number > 2:
                pause.wait(0.002)
            yield [bar]


def recorded(home: Path, watch: Stopwatch, at_third: Callable[[], object]) -> SessionResult:
    """A session on recorded data to whose threads `at_third` does something."""

    def happen() -> None:
        watch.begin()
        at_third()

    return run_session(
        CONFIG, strategy=Scripted({}), feed=Paced(happen), home=home, tell=lambda _: None
    )


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """What makes the watching thread hang, as in a disk that does not answer."""
    is_hanging, release = threading.Event(), threading.Event()
    authority = CircuitBreaker.authority

    def hang(breaker: CircuitBreaker) -> object:
        if is_hanging.is_set() and threading.current_thread().name == WATCHER:
            release.wait(PATIENCE_S)
        return authority(breaker)

    monkeypatch.setattr(CircuitBreaker, "authority", hang)
    yield is_hanging.set
    release.set()


def assert_engaged(home: Path, words: str) -> None:
    breaker = CircuitBreaker(home / "state" / "kill-switch")
    try:
        assert words in breaker.status().why
        assert breaker.status().who == "supervisor"
        assert breaker.status().state.name == "ENGAGED"
    finally:
        breaker.close()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_g19_the_watching_thread_is_killed_and_the_switch_engages(
    tmp_path: Path, stopwatch: Stopwatch
) -> None:
    result = recorded(tmp_path, stopwatch, lambda: kill_thread(WATCHER))
    assert (result.status, result.exit_code) == (SessionStatus.HALTED, 4)
    assert 0 < stopwatch.took_s < G19_S
    assert_engaged(tmp_path, "the thread that watches the kill switch")


@pytest.mark.long
def test_g19_the_watching_thread_hangs_and_the_switch_engages(
    tmp_path: Path, hanging: Callable[[], None], stopwatch: Stopwatch
) -> None:
    result = recorded(tmp_path, stopwatch, hanging)
    assert result.status is SessionStatus.HALTED
    assert 0 < stopwatch.took_s < G19_S
    assert_engaged(tmp_path, "the thread that watches the kill switch has been silent for 0.")


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", [WATCHER, STALLS])
def test_g19_a_thread_of_an_idle_live_session_is_killed_and_the_switch_engages(
    tmp_path: Path, name: str, stopwatch: Stopwatch
) -> None:
    """Its feed is silent and its clock stands still: nothing comes that would look."""

    class Silent(ScriptedFeed):
        async def run(self, sink: Sink) -> None:
            stopwatch.begin()
            kill_thread(name)
            await clock.sleep(0)

    clock, switch = HandClock(), InProcessSwitch()
    result = live(tmp_path, Silent(clock, 60), clock, switch=switch)
    assert 0 < stopwatch.took_s < G19_S
    assert result.status is SessionStatus.HALTED
    assert "the thread that watches" in result.reason
    assert "the thread that watches" in switch.why()


def test_an_engagement_that_is_asked_for_has_happened_when_the_asker_goes_on() -> None:
    switch = InProcessSwitch()
    watcher = Watcher(switch, lambda: None)
    watcher.start()
    watcher.engage("SIGUSR1", "signal")
    assert switch.why() == "SIGUSR1 (by signal)"
    assert watcher.problem() == ""
    watcher.stop()
    wait_until(lambda: watcher.problem() != "", "a thread that was stopped is no more")


def test_a_thread_that_moves_is_no_problem_and_one_that_does_not_is() -> None:
    beats = itertools.count()
    moving, still = Pulse("a", lambda: next(beats)), Pulse("b", lambda: 7)
    for number in range(8):
        now_s = number * CREDIT_S
        assert moving.problem(True, now_s) == ""
        is_silent = now_s >= SILENCE_S - 1e-9
        assert bool(still.problem(True, now_s)) is is_silent, now_s
    assert still.problem(True, 8 * CREDIT_S) == "the thread b has been silent for 1.6 s"
    assert moving.problem(False, 0.0) == "the thread a has ended"


def test_time_in_which_nobody_asked_is_not_held_against_a_thread() -> None:
    """A process that was suspended for a minute: the thread could not move either."""
    beats = [1]
    pulse = Pulse("a", lambda: beats[0])
    assert pulse.problem(True, 0.0) == ""
    assert pulse.problem(True, 60.0) == ""
    assert pulse.problem(True, 120.0) == ""
    assert "silent" in pulse.problem(True, 180.0)
    beats[0] = 2
    assert pulse.problem(True, 181.0) == ""
