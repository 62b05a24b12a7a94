"""A contract and its steps of price, asked of a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ib_async.contract import Contract

from logos.adapters.ib.connection import Connection
from logos.adapters.ib.contracts import rule_of, the_one
from logos.venues.contract import Unavailable


async def look_up(
    connection: Connection, what: str, symbol: str, asked: Contract
) -> tuple[Any, Sequence[tuple[Decimal, Decimal]]]:
    """The details of the one contract that answers, and the steps of its prices: (from this price
    on, increment). Raises Refused where none or several answer, Unavailable."""
    try:
        found = await connection.ask_numbered(
            what, lambda client, number: client.reqContractDetails(number, asked)
        )
    except Unavailable as error:
        if "200: " not in str(error):
            raise
        found = []
    details = the_one(symbol, asked, found)
    rule = rule_of(details)
    if rule is None:
        return details, []
    [steps] = await connection.ask(what, f"rule {rule}", lambda each: each.reqMarketRule(rule))
    return details, steps
