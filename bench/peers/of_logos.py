"""logos: `of_logos.py FOLDER bars|quotes`, the whole session of `logos.run`.

With all that a session does: the files read and checked, guards, journal, tables, decision log. The
engine's own time is what `events a second` of a session says.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workload import MINUTE_NS, SYMBOLS, Crossing, cents, read, report

from logos import Answer, Bar, Context, Quote, QuoteBar, Side, Strategy
from logos.session import run


class Bars(Strategy):
    """The rule of the bars."""

    def __init__(self) -> None:
        self.rule = Crossing()

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        sign = self.rule.sign(cents(bar.close))
        return None if sign == 0 else Side.BUY if sign > 0 else Side.SELL


class Quotes(Strategy):
    """The rule of the quotes."""

    def __init__(self) -> None:
        self.seen = dict.fromkeys(SYMBOLS, 0)

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        seen = self.seen[quote.symbol] = self.seen[quote.symbol] + 1
        if seen % 100:
            return None
        return Side.BUY if seen % 200 else Side.SELL


def moment(when_ns: int) -> str:
    """Its time as ISO 8601, to the nanosecond."""
    seconds, rest = divmod(when_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def decimal(price: int) -> str:
    """Cents as dollars."""
    return f"{price // 100}.{price % 100:02d}"


def files(folder: Path, what: str, rows: list[tuple[int, ...]]) -> list[str]:
    """The data as Parquet files, made once."""
    from logos import instrument
    from logos.data.convert import to_parquet
    from logos.data.source import DataSource

    names = ["BTCUSD_1m_bars"] if what == "bars" else [f"{symbol}_quotes" for symbol in SYMBOLS]
    paths = [folder / f"{name}.parquet" for name in names]
    if all(path.exists() for path in paths):
        return list(map(str, paths))
    for number, path in enumerate(paths):
        lines = ["timestamp,open,high,low,close,volume" if what == "bars" else "timestamp,bid,ask"]
        for row in rows:
            if what == "bars":
                prices = ",".join(map(decimal, row[1:5]))
                lines.append(f"{moment(row[0] - MINUTE_NS)},{prices},{row[5]}")
            elif row[1] == number:
                lines.append(f"{moment(row[0])},{decimal(row[2])},{decimal(row[3])}")
        path.with_suffix(".csv").write_text("\n".join(lines) + "\n", encoding="ascii")
        symbol = names[number].split("_")[0]
        traded = instrument(symbol, tick="0.01", lot="1", quote="USD")
        interval = MINUTE_NS if what == "bars" else None
        to_parquet(DataSource(path.with_suffix(".csv"), symbol, what, interval), traded, path)
        path.with_suffix(".csv").unlink()
    return list(map(str, paths))


def settings(what: str, paths: list[str]) -> dict[str, Any]:
    """No fees, whole units, a margin account; guards as they are by default."""
    names = SYMBOLS[:1] if what == "bars" else SYMBOLS
    return {
        "instruments": {
            name: {
                "base": name[:3],
                "quote": "USD",
                "tick": "0.01",
                "lot": "1",
                "settlement": "margin",
                "mark": "mid",
            }
            for name in names
        },
        "account": {"balances": {"USD": "1000000000"}},
        "orders": {"quantity": "1"},
        "paper": {"fill": "next_open" if what == "bars" else "bid_ask"},
        "data": {"paths": paths},
    }


def main(folder: Path, what: str) -> None:
    """Run it and report the engine's rate; the runner times the whole process."""
    paths = files(folder / "logos", what, read(folder, what) if len(sys.argv) > 3 else [])
    if len(sys.argv) > 3:  # only to make the files
        return
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({"LOGOS_HOME": home, "LOGOS_REGISTRY": home})
        result = run(settings(what, paths), strategy=Bars() if what == "bars" else Quotes())
        summary, ticks = result.summary, int(result.summary["ticks"])
        money = summary["currencies"]["USD"]
        report(
            ticks,
            ticks / result.host["ticks_per_second"],
            summary["orders"],
            "next_open" if what == "bars" else "bid_ask",
            float(money["realised"]) + float(money["unrealised"]),
        )


if __name__ == "__main__":
    (Path(sys.argv[1]) / "logos").mkdir(exist_ok=True)
    main(Path(sys.argv[1]), sys.argv[2])
