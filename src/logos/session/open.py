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

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from logos.config import Config, ConfigError
from logos.config.tables.disk import DISK
from logos.config.terms.payments import has_payments
from logos.core.engine import TradingCore
from logos.core.gates import Switch
from logos.core.types import SessionStatus
from logos.files import make_folder
from logos.journal.entries import JOURNAL
from logos.journal.inputs import INPUTS_FILE, InputsWriter, RecordedInputs
from logos.journal.lock import JournalLock
from logos.journal.surveys import Survey
from logos.journal.writer import START, JournalWriter, content_of
from logos.session.artifacts.claim import Claim, claim_folder, clear
from logos.session.artifacts.derived.files import EXCURSION_EVENTS_MAX
from logos.session.artifacts.derived.prices import KeptPrices
from logos.session.artifacts.folder import SessionFolder, is_finished, projection_files
from logos.session.artifacts.recoveries import Recovery
from logos.session.artifacts.snapshots.snapshot import Snapshot
from logos.session.carrying.hand_over import carried_on, check_carries
from logos.session.disk import disk_guard, stopped_because
from logos.session.history import (
    NothingHappenedError,
    find_session,
    read_prescribed,
    read_session,
)
from logos.session.opening.alert_sender import alerts_sent
from logos.session.opening.machine_switch import SessionSwitch, refuse_engaged
from logos.session.opening.old import Old, find_old, script_of, survey_of
from logos.session.opening.recorded import checked_store
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.opening.start import Start
from logos.session.opening.start import start as stand
from logos.session.plan import NoFeed, Plan, make_plan, with_seed
from logos.session.presence.watchdog import Watchdog
from logos.session.recorded import RecordedSwitch
from logos.session.restoring import (
    CannotResumeError,
    check_can_start,
    refuse_restored,
    restore,
    same_plan,
    settings_at,
)
from logos.session.script import Script, recorded_commands
from logos.session.session import Session
from logos.session.source import (
    BASELINE_FILE,
    FeedSource,
    Past,
    PastSource,
    Source,
)
from logos.session.stored.origin import Origin, origin_of
from logos.session.supervisor import SessionStoppedError, StopWhileStartingError

if TYPE_CHECKING:
    from logos.session.connections import Connections


def open_session(spec: SessionSpec) -> Session:
    """Assemble a session; use it in a `with`, and `drive` it there.

    Safety comes first: registry, kill switch, signals, watcher and heartbeat stand before its data
    or its journal is read.

    Raises ConfigError, DataError or SwitchEngagedError when a new one cannot start; of an old one
    CannotResumeError when it has ended, or when settings, data, strategy or software are not those
    it began with, and JournalDamagedError, SessionBusyError; OSError when files cannot be written,
    and SessionStoppedError when a signal stops it before it has begun.
    """
    with ExitStack() as resources:
        start = stand(spec, resources)
        is_replay = spec.purpose is Purpose.REPLAY
        is_elsewhere = is_replay or spec.purpose is Purpose.LOOK
        try:
            if spec.config is not None:
                session = _new(start, spec.config)
            else:
                session = _replay(start) if is_elsewhere else _old(start)
        except StopWhileStartingError:
            session_id = start.supervisor.session_id
            raise SessionStoppedError(
                session_id, is_replay=is_replay, is_real=_is_permitted(spec)
            ) from None
        watchdog = Watchdog(session.core, session.supervisor.show_stuck, spec.tell)
        resources.enter_context(watchdog)
        if spec.purpose is Purpose.TRADE:
            session.folder.on_switch(spec.tell)
            config, session_id = session.plan.config, session.session_id
            resources.enter_context(alerts_sent(config, session_id, spec.home, spec.tell))
            resources.enter_context(spec.beside(session))
        session.resources = resources.pop_all()
        return session


def _is_permitted(spec: SessionSpec) -> bool:
    """Whether the operator permitted real orders with this start."""
    return spec.is_acknowledged or (spec.config is not None and spec.config.venue.live)


def _new(start: Start, config: Config) -> Session:
    spec = start.spec
    if config.venue.live and not spec.is_live(config) and spec.feed is None:
        raise ConfigError(
            "venue.live: real orders need live prices, and this session would run on recorded "
            "data: name a feed with --feed, or in live.feed"
        )
    config = with_seed(config)
    disk_guard(spec, config, config.session.id).check_start()
    switch = start.switch(config)
    origin = spec.origin or Origin.here()
    with carried_on(spec, config) as taken:
        claim = claim_folder(taken.config, spec.home, origin)
        taken.mark(claim.session_id)
    try:
        return _begin(start, taken.config, switch, claim, origin)
    except Exception:
        start.supervisor.close()
        claim.give_back()  # made a moment ago, and nothing has happened in it
        taken.take_back()
        raise


