"""The real recordings, each with the instruments and the rules it is traded under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from session_helpers import Busy


def spot(base: str, quote: str, tick: str, lot: str, **fees: object) -> dict[str, Any]:
    return {"base": base, "quote": quote, "tick": tick, "lot": lot, "fees": fees}


def margin(base: str, quote: str, tick: str, lot: str, **fees: object) -> dict[str, Any]:
    terms = {"settlement": "margin", "leverage": 20, "maintenance_margin": "0.5"}
    return {**spot(base, quote, tick, lot, **fees), **terms}


_SHARE_FEES = {"per_unit": "0.005", "minimum": "1", "decimals": 2}
_RATE_FEES = {"maker": "0.0002", "taker": "0.00075", "rounding": "half_even"}
INSTRUMENTS: dict[str, dict[str, Any]] = {
    "BTC-PERP": margin("BTC", "USDT", "0.01", "0.001", taker="0.0005"),
    "BTCUSD": spot("BTC", "USD", "0.01", "0.00000001", **_RATE_FEES),
    "ETHUSD": spot("ETH", "USD", "0.01", "0.00000001", **_RATE_FEES, decimals=2),
    "BTCUSDT": spot("BTC", "USDT", "0.01", "0.00001", **_RATE_FEES),
    "ETHUSDT": margin("ETH", "USDT", "0.01", "0.0001", **_RATE_FEES),
    "EURUSD": margin("EUR", "USD", "0.00001", "1000", taker="0.00002", decimals=2),
    "XAUUSD": margin("XAU", "USD", "0.001", "0.01", per_fill="0.7", rounding="down"),
    "SPY": spot("SPY", "USD", "0.0001", "1", **_SHARE_FEES),
    "IBM": spot("IBM", "USD", "0.0001", "1", **_SHARE_FEES),
    "ORCL": spot("ORCL", "USD", "0.01", "1", taker="0.0025", decimals=2) | {"split_check": False},
}
SIZES = {
    "BTC-PERP": "0.017",
    "BTCUSD": "0.01700001",
    "ETHUSD": "0.31",
    "BTCUSDT": "0.00171",
    "ETHUSDT": "0.0231",
    "EURUSD": "1000",
    "XAUUSD": "0.37",
    "SPY": "13",
    "IBM": "11",
    "ORCL": "7",
}
BALANCES = {
    "USD": "3000000",
    "USDT": "2000000",
    "BTC": "50",
    "ETH": "500",
    "SPY": "5000",
    "IBM": "5000",
    "ORCL": "100",
}


@dataclass(frozen=True)
class Case:
    """Files (the first of a pair stands for both) and the rules they are traded under."""

    files: Sequence[str]
    paper: Mapping[str, Any] = field(default_factory=dict)
    accept: Sequence[str] = ()
    every: int = 3


_CAPPED = {"participation": "0.05", "slippage_ticks": 2}
TICKS = {"fill": "bid_ask", "participation": "0.5", "slippage_bps": "0.5", "latency_ms": "3"}
_PRINTS = {"participation": "0.9", "slippage_ticks": 1, "latency_ms": "20"}
_BTC_ETH = ("BTCUSD_coinbase_1m", "ETHUSD_coinbase_1m")
CASES: dict[str, Case] = {
    "BTC-PERP": Case(["bars/BTC-PERP_1m_2021-12-31_first10000.csv"], _CAPPED),
    "Coinbase BTC": Case(["bars/BTCUSD_coinbase_1m_2017-09-03_04.csv"], _CAPPED),
    "Coinbase ETH": Case(
        ["bars/ETHUSD_coinbase_1m_2017-09-03_04.csv"], {"fill": "decision_close", **_CAPPED}
    ),
    "Coinbase BTC and ETH": Case(
        [f"bars/{name}_2018-04-04_05.csv" for name in _BTC_ETH],
        {"bar_path": "open_high_low_close", **_CAPPED},
        ["gap"],
    ),
    "Coinbase BTC and ETH two-sided": Case(
        [f"bars/{name}_2017-09-03_04_bid.csv" for name in _BTC_ETH],
        {"fill": "bid_ask", "slippage_bps": "3"},
        ["gap", "unpaired", "crossed"],
    ),
    "EURUSD two-sided": Case(
        ["bars/EURUSD_oanda_1m_2014-05-04_09_bid.csv"], {"slippage_ticks": 1}, ["gap"]
    ),
    "XAUUSD and EURUSD two-sided": Case(
        [f"bars/{name}_oanda_1m_2014-05-04_09_bid.csv" for name in ("XAUUSD", "EURUSD")],
        {"fill": "bid_ask", "latency_ms": "1500"},
        ["gap"],
    ),
    "IBM": Case(["bars/IBM_1m_2013-10-04_11.csv"], _CAPPED, ["gap"]),
    "SPY and IBM": Case(
        ["bars/SPY_1m_2013-10-04_11.csv", "bars/IBM_1m_2013-10-04_11.csv"],
        {"bar_path": "open_low_high_close", **_CAPPED},
        ["gap"],
    ),
    "SPY two-sided": Case(["bars/SPY_1m_2013-10-07_11_bid.csv"], _CAPPED, ["gap", "crossed"]),
    "ORCL": Case(["bars/ORCL_1d_2000.csv"], _CAPPED, ["gap"], every=1),
    "EURUSD quotes": Case(["quotes/EURUSD_oanda_tick_2014-05-01.csv"], TICKS, every=20),
    "XAUUSD quotes": Case(["quotes/XAUUSD_oanda_tick_2014-05-04.csv"], TICKS, every=10),
    "BTCUSDT trades": Case(["trades/BTCUSDT_binance_spot_tick_2024-08-08.csv"], _PRINTS, every=10),
    "ETHUSDT trades": Case(["trades/ETHUSDT_binance_spot_tick_2024-08-08.csv"], {}, every=10),
    "BTCUSDT and ETHUSDT quotes and trades": Case(
        [
            f"{kind}/{symbol}_binance_spot_tick_2024-08-08.csv"
            for kind in ("quotes", "trades")
            for symbol in ("BTCUSDT", "ETHUSDT")
        ],
        TICKS,
        ["crossed"],
        every=20,
    ),
}
QUICK_CASES = ("ORCL", "EURUSD quotes", "ETHUSDT trades")
"""One of each kind of data, and short: what `make test` runs."""


def config_of(case: Case, market_data: Path) -> dict[str, Any]:
    """The session's settings; two-sided bars without volumes and sizes have no cap to keep."""
    symbols = dict.fromkeys(Path(name).name.split("_")[0] for name in case.files)
    instruments = {symbol: INSTRUMENTS[symbol] for symbol in symbols}
    assets = [each[side] for each in instruments.values() for side in ("base", "quote")]
    balances = {asset: BALANCES[asset] for asset in assets if asset in BALANCES}
    return {
        "data": {
            "paths": [str(market_data / name) for name in case.files],
            "accept": list(case.accept),
        },
        "instruments": instruments,
        "account": {"balances": balances, "borrow": {"BTC": "1", "ETH": "3.5"}},
        "paper": dict(case.paper),
        "orders": {"symbols": {symbol: {"quantity": SIZES[symbol]} for symbol in symbols}},
        "risk": {"price_collar": "0.05", "max_order_notional": "250000"},
    }


def busy(case: Case, config: Mapping[str, Any]) -> Busy:
    return Busy({symbol: SIZES[symbol] for symbol in config["instruments"]}, case.every)


def terms_of(config: Mapping[str, Any]) -> dict[str, tuple[str, str, str, str]]:
    return {
        symbol: (each["base"], each["quote"], "1", each.get("settlement", "spot"))
        for symbol, each in config["instruments"].items()
    }
