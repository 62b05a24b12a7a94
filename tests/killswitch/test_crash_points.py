"""The process dies, or the disk fails, at every single system call of every change."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from switch_helpers import CrashNow, FaultyLayer, Workspace

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.records import SwitchError

SAFE, REDUCE_ONLY, ENGAGED = SwitchState.SAFE, SwitchState.REDUCE_ONLY, SwitchState.ENGAGED
Story = tuple[Callable[[Workspace], object], Callable[[CircuitBreaker], object]]
COMMIT = "replace armed.json"


def nothing(workspace: Workspace) -> None:
    pass


def armed(workspace: Workspace) -> None:
    workspace.armed().close()


def engaged(workspace: Workspace) -> None:
    workspace.armed().engage("stop", "ann")


def reduced(workspace: Workspace) -> None:
    workspace.armed().set_reduce_only("careful", "ann")


def damaged(workspace: Workspace) -> None:
    engaged(workspace)
    workspace.history_file.write_bytes(b"garbage\n" + workspace.history_file.read_bytes())


def reset(breaker: CircuitBreaker) -> object:
    return breaker.reset("ann", "fine", breaker.epoch)


GRANTS: dict[str, Story] = {
    "arming": (nothing, lambda breaker: breaker.arm_if_new()),
    "reset of an engagement": (engaged, reset),
    "reset of reduce-only": (reduced, reset),
    "arming again while safe": (armed, reset),
    "reset over a damaged history": (damaged, reset),
}
STOPS: dict[str, Story] = {
    "engaging": (armed, lambda breaker: breaker.engage("fire", "bob")),
    "engaging again": (engaged, lambda breaker: breaker.engage("fire", "bob")),
    "engaging from reduce-only": (reduced, lambda breaker: breaker.engage("fire", "bob")),
    "engaging a new machine": (nothing, lambda breaker: breaker.engage("fire", "bob")),
}


def length(story: Story, home: Path) -> int:
    """How many changing system calls the story makes when nothing fails."""
    home.mkdir()
    before, act = story
    workspace = Workspace(home)
    before(workspace)
    layer = FaultyLayer()
    breaker = workspace.breaker(layer=layer)
    layer.calls.clear()
    act(breaker)
    return len(layer.calls)


def play(
    story: Story, home: Path, fault: Callable[[int, str, str], None]
) -> tuple[Workspace, CircuitBreaker, FaultyLayer, BaseException | None]:
    home.mkdir()
    before, act = story
    workspace = Workspace(home)
    before(workspace)
    layer = FaultyLayer()
    breaker = workspace.breaker(layer=layer)
    layer.calls.clear()
    layer.rule = fault
    try:
        act(breaker)
    except (CrashNow, SwitchError) as error:
        return workspace, breaker, layer, error
    return workspace, breaker, layer, None


def crash_at(place: int) -> Callable[[int, str, str], None]:
    def rule(number: int, call: str, name: str) -> None:
        if number >= place:
            raise CrashNow

    return rule


def fail_at(place: int, lasting: bool) -> Callable[[int, str, str], None]:
    def rule(number: int, call: str, name: str) -> None:
        if number == place or (lasting and number > place):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    return rule


@pytest.mark.parametrize("name", GRANTS)
def test_a_crash_before_the_arm_record_is_swapped_never_leaves_it_safe(
    tmp_path: Path, name: str
) -> None:
    story = GRANTS[name]
    count = length(story, tmp_path / "dry")
    assert count > 10
    for place in range(1, count + 1):
        workspace, _, layer, error = play(story, tmp_path / str(place), crash_at(place))
        assert isinstance(error, CrashNow)
        committed = COMMIT in layer.calls[: place - 1]
        fresh = workspace.breaker()
        untouched = fresh.epoch == 1 and fresh.status().epoch == 1 and name.startswith("arming a")
        assert (fresh.authority() is SAFE) == (committed or untouched), layer.calls[:place]
        if fresh.authority() is not SAFE:
            assert fresh.reset("bob", "after the crash", fresh.status().epoch).state is SAFE
            assert workspace.breaker().authority() is SAFE


def test_a_first_arming_that_was_cut_short_is_finished_by_the_next_one(tmp_path: Path) -> None:
    story = GRANTS["arming"]
    for place in range(1, length(story, tmp_path / "dry") + 1):
        workspace, _, layer, _ = play(story, tmp_path / str(place), crash_at(place))
        watching = workspace.breaker()
        committed = COMMIT in layer.calls[: place - 1]
        assert (watching.authority() is SAFE) == committed
        watching.status()
        fresh = workspace.breaker()
        assert fresh.arm_if_new() != committed, layer.calls[:place]
        assert (fresh.authority(), watching.authority()) == (SAFE, SAFE)
        assert [each.state for each in fresh.monitor().history()] == ["SAFE"]
        workspace.arm_file.unlink()
        assert watching.authority() is ENGAGED, "what was armed to the end is not new"
        assert not workspace.breaker().arm_if_new()
        assert workspace.breaker().authority() is ENGAGED


@pytest.mark.long
@pytest.mark.parametrize("name", STOPS)
def test_a_crash_after_the_marker_was_made_leaves_it_engaged(tmp_path: Path, name: str) -> None:
    story = STOPS[name]
    count = length(story, tmp_path / "dry")
    for place in range(1, count + 1):
        workspace, _, layer, error = play(story, tmp_path / str(place), crash_at(place))
        assert isinstance(error, CrashNow)
        fresh = workspace.breaker()
        if any(call in ("open KILL", "pwrite") for call in layer.calls[: place - 1]):
            assert fresh.authority() is ENGAGED, layer.calls[:place]
        elif name in ("engaging again", "engaging a new machine"):
            assert fresh.authority() is ENGAGED
        workspace.kill_file.unlink(missing_ok=True)
        if fresh.authority() is ENGAGED:
            assert workspace.breaker().authority() is ENGAGED


@pytest.mark.long
@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("name", STOPS)
def test_no_failing_call_keeps_an_engagement_from_holding(
    tmp_path: Path, name: str, lasting: bool
) -> None:
    story = STOPS[name]
    count = length(story, tmp_path / "dry")
    for place in range(1, count + 1):
        workspace, breaker, layer, error = play(
            story, tmp_path / str(place), fail_at(place, lasting)
        )
        assert error is None
        assert (breaker.authority(), breaker.flag[0]) == (ENGAGED, ENGAGED)
        result = breaker.engage("fire", "bob")
        assert result.state is ENGAGED
        if result.recorded or result.marked:
            assert workspace.breaker().authority() is ENGAGED
        layer.rule = lambda number, call, name: None
        breaker._writer.retry_now()
        assert breaker.authority() is ENGAGED
        assert workspace.breaker().authority() is ENGAGED, "written down once the disk works"
        assert breaker.status().recorded


@pytest.mark.long
@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("name", GRANTS)
def test_a_reset_that_reports_an_error_has_not_made_it_safe(
    tmp_path: Path, name: str, lasting: bool
) -> None:
    story = GRANTS[name]
    count = length(story, tmp_path / "dry")
    refused = 0
    for place in range(1, count + 1):
        workspace, breaker, layer, error = play(
            story, tmp_path / str(place), fail_at(place, lasting)
        )
        refused += error is not None
        shows = COMMIT in layer.calls[: place - 1] and lasting
        untouched = name == "arming again while safe" and workspace.breaker().epoch == 1
        if error is None:
            # A session whose flag cannot be made is not told of engagements: it may not trade.
            failed = layer.calls[place - 1]
            without_flag = name == "arming" and failed in ("open flag", "allocate")
            assert breaker.authority() is (ENGAGED if without_flag else SAFE)
            assert workspace.breaker().authority() is SAFE
        elif not untouched:
            assert breaker.authority() is ENGAGED or name == "reset of reduce-only"
            assert breaker.authority() is not SAFE
            # A disk that takes nothing any more cannot take back what it just showed.
            assert shows or workspace.breaker().authority() is not SAFE, layer.calls[:place]
            layer.rule = lambda number, call, name: None
            breaker._writer.retry_now()
            assert breaker.authority() is not SAFE
            assert workspace.breaker().authority() is not SAFE
    assert refused > 5


def test_a_torn_history_line_is_cut_away_before_anything_is_appended(workspace: Workspace) -> None:
    layer = FaultyLayer()
    breaker = workspace.armed(layer=layer)
    write = layer.write

    class Torn(FaultyLayer):
        def write(self, fd: int, data: bytes) -> int:
            if b"fire" in data and "open history.jsonl" in self.calls:
                write(fd, data[:40])
                raise CrashNow
            return super().write(fd, data)

    with contextlib.suppress(CrashNow):
        workspace.breaker(layer=Torn()).engage("fire", "bob")
    assert workspace.history_file.read_bytes()[-1:] != b"\n"
    fresh = workspace.breaker()
    assert fresh.authority() is ENGAGED
    fresh.engage("again", "bob")
    whys = [entry.why for entry in fresh.monitor().history()]
    assert whys[1:] == ["fire", "again"], "the line that the crash kept out is made good"
    assert breaker.authority() is ENGAGED
