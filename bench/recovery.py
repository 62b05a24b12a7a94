"""What the journal costs, and how long recovery takes: `make bench ONLY=recovery`
(`python bench/recovery.py [RECORDS_MAX] [--live]`).

Cost: the records of a session over a million quotes, with an order on each hundredth, go through
the journal alone, the tables alone, the decision log alone; and the same quotes through the core
alone and through a whole session. Times are of this process's CPU, so that neighbours count less.

Recovery: a session that crashed near its end is resumed to its end, once from its snapshot and once
from its beginning; "ready" is how long it takes until it stands where the snapshot does. The dense
one makes a record for each event, the sparse one is that of the costs, from its files. A long live
session follows: see `live_recovery`; `--live` leaves out the rest.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.live_recovery import live
from bench.loops import START_NS, SYMBOLS, EveryHundredth, config_dict, make_core
from bench.sessions import make_files
from logos.config import make_config
from logos.core.gates import InProcessSwitch
from logos.core.messages import Event, Quote
from logos.core.records import OrderRecord, Record
from logos.core.strategy import Answer, Context, Strategy
from logos.core.types import SessionStatus, Side
from logos.journal.jsonlog import JsonLog
from logos.journal.writer import JournalWriter
from logos.session import entry
from logos.session.artifacts.counts import RecordCounts
from logos.session.artifacts.decisions import DecisionLog
from logos.session.artifacts.tables import ArtifactWriter
from logos.session.build import make_instruments
from logos.session.open import open_session
from logos.session.opening.spec import SessionSpec

CHUNK = 8_192
RECORDS_AN_ORDER = 3
COST_TICKS = 1_000_000
NEWLINE = b"\n"
BODY = b'{"kind":"order","of":"some length"}' + b" " * 300


class Every(Strategy):
    """Buys and sells in turn, on every third quote: about a record for each event.

    At quote `crash_at` its process ends.
    """

    def __init__(self, crash_at: int = 0) -> None:
        self.crash_at = crash_at
        self.seen = 0

    def on_quote(self, context: Context, quote: Quote) -> Answer:  # noqa: ARG002
        self.seen += 1
        if self.seen == self.crash_at:
            os._exit(0)
        if self.seen % RECORDS_AN_ORDER:
            return None
        return Side.BUY if self.seen % (2 * RECORDS_AN_ORDER) else Side.SELL

    def save(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load(self, context: Context, state: dict[str, Any]) -> None:  # noqa: ARG002
        self.seen = state["seen"]


class Hundredth(EveryHundredth):
    """The same as its parent; it can be saved. At quote `crash_at` of a symbol its process ends."""

    def __init__(self, crash_at: int = 0) -> None:
        super().__init__()
        self.crash_at = crash_at

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        if self.seen[quote.symbol] + 1 == self.crash_at:
            os._exit(0)
        return super().on_quote(context, quote)

    def save(self) -> dict[str, Any]:
        return dict(self.seen)

    def load(self, context: Context, state: dict[str, Any]) -> None:  # noqa: ARG002
        self.seen = state


class Quotes:
    """`count` quotes over the symbols, made chunk by chunk."""

    def __init__(self, count: int) -> None:
        self.count = count
        instruments = make_instruments(make_config(config_dict(SYMBOLS)).instruments)
        self._instruments = [instruments[symbol] for symbol in SYMBOLS]

    def chunks(self) -> Iterator[Sequence[Event]]:
        size = max(1, min(CHUNK, self.count // 20))  # even a short one has a middle
        for start in range(0, self.count, size):
            yield [self._quote(row) for row in range(start, min(start + size, self.count))]

    def _quote(self, row: int) -> Quote:
        price = 6_000_000 + row * 7919 % 1_000
        traded = self._instruments[row % len(SYMBOLS)]
        ts_ns = START_NS + row * 1_000_000
        sizes = (1_000_000, 1_000_000)
        return Quote(ts_ns, traded.symbol, price, price + row % 3, *sizes, traded)


def costs(ticks: int) -> None:
    """Print what each part of writing costs, for each order and as a share of the tick rate."""
    feed = Quotes(ticks)
    batches: list[list[Record]] = []
    core_s = run_core(feed, batches)
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.process_time()
        run_session(EveryHundredth(), Path(folder), feed=feed)
        whole_s = time.process_time() - began_s
    orders = sum(type(record) is OrderRecord for batch in batches for record in batch)
    print(f"core alone             {ticks / core_s:>12,.0f} ticks/s of CPU")
    print(f"whole session          {ticks / whole_s:>12,.0f} ticks/s of CPU")
    print(f"journal and the rest   {(whole_s - core_s) / whole_s:>12.1%} of the tick rate")
    for name, sink_s in sinks(batches).items():
        print(
            f"{name:<12}{sink_s / orders * 1e6:>10.1f} us an order"
            f"{sink_s / ticks * 1e9:>8.0f} ns a tick{sink_s / whole_s:>8.1%} of the tick rate"
        )


def run_core(feed: Quotes, batches: list[list[Record]]) -> float:
    """Seconds that the core takes, the making of events included; its records go to `batches`."""
    core = make_core(EveryHundredth(), config_dict(SYMBOLS))
    began_s = time.process_time()
    batches.append(core.start(START_NS))
    for events in feed.chunks():
        core.run(events)
        batches.append(core.take_effects())
    batches.append(core.stop())
    return time.process_time() - began_s


def sinks(batches: list[list[Record]]) -> dict[str, float]:
    """Seconds that each part of writing takes for these records, the best of three."""
    books = make_core(EveryHundredth(), config_dict(SYMBOLS)).order_manager.states
    unit_values = {symbol: book.unit_value for symbol, book in books.items()}
    best: dict[str, float] = {}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            journal = JournalWriter(Path(folder) / "state.jsonl")
            tables = ArtifactWriter(Path(folder), unit_values)
            log = JsonLog(Path(folder) / "log.jsonl", "bench")
            decisions, tally = DecisionLog(log), RecordCounts()
            parts: dict[str, tuple[Callable[[list[Record]], None], Callable[[], None]]] = {
                "journal": (partial(_append, journal), journal.flush),
                "tables": (tables.write, tables.flush),
                "log": (partial(_log, decisions), log.flush),
                "tally": (tally.add, lambda: None),
            }
            for name, (write, flush) in parts.items():
                began_s = time.process_time()
                for batch in batches:
                    write(batch)
                flush()
                took_s = time.process_time() - began_s
                best[name] = min(best.get(name, took_s), took_s)
            for each in (journal, tables, log):
                each.close()
    return best


def _append(journal: JournalWriter, batch: list[Record]) -> None:
    journal.append(*batch)


def _log(decisions: DecisionLog, batch: list[Record]) -> None:
    decisions.write(batch, [BODY] * len(batch))


def run_session(strategy: Strategy, home: Path, **parts: Any) -> None:
    """A session with its journal, tables and log."""
    data = parts.pop("data", [])
    config = {**config_dict(SYMBOLS), "session": {"id": "bench"}, "data": {"paths": data}}
    switch = InProcessSwitch()
    entry.run(config, strategy=strategy, switch=switch, home=home, **parts)


def crash_session(strategy: Strategy, home: Path, **parts: Any) -> None:
    """The same in a process of its own, which ends in the middle."""
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        try:
            run_session(strategy, home, **parts)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("the session did not crash where it should")


def resume(strategy: Strategy, home: Path, feed: Quotes | None, *, snapshot: bool) -> float:
    """Seconds of wall time to go on to the end."""
    began_s = time.perf_counter()
    result = entry.resume(
        "bench",
        strategy=strategy,
        feed=feed,
        switch=InProcessSwitch(),
        home=home,
        use_snapshot=snapshot,
        tell=fail,
    )
    seconds = time.perf_counter() - began_s
    assert result.status is SessionStatus.ENDED
    return seconds


def seconds_to_go_on(strategy: Strategy, home: Path, feed: Quotes | None) -> float:
    """Seconds of wall time until a session stands where its snapshot does."""
    began_s = time.perf_counter()
    spec = SessionSpec(
        session_id="bench",
        strategy=strategy,
        feed=feed,
        switch=InProcessSwitch(),
        home=home,
        tell=fail,
    )
    with open_session(spec):
        return time.perf_counter() - began_s


def fail(text: str) -> None:
    """A snapshot that is not used is not measured."""
    raise AssertionError(text)


def recoveries(name: str, strategy: type[Every | Hundredth], ticks: int, crash_at: int) -> None:
    """Crash one session near its end, resume copies of it, and print a line."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "crashed"
        data = [str(path) for path in make_files(Path(folder), ticks)] if name == "sparse" else []
        feed = None if data else Quotes(ticks)
        parts = {"data": data} if data else {"feed": feed}
        crash_session(strategy(crash_at), home, snapshot_due=lambda: True, **parts)
        for copy in ("again", "ready"):
            shutil.copytree(home, Path(folder) / copy)
        ready_s = seconds_to_go_on(strategy(), Path(folder) / "ready", feed)
        with_s = resume(strategy(), home, feed, snapshot=True)
        without_s = resume(strategy(), Path(folder) / "again", feed, snapshot=False)
        path = home / "runs" / "live" / "sessions" / "bench" / "state.jsonl"
        content = path.read_bytes()
        assert content == (Path(folder) / "again" / path.relative_to(home)).read_bytes()
        print(
            f"{name:<8}{ticks:>11,}{content.count(NEWLINE):>11,}{len(content) / 1e6:>8.1f}"
            f"{ready_s:>10.2f}{with_s:>12.2f}{without_s:>12.2f}"
        )


def main(records_max: int) -> None:
    """Print the cost, then a line for each length of journal."""
    cost_ticks = min(COST_TICKS, records_max)
    costs(cost_ticks)
    names = f"{'ready s':>10}{'snapshot s':>12}{'anew s':>12}"
    print(f"\n{'journal':<8}{'ticks':>11}{'records':>11}{'MB':>8}{names}")
    crash_at = cost_ticks // len(SYMBOLS) - cost_ticks // 1_000
    recoveries("sparse", Hundredth, cost_ticks, crash_at)
    ticks = 1_000
    while ticks <= records_max:
        recoveries("dense", Every, ticks, ticks - ticks // 100)
        ticks *= 10


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:] if each != "--live"]
    most = numbers[0] if numbers else 1_000_000
    if "--live" not in sys.argv:
        main(most)
    live(most)
