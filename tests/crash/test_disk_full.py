"""A live session fills a small file system: it stops in order before that is full, and goes on."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from live_process import EveryBar
from places import PROJECT
from tiny_disk import tiny_disk

from logos.audit.verify import verify
from logos.core.types import SessionStatus, SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.session import ExitCode, SessionResult, disk
from logos.session.entry import replay, resume, run

MIB = 1 << 20
SIZE_MIB = 80
FREE = 20 * MIB
"""More than what is kept free for an end whatever the settings say."""

SETTINGS: dict[str, Any] = {
    "session": {"id": "full", "seed": 4},
    "data": {
        "paths": [str(PROJECT / "data" / "cache")],
        "symbols": ["ACME", "BTCUSDT", "EURUSD"],
        "accept": ["gap"],
    },
    "live": {"feed": "replay", "speed": "40000", "heartbeat_ms": 20},
    "risk": {"unlimited": True},
    "disk": {"min_free_bytes": FREE, "segment_bytes": 65_536},
}


def go(home: Path, *, is_new: bool) -> SessionResult:
    """Begin the session, or go on with it, on the workspace's real kill switch."""
    options: dict[str, Any] = {"strategy": EveryBar(), "home": home, "tell": lambda _: None}
    return run(SETTINGS, **options) if is_new else resume("full", **options)


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@pytest.mark.campaign
def test_a_live_session_stops_before_its_disk_is_full_and_is_resumed_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only what the session writes is looked at: it must be enough, however fast it writes.
    monkeypatch.setattr(disk, "_LOOK_EVERY_S", 1e9)
    with tiny_disk(tmp_path / "disk", SIZE_MIB << 10) as home:
        ballast = home / "ballast"
        ballast.write_bytes(bytes(SIZE_MIB * MIB - FREE - FREE // 4 - MIB))
        stopped = go(home, is_new=True)
        assert (stopped.status, stopped.exit_code) == (SessionStatus.STOPPED, ExitCode.DISK_LOW)
        assert stopped.reason.startswith("DISK_LOW: ")
        assert 2 * free_bytes(home) > FREE, "there was room to spare"
        assert list(stopped.folder.glob("inputs.*.jsonl")), "its inputs lie in several files"
        assert (stopped.folder / "session.md").is_file()
        replay("full", strategy=EveryBar(), home=home)
        verdict = verify(stopped.folder)
        assert (verdict.exit_code, verdict.findings) == (ExitCode.FINISHED, [])
        with closing(CircuitBreaker(home / "state" / "kill-switch")) as switch:
            assert switch.authority() is SwitchState.SAFE

        journal = (stopped.folder / "state.jsonl").read_bytes()
        lived = journal[: journal.index(b'"kind":"stopping"')].rpartition(b"\n")[0]
        with pytest.raises(disk.DiskLowError, match=r"make room, then logos resume full$"):
            go(home, is_new=False)
        assert (stopped.folder / "state.jsonl").read_bytes() == journal

        ballast.unlink()
        ended = go(home, is_new=False)
        assert ended.status is SessionStatus.ENDED
        assert (ended.folder / "state.jsonl").read_bytes().startswith(lived)
        replay("full", strategy=EveryBar(), home=home)
