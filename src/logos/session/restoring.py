"""What must be the same for a session to be run again, and where it is resumed.

It is resumed at its snapshot, if everything about it fits, or at its beginning.

A snapshot that is not whole, not of this session, newer than the journal, of another history, or
followed by tables that are not what they were, is left alone: the operator hears why in one line,
and the session is run again from its beginning. Only a strategy that fails to load what it saved
itself ends the attempt, as nobody knows what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from logos import __version__
from logos.build import build_hash
from logos.config import Config, ConfigError, make_config
from logos.config.masking import unmasked_config
from logos.config.tables.kafka_options import signal_topic
from logos.core.commands import LIMIT, limit_gross
from logos.core.engine import TradingCore
from logos.core.gates import Switch
from logos.core.saved.state import NotThisCore, load_strategy, restore_core
from logos.core.strategy import Strategy, can_save
from logos.data.checked.store import UNKEPT, CheckedStore
from logos.errors import LogosError, error_words
from logos.interrupts import is_interrupt
from logos.journal.inputs import RecordedInputs
from logos.session.artifacts.claim import SETTINGS
from logos.session.artifacts.snapshots.snapshot import (
    Snapshot,
    SnapshotError,
    check_files,
    read_snapshot,
)
from logos.session.artifacts.summary import manifest
from logos.session.build import make_instruments
from logos.session.history import Journal
from logos.session.plan import Feed, Plan, make_plan
from logos.session.recorded import RecordedSwitch
from logos.session.stored.names import may_resume
from logos.session.stored.origin import NOT_KNOWN, Origin

Tell = Callable[[str], object]


class CannotResumeError(LogosError):
    """There is nothing to resume, or not under these circumstances; the message says why."""


def settings_at(folder: Path) -> Config:
    """The settings that a session without a first record was given, from its `folder`.

    Raises ConfigError when they cannot be read, or a secret among them is not set anew.
    """
    path = folder / SETTINGS
    try:
        tables = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{path} does not hold the settings of the session ({error}), and nothing else says "
            "what it was to be: remove its folder and start it with its settings"
        ) from None
    return unmasked_config(make_config(tables, str(path)))


def check_can_start(
    session_id: str, config: Config, strategy: Strategy | None, feed: Feed | None
) -> None:
    """Raise CannotResumeError for a session without a first record that needs objects again."""
    named = {"session_id": session_id, "strategy": "a strategy made in Python"}
    _check_can_be_made(named, config, strategy, feed)


def same_plan(
    journal: Journal,
    session_id: str,
    strategy: Strategy | None,
    feed: Feed | None,
    moved: Callable[[], object] = lambda: None,
    origin: Origin = NOT_KNOWN,
    store: CheckedStore = UNKEPT,
) -> Plan:
    """The session's plan made anew, refused unless it is the one the session began with.

    Its files are found as `origin` says; the `store` is as in `make_plan`. Raises
    CannotResumeError, ConfigError and DataError.
    """
    then = journal.manifest
    if then["software"] != __version__:
        raise CannotResumeError(
            f"session {session_id} was begun by logos {then['software']}, this is {__version__}: "
            "use that version, whose every byte is the same"
        )
    if then.get("build", "") != build_hash():
        raise CannotResumeError(
            f"the sources of logos {__version__} are not those that session {session_id} began "
            "with: go on with the build it began with (the same commit, without edits), or start "
            "a new session"
        )
    config: Config = make_config(then["config"], f"manifest of {session_id}")
    _check_can_be_made(then, config, strategy, feed)
    if strategy is None:
        try:
            config = unmasked_config(config)
        except ConfigError as error:
            raise CannotResumeError(f"session {session_id}: {error}") from None
    if isinstance(feed, RecordedInputs):
        feed.know(make_instruments(config.instruments), joins=not config.venue.live)
    plan = make_plan(config, strategy=strategy, feed=feed, moved=moved, origin=origin, store=store)
    now = msgspec.to_builtins(manifest(plan, session_id))
    for key, what in (
        ("data", "the market data"),
        ("strategy_fingerprint", "the source of the strategy or of a guard, or the signals file,"),
        ("strategy", "the strategy"),
        ("config_hash", "the settings"),
    ):
        if now[key] != then[key]:
            raise CannotResumeError(
                f"{what} of session {session_id} changed since it began: put back what was there, "
                "or start a new session"
            )
    _check_modules(session_id, then["modules"], now["modules"])
    return plan


def _check_modules(session_id: str, then: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse another version of a file that the strategy imports. Raises CannotResumeError."""
    changed = [name for name in then if now.get(name) != then[name]]
    changed += [name for name in now if name not in then]
    if changed:
        raise CannotResumeError(
            f"what the strategy of session {session_id} imports changed since it began "
            f"({', '.join(changed)}): put back what was there, or start a new session"
        )


