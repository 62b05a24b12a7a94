"""What a simulated account holds: netted, or each position under a ticket of its own.

On a netting account a symbol has one position and an opposite deal reduces it. On a hedging account
(`ACCOUNT_MARGIN_MODE_RETAIL_HEDGING`) each order opens a position of its own, an opposite one too;
a deal reduces a position only where its order names the ticket ("On a hedging account, the position
to be closed must be specified using a ticket in the position field", MQL5 book, Closing a position:
full and partial). A position keeps its identifier for life; its ticket may be changed by the
server, as when swaps are charged with re-opening (MQL5 reference, Position Properties).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from logos.core.instrument import Instrument

IN, OUT, INOUT = 0, 1, 2
NETTING: Final = "ACCOUNT_MARGIN_MODE_RETAIL_NETTING"
HEDGING: Final = "ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"
"""The names of ENUM_ACCOUNT_MARGIN_MODE."""


class SimPosition:
    """One position: lots of (signed volume, price), all of one sign, oldest first."""

    __slots__ = (
        "comment",
        "identifier",
        "lots",
        "magic",
        "stop_loss_units",
        "swap",
        "symbol",
        "take_profit_units",
        "ticket",
        "time_s",
    )

    def __init__(self, symbol: str = "") -> None:
        self.symbol = symbol
        self.lots: deque[tuple[int, int]] = deque()
        self.ticket = 0
        self.identifier = 0
        self.magic = 0
        self.comment = ""
        self.time_s = 0
        self.stop_loss_units = 0
        self.take_profit_units = 0
        self.swap = 0
        """Charged and not settled yet, in 10**-18 of the account's currency; negative: a cost."""

    @property
    def volume_units(self) -> int:
        """Signed: negative when sold."""
        return sum(volume for volume, _ in self.lots)

    def average(self, instrument: Instrument) -> Decimal:
        """The mean price of what is held; only while something is."""
        cost = sum(price * lot for lot, price in self.lots)
        return Decimal(cost) / self.volume_units / instrument.price_scale

    def apply(self, signed_units: int, price_units: int) -> tuple[int, int]:
        """Book an execution; how it entered (IN, OUT, INOUT), and what the closed lots made in
        price units times volume units."""
        made = 0
        closed = 0
        left = signed_units
        while left and self.lots and (self.lots[0][0] > 0) != (left > 0):
            volume, opened_at = self.lots[0]
            part = min(abs(volume), abs(left))
            sign = 1 if volume > 0 else -1
            made += (price_units - opened_at) * part * sign
            closed += part
            left += part * sign
            if part == abs(volume):
                self.lots.popleft()
            else:
                self.lots[0] = (volume - part * sign, opened_at)
        if left:
            self.lots.append((left, price_units))
        entry = IN if not closed else (INOUT if left else OUT)
        return entry, made

    def swap_of(self, volume_units: int) -> int:
        """The part of the swap that a deal against so much of the position settles."""
        held = abs(self.volume_units)
        return self.swap * min(volume_units, held) // held if held else 0


class Holdings:
    """All positions of one account."""

    def __init__(self, symbols: Iterable[str], *, is_hedging: bool) -> None:
        self.is_hedging = is_hedging
        self.netted = {symbol: SimPosition(symbol) for symbol in symbols}
        """The one position of each symbol; never used on a hedging account."""
        self._by_identifier: dict[int, SimPosition] = {}

    def open(self, symbol: str = "") -> list[SimPosition]:
        """What is held, of one symbol or of all, in the order of identifiers on a hedging account
        and of symbols on a netting one."""
        if symbol and not self.is_hedging:
            held = self.netted.get(symbol)
            return [held] if held is not None and held.lots else []
        every = self._by_identifier.values() if self.is_hedging else self.netted.values()
        return [each for each in every if each.lots and symbol in ("", each.symbol)]

    def net_units(self, symbol: str) -> int:
        """The sum of a symbol's positions, signed."""
        return sum(each.volume_units for each in self.open(symbol))

    def held_as(self, ticket: int) -> SimPosition | None:
        """The open position under that ticket."""
        return next((each for each in self.open() if each.ticket == ticket), None)

    def target(self, symbol: str, position: int, order: int) -> SimPosition:
        """The position that an execution of an order changes: on a hedging account the one whose
        identifier it names, else the order's own, which may be new."""
        if not self.is_hedging:
            return self.netted[symbol]
        identifier = position or order
        return self._by_identifier.setdefault(identifier, SimPosition(symbol))

    def forget_flat(self, position: SimPosition) -> None:
        """On a hedging account a position that was closed is there no more."""
        if self.is_hedging and not position.lots:
            self._by_identifier.pop(position.identifier, None)
