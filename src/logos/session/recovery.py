"""Resume and replay: a session is run again from its beginning, and must come out the same.

Everything a session does follows from its settings, its data, its strategy and its seed, and from
when the kill switch was thrown; the journal holds the last and the fingerprints of the rest. So
recovery needs no second code path: the same core meets the same events, every line it makes must be
the line that is there, and beyond the last whole line the session simply goes on. A strategy need
not save anything: it is rebuilt by living through its session again.

A torn last line, the ending of a stopped session, and the seal of one that crashed before its last
file was complete are cut off before anything is appended.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import __version__, paths
from logos.config import Config, ConfigError, make_config
from logos.core.gates import InProcessSwitch, Switch
from logos.core.records import CommandRecord, SwitchRecord
from logos.core.strategy import Strategy
from logos.core.types import SessionStatus, SwitchState
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.reader import Damaged, JournalReader, Line, TornTail
from logos.session.artifacts import TABLES
from logos.session.folder import SessionFolder, below, is_finished
from logos.session.guardian import Guardian, open_switch, tell_operator
from logos.session.outcome import SessionResult
from logos.session.plan import Feed, Plan, make_plan
from logos.session.recorded import RecordedSwitch, Recording
from logos.session.running import Progress, Running, manifest

COMPARED: Final = ("config.json", "state.jsonl", "state.json", *TABLES, "session.md")
"""The files that a replay must reproduce byte for byte."""


JournalDamagedError = Damaged
"""A journal that was changed or destroyed further in than its last line."""


class CannotResumeError(Exception):
    """There is nothing to go on with, or not under these circumstances; the message says why."""


class SessionDiffersError(Exception):
    """A replay came out differently; the message names the first difference."""


@dataclass(frozen=True, slots=True)
class Flatten:
    """An operator's order to close everything: who, and why."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Journal:
    """What a session's journal says, up to its last whole line.

    `whole_bytes` is what a resumed session keeps: all whole lines before a stop or a seal. `status`
    is the seal's, None for a session that was never sealed. `stopped_tick_id` is where a stop came.
    """

    path: Path
    manifest: dict[str, Any]
    recording: Recording
    whole_bytes: int
    is_torn: bool
    status: SessionStatus | None
    stopped_tick_id: int | None


@dataclass(slots=True)
class _Scan:
    """What has been gathered so far of a journal."""

    manifest: dict[str, Any] | None = None
    switches: list[SwitchRecord] | None = None
    commands: list[CommandRecord] = field(default_factory=list)
    last_tick_id: int = 0
    last_ns: int = 0
    orders: int = 0
    status: SessionStatus | None = None
    stopped_tick_id: int | None = None
    kept_bytes: int | None = None

    def see(self, path: Path, line: Line) -> None:
        """Take note of one record. Raises Damaged for one that is none."""
        try:
            self._see(line.body, line.offset)
        except (msgspec.DecodeError, ValueError) as error:
            raise Damaged(path, line.sequence, line.offset, f"not a record: {error}") from None

    def _see(self, body: bytes, offset: int) -> None:
        """Only what recovery needs is decoded."""
        if self.manifest is None:
            self.manifest = msgspec.json.decode(body)
            self.switches = []
            return
        head = msgspec.json.decode(body, type=_Head)
        if head.kind == "stopping":
            self.kept_bytes = offset
            self.stopped_tick_id = head.tick_id
        elif head.kind == "sealed":
            self.status = SessionStatus(head.status)
            if self.kept_bytes is None:
                self.kept_bytes = offset
        elif self.kept_bytes is None:
            self.last_tick_id = max(self.last_tick_id, head.tick_id)
            self.last_ns = max(self.last_ns, head.ts_ns)
            if head.kind == "order":
                self.orders += 1
            elif head.kind == "switch" and self.switches is not None:
                self.switches.append(msgspec.json.decode(body, type=SwitchRecord))
            elif head.kind == "command":
                self.commands.append(msgspec.json.decode(body, type=CommandRecord))


class _Head(msgspec.Struct):
    """The fields of any record that recovery looks at."""

    kind: str
    tick_id: int = 0
    ts_ns: int = 0
    status: str = ""


def find_session(session_id: str, home: Path | None = None) -> Path:
    """The folder of a session, by its id. Raises ConfigError when there is none."""
    try:
        folder = below(home, paths.session_dir(session_id))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if not (folder / "state.jsonl").is_file():
        raise ConfigError(f"there is no session {session_id} in {folder.parent}")
    return folder


