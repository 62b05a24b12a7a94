"""How fast recorded market data becomes columns and events, by both readers.

Run: `python bench/readers.py [ROWS]` (default 1,000,000). Files are made in a temporary folder;
every figure is rows per second, the best of three runs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from logos.core.instrument import Instrument, instrument
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.data.check import inspect_source
from logos.data.convert import to_parquet
from logos.data.readers.blocks import read_blocks
from logos.data.readers.numbers import format_timestamp
from logos.data.readers.optional import arrow_available
from logos.data.replay import ReplayFeed
from logos.data.source import DataSource

_START_NS = 1_700_000_040 * NS_PER_SECOND
_RUNS = 3


def _bar_lines(rows: int) -> Iterator[str]:
    yield "timestamp,open,high,low,close,volume\n"
    for row in range(rows):
        price = 4_000_000 + row * 7919 % 50_000
        time_text = format_timestamp(_START_NS + row * NS_PER_MINUTE)
        low, high = price - 13, price + 29
        yield (
            f"{time_text},{price / 100:.2f},{high / 100:.2f},{low / 100:.2f},"
            f"{(price + 7) / 100:.2f},{row % 977}.{row % 9973:04d}\n"
        )


def _quote_lines(rows: int) -> Iterator[str]:
    yield "timestamp,bid,ask,bid_size,ask_size\n"
    for row in range(rows):
        price = 6_183_700 + row * 7919 % 50_000
        time_text = format_timestamp(_START_NS + row * 12_345_000)
        yield (
            f"{time_text},{price / 100:.2f},{(price + 1) / 100:.2f},"
            f"{row % 9}.{row % 9973:05d},{row % 7}.{row % 9967:05d}\n"
        )


def _best_rate(rows: int, run: Callable[[], int]) -> float:
    best = float("inf")
    for _ in range(_RUNS):
        started = time.perf_counter()
        assert run() == rows
        best = min(best, time.perf_counter() - started)
    return rows / best


def measure(source: DataSource, traded: Instrument, rows: int, *, fast: bool) -> dict[str, float]:
    """Rows per second into columns, into events, and through the check."""

    def columns() -> int:
        return sum(len(block) for block in read_blocks(source, traded, fast=fast))

    def events() -> int:
        feed = ReplayFeed([source], {source.symbol: traded}, fast=fast)
        return sum(len(chunk) for chunk in feed.chunks())

    def check() -> int:
        return inspect_source(source, traded, fast=fast).rows

    return {
        "columns": _best_rate(rows, columns),
        "events": _best_rate(rows, events),
        "check": _best_rate(rows, check),
    }


def _sources(folder: Path, traded: Instrument, rows: int) -> list[DataSource]:
    """The same rows as bars and as quotes, each as CSV and, where it can be, as Parquet."""
    sources: list[DataSource] = []
    for kind, lines, interval_ns in (
        ("bars", _bar_lines(rows), NS_PER_MINUTE),
        ("quotes", _quote_lines(rows), None),
    ):
        path = folder / f"BTCUSD_{kind}_{rows}.csv"
        with path.open("w") as file:
            file.writelines(lines)
        source = DataSource(path, "BTCUSD", kind, interval_ns)
        sources.append(source)
        if arrow_available():
            (parquet,) = to_parquet(source, traded, path.with_suffix(".parquet"))
            sources.append(DataSource(parquet, "BTCUSD", kind, interval_ns))
    return sources


def main(rows: int) -> None:
    """Make the files, measure, print a table; the careful reader gets a tenth of the rows."""
    traded = instrument("BTCUSD", tick="0.01", lot="0.00001", quote="USD")
    print(f"{'data':<16}{'reader':<10}{'rows':>10}{'columns/s':>12}{'events/s':>12}{'check/s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for fast in (True, False) if arrow_available() else (False,):
            count = rows if fast else max(rows // 10, 1)
            for source in _sources(Path(folder), traded, count):
                rates = measure(source, traded, count, fast=fast)
                name = f"{source.kind} {source.path.suffix[1:]}"
                figures = "".join(f"{rate:>12,.0f}" for rate in rates.values())
                print(f"{name:<16}{'fast' if fast else 'careful':<10}{count:>10,}{figures}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
