"""The thread that watches the kill switch for a session, and who watches the thread.

Problem: a bare `touch` of the marker reaches a session that sends no orders only because a thread
looks at the files, and SIGUSR1 is obeyed while the strategy computes only because a thread engages.
A thread can die, or hang in a disk that does not answer, and nobody would notice. Method: it counts
its looks, and whoever could order asks `problem` between two pieces of work (see
`execution.pulse`); the session engages the switch over what is found.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from logos.core.gates import Switch
from logos.execution.pulse import SILENCE_S, Pulse
from logos.killswitch.breaker import CircuitBreaker

LOOK_INTERVAL_S: Final = 0.05
HANDLER_WAIT_S: Final = 0.05
"""How long a signal handler waits for the engagement that it asked for."""


class Watcher:
    """Looks at the switch twenty times a second, and engages it when it is asked to."""

    def __init__(self, switch: Switch, note: Callable[[], object]) -> None:
        """`note` is called after every look, in the thread."""
        self.switch = switch
        """What is looked at and engaged; may be replaced while the thread runs."""
        self._note = note
        # A put is safe in a signal handler, even in one that interrupted another put.
        self._asked: queue.SimpleQueue[tuple[str, str, threading.Lock] | None]
        self._asked = queue.SimpleQueue()
        self._looks = 0
        self._pulse = Pulse("that watches the kill switch", lambda: self._looks)
        self._thread = threading.Thread(target=self._run, name="kill switch watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread in order, and wait for that; one that hangs is left behind."""
        if self._thread.is_alive():
            self._asked.put(None)
            self._thread.join(SILENCE_S)

    def engage(self, reason: str, by: str) -> None:
        """Have the thread engage the switch; returns when that is done, or after a moment.

        For a signal handler: what it interrupted may hold a lock that the thread needs, so it does
        not wait for ever, and the thread that orders does not go on ordering meanwhile.
        """
        under_way = threading.Lock()
        under_way.acquire()
        self._asked.put((reason, by, under_way))
        under_way.acquire(timeout=HANDLER_WAIT_S)

    def problem(self) -> str:
        """What is wrong with the thread, in words; "" while all is well."""
        return self._pulse.problem(self._thread.is_alive(), time.monotonic())

    def _run(self) -> None:
        try:
            while True:
                try:
                    asked = self._asked.get(timeout=LOOK_INTERVAL_S)
                except queue.Empty:
                    pass
                else:
                    if asked is None:
                        return
                    reason, by, under_way = asked
                    self.switch.engage(reason, by)
                    under_way.release()
                if isinstance(self.switch, CircuitBreaker):
                    # It never raises; looking is what brings a bare marker into the shared flag.
                    self.switch.authority()
                self._note()
                self._looks += 1
        except BaseException as error:
            words = f"the thread that watches the kill switch died: {type(error).__name__}: {error}"
            self.switch.engage(words, "supervisor")
            raise
