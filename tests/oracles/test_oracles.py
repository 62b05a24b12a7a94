"""Sessions against the figures that other, independent engines assert in their own tests.

Every expected value is read from the oracle file; what stands here are only the rules under
which the other engine ran. A case is one session through `logos.session.run`, judged by its
artifacts.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from logos import session
from logos.core.types import Code

pytestmark = pytest.mark.usefixtures("logos_home")

BTC_PERP = "bars/BTC-PERP_1m_2021-12-31_first10000.csv"
ORCL = "bars/ORCL_1d_2000.csv"


def table(result: session.SessionResult, name: str) -> list[dict[str, str]]:
    with open(result.folder / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def market_rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def finished(config: Mapping[str, Any]) -> session.SessionResult:
    # The other engines have no limits of risk.
    result = session.run({"risk": {"unlimited": True}, **config})
    assert result.exit_code == session.ExitCode.FINISHED, result.reason
    assert result.summary["refusals"] == {}
    return result


# ---- N1 and N3 ----


@pytest.mark.long
def test_ema_cross_on_ten_thousand_bars_ends_with_the_other_engines_balances(
    market_data: Path, oracles: dict[str, Any]
) -> None:
    expected = oracles["N1"]
    result = finished(
        {
            "strategy": {"name": "ema_cross", "params": {"quantity": "0.001"}},
            "data": {"paths": [str(market_data / BTC_PERP)]},
            "instruments": {
                "BTC-PERP": {
                    "base": "BTC",
                    "quote": "USDT",
                    "tick": "0.01",  # the file has prices such as 46821.75
                    "lot": "0.001",
                    "fees": {"maker": "0.001", "taker": "0.001"},
                }
            },
            "account": {"balances": {"USDT": "10000000", "BTC": "10"}},
            "paper": {"fill": "decision_close"},
        }
    )
    orders = table(result, "orders")
    assert len(orders) == expected["orders"]
    assert {order["status"] for order in orders} == {"FILLED"}
    assert result.summary["ticks"] == expected["ema_count"]
    account = table(result, "account")[-1]
    assert account["balance"] == account["equity"] == expected["final_USDT"]
    assert Decimal(result.summary["balances"]["BTC"]) == Decimal(expected["final_BTC"])
    positions = [row for row in table(result, "positions")[-1:] if Decimal(row["position"])]
    assert len(positions) == expected["open_positions"]


def test_a_margin_round_trip_binds_and_ends_with_the_other_engines_amounts(
    market_data: Path, oracles: dict[str, Any]
) -> None:
    expected = oracles["N3"]
    orders = [
        {"time": "2021-12-31T23:02:00Z", "symbol": "BTC-PERP", "side": "BUY", "quantity": "10"},
        {"time": "2021-12-31T23:12:00Z", "symbol": "BTC-PERP", "side": "SELL", "quantity": "10"},
    ]
    result = finished(
        {
            "session": {"sample_interval_s": 60},
            "strategy": {"name": "schedule", "params": {"orders": orders}},
            "data": {"paths": [str(market_data / BTC_PERP)], "to": "2021-12-31T23:20:00Z"},
            "instruments": {
                "BTC-PERP": {
                    "base": "BTC",
                    "quote": "USDT",
                    "tick": "0.01",
                    "lot": "0.001",
                    "settlement": "margin",
                    "leverage": 10,
                    "maintenance_margin": "0.025",
                    "fees": {"taker": "0.0005"},
                }
            },
            "account": {"balances": {"USDT": "1000000"}},
            "paper": {"fill": "decision_close"},
        }
    )
    prices = [Decimal(trade["price"]) for trade in table(result, "trades")]
    rows = market_rows(market_data / BTC_PERP)
    assert prices == [Decimal(rows[0]["close"]), Decimal(rows[10]["close"])]
    account = table(result, "account")
    held = [row for row in account if "2021-12-31T23:03" <= row["time"] < "2021-12-31T23:12"]
    assert len(held) == 9
    assert {row["balance"] for row in held} == {expected["after_buy_total"]}
    assert {row["locked"] for row in held} == {expected["after_buy_locked"]}
    assert account[-1]["balance"] == account[-1]["equity"] == expected["final_total"]
    assert Decimal(account[-1]["locked"]) == 0
    assert len(table(result, "orders")) == expected["orders"]


# ---- B1 ----

_ORDER = re.compile(
    r"(?P<side>BUY|SELL) (?P<type>MKT|LMT|STP|STPLMT) (?P<quantity>\d+)"
    r"(?: @(?P<price>[\d.]+)| stop (?P<stop>[\d.]+) limit (?P<limit>[\d.]+))?"
)
_TYPES = {"MKT": "MARKET", "LMT": "LIMIT", "STP": "STOP", "STPLMT": "STOP_LIMIT"}
B1_CASES = 13


def scheduled(case: Mapping[str, str]) -> dict[str, str]:
    """The oracle's words for an order as a row of the schedule strategy."""
    match = _ORDER.fullmatch(case["order"])
    assert match is not None, case["order"]
    order = {
        "time": f"{case['placed']}T00:00:00Z",
        "symbol": "ORCL",
        "side": match["side"],
        "quantity": match["quantity"],
        "type": _TYPES[match["type"]],
    }
    if match["price"]:
        order["stop_price" if match["type"] == "STP" else "limit_price"] = match["price"]
    if match["stop"]:
        order |= {"stop_price": match["stop"], "limit_price": match["limit"]}
    return order


