"""What `[carry]` says, put into a fresh core whose instruments are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from logos.config import Config, InstrumentSettings
from logos.config.tables.carry import CarriedSymbol, CarrySettings
from logos.core.engine import TradingCore
from logos.core.fixed import decimals_of, parse_units
from logos.core.instrument import Instrument
from logos.core.instrument_state import InstrumentState
from logos.core.saved.carried import (
    CarriedBook,
    CarriedLedger,
    begin_total,
    carry_book,
    carry_ledger,
    carry_time,
)
from logos.errors import DataError
from logos.session.artifacts.rows import Moments
from logos.session.carrying.books import CarryError
from logos.session.carrying.lots import money_of, read_lot


def apply_carry(core: TradingCore, config: Config) -> None:
    """Let a fresh core hold what its session took over, if it did.

    Raises CarryError when what is held does not fit the session's instruments.
    """
    carry = config.carry
    if isinstance(carry, msgspec.UnsetType):
        return
    order_manager = core.order_manager
    account, states = order_manager.account, order_manager.states
    _check_currencies(carry, [ledger.currency for ledger in account.ledgers])
    for wallet in account.wallets:
        if wallet.asset in carry.balances:
            wallet.balance = parse_units(carry.balances[wallet.asset], wallet.decimals)
    carry_books(config, states)
    for ledger in account.ledgers:
        if ledger.currency in carry.realised:
            carry_ledger(ledger, _ledger(carry, ledger.currency, ledger.decimals))
    begin_total(account)
    carry_time(core, carry.ended_ns, carry.losses, carry_words(carry))


def carry_books(config: Config, states: Mapping[str, InstrumentState]) -> None:
    """Let the symbols hold what was taken over. Raises CarryError as `apply_carry`."""
    carry = config.carry
    if isinstance(carry, msgspec.UnsetType):
        return
    for symbol, carried in carry.symbols.items():
        state = states.get(symbol)
        if state is None:
            if carried.lots:
                raise CarryError(
                    f"session {carry.session} holds {symbol}, which the new session does not "
                    f"trade: it trades {', '.join(states)}"
                )
            continue
        _check_terms(carry.session, symbol, carried, config.instruments[symbol])
        carry_book(state, _book(carried, state), carry.ended_ns)


def carried_amounts(config: Config, asset: str) -> Iterator[Decimal]:
    """Every amount of `asset` that was taken over: its scale must hold them all."""
    carry = config.carry
    if isinstance(carry, msgspec.UnsetType):
        return
    yield carry.balances.get(asset, Decimal(0))
    for table in (carry.realised, carry.fees, carry.payments, carry.high_water):
        yield table.get(asset, Decimal(0))
    yield carry.max_drawdown.get(asset, Decimal(0))
    yield carry.day_start.get(asset, Decimal(0))
    for each in carry.symbols.values():
        if each.quote == asset:
            yield from (each.realised, each.fees)
            for text in each.lots:
                yield from money_of(text)


def carry_words(carry: CarrySettings) -> list[str]:
    """What was taken over and what was not, as operators read it."""
    held = [
        f"{symbol} {_quantity(each)} in {len(each.lots)} lots"
        for symbol, each in carry.symbols.items()
        if each.lots
    ]
    words = [f"carries session {carry.session} on: {', '.join(held) or 'no position'}"]
    if carry.left:
        words.append(
            f"orders of {carry.session} that rested are not carried: {', '.join(carry.left)}"
        )
    return words


def check_time(config: Config, first_ns: int) -> None:
    """Raise DataError for a first event from before what the session took over."""
    carry = config.carry
    if not isinstance(carry, msgspec.UnsetType) and first_ns < carry.ended_ns:
        ended, first = (Moments().text(ts_ns) for ts_ns in (carry.ended_ns, first_ns))
        raise DataError(
            f"the first event is of {first}, and session {carry.session}, which is carried on, "
            f"ended at {ended}: begin with later data (--from)"
        )


def _check_terms(
    who: str, symbol: str, carried: CarriedSymbol, settings: InstrumentSettings
) -> None:
    """Raise CarryError unless a symbol is traded on the terms under which it was held."""
    now: dict[str, object] = {
        "quote": settings.quote,
        "base": settings.base or symbol,
        "settlement": settings.settlement,
        "tick": settings.tick,
        "lot": settings.lot,
        "multiplier": settings.multiplier,
    }
    for name in now if carried.lots else ("quote",):
        then = getattr(carried, name)
        if then != now[name]:
            raise CarryError(
                f"{symbol}: its {name} was {then} in session {who} and is {now[name]} now, so what "
                "is held would be counted wrongly; trade it on the same terms"
            )


def _check_currencies(carry: CarrySettings, currencies: list[str]) -> None:
    missing = [each for each in carry.realised if each not in currencies]
    if missing:
        raise CarryError(
            f"session {carry.session} has an account in {', '.join(missing)}, and nothing that "
            f"the new session trades is quoted in it: it has {', '.join(currencies)}"
        )


def _check_fine(instrument: Instrument, prices: list[Decimal]) -> None:
    """Refuse prices that the new session has no decimals for: nothing is rounded."""
    finest = max(prices, key=decimals_of)
    if decimals_of(finest) > instrument.price_decimals:
        raise CarryError(
            f"{instrument.symbol} is carried on at a price of {finest}, and the prices of the new"
            f" session go in steps of {instrument.price_text(instrument.data_tick)}: give the"
            " instrument the tick or data_tick that it had"
        )


def _book(carried: CarriedSymbol, state: InstrumentState) -> CarriedBook:
    instrument, money = state.instrument, state.ledger.decimals
    prices, quantities = instrument.price_decimals, instrument.quantity_decimals
    if carried.lots:
        held = [Decimal(text.split(" ")[2]) for text in carried.lots if text.count(" ") > 1]
        _check_fine(instrument, [*held, carried.bid, carried.ask])
    lots = [read_lot(text, prices, quantities, money) for text in carried.lots]
    return CarriedBook(
        lots,
        carried.next_lot,
        parse_units(carried.bid, prices) if lots else 0,
        parse_units(carried.ask, prices) if lots else 0,
        parse_units(carried.realised, money),
        parse_units(carried.fees, money),
        carried.actions_ns,
    )


def _ledger(carry: CarrySettings, currency: str, decimals: int) -> CarriedLedger:
    def units(table: Mapping[str, Decimal]) -> int:
        return parse_units(table[currency], decimals)

    return CarriedLedger(
        units(carry.realised),
        units(carry.fees),
        units(carry.payments),
        units(carry.high_water),
        units(carry.max_drawdown),
        units(carry.day_start),
    )


def _quantity(carried: CarriedSymbol) -> str:
    return str(sum(Decimal(text.split(" ")[1]) for text in carried.lots))
