"""The screen of a live session: a banner, a line every ten seconds, and what happens in between.

The problem is to show this to a person without the trading loop paying for it. So nothing is asked
of the session: a thread takes the page of figures that the session makes at each heartbeat (an
object that does not change), reads what the session has written into its journal, and writes to the
terminal. It works for less than a millisecond in a second. The loop never waits for it, nor for
the terminal (see `terminal`).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Self

from logos.cli.screen.banner import banner
from logos.cli.screen.events import Happening, JournalNews, PageNews, Throttle, shown
from logos.cli.screen.line import StatusLine, colour_of
from logos.cli.screen.terminal import Colour, Terminal
from logos.journal.names import JOURNAL
from logos.session.presence.page import MetricsPage
from logos.session.session import Session
from logos.session.source import LiveSource
from logos.shown import lines

LINE_S: Final = 10.0
LOOK_S: Final = 1.0
_JOIN_S: Final = 2.0
"""How long the end of a session waits for a terminal that is held."""
_ALARM_WORDS: Final = ("[KILL_SWITCH]",)


class Screen:
    """What a command that runs a session shows of it; see `beside` and `tell`."""

    def __init__(
        self, stream: Any = None, *, is_quiet: bool = False, has_lines: bool = True
    ) -> None:
        """`stream` is for people (None: standard error). `is_quiet`: nothing but what is told;
        without `has_lines` only the banner."""
        self.terminal = Terminal(sys.stderr if stream is None else stream)
        self._is_quiet = is_quiet
        self._has_lines = has_lines

    def tell(self, text: str) -> None:
        """Say at once what an operator must hear, whoever is quiet."""
        words = lines(text)
        is_alarm = any(word in words for word in _ALARM_WORDS)
        self.terminal.print(words, Colour.ALARM if is_alarm else Colour.NONE)

    def beside(self, session: Session) -> Watching:
        """What runs beside the session; for a `with`."""
        if not self._is_quiet:
            self.terminal.say(banner(session, self.terminal))
        is_live = isinstance(session.source, LiveSource)
        is_shown = is_live and self._has_lines and not self._is_quiet
        watched = session if is_shown else None
        return Watching(watched, self.terminal, line_s=LINE_S, look_s=LOOK_S)


class Watching:
    """Shows a session as long as a `with` lasts; of None nothing."""

    def __init__(
        self,
        session: Session | None,
        terminal: Terminal,
        *,
        line_s: float,
        look_s: float,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._session = session
        self._terminal = terminal
        self._line_s, self._look_s = line_s, look_s
        self._now_ns = now_ns
        self._line = StatusLine(terminal)
        self._page_news, self._throttle = PageNews(), Throttle()
        self._journal: JournalNews | None = None
        self._page: MetricsPage | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)

    def __enter__(self) -> Self:
        if self._session is not None:
            try:
                self._journal = JournalNews(self._session.folder.folder / JOURNAL)
            except OSError as error:
                self._say([_unreadable(error, self._now_ns())])
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is None:
            return
        self._done.set()
        self._thread.join(_JOIN_S)
        if not self._thread.is_alive():
            self.look()  # what happened since the last look
            if self._journal is not None:
                self._journal.close()

    def _run(self) -> None:
        next_s = time.monotonic() + self._line_s
        while not self._done.wait(self._look_s):
            self.look()
            now_s = time.monotonic()
            if now_s >= next_s:
                next_s += self._line_s * max(1, (now_s - next_s) // self._line_s + 1)
                self.say_line()

    def look(self) -> None:
        """Show what has happened since the last look."""
        assert self._session is not None
        news: list[Happening] = []
        page = self._session.figures.latest
        if page is not None and page is not self._page:
            news += self._page_news.look(page)
            self._page = page
        try:
            news += [] if self._journal is None else self._journal.look()
        except OSError as error:
            news.append(_unreadable(error, self._now_ns()))
        news.sort(key=lambda each: each.ts_ns)
        self._say(self._throttle.let_through(news, self._now_ns()))

    def say_line(self) -> None:
        """Show how the session stands, and what was held back."""
        now_ns = self._now_ns()
        self._say(self._throttle.rest(now_ns))
        if self._page is None:
            return
        colour = colour_of(self._page, now_ns)
        first, *rest = self._line.lines(self._page, now_ns)
        if colour is Colour.NONE:  # the time alone, by which the eye finds it among what happens
            time, gap, words = first.partition("  ")
            first = self._terminal.coloured(time, Colour.STRONG) + gap + words
        lines = [first, *rest]
        self._terminal.say([self._terminal.coloured(line, colour) for line in lines])

    def _say(self, news: Iterable[Happening]) -> None:
        self._terminal.say([line for each in news for line in shown(each, self._terminal)])


def _unreadable(error: OSError, now_ns: int) -> Happening:
    return Happening(now_ns, "SCREEN", f"cannot read the journal: {error.strerror}", Colour.NOTICE)
