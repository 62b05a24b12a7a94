"""Lots, told as stories: what was there, what was traded, what that booked, what is left.

ante   +1000 1.08 | -500 1.07      lots, oldest first: signed quantity and price
apply  B 1000 1.08                 a fill
booked 1000@1.08->1.09=10.00       closures: quantity@open->close=profit
ex     like ante
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.fixed import parse_units
from logos.core.inventory import Booking, Inventory

PRICE_DECIMALS = 2


def money(text: str) -> int:
    """Money in the inventory's own units: quantity times price, so two decimals."""
    return parse_units(text, PRICE_DECIMALS)


def fill(text: str) -> tuple[int, int]:
    side, quantity, price = text.split()
    sign = {"B": 1, "S": -1}[side]
    return sign * int(quantity), parse_units(price, PRICE_DECIMALS)


def lots_of(inventory: Inventory) -> str:
    parts = [f"{lot.quantity:+d} {lot.price / 100:.2f}" for lot in inventory.lots()]
    return " | ".join(parts)


def closures_of(booking: Booking, price: int) -> list[str]:
    return [
        f"{c.quantity_units}@{c.open_price_units / 100:.2f}->{price / 100:.2f}"
        f"={c.pnl_units / 100:.2f}"
        for c in booking.closures
    ]


def with_lots(ante: str) -> Inventory:
    inventory = Inventory(1)
    for part in filter(None, ante.split(" | ")):
        quantity, price = part.split()
        inventory.apply_fill(int(quantity), money(price), 0, 0)
    assert lots_of(inventory) == ante
    return inventory


STORIES = [
    # name, ante, apply, booked, ex
    ("open long", "", "B 1000 1.08", [], "+1000 1.08"),
    ("open short", "", "S 1000 1.08", [], "-1000 1.08"),
    ("add to long", "+1000 1.08", "B 500 1.07", [], "+1000 1.08 | +500 1.07"),
    ("add to short", "-1000 1.08", "S 500 1.09", [], "-1000 1.08 | -500 1.09"),
    ("same price is still a lot of its own", "+1 1.00", "B 1 1.00", [], "+1 1.00 | +1 1.00"),
    ("close long with gain", "+1000 1.07", "S 1000 1.09", ["1000@1.07->1.09=20.00"], ""),
    ("close long with loss", "+1000 1.07", "S 1000 1.05", ["1000@1.07->1.05=-20.00"], ""),
    ("close short with gain", "-1000 1.07", "B 1000 1.05", ["1000@1.07->1.05=20.00"], ""),
    ("close short with loss", "-1000 1.07", "B 1000 1.09", ["1000@1.07->1.09=-20.00"], ""),
    ("close part", "+1000 1.07", "S 400 1.08", ["400@1.07->1.08=4.00"], "+600 1.07"),
    ("cover part", "-1000 1.07", "B 400 1.08", ["400@1.07->1.08=-4.00"], "-600 1.07"),
    (
        "the oldest goes first, whatever its price",
        "+1000 1.08 | +1000 1.01",
        "S 1000 1.05",
        ["1000@1.08->1.05=-30.00"],
        "+1000 1.01",
    ),
    (
        "through two lots into the third",
        "+10 1.00 | +10 2.00 | +10 3.00",
        "S 25 3.00",
        ["10@1.00->3.00=20.00", "10@2.00->3.00=10.00", "5@3.00->3.00=0.00"],
        "+5 3.00",
    ),
    (
        "flip long to short",
        "+1000 1.07",
        "S 1500 1.08",
        ["1000@1.07->1.08=10.00"],
        "-500 1.08",
    ),
    (
        "flip short to long over two lots",
        "-10 2.00 | -20 3.00",
        "B 35 1.00",
        ["10@2.00->1.00=10.00", "20@3.00->1.00=40.00"],
        "+5 1.00",
    ),
]


@pytest.mark.parametrize(
    ("ante", "apply", "booked", "ex"),
    [story[1:] for story in STORIES],
    ids=[story[0] for story in STORIES],
)
def test_story(ante: str, apply: str, booked: list[str], ex: str) -> None:
    inventory = with_lots(ante)
    quantity, price = fill(apply)
    before = inventory.position
    booking = inventory.apply_fill(quantity, price, 0, 7)
    assert closures_of(booking, price) == booked
    assert lots_of(inventory) == ex
    assert inventory.position == before + quantity
    assert booking.realised == sum(c.pnl_units for c in booking.closures)
    opened = quantity + sum(c.quantity_units for c in booking.closures) * (
        -1 if quantity > 0 else 1
    )
    assert booking.opened_quantity == opened
    assert (booking.opened_lot_id != 0) == (opened != 0)
    assert inventory.cost == sum(lot.quantity * lot.price for lot in inventory.lots())


