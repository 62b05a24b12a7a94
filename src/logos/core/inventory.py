"""First in, first out: which lots a fill closes, what that realises, what it opens.

A fill against the position closes the oldest lots first, in whole or in part; what is left of it
opens a lot on its own side, so that one fill may flip a position. Nothing is averaged.

    ante                 fill            closed                       ex
    L1 +1000 @ 1.07      S 1500 @ 1.08   L1 1000, pnl +10.00          L2 -500 @ 1.08

Fees are attributed, never lost: the fee of a fill belongs whole to the first lot it touches (the
first one it closes, else the one it opens), and a lot's entry fee leaves it in proportion to
what is closed, the last part taking the remainder. This is FIFO fill-to-fill accounting without
splitting fees over lots, as other engines do it.

An inverse contract is worth quantity * contract / price, in the coin. That is rounded once for a
fill (to nearest, a tie to even); the parts of a fill are what each adds to the rounded worth of the
parts before it. The worth of a lot leaves it in proportion, so rounded, the last part taking the
remainder. So the profits of all parts are the profit of the whole, to the last digit.
"""

from __future__ import annotations

from typing import final

from logos.core.fixed import HALF_EVEN, divide
from logos.core.records import LotClosure


@final
class Lot:
    """What is left of one opening fill. `quantity` (quantity units) is signed and never 0.

    `price` is the fill's, in price units; `fee` what is left of its fee, in ledger units;
    `opened_ns` the fill's time, nanoseconds UTC. After a split the lot costs `rest` (ledger units,
    signed as the cost) more than `price` times `quantity`, for prices are whole units. `worth` is
    what is left of the entry value of an inverse contract.
    """

    __slots__ = ("fee", "lot_id", "opened_ns", "price", "quantity", "rest", "worth")

    def __init__(self, lot_id: int, quantity: int, price: int, fee: int, opened_ns: int) -> None:
        self.lot_id = lot_id
        self.quantity = quantity
        self.price = price
        self.fee = fee
        self.opened_ns = opened_ns
        self.rest: int = 0
        self.worth: int = 0


@final
class Booking:
    """What one fill did to the inventory. Money is in ledger units."""

    __slots__ = ("closed_fees", "closures", "cost", "opened_lot_id", "opened_quantity", "realised")

    def __init__(self) -> None:
        self.closures: list[LotClosure] = []
        self.realised: int = 0
        self.closed_fees: int = 0
        """The fees of the closures, that of this fill included."""
        self.cost: int = 0
        """The change of the inventory's cost."""
        self.opened_lot_id: int = 0
        self.opened_quantity: int = 0


