"""A first draft of an instrument, from the figures in a file.

The tick is the finest decimal seen in the prices and the lot the finest seen in the sizes. Both
are guesses a person must check: a venue's tick can be finer than what a sample happened to show,
and recorded sizes can carry the noise of binary floats, which is why more than eight decimals
are not believed.
"""

from __future__ import annotations

from typing import Final

from logos.core.fixed import decimals_of, format_units
from logos.data.layout import clean_header, file_layout
from logos.data.readers.head import first_lines
from logos.data.source import DataSource

_ROWS_TO_LOOK_AT: Final = 5_000
_DECIMALS_BELIEVED: Final = 8
_CURRENCIES: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "BTC", "ETH")


def suggest_instrument(source: DataSource) -> str:
    """A TOML table `[instruments.SYMBOL]` with tick and lot as seen in the source's files.

    Raises DataError when a file cannot be read.
    """
    layout = file_layout(source.kind)
    price_decimals = size_decimals = 0
    for path in source.paths:
        rows = first_lines(path, _ROWS_TO_LOOK_AT)
        header = clean_header(rows[0]) if rows else []
        price_decimals = max(price_decimals, _decimals(rows, header, layout.prices))
        size_decimals = max(size_decimals, _decimals(rows, header, layout.sizes))
    base, quote = guess_currencies(source.symbol)
    key = source.symbol if source.symbol.replace("-", "").isalnum() else f'"{source.symbol}"'
    return (
        f"[instruments.{key}]\n"
        f'tick = "{format_units(1, price_decimals)}"\n'
        f'lot = "{format_units(1, size_decimals)}"\n'
        f'base = "{base}"\n'
        f'quote = "{quote}"\n'
    )


def _decimals(rows: list[list[str]], header: list[str], names: tuple[str, ...]) -> int:
    most = 0
    places = [header.index(name) for name in names if name in header]
    for row in rows[1:]:
        for place in places:
            try:
                decimals = decimals_of(row[place].strip())
            # Rows that cannot be read are the check's business, not a guess's.
            except (ArithmeticError, IndexError, ValueError):
                continue
            if decimals <= _DECIMALS_BELIEVED:
                most = max(most, decimals)
    return most


def guess_currencies(symbol: str) -> tuple[str, str]:
    """(base, quote) by the symbol's ending; what has no known ending is quoted in USD."""
    plain = symbol.partition(".")[0].replace("-", "").replace("/", "")
    for currency in _CURRENCIES:
        if plain.endswith(currency) and len(plain) > len(currency):
            return plain[: -len(currency)], currency
    return symbol, "USD"
