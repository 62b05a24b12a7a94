"""Names of files: what they say of a symbol, and how a symbol's file is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from feed_helpers import BAR_HEADER, bar_row, write
from hypothesis import given
from hypothesis import strategies as st

from logos.core.types import NS_PER_MINUTE
from logos.data.names import (
    INDEX_NAME,
    SYMBOL_LENGTH_MAX,
    check_symbol,
    parse_name,
    same_symbol,
    stem_for,
)
from logos.data.source import DataSource, discover
from logos.data.terms.currencies import Currencies, currencies_of
from logos.errors import DataError

ROWS = [bar_row(0), bar_row(1), bar_row(2)]
SYMBOLS = [
    *("^GSPC", "EURUSD=X", "ES=F", "BTC/USDT:USDT", "BRK.B", "BRK-B", "BRK B", "BTC_USDT", "ÜBER"),
    *("1000SHIBUSDT", "BTC-USDT-SWAP", "BTCUSD_PERP", "BTCUSDT_240628", ".INX", "$SPX", "#AAPL"),
    *("7203.T", "A_x", "a_", "A__B", "100%", "EURUSD.ask", "T_2024", "X-1d", "BTC_1m", "ASK_BID"),
    *(
        "btc_binance",
        "_x",
        "ES_H4",
        "贵州茅台",
        "C:EURUSD",
        "O:SPY251219C00650000",
        "S&P500",
        "M&M.NS",
    ),
]


@pytest.mark.parametrize(
    ("name", "symbol", "interval", "side"),
    [
        # What was written by logos before, and by hand after its manual.
        ("ACME_1m_bars.csv", "ACME", "1m", ""),
        ("ETHUSDT_quotes.csv", "ETHUSDT", "", ""),
        ("EURUSD_1m_bid.csv", "EURUSD", "1m", "bid"),
        ("BTCUSDT_binance_1m_BTCUSDT-1m-2024-01-01.csv", "BTCUSDT", "1m", ""),
        ("SPY_yahoo_1d_2024-01-01T000000Z.csv", "SPY", "1d", ""),
        ("BTCUSDT_kraken_trades_2024-01-01T000000Z.csv.gz", "BTCUSDT", "", ""),
        ("COIN_1m_x.csv", "COIN", "1m", ""),
        ("A_x_5m_y.csv", "A", "5m", ""),
        ("BTC-USD.csv", "BTC-USD", "", ""),
        # Nothing that could be a part of a symbol is cut off.
        ("BTC_USDT-1h.csv", "BTC_USDT", "1h", ""),
        ("BTC_EUR-1h.csv", "BTC_EUR", "1h", ""),
        ("BTC_USDT_USDT-5m-futures.parquet", "BTC_USDT_USDT", "5m", ""),
        ("btc_usdt_1h.csv", "btc_usdt", "1h", ""),
        ("BTC_usdt.csv", "BTC_usdt", "", ""),
        ("BTCUSD_PERP_1d.csv", "BTCUSD_PERP", "1d", ""),
        ("BTCUSD_perp_1d.csv", "BTCUSD_perp", "1d", ""),
        ("BTCUSDT_240628_1h.csv", "BTCUSDT_240628", "1h", ""),
        ("ES_H4.csv", "ES_H4", "", ""),
        ("ASK_1d.csv", "ASK", "1d", ""),
        ("BTCUSDT_2.csv", "BTCUSDT", "", ""),
        ("SH_600519.csv", "SH_600519", "", ""),
        # What other programs call their files.
        ("BTCUSDT-1m-2024-01.csv", "BTCUSDT", "1m", ""),
        ("EURUSD_M1_202401020000_202401052359.csv", "EURUSD", "1m", ""),
        ("EURUSD_H4.csv", "EURUSD", "4h", ""),
        ("EURUSD_1m_BID.csv", "EURUSD", "1m", "bid"),
        ("EURUSD-Ask.csv", "EURUSD", "", "ask"),
        ("EURUSD_Candlestick_1_M_ASK_01.01.2020-31.12.2020.csv", "EURUSD", "", "ask"),
        ("BINANCE_BTCUSDT, 60.csv", "BINANCE_BTCUSDT", "1h", ""),
        ("BINANCE_BTCUSDT, 1D.csv", "BINANCE_BTCUSDT", "1d", ""),
        ("SPY_60m_2024.csv", "SPY", "1h", ""),
        ("SPY_1wk.csv", "SPY", "1w", ""),
        ("SPY_1mo.csv", "SPY", "1mo", ""),
        ("BTCUSDT_1M.csv", "BTCUSDT", "1mo", ""),
        # Escapes.
        ("%5EGSPC_1d.csv", "^GSPC", "1d", ""),
        ("BTC%2FUSDT%3AUSDT_1h.csv", "BTC/USDT:USDT", "1h", ""),
        ("BTC%5F1m_1h.csv", "BTC_1m", "1h", ""),
        ("%C3%9CBER_1d.csv", "ÜBER", "1d", ""),
        ("U\u0308BER_1d.csv", "ÜBER", "1d", ""),
    ],
)
def test_a_name_says_symbol_interval_and_side(
    name: str, symbol: str, interval: str, side: str
) -> None:
    found = parse_name(Path("folder") / name)
    assert (found.symbol, found.interval, found.side) == (symbol, interval, side)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("words", [(), ("1h",), ("binance", "1m"), ("Kraken", "trades", "2024-01")])
@pytest.mark.parametrize("side", ["", "bid", "ask"])
def test_the_name_of_a_symbols_file_gives_the_symbol_back(
    symbol: str, words: tuple[str, ...], side: str
) -> None:
    found = parse_name(Path(stem_for(symbol, *words, side=side) + ".csv"))
    wanted = {("1h",): "1h", ("binance", "1m"): "1m"}.get(words, "")
    assert (found.symbol, found.side, found.interval) == (symbol, side, wanted)


@given(st.text(min_size=1, max_size=SYMBOL_LENGTH_MAX // 4))
def test_every_symbol_that_there_can_be_has_a_name_of_its_own(symbol: str) -> None:
    try:
        check_symbol(symbol)
    except DataError:
        return
    stem = stem_for(symbol, "1h")
    assert "/" not in stem
    assert not stem.startswith((".", "-"))
    found = parse_name(Path(stem))
    assert same_symbol(found.symbol, symbol)
    assert found.interval == "1h"


@pytest.mark.parametrize(
    "symbol",
    ["", " A", "A ", "A  B", "A,B", "A;B", 'A"B', "A\nB", "=A", "-A", "@A", "+A", "../x", "x" * 65],
)
def test_what_is_no_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(DataError, match="is not a symbol"):
        check_symbol(symbol)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_file_of_any_symbol_is_found(tmp_path: Path, symbol: str) -> None:
    path = write(tmp_path / (stem_for(symbol, "1m") + ".csv"), BAR_HEADER, ROWS)
    assert discover(tmp_path) == [DataSource(path, symbol, "bars", NS_PER_MINUTE)]


def test_the_index_of_a_folder_says_what_its_names_do_not(tmp_path: Path) -> None:
    path = write(tmp_path / "export (1).csv", BAR_HEADER, ROWS[:1])
    with pytest.raises(DataError, match=r"export \(1\).csv: .*not a symbol.*files.toml beside it"):
        discover(tmp_path)
    index = tmp_path / INDEX_NAME
    index.write_text('["export (1).csv"]\nsymbol = "BTC/USDT:USDT"\ninterval = "1h"\n')
    wanted = DataSource(path, "BTC/USDT:USDT", "bars", 60 * NS_PER_MINUTE, is_named=True)
    assert discover(tmp_path) == [wanted]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["other.csv"]\nsymbol = "A"', "other.csv: there is no such file"),
        (
            '["a.csv"]\nsymbols = "A"',
            "no such key: symbols; known: interval, stamp, symbol, time_format, timezone",
        ),
        ('["a.csv"]\nsymbol = "A,B"', "a.csv: symbol: 'A,B' is not a symbol"),
        ('symbol = "A"', "write a table of the file's name"),
        ("[", "cannot be read"),
    ],
)
def test_a_wrong_index_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "a.csv", BAR_HEADER, ROWS)
    (tmp_path / INDEX_NAME).write_text(text)
    with pytest.raises(DataError, match=message):
        discover(tmp_path)


def test_an_escape_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "A%FF_1m.csv", BAR_HEADER, ROWS)
    with pytest.raises(DataError, match=r"A%FF_1m.csv: 'A%FF' has an escape"):
        discover(tmp_path)


@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        ("EURUSD_1m_BID.csv", "EURUSD_1m_ASK.csv"),
        ("EURUSD_1m_Bid.csv", "EURUSD_1m_ask.csv.gz"),
        ("EURUSD_BID_1m.csv", "EURUSD_ASK_1m.csv"),
        ("EURUSD-bid.csv", "EURUSD-ask.csv"),
        (
            "EURUSD_Ticks_bid_01.01.2024-02.01.2024.csv",
            "EURUSD_Ticks_ask_01.01.2024-02.01.2024.csv",
        ),
    ],
)
def test_bid_and_ask_are_a_pair_however_they_are_written(
    tmp_path: Path, bid: str, ask: str
) -> None:
    wanted = [
        DataSource(
            write(tmp_path / bid, BAR_HEADER, ROWS),
            "EURUSD",
            "quote_bars",
            NS_PER_MINUTE,
            write(tmp_path / ask, BAR_HEADER, ROWS),
        )
    ]
    assert discover(tmp_path) == discover(tmp_path / bid) == discover(tmp_path / ask) == wanted


def test_half_a_pair_under_two_names_is_refused(tmp_path: Path) -> None:
    for name in ("A_1m_bid.csv", "A_1m_BID.csv", "A_1m_ask.csv"):
        write(tmp_path / name, BAR_HEADER, ROWS)
    with pytest.raises(DataError, match="the same data under two names"):
        discover(tmp_path)


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [
        ("BTCUSDT", "BTC", "USDT"),
        ("1000SHIBUSDT", "1000SHIB", "USDT"),
        ("BTCFDUSD", "BTC", "FDUSD"),
        ("LTCBTC", "LTC", "BTC"),
        ("XBTUSD", "XBT", "USD"),
        ("ARBUSDC", "ARB", "USDC"),
        ("EURUSD", "EUR", "USD"),
        ("EURUSD=X", "EUR", "USD"),
        ("XAUUSD", "XAU", "USD"),
        ("BTC-USDT-SWAP", "BTC", "USDT"),
        ("BTC_USDT", "BTC", "USDT"),
        ("BTC-USD", "BTC", "USD"),
        # Shares, funds, futures and indices say nothing of their currency.
        *((text, "", "") for text in ("GBTC", "FETH", "WBTC", "AAPL", "^GSPC", "ES=F", "BRK-B")),
        *(
            (text, "", "")
            for text in ("ÜBER", "BTCUSD_PERP", "FDUSD", "BUSD", "USDT", "USD", "TEUR", "ARBUSD")
        ),
    ],
)
def test_currencies_are_told_only_where_they_are_known(symbol: str, base: str, quote: str) -> None:
    assert currencies_of(symbol) == Currencies(base, quote)


def test_a_contracts_symbol_says_what_it_is_settled_in() -> None:
    assert currencies_of("BTC/USDT:USDT") == Currencies("BTC", "USDT", "USDT")
    assert currencies_of("BTC/USD:BTC-240628") == Currencies("BTC", "USD", "BTC")
