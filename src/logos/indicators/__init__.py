"""Indicators for strategies: fed one value at a time, each in constant time, none looks ahead.

    average = SMA(20)
    average.add(bar.close)
    if average.value is not None: ...

Every indicator has `add`, `value` (None until it has seen enough), and `save` and `load` for a
strategy that saves itself. Those of several figures have names for them besides. They are floats
made of floats: what decides money is exact elsewhere.

The definitions are TA-Lib's where it has the indicator (`tests/indicators` compares to 1e-9 on real
bars), and are stated in each class where there is more than one in use.
"""

from __future__ import annotations

from logos.indicators.averages import EMA, SMA, VWAP, Wilder
from logos.indicators.base import Indicator
from logos.indicators.channels import Donchian, Keltner, RollingMax, RollingMin
from logos.indicators.momentum import ADX, MACD, RSI, Stochastic
from logos.indicators.spread import ATR, Bollinger, LinearRegression, StandardDeviation, ZScore

__all__ = [
    "ADX",
    "ATR",
    "EMA",
    "MACD",
    "RSI",
    "SMA",
    "VWAP",
    "Bollinger",
    "Donchian",
    "Indicator",
    "Keltner",
    "LinearRegression",
    "RollingMax",
    "RollingMin",
    "StandardDeviation",
    "Stochastic",
    "Wilder",
    "ZScore",
]
