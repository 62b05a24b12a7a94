"""Two files synced at once: what an order waits for is one fsync long, not two.

A live session's inputs and its journal are files of their own, and an order leaves when the disk
has both. The system's call lets other threads run, so a thread beside the session's waits for the
one file while the session waits for the other; the file system often commits both together.

Which of the two reaches the disk first was never up to us: the system may write either at any time.
A power cut in between leaves inputs without their records, which are made again, or records without
their inputs, which are cut off; no order of either had left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

_LOOK_S: Final = 0.05
"""Between two looks of an interrupted wait."""


class Beside:
    """A thread that does one thing while its owner does another. It starts when first needed."""

    def __init__(self) -> None:
        self._work: Callable[[], object] | None = None
        self._error: BaseException | None = None
        # Bare locks: a semaphore or an event of `threading` takes as long as a tenth of an fsync.
        self._go = _taken_lock()
        self._done = _taken_lock()
        self._is_done = True
        self._thread: threading.Thread | None = None

    def run(self, here: Callable[[], object], there: Callable[[], object]) -> None:
        """Do both at once, `there` in the thread; returns when both are done.

        Raises what `here` raises, else what `there` raised. Neither is at work any more then.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sync beside", daemon=True)
            self._thread.start()
        self._work, self._error = there, None
        # A lock of its own each time: of an interrupted wait nobody knows whether it took it.
        self._is_done, self._done = False, _taken_lock()
        self._go.release()
        try:
            here()
        finally:
            self._wait()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """End the thread, if there is one; closing again does nothing."""
        if self._thread is not None:
            self._work = None
            self._go.release()
            self._thread.join()
            self._thread = None

    def _wait(self) -> None:
        try:
            self._done.acquire()
        except BaseException:
            # A signal's handler raised: the work must not outlive its files all the same.
            while not self._is_done:
                self._done.acquire(timeout=_LOOK_S)
            raise

    def _run(self) -> None:
        while True:
            self._go.acquire()
            if self._work is None:
                return
            done = self._done  # the next run, which an interrupted one may let begin, has another
            try:
                self._work()
            except BaseException as error:
                self._error = error
            self._is_done = True
            done.release()


def _taken_lock() -> threading.Lock:
    """A lock that somebody else is to release."""
    lock = threading.Lock()
    lock.acquire()
    return lock
