"""The gateway's thread: it has the sockets, and serves one request after the other.

The problem: a request must be sent, confirmed and followed by the next in strict turns, and an
event loop that also runs the strategy has a turn for that once in a while only. The thread waits
in the system for its sockets, which needs no interpreter, and has the next request on its way as
soon as the one before was read. What it reads for others it hands to the loop, many at a time.

Python gives a thread that waits for the interpreter its turn after `sys.getswitchinterval()`: 5 ms
usually, which is ten requests. It is `SWITCH_S` while a gateway is open.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from logos.adapters.mt5.gateway.accesses import Accesses
from logos.adapters.mt5.gateway.exchange import Exchange
from logos.adapters.mt5.gateway.failures import NoAnswer, lost, not_sent
from logos.adapters.mt5.gateway.jobs import Job, Posts
from logos.adapters.mt5.gateway.lock import FairQueue, QueueFullError
from logos.adapters.mt5.gateway.log import Records
from logos.adapters.mt5.gateway.matching.identified import Identified
from logos.adapters.mt5.gateway.sockets import Sockets, Waker
from logos.adapters.mt5.gateway.wire import Outcome
from logos.venues.contract import VenueError

SWITCH_S: Final = 0.0002
_IDLE_MS: Final = 1_000

Call = Callable[[Sockets], object]


class Worker:
    """One thread for one connection; made in the loop that it tells of everything."""

    def __init__(
        self,
        queue: FairQueue[Job],
        exchange: Exchange,
        identified: Identified,
        accesses: Accesses,
        records: Records,
        posts: Posts,
        on_end: Callable[[str], None],
    ) -> None:
        """`on_end` hears, in the loop, that the thread ended by itself, and why."""
        self._queue = queue
        self._exchange = exchange
        self._identified = identified
        self._accesses = accesses
        self._records = records
        self._posts = posts
        self._on_end = on_end
        self._calls: deque[Call] = deque()
        self._waker = Waker()
        self._is_idle = False
        self._is_closing = False
        self._serving: Job | None = None
        self._thread: threading.Thread | None = None
        self._switch_s = 0.0
        self.has_ended = False
        """Whether the thread ended by itself: nothing is served any more."""

    def start(self, connect: Callable[[Waker], Sockets]) -> None:
        """Begin, with the sockets that `connect` makes in the thread."""
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_s, SWITCH_S))
        self._thread = threading.Thread(
            target=self._run, args=(connect,), name="mt5 gateway", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread and close its sockets; closing again does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._is_closing = True
        serving = self._serving
        if serving is not None:
            serving.is_given_up = True
        self._waker.wake()
        thread.join()
        self._waker.close()
        sys.setswitchinterval(self._switch_s)

    def wake(self) -> None:
        """Something waits in the queue."""
        if self._is_idle:
            self._waker.wake()

    def give_up(self, job: Job) -> None:
        """Nobody waits for that request any more."""
        job.is_given_up = True
        if self._thread is not None:
            self._waker.wake()

    def call(self, call: Call) -> None:
        """Have something done to the sockets, between two requests."""
        self._calls.append(call)
        self.wake()

    # ---- in the thread ----

    def _run(self, connect: Callable[[Waker], Sockets]) -> None:
        sockets: Sockets | None = None
        why = ""
        try:
            sockets = connect(self._waker)
            self._exchange.use(sockets)
            self._serve_all(sockets)
        except BaseException as error:
            why = repr(error)
        finally:
            if sockets is not None:
                sockets.close()
        if why:
            self.has_ended = True
            self._posts(self._on_end, why)

    def _serve_all(self, sockets: Sockets) -> None:
        while not self._is_closing:
            while self._calls:
                self._calls.popleft()(sockets)
            job = self._queue.take()
            if job is not None:
                self._serve(job)
                sockets.hand_over_now()
                continue
            self._records.flush()
            self._is_idle = True
            # What came in since the look is seen now, and what comes from here on wakes.
            is_quiet = not (self._calls or self._queue.has_any or self._is_closing)
            sockets.hand_over(_IDLE_MS if is_quiet else 0)
            self._is_idle = False

    def _serve(self, job: Job) -> None:
        """One request; what came of it is told in the loop."""
        question, kind = job.question, job.question.kind
        failure: Exception | None = None
        reply: dict[str, Any] = {}
        self._serving = job
        try:
            with self._accesses.access(job.symbol, question, job.queued_ns):
                self._identified.begin(job)
                reply = self._exchange.serve(job)
        except QueueFullError as error:
            failure = not_sent(kind, str(error), 0.0)
        except NoAnswer as error:
            failure = lost(kind, error)
        except VenueError as error:
            failure = error
        except BaseException as error:
            # The thread ends of it: whoever waits is told what is known of the request.
            self._posts(job.fail, _unexpected(job, error))
            raise
        finally:
            self._serving = None
        if question.rid and question.outcome is Outcome.CONFIRMED:
            self._identified.confirm(job)
        elif failure is None:
            self._posts(job.finish, reply)
        else:
            self._identified.drop(job)
            self._posts(job.fail, failure)


def _unexpected(job: Job, error: BaseException) -> Exception:
    """What it means for a request that the thread ends of an error while serving it."""
    question, words = job.question, f"the gateway's thread ended: {error!r}"
    if question.outcome is Outcome.NOT_SENT:
        return not_sent(question.kind, words, 0.0)
    return lost(question.kind, NoAnswer(words, False))
