"""What a session came to: its figures, round trips, equity and prices, read from its folder.

`analyse(folder)` reads one session, finished, running or dead, and writes nothing. The report, the
dashboard, the screen and the comparison show what it says and compute nothing themselves.
"""

from logos.analysis.analyse import analyse
from logos.analysis.figures import Period, Side, Slot, Statistics, SymbolFigures
from logos.analysis.model import Analysis, Bars, Book, Equity, Event, Facts, Fill, OpenTrip, Trip

__all__ = [
    "Analysis",
    "Bars",
    "Book",
    "Equity",
    "Event",
    "Facts",
    "Fill",
    "OpenTrip",
    "Period",
    "Side",
    "Slot",
    "Statistics",
    "SymbolFigures",
    "Trip",
    "analyse",
]