# Lean, Tests/Common/Statistics/TradeBuilderTests.cs (FIFO, FillToFill; a fee of 1 per fill),
# as collected in the project's oracles, case F1. "lots" are quantity@entry->exit where given.
LEAN = [
    ("ScaleInAllOutLong", "B 1000 1.08, B 1000 1.07, S 2000 1.09", "10 20", "2 1", ""),
    ("ReversalLongToShort", "B 1000 1.07, S 2000 1.08, B 1000 1.09", "10 -10", "2 1", ""),
    (
        "ScaleInScaleOut1Long",
        "B 1000 1.07, B 1000 1.08, S 1000 1.09, B 1000 1.08, S 2000 1.09",
        "20 10 10",
        "2 2 1",
        "",
    ),
    (
        "ScaleInScaleOut2Long",
        "B 1000 1.07, B 2000 1.08, S 1000 1.09, B 1000 1.08, S 3000 1.09",
        "20 20 10",
        "2 2 1",
        "1000@1.07->1.09 2000@1.08->1.09 1000@1.08->1.09",
    ),
]


@pytest.mark.parametrize(
    ("fills", "pnl", "fees", "lots"), [case[1:] for case in LEAN], ids=[case[0] for case in LEAN]
)
def test_lean_books_the_same_trades_and_fees(fills: str, pnl: str, fees: str, lots: str) -> None:
    inventory = Inventory(1)
    pnls: list[int] = []
    fee_shares: list[int] = []
    closed: list[str] = []
    for text in fills.split(", "):
        quantity, price = fill(text)
        booking = inventory.apply_fill(quantity, price, money("1"), 0)
        pnls += [c.pnl_units for c in booking.closures]
        fee_shares += [c.fee_units for c in booking.closures]
        closed += [entry.partition("=")[0] for entry in closures_of(booking, price)]
    assert pnls == [money(text) for text in pnl.split()]
    assert fee_shares == [money(text) for text in fees.split()]
    assert inventory.position == 0
    if lots:
        assert closed == lots.split()


def test_the_last_part_of_a_lot_takes_what_is_left_of_its_fee() -> None:
    inventory = Inventory(1)
    inventory.apply_fill(3, 100, 10, 0)
    shares = [inventory.apply_fill(-1, 100, 0, 0).closures[0].fee_units for _ in range(3)]
    assert sum(shares) == 10
    assert shares == [3, 3, 4]


class NaiveLots:
    """FIFO with one entry per unit traded: slow, and too simple to be wrong."""

    def __init__(self) -> None:
        self.units: list[Fraction] = []
        self.sign = 0
        self.cash = Fraction(0)
        self.realised = Fraction(0)

    def apply(self, quantity: int, price: int) -> None:
        self.cash -= Fraction(quantity) * price
        step = 1 if quantity > 0 else -1
        for _ in range(abs(quantity)):
            if self.units and self.sign != step:
                self.realised += (price - self.units.pop(0)) * self.sign
            else:
                self.sign = step
                self.units.append(Fraction(price))

    def position(self) -> int:
        return self.sign * len(self.units)


fills_of_units = st.lists(
    st.tuples(st.integers(-40, 40).filter(bool), st.integers(1, 10**6), st.integers(0, 1000)),
    max_size=40,
)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(fills_of_units, st.integers(1, 10**6), st.integers(1, 10**4))
def test_realised_and_unrealised_are_the_cash_flow_and_fees_are_never_lost(
    fills: list[tuple[int, int, int]], mark: int, unit_value: int
) -> None:
    inventory = Inventory(unit_value)
    naive = NaiveLots()
    realised = 0
    fees = 0
    fees_closed = 0
    for quantity, price, fee in fills:
        booking = inventory.apply_fill(quantity, price, fee, 0)
        naive.apply(quantity, price)
        realised += booking.realised
        fees_closed += sum(c.fee_units for c in booking.closures)
        assert inventory.position == naive.position() == sum(x.quantity for x in inventory.lots())
        assert realised == naive.realised * unit_value
        lots = inventory.lots()
        assert all(lot.quantity * inventory.position > 0 for lot in lots)
        assert [lot.lot_id for lot in lots] == sorted({lot.lot_id for lot in lots})
        fees += fee
        assert fees_closed + sum(lot.fee for lot in lots) == fees
    worth = (naive.cash + naive.position() * Fraction(mark)) * unit_value
    assert realised + inventory.unrealised(mark) == worth


def test_a_long_life_of_many_small_lots_stays_first_in_first_out() -> None:
    inventory = Inventory(1)
    expected: list[int] = []
    closed: list[int] = []
    for number in range(1, 1001):
        inventory.apply_fill(2, number, 0, 0)
        expected += [number, number]
        closed += [c.open_price_units for c in inventory.apply_fill(-1, 1, 0, 0).closures]
    closed += [
        c.open_price_units
        for c in inventory.apply_fill(-1000, 1, 0, 0).closures
        for _ in range(c.quantity_units)
    ]
    assert closed == expected
    assert inventory.lots() == []
    assert inventory.cost == 0
