"""The auditor: a sound file passes, and any tampered digit is found and located."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.audit.auditor import (
    COLUMNS,
    Auditor,
    Terms,
    audit,
    audit_rows,
)
from logos.audit.csv_cells import UnreadableTrades, plain

HEAD = ",".join(COLUMNS)

# Two symbols, one wallet: EUR is spot (its base changes hands), FUT a contract of 10 on margin.
SOUND = f"""{HEAD}
1,2026-01-05T09:00:00.000000001Z,1,1,s-1,EUR,BUY,1000,1.08,TAKER,1080.00,1.00,USD,0.00,,L1:1000,1000,0.00,1.00,98919.00,
2,2026-01-05T09:00:01.000000000Z,2,2,s-2,EUR,BUY,1000,1.07,MAKER,1070.00,1.00,USD,0.00,,L2:1000,2000,0.00,2.00,97848.00,
3,2026-01-05T09:00:01.000000000Z,2,3,s-3,FUT,SELL,2,50.5,TAKER,1010.00,0.25,USD,0.00,,L1:-2,-2,0.00,0.25,97847.75,
4,2026-01-05T09:00:02.500000000Z,3,4,s-4,EUR,SELL,1500,1.09,TAKER,1635.00,1.00,USD,20.00,L1:1000@1.08:10.00:2.00;L2:500@1.07:10.00:0.50,,500,20.00,3.00,99481.75,
5,2026-01-05T09:00:03.000000000Z,4,5,s-5,FUT,BUY,3,49.5,MAKER,1485.00,0.30,USD,20.00,L1:2@50.5:20.00:0.55,L2:1,1,20.00,0.55,99501.45,
"""

INSTRUMENTS = {
    "EUR": Terms("EUR", "USD", Fraction(1), "spot"),
    "FUT": Terms("FUT", "USD", Fraction(10), "margin"),
}
INITIAL = {"USD": "100000"}


def rows(text: str = SOUND) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()[1:]]


def text_of(cells: list[list[str]]) -> list[str]:
    return [HEAD, *(",".join(row) for row in cells)]


def test_a_sound_file_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(SOUND)
    report = audit(path, INSTRUMENTS, INITIAL)
    assert report.is_clean
    assert str(report) == "5 fills, every figure recomputed"


@pytest.mark.parametrize(
    ("row", "column", "printed", "recomputed"),
    [
        (1, "fill_id", "2", "1"),
        (1, "notional", "1080.01", "1080"),
        (1, "currency", "EUR", "USD"),
        (1, "lot_opened", "L2:1000", "L1:1000"),
        (1, "lot_opened", "L1:-1000", "L1:1000"),
        (1, "lot_opened", "", "L1:1000"),
        (2, "position", "2001", "2000"),
        (2, "symbol_fees", "2.01", "2"),
        (3, "wallet", "97847.76", "97847.75"),
        (4, "realised", "20.01", "20"),
        (4, "symbol_realised", "19.99", "20"),
        (
            4,
            "lots_closed",
            "L1:1000@1.08:10.00:2.00;L2:500@1.07:10.01:0.50",
            "L1:1000@1.08:10:2;L2:500@1.07:10:0.5",
        ),
        (
            4,
            "lots_closed",
            "L1:1000@1.08:10.00:2.00;L2:500@1.07:10.00:0.51",
            "L1:1000@1.08:10:2;L2:500@1.07:10:0.5",
        ),
        (4, "lot_opened", "L3:1", ""),
        (5, "lots_closed", "", "L1:2@50.5:20:0.55"),
        (5, "lots_closed", "L9:2@50.5:20.00:0.55", "L1:2@50.5:20:0.55"),
        (5, "time", "2026-01-05T09:00:02.000000000Z", "not before the row above"),
    ],
)
def test_a_tampered_figure_is_found_where_it_stands(
    row: int, column: str, printed: str, recomputed: str
) -> None:
    cells = rows()
    cells[row - 1][COLUMNS.index(column)] = printed
    report = audit_rows(text_of(cells), INSTRUMENTS, INITIAL)
    assert [tuple(difference) for difference in report.differences] == [
        (row, column, printed, recomputed)
    ]
    assert f"row {row}, {column}: printed {printed}, is {recomputed}" in str(report)


def test_one_wrong_time_is_found_once_and_not_at_every_later_row() -> None:
    cells = rows()
    cells[0][COLUMNS.index("time")] = "2026-02-05T09:00:00.000000000Z"
    report = audit_rows(text_of(cells), INSTRUMENTS, INITIAL)
    assert [(found.row, found.column) for found in report.differences] == [(2, "time")]


@pytest.mark.parametrize("column", ["quantity", "price", "fee", "side"])
def test_a_tampered_input_shows_in_what_follows_from_it(column: str) -> None:
    cells = rows()
    index = COLUMNS.index(column)
    cells[0][index] = "SELL" if column == "side" else cells[0][index].replace("1", "2", 1)
    report = audit_rows(text_of(cells), INSTRUMENTS, INITIAL)
    assert report.differences[0].row == 1
    assert "wallet" in {difference.column for difference in report.differences}


@pytest.mark.long
@given(st.data())
def test_no_digit_of_a_checked_column_can_change_unseen(data: st.DataObject) -> None:
    cells = rows()
    row = data.draw(st.sampled_from(cells))
    checked = ("notional", "fee", "realised", "lots_closed", "lot_opened", "position", "wallet")
    column = COLUMNS.index(data.draw(st.sampled_from(checked)))
    digits = [place for place, letter in enumerate(row[column]) if letter.isdigit()]
    if not digits:
        return
    place = data.draw(st.sampled_from(digits))
    digit = data.draw(st.sampled_from("0123456789").filter(lambda d: d != row[column][place]))
    row[column] = row[column][:place] + digit + row[column][place + 1 :]
    assert not audit_rows(text_of(cells), INSTRUMENTS, INITIAL).is_clean


def test_a_missing_row_shows() -> None:
    cells = rows()
    del cells[1]
    report = audit_rows(text_of(cells), INSTRUMENTS, INITIAL)
    assert (2, "fill_id", "3", "2") in report.differences


def test_the_state_after_every_row_values_positions_at_the_marks() -> None:
    auditor = Auditor(INSTRUMENTS, INITIAL)
    for row in rows()[:4]:
        assert auditor.apply(dict(zip(COLUMNS, row, strict=True))) == []
    state = auditor.state({"EUR": "1.10", "FUT": "51"})
    assert list(state.symbols["EUR"]) == [500, 535, 20, 3, 15, 1]
    assert list(state.symbols["FUT"]) == [-2, -1010, 0, Fraction("0.25"), -10, 1]
    usd = state.currencies["USD"]
    assert [usd.realised, usd.fees, usd.unrealised] == [20, Fraction("3.25"), 5]
    assert usd.equity == Fraction("100021.75")
    assert usd.wallet == Fraction("99481.75")
    assert state.wallets == {"USD": Fraction("99481.75"), "EUR": Fraction(500)}


def test_without_a_mark_an_open_position_has_no_value_but_a_closed_one_has() -> None:
    auditor = Auditor(INSTRUMENTS, INITIAL)
    assert auditor.state().currencies["USD"].equity == 100_000
    auditor.apply(dict(zip(COLUMNS, rows()[0], strict=True)))
    state = auditor.state()
    assert state.symbols["EUR"].unrealised is None
    assert state.symbols["FUT"].unrealised == 0
    assert state.currencies["USD"].equity is None


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("price", "1e3", "row 1, price: '1e3': '1e3' is not a plain decimal number"),
        ("price", "0.00", "row 1, price: '0.00': not positive"),
        ("quantity", "-1", "row 1, quantity: '-1': not positive"),
        ("side", "buy", "row 1, side: 'buy': neither BUY nor SELL"),
        ("symbol", "GBP", "row 1, symbol: 'GBP': not among the instruments"),
        ("time", "2026-01-05T09:00:00Z", "row 1, time"),
        ("time", "2026-13-05T09:00:00.000000000Z", "row 1, time"),
        ("lot_opened", "1000", "row 1, lot_opened: '1000': not lot:quantity"),
        ("lots_closed", "L1", "row 1, lots_closed"),
        ("wallet", "", "row 1, wallet"),
    ],
)
def test_a_cell_without_a_reading_is_an_error_that_names_it(
    column: str, text: str, message: str
) -> None:
    cells = rows()
    cells[0][COLUMNS.index(column)] = text
    with pytest.raises(UnreadableTrades, match=message):
        audit_rows(text_of(cells), INSTRUMENTS, INITIAL)


def test_files_of_another_shape_are_refused() -> None:
    with pytest.raises(UnreadableTrades, match=r"is this a trades\.csv"):
        audit_rows(["time,price"], INSTRUMENTS, INITIAL)
    with pytest.raises(UnreadableTrades, match="row 1 has more cells"):
        audit_rows([HEAD, SOUND.splitlines()[1] + ",1"], INSTRUMENTS, INITIAL)
    with pytest.raises(UnreadableTrades, match="row 1, position: None: the cell is missing"):
        audit_rows([HEAD, ",".join(SOUND.splitlines()[1].split(",")[:16])], INSTRUMENTS, INITIAL)


def test_an_unknown_settlement_is_refused() -> None:
    with pytest.raises(ValueError, match="settlement is spot, margin or inverse, not 'barter'"):
        Auditor({"X": ("X", "USD", 1, "barter")}, {})


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Fraction(1, 4), "0.25"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(100), "100"),
        (Fraction(1, 3), "1/3"),
    ],
)
def test_amounts_are_written_plainly(amount: Fraction, text: str) -> None:
    assert plain(amount) == text
