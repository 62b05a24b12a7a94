"""Trade the crossing of two averages of minutes, in the direction of the hours.

Name it: logos trade --strategy examples/ema_timeframes.py:EmaTimeframes ...
"""

from logos import Answer, Bar, Context, QuoteBar, Strategy, Target, param
from logos.indicators import EMA


class EmaTimeframes(Strategy):
    timeframes = ("1m", "1h")

    quantity: int = param(1, 1, meaning="units to hold")

    def on_start(self, context: Context) -> None:
        self.fast, self.slow, self.trend = EMA(10), EMA(30), EMA(8)
        self.is_rising = False

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        if context.timeframe == "1h":
            before = self.trend.value
            self.trend.add(bar.close)
            self.is_rising = before is not None and (self.trend.value or 0) > before
            return None
        self.fast.add(bar.close)
        self.slow.add(bar.close)
        fast, slow = self.fast.value, self.slow.value
        if fast is None or slow is None:
            return None
        return Target(self.quantity if fast > slow and self.is_rising else 0)
