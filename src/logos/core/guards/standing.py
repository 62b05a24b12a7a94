"""How a session stands against its limits: money, positions, prices, the used part of each limit.

Whoever watches a session wants to see a limit come near, not only that it was passed. The figures
are of one moment, as exact integers. A guard that judges one order by itself (its size, its price,
whether it repeats another) has no used part, and is left out; so is a guard without a limit. A
guard that judges what could result counts what is open as filled, as it does before an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from logos.core.account import Ledger
from logos.core.guards.limits import SessionGuards
from logos.core.guards.uses import CurrencyRisk, GuardUse, SymbolRisk
from logos.core.handlers.figures import ENTRY_DECIMALS, entry_units
from logos.core.instrument import RATE_SCALE
from logos.core.instrument_state import InstrumentState
from logos.core.order_manager import OrderManager
from logos.core.types import Code

_NO_PRICE: Final = -1


class RiskFigures(msgspec.Struct, frozen=True):
    """Everything at one moment."""

    currencies: tuple[CurrencyRisk, ...]
    symbols: tuple[SymbolRisk, ...]
    guards: tuple[GuardUse, ...]


def risk_figures(order_manager: OrderManager, now_ns: int) -> RiskFigures:
    """The figures of a session at `now_ns` (nanoseconds UTC)."""
    return RiskFigures(
        currencies=currency_figures(order_manager),
        symbols=tuple(_symbol(state, now_ns) for state in order_manager.states.values()),
        guards=tuple(guard_uses(order_manager, now_ns)),
    )


def currency_figures(order_manager: OrderManager) -> tuple[CurrencyRisk, ...]:
    """The ledgers of a session, in its order."""
    return tuple(_currency(ledger) for ledger in order_manager.account.ledgers)


def exposure_limit(ledger: Ledger, states: Iterable[InstrumentState]) -> int:
    """What the ledger's gross exposure may be now, in ledger units; 0: no limit.

    Parts of equity are those of the symbol for which they are the largest: at spot, what the
    session began with of an asset counts for that asset alone (see `InstrumentState.equity_for`).
    """
    limits = ledger.limits
    if not limits.gross_share:
        return limits.gross_exposure
    equity = ledger.equity
    for state in states:
        if state.ledger is ledger:
            equity = max(equity, state.equity_for(state.mark))
    # At least one unit: a share of nothing is not "no limit".
    share = max(equity * limits.gross_share // RATE_SCALE, 1)
    return min(limits.gross_exposure, share) if limits.gross_exposure else share


def guard_uses(order_manager: OrderManager, now_ns: int) -> Iterator[GuardUse]:
    """The used part of every limit that has one: of symbols, of currencies, of the session."""
    for state in order_manager.states.values():
        yield from _symbol_uses(state, now_ns)
    for ledger in order_manager.account.ledgers:
        yield from _ledger_uses(ledger, order_manager)
    yield from _session_uses(order_manager.guards, now_ns)


def _symbol(state: InstrumentState, now_ns: int) -> SymbolRisk:
    instrument = state.instrument
    has_price = state.last_ns != 0
    return SymbolRisk(
        symbol=instrument.symbol,
        currency=state.ledger.currency,
        position_units=state.inventory.position,
        mark_units=state.exact_mark,
        value_units=state.market_value,
        realised_units=state.realised,
        unrealised_units=state.unrealised,
        fees_units=state.fees,
        open_orders=len(state.working),
        price_age_ns=_age_ns(state, now_ns) if has_price else _NO_PRICE,
        stale_after_ns=state.limits.stale_after_ns,
        is_stale=state.is_stale(now_ns),
        is_paused=state.is_paused,
        quantity_decimals=instrument.quantity_decimals,
        mark_decimals=instrument.mark_decimals,
        money_decimals=state.ledger.decimals,
        entry_units=entry_units(state),
        entry_decimals=instrument.price_decimals + ENTRY_DECIMALS,
    )


def _age_ns(state: InstrumentState, now_ns: int) -> int:
    return now_ns - state.last_ns + state.lag_ns


def _currency(ledger: Ledger) -> CurrencyRisk:
    track = ledger.track
    return CurrencyRisk(
        currency=ledger.currency,
        equity_units=track.equity,
        initial_units=ledger.initial,
        realised_units=ledger.realised,
        fees_units=ledger.fees,
        unrealised_units=ledger.unrealised,
        payments_units=ledger.payments,
        gross_exposure_units=ledger.gross_exposure,
        net_exposure_units=ledger.net_exposure,
        high_water_units=track.high_water,
        drawdown_units=track.high_water - track.equity,
        max_drawdown_units=track.max_drawdown,
        day_profit_units=track.equity - ledger.day_start,
        money_decimals=ledger.decimals,
    )


def _symbol_uses(state: InstrumentState, now_ns: int) -> Iterator[GuardUse]:
    limits, symbol = state.limits, state.instrument.symbol
    if limits.stale_after_ns and state.bid:
        age_ns = _age_ns(state, now_ns)
        yield GuardUse(Code.STALE_DATA, symbol, age_ns, limits.stale_after_ns, "s", 9)
    position = state.inventory.position
    worst = max(position + state.open_buy, state.open_sell - position)
    quantity_decimals = state.instrument.quantity_decimals
    if limits.position:
        yield GuardUse(
            Code.MAX_POSITION, symbol, worst, limits.position, "quantity", quantity_decimals
        )
    if limits.position_share and state.mark:
        price = abs(state.mark)
        most = max(state.equity_for(price) * limits.position_share // RATE_SCALE, 0)
        currency, decimals = state.ledger.currency, state.ledger.decimals
        worth = state.value(price, worst)
        yield GuardUse(Code.MAX_POSITION_NOTIONAL, symbol, worth, most, currency, decimals)
    if limits.open_orders:
        count = len(state.working)
        yield GuardUse(Code.MAX_OPEN_ORDERS, symbol, count, limits.open_orders, "orders", 0)


def _ledger_uses(ledger: Ledger, order_manager: OrderManager) -> Iterator[GuardUse]:
    limits, currency = ledger.limits, ledger.currency
    track = ledger.track

    def use(code: Code, used: int, limit: int) -> GuardUse:
        return GuardUse(code, currency, max(used, 0), limit, currency, ledger.decimals)

    if limits.has_gross_limit:
        most = exposure_limit(ledger, order_manager.states.values())
        yield use(Code.GROSS_EXPOSURE, ledger.gross_exposure + ledger.open_increase, most)
    if limits.net_exposure:
        long = ledger.net_exposure + ledger.open_buy_value
        short = ledger.open_sell_value - ledger.net_exposure
        yield use(Code.NET_EXPOSURE, max(long, short), limits.net_exposure)
    if ledger.drawdown_allowance:
        fallen = track.high_water - track.equity
        yield use(Code.MAX_DRAWDOWN, fallen, ledger.drawdown_allowance)
    if limits.daily_loss:
        yield use(Code.MAX_DAILY_LOSS, ledger.day_start - track.equity, limits.daily_loss)


def _session_uses(guards: SessionGuards, now_ns: int) -> Iterator[GuardUse]:
    for code, used, limit, unit in (
        (Code.MAX_TOTAL_OPEN_ORDERS, guards.open_orders, guards.open_orders_limit, "orders"),
        (Code.ORDER_RATE, guards.orders_in_window(now_ns), guards.order_count, "orders"),
        (
            Code.CONSECUTIVE_LOSSES,
            guards.consecutive_losses,
            guards.consecutive_losses_limit,
            "losses",
        ),
        (
            Code.REFUSAL_STORM,
            guards.refusals_in_window(now_ns),
            guards.refusal_count,
            "refusals",
        ),
    ):
        if limit:
            yield GuardUse(code, "", used, limit, unit, 0)
