"""What is rounded and what is left out: nothing but the noise of floats, and nothing in silence."""

from __future__ import annotations

import argparse
import struct
from decimal import Decimal
from pathlib import Path

import pytest
from feed_helpers import (
    BAR_HEADER,
    QUOTE_HEADER,
    READERS,
    bar_row,
    needs_arrow,
    traded,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from logos.audit.verify import verify
from logos.cli.data import command
from logos.config import ConfigError, make_config
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar
from logos.core.strategy import Answer, Context, Strategy
from logos.data.check import check, inspect_source
from logos.data.convert import repair
from logos.data.digits import TickRounding, shown
from logos.data.source import discover
from logos.errors import DataError
from logos.library.instruments import instrument_settings, instrument_table
from logos.session.build import make_instruments
from logos.session.entry import drive
from logos.session.open import open_session
from logos.session.opening.spec import SessionSpec


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("473.6499938964844", "473.65"),  # 32 bits, as yfinance stores prices
        ("187.22000122070312", "187.22"),
        ("0.30000000000000004", "0.3"),
        ("8.880099999999999", "8.8801"),
        ("1.1", "1.1"),
        ("187.2201", "187.2201"),
        ("0.00001234", "0.00001234"),
        ("1e-05", "0.00001"),
        ("123456789.12345678", "123456789.12345678"),
        ("1.123456789123456789", "1.123456789123456789"),
        ("185.40382385253906", "185.40382"),
        ("-37.63", "-37.63"),
        ("0", "0"),
    ],
)
def test_the_noise_of_floats_is_told_from_figures(text: str, number: str) -> None:
    assert shown(text) == Decimal(number)


@pytest.mark.long
@given(st.integers(1, 10**7), st.integers(0, 6))
def test_a_figure_that_went_through_a_float_is_itself_again(units: int, decimals: int) -> None:
    number = Decimal(units).scaleb(-decimals)
    assert shown(repr(float(number))) == number
    # 32 bits hold six digits for certain.
    if len(str(units).rstrip("0")) <= 6:
        single = struct.unpack("f", struct.pack("f", float(number)))[0]
        assert shown(repr(single)) == number


@given(st.decimals("0.00000001", "1000000", places=8))
def test_what_is_written_with_few_digits_is_never_changed(number: Decimal) -> None:
    assert shown(str(number)) == number


def test_a_tick_takes_noise_away_and_no_more() -> None:
    rounding = TickRounding("0.01")
    assert rounding("473.6499938964844") == "473.65"
    assert rounding("1.0999999999999999") == "1.10"
    assert rounding.problem() == ""
    assert rounding("187.2201", "row 3") == "187.22"
    assert rounding("187.33505") == "187.34"
    assert rounding.problem().startswith(
        "--tick 0.01 would change 2 prices by more than the noise of floats (first: row 3:"
        " 187.2201); the digits of all prices show 0.00001: say --tick 0.00001"
    )


def test_a_tick_that_is_no_power_of_ten_is_kept_and_a_finer_one_proposed() -> None:
    rounding = TickRounding("0.25")
    assert [rounding("4500.25"), rounding("4500.5")] == ["4500.25", "4500.50"]
    rounding("4500.3")
    assert "say --tick 0.01" in rounding.problem()


@pytest.mark.parametrize("tick", ["0", "-1", "x", "nan", ""])
def test_what_is_no_tick_is_refused(tick: str) -> None:
    with pytest.raises(DataError, match="the tick must be a positive number"):
        TickRounding(tick)


# ---- prices off the tick ----

FINER = [
    bar_row(0, "187.15,187.30,187.10,187.2201"),
    bar_row(1, "187.22,187.30,187.10,187.25"),
    bar_row(2, "187.25,187.33505,187.10,187.25"),
    bar_row(3, "187.25,187.33,187.10,187.25"),
]


@pytest.mark.parametrize("fast", READERS)
def test_the_finest_price_of_the_whole_file_is_named_as_the_tick(
    tmp_path: Path, fast: bool
) -> None:
    write(tmp_path / "AAPL_1m_x.csv", BAR_HEADER, [*FINER, *(bar_row(i) for i in range(4, 40))])
    (source,) = discover(tmp_path)
    with pytest.raises(DataError) as raised:
        check(source, traded("AAPL"), fast=fast)
    said = str(raised.value)
    assert 'shows a tick of 0.00001, with which nothing is left out: tick = "0.00001"' in said
    assert said.index("tick = ") < said.index("--accept")
    assert 'keep that and add data_tick = "0.00001"' in said
    finer = instrument("AAPL", tick="0.00001", lot="1", quote="USD")
    assert check(source, finer, fast=fast).is_clean


def test_a_finer_price_behind_another_of_its_row_counts_too(tmp_path: Path) -> None:
    row = bar_row(0, "187.151,187.30,187.10,187.22011")
    write(tmp_path / "AAPL_1m.csv", BAR_HEADER, [row, bar_row(1), bar_row(2)])
    (source,) = discover(tmp_path)
    assert "a tick of 0.00001" in inspect_source(source, traded("AAPL")).hints["off_tick"]


def test_noise_of_floats_does_not_make_the_proposed_tick_finer(tmp_path: Path) -> None:
    row = "2024-01-02T00:00:00Z,187.1234,187.30000000000004,,"
    write(tmp_path / "A.csv", QUOTE_HEADER, [row])
    (source,) = discover(tmp_path)
    assert "a tick of 0.0001," in inspect_source(source, traded("A")).hints["off_tick"]


