"""Opens sessions: the only place that assembles one, whatever kind it is.

    a new session                settings                        recorded data or live feeds
    one that is continued        its folder, its journal         as the folder says
    one that is sealed           its folder, its journal         its recorded data or inputs
    a replay                     its folder, its journal         its recorded data or inputs

Everything a session does follows from its settings, its data, its strategy and its seed, from when
the kill switch was thrown and from what an operator ordered; the journal holds the last two and the
fingerprints of the rest. So recovery needs no second code path: the same core meets the same
events, every line it makes must be the line that is there, and beyond the last whole line the
session continues. A strategy need not save anything: it is rebuilt by living through its session
again. Where the session left a snapshot that fits (see `restoring`), all before it is not run again
but put in place.

A torn last line, the ending of a stopped session, and the seal of one that crashed before its last
file was complete are cut off before anything is appended.
"""

from __future__ import annotations

import enum
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from logos.config import Config, ConfigError, FeedName
from logos.core.engine import TradingCore
from logos.core.gates import InProcessSwitch, Switch
from logos.core.messages import Flatten
from logos.core.strategy import Strategy
from logos.core.types import SessionStatus, SwitchState
from logos.execution.inbox import Inbox
from logos.files import make_folder
from logos.journal.inputs import INPUTS_FILE, InputsWriter, RecordedInputs, Survey
from logos.journal.writer import START
from logos.session.artifacts.folder import (
    SessionFolder,
    claim_folder,
    is_finished,
    projection_files,
)
from logos.session.artifacts.recoveries import Recovery
from logos.session.artifacts.saving import Snapshots
from logos.session.artifacts.snapshot import Snapshot, SnapshotDue, every_seconds
from logos.session.connections import Connections, NoFeed, Outside, hold_account, with_instruments
from logos.session.history import Journal, find_session, read_session
from logos.session.plan import Feed, Plan, make_plan
from logos.session.presence import registry
from logos.session.presence.feeds import FeedStates
from logos.session.presence.watchdog import Watchdog
from logos.session.recorded import RecordedSwitch
from logos.session.restoring import (
    CannotResumeError,
    look_for_snapshot,
    restore,
    same_plan,
    tell_unused,
)
from logos.session.script import DueCommand, Script, recorded_commands
from logos.session.session import Session
from logos.session.source import FeedSource, LiveSource, Past, Progress, Source, no_progress
from logos.session.supervisor import SessionSupervisor, SessionSwitch, open_switch, tell_operator
from logos.session.venue.preflight import connect_ready

LIVE_INTERVAL_S = 60.0
"""Between two snapshots of a live session: its loop stands still while one is written."""


class Purpose(enum.Enum):
    """What a session is opened for."""

    TRADE = "trade"
    SEAL = "seal"
    """Bring a crashed session to its last record and seal it there."""
    REPLAY = "replay"
    """Run a finished session again, elsewhere; nothing is written into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """Which session, and for what: a new one by its `config`, or an old one by its `session_id`.

    `strategy`, `feed`, `outside` and `switch` replace what the settings name; a `feed` means
    recorded data, an `outside` live feeds. `on_plan` is called when the session is about to start
    and returns a progress callback (recorded data only); `tell` hears what an operator should know.
    `home` is the workspace that everything is written to, its kill switch included; None:
    `paths.home()`. `snapshot_due` says when to write a snapshot (None: every ten seconds, live
    every minute); without `use_snapshot` an old session is run again from its beginning whatever
    it left. `is_acknowledged`: the operator permitted real orders again. With `flatten` an old
    session is continued without its strategy: open orders are cancelled, positions closed.
    """

    config: Config | None = None
    session_id: str = ""
    purpose: Purpose = Purpose.TRADE
    flatten: Flatten | None = None
    strategy: Strategy | None = None
    feed: Feed | None = None
    outside: Outside | None = None
    switch: Switch | None = None
    on_plan: Callable[[Plan], Progress] | None = None
    tell: Callable[[str], object] = tell_operator
    home: Path | None = None
    use_snapshot: bool = True
    snapshot_due: SnapshotDue | None = None
    is_acknowledged: bool = False
    takes_signals: bool = True
    """Whether SIGINT, SIGTERM and SIGUSR1 are the session's, while it runs in the main thread."""

    def progress(self, plan: Plan) -> Progress:
        """What to call with the number of events of each batch."""
        return no_progress if self.on_plan is None else self.on_plan(plan)

    def snapshots(self, plan: Plan, core: TradingCore, folder: SessionFolder) -> Snapshots:
        """Who writes the snapshots of the session."""
        is_live = isinstance(plan.feed, NoFeed)
        seconds = every_seconds(LIVE_INTERVAL_S) if is_live else every_seconds()
        return Snapshots(plan, core, folder, self.snapshot_due or seconds)


