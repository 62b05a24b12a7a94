"""The bundled market data: made from a seed, written as files, and checked by a manifest.

The project ships no recordings of others; `data/cache/` holds synthetic days of an equity, two
cryptocurrencies and a currency pair in the layouts of real downloads. The bytes depend on the
seed and the generator's version alone. `manifest.json` is written last and names every file with
its SHA-256, so a bundle that was cut short or edited is detected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, Quote, QuoteBar, Trade
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE
from logos.data import synthetic
from logos.data.readers.numbers import format_timestamp
from logos.files import make_folder, open_new
from logos.paths import SEED_DEFAULT

MANIFEST_NAME: Final = "manifest.json"
INSTRUMENTS_NAME: Final = "instruments.toml"

_DAYS: Final = 3
_QUOTES: Final = 3_000
_MONDAY_NS: Final = 20_458 * NS_PER_DAY  # 2026-01-05T00:00Z
_SUNDAY_ROLL_NS: Final = _MONDAY_NS - NS_PER_DAY + synthetic.ROLL_MINUTE * NS_PER_MINUTE
_QUOTES_START_NS: Final = _MONDAY_NS + 14 * 60 * NS_PER_MINUTE

_BARS_HEADER: Final = "timestamp,open,high,low,close,volume"
_QUOTES_HEADER: Final = "timestamp,bid,ask,bid_size,ask_size"
_TRADES_HEADER: Final = "timestamp,price,size,side"

# The keys of instruments.toml: numbers as decimal text, apart from leverage and fee decimals.
_INSTRUMENTS: Final[dict[str, dict[str, Any]]] = {
    "ACME": {
        "base": "ACME",
        "quote": "USD",
        "tick": "0.01",
        "lot": "1",
        "min_quantity": "1",
        "settlement": "spot",
        "fees": {"per_unit": "0.005", "minimum": "1", "decimals": 2, "rounding": "up"},
    },
    "BTCUSDT": {
        "base": "BTC",
        "quote": "USDT",
        "tick": "0.01",
        "lot": "0.00001",
        "min_quantity": "0.00001",
        "max_quantity": "9000",
        "min_notional": "5",
        "settlement": "spot",
        "fees": {"maker": "0.001", "taker": "0.001", "decimals": 8, "rounding": "up"},
    },
    "ETHUSDT": {
        "base": "ETH",
        "quote": "USDT",
        "tick": "0.01",
        "lot": "0.0001",
        "min_quantity": "0.0001",
        "max_quantity": "9000",
        "min_notional": "5",
        "settlement": "spot",
        "fees": {"maker": "0.001", "taker": "0.001", "decimals": 8, "rounding": "up"},
    },
    "EURUSD": {
        "base": "EUR",
        "quote": "USD",
        "tick": "0.00001",
        "lot": "1000",
        "min_quantity": "1000",
        "max_quantity": "50000000",
        "settlement": "margin",
        "leverage": 30,
        "initial_margin": "1",
        "maintenance_margin": "0.5",
        "fees": {"taker": "0.00002", "maker": "0.00002", "decimals": 2, "rounding": "half_up"},
    },
}


class FileEntry(msgspec.Struct, frozen=True):
    """What the manifest says of one file. `rows` leaves the header out."""

    kind: str
    symbol: str
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """The contents of `manifest.json`."""

    generator: str
    generator_version: int
    seed: int
    files: dict[str, FileEntry]


def write_fixtures(out_dir: Path, seed: int = SEED_DEFAULT) -> list[Path]:
    """Write the whole bundle to `out_dir`, replacing what is there; give the files written.

    Raises OSError when the folder cannot be written, ValueError for a negative seed.
    """
    tables = _tables(seed)
    make_folder(out_dir)
    # An old manifest must not vouch for a bundle that is being replaced.
    (out_dir / MANIFEST_NAME).unlink(missing_ok=True)
    files: dict[str, FileEntry] = {}
    for name, kind, symbol, lines in tables:
        content = "".join(f"{line}\n" for line in lines).encode()
        with open_new(out_dir / name) as file:
            file.write(content)
        rows = len(lines) - 1 if name.endswith(".csv") else len(_INSTRUMENTS)
        files[name] = FileEntry(kind, symbol, rows, hashlib.sha256(content).hexdigest())
    manifest = Manifest("logos.data.synthetic", synthetic.GENERATOR_VERSION, seed, files)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    with open_new(out_dir / MANIFEST_NAME) as file:
        file.write(encoded + b"\n")
    return [out_dir / name for name in (*files, MANIFEST_NAME)]


def fixture_names() -> list[str]:
    """The names of all files of the bundle, the manifest last."""
    return [
        "ACME_1m_bars.csv",
        "BTCUSDT_1m_bars.csv",
        "EURUSD_1m_bid.csv",
        "EURUSD_1m_ask.csv",
        "ETHUSDT_quotes.csv",
        "ETHUSDT_trades.csv",
        INSTRUMENTS_NAME,
        MANIFEST_NAME,
    ]


def verify_manifest(folder: Path) -> list[str]:
    """Compare every file that the manifest in `folder` names; one sentence for each problem.

    An empty list means that the bundle is whole.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        return [f"{path}: no usable manifest ({error}); write the bundle anew: make fixtures"]
    problems = []
    for name, entry in manifest.files.items():
        problem = _check_entry(folder, name, entry)
        if problem:
            problems.append(f"{folder / name}: {problem}; write the bundle anew: make fixtures")
    return problems


