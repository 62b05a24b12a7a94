"""The indicators against TA-Lib itself, to 1e-9 at every bar, and the adapter for its functions."""

from __future__ import annotations

import csv
import math
import sys
from typing import Any

import numpy as np
import pytest
import talib
from places import PROJECT

from logos.indicators import (
    ADX,
    ATR,
    EMA,
    MACD,
    RSI,
    SMA,
    Bollinger,
    LinearRegression,
    RollingMax,
    RollingMin,
    StandardDeviation,
    Stochastic,
)
from logos.indicators.talib import TALib


def columns() -> tuple[Any, Any, Any]:
    [path] = (PROJECT / "data" / "cache").glob("ACME*.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("high", "low", "close")
    high, low, close = (np.array([float(row[name]) for row in rows]) for name in names)
    return high, low, close


HIGH, LOW, CLOSE = columns()
SIMPLE: Any = 0
"""The kind of mean, as TA-Lib numbers them."""
LATER_THERE = {"MACD": 8, "Stochastic": 2}
"""TA-Lib shows the first figure of these only once the last one is there."""

CASES: dict[str, tuple[Any, tuple[str, ...], Any]] = {
    "SMA": (SMA(20), ("value",), talib.SMA(CLOSE, 20)),
    "EMA": (EMA(20), ("value",), talib.EMA(CLOSE, 20)),
    "RSI": (RSI(14), ("value",), talib.RSI(CLOSE, 14)),
    "MACD": (MACD(), ("value", "signal", "histogram"), talib.MACD(CLOSE)),
    "Bollinger": (
        Bollinger(20, 2.0),
        ("upper", "value", "lower"),
        talib.BBANDS(CLOSE, 20, 2.0, 2.0),
    ),
    "StandardDeviation": (StandardDeviation(20), ("value",), talib.STDDEV(CLOSE, 20)),
    "ATR": (ATR(14), ("value",), talib.ATR(HIGH, LOW, CLOSE, 14)),
    "ADX": (
        ADX(14),
        ("value", "plus", "minus"),
        (
            talib.ADX(HIGH, LOW, CLOSE, 14),
            talib.PLUS_DI(HIGH, LOW, CLOSE, 14),
            talib.MINUS_DI(HIGH, LOW, CLOSE, 14),
        ),
    ),
    "Stochastic": (
        Stochastic(14, 3, 3),
        ("value", "signal"),
        talib.STOCH(HIGH, LOW, CLOSE, 14, 3, SIMPLE, 3, SIMPLE),
    ),
    "LinearRegression": (
        LinearRegression(14),
        ("value", "slope"),
        (talib.LINEARREG(CLOSE, 14), talib.LINEARREG_SLOPE(CLOSE, 14)),
    ),
    "RollingMax": (RollingMax(17), ("value",), talib.MAX(CLOSE, 17)),
    "RollingMin": (RollingMin(17), ("value",), talib.MIN(CLOSE, 17)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_indicator_is_what_talib_says(name: str) -> None:
    indicator, names, output = CASES[name]
    outputs = output if isinstance(output, tuple) else (output,)
    early = 0
    for at in range(len(CLOSE)):
        if isinstance(indicator, (ATR, ADX, Stochastic)):
            indicator.add(HIGH[at], LOW[at], CLOSE[at])
        else:
            indicator.add(CLOSE[at])
        for figure_name, right in zip(names, outputs, strict=True):
            figure = getattr(indicator, figure_name)
            if math.isnan(right[at]):
                early += figure is not None
            else:
                assert figure == pytest.approx(right[at], rel=1e-9, abs=1e-9), (at, figure_name)
    assert early == LATER_THERE.get(name, 0)


def test_a_function_of_talib_is_an_indicator() -> None:
    indicator = TALib("CCI", inputs=3, window=40, timeperiod=20)
    right = talib.CCI(HIGH, LOW, CLOSE, timeperiod=20)
    for at in range(200):
        indicator.add(HIGH[at], LOW[at], CLOSE[at])
        if math.isnan(right[at]):
            assert indicator.value is None
        else:
            assert indicator.value == pytest.approx(right[at], rel=1e-9)
    again = TALib("CCI", inputs=3, window=40, timeperiod=20).load(indicator.save())
    assert again.values == indicator.values
    assert again.save() == indicator.save()


def test_a_function_with_several_outputs_has_them_all() -> None:
    indicator = TALib("BBANDS", window=30, timeperiod=20)
    for close in CLOSE[:60]:
        indicator.add(close)
    upper, middle, lower = indicator.values
    assert upper > middle > lower
    assert indicator.value == upper


def test_what_talib_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="TA-Lib has no function 'NOSUCH'"):
        TALib("NOSUCH", window=30)


def test_without_the_library_the_command_that_helps_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "talib", None)
    with pytest.raises(ImportError, match=r"TA-Lib is not installed: .*(make|pip)"):
        TALib("CCI", window=30)
