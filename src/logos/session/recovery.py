"""Resume and replay: a session is run again, and must come out the same.

Everything a session does follows from its settings, its data, its strategy and its seed, and from
when the kill switch was thrown; the journal holds the last and the fingerprints of the rest. So
recovery needs no second code path: the same core meets the same events, every line it makes must be
the line that is there, and beyond the last whole line the session simply goes on. A strategy need
not save anything: it is rebuilt by living through its session again.

Where the session left a snapshot that fits (see `snapshot`), all before it is not run again but put
in place; from there on it is as above. Without one, or where anything about it does not fit, the
session begins anew.

A torn last line, the ending of a stopped session, and the seal of one that crashed before its last
file was complete are cut off before anything is appended.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import __version__
from logos.config import Config, make_config
from logos.core.gates import InProcessSwitch, Switch
from logos.core.messages import Flatten
from logos.core.strategy import Strategy
from logos.core.types import SessionStatus, SwitchState
from logos.errors import LogosError
from logos.journal.inputs import RecordedInputs
from logos.session.artifacts.folder import SessionFolder, is_finished, projection_files
from logos.session.artifacts.manifest import manifest
from logos.session.artifacts.snapshot import SnapshotDue, every_seconds
from logos.session.artifacts.tables import TABLES
from logos.session.build import make_instruments
from logos.session.history import Journal, JournalDamagedError, find_session, read_session
from logos.session.outcome import SessionResult
from logos.session.plan import Feed, Plan, make_plan
from logos.session.presence.lock import status_path
from logos.session.recorded import RecordedSwitch, Recording
from logos.session.recoveries import Recovery
from logos.session.restoring import Attempt, CannotResumeError, look_for_snapshot
from logos.session.running import Progress, Running
from logos.session.script import DueCommand, Script, recorded_commands
from logos.session.supervisor import SessionSupervisor, open_switch, tell_operator

__all__ = [
    "COMPARED",
    "CannotResumeError",
    "JournalDamagedError",
    "SessionDiffersError",
    "find_session",
    "goes_on_live",
    "read_session",
    "replay",
    "resume",
]

COMPARED: Final = ("config.json", "state.jsonl", "state.json", *TABLES, "session.md")
"""The files that a replay must reproduce byte for byte."""


class SessionDiffersError(LogosError):
    """A replay came out differently; the message names the first difference."""


def resume(
    session_id: str,
    *,
    strategy: Strategy | None = None,
    feed: Feed | None = None,
    switch: Switch | None = None,
    on_plan: Callable[[Plan], Progress] | None = None,
    tell: Callable[[str], object] = tell_operator,
    home: Path | None = None,
    flatten: Flatten | None = None,
    seal: bool = False,
    use_snapshot: bool = True,
    snapshot_due: SnapshotDue | None = None,
) -> SessionResult:
    """Go on with a session that was stopped, or that crashed. Arguments as for `run`.

    With `flatten` it goes on without its strategy: open orders are cancelled, every position is
    closed through the same guards and gates, and nothing more is traded. With `seal` a crashed
    session does not go on: it is brought to its last record and sealed CRASHED_RECOVERED. Without
    `use_snapshot` it is run again from its beginning whatever it left.

    Raises CannotResumeError when it has ended, or when settings, data, strategy or software are
    not those it began with; JournalDamagedError, JournalDiffersError, SessionBusyError,
    SwitchEngagedError, and what `run` raises.
    """
    folder = find_session(session_id, home)
    found = look_for_snapshot(folder, tell) if use_snapshot else None
    journal = read_session(folder, -1 if found is None else found.sequence)
    # What was sealed as recovered had been decided on, even if its last files are missing.
    seal = seal or journal.status is SessionStatus.CRASHED_RECOVERED
    has_ended = seal or journal.status not in (None, SessionStatus.STOPPED)
    _check_may_go_on(session_id, journal, is_finished(folder), seal=seal)
    recorded_inputs = RecordedInputs.of(folder) if feed is None else None
    if recorded_inputs is not None and not has_ended:
        raise CannotResumeError(
            f"session {session_id} ran on live data, and goes on with live data: use `logos resume "
            f"{session_id}` or logos.session.resume_live; a crashed one can be closed with --seal"
        )
    plan = same_plan(journal, session_id, strategy, feed or recorded_inputs)
    own_switch = None
    if switch is None and not has_ended:
        ended_engaged = _last_state(journal.recording) is SwitchState.ENGAGED
        own_switch = open_switch(tell, home, may_be_engaged=ended_engaged)
    try:
        # Of a session that comes to no new event no look is left to be had.
        live = own_switch if switch is None else switch
        after = None if has_ended else live
        attempt = Attempt(plan, session_id, journal, after)
        core, recorded, snapshot = attempt.start(
            found, projection_files(session_id, folder, home), tell
        )
        place = SessionFolder(
            session_id, folder, core.order_manager.states, home, journal.whole_bytes, snapshot
        )
        guardian = SessionSupervisor(session_id, own_switch or InProcessSwitch(), core, home)
        commands = recorded_commands(journal.recording.commands)
        if snapshot is not None:
            del commands[: journal.commands_before]
        if flatten is not None:
            tick_id = journal.recording.last_tick_id
            commands.append(DueCommand(tick_id, flatten))
        running = Running(
            plan,
            session_id,
            core,
            place,
            guardian,
            Script(
                commands,
                recorded.hand_over if flatten is not None else None,
                seal_after_tick=journal.recording.last_tick_id if seal else None,
                stopped_as=SessionStatus.CRASHED_RECOVERED if seal else SessionStatus.STOPPED,
            ),
            snapshot=snapshot,
            snapshot_due=snapshot_due or every_seconds(),
            facts=None if recorded_inputs is None else recorded_inputs.facts,
        )
        with Recovery(folder, journal, snapshot) as recovery:
            result = running.run(on_plan(plan) if on_plan is not None else _no_progress)
            recovery.result = result.status.value
        # Of a live session that is over, what it last said of itself is over as well.
        status_path(session_id, home).unlink(missing_ok=True)
        return result
    finally:
        if own_switch is not None:
            own_switch.close()


def goes_on_live(session_id: str, home: Path | None = None) -> bool:
    """Whether a session ran on live data, and has not come to its end."""
    folder = find_session(session_id, home)
    if RecordedInputs.of(folder) is None:
        return False
    return read_session(folder).status in (None, SessionStatus.STOPPED)


def _check_may_go_on(session_id: str, journal: Journal, finished: bool, *, seal: bool) -> None:
    status = journal.status
    if not finished or status is None:
        return
    if status is not SessionStatus.STOPPED:
        raise CannotResumeError(
            f"session {session_id} has ended ({status.value}): there is nothing to resume"
        )
    if seal:
        raise CannotResumeError(
            f"session {session_id} did not crash but was stopped, and is sealed: go on with it by "
            f"`logos resume {session_id}`"
        )


def replay(
    session_id: str,
    *,
    strategy: Strategy | None = None,
    feed: Feed | None = None,
    on_plan: Callable[[Plan], Progress] | None = None,
    home: Path | None = None,
) -> SessionResult:
    """Run a sealed session again, elsewhere, and compare every file byte for byte.

    Nothing is written into the session. Raises SessionDiffersError with the first difference, and
    otherwise as `resume`.
    """
    folder = find_session(session_id, home)
    journal = read_session(folder)
    if journal.status is None or not is_finished(folder):
        raise CannotResumeError(
            f"session {session_id} was never finished: finish it with `logos resume {session_id}`"
        )
    recorded_inputs = RecordedInputs.of(folder) if feed is None else None
    plan = same_plan(journal, session_id, strategy, feed or recorded_inputs)
    recorded = RecordedSwitch(journal.recording, None)
    core = plan.make_core(session_id, recorded)
    recorded.attach(core.order_manager)
    with tempfile.TemporaryDirectory(prefix="logos-replay-") as temporary:
        copy = Path(temporary) / session_id
        copy.mkdir()
        place = SessionFolder(session_id, copy, core.order_manager.states, Path(temporary))
        guardian = SessionSupervisor(session_id, recorded, core, Path(temporary))
        running = Running(
            plan,
            session_id,
            core,
            place,
            guardian,
            Script(
                recorded_commands(journal.recording.commands),
                stop_after_tick=journal.stopped_tick_id,
                stopped_as=journal.status,
            ),
            facts=None if recorded_inputs is None else recorded_inputs.facts,
        )
        result = running.run(on_plan(plan) if on_plan is not None else _no_progress)
        for name in COMPARED:
            _compare(folder / name, copy / name)
    return result


def same_plan(
    journal: Journal, session_id: str, strategy: Strategy | None, feed: Feed | None
) -> Plan:
    """The session's plan made anew, refused unless it is the one the session began with."""
    then = journal.manifest
    if then["software"] != __version__:
        raise CannotResumeError(
            f"session {session_id} was begun by logos {then['software']}, this is {__version__}: "
            "use that version, whose every byte is the same"
        )
    config: Config = make_config(then["config"], f"manifest of {session_id}")
    _check_can_be_made(then, config, strategy, feed)
    if isinstance(feed, RecordedInputs):
        feed.know(make_instruments(config.instruments))
    plan = make_plan(config, strategy=strategy, feed=feed)
    now = msgspec.to_builtins(manifest(plan, session_id))
    for key, what in (
        ("data", "the market data"),
        ("strategy_fingerprint", "the strategy's source or signals file"),
        ("strategy", "the strategy"),
        ("config_hash", "the settings"),
    ):
        if now[key] != then[key]:
            raise CannotResumeError(
                f"{what} of session {session_id} changed since it began: put back what was there, "
                "or start a new session"
            )
    return plan