def _check_entry(folder: Path, name: str, entry: FileEntry) -> str:
    if Path(name).name != name:
        return "the manifest names a file outside its folder"
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        return f"SHA-256 is {found}, the manifest says {entry.sha256}"
    return ""


def fixture_instrument(symbol: str) -> Instrument:
    """The units of one bundled symbol (without its limits and fees). KeyError if there is none."""
    table = _INSTRUMENTS[symbol]
    return instrument(symbol, tick=table["tick"], lot=table["lot"], quote=table["quote"])


def _tables(seed: int) -> list[tuple[str, str, str, list[str]]]:
    """Every file but the manifest: name, kind, symbol and lines."""
    acme = fixture_instrument("ACME")
    bitcoin = fixture_instrument("BTCUSDT")
    ether = fixture_instrument("ETHUSDT")
    euro = fixture_instrument("EURUSD")
    minutes = _DAYS * synthetic.MINUTES_PER_DAY
    equity = synthetic.equity_bars(
        acme, _MONDAY_NS, _DAYS * synthetic.SESSION_MINUTES, seed, start_ticks=18_750
    )
    crypto = synthetic.crypto_bars(bitcoin, _MONDAY_NS, minutes, seed, start_ticks=9_300_000)
    forex = list(synthetic.forex_bars(euro, _SUNDAY_ROLL_NS, minutes, seed, start_ticks=117_250))
    chunks = synthetic.tick_events(
        [ether],
        _QUOTES,
        seed,
        start_ns=_QUOTES_START_NS,
        half_life_us=80_000,
        start_ticks=320_000,
        size_lots=60_000,
    )
    quotes = [quote for chunk in chunks for quote in chunk]
    trades = synthetic.trades_at(quotes, seed)
    return [
        ("ACME_1m_bars.csv", "bars", "ACME", [_BARS_HEADER, *map(_bar_line, equity)]),
        ("BTCUSDT_1m_bars.csv", "bars", "BTCUSDT", [_BARS_HEADER, *map(_bar_line, crypto)]),
        ("EURUSD_1m_bid.csv", "bars_bid", "EURUSD", [_BARS_HEADER, *map(_bid_line, forex)]),
        ("EURUSD_1m_ask.csv", "bars_ask", "EURUSD", [_BARS_HEADER, *map(_ask_line, forex)]),
        ("ETHUSDT_quotes.csv", "quotes", "ETHUSDT", [_QUOTES_HEADER, *map(_quote_line, quotes)]),
        ("ETHUSDT_trades.csv", "trades", "ETHUSDT", [_TRADES_HEADER, *map(_trade_line, trades)]),
        (INSTRUMENTS_NAME, "instruments", "", list(_toml_lines())),
    ]


def _line(opened_ns: int, traded: Instrument, prices: Iterable[int], volume: int) -> str:
    texts = ",".join(map(traded.price_text, prices))
    return f"{format_timestamp(opened_ns)},{texts},{traded.quantity_text(volume)}"


def _bar_line(bar: Bar) -> str:
    prices = (bar.open_units, bar.high_units, bar.low_units, bar.close_units)
    return _line(bar.opened_ns, bar.instrument, prices, bar.volume_units)


def _bid_line(bar: QuoteBar) -> str:
    prices = (bar.bid_open_units, bar.bid_high_units, bar.bid_low_units, bar.bid_close_units)
    return _line(bar.opened_ns, bar.instrument, prices, bar.volume_units)


def _ask_line(bar: QuoteBar) -> str:
    prices = (bar.ask_open_units, bar.ask_high_units, bar.ask_low_units, bar.ask_close_units)
    return _line(bar.opened_ns, bar.instrument, prices, bar.volume_units)


def _quote_line(quote: Quote) -> str:
    quoted = quote.instrument
    prices = f"{quoted.price_text(quote.bid_units)},{quoted.price_text(quote.ask_units)}"
    sizes = map(quoted.quantity_text, (quote.bid_size_units, quote.ask_size_units))
    return f"{format_timestamp(quote.ts_ns)},{prices},{','.join(sizes)}"


def _trade_line(trade: Trade) -> str:
    traded = trade.instrument
    figures = f"{traded.price_text(trade.price_units)},{traded.quantity_text(trade.size_units)}"
    return f"{format_timestamp(trade.ts_ns)},{figures},{trade.aggressor.lower()}"


def _toml_lines() -> Iterator[str]:
    """`instruments.toml`: what is traded, in the words of the configuration."""
    yield "# The instruments of the bundled data. Numbers are decimal text: none is rounded."
    for symbol, table in _INSTRUMENTS.items():
        yield ""
        yield f"[instruments.{symbol}]"
        yield from (_toml_entry(key, value) for key, value in table.items() if key != "fees")
        yield ""
        yield f"[instruments.{symbol}.fees]"
        yield from (_toml_entry(key, value) for key, value in table["fees"].items())


def _toml_entry(key: str, value: str | int) -> str:
    return f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
