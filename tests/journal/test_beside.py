"""Two syncs at once: both are awaited, whichever fails."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from logos.journal.beside import Beside


@pytest.fixture
def beside() -> Iterator[Beside]:
    made = Beside()
    yield made
    made.close()


def _fail(words: str) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(words)

    return fail


def test_each_waits_for_the_other_so_they_run_at_once(beside: Beside) -> None:
    first, second = threading.Event(), threading.Event()

    def here() -> None:
        first.set()
        assert second.wait(10)

    def there() -> None:
        assert first.wait(10)
        second.set()

    for _ in range(3):
        beside.run(here, there)
        assert second.is_set()
        first.clear()
        second.clear()


def test_an_error_of_the_thread_is_raised_here(beside: Beside) -> None:
    done: list[str] = []
    with pytest.raises(OSError, match="there"):
        beside.run(lambda: done.append("here"), _fail("there"))
    assert done == ["here"]
    beside.run(lambda: done.append("again"), lambda: done.append("both"))
    assert sorted(done) == ["again", "both", "here"]


def test_an_error_here_is_raised_when_the_thread_is_done_too(beside: Beside) -> None:
    done: list[str] = []
    with pytest.raises(OSError, match="here"):
        beside.run(_fail("here"), lambda: done.append("there"))
    assert done == ["there"]
    with pytest.raises(OSError, match="first"):
        beside.run(_fail("first"), _fail("second"))


def test_closing_ends_the_thread_and_may_be_done_twice() -> None:
    beside = Beside()
    beside.close()
    threads: list[threading.Thread] = []
    beside.run(lambda: None, lambda: threads.append(threading.current_thread()))
    assert threads[0].is_alive()
    beside.close()
    beside.close()
    assert not threads[0].is_alive()


def test_an_interrupt_as_the_wait_ends_neither_hangs_nor_shortens_the_next_wait(
    beside: Beside,
) -> None:
    """A signal's handler may raise when the wait is over already, but has not returned."""
    came: list[str] = []

    def interrupt(frame: FrameType, event: str, called: object) -> None:
        is_over = event == "c_return" and getattr(called, "__name__", "") == "acquire"
        if is_over and frame.f_code.co_name == "_wait" and "interrupt" not in came:
            came.append("interrupt")
            raise KeyboardInterrupt

    def work() -> None:
        sys.setprofile(interrupt)
        try:
            beside.run(lambda: None, lambda: came.append("there"))
        except KeyboardInterrupt:
            came.append("raised")
        finally:
            sys.setprofile(None)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(5)
    assert not worker.is_alive()
    assert sorted(came) == ["interrupt", "raised", "there"]
    beside.run(lambda: None, lambda: came.append("again"))
    assert came[-1] == "again"


def test_a_thread_that_is_late_to_say_so_does_not_shorten_the_wait_of_the_next_run() -> None:
    """An interrupted wait looks whether the work is done, which is so before the thread says it."""
    go_on, second_began, finish = threading.Event(), threading.Event(), threading.Event()
    was_held: list[bool] = []

    class Late(Beside):
        """Stands between the end of its first work and saying so."""

        @property
        def _is_done(self) -> bool:
            return self._told

        @_is_done.setter
        def _is_done(self, value: bool) -> None:
            self._told = value
            if value and threading.current_thread().name == "sync beside":
                go_on.wait(10)

    def interrupt(frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") == "acquire":
            sys.setprofile(None)
            raise KeyboardInterrupt

    def here() -> None:
        go_on.set()
        assert second_began.wait(10)
        was_held.append(late._done.locked())
        finish.set()

    def there() -> None:
        second_began.set()
        finish.wait(10)

    late = Late()
    with pytest.raises(KeyboardInterrupt):
        late.run(lambda: sys.setprofile(interrupt), lambda: None)
    late.run(here, there)
    late.close()
    assert was_held == [True]
