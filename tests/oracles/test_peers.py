"""Three well-known strategies against the same rules in backtesting.py: trade for trade.

`peer_trades.json` holds the other engine's trades; `peer_backtesting.py` made them. Where the two
differ stands in `TIES`, with its reason, which is tested too; nothing else may differ.
"""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from places import PROJECT, TESTS

from logos import session
from logos.core.types import SessionStatus

pytestmark = pytest.mark.usefixtures("logos_home")

PEER: dict[str, Any] = json.loads(
    (TESTS / "oracles" / "peer_trades.json").read_text(encoding="utf-8")
)
CASES = [name for name in PEER if name != "source"]
FILES = {
    "BTC-PERP": "bars/BTC-PERP_1m_2021-12-31_first10000.csv",
    "SPY": "bars/SPY_1m_2013-10-04_11.csv",
}
EXAMPLES = {
    "SmaAtr": "sma_atr",
    "RsiBollinger": "rsi_bollinger",
    "EmaTimeframes": "ema_timeframes",
}


class Trip(NamedTuple):
    """One position from its beginning to its end; times are the opens of the minutes."""

    entry: str
    entry_price: Fraction
    exit: str
    exit_price: Fraction


def trip(entry: str, entry_price: str, exit_time: str, exit_price: str) -> Trip:
    return Trip(entry, Fraction(entry_price), exit_time, Fraction(exit_price))


TIES = {
    "SmaAtr SPY": [
        (
            "2013-10-07T21:56:00Z",
            trip("2013-10-07T21:57:00Z", "167.21", "2013-10-07T22:08:00Z", "167.21"),
            trip("2013-10-07T21:58:00Z", "167.21", "2013-10-07T22:08:00Z", "167.21"),
        ),
        (
            "2013-10-10T16:15:00Z",
            trip("2013-10-10T15:23:00Z", "167.89", "2013-10-10T16:17:00Z", "168.39"),
            trip("2013-10-10T15:23:00Z", "167.89", "2013-10-10T16:16:00Z", "168.44"),
        ),
    ]
}
"""A minute at whose close the two averages are equal, our trade and the other's.

Both engines add floats, in another order, and which average is above is left to the last digit.
"""


def peers(case: str) -> list[Trip]:
    return [
        trip(row["entry"], str(row["entry_price"]), row["exit"], str(row["exit_price"]))
        for row in PEER[case]
    ]


def ours(case: str, data: Path) -> list[Trip]:
    strategy, symbol = case.split(" ")
    path = PROJECT / "examples" / f"{EXAMPLES[strategy]}.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
    terms = {"base": symbol[:3], "quote": "USD", "tick": "0.0001", "settlement": "margin"}
    result = session.run(
        {
            "strategy": {"name": f"{path}:{strategy}"},
            "data": {"paths": [str(data / FILES[symbol])], "accept": ["gap"]},
            "account": {"balances": {"USD": "1000000"}},
            "risk": {"unlimited": True},
            "instruments": {symbol: {**terms, "lot": "1"}},
        }
    )
    assert result.status is SessionStatus.ENDED
    with open(result.folder / "trades.csv", newline="", encoding="utf-8") as file:
        fills = list(csv.DictReader(file))
    assert {fill["quantity"] for fill in fills} == {"1"}
    # A position that is open at the end is no trip.
    return [
        trip(began(fill), fill["price"], began(closed), closed["price"])
        for fill, closed in zip(fills[::2], fills[1::2], strict=False)
    ]


def began(fill: dict[str, str]) -> str:
    """When the minute began in which the fill happened; a fill has the time of its end."""
    ended = datetime.fromisoformat(f"{fill['time'][:19]}+00:00")
    return (ended - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_a_well_known_strategy_trades_as_in_the_other_engine(case: str, market_data: Path) -> None:
    expected = peers(case)
    for _, our_trip, other in TIES.get(case, ()):
        expected[expected.index(other)] = our_trip
    assert len(expected) >= 20
    assert ours(case, market_data) == expected


@pytest.mark.parametrize("minute", [minute for minute, _, _ in TIES["SmaAtr SPY"]])
def test_where_the_two_differ_the_averages_are_equal(minute: str, market_data: Path) -> None:
    with open(market_data / FILES["SPY"], newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at = [row["timestamp"] for row in rows].index(minute) + 1
    closes = [Fraction(row["close"]) for row in rows]
    assert sum(closes[at - 10 : at]) / 10 == sum(closes[at - 30 : at]) / 30
