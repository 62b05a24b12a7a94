"""Small parts of answers that several dialects share."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from logos.simulators.exchange.account import Execution
from logos.simulators.exchange.denials import Denied, Why
from logos.simulators.exchange.market import Listing

Levels = list[list[str]]


def paid(execution: Execution) -> dict[str, Decimal]:
    """What a fill cost, by asset."""
    return {execution.fee_asset: execution.fee, **dict(execution.more_fees)}


def best_prices(listing: Listing, now_ns: int) -> tuple[Levels, Levels]:
    """Bids and asks of a listing, one level of each at most."""
    top = listing.top_at(now_ns)
    if top is None:
        return [], []
    return [[top.bid, top.bid_size]], [[top.ask, top.ask_size]]


def bought_for(listing: Listing, cost: str, now_ns: int) -> str:
    """How much a market order that is told by its cost buys, in whole lots. Raises Denied."""
    top = listing.top_at(now_ns)
    if top is None:
        raise Denied(0, "", why=Why.CLOSED)
    lot = Decimal(listing.lot)
    lots = (Decimal(cost) / Decimal(top.ask) / lot).to_integral_value(ROUND_DOWN)
    return f"{lots * lot:f}"
