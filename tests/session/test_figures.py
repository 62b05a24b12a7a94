"""Every figure of a summary, worked out by hand; and the pages that print them.

Two symbols, two currencies, quotes whose prices are chosen so that each figure is another one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from page_reading import tables_of, two_decimals
from screen_helpers import table_of
from session_helpers import ListFeed, table

from logos import session
from logos.core.gates import InProcessSwitch
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Quote
from logos.core.records import (
    BlockedRecord,
    GuardRecord,
    RefusalRecord,
    SwitchRecord,
    WarningRecord,
)
from logos.core.strategy import Answer, Context, limit, market
from logos.core.types import NS_PER_SECOND, Code, Side
from logos.session.artifacts.counts import RecordCounts
from logos.session.artifacts.cures import cure
from logos.session.artifacts.session_md.page import session_markdown
from logos.testing.builders import Scripted

ACME = instrument("ACME", tick="0.01", lot="1", quote="USD")
EMCA = instrument(
    "EMCA", tick="0.1", lot="0.1", quote="EUR", multiplier="10", settlement="margin", leverage=5
)
CONFIG: dict[str, Any] = {
    "session": {"id": "figures", "sample_interval_s": 1},
    "instruments": {
        "ACME": {
            "quote": "USD", "tick": "0.01", "lot": "1", "fees": {"taker": "0.001", "decimals": 2},
        },
        "EMCA": {
            "quote": "EUR", "tick": "0.1", "lot": "0.1", "multiplier": "10",
            "settlement": "margin", "leverage": 5, "initial_margin": "0.2",
            "maintenance_margin": "0.1", "fees": {"per_fill": "0.25", "decimals": 2},
        },
    },
    "account": {
        "balances": {"USD": "10000", "EUR": "5000"}, "report_in": "USD", "rates": {"EUR": "1.25"},
    },
    "risk": {"unlimited": True},
}  # fmt: skip


def quote(second: int, of: Instrument, bid: int, ask: int) -> Quote:
    return Quote(second * NS_PER_SECOND, of.symbol, bid, ask, -1, -1, of)


TABLE = """\
session   figures   ENDED: all events processed
strategy  logos.testing.scripted:Scripted on ACME, EMCA; paper, recorded data
time      1970-01-01 00:00:01 to 1970-01-01 00:00:08 UTC (7.0 s)

                        total USD          USD         EUR
started with           16,250.00    10,000.00    5,000.00
net                       +52.90       +68.53      -12.50
net %                      +0.33%       +0.69%      -0.25%
of it unrealised          +34.50       +42.00       -6.00
against buy and hold       -4.29%       -9.31%      +3.75%
max drawdown             -183.84      -131.03      -42.25
max drawdown %             -1.13%       -1.31%      -0.84%
round trips                 2            1           1
win rate                   50.00%      100.00%       0.00%

before costs               +1.25       +10.00       -7.00
fees                       -2.10        -1.47       -0.50
slippage                  +53.75       +60.00       -5.00

why       it won: +1.25 before costs, fees took 2.10, slippage brought 53.75
holds     6 ACME at 110.00, -1.0 EMCA at 9.6
orders    5   fills 4   refused 0   blocked 0
costs     no slippage: none is set, so what the data shows of a spread is all that fills pay
ticks     8   (12,345 a second)
latency   tick to decision: p50 1.5, p90 2.0, p99 2.5, max 4,500.0 us   (8 timed)

