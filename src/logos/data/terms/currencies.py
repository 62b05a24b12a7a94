"""Currencies and coins by their codes, and what a symbol is made of.

A symbol tells its currencies only where both halves of it are known, or a separator stands between
them: GBTC is a fund and no G quoted in BTC. What cannot be told is left empty, for a person.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_FIAT: Final = words(
    "USD EUR GBP JPY CHF AUD CAD NZD SEK NOK DKK PLN CZK HUF RON BGN TRY ILS ZAR MXN BRL ARS CLP"
    " COP PEN CNY CNH HKD SGD KRW INR IDR THB MYR PHP VND TWD RUB UAH KZT AED SAR QAR KWD BHD NGN"
    " KES EGP PKR ISK GEL"
)
_STABLE: Final = words(
    "USDT USDC BUSD TUSD FDUSD USDP PYUSD GUSD SUSD UST USDD USDE USD1 DAI EURT EURC EURI EURS"
    " XUSD RLUSD"
)
_METALS: Final = words("XAU XAG XPT XPD")
_COINS: Final = words(
    "BTC XBT ETH BNB XRP SOL ADA DOGE XDG DOT TRX LTC BCH LINK AVAX MATIC POL SHIB UNI ATOM XLM"
    " XMR ETC FIL ICP HBAR APT ARB OP NEAR VET ALGO AAVE QNT EOS SAND MANA AXS THETA FTM XTZ"
    " EGLD FLOW NEO KAVA ZEC DASH IOTA MKR SNX COMP CRV SUSHI YFI BAT ZRX ENJ CHZ GRT LDO RNDR"
    " INJ SUI SEI TIA PEPE WIF BONK TON WLD BSV KSM WAVES QTUM ONT ICX ZIL OMG LRC ANKR CELO"
    " ROSE ONE RUNE DYDX GMX IMX STX MINA CAKE XEM REN STORJ SKL KNC BAL UMA OCEAN FET BAND NKN"
    " JUP PYTH ENA STRK ORDI WBTC STETH USTC LUNA LUNC FTT HNT AR"
)
_QUOTE_COINS: Final = ("BTC", "XBT", "ETH", "BNB")
"""Coins that other coins are quoted in."""

# The longest ending first: of BTCFDUSD it is FDUSD, of BTCUSDT USDT.
_QUOTES: Final = tuple(
    sorted(_FIAT | _STABLE | {*_QUOTE_COINS}, key=lambda code: (-len(code), code))
)

_SURE: Final = frozenset(("USDT", "USDC", "FDUSD"))

_SETTLED: Final = re.compile(r"([^/:]+)/([^/:]+):([^/:-]+)(?:-.*)?")
"""ccxt's contracts: base/quote:settled in."""
_MULTIPLE: Final = re.compile(r"(?:1M|10{2,7})?(.+)")
"""1000SHIB, 1MBABYDOGE: so many of the coin."""
_CONTRACT: Final = re.compile(
    r"[-_/ ](?:SWAP|PERP|PERPETUAL|FUTURES|[0-9]{6})(?=[-_/ ]|$)|PERP$|=F$"
)
_CONTRACT_WORDS: Final = words("SWAP PERP PERPETUAL FUTURES")


class Currencies(NamedTuple):
    """What a symbol is made of; empty is what cannot be told. `settle` is set where the symbol
    itself says what a contract is settled in."""

    base: str = ""
    quote: str = ""
    settle: str = ""


def is_currency(code: str) -> bool:
    """Whether the code is of money or of a coin that things are quoted in."""
    return code in _FIAT or code in _STABLE or code in _QUOTE_COINS


def is_coin(code: str) -> bool:
    """Whether the code is of a coin that is no money in another shape."""
    return code in _COINS


def is_fiat(code: str) -> bool:
    """Whether the code is of a state's money."""
    return code in _FIAT


def currencies_of(symbol: str) -> Currencies:
    """Base and quote of a symbol, each empty where it cannot be told."""
    settled = _SETTLED.fullmatch(symbol)
    if settled is not None:
        return Currencies(*settled.groups())
    text, _, suffix = symbol.partition("=")
    if suffix not in ("", "X"):
        return Currencies()  # ES=F is a future
    parts = [part for part in re.split(r"[-/_ ]", text) if part]
    if len(parts) > 1:
        base, quote, *rest = parts
        if is_currency(quote.upper()) and all(word.upper() in _CONTRACT_WORDS for word in rest):
            return Currencies(base, quote)
        return Currencies()
    return _joined(text)


def contract_word(symbol: str) -> str:
    """What in a symbol says that it is a contract and no spot market (SWAP, PERP, =F, the day of
    a delivery); empty: nothing."""
    found = _CONTRACT.search(symbol.upper())
    return found[0].strip("-_/ ") if found else ""


def _joined(text: str) -> Currencies:
    halves = [(text.removesuffix(quote), quote) for quote in _QUOTES if text.endswith(quote)]
    known = [Currencies(*half) for half in halves if _is_known_base(half[0])]
    if known:
        return known[0] if len(known) == 1 else Currencies()  # ARBUSD: ARB/USD, AR/BUSD
    # No share is called so; of TUSD and BUSD one cannot be sure: XBTUSD, ARBUSD.
    for base, quote in halves:
        if quote in _SURE and len(base) > 1:
            return Currencies(base, quote)
    return Currencies()


def _is_known_base(base: str) -> bool:
    plain = _MULTIPLE.fullmatch(base)
    coin = plain[1] if plain else base
    return coin in _COINS or coin in _STABLE or base in _FIAT or base in _METALS