def _check_can_be_made(
    manifest: Mapping[str, Any], config: Config, strategy: Strategy | None, feed: Feed | None
) -> None:
    """Refuse what was begun from Python with objects that the session's files do not hold."""
    who = manifest["session_id"]
    is_named = config.strategy.name or config.strategy.signals or signal_topic(config)
    if strategy is None and not is_named:
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


def refuse_restored(config: Config, folder: Path) -> None:
    """Raise CannotResumeError for a session that is only to be looked at, see `may_resume`."""
    if not may_resume(folder, is_real=config.venue.live):
        raise CannotResumeError(
            f"session {folder.name} was restored from what had been shipped of it: an order that "
            "it sent last may not be in its journal, and the venue alone knows. Close its orders "
            "and positions there, and start a new session under another id"
        )


def look_for_snapshot(folder: Path, tell: Tell) -> Snapshot | None:
    """The snapshot of a session, if it has one that is whole. Raises OSError."""
    try:
        return read_snapshot(folder)
    except SnapshotError as error:
        tell_unused(tell, error)
        return None


def check_fits(
    snapshot: Snapshot, journal: Journal, plan: Plan, projections: Mapping[str, Path]
) -> None:
    """Whether a snapshot is of this session and lies on its history.

    Raises SnapshotError saying what does not fit.
    """
    if snapshot.uuid != journal.manifest["uuid"]:
        raise SnapshotError("it is of another session")
    if snapshot.sequence > journal.records or snapshot.offset > journal.whole_bytes:
        raise SnapshotError(
            f"it is of record {snapshot.sequence}, and the journal has only {journal.records}"
        )
    if snapshot.position != journal.middle:
        raise SnapshotError(f"the journal has another history up to record {snapshot.sequence}")
    if not can_save(plan.strategy):
        raise SnapshotError("the strategy cannot be loaded")
    check_files(snapshot, projections)


def restore(
    plan: Plan,
    session_id: str,
    journal: Journal,
    after: Switch | None,
    found: Snapshot | None,
    projections: Mapping[str, Path],
    tell: Tell,
) -> tuple[TradingCore, RecordedSwitch, Snapshot | None]:
    """A core that is to continue a session, its switch, and the snapshot at which it stands.

    `after` is the switch that follows the journal's (None: nothing new is looked at). The snapshot
    is None for a core at its beginning. Raises CannotResumeError when the strategy cannot load
    what it saved.
    """

    def make(switches_before: int) -> tuple[TradingCore, RecordedSwitch]:
        recorded = RecordedSwitch(journal.recording, after, switches_before)
        core = plan.make_core(session_id, recorded)
        recorded.attach(core.order_manager)
        return core, recorded

    if found is not None:
        try:
            check_fits(found, journal, plan, projections)
            core, recorded = make(journal.switches_before)
            restore_core(core, found.core)
            _limit_again(core, journal)
        except (SnapshotError, NotThisCore) as error:
            tell_unused(tell, error)
        else:
            _load_strategy(core, found, session_id)
            return core, recorded, found
    return *make(0), None


def _limit_again(core: TradingCore, journal: Journal) -> None:
    """Put the limit of exposure into force that was before a snapshot: limits are settings, and not
    in it."""
    for each in reversed(journal.recording.commands[: journal.commands_before]):
        if each.action == LIMIT and isinstance(each.amount, str):
            limit_gross(core.order_manager, each.amount)
            return


def _load_strategy(core: TradingCore, snapshot: Snapshot, session_id: str) -> None:
    try:
        load_strategy(core, snapshot.strategy)
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise CannotResumeError(
            f"the strategy's load() failed: {error_words(error)}; resume without "
            f"the snapshot: logos resume {session_id} --no-snapshot"
        ) from error


def tell_unused(tell: Tell, error: object) -> None:
    """Say why a snapshot is left alone."""
    tell(f"logos: the snapshot is not used: {error}; the session is run again from its beginning")
