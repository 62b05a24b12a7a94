"""Where the rows of a sweep are run: processes of this machine.

Each lane is a pool of one process, so that a worker that dies takes its own row with it and no
other; the row is sent again, to a new worker. A row whose worker died too often is given up: it is
what kills them.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, NamedTuple, Protocol

from logos.errors import LogosError
from logos.sweeps.worker import begin_worker, run_task

ATTEMPTS_MAX: Final = 4
"""How often a row is sent before it is given up."""
LOOK_S: Final = 0.05
"""Between two looks at whether the sweep is to stop."""

GUARD: Final = (
    "a worker process could not start: put the call of logos.sweep into a function, and call that "
    'under `if __name__ == "__main__":`'
)


class Request(NamedTuple):
    """A row's number and what is sent for it."""

    row: int
    content: bytes


class Hooks(NamedTuple):
    """What whoever runs rows is told to call."""

    done: Callable[[int, bytes], object]
    """With the row and its reply; once for each row."""
    lost: Callable[[int, str], object]
    """With the row that was given up, and why."""
    stop: Callable[[], str]
    """Why nothing more is to be run, in words; "": go on."""


class Lanes(Protocol):
    """Runs requests, in any order."""

    def run(self, requests: Iterable[Request], hooks: Hooks) -> str:
        """Run all of them; returns why it stopped before that, or "". What is under way when it
        stops is given up."""
        ...

    def close(self) -> None:
        """Let the workers go, at once."""
        ...


class ProcessLanes:
    """`count` worker processes of this machine, started when they are needed."""

    def __init__(self, count: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._life, self._end = self._context.Pipe(duplex=False)
        self._pools: list[ProcessPoolExecutor | None] = [None] * count
        self._has_answered = False

    def run(self, requests: Iterable[Request], hooks: Hooks) -> str:
        """As `Lanes.run`. Raises LogosError when no worker can start."""
        waiting = deque(requests)
        attempts: dict[int, int] = {}
        running: dict[Future[bytes], tuple[int, Request]] = {}
        while waiting or running:
            why = hooks.stop()
            if why:
                return why
            idle = set(range(len(self._pools))) - {lane for lane, _ in running.values()}
            for lane in sorted(idle)[: len(waiting)]:
                request = waiting.popleft()
                attempts[request.row] = attempts.get(request.row, 0) + 1
                running[self._submit(lane, request)] = (lane, request)
            for future in wait(running, LOOK_S, FIRST_COMPLETED).done:
                lane, request = running.pop(future)
                reply = self._reply(future, lane)
                if reply is not None:
                    hooks.done(request.row, reply)
                elif attempts[request.row] < ATTEMPTS_MAX:
                    waiting.appendleft(request)
                else:
                    hooks.lost(request.row, f"its worker process died {ATTEMPTS_MAX} times")
        return ""

    def _submit(self, lane: int, request: Request) -> Future[bytes]:
        pool = self._pools[lane]
        if pool is None:
            pool = self._pools[lane] = ProcessPoolExecutor(
                1, self._context, initializer=begin_worker, initargs=(self._life,)
            )
        try:
            return pool.submit(run_task, request.content)
        except BrokenProcessPool as error:  # it died between two rows
            failed: Future[bytes] = Future()
            failed.set_exception(error)
            return failed

    def _reply(self, future: Future[bytes], lane: int) -> bytes | None:
        """What a worker answered; None when it died."""
        try:
            reply = future.result()
        except BrokenProcessPool:
            pool, self._pools[lane] = self._pools[lane], None
            if pool is not None:
                pool.shutdown(wait=False)
            if not self._has_answered and _is_script():
                raise LogosError(GUARD) from None
            return None
        self._has_answered = True
        return reply

    def close(self) -> None:
        """Let the workers go, at once: what they are at is disposable."""
        self._end.close()  # the workers wait for it
        for pool in self._pools:
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)
        self._life.close()


def _is_script() -> bool:
    """Whether workers import a script that this process runs, as `spawn` has them do."""
    import __main__

    main: Any = __main__
    is_module = getattr(main, "__spec__", None) is not None
    return not is_module and hasattr(main, "__file__")
