"""What the switch tells people: its state, the reasons, and the one command that clears it."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.evidence import Evidence
from logos.killswitch.judge import Cause, Consequence, Verdict
from logos.killswitch.records import Mode


class EngageResult(msgspec.Struct, frozen=True):
    """What came of an engagement. It holds in this process in every case."""

    state: SwitchState
    epoch: int
    granted_epoch: int
    """The epoch of the last transition to SAFE; whoever was blocked since then still is."""
    recorded: bool
    """The arm record says so: every process sees it, and every restart."""
    marked: bool
    """The marker file is there: every process sees it while it is."""
    problems: tuple[str, ...]
    """What could not be written, in words."""


class SwitchStatus(msgspec.Struct, frozen=True):
    """Everything a person needs in order to judge the switch."""

    state: SwitchState
    epoch: int
    """The epoch that a reset has to name."""
    who: str
    why: str
    since_ns: int
    """When it came to be so, nanoseconds UTC; 0 when that is not recorded."""
    mode: Mode
    """What the process that asks needs: paper or live."""
    armed_for: str
    """What the arm record permits; empty when there is none."""
    folder: str
    recorded: bool
    causes: tuple[str, ...]
    """Every reason against SAFE, most severe first."""
    clear_command: str
    """The command that clears it; empty when there is nothing to clear."""


def clear_command(folder: Path, epoch: int, mode: Mode) -> str:
    """The exact command that resets the switch of `folder` at `epoch` for `mode`."""
    words = ["logos", "kill", "reset", "--by", "YOUR_NAME", "--reason", "WHY_IT_IS_SAFE_AGAIN"]
    words += ["--epoch", str(epoch)]
    if mode != "paper":
        words += ["--mode", mode]
    home = f"LOGOS_HOME={shlex.quote(str(folder.parent.parent))} "
    return home + " ".join(words)


def build_status(
    evidence: Evidence, verdict: Verdict, folder: Path, epoch: int, mode: Mode
) -> SwitchStatus:
    """Put evidence and verdict into words."""
    record = evidence.armed.transition
    first = verdict.causes[0] if verdict.causes else None
    from_record = record is not None and record.severity >= verdict.state
    if record is not None and from_record:
        who, why, since_ns = record.who, record.why, record.time_ns
    else:
        who, why, since_ns = (first.who, first.why, 0) if first else ("", "", 0)
    return SwitchStatus(
        state=verdict.state,
        epoch=epoch,
        who=who,
        why=why,
        since_ns=since_ns,
        mode=mode,
        armed_for=record.mode if record is not None else "",
        folder=str(folder),
        recorded=from_record,
        causes=tuple(_words(cause) for cause in verdict.causes),
        clear_command=clear_command(folder, epoch, mode)
        if verdict.state is not SwitchState.SAFE
        else "",
    )


def sentence(status: SwitchStatus) -> str:
    """The status in one line."""
    since = ""
    if status.since_ns:
        moment = datetime.fromtimestamp(status.since_ns // NS_PER_SECOND, UTC)
        since = f" since {moment:%Y-%m-%d %H:%M:%S} UTC"
    by = f" by {status.who}" if status.who else ""
    return f"{status.state.name} at epoch {status.epoch}{since}{by}: {status.why}"


def _words(cause: Cause) -> str:
    scope = " (for this process)" if cause.follow is Consequence.LOCAL else ""
    return f"{cause.state.name}{scope}: {cause.why}"
