"""Whole sessions, from Parquet files to sealed artifacts: `python bench/sessions.py [TICKS ...]`.

Each is a process of its own: reading, checking, fingerprints, engine, journal, decision log and
artifacts, with the strategy of the quotes benchmark. The memory is the process's peak, and must
not depend on the number of ticks.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.loops import START_NS, SYMBOLS, config_dict
from bench.modes import modes, run_child
from logos.core.instrument import instrument
from logos.data.convert import to_parquet
from logos.data.readers.numbers import format_timestamp
from logos.data.readers.optional import arrow_available
from logos.data.source import DataSource


def main(counts: list[int]) -> None:
    """Print a line for each count of ticks and each mode."""
    print(f"{'mode':<13}{'ticks':>12}{'engine/s':>12}{'whole/s':>12}{'wall s':>9}{'peak MiB':>10}")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            data = make_files(Path(folder), count)
            for mode, environment in modes():
                _measure(mode, count, data, {**environment, "LOGOS_HOME": folder})


def _measure(mode: str, count: int, data: list[Path], environment: dict[str, str]) -> None:
    code = "import sys, bench.sessions as s; s.one_session(sys.argv[1:])"
    output, seconds, peak_kib = run_child(["-c", code, *map(str, data)], environment)
    result = json.loads(output)
    assert result["ticks"] == count
    print(
        f"{mode:<13}{count:>12,}{result['per_second']:>12,}{count / seconds:>12,.0f}"
        f"{seconds:>9.2f}{peak_kib / 1024:>10.1f}"
    )


def one_session(paths: list[str]) -> None:
    """Run one session in this process and print its figures as JSON."""
    from bench.loops import EveryHundredth
    from logos.session import run

    config = {**config_dict(SYMBOLS), "data": {"paths": paths}}
    result = run(config, strategy=EveryHundredth())
    print(
        json.dumps(
            {"ticks": result.summary["ticks"], "per_second": result.host["ticks_per_second"]}
        )
    )


def make_files(folder: Path, count: int) -> list[Path]:
    """`count` quotes over the symbols, as Parquet where that can be written, else as CSV."""
    paths = []
    for number, symbol in enumerate(SYMBOLS):
        rows = range(number, count, len(SYMBOLS))
        path = folder / f"{symbol}_quotes.csv"
        with path.open("w") as file:
            file.write("timestamp,bid,ask,bid_size,ask_size\n")
            file.writelines(_lines(rows))
        if arrow_available():
            traded = instrument(symbol, tick="0.01", lot="0.00001", quote="USDT")
            source = DataSource(path, symbol, "quotes")
            (parquet,) = to_parquet(source, traded, path.with_suffix(".parquet"))
            os.unlink(path)
            path = parquet
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
