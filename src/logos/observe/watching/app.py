"""The screen itself: it draws, listens to keys, and looks at the sessions in a thread.

A disk that does not answer must not keep a key from being heard, so the looks are made by a thread
of their own; the screen says how old what it shows is. What a key does is given to it from outside
(see `deeds`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key, Resize
from textual.screen import ModalScreen
from textual.widgets import Static

from logos.observe.watching.deeds import Ask, Deed, Question
from logos.observe.watching.screen import Glyphs, Line, Piece, fitted, screen_lines
from logos.observe.watching.sessions import View, Watched

LOOK_S: Final = 1.0
_DRAW_S: Final = 0.25
_DEED_S: Final = 20.0
"""How long a kill is waited for when the terminal is gone; it takes less."""
_LATE_S: Final = 5.0
_KEYS: Final = " ↑↓ session   p pause   k kill   h help   q quit"
_KEYS_PLAIN: Final = " up/down session   p pause   k kill   h help   q quit"
_STYLES: Final = {
    "": "",
    "dim": "dim",
    "bold": "bold",
    "good": "cyan",
    "warn": "bold yellow",
    "bad": "bold red",
    "bar": "reverse",
}
_HELP: Final = (
    "up, down   choose a session",
    "p          pause the session that is chosen, or let it trade again: asks once",
    "k          kill: stop all trading, or that of its workspace alone: asks once",
    "q, Ctrl-C  leave; sessions go on, and so does a kill that waits",
    "",
    "The screen shows what sessions write once a second. It changes nothing by itself.",
)

Look = Callable[[int, tuple[str, str] | None], View]
"""Gathers what is shown, at a time in nanoseconds UTC, of a chosen session."""


def text_of(lines: Sequence[Line]) -> Text:
    """The lines with their styles. Nothing in them is markup."""
    made = Text(no_wrap=True, overflow="crop", end="")
    for at, line in enumerate(lines):
        if at:
            made.append("\n")
        for piece in line:
            made.append(piece.text, _STYLES[piece.style])
    return made


class Looks:
    """A thread that looks once a second; `latest` is what it saw last."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.latest: View | None = None
        self.problem = ""
        """Why the last look failed, in words."""
        self.chosen: tuple[str, str] | None = None
        self.again = threading.Event()
        """Set to have it look at once."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that hangs is left behind."""
        self._done.set()
        self.again.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self.latest = self._look(time.time_ns(), self.chosen)
                self.problem = ""
            except Exception as error:  # the next may succeed; the screen says how old it is
                self.problem = f"{type(error).__name__}: {error}"
            self.again.wait(LOOK_S)
            self.again.clear()


