"""A command that runs until a signal hears each, wherever it is, and leaves no handler behind."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from logos.cli.running.until_signal import UntilSignal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with UntilSignal() as signals:
        assert not signals.wait(0.01)
        assert not signals.is_set()
        later = threading.Timer(0.05, os.kill, (os.getpid(), number))
        later.start()
        assert signals.wait(20)
        later.join()
        assert signals.is_set()
        assert signals.wait()
    assert signal.getsignal(number) is before


@pytest.mark.long
def test_many_signals_at_once_do_not_stop_it() -> None:
    with UntilSignal() as signals:
        is_over = threading.Event()

        def bombard() -> None:
            while not is_over.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGINT)

        sender = threading.Thread(target=bombard)
        sender.start()
        end_s = time.monotonic() + 0.3
        while time.monotonic() < end_s:
            signals.wait(0.001)
        is_over.set()
        sender.join()
        assert signals.is_set()
