"""A strategy that always does the same, slowly if told so, and writes down when it was asked.

It is copied into the workspace as `desk.py`. Its pace and its own log come from the environment, so
that its source, which the session names in its manifest, is the same in every run.
"""

import os
import time
from pathlib import Path

from logos import Answer, Bar, Context, QuoteBar, Side, Strategy, limit, market

PACE_S = float(os.environ.get("ATTACK_PACE_S", "0"))
CALLS = os.environ.get("ATTACK_CALLS", "")


class Desk(Strategy):
    """Buys and sells in turn, and keeps a limit order open."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        if CALLS:
            with Path(CALLS).open("a", encoding="utf-8") as calls:
                calls.write(f"{time.monotonic_ns()}\n")
        if PACE_S:
            time.sleep(PACE_S)
        self.seen += 1
        if self.seen % 9 == 0:
            return limit(Side.BUY, 3, f"{bar.close * 0.99:.2f}", tag="low")
        if self.seen % 4 == 0:
            return market(Side.SELL if context.position("ACME") > 0 else Side.BUY, 7)
        return None
