"""What the journal costs, and how long recovery takes: `python bench/recovery.py [RECORDS_MAX]`.

Cost: the same quotes through the core alone, and through a whole session that journals, projects
and logs; an order on each hundredth quote. Recovery: a session whose journal lost its last line
and its seal is resumed; it is run again from its beginning and must make every line again, so the
time goes with its events and its records. The one with a record for each event is the dense one,
the sparse one trades as the first does.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.loops import START_NS, SYMBOLS, EveryHundredth, config_dict, make_core
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import Side
from logos.session import recovery, runner
from logos.session.build import make_instruments

CHUNK = 8_192
RECORDS_AN_ORDER = 3
COST_TICKS = 1_000_000


class Every(Strategy):
    """Buys and sells in turn, on every third quote: about a record for each event."""

    def __init__(self) -> None:
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:  # noqa: ARG002
        self.seen += 1
        if self.seen % RECORDS_AN_ORDER:
            return None
        return Side.BUY if self.seen % (2 * RECORDS_AN_ORDER) else Side.SELL


class Quotes:
    """`count` quotes over the symbols, made chunk by chunk."""

    def __init__(self, count: int) -> None:
        self.count = count
        instruments = make_instruments(make_config(config_dict(SYMBOLS)).instruments)
        self._instruments = [instruments[symbol] for symbol in SYMBOLS]

    def chunks(self) -> Iterator[Sequence[Event]]:
        for start in range(0, self.count, CHUNK):
            yield [self._quote(row) for row in range(start, min(start + CHUNK, self.count))]

    def _quote(self, row: int) -> Quote:
        price = 6_000_000 + row * 7919 % 1_000
        traded = self._instruments[row % len(SYMBOLS)]
        ts_ns = START_NS + row * 1_000_000
        sizes = (1_000_000, 1_000_000)
        return Quote(ts_ns, traded.symbol, price, price + row % 3, *sizes, traded)


def core_alone(feed: Quotes) -> float:
    """Seconds that the core takes, the making of events included."""
    core = make_core(EveryHundredth(), config_dict(SYMBOLS))
    began = time.perf_counter()
    core.start(START_NS)
    for events in feed.chunks():
        core.run(events)
        core.take_effects()
    core.stop()
    return time.perf_counter() - began


def whole_session(feed: Quotes, strategy: Strategy, home: Path) -> float:
    """Seconds of a session with its journal, artifacts and log."""
    config = {**config_dict(SYMBOLS), "session": {"id": "bench"}}
    began = time.perf_counter()
    runner.run(config, strategy=strategy, feed=feed, switch=InProcessSwitch(), home=home)
    return time.perf_counter() - began


def resumed(feed: Quotes, strategy: Strategy, home: Path) -> tuple[int, int, float]:
    """Tear the journal before its last two lines and resume; its records and bytes, seconds."""
    folder = home / "runs" / "live" / "sessions" / "bench"
    path = folder / "state.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]) + lines[-2][:20])
    (folder / "host.json").unlink()
    began = time.perf_counter()
    recovery.resume("bench", strategy=strategy, feed=feed, switch=InProcessSwitch(), home=home)
    seconds = time.perf_counter() - began
    assert path.read_bytes() == b"".join(lines)
    return len(lines), path.stat().st_size, seconds


def main(records_max: int) -> None:
    """Print the cost, then a line for each length of journal."""
    feed = Quotes(COST_TICKS)
    alone_s = min(core_alone(feed) for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        whole_s = whole_session(feed, EveryHundredth(), Path(folder))
        print(f"core alone             {COST_TICKS / alone_s:>12,.0f} ticks/s")
        print(f"whole session          {COST_TICKS / whole_s:>12,.0f} ticks/s")
        print(f"journal and the rest   {(whole_s - alone_s) / whole_s:>12.1%} of the tick rate")
        print(f"\n{'journal':<10}{'ticks':>11}{'records':>11}{'MB':>8}{'resume s':>10}{'run s':>8}")
        _report("sparse", feed.count, *resumed(feed, EveryHundredth(), Path(folder)), whole_s)
    ticks = 1_000
    while ticks <= records_max:
        with tempfile.TemporaryDirectory() as folder:
            feed = Quotes(ticks)
            run_s = whole_session(feed, Every(), Path(folder))
            _report("dense", ticks, *resumed(feed, Every(), Path(folder)), run_s)
        ticks *= 10


def _report(
    name: str, ticks: int, records: int, size_bytes: int, resume_s: float, run_s: float
) -> None:
    megabytes = size_bytes / 1e6
    print(f"{name:<10}{ticks:>11,}{records:>11,}{megabytes:>8.1f}{resume_s:>10.2f}{run_s:>8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
