"""Buy what has fallen too far, with a stop and a target: RSI below 30 under the lower band.

Name it: logos trade --strategy examples/rsi_bollinger.py:RsiBollinger ...
"""

from logos import Answer, Bar, Context, QuoteBar, Side, Strategy, market, param
from logos.indicators import RSI, Bollinger


class RsiBollinger(Strategy):
    quantity: int = param(1, 1, meaning="units to buy")
    risk: float = param(0.003, 0, 0.5, meaning="fraction of the price from the close to the stop")

    def on_start(self, context: Context) -> None:
        self.rsi, self.bands = RSI(14), Bollinger(20, 2.0)

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.rsi.add(bar.close)
        self.bands.add(bar.close)
        rsi, lower = self.rsi.value, self.bands.lower
        if rsi is None or lower is None or context.position(bar.symbol):
            return None
        if rsi >= 30 or bar.close >= lower:
            return None
        stop = round(bar.close * (1 - self.risk), 2)
        target = round(bar.close * (1 + 2 * self.risk), 2)
        return market(Side.BUY, self.quantity, stop_loss=stop, take_profit=target)
