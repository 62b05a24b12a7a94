"""Polygon's flat files and Databento's CSV."""

from __future__ import annotations

from layout_example import Example, Refused

POLYGON_TRADES = (
    "ticker,conditions,correction,exchange,id,participant_timestamp,price,sequence_number,"
    "sip_timestamp,size,tape,trf_id,trf_timestamp\n"
)
POLYGON_QUOTES = (
    "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,conditions,indicators,"
    "participant_timestamp,sequence_number,sip_timestamp,tape,trf_timestamp\n"
)
DATABENTO_BARS = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n"
DATABENTO_TRADES = (
    "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,"
    "ts_in_delta,sequence,symbol\n"
)
DATABENTO_TOP = (
    "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,"
    "ts_in_delta,sequence,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00,symbol\n"
)

EXAMPLES = [
    Example(
        "polygon",
        "minute_aggs_v1/2025/04/2025-04-09.csv.gz",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,4930,200.29,200.5,200.63,200.1,1744192500000000000,129\n"
        "AAPL,1815,200.39,200.34,200.61,200.34,1744192560000000000,57\n"
        "MSFT,100,360.1,360.2,360.3,360.0,1744192500000000000,9\n",
        "AAPL",
        "bars",
        "1m",
        """2025-04-09T09:55:00Z,200.29,200.63,200.1,200.5,4930
        2025-04-09T09:56:00Z,200.39,200.61,200.34,200.34,1815
        """,
        options=("--symbol", "AAPL"),
    ),
    Example(
        # A day of a flat file begins at midnight in New York.
        "polygon",
        "day_aggs_v1/2025/04/2025-04-09.csv.gz",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,184395885,171.95,198.85,200.61,171.89,1744171200000000000,2000000\n",
        "AAPL",
        "bars",
        "1d",
        "2025-04-09T04:00:00Z,171.95,200.61,171.89,198.85,184395885\n",
    ),
    Example(
        # The same rows elsewhere: the steps tell their length.
        "polygon",
        "aapl.csv",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,4930,200.29,200.5,200.63,200.1,1744192500000000000,129\n"
        "AAPL,1815,200.39,200.34,200.61,200.34,1744192800000000000,57\n"
        "AAPL,700,200.34,200.4,200.5,200.3,1744193100000000000,20\n",
        "AAPL",
        "bars",
        "5m",
        """2025-04-09T09:55:00Z,200.29,200.63,200.1,200.5,4930
        2025-04-09T10:00:00Z,200.39,200.61,200.34,200.34,1815
        2025-04-09T10:05:00Z,200.34,200.5,200.3,200.4,700
        """,
    ),
    Example(
        "polygon",
        "2026-02-11.csv.gz",
        POLYGON_TRADES
        + "A,12,0,8,52983525035849,1770810300032981000,129.79,6876,1770810300033243132,100,1,0,0\n"
        + 'A,"12,37",7,4,52983525035850,1770810300132981000,1.79,6877,1770810300133243132,4,1,0,0\n'
        + 'A,"12,37",0,4,52983525035851,1770810300232981000,129.8,6878,1770810300233243132,4,1,0,0'
        "\n",
        "A",
        "trades",
        "",
        """2026-02-11T11:45:00.033243132Z,129.79,100,
        2026-02-11T11:45:00.233243132Z,129.8,4,
        """,
        says=(": 1 (", "correct"),
    ),
    Example(
        "polygon",
        "2026-02-12.csv.gz",
        POLYGON_QUOTES
        + "A,1,20.04,200,2,20.00,210,12,,1770810300000000000,4,1770810300100000000,1,0\n"
        + "A,0,0,0,2,20.01,100,12,,1770810301000000000,5,1770810301100000000,1,0\n"
        + "A,1,20.05,300,2,20.01,100,12,,1770810302000000000,6,1770810302100000000,1,0\n",
        "A",
        "quotes",
        "",
        """2026-02-11T11:45:00.100Z,20.00,20.04,210,200
        2026-02-11T11:45:02.100Z,20.01,20.05,100,300
        """,
        says=(": 1 (",),
    ),
    Example(
        # As the service sends it: prices are integers of 1e-9, times nanoseconds.
        "databento",
        "glbx-mdp3-20240101.ohlcv-1m.csv",
        DATABENTO_BARS
        + "1704067200000000000,33,1,12345,4500250000000,4510000000000,4490000000000,4505750000000,"
        "1000,ESH4\n"
        "1704067260000000000,33,1,12345,4505750000000,4520000000000,4500000000000,4515000000000,"
        "1500,ESH4\n",
        "ESH4",
        "bars",
        "1m",
        """2024-01-01T00:00:00Z,4500.25,4510,4490,4505.75,1000
        2024-01-01T00:01:00Z,4505.75,4520,4500,4515,1500
        """,
        says=("1e-9",),
    ),
    Example(
        # "Pretty": decimals and ISO times.
        "databento",
        "pretty.csv",
        DATABENTO_BARS
        + "2024-01-01T00:00:00.000000000Z,34,1,12345,4500.250000000,4510.000000000,4490.000000000,"
        "4505.750000000,1000,ESH4\n"
        "2024-01-01T01:00:00.000000000Z,34,1,12345,4505.750000000,4520.000000000,4500.000000000,"
        "4515.000000000,1500,ESH4\n"
        "2024-01-01T02:00:00.000000000Z,34,1,12345,4515.000000000,4515.250000000,4510.000000000,"
        "4512.000000000,900,ESH4\n",
        "ESH4",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,4500.250000000,4510.000000000,4490.000000000,4505.750000000,1000
        2024-01-01T01:00:00Z,4505.750000000,4520.000000000,4500.000000000,4515.000000000,1500
        2024-01-01T02:00:00Z,4515.000000000,4515.250000000,4510.000000000,4512.000000000,900
        """,
    ),
    Example(
        "databento",
        "glbx-mdp3-20250908.trades.csv",
        DATABENTO_TRADES
        + "2025-09-08T00:00:00.005301633Z,2025-09-08T00:00:00.004194717Z,0,1,14160,T,B,0,"
        "6505.000000000,2,0,13730,245991,ESU5\n"
        "2025-09-08T00:00:00.105301633Z,2025-09-08T00:00:00.104194717Z,0,1,14160,T,A,0,"
        "6504.750000000,1,0,13730,245992,ESU5\n"
        "2025-09-08T00:00:00.205301633Z,2025-09-08T00:00:00.204194717Z,0,1,14160,T,N,0,"
        "6504.750000000,1,0,13730,245993,ESU5\n",
        "ESU5",
        "trades",
        "",
        """2025-09-08T00:00:00.004194717Z,6505.000000000,2,buy
        2025-09-08T00:00:00.104194717Z,6504.750000000,1,sell
        2025-09-08T00:00:00.204194717Z,6504.750000000,1,
        """,
    ),
    Example(
        "databento",
        "glbx-mdp3-20240101.mbp-1.csv",
        DATABENTO_TOP
        + "1704067200000001000,1704067200000000000,1,1,12345,A,B,0,4499000000000,100,128,165,1,"
        "4499000000000,4501000000000,100,150,1,1,ESH4\n"
        "1704067201000001000,1704067201000000000,1,1,12345,C,A,0,4501000000000,150,128,165,2,"
        "4499000000000,9223372036854775807,100,0,1,0,ESH4\n",
        "ESH4",
        "quotes",
        "",
        "2024-01-01T00:00:00Z,4499,4501,100,150\n",
        says=(": 1 (",),
    ),
]

REFUSED = [
    Refused(
        # Two instruments, and no names: they are not one book.
        "unnamed.csv",
        DATABENTO_BARS.replace(",symbol", "")
        + "1704067200000000000,33,1,5,4500250000000,4510000000000,4490000000000,4505750000000,1\n"
        "1704067200000000000,33,1,6,75250000000,75500000000,75000000000,75250000000,1\n",
        ("5, 6",),
        ("--symbol", "ES"),
    ),
    Refused(
        # Whole numbers of 1e-9 first, then a price with a point: one of them is not what it seems.
        "mixed.csv",
        DATABENTO_BARS
        + "1704067200000000000,33,1,5,4500250000000,4510000000000,4490000000000,4505750000000,1,E\n"
        "1704067260000000000,33,1,5,4505750000000,4520000000000,4500000000000,4515.5,1,E\n"
        "1704067320000000000,33,1,5,4505750000000,4520000000000,4500000000000,4515000000000,1,E\n",
        (":3: close is '4515.5'", "whole numbers"),
        (),
    ),
    Refused(
        # Orders of a book.
        "orders.csv",
        "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,"
        "order_id,flags,ts_in_delta,sequence,symbol\n"
        "1609113600000000000,1609099225061045683,160,1,5482,A,B,3675750000000,2,0,647784248135,40,"
        "0,1180,ESH1\n",
        ("order book", "mbp-1"),
        (),
    ),
    Refused(
        # A day of all tickers outside of the vendor's folders: of minutes, or of a day?
        "2024-03-08.csv",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,4930,200.29,200.5,200.63,200.1,1709874000000000000,129\n"
        "MSFT,100,360.1,360.2,360.3,360.0,1709874000000000000,9\n",
        ("--interval",),
        (),
    ),
]
