"""backtesting.py: `of_backtesting.py FOLDER bars`. It knows bars of one symbol only.

The time is from its first call of the strategy to its last: the statistics that it makes after a
run are left out. It begins at the second bar, so the first is given to the rule beforehand.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from backtesting import Backtest, Strategy
from workload import Crossing, cents, read, report

CASH = 1_000_000.0


class CrossingOfMeans(Strategy):
    """The rule of the bars; orders fill at the next open."""

    began = 0.0
    ended = 0.0
    orders_made = 0

    def init(self) -> None:
        self.rule = Crossing()
        self.rule.sign(cents(float(self.data.Close[0])))
        CrossingOfMeans.began = time.perf_counter()

    def next(self) -> None:
        sign = self.rule.sign(cents(float(self.data.Close[-1])))
        if sign > 0:
            self.buy(size=1)
        elif sign < 0:
            self.position.close()
        CrossingOfMeans.orders_made += sign != 0
        CrossingOfMeans.ended = time.perf_counter()


def main(folder: Path) -> None:
    """Run it and report."""
    warnings.simplefilter("ignore")
    rows = read(folder, "bars")
    columns = list(zip(*rows, strict=True))
    names = ("Open", "High", "Low", "Close")
    table = pd.DataFrame(
        {name: [value / 100 for value in columns[n + 1]] for n, name in enumerate(names)}
        | {"Volume": columns[5]},
        index=pd.to_datetime(columns[0]),
    )
    test = Backtest(table, CrossingOfMeans, cash=CASH, finalize_trades=True)
    result = test.run()
    seconds = CrossingOfMeans.ended - CrossingOfMeans.began
    profit = float(result["Equity Final [$]"]) - CASH
    report(len(rows), seconds, CrossingOfMeans.orders_made, "next_open", profit)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
