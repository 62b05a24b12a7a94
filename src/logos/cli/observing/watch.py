"""`logos watch [ID]`: all sessions of this user on one screen, with keys to pause and to kill.

The screen is a reader like `logos status`; what its keys do are the functions of `logos pause` and
`logos kill`, and what these print is shown word for word.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from logos import paths
from logos.cli.exit_codes import exit_codes
from logos.cli.kill import TIMEOUT_DEFAULT_S
from logos.cli.pause import Wish, carry_out
from logos.cli.running.here import find_here, say
from logos.cli.running.stopping import Order, login, stop
from logos.errors import WorkspaceError
from logos.installation import install_command
from logos.killswitch.breaker import user_name
from logos.shown import plain

if TYPE_CHECKING:
    from logos.observe.watching.deeds import Deed, Question, Tell
    from logos.observe.watching.sessions import Watched

_REASON: Final = "operator, at the screen of logos watch"
_WAIT_S: Final = 20.0
"""How long the end of a kill is waited for when the screen is left: longer than that takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos watch`."""
    parser.epilog = exit_codes(
        {
            0: "left, and every pause or kill that was given here was done",
            1: "left; the last pause or kill that was given here was not done: its words are "
            "printed again",
            2: "a wrong command line, no terminal, or a library is missing",
        }
    )
    parser.add_argument("session", nargs="?", metavar="ID", default="", help="only this session")


def run(options: argparse.Namespace) -> int:
    """Show the screen until it is left; then print what was done from it."""
    try:
        if options.session:
            paths.check_session_id(options.session)
        here = find_here()
    except (ValueError, WorkspaceError) as error:
        return _refuse(str(error))
    if not all(_is_terminal(stream) for stream in (sys.__stdin__, sys.__stderr__)):
        return _refuse("it needs a terminal; `logos status` prints the same once")
    try:
        deeds = _show(here, options.session)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("textual", "rich"):
            raise
        return _refuse(f"textual is not installed: {install_command('watch')}")
    return _tell(deeds)


def _refuse(words: str) -> int:
    print(f"logos watch: {words}", file=sys.stderr)
    return 2


def _is_terminal(stream: object) -> bool:
    return isinstance(stream, io.TextIOBase) and stream.isatty()


def _show(here: Path | None, session_id: str) -> Sequence[Deed]:
    """The screen, until it is left; what was done from it."""
    from logos.cli.observing.watch_words import words
    from logos.observe.watching.app import WatchApp
    from logos.observe.watching.screen import PLAIN, UNICODE
    from logos.observe.watching.sessions import Gatherer

    gatherer = Gatherer(here, session_id, words)
    encoding = (getattr(sys.__stderr__, "encoding", None) or "").lower()
    is_plain = "utf" not in encoding
    asks = {"pause": pause_question, "kill": kill_question}
    app = WatchApp(
        gatherer.look, asks, PLAIN if is_plain else UNICODE, is_plain=is_plain, takes_signals=True
    )
    for name in ("COLUMNS", "LINES"):  # they would count for more than the window, and never change
        os.environ.pop(name, None)
    try:
        app.run()
    finally:
        gatherer.close()
    return app.deeds


def _tell(deeds: Sequence[Deed]) -> int:
    """Print what was done, so that it stays on the terminal; wait for what is still under way."""
    for deed in deeds:
        print(f"$ {deed.command}", flush=True)
        told = 0
        deadline = time.monotonic() + _WAIT_S
        while True:
            is_last = deed.is_done or time.monotonic() >= deadline
            lines = deed.lines()
            for line in lines[told:]:
                print(line, flush=True)
            told = len(lines)
            if is_last:
                break
            deed.wait(0.1)
        ending = "not done yet" if deed.code is None else f"exit code {deed.code}"
        print(f"# {ending}", flush=True)
    return int(bool(deeds) and deeds[-1].code != 0)


# ---- what the keys do ----


def pause_question(session: Watched | None) -> Question | str:
    """Whether to pause the session, or to let it trade again."""
    from logos.observe.watching.deeds import Answer, Question

    if session is None or not session.runs:
        return "no session is chosen that runs" if session is None else _does_not_run(session)
    name, beat = session.session_id, session.beat
    if beat is None or not beat.is_live:
        return f"{name} runs on recorded data: only a session on live data is paused"
    undo = beat.suspended
    options = f"logos pause {name}{' --undo' if undo else ''}"

    def act() -> int:
        say(f"workspace {session.workspace}")
        return carry_out(Wish(name, "", undo, _REASON, user_name()), session.workspace)

    if undo:
        label, lines = "yes: its strategy is asked again", [f"It is paused. {_where(session)}"]
    else:
        label = "yes: its open orders are cancelled, its strategy is not asked"
        lines = [f"Positions stay, data is still recorded. {_where(session)}"]
    title = f"Let {name} trade again?" if undo else f"Pause {name}?"
    return Question(title, lines, [Answer("y", label, options, lambda tell: captured(act, tell))])


def kill_question(session: Watched | None) -> Question | str:
    """Whether to stop all trading of this user, or that of the session's workspace alone."""
    from logos.observe.watching.deeds import Answer, Question

    def act(session_id: str) -> Callable[[Tell], int]:
        order = Order("engage", _REASON, login(), TIMEOUT_DEFAULT_S, False, session_id)
        return lambda tell: captured(lambda: stop(order), tell)

    label = "yes: all trading of this user on this machine, as bare `logos kill`"
    answers = [Answer("y", label, "logos kill", act(""))]
    if session is not None and session.runs:
        name = session.session_id
        label = f"only the workspace in which {name} runs ({session.workspace})"
        answers.append(Answer("w", label, f"logos kill --session {name}", act(name)))
    lines = [
        "The kill switch is engaged: nothing new is sent, what rests is cancelled, positions "
        "stay. Only a person resets it."
    ]
    return Question("Kill: stop trading?", lines, answers)


def _does_not_run(session: Watched) -> str:
    return f"{session.session_id} does not run: {session.what_now}"


def _where(session: Watched) -> str:
    return f"workspace {session.workspace}"


class _OfThread(io.TextIOBase):
    """A stream that gives what some threads print to them, line by line, and the rest on."""

    def __init__(self, below: TextIO) -> None:
        self._below = below
        self._tells: dict[int, Tell] = {}
        self._rests: dict[int, str] = {}

    def take(self, tell: Tell) -> None:
        """From now on this thread's lines are `tell`'s."""
        self._tells[threading.get_ident()] = tell

    def leave(self) -> None:
        """No more of this thread; a line without its end is told too."""
        tell = self._tells.pop(threading.get_ident())
        rest = self._rests.pop(threading.get_ident(), "")
        if rest:
            tell(plain(rest))

    def write(self, text: str) -> int:
        """Keep whole lines for the thread that prints them."""
        thread = threading.get_ident()
        tell = self._tells.get(thread)
        if tell is None:
            return self._below.write(text)
        *lines, self._rests[thread] = (self._rests.get(thread, "") + text).split("\n")
        for line in lines:
            tell(plain(line))
        return len(text)

    def flush(self) -> None:
        """What waits below is written; lines of threads never wait."""
        self._below.flush()


def captured(act: Callable[[], int], tell: Tell) -> int:
    """Do it, and tell each line that this thread prints meanwhile; its exit code."""
    streams = []
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, _OfThread):
            stream = _OfThread(stream)
            setattr(sys, name, stream)
        stream.take(tell)
        streams.append(stream)
    try:
        return act()
    finally:
        for stream in streams:
            stream.leave()
