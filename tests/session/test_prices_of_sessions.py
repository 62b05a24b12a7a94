"""What sessions with their default settings do about splits, dividends, gaps and bad prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from journal_helpers import bodies_of, copy_of, reforge
from sampling import first_quick
from screen_helpers import table_of
from session_helpers import ARTIFACTS, Busy, table

from logos import session
from logos.audit.verify import verify
from logos.core.messages import Bar, QuoteBar
from logos.core.strategy import Answer, Context, Strategy, limit, market, stop
from logos.core.types import Side
from logos.session.entry import replay

pytestmark = pytest.mark.usefixtures("logos_home")

PAGE = Path(__file__).parents[2] / "docs" / "FILLS.md"
SPLITS = ["2000-01-19 2:1", "2000-10-13 2:1"]


class Holds(Strategy):
    """Buys 100 at the first bar, with a stop and a limit far away."""

    def __init__(self) -> None:
        self.seen = 0

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.seen += 1
        if self.seen == 1:
            return market(Side.BUY, 100)
        if self.seen == 2:
            return [stop(Side.SELL, 100, "60"), limit(Side.BUY, 9, "65")]
        return None


def orcl(market_data: Path, **instrument: Any) -> dict[str, Any]:
    terms = {"base": "ORCL", "quote": "USD", "tick": "0.01", "lot": "1", **instrument}
    return {
        "session": {"id": "orcl"},
        "data": {"paths": [str(market_data / "bars/ORCL_1d_2000.csv")], "accept": ["gap"]},
        "instruments": {"ORCL": terms},
    }


def warnings(result: session.SessionResult) -> list[str]:
    return [f"{each['code']} {each['detail']}" for each in result.summary["warnings"]]


def told(words: str) -> bool:
    """Whether the page of fills says so."""
    return words in PAGE.read_text(encoding="utf-8")


@pytest.mark.long
def test_orcl_stops_at_its_first_split_where_nobody_told_of_it(market_data: Path) -> None:
    result = session.run(orcl(market_data), strategy=Holds())
    assert result.exit_code == session.ExitCode.FINISHED
    [words] = warnings(result)
    jump = "111.25 was followed by 56.13: it looks like a split of 2 for 1"
    assert words.startswith(f"SPLIT_SUSPECTED {jump}")
    assert told(jump)
    ends = [
        (row["order_id"], row["status"], row["reason"]) for row in table(result.folder, "orders")
    ]
    assert ends == [
        ("1", "FILLED", ""),
        ("2", "CANCELLED", "CANCELLED_BY_GUARD"),
        ("3", "CANCELLED", "CANCELLED_BY_GUARD"),
    ]
    held = result.summary["symbols"]["ORCL"]
    assert (held["position"], held["mark"]) == ("100", "111.25")
    assert "SPLIT_SUSPECTED" in (result.folder / "session.md").read_text(encoding="utf-8")
    assert "SPLIT_SUSPECTED" in table_of(result)
    assert verify(result.folder).findings == []
    assert replay("orcl", strategy=Holds()).exit_code == session.ExitCode.FINISHED


@pytest.mark.long
def test_orcl_without_the_check_is_sold_inside_of_its_split(market_data: Path) -> None:
    result = session.run(orcl(market_data, split_check=False), strategy=Holds())
    assert [row["price"] for row in table(result.folder, "trades")][1] == "56.13"
    assert told("the stop at 60 is filled at 56.13 on 2000-01-19")


@pytest.mark.long
def test_orcl_with_its_splits_is_held_through_both(market_data: Path) -> None:
    config = orcl(market_data, splits=SPLITS, dividends=["2000-11-20 0.03"])
    result = session.run(config, strategy=Holds())
    assert warnings(result) == [
        "CORPORATE_ACTION split of 2 for 1: 100 became 200",
        "CORPORATE_ACTION split of 2 for 1: 200 became 400",
        "CORPORATE_ACTION dividend: 12.00000000 USD",
    ]
    held = result.summary["symbols"]["ORCL"]
    assert held["position"] == "400"
    [bought] = table(result.folder, "trades")
    cost = int(bought["quantity"]) * float(bought["price"])
    assert float(held["unrealised"]) == pytest.approx(400 * float(held["mark"]) - cost)
    orders = {row["order_id"]: row for row in table(result.folder, "orders")}
    assert (orders["2"]["quantity"], orders["2"]["stop_price"]) == ("400", "15.00")
    assert (orders["3"]["quantity"], orders["3"]["limit_price"]) == ("36", "16.25")
    assert all(orders[number]["reason"] == "SESSION_ENDED" for number in ("2", "3"))
    realised, unrealised = (f"{float(held[name]):,.2f}" for name in ("realised", "unrealised"))
    assert told(f"400 held, realised {realised} (the dividend), unrealised {unrealised}")
    assert verify(result.folder).findings == []
    assert replay("orcl", strategy=Holds()).exit_code == session.ExitCode.FINISHED


@pytest.mark.long
@pytest.mark.parametrize(
    ("settlement", "splits"),
    first_quick(
        [
            ("spot", [*SPLITS, "2000-05-05 1:3"]),
            ("margin", [*SPLITS, "2000-05-05 1:3"]),
            ("spot", SPLITS),
            ("margin", SPLITS),
        ],
        quick=1,
    ),
)
def test_busy_books_are_exact_over_splits_and_dividends(
    market_data: Path, settlement: str, splits: list[str]
) -> None:
    dividends = ["2000-02-02 0.0333", "2000-06-06 1.5"]
    terms = {"settlement": settlement, "splits": splits, "dividends": dividends}
    config = orcl(market_data, split_check=False, fees={"taker": "0.0025", "decimals": 2}, **terms)
    config["account"] = {"balances": {"USD": "3000000", "ORCL": "101"}, "borrow": {"ORCL": "900"}}
    config["session"]["sample_interval_s"] = 86_400
    config["risk"] = {"total": {"max_gross_exposure": "5000000", "max_net_exposure": "5000000"}}
    result = session.run(config, strategy=Busy({"ORCL": "7"}, 1))
    assert result.exit_code == session.ExitCode.FINISHED, result.reason
    assert result.summary["fills"] > 50
    verdict = verify(result.folder)
    assert [str(each) for each in verdict.findings] == []
    files = {name: (result.folder / name).read_bytes() for name in ARTIFACTS}
    assert replay("orcl", strategy=Busy({"ORCL": "7"}, 1)).exit_code == session.ExitCode.FINISHED
    assert files["trades.csv"] == (result.folder / "trades.csv").read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("what", ["cash_units", "realised_units", "position_units", "new"])
def test_a_split_that_was_written_wrong_is_noticed(
    market_data: Path, what: str, tmp_path: Path
) -> None:
    result = session.run(orcl(market_data, splits=SPLITS), strategy=Holds())
    folder = copy_of(result.folder, tmp_path)
    bodies = bodies_of(folder / "state.jsonl")
    [place, _] = [n for n, body in enumerate(bodies) if b'"kind":"corporate_action"' in body]
    record = json.loads(bodies[place])
    bodies[place] = json.dumps(record | {what: record[what] + 1}).encode()
    reforge(folder, bodies)
    assert f"record {place + 1}" in [each.place for each in verify(folder).findings]


@pytest.mark.long
def test_the_gap_of_the_coinbase_day_is_told_where_something_was_held(market_data: Path) -> None:
    config = {
        "data": {
            "paths": [str(market_data / "bars/BTCUSD_coinbase_1m_2018-04-04_05.csv")],
            "accept": ["gap"],
        },
        "strategy": {"name": "sma_cross"},
        "instruments": {
            "BTCUSD": {"base": "BTC", "quote": "USD", "tick": "0.01", "lot": "0.0001"},
        },
    }
    result = session.run(config)
    [words] = warnings(result)
    assert words.startswith("PRICE_GAP no bar for 25920 s, with ")
    assert words.endswith(" held and 0 orders open: 6894.01 was followed by 6791.68")
    assert told(words.partition(" ")[2])
    assert verify(result.folder).findings == []


@pytest.mark.long
def test_a_stub_quote_is_told_in_session_md_and_in_the_table(tmp_path: Path) -> None:
    data = tmp_path / "COIN_quotes.csv"
    rows = ["timestamp,bid,ask,bid_size,ask_size"]
    bids = ["648", "648", "648", "1.00", "1.00", "648", "599"]
    rows += [f"2024-03-01T14:30:0{n}Z,{bid},649,5,5" for n, bid in enumerate(bids)]
    data.write_text("\n".join([*rows, ""]), encoding="utf-8")
    config = {
        "session": {"id": "stub"},
        "data": {"paths": [str(data)]},
        "instruments": {"COIN": {"quote": "USD", "tick": "0.01", "lot": "1"}},
    }

    class Protected(Strategy):
        seen = 0

        def on_quote(self, context: Context, quote: object) -> Answer:
            self.seen += 1
            return {1: market(Side.BUY, 10), 2: stop(Side.SELL, 10, "600")}.get(self.seen)

    result = session.run(config, strategy=Protected())
    assert [row["price"] for row in table(result.folder, "trades")] == ["649.00", "599.00"]
    codes = [words.partition(" ")[0] for words in warnings(result)]
    assert codes == ["PRICE_DOUBTED", "FILL_HELD_BACK"]
    page = (result.folder / "session.md").read_text(encoding="utf-8")
    assert "order 2 (SELL STOP) waits: bid and ask are further apart than the band of 0.2" in page
    assert verify(result.folder).findings == []
