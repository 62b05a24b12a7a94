"""What a session came to, read from the ends of its tables: exact, bounded, and never an error."""

from __future__ import annotations

from decimal import Decimal
from io import FileIO
from pathlib import Path

import pytest
from stored_helpers import crashed, ended

from logos.core.strategy import market
from logos.core.types import Side
from logos.session.stored import results as results_module
from logos.session.stored.results import Came, results_of

ROUND_TRIP = {1: market(Side.BUY, 10), 3: market(Side.SELL, 10)}
HEAD = (
    "time,currency,balance,locked,initial,realised,fees,unrealised,equity,high_water,max_drawdown"
)


def written(folder: Path, *rows: str, settings: str = "{}", trips: str | None = None) -> Path:
    """The folder with a table of these rows (currency, initial, equity), and settings."""
    lines = [HEAD]
    for row in rows:
        currency, initial, equity = row.split()
        lines.append(f"2026-01-05T14:00:00.000000000Z,{currency},0,0,{initial},0,0,0,{equity},0,0")
    (folder / "account.csv").write_text("\n".join(lines) + "\n")
    (folder / "config.json").write_text(settings)
    if trips is not None:
        (folder / "trips.csv").write_text(trips)
    return folder


def test_the_net_is_that_of_the_books_to_the_last_unit(logos_home: Path) -> None:
    result = ended("one", ROUND_TRIP)
    ledger = result.summary["currencies"]["USD"]
    (came,) = results_of(result.folder).currencies
    assert came.net == Decimal(ledger["equity"]) - Decimal(ledger["initial"])
    assert came.ratio == pytest.approx(float(came.net) / float(ledger["initial"]), rel=1e-15)
    assert results_of(result.folder).first == came


@pytest.mark.long
def test_round_trips_are_counted_once_the_session_has_ended(logos_home: Path) -> None:
    assert results_of(ended("two", ROUND_TRIP).folder).trips == 1
    assert results_of(ended("none", {}).folder).trips == 0


@pytest.mark.long
def test_a_session_that_crashed_shows_what_reached_the_disk(logos_home: Path) -> None:
    assert len(results_of(crashed("cut").folder).currencies) == 1


def test_the_last_sample_counts_and_a_torn_row_does_not(tmp_path: Path) -> None:
    folder = written(tmp_path, "USD 100 90", "USD 100 120")
    with open(folder / "account.csv", "a") as file:
        file.write("2026-01-05T15:00:00.000000000Z,USD,0,0,100,0,0,0,9")
    assert results_of(folder).currencies == (Came("USD", Decimal(20), Decimal(100)),)


def test_currencies_are_added_up_only_at_the_rates_of_the_settings(tmp_path: Path) -> None:
    rows = ("USD 100 110.10", "EUR 200 190")
    of = results_of(written(tmp_path, *rows))
    assert [each.currency for each in of.currencies] == ["EUR", "USD"]
    assert (of.total, of.first) == (None, None)
    settings = '{"account": {"report_in": "USD", "rates": {"EUR": "1.1"}}}'
    of = results_of(written(tmp_path, *rows, settings=settings))
    assert of.total == of.first == Came("USD", Decimal("-0.90"), Decimal("320.0"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("account.csv", ""),
        ("account.csv", "\x00\xff,,\n"),
        ("account.csv", f"{HEAD}\nnot,a,row\n"),
        ("account.csv", f"{HEAD}\n{'x,' * 10}x\n"),
        ("config.json", "["),
        ("config.json", '{"account": [1]}'),
        ("config.json", '{"account": {"report_in": "USD", "rates": {"EUR": "NaN"}}}'),
        ("trips.csv", "trip,symbol\nmany,ACME\n"),
    ],
)
def test_what_no_session_writes_is_no_result_and_no_error(
    name: str, content: str, tmp_path: Path
) -> None:
    folder = written(tmp_path, "USD 100 110", "EUR 200 190")
    (folder / name).write_text(content, encoding="latin-1")
    of = results_of(folder)
    assert of.total is None
    assert of.trips is None


def test_no_folder_no_result(tmp_path: Path) -> None:
    assert results_of(tmp_path / "gone").currencies == ()


def test_a_long_table_is_read_at_its_end_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"USD 100 {number}" for number in range(5_000)]
    folder = written(
        tmp_path,
        *rows,
        trips="trip,symbol\n" + "".join(f"{number},ACME\n" for number in range(1, 30_001)),
    )
    read: list[int] = []

    class Counting(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            read.append(-1 if size is None else size)
            return super().read(size)

    monkeypatch.setattr(results_module, "open", lambda path, _: Counting(path), raising=False)
    of = results_of(folder)
    assert (of.currencies[0].net, of.trips) == (Decimal(4_899), 30_000)
    assert 0 < sum(read) < 150_000
    assert min(read) > 0


@pytest.mark.parametrize(
    ("net", "words"),
    [
        ("847.11000", "+847.11 USD"),
        ("-1234567.895", "-1,234,567.90 USD"),
        ("0", "+0.00 USD"),
        ("0.00012", "+0.00012 USD"),
    ],
)
def test_a_net_in_words(net: str, words: str) -> None:
    assert Came("USD", Decimal(net), Decimal(1)).words() == words
