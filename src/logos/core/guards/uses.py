"""What a risk monitor shows: the money of each currency, and the used part of each limit."""

from __future__ import annotations

import msgspec

from logos.core.types import Code


class CurrencyRisk(msgspec.Struct, frozen=True, gc=False):
    """One currency's ledger as a risk monitor sees it, in units of `10**-money_decimals`.

    Exposure is the worth of the open positions at their marks, without and with its sign;
    `drawdown_units` is how far equity is below its high-water mark now, `day_profit_units` what
    the UTC day has brought so far.
    """

    currency: str
    equity_units: int
    initial_units: int
    realised_units: int
    fees_units: int
    unrealised_units: int
    payments_units: int
    gross_exposure_units: int
    net_exposure_units: int
    high_water_units: int
    drawdown_units: int
    max_drawdown_units: int
    day_profit_units: int
    money_decimals: int


class GuardUse(msgspec.Struct, frozen=True, gc=False):
    """How much of a guard's limit is used: both in units of `10**-decimals` of `unit`, which is a
    currency, "quantity", "orders", "refusals", "losses" or "s" (seconds).

    `subject` is a symbol, a currency, or empty for the session.
    """

    guard: Code
    subject: str
    used_units: int
    limit_units: int
    unit: str
    decimals: int

    @property
    def ratio(self) -> float | None:
        """The used part; 1 is the limit itself. None where nothing is allowed any more, and
        something is there."""
        if self.limit_units <= 0:
            return None if self.used_units > 0 else 0.0
        return self.used_units / self.limit_units


class SymbolRisk(msgspec.Struct, frozen=True, gc=False):
    """One symbol: what is held and what it is worth, and how old its price is."""

    symbol: str
    currency: str
    position_units: int
    mark_units: int
    """0: no price yet. In units of `10**-mark_decimals`."""
    value_units: int
    """The position at its mark, signed, in units of `10**-money_decimals` of the currency."""
    realised_units: int
    unrealised_units: int
    fees_units: int
    open_orders: int
    price_age_ns: int
    """How long ago it last showed a price; -1: it has shown none."""
    stale_after_ns: int
    """From which age on the price is too old; 0: no limit."""
    is_stale: bool
    is_paused: bool
    quantity_decimals: int
    mark_decimals: int
    money_decimals: int
    entry_units: int | None = None
    """The average price of the open lots, in units of `10**-entry_decimals`; None: nothing is held,
    or the figures are of a version that did not say."""
    entry_decimals: int = 0


class RiskRecord(msgspec.Struct, frozen=True, gc=False, tag="risk", tag_field="kind"):
    """How the session stands against its limits, at `ts_ns` and before any event of that moment:
    the money of each currency, each symbol, the used part of each limit. Made only where the
    settings say how often."""

    ts_ns: int
    tick_id: int
    currencies: tuple[CurrencyRisk, ...]
    symbols: tuple[SymbolRisk, ...]
    guards: tuple[GuardUse, ...]