class Panel(ModalScreen[None]):
    """A question that is asked once, then what came of it; or words alone."""

    CSS: ClassVar[str] = """
    Panel { align: center middle; }
    #panel {
        width: 90%; max-width: 100; height: auto; max-height: 90%;
        border: solid white; padding: 0 1;
    }
    """

    def __init__(
        self,
        question: Question | None,
        lines: Sequence[str],
        begin: Callable[[Deed], object] | None = None,
    ) -> None:
        super().__init__()
        self._question = question
        self._lines = lines
        self._begin = begin
        self._text = Static("", id="panel", markup=False)
        self.deed: Deed | None = None

    def compose(self) -> ComposeResult:
        """One text."""
        yield self._text

    def on_mount(self) -> None:
        """Draw, and draw again while a command works."""
        self.set_interval(_DRAW_S, self._draw)
        self._draw()

    def on_resize(self, _: Resize) -> None:
        """Draw in the new width."""
        self._draw()

    def on_key(self, event: Key) -> None:
        """A key of an answer does it, once; any other closes."""
        event.stop()
        if self.deed is not None:
            if event.key in ("escape", "enter", "q", "ctrl+c"):
                self.dismiss()  # a command that is not done goes on; its words are kept
            return
        answers = () if self._question is None else self._question.answers
        for answer in answers:
            if event.key == answer.key:
                self.deed = Deed(answer)
                if self._begin is not None:
                    self._begin(self.deed)
                self.deed.start()
                self._draw()
                return
        self.dismiss()

    def _draw(self) -> None:
        columns = max(20, min(100, self.size.width * 9 // 10) - 4)
        rows = max(4, self.size.height * 9 // 10 - 2)
        lines = self._words()
        made: list[Line] = []
        for each in lines:
            made += [[Piece(part, each.style)] for part in _wrapped(each.text, columns)]
        if len(made) > rows:
            made = [*made[:1], *made[-(rows - 1) :]]
        if self._text.is_attached:
            self._text.update(text_of([fitted(line, columns) for line in made]))

    def _words(self) -> list[Piece]:
        deed, question = self.deed, self._question
        if deed is not None:
            shown = [Piece(f"$ {deed.command}", "bold"), *map(Piece, deed.lines())]
            if deed.code is None:
                return [*shown, Piece("working ... (Esc: back to the screen, it goes on)", "dim")]
            style = "good" if deed.code == 0 else "bad"
            words = f"exit code {deed.code}   (Esc: back to the screen)"
            return [*shown, Piece(words, style)]
        if question is None:
            return [*map(Piece, self._lines), Piece(""), Piece("any key: back", "dim")]
        keys = [Piece(f"{each.key}   {each.label}", "bold") for each in question.answers]
        return [
            *(Piece(question.title, "bold"), *map(Piece, question.lines), Piece("")),
            *(*keys, Piece("any other key: no", "dim")),
        ]


def _wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of so many columns; a line that is empty stays one."""
    return textwrap.wrap(text, columns, subsequent_indent="  ") or [""]


class WatchApp(App[None]):
    """The screen of `logos watch`."""

    ENABLE_COMMAND_PALETTE = False
    CSS: ClassVar[str] = "#all { width: 100%; height: 100%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "leave", priority=False),
        Binding("up,left", "choose(-1)"),
        Binding("down,right,tab", "choose(1)"),
        Binding("p", "ask('pause')"),
        Binding("k", "ask('kill')"),
        Binding("h,question_mark,f1", "help"),
    ]

    def __init__(
        self,
        look: Look,
        asks: Mapping[str, Ask],
        glyphs: Glyphs,
        *,
        is_plain: bool = False,
        takes_signals: bool = False,
    ) -> None:
        """`asks` are the questions of the keys: "pause" and "kill". `is_plain`: the terminal shows
        ASCII alone; `takes_signals`: SIGTERM and SIGHUP leave the screen in order."""
        super().__init__(ansi_color=True)
        self._takes_signals = takes_signals
        self._looks = Looks(look)
        self._asks = asks
        self._glyphs = glyphs
        self._keys = _KEYS_PLAIN if is_plain else _KEYS
        self._drawn: tuple[View | None, float] = (None, 0.0)
        self._all = Static("", id="all", markup=False)
        self.deeds: list[Deed] = []
        """What was done from here, in order."""

    def compose(self) -> ComposeResult:
        """One text for all."""
        yield self._all

    def on_mount(self) -> None:
        """Begin to look and to draw."""
        if self._takes_signals:  # else the terminal would be left as the screen had it
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self.exit)
            loop.add_signal_handler(signal.SIGHUP, self._end_without_terminal)
        self._looks.start()
        self.set_interval(_DRAW_S, self._draw_if_new)
        self.draw()

    def on_unmount(self) -> None:
        """Look no more."""
        self._looks.stop()

    def on_resize(self, _: Resize) -> None:
        """Draw in the new size, which textual takes on after this."""
        self.call_later(self.draw)

    @property
    def view(self) -> View | None:
        """What was seen last."""
        return self._looks.latest

    @property
    def chosen(self) -> Watched | None:
        """The session that is chosen; None where there is none."""
        view = self.view
        if view is None or not view.sessions:
            return None
        return view.sessions[view.find(self._looks.chosen)]

    def lines(self) -> list[Line]:
        """The whole screen as it is to be drawn now."""
        columns, rows = self.size.width, self.size.height
        view = self.view
        lines = screen_lines(view, self._looks.chosen, columns, max(0, rows - 1), self._glyphs)
        age_s = 0.0 if view is None else time.time() - view.now_ns / 1e9
        keys = [Piece(self._keys, "bar")]
        if self._looks.problem or age_s > _LATE_S:
            why = self._looks.problem or "the disk does not answer"
            keys = [Piece(f" NOT REFRESHED for {age_s:.0f} s: {why}", "bad")]
        return [*lines, fitted(keys, columns)]

    def draw(self) -> None:
        """Show how all stands."""
        self._drawn = self.view, time.monotonic()
        if self.size.width and self._all.is_attached:  # a timer may come due while all is removed
            self._all.update(text_of(self.lines()))

    def _draw_if_new(self) -> None:
        """Draw what was just seen; else once a second, as it grows older."""
        view, drawn_s = self._drawn
        if view is not self.view or time.monotonic() - drawn_s >= LOOK_S:
            self.draw()

    def _end_without_terminal(self) -> None:
        """The terminal is gone: nothing can be drawn or tidied up on it any more, and whoever tries
        may wait for ever. What was begun here is waited for, a bounded time."""

        def end() -> None:
            for deed in self.deeds:
                deed.wait(_DEED_S)
            os._exit(128 + signal.SIGHUP)

        threading.Thread(target=end, name="end", daemon=True).start()

    def action_choose(self, step: int) -> None:
        """The next session, or the one before."""
        view = self.view
        if view is None or not view.sessions:
            return
        at = (view.find(self._looks.chosen) + step) % len(view.sessions)
        self._looks.chosen = view.sessions[at].key
        self._looks.again.set()
        self.draw()

    def action_ask(self, what: str) -> None:
        """Ask once; say why not, where there is nothing to ask."""
        asked = self._asks[what](self.chosen)
        if isinstance(asked, str):
            self.push_screen(Panel(None, [asked]))
        else:
            self.push_screen(Panel(asked, (), self.deeds.append))

    def action_help(self) -> None:
        """Show what the keys do."""
        self.push_screen(Panel(None, _HELP))

    def action_leave(self) -> None:
        """Leave the screen."""
        self.exit()
