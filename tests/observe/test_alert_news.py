"""What is news to a watch that begins: not what ended before, but what still stands."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from alert_helpers import SECOND, FakeSession, guard, look, running, sealed, switch_folder, told

from logos.config.tables.alerts import AlertKind
from logos.core.types import Code
from logos.killswitch.breaker import CircuitBreaker
from logos.observe.alerts.places import Place, Places, read_places, write_places
from logos.observe.alerts.watch import Watch


@pytest.fixture
def home(logos_home: Path) -> Path:
    return logos_home


def test_what_ended_before_anybody_watched_is_no_news(home: Path) -> None:
    FakeSession(home, "old").end(sealed("HALTED"))
    breaker = CircuitBreaker(switch_folder(home))
    breaker.arm_if_new()
    breaker.engage("once", "ANN")
    breaker.reset("ANN", "all is well", breaker.status().epoch)
    breaker.close()
    watch = Watch(home, read_places(home / "none"), pytest.fail)
    with running(home, "new") as session:
        session.write(guard(Code.STALE_DATA))
        assert [each.session for each in look(watch)] == ["new"]
    FakeSession(home, "later").end(sealed("HALTED"))
    assert [each.session for each in look(watch)] == ["later"]
    watch.close()


def test_a_session_that_is_named_is_news_although_it_has_ended(home: Path) -> None:
    FakeSession(home, "quick").end(sealed("HALTED"))
    watch = Watch(home, read_places(home / "none"), pytest.fail)
    watch.named.add("quick")
    assert told(look(watch)) == [("halt", "HALTED: why")]
    watch.close()


def test_a_switch_that_stands_engaged_at_the_first_look_is_news(home: Path) -> None:
    breaker = CircuitBreaker(switch_folder(home))
    breaker.arm_if_new()
    breaker.engage("still", "ANN")
    breaker.close()
    watch = Watch(home, read_places(home / "none"), pytest.fail)
    assert len(look(watch)) == 1
    watch.close()


def test_another_watch_goes_on_from_the_places_that_were_saved(home: Path) -> None:
    folder = home / "state" / "alerts"
    folder.mkdir(parents=True)
    first = Watch(home, read_places(folder), pytest.fail)
    with running(home) as session:
        session.write(guard(Code.STALE_DATA))
        assert len(look(first)) == 1
        write_places(folder, first.places)
        first.close()
        session.write(guard(Code.REFUSAL_STORM))
        second = Watch(home, read_places(folder), pytest.fail)
        assert [each.kind for each in look(second)] == [AlertKind.REFUSALS]
        second.close()


def test_sessions_of_another_workspace_are_not_its_business(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    watch = Watch(home, Places(Place(), {}), pytest.fail)
    with running(other) as session:
        session.write(guard(Code.STALE_DATA))
        session.heartbeat.beat(time.time_ns() - 9 * SECOND)
        assert look(watch) == []
    watch.close()
