"""Rows judged in whole units and in fractions: the same books, the same findings.

The way of fractions is the oracle: `Auditor.apply` never leaves it. Rows of sessions are drawn,
written as trades.csv would have them by twenty lines of their own, damaged now and then, and given
to both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.audit.auditor import COLUMNS, Auditor, Terms
from logos.audit.csv_cells import UnreadableTrades, moment_ns
from logos.audit.money.fees import FeeAudit
from logos.audit.money.quick import signed_units_of, text_of, units_of
from logos.config import make_config

TERMS = {
    "SPOT": Terms("SPOT", "USD", Fraction(1), "spot"),
    "FUT": Terms("FUT", "USD", Fraction(10), "margin"),
    "FINE": Terms("FINE", "USD", Fraction(1, 4), "margin"),
    "PAIR": Terms("SPOT", "EUR", Fraction(1), "spot"),
    "COIN": Terms("COIN", "BTC", Fraction(100), "inverse"),
    "OIL": Terms("OIL", "USD", Fraction(1), "margin", True),
}
DECIMALS = {"SPOT": (3, 2), "FUT": (0, 1), "FINE": (0, 2), "PAIR": (2, 4), "COIN": (0, 1)}
DECIMALS["OIL"] = (1, 2)
MONEY = ("notional", "realised", "symbol_realised", "symbol_fees", "wallet")
INITIAL = {"USD": "100000", "EUR": "500.5", "BTC": "3", "SPOT": "7.12345"}


@dataclass
class Writer:
    """Writes rows as a session does, with an auditor in fractions to say what follows."""

    auditor: Auditor = field(default_factory=lambda: Auditor(TERMS, INITIAL))
    rows: list[list[str]] = field(default_factory=list)

    def add(self, symbol: str, sign: int, quantity: int, price: int, fee: int, after: int) -> None:
        quantities, prices = DECIMALS[symbol]
        number = len(self.rows) + 1
        row = dict.fromkeys(COLUMNS, "")
        row |= {
            "fill_id": str(number),
            "time": f"2026-01-05T09:{number // 60:02d}:{number % 60:02d}.{after:09d}Z",
            "symbol": symbol,
            "side": "BUY" if sign > 0 else "SELL",
            "order_id": str(number // 2),
            "liquidity": "MAKER" if number % 3 else "TAKER",
            "quantity": _plain(quantity, quantities),
            "price": _plain(price, prices),
            "fee": _plain(fee, 8),
            "position": _plain(0, quantities),
        }
        row |= dict.fromkeys(MONEY, "0.00000000")
        row |= self._told(row, quantities, prices)
        self.rows.append([row[column] for column in COLUMNS])

    def _told(self, row: dict[str, str], quantities: int, prices: int) -> dict[str, str]:
        """What the auditor would have in the cells that it compares, with all their decimals."""
        told = {}
        for found in self.auditor.apply(row):
            text = found.recomputed
            if found.column == "lots_closed":
                parts = [part.replace("@", ":").split(":") for part in text.split(";")]
                text = ";".join(
                    f"{name}:{_with(lot, quantities)}@{_with(price, prices)}"
                    f":{_with(pnl, 8)}:{_with(fee, 8)}"
                    for name, lot, price, pnl, fee in parts
                )
            elif found.column == "lot_opened":
                name, lot = text.split(":")
                text = f"{name}:{_with(lot, quantities)}"
            elif found.column == "position":
                text = _with(text, quantities)
            elif found.column in MONEY:
                text = _with(text, 8)
            told[found.column] = text
        return told


def _plain(units: int, decimals: int) -> str:
    return f"{Decimal(units).scaleb(-decimals):.{decimals}f}"


def _with(text: str, decimals: int) -> str:
    return f"{Decimal(text):.{decimals}f}"


FILLS = st.tuples(
    st.sampled_from([*TERMS, "SPOT", "FUT", "SPOT", "FUT"]),
    st.sampled_from([1, -1]),
    st.integers(1, 9),
    st.integers(95, 105),
    st.sampled_from([0, 0, 1, 7, 33, -2]),
    st.integers(0, 999_999_999),
)


def both(rows: list[list[str]]) -> tuple[list[object], list[object]]:
    """What each way finds of every row, and what it has come to after it."""
    quick, exact = Auditor(TERMS, INITIAL), Auditor(TERMS, INITIAL)
    marks = dict.fromkeys(TERMS, "101.5")
    found: tuple[list[object], list[object]] = ([], [])
    for row in rows:
        for place, auditor in zip(found, (quick, exact), strict=True):
            try:
                if auditor is quick:
                    place.append(auditor.apply_cells(row))
                else:
                    place.append(auditor.apply(dict(zip(COLUMNS, row, strict=False))))
            except UnreadableTrades as error:
                place.append(str(error))
            place.append((auditor.state(marks), list(auditor.state().wallets)))
        if isinstance(found[0][-2], str):
            break
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(FILLS, min_size=1, max_size=14), st.data())
def test_both_ways_find_the_same_of_every_row_and_come_to_the_same(
    fills: list[tuple[str, int, int, int, int, int]], data: st.DataObject
) -> None:
    writer = Writer()
    for fill in fills:
        writer.add(*fill)
    rows = writer.rows
    quick, exact = both(rows)
    assert quick == exact
    assert all(not each for each in quick[::2]), "what the auditor itself wrote is sound"
    row = data.draw(st.sampled_from(rows))
    column = data.draw(st.integers(0, len(COLUMNS) - 1))
    row[column] = data.draw(
        st.one_of(
            st.sampled_from(["", "0", "-0.00", "1e3", "٣", "1_0", " 1", "+1", ".5", "5.", "NaN"]),
            st.just(row[column] + "0"),
            st.just("-" + row[column]),
            st.text("0123456789.-L:@;", max_size=6),
        )
    )
    quick, exact = both(rows)
    assert quick == exact


@pytest.mark.parametrize("change", [lambda row: row[:-1], lambda row: [*row, "more"]])
def test_a_row_with_another_number_of_cells_is_left_to_the_way_of_fractions(change: object) -> None:
    writer = Writer()
    writer.add("FUT", 1, 2, 100, 1, 0)
    quick, exact = both([change(writer.rows[0])])  # type: ignore[operator]
    assert quick == exact


def test_nearly_all_rows_of_a_plain_session_are_judged_in_units() -> None:
    writer = Writer()
    for number in range(40):
        symbol = ("SPOT", "FUT", "FINE", "PAIR")[number % 4]
        writer.add(symbol, 1 if number % 3 else -1, 1 + number % 5, 100 + number % 7, 3, number)
    auditor = Auditor(TERMS, INITIAL)
    auditor.apply = None  # type: ignore[method-assign,assignment]
    assert [auditor.apply_cells(row) for row in writer.rows] == [[]] * 40
    assert auditor.state() == writer.auditor.state()


@settings(max_examples=200)
@given(st.integers(-(10**12), 10**12), st.integers(0, 12))
def test_units_are_written_as_the_decimals_that_are_read(units: int, decimals: int) -> None:
    text = text_of(units, decimals)
    assert Fraction(text) == Fraction(units, 10**decimals)
    assert signed_units_of(text, decimals) == units
    assert units_of(text, decimals) == (units if units >= 0 else None)
    assert units_of(text, decimals + 1) is None


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".10", "1.1", "1.100", "1_0.10", " 1.10", "+1.10", "1.1O", "٣.10"]
)
def test_text_of_another_form_has_no_units(text: str) -> None:
    assert units_of(text, 2) is None
    assert signed_units_of(f"-{text}", 2) is None


def test_a_time_is_that_of_the_strict_reader() -> None:
    auditor = Auditor(TERMS, INITIAL)
    take = auditor._quick._time_ns
    for text in (
        "2026-01-05T09:00:00.000000001Z",
        "2026-01-05T09:00:00.000000002Z",
        "2026-01-05T09:00:01.999999999Z",
    ):
        assert take(text) == moment_ns(text)
    for text in ("2026-01-05T09:00:01.00000000Z", "2026-01-05T09:00:01.00000000٣Z", "x", ""):
        assert take(text) is None
    with pytest.raises(ValueError, match="not a UTC time with nine digits after the point and a Z"):
        moment_ns("2026-01-05T09:00:01.00000000Z")


ROUNDINGS = ("up", "ceiling", "down", "floor", "half_up", "half_even")


@settings(max_examples=60, deadline=None)
@given(st.lists(FILLS, min_size=1, max_size=8), st.sampled_from(ROUNDINGS), st.data())
def test_fees_in_units_are_those_in_fractions(
    fills: list[tuple[str, int, int, int, int, int]], rounding: str, data: st.DataObject
) -> None:
    rates = st.sampled_from(["0", "0.001", "-0.0003", "0.00071"])
    fees = {
        "maker": data.draw(rates),
        "taker": data.draw(rates),
        "per_unit": data.draw(st.sampled_from(["0", "0.0035"])),
        "per_fill": "0.01",
        "minimum": data.draw(st.sampled_from(["0", "0.5"])),
        "decimals": 2,
        "rounding": rounding,
    }
    config = make_config(
        {
            "strategy": {"name": "sma_cross"},
            "instruments": {
                "FUT": {
                    "quote": "USD",
                    "tick": "0.1",
                    "lot": "1",
                    "multiplier": "10",
                    "settlement": "margin",
                    "fees": fees,
                }
            },
        }
    )
    units, exact = FeeAudit(config, TERMS), FeeAudit(config, TERMS)
    exact._is_due = lambda *_: False  # type: ignore[method-assign]
    for number, (_, _, quantity, price, fee, _) in enumerate(fills):
        row = dict.fromkeys(COLUMNS, "0")
        row |= {"symbol": "FUT", "order_id": str(number // 3), "quantity": str(quantity)}
        row |= {"price": _plain(price, 1), "liquidity": "MAKER" if number % 2 else "TAKER"}
        row["fee"] = _plain(fee, 2)
        due = exact.judge([row[column] for column in COLUMNS])
        if due is not None and data.draw(st.booleans()):
            # Once more with the fee that is due; both begin anew with all rows so far sound.
            row["fee"] = _with(due[1], 8)
            exact._charged[row["order_id"]] += Fraction(due[1]) - Fraction(_plain(fee, 2))
            due = None
        assert units.judge([row[column] for column in COLUMNS]) == due
