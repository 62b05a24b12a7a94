"""trips.csv and equity.csv: what is in them, and that they are the same however they come about."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from analysis_helpers import run_bars
from journal_helpers import KINDS, BarByBar, Ending, bars, content_of, margin, run, spot, stopped
from session_helpers import table

from logos import session
from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch
from logos.core.strategy import market
from logos.core.types import Side
from logos.session.artifacts.derived import files as derived
from logos.session.artifacts.derived.files import DERIVED
from logos.session.artifacts.derived.reading import number, plain_text, table_rows, time_ns
from logos.session.entry import SessionDiffersError
from logos.testing.builders import Scripted

BUY, SELL = Side.BUY, Side.SELL


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


# ---- round trips ----

UP = [f"{100 + i} {103 + i} {98 + i} {101 + i}" for i in range(12)]


@pytest.mark.long
def test_fills_of_one_order_are_one_trip_and_an_exit_of_two_entries_two(tmp_path: Path) -> None:
    result = run_bars(
        tmp_path,
        {"ACME": UP},
        {1: market(BUY, 150, tag="in"), 4: market(BUY, 20, tag="=more"), 6: market(SELL, 170)},
        paper={"fill": "next_open", "participation": "0.1"},
        account={"balances": {"USD": "100000"}},
    )
    fills = table(result.folder, "trades")
    assert [row["quantity"] for row in fills] == ["100", "50", "20", "100", "70"]
    trips = table(result.folder, "trips")
    assert [(row["quantity"], row["side"], row["entry_tag"]) for row in trips] == [
        ("150", "LONG", "in"), ("20", "LONG", "'=more"),
    ]  # fmt: skip
    # 100 at 101 and 50 at 102, out 100 at 106 and 50 at 107
    assert trips[0]["entry_price"] == "101.33333333"
    assert trips[0]["exit_price"] == "106.33333333"
    assert trips[0]["gross"] == "750.00"
    assert trips[0]["entry_time"] == fills[0]["time"]
    assert trips[0]["exit_time"] == fills[4]["time"]


@pytest.mark.long
def test_two_exits_of_one_entry_are_two_trips_and_a_flip_ends_one_and_begins_one(
    tmp_path: Path,
) -> None:
    result = run_bars(
        tmp_path,
        {"ACME": UP},
        {1: market(BUY, 10), 3: market(SELL, 4), 5: market(SELL, 10), 7: market(BUY, 4)},
        terms={"ACME": {"settlement": "margin", "leverage": 10}},
    )
    trips = table(result.folder, "trips")
    shown = [(row["side"], row["quantity"], row["gross"], row["net"]) for row in trips]
    assert shown == [
        ("LONG", "4", "8.00", "8.00"), ("LONG", "6", "24.00", "24.00"),
        ("SHORT", "4", "-8.00", "-8.00"),
    ]  # fmt: skip
    assert [(row["entry_order_id"], row["exit_order_id"]) for row in trips] == [
        ("1", "2"), ("1", "3"), ("3", "4"),
    ]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("make", [spot, margin])
def test_trips_have_the_profit_and_the_fees_of_the_books(
    make: Callable[[Path], session.SessionResult], tmp_path: Path
) -> None:
    folder = make(tmp_path).folder
    trips, fills = table(folder, "trips"), table(folder, "trades")
    assert total(trips, "gross") == total(fills, "realised")
    closed = [part.split(":") for row in fills for part in row["lots_closed"].split(";") if part]
    assert total(trips, "fees") == sum((Decimal(part[3]) for part in closed), Decimal(0))
    for row in trips:
        assert Decimal(row["net"]) == Decimal(row["gross"]) - Decimal(row["fees"])


@pytest.mark.long
def test_excursions_are_those_between_entry_and_exit(tmp_path: Path) -> None:
    prices = [
        "100 150 50 100",
        "100 104 97 101",
        "101 110 95 102",
        "102 200 1 103",
        "103 103 103 103",
    ]
    long = run_bars(tmp_path / "a", {"ACME": prices}, {1: market(BUY, 10), 3: market(SELL, 10)})
    # In at the open of the second bar, out at the open of the fourth: its range came after.
    row = table(long.folder, "trips")[0]
    assert (row["gross"], row["mae"], row["mfe"]) == ("20.00", "50.00", "100.00")
    terms = {"ACME": {"settlement": "margin", "leverage": 10}}
    short = run_bars(
        tmp_path / "b", {"ACME": prices}, {1: market(SELL, 10), 3: market(BUY, 10)}, terms=terms
    )
    row = table(short.folder, "trips")[0]
    assert (row["gross"], row["mae"], row["mfe"]) == ("-20.00", "100.00", "50.00")
    close = run_bars(
        tmp_path / "c", {"ACME": prices}, {1: market(BUY, 10), 3: market(SELL, 10)},
        paper={"fill": "decision_close"},
    )  # fmt: skip
    row = table(close.folder, "trips")[0]
    assert (row["entry_price"], row["exit_price"]) == ("100.00", "102.00")
    assert (row["mae"], row["mfe"]) == ("50.00", "100.00")  # the second and the third bar


@pytest.mark.long
def test_of_a_session_with_more_events_than_are_read_again_the_cells_are_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logos.session.seal.EXCURSION_EVENTS_MAX", 5)
    result = run_bars(tmp_path, {"ACME": UP}, {1: market(BUY, 1), 3: market(SELL, 1)})
    assert [(row["mae"], row["mfe"]) for row in table(result.folder, "trips")] == [("", "")]


@pytest.mark.long
def test_over_a_split_there_are_no_excursions(tmp_path: Path) -> None:
    prices = [*UP[:4], *[f"{50 + i} {52 + i} {49 + i} {50 + i}" for i in range(4)]]
    result = run_bars(
        tmp_path, {"ACME": prices}, {1: market(BUY, 10), 6: market(SELL, 20)},
        terms={"ACME": {"splits": ["2026-01-05T10:03:30Z 2:1"]}},
    )  # fmt: skip
    trips = table(result.folder, "trips")
    assert [(row["quantity"], row["entry_price"], row["mae"]) for row in trips] == [
        ("20", "50.50", "")
    ]
    assert total(trips, "gross") == total(table(result.folder, "trades"), "realised")


# ---- equity ----


@pytest.mark.long
def test_equity_has_every_sample_and_the_extremes_between_them(tmp_path: Path) -> None:
    prices = [
        "100 100 100 100",
        "100 100 100 100",
        "100 130 100 130",
        "130 130 80 80",
        "80 90 80 90",
    ]
    result = run_bars(
        tmp_path, {"ACME": prices}, {1: market(BUY, 10)},
        session={"id": "small", "sample_interval_s": 0},
    )  # fmt: skip
    account, rows = table(result.folder, "account"), table(result.folder, "equity")
    assert [(row["point"], row["equity"], row["drawdown"]) for row in rows] == [
        ("sample", "10000.00", "0.00"),
        ("high", "10300.00", "0.00"),
        ("low", "", "500.00"),
        ("sample", "9900.00", "400.00"),
    ]
    assert rows[-1]["high_water"] == account[-1]["high_water"] == "10300.00"
    assert max(Decimal(row["drawdown"]) for row in rows) == Decimal(account[-1]["max_drawdown"])


def test_a_fall_below_a_high_that_stays_has_its_equity(tmp_path: Path) -> None:
    prices = ["100 100 100 100"] * 2 + ["100 100 60 60", "60 90 60 90"]
    result = run_bars(
        tmp_path, {"ACME": prices}, {1: market(BUY, 10)},
        session={"id": "small", "sample_interval_s": 0},
    )  # fmt: skip
    rows = table(result.folder, "equity")
    assert [(row["point"], row["equity"]) for row in rows] == [
        ("sample", "10000.00"), ("low", "9600.00"), ("sample", "9900.00"),
    ]  # fmt: skip


@pytest.mark.long
def test_a_total_adds_up_the_samples_and_ends_with_its_extremes(tmp_path: Path) -> None:
    result = run_bars(
        tmp_path,
        {"ACME": UP, "COIN": UP},
        {1: market(BUY, 10, symbol="ACME"), 3: market(BUY, 2, symbol="COIN")},
        terms={"COIN": {"quote": "EUR"}},
        account={
            "balances": {"USD": "10000", "EUR": "5000"}, "report_in": "USD",
            "rates": {"EUR": "1.1"},
        },
    )  # fmt: skip
    rows = [row for row in table(result.folder, "equity") if row["book"] == "total"]
    account = table(result.folder, "account")
    usd, eur = ([row for row in account if row["currency"] == name] for name in ("USD", "EUR"))
    sums = [
        Decimal(a["equity"]) + Decimal(b["equity"]) * Decimal("1.1")
        for a, b in zip(usd, eur, strict=True)
    ]
    assert [Decimal(row["equity"]) for row in rows if row["point"] == "sample"] == sums
    total_ = result.summary["total"]
    assert [row["point"] for row in rows[-2:]] == ["high", "low"]
    assert Decimal(rows[-2]["high_water"]) == Decimal(total_["high_water"])
    assert Decimal(rows[-1]["drawdown"]) == Decimal(total_["max_drawdown"])


# ---- the same bytes ----


@pytest.mark.long
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_kind_of_session_has_both_and_they_are_verified(
    make: Callable[[Path], session.SessionResult], tmp_path: Path
) -> None:
    folder = make(tmp_path).folder
    assert all((folder / name).is_file() for name in DERIVED)
    assert [each for each in verify(folder).not_judged if "not there" in each] == []
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in DERIVED)
    assert not list(folder.glob(".*"))


def _bars(home: Path) -> session.SessionResult:
    return run_bars(home, {"ACME": UP}, {1: market(BUY, 9), 4: market(SELL, 5), 8: market(SELL, 4)})


@pytest.mark.long
def test_a_replay_makes_the_same_bytes_and_finds_a_change(tmp_path: Path) -> None:
    folder = _bars(tmp_path).folder
    answers = {1: market(BUY, 9), 4: market(SELL, 5), 8: market(SELL, 4)}
    before = content_of(folder)
    session.replay("small", strategy=Scripted(answers), home=tmp_path)
    assert content_of(folder) == before
    for name in DERIVED:
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("1", "2", 1), encoding="utf-8")
        with pytest.raises(SessionDiffersError, match=name):
            session.replay("small", strategy=Scripted(answers), home=tmp_path)
        assert [each.file for each in verify(folder).findings] == [name]
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("name", DERIVED)
def test_a_session_of_an_older_version_verifies_and_replays_without_them(
    name: str, tmp_path: Path
) -> None:
    folder = _bars(tmp_path).folder
    (folder / name).unlink()
    assert verify(folder).findings == []
    assert any(name in each for each in verify(folder).not_judged)
    answers = {1: market(BUY, 9), 4: market(SELL, 5), 8: market(SELL, 4)}
    session.replay("small", strategy=Scripted(answers), home=tmp_path)


@pytest.mark.parametrize("cell", ["mae", "mfe"])
def test_an_excursion_that_the_trip_itself_passed_is_found(cell: str, tmp_path: Path) -> None:
    result = run_bars(
        tmp_path, {"ACME": UP}, {1: market(BUY, 9), 4: market(SELL, 9)},
        terms={"ACME": {"settlement": "margin", "leverage": 5}},
    )  # fmt: skip
    path = result.folder / "trips.csv"
    rows = table(result.folder, "trips")
    path.write_text(path.read_text().replace(f",{rows[0][cell]},", ",-1.00,"), encoding="utf-8")
    assert [each.file for each in verify(result.folder).findings] == ["trips.csv"]


def test_a_stopped_session_has_them_and_a_resumed_one_makes_them_anew(tmp_path: Path) -> None:
    folder = stopped(tmp_path / "stopped").folder
    before = {name: (folder / name).read_bytes() for name in DERIVED}
    goes_on = Ending(0, lambda: None)
    session.resume(
        "small",
        strategy=goes_on,
        feed=BarByBar(bars(9)),
        switch=InProcessSwitch(),
        home=tmp_path / "stopped",
    )
    whole = run(tmp_path / "whole", Ending(0, lambda: None)).folder
    for name in DERIVED:
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    assert (folder / "equity.csv").read_bytes() != before["equity.csv"]


@pytest.mark.long
def test_what_goes_wrong_is_told_and_the_session_ends_as_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(derived, "trips_of", fail)
    result = _bars(tmp_path)
    assert result.exit_code == 0
    assert (result.folder / "host.json").is_file()
    assert not (result.folder / "trips.csv").exists()
    assert (result.folder / "equity.csv").is_file()
    assert "trips.csv was not made: RuntimeError: no such luck" in capfd.readouterr().err
    assert verify(result.folder).findings == []


# ---- reading tables that still grow ----


def test_a_row_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for text, rows in (
        ("", []), ("a,b", []), ("a,b\n", []), ("a,b\n1,2", []), ("a,b\n1,2\n", [("1", "2")]),
        ("a,b\n1,2\n3", [("1", "2")]), ('a,b\n1,"x\ny"\n', [("1", "x\ny")]),
        ('a,b\n1,2\n3,"x\ny', [("1", "2")]),
    ):  # fmt: skip
        path.write_text(text, encoding="utf-8")
        assert [tuple(row.values()) for row in table_rows(path)] == rows
    assert list(table_rows(tmp_path / "none.csv")) == []
    path.write_text("a,b\n1,2,3\n", encoding="utf-8")
    with pytest.raises(ValueError, match="3 cells where there are 2 columns"):
        list(table_rows(path))


def test_cells_are_read_as_they_were_written() -> None:
    assert time_ns("1970-01-02T00:00:00.000000001Z") == 86_400_000_000_001
    assert number("") == 0
    assert plain_text("'=x") == "=x"
    assert plain_text("'x") == "'x"
    for bad in ("1970-01-02", "1970-01-02T00:00:00.00000000xZ"):
        with pytest.raises(ValueError, match=r"not a time|invalid literal"):
            time_ns(bad)
    with pytest.raises(ValueError, match="not a figure"):
        number("many")
