"""A strategy is told when the markets of its symbols open and close, at the first moment of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from logos.core.engine import TradingCore
from logos.core.instrument import instrument
from logos.core.messages import Quote
from logos.core.strategy import Answer, Context, Strategy
from logos.core.terms.market_hours import MarketSessions, WeeklyHours
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND, FillRule, Side
from logos.testing.builders import paper_rules, quote, trading_core

COIN = instrument("COIN", tick="1", lot="1", quote="USD")
SECOND, MINUTE = NS_PER_SECOND, NS_PER_MINUTE

DAY = instrument("DAY", tick="1", lot="1", quote="USD", hours=["mon-fri 14:30-21:00"])
MONDAY = 4 * 86_400  # 1970-01-05


class Opening(Strategy):
    def __init__(self) -> None:
        self.log: list[str] = []

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return None

    def on_session_open(self, context: Context, symbol: str) -> Answer:
        self.log.append(f"open {symbol} {context.now_ns // SECOND - MONDAY}")
        return Side.BUY

    def on_session_close(self, context: Context, symbol: str) -> Answer:
        self.log.append(f"close {symbol} {context.now_ns // SECOND - MONDAY}")
        return None


def hours_of(*hours: float) -> tuple[TradingCore, list[str]]:
    """What was told of opening and closing where there are quotes at these hours of a Monday."""
    strategy = Opening()
    core = trading_core(strategy, COIN, DAY, rules=paper_rules(FillRule.BID_ASK))
    times = [round((MONDAY + 3_600 * hour) * SECOND) for hour in hours]
    core.start(times[0])
    core.run([quote(DAY, ts_ns, "5", "5") for ts_ns in times])
    core.stop()
    return core, [each for each in strategy.log if each.startswith(("open", "close"))]


def test_opening_and_closing_are_told_at_the_first_moment_of_each() -> None:
    core, told = hours_of(10, 14.5, 14.6, 20.9, 21, 22, 24 + 15)
    assert told == ["open DAY 52200", "close DAY 75600", "open DAY 140400"]
    assert core.order_manager.order_count == 2, "an answer is about the symbol that opened"


def test_a_session_that_begins_in_the_hours_is_told_so_and_one_never_within_them_is_not() -> None:
    assert hours_of(16, 17)[1] == ["open DAY 57600"]
    assert hours_of(22, 24 + 5)[1] == []


def test_a_market_that_closed_and_opened_again_between_two_events_is_not_told_of() -> None:
    assert hours_of(16, 24 + 16)[1] == ["open DAY 57600"]


@given(some.integers(0, 20 * 86_400))
@settings(max_examples=60, deadline=None)
def test_the_next_change_is_the_first_minute_at_which_it_is_open_or_is_not(second: int) -> None:
    now_ns = second * SECOND
    was_open = DAY.is_open(now_ns)
    minute = now_ns // MINUTE + 1
    while DAY.is_open(minute * MINUTE) is was_open:
        minute += 1
    assert WeeklyHours(DAY.hours).next_change_ns(now_ns) == minute * MINUTE


_SESSIONS = some.lists(some.integers(1, 400), min_size=2, max_size=12, unique=True).map(sorted)


@given(_SESSIONS, some.integers(0, 420))
@settings(max_examples=60, deadline=None)
def test_the_next_change_of_sessions_with_dates_is_the_next_of_their_moments(
    moments: list[int], now: int
) -> None:
    even = moments[: len(moments) // 2 * 2]
    sessions = MarketSessions([even[at : at + 2] for at in range(0, len(even), 2)])
    later = [moment for moment in even if moment > now]
    assert sessions.next_change_ns(now) == (later[0] if later else 1 << 63)
