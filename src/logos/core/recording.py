"""The books as records: what positions.csv and account.csv are made of."""

from __future__ import annotations

from logos.core.account import Ledger
from logos.core.instrument_state import InstrumentState
from logos.core.records import AccountRecord, PositionRecord


def position_record(state: InstrumentState, ts_ns: int) -> PositionRecord:
    """One symbol's books as they stand."""
    instrument = state.instrument
    return PositionRecord(
        ts_ns,
        instrument.symbol,
        state.ledger.currency,
        state.inventory.position,
        state.mark,
        state.inventory.cost,
        state.realised,
        state.unrealised,
        state.fees,
        len(state.inventory.lots()),
        instrument.price_decimals,
        instrument.quantity_decimals,
        state.ledger.decimals,
    )


def account_record(ledger: Ledger, ts_ns: int) -> AccountRecord:
    """One currency's ledger as it stands. Raises InvariantBroken when it does not add up."""
    ledger.check()
    return AccountRecord(
        ts_ns,
        ledger.currency,
        ledger.wallet.balance,
        ledger.wallet.locked + ledger.maintenance_margin,
        ledger.initial,
        ledger.realised,
        ledger.fees,
        ledger.unrealised,
        ledger.equity,
        ledger.track.high_water,
        ledger.track.max_drawdown,
        ledger.decimals,
    )