def _anew(start: Start, lock: JournalLock) -> Session:
    """Start a session once more that was killed before its first record."""
    spec, place = start.spec, lock.path.parent
    what = "seal" if spec.purpose is Purpose.SEAL else "flatten" if spec.flatten else ""
    if what:
        raise CannotResumeError(
            f"session {place.name} was ended before its first record, so nothing was traded and "
            f"there is nothing to {what}; `logos resume {place.name}` starts it anew"
        )
    config = settings_at(place)
    refuse_restored(config, place)
    check_carries(config, place.name, spec.home)
    feed = NoFeed() if spec.is_live(config) else spec.feed
    check_can_start(place.name, config, spec.strategy, feed)
    spec.check_acknowledged(config)
    disk_guard(spec, config, place.name).check_start()
    spec.tell(f"logos: session {place.name} has no record yet; it begins anew")
    switch, origin = start.switch(config), origin_of(spec.session_id, spec.home)
    clear(place)
    claim = Claim(place.name, place, JournalWriter.continuing(lock, 0))
    return _begin(start, config, switch, claim, origin)


def _begin(start: Start, config: Config, switch: Switch, claim: Claim, origin: Origin) -> Session:
    """A session that has its folder, and has read nothing yet."""
    spec, supervisor, resources = start.spec, start.supervisor, start.resources
    is_live = spec.is_live(config)
    if is_live:  # a session on recorded data needs nothing of what live ones are made of
        from logos.session.connections import with_instruments
        from logos.session.opening.live_source import live_source

    resources.callback(claim.journal.close)
    start.show(claim.journal.path, spec.home, claim.session_id, may_rest=False)
    with supervisor.interruptible("reading its data") as moved:
        plan = make_plan(
            with_instruments(config, origin) if is_live else config,
            strategy=spec.strategy,
            feed=NoFeed(spec.outside) if is_live else spec.feed,
            moved=moved,
            origin=origin,
            now_ns=time.time_ns(),
            store=spec.store or checked_store(spec.home),
        )
        if is_live:
            resources.enter_context(_held(start, plan))
        connections = _connected(start, plan) if is_live else None
    if isinstance(switch, SessionSwitch):
        refuse_engaged(switch)  # since it was opened
    core = plan.make_core(claim.session_id, switch)
    supervisor.attach(core)
    states = core.order_manager.states
    folder = SessionFolder(claim.session_id, claim.journal, states, spec.home, is_live=is_live)
    resources.callback(folder.close)
    inputs = None
    if is_live:
        disk = config.disk or DISK
        path, symbols = claim.folder / INPUTS_FILE, list(plan.instruments)
        inputs = InputsWriter(
            path, symbols, segment_bytes=disk.segment_bytes, segment_hours=disk.segment_hours
        )
        resources.callback(inputs.close)
    source: Source
    if connections is not None:
        source = live_source(spec, core, connections)
    else:
        source = FeedSource(plan.feed, 0, spec.progress(plan))
    session = Session(plan, core, folder, supervisor, Script(), source, None, inputs)
    session.snapshots = spec.snapshots(plan, core, folder)
    disk_guard(spec, config, claim.session_id).watch(session, inputs)
    return session


def _old(start: Start) -> Session:
    spec, supervisor, resources = start.spec, start.supervisor, start.resources
    session_id, home = spec.session_id, spec.home
    lock = JournalLock(find_session(session_id, home) / JOURNAL)
    resources.callback(lock.close)
    may_rest = (lock.path.parent / BASELINE_FILE).exists()
    start.show(lock.path, home, session_id, may_rest=may_rest)
    try:
        with supervisor.interruptible("reading its journal and data") as moved:
            old = find_old(spec, lock.path.parent, moved)
            journal = old.journal
            feed = NoFeed() if old.is_live else spec.feed or old.recorded
            origin = origin_of(session_id, home)
            store = checked_store(home)
            plan = same_plan(journal, session_id, spec.strategy, feed, moved, origin, store)
            refuse_restored(plan.config, lock.path.parent)
            if old.is_live:
                spec.check_acknowledged(plan.config)
                resources.enter_context(_held(start, plan))
            tell = None if spec.flatten is None else spec.tell
            is_to_trade = old.is_live and spec.purpose is not Purpose.RECONCILE
            connections = _connected(start, plan, tell) if is_to_trade else None
    except NothingHappenedError:
        return _anew(start, lock)
    guard = disk_guard(spec, plan.config, session_id)
    if not old.has_ended:
        guard.check_start()
    # An ended session meets no new event, so it never asks the switch of the machine.
    is_past = old.has_ended or spec.purpose is Purpose.RECONCILE
    after = None if is_past else start.switch(plan.config, journal)
    with supervisor.interruptible("restoring what it was"):
        survey, found = survey_of(spec, plan, old)
        projections = projection_files(
            session_id, old.place, home, has_payments=has_payments(plan.config)
        )
        core, switch, snapshot = restore(
            plan, session_id, journal, after, found, projections, spec.tell
        )
    supervisor.attach(core)
    place = START if snapshot is None else snapshot.position
    content = None if snapshot is None else journal.content
    if snapshot is not None and content is None:
        with open(lock.path, "rb") as file:
            content = content_of(file, place.offset)
    writer = JournalWriter.continuing(lock, journal.whole_bytes, place, content=content)
    states = core.order_manager.states
    folder = SessionFolder(
        session_id, writer, states, home, is_new=False, is_live=old.is_live, snapshot=snapshot
    )
    switch.is_continuing = lambda: folder.is_continuing
    resources.callback(folder.close)
    inputs, past = _recording_on(resources, plan, old, survey, snapshot)
    skip = snapshot.consumed if snapshot else 0
    source = _old_source(spec, core, plan, connections, past, skip)
    script = script_of(spec, old, switch, snapshot)
    session = Session(plan, core, folder, supervisor, script, source, snapshot, inputs)
    session.snapshots = spec.snapshots(plan, core, folder)
    if not old.has_ended:
        guard.watch(session, inputs)
    if old.recorded is not None and not old.is_live:
        session.measure(old.recorded.facts)
    recovery = resources.enter_context(Recovery(old.place, journal, snapshot))

    def note_result() -> None:
        if session.result is not None:
            recovery.result = session.result.status.value

    resources.callback(note_result)
    return session


