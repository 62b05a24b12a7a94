"""The layouts of market data files: which columns a kind has, and how to tell the kind.

A file says what it holds in its header. Columns are found by name, in any order; columns with
other names are ignored; those in `optional` may be missing and then count as not reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from logos.core.types import NS_PER_DAY, NS_PER_MINUTE

BARS: Final = "bars"
QUOTE_BARS: Final = "quote_bars"
QUOTES: Final = "quotes"
TRADES: Final = "trades"

TIMESTAMP: Final = "timestamp"

SYMBOL_COLUMNS: Final = (
    *("symbol", "ticker", "<ticker>", "sym", "instrument", "pair", "product_id", "secid", "tic"),
    *("code", "instrument_id", "inst_id", "instid", "market", "asset", "security", "contract"),
    *("isin", "name", "stock", "currency_pair"),
)
"""Columns that say which symbol a row is of; the first that a file has counts."""

FREE_SYMBOL_COLUMNS: Final = frozenset(
    ("market", "asset", "security", "contract", "isin", "name", "stock")
)
"""Those that may call it something else than its symbol: they must only be the same throughout."""

EXTENSIONS: Final = (".csv", ".csv.gz", ".parquet")

INTERVAL_TOKENS_NS: Final = {
    "1m": NS_PER_MINUTE,
    "5m": 5 * NS_PER_MINUTE,
    "15m": 15 * NS_PER_MINUTE,
    "30m": 30 * NS_PER_MINUTE,
    "1h": 60 * NS_PER_MINUTE,
    "4h": 240 * NS_PER_MINUTE,
    "1d": NS_PER_DAY,
}


class Layout(msgspec.Struct, frozen=True):
    """Columns after the timestamp, in the order of the event they become."""

    kind: str
    prices: tuple[str, ...]
    sizes: tuple[str, ...]
    sides: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """Column names that must be there."""
        return (TIMESTAMP, *self.prices)

    @property
    def columns(self) -> tuple[str, ...]:
        """All column names, as they are written."""
        return (TIMESTAMP, *self.prices, *self.sizes, *self.sides)


LAYOUTS: Final = {
    BARS: Layout(BARS, ("open", "high", "low", "close"), ("volume",)),
    QUOTES: Layout(QUOTES, ("bid", "ask"), ("bid_size", "ask_size")),
    TRADES: Layout(TRADES, ("price",), ("size",), ("side",)),
}


def file_layout(kind: str) -> Layout:
    """The layout of one file of a source of `kind`: a two-sided pair is two files of bars."""
    return LAYOUTS[BARS if kind == QUOTE_BARS else kind]


def clean_header(names: Sequence[str]) -> list[str]:
    """Header names without case, blanks and byte-order mark."""
    return [name.strip().strip("\ufeff").strip().lower() for name in names]


_SIZE_NAMES: Final = {
    "volume": ("vol", "vol.", "volume_base", "base_volume", "basevolume", "volume base"),
    "size": (
        *("qty", "quantity", "amount", "volume", "vol", "trade_size", "last_size", "base_qty"),
        *("size_base", "base_volume", "trade_volume"),
    ),
    "bid_size": (
        *("bidsize", "bid size", "bid_qty", "bidqty", "bid_volume", "bidvolume", "bid volume"),
        *("bid_amount", "bidvol", "bid_vol", "best_bid_qty", "bid_quantity"),
    ),
    "ask_size": (
        *("asksize", "ask size", "ask_qty", "askqty", "ask_volume", "askvolume", "ask volume"),
        *("ask_amount", "askvol", "ask_vol", "best_ask_qty", "ask_quantity"),
    ),
}
"""What sizes are called elsewhere. A count of ticks is none, and no value in the quote currency."""

_VOLUME_IN: Final = re.compile(
    r"(?:volume|vol)[ _.]*[(\[]?([a-z0-9]{2,12})[)\]]?|([a-z0-9]{2,12})[ _]volume"
)


def with_sizes(names: Sequence[str], layout: Layout, base: str, quote: str) -> list[str]:
    """The header (cleaned) with sizes under our names, where they have another of the usual ones.

    `Volume BTC` is the volume where BTC is the base currency, and none where it is the quote.
    """
    header = list(names)
    for size in layout.sizes:
        if size in header:
            continue
        known = _SIZE_NAMES[size]
        places = [place for place, name in enumerate(header) if name in known]
        if not places and size == "volume":
            places = [at for at, name in enumerate(header) if _is_volume_in(name, base, quote)]
        if places:
            header[places[0]] = size
    return header


def _is_volume_in(name: str, base: str, quote: str) -> bool:
    found = _VOLUME_IN.fullmatch(name)
    currency = (found[1] or found[2]) if found else ""
    return bool(currency) and currency == base.lower() != quote.lower()


def symbol_column(names: Sequence[str]) -> str:
    """Which of the columns (cleaned) says the symbol of a row; empty: none."""
    return next((name for name in SYMBOL_COLUMNS if name in names), "")


def kind_of_header(names: Sequence[str]) -> str | None:
    """The kind whose required columns are all in `names` (cleaned), or None."""
    if len(set(names)) != len(names):
        return None
    for kind, layout in LAYOUTS.items():
        if set(layout.required) <= set(names):
            return kind
    return None


def extension_of(path: Path) -> str | None:
    """The extension of a market data file (".csv", ".csv.gz", ".parquet"), or None."""
    name = path.name.lower()
    for extension in EXTENSIONS:
        if name.endswith(extension):
            return extension
    return None


def stem_of(path: Path) -> str:
    """The file's name without its market data extension."""
    extension = extension_of(path)
    return path.name[: -len(extension)] if extension else path.name


def describe_layouts() -> str:
    """The known headers, for error messages."""
    return "; ".join(f"{kind}: {','.join(layout.columns)}" for kind, layout in LAYOUTS.items())
