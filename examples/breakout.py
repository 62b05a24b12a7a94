"""Buy a new high of the last bars, sell a new low: a whole strategy in twenty lines.

Run it as it stands, or name it: logos trade --strategy examples/breakout.py:Breakout ...
"""

from collections import deque
from pathlib import Path

from logos import Answer, Bar, Context, QuoteBar, Strategy, Target, param
from logos.session import run


class Breakout(Strategy):
    lookback: int = param(60, 2, 1_000, meaning="closes that are compared with")
    quantity: int = param(50, 1, meaning="units to hold")

    def on_start(self, context: Context) -> None:
        self.closes = {symbol: deque[float](maxlen=self.lookback) for symbol in context.symbols}

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        closes = self.closes[bar.symbol]
        high, low = max(closes, default=bar.close), min(closes, default=bar.close)
        closes.append(bar.close)
        if len(closes) < self.lookback:
            return None
        if bar.close > high:
            return Target(self.quantity)
        return Target(0) if bar.close < low else None


if __name__ == "__main__":
    data = Path(__file__).parent.parent / "data" / "cache"
    result = run(
        {
            "strategy": {"name": f"{__file__}:Breakout", "params": {"lookback": 90}},
            "data": {"paths": [str(data)], "symbols": ["ACME"], "accept": ["gap"]},
        }
    )
    print(f"{result.status.value}: see {result.folder}")
