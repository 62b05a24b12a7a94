"""What trading costs where data comes from, as a proposal that a person checks.

Rates of the spot market for who trades little, as fractions of a fill's value.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FIGURES_OF: Final = "ccxt 4.5.90"
FIGURES_DAY: Final = "2026-11-30"


class VenueFees(NamedTuple):
    """The rates of a venue, by its name as people write it."""

    venue: str
    maker: str
    taker: str


SPOT_FEES: Final = {
    "binance": VenueFees("Binance", "0.001", "0.001"),
    "binanceus": VenueFees("Binance US", "0.001", "0.001"),
    "bitfinex": VenueFees("Bitfinex", "0.001", "0.002"),
    "bitstamp": VenueFees("Bitstamp", "0.004", "0.004"),
    "bitvavo": VenueFees("Bitvavo", "0.002", "0.0025"),
    "coinbase": VenueFees("Coinbase Advanced", "0.006", "0.012"),
    "cryptocom": VenueFees("Crypto.com", "0.0025", "0.005"),
    "gate": VenueFees("Gate", "0.002", "0.002"),
    "gemini": VenueFees("Gemini", "0.002", "0.004"),
    "htx": VenueFees("HTX", "0.002", "0.002"),
    "kraken": VenueFees("Kraken", "0.0016", "0.0026"),
    "kucoin": VenueFees("KuCoin", "0.001", "0.001"),
    "okx": VenueFees("OKX", "0.001", "0.0015"),
    "poloniex": VenueFees("Poloniex", "0.0009", "0.0009"),
}
"""By the id that ccxt has for a venue. The figures are those of `describe()` in ccxt."""


def fees_line(source: str) -> str:
    """The line of an instrument's table that proposes the fees of a source; where they are not
    known, a comment that says what follows."""
    found = SPOT_FEES.get(source.lower())
    if found is None:
        return '# fees = { maker = "", taker = "" }  # not known: a session without pays none'
    return (
        f'fees = {{ maker = "{found.maker}", taker = "{found.taker}" }}'
        f"  # {found.venue}, spot, by {FIGURES_OF} on {FIGURES_DAY}: yours may differ"
    )