def orcl_session(market_data: Path, case: Mapping[str, str]) -> session.SessionResult:
    return finished(
        {
            "strategy": {"name": "schedule", "params": {"orders": [scheduled(case)]}},
            "data": {"paths": [str(market_data / ORCL)], "accept": ["gap"]},
            "instruments": {
                "ORCL": {
                    "quote": "USD",
                    "tick": "0.01",
                    "lot": "1",
                    # The other engine trades on through the split of the year.
                    "split_check": False,
                    "fees": {
                        "maker": "0.0025",
                        "taker": "0.0025",
                        "decimals": 2,
                        "rounding": "up",
                    },
                }
            },
            "account": {"balances": {"USD": "1000000", "ORCL": "10"}},
            "paper": {"fill": "next_open", "participation": "0.25"},
        }
    )


def test_every_order_case_of_the_oracle_is_covered(oracles: dict[str, Any]) -> None:
    assert len(oracles["B1"]) == B1_CASES


@pytest.mark.parametrize("number", range(B1_CASES))
def test_an_order_on_daily_bars_fills_where_the_other_engine_fills_it(
    market_data: Path, oracles: dict[str, Any], number: int
) -> None:
    case = oracles["B1"][number]
    result = orcl_session(market_data, case)
    [order] = table(result, "orders")
    trades = table(result, "trades")
    rows = market_rows(market_data / ORCL)
    decision_bar = date.fromisoformat(case["placed"]) - timedelta(days=1)
    assert order["created"] == f"{case['placed']}T00:00:00.000000000Z"
    assert f"{decision_bar}T00:00:00Z" in {row["timestamp"] for row in rows}
    if "result" in case:
        assert case["result"] == "cancelled, insufficient funds"
        assert (order["status"], order["reason"]) == ("CANCELLED", Code.INSUFFICIENT_FUNDS.value)
        assert trades == []
        assert result.summary["balances"]["USD"] == "1000000.00"
        return
    assert order["status"] == "FILLED"
    [trade] = trades
    assert rows[int(trade["tick_id"]) - 1]["timestamp"][:10] == case["fill_bar"]
    assert trade["notional"] == case["notional"]
    assert trade["fee"] == order["fee"] == case["fee"]


# ---- F1 ----

