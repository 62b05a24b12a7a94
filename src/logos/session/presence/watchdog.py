"""Sees a strategy, or a guard of the user's, that does not return.

While such code runs no event is handled, no order leaves, and nothing inside the session could say
so. A thread beside the session looks at what every thread of the process is doing: where one has
been within the same method of this session's strategy, at the same tick, for longer than the limit,
the operator hears which method of which strategy it is and the line that it is at, and the
heartbeat shows it to `logos status`. It works the same for live, recorded, resumed and replayed
sessions, as it knows nothing of who drives them.
"""

from __future__ import annotations

import inspect
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType
from typing import Final, NamedTuple, Self

from logos.core.engine import TradingCore

METHODS: Final = (
    *("on_start", "on_quote", "on_trade", "on_bar", "on_fill", "on_order", "on_timer"),
    *("on_session_open", "on_session_close", "on_stop", "save"),
)
LIMIT_S: Final = 4.0
_LOOK_S: Final = 0.5


class Place(NamedTuple):
    """Where a thread is within the user's code: what was called, and the line that runs now."""

    called: str
    line: str


class UserCode:
    """Recognises calls of a session's strategy and guards among what runs."""

    def __init__(self, core: TradingCore) -> None:
        strategy = core.strategy
        kind = type(strategy)
        self._strategy = strategy
        self._methods: dict[CodeType, str] = {}
        for name in METHODS:
            method = inspect.unwrap(getattr(kind, name, None) or _nothing)
            code = getattr(method, "__code__", None)
            # What the base class has for all strategies does nothing.
            if code is not None and method.__module__ != "logos.core.strategy":
                self._methods[code] = f"strategy {kind.__module__}:{kind.__qualname__} in {name}"
        self._guards: dict[CodeType, str] = {}
        for guard in core.order_manager.guards.own:
            code = getattr(inspect.unwrap(guard.function), "__code__", None)
            if code is not None:
                self._guards[code] = f"guard {guard.name}"

    def running(self) -> Place | None:
        """Where some thread is within it; None when none is."""
        for frame in sys._current_frames().values():
            inner: FrameType | None = frame
            while inner is not None:
                called = self._called(inner)
                if called:
                    return Place(called, f"{frame.f_code.co_filename}:{frame.f_lineno}")
                inner = inner.f_back
        return None

    def _called(self, frame: FrameType) -> str:
        code = frame.f_code
        if code in self._guards:
            return self._guards[code]
        if code not in self._methods or not code.co_argcount:
            return ""
        # Another session of this process may run another strategy of the same class.
        is_ours = frame.f_locals.get(code.co_varnames[0], self._strategy) is self._strategy
        return self._methods[code] if is_ours else ""


class Watchdog:
    """Watches the user's code of one session, from when a `with` begins to when it ends.

    `show` gets the words for the heartbeat, "" when all is well again; `tell` what an operator
    hears, once at the limit and once when the call has returned.
    """

    def __init__(
        self,
        core: TradingCore,
        show: Callable[[str], object],
        tell: Callable[[str], object],
        limit_s: float = LIMIT_S,
    ) -> None:
        self._core = core
        self._code = UserCode(core)
        self._show = show
        self._tell = tell
        self._limit_s = limit_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="strategy watch", daemon=True)
        self._key: tuple[int, str] | None = None
        self._since_s = 0.0
        self._is_told = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        if self._is_told:
            self._tell_returned(time.monotonic())  # and the session ended before the next look

    def look(self, now_s: float) -> None:
        """Compare with the last look; `now_s` is a monotonic time in seconds."""
        tick_id = self._core.order_manager.tick_id
        key, place = None, None
        # At another tick nothing has stayed: then there is no need to look at the threads.
        if self._key is None or self._key[0] == tick_id:
            place = self._code.running()
            key = None if place is None else (tick_id, place.called)
        if key is None or key != self._key:
            if self._is_told:
                self._tell_returned(now_s)
            self._key, self._since_s, self._is_told = key, now_s, False
            return
        if now_s - self._since_s < self._limit_s or place is None:
            return
        words = f"{place.called} has not returned for {now_s - self._since_s:.1f} s ({place.line})"
        self._show_words(words)
        if not self._is_told:
            self._is_told = True
            self._tell(
                f"{words}: no event is handled and no order leaves until it does; "
                "`logos kill` stops the orders, a second Ctrl-C or SIGTERM the process"
            )

    def _tell_returned(self, now_s: float) -> None:
        if self._key is not None:
            self._show_words("")
            self._tell(f"{self._key[1]} returned after {now_s - self._since_s:.1f} s")

    def _show_words(self, words: str) -> None:
        with suppress(OSError):  # a disk that refuses it is the journal's to report
            self._show(words)

    def _run(self) -> None:
        while not self._done.wait(_LOOK_S):
            self.look(time.monotonic())


def _nothing() -> None:
    """In place of a method that a strategy does not have."""
