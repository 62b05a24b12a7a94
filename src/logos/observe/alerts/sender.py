"""The sender of a workspace: it watches, keeps what it found, and has it delivered.

One process for each workspace; a lock says which. Its steps are in an order in which a kill between
any two loses nothing: an alert is durable, then the place that it was read from, then each channel
notes what it has.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from logos.config.tables.alerts import AlertSettings
from logos.errors import WorkspaceError
from logos.files import make_folder, private_opener
from logos.observe.alerts.alert import Alert
from logos.observe.alerts.delivery import Delivery
from logos.observe.alerts.outbox import Cleared, Outbox, alerts_folder
from logos.observe.alerts.places import Place, Places, read_places, write_places
from logos.observe.alerts.settings import laid_over, of_session, read_known, write_known
from logos.observe.alerts.watch import Seen, Watch
from logos.session.opening.alert_sender import LOCK_FILE

POLL_S: Final = 0.5
IDLE_S: Final = 2.0
"""How long nothing may run, with nothing left to tell, before a sender that ends by itself ends."""
_SAVE_S: Final = 5.0
_STOP_S: Final = 2.0


class Over(Protocol):
    """What ends a sender, such as a `threading.Event`."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class SenderBusyError(WorkspaceError):
    """Another process sends the alerts of the workspace."""


class SenderLock:
    """Who sends the alerts of a workspace holds this; the kernel drops it when the process dies."""

    def __init__(self, folder: Path) -> None:
        """Raises SenderBusyError, naming the process that has it, and OSError."""
        make_folder(folder)
        path = folder / LOCK_FILE
        self._descriptor = private_opener(str(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise SenderBusyError(
                f"process {holder or '?'} sends the alerts of this workspace already"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let another process have it; closing again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Sender:
    """Watches one workspace and delivers. For one thread, beside those of the channels."""

    def __init__(
        self,
        workspace: Path,
        given: AlertSettings | None = None,
        named: str = "",
        tell: Callable[[str], object] | None = None,
    ) -> None:
        """`given` are the settings of a file; `named` is a session that has just begun.

        Raises SenderBusyError, OSError, and WorkspaceError for an outbox that cannot be read.
        """
        self._workspace = workspace
        self._given = given
        self._tell = tell or _tell_standard_error
        self._folder = alerts_folder(workspace)
        self._lock = SenderLock(self._folder)
        try:
            self._outbox = Outbox(self._folder)
        except BaseException:
            self._lock.close()
            raise
        self._watch = Watch(workspace, self._read_places(), self._tell)
        if named:
            self._watch.named.add(named)
        self._known = self._read_known()
        self._asked: set[str] = set()
        """Sessions whose settings were read."""
        self._deliveries: dict[str, Delivery] = {}
        self._told: set[str] = set()
        self._saved = b""
        self._saved_s = time.monotonic()
        self._busy_s = time.monotonic()
        self._arrange()
        seen = self._watch.find()
        self._watch.settle(seen)
        self._save()  # a kill before the first look must not make what ends meanwhile old
        self._learn(seen)

    @property
    def channels(self) -> list[str]:
        """The names of the channels that are known now; more come with sessions."""
        return sorted(self._known.channels)

    def run(self, is_over: Over, *, until_idle: bool = False) -> None:
        """Look and deliver until `is_over` is set; with `until_idle`, also until nothing runs and
        nothing is left to tell. Raises OSError when what must be kept cannot be written."""
        while not is_over.is_set():
            is_behind = self.look()
            if until_idle and time.monotonic() - self._busy_s >= IDLE_S:
                return
            if not is_behind:
                is_over.wait(POLL_S)

    def look(self) -> bool:
        """Look once, and keep what was found; whether there is more to be read at once.

        Raises OSError.
        """
        seen = self._watch.find()
        self._learn(seen)
        look = self._watch.look(seen, self._known, self._outbox.active)
        new = self._outbox.add(self._addressed(each) for each in look.alerts)
        for condition in look.ended:
            self._outbox.take(Cleared(condition, time.time_ns()))
        now_s = time.monotonic()
        if new:
            for delivery in self._deliveries.values():
                delivery.wake()
        if new or now_s - self._saved_s >= _SAVE_S:
            self._saved_s = now_s
            self._save()
        for delivery in self._deliveries.values():
            if delivery.failure:
                raise OSError(0, delivery.failure, str(self._folder))
        is_running = any(each.running for each in seen.found.values())
        if is_running or look.is_behind or self._outbox.has_pending(self._deliveries):
            self._busy_s = now_s
        return look.is_behind

    def _save(self) -> None:
        """Keep the places, if all that was found before them is on the disk."""
        if self._outbox.problem:
            self._say(f"{self._outbox.problem}: alerts are sent, and may be sent again")
            return
        content = msgspec.json.encode(self._watch.places)
        if content == self._saved:
            return
        try:
            write_places(self._folder, self._watch.places)
            self._saved = content
        except OSError as error:
            self._say(f"{self._folder}: {error.strerror}: alerts are sent, and may be sent again")

    def _say(self, words: str) -> None:
        """Tell the operator, once."""
        if words not in self._told:
            self._told.add(words)
            self._tell(words)

    def close(self) -> None:
        """End: what is under way gets two seconds; the rest is pending."""
        for delivery in self._deliveries.values():
            delivery.stop(0)
        for delivery in self._deliveries.values():
            delivery.stop(_STOP_S)
        self._watch.close()
        self._save()
        self._outbox.close()
        self._lock.close()

    # ---- settings ----

    def _learn(self, seen: Seen) -> None:
        """Read the settings of sessions that were not seen before."""
        known = self._known
        for session_id in seen.sessions:
            if session_id in self._asked or not self._watch.is_news(session_id, seen):
                continue
            self._asked.add(session_id)
            with suppress(FileNotFoundError):
                settings = of_session(self._workspace, session_id)
                if settings is not None:
                    known = laid_over(known, settings)
        known = known if self._given is None else laid_over(known, self._given)
        if known != self._known:
            self._known = known
            write_known(self._folder, known)
            self._arrange()

    def _arrange(self) -> None:
        """Have a delivery for each channel, with the settings of now."""
        for name, settings in self._known.channels.items():
            there = self._deliveries.get(name)
            if there is not None:
                same = msgspec.structs.replace(there.settings, channels={})
                if there.settings.channels[name] == settings and same == msgspec.structs.replace(
                    self._known, channels={}
                ):
                    continue
                there.stop(_STOP_S)
            delivery = Delivery(name, self._known, self._outbox, self._tell)
            self._deliveries[name] = delivery
            delivery.start()

    def _addressed(self, alert: Alert) -> Alert:
        """The alert, with the channels that want it."""
        wanting = tuple(
            name
            for name, channel in self._known.channels.items()
            if not channel.kinds or alert.kind in channel.kinds
        )
        return msgspec.structs.replace(alert, channels=wanting)

    def _read_known(self) -> AlertSettings:
        try:
            known = read_known(self._folder)
        except ValueError as error:
            self._tell(f"{self._folder}: the settings kept there cannot be read: {error}")
            known = AlertSettings()
        return known if self._given is None else laid_over(known, self._given)

    def _read_places(self) -> Places:
        try:
            return read_places(self._folder)
        except ValueError as error:
            self._tell(
                f"{self._folder}: the places kept there cannot be read ({error}); everything is "
                "read from its beginning, and what was told before is not told again"
            )
            return Places(Place(), {})


def _tell_standard_error(text: str) -> None:
    print(f"logos alerts: {text}", file=sys.stderr, flush=True)
