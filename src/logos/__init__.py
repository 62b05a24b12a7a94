"""logos: a paper-first trading engine whose safety can be proved.

What a strategist needs is here: `from logos import Strategy, Side, Target`. Names are loaded when
they are asked for, so that the command line stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from logos.core.messages import Bar, Quote, QuoteBar, Trade
    from logos.core.records import PaperFillRecord
    from logos.core.strategy import (
        Answer,
        Cancel,
        Context,
        OrderRequest,
        Replace,
        Strategy,
        Target,
        Weight,
        limit,
        market,
        stop,
        stop_limit,
    )
    from logos.core.types import OrderType, Side, TimeInForce

__all__ = [
    "Answer",
    "Bar",
    "Cancel",
    "Context",
    "OrderRequest",
    "OrderType",
    "PaperFillRecord",
    "Quote",
    "QuoteBar",
    "Replace",
    "Side",
    "Strategy",
    "Target",
    "TimeInForce",
    "Trade",
    "Weight",
    "limit",
    "market",
    "stop",
    "stop_limit",
]

_HOMES = {
    **dict.fromkeys(("Bar", "Quote", "QuoteBar", "Trade"), "logos.core.messages"),
    "PaperFillRecord": "logos.core.records",
    **dict.fromkeys(("OrderType", "Side", "TimeInForce"), "logos.core.types"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'logos' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "logos.core.strategy")), name)
