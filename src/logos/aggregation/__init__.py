"""Bars made of trades, quotes or shorter bars: by time, by count, by volume, by value.

    bars = VolumeBars(1000)
    for bar in bars.add(trade): ...

Each maker serves one symbol. `add` takes one event and returns the bars that it closes, mostly
none; a bar that is open is never shown. Everything inside is whole units, so nothing is rounded.
`save` and `load` are for a strategy that saves itself. A strategy that wants time bars need not
make them: see `Strategy.timeframes`.
"""

from __future__ import annotations

from logos.aggregation.counted import DollarBars, TickBars, VolumeBars
from logos.aggregation.timed import TimeBars

__all__ = ["DollarBars", "TickBars", "TimeBars", "VolumeBars"]
