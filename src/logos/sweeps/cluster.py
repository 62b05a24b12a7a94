"""Where the rows of a sweep are run: workers of a Dask cluster, on one machine or many.

Whoever reaches a Dask scheduler can run code on its workers: with `tcp://` nothing is encrypted and
nobody is asked who he is, so that is for loopback and networks of one's own; `tls://` takes the
certificates that Dask's own settings name. A cluster of our own (`local`) listens on loopback.

Dask sends a row again when the worker that had it died; an execution makes a folder of its own (see
`worker`), so the second one meets nothing of the first, and the row counts once: what came of it is
what its one future gives. Workers need the same logos, and the sweep's folder, its data and the
strategy's file at the same paths (a shared file system).
"""

from __future__ import annotations

import importlib
import logging
import queue
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from logos.config import ConfigError
from logos.errors import LogosError
from logos.installation import install_command
from logos.sweeps.lanes import ATTEMPTS_MAX, LOOK_S, Hooks, Request
from logos.sweeps.worker import run_task

LOCAL: Final = "local"
_CONNECT_S: Final = 10.0
_AHEAD: Final = 2
"""Rows that each thread of the cluster has waiting besides the one it runs."""


class DaskLanes:
    """The workers of the cluster whose scheduler is at `address`; of `LOCAL` a cluster of `count`
    processes that is made for this sweep."""

    def __init__(self, address: str, count: int = 1) -> None:
        """Raises ConfigError for a missing library, an address that is none, and a scheduler that
        does not answer."""
        library = _distributed()
        self._cluster: Any = None
        if address == LOCAL:
            self._cluster = library.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
            address = self._cluster.scheduler_address
        elif not address.startswith(("tcp://", "tls://")):
            raise ConfigError(
                f"--dask {address}: write the scheduler's address as tcp://HOST:PORT or "
                "tls://HOST:PORT, or `local` for a cluster on this machine"
            )
        try:
            self._client: Any = library.Client(
                address, timeout=_CONNECT_S, set_as_default=False, name="logos-sweep"
            )
        except (OSError, ValueError, TypeError) as error:
            self._close_cluster()
            why = f"{type(error).__name__}" if not str(error) else str(error).splitlines()[0]
            raise ConfigError(f"--dask {address}: no scheduler answers there ({why})") from None

    def run(self, requests: Iterable[Request], hooks: Hooks) -> str:
        """As `Lanes.run`. Raises LogosError when the scheduler is lost."""
        waiting = list(requests)
        waiting.reverse()
        futures: dict[Any, Request] = {}
        attempts: dict[int, int] = {}
        finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            while waiting or futures:
                why = hooks.stop()
                if why:
                    return why
                while waiting and len(futures) < self._room():
                    request = waiting.pop()
                    attempts[request.row] = attempts.get(request.row, 0) + 1
                    future = self._submit(request)
                    futures[future] = request
                    future.add_done_callback(finished.put)
                for future in self._done(finished):
                    request = futures.pop(future)
                    reply = _reply(future)
                    if reply is not None:
                        hooks.done(request.row, reply)
                    elif attempts[request.row] < ATTEMPTS_MAX:
                        waiting.append(request)
                    else:
                        hooks.lost(request.row, f"its worker died {ATTEMPTS_MAX} times")
            return ""
        finally:
            with suppress(Exception):  # what is under way counts no more, however this goes
                self._client.cancel(list(futures), force=True)

    def _room(self) -> int:
        """How many rows the cluster may have at a time."""
        threads = sum(self._client.nthreads().values())
        return max(1, int(threads) * _AHEAD)

    def _submit(self, request: Request) -> Any:
        # Not pure: Dask would take two rows with the same request for one.
        return self._client.submit(run_task, request.content, pure=False, retries=0)

    def _done(self, finished: queue.SimpleQueue[Any]) -> Iterator[Any]:
        """The futures that are done, after a moment at most."""
        if self._client.status != "running":
            raise LogosError("the Dask scheduler is gone; start it, and go on with --resume")
        with suppress(queue.Empty):
            yield finished.get(timeout=LOOK_S)
            while True:
                yield finished.get_nowait()

    def close(self) -> None:
        """Let the workers go; a cluster of our own ends."""
        self._client.close()
        self._close_cluster()

    def _close_cluster(self) -> None:
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None


def _reply(future: Any) -> bytes | None:
    """What a worker answered; None where it died too often, or the row was forgotten.

    Raises LogosError for what no row should raise: a worker without this logos.
    """
    if future.status == "finished":
        found: bytes = future.result()
        return found
    if future.status == "error":
        error = future.exception()
        if type(error).__name__ != "KilledWorker":
            raise LogosError(
                f"a Dask worker cannot run a session: {type(error).__name__}: {error}; it needs "
                "the same logos as this machine"
            )
    return None


def _distributed() -> Any:
    try:
        library = importlib.import_module("distributed")
    except ImportError:
        raise ConfigError(
            f"--dask needs the library distributed: {install_command('sweeps')}"
        ) from None
    # It writes what it does to standard error, which is not for whoever runs a sweep.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return library
