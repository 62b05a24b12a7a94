"""Files of exchanges and of crypto vendors."""

from __future__ import annotations

from layout_example import Example, Refused

KLINES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)
AGG_HEADER = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
)
TARDIS_TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
TARDIS_QUOTES = (
    "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
)

EXAMPLES = [
    Example(
        "binance",
        "BTCUSDT-1m-2023-12.csv",
        "1703980800000,42140.28000000,42146.58000000,42139.62000000,42146.57000000,11.30115000,"
        "1703980859999,476241.21936650,572,7.13462000,300660.61712500,0\n"
        "1703980860000,42146.58000000,42160.00000000,42146.57000000,42159.99000000,8.00001000,"
        "1703980919999,337250.00000000,420,4.00000000,168625.00000000,0\n",
        "BTCUSDT",
        "bars",
        "1m",
        """2023-12-31T00:00:00Z,42140.28000000,42146.58000000,42139.62000000,42146.57000000,11.30115000
        2023-12-31T00:01:00Z,42146.58000000,42160.00000000,42146.57000000,42159.99000000,8.00001000
        """,
        says=("UTC", "contracts"),
    ),
    Example(
        # Archives of spot changed from ms to us on 2025-01-01; people join their files.
        "binance",
        "DOGEUSDT-1h.csv",
        "1735686000000,0.31590000,0.31700000,0.31500000,0.31620000,100.0,1735689599999,31.6,7,50.0,"
        "15.8,0\n"
        "1735689600000000,0.31620000,0.31650000,0.31400000,0.31410000,200.0,1735693199999999,63.1,9,"
        "60.0,18.9,0\n",
        "DOGEUSDT",
        "bars",
        "1h",
        """2024-12-31T23:00:00Z,0.31590000,0.31700000,0.31500000,0.31620000,100.0
        2025-01-01T00:00:00Z,0.31620000,0.31650000,0.31400000,0.31410000,200.0
        """,
    ),
    Example(
        "binance",
        "BTCUSD_PERP-1d-2024-01.csv",
        KLINES_HEADER
        + "1704067200000,42283.5,44200.0,42180.7,44179.5,10324557,1704153599999,23996.12,281440,"
        "5282030,12270.9,0\n"
        "1704153600000,44179.5,45922.0,44152.0,44946.9,19324557,1704239999999,43000.50,501440,"
        "9282030,20000.9,0\n",
        "BTCUSD_PERP",
        "bars",
        "1d",
        """2024-01-01T00:00:00Z,42283.5,44200.0,42180.7,44179.5,10324557
        2024-01-02T00:00:00Z,44179.5,45922.0,44152.0,44946.9,19324557
        """,
        says=("contracts",),
    ),
    Example(
        "binance",
        "BTCUSDT-aggTrades-2025-01-01.csv",
        "3358600001,93576.00000000,0.01000000,4359410001,4359410001,1735689600010866,True,True\n"
        "3358600002,93576.01000000,0.25000000,4359410002,4359410005,1735689600011000,False,True\n",
        "BTCUSDT",
        "trades",
        "",
        """2025-01-01T00:00:00.010866Z,93576.00000000,0.01000000,sell
        2025-01-01T00:00:00.011Z,93576.01000000,0.25000000,buy
        """,
    ),
    Example(
        "binance",
        "ETHUSDT-aggTrades-2024-06.zip",
        AGG_HEADER
        + "1500000001,3760.55,2.500,4000000001,4000000003,1717200000123,true\n"
        + "1500000002,3760.56,0.010,4000000004,4000000004,1717200000456,false\n",
        "ETHUSDT",
        "trades",
        "",
        """2024-06-01T00:00:00.123Z,3760.55,2.500,sell
        2024-06-01T00:00:00.456Z,3760.56,0.010,buy
        """,
        member="ETHUSDT-aggTrades-2024-06.csv",
    ),
    Example(
        "binance",
        "BNBUSDT-trades-2020-03-08.csv",
        "51175358,17.80180000,5.69000000,101.29224200,1583709433583,True,True\n"
        "51175359,17.80190000,1.00000000,17.80190000,1583709433590,False,True\n",
        "BNBUSDT",
        "trades",
        "",
        """2020-03-08T23:17:13.583Z,17.80180000,5.69000000,sell
        2020-03-08T23:17:13.590Z,17.80190000,1.00000000,buy
        """,
    ),
    Example(
        "binance",
        "BTCUSDT-trades-2024-05-31.csv",
        "id,price,qty,quote_qty,time,is_buyer_maker\n"
        "5053880937,68402.6,0.024,1641.6624,1717113600031,false\n"
        "5053880938,68402.5,0.005,342.0125,1717113600130,true\n",
        "BTCUSDT",
        "trades",
        "",
        """2024-05-31T00:00:00.031Z,68402.6,0.024,buy
        2024-05-31T00:00:00.130Z,68402.5,0.005,sell
        """,
    ),
    Example(
        "binance",
        "BTCUSD_PERP-trades-2026-09-11.csv",
        "id,price,qty,base_qty,time,is_buyer_maker\n"
        "1151022504,78526.1,83.0,0.10569734,1757548800731,true\n",
        "BTCUSD_PERP",
        "trades",
        "",
        "2025-09-11T00:00:00.731Z,78526.1,83.0,sell\n",
        says=("contracts",),
    ),
    Example(
        "binance",
        "BTCUSDT-bookTicker-2024-03-30.csv",
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        "event_time\n"
        "4274541235123,69874.50,3.250,69874.60,0.750,1711756800004,1711756800009\n",
        "BTCUSDT",
        "quotes",
        "",
        "2024-03-30T00:00:00.004Z,69874.50,69874.60,3.250,0.750\n",
    ),
    Example(
        # A month has no length of its own; its close time counts.
        "binance",
        "BTCUSDT-1mo-2024-11.csv",
        "1730419200000,70292.01,99588.01,66835.00,96407.99,100.0,1733011199999,1,1,1,1,0\n"
        "1733011200000,96407.99,108353.00,90500.00,93576.00,90.0,1735689599999,1,1,1,1,0\n",
        "BTCUSDT",
        "bars",
        "1mo",
        """2024-11-01T00:00:00Z,70292.01,99588.01,66835.00,96407.99,100.0
        2024-12-01T00:00:00Z,96407.99,108353.00,90500.00,93576.00,90.0
        """,
    ),
    Example(
        "kraken",
        "XBTEUR_60.csv",
        "1704067200,38000.1,38050.0,38000.0,38020.3,12.34567891,5\n"
        "1704070800,38020.3,38150.0,38010.0,38120.3,2.00000000,6\n"
        "1704078000,38120.3,38250.0,38120.3,38220.3,1.00000000,7\n",
        "XBTEUR",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,38000.1,38050.0,38000.0,38020.3,12.34567891
        2024-01-01T01:00:00Z,38020.3,38150.0,38010.0,38120.3,2.00000000
        2024-01-01T03:00:00Z,38120.3,38250.0,38120.3,38220.3,1.00000000
        """,
    ),
    Example(
        "kraken",
        "XBTEUR.csv",
        "1704067200.1234,38100.1,0.5\n1704067201,38100.2,0.10000000\n",
        "XBTEUR",
        "trades",
        "",
        """2024-01-01T00:00:00.123400Z,38100.1,0.5,
        2024-01-01T00:00:01Z,38100.2,0.10000000,
        """,
    ),
    Example(
        "cryptodatadownload",
        "Bitstamp_BTCUSD_1h.csv",
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n"
        "1704074400,2024-01-01 02:00:00,BTC/USD,42003,42130,41930,42080,7.5,315600\n"
        "1704070800,2024-01-01 01:00:00,BTC/USD,42002,42110,41910,42060,2.5,105150\n"
        "1704067200,2024-01-01 00:00:00,BTC/USD,42001,42100,41900,42050,12.5,525625\n",
        "BTC/USD",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,42001,42100,41900,42050,12.5
        2024-01-01T01:00:00Z,42002,42110,41910,42060,2.5
        2024-01-01T02:00:00Z,42003,42130,41930,42080,7.5
        """,
        says=("Volume BTC",),
    ),
    Example(
        "cryptodatadownload",
        "Binance_BTCUSDT_1h.csv",
        "Cryptodatadownload.com\n"
        "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount\n"
        "1704070800000,2024-01-01 01:00:00,BTCUSDT,42500,42600,42400,42550,12.3,522000,1000\n"
        "1704067200000,2024-01-01 00:00:00,BTCUSDT,42400,42500,42300,42450,10.5,446000,900\n",
        "BTCUSDT",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,42400,42500,42300,42450,10.5
        2024-01-01T01:00:00Z,42500,42600,42400,42550,12.3
        """,
    ),
    Example(
        "bitstamp-minutes",
        "bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv",
        "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n"
        "1325317920,4.39,4.39,4.39,4.39,0.45558087,2.0000000193,4.39\n"
        "1325317980,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n"
        "1325318040,4.4,4.5,4.4,4.45,1.5,6.6,4.4\n",
        "BTCUSD",
        "bars",
        "1m",
        """2011-12-31T07:52:00Z,4.39,4.39,4.39,4.39,0.45558087
        2011-12-31T07:54:00Z,4.4,4.5,4.4,4.45,1.5
        """,
        options=("--symbol", "BTCUSD"),
        says=(": 1 (",),
    ),
    Example(
        # The newer file of the same collection writes its epochs as floats.
        "bitstamp-minutes",
        "btcusd_1-min_data.csv",
        "Timestamp,Open,High,Low,Close,Volume\n"
        "1325412060.0,4.58,4.58,4.58,4.58,0.0\n"
        "1325412120.0,4.58,4.58,4.58,4.58,0.0\n",
        "BTCUSD",
        "bars",
        "1m",
        """2012-01-01T10:01:00Z,4.58,4.58,4.58,4.58,0.0
        2012-01-01T10:02:00Z,4.58,4.58,4.58,4.58,0.0
        """,
    ),
    Example(
        "tardis",
        "deribit_trades_2020-03-01_BTC-PERPETUAL.csv.gz",
        TARDIS_TRADES + "deribit,BTC-PERPETUAL,1583020803145000,1583020803307160,80030701,buy,"
        "8550.5,10740\n"
        "deribit,BTC-PERPETUAL,1583020804238000,1583020804349110,80030702,unknown,8550,60\n",
        "BTC-PERPETUAL",
        "trades",
        "",
        """2020-03-01T00:00:03.145Z,8550.5,10740,buy
        2020-03-01T00:00:04.238Z,8550,60,
        """,
    ),
    Example(
        "tardis",
        "binance-futures_quotes_2020-09-01_BTCUSDT.csv.gz",
        TARDIS_QUOTES + "binance-futures,BTCUSDT,1598918400064000,1598918400068712,0.012,11657.08,"
        "11657.07,6.5\n"
        "binance-futures,BTCUSDT,1598918400100000,1598918400101000,,,11657.07,6.4\n"
        "binance-futures,BTCUSDT,1598918400200000,1598918400201000,1.5,11657.08,11657.07,6.4\n",
        "BTCUSDT",
        "quotes",
        "",
        """2020-09-01T00:00:00.064Z,11657.07,11657.08,6.5,0.012
        2020-09-01T00:00:00.200Z,11657.07,11657.08,6.4,1.5
        """,
        says=(": 1 (",),
    ),
    Example(
        "freqtrade",
        "BTC_USDT-1h.json",
        "[[1704067200000,42283.58,42554.57,42261.02,42475.23,1271.68],"
        "[1704070800000,42475.23,42775.0,42431.65,42613.56,1196.37855]]",
        "BTC/USDT",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,42283.58,42554.57,42261.02,42475.23,1271.68
        2024-01-01T01:00:00Z,42475.23,42775.0,42431.65,42613.56,1196.37855
        """,
    ),
    Example(
        "freqtrade",
        "ETH_USDT_USDT-1h-futures.json",
        "[[1704067200000,2281.87,2297.2,2280.5,2295.5,35921.3],"
        "[1704070800000,2295.5,2301.0,2290.0,2300.1,1000.0]]",
        "ETH/USDT:USDT",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,2281.87,2297.2,2280.5,2295.5,35921.3
        2024-01-01T01:00:00Z,2295.5,2301.0,2290.0,2300.1,1000.0
        """,
    ),
    Example(
        "freqtrade",
        "BTC_USDT-trades.json",
        '[[1704067200009,"3358600001",null,"buy",42283.59,0.005,211.41795],'
        '[1704067200100,"3358600002",null,"sell",42283.58,0.1,4228.358]]',
        "BTC/USDT",
        "trades",
        "",
        """2024-01-01T00:00:00.009Z,42283.59,0.005,buy
        2024-01-01T00:00:00.100Z,42283.58,0.1,sell
        """,
    ),
    Example(
        "ccxt",
        "ohlcv.json",
        "[[1704067200000, 42283.58, 42554.57, 42261.02, 42475.23, 1271.68],\n"
        " [1704070800000, 42475.23, 42775.0, 42431.65, 42613.56, 1196.4]]\n",
        "BTC/USDT",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,42283.58,42554.57,42261.02,42475.23,1271.68
        2024-01-01T01:00:00Z,42475.23,42775.0,42431.65,42613.56,1196.4
        """,
        options=("--symbol", "BTC/USDT"),
    ),
    Example(
        "ccxt",
        "candles.csv",
        "1704067200000,42283.58,42554.57,42261.02,42475.23,1271.68\n"
        "1704070800000,42475.23,42775.0,42431.65,42613.56,1196.4\n",
        "BTC/USDT",
        "bars",
        "1h",
        """2024-01-01T00:00:00Z,42283.58,42554.57,42261.02,42475.23,1271.68
        2024-01-01T01:00:00Z,42475.23,42775.0,42431.65,42613.56,1196.4
        """,
        options=("--symbol", "BTC/USDT"),
    ),
]

