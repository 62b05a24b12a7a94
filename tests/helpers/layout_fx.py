"""Files of brokers, of charting programs, and of vendors of currencies."""

from __future__ import annotations

from layout_example import Example, Refused

MT5_HEADER = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
MT5_TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\r\n"

EXAMPLES = [
    Example(
        "mt5",
        "EURUSD_M1_202403080930_202403080931.csv",
        MT5_HEADER
        + "2024.03.08\t09:30:00\t1.09389\t1.09399\t1.09380\t1.09390\t52\t0\t3\r\n"
        + "2024.03.08\t09:31:00\t1.09390\t1.09401\t1.09380\t1.09392\t41\t0\t3\r\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-03-08T07:30:00Z,1.09389,1.09399,1.09380,1.09390,52
        2024-03-08T07:31:00Z,1.09390,1.09401,1.09380,1.09392,41
        """,
        options=("--timezone", "Europe/Athens"),
        says=("tick volume", "SPREAD"),
        encoding="utf-16",
    ),
    Example(
        # Where there is a real volume, it is the volume. Daily exports have no <TIME>.
        "mt5",
        "PETR4_Daily_202403070000_202403080000.csv",
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
        "2024.03.07\t40.10\t40.50\t39.90\t40.25\t1200\t35000000\t1\r\n"
        "2024.03.08\t40.25\t40.75\t40.00\t40.60\t1100\t31000000\t1\r\n",
        "PETR4",
        "bars",
        "1d",
        """2024-03-07T00:00:00Z,40.10,40.50,39.90,40.25,35000000
        2024-03-08T00:00:00Z,40.25,40.75,40.00,40.60,31000000
        """,
        options=("--timezone", "UTC"),
    ),
    Example(
        # The Python package gives the server's clock as if it were UTC's.
        "mt5",
        "rates.csv",
        ",time,open,high,low,close,tick_volume,spread,real_volume\n"
        "0,1709890200,1.09389,1.09399,1.0938,1.0939,52,3,0\n"
        "1,1709890260,1.0939,1.09401,1.0938,1.09392,41,3,0\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-03-08T07:30:00Z,1.09389,1.09399,1.0938,1.0939,52
        2024-03-08T07:31:00Z,1.0939,1.09401,1.0938,1.09392,41
        """,
        options=("--symbol", "EURUSD", "--timezone", "Europe/Athens"),
        says=("server's clock",),
    ),
    Example(
        "mt5",
        "rates_of_a_frame.csv",
        "time,open,high,low,close,tick_volume,spread,real_volume\n"
        "2024-03-08 09:30:00,1.09389,1.09399,1.0938,1.0939,52,3,0\n"
        "2024-03-08 09:31:00,1.0939,1.09401,1.0938,1.09392,41,3,0\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-03-08T07:30:00Z,1.09389,1.09399,1.0938,1.0939,52
        2024-03-08T07:31:00Z,1.0939,1.09401,1.0938,1.09392,41
        """,
        options=("--symbol", "EURUSD", "--timezone", "Europe/Athens"),
    ),
    Example(
        # An empty bid or ask has not changed since the tick before.
        "mt5",
        "EURUSD_202211101500_202211101501.csv",
        MT5_TICKS
        + "2022.11.10\t15:00:00.017\t\t0.86712\t\t\t4\r\n"
        + "2022.11.10\t15:00:00.228\t0.86681\t0.86710\t\t\t6\r\n"
        + "2022.11.10\t15:00:00.525\t0.86677\t\t\t\t2\r\n"
        + "2022.11.10\t15:00:01.049\t\t0.86711\t\t\t4\r\n",
        "EURUSD",
        "quotes",
        "",
        """2022-11-10T13:00:00.228Z,0.86681,0.86710,,
        2022-11-10T13:00:00.525Z,0.86677,0.86710,,
        2022-11-10T13:00:01.049Z,0.86677,0.86711,,
        """,
        options=("--timezone", "Europe/Athens"),
        says=(": 1 (",),
    ),
    Example(
        "mt4",
        "EURUSD1.csv",
        "2024.03.08,09:30,1.09389,1.09399,1.09380,1.09390,52\r\n"
        "2024.03.08,09:31,1.09390,1.09399,1.09380,1.09392,41\r\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-03-08T07:30:00Z,1.09389,1.09399,1.09380,1.09390,52
        2024-03-08T07:31:00Z,1.09390,1.09399,1.09380,1.09392,41
        """,
        options=("--timezone", "Europe/Athens"),
        says=("tick volume",),
    ),
    Example(
        "mt4",
        "US3060.csv",
        "2024.03.08,09:00,38800.1,38850.0,38790.0,38820.5,900\n"
        "2024.03.08,10:00,38820.5,38860.0,38800.0,38851.0,800\n",
        "US30",
        "bars",
        "1h",
        """2024-03-08T09:00:00Z,38800.1,38850.0,38790.0,38820.5,900
        2024-03-08T10:00:00Z,38820.5,38860.0,38800.0,38851.0,800
        """,
        options=("--timezone", "UTC"),
    ),
    Example(
        # The same seven columns, but this vendor's clock is known.
        "histdata-mt",
        "DAT_MT_EURUSD_M1_202407.csv",
        "2024.07.01,00:00,1.306600,1.306600,1.306560,1.306560,0\n"
        "2024.07.01,00:01,1.306570,1.306570,1.306470,1.306560,0\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-07-01T05:00:00Z,1.306600,1.306600,1.306560,1.306560,
        2024-07-01T05:01:00Z,1.306570,1.306570,1.306470,1.306560,
        """,
        says=("Eastern Standard Time", "bid"),
    ),
    Example(
        "histdata-m1",
        "DAT_ASCII_EURUSD_M1_201202.csv",
        "20120201 000000;1.306600;1.306600;1.306560;1.306560;0\n"
        "20120201 000100;1.306570;1.306570;1.306470;1.306560;0\n",
        "EURUSD",
        "bars",
        "1m",
        """2012-02-01T05:00:00Z,1.306600,1.306600,1.306560,1.306560,
        2012-02-01T05:01:00Z,1.306570,1.306570,1.306470,1.306560,
        """,
        says=("Eastern Standard Time", "bid"),
    ),
    Example(
        "histdata-m1",
        "DAT_NT_EURUSD_M1_201207.csv",
        "20120701 000000;1.306600;1.306600;1.306560;1.306560;0\n"
        "20120701 000100;1.306570;1.306570;1.306470;1.306560;0\n",
        "EURUSD",
        "bars",
        "1m",
        """2012-07-01T05:00:00Z,1.306600,1.306600,1.306560,1.306560,
        2012-07-01T05:01:00Z,1.306570,1.306570,1.306470,1.306560,
        """,
    ),
    Example(
        "histdata-tick",
        "DAT_ASCII_EURUSD_T_201202.csv",
        "20120201 000003660,1.306600,1.306770,0\n20120201 000003973,1.306580,1.306750,0\n",
        "EURUSD",
        "quotes",
        "",
        """2012-02-01T05:00:03.660Z,1.306600,1.306770,,
        2012-02-01T05:00:03.973Z,1.306580,1.306750,,
        """,
        says=("Eastern Standard Time",),
    ),
    Example(
        "histdata-nt",
        "DAT_NT_AUDCAD_T_LAST_201212.csv",
        "20121202 170010;1.035400;0\n20121202 170013;1.035600;0\n",
        "AUDCAD",
        "trades",
        "",
        """2012-12-02T22:00:10Z,1.035400,,
        2012-12-02T22:00:13Z,1.035600,,
        """,
    ),
    Example(
        "histdata-ms",
        "DAT_MS_EURUSD_M1_201202.csv",
        "EURUSD,201202010000,1.306600,1.306600,1.306560,1.306560,0\n"
        "EURUSD,201202010001,1.306570,1.306570,1.306470,1.306560,0\n",
        "EURUSD",
        "bars",
        "1m",
        """2012-02-01T05:00:00Z,1.306600,1.306600,1.306560,1.306560,
        2012-02-01T05:01:00Z,1.306570,1.306570,1.306470,1.306560,
        """,
    ),
    Example(
        "dukascopy",
        "EURUSD_Candlestick_1_m_BID_08.03.2024-08.03.2024.csv",
        "Gmt time,Open,High,Low,Close,Volume\n"
        "08.03.2024 09:30:00.000,1.09389,1.09399,1.09380,1.09390,52.1\n"
        "08.03.2024 09:31:00.000,1.09390,1.09399,1.09380,1.09392,41.9\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-03-08T09:30:00Z,1.09389,1.09399,1.09380,1.09390,52.1
        2024-03-08T09:31:00Z,1.09390,1.09399,1.09380,1.09392,41.9
        """,
        says=("bid",),
    ),
    Example(
        "dukascopy",
        "USDJPY_Candlestick_1_Hour_ASK_16.08.2025-16.08.2025.csv",
        "Local time,Open,High,Low,Close,Volume\n"
        "15.08.2025 09:00:00.000 GMT+0900,146.851,146.878,146.851,146.876,192000000\n"
        "15.08.2025 10:00:00.000 GMT+0900,146.876,146.900,146.800,146.850,1000\n"
        "15.08.2025 11:00:00.000 GMT+0900,146.850,146.910,146.840,146.900,2000\n",
        "USDJPY",
        "bars",
        "1h",
        """2025-08-15T00:00:00Z,146.851,146.878,146.851,146.876,192000000
        2025-08-15T01:00:00Z,146.876,146.900,146.800,146.850,1000
        2025-08-15T02:00:00Z,146.850,146.910,146.840,146.900,2000
        """,
        says=("ask",),
    ),
    Example(
        "dukascopy",
        "XAUUSD_1 Min_Bid_2020.01.09_2020.01.10.csv",
        "Time (EET),Open,High,Low,Close,Volume\n"
        "2020.07.09 01:00:00,1557.152,1557.452,1555.202,1555.302,0.045\n"
        "2020.07.09 01:01:00,1555.302,1555.402,1555.202,1555.212,0.010\n",
        "XAUUSD",
        "bars",
        "1m",
        """2020-07-08T22:00:00Z,1557.152,1557.452,1555.202,1555.302,0.045
        2020-07-08T22:01:00Z,1555.302,1555.402,1555.202,1555.212,0.010
        """,
    ),
    Example(
        "dukascopy",
        "EURUSD_Ticks_31.07.2011-31.07.2011.csv",
        "Gmt time,Ask,Bid,AskVolume,BidVolume\n"
        "31.07.2011 23:00:00.652,1.13729,1.13699,2.25,1.13\n"
        "31.07.2011 23:00:00.885,1.13733,1.1370200000000001,2.25,1.13\n",
        "EURUSD",
        "quotes",
        "",
        """2011-07-31T23:00:00.652Z,1.13699,1.13729,1.13,2.25
        2011-07-31T23:00:00.885Z,1.13702,1.13733,1.13,2.25
        """,
        options=("--tick", "0.00001"),
    ),
    Example(
        "dukascopy-node",
        "eurusd-m1-bid-2024-03-08-2024-03-09.csv",
        "timestamp,open,high,low,close,volume\n"
        "1709890200000,1.09389,1.09399,1.0938,1.0939,52.1\n"
        "1709890260000,1.0939,1.09399,1.0938,1.09392,41.9\n",
        "EURUSD",
        "bars",
        "1m",
        """2024-03-08T09:30:00Z,1.09389,1.09399,1.0938,1.0939,52.1
        2024-03-08T09:31:00Z,1.0939,1.09399,1.0938,1.09392,41.9
        """,
        says=("bid",),
    ),
    Example(
        "dukascopy-node",
        "ethusd-tick-2025-01-01-2025-01-02.csv",
        "timestamp,askPrice,bidPrice,askVolume,bidVolume\n"
        "1735772400455,2626.592,2625.098,449.99999227,449.99999227\n",
        "ETHUSD",
        "quotes",
        "",
        "2025-01-01T23:00:00.455Z,2625.098,2626.592,449.99999227,449.99999227\n",
    ),
    Example(
        "tradingview",
        "OANDA_EURUSD, 60.csv",
        "time,open,high,low,close,Volume,Volume MA\n"
        "1709251200,1.0800,1.0805,1.0795,1.0802,100,\n"
        "1709254800,1.0810,1.0815,1.0795,1.0812,110,105\n",
        "EURUSD",
        "bars",
        "1h",
        """2024-03-01T00:00:00Z,1.0800,1.0805,1.0795,1.0802,100
        2024-03-01T01:00:00Z,1.0810,1.0815,1.0795,1.0812,110
        """,
    ),
    Example(
        "tradingview",
        "NASDAQ_NVDA, 1D_5f2c1.csv",
        "time,open,high,low,close\n"
        "2024-03-07T09:30:00-05:00,901.58,927.67,896.02,926.69\n"
        "2024-03-08T09:30:00-05:00,951.38,974,865.06,875.28\n",
        "NVDA",
        "bars",
        "1d",
        """2024-03-07T14:30:00Z,901.58,927.67,896.02,926.69,
        2024-03-08T14:30:00Z,951.38,974,865.06,875.28,
        """,
    ),
]