def open_session(spec: SessionSpec) -> Session:
    """Assemble a session; use it in a `with`, and `drive` it there.

    Raises ConfigError, DataError or SwitchEngagedError when a new one cannot start; of an old one
    CannotResumeError when it has ended, or when settings, data, strategy or software are not those
    it began with, and JournalDamagedError, SessionBusyError; OSError when files cannot be written.
    """
    with ExitStack() as resources:
        # Before anything else: `logos kill` must find a session that hangs in its first step.
        entry = resources.enter_context(closing(registry.enter(*_registered(spec))))
        if spec.config is not None:
            session = _new(spec, spec.config, resources, entry)
        elif spec.purpose is Purpose.REPLAY:
            session = _replay(spec, resources, entry)
        else:
            session = _old(spec, resources, entry)
        watchdog = Watchdog(session.core, session.supervisor.show_stuck, spec.tell)
        resources.enter_context(watchdog)
        session.resources = resources.pop_all()
        return session


def _registered(spec: SessionSpec) -> tuple[registry.Kind, Path | None, str]:
    """What the registry of running sessions is to say of it: its kind, workspace and id."""
    if spec.config is not None:
        return "trade", spec.home, spec.config.session.id
    if spec.purpose is Purpose.TRADE:
        return "resume" if spec.flatten is None else "flatten", spec.home, spec.session_id
    return "replay" if spec.purpose is Purpose.REPLAY else "seal", spec.home, spec.session_id


def _new(
    spec: SessionSpec, config: Config, resources: ExitStack, entry: registry.Registration
) -> Session:
    has_live_feed = config.live.feed is not FeedName.NONE
    is_live = spec.feed is None and (spec.outside is not None or has_live_feed)
    if config.venue.live and not is_live and spec.feed is None:
        raise ConfigError(
            "venue.live: real orders need live prices, and this session would run on recorded "
            "data: name a feed with --feed, or in live.feed"
        )
    plan = make_plan(
        with_instruments(config) if is_live else config,
        strategy=spec.strategy,
        feed=NoFeed() if is_live else spec.feed,
    )
    if is_live:
        resources.enter_context(hold_account(plan.config, spec.outside, entry.token))
    connections = connect_ready(plan, spec.outside) if is_live else None
    switch = spec.switch or _machine_switch(spec, plan, resources)
    session_id, place = claim_folder(plan.config.session.id, spec.home)
    entry.name(session_id, spec.home)
    core = plan.make_core(session_id, switch)
    inputs = None
    try:
        folder = SessionFolder(session_id, place, core.order_manager.states, spec.home)
        resources.callback(folder.close)
        supervisor = SessionSupervisor(
            session_id, switch, core, spec.home, entry.token, takes_signals=spec.takes_signals
        )
        resources.callback(supervisor.close)
        if is_live:
            inputs = InputsWriter(place / INPUTS_FILE, list(plan.instruments))
            resources.callback(inputs.close)
    except OSError:
        shutil.rmtree(place)  # made a moment ago, and nothing has happened in it
        raise
    source: Source
    if connections is not None:
        source = _live_source(spec, core, connections)
    else:
        source = FeedSource(plan.feed, 0, spec.progress(plan))
    session = Session(plan, core, folder, supervisor, Script(), source, None, inputs)
    session.snapshots = spec.snapshots(plan, core, folder)
    return session