REFUSED = [
    Refused(
        # KuCoin's order is open, close, high, low.
        "klines.csv",
        "1704067200000,42283.58,42475.23,42554.57,42261.02,1271.68,1704070799999,1,1,1,1,0\n"
        "1704070800000,42475.23,42613.56,42775.0,42431.65,1196.4,1704074399999,1,1,1,1,0\n",
        ("--columns",),
    ),
    Refused(
        # A row that is short of a column.
        "BTCUSDT-1m-2024-01.csv",
        "1704067200000,1,2,1,2,3,1704067259999,1,1,1,1,0\n"
        "1704067260000,1,2,1,2,3,1704067319999,1,1,1,1\n"
        "1704067320000,1,2,1,2,3,1704067379999,1,1,1,1,0\n",
        (":2: 11 columns instead of 12",),
    ),
    Refused(
        # The name says minutes, and the close times say hours.
        "BTCUSDT-1m-2024-02.csv",
        "1704067200000,1,2,1,2,3,1704070799999,1,1,1,1,0\n"
        "1704070800000,1,2,1,2,3,1704074399999,1,1,1,1,0\n",
        ("not a bar of",),
    ),
    Refused(
        # A taker's side that is none.
        "deribit_trades_2020-03-02_BTC-PERPETUAL.csv",
        TARDIS_TRADES + "deribit,BTC-PERPETUAL,1583020803145000,1583020803307160,1,hold,8550.5,1\n",
        (":2: side is 'hold'",),
        (),
    ),
    Refused(
        # The same header as trades: only the name says that these are forced orders.
        "binance-futures_liquidations_2020-01-01_BTCUSDT.csv",
        TARDIS_TRADES
        + "binance-futures,BTCUSDT,1577836800000000,1577836800001000,1,buy,7200.5,1\n",
        ("liquidations",),
    ),
    Refused(
        "deribit_book_snapshot_5_2020-04-01_BTC-PERPETUAL.csv",
        "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,"
        "bids[0].amount\n"
        "deribit,BTC-PERPETUAL,1585699200245000,1585699200250000,6401.5,1000,6401,500\n",
        ("book", "quotes"),
    ),
    Refused(
        "deribit_incremental_book_L2_2020-04-01_BTC-PERPETUAL.csv",
        "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
        "deribit,BTC-PERPETUAL,1585699200245000,1585699200250000,true,bid,6401,500\n",
        ("book", "quotes"),
    ),
    Refused(
        # Coinbase's arrays are time, low, high, open, close, volume.
        "coinbase.json",
        "[[1704067200,42261.02,42554.57,42283.58,42475.23,1271.68],"
        "[1704070800,42431.65,42775.0,42475.23,42613.56,1196.4]]",
        ("--columns",),
    ),
    Refused(
        # Kraken's trades have this shape too, but this is a bid and an ask.
        "EURUSD.csv",
        "1704067200.123,1.10427,1.10429\n1704067201.500,1.10428,1.10431\n"
        "1704067202.000,1.10426,1.10429\n",
        ("--columns",),
    ),
    Refused(
        "BTC_USDT_USDT-8h-funding_rate.json",
        "[[1704067200000,0.0001,0.0,0.0,0.0,0.0],[1704096000000,0.0001,0.0,0.0,0.0,0.0]]",
        ("funding",),
    ),
]
