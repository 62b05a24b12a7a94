"""What another session held, put into a fresh core: positions, money, and what guards remember.

`restore_core` continues the same session, so its state fits to the last attribute. Here another
session begins, perhaps of another version, with another strategy: it gets the books (lots, wallets,
profit, fees, payments), the level of equity that its guards count from, and prices as the other one
saw them last. Orders, targets, bars, timers and the strategy's memory begin anew.

This module stays interpreted: it runs once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from logos.core.account import Account, EquityTrack, Ledger
from logos.core.engine import TradingCore
from logos.core.handlers.timekeeping import Timekeeper
from logos.core.instrument_state import InstrumentState
from logos.core.inventory import Lot
from logos.core.terms.marks import LAST_TRADE


class CarriedBook(msgspec.Struct, frozen=True):
    """One symbol. Prices are price units, quantities quantity units, money ledger units."""

    lots: Sequence[Lot]
    next_lot: int
    bid: int
    ask: int
    realised: int
    fees: int
    actions_ns: int
    """When the last split or dividend was due that has been carried out; 0: none."""


class CarriedLedger(msgspec.Struct, frozen=True):
    """One currency, in ledger units."""

    realised: int
    fees: int
    payments: int
    high_water: int
    max_drawdown: int
    day_start: int


def carry_book(state: InstrumentState, book: CarriedBook, ended_ns: int) -> None:
    """Let a symbol hold what `book` says; it was seen last at `ended_ns` (nanoseconds UTC).

    Splits and dividends are done that were carried out, or due when the oldest lot was opened.
    """
    inventory = state.inventory
    inventory.take_over(list(book.lots), book.next_lot)
    state.realised, state.fees = book.realised, book.fees
    if inventory.position == 0:
        return
    state.bid, state.ask, state.last_ns = book.bid, book.ask, ended_ns
    if state.mark_rule == LAST_TRADE:
        state.last_price = book.bid
    state.see_calm()
    watch = state.watch
    done_ns = max(book.actions_ns, book.lots[0].opened_ns)
    while watch.next_action_ns <= done_ns:
        watch.see_action_done()
    state.market_value = state.value_at_mark
    if state.instrument.settlement != "spot":
        state.rebind_margin()
    ledger = state.ledger
    ledger.net_exposure += -state.market_value if inventory.is_inverse else state.market_value
    ledger.gross_exposure += abs(state.market_value)
    ledger.unrealised += state.unrealised


def carry_ledger(ledger: Ledger, carried: CarriedLedger) -> None:
    """Let a currency go on where it stood; the books of its symbols are carried before."""
    ledger.realised, ledger.fees = carried.realised, carried.fees
    ledger.payments = carried.payments
    equity = ledger.initial + ledger.realised - ledger.fees + ledger.unrealised + ledger.payments
    track = ledger.track
    track.equity, track.high_water = equity, carried.high_water
    track.max_drawdown = carried.max_drawdown
    track.observe()
    ledger.day_start = carried.day_start
    ledger.raise_floor()


def begin_total(account: Account) -> None:
    """Let the total of all ledgers begin at what they stand at now."""
    if account.total is None:
        return
    equity = sum(ledger.equity * ledger.total_factor for ledger in account.ledgers)
    account.total = EquityTrack(equity)
    for ledger in account.ledgers:
        ledger.total = account.total


def carry_time(core: TradingCore, ended_ns: int, losses: int, words: Sequence[str]) -> None:
    """The session goes on behind `ended_ns`: what is due in between is booked when it starts.

    `losses` are the closing fills in a row that lost money, `words` are warned of at the start.
    """
    timekeeper: Timekeeper = _get(core, "timekeeper")
    timekeeper.carried_ns = ended_ns
    timekeeper.carried_words = list(words)
    core.order_manager.guards.consecutive_losses = losses


def _get(part: object, name: str) -> Any:
    """An attribute of the core's own, as in `state`."""
    return getattr(part, name)
