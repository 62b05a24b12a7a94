"""Every file of the collected complaints through the real `logos data import`, to what is right."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from places import PROJECT

from logos.cli.main import main

CASES = PROJECT.parent / "shared" / "cases" / "data"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the collected cases are not here")

REFUSED, BAD_SETTINGS = 3, 2


class In(NamedTuple):
    """What comes of a file: by symbol, the number of rows and the first one; `says` are words of
    the report."""

    files: dict[str, tuple[int, str]]
    options: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


class Out(NamedTuple):
    """A refusal: words of it."""

    says: tuple[str, ...]
    options: tuple[str, ...] = ()


def one(symbol: str, rows: int, first: str, *options: str, says: tuple[str, ...] = ()) -> In:
    return In({symbol: (rows, first)}, options, says)


TICK = ("--tick", "0.01")
ATHENS = ("--timezone", "Europe/Athens")
NEW_YORK = ("--symbol", "FX", "--timezone", "America/New_York")
NO_ZONE = Out(("names no time zone: say --timezone",))
MT = "2024-03-08T07:30:00Z,1.09389,1.09399,1.09380,1.09390,52"
DUKASCOPY = "2024-03-08T09:30:00Z,1.09389,1.09399,1.09380,1.09390,52.1"
DAX = "2024-03-08T09:30:00Z,17814.51,17820.00,17810.00,17815.25,1200"
MINUTE = "2024-03-08T09:30:00Z,100,103,99,100.5,10"
DAY = "2024-03-07T00:00:00Z,1.5,1.6,1.4,1.5,1"
CRYPTO = "2024-01-01T00:00:00Z,42003,42100,41900,42050,12.5"
EURO = "2024-03-01T00:00:00Z,1.0800,1.0805,1.0795,1.0802,100"
KRAKEN = "2024-01-01T00:00:00Z,38000.1,38050.0,38000.0,38020.3,12.34567891"
SALES = "2024-01-01T00:00:00.123400Z,38100.1,0.5,"
MSFT = "2023-02-17T00:00:00Z,255.84,256.53,252.50,254.53,30000100"
SPY = "2024-03-04T14:30:00Z,100,101,99,100.5,10"
HALF_HOUR = "2024-11-03T04:30:00Z,100,101,99,100,5"
HOUR_13 = "2024-01-01T00:00:00Z,{0},{1},{2},{3},1"

WALKED: dict[str, list[In | Out]] = {
    "01-binance-unit-switch/DOGEUSDT-1m.csv": [
        one(
            "DOGEUSDT",
            5,
            "2024-12-31T23:58:00Z,100.00000000,100.02000000,99.99000000,100.01000000,12.50000000",
        )
    ],
    "04-binance-aggtrades/BTCUSDT-aggTrades-2025-01-01.csv": [
        one("BTCUSDT", 3, "2025-01-01T00:00:00Z,93576.00000000,0.01000000,sell")
    ],
    "05-yfinance-multiindex/MSFT.csv": [one("MSFT", 3, MSFT, *TICK, says=('tick = "0.01"',))],
    "06-yfinance-nan-row/ATR.csv": [
        one("ATR.WA", 4, MSFT, *TICK, says=("rows without a price: 1 (line ",))
    ],
    "07-yfinance-group-by-ticker/MSFT.csv": [
        one("MSFT", 1, "2023-02-17T00:00:00Z,255.80,256.50,252.40,254.50,30000100", *TICK)
    ],
    "08-yfinance-history-dst/AAPL.csv": [
        one("AAPL", 4, "2024-03-07T05:00:00Z,100.00,101.00,99.00,100.50,1000", *TICK)
    ],
    "12-yyyymmdd-timestamp/KO_x.csv": [
        Out(("'20240102' is not a time since 1970: it reads as YYYYMMDD", "yyyymmdd"))
    ],
    "12-yyyymmdd-timestamp/KO_1m_y.csv": [Out(("it reads as YYYYMMDDHHMM", "yyyymmddhhmm"))],
    "12-yyyymmdd-timestamp/KO_z.csv": [Out(("a spreadsheet's count of days", "excel"))],
    "13-underscore-names/d/BTC_EUR-1h.csv": [
        one("BTC_EUR", 4, HOUR_13.format(38000, 38100, 37900, 38050))
    ],
    "13-underscore-names/d/BTC_USDT-1h.csv": [
        one("BTC_USDT", 4, HOUR_13.format(42000, 42100, 41900, 42050))
    ],
    "15-overlapping-files/d": [
        Out(("BTCUSDT_1h_2024-01-31.csv and ", "BTCUSDT_1h_2024-01.csv overlap: BTCUSDT is there")),
    ],
    "15-overlapping-files/d/BTCUSDT_1h_2024-01.csv": [
        one("BTCUSDT", 4, "2024-01-31T20:00:00Z,120,121,119,120.5,10")
    ],
    "16-ib-hourly-rth/SPY.csv": [one("SPY", 14, SPY, says=("interval   1h",))],
    "16-ib-hourly-rth/SPY_1h.csv": [one("SPY", 14, SPY, says=("interval   1h",))],
    "17-parquet-naive/NAIVE_1m.parquet": [NO_ZONE, one("NAIVE", 5, MINUTE, "--timezone", "UTC")],
    "17-parquet-naive/NAIVE_1m_csv.csv": [
        NO_ZONE,
        one("NAIVE", 2, "2024-03-08T09:30:00Z,100,101,99,100.5,10", "--timezone", "UTC"),
    ],
    "17-parquet-naive/AWARE_1m.parquet": [one("AWARE", 5, MINUTE)],
    "17-parquet-naive/DATE_1m.parquet": [one("DATE", 5, MINUTE)],
    "17-parquet-naive/INDEX_1m.parquet": [one("INDEX", 5, MINUTE)],
    "17-parquet-naive/F32_1m.parquet": [
        one("F32", 5, "2024-03-08T09:30:00Z,100.37,103.37,99.37,100.87,10")
    ],
    "17-parquet-naive/DEC_1m.parquet": [
        one("A", 5, "2024-03-08T09:30:00Z,100.0000,103.0000,99.0000,100.5000,10.0000")
    ],
    "17-parquet-naive/DATE32_1d.parquet": [
        one("DATE32", 1, "2024-03-08T00:00:00Z,100,103,99,100.5,10", says=("interval   1d",))
    ],
    "19-finer-tick-late/DOGEUSDT_1m.csv": [
        one("DOGEUSDT", 5200, "2024-01-01T00:00:00Z,1.5,1.5,1.5,1.5,1", says=('tick = "0.01"',)),
        Out(("say --tick 0.01",), ("--tick", "0.1")),
    ],
    "20-tradingview/OANDA_EURUSD, 60.csv": [one("EURUSD", 4, EURO, says=("interval   1h",))],
    "20-tradingview/EURUSD_1h_tv.csv": [one("EURUSD", 4, EURO)],
    "21-kraken-ohlcvt/XBTEUR_60.csv": [one("XBTEUR", 4, KRAKEN, says=("interval   1h",))],
    "21-kraken-ohlcvt/XBTEUR_1h_kraken.csv": [one("XBTEUR", 4, KRAKEN)],
    "21-kraken-ohlcvt/XBTEUR.csv": [one("XBTEUR", 2, SALES)],
    "21-kraken-ohlcvt/XBTEUR_trades.csv": [
        Out(("say of which symbol its rows are with --symbol",)),
        one("XBTEUR", 2, SALES, "--symbol", "XBTEUR"),
    ],
    "22-cryptodatadownload/Bitstamp_BTCUSD_1h.csv": [one("BTC%2FUSD", 4, CRYPTO)],
    "22-cryptodatadownload/BTCUSD_1h.csv": [one("BTC%2FUSD", 4, CRYPTO)],
    "24-metatrader/EURUSD_M1.csv": [NO_ZONE, one("EURUSD", 2, MT, *ATHENS)],
    "24-metatrader/EURUSD_M1_utf16.csv": [NO_ZONE, one("EURUSD", 2, MT, *ATHENS)],
    "24-metatrader/EURUSD1.csv": [NO_ZONE, one("EURUSD", 1, MT, *ATHENS)],
    "25-dukascopy/EURUSD_Candlestick_1_m_BID.csv": [
        one("EURUSD", 2, DUKASCOPY, says=("bids alone",))
    ],
    "25-dukascopy/eurusd-m1-bid-2024-03-08.csv": [one("EURUSD", 2, DUKASCOPY)],
    "26-european/DAX.csv": [
        Out(("cannot tell the bars' interval from one row: say --interval",)),
        one("DAX", 1, DAX, "--interval", "1m"),
    ],
    "26-european/DAX_1m_q.csv": [one("DAX", 2, DAX)],
    "26-european/dax_d.csv": [one("DAX", 1, DAX.replace("09:30", "00:00"))],
    "28-alpha-vantage/daily_IBM.csv": [
        one("IBM", 3, "2024-03-06T00:00:00Z,193.5,198.13,192.96,196.16,6900000")
    ],
    "45-hours-dst/SPY_1m.csv": [one("SPY", 12, "2024-03-08T14:30:00Z,100,101,99,100.5,10")],
    "46-daily-hours/AAPL_1d.csv": [one("AAPL", 5, "2024-03-04T00:00:00Z,100,200,90,100,9876543")],
    "48-split-unadjusted/NVDA_1d.csv": [
        one("NVDA", 5, "2024-06-06T00:00:00Z,1210,1240,1200,1209.98,100")
    ],
    "49-dst-ambiguous/fx.csv": [NO_ZONE, one("FX", 6, HALF_HOUR, *NEW_YORK)],
    "49-dst-ambiguous/fx2.csv": [
        NO_ZONE,
        Out((":3: 2024-03-10 02:00:00 does not exist",), NEW_YORK),
    ],
    "51-monthly-lookahead/BTCUSDT-1M.csv": [
        one("BTCUSDT", 6, "2024-11-01T00:00:00Z,100.0,130.0,90.0,111.0,5.0", says=("1mo",))
    ],
    "54-subpenny-off-tick/AAPL_1m_x.csv": [
        one(
            "AAPL",
            4,
            "2024-03-08T14:30:00Z,187.15,187.30,187.10,187.2201,1000",
            says=('tick = "0.0001"',),
        ),
        Out(("0.0001",), TICK),
    ],
    **{
        f"57-native-symbols/{symbol}_1d.csv": [one(symbol, 2, DAY)]
        for symbol in (
            *("1000SHIBUSDT", "BRK-B", "BRK.B", "BTC-USDT-SWAP", "BTCUSD_PERP", "ES=F"),
            *("EURUSD=X", "FETH", "GBTC", "WBTC", "^GSPC", "ÜBER"),
        )
    },
    "58-volume-column-ignored/BTCUSD_1h.csv": [
        one("BTCUSD", 5, "2024-03-08T00:00:00Z,100,101,99,100,0.5")
    ],
    "64-inverse-misuse/BTCUSDPERP_1m.csv": [
        one("BTCUSDPERP", 5, "2024-03-05T15:00:00Z,42000.0,44000,41000,42000.0,98")
    ],
    "82-bitmex-trades-all-symbols/XBTUSD_trades.csv": [
        In(
            {
                "XBTUSD": (2, "2024-01-01T00:00:01Z,42000.5,100,buy"),
                "ETHUSD": (2, "2024-01-01T00:00:01.500Z,2280.55,50,sell"),
            }
        )
    ],
}
STEPS = [(name, step) for name, steps in WALKED.items() for step in steps]


@pytest.mark.parametrize(("name", "step"), STEPS, ids=[name for name, _ in STEPS])
def test_a_file_of_a_complaint_comes_in_or_is_refused_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, step: In | Out
) -> None:
    out = tmp_path / "imported"
    given = CASES / name
    files = sorted(given.glob("*.csv")) if given.is_dir() else [given]
    code = main(["data", "import", *map(str, files), "--out", str(out), *step.options])
    captured = capsys.readouterr()
    assert all(words in captured.out + captured.err for words in step.says), captured
    if isinstance(step, Out):
        assert code == REFUSED
        assert not out.exists()
        return
    assert code == 0
    made = {}
    for path in out.glob("*.csv"):
        rows = path.read_text().splitlines()[1:]
        symbol = next(each for each in step.files if path.name.startswith(f"{each}_"))
        made[symbol] = (len(rows), rows[0])
    assert made == step.files
    assert (out / "instruments.toml").is_file()


def test_every_case_is_walked() -> None:
    folders = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert {name.split("/")[0] for name in WALKED} == folders
    files = {path for path in CASES.rglob("*") if path.suffix in (".csv", ".parquet")}
    walked = {CASES / name for name in WALKED}
    assert files == {path for path in files if {path, path.parent} & walked}


# ---- 17: one frame, judged alike in CSV and Parquet ----


def test_a_frame_without_a_zone_is_one_thing_in_parquet_and_in_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = CASES / "17-parquet-naive"
    said = []
    for name in ("NAIVE_1m.parquet", "NAIVE_1m_csv.csv"):
        assert main(["data", "check", str(folder / name)]) != 0
        captured = capsys.readouterr()
        said.append("names no time zone" in captured.out + captured.err)
    assert said == [True, True]
    aware = tmp_path / "aware"
    assert main(["data", "import", str(folder / "AWARE_1m.parquet"), "--out", str(aware)]) == 0
    naive = tmp_path / "naive"
    words = ["--out", str(naive), "--timezone", "UTC"]
    assert main(["data", "import", str(folder / "NAIVE_1m.parquet"), *words]) == 0
    tables = [next(out.glob("*.csv")).read_text() for out in (aware, naive)]
    assert tables[0] == tables[1]


# ---- 64: a contract that is settled in the coin ----

ONCE = """
from logos import Side, Strategy, market


