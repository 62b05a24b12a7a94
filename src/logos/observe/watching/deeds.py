"""What a key of the screen does after it has asked once: a command, carried out in a thread.

The screen itself can stop nothing: whoever makes it gives it the questions, and with each answer
the function that a command of an operator has. What that prints is shown while it works, word for
word, and its exit code when it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from logos.observe.watching.sessions import Watched

Tell = Callable[[str], object]
"""Takes a line that a command prints."""


class Answer(NamedTuple):
    """One key that agrees. `act` does it and returns the exit code of the command."""

    key: str
    label: str
    command: str
    """As it would be typed in a shell."""
    act: Callable[[Tell], int]


class Question(NamedTuple):
    """What is asked before anything is done; any key but those of the answers means no."""

    title: str
    lines: Sequence[str]
    answers: Sequence[Answer]


Ask = Callable[[Watched | None], Question | str]
"""The question about a session (None: there is none), or why there is nothing to ask."""


class Deed:
    """An answer that is carried out; it goes on whatever becomes of the screen."""

    def __init__(self, answer: Answer) -> None:
        self.command = answer.command
        self.code: int | None = None
        """The exit code; None while it is not done."""
        self._act = answer.act
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=answer.command, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.code is not None

    def lines(self) -> list[str]:
        """What it printed so far."""
        with self._lock:
            return list(self._lines)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end, a bounded time; whether it has ended."""
        self._thread.join(timeout_s)
        return self.is_done

    def _tell(self, line: str) -> None:
        with self._lock:
            self._lines.append(line)

    def _run(self) -> None:
        try:
            code = self._act(self._tell)
        except BaseException as error:  # the operator must see that it was not done
            self._tell(f"NOT DONE: {type(error).__name__}: {error}")
            code = 1
        self.code = code
