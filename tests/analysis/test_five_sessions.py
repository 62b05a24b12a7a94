"""The figures of five sessions, held against a plain calculation that shares no code with them.

It knows fills (side, quantity, price, fee) and sampled equity, and nothing else: lots, trips, days
and ratios are made anew here, the ratios by `empyrical-reloaded`.
"""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isclose, sqrt
from pathlib import Path
from typing import Any

import empyrical
import numpy as np
import pytest
from analysis_helpers import run_bars
from market_cases import TICKS, Case, busy, config_of
from places import PROJECT, required_market_data

from logos import session
from logos.analysis import Analysis, Statistics, analyse
from logos.config import read_toml
from logos.core.gates import InProcessSwitch
from logos.core.strategy import market
from logos.core.types import Side

pytestmark = pytest.mark.long

BUY, SELL = Side.BUY, Side.SELL
Row = dict[str, str]


def rows_of(folder: Path, name: str) -> list[Row]:
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def nanoseconds(text: str) -> int:
    seconds = datetime.fromisoformat(text[:19] + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(text[20:29])


# ---- the sessions ----


def bundled(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(PROJECT)
    config = read_toml(PROJECT / "examples" / "session.toml")
    return session.run(config, switch=InProcessSwitch(), home=home).folder


def recorded(case: Case) -> Callable[[Path, pytest.MonkeyPatch], Path]:
    def make(home: Path, _: pytest.MonkeyPatch) -> Path:
        config = config_of(case, required_market_data())
        result = session.run(
            {**config, "session": {"seed": 7, "sample_interval_s": 60}},
            strategy=busy(case, config), switch=InProcessSwitch(), home=home,
        )  # fmt: skip
        assert result.exit_code == 0
        return result.folder

    return make


def losing(home: Path, _: pytest.MonkeyPatch) -> Path:
    falling = [f"{200 - i} {200 - i} {198 - i} {199 - i}" for i in range(100)]
    answers = {i: market(BUY if i % 2 else SELL, 3) for i in range(1, 97)}
    fees = {"taker": "0.001", "decimals": 2}
    return run_bars(
        home, {"ACME": falling}, answers, terms={"ACME": {"fees": fees}}, step=timedelta(hours=1)
    ).folder


SESSIONS: Mapping[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "bundled": bundled,
    "BTC quotes": recorded(
        Case(["quotes/BTCUSDT_binance_spot_tick_2024-08-08.csv"], TICKS, ["crossed"], every=40)
    ),
    "ORCL daily": recorded(Case(["bars/ORCL_1d_2000.csv"], {}, ["gap"], every=1)),
    "XAUUSD two-sided": recorded(
        Case(["bars/XAUUSD_oanda_1m_2014-05-04_09_bid.csv"], {"slippage_ticks": 1}, ["gap"], 10)
    ),
    "losing": losing,
}


@pytest.fixture(scope="module", params=SESSIONS)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Analysis]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = SESSIONS[request.param](tmp_path_factory.mktemp("home"), monkeypatch)
    return folder, analyse(folder)


# ---- the plain calculation ----


def plain_trips(folder: Path) -> dict[tuple[str, int, int], tuple[Fraction, Fraction, Fraction]]:
    """By symbol, entry order and exit order: quantity, gross and fees. Multipliers are 1."""
    lots: dict[str, list[list[Any]]] = defaultdict(list)
    found: dict[tuple[str, int, int], list[Fraction]] = {}
    for fill in rows_of(folder, "trades.csv"):
        unit = Fraction(1, 10 ** len(fill["fee"].partition(".")[2]))
        sign = 1 if fill["side"] == "BUY" else -1
        left, price, fee = (Fraction(fill[name]) for name in ("quantity", "price", "fee"))
        held = lots[fill["symbol"]]
        while left and held and held[0][1] * sign < 0:
            order, size, entry, entry_fee = held[0]
            part = min(left, abs(size))
            share = entry_fee * part / abs(size) // unit * unit
            key = (fill["symbol"], order, int(fill["order_id"]))
            trip = found.setdefault(key, [Fraction(0)] * 3)
            trip[0] += part
            trip[1] += (price - entry) * part * -sign
            trip[2] += share + fee
            fee, left = Fraction(0), left - part
            held[0][1], held[0][3] = size + part * sign, entry_fee - share
            if not held[0][1]:
                del held[0]
        if left:
            held.append([int(fill["order_id"]), left * sign, price, fee])
    return {key: (trip[0], trip[1], trip[2]) for key, trip in found.items()}


def plain_exposure(folder: Path, currency: str, end_ns: int) -> int:
    held: dict[str, bool] = {}
    total, since = 0, 0
    for fill in rows_of(folder, "trades.csv"):
        if fill["currency"] != currency:
            continue
        now, was = nanoseconds(fill["time"]), any(held.values())
        held[fill["symbol"]] = Decimal(fill["position"]) != 0
        if any(held.values()) and not was:
            since = now
        if was and not any(held.values()):
            total += now - since
    return total + (end_ns - since if any(held.values()) else 0)


def plain_returns(folder: Path, currency: str) -> list[float]:
    """Of every day from the first to the last; the first sample is the start."""
    samples = [row for row in rows_of(folder, "account.csv") if row["currency"] == currency]
    closes: dict[date, Fraction] = {}
    for row in samples[1:]:
        moment = datetime.fromisoformat(row["time"][:19])
        is_midnight = row["time"][11:29] == "00:00:00.000000000"
        closes[(moment - timedelta(days=is_midnight)).date()] = Fraction(row["equity"])
    day, before, found = min(closes), Fraction(samples[0]["equity"]), []
    while day <= max(closes):
        after = closes.get(day, before)
        found.append(float(after / before - 1))
        day, before = day + timedelta(days=1), after
    return found


def close(ours: float | None, theirs: float, tolerance: float = 1e-12) -> bool:
    if ours is None:
        return not np.isfinite(theirs)
    return isclose(ours, float(theirs), rel_tol=tolerance, abs_tol=tolerance)


# ---- held against each other ----


def ledgers(analysis: Analysis) -> list[Statistics]:
    return [each.statistics for each in analysis.books if each.name != "total"]


def test_round_trips_are_the_same_to_the_last_digit(read: tuple[Path, Analysis]) -> None:
    folder, analysis = read
    plain = plain_trips(folder)
    assert len(plain) > 5
    assert {
        (trip.symbol, trip.entry_order_id, trip.exit_order_id): (
            Fraction(trip.quantity), Fraction(trip.gross), Fraction(trip.fees),
        )
        for trip in analysis.trips
    } == plain  # fmt: skip


def test_what_trips_come_to_is_the_same(read: tuple[Path, Analysis]) -> None:
    folder, analysis = read
    plain = plain_trips(folder)
    quotes = {each.symbol: each.currency for each in analysis.by_symbol}
    for figures in ledgers(analysis):
        in_order = [
            (trip.symbol, trip.entry_order_id, trip.exit_order_id)
            for trip in analysis.trips
            if trip.currency == figures.currency
        ]
        assert len(in_order) == sum(quotes[key[0]] == figures.currency for key in plain)
        nets = [plain[key][1] - plain[key][2] for key in in_order]
        side = figures.trips
        assert (side.trips, side.wins) == (len(nets), sum(net > 0 for net in nets))
        assert side.losses == sum(net < 0 for net in nets)
        assert Fraction(side.net) == sum(nets)
        assert close(side.win_rate, side.wins / len(nets))
        lost = -sum(net for net in nets if net < 0)
        won = sum(net for net in nets if net > 0)
        assert close(side.profit_factor, float(won / lost))
        assert close(side.sqn, sqrt(len(nets)) * float(statistics.mean(nets)) / float(
            statistics.stdev(nets)
        ), 1e-9)  # fmt: skip
        mean = statistics.mean(nets)
        assert side.expectancy is not None
        assert abs(Fraction(side.expectancy) - mean) <= Fraction(1, 200)
        words = "".join("W" if net > 0 else "L" if net < 0 else "-" for net in nets)
        assert side.win_streak == max(map(len, words.replace("-", "L").split("L")))
        assert side.loss_streak == max(map(len, words.replace("-", "W").split("W")))
        assert figures.long.trips + figures.short.trips == side.trips
        assert figures.long.net + figures.short.net == side.net


def test_money_and_exposure_are_the_same(read: tuple[Path, Analysis]) -> None:
    folder, analysis = read
    fills = rows_of(folder, "trades.csv")
    for figures in ledgers(analysis):
        samples = [
            row for row in rows_of(folder, "account.csv") if row["currency"] == figures.currency
        ]
        of_book = [row for row in fills if row["currency"] == figures.currency]
        first, last = samples[0], samples[-1]
        assert figures.net == Decimal(last["equity"]) - Decimal(first["equity"])
        assert close(figures.net_ratio, float(figures.net) / float(first["equity"]))
        assert figures.fees == sum(Decimal(row["fee"]) for row in of_book)
        assert figures.traded == sum(Decimal(row["notional"]) for row in of_book)
        assert figures.max_drawdown == Decimal(last["max_drawdown"])
        mean = sum(Fraction(row["equity"]) for row in samples) / len(samples)
        assert close(figures.turnover, float(Fraction(figures.traded) / mean))
        begun, ended = nanoseconds(first["time"]), nanoseconds(last["time"])
        assert figures.duration_ns == ended - begun
        assert figures.exposure_ns == plain_exposure(folder, figures.currency, ended)
        open_fees = figures.fees - figures.trips.fees
        open_ = sum((each.unrealised for each in analysis.open_trips), Decimal(0))
        if len(analysis.books) == 1:
            assert figures.net == figures.trips.net + open_ - open_fees


def test_figures_for_a_year_are_those_of_empyrical(read: tuple[Path, Analysis]) -> None:
    folder, analysis = read
    for figures in ledgers(analysis):
        plain = plain_returns(folder, figures.currency)
        ours = [each for _, each in analysis.book(figures.currency).returns]
        assert len(ours) == len(plain) == figures.days
        assert all(map(close, ours, plain))
        series, periods = np.array(plain), 365
        assert figures.periods_a_year == periods
        assert close(figures.cagr, empyrical.annual_return(series, annualization=periods))
        if len(plain) < 2:
            assert (figures.sharpe, figures.sortino, figures.volatility) == (None, None, None)
            continue
        assert close(figures.volatility, empyrical.annual_volatility(series, annualization=periods))
        assert close(figures.sharpe, empyrical.sharpe_ratio(series, annualization=periods))
        assert close(figures.sortino, empyrical.sortino_ratio(series, annualization=periods))
        assert close(figures.calmar, empyrical.calmar_ratio(series, annualization=periods))


def test_the_curve_has_its_extremes_and_months_add_up(read: tuple[Path, Analysis]) -> None:
    _, analysis = read
    for book in analysis.books:
        assert max(book.equity.drawdown, default=Decimal(0)) <= book.statistics.max_drawdown
        assert sum((each.net for each in book.monthly), Decimal(0)) == book.statistics.net
        assert sum((each.net for each in book.yearly), Decimal(0)) == book.statistics.net
        assert sum(each.trips for each in book.by_hour) == book.statistics.trips.trips
        assert sum((each.net for each in book.by_weekday), Decimal(0)) == book.statistics.trips.net
        assert list(book.equity.time_ns) == sorted(book.equity.time_ns)


def test_every_symbol_has_prices_that_hold_the_fills(read: tuple[Path, Analysis]) -> None:
    _, analysis = read
    for symbol in analysis.facts.symbols:
        bars = analysis.prices(symbol, 500)
        assert bars.problem == ""
        assert 1 < len(bars.time_ns) <= 500
        assert all(low <= high for low, high in zip(bars.low, bars.high, strict=True))
        assert max(bars.high) >= max(bars.close)