@dataclass(frozen=True, slots=True)
class _Old:
    """What there is of a session that is continued, flattened or sealed."""

    place: Path
    journal: Journal
    is_seal: bool
    has_ended: bool
    """Whether no new event comes: what is left is to make its last files."""
    recorded: RecordedInputs | None
    """None for a session on recorded data."""
    found: Snapshot | None
    """A snapshot that is whole."""

    @property
    def is_live(self) -> bool:
        """Whether it continues on live feeds."""
        return self.recorded is not None and not self.has_ended


def _find(spec: SessionSpec) -> _Old:
    """Look at the folder of a session. Raises CannotResumeError, JournalDamagedError, OSError."""
    session_id = spec.session_id
    place = find_session(session_id, spec.home)
    found = look_for_snapshot(place, spec.tell) if spec.use_snapshot else None
    journal = read_session(place, -1 if found is None else found.sequence)
    status = journal.status
    # What was sealed as recovered had been decided on, even if its last files are missing.
    is_seal = spec.purpose is Purpose.SEAL or status is SessionStatus.CRASHED_RECOVERED
    if status is not None and is_finished(place):
        if status is not SessionStatus.STOPPED:
            raise CannotResumeError(
                f"session {session_id} has ended ({status.value}): there is nothing to resume"
            )
        if is_seal:
            raise CannotResumeError(
                f"session {session_id} did not crash but was stopped, and is sealed: resume it "
                f"by `logos resume {session_id}`"
            )
    has_ended = is_seal or status not in (None, SessionStatus.STOPPED)
    recorded = RecordedInputs.of(place) if spec.feed is None else None
    return _Old(place, journal, is_seal, has_ended, recorded, found)


def _old(spec: SessionSpec, resources: ExitStack, entry: registry.Registration) -> Session:
    old = _find(spec)
    entry.name(spec.session_id, spec.home)
    session_id, home, journal = spec.session_id, spec.home, old.journal
    feed = NoFeed() if old.is_live else spec.feed or old.recorded
    plan = same_plan(journal, session_id, spec.strategy, feed)
    if old.is_live:
        resources.enter_context(hold_account(plan.config, spec.outside, entry.token))
    connections = _reconnect(spec, plan) if old.is_live else None
    own = None
    if spec.switch is None and not old.has_ended:
        own = _machine_switch(spec, plan, resources, journal)
    # An ended session meets no new event, so it never asks the switch of the machine.
    after = None if old.has_ended else own or spec.switch
    survey, found = _survey(spec, plan, old)
    projections = projection_files(session_id, old.place, home)
    core, switch, snapshot = restore(
        plan, session_id, journal, after, found, projections, spec.tell
    )
    states = core.order_manager.states
    folder = SessionFolder(session_id, old.place, states, home, journal.whole_bytes, snapshot)
    resources.callback(folder.close)
    watched = after or InProcessSwitch()
    supervisor = SessionSupervisor(
        session_id, watched, core, home, entry.token, takes_signals=spec.takes_signals
    )
    resources.callback(supervisor.close)
    inputs, past = None, None
    if survey is not None and old.recorded is not None:
        mark = None if snapshot is None else snapshot.inputs
        start = START if mark is None else mark.position
        path, symbols = old.recorded.path, list(plan.instruments)
        inputs = InputsWriter(path, symbols, survey.whole_bytes, start)
        resources.callback(inputs.close)
        sequence = 0 if snapshot is None else snapshot.sequence
        past = Past(old.place, old.recorded, survey, start.offset, sequence)
    source: Source
    if connections is not None:
        source = _live_source(spec, core, connections, past)
    else:
        skip = 0 if snapshot is None else snapshot.consumed
        source = FeedSource(plan.feed, skip, spec.progress(plan))
    script = _script(spec, old, switch, snapshot)
    session = Session(plan, core, folder, supervisor, script, source, snapshot, inputs)
    session.snapshots = spec.snapshots(plan, core, folder)
    if old.recorded is not None and not old.is_live:
        session.measure(old.recorded.facts)
    recovery = resources.enter_context(Recovery(old.place, journal, snapshot))

    def note_result() -> None:
        if session.result is not None:
            recovery.result = session.result.status.value

    resources.callback(note_result)
    return session


