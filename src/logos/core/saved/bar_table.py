"""The part of `table` that is about bars."""

from __future__ import annotations

from typing import Final

from logos.core.bars.book import BarBook, SymbolBars
from logos.core.bars.grid import Grid
from logos.core.bars.history import BarHistory
from logos.core.bars.keeper import BarKeeper
from logos.core.bars.maker import BarMaker
from logos.core.bars.terms import BarTerms
from logos.core.saved.fields import PART, SETTING, Fields

BAR_TABLE: Final[dict[type, Fields]] = {
    BarKeeper: Fields(
        handled=("book",),
        left={
            **dict.fromkeys(("_context", "_order_manager", "_pipeline", "_safety"), PART),
            **dict.fromkeys(("_on_bar", "_on_quote", "_on_trade"), "as Callbacks.on_bar"),
            **dict.fromkeys(("_due", "due_ns"), "follow from the bars that are open"),
        },
    ),
    BarBook: Fields(
        handled=("symbols",),
        left={
            "_by_name": "the same, by their names",
            "level": "told and over within an event",
            "wishes": "the strategy's class has them",
        },
    ),
    SymbolBars: Fields(
        saved=(
            *("done_ns", "is_late_told", "is_waiting", "length_ns", "live_from_ns"),
            *("past_until_ns", "seen_from_ns", "source"),
        ),
        handled=("held", "histories", "makers"),
        left={"index": SETTING, "state": PART},
    ),
    BarTerms: Fields(
        saved=(
            *("bars_seen", "is_warming", "past_bars_seen", "warm_bars_left", "warm_since_ns"),
            "warm_until_ns",
        ),
        left={"length_ns": SETTING, "source": SETTING},
    ),
    BarMaker: Fields(
        saved=(
            *("ask_close", "ask_high", "ask_low", "ask_open", "close", "end_ns", "high"),
            *("is_open", "is_two_sided", "low", "open", "start_ns", "volume"),
        ),
        left={"grid": SETTING, "instrument": SETTING},
    ),
    BarHistory: Fields(
        handled=("bars",), left={"_figures": "made of the bars when asked for", "limit": SETTING}
    ),
    Grid: Fields(
        left={
            **dict.fromkeys(("_shift_ns", "_spans", "length_ns"), SETTING),
            **dict.fromkeys(
                ("_close_ns", "_open_ns", "end_ns", "start_ns"), "looked up for every bar"
            ),
        }
    ),
}
