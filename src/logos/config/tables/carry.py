"""`[carry]`: what a session took over from one that had ended, copied in full.

`--carry ID` fills this table; nobody writes it by hand. It stands in the settings of the new
session because everything that a session is made from stands there: so its replay, its resume and
its audit need nothing of the old session. Amounts are exact.
"""

from __future__ import annotations

from decimal import Decimal

from logos.config.tables.base import Settings


class CarriedSymbol(Settings, frozen=True, kw_only=True):
    """`[carry.symbols.SYMBOL]`: one symbol, with the terms under which it was held."""

    base: str
    """The asset that is traded."""
    quote: str
    """The currency of its prices."""
    tick: Decimal
    """The price step."""
    lot: Decimal
    """The quantity step."""
    multiplier: Decimal
    """Money per price unit and quantity unit."""
    settlement: str
    """spot, margin or inverse."""
    bid: Decimal
    """What a long position was valued at last; 0: no price was seen."""
    ask: Decimal
    """What a short position was valued at last."""
    realised: Decimal
    """Its realised profit so far."""
    fees: Decimal
    """Its fees so far."""
    actions_ns: int
    """When the last split or dividend was due that was carried out; 0: none."""
    next_lot: int
    """The number of the next lot that a fill opens."""
    lots: list[str]
    """The open lots, oldest first, each "NUMBER QUANTITY PRICE FEE OPENED_NS REST WORTH"."""


class CarrySettings(Settings, frozen=True, kw_only=True):
    """`[carry]`: what another paper session held when it ended. Filled by `--carry ID` alone."""

    session: str
    """The session that is carried on."""
    uuid: str
    """Its UUID."""
    journal_hash: str
    """The running hash of its journal at the last record that counts."""
    records: int
    """The number of that record."""
    ended_ns: int
    """The time of its last event, nanoseconds UTC."""
    losses: int
    """Closing fills in a row that lost money, up to its end."""
    balances: dict[str, Decimal]
    """What the wallets hold, by asset. What they began with is in account.balances."""
    realised: dict[str, Decimal]
    """Realised profit so far, by currency."""
    fees: dict[str, Decimal]
    """Fees so far, by currency."""
    payments: dict[str, Decimal]
    """Funding, borrowing and interest so far, by currency."""
    high_water: dict[str, Decimal]
    """The highest equity so far, by currency."""
    max_drawdown: dict[str, Decimal]
    """The deepest fall from it so far, by currency."""
    day_start: dict[str, Decimal]
    """Equity at the beginning of the UTC day in which it ended, by currency."""
    left: list[str]
    """Orders that rested when it ended, by client id: they are not carried."""
    symbols: dict[str, CarriedSymbol]
    """Every symbol that it traded and the new session trades too."""