def read_session(folder: Path) -> Journal:
    """Read a session's journal to its last whole line, checking every one.

    Raises JournalDamagedError for a line that is whole and wrong, ConfigError for a journal
    without a manifest or of another schema.
    """
    path = folder / "state.jsonl"
    scan = _Scan()
    is_torn = False
    with JournalReader(path) as reader:
        try:
            for line in reader.lines():
                scan.see(path, line)
        except TornTail:
            is_torn = True
        whole_bytes = reader.offset
    if scan.manifest is None or scan.switches is None:
        raise ConfigError(
            f"{path}: the session ended before its first record was whole, so nothing had happened "
            "yet: remove its folder and start it anew"
        )
    if scan.manifest.get("schema") != SCHEMA_VERSION:
        raise ConfigError(
            f"{path}: written in schema {scan.manifest.get('schema')}; this version reads schema "
            f"{SCHEMA_VERSION}: use logos {scan.manifest.get('software')}, which wrote it"
        )
    return Journal(
        path,
        scan.manifest,
        _recording(scan),
        whole_bytes if scan.kept_bytes is None else scan.kept_bytes,
        is_torn,
        scan.status,
        scan.stopped_tick_id,
    )


def _recording(scan: _Scan) -> Recording:
    stopped = scan.stopped_tick_id
    return Recording(
        scan.switches or [],
        scan.commands,
        scan.last_tick_id if stopped is None else stopped,
        scan.last_ns,
        scan.orders,
        is_whole=stopped is not None,
    )


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
) -> SessionResult:
    """Go on with a session that was stopped, or that crashed. Arguments as for `run`.

    With `flatten` it goes on without its strategy: open orders are cancelled, every position is
    closed through the same guards and gates, and nothing more is traded.

    Raises CannotResumeError when it has ended, or when settings, data, strategy or software are
    not those it began with; JournalDamagedError, JournalDiffersError, SessionBusyError,
    SwitchEngagedError, and what `run` raises.
    """
    folder = find_session(session_id, home)
    journal = read_session(folder)
    has_ended = journal.status not in (None, SessionStatus.STOPPED)
    if has_ended and is_finished(folder):
        assert journal.status is not None
        raise CannotResumeError(
            f"session {session_id} has ended ({journal.status.value}): there is nothing to resume"
        )
    plan = _same_plan(journal, session_id, strategy, feed)
    own_switch = None
    if switch is None and not has_ended:
        ended_engaged = _last_state(journal.recording) is SwitchState.ENGAGED
        own_switch = open_switch(tell, home, may_be_engaged=ended_engaged)
    try:
        # Of a session that crashed while its last files were written, no look is left to be had.
        live = own_switch if switch is None else switch
        after = None if has_ended else live
        recorded = RecordedSwitch(journal.recording, after)
        core = plan.make_core(session_id, recorded)
        recorded.attach(core.desk)
        place = SessionFolder(session_id, folder, core.desk.books, home, journal.whole_bytes)
        guardian = Guardian(session_id, own_switch or InProcessSwitch(), core, home)
        commands = list(journal.recording.commands)
        if flatten is not None:
            tick_id = journal.recording.last_tick_id
            commands.append(CommandRecord(0, tick_id, "flatten", flatten.reason, flatten.by))
        running = Running(
            plan,
            session_id,
            core,
            place,
            guardian,
            commands=commands,
            before_last_command=recorded.hand_over if flatten is not None else None,
        )
        return running.run(on_plan(plan) if on_plan is not None else _no_progress)
    finally:
        if own_switch is not None:
            own_switch.close()


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
    plan = _same_plan(journal, session_id, strategy, feed)
    recorded = RecordedSwitch(journal.recording, None)
    core = plan.make_core(session_id, recorded)
    recorded.attach(core.desk)
    with tempfile.TemporaryDirectory(prefix="logos-replay-") as temporary:
        copy = Path(temporary) / session_id
        copy.mkdir()
        place = SessionFolder(session_id, copy, core.desk.books, Path(temporary))
        guardian = Guardian(session_id, recorded, core, Path(temporary))
        running = Running(
            plan,
            session_id,
            core,
            place,
            guardian,
            stop_after_tick=journal.stopped_tick_id,
            commands=journal.recording.commands,
        )
        result = running.run(on_plan(plan) if on_plan is not None else _no_progress)
        for name in COMPARED:
            _compare(folder / name, copy / name)
    return result


def _same_plan(
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
