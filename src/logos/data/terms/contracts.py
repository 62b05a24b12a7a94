"""Contracts whose symbol, or symbol and venue, says that they are settled in the coin.

A perpetual that is set up as one on margin in dollars, with a multiplier of 1, looks like any
other contract; only its name tells that one of it is a dollar, and no bitcoin. Here is what venues
call their coin-settled contracts, each with where that is documented. A name that a spot market
has too (XBTUSD, BTCUSD) tells it only where the venue is known.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class CoinSettled(NamedTuple):
    """A family of coin-settled contracts. `pattern` has the group `coin`; `venues` are words of a
    file's name of which one must be there (none: the symbol is enough); `worth` says what one
    contract is worth."""

    venue: str
    pattern: str
    worth: str
    source: str
    venues: tuple[str, ...] = ()


_COIN: Final = r"(?P<coin>[A-Z0-9]+?)"
_DAY: Final = r"[0-9]{6}"

FAMILIES: Final = (
    CoinSettled(
        "Binance COIN-M",
        rf"{_COIN}USD_(?:PERP|{_DAY})",
        "100 USD of BTC, 10 USD of other coins",
        "https://developers.binance.com/docs/derivatives/coin-margined-futures/general-info",
    ),
    CoinSettled(
        "OKX",
        rf"{_COIN}-USD-(?:SWAP|{_DAY})",
        "100 USD of BTC, 10 USD of other coins",
        "https://www.okx.com/help/7053456733325",
    ),
    CoinSettled(
        "Deribit",
        rf"{_COIN}-(?:PERPETUAL|[0-9]{{1,2}}[A-Z]{{3}}[0-9]{{2}})",
        "10 USD of BTC, 1 USD of ETH",
        "https://docs.deribit.com (public/get_instruments: instrument_type reversed)",
    ),
    CoinSettled(
        "Kraken Futures",
        rf"(?:PI|FI)_{_COIN}USD(?:_{_DAY})?",
        "1 USD",
        "https://docs.kraken.com/api/docs/futures-api/trading/get-instruments (futures_inverse)",
    ),
    CoinSettled(
        "BitMEX",
        r"(?P<coin>XBT)USD|(?P<dated>XBT)[FGHJKMNQUVXZ][0-9]{2}",
        "1 USD",
        "https://www.bitmex.com/app/contract/XBTUSD",
        ("bitmex",),
    ),
    CoinSettled(
        "Bybit inverse",
        rf"{_COIN}USD(?:[HMUZ][0-9]{{2}})?",
        "1 USD",
        "https://bybit-exchange.github.io/doc-v3-offline/derivatives/enum",
        ("bybit",),
    ),
)


class Settlement(NamedTuple):
    """What a contract is settled in, and of which family it is."""

    coin: str
    family: CoinSettled


def coin_settled(symbol: str, words: frozenset[str] = frozenset()) -> Settlement | None:
    """What the contract is settled in, where its symbol says that it is a coin; None where it does
    not. `words` are those of the file's name, in small letters, of which one may be the venue."""
    for family in FAMILIES:
        if family.venues and not words.intersection(family.venues):
            continue
        match = re.fullmatch(family.pattern, symbol.upper())
        if match is not None:
            found = match.groupdict()
            return Settlement(found["coin"] or found["dated"], family)
    return None
