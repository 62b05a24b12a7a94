"""Reading with pyarrow, which imports pandas where it is handed Python objects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from logos.core.instrument import instrument
from logos.data.convert import to_parquet
from logos.data.source import DataSource

READ = """
import sys
from pathlib import Path
from logos.core.instrument import instrument
from logos.data.readers.blocks import read_blocks
from logos.data.source import DataSource
source = DataSource(Path(sys.argv[1]), "BTCUSD", sys.argv[2], int(sys.argv[3]) or None)
traded = instrument("BTCUSD", tick="0.01", lot="0.00001", quote="USD")
rows = sum(len(block) for block in read_blocks(source, traded, fast=True))
print(rows, "pyarrow" in sys.modules, "pandas" in sys.modules)
"""
DATA = {
    "bars": (60_000_000_000, "timestamp,open,high,low,close,volume", "1.00,2.00,1.00,1.50,3"),
    "quotes": (0, "timestamp,bid,ask,bid_size,ask_size", "1.00,1.01,2,"),
}


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_reading_does_not_load_pandas(kind: str, extension: str, tmp_path: Path) -> None:
    interval_ns, header, cells = DATA[kind]
    path = tmp_path / f"BTCUSD_{kind}.csv"
    lines = [f"2024-01-02T03:{minute:02d}:00Z,{cells}\n" for minute in range(9)]
    path.write_text(f"{header}\n{''.join(lines)}")
    traded = instrument("BTCUSD", tick="0.01", lot="0.00001", quote="USD")
    if extension == "parquet":
        source = DataSource(path, "BTCUSD", kind, interval_ns or None)
        (path,) = to_parquet(source, traded, path.with_suffix(".parquet"))

    said = subprocess.run(
        [sys.executable, "-c", READ, str(path), kind, str(interval_ns)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said.split() == ["9", "True", "False"]
