"""Whatever is changed in what a live session leaves, its replay or its verification finds it.

One byte is flipped, or one line taken away, doubled, or put before the one ahead of it, in any file
that follows from the session. host.json and the page of figures tell of the machine, and are left
out; the decision log is for `logos verify` alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from live_session_helpers import Alternating, ScriptedFeed, TickingClock, live

from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch
from logos.errors import LogosError
from logos.session.artifacts.derived.files import DERIVED
from logos.session.entry import COMPARED, replay
from logos.session.history import read_prescribed, read_session

LOG: Final = "logos/logs/live.jsonl"
SESSION: Final = "runs/live/sessions/live"
FILES: Final = (*(f"{SESSION}/{name}" for name in (*COMPARED, *DERIVED, "inputs.jsonl")), LOG)
ORDERS: Final = 12

OTHER_WORDS: Final = {
    "state.jsonl": ("session live was never finished",),  # without its seal
    "inputs.jsonl": ("session.md",),  # a torn end is no damage: what was measured is not there
}

Harm = Callable[[bytes, float, int], bytes]
"""Makes other bytes of a file's, at a share of its length; a number tells in which way."""


def flip(content: bytes, share: float, bits: int) -> bytes:
    place = int(share * len(content))
    return content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :]


def _by_lines(change: Callable[[list[bytes], int], None]) -> Harm:
    def harm(content: bytes, share: float, _bits: int) -> bytes:
        lines = content.splitlines(keepends=True)
        change(lines, int(share * len(lines)))
        return b"".join(lines)

    return harm


def _take_away(lines: list[bytes], place: int) -> None:
    del lines[place]


def _double(lines: list[bytes], place: int) -> None:
    lines.insert(place, lines[place])


def _move(lines: list[bytes], place: int) -> None:
    lines[place - 1], lines[place] = lines[place], lines[place - 1]


HARMS: Final[dict[str, Harm]] = {
    "flip": flip,
    "take away": _by_lines(_take_away),
    "double": _by_lines(_double),
    "move": _by_lines(_move),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a finished session that the kill switch stopped half way."""
    home, clock, switch = tmp_path_factory.mktemp("live"), TickingClock(), InProcessSwitch()
    stop = {ORDERS // 2: lambda: switch.set_reduce_only("a look", "operator")}
    result = live(home, ScriptedFeed(clock, ORDERS, after=stop), clock, switch=switch)
    assert result.summary["orders"] > 1
    return home


def found(home: Path) -> str:
    """What replay and verification have against the session, in words; empty: nothing."""
    words = []
    try:
        replay("live", strategy=Alternating(), home=home)
    except LogosError as error:
        words.append(str(error))
    verdict = verify(home / SESSION)
    words += [str(finding) for finding in verdict.findings]
    if verdict.exit_code and not words:
        words.append(f"{home / SESSION}/state.jsonl is torn")
    return "\n".join(words if verdict.damage is None else [*words, str(verdict.damage)])


def test_nothing_is_found_in_what_was_left_alone(home: Path) -> None:
    assert not found(home)


@pytest.mark.long
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(FILES),
    harm=st.sampled_from(sorted(HARMS)),
    share=st.floats(0, 1, exclude_max=True),
    bits=st.integers(1, 255),
)
def test_a_byte_or_a_line_that_was_changed_is_found(
    home: Path, name: str, harm: str, share: float, bits: int
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "home"
        shutil.copytree(home, copy)
        path = copy / name
        content = path.read_bytes()
        path.write_bytes(HARMS[harm](content, share, bits))
        assume(path.read_bytes() != content)
        said = found(copy)
        assert any(words in said for words in (path.name, *OTHER_WORDS.get(path.name, ()))), said


@settings(max_examples=200, deadline=None)
@given(
    harm=st.sampled_from(sorted(HARMS)),
    share=st.floats(0, 1, exclude_max=True),
    bits=st.integers(1, 255),
)
def test_what_a_changed_journal_prescribes_is_read_or_refused_as_its_whole_reading_does(
    home: Path, harm: str, share: float, bits: int
) -> None:
    """The quick look may miss damage, never a record that prescribes something."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "state.jsonl"
        path.write_bytes(HARMS[harm]((home / SESSION / "state.jsonl").read_bytes(), share, bits))
        try:
            whole = read_session(path.parent)
        except LogosError:
            return  # the replay comes out differently, and then the whole journal is read
        quick = read_prescribed(path.parent)
        assert quick.manifest == whole.manifest
        assert quick.recording.switches == whole.recording.switches
        assert quick.recording.commands == whole.recording.commands
        assert (quick.status, quick.reason) == (whole.status, whole.reason)
        assert quick.stopped_tick_id == whole.stopped_tick_id
        assert quick.whole_bytes == whole.whole_bytes
