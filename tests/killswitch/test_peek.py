"""An observer's look at the switch: the same answer as a trader's, and not one byte written."""

from __future__ import annotations

from pathlib import Path

import pytest
from switch_helpers import QuickLayer

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.peek import read_switch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "kill-switch"


@pytest.fixture
def breaker(folder: Path) -> CircuitBreaker:
    breaker = CircuitBreaker(folder, layer=QuickLayer())
    breaker.arm_if_new()
    return breaker


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file of the workspace."""
    workspace = folder.parent.parent
    return {
        str(path.relative_to(workspace)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in workspace.rglob("*")
        if path.is_file()
    }


def test_where_nothing_is_there_is_no_switch_and_none_is_made(folder: Path) -> None:
    assert read_switch(folder) is None
    assert not folder.parent.exists()


def test_it_says_what_the_breaker_says(folder: Path, breaker: CircuitBreaker) -> None:
    for act in (
        lambda: None,
        lambda: breaker.set_reduce_only("careful", "ann"),
        lambda: breaker.engage("stop", "ann"),
    ):
        act()
        seen, wanted = read_switch(folder), breaker.status()
        assert seen is not None
        assert (seen.state, seen.epoch, seen.who, seen.why) == (
            wanted.state,
            wanted.epoch,
            wanted.who,
            wanted.why,
        )


@pytest.mark.parametrize("name", ["KILL", "ARMED.json", "HISTORY.jsonl"])
def test_a_marker_or_damage_shows_as_engaged_and_nothing_is_recorded(
    folder: Path, breaker: CircuitBreaker, name: str
) -> None:
    names = sorted(path.name for path in folder.iterdir())
    if name != "KILL":
        [name] = [each for each in names if each.lower().startswith(name[:4].lower())]
        (folder / name).write_bytes(b"damaged\n")
    else:
        (folder / name).touch()
    before = everything(folder)
    seen = read_switch(folder)
    assert seen is not None
    assert seen.state is SwitchState.ENGAGED
    assert everything(folder) == before


def test_a_folder_that_cannot_be_read_is_engaged(folder: Path, breaker: CircuitBreaker) -> None:
    folder.rename(folder.with_name("moved"))
    folder.write_text("a file in its place")
    seen = read_switch(folder)
    assert seen is not None
    assert seen.state is SwitchState.ENGAGED
