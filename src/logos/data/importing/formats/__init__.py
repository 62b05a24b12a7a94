"""The known layouts, a family of vendors a module, each record with its source."""

from __future__ import annotations

from typing import Final

from logos.data.importing.formats import (
    binance,
    dukascopy,
    exchanges,
    freqtrade,
    histdata,
    interfaces,
    lean,
    metatrader,
    sites,
    stocks,
    tardis,
    us_feeds,
)
from logos.data.importing.record import ForeignLayout

LAYOUTS: Final[tuple[ForeignLayout, ...]] = (
    *binance.LAYOUTS,
    *exchanges.LAYOUTS,
    *interfaces.LAYOUTS,
    *freqtrade.LAYOUTS,
    *tardis.LAYOUTS,
    *metatrader.LAYOUTS,
    *dukascopy.LAYOUTS,
    *histdata.LAYOUTS,
    *stocks.LAYOUTS,
    *sites.LAYOUTS,
    *us_feeds.LAYOUTS,
    *lean.LAYOUTS,
)
