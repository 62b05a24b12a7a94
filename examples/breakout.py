"""Buy a new high of the last bars, sell a new low: a whole strategy in twenty lines.

Run it as it stands, or name it: logos trade --strategy examples/breakout.py:Breakout ...
"""

from collections import deque
from pathlib import Path

from logos import Answer, Bar, Context, QuoteBar, Strategy, Target
from logos.session import run


class Breakout(Strategy):
    def __init__(self, lookback: int = 60, quantity: int = 50) -> None:
        self.lookback = lookback
        self.quantity = quantity
        self.closes: dict[str, deque[float]] = {}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        closes = self.closes.setdefault(bar.symbol, deque(maxlen=self.lookback))
        high, low = max(closes, default=bar.close), min(closes, default=bar.close)
        closes.append(bar.close)
        if len(closes) < self.lookback:
            return None
        held = context.position(bar.symbol)
        if bar.close > high and held == 0:
            return Target(self.quantity)
        return Target(0) if bar.close < low and held > 0 else None


if __name__ == "__main__":
    data = Path(__file__).parent.parent / "data" / "cache"
    result = run(
        {
            "strategy": {"name": f"{__file__}:Breakout", "params": {"lookback": 90}},
            "data": {"paths": [str(data)], "symbols": ["ACME"], "accept": ["gap"]},
        }
    )
    print(f"{result.status.value}: see {result.folder}")
