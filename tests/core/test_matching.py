"""The paper market on bars, told as tables: orders, the bars they meet, the fills that follow.

A fill is written `order:quantity@price liquidity #bar`. Orders are given at the close of bar 1,
flat at 100, and meet the market from bar 2 on.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.instrument import instrument
from logos.core.matching import bar_points
from logos.core.messages import Bar
from logos.core.records import Record
from logos.core.strategy import Answer, limit, market, stop, stop_limit
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, BarPath, FillRule, Side, TimeInForce
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fills_in,
    paper_rules,
    quote_bar,
    run,
    trading_core,
)

COIN = instrument("COIN", tick="0.01", lot="0.1", quote="USD")
BUY = Side.BUY
SELL = Side.SELL
HIGH_FIRST = BarPath.OPEN_HIGH_LOW_CLOSE
LOW_FIRST = BarPath.OPEN_LOW_HIGH_CLOSE
FLAT = "100 100 100 100"


def told(records: list[Record], interval_ns: int = NS_PER_MINUTE) -> str:
    """The fills in one line."""
    return ", ".join(
        f"{f.order_id}:{f.quantity.normalize():f}@{f.price.normalize():f} {f.liquidity.value[0]} "
        f"#{f.ts_ns // interval_ns}"
        for f in fills_in(records)
    )


def after_bars(answer: Answer, bars: str, **rules: Any) -> list[Record]:
    """Answer bar 1 (flat at 100) with `answer`, then show `bars`: "o h l c [volume] | ..."."""
    events = [bar(COIN, 1, FLAT)]
    for number, text in enumerate(filter(None, bars.split(" | ")), 2):
        prices, volume = text.split()[:4], text.split()[4:]
        events.append(bar(COIN, number, " ".join(prices), volume[0] if volume else None))
    core = trading_core(
        Scripted({1: answer}), COIN, borrow={"COIN": "1000"}, rules=paper_rules(**rules)
    )
    return run(core, events)


BARS: list[tuple[str, Answer, str, str, dict[str, Any]]] = [
    ("market at the next open", market(BUY, 1), "101 105 99 103", "1:1@101 T #2", {}),
    ("market sale", market(SELL, 1), "101 105 99 103", "1:1@101 T #2", {}),
    ("limit in range", limit(BUY, 1, 98), "100 101 97 99", "1:1@98 M #2", {}),
    ("limit touched exactly", limit(BUY, 1, 97), "100 101 97 99", "1:1@97 M #2", {}),
    ("limit one tick short", limit(BUY, 1, "96.99"), "100 101 97 99", "", {}),
    ("sale limit in range", limit(SELL, 1, 101), "100 102 97 99", "1:1@101 M #2", {}),
    ("gap through a buy limit", limit(BUY, 1, 98), "95 97 94 96", "1:1@95 T #2", {}),
    ("gap through a sale limit", limit(SELL, 1, 102), "105 106 104 105", "1:1@105 T #2", {}),
    (
        "gap through a limit that rested",
        limit(BUY, 1, 98),
        "100 101 99 100 | 95 97 94 96",
        "1:1@95 M #3",
        {},
    ),
    ("marketable limit", limit(BUY, 1, 105), "101 102 100 101", "1:1@101 T #2", {}),
    ("stop in range", stop(BUY, 1, 102), "100 103 99 101", "1:1@102 T #2", {}),
    ("stop to sell in range", stop(SELL, 1, 98), "100 103 97 101", "1:1@98 T #2", {}),
    ("gap through a stop to buy", stop(BUY, 1, 102), "105 106 104 105", "1:1@105 T #2", {}),
    ("gap through a stop to sell", stop(SELL, 1, 98), "95 96 94 95", "1:1@95 T #2", {}),
    ("stop not reached", stop(BUY, 1, 102), "100 101 99 100", "", {}),
    (
        "stop-limit triggers and fills in one bar",
        stop_limit(BUY, 1, 102, 103),
        "100 104 99 101",
        "1:1@102 T #2",
        {},
    ),
    (
        "stop-limit gapped beyond its limit waits for it",
        stop_limit(BUY, 1, 102, 103),
        "105 106 104 105 | 105 105 102 103",
        "1:1@103 M #3",
        {},
    ),
    (
        "stop-limit with its limit behind the stop fills on the way back",
        stop_limit(BUY, 1, 102, 101),
        "100 104 99 100",
        "1:1@101 M #2",
        {"bar_path": HIGH_FIRST},
    ),
    (
        "the way back may be over already",
        stop_limit(BUY, 1, 102, 101),
        "100 104 99 103",
        "",
        {"bar_path": LOW_FIRST},
    ),
    (
        "stop-limit to sell",
        stop_limit(SELL, 1, 98, 97),
        "100 101 96 99",
        "1:1@98 T #2",
        {},
    ),
    (
        "both sides in one bar, high first",
        [limit(BUY, 1, 98), limit(SELL, 1, 102)],
        "100 103 97 100",
        "2:1@102 M #2, 1:1@98 M #2",
        {"bar_path": HIGH_FIRST},
    ),
    (
        "both sides in one bar, low first",
        [limit(BUY, 1, 98), limit(SELL, 1, 102)],
        "100 103 97 100",
        "1:1@98 M #2, 2:1@102 M #2",
        {"bar_path": LOW_FIRST},
    ),
    (
        "nearest first: the high is nearer",
        [limit(BUY, 1, 98), limit(SELL, 1, "100.5")],
        "100 101 97 99",
        "2:1@100.5 M #2, 1:1@98 M #2",
        {},
    ),
    (
        "nearest first: the low is nearer",
        [limit(SELL, 1, 102), limit(BUY, 1, "99.5")],
        "100 103 99 101",
        "2:1@99.5 M #2, 1:1@102 M #2",
        {},
    ),
    (
        "nearest first: a tie sees the low first",
        [limit(SELL, 1, 101), limit(BUY, 1, 99)],
        "100 102 98 101",
        "2:1@99 M #2, 1:1@101 M #2",
        {},
    ),
    (
        "on one leg the path decides, not the number",
        [limit(BUY, 1, 97), limit(BUY, 1, 99), limit(BUY, 1, 98)],
        "100 101 96 98",
        "2:1@99 M #2, 3:1@98 M #2, 1:1@97 M #2",
        {},
    ),
    (
        "at one price the older goes first",
        [stop(SELL, 1, 98), limit(BUY, 1, 98)],
        "100 101 97 99",
        "1:1@98 T #2, 2:1@98 M #2",
        {},
    ),
    (
        "at the open orders go by number",
        [limit(BUY, 1, 101), market(SELL, 1), stop(BUY, 1, "99.5")],
        "100 101 99 100",
        "1:1@100 T #2, 2:1@100 T #2, 3:1@100 T #2",
        {},
    ),
    (
        "slippage in ticks",
        market(BUY, 1),
        "100 101 99 100",
        "1:1@100.03 T #2",
        {"slippage_ticks": 3},
    ),
    (
        "slippage of a sale",
        market(SELL, 1),
        "100 101 99 100",
        "1:1@99.97 T #2",
        {"slippage_ticks": 3},
    ),
    (
        "slippage as a rate, away from the trader to the tick",
        [market(BUY, 1), market(SELL, 1)],
        "100.01 101 99 100",
        "1:1@100.07 T #2, 2:1@99.95 T #2",
        {"slippage": "0.0005"},
    ),
    (
        "both slippages add up",
        market(BUY, 1),
        "100 101 99 100",
        "1:1@100.12 T #2",
        {"slippage": "0.001", "slippage_ticks": 2},
    ),
    ("a stop slips", stop(BUY, 1, 102), "100 103 99 101", "1:1@102.02 T #2", {"slippage_ticks": 2}),
    (
        "limits never slip",
        [limit(BUY, 1, 98), limit(BUY, 1, 105), stop_limit(BUY, 1, 102, 103)],
        "100 103 97 100",
        "2:1@100 T #2, 1:1@98 M #2, 3:1@102 T #2",
        {"slippage_ticks": 5},
    ),
    (
        "a sale never slips below one tick",
        market(SELL, 1),
        "0.02 0.02 0.02 0.02",
        "1:1@0.01 T #2",
        {"slippage_ticks": 9},
    ),
    (
        "participation: the rest waits for the next bar",
        market(BUY, 5),
        "100 100 100 100 4 | 101 101 101 101 4 | 102 102 102 102 4",
        "1:2@100 T #2, 1:2@101 T #3, 1:1@102 T #4",
        {"participation": "0.5"},
    ),
    (
        "participation is shared by all orders of a bar",
        [market(BUY, 2), market(SELL, 2), limit(BUY, 9, 99)],
        "100 101 98 99 6 | 99 99 99 99 6",
        "1:2@100 T #2, 2:1@100 T #2, 2:1@99 T #3, 3:2@99 M #3",
        {"participation": "0.5"},
    ),
    (
        "participation is rounded down to the lot",
        market(BUY, 5),
        "100 100 100 100 0.7",
        "1:0.2@100 T #2",
        {"participation": "0.3"},
    ),
    (
        "a volume of zero fills nothing",
        market(BUY, 1),
        "100 100 100 100 0 | 101 101 101 101 9",
        "1:1@101 T #3",
        {"participation": "1"},
    ),
    (
        "an unknown volume sets no bound",
        market(BUY, 1000),
        FLAT,
        "1:1000@100 T #2",
        {"participation": "0.1"},
    ),
]


@pytest.mark.parametrize(
    ("answer", "bars", "fills", "rules"), [c[1:] for c in BARS], ids=[c[0] for c in BARS]
)
def test_bars(answer: Answer, bars: str, fills: str, rules: dict[str, Any]) -> None:
    assert told(after_bars(answer, bars, **rules)) == fills


IOC = TimeInForce.IOC
FOK = TimeInForce.FOK
DAY = TimeInForce.DAY
HALF = {"participation": "0.5"}


@pytest.mark.parametrize(
    ("answer", "bars", "fills", "end", "rules"),
    [
        (limit(BUY, 1, 101, time_in_force=IOC), FLAT, "1:1@100 T #2", "FILLED", {}),
        (
            limit(BUY, 1, 98, time_in_force=IOC),
            "100 101 97 99",  # the low would do, but not at the first moment
            "",
            "CANCELLED IOC_REMAINDER",
            {},
        ),
        (
            limit(BUY, 5, 101, time_in_force=IOC),
            FLAT + " 4",
            "1:2@100 T #2",
            "CANCELLED IOC_REMAINDER",
            HALF,
        ),
        (limit(BUY, 2, 101, time_in_force=FOK), FLAT + " 4", "1:2@100 T #2", "FILLED", HALF),
        (
            limit(BUY, 3, 101, time_in_force=FOK),
            FLAT + " 4",
            "",
            "CANCELLED FOK_UNFILLABLE",
            HALF,
        ),
        (limit(BUY, 1, 98, time_in_force=FOK), FLAT, "", "CANCELLED FOK_UNFILLABLE", {}),
        (limit(BUY, 1, 98, time_in_force=DAY), FLAT, "", "CANCELLED SESSION_ENDED", {}),
    ],
)
def test_time_in_force(
    answer: Answer, bars: str, fills: str, end: str, rules: dict[str, Any]
) -> None:
    records = after_bars(answer, bars, **rules)
    assert told(records) == fills
    assert ends_in(records) == {1: end}


def test_a_day_order_expires_with_the_first_event_of_the_next_day() -> None:
    day = NS_PER_DAY // NS_PER_MINUTE
    events = [bar(COIN, number, FLAT) for number in (day - 2, day - 1)]
    events += [bar(COIN, day, "100 101 99 100"), bar(COIN, day + 1, "90 90 90 90")]
    script = {1: [limit(BUY, 1, 95, time_in_force=DAY), limit(BUY, 1, 94)]}
    records = run(trading_core(Scripted(script), COIN), events)
    assert ends_in(records) == {1: "EXPIRED DAY_ENDED", 2: "FILLED"}


LOWER = ("99 102 97 100", "100 104 99 101")  # bids and asks of a bar that does not reach far
DIPS = ("98 101 96 97", "99 102 97 98")
TWO_SIDED: list[tuple[str, Answer, tuple[str, str], str]] = [
    ("a purchase meets the ask", market(BUY, 1), LOWER, "1:1@100 T #2"),
    ("a sale meets the bid", market(SELL, 1), LOWER, "1:1@99 T #2"),
    ("the bid alone does not reach a bid", limit(BUY, 1, 98), LOWER, ""),
    ("the ask must", limit(BUY, 1, 98), DIPS, "1:1@98 M #2"),
    ("the ask alone does not reach an offer", limit(SELL, 1, 103), LOWER, ""),
    ("the bid must", limit(SELL, 1, 102), LOWER, "1:1@102 M #2"),
    ("a stop to buy watches the ask", stop(BUY, 1, 103), LOWER, "1:1@103 T #2"),
    ("a stop to sell watches the bid", stop(SELL, 1, 97), LOWER, "1:1@97 T #2"),
]


@pytest.mark.parametrize(
    ("answer", "sides", "fills"), [c[1:] for c in TWO_SIDED], ids=[c[0] for c in TWO_SIDED]
)
def test_two_sided_bars(answer: Answer, sides: tuple[str, str], fills: str) -> None:
    events = [
        quote_bar(COIN, 1, "99 99 99 99", "101 101 101 101"),
        quote_bar(COIN, 2, *sides),
    ]
    core = trading_core(Scripted({1: answer}), COIN, borrow={"COIN": "9"})
    assert told(run(core, events)) == fills


@pytest.mark.parametrize(
    ("rule", "fills"),
    [
        (FillRule.NEXT_OPEN, "1:1@102 T #3"),
        (FillRule.DECISION_CLOSE, "1:1@101 T #2"),
        (FillRule.BID_ASK, ""),  # a one-sided bar has no bid and ask
    ],
)
def test_the_three_fill_rules_on_bars(rule: FillRule, fills: str) -> None:
    core = trading_core(Scripted({2: market(BUY, 1)}), COIN, rules=paper_rules(rule))
    events = [bar(COIN, 1, FLAT), bar(COIN, 2, "100 101 100 101"), bar(COIN, 3, "102 102 102 102")]
    assert told(run(core, events)) == fills


@pytest.mark.parametrize("rule", [FillRule.DECISION_CLOSE, FillRule.BID_ASK])
def test_at_a_two_sided_close_each_side_pays_its_price(rule: FillRule) -> None:
    core = trading_core(
        Scripted({1: [market(BUY, 2), market(SELL, 1), limit(BUY, 1, 100)]}),
        COIN,
        rules=paper_rules(rule),
    )
    events = [quote_bar(COIN, 1, "99 99 99 99", "101 101 101 101")]
    assert told(run(core, events)) == "1:2@101 T #1, 2:1@99 T #1"


corners = st.tuples(*[st.integers(1, 1000)] * 4).map(sorted)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(
    corners, st.booleans(), st.sampled_from(BarPath), st.sampled_from(Side), st.integers(1, 1000)
)
def test_no_fill_is_outside_its_bar_or_worse_than_its_limit(
    four: list[int], rises: bool, path: BarPath, side: Side, level: int
) -> None:
    low, first, last, high = four
    open_, close = (first, last) if rises else (last, first)
    points = bar_points((open_, high, low, close), path)
    assert (points[0], points[3], sorted(points)) == (open_, close, sorted(four))
    texts = [f"{each / 100:.2f}" for each in (open_, high, low, close)]
    core = trading_core(
        Scripted({1: [limit(side, 1, level / 100), stop(side, 1, level / 100)]}),
        COIN,
        borrow={"COIN": "9"},
        rules=paper_rules(bar_path=path),
    )
    core.start(1)
    core.step(bar(COIN, 1, FLAT))
    event: Bar = bar(COIN, 2, " ".join(texts))
    fills = {fill.order_id: fill.price_units for fill in fills_in(core.step(event))}
    assert all(low <= price <= high for price in fills.values())
    sign = 1 if side is BUY else -1
    best, worst = (low, high) if side is BUY else (high, low)
    assert (1 in fills) == ((level - best) * sign >= 0)
    assert (2 in fills) == ((worst - level) * sign >= 0)
    assert all((level - price) * sign >= 0 for number, price in fills.items() if number == 1)
    assert all((price - level) * sign >= 0 for number, price in fills.items() if number == 2)
