"""Keeps a process that sends alerts beside a session whose settings have `[alerts]`.

The sender (`logos alerts run`) is a process in a session of its own, one for each workspace: it
outlives the session, so that it can tell that the session died. A thread here looks every
second whether one holds the workspace's lock, and starts one where none does; it does nothing
else, and nothing of the session waits for it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, Self

import msgspec

from logos import paths
from logos.config.settings import Config
from logos.files import make_folder
from logos.session.presence.heartbeat import is_in_use

LOCK_FILE: Final = "lock"
"""In the workspace's folder of alerts; the sender holds it locked."""
LOG_FILE: Final = "sender.log"
_LOOK_S: Final = 1.0
_LOOK_S_MAX: Final = 60.0
_SHORT_S: Final = 10.0
"""A sender that lived shorter than this counts as failed."""
_FAILURES_MAX: Final = 5
"""So many in a row are followed at once by the next; then each waits twice as long as the last."""


def is_sender_running(folder: Path) -> bool:
    """Whether a process holds the lock in `folder`, the workspace's folder of alerts.

    Raises OSError when that cannot be asked.
    """
    try:
        return is_in_use(folder / LOCK_FILE)
    except FileNotFoundError:  # none was ever started here
        return False


def alerts_sent(
    config: Config, session_id: str, home: Path | None, tell: Callable[[str], object]
) -> AbstractContextManager[object]:
    """A `with` in which alerts of a session with these settings are sent, if it wants any.

    The others as of `AlertSender`.
    """
    if config.alerts is msgspec.UNSET:
        return nullcontext()
    return AlertSender(session_id, home, tell)


class AlertSender:
    """Has alerts sent as long as a `with` lasts, and as long after it as there is one to tell."""

    def __init__(self, session_id: str, home: Path | None, tell: Callable[[str], object]) -> None:
        """`home` is the session's workspace (None: the configured one); `tell` hears, once, why no
        sender can be started."""
        self._session_id = session_id
        self._workspace = Path(os.path.abspath(home or paths.home()))
        self._folder = paths.state_dir(self._workspace) / "alerts"
        self._tell = tell
        self._pid = 0
        self._started_s = 0.0
        self._failures = 0
        self._wait_s = _LOOK_S
        self._has_told = False
        self.looks = 0
        """How often it has looked."""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alert sender", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()  # one that died since the last look cannot tell how the session ends

    def _run(self) -> None:
        while True:
            self._look()
            self.looks += 1
            if self._done.wait(self._wait_s):
                return

    def _look(self) -> None:
        """See that a sender runs; why none can be started is told once."""
        try:
            self._see_sender()
        except OSError as error:
            if not self._has_told:
                self._has_told = True
                self._tell(f"logos: no alerts are sent: {error.filename}: {error.strerror}")

    def _see_sender(self) -> None:
        """Start a sender where none runs. Raises OSError."""
        if self._pid and os.waitpid(self._pid, os.WNOHANG)[0]:
            self._pid = 0
            is_short = time.monotonic() - self._started_s < _SHORT_S
            self._failures = self._failures + 1 if is_short else 0
            too_many = max(0, self._failures - _FAILURES_MAX)
            self._wait_s = min(_LOOK_S * 2.0**too_many, _LOOK_S_MAX)
        if not self._pid and not is_sender_running(self._folder):
            self._pid = self._start()
            self._started_s = time.monotonic()

    def _start(self) -> int:
        """Start the sender; its process id. Raises OSError."""
        make_folder(self._folder)
        command = [sys.executable, "-m", "logos.live", "alerts", "run"]
        command += ["--until-idle", "--session", self._session_id]
        log = str(self._folder / LOG_FILE)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        # Signals may be held back while a session begins: that must not be passed on.
        return os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, "LOGOS_HOME": str(self._workspace)},
            file_actions=actions,
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE],
        )
