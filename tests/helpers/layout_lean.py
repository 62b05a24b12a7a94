"""Lean's data folder."""

from __future__ import annotations

from layout_example import Example, Refused

EXAMPLES = [
    Example(
        "lean",
        "equity/usa/minute/spy/20131007_trade.zip",
        "34200000,1676500,1680000,1670000,1675000,5\n34260000,1675000,1680000,1670000,1675001,7\n",
        "SPY",
        "bars",
        "1m",
        """2013-10-07T13:30:00Z,167.65,168,167,167.5,5
        2013-10-07T13:31:00Z,167.5,168,167,167.5001,7
        """,
        member="20131007_spy_minute_trade.csv",
    ),
    Example(
        "lean",
        "equity/usa/hour/spy.zip",
        "20131007 09:00,1676500,1680000,1670000,1675000,5\n"
        "20131007 10:00,1675000,1680000,1670000,1675000,7\n",
        "SPY",
        "bars",
        "1h",
        """2013-10-07T13:00:00Z,167.65,168,167,167.5,5
        2013-10-07T14:00:00Z,167.5,168,167,167.5,7
        """,
        member="spy.csv",
    ),
    Example(
        "lean",
        "equity/usa/daily/spy.zip",
        "20131007 00:00,1676500,1680000,1670000,1675000,5\n"
        "20131008 00:00,1675000,1680000,1670000,1675000,7\n",
        "SPY",
        "bars",
        "1d",
        """2013-10-07T00:00:00Z,167.65,168,167,167.5,5
        2013-10-08T00:00:00Z,167.5,168,167,167.5,7
        """,
        member="spy.csv",
    ),
    Example(
        # Futures are written as they are, not as ten-thousandths.
        "lean",
        "future/usa/minute/es/20131007_trade.zip",
        "63271000,1685.25,1685.50,1685.00,1685.25,126\n63331000,1685.25,1685.75,1685.25,1685.5,9\n",
        "ES-20131220",
        "bars",
        "1m",
        """2013-10-07T17:34:31Z,1685.25,1685.50,1685.00,1685.25,126
        2013-10-07T17:35:31Z,1685.25,1685.75,1685.25,1685.5,9
        """,
        options=("--symbol", "ES-20131220"),
        member="20131007_es_minute_trade_201312_20131220.csv",
    ),
    Example(
        "lean",
        "forex/oanda/minute/eurusd/20140504_quote.zip",
        "0,1.1,1.3,1.0,1.2,0,1.11,1.31,1.01,1.21,0\n60000,,,,,,1.1,1.1,1.1,1.1,0\n",
        "EURUSD",
        "quote_bars",
        "1m",
        """2014-05-04T00:00:00Z,1.1,1.3,1.0,1.2,0
--
2014-05-04T00:00:00Z,1.11,1.31,1.01,1.21,0
2014-05-04T00:01:00Z,1.1,1.1,1.1,1.1,0
""",
        member="20140504_eurusd_minute_quote.csv",
    ),
    Example(
        "lean",
        "equity/usa/tick/bac/20131008_trade.zip",
        "14400009.367,137450,100,D,1,0\n14400010,137500,200,D,1,1\n14400011.5,137400,50,P,1,0\n",
        "BAC",
        "trades",
        "",
        """2013-10-08T08:00:00.009367Z,13.745,100,
        2013-10-08T08:00:00.011500Z,13.74,50,
        """,
        says=(": 1 (", "suspicious"),
        member="20131008_bac_Trade_Tick.csv",
    ),
    Example(
        "lean",
        "crypto/gdax/tick/btcusd/20180101_trade.zip",
        "86400,232.40,93.1\n86401,232.41,0.5\n",
        "BTCUSD",
        "trades",
        "",
        """2018-01-01T00:01:26.400Z,232.40,93.1,
        2018-01-01T00:01:26.401Z,232.41,0.5,
        """,
        member="20180101_btcusd_tick_trade.csv",
    ),
    Example(
        "lean",
        "forex/oanda/tick/eurusd/20140504_quote.zip",
        "92000,10.38,10.40\n92001,10.39,10.40\n",
        "EURUSD",
        "quotes",
        "",
        """2014-05-04T00:01:32Z,10.38,10.40,,
        2014-05-04T00:01:32.001Z,10.39,10.40,,
        """,
        member="20140504_eurusd_tick_quote.csv",
    ),
]

REFUSED = [
    Refused(
        # Quotes of Lean's equities are of single exchanges, one side each.
        "equity/usa/tick/bac/20131008_quote.csv",
        "14400009.367,137450,100,0,0,D,1,0\n14400009.467,0,0,137500,100,D,1,0\n",
        ("one side alone",),
    ),
    Refused(
        "20131007_openinterest.csv",
        "42660000,2693575\n",
        ("open contracts",),
    ),
]