def _held(start: Start, plan: Plan) -> AbstractContextManager[object]:
    """The account of a live session, held by it alone. As `hold_account`."""
    from logos.session.connections import hold_account

    return hold_account(plan.config, start.spec.outside, start.entry.token)


def _connected(
    start: Start, plan: Plan, tell: Callable[[str], object] | None = None
) -> Connections:
    """What a live session is connected to. As `connect_ready`."""
    from logos.session.venue.preflight import connect_ready

    return connect_ready(plan, start.spec.outside, tell)


def _old_source(
    spec: SessionSpec,
    core: TradingCore,
    plan: Plan,
    connections: Connections | None,
    past: Past | None,
    skip: int,
) -> Source:
    """Of an old session: live behind its `past`, that alone where nothing is connected, or its
    recorded data without the first `skip` events."""
    if connections is not None:
        from logos.session.opening.live_source import live_source

        return live_source(spec, core, connections, past)
    return FeedSource(plan.feed, skip, spec.progress(plan)) if past is None else PastSource(past)


def _recording_on(
    resources: ExitStack, plan: Plan, old: Old, survey: Survey | None, snapshot: Snapshot | None
) -> tuple[InputsWriter | None, Past | None]:
    """What records the inputs of a session that continues live, behind those it has; and its past.

    Raises OSError.
    """
    if survey is None or old.recorded is None:
        return None, None
    mark = None if snapshot is None else snapshot.inputs
    from_there = START if mark is None else mark.position
    path, symbols = old.recorded.path, list(plan.instruments)
    disk = plan.config.disk or DISK
    segments = disk.segment_bytes, disk.segment_hours
    inputs = InputsWriter(path, symbols, survey, from_there, *segments)
    resources.callback(inputs.close)
    sequence, metrics = 0, None
    if snapshot is not None:
        sequence, metrics = snapshot.sequence, snapshot.projections.get("metrics")
    return inputs, Past(old.place, old.recorded, survey, from_there, sequence, metrics)


def _replay(start: Start) -> Session:
    spec, resources = start.spec, start.resources
    session_id = spec.session_id
    place = find_session(session_id, spec.home)
    elsewhere = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="logos-replay-")))
    copy = elsewhere / session_id
    make_folder(copy)
    writer = JournalWriter(copy / JOURNAL)
    resources.callback(writer.close)
    start.show(writer.path, elsewhere, session_id, may_rest=False)
    with start.supervisor.interruptible("reading its journal and data") as moved:
        is_replay = spec.purpose is Purpose.REPLAY
        read = read_prescribed if is_replay else read_session
        journal = read(place, moved=moved)
        if is_replay and (journal.status is None or not is_finished(place)):
            raise CannotResumeError(
                f"session {session_id} was never finished: finish it with "
                f"`logos resume {session_id}`"
            )
        recorded = RecordedInputs.of(place) if spec.feed is None else None
        if recorded is not None:
            recorded.watcher = KeptPrices(EXCURSION_EVENTS_MAX)
        feed = spec.feed or recorded
        origin = origin_of(session_id, spec.home)
        store = checked_store(spec.home)
        plan = same_plan(journal, session_id, spec.strategy, feed, moved, origin, store)
    switch = RecordedSwitch(journal.recording, None)
    core = plan.make_core(session_id, switch)
    switch.attach(core.order_manager)
    start.supervisor.attach(core)
    folder = SessionFolder(session_id, writer, core.order_manager.states, elsewhere)
    folder.is_logged = False
    resources.callback(folder.close)
    script = Script(
        recorded_commands(journal.recording.commands),
        stop_after_tick=journal.stopped_tick_id if is_replay else None,
        stopped_as=journal.status or SessionStatus.STOPPED,
        stopped_because=stopped_because(journal, session_id),
    )
    source = FeedSource(plan.feed, 0, spec.progress(plan))
    session = Session(plan, core, folder, start.supervisor, script, source)
    if recorded is not None:
        session.measure(recorded.facts)
    return session
