"""How fast files of other programs are imported, whole: read, understood, written and checked off.

Run: `python bench/importing.py [ROWS]` (default 500,000). Files are made in a temporary folder;
every figure is rows per second of the processor's time, the best of three runs, from the named file
to ours on the disk.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from logos.data.importing.options import ImportOptions
from logos.data.importing.run import import_files

_START_S = 1_700_000_040
_RUNS = 3


def _figures(row: int) -> str:
    price = 4_000_000 + row * 7919 % 50_000
    cents = (price, price + 29, price - 13, price + 7)
    return ",".join(f"{each // 100}.{each % 100:02d}" for each in cents)


def _rows(rows: int, time_text: Callable[[int], str], separator: str = ",") -> Iterator[str]:
    for row in range(rows):
        text = f"{time_text(_START_S + row * 60)},{_figures(row)},{row % 977}.{row % 9973:04d}\n"
        yield text if separator == "," else text.replace(",", separator)


def _clock(form: str) -> Callable[[int], str]:
    return lambda moment: time.strftime(form, time.gmtime(moment))


def _files(folder: Path, rows: int) -> Iterator[tuple[str, Path, ImportOptions]]:
    """(what it is, the file, how it is imported) of the same bars written in several ways."""
    header = "time,open,high,low,close,volume\n"
    plain = ImportOptions(symbols=("BTCUSD",), interval="1m")
    turned = list(_rows(rows, str))[::-1]
    forms: list[tuple[str, str, Iterator[str], ImportOptions]] = [
        ("epoch seconds", header, _rows(rows, str), plain),
        ("ISO, UTC", header, _rows(rows, _clock("%Y-%m-%dT%H:%M:%SZ")), plain),
        ("YYYY.MM.DD;HH:MM", "", _rows(rows, _clock("%Y.%m.%d,%H:%M"), ";"), _named(plain)),
        ("backwards in time", header, iter(turned), plain),
    ]
    for name, first, lines, options in forms:
        path = folder / f"{name.split()[0].strip(',').replace(':', '')}.csv"
        with path.open("w") as file:
            file.write(first)
            file.writelines(lines)
        yield name, path, options
    yield (
        "epoch, --tick 0.01",
        folder / "epoch.csv",
        ImportOptions(symbols=("BTCUSD",), interval="1m", tick="0.01"),
    )
    quoted = folder / "quoted.csv"
    with quoted.open("w") as file:
        file.write(header)
        file.writelines(
            ",".join(f'"{cell}"' for cell in line.strip().split(",")) + "\n"
            for line in _rows(rows, str)
        )
    yield "quoted cells", quoted, plain
    days = folder / "equity" / "usa" / "hour"
    days.mkdir(parents=True)
    lean = days / "btcusd.csv"
    with lean.open("w") as file:
        for row in range(rows):
            cents = _figures(row).replace(".", "").replace(",", "00,")
            moment = time.strftime("%Y%m%d %H:%M", time.gmtime(1_000_000_800 + row * 3600))
            file.write(f"{moment},{cents}00,{row % 977}\n")
    yield "Lean, shifted", lean, ImportOptions(symbols=("BTCUSD",), timezone="UTC")
    packed = folder / "packed.csv.gz"
    with (folder / "epoch.csv").open("rb") as raw, gzip.open(packed, "wb", 6) as out:
        shutil.copyfileobj(raw, out)
    yield "epoch, gzip", packed, plain


def _named(options: ImportOptions) -> ImportOptions:
    columns = ("date", "clock", "open", "high", "low", "close", "volume")
    return ImportOptions(
        symbols=options.symbols, interval="1m", timezone="UTC", columns=columns, decimal="."
    )


def _rate(path: Path, options: ImportOptions, rows: int, out: Path) -> float:
    best = float("inf")
    for _ in range(_RUNS):
        started = time.process_time()
        report = import_files([path], out, options)
        best = min(best, time.process_time() - started)
        assert report.rows == {"BTCUSD": rows}
        shutil.rmtree(out)
    return rows / best


def main(rows: int) -> None:
    """Make the files, import each, print a table."""
    print(f"{'file':<20}{'rows':>10}{'rows/s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for name, path, options in _files(Path(folder), rows):
            print(
                f"{name:<20}{rows:>10,}{_rate(path, options, rows, Path(folder) / 'out'):>12,.0f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
