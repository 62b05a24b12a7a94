"""Analyses of small sessions: edges, several currencies, inverse contracts, dead ones."""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from analysis_helpers import run_bars
from journal_helpers import halted, stopped

from logos.analysis import analyse
from logos.analysis.curve import Curve, Falls, Seen
from logos.analysis.model import POINTS_MAX
from logos.core.strategy import Answer, market
from logos.core.types import Side
from logos.errors import ConfigError, LogosError

BUY, SELL = Side.BUY, Side.SELL
UP = [f"{100 + i} {103 + i} {98 + i} {101 + i}" for i in range(12)]


def test_without_a_trade_what_needs_one_is_not_defined(tmp_path: Path) -> None:
    analysis = analyse(run_bars(tmp_path, {"ACME": UP}).folder)
    figures = analysis.statistics
    assert (figures.net_ratio, figures.trips.trips) == (0.0, 0)
    assert figures.net == 0
    assert figures.max_drawdown == 0
    assert figures.drawdown_peak_ns is None
    assert figures.exposure_ns == 0
    assert (figures.sharpe, figures.sortino, figures.calmar) == (None, None, None)
    assert figures.trips.win_rate is figures.trips.profit_factor is figures.trips.sqn is None
    assert (len(analysis.trips), len(analysis.open_trips)) == (0, 0)
    assert figures.buy_and_hold_ratio == pytest.approx(0.12)  # from 100 to 112
    assert figures.against_hold_ratio == pytest.approx(-0.12)


def test_of_one_bar_there_is_an_analysis(tmp_path: Path) -> None:
    analysis = analyse(run_bars(tmp_path, {"ACME": UP[:1]}, {1: market(BUY, 1)}).folder)
    assert analysis.statistics.duration_ns == 0
    assert analysis.statistics.exposure is None
    assert (analysis.facts.orders, analysis.facts.fills) == (1, 0)
    assert analysis.prices("ACME").close == (101.0,)


def test_of_one_trip_what_needs_two_is_not_defined(tmp_path: Path) -> None:
    folder = run_bars(tmp_path, {"ACME": UP}, {1: market(BUY, 10, tag="in"), 5: market(SELL, 10)})
    analysis = analyse(folder.folder)
    side = analysis.statistics.trips
    assert (side.trips, side.wins, side.win_rate) == (1, 1, 1.0)
    assert (side.profit_factor, side.payoff, side.sqn) == (None, None, None)
    assert side.expectancy == side.best == side.worst == Decimal("40.00")
    [trip] = analysis.trips
    assert (trip.entry_tag, trip.duration_ns) == ("in", 4 * 60 * 10**9)
    assert trip.ratio == pytest.approx(40 / 1010)
    assert analysis.statistics.exposure_ns == trip.duration_ns


def test_only_losses(tmp_path: Path) -> None:
    down = [f"{200 - i} {200 - i} {198 - i} {199 - i}" for i in range(20)]
    answers = {i: market(BUY if i % 2 else SELL, 1) for i in range(1, 11)}
    figures = analyse(run_bars(tmp_path, {"ACME": down}, answers).folder).statistics
    assert (figures.trips.trips, figures.trips.losses, figures.trips.loss_streak) == (5, 5, 5)
    assert (figures.trips.win_rate, figures.trips.profit_factor) == (0.0, 0.0)
    assert (figures.trips.average_win, figures.trips.average_loss) == (None, Decimal("1.00"))
    assert figures.trips.sqn is None  # all the same
    assert figures.drawdown_recovered_ns is None


def test_what_is_open_is_no_trip_and_counts_in_the_net(tmp_path: Path) -> None:
    result = run_bars(tmp_path, {"ACME": UP}, {1: market(BUY, 10, tag="a"), 3: market(SELL, 4)})
    analysis = analyse(result.folder)
    [held] = analysis.open_trips
    assert (held.side, held.quantity, held.entry_tag) == ("LONG", Decimal(6), "a")
    figures = (held.entry_price, held.mark, held.unrealised)
    assert figures == (Decimal(101), Decimal(112), Decimal(66))
    assert analysis.statistics.net == analysis.statistics.trips.net + held.unrealised