class Once(Strategy):
    def __init__(self, quantity: str = "1", leave: int = 4) -> None:
        self.quantity, self.leave, self.seen = quantity, leave, 0

    def on_bar(self, context, bar):
        self.seen += 1
        if self.seen == 1:
            return market(Side.BUY, self.quantity)
        return market(Side.SELL, self.quantity) if self.seen == self.leave else None
"""


def test_a_contract_in_coins_is_refused_in_dollars_and_earns_coins(
    logos_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES / "64-inverse-misuse"
    for path in case.iterdir():
        (logos_home / path.name).write_bytes(path.read_bytes())
    (logos_home / "strat.py").write_text(ONCE)
    monkeypatch.chdir(logos_home)
    trade = ["trade", "--config", "s.toml", "--quiet", "--accept", "gap"]
    assert main(trade) == BAD_SETTINGS
    assert 'settlement = "inverse", quote = "BTC"' in capsys.readouterr().err
    settings = (logos_home / "s.toml").read_text()
    settings = settings.replace('"margin"', '"inverse"').replace('quote="USD"', 'quote="BTC"')
    (logos_home / "s.toml").write_text(settings + '[account.balances]\nBTC = "1"\n')
    assert main(trade) == 0, capsys.readouterr().err
    (folder,) = (logos_home / "runs" / "live" / "sessions").iterdir()
    with (folder / "trades.csv").open(newline="") as file:
        fills = list(csv.DictReader(file))
    entry, leave = (Decimal(fill["price"]) for fill in fills)
    assert (entry, leave) == (Decimal("42010.5"), Decimal("43111.0"))
    with (folder / "account.csv").open(newline="") as file:
        realised = Decimal(list(csv.DictReader(file))[-1]["realised"])
    exact = Decimal(100) / entry - Decimal(100) / leave
    assert abs(exact - Decimal("0.0000607637")) < Decimal("0.0000000001")
    assert abs(realised - exact) <= Decimal("0.00000001")  # worths are rounded to a satoshi
