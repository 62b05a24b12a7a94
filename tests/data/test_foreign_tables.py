"""Tables of programs that have no record: by the names of their columns, to the right numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from layout_example import options_of

from logos.data.importing import run
from logos.data.importing.run import import_files

X = ("--symbol", "X")
NEW_YORK = (*X, "--timezone", "America/New_York")

TABLES = {
    "Nasdaq: dollar signs, the newest row first": (
        "Date,Close/Last,Volume,Open,High,Low\n"
        '03/13/2024,$1171.13,52488690,"$1,172.77",$1173.185,$1170.76\n'
        "03/12/2024,$173.23,59825370,$173.15,$174.03,$171.01\n"
        "03/11/2024,$172.75,60139470,$172.94,$174.38,$172.05\n",
        X,
        """2024-03-11T00:00:00Z,172.94,174.38,172.05,172.75,60139470
        2024-03-12T00:00:00Z,173.15,174.03,171.01,173.23,59825370
        2024-03-13T00:00:00Z,1172.77,1173.185,1170.76,1171.13,52488690""",
    ),
    "Yahoo's page: stars behind the names, days in words": (
        "Date,Open,High,Low,Close*,Adj Close**,Volume\n"
        '"Mar 08, 2024",169.00,173.70,168.94,170.73,170.53,"76,114,600"\n'
        '"Mar 07, 2024",169.15,170.73,168.49,169.00,168.80,"71,765,100"\n',
        X,
        """2024-03-07T00:00:00Z,169.15,170.73,168.49,169.00,71765100
        2024-03-08T00:00:00Z,169.00,173.70,168.94,170.73,76114600""",
    ),
    "Sierra Chart: Last, and columns of bids and asks that are no quotes": (
        "Date, Time, Open, High, Low, Last, Volume, NumberOfTrades, BidVolume, AskVolume\n"
        "2024/3/8, 09:30:00.000000, 5170.25, 5171.00, 5169.50, 5170.00, 1000, 300, 400, 600\n"
        "2024/3/8, 09:31:00.000000, 5170.00, 5171.00, 5169.50, 5170.50, 900, 300, 400, 600\n",
        NEW_YORK,
        """2024-03-08T14:30:00Z,5170.25,5171.00,5169.50,5170.00,1000
        2024-03-08T14:31:00Z,5170.00,5171.00,5169.50,5170.50,900""",
    ),
    "TradeStation: a clock of four digits, stamped at the close": (
        '"Date","Time","Open","High","Low","Close","Up","Down"\n'
        "03/18/2024,0931,169.00,169.10,168.90,169.05,1000,200\n"
        "03/18/2024,0932,169.05,169.10,168.90,169.00,900,100\n",
        (*NEW_YORK, "--stamp", "close"),
        """2024-03-18T13:30:00Z,169.00,169.10,168.90,169.05,
        2024-03-18T13:31:00Z,169.05,169.10,168.90,169.00,""",
    ),
    "Tickstory: milliseconds behind a colon": (
        "Timestamp,Bid price,Ask price,Bid volume,Ask volume\n"
        "20240308 09:30:00:123,1.0938,1.0939,1000000,2000000\n"
        "20240308 09:30:01:001,1.0937,1.0939,1500000,2000000\n",
        (*X, "--timezone", "UTC"),
        """2024-03-08T09:30:00.123Z,1.0938,1.0939,1000000,2000000
        2024-03-08T09:30:01.001Z,1.0937,1.0939,1500000,2000000""",
    ),
    "Forex Tester": (
        "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n"
        "X,20240308,093000,1.0938,1.0939,1.0937,1.0938,4\n"
        "X,20240308,093100,1.0938,1.0940,1.0937,1.0939,6\n",
        ("--timezone", "UTC", "--interval", "1m"),
        """2024-03-08T09:30:00Z,1.0938,1.0939,1.0937,1.0938,4
        2024-03-08T09:31:00Z,1.0938,1.0940,1.0937,1.0939,6""",
    ),
    "IEX: the clock is called minute, and high stands before open": (
        "date,minute,label,high,low,open,close,average,volume,notional,numberOfTrades\n"
        "2024-03-08,09:30,09:30 AM,169.10,168.90,169.00,169.05,169.0,1000,169000,10\n"
        "2024-03-08,09:31,09:31 AM,169.20,168.90,169.05,169.15,169.0,900,152000,9\n",
        NEW_YORK,
        """2024-03-08T14:30:00Z,169.00,169.10,168.90,169.05,1000
        2024-03-08T14:31:00Z,169.05,169.20,168.90,169.15,900""",
    ),
    "Bybit: trades from the newest to the oldest, seconds with decimals": (
        "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional\n"
        "1704067200.1234,X,Sell,0.003,42324.9,MinusTick,a,1.2e+10,0.003\n"
        "1704067199.5,X,Buy,0.001,42325.0,PlusTick,b,4.2e+9,0.001\n",
        (),
        """2023-12-31T23:59:59.500Z,42325.0,0.001,buy
        2024-01-01T00:00:00.123400Z,42324.9,0.003,sell""",
    ),
    "OKX: trades with two languages in the header": (
        "trade_id/撮合id,side/交易方向,size/数量,price/价格,created_time/成交时间\n"
        "1,BUY,0.1,42324.9,1704067200123\n2,SELL,0.3,42324.8,1704067201123\n",
        X,
        """2024-01-01T00:00:00.123Z,42324.9,0.1,buy
        2024-01-01T00:00:01.123Z,42324.8,0.3,sell""",
    ),
    "EODHD: a time in seconds beside one in words": (
        "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume\n"
        "1709908200,0,2024-03-08 14:30:00,169.15,170.73,168.49,169,7176\n"
        "1709908260,0,2024-03-08 14:31:00,169,170.73,168.49,170,6000\n",
        X,
        """2024-03-08T14:30:00Z,169.15,170.73,168.49,169,7176
        2024-03-08T14:31:00Z,169,170.73,168.49,170,6000""",
    ),
    "MOEX: remarks above, open before close before high, a close time": (
        "candles\n\nopen;close;high;low;value;volume;begin;end\n"
        "290.10;290.30;290.50;290.00;29000;100;2024-03-08 10:00:00;2024-03-08 10:00:59\n"
        "290.30;290.20;290.60;290.10;14000;50;2024-03-08 10:01:00;2024-03-08 10:01:59\n",
        (*X, "--timezone", "Europe/Moscow"),
        """2024-03-08T07:00:00Z,290.10,290.50,290.00,290.30,100
        2024-03-08T07:01:00Z,290.30,290.60,290.10,290.20,50""",
    ),
    "Bloomberg": (
        "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME\n"
        "3/14/2024,172.91,174.31,172.05,173.00,72913507\n"
        "3/15/2024,171.17,172.62,170.29,172.62,121664700\n",
        X,
        """2024-03-14T00:00:00Z,172.91,174.31,172.05,173.00,72913507
        2024-03-15T00:00:00Z,171.17,172.62,170.29,172.62,121664700""",
    ),
    "a stream of klines in JSON: l is the low, L a number of a trade; the last is still live": (
        '[{"t":1704067200000,"T":1704067259999,"i":"1m","f":100,"L":200,"o":"1","c":"1.5","h":"2",'
        '"l":"0.5","v":"10","n":100,"x":true},{"t":1704067260000,"T":1704067319999,"i":"1m",'
        '"f":201,"L":300,"o":"1.5","c":"1.4","h":"2","l":"0.5","v":"3","n":100,"x":false}]',
        (*X, "--interval", "1m"),
        "2024-01-01T00:00:00Z,1,2,0.5,1.5,10",
    ),
    "a column that says whether the bar had closed": (
        "ts,o,h,l,c,vol,volCcy,confirm\n"
        "1704067200000,42000.1,42020,41990,42010,12.5,525000,1\n"
        "1704067260000,42010,42020,42000,42001,0.5,21000,0\n",
        (*X, "--interval", "1m"),
        "2024-01-01T00:00:00Z,42000.1,42020,41990,42010,12.5",
    ),
    "a Swiss way of writing thousands": (
        "time;open;high;low;close;volume\n"
        "1704067200;1'234.50;1'240.00;1'230.00;1'235.00;1'000\n"
        "1704067260;1'235.00;1'240.00;1'230.00;1'231.00;12'000\n",
        X,
        """2024-01-01T00:00:00Z,1234.50,1240.00,1230.00,1235.00,1000
        2024-01-01T00:01:00Z,1235.00,1240.00,1230.00,1231.00,12000""",
    ),
    "blanks between thousands, decimals after a comma": (
        "time;open;high;low;close;volume\n"
        "1704067200;1 234,50;1 240,00;1 230,00;1 235,00;1 000\n"
        "1704067260;1 235,00;1 240,00;1 230,00;1 231,00;12 000\n",
        X,
        """2024-01-01T00:00:00Z,1234.50,1240.00,1230.00,1235.00,1000
        2024-01-01T00:01:00Z,1235.00,1240.00,1230.00,1231.00,12000""",
    ),
    "years of two digits": (
        "Date,Open,High,Low,Close\n08-Mar-24,1,2,0.5,1.5\n11-Mar-24,1.5,2,0.5,1\n",
        (*X, "--interval", "1d"),
        """2024-03-08T00:00:00Z,1,2,0.5,1.5,
        2024-03-11T00:00:00Z,1.5,2,0.5,1,""",
    ),
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_a_record_is_read_by_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fast: bool
) -> None:
    if not fast:
        monkeypatch.setattr(run, "arrow_available", lambda: False)
    text, options, expected = TABLES[name]
    path = tmp_path / "export.csv"
    path.write_text(text)
    (made,) = import_files([path], tmp_path / "out", options_of(options)).paths
    rows = made.read_text().splitlines()[1:]
    assert rows == [line.strip() for line in expected.splitlines()]


def test_bids_and_asks_in_one_table_make_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "fxcm.csv"
    path.write_text(
        "DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose\n"
        "01/13/2024 17:30:00.000,1.1,1.3,1.0,1.2,1.2,1.4,1.1,1.3\n"
    )
    options = options_of((*X, "--timezone", "UTC", "--interval", "1m"))
    bid, ask = import_files([path], tmp_path / "out", options).paths
    assert bid.read_text().splitlines()[1:] == ["2024-01-13T17:30:00Z,1.1,1.3,1.0,1.2,"]
    assert ask.read_text().splitlines()[1:] == ["2024-01-13T17:30:00Z,1.2,1.4,1.1,1.3,"]