@pytest.mark.long
def test_currencies_are_apart_and_added_up_only_at_the_rates_of_the_settings(
    tmp_path: Path,
) -> None:
    answers: dict[int, Answer] = {
        1: market(BUY, 10, symbol="ACME"),
        4: market(BUY, 10, symbol="COIN"),
        9: [market(SELL, 10, symbol="ACME"), market(SELL, 10, symbol="COIN")],
    }
    account = {"balances": {"USD": "10000", "EUR": "5000"}}
    terms = {"COIN": {"quote": "EUR"}}
    prices = {"ACME": UP, "COIN": UP}
    apart = run_bars(tmp_path / "a", prices, answers, terms=terms, account=account)
    analysis = analyse(apart.folder)
    assert [each.name for each in analysis.books] == ["USD", "EUR"]
    together = run_bars(
        tmp_path / "b", prices, answers, terms=terms,
        account={**account, "report_in": "USD", "rates": {"EUR": "1.1"}},
    )  # fmt: skip
    analysis = analyse(together.folder)
    assert [each.name for each in analysis.books] == ["total", "USD", "EUR"]
    usd, eur = (analysis.book(name).statistics for name in ("USD", "EUR"))
    figures = analysis.statistics
    assert figures.is_total
    assert figures.net == usd.net + eur.net * Decimal("1.1")
    assert figures.trips.net == usd.trips.net + eur.trips.net * Decimal("1.1")
    assert figures.traded == usd.traded + eur.traded * Decimal("1.1")
    total = together.summary["total"]
    assert figures.final == Decimal(total["equity"])
    assert figures.max_drawdown == Decimal(total["max_drawdown"])
    hold = (10000 * 0.12 + 5500 * 0.12) / 15500
    assert figures.buy_and_hold_ratio == pytest.approx(hold)


def test_an_inverse_contract_is_counted_in_its_coin(tmp_path: Path) -> None:
    terms = {"PERP": {"quote": "BTC", "settlement": "inverse", "multiplier": "100", "tick": "0.5"}}
    prices = ["100 100 100 100", "100 125 80 100", "100 100 100 100", *["200 200 200 200"] * 2]
    result = run_bars(
        tmp_path, {"PERP": prices}, {1: market(BUY, 10), 3: market(SELL, 10)}, terms=terms,
        account={"balances": {"BTC": "100"}},
    )  # fmt: skip
    analysis = analyse(result.folder)
    [trip] = analysis.trips
    # 10 contracts of 100 are 10 coins at 100 and 5 at 200.
    assert (trip.gross, trip.currency, trip.ratio) == (Decimal(5), "BTC", 0.5)
    assert (trip.mae, trip.mfe) == (Decimal("2.5"), Decimal(5))  # at 80 they are 12.5
    assert analysis.statistics.buy_and_hold_ratio == pytest.approx(0.5)
    assert analysis.statistics.traded == 15


@pytest.mark.parametrize("make", [stopped, halted], ids=["stopped", "halted"])
def test_a_session_that_did_not_end_by_itself_is_read(make: object, tmp_path: Path) -> None:
    analysis = analyse(make(tmp_path).folder)  # type: ignore[operator]
    assert analysis.facts.outcome == {"stopped": "STOPPED", "halted": "HALTED"}[make.__name__]  # type: ignore[attr-defined]
    assert analysis.facts.is_finished


def test_a_session_that_died_is_read_from_what_is_there(tmp_path: Path) -> None:
    answers = {1: market(BUY, 10), 5: market(SELL, 10)}
    folder = run_bars(tmp_path, {"ACME": UP}, answers).folder
    whole = analyse(folder)
    for name in ("trips.csv", "equity.csv", "session.md", "state.json", "host.json"):
        (folder / name).unlink()
    for name in ("account.csv", "trades.csv", "state.jsonl"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-7])
    analysis = analyse(folder)
    assert analysis.facts.outcome == "CRASHED"
    assert not analysis.facts.is_finished
    assert analysis.trips == ()  # the last row of trades.csv is torn
    [held] = analysis.open_trips or [None]
    assert held is None  # positions.csv is whole: flat
    assert whole.statistics.trips.trips == 1


def test_excursions_that_were_not_written_are_read_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logos.session.seal.EXCURSION_EVENTS_MAX", 5)
    answers = {1: market(BUY, 10), 5: market(SELL, 10)}
    folder = run_bars(tmp_path, {"ACME": UP}, answers).folder
    assert [trip.mae for trip in analyse(folder).trips] == [None]
    [trip] = analyse(folder, with_excursions=True).trips
    assert (trip.mae, trip.mfe) == (Decimal("20.00"), Decimal("60.00"))  # 99 and 107


def test_data_that_changed_is_not_shown_as_what_the_session_saw(tmp_path: Path) -> None:
    folder = run_bars(tmp_path, {"ACME": UP}).folder
    data = tmp_path / "data" / "ACME_1m_bars.csv"
    data.write_text(data.read_text().replace("103", "104"), encoding="utf-8")
    bars = analyse(folder).prices("ACME")
    assert bars.close == ()
    assert "is not what the session ran on" in bars.problem
    data.unlink()
    assert "ACME" in analyse(folder).prices("ACME").problem


def test_prices_are_put_together_into_fewer_bars(tmp_path: Path) -> None:
    folder = run_bars(tmp_path, {"ACME": UP}).folder
    analysis = analyse(folder)
    whole, fewer = analysis.prices("ACME"), analysis.prices("ACME", 5)
    assert (whole.interval_ns, len(whole.close)) == (60 * 10**9, 12)
    assert len(fewer.close) <= 5
    assert (fewer.open[0], fewer.close[-1]) == (100.0, 112.0)
    assert (max(fewer.high), min(fewer.low)) == (114.0, 98.0)


