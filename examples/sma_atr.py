"""Buy when a fast average crosses above a slow one; sell at a stop that trails by the true range.

Name it: logos trade --strategy examples/sma_atr.py:SmaAtr ...
"""

from logos import Answer, Bar, Context, QuoteBar, Replace, Side, Strategy, Target, market, param
from logos.indicators import ATR, SMA


class SmaAtr(Strategy):
    quantity: int = param(1, 1, meaning="units to buy")
    distance: float = param(3.0, 0.1, 50, meaning="average ranges from the close to the stop")

    def on_start(self, context: Context) -> None:
        self.fast, self.slow, self.atr = SMA(10), SMA(30), ATR(14)
        self.was_above, self.stop = True, 0.0

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.fast.add(bar.close)
        self.slow.add(bar.close)
        self.atr.add(bar.high, bar.low, bar.close)
        fast, slow, atr = self.fast.value, self.slow.value, self.atr.value
        if fast is None or slow is None or atr is None:
            return None
        crossed, self.was_above = fast > slow and not self.was_above, fast > slow
        stop = round(bar.close - self.distance * atr, 2)
        if not context.position(bar.symbol):
            self.stop = stop
            return market(Side.BUY, self.quantity, stop_loss=stop) if crossed else None
        if not self.was_above:
            return Target(0)
        if stop <= self.stop:
            return None
        self.stop = stop
        return Replace(tag="stop", stop_price=stop)
