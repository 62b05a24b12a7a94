"""Limit orders with tags: bid below the market, follow it, and offer what was bought for more."""

from decimal import Decimal
from pathlib import Path

import logos
from logos import Answer, Cancel, Context, Replace, Side, Strategy
from logos.session import run


class Ladder(Strategy):
    """One tagged bid at a time; every fill of it puts out an offer of the same size."""

    def __init__(self, distance: float = 0.002, gain: float = 0.003, quantity: int = 20) -> None:
        self.distance, self.gain, self.quantity = distance, gain, quantity

    def on_bar(self, context: Context, bar: logos.Bar | logos.QuoteBar) -> Answer:
        price = bar.close * (1 - self.distance)
        bids = [one for one in context.open_orders(bar.symbol) if one.tag == "bid"]
        if context.position(bar.symbol) >= 5 * self.quantity:
            return Cancel(tag="bid") if bids else None
        if not bids:
            return logos.limit(Side.BUY, self.quantity, price, tag="bid")
        behind = Decimal(price) - (bids[0].limit_price or Decimal(0))
        return Replace(tag="bid", limit_price=price) if behind > Decimal("0.25") else None

    def on_fill(self, context: Context, fill: logos.PaperFillRecord) -> Answer:
        if fill.side is Side.SELL:
            return None
        goal = fill.price * (1 + Decimal(str(self.gain)))
        bought = min(fill.quantity, context.position(fill.symbol))
        return logos.limit(Side.SELL, bought, goal, tag=f"out-{fill.fill_id}")


if __name__ == "__main__":
    data = str(Path(__file__).parent.parent / "data" / "cache")
    files = {"paths": [data], "symbols": ["ACME"], "accept": ["gap"]}
    result = run({"strategy": {"name": f"{__file__}:Ladder"}, "data": files})
    print(f"{result.status.value}: see {result.folder}")