def test_refusals_and_events_are_those_of_the_journal(tmp_path: Path) -> None:
    result = run_bars(
        tmp_path, {"ACME": UP}, {2: market(BUY, 10), 3: market(BUY, 10)},
        risk={"max_order_notional": "500"},
    )  # fmt: skip
    analysis = analyse(result.folder)
    assert analysis.refusals == {"MAX_ORDER_NOTIONAL": 2} == result.summary["refusals"]
    refused = [each for each in analysis.events if each.kind == "refusal"]
    assert [(each.code, each.symbol) for each in refused] == [("MAX_ORDER_NOTIONAL", "ACME")] * 2
    assert "above the limit" in refused[0].detail


def test_a_folder_without_a_session_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no session ran there"):
        analyse(tmp_path)
    (tmp_path / "state.jsonl").write_bytes(b'{"seq":1,"cr')
    with pytest.raises(ConfigError, match="has not begun"):
        analyse(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("orders.csv", "filled", "full"),
        ("trades.csv", "lots_closed", "lots"),
        ("trades.csv", ",ACME,", ",OTHER,"),
        ("trades.csv", "101.00", "many"),
        ("positions.csv", "mark", "marked"),
        ("account.csv", ",USD,", ",EUR,"),
        ("account.csv", "equity", "even"),
        ("trips.csv", "mae", "mean"),
        ("equity.csv", "book", "bock"),
    ],
)
def test_a_damaged_table_is_an_error_that_names_it(
    name: str, old: str, new: str, tmp_path: Path
) -> None:
    folder = run_bars(tmp_path, {"ACME": UP}, {1: market(BUY, 1), 3: market(SELL, 1)}).folder
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    with pytest.raises(LogosError, match=f"{name} is damaged: ") as caught:
        analyse(folder)
    assert not isinstance(caught.value, ConfigError)


def test_an_analysis_writes_nothing(tmp_path: Path) -> None:
    folder = run_bars(tmp_path, {"ACME": UP}, {1: market(BUY, 1), 3: market(SELL, 1)}).folder
    copy = shutil.copytree(folder, tmp_path / "copy")
    analyse(folder, with_excursions=True).prices("ACME")
    for path in folder.iterdir():
        assert path.read_bytes() == (copy / path.name).read_bytes()
    assert {path.name for path in folder.iterdir()} == {path.name for path in copy.iterdir()}


# ---- conventions ----


def test_markets_with_hours_have_252_days_and_a_weekend_belongs_to_monday(tmp_path: Path) -> None:
    prices = [f"{100 + i} {100 + i} {100 + i} {100 + i}" for i in range(14)]
    hours = {"ACME": {"hours": ["mon-fri 00:00-24:00"]}}
    shut = analyse(
        run_bars(tmp_path / "a", {"ACME": prices}, terms=hours, step=timedelta(days=1)).folder
    )
    assert shut.statistics.periods_a_year == 252
    days = [day for day, _ in shut.books[0].returns]
    assert days == [f"2026-01-{day:02}" for day in (7, 8, 9, 12, 13, 14, 15, 16, 19)]
    always = analyse(run_bars(tmp_path / "b", {"ACME": prices}, step=timedelta(days=1)).folder)
    assert always.statistics.periods_a_year == 365
    assert len(always.books[0].returns) == 13


def test_falls_know_their_dates_and_lengths() -> None:
    falls = Falls()
    levels = [100, 110, 104, 99, 105, 110, 120, 119, 121, 90]
    high = Decimal(0)
    for place, level in enumerate(levels):
        high = max(high, Decimal(level))
        falls.add(place * 10, high, high - level)
    assert (falls.deepest, falls.peak_ns, falls.trough_ns) == (Decimal(31), 80, 90)
    assert (falls.recovered_ns, falls.length_ns, falls.longest_ns) == (None, 10, 40)
    assert falls.average_ratio == pytest.approx((11 / 110 + 1 / 120 + 31 / 121) / 3)
    falls.add(100, Decimal(121), Decimal(0))
    assert (falls.recovered_ns, falls.length_ns) == (100, 20)


def test_a_long_curve_keeps_its_highest_its_lowest_and_its_deepest() -> None:
    curve = Curve()
    high = Decimal(0)
    levels = [1000 + (i * 7919) % 501 - (i == 77_777) * 900 for i in range(100_000)]
    for place, level in enumerate(levels):
        high = max(high, Decimal(level))
        curve.add(Seen(place, Decimal(level), high, high - level))
    equity = curve.equity()
    assert len(equity.time_ns) <= POINTS_MAX
    assert min(equity.equity) == min(levels)
    assert max(equity.equity) == max(levels)
    assert 77_777 in equity.time_ns
    assert (equity.time_ns[0], equity.time_ns[-1]) == (0, 99_999)
    assert list(equity.time_ns) == sorted(set(equity.time_ns))
