"""Files of web sites, of charting programs and of the interfaces of exchanges."""

from __future__ import annotations

from layout_example import Example, Refused

NASDAQ = "Date,Close/Last,Volume,Open,High,Low\n"
INVESTING = '"Date","Price","Open","High","Low","Vol.","Change %"\n'
BITMEX = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue\n"
BUCKETS = (
    "timestamp,symbol,open,high,low,close,trades,volume,vwap,lastSize,turnover,homeNotional,"
    "foreignNotional\n"
)
CMC = "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp\n"
WIKI = "Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,Adj. Open,Adj. Close\n"

EXAMPLES = [
    Example(
        "investing",
        "EUR_USD Historical Data.csv",
        INVESTING
        + '"03/18/2024","1.0872","1.0888","1.0906","1.0866","71.77M","-0.14%"\n'
        + '"03/15/2024","1.0887","1.0882","1.0900","1.0873","1.5K","0.05%"\n'
        + '"03/14/2024","1.0882","1.0948","1.0955","1.0879","","-0.60%"\n'
        + '"03/13/2024","1.0948","1.0927","1.0964","1.0918","-","0.19%"\n',
        "EUR_USD",
        "bars",
        "1d",
        """2024-03-13T00:00:00Z,1.0927,1.0964,1.0918,1.0948,
        2024-03-14T00:00:00Z,1.0948,1.0955,1.0879,1.0882,
        2024-03-15T00:00:00Z,1.0882,1.0900,1.0873,1.0887,1500
        2024-03-18T00:00:00Z,1.0888,1.0906,1.0866,1.0872,71770000
        """,
        says=("rounded by the site",),
    ),
    Example(
        "coinmarketcap",
        "Bitcoin_1.1.2024-2.1.2024_historical_data_coinmarketcap.csv",
        CMC
        + '"2024-03-08T00:00:00.000Z";"2024-03-08T23:59:59.999Z";"2024-03-08T15:00:00.000Z";'
        + '"2024-03-08T07:00:00.000Z";"2781";66925.48;70083.05;66230.44;68300.09;59202881172.76;'
        + '1342000000000;"2024-03-08T23:59:59.999Z"\n'
        + '"2024-03-07T00:00:00.000Z";"2024-03-07T23:59:59.999Z";"2024-03-07T15:00:00.000Z";'
        + '"2024-03-07T07:00:00.000Z";"2781";66099.74;68029.91;65655.53;66925.48;46989543159.1;'
        + '1315000000000;"2024-03-07T23:59:59.999Z"\n',
        "BTC",
        "bars",
        "1d",
        """2024-03-07T00:00:00Z,66099.74,68029.91,65655.53,66925.48,
        2024-03-08T00:00:00Z,66925.48,70083.05,66230.44,68300.09,
        """,
        options=("--symbol", "BTC"),
        says=("values in US dollars",),
    ),
    Example(
        "quandl",
        "WIKI-AAPL.csv",
        WIKI
        + "2018-03-27,173.68,175.15,166.92,168.34,38962839.0,0.0,1.0,173.68,168.34\n"
        + "2018-03-26,168.07,173.1,166.44,172.77,36272617.0,0.0,1.0,168.07,172.77\n",
        "AAPL",
        "bars",
        "1d",
        """2018-03-26T00:00:00Z,168.07,173.1,166.44,172.77,36272617.0
        2018-03-27T00:00:00Z,173.68,175.15,166.92,168.34,38962839.0
        """,
        options=("--symbol", "AAPL"),
    ),
    Example(
        "truefx",
        "EURUSD-2024-03.csv",
        "EUR/USD,20240301 00:00:00.123,1.08012,1.08015\n"
        "EUR/USD,20240301 00:00:00.456,1.08013,1.08016\n",
        "EUR/USD",
        "quotes",
        "",
        """2024-03-01T00:00:00.123Z,1.08012,1.08015,,
        2024-03-01T00:00:00.456Z,1.08013,1.08016,,
        """,
        options=("--timezone", "UTC"),
    ),
    Example(
        "finam",
        "SBER_240308_240308.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<LAST>,<VOL>\n"
        "SBER,0,20240308,100000,290.10,10\nSBER,0,20240308,100000,290.12,30\n",
        "SBER",
        "trades",
        "",
        """2024-03-08T07:00:00Z,290.10,10,
        2024-03-08T07:00:00Z,290.12,30,
        """,
        options=("--timezone", "Europe/Moscow"),
    ),
    Example(
        "ninjatrader",
        "ES 03-24.Last.txt",
        "20240308 143100;5170.25;5171;5169.5;5170;1000\n"
        "20240308 143200;5170;5170.5;5169;5169.25;800\n",
        "ES 03-24",
        "bars",
        "1m",
        """2024-03-08T14:30:00Z,5170.25,5171,5169.5,5170,1000
        2024-03-08T14:31:00Z,5170,5170.5,5169,5169.25,800
        """,
        options=("--stamp", "close"),
        says=("stamped at the close",),
    ),
    Example(
        "ninjatrader",
        "MSFT.Last.txt",
        "20240307;405.5;409.8;402.2;409.1;18718500\n20240308;407.9;410.4;404.3;406.2;17971700\n",
        "MSFT",
        "bars",
        "1d",
        """2024-03-07T00:00:00Z,405.5,409.8,402.2,409.1,18718500
        2024-03-08T00:00:00Z,407.9,410.4,404.3,406.2,17971700
        """,
    ),
    Example(
        "ninjatrader",
        "NQ 12-06.Last.txt",
        "20061107 000431;1383.00;1\n20061107 000456;1383.25;25\n",
        "NQ 12-06",
        "trades",
        "",
        """2006-11-07T00:04:31Z,1383.00,1,
        2006-11-07T00:04:56Z,1383.25,25,
        """,
    ),
    Example(
        "ninjatrader",
        "CL 04-24.Last.txt",
        "20240308 143000 0120000;78.01;78.00;78.01;2\n"
        "20240308 143000 5000000;78.02;78.01;78.02;1\n",
        "CL 04-24",
        "trades",
        "",
        """2024-03-08T14:30:00.012Z,78.01,2,
        2024-03-08T14:30:00.500Z,78.02,1,
        """,
    ),
    Example(
        "freqtrade",
        "BTC_USDT_USDT-trades.json",
        '[[1704067200009,"3358600001",null,"buy",42283.5,0.005,211.4175],'
        '[1704067200100,"3358600002",null,"sell",42283.4,0.1,4228.34]]',
        "BTC/USDT:USDT",
        "trades",
        "",
        """2024-01-01T00:00:00.009Z,42283.5,0.005,buy
        2024-01-01T00:00:00.100Z,42283.4,0.1,sell
        """,
    ),
    Example(
        "bitmex",
        "buckets.csv",
        BUCKETS
        + "2024-01-01T00:01:00.000Z,XBTUSD,42000,42010,41990,42005,10,1000,42000,1,1,1,1\n"
        + "2024-01-01T00:02:00.000Z,XBTUSD,42005,42015,42000,42001,10,900,42000,1,1,1,1\n",
        "XBTUSD",
        "bars",
        "1m",
        """2024-01-01T00:00:00Z,42000,42010,41990,42005,1000
        2024-01-01T00:01:00Z,42005,42015,42000,42001,900
        """,
        says=("contracts", "stamped at the close"),
    ),
    Example(
        "bitmex",
        "20240101.csv.gz",
        BITMEX
        + "2024-01-01D00:00:03.017000000,XBTUSD,Buy,100,42000.5,PlusTick,a,238092\n"
        + "2024-01-01D00:00:04.000000000,XBTUSD,Sell,300,42000.0,MinusTick,b,714285\n",
        "XBTUSD",
        "trades",
        "",
        """2024-01-01T00:00:03.017Z,42000.5,100,buy
        2024-01-01T00:00:04Z,42000.0,300,sell
        """,
    ),
    Example(
        "bitmex",
        "20240102.csv",
        "timestamp,symbol,bidSize,bidPrice,askPrice,askSize\n"
        "2024-01-02D00:00:03.017000000,XBTUSD,,,42000.5,200\n"
        "2024-01-02D00:00:03.018000000,XBTUSD,100,42000,42000.5,200\n",
        "XBTUSD",
        "quotes",
        "",
        "2024-01-02T00:00:03.018Z,42000,42000.5,100,200\n",
        says=("rows without a bid: 1",),
    ),
    Example(
        "coinbase",
        "btc.json",
        '[{"trade_id":2,"side":"sell","size":"0.1","price":"42000.01",'
        '"time":"2024-01-01T00:00:02.123456Z"},{"trade_id":1,"side":"buy","size":"0.2",'
        '"price":"42000.00","time":"2024-01-01T00:00:01.123456Z"}]',
        "BTC-USD",
        "trades",
        "",
        """2024-01-01T00:00:01.123456Z,42000.00,0.2,sell
        2024-01-01T00:00:02.123456Z,42000.01,0.1,buy
        """,
        options=("--symbol", "BTC-USD"),
        says=("the maker's",),
    ),
    Example(
        "coinbase",
        "candles.json",
        "[[1704070800,42400,42510,42450,42500,2.5],[1704067200,42200,42600,42283.5,42450,12.5],"
        "[1704063600,42100,42300,42200,42283.5,1]]",
        "BTC-USD",
        "bars",
        "1h",
        """2023-12-31T23:00:00Z,42200,42300,42100,42283.5,1
        2024-01-01T00:00:00Z,42283.5,42600,42200,42450,12.5
        2024-01-01T01:00:00Z,42450,42510,42400,42500,2.5
        """,
        options=("--symbol", "BTC-USD", "--format", "coinbase"),
    ),
    Example(
        "bitfinex",
        "candles.json",
        "[[1704063600000,42200,42283.5,42300,42100,1],[1704067200000,42283.5,42450,42600,42200,12.5"
        "],[1704070800000,42450,42500,42510,42400,2.5]]",
        "BTCUSD",
        "bars",
        "1h",
        """2023-12-31T23:00:00Z,42200,42300,42100,42283.5,1
        2024-01-01T00:00:00Z,42283.5,42600,42200,42450,12.5
        2024-01-01T01:00:00Z,42450,42510,42400,42500,2.5
        """,
        options=("--symbol", "BTCUSD", "--format", "bitfinex"),
    ),
    Example(
        "kucoin",
        "candles.json",
        '{"code":"200000","data":[["1704067320","42500","42450","42510","42400","2.5","106000"],'
        '["1704067260","42283.5","42500","42600","42200","12.5","531000"],'
        '["1704067200","42200","42283.5","42300","42100","1","42200.5"]]}',
        "BTC-USDT",
        "bars",
        "1m",
        """2024-01-01T00:00:00Z,42200,42300,42100,42283.5,1
        2024-01-01T00:01:00Z,42283.5,42600,42200,42500,12.5
        2024-01-01T00:02:00Z,42500,42510,42400,42450,2.5
        """,
        options=("--symbol", "BTC-USDT", "--format", "kucoin"),
    ),
    Example(
        "okx",
        "candles.json",
        '{"code":"0","data":[["1704067320000","42010","42020","42000","42011","0.1","0.1","1","0"],'
        '["1704067260000","42000","42020","41990","42010","12.5","12.5","525000","1"],'
        '["1704067200000","41990","42000","41980","42000","2.5","2.5","105000","1"]]}',
        "BTC-USDT",
        "bars",
        "1m",
        """2024-01-01T00:00:00Z,41990,42000,41980,42000,2.5
        2024-01-01T00:01:00Z,42000,42020,41990,42010,12.5
        """,
        options=("--symbol", "BTC-USDT"),
        says=("rows of bars that had not closed: 1",),
    ),
    Example(
        "htx",
        "kline.json",
        '{"status":"ok","data":[{"id":1704067260,"open":42000.1,"close":42010,"low":41990,'
        '"high":42020,"amount":12.5,"vol":525000.1,"count":100},{"id":1704067200,"open":41990,'
        '"close":42000.1,"low":41980,"high":42001,"amount":1.5,"vol":63000,"count":10}]}',
        "BTCUSDT",
        "bars",
        "1m",
        """2024-01-01T00:00:00Z,41990,42001,41980,42000.1,1.5
        2024-01-01T00:01:00Z,42000.1,42020,41990,42010,12.5
        """,
        options=("--symbol", "BTCUSDT"),
    ),
    Example(
        "deribit",
        "chart.json",
        '{"jsonrpc":"2.0","result":{"volume":[3.1,2.2],"ticks":[1704067200000,1704067260000],'
        '"status":"ok","open":[42000,42010],"low":[41990,42000],"high":[42020.5,42030],'
        '"cost":[130000,92000],"close":[42010,42020]}}',
        "BTC-PERPETUAL",
        "bars",
        "1m",
        """2024-01-01T00:00:00Z,42000,42020.5,41990,42010,3.1
        2024-01-01T00:01:00Z,42010,42030,42000,42020,2.2
        """,
        options=("--symbol", "BTC-PERPETUAL"),
    ),
]

