"""A signal that comes while a file is read goes to whoever waits for it, and nowhere else."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from logos.core.instrument import instrument
from logos.data.replay import ReplayFeed
from logos.data.source import discover

pytest.importorskip("pyarrow", reason="the fast reader needs pyarrow")


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_no_signal_is_lost_or_interrupts_the_reading(
    tmp_path: Path, number: signal.Signals
) -> None:
    prices = [f"{100 + row % 7}.00,{100 + row % 7}.10" for row in range(60_000)]
    rows = [f"{1_704_164_645 + row},{price},1,1" for row, price in enumerate(prices)]
    path = tmp_path / "AAA_quotes.csv"
    path.write_text("timestamp,bid,ask,bid_size,ask_size\n" + "\n".join(rows) + "\n")
    unit = instrument("AAA", tick="0.01", lot="1", quote="USD")
    seen: list[int] = []
    over = threading.Event()
    sent: list[int] = []

    def send() -> None:
        while not over.is_set():
            # Not again before the last one was seen: two of a kind at once are one.
            if len(seen) == len(sent):
                sent.append(number)
                os.kill(os.getpid(), number)

    before = signal.signal(number, lambda *_: seen.append(number))
    sender = threading.Thread(target=send)
    sender.start()
    try:
        count = sum(
            len(events)
            for _ in range(3)
            for events in ReplayFeed(discover(tmp_path), {"AAA": unit}).chunks()
        )
    finally:
        over.set()
        sender.join()
        signal.signal(number, before)
    assert count == 180_000
    assert len(seen) > 3, "the next is sent when the last was seen"
