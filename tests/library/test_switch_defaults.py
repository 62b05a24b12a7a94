"""`CircuitBreaker()` without more: the workspace's switch, the user's name, a quick check."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

import logos
from logos.core.types import SwitchState
from logos.killswitch.breaker import GLANCE_NS


@pytest.fixture
def breaker(logos_home: Path) -> logos.CircuitBreaker:
    made = logos.CircuitBreaker()
    made.arm_if_new()
    return made


def test_it_is_the_switch_of_the_workspace(breaker: logos.CircuitBreaker, logos_home: Path) -> None:
    assert breaker.folder == logos_home / "state" / "kill-switch"
    assert breaker.is_safe()
    other = logos.CircuitBreaker()
    result = other.engage("enough")
    assert result.state is SwitchState.ENGAGED
    assert not breaker.is_safe()
    assert not other.is_safe()
    record = breaker.status()
    assert record.who == getpass.getuser()
    assert "enough" in record.why


def test_where_nothing_was_armed_it_is_not_safe(logos_home: Path) -> None:
    assert not logos.CircuitBreaker().is_safe()


def test_who_is_named_by_a_system_without_users(
    breaker: logos.CircuitBreaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    breaker.set_reduce_only("careful")
    assert breaker.status().who == "unknown"
    assert not breaker.is_safe()


def test_a_bare_marker_is_seen_within_the_glance(
    breaker: logos.CircuitBreaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = 10 * GLANCE_NS
    monkeypatch.setattr("logos.killswitch.breaker._monotonic_ns", lambda: now_ns)
    assert breaker.is_safe()
    (breaker.folder / "KILL").touch()
    assert breaker.is_safe()  # nobody has told the flag
    assert breaker.authority() is SwitchState.ENGAGED  # what an order is asked
    assert not breaker.is_safe()


def test_the_glance_ends(breaker: logos.CircuitBreaker, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = 10 * GLANCE_NS
    monkeypatch.setattr("logos.killswitch.breaker._monotonic_ns", lambda: now_ns)
    assert breaker.is_safe()
    (breaker.folder / "KILL").touch()
    now_ns += GLANCE_NS
    assert not breaker.is_safe()
    now_ns += 1
    assert not breaker.is_safe()


def test_a_reset_lets_it_be_safe_again(breaker: logos.CircuitBreaker) -> None:
    epoch = breaker.engage("a drill").epoch
    assert not breaker.is_safe()
    breaker.reset("me", "the drill is over", epoch)
    assert breaker.is_safe()


def test_a_check_while_safe_asks_no_file(
    breaker: logos.CircuitBreaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert breaker.is_safe()
    monkeypatch.setattr(
        logos.CircuitBreaker, "authority", lambda self: pytest.fail("the files were looked at")
    )
    monkeypatch.setattr("logos.killswitch.breaker._monotonic_ns", lambda: breaker._looked_ns)
    assert breaker.is_safe()
