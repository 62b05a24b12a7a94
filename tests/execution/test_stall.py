"""The thread that sees when the event loop is blocked."""

from __future__ import annotations

import threading

from logos.execution.stall import StallWatch


class Loop:
    def __init__(self) -> None:
        self.beats = 0
        self.told: list[str] = []
        self.watch = StallWatch(lambda: self.beats, 5.0, self.told.append)


def test_a_loop_that_turns_is_never_told_of() -> None:
    loop = Loop()
    for second in range(100):
        loop.beats += 1
        loop.watch.look(float(second * 4))
    assert (loop.told, loop.watch.stalls, loop.watch.longest_s) == ([], 0, 0.0)


def test_a_stall_is_told_once_and_so_is_its_end() -> None:
    loop = Loop()
    loop.watch.look(0.0)
    loop.watch.look(4.9)
    assert loop.told == []
    loop.watch.look(5.0)
    loop.watch.look(30.0)
    assert len(loop.told) == 1
    assert "event loop blocked for 5.0 s" in loop.told[0]
    loop.beats += 1
    loop.watch.look(31.0)
    assert loop.told[1:] == ["event loop resumed after 31.0 s"]
    assert (loop.watch.stalls, loop.watch.longest_s) == (1, 30.0)


def test_each_stall_counts() -> None:
    loop = Loop()
    for begin in (0.0, 100.0, 200.0):
        loop.beats += 1
        loop.watch.look(begin)
        loop.watch.look(begin + 7.0)
    assert loop.watch.stalls == 3


def test_the_thread_looks_by_itself_and_ends_with_the_block() -> None:
    heard = threading.Event()
    watch = StallWatch(lambda: 0, 0.01, lambda _words: heard.set())
    with watch:
        assert heard.wait(10)
    assert watch.stalls == 1
    assert all(thread.name != "stall watch" for thread in threading.enumerate())