def _survey(spec: SessionSpec, plan: Plan, old: _Old) -> tuple[Survey | None, Snapshot | None]:
    """What was recorded of a session that continues live, and its snapshot if that fits it."""
    found = old.found
    if old.recorded is None or not old.is_live:
        return None, found
    old.recorded.know(plan.instruments)
    mark = None if found is None else found.inputs
    survey = old.recorded.survey(None if mark is None else mark.position)
    if found is not None and (mark is None or not survey.has_place):
        tell_unused(spec.tell, "the recorded inputs have another history")
        found = None
    return survey, found


def _script(
    spec: SessionSpec, old: _Old, switch: RecordedSwitch, snapshot: Snapshot | None
) -> Script:
    journal = old.journal
    script = Script(recorded_commands(journal.recording.commands))
    if snapshot is not None:
        del script.commands[: journal.commands_before]
    if spec.flatten is not None and not old.is_live:
        script.commands.append(DueCommand(journal.recording.last_tick_id, spec.flatten))
        script.before_last_command = switch.hand_over
    if old.is_seal:
        script.seal_after_tick = journal.recording.last_tick_id
        script.stopped_as = SessionStatus.CRASHED_RECOVERED
    return script


def _replay(spec: SessionSpec, resources: ExitStack, entry: registry.Registration) -> Session:
    session_id = spec.session_id
    place = find_session(session_id, spec.home)
    journal = read_session(place)
    if journal.status is None or not is_finished(place):
        raise CannotResumeError(
            f"session {session_id} was never finished: finish it with `logos resume {session_id}`"
        )
    recorded = RecordedInputs.of(place) if spec.feed is None else None
    plan = same_plan(journal, session_id, spec.strategy, spec.feed or recorded)
    switch = RecordedSwitch(journal.recording, None)
    core = plan.make_core(session_id, switch)
    switch.attach(core.order_manager)
    elsewhere = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="logos-replay-")))
    copy = elsewhere / session_id
    make_folder(copy)
    folder = SessionFolder(session_id, copy, core.order_manager.states, elsewhere)
    resources.callback(folder.close)
    entry.name(session_id, elsewhere, copy)
    supervisor = SessionSupervisor(session_id, switch, core, elsewhere, entry.token)
    resources.callback(supervisor.close)
    script = Script(
        recorded_commands(journal.recording.commands),
        stop_after_tick=journal.stopped_tick_id,
        stopped_as=journal.status,
    )
    source = FeedSource(plan.feed, 0, spec.progress(plan))
    session = Session(plan, core, folder, supervisor, script, source)
    if recorded is not None:
        session.measure(recorded.facts)
    return session


# ---- parts ----


def _live_source(
    spec: SessionSpec, core: TradingCore, connections: Connections, past: Past | None = None
) -> LiveSource:
    order_manager = core.order_manager
    feeds = FeedStates()
    stale_after_ns = {
        symbol: state.limits.stale_after_ns for symbol, state in order_manager.states.items()
    }
    inbox = Inbox(connections.plan.config.live.inbox_size, stale_after_ns, feeds.news)
    return LiveSource(inbox, connections, feeds, spec.home, past, spec.flatten, spec.tell)


def _reconnect(spec: SessionSpec, plan: Plan) -> Connections:
    if plan.config.venue.live and not spec.is_acknowledged:
        raise CannotResumeError(
            f"session {spec.session_id} sends orders to {plan.config.venue.name.value}: to go on "
            "with it takes --live and --i-acknowledge-risk again"
        )
    return connect_ready(plan, spec.outside, None if spec.flatten is None else spec.tell)


def _machine_switch(
    spec: SessionSpec, plan: Plan, resources: ExitStack, journal: Journal | None = None
) -> SessionSwitch:
    """The kill switch of the workspace; engaged only if the `journal` ended with that."""
    switches = () if journal is None else journal.recording.switches
    may_be_engaged = bool(switches) and SwitchState[switches[-1].state] is SwitchState.ENGAGED
    switch = open_switch(
        spec.tell, spec.home, may_be_engaged=may_be_engaged, is_real=plan.config.venue.live
    )
    resources.callback(switch.close)
    return switch