_OCHL = "1704067200000,42283.5,42500,42600,42200,12.5\n1704070800000,42500,42450,42510,42400,2.5\n"

REFUSED = [
    # NinjaTrader's own minutes in the form of HistData's, which are of another clock.
    Refused(
        "minutes.txt",
        "20240308 093100;5170.25;5171;5169.5;5170;1000\n"
        "20240308 093200;5170.25;5171;5169.5;5170;1000\n",
        ("of no layout that is known",),
    ),
    Refused(
        "candles.csv",
        _OCHL,
        ("bars are none by the order open, high, low, close", "42500, 42600", "--columns"),
        ("--symbol", "X", "--interval", "1h", "--columns", "time,open,high,low,close,volume"),
    ),
    Refused(
        "named.csv",
        "time,open,high,low,close,volume\n" + _OCHL,
        ("2 of its first 2 bars are none",),
        ("--symbol", "X", "--interval", "1h"),
    ),
    Refused(
        "twice.csv",
        "time,open,high,low,close,close\n1704067200,1,2,0.5,1.5,1.6\n1704067260,1,2,0.5,1.5,1.6\n",
        ("2 columns are called 'close'", "--columns"),
    ),
    Refused(
        "no close.csv",
        "Date,Price,Open,High,Low\n2024-03-07,1,2,3,1\n2024-03-08,1,2,3,1\n",
        ("an open, a high and a low, and no column of closes",),
    ),
    Refused(
        "cases.csv",
        "time,symbol,price\n1704067200,BTCUSD,1\n1704067201,btcusd,2\n",
        ("BTCUSD and btcusd differ in the case of letters alone", "--symbol"),
        (),
    ),
    Refused(
        "signed.csv",
        "time,amount,price\n1704067200000,0.5,42000.1\n1704067201000,-0.5,42000\n",
        (":3: size is '-0.5': less than nothing",),
    ),
]
