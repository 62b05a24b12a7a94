"""`logos data fetch`: market data of an exchange, a broker or Yahoo, into files to replay."""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

from logos import paths
from logos.adapters.fetch import SOURCES, fetch
from logos.adapters.fetch_request import FetchRequest
from logos.config import ConfigError
from logos.config.credentials import market_data_credentials
from logos.config.secret import Secret
from logos.data.names import check_symbol
from logos.data.readers.numbers import RowError, parse_timestamp
from logos.errors import DataError
from logos.execution.clock import SystemClock

_YAHOO_ENDINGS = ("X", "F")
_KINDS = ("bars", "trades", "quotes", "both")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos data fetch`."""
    parser.add_argument("source", choices=SOURCES, help="ccxt (exchanges), yahoo, alpaca or ib")
    parser.add_argument(
        "--exchange",
        default="",
        metavar="ID",
        help="the exchange's ccxt id: binance; of alpaca: iex or sip; of ib: delayed",
    )
    parser.add_argument(
        "--markets",
        required=True,
        metavar="A,B",
        help="SYMBOL=NAME, such as BTCUSDT=BTC/USDT or SPY (name and symbol alike)",
    )
    parser.add_argument("--kind", choices=_KINDS, default="bars", help="default: bars")
    parser.add_argument("--interval", default="1m", help="length of bars (default: 1m)")
    span = parser.add_mutually_exclusive_group(required=True)
    span.add_argument("--since", type=_moment, metavar="TIME", help="history from this time (UTC)")
    span.add_argument("--minutes", type=_minutes, help="record the live feed for this many minutes")
    parser.add_argument(
        "--until", type=_moment, metavar="TIME", help="end of the history (default: now)"
    )
    parser.add_argument(
        "--transport", choices=("poll", "websocket"), default="poll", help="how to record"
    )
    parser.add_argument("--url", default="", help="ask this address instead (a local exchange)")
    parser.add_argument("--tick", default="0.01", help="yahoo, alpaca: price step (default: 0.01)")
    parser.add_argument("--lot", default="1", help="yahoo, alpaca: quantity step (default: 1)")
    parser.add_argument(
        "--currency", default="USD", help="yahoo, alpaca, ib: currency of prices (default: USD)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default: data/cache/SOURCE of the workspace"
    )


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch and name the files; 0. Raises DataError, and OSError when they cannot be written."""
    if options.source == "ccxt" and not options.exchange:
        raise DataError("ccxt needs an exchange: --exchange binance, or another ccxt id")
    origin = options.exchange if options.source == "ccxt" else options.source
    request = FetchRequest(
        source=options.source,
        markets=_markets(options.markets),
        out=options.out or paths.cache_dir() / origin,
        exchange=options.exchange,
        kind=options.kind,
        interval=options.interval,
        since_ns=options.since or 0,
        until_ns=options.until or 0,
        minutes=options.minutes or 0.0,
        transport=options.transport,
        url=options.url,
        tick=options.tick,
        lot=options.lot,
        currency=options.currency,
        keys=_keys() if options.source == "alpaca" else None,
    )
    try:
        seed = paths.env_seed()
    except ValueError as error:
        raise DataError(str(error)) from None
    # Only for the spacing of retries.
    random = Random(seed)  # noqa: S311
    for path in fetch(request, SystemClock(), random, print):
        print(f"{path}  {path.stat().st_size} bytes")
    return 0


def _keys() -> tuple[Secret, Secret]:
    """Alpaca's keys. Raises DataError when there are none."""
    try:
        found = market_data_credentials()
    except ConfigError as error:
        raise DataError(str(error)) from None
    return found.key, found.secret


def _markets(text: str) -> dict[str, str]:
    """`"BTCUSDT=BTC/USDT,SPY"` as symbol -> the source's name."""
    found: dict[str, str] = {}
    for word in text.split(","):
        symbol, name = _market(word.strip())
        try:
            check_symbol(symbol)
        except DataError as error:
            raise DataError(f"--markets: {word!r}: {error}") from None
        found[symbol] = name
    return found


def _market(word: str) -> tuple[str, str]:
    """Symbol and the source's name; Yahoo's own names end in =X and =F: EURUSD=X, ES=F."""
    half = len(word) // 2
    if word[half : half + 1] == "=" and word[:half] == word[half + 1 :]:
        return word[:half], word[:half]
    symbol, _, name = word.partition("=")
    if not name or name in _YAHOO_ENDINGS:
        return word.removesuffix("="), word.removesuffix("=")
    return symbol, name


def _moment(text: str) -> int:
    try:
        # A date alone is its midnight.
        return parse_timestamp(text if "T" in text else f"{text}T00:00:00Z")
    except RowError as error:
        raise argparse.ArgumentTypeError(error.detail) from None


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= 100_000:
        raise argparse.ArgumentTypeError(f"a number of minutes above 0, not {text!r}")
    return minutes
