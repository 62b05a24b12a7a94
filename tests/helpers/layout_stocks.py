"""Files of vendors of stocks, and of Interactive Brokers' libraries."""

from __future__ import annotations

from layout_example import Example, Refused

EXAMPLES = [
    Example(
        "yfinance",
        "MSFT.csv",
        "Price,Close,High,Low,Open,Volume\nTicker,MSFT,MSFT,MSFT,MSFT,MSFT\nDate,,,,,\n"
        "2023-02-17,254.5292510986328,256.53147567397895,252.49743818375117,255.84107105146936,"
        "30000100\n"
        "2023-02-18,249.1,250.6,248.2,249.9,28397400\n",
        "MSFT",
        "bars",
        "1d",
        """2023-02-17T00:00:00Z,255.84,256.53,252.50,254.53,30000100
        2023-02-18T00:00:00Z,249.90,250.60,248.20,249.10,28397400
        """,
        options=("--tick", "0.01"),
    ),
    Example(
        "yfinance",
        "atr.csv",
        "Price,Close,High,Low,Open,Volume\nTicker,ATR.WA,ATR.WA,ATR.WA,ATR.WA,ATR.WA\nDate,,,,,\n"
        "2023-02-22,248.0,251.1,246.9,248.6,22491100\n"
        "2023-02-23,,,,,6527\n"
        "2023-02-24,247.1,249.0,246.5,248.0,1000\n",
        "ATR.WA",
        "bars",
        "1d",
        """2023-02-22T00:00:00Z,248.60,251.10,246.90,248.00,22491100
        2023-02-24T00:00:00Z,248.00,249.00,246.50,247.10,1000
        """,
        options=("--tick", "0.01"),
        says=(": 1 (",),
    ),
    Example(
        # group_by="ticker": the ticker's line comes first.
        "yfinance",
        "grouped.csv",
        "Ticker,MSFT,MSFT,MSFT,MSFT,MSFT\nPrice,Open,High,Low,Close,Volume\nDate,,,,,\n"
        "2023-02-17,255.8,256.5,252.4,254.5,30000100\n",
        "MSFT",
        "bars",
        "1d",
        "2023-02-17T00:00:00Z,255.80,256.50,252.40,254.50,30000100\n",
        options=("--tick", "0.01", "--interval", "1d"),
    ),
    Example(
        # The frame with its index reset: two lines of header, the dates without a name.
        "yfinance",
        "two-lines.csv",
        "Date,Close,High,Low,Open,Volume\n,MSFT,MSFT,MSFT,MSFT,MSFT\n"
        "2023-02-17,254.5,256.5,252.4,255.8,30000100\n"
        "2023-02-18,249.1,250.6,248.2,249.9,28397400\n",
        "MSFT",
        "bars",
        "1d",
        """2023-02-17T00:00:00Z,255.80,256.50,252.40,254.50,30000100
        2023-02-18T00:00:00Z,249.90,250.60,248.20,249.10,28397400
        """,
        options=("--tick", "0.01"),
    ),
    Example(
        # Ticker(...).history(): each day with the offset of its exchange.
        "yfinance",
        "AAPL.csv",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-03-07 00:00:00-05:00,100,101.0,99.0,100.5,1000,0.0,0.0\n"
        "2024-03-08 00:00:00-05:00,101,102.0,100.0,101.5,1000,0.0,0.0\n"
        "2024-03-11 00:00:00-04:00,102,103.0,101.0,102.5,1000,0.24,0.0\n"
        "2024-03-12 00:00:00-04:00,103,104.0,102.0,103.5,1000,0.0,0.0\n",
        "AAPL",
        "bars",
        "1d",
        """2024-03-07T05:00:00Z,100.00,101.00,99.00,100.50,1000
        2024-03-08T05:00:00Z,101.00,102.00,100.00,101.50,1000
        2024-03-11T04:00:00Z,102.00,103.00,101.00,102.50,1000
        2024-03-12T04:00:00Z,103.00,104.00,102.00,103.50,1000
        """,
        options=("--tick", "0.01", "--symbol", "AAPL"),
    ),
    Example(
        "yfinance",
        "SPY.csv",
        "Datetime,Open,High,Low,Close,Adj Close,Volume\n"
        "2024-01-02 09:30:00-05:00,472.1600036621094,473.0,471.989990234375,472.5,470.1,1234.0\n"
        "2024-01-02 09:31:00-05:00,472.5,472.5,472.489990234375,472.5,470.1,100\n",
        "SPY",
        "bars",
        "1m",
        """2024-01-02T14:30:00Z,472.16,473.00,471.99,472.50,1234
        2024-01-02T14:31:00Z,472.50,472.50,472.49,472.50,100
        """,
        options=("--tick", "0.01", "--symbol", "SPY"),
        says=("Adj Close",),
    ),
    Example(
        "stooq",
        "aapl_us_d.csv",
        "Date,Open,High,Low,Close,Volume\n"
        "2024-03-07,169.15,170.73,168.49,169,71765061\n"
        "2024-03-08,169,173.7,168.94,170.73,76267041\n",
        "AAPL.US",
        "bars",
        "1d",
        """2024-03-07T00:00:00Z,169.15,170.73,168.49,169,71765061
        2024-03-08T00:00:00Z,169,173.7,168.94,170.73,76267041
        """,
    ),
    Example(
        # A week is stamped with its last day: it is known when the week is over, not seven days
        # after that.
        "stooq",
        "aapl_us_w.csv",
        "Date,Open,High,Low,Close,Volume\n"
        "2024-03-01,182.24,182.76,177.38,179.66,406000000\n"
        "2024-03-08,176.15,176.9,168.49,170.73,370000000\n",
        "AAPL.US",
        "bars",
        "1w",
        """2024-02-26T00:00:00Z,182.24,182.76,177.38,179.66,406000000
        2024-03-04T00:00:00Z,176.15,176.9,168.49,170.73,370000000
        """,
    ),
    Example(
        "stooq",
        "aapl_us_m.csv",
        "Date,Open,High,Low,Close,Volume\n"
        "2024-01-31,187.15,196.38,180.17,184.4,1190000000\n"
        "2024-02-29,183.98,191.05,179.25,180.75,1160000000\n",
        "AAPL.US",
        "bars",
        "1mo",
        """2024-01-01T00:00:00Z,187.15,196.38,180.17,184.4,1190000000
        2024-02-01T00:00:00Z,183.98,191.05,179.25,180.75,1160000000
        """,
    ),
    Example(
        # The last week is that of the download, and is stamped with its day.
        "alpha-vantage",
        "weekly_IBM.csv",
        "timestamp,open,high,low,close,volume\n"
        "2024-03-06,193.5,198.13,192.96,196.16,14000000\n"
        "2024-03-01,185.49,188.38,184.79,188.2,24000000\n"
        "2024-02-23,187.64,189.17,182.64,185.72,20000000\n",
        "IBM",
        "bars",
        "1w",
        """2024-02-19T00:00:00Z,187.64,189.17,182.64,185.72,20000000
        2024-02-26T00:00:00Z,185.49,188.38,184.79,188.2,24000000
        2024-03-04T00:00:00Z,193.5,198.13,192.96,196.16,14000000
        """,
        says=("last day",),
    ),
    Example(
        "alpha-vantage",
        "monthly_IBM.csv",
        "timestamp,open,high,low,close,volume\n"
        "2024-03-28,185.49,199.18,184.61,190.96,99000000\n"
        "2024-02-29,183.63,188.95,178.75,185.03,91000000\n",
        "IBM",
        "bars",
        "1mo",
        """2024-02-01T00:00:00Z,183.63,188.95,178.75,185.03,91000000
        2024-03-01T00:00:00Z,185.49,199.18,184.61,190.96,99000000
        """,
    ),
    Example(
        # One of two tickers that stand side by side.
        "yfinance",
        "pair.csv",
        "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\n"
        "Ticker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\n"
        "Date,,,,,,,,,,\n"
        "2023-02-16,153.7,262.1,156.3,266.7,153.3,261.9,153.5,264.0,68167900,29603600\n"
        "2023-02-17,152.5,258.0,153.0,260.0,150.8,256.0,152.3,259.3,59144100,30000100\n",
        "MSFT",
        "bars",
        "1d",
        """2023-02-16T00:00:00Z,264.00,266.70,261.90,262.10,29603600
        2023-02-17T00:00:00Z,259.30,260.00,256.00,258.00,30000100
        """,
        options=("--tick", "0.01", "--symbol", "MSFT"),
    ),
    Example(
        "ib",
        "ticks.csv",
        ",time,tickAttribBidAsk,priceBid,priceAsk,sizeBid,sizeAsk\n"
        '0,2024-07-24 13:30:00+00:00,"TickAttribBidAsk(bidPastLow=False, askPastHigh=False)",'
        "100.1,100.2,5.0,7.0\n",
        "SPY",
        "quotes",
        "",
        "2024-07-24T13:30:00Z,100.1,100.2,5.0,7.0\n",
        options=("--symbol", "SPY"),
    ),
    Example(
        "ib",
        "last.csv",
        ",time,tickAttribLast,price,size,exchange,specialConditions\n"
        '0,2024-07-24 13:30:00+00:00,"TickAttribLast(pastLimit=False, unreported=False)",'
        "100.2,3.0,ARCA,\n",
        "SPY",
        "trades",
        "",
        "2024-07-24T13:30:00Z,100.2,3.0,\n",
        options=("--symbol", "SPY"),
    ),
    Example(
        "stooq-bulk",
        "aapl.us.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\r\n"
        "AAPL.US,D,20240307,000000,169.15,170.73,168.49,169,71765061,0\r\n"
        "AAPL.US,D,20240308,000000,169,173.7,168.94,170.73,76267041,0\r\n",
        "AAPL.US",
        "bars",
        "1d",
        """2024-03-07T00:00:00Z,169.15,170.73,168.49,169,71765061
        2024-03-08T00:00:00Z,169,173.7,168.94,170.73,76267041
        """,
    ),
    Example(
        "stooq-bulk",
        "aapl.us_5.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "AAPL.US,5,20260603,154500,312.21,312.36,311.91,311.95,5866,0\n"
        "AAPL.US,5,20260603,155000,311.75,312.00,311.75,311.84,1482,0\n"
        "AAPL.US,5,20260603,155500,311.84,312.10,311.80,312.05,990,0\n",
        "AAPL.US",
        "bars",
        "5m",
        """2026-06-03T13:45:00Z,312.21,312.36,311.91,311.95,5866
        2026-06-03T13:50:00Z,311.75,312.00,311.75,311.84,1482
        2026-06-03T13:55:00Z,311.84,312.10,311.80,312.05,990
        """,
        options=("--timezone", "Europe/Warsaw"),
    ),
    Example(
        "alpha-vantage",
        "daily_IBM.csv",
        "timestamp,open,high,low,close,volume\n"
        "2024-03-08,195.1800,196.9500,195.0000,195.9500,4000000\n"
        "2024-03-07,197.5800,198.7300,196.1400,196.5400,4600000\n"
        "2024-03-06,193.5000,198.1300,192.9600,196.1600,6900000\n",
        "IBM",
        "bars",
        "1d",
        """2024-03-06T00:00:00Z,193.5000,198.1300,192.9600,196.1600,6900000
        2024-03-07T00:00:00Z,197.5800,198.7300,196.1400,196.5400,4600000
        2024-03-08T00:00:00Z,195.1800,196.9500,195.0000,195.9500,4000000
        """,
    ),
    Example(
        "alpha-vantage",
        "intraday_5min_IBM.csv",
        "timestamp,open,high,low,close,volume\n"
        "2024-07-08 19:55:00,195.18,196.95,195.00,195.95,40\n"
        "2024-07-08 19:50:00,197.58,198.73,196.14,196.54,46\n",
        "IBM",
        "bars",
        "5m",
        """2024-07-08T23:50:00Z,197.58,198.73,196.14,196.54,46
        2024-07-08T23:55:00Z,195.18,196.95,195.00,195.95,40
        """,
        says=("America/New_York",),
    ),
    Example(
        "tiingo",
        "AAPL.csv",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,"
        "splitFactor\n"
        "2020-08-28,499.3,501.56,498.52,500.74,2635860,124.8,125.4,124.6,125.2,10543440,0.0,1.0\n"
        "2020-08-31,129.04,131,126,127.58,223505733,129.04,131,126,127.58,223505733,0.0,4.0\n"
        "2020-09-01,134.18,134.8,130.53,132.76,152470142,134.18,134.8,130.53,132.76,152470142,0.0,"
        "1.0\n",
        "AAPL",
        "bars",
        "1d",
        """2020-08-28T00:00:00Z,500.74,501.56,498.52,499.3,2635860
        2020-08-31T00:00:00Z,127.58,131,126,129.04,223505733
        2020-09-01T00:00:00Z,132.76,134.8,130.53,134.18,152470142
        """,
        says=("adj",),
    ),
    Example(
        "ib",
        "spx.csv",
        ",date,open,high,low,close,volume,average,barCount\n"
        "0,2024-07-24 13:30:00+00:00,5505.84,5506.78,5501.68,5506.25,-1.0,-1.0,59\n"
        "1,2024-07-24 13:31:00+00:00,5506.34,5508.04,5505.05,5506.13,12.0,5506.0,58\n",
        "SPX",
        "bars",
        "1m",
        """2024-07-24T13:30:00Z,5505.84,5506.78,5501.68,5506.25,
        2024-07-24T13:31:00Z,5506.34,5508.04,5505.05,5506.13,12.0
        """,
        options=("--symbol", "SPX"),
    ),
    Example(
        "ib",
        "QQQ.txt",
        "Date,Open,High,Low,Close,Volume,Average,BarCount\n"
        "20250102 09:30:00 US/Eastern,512.1,512.5,511.9,512.4,1000,512.2,45\n"
        "20250102 09:31:00 US/Eastern,512.4,512.8,512.3,512.7,1200,512.5,50\n",
        "QQQ",
        "bars",
        "1m",
        """2025-01-02T14:30:00Z,512.1,512.5,511.9,512.4,1000
        2025-01-02T14:31:00Z,512.4,512.8,512.3,512.7,1200
        """,
    ),
]