REFUSED = [
    Refused(
        # Numbers since 1970 of a server's clock are hours off if they are taken as UTC.
        "rates.csv",
        "time,open,high,low,close,tick_volume,spread,real_volume\n"
        "1709890200,1.09389,1.09399,1.0938,1.0939,52,3,0\n"
        "1709890260,1.0939,1.09401,1.0938,1.09392,41,3,0\n",
        ("--timezone",),
    ),
    Refused(
        # Times of a chart without a zone.
        "OANDA_EURUSD, 60.csv",
        "time,open,high,low,close,Volume\n2024-03-01 00:00:00,1.08,1.09,1.07,1.08,1\n"
        "2024-03-01 01:00:00,1.08,1.09,1.07,1.08,1\n",
        ("--timezone",),
    ),
    Refused(
        # Ticks of trades alone: never a bid and an ask.
        "PETR4_202403080900_202403080901.csv",
        MT5_TICKS + "2024.03.08\t09:00:00.017\t\t\t40.10\t100\t88\r\n",
        ("not one row", "before both a bid and an ask"),
        ("--timezone", "America/Sao_Paulo"),
    ),
    Refused(
        # January 2nd or February 1st.
        "some.csv",
        "Date,Open,High,Low,Close,Volume\n01/02/2024,1,1,1,1,1\n02/02/2024,1,1,1,1,1\n",
        ("more than one way", "--time-format"),
    ),
    Refused(
        # Minutes of HistData, but divided by commas, with a date that is none.
        "DAT_ASCII_EURUSD_M1_202402.csv",
        "20240230 170000;1.1;1.1;1.1;1.1;0\n20240230 170100;1.1;1.1;1.1;1.1;0\n",
        ("20240230",),
    ),
    Refused(
        # No file of MetaTrader says its server's clock.
        "EURUSD_M1_202403080930_202403080931.csv",
        MT5_HEADER + "2024.03.08\t09:30:00\t1.09389\t1.09399\t1.09380\t1.09390\t52\t0\t3\r\n",
        ("--timezone",),
    ),
    Refused(
        "EURUSD1.csv",
        "2024.03.08,09:30,1.09389,1.09399,1.09380,1.09390,52\n",
        ("--timezone",),
    ),
    Refused(
        # US30 of days, not US of 30 minutes, whose bars would be seen a day before they close.
        "US30.csv",
        "2024.03.07,00:00,38800.1,38850.0,38790.0,38820.5,900\n"
        "2024.03.08,00:00,38820.5,38860.0,38800.0,38851.0,800\n",
        ("its name says '30'", "--interval"),
        ("--timezone", "UTC"),
    ),
    Refused(
        # One side of the quotes alone.
        "DAT_NT_AUDCAD_T_BID_201212.csv",
        "20121202 170010;1.035400;0\n20121202 170013;1.035450;0\n",
        ("DAT_ASCII",),
    ),
    Refused(
        # Days before months: 03.08.2024 and 13.08.2024 cannot both be month first.
        "x.csv",
        "Local time,Open,High,Low,Close,Volume\n08.03.2024 09:30:00.000,1,1,1,1,1\n",
        ("--timezone",),
    ),
]