def _check_can_be_made(
    manifest: Mapping[str, Any], config: Config, strategy: Strategy | None, feed: Feed | None
) -> None:
    """Refuse what was begun from Python with objects that the session's files do not hold."""
    who = manifest["session_id"]
    if strategy is None and not (config.strategy.name or config.strategy.signals):
        raise CannotResumeError(
            f"session {who} was run with {manifest['strategy']}, an object that its files do not "
            f'hold: give it again, with the arguments it had, as strategy= of logos.resume("{who}",'
            f' ...) or logos.replay("{who}", ...) (a table of signals as signals=)'
        )
    if feed is None and not config.data.paths:
        raise CannotResumeError(
            f"session {who} ran on tables in memory ({', '.join(config.instruments)}), which its "
            f'files do not hold: give the same again as data= of logos.resume("{who}", ...) or '
            f'logos.replay("{who}", ...), such as data=logos.bars(df, ...)'
        )


def _last_state(recording: Recording) -> SwitchState:
    switches = recording.switches
    return SwitchState[switches[-1].state] if switches else SwitchState.SAFE


def _compare(original: Path, copy: Path) -> None:
    """Raise SessionDiffersError at the first line in which two files differ."""
    if not original.is_file():
        raise SessionDiffersError(f"{original} is missing")
    with open(original, "rb") as old, open(copy, "rb") as new:
        number = 0
        while True:
            number += 1
            there, here = old.readline(), new.readline()
            if there != here:
                raise SessionDiffersError(
                    f"{original}:{number} is\n  {_shown(there)}\nand the replay gives\n  "
                    f"{_shown(here)}"
                )
            if not there:
                return


def _shown(line: bytes) -> str:
    return line[:500].decode("utf-8", "replace").rstrip("\n") if line else "(nothing more)"


def _no_progress(_: int) -> None:
    """Nobody watches."""