F1_CASES = ("ScaleInAllOutLong", "ReversalLongToShort", "ScaleInScaleOut1Long")
F1_CASE_WITH_LOTS = "ScaleInScaleOut2Long"


def fifo_session(folder: Path, fills: Sequence[str]) -> session.SessionResult:
    """One bar for each fill, whose every price is the fill's; each order fills at its close."""
    bars = ["timestamp,open,high,low,close,volume"]
    orders = []
    for minute, fill in enumerate(fills):
        side, quantity, price = fill.split()
        bars.append(f"2020-01-01T00:{minute:02d}:00Z,{price},{price},{price},{price},0")
        orders.append(
            {
                "time": f"2020-01-01T00:{minute + 1:02d}:00Z",
                "symbol": "EURUSD",
                "side": {"B": "BUY", "S": "SELL"}[side],
                "quantity": quantity,
            }
        )
    path = folder / "EURUSD_1m_fills.csv"
    path.write_text("\n".join(bars) + "\n", encoding="utf-8")
    return finished(
        {
            "strategy": {"name": "schedule", "params": {"orders": orders}},
            "data": {"paths": [str(path)]},
            "instruments": {
                "EURUSD": {
                    "base": "EUR",
                    "quote": "USD",
                    "tick": "0.01",
                    "lot": "1",
                    "settlement": "margin",
                    "fees": {"per_fill": "1"},
                }
            },
            "account": {"balances": {"USD": "100000"}},
            "paper": {"fill": "decision_close"},
        }
    )


class Lots:
    """What trades.csv says of each lot, summed over the fills that closed it, by lot number."""

    def __init__(self, trades: list[dict[str, str]]) -> None:
        self.profit: dict[int, Decimal] = defaultdict(Decimal)
        self.fees: dict[int, Decimal] = defaultdict(Decimal)
        self.quantity: dict[int, Decimal] = defaultdict(Decimal)
        self.way: dict[int, str] = {}
        for trade in trades:
            for closure in filter(None, trade["lots_closed"].split(";")):
                name, size, profit, fee = closure.split(":")
                quantity, price = size.split("@")
                lot = int(name.removeprefix("L"))
                self.profit[lot] += Decimal(profit)
                self.fees[lot] += Decimal(fee)
                self.quantity[lot] += Decimal(quantity)
                self.way[lot] = f"{Decimal(price)}->{Decimal(trade['price'])}"

    def in_order(self, amounts: Mapping[int, Decimal]) -> list[Decimal]:
        return [amounts[lot] for lot in sorted(amounts)]


def test_every_fifo_case_of_the_oracle_is_covered(oracles: dict[str, Any]) -> None:
    assert [case["name"] for case in oracles["F1"]] == [*F1_CASES, F1_CASE_WITH_LOTS]


@pytest.mark.parametrize("name", [*F1_CASES, F1_CASE_WITH_LOTS])
def test_lots_close_first_in_first_out_as_in_the_other_engine(
    tmp_path: Path, oracles: dict[str, Any], name: str
) -> None:
    [case] = [case for case in oracles["F1"] if case["name"] == name]
    result = fifo_session(tmp_path, case["fills"])
    trades = table(result, "trades")
    done = [f"{row['side'][0]} {row['quantity']} {row['price']}" for row in trades]
    assert done == case["fills"]
    lots = Lots(trades)
    assert lots.in_order(lots.profit) == [Decimal(text) for text in case["lots_pnl"]]
    assert lots.in_order(lots.fees) == [Decimal(text) for text in case["lot_fees"]]
    assert Decimal(trades[-1]["position"]) == 0
    assert Decimal(trades[-1]["symbol_fees"]) == len(case["fills"])
    if name == F1_CASE_WITH_LOTS:
        found = [f"{lots.quantity[lot]:.0f}@{lots.way[lot]}" for lot in sorted(lots.way)]
        assert found == case["lots"]
