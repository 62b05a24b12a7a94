"""What a session tells the service manager that started it (systemd's sd_notify protocol).

Problem: a manager that only knows the process cannot see a session whose loop hangs, and one that
believes the process started takes a session that reads data for one that trades. Method: with
`NOTIFY_SOCKET` in the environment the session sends, over that socket, that it still starts, that
it is ready, that it turns (`WATCHDOG=1`, where the manager asks for that) and that it stops. All of
it is sent from between two pieces of the session's own work, never from a thread or a timer: what
does not turn is not said to.

The messages and variables are those of sd_notify(3) and sd_watchdog_enabled(3). Without the
variable there is no object, and nothing is asked.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final, Self

from logos.shown import plain

SOCKET: Final = "NOTIFY_SOCKET"
_US_PER_S: Final = 1_000_000
_STARTING_S: Final = 5.0
"""Between two messages that the session still starts."""
_EXTENSION_S: Final = 60
"""How long a start may take until its next sign; sent with every one."""


class ServiceNotifier:
    """Tells one service manager how the session stands. For the thread that runs the session."""

    def __init__(
        self,
        address: str,
        watchdog_s: float = 0.0,
        *,
        tell: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is a path, or "@" and an abstract name. `watchdog_s` is how long the manager
        waits for a sign (0: it waits for none). `tell` hears, once, of a socket that fails."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_s = watchdog_s
        self._tell = tell
        self._clock = clock
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)  # a manager that hangs must not hold a session up
        self._due_s = 0.0
        self._unsent = ""
        """That it is ready, while the manager's queue was too full to hear it."""
        self._is_ready = False
        self._is_told = False

    @classmethod
    def of(
        cls, environment: Mapping[str, str], tell: Callable[[str], object], pid: int
    ) -> Self | None:
        """The notifier that the variables of the process `pid` ask for; None where there is none.

        The watchdog counts only where `WATCHDOG_PID` is this process, or not set.
        """
        address = environment.get(SOCKET, "")
        if not address:
            return None
        if address[0] not in "/@":
            tell(f"{SOCKET} is {plain(address)!r}, which is no socket that can be written to")
            return None
        text = environment.get("WATCHDOG_USEC", "")
        is_ours = environment.get("WATCHDOG_PID", "") in ("", str(pid))
        watchdog_s = int(text) / _US_PER_S if is_ours and text.isascii() and text.isdigit() else 0.0
        return cls(address, watchdog_s, tell=tell)

    @classmethod
    def tell_of_nothing_to_run(cls, session_id: str, tell: Callable[[str], object]) -> None:
        """The session has ended before: a manager that waits for one to be ready would take a
        process that ends without a word for a failure."""
        notifier = cls.of(os.environ, tell, os.getpid())
        if notifier is not None:
            notifier.ready(session_id)
            notifier.close()

    def starting(self, phase: str) -> None:
        """The session does `phase` and has not begun; the manager is asked to wait on."""
        self._extend(f"STATUS=starting: {plain(phase)}\n" if phase else "")

    def ready(self, session_id: str) -> None:
        """The session is about to trade."""
        self._is_ready = True
        self._due_s = self._clock() + self._watchdog_s / 2
        message = f"READY=1\nSTATUS=session {session_id}\nMAINPID={os.getpid()}"
        if not self._send(message):
            self._unsent = message

    def turn(self) -> None:
        """A piece of the session's work is done. Cheap: it sends at half the watchdog's time."""
        now_s = self._clock()
        if now_s < self._due_s:
            return
        if self._unsent:
            self._due_s = now_s + self._watchdog_s / 2
            if self._send(self._unsent):
                self._unsent = ""
        elif not self._is_ready:
            self._due_s = now_s + _STARTING_S
            self._extend("")
        elif self._watchdog_s:
            self._due_s = now_s + self._watchdog_s / 2
            self._send("WATCHDOG=1")

    def close(self) -> None:
        """The session is over, and what is left is to end. Closing again does nothing."""
        if self._socket.fileno() >= 0:
            self._send("STOPPING=1")
            self._socket.close()

    def _extend(self, words: str) -> None:
        self._send(f"{words}EXTEND_TIMEOUT_USEC={_EXTENSION_S * _US_PER_S}")

    def _send(self, message: str) -> bool:
        """Whether there is nothing to say again."""
        try:
            self._socket.sendto(message.encode(), self._address)
        except BlockingIOError:
            self._due_s = 0.0  # the manager's queue is full: said again at the next turn
            return False
        except OSError as error:
            if not self._is_told:
                self._is_told = True
                self._tell(f"the service manager at {SOCKET} cannot be told: {error.strerror}")
        return True