"""
"""Slippage: ACME is bought at 103 and sold at 110 where 101 and 90 were asked and bid, EMCA is sold
at 9.0 and bought at 9.6 where 10.0 was bid and 11.1 asked."""

EVENTS = [
    quote(1, ACME, 10_000, 10_100),  # buy 10 ACME: filled at the next ask, 103.00
    quote(2, EMCA, 100, 101),        # sell 2 EMCA: filled at the next bid, 9.0
    quote(3, ACME, 10_200, 10_300),  # a limit of 50 that never fills
    quote(4, EMCA, 90, 91),
    quote(5, ACME, 9_000, 9_100),    # sell 4 ACME: filled at the next bid, 110.00
    quote(6, EMCA, 110, 111),        # buy 1 EMCA: filled at the next ask, 9.6
    quote(7, ACME, 11_000, 11_100),
    quote(8, EMCA, 95, 96),
]  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> session.SessionResult:
    strategy = Scripted(
        {
            1: market(Side.BUY, 10), 2: market(Side.SELL, 2), 3: limit(Side.BUY, 5, "50"),
            5: market(Side.SELL, 4), 6: market(Side.BUY, 1),
        }
    )  # fmt: skip
    home = tmp_path_factory.mktemp("home")
    return session.run(
        CONFIG, strategy=strategy, feed=ListFeed(EVENTS), home=home, switch=InProcessSwitch()
    )


def test_counts_are_those_of_what_happened(result: session.SessionResult) -> None:
    summary = result.summary
    counts = {name: summary[name] for name in ("ticks", "orders", "fills", "blocked", "refused")}
    assert counts == {"ticks": 8, "orders": 5, "fills": 4, "blocked": 0, "refused": 0}
    assert summary["orders_ended_by"] == {"SESSION_ENDED": 1}
    assert (summary["refusals"], summary["guards"], summary["warnings"]) == ({}, {}, [])
    assert (summary["first_event"], summary["last_event"]) == (
        "1970-01-01T00:00:01.000000000Z", "1970-01-01T00:00:08.000000000Z",
    )  # fmt: skip
    assert (summary["status"], summary["reason"], summary["exit_code"]) == (
        "ENDED", "all events processed", 0,
    )  # fmt: skip
    assert summary["switch_state"] == "SAFE"


@pytest.mark.long
def test_what_happened_besides_is_told_with_its_tick(tmp_path: Path) -> None:
    """A switch that was seen to change, and a warning."""
    switch = InProcessSwitch()

    class Warning(Scripted):
        """Engages the switch at its third event; two of its wishes were never due."""

        unused: ClassVar = {"ACME": 2}

        def on_quote(self, context: Context, quote: Quote) -> Answer:
            if len(self.seen) == 2:
                switch.engage("a drill", "ann")
            return super().on_quote(context, quote)

    told = session.run(
        CONFIG, strategy=Warning(), feed=ListFeed(EVENTS), home=tmp_path, switch=switch
    ).summary
    assert told["switch"] == [{"tick_id": 4, "state": "ENGAGED", "reason": "a drill (by ann)"}]
    assert (told["switch_state"], told["blocked"]) == ("ENGAGED", 1)
    assert told["warnings"] == [
        {"code": "UNUSED_SIGNALS", "symbol": "ACME", "detail": "2 were never due"}
    ]
    assert told["warning_count"] == 1


def test_the_figures_of_each_symbol_by_hand(result: session.SessionResult) -> None:
    assert result.summary["symbols"] == {
        "ACME": {
            "currency": "USD", "orders": 3, "fills": 2, "position": "6", "mark": "110.00",
            "realised": "28.00",    # 4 x (110 - 103)
            "unrealised": "42.00",  # 6 x (110 - 103)
            "fees": "1.47",         # 0.1 % of 1030 and of 440
        },
        "EMCA": {
            "currency": "EUR", "orders": 2, "fills": 2, "position": "-1.0", "mark": "9.6",
            "realised": "-6.00",    # 1 x (9.0 - 9.6) x 10
            "unrealised": "-6.00",  # the same, of the other half
            "fees": "0.50",
        },
    }  # fmt: skip


def test_the_figures_of_each_currency_and_their_total_by_hand(
    result: session.SessionResult,
) -> None:
    assert result.summary["currencies"] == {
        "USD": {
            "initial": "10000.00", "realised": "28.00", "unrealised": "42.00", "fees": "1.47",
            "equity": "10068.53",
            "locked": "0.00",          # the limit order was given back at the end
            "high_water": "10068.53",  # the last price was the best
            "max_drawdown": "131.03",  # at a bid of 90: 10 x 13 and the first fee
        },
        "EUR": {
            "initial": "5000.00", "realised": "-6.00", "unrealised": "-6.00", "fees": "0.50",
            "equity": "4987.50",
            "locked": "1.80",          # 1 x 9.0 x 10, a fifth of it, and of that 0.1 is kept
            "high_water": "5000.00",
            "max_drawdown": "42.25",   # at an ask of 11.1: 2 x 2.1 x 10 and the first fee
        },
    }  # fmt: skip
    assert result.summary["total"] == {
        "currency": "USD",
        "initial": "16250.0000",       # 10000 + 1.25 x 5000
        "realised": "20.5000",         # 28 - 1.25 x 6
        "unrealised": "34.5000",       # 42 - 1.25 x 6
        "fees": "2.0950",              # 1.47 + 1.25 x 0.5
        "equity": "16302.9050",        # 10068.53 + 1.25 x 4987.5
        "high_water": "16302.9050",
        "max_drawdown": "183.8425",    # 131.03 + 1.25 x 42.25, both at the seventh quote
    }  # fmt: skip
    assert result.summary["balances"] == {
        "USD": "9408.53",  # 10000 - 1030 - 1.03 + 440 - 0.44
        "EUR": "4993.50",  # 5000 - 6 - 0.5
        "ACME": "6.00",
    }


def test_what_orders_lock_and_positions_keep_is_in_every_sample(
    result: session.SessionResult,
) -> None:
    locked = [row["locked"] for row in table(result.folder, "account") if row["currency"] == "USD"]
    # 10 x 101 and a fee of 1.01; then also the limit order: 5 x 50 and a fee of 0.25.
    assert locked == [
        "0.00", "1011.01", "1011.01", "250.25", "250.25", "250.25", "250.25", "250.25", "0.00",
    ]  # fmt: skip
    locked = [row["locked"] for row in table(result.folder, "account") if row["currency"] == "EUR"]
    # 2 x 10.0 x 10 / 5 x 0.2 and a fee; then what the position keeps: 2 x 9.0 x 10 / 5 x 0.1.
    assert locked == [
        "0.00", "0.00", "8.25", "8.25", "3.60", "3.60", "3.60", "3.60", "1.80",
    ]  # fmt: skip


# ---- the pages ----


def test_the_page_says_every_figure_of_the_summary(result: session.SessionResult) -> None:
    summary = result.summary
    page = (result.folder / "session.md").read_text(encoding="utf-8")
    assert page == session_markdown(summary)
    found = tables_of(page)
    assert {row["what"]: row["value"] for row in found["Provenance"]} == {
        "session UUID": summary["uuid"], "exit code": "0", "software": summary["software"],
        "strategy": summary["strategy"], "strategy fingerprint": summary["strategy_fingerprint"],
        "seed": str(summary["seed"]), "config hash": summary["config_hash"],
        "fill rule": "next_open", "first event": summary["first_event"],
        "last event": summary["last_event"], "kill switch": "SAFE",
    }  # fmt: skip
    assert "**ENDED**: all events processed\n" in page
    assert "8 ticks, 5 orders, 4 fills, 0 refusals, 0 ticks blocked." in page
    assert page.index("## Result") < page.index("## Symbols") < page.index("## Provenance")
    assert (
        "\nStrategy logos.testing.scripted:Scripted on ACME, EMCA, 1970-01-01 00:00 UTC.\n" in page
    )
    money = ("initial", "equity", "realised", "fees", "unrealised", "high_water", "max_drawdown")
    books = [*summary["currencies"].items(), ("total in USD", summary["total"])]
    shares = {"USD": ("68.53", "0.69"), "EUR": ("-12.50", "-0.25")}
    shares["total in USD"] = ("52.90", "0.33")
    assert found["Result"] == [
        {
            "currency": name,
            "net": shares[name][0],
            "net %": shares[name][1],
            **{each.replace("_", " "): two_decimals(figures[each]) for each in money},
        }
        for name, figures in books
    ]
    rounded = ("realised", "unrealised", "fees")
    assert found["Symbols"] == [
        {
            "symbol": symbol,
            **{
                name: two_decimals(value) if name in rounded else str(value)
                for name, value in figures.items()
            },
        }
        for symbol, figures in summary["symbols"].items()
    ]
    assert found["Average cost"] == [
        {
            "symbol": symbol,
            **{
                name.replace("_", " "): two_decimals(value) if name in rounded else str(value)
                for name, value in figures.items()
            },
            "currency": summary["symbols"][symbol]["currency"],
        }
        for symbol, figures in summary["average_cost"].items()
    ]
    assert found["Balances"] == [
        {"asset": asset, "value": two_decimals(amount) if asset in ("USD", "EUR") else amount}
        for asset, amount in summary["balances"].items()
    ]
    assert found["Orders that ended without (all of) their fill"] == [
        {"reason": "SESSION_ENDED", "value": "1", "cure": cure("SESSION_ENDED")}
    ]
    limits = [{name: str(each) for name, each in row.items()} for row in summary["limits"]]
    assert found["Limits"] == limits
    assert set(found) == {
        "Provenance", "Result", "Symbols", "Average cost", "Balances", "Limits",
        "Orders that ended without (all of) their fill",
    }  # fmt: skip


def test_the_table_of_the_terminal_has_the_money_first(result: session.SessionResult) -> None:
    took = {"count": 8, "p50_ns": 1_500, "p90_ns": 2_000, "p99_ns": 2_500, "max_ns": 4_500_000}
    host = {"ticks_per_second": 12_345, "latency": {"tick to decision": took}}
    last = f"folder    {result.folder}\nnext      logos verify figures"
    assert table_of(replace(result, host=host), is_verbose=True) == TABLE + last
    shorter = "".join(line for line in TABLE.splitlines(True) if line[:5] not in ("ticks", "laten"))
    assert table_of(result) == shorter + last


def test_currencies_without_a_rate_are_kept_apart(result: session.SessionResult) -> None:
    apart = {**result.summary, "total": None}
    assert "Currencies are kept apart: no `account.report_in` is configured." in session_markdown(
        apart
    )
    one = {**apart, "currencies": {"USD": apart["currencies"]["USD"]}}
    assert "kept apart" not in session_markdown(one)


def test_everything_that_may_be_on_the_page_is(result: session.SessionResult) -> None:
    stage = {
        "count": 7,
        "p50_ns": 1_500,
        "p90_ns": 2_000,
        "p99_ns": 2_500,
        "p99_9_ns": 3_500,
        "max_ns": 4_500_000,
    }
    full = {
        **result.summary,
        "refusals": {"ORDER_RATE": 3},
        "guards": {"MAX_DRAWDOWN": 1},
        "switch": [{"tick_id": 5, "state": "ENGAGED", "reason": "a|b"}],
        "warnings": [{"code": "BAD_PRICE", "symbol": "ACME", "detail": "two\nlines \\"}],
        "warning_count": 3,
        "data": [
            {
                "symbol": "ACME", "kind": "bars", "rows": 9, "rows_dropped": 1, "first": "f",
                "last": "l", "accepted_defects": {"gap": 2, "late": 1},
                "files": {"a.csv": "12ab", "b.csv": "34cd"},
            }
        ],
        "live": {
            "latency": {"decided": stage}, "market_events": 1_000, "conflated": 1,
            "peak_waiting": 2, "overruns": 3, "stalls": 4, "feed_news_count": 101,
            "feed_news": [
                {"feed": "x", "symbol": "A", "state": "LIVE", "detail": ""}
                for _ in range(101)
            ],
        },
    }  # fmt: skip
    page = session_markdown(full)
    found = tables_of(page.replace("\\|", "/"))
    assert found["Refusals by code"] == [
        {"code": "ORDER_RATE", "value": "3", "cure": cure("ORDER_RATE")}
    ]
    assert found["Guards that acted"] == [{"guard": "MAX_DRAWDOWN", "value": "1"}]
    assert found["Kill switch"] == [{"tick id": "5", "state": "ENGAGED", "reason": "a/b"}]
    assert found["Warnings"] == [
        {"code": "BAD_PRICE", "symbol": "ACME", "detail": "two lines \\\\"}
    ]
    assert "\nand 2 more\n" in page
    assert found["Data"] == [
        {
            "symbol": "ACME", "kind": "bars", "rows": "9", "rows dropped": "1", "first": "f",
            "last": "l", "accepted": "gap 2, late 1", "files": "a.csv `12ab`, b.csv `34cd`",
        }
    ]  # fmt: skip
    assert found["The live loop"] == [
        {"stage": "decided", "count": "7", "p50": "1.5", "p90": "2.0", "p99": "2.5", "p99.9": "3.5",
         "max": "4,500.0"}
    ]  # fmt: skip
    words = (
        "Microseconds from the feed's handing over of an event to the end of each stage.",
        "- market events: 1,000", "- quotes conflated: 1", "- most events that waited at once: 2",
        "- batches of more than 10 ms: 3", "- times the loop stood still: 4",
        "- news of feeds: 101, the first of them:",
    )  # fmt: skip
    assert all(each in page.splitlines() for each in words)
    assert page.count("  - x A: LIVE\n") == 100


# ---- counts ----


def test_records_are_counted_and_the_first_hundred_kept() -> None:
    counts = RecordCounts()
    warning = WarningRecord(1, 1, "A", "W", "d")
    seen = SwitchRecord(1, 1, "ENGAGED", "r", "tick", 0)
    counts.add([warning] * 101 + [seen] * 101)
    counts.add([BlockedRecord(1, 1, "A", Code.KILL_SWITCH_ACTIVE)] * 2)
    counts.add([RefusalRecord(1, 1, "A", Code.ORDER_RATE, "d", (Code.MAX_POSITION,))] * 3)
    counts.add([GuardRecord(1, 1, Code.MAX_DRAWDOWN, "engage", "USD", "d")])
    assert (counts.warning_count, len(counts.warnings), len(counts.switch_changes)) == (
        101, 100, 100,
    )  # fmt: skip
    assert (counts.blocked, counts.refused) == (2, 3)
    assert counts.refusals == {"ORDER_RATE": 3, "MAX_POSITION": 3}
    assert counts.guards == {"MAX_DRAWDOWN": 1}
    other = RecordCounts()
    other.load(counts.save())
    assert vars(other) == vars(counts)
