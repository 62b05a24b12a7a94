"""Run, resume and replay sessions, in one call each: `open_session` and `drive`.

Each finds out by itself whether the session runs on recorded data or on live feeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from logos.config import Config, make_config, read_toml
from logos.core.gates import Switch
from logos.core.messages import Flatten
from logos.core.strategy import Strategy
from logos.data.checked.store import CheckedStore
from logos.errors import LogosError
from logos.execution.collector import Collector
from logos.files import disposable
from logos.session.artifacts.derived.files import DERIVED
from logos.session.artifacts.notes import NOTE_TABLES
from logos.session.artifacts.payments import PAYMENTS
from logos.session.artifacts.snapshots.snapshot import SnapshotDue
from logos.session.artifacts.tables import TABLES, tables_of
from logos.session.history import find_session, read_session
from logos.session.open import open_session
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.outcome import SessionResult
from logos.session.plan import Feed, Plan
from logos.session.session import Session
from logos.session.source import LiveSource, Progress
from logos.session.stored.origin import Origin
from logos.session.supervisor import SessionStoppedError

if TYPE_CHECKING:  # most sessions are live in no fleet
    from logos.killswitch.fleet.ownership import Ownership
    from logos.session.connections import Outside

COMPARED: Final = ("config.json", "state.jsonl", "state.json", *TABLES, "session.md")
"""The files that a replay must reproduce byte for byte."""


def compared(folder: Path) -> tuple[str, ...]:
    """The same of the session in `folder`, which may have a table of payments, and files made of
    its tables: sessions of older versions have none."""
    payments = tables_of((folder / PAYMENTS).is_file())[len(TABLES) :]
    return (*COMPARED, *payments, *(name for name in DERIVED if (folder / name).exists()))


_BLOCK_BYTES: Final = 1 << 20


class SessionDiffersError(LogosError):
    """A replay came out differently; the message names the first difference."""


class Options(TypedDict, total=False):
    """What replaces the settings of a session; see `SessionSpec`."""

    strategy: Strategy | None
    feed: Feed | None
    outside: Outside | None
    switch: Switch | None
    on_plan: Callable[[Plan], Progress] | None
    beside: Callable[[Session], AbstractContextManager[object]]
    tell: Callable[[str], object]
    home: Path | None
    origin: Origin | None
    snapshot_due: SnapshotDue | None
    takes_signals: bool
    ruled_by: Path | None
    store: CheckedStore | None
    ownership: Ownership | None


class NewOptions(Options, total=False):
    """The same for a session that begins."""

    carry: str


class ResumeOptions(Options, total=False):
    """The same for a session that is resumed."""

    flatten: Flatten | None
    use_snapshot: bool
    is_acknowledged: bool


def run(
    config: Config | Mapping[str, Any] | str | Path, **options: Unpack[NewOptions]
) -> SessionResult:
    """Run a whole session on what its settings name: recorded data, or live feeds.

    `config` is a Config, a dict of the same tables, or the path of a TOML file. Orders meet the
    paper market unless `venue.live` says that the operator gave both `--live` and
    `--i-acknowledge-risk`.

    With `carry`, the id of an ended paper session of the workspace, the new one takes over what
    that holds.

    Raises ConfigError, DataError or SwitchEngagedError when the session cannot start, and OSError
    when its files cannot be written; whatever happens after that is told by the result.
    """
    if isinstance(config, str | Path):
        options.setdefault("origin", Origin.here(config))
    return _run(SessionSpec(config=settings(config), **options))


def run_live(
    config: Config | Mapping[str, Any] | str | Path, **options: Unpack[NewOptions]
) -> SessionResult:
    """As `run`, on live feeds whatever the settings say."""
    from logos.session.connections import Outside

    options.setdefault("outside", Outside())
    return run(config, **options)


def resume(
    session_id: str, *, seal: bool = False, **options: Unpack[ResumeOptions]
) -> SessionResult:
    """Continue a session that was stopped or crashed, on recorded data or live feeds as it began.

    With `flatten` it continues without its strategy: open orders are cancelled, every position is
    closed through the same guards and gates, and nothing more is traded. With `seal` a crashed
    session does not continue: it is brought to its last record and sealed CRASHED_RECOVERED.
    Orders that may be at a venue are asked for there before anything new is sent.

    Raises CannotResumeError when it has ended, or when settings, data, strategy or software are
    not those it began with; JournalDamagedError, JournalDiffersError, SessionBusyError, and what
    `run` raises.
    """
    purpose = Purpose.SEAL if seal else Purpose.TRADE
    return _run(SessionSpec(session_id=session_id, purpose=purpose, **options))


def replay(session_id: str, **options: Unpack[Options]) -> SessionResult:
    """Run a sealed session again, elsewhere, and compare every file byte for byte.

    Nothing is written into the session. Raises SessionDiffersError with the first difference, and
    otherwise as `resume`.
    """
    original = find_session(session_id, options.get("home"))
    spec = SessionSpec(session_id=session_id, purpose=Purpose.REPLAY, **options)
    try:
        with disposable():
            return _replay(original, spec)
    except SessionStoppedError:
        raise
    except Exception:
        read_session(original)  # a journal that is damaged has led the replay astray
        raise


def _replay(original: Path, spec: SessionSpec) -> SessionResult:
    """The same for the session in the folder `original`, whose journal was not read before."""
    with open_session(spec) as session:
        result = drive(session)
        if session.supervisor.stop_requested:
            raise SessionStoppedError(spec.session_id, is_replay=True)
        copy = session.folder.folder
        for name in (*compared(original), *NOTE_TABLES):
            if name not in NOTE_TABLES or (original / name).exists() or (copy / name).exists():
                _compare(original / name, copy / name)
    return result


def _run(spec: SessionSpec) -> SessionResult:
    with open_session(spec) as session:
        return drive(session)


def drive(session: Session) -> SessionResult:
    """Run an opened session to its end. Raises OSError when a file cannot be written, and
    JournalDiffersError; whatever else happens is told by the result."""
    # The live loop, with asyncio and all that talks to venues, is a sixth of what would be loaded.
    if isinstance(session.source, LiveSource):
        from logos.event_loop import run_in_loop
        from logos.session.drive import drive_live

        return run_in_loop(drive_live(session, session.source))
    session.supervisor.ready()
    try:
        with Collector() as collector:
            for batch in session.source.batches():
                session.apply(batch)
                if session.is_over:
                    break
                collector.beat(is_quiet=False)  # what is new is looked through as it comes
    except Exception as error:
        if session.is_closed:
            raise
        session.fail(error)
    for _ in range(4):  # one begins the end where nothing has; at a venue one more makes it
        if session.result is not None:
            return session.result
        session.apply(None)
    raise RuntimeError("the session waits for a venue's reports after its last event")


def settings(config: Config | Mapping[str, Any] | str | Path) -> Config:
    """The settings, from whatever form. Raises ConfigError."""
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return make_config(config)
    path = Path(config)
    return make_config(read_toml(path), str(path))


def _compare(original: Path, copy: Path) -> None:
    """Raise SessionDiffersError at the first line in which two files differ."""
    if not original.is_file():
        raise SessionDiffersError(f"{original} is missing")
    if not copy.is_file():
        raise SessionDiffersError(f"{original} is there, and the replay writes no {copy.name}")
    with open(original, "rb") as old, open(copy, "rb") as new:
        while (block := old.read(_BLOCK_BYTES)) == new.read(_BLOCK_BYTES):
            if not block:
                return
        old.seek(0)
        new.seek(0)
        for number in count(1):
            there, here = old.readline(), new.readline()
            if there != here:
                raise SessionDiffersError(
                    f"{original}:{number} is\n  {_shown(there)}\nand the replay gives\n  "
                    f"{_shown(here)}"
                )


def _shown(line: bytes) -> str:
    return line[:500].decode("utf-8", "replace").rstrip("\n") if line else "(nothing more)"
