# mypy: ignore-errors
# (its libraries are not among ours)
"""The trades of three strategies under backtesting.py, for `peer_trades.json`.

The same rules as in examples/, written for the other engine and with indicators of their own
(numpy and pandas), so that an error of ours is not made twice. It needs an environment with
backtesting 0.6.6 in it and the recordings: `make peers` makes both and writes the file anew.

Run: python tests/oracles/peer_backtesting.py FOLDER_OF_RECORDINGS > tests/oracles/peer_trades.json
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

FILES = {
    "BTC-PERP": "bars/BTC-PERP_1m_2021-12-31_first10000.csv",
    "SPY": "bars/SPY_1m_2013-10-04_11.csv",
}
MINUTE = pd.Timedelta(minutes=1)


def sma(values: pd.Series, period: int) -> np.ndarray:
    return values.rolling(period).mean().to_numpy()


def ema(values: list[float], period: int) -> list[float]:
    """Begun with the mean of the first `period` values."""
    found = [float("nan")] * len(values)
    if len(values) < period:
        return found
    found[period - 1] = sum(values[:period]) / period
    for at in range(period, len(values)):
        found[at] = found[at - 1] + (values[at] - found[at - 1]) * 2 / (period + 1)
    return found


def wilder(values: list[float], period: int) -> list[float]:
    found = [sum(values[:period]) / period]
    for value in values[period:]:
        found.append((found[-1] * (period - 1) + value) / period)
    return found


def atr(data: pd.DataFrame, period: int) -> np.ndarray:
    before = data.Close.shift(1)
    ranges = pd.concat(
        [data.High - data.Low, (data.High - before).abs(), (data.Low - before).abs()], axis=1
    )
    true = ranges.max(axis=1).to_numpy()[1:]
    return np.array([np.nan] * period + wilder(list(true), period))


def rsi(data: pd.DataFrame, period: int) -> np.ndarray:
    change = data.Close.diff().to_numpy()[1:]
    up = np.array(wilder(list(np.maximum(change, 0)), period))
    down = np.array(wilder(list(np.maximum(-change, 0)), period))
    both = up + down
    with np.errstate(invalid="ignore"):
        return np.array([np.nan] * period + list(np.where(both > 0, 100 * up / both, 0.0)))


def rising_hours(data: pd.DataFrame, period: int) -> np.ndarray:
    """At each minute: whether the average of the whole hours so far rose with the last one.

    An hour counts if it was seen from its first minute on. It is known after the decision on its
    last minute (the shorter bar is told first) or, where that is missing, with the next minute.
    """
    closes: list[float] = []
    hour, close, is_whole = None, 0.0, False
    found = []
    for at, (begin, value) in enumerate(zip(data.index, data.Close, strict=True)):
        if hour is not None and begin.floor("h") != hour:
            if is_whole:
                closes.append(close)
            hour = None
        if hour is None:
            hour = begin.floor("h")
            is_whole = at > 0 or begin == hour
        close = value
        average = ema(closes, period)
        found.append(len(average) > 1 and average[-1] > average[-2])
        if begin + MINUTE == hour + pd.Timedelta(hours=1):
            if is_whole:
                closes.append(close)
            hour = None
    return np.array(found)


class SmaAtr(Strategy):
    def init(self) -> None:
        self.fast = self.I(sma, self.data.Close.s, 10)
        self.slow = self.I(sma, self.data.Close.s, 30)
        self.atr = self.I(atr, self.data.df, 14)
        self.was_above = True

    def next(self) -> None:
        if np.isnan(self.slow[-1]) or np.isnan(self.atr[-1]):
            return
        is_above = self.fast[-1] > self.slow[-1]
        crossed, self.was_above = is_above and not self.was_above, is_above
        stop = round(float(self.data.Close[-1]) - 3.0 * float(self.atr[-1]), 2)
        if not self.position:
            if crossed:
                self.buy(size=1, sl=stop)
        elif not is_above:
            self.trades[0].sl = None  # as in examples/: what rests is cancelled with the decision
            self.position.close()
        elif stop > self.trades[0].sl:
            self.trades[0].sl = stop


class RsiBollinger(Strategy):
    def init(self) -> None:
        close = self.data.Close.s
        self.rsi = self.I(rsi, self.data.df, 14)
        width = close.rolling(20).std(ddof=0).to_numpy()
        self.lower = self.I(lambda: sma(close, 20) - 2 * width)

    def next(self) -> None:
        close = float(self.data.Close[-1])  # numpy rounds otherwise than Python
        if self.position or not (self.rsi[-1] < 30 and close < self.lower[-1]):
            return
        self.buy(size=1, sl=round(close * 0.997, 2), tp=round(close * 1.006, 2))


class EmaTimeframes(Strategy):
    def init(self) -> None:
        close = list(self.data.Close)
        self.fast, self.slow = self.I(ema, close, 10), self.I(ema, close, 30)
        self.is_rising = self.I(rising_hours, self.data.df, 8)

    def next(self) -> None:
        wants = self.fast[-1] > self.slow[-1] and self.is_rising[-1] > 0
        if wants and not self.position:
            self.buy(size=1)
        elif self.position and not wants:
            self.position.close()


def trades_of(strategy: type[Strategy], path: Path) -> list[dict[str, Any]]:
    data = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    data.columns = [name.capitalize() for name in data.columns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = Backtest(data, strategy, cash=1e9).run()._trades
    rows = found.sort_values(["EntryBar", "ExitBar"])
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    return [
        {
            "entry": row.EntryTime.strftime(stamp),
            "entry_price": round(row.EntryPrice, 4),
            "exit": row.ExitTime.strftime(stamp),
            "exit_price": round(row.ExitPrice, 4),
        }
        for row in rows.itertuples()
    ]


def main() -> None:
    folder = Path(sys.argv[1])
    found = {
        f"{strategy.__name__} {symbol}": trades_of(strategy, folder / file)
        for strategy in (SmaAtr, RsiBollinger, EmaTimeframes)
        for symbol, file in FILES.items()
    }
    source = f"backtesting {backtesting.__version__}, by tests/oracles/peer_backtesting.py"
    lines = []
    for name, rows in found.items():
        inside = ",\n  ".join(json.dumps(row) for row in rows)
        lines.append(f" {json.dumps(name)}: [\n  {inside}\n ]")
    print("{\n " + f'"source": {json.dumps(source)},\n' + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