@final
class Inventory:
    """The open lots of one symbol, oldest first; all of one sign.

    `unit_value` is what one price unit times one quantity unit is worth, in ledger units.
    `cost` is the signed sum of price times quantity over the open lots, times `unit_value`. Of an
    inverse contract `unit_value` is what one quantity unit at one price unit is worth, and `cost`
    the signed sum of the lots' worth.
    """

    __slots__ = (
        "_first",
        "_lots",
        "_next_lot_id",
        "cost",
        "is_inverse",
        "position",
        "unit_value",
    )

    def __init__(self, unit_value: int, is_inverse: bool = False) -> None:
        self.unit_value = unit_value
        self.is_inverse = is_inverse
        self.position: int = 0
        self.cost: int = 0
        self._lots: list[Lot] = []
        self._first: int = 0  # lots before this index are closed; see _forget_closed
        self._next_lot_id: int = 1

    def lots(self) -> list[Lot]:
        """The open lots, oldest first."""
        return self._lots[self._first :]

    def take_over(self, lots: list[Lot], next_lot_id: int) -> None:
        """Hold these lots, oldest first, in place of all others; the next has that number."""
        self._lots = lots
        self._first = 0
        self._next_lot_id = next_lot_id
        self.position = sum([lot.quantity for lot in lots])
        self.cost = 0
        for lot in lots:
            if self.is_inverse:
                self.cost += lot.worth if lot.quantity > 0 else -lot.worth
            else:
                self.cost += lot.quantity * lot.price * self.unit_value + lot.rest

    @property
    def next_lot_id(self) -> int:
        """The number of the next lot that a fill opens."""
        return self._next_lot_id

    def unrealised(self, price: int) -> int:
        """Profit of the open lots if all were closed at `price`, in ledger units."""
        if self.is_inverse:
            return self.cost - self.worth(price, self.position)
        return self.position * price * self.unit_value - self.cost

    def apply_fill(self, signed_quantity: int, price: int, fee: int, ts_ns: int) -> Booking:
        """Book a fill of `signed_quantity` units (positive for a buy, never 0) at `price` units.

        `fee` is all of it, in ledger units; `ts_ns` the fill's time, nanoseconds UTC.
        """
        if self.is_inverse:
            return self._apply_inverse_fill(signed_quantity, price, fee, ts_ns)
        booking = Booking()
        cost_before = self.cost
        left = signed_quantity
        while left != 0 and self._first < len(self._lots):
            lot = self._lots[self._first]
            if (lot.quantity > 0) == (left > 0):
                break
            left = self._close(lot, left, price, fee, booking)
            fee = 0
        if left != 0:
            lot_id = self._next_lot_id
            self._next_lot_id = lot_id + 1
            self._lots.append(Lot(lot_id, left, price, fee, ts_ns))
            size = left if left > 0 else -left
            cost = self.unit_value * size * price
            self.cost += cost if left > 0 else -cost
            booking.opened_lot_id = lot_id
            booking.opened_quantity = left
        self.position += signed_quantity
        booking.cost = self.cost - cost_before
        return booking

    def _close(self, lot: Lot, left: int, price: int, fee: int, booking: Booking) -> int:
        """Close as much of `lot` as `left` reaches; returns what is left of the fill."""
        size = lot.quantity if lot.quantity > 0 else -lot.quantity
        wanted = left if left > 0 else -left
        closed = size if size < wanted else wanted
        rest, entry_fee = lot.rest, lot.fee  # all of it with the last part
        if closed != size:
            rest = rest * closed // size
            entry_fee = entry_fee * closed // size
        # Without signs, what is multiplied stays a machine's word for longer.
        unit = closed * self.unit_value
        entry_value = unit * lot.price
        gain = unit * price - entry_value
        if lot.quantity < 0:
            entry_value, gain = -entry_value, -gain
        signed = closed if lot.quantity > 0 else -closed
        pnl = gain - rest
        lot.fee -= entry_fee
        lot.quantity -= signed
        lot.rest -= rest
        self.cost -= entry_value + rest
        booking.realised += pnl
        fee += entry_fee
        booking.closed_fees += fee
        booking.closures.append(LotClosure(lot.lot_id, closed, lot.price, pnl, fee))
        if lot.quantity == 0:
            self._first += 1
            self._forget_closed()
        return left + signed

    def apply_split(self, new: int, old: int) -> tuple[int, int]:
        """Turn every `old` units into `new`; every lot keeps its cost.

        Lots are split oldest first on their running sum, each rounded down. One that comes to
        nothing leaves its cost and its fee to the next, the last to the one before it. Returns what
        is left of the last unit (in parts of 1/`old` unit, signed) and the cost that goes with it:
        its part of the newest lot's, rounded down, or all where no lot is left.
        """
        sign = 1 if self.position > 0 else -1
        kept: list[Lot] = []
        left = cost = fee = 0
        for lot in self.lots():
            cost += lot.quantity * lot.price * self.unit_value + lot.rest
            fee += lot.fee
            parts = abs(lot.quantity) * new + left
            quantity, left = parts // old, parts % old
            if quantity == 0:
                continue
            lot.quantity = sign * quantity
            lot.fee = fee
            self._set_cost(lot, cost)
            kept.append(lot)
            cost = fee = 0
        if kept:
            newest = kept[-1]
            cost += newest.quantity * newest.price * self.unit_value + newest.rest
            newest.fee += fee
            leaves = cost * left // (abs(newest.quantity) * old + left)
            self._set_cost(newest, cost - leaves)
            cost = leaves
        self._lots = kept
        self._first = 0
        self.position = sum([lot.quantity for lot in kept])
        self.cost -= cost
        return sign * left, cost

    def _set_cost(self, lot: Lot, cost: int) -> None:
        """Give a lot the price (rounded down) and the rest that come to `cost`."""
        value = lot.quantity * self.unit_value
        lot.price = cost // value
        lot.rest = cost - lot.price * value

    def worth(self, price: int, quantity: int) -> int:
        """What `quantity` units of an inverse contract are worth, signed; nothing without a price.

        Rounded to nearest, a tie to even.
        """
        return divide(quantity * self.unit_value, price, HALF_EVEN) if price else 0

    def _apply_inverse_fill(self, signed: int, price: int, fee: int, ts_ns: int) -> Booking:
        booking = Booking()
        cost_before = self.cost
        left = signed
        done = 0
        while left != 0 and self._first < len(self._lots):
            lot = self._lots[self._first]
            if (lot.quantity > 0) == (left > 0):
                break
            size = abs(lot.quantity)
            closed = min(size, abs(left))
            sign = 1 if lot.quantity > 0 else -1
            leaves = self.worth(price, done + closed) - self.worth(price, done)
            entered = lot.worth - divide(lot.worth * (size - closed), size, HALF_EVEN)
            entry_fee = lot.fee * closed // size
            pnl = sign * (entered - leaves)
            lot.fee -= entry_fee
            lot.worth -= entered
            lot.quantity -= sign * closed
            self.cost -= sign * entered
            booking.realised += pnl
            fee += entry_fee
            booking.closed_fees += fee
            booking.closures.append(LotClosure(lot.lot_id, closed, lot.price, pnl, fee))
            fee = 0
            done += closed
            left += sign * closed
            if lot.quantity == 0:
                self._first += 1
                self._forget_closed()
        if left != 0:
            lot_id = self._next_lot_id
            self._next_lot_id = lot_id + 1
            opened = Lot(lot_id, left, price, fee, ts_ns)
            opened.worth = self.worth(price, done + abs(left)) - self.worth(price, done)
            self._lots.append(opened)
            self.cost += opened.worth if left > 0 else -opened.worth
            booking.opened_lot_id = lot_id
            booking.opened_quantity = left
        self.position += signed
        booking.cost = self.cost - cost_before
        return booking

    def _forget_closed(self) -> None:
        # Popping the head of a list costs its whole length: closed lots are dropped in bulk.
        if self._first >= 64 and self._first * 2 >= len(self._lots):
            del self._lots[: self._first]
            self._first = 0
        elif self._first == len(self._lots):
            self._lots.clear()
            self._first = 0
