"""Whole sessions, from Parquet files to sealed artifacts: `python bench/sessions.py [TICKS ...]`.

Each is a process of its own: reading, checking, fingerprints, engine, journal, decision log and
artifacts, of quotes with the strategy of the quotes benchmark and of half as many bars with an SMA
crossover. The first session on the data checks it, the next one finds that it was. Seconds are
those of the clock, and of the processor, which count where the machine has other things to do. The
memory is the process's peak, and must not depend on the number of ticks.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.loops import START_NS, SYMBOLS, bar_chunks, config_dict
from bench.modes import modes, peak_mib, run_child
from logos.core.instrument import instrument
from logos.core.messages import Bar
from logos.core.types import NS_PER_MINUTE
from logos.data.convert import to_parquet
from logos.data.readers.numbers import format_timestamp
from logos.data.readers.optional import arrow_available
from logos.data.source import DataSource
from logos.strategies.sma_cross import SmaCross


def main(counts: list[int]) -> None:
    """Print a line for each count of ticks, each kind of data and each mode."""
    print(
        f"{'mode':<13}{'data':<8}{'':<8}{'ticks':>12}{'engine/s':>12}{'whole/s':>12}"
        f"{'wall s':>9}{'CPU s':>8}{'peak MiB':>10}"
    )
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            kinds = {"quotes": make_files(Path(folder), count)}
            kinds["bars"] = [make_bars(Path(folder), count // 2)]
            for mode, environment in modes():
                for kind, data in kinds.items():
                    home = Path(folder, f"{mode}-{kind}")
                    home.mkdir()
                    for which in ("first", "again"):
                        _measure(
                            (mode, kind, which), data, {**environment, "LOGOS_HOME": str(home)}
                        )


def _measure(names: tuple[str, str, str], data: list[Path], environment: dict[str, str]) -> None:
    code = "import sys, bench.sessions as s; s.one_session(*sys.argv[1:])"
    output, seconds, _ = run_child(["-c", code, names[1], *map(str, data)], environment)
    result = json.loads(output)
    count = result["ticks"]
    mode, kind, which = names
    print(
        f"{mode:<13}{kind:<8}{which:<8}{count:>12,}{result['per_second']:>12,}"
        f"{count / seconds:>12,.0f}{seconds:>9.2f}{result['cpu_s']:>8.2f}"
        f"{result['peak_mib']:>10.1f}"
    )


def one_session(kind: str, *paths: str) -> None:
    """Run one session in this process and print its figures as JSON."""
    from bench.loops import EveryHundredth
    from logos.session import run

    symbols = SYMBOLS if kind == "quotes" else SYMBOLS[:1]
    config = {**config_dict(symbols), "data": {"paths": paths}}
    crossover = SmaCross(fast=10, slow=30, quantity=Decimal("0.01"))
    result = run(config, strategy=EveryHundredth() if kind == "quotes" else crossover)
    print(
        json.dumps(
            {
                "ticks": result.summary["ticks"],
                "per_second": result.host["ticks_per_second"],
                "cpu_s": time.process_time(),
                "peak_mib": peak_mib(),
            }
        )
    )


def make_bars(folder: Path, count: int) -> Path:
    """`count` one-minute bars of the first symbol, those of the engine's benchmark."""
    traded = instrument(SYMBOLS[0], tick="0.01", lot="0.00001", quote="USDT")
    path = folder / "bars" / f"{SYMBOLS[0]}_1m.csv"
    path.parent.mkdir()
    with path.open("w") as file:
        file.write("timestamp,open,high,low,close,volume\n")
        for make in bar_chunks(count, traded):
            for bar in make():
                assert isinstance(bar, Bar)
                prices = (bar.open_units, bar.high_units, bar.low_units, bar.close_units)
                opened = format_timestamp(bar.ts_ns - bar.interval_ns)
                file.write(f"{opened},{','.join(f'{each / 100:.2f}' for each in prices)},10\n")
    return _packed(path, DataSource(path, SYMBOLS[0], "bars", NS_PER_MINUTE))


def _packed(path: Path, source: DataSource) -> Path:
    """The same as Parquet, where that can be written."""
    if not arrow_available():
        return path
    traded = instrument(source.symbol, tick="0.01", lot="0.00001", quote="USDT")
    (parquet,) = to_parquet(source, traded, path.with_suffix(".parquet"))
    os.unlink(path)
    return parquet


def make_files(folder: Path, count: int) -> list[Path]:
    """`count` quotes over the symbols, as Parquet where that can be written, else as CSV."""
    paths = []
    for number, symbol in enumerate(SYMBOLS):
        rows = range(number, count, len(SYMBOLS))
        path = folder / f"{symbol}_quotes.csv"
        with path.open("w") as file:
            file.write("timestamp,bid,ask,bid_size,ask_size\n")
            file.writelines(_lines(rows))
        path = _packed(path, DataSource(path, symbol, "quotes"))
        paths.append(path)
    return paths


def _lines(rows: range) -> Iterator[str]:
    for row in rows:
        price = 6_000_000 + row * 7919 % 1_000
        yield (
            f"{format_timestamp(START_NS + row * 1_000_000)},{price / 100:.2f},"
            f"{(price + row % 3) / 100:.2f},{1 + row % 5}.{row % 977:03d},{1 + row % 3}.5\n"
        )


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1_000_000])