REFUSED = [
    Refused(
        # What the service answers when its limit is reached.
        "daily_IBM.csv",
        '{\n    "Information": "We have detected your API key"\n}\n',
        ("daily_IBM.csv",),
    ),
    Refused(
        # Two tickers in one table: which one is asked for.
        "two.csv",
        "Price,Close,Close,Open,Open\nTicker,AAPL,MSFT,AAPL,MSFT\nDate,,,,\n"
        "2023-02-17,152.55,258.06,152.35,259.39\n",
        ("AAPL", "MSFT"),
        options=(),
    ),
    Refused(
        "stooq.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "AAPL.US,5,20260603,154500,312.21,312.36,311.91,311.95,5866,0\n"
        "AAPL.US,5,20260603,155000,311.75,312.00,311.75,311.84,1482,0\n",
        ("--timezone",),
    ),
    Refused(
        "intraday.csv",
        "timestamp,open,high,low,close,volume\n2024-07-08 19:55:00,1,1,1,1,1\n"
        "2024-07-08 19:50:00,1,1,1,1,1\n",
        ("--timezone",),
    ),
    Refused(
        "ib.txt",
        "Date,Open,High,Low,Close,Volume,Average,BarCount\n"
        "20250102 09:30:00,512.1,512.5,511.9,512.4,1000,512.2,45\n"
        "20250102 09:31:00,512.1,512.5,511.9,512.4,1000,512.2,45\n",
        ("--timezone",),
    ),
]
