"""The dry run at a gateway: the account, and the contracts' rules against the session's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from logos.adapters.ib.contracts import Market
from logos.core.instrument import Instrument
from logos.venues.contract import CheckLine
from logos.venues.rules import compare_rules


def account_line(balances: Mapping[str, Decimal], open_count: int) -> CheckLine:
    """What could be read of the account."""
    above = sum(amount > 0 for amount in balances.values())
    words = f"balances can be read; {above} assets above zero; open orders listed: {open_count}"
    return CheckLine("balances", True, words)


def market_lines(instrument: Instrument, market: Market) -> list[CheckLine]:
    """The contract that was found, and its rules.

    That the account may trade it is not told before an order is made.
    """
    symbol = instrument.symbol
    words = f"{market.local_name}, number {market.con_id}, in {market.currency}"
    return [CheckLine(f"{symbol} market", True, words), *compare_rules(instrument, market.rules)]