@needs_arrow
def test_parquet_names_the_finest_price_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"timestamp": [1_704_153_600 + i for i in range(3)], "price": [1.5, 1.255, 2]})
    pq.write_table(table, tmp_path / "A.parquet")
    (source,) = discover(tmp_path)
    assert "a tick of 0.001," in inspect_source(source, traded("A")).hints["off_tick"]


def test_a_data_tick_is_finer_than_the_tick_of_orders() -> None:
    both = instrument("A", tick="0.0001", lot="1", quote="USD")
    both.order_in("0.01")
    assert (both.price_decimals, both.tick, both.data_tick) == (4, 100, 1)
    with pytest.raises(ValueError, match=r"tick 0.00015 is no multiple of data_tick 0.0001"):
        both.order_in("0.00015")
    table = {"tick": "0.05", "data_tick": "0.02", "lot": "1", "quote": "USD"}
    with pytest.raises(
        ConfigError, match=r"instruments.A: .*tick 0.05 is no multiple of data_tick"
    ):
        made_of(table)
    made = made_of({**table, "data_tick": "0.01"})
    assert (made.tick, made.data_tick) == (5, 1)
    assert instrument_table(made)["data_tick"] == "0.01"


def made_of(table: dict[str, str]) -> Instrument:
    return make_instruments({"A": instrument_settings("A", table)})["A"]


class Orders(Strategy):
    """A limit at a price between two ticks, and a market order."""

    def on_bar(self, context: Context, bar: Bar) -> Answer:  # type: ignore[override]
        from logos.core.strategy import limit, market
        from logos.core.types import Side

        if context.position("AAPL") == 0 and not context.open_orders("AAPL"):
            return [market(Side.BUY, 1), limit(Side.BUY, 1, Decimal("187.119"))]
        return None


@pytest.mark.long
def test_prices_between_the_ticks_are_read_filled_and_marked_exactly(
    logos_home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    write(folder / "AAPL_1m_x.csv", BAR_HEADER, [FINER[0], FINER[1].replace("187.22", "187.2215")])
    (folder / "instruments.toml").write_text(
        '[instruments.AAPL]\ntick = "0.01"\ndata_tick = "0.0001"\nlot = "1"\nquote = "USD"\n'
    )
    config = make_config({"data": {"paths": [str(folder)]}, "session": {"seed": 1}})
    with open_session(SessionSpec(config=config, strategy=Orders())) as session:
        drive(session)
    session_folder = logos_home / "runs/live/sessions/session-0001"
    judged = verify(session_folder)
    assert (judged.damage, judged.findings) == (None, [])
    trades = (session_folder / "trades.csv").read_text().splitlines()
    orders = (session_folder / "orders.csv").read_text()
    assert "187.2215" in trades[1]  # the next open, as it is
    assert "187.11" in orders  # a limit is on the tick of orders
    assert "187.119" not in orders


# ---- what may be left out ----


def accepted(folder: Path, kinds: str, rows: list[str]) -> int:
    (source,) = discover(write(folder / "A_1m.csv", BAR_HEADER, rows))
    return check(source, traded("A"), accept=frozenset(kinds.split(","))).rows


@pytest.mark.parametrize(
    ("kinds", "bad", "good", "remain"),
    [
        ("off_tick", "10,12,9,11.001", 0, None),
        ("off_tick", "10,12,9,11.001", 4, None),
        ("not_a_number", "10,12,9,nan", 4, None),
        ("high_below_low", "10,8,9,11", 1, None),
        ("off_tick", "10,12,9,11.001", 5, 5),
        ("non_positive_price", "0,12,9,11", 6, 6),
    ],
)
def test_what_leaves_nothing_or_less_than_half_is_not_accepted(
    tmp_path: Path, kinds: str, bad: str, good: int, remain: int | None
) -> None:
    rows = [bar_row(i) for i in range(good)] + [bar_row(good + i, bad) for i in range(5)]
    if remain is not None:
        assert accepted(tmp_path, kinds, rows) == remain
        return
    with pytest.raises(
        DataError, match=rf"5 rows would be left out \({kinds} 5\) and {good} remai"
    ):
        accepted(tmp_path, kinds, rows)


def run_data(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(list(words)))


def test_the_check_does_not_accept_it_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "A_1m.csv", BAR_HEADER, [bar_row(i, "10,12,9,nan") for i in range(5)])
    assert run_data("check", str(tmp_path), "--accept", "not_a_number") == 3
    assert "cannot be accepted" in capsys.readouterr().out


def test_a_repair_does_not_guess_which_of_tick_and_price_is_wrong(tmp_path: Path) -> None:
    (source,) = discover(write(tmp_path / "A_1m.csv", BAR_HEADER, FINER))
    out = tmp_path / "out" / "A_1m.csv"
    with pytest.raises(DataError, match=r"2 rows have prices off the tick.* tick of 0.00001"):
        repair(source, traded("A"), out)
    assert not out.exists()
    report = repair(source, traded("A"), out, accept=frozenset({"off_tick"}))
    assert (report.rows, report.counts) == (2, {"off_tick": 2, "gap": 1})


def test_a_repair_says_what_it_sorted_left_out_and_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [bar_row(i) for i in (0, 3, 1, 2, 9, 8)] + [bar_row(10, "10,8,9,11")]
    path = write(tmp_path / "A_1m.csv", BAR_HEADER, rows)
    assert run_data("check", str(path), "--repair", str(tmp_path / "out.csv")) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "6 rows written",
        "  sorted by time: 3 rows stood behind later ones",
        "  left out, high_below_low: 1 rows",
        "  left as it is, gap: 1",
    ]
