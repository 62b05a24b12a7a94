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


def bought_for(listing: Listing, value: str, now_ns: int, *, is_sold: bool = False) -> str:
    """How much a market order that is told by its value buys, or sells, in whole lots. Raises
    Denied."""
    top = listing.top_at(now_ns)
    if top is None:
        raise Denied(why=Why.CLOSED)
    price, lot = Decimal(top.bid if is_sold else top.ask), Decimal(listing.lot)
    lots = (Decimal(value) / price / lot).to_integral_value(ROUND_DOWN)
    return f"{lots * lot:f}"
