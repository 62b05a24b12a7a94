"""A story in a process of its own, to be killed: started by a fork server that has all imported.

The machine's file-backed switch of the workspace is used, as `logos trade` does.
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from crash_sessions import STORIES, begin, is_claimed, log_file, resume, session_folder
from file_faults import Cut, Fault, FileFaults, Operation, kill_process

from logos.killswitch.breaker import CircuitBreaker
from logos.session import SwitchEngagedError
from logos.session.restoring import CannotResumeError

FINISHED, NOT_NEEDED = 0, 17
"""Exit codes of the process: it came to its end; it had ended before."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["crash_process"])


def start(name: str, home: Path, kill_at: int = 0, share: float = 0.0) -> multiprocessing.Process:
    """Begin the story, or go on with it, in a new process.

    It kills itself at its file operation `kill_at` (0: never), if that is a write after `share`
    of its bytes.
    """
    process = _context.Process(target=_main, args=(name, home, kill_at, share))
    process.start()
    return process  # type: ignore[return-value]


def _main(name: str, home: Path, kill_at: int, share: float) -> None:
    def decide(operation: Operation) -> Fault:
        if operation.number != kill_at:
            return None
        return Cut(written=int(operation.size * share), is_after=operation.kind != "write")

    sessions = session_folder(home).parent
    heartbeats = home / "state" / "sessions"
    with FileFaults(sessions, heartbeats, log_file(home), decide=decide, end=kill_process):
        code = _go(name, home)
    os._exit(code)


def _go(name: str, home: Path) -> int:
    story = STORIES[name]
    try:
        if is_claimed(home):
            resume(story, home)
        else:
            begin(story, home)
    except CannotResumeError:
        return NOT_NEEDED
    except SwitchEngagedError:
        clear_switch(home)
        return _go(name, home)
    return FINISHED


def epoch_of(home: Path) -> int:
    """The epoch at which the workspace's switch stands."""
    breaker = CircuitBreaker(home / "state" / "kill-switch", build="test", mode="paper")
    try:
        return breaker.status().epoch
    finally:
        breaker.close()


def clear_switch(home: Path) -> None:
    """What an operator does who wants to go on: an engagement that the journal does not know."""
    breaker = CircuitBreaker(home / "state" / "kill-switch", build="test", mode="paper")
    try:
        breaker.reset("test", "goes on after the crash", breaker.status().epoch)
    finally:
        breaker.close()
