"""Every indicator against a formula that begins anew at each bar, on the bundled bars."""

from __future__ import annotations

import csv
import itertools
import json
import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from places import PROJECT

from logos import indicators
from logos.indicators import (
    ADX,
    ATR,
    EMA,
    MACD,
    RSI,
    SMA,
    VWAP,
    Bollinger,
    Donchian,
    Indicator,
    Keltner,
    LinearRegression,
    RollingMax,
    RollingMin,
    StandardDeviation,
    Stochastic,
    Wilder,
    ZScore,
)

Row = tuple[float, float, float, float]
"""High, low, close, volume."""


def bars() -> list[Row]:
    [path] = (PROJECT / "data" / "cache").glob("ACME*.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:1500]
    return [
        (float(row["high"]), float(row["low"]), float(row["close"]), float(row["volume"]))
        for row in rows
    ]


BARS = bars()
CLOSES = [row[2] for row in BARS]


def fed(indicator: Any, *names: str) -> list[tuple[float | None, ...]]:
    """`value` and the named figures after each bar."""
    found = []
    for high, low, close, volume in BARS:
        if isinstance(indicator, (Stochastic, ATR, ADX, Keltner)):
            indicator.add(high, low, close)
        elif isinstance(indicator, Donchian):
            indicator.add(high, low)
        elif isinstance(indicator, VWAP):
            indicator.add(close, volume)
        else:
            indicator.add(close)
        found.append(tuple(getattr(indicator, name) for name in ("value", *names)))
    return found


# ---- formulas, each from the whole past ----

Formula = Callable[[int], tuple[float | None, ...]]


def window(values: Sequence[float], at: int, period: int) -> Sequence[float] | None:
    return values[at + 1 - period : at + 1] if at + 1 >= period else None


def smoothed(values: Sequence[float], period: int, weight: float) -> list[float | None]:
    """Begun with the mean of the first `period` values."""
    made: list[float | None] = [None] * min(period - 1, len(values))
    if len(values) >= period:
        last = math.fsum(values[:period]) / period
        made.append(last)
        for value in values[period:]:
            last = weight * value + (1 - weight) * last
            made.append(last)
    return made


def ema(values: Sequence[float], period: int) -> list[float | None]:
    return smoothed(values, period, 2 / (period + 1))


def wilder(values: Sequence[float], period: int) -> list[float | None]:
    return smoothed(values, period, 1 / period)


def later(values: list[float | None], by: int) -> list[float | None]:
    return [None] * by + values


def true_ranges() -> list[float]:
    return [
        max(high, last[2]) - min(low, last[2])
        for last, (high, low, _, _) in itertools.pairwise(BARS)
    ]


def sma_of(period: int) -> Formula:
    def formula(at: int) -> tuple[float | None]:
        part = window(CLOSES, at, period)
        return (None if part is None else math.fsum(part) / period,)

    return formula


def deviation_of(period: int, *widths: float) -> Formula:
    def formula(at: int) -> tuple[float | None, ...]:
        part = window(CLOSES, at, period)
        if part is None:
            return (None,) * (1 + len(widths))
        size, mean = statistics.pstdev(part), statistics.fmean(part)
        return (mean, *[mean + width * size for width in widths]) if widths else (size,)

    return formula


def score_of(period: int) -> Formula:
    def formula(at: int) -> tuple[float | None]:
        part = window(CLOSES, at, period)
        if part is None:
            return (None,)
        size = statistics.pstdev(part)
        return ((part[-1] - statistics.fmean(part)) / size if size else 0.0,)

    return formula


def extreme_of(period: int, pick: Callable[[Sequence[float]], float]) -> Formula:
    def formula(at: int) -> tuple[float | None]:
        part = window(CLOSES, at, period)
        return (None if part is None else pick(part),)

    return formula


def donchian_of(period: int) -> Formula:
    def formula(at: int) -> tuple[float | None, ...]:
        if at + 1 < period:
            return None, None, None
        rows = BARS[at + 1 - period : at + 1]
        upper, lower = max(row[0] for row in rows), min(row[1] for row in rows)
        return (upper + lower) / 2, upper, lower

    return formula


def line_of(period: int) -> Formula:
    def formula(at: int) -> tuple[float | None, ...]:
        part = window(CLOSES, at, period)
        if part is None:
            return None, None
        slope, intercept = statistics.linear_regression(range(period), part)
        return intercept + slope * (period - 1), slope

    return formula


def series_of(*series: list[float | None]) -> Formula:
    return lambda at: tuple(each[at] if at < len(each) else None for each in series)


def rsi_series(period: int) -> list[float | None]:
    moves = [new - old for old, new in itertools.pairwise(CLOSES)]
    rises = wilder([max(move, 0.0) for move in moves], period)
    falls = wilder([max(-move, 0.0) for move in moves], period)
    made: list[float | None] = [None]
    for rise, fall in zip(rises, falls, strict=True):
        made.append(None if rise is None or fall is None else 100 - 100 / (1 + rise / fall))
    return made


def macd_series(fast: int, slow: int, signal: int) -> tuple[list[float | None], ...]:
    skipped = later(ema(CLOSES[slow - fast :], fast), slow - fast)
    lines = [
        None if a is None or b is None else a - b
        for a, b in zip(skipped, ema(CLOSES, slow), strict=True)
    ]
    known = [line for line in lines if line is not None]
    signals = later(ema(known, signal), slow - 1)
    rest = [None if a is None or b is None else a - b for a, b in zip(lines, signals, strict=True)]
    return lines, signals, rest


def stochastic_series(period: int, smooth: int, signal: int) -> tuple[list[float | None], ...]:
    raw = []
    for at in range(period - 1, len(BARS)):
        rows = BARS[at + 1 - period : at + 1]
        top, bottom = max(row[0] for row in rows), min(row[1] for row in rows)
        raw.append(100 * (CLOSES[at] - bottom) / (top - bottom))

    def mean(values: list[float], size: int) -> list[float]:
        return [
            math.fsum(values[at + 1 - size : at + 1]) / size for at in range(size - 1, len(values))
        ]

    k = mean(raw, smooth)
    return (
        later(list(k), period + smooth - 2),
        later(list(mean(k, signal)), period + smooth + signal - 3),
    )


def keltner_series(period: int, width: float, atr: int) -> tuple[list[float | None], ...]:
    middles = ema(CLOSES, period)
    sizes = later(wilder(true_ranges(), atr), 1)
    rows = [
        (None, None, None) if m is None or s is None else (m, m + width * s, m - width * s)
        for m, s in zip(middles, sizes, strict=True)
    ]
    return tuple(list(each) for each in zip(*rows, strict=True))


def vwap_series() -> list[float | None]:
    made: list[float | None] = []
    for at in range(len(BARS)):
        rows = BARS[: at + 1]
        volume = math.fsum(row[3] for row in rows)
        money = math.fsum(row[2] * row[3] for row in rows)
        made.append(money / volume if volume else None)
    return made


CASES: dict[str, tuple[Indicator, tuple[str, ...], Formula]] = {
    "SMA": (SMA(20), (), sma_of(20)),
    "EMA": (EMA(20), (), series_of(ema(CLOSES, 20))),
    "Wilder": (Wilder(14), (), series_of(wilder(CLOSES, 14))),
    "VWAP": (VWAP(), (), series_of(vwap_series())),
    "StandardDeviation": (StandardDeviation(20), (), deviation_of(20)),
    "ZScore": (ZScore(30), (), score_of(30)),
    "Bollinger": (Bollinger(20, 2.5), ("upper", "lower"), deviation_of(20, 2.5, -2.5)),
    "RollingMax": (RollingMax(17), (), extreme_of(17, max)),
    "RollingMin": (RollingMin(17), (), extreme_of(17, min)),
    "Donchian": (Donchian(20), ("upper", "lower"), donchian_of(20)),
    "Keltner": (Keltner(20, 1.5, 10), ("upper", "lower"), series_of(*keltner_series(20, 1.5, 10))),
    "LinearRegression": (LinearRegression(14), ("slope",), line_of(14)),
    "ATR": (ATR(14), (), series_of(later(wilder(true_ranges(), 14), 1))),
    "RSI": (RSI(14), (), series_of(rsi_series(14))),
    "MACD": (MACD(12, 26, 9), ("signal", "histogram"), series_of(*macd_series(12, 26, 9))),
    "Stochastic": (Stochastic(14, 3, 3), ("signal",), series_of(*stochastic_series(14, 3, 3))),
}


@pytest.mark.parametrize("name", CASES)
def test_an_indicator_is_its_formula_at_every_bar(name: str) -> None:
    indicator, names, formula = CASES[name]
    found = fed(indicator, *names)
    for at, figures in enumerate(found):
        expected = formula(at)
        assert [each is None for each in figures] == [each is None for each in expected], at
        for figure, right in zip(figures, expected, strict=True):
            if figure is not None and right is not None:
                assert figure == pytest.approx(right, rel=1e-9, abs=1e-9), at
    assert found[-1][0] is not None


def test_every_indicator_has_a_case_here_or_against_talib() -> None:
    kinds = set(indicators.__all__) - {"Indicator"}
    assert kinds - {type(case[0]).__name__ for case in CASES.values()} == {"ADX"}


def make(name: str) -> Indicator:
    kinds: dict[str, Any] = {"VWAP": VWAP, "MACD": MACD}
    kind = getattr(indicators, name)
    return kind() if name in kinds or name in ("ADX", "Stochastic") else kind(9)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", sorted(set(indicators.__all__) - {"Indicator"}))
@pytest.mark.parametrize("at", [0, 3, 9, 50])
def test_one_that_was_saved_goes_on_as_if_nothing_had_been(name: str, at: int) -> None:
    rows = BARS[:120]
    one, other = make(name), make(name)

    def feed(indicator: Any, row: Row) -> None:
        high, low, close, volume = row
        if isinstance(indicator, (Stochastic, ATR, ADX, Keltner)):
            indicator.add(high, low, close)
        elif isinstance(indicator, Donchian):
            indicator.add(high, low)
        elif isinstance(indicator, VWAP):
            indicator.add(close, volume)
        else:
            indicator.add(close)

    for row in rows[:at]:
        feed(one, row)
    assert other.load(json.loads(json.dumps(one.save()))) is other
    for row in rows[at:]:
        feed(one, row)
        feed(other, row)
        assert one.value == other.value
    assert one.save() == other.save()
    assert one.is_ready


@pytest.mark.parametrize("kind", [SMA, EMA, RSI, RollingMax, StandardDeviation, LinearRegression])
def test_whole_numbers_are_remembered_as_figures_compiled_or_not(kind: Any) -> None:
    whole, figures = kind(3), kind(3)
    for value in (5, 3, 4, 7):
        whole.add(value)
        figures.add(float(value))
    assert json.dumps(whole.save()) == json.dumps(figures.save())


class Last(Indicator):
    """One of a user's own: the last figure, and how many there were."""

    __slots__ = ("count", "seen")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.seen: list[int] = []

    def add(self, value: float) -> None:
        self.count += 1
        self.seen.append(self.count)
        self.value = value


def test_an_indicator_of_ones_own_is_saved_as_it_is() -> None:
    one = Last()
    one.add(2.5)
    assert one.save() == {"count": 1, "seen": [1], "value": 2.5}
    assert type(one.save()["count"]) is int
    assert Last().load(one.save()).save() == one.save()
    assert one.is_ready


@pytest.mark.parametrize("period", [0, -1])
@pytest.mark.parametrize("kind", [SMA, EMA, Wilder, RollingMax, StandardDeviation, RSI])
def test_a_period_that_is_none_is_refused_by_name(kind: Any, period: int) -> None:
    with pytest.raises(ValueError, match=f"a period is a whole number of at least 1, not {period}"):
        kind(period)


@pytest.mark.parametrize("period", [1.5, "20", None])
@pytest.mark.parametrize("kind", [SMA, EMA, Wilder, RollingMax, StandardDeviation, RSI])
def test_a_period_is_a_whole_number(kind: Any, period: Any) -> None:
    # Compiled, the words are the compiler's.
    with pytest.raises(TypeError, match=r"a period is a whole number|int object expected"):
        kind(period)


def test_a_slow_period_below_the_fast_one_is_refused() -> None:
    with pytest.raises(ValueError, match="the fast period is below the slow one, not 26 and 12"):
        MACD(26, 12)


@pytest.mark.parametrize(
    ("indicator", "value"),
    [(StandardDeviation(3), 0.0), (ZScore(3), 0.0), (RSI(3), 0.0), (LinearRegression(3), 5.0)],
)
def test_where_nothing_moves_nothing_is_divided_by(indicator: Any, value: float) -> None:
    for _ in range(10):
        indicator.add(5.0)
    assert indicator.value == value


def test_flat_bars_have_no_direction_and_no_range() -> None:
    stochastic, adx = Stochastic(), ADX()
    for _ in range(60):
        stochastic.add(5.0, 5.0, 5.0)
        adx.add(5.0, 5.0, 5.0)
    assert (stochastic.value, stochastic.signal) == (0.0, 0.0)
    assert (adx.value, adx.plus, adx.minus) == (0.0, 0.0, 0.0)


def test_a_deviation_keeps_its_digits_at_a_high_price() -> None:
    deviation = StandardDeviation(20)
    part = [1e9 + (number % 7) * 1e-3 for number in range(500)]
    for value in part:
        deviation.add(value)
    assert deviation.value == pytest.approx(statistics.pstdev(part[-20:]), rel=1e-6)


def test_a_vwap_begins_again_when_told_and_leaves_unknown_volume_out() -> None:
    vwap = VWAP()
    vwap.add(10.0, 5.0)
    vwap.add(99.0, -1.0)
    assert vwap.value == 10.0
    vwap.reset()
    assert not vwap.is_ready
    vwap.add(20.0, 1.0)
    assert vwap.value == 20.0
