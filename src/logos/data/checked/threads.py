"""Several sources are checked at once: pyarrow lets go of the interpreter while it works.

What is found does not depend on it. The first source in order that is refused is the one that is
told; the others end at their next block.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from threading import Event
from typing import Final, TypeVar

from logos.data.source import DataSource

_THREADS_MAX: Final = 4
_BYTES_MIN: Final = 4 << 20
"""Files that are smaller together are read before threads would be of use."""
_LOOK_S: Final = 0.2

T = TypeVar("T")
Moved = Callable[[], object]


class _NotNeeded(Exception):
    """The answer is not needed any more."""


def side_by_side(
    check_one: Callable[[DataSource, Moved], T], sources: Sequence[DataSource], moved: Moved
) -> list[T]:
    """What `check_one` gives for each source; it calls what it is given after every block.

    `moved` is called in this thread now and then, and may raise. Raises what it or the first
    `check_one` does.
    """
    size = sum(path.stat().st_size for source in sources for path in source.paths if path.exists())
    threads = min(len(sources), os.cpu_count() or 1, _THREADS_MAX)
    if threads < 2 or size < _BYTES_MIN:
        return [check_one(source, moved) for source in sources]
    from concurrent.futures import ThreadPoolExecutor, wait  # a session of one source needs none

    is_over = Event()

    def go_on() -> None:
        if is_over.is_set():
            raise _NotNeeded

    with ThreadPoolExecutor(threads, "check") as pool:
        answers = [pool.submit(check_one, source, go_on) for source in sources]
        try:
            for answer in answers:
                while not wait([answer], _LOOK_S).done:
                    moved()
                answer.result()
                moved()
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return [answer.result() for answer in answers]
