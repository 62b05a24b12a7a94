"""A strategy or guard that does not return is named: to the operator, and to `logos status`.

In recorded, replayed and live sessions alike. The stuck code waits for the watchdog itself to have
spoken, so that no test depends on how busy the machine is.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from guard_helpers import A
from live_session_helpers import ScriptedFeed, TickingClock, settings
from session_helpers import ListFeed

from logos.cli.main import main
from logos.core.gates import InProcessSwitch
from logos.core.guards import OwnGuard
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import FillRule, SessionStatus, Side
from logos.session.connections import Outside
from logos.session.entry import replay, run, run_live
from logos.session.presence import watchdog
from logos.session.presence.watchdog import UserCode, Watchdog
from logos.testing.builders import paper_rules, quote, trading_core

WAIT_S = 30.0


class Stuck(Strategy):
    """Does not return from its third quote until it is `freed`."""

    freed = threading.Event()
    seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.seen += 1
        if self.seen == 3:
            assert self.freed.wait(WAIT_S), "nobody said anything"
        return None


class Heard(list[str]):
    """What the operator heard; `then` is called with it first."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self._then = then

    def tell(self, text: str) -> None:
        self.append(text)
        if "has not returned" in text:
            self._then()
            Stuck.freed.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog of a session looks often and speaks after a tenth of a second."""
    monkeypatch.setattr(watchdog, "_LOOK_S", 0.02)
    monkeypatch.setattr("logos.session.open.Watchdog", functools.partial(Watchdog, limit_s=0.1))
    Stuck.freed = threading.Event()


CONFIG = {
    "session": {"id": "stuck"},
    "instruments": {A.symbol: {"quote": A.quote, "tick": "0.01", "lot": "1"}},
}


def ticked(second: int) -> Quote:
    return quote(A, second * 10**9, "99", "100")


def quotes(count: int) -> ListFeed:
    return ListFeed([ticked(second) for second in range(1, count + 1)], size=count)


def assert_named(heard: Heard, module: str = __name__) -> None:
    first, last = (text for text in heard if "strategy " in text)
    assert first.startswith(f"strategy {module}:Stuck in on_quote has not returned for ")
    assert "threading.py:" in first, "the line that is waiting"
    assert "no event is handled and no order leaves until it does" in first
    assert last.startswith(f"strategy {module}:Stuck in on_quote returned after ")


@pytest.mark.long
def test_a_recorded_session_and_its_replay_name_a_strategy_that_does_not_return(
    tmp_path: Path,
) -> None:
    heard = Heard()
    options: dict[str, Any] = {"switch": InProcessSwitch(), "home": tmp_path, "tell": heard.tell}
    result = run(CONFIG, strategy=Stuck(), feed=quotes(5), **options)
    assert result.status is SessionStatus.ENDED
    assert_named(heard)
    Stuck.freed = threading.Event()
    heard.clear()
    del options["switch"]
    replay("stuck", strategy=Stuck(), feed=quotes(5), **options)
    assert_named(heard)


@pytest.mark.long
def test_status_names_it_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGOS_HOME", str(tmp_path))
    codes: list[int] = []
    heard = Heard(lambda: codes.append(main(["status", "stuck"])))
    run(CONFIG, strategy=Stuck(), feed=quotes(5), switch=InProcessSwitch(), tell=heard.tell)
    shown = capsys.readouterr().out
    assert codes == [1]
    assert f"stuck: STALLED: strategy {__name__}:Stuck in on_quote has not returned for" in shown


@pytest.mark.long
def test_a_live_session_names_it_too(tmp_path: Path) -> None:
    heard = Heard()
    clock = TickingClock()
    run_live(
        settings(),
        strategy=Stuck(),
        outside=Outside(feeds=[ScriptedFeed(clock, 20)], clock=clock),
        switch=InProcessSwitch(),
        home=tmp_path,
        tell=heard.tell,
    )
    assert_named(heard)


# ---- what is recognised, by hand ----


class Rig:
    """A watchdog whose looks are made by hand, while `inside` a call of the user's code."""

    def __init__(self, strategy: Strategy, *guards: OwnGuard) -> None:
        self.core = trading_core(strategy, A, rules=paper_rules(FillRule.BID_ASK))
        self.core.order_manager.guards.own = list(guards)
        self.shown: list[str] = []
        self.told: list[str] = []
        self.watchdog = Watchdog(self.core, self.shown.append, self.told.append, limit_s=4.0)


