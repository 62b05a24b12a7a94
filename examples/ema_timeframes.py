"""Trade the crossing of two averages of minutes, in the direction of the hours.

Name it: logos trade --strategy examples/ema_timeframes.py:EmaTimeframes ...
"""

from logos import Answer, Bar, Context, QuoteBar, Strategy, Target
from logos.indicators import EMA


class EmaTimeframes(Strategy):
    timeframes = ("1m", "1h")

    def __init__(self, fast: int = 10, slow: int = 30, trend: int = 8, quantity: int = 1) -> None:
        self.fast, self.slow, self.trend = EMA(fast), EMA(slow), EMA(trend)
        self.quantity, self.is_rising = quantity, False

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
