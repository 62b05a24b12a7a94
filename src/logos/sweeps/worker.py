"""One row's session, run in whatever process or machine it was sent to.

A request and its reply are JSON, so nothing but text goes between processes, and `run_task` never
raises what could carry settings into a log: whatever happens is the reply. Secrets are masked in a
request; a session takes them from the environment, as a resumed one does.

Every execution has a folder of its own (an attempt), made for it and thrown away: who runs a row
again, because the process before died or was believed dead, finds nothing of that, and two that
run the same row at the same time do not meet. What is written into an attempt waits for no disk.
The kill switch is that of the sweep's workspace: it is asked before the session begins, and by the
session's own gates while it runs. What ran under an engaged switch is no result, and is not one.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import threading
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from functools import lru_cache
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.analysis.prices import FirstPrices
from logos.build import build_hash
from logos.config import Config, ConfigError
from logos.config.masking import config_secrets
from logos.data.checked.store import CheckedStore
from logos.errors import LogosError
from logos.files import disposable, make_folder
from logos.secrecy import without, without_keys
from logos.session import ExitCode, SessionResult, SwitchEngagedError
from logos.session import run as run_session
from logos.session.opening.recorded import checked_store
from logos.session.stored.origin import Origin
from logos.sweeps.outcome import Outcome, outcome_of
from logos.sweeps.spec import Trial, trial_config

KEPT: Final = "kept"
"""The workspace within a sweep's folder in which sessions lie that are kept."""
_SWITCHED_OFF: Final = "the kill switch was engaged"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to run one row. Paths are absolute."""

    trial: Trial
    settings: dict[str, Any]
    origin: Origin
    build: str
    workspace: str
    scratch: str
    """Where attempts are made."""
    kept: str = ""
    """The workspace that the session is moved to; "": it is thrown away."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request: an outcome, or why there is none."""

    outcome: Outcome | None = None
    stopped: str = ""
    """Why the kill switch kept it from being run to its end."""
    failed: str = ""
    """Why this row, and so any other, cannot be run here."""


def run_task(request: bytes) -> bytes:
    """Run one row: a Task as JSON; its Reply as JSON. Raises nothing that it could tell."""
    try:
        reply = _run(msgspec.json.decode(request, type=Task))
    except Exception as error:
        reply = Reply(failed=without_keys(f"internal error: {type(error).__name__}: {error}"))
    return msgspec.json.encode(reply)


@lru_cache(maxsize=4)
def _store(workspace: str) -> CheckedStore:
    """What was checked in a workspace: one object, which knows the files that it has seen."""
    return checked_store(Path(workspace))


@lru_cache(maxsize=4)
def _firsts(_workspace: str) -> FirstPrices:
    """First prices, which are the same for all rows: read once by each worker."""
    return {}


def _run(task: Task) -> Reply:
    if task.build != build_hash():
        return Reply(failed="the sources of logos are not those that the sweep began with")
    try:
        config = trial_config(task.settings, task.trial)
    except ConfigError as error:
        return Reply(outcome=_invalid(task.trial, error))
    secrets = config_secrets(config)
    home = _new_attempt(Path(task.scratch), task.trial.session_id)
    try:
        return _run_in(home, task, config)
    except SwitchEngagedError as error:
        return Reply(stopped=str(error).splitlines()[0])
    except ConfigError as error:
        return Reply(outcome=_invalid(task.trial, error, secrets))
    except LogosError as error:
        return Reply(failed=without_keys(without(str(error), secrets)))
    except OSError as error:
        return Reply(failed=f"{error.filename or task.scratch}: {error.strerror or error}")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _invalid(trial: Trial, error: ConfigError, secrets: tuple[str, ...] = ()) -> Outcome:
    """The row of parameters that the strategy, or the settings, do not take."""
    words = without_keys(without(str(error), secrets))
    return Outcome(trial=trial, status="INVALID", reason=words)


def _new_attempt(scratch: Path, session_id: str) -> Path:
    """A folder that no other execution has, whoever makes one at the same time."""
    make_folder(scratch)
    for number in count(1):
        home = scratch / f"{session_id}.{number}"
        with suppress(FileExistsError):
            make_folder(home, is_new=True)
            return home
    raise AssertionError


def _run_in(home: Path, task: Task, config: Config) -> Reply:
    trial = task.trial
    with ExitStack() as around:
        around.enter_context(disposable())
        # What strategies print is no result, and would go to a terminal or to a worker's log.
        around.enter_context(redirect_stdout(io.StringIO()))
        around.enter_context(redirect_stderr(io.StringIO()))
        result = run_session(
            config,
            home=home,
            origin=task.origin,
            tell=lambda _text: None,
            ruled_by=Path(task.workspace),
            store=_store(task.workspace),
            snapshot_due=lambda: False,
            takes_signals=False,
        )
        stopped = _why_no_result(result)
        if stopped is not None:
            return stopped
        outcome = outcome_of(
            trial,
            result.folder,
            dict(result.summary),
            with_days=trial.sample == "out",
            firsts=_firsts(task.workspace),
        )
    if task.kept:
        _keep(home, Path(task.kept), trial.session_id)
    return Reply(outcome=outcome)


def _why_no_result(result: SessionResult) -> Reply | None:
    """Why what came of the session does not count; None: it does."""
    changes = [each for each in result.summary["switch"] if each["state"] != "SAFE"]
    if changes:
        return Reply(stopped=str(changes[0]["reason"]) or _SWITCHED_OFF)
    if result.exit_code in (ExitCode.DISK_LOW, ExitCode.CANNOT_WRITE, ExitCode.BAD_DATA):
        return Reply(failed=result.reason)
    return None


def _keep(home: Path, kept: Path, session_id: str) -> None:
    """Move the session with what belongs to it; one that is there already is the same one."""
    places = [
        Path("runs") / "live" / "sessions" / session_id,
        Path("state") / "origins" / f"{session_id}.json",
    ]
    logs = home / "logos" / "logs"
    if logs.is_dir():
        places += [path.relative_to(home) for path in sorted(logs.iterdir())]
    for place in places:
        if (home / place).exists() and not (kept / place).exists():
            make_folder((kept / place).parent)
            with suppress(FileExistsError):
                os.replace(home / place, kept / place)


# ---- a process of its own ----


def begin_worker(life: Connection) -> None:
    """Make this process a worker: an interrupt of the terminal is its parent's to hear, and it
    ends at once when the other end of `life` is closed, by its parent or because that died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with suppress(EOFError, OSError):
            life.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, name="sweep worker's end", daemon=True).start()
