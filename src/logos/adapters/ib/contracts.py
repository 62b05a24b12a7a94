"""A session's symbols as contracts of Interactive Brokers, and their rules.

`live.markets` names a contract where the symbol alone does not: `AAPL`, `STK:AAPL:SMART:USD`,
`FUT:ES:CME:USD:20261218`, or the number that IB gives it (`265598`). What is not named is a stock
at SMART in the instrument's quote currency. The gateway must know exactly one such contract.

Prices move in the steps of the contract's market rule for the exchange that the order goes to:
interactivebrokers.github.io/tws-api/minimum_increment.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from ib_async.contract import Contract

from logos.core.fixed import to_decimal
from logos.core.instrument import Instrument
from logos.venues.contract import Refused
from logos.venues.records import Unreadable
from logos.venues.rules import MarketRules

KINDS: Final = ("STK", "FUT")
SMART: Final = "SMART"
_SPEC: Final = "KIND:SYMBOL:EXCHANGE:CURRENCY:EXPIRY, such as STK:AAPL:SMART:USD"


class Market(msgspec.Struct, frozen=True):
    """One contract and its rules. `steps` are (from this price on, increment), ascending."""

    con_id: int
    contract: Any
    min_tick: Decimal
    steps: tuple[tuple[Decimal, Decimal], ...]
    min_size: Decimal
    size_step: Decimal
    currency: str
    local_name: str

    def step_at(self, price: Decimal) -> Decimal:
        """The increment of prices at that price."""
        step = self.min_tick
        for edge, increment in self.steps:
            if price >= edge:
                step = increment
        return step

    @property
    def rules(self) -> MarketRules:
        """For the dry run: the finest step of prices, because fills may come at any."""
        steps = [self.min_tick, *(step for _, step in self.steps)]
        return MarketRules(
            tick=min(step for step in steps if step > 0),
            lot=self.size_step or None,
            min_quantity=self.min_size or None,
        )


def contract_of(symbol: str, name: str, quote: str) -> Contract:
    """The contract to look for, in the currency `quote` where the name says none. Raises Refused
    for a name that is none."""
    if name.isdecimal():
        return Contract(conId=int(name), exchange=SMART)
    parts = name.split(":")
    if len(parts) == 1:
        parts = ["STK", name]
    if parts[0] not in KINDS or not 2 <= len(parts) <= 5 or not all(parts):
        raise Refused(
            f"{symbol}: {name!r} names no contract that can be traded here: write "
            f"{_SPEC}, with {' or '.join(KINDS)}, into live.markets"
        )
    kind, called, exchange, currency, expiry = (*parts, "", "", "")[:5]
    if kind == "FUT" and not (exchange and expiry):
        raise Refused(f"{symbol}: a future needs its exchange and expiry: {_SPEC}")
    return Contract(
        secType=kind,
        symbol=called,
        exchange=exchange or SMART,
        currency=currency or quote,
        lastTradeDateOrContractMonth=expiry,
    )


def the_one(symbol: str, asked: Contract, found: Sequence[Any]) -> Any:
    """The one contract that was found. Raises Refused."""
    if len(found) == 1:
        return found[0]
    if not found:
        words = asked.conId or " ".join(
            filter(
                None,
                (asked.secType, asked.symbol, asked.lastTradeDateOrContractMonth, asked.exchange),
            )
        )
        where = f" in {asked.currency}" if asked.currency else ""
        raise Refused(f"{symbol}: Interactive Brokers does not list {words}{where}: {_SPEC}")
    names = ", ".join(
        f"{each.contract.conId} ({each.contract.primaryExchange or each.contract.exchange}, "
        f"{each.contract.currency})"
        for each in found[:5]
    )
    raise Refused(
        f"{symbol}: {len(found)} contracts answer: {names}; name one by its number in live.markets"
    )


def rule_of(details: Any) -> int | None:
    """The number of the market rule for the exchange of the contract; None where there is none."""
    exchanges = str(details.validExchanges).split(",")
    rules = str(details.marketRuleIds).split(",")
    pairs = dict(zip(exchanges, rules, strict=False))
    text = pairs.get(details.contract.exchange, rules[0] if len(set(rules)) == 1 else "")
    return int(text) if text.isdecimal() else None


def market_of(
    instrument: Instrument, details: Any, steps: Sequence[tuple[Decimal, Decimal]]
) -> Market:
    """A contract with its rules. Raises Unreadable and Refused."""
    contract = details.contract
    if not contract.conId or contract.secType not in KINDS:
        raise Unreadable(f"{instrument.symbol}: the gateway's contract has no number")
    multiplier = Decimal(contract.multiplier or 1)
    decimals = instrument.value_decimals - instrument.price_decimals - instrument.quantity_decimals
    if to_decimal(instrument.multiplier, decimals) != multiplier:
        words = f'set instruments.{instrument.symbol}.multiplier = "{multiplier:f}"'
        raise Refused(f"{instrument.symbol}: the contract's multiplier is another: {words}")
    _check_prices(instrument.symbol, details)
    if contract.currency != instrument.quote:
        words = f'set instruments.{instrument.symbol}.quote = "{contract.currency}"'
        raise Refused(f"{instrument.symbol}: it is quoted in {contract.currency}: {words}")
    return Market(
        con_id=contract.conId,
        contract=contract,
        min_tick=Decimal(details.minTick),
        steps=tuple(sorted(steps)),
        min_size=_size(details.minSize),
        size_step=_size(details.sizeIncrement),
        currency=contract.currency,
        local_name=f"{contract.symbol} {contract.secType} at {contract.exchange}",
    )


def table_of(details: Any, steps: Sequence[tuple[Decimal, Decimal]]) -> dict[str, str]:
    """Keys of an instrument from a contract's details. Raises Refused.

    The tick is the finest step of its prices, as in the dry run. IB tells no fees here.
    """
    contract = details.contract
    _check_prices(contract.symbol, details)
    finest = min([Decimal(details.minTick), *(step for _, step in steps if step > 0)])
    lot, least = _size(details.sizeIncrement), _size(details.minSize)
    table = {
        "base": contract.symbol,
        "quote": contract.currency,
        "tick": _plain(finest),
        "lot": _plain(lot or Decimal(1)),
        "settlement": "spot" if contract.secType == "STK" else "margin",
    }
    if least:
        table["min_quantity"] = _plain(least)
    if contract.multiplier and Decimal(contract.multiplier) != 1:
        table["multiplier"] = _plain(Decimal(contract.multiplier))
    return table


def _check_prices(symbol: str, details: Any) -> None:
    """Raise Refused for prices in parts of the currency, such as pence."""
    if int(details.priceMagnifier or 1) != 1:
        raise Refused(f"{symbol}: its prices are in parts of its currency: not proved")


def _plain(figure: Decimal) -> str:
    return f"{figure.normalize():f}"


def _size(figure: Any) -> Decimal:
    number = Decimal(figure or 0)
    return Decimal(0) if abs(number) > Decimal("1E300") else number
