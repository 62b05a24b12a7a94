"""The engine as a whole: same events, same bytes; failures named; time, samples, loops bounded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from logos.core.handlers.figures import open_order
from logos.core.instrument import instrument
from logos.core.messages import (
    Bar,
    Engage,
    Event,
    Flatten,
    PauseSymbol,
    Quote,
    QuoteBar,
    ResumeTrading,
    Suspend,
    Trade,
)
from logos.core.records import (
    AccountRecord,
    OrderRecord,
    PaperFillRecord,
    PositionRecord,
    Record,
    WarningRecord,
)
from logos.core.strategy import (
    Answer,
    Context,
    Strategy,
    Target,
    limit,
    market,
)
from logos.core.types import NS_PER_DAY, NS_PER_MINUTE, FillRule, Side
from logos.errors import InvariantBroken, StrategyError
from logos.testing.builders import (
    Scripted,
    bar,
    ends_in,
    fills_in,
    orders_in,
    paper_rules,
    quote,
    quote_bar,
    run,
    trade,
    trading_core,
)

COIN = instrument("COIN", tick="0.01", lot="0.1", quote="USD")
OTHER = instrument("OTHER", tick="0.05", lot="1", quote="USD", settlement="margin", leverage=5)
AT_ONCE = paper_rules(FillRule.BID_ASK)
FLAT = "100 100 100 100"


# ---- failures ----


class Fails(Strategy):
    """Raises in the one method it is told to."""

    def __init__(self, method: str) -> None:
        self.method = method

    def check(self, method: str) -> None:
        if method == self.method:
            raise ZeroDivisionError("by the strategy")

    def on_start(self, context: Context) -> Answer:
        self.check("on_start")
        return None

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        self.check("on_quote")
        return Side.BUY

    def on_trade(self, context: Context, trade: Trade) -> Answer:
        self.check("on_trade")
        return None

    def on_bar(self, context: Context, bar: Bar | QuoteBar) -> Answer:
        self.check("on_bar")
        return None

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        self.check("on_fill")
        return None

    def on_stop(self, context: Context) -> Answer:
        self.check("on_stop")
        return None


@pytest.mark.parametrize(
    "method", ["on_start", "on_quote", "on_trade", "on_bar", "on_fill", "on_stop"]
)
def test_a_strategy_that_raises_is_named_with_its_method(method: str) -> None:
    core = trading_core(Fails(method), COIN, rules=AT_ONCE)
    events: list[Event] = [
        quote(COIN, 1, "99", "101"),
        trade(COIN, 2, "100"),
        bar(COIN, 1, FLAT),
    ]
    with pytest.raises(
        StrategyError, match=f"raised in {method}: ZeroDivisionError: by the strategy"
    ) as caught:
        run(core, events)
    # A compiled `raise ... from` keeps the strategy's own exception as context only.
    own = caught.value.__cause__ or caught.value.__context__
    assert isinstance(own, ZeroDivisionError)
    core.take_effects()
    ended = core.abort()
    assert core.order_manager.states["COIN"].working == []
    assert isinstance(ended[-1], AccountRecord)


class Greedy(Strategy):
    """Orders again on every fill."""

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        return market(Side.BUY, "0.1")

    def on_fill(self, context: Context, fill: PaperFillRecord) -> Answer:
        return market(Side.BUY if fill.side is Side.SELL else Side.SELL, "0.1")


@pytest.mark.long
def test_ordering_on_every_fill_of_one_event_is_bounded() -> None:
    core = trading_core(Greedy(), COIN, rules=AT_ONCE)
    core.start(1)
    with pytest.raises(StrategyError, match="keeps ordering on every fill"):
        core.step(quote(COIN, 1, "99.99", "100"))
    assert 10_000 <= core.order_manager.fill_count <= 10_001
    core.abort()
    core.order_manager.account.ledger("USD").check()


def test_on_fill_may_order_on_and_is_told_of_that_fill_too() -> None:
    core = trading_core(Greedy(), COIN)
    records = core.start(0)
    for number in range(1, 5):
        records += core.step(quote(COIN, number, "99.99", "100"))
    # Each quote: one new purchase, and one answer for each fill of the quote before.
    assert len(orders_in(records)) == 1 + 2 + 3 + 4


@pytest.mark.parametrize("answer", [Side.BUY, Target(1), market(Side.BUY, 1)])
def test_at_the_start_an_answer_needs_a_symbol(answer: Answer) -> None:
    with pytest.raises(StrategyError, match="needs a symbol"):
        trading_core(Scripted({0: answer}), COIN).start(1)


def test_time_that_runs_back_is_a_broken_invariant() -> None:
    core = trading_core(Scripted(), COIN)
    core.start(5)
    core.step(quote(COIN, 5, "99", "101"))
    core.step(quote(COIN, 5, "99", "101"))
    for event in (quote(COIN, 4, "99", "101"), trade(COIN, 4, "100"), Engage(4, "", "")):
        with pytest.raises(InvariantBroken, match="time ran back from 5 to 4"):
            core.step(event)


def test_an_event_of_a_symbol_without_books_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="OTHER"):
        run(trading_core(Scripted(), COIN), [bar(OTHER, 1, FLAT)])


# ---- prices that are none ----


@pytest.mark.parametrize(
    "bad",
    [
        quote(COIN, 2, "101", "100"),
        quote(COIN, 2, "0", "100"),
        quote_bar(COIN, 1, "101 101 101 101", "100 100 100 100"),
        quote_bar(COIN, 1, "1 1 0 1", "2 2 1 2"),
    ],
)
def test_a_bad_price_fills_nothing_marks_nothing_and_is_said_once(bad: Event) -> None:
    core = trading_core(Scripted({1: limit(Side.BUY, 1, 200)}), COIN)
    core.start(1)
    core.step(quote(COIN, 1, "99", "101"))
    records = core.step(bad) + core.step(bad)
    assert fills_in(records) == []
    book = core.order_manager.states["COIN"]
    assert (book.bid, book.ask) == (9_900, 10_100)
    warnings = [each.code for each in records if isinstance(each, WarningRecord)]
    assert warnings == ["BAD_PRICE"]
    assert core.bad_price_count == 2
    assert len(fills_in(core.step(bar(COIN, 2, FLAT)))) == 0  # one-sided, after a quote
    assert len(fills_in(core.step(quote(COIN, 2 * NS_PER_MINUTE, "99", "101")))) == 1


@pytest.mark.parametrize("bad", [trade(COIN, 2, "0"), bar(COIN, 1, "1 1 0 1")])
def test_a_one_sided_price_of_nothing_is_none_either(bad: Event) -> None:
    core = trading_core(Scripted({1: market(Side.SELL, 1)}), COIN, borrow={"COIN": "1"})
    core.start(1)
    core.step(trade(COIN, 1, "100"))
    assert fills_in(core.step(bad)) == []
    assert core.order_manager.states["COIN"].bid == 10_000


# ---- samples, warnings, the end ----


def samples_in(records: list[Record]) -> list[tuple[int, int]]:
    return [(r.ts_ns, r.equity_units) for r in records if isinstance(r, AccountRecord)]


def test_samples_stand_at_the_last_boundary_before_an_event() -> None:
    core = trading_core(Scripted({1: market(Side.BUY, 1)}), COIN, rules=AT_ONCE, sample_ns=10)
    prices = {3: 100, 9: 101, 10: 102, 11: 103, 45: 104, 49: 105}
    events: list[Event] = [quote(COIN, t, str(p), str(p)) for t, p in prices.items()]
    base = 10**14  # a million, in units of 10**-8
    unit = 10**8
    assert samples_in(run(core, events)) == [
        (3, base),
        (10, base + 1 * unit),  # as it stood after the event at 9
        (40, base + 3 * unit),  # boundaries nobody traded between are not repeated
        (49, base + 5 * unit),
    ]


def test_without_an_interval_there_are_samples_at_both_ends_only() -> None:
    events = [quote(COIN, number * NS_PER_DAY, "99", "101") for number in range(1, 6)]
    records = run(trading_core(Scripted(), COIN, OTHER), events)
    positions = [r.ts_ns for r in records if isinstance(r, PositionRecord)]
    assert positions == [NS_PER_DAY] * 2 + [5 * NS_PER_DAY] * 2


def test_a_margin_call_is_said_once_until_it_is_over() -> None:
    future = instrument(
        "F", tick="1", lot="1", quote="USD", settlement="margin", leverage=10,
        maintenance_margin="0.5",
    )  # fmt: skip
    core = trading_core(
        Scripted({1: market(Side.BUY, 10)}), future, cash={"USD": "120"}, rules=AT_ONCE, sample_ns=1
    )
    events: list[Event] = [
        quote(future, time, str(price), str(price))
        for time, price in enumerate([100, 92, 92, 100, 92, 92], 1)
    ]
    warned = [r.ts_ns for r in run(core, events) if isinstance(r, WarningRecord)]
    assert len(warned) == 2


def test_what_is_open_at_the_end_is_cancelled_and_positions_stay() -> None:
    script: dict[int, Answer] = {
        1: [market(Side.BUY, 1), limit(Side.BUY, 1, 90)],
        -1: market(Side.SELL, 1, symbol="COIN"),
    }
    core = trading_core(Scripted(script), COIN)
    records = run(core, [bar(COIN, 1, FLAT), bar(COIN, 2, FLAT)])
    assert ends_in(records) == {
        1: "FILLED",
        2: "CANCELLED SESSION_ENDED",
        3: "CANCELLED SESSION_ENDED",
    }
    assert core.order_manager.states["COIN"].inventory.position == 10


# ---- what a strategy may know ----


class Looks(Strategy):
    """Notes what the context says at each quote."""

    def __init__(self) -> None:
        self.notes: list[tuple[int, Decimal, Decimal, int]] = []
        self.known: tuple[object, ...] = ()

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        waiting = context.open_orders("COIN")
        self.notes.append(
            (context.now_ns, context.position("COIN"), context.equity("USD"), len(waiting))
        )
        self.known = (list(context.symbols), context.params["n"], waiting)
        if len(self.notes) == 1:
            return [market(Side.BUY, 2), limit(Side.BUY, 1, 90, tag="low")]
        return None


def test_the_context_tells_time_position_equity_and_open_orders() -> None:
    strategy = Looks()
    core = trading_core(strategy, COIN, cash={"USD": "1000"}, rules=AT_ONCE, params={"n": 3})
    core.start(1)
    core.step(quote(COIN, 1, "99", "100"))
    core.step(quote(COIN, 2, "104", "105"))
    assert strategy.notes == [
        (1, Decimal(0), Decimal(1000), 0),
        (2, Decimal(2), Decimal(1008), 1),
    ]
    symbols, number, waiting = strategy.known
    assert (symbols, number) == (["COIN"], 3)
    assert isinstance(waiting, list)
    order = waiting[0]
    assert (order.tag, order.side, order.quantity, order.filled) == ("low", Side.BUY, 1, 0)
    assert (order.limit_price, order.stop_price) == (Decimal(90), None)


def test_an_open_order_is_shown_as_it_stands_now_and_what_was_shown_before_stays() -> None:
    core = trading_core(Looks(), COIN, cash={"USD": "1000"}, rules=AT_ONCE, params={"n": 3})
    core.start(1)
    core.run([quote(COIN, 1, "99", "100"), quote(COIN, 2, "104", "105")])
    [order] = core.order_manager.states["COIN"].working
    first = open_order(order)
    assert open_order(order) is first, "made once while nothing changes"
    order.filled += 3
    part = open_order(order)
    assert (first.filled, part.filled) == (Decimal(0), Decimal("0.3"))
    order.quantity -= 1
    order.limit_price -= 1
    last = open_order(order)
    assert (last.quantity, last.limit_price) == (Decimal("0.9"), Decimal("89.99"))
    assert (part.quantity, part.limit_price) == (Decimal(1), Decimal(90))


def test_orders_carry_their_client_ids_by_session_and_number() -> None:
    core = trading_core(Scripted({1: [Side.BUY, Side.BUY]}), COIN, session_id="s-2026")
    records = run(core, [bar(COIN, 1, FLAT)])
    ids = [each.client_order_id for each in records if isinstance(each, OrderRecord)]
    assert ids == ["s-2026-1", "s-2026-2"]


def test_a_flattened_session_that_is_closed_and_opened_goes_on_closing_and_nothing_else() -> None:
    """Neither word brings the strategy back."""
    core = trading_core(Scripted({1: market(Side.BUY, 5), 2: market(Side.BUY, 7)}), COIN)
    core.start(0)
    core.run([quote(COIN, 1, "100", "100"), quote(COIN, 2, "100", "100")])
    assert core.order_manager.states["COIN"].inventory.position == 50
    core.run([Suspend(2, "stop", "ann"), Flatten(2, "enough", "ann")])
    core.run([Suspend(2, "stop", "ann"), ResumeTrading(2, "go on", "ann")])
    core.run([quote(COIN, ns, "100", "100") for ns in range(3, 9)])
    assert core.order_manager.states["COIN"].inventory.position == 0
    assert core.order_manager.order_count == 4, "two of the strategy, two to close what it held"


def test_flattening_is_not_held_up_by_a_pause() -> None:
    core = trading_core(Scripted({1: market(Side.BUY, 5)}), COIN)
    core.start(0)
    core.run([quote(COIN, 1, "100", "100"), quote(COIN, 2, "100", "100")])
    core.run([PauseSymbol(2, "look", "ann", "COIN"), Flatten(2, "enough", "ann")])
    core.run([quote(COIN, 3, "100", "100")])
    assert core.order_manager.states["COIN"].inventory.position == 0