class Looking(Strategy):
    """Looks at given moments from within `on_quote`, in the middle of the call."""

    def __init__(self, *moments_s: float) -> None:
        self.moments_s = moments_s
        self.rig: Rig | None = None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        assert self.rig is not None
        for moment_s in self.moments_s:
            self.rig.watchdog.look(moment_s)
        return None


def played(strategy: Looking, events: int, *others: float) -> Rig:
    rig = strategy.rig = Rig(strategy)
    rig.core.start(1)
    for second in range(1, events + 1):
        rig.core.step(ticked(second))
    for moment_s in others:
        rig.watchdog.look(moment_s)
    return rig


def test_it_speaks_at_the_limit_once_and_when_the_call_has_returned() -> None:
    rig = played(Looking(10.0, 13.9, 14.0, 19.0), 1, 20.0, 30.0)
    what = f"strategy {__name__}:Looking in on_quote"
    assert [text.partition(" (")[0] for text in rig.told] == [
        f"{what} has not returned for 4.0 s",
        f"{what} returned after 10.0 s",
    ]
    assert [text.partition(" (")[0] for text in rig.shown] == [
        f"{what} has not returned for 4.0 s",
        f"{what} has not returned for 9.0 s",
        "",
    ]


def test_a_strategy_that_is_slow_at_every_event_returns_from_each() -> None:
    rig = played(Looking(10.0), 9, 30.0)
    assert rig.told == []
    rig = played(Looking(10.0, 13.0), 9)
    assert rig.told == []


def test_a_session_that_waits_for_data_is_not_stuck() -> None:
    rig = played(Looking(), 3, 10.0, 100.0, 1_000.0)
    assert (rig.told, rig.shown) == ([], [])


def test_another_sessions_strategy_of_the_same_class_is_not_ours() -> None:
    ours = Rig(Looking())
    strategy = Looking()
    strategy.rig = ours
    strategy.moments_s = (10.0, 20.0)
    theirs = Rig(strategy)
    theirs.core.start(1)
    theirs.core.step(ticked(1))
    assert ours.told == []


def test_a_guard_that_does_not_return_is_named() -> None:
    class Buys(Strategy):
        def on_quote(self, context: Context, quote: Quote) -> Answer:
            return market(Side.BUY, 1)

    def slow(_: object) -> None:
        rig.watchdog.look(10.0)
        rig.watchdog.look(15.0)

    rig = Rig(Buys(), OwnGuard("mine.py:slow", slow))
    rig.core.start(1)
    rig.core.step(ticked(1))
    # The guard is the inner of the two calls: it is what does not return.
    assert rig.told[0].startswith("guard mine.py:slow has not returned for 5.0 s")


def test_methods_that_a_strategy_inherits_or_wraps_are_known_and_those_of_the_base_are_not() -> (
    None
):
    def wrapping(method: Any) -> Any:
        @functools.wraps(method)
        def wrapped(*arguments: Any) -> Any:
            return method(*arguments)

        return wrapped

    class Wrapped(Looking):
        on_quote = wrapping(Looking.on_quote)

    class Inherits(Wrapped):
        pass

    strategy = Inherits(10.0, 15.0)
    rig = played(strategy, 1)
    assert rig.told[0].startswith(f"strategy {__name__}:{Inherits.__qualname__} in on_quote has")
    assert UserCode(trading_core(Strategy(), A)).running() is None
