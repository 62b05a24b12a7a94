"""The aggregator's figures: what follows from which record; sums that hold in every snapshot."""

from __future__ import annotations

import json
import sys
import threading
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.core.instrument import Instrument, instrument
from logos.core.messages import Quote
from logos.core.records import LotClosure, OrderRecord, OrderUpdate, PaperFillRecord, Record
from logos.core.strategy import Answer, Context, Strategy, market
from logos.core.types import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from logos.execution.metrics import (
    ADDITIVE,
    MetricsAggregator,
    MetricsSnapshot,
    MetricSymbol,
    ReportingRates,
)
from logos.testing.builders import fee_schedule, quote, trading_core

SYMBOLS = (
    MetricSymbol("AAA", "USD", 4, 1),
    MetricSymbol("BBB", "USD", 4, 10),
    MetricSymbol("CCC", "EUR", 2, 3),
)
RATES = ReportingRates("USD", 4, {"USD": 1, "EUR": 107})


def aggregator() -> MetricsAggregator:
    return MetricsAggregator(SYMBOLS, RATES)


def order(number: int, symbol: str = "AAA", ts_ns: int = 0) -> OrderRecord:
    return OrderRecord(
        ts_ns, 1, number, f"s-{number}", symbol, Side.BUY, OrderType.MARKET, TimeInForce.GTC,
        1, 0, 0, 100, "", "", 2, 0, 4,
    )  # fmt: skip


def update(number: int, status: OrderStatus, symbol: str = "AAA", ts_ns: int = 0) -> OrderUpdate:
    return OrderUpdate(ts_ns, 1, number, symbol, status, 0, 0, "")


def fill(
    side: Side,
    quantity: int,
    price: int,
    position: int,
    *,
    symbol: str = "AAA",
    realised: int = 0,
    fee: int = 0,
    lots: tuple[LotClosure, ...] = (),
) -> PaperFillRecord:
    return PaperFillRecord(
        0, 1, 1, 1, "s-1", symbol, side, quantity, price, Liquidity.TAKER, fee, "USD", realised,
        lots, 0, 0, position, 0, 0, 0, 2, 0, 4,
    )  # fmt: skip


def closed(quantity: int, pnl: int, fee: int = 0) -> LotClosure:
    return LotClosure(1, quantity, 100, pnl, fee)


def assert_totals_are_sums(snapshot: MetricsSnapshot) -> None:
    """Every total is the sum of its parts, to the last unit."""
    money = {name for name in ADDITIVE if name.endswith("_units")}
    for currency in snapshot.currencies:
        parts = [each for each in snapshot.symbols if each.currency == currency.name]
        for name in ADDITIVE:
            assert getattr(currency, name) == sum(getattr(each, name) for each in parts), name
        assert currency.net_units == sum(each.net_units for each in parts)
        assert currency.latency_max_ns == max(each.latency_max_ns for each in parts)
    if snapshot.total is not None:
        for name in ADDITIVE:
            factors = {c.name: RATES.factors[c.name] if name in money else 1
                       for c in snapshot.currencies}  # fmt: skip
            expected = sum(getattr(c, name) * factors[c.name] for c in snapshot.currencies)
            assert getattr(snapshot.total, name) == expected, name
    for each in snapshot.symbols:
        assert each.equity_peak_units >= each.net_units + each.unrealised_units
        assert each.drawdown_peak_units >= each.drawdown_units >= 0
        assert each.exposure_peak_units >= each.exposure_units >= 0
        assert each.wins + each.losses <= each.trades <= each.fills


def test_a_trade_is_won_by_what_is_left_after_fees() -> None:
    metrics = aggregator()
    metrics.add([fill(Side.BUY, 3, 100, 3, fee=2)])
    metrics.add([fill(Side.SELL, 1, 103, 2, realised=3, fee=1, lots=(closed(1, 3, 2),))])
    metrics.add([fill(Side.SELL, 1, 101, 1, realised=1, fee=1, lots=(closed(1, 1, 1),))])
    metrics.add([fill(Side.SELL, 1, 99, 0, realised=-1, lots=(closed(1, -1, 1),))])
    figures = metrics.snapshot().symbol("AAA")
    assert (figures.fills, figures.trades, figures.wins, figures.losses) == (4, 3, 1, 1)
    assert figures.win_rate == Fraction(1, 3)
    assert (figures.gross_units, figures.fees_units, figures.net_units) == (3, 4, -1)
    assert (figures.unrealised_units, figures.exposure_units) == (0, 0)


def test_marks_move_open_profit_exposure_and_drawdown() -> None:
    metrics = aggregator()
    metrics.add([fill(Side.SELL, 2, 100, -2, symbol="BBB")])
    metrics.mark("BBB", 90)
    won = metrics.snapshot().symbol("BBB")
    assert (won.unrealised_units, won.exposure_units, won.net_exposure_units) == (200, 1800, -1800)
    metrics.mark_all({"BBB": 115, "AAA": 5})
    lost = metrics.snapshot().symbol("BBB")
    assert (lost.unrealised_units, lost.equity_peak_units, lost.drawdown_units) == (-300, 200, 500)
    assert (lost.drawdown_peak_units, lost.exposure_peak_units) == (500, 2300)
    assert_totals_are_sums(metrics.snapshot())


def test_latency_runs_from_the_order_to_the_first_answer_and_unknown_is_none() -> None:
    metrics = aggregator()
    metrics.add([order(1, ts_ns=100), order(2, ts_ns=100)])
    metrics.add([update(1, OrderStatus.UNKNOWN, ts_ns=150)])
    assert metrics.snapshot().symbol("AAA").answered == 0
    metrics.add([update(1, OrderStatus.ACCEPTED, ts_ns=400)])
    metrics.add(
        [update(1, OrderStatus.FILLED, ts_ns=900), update(2, OrderStatus.REJECTED, ts_ns=200)]
    )
    figures = metrics.snapshot().symbol("AAA")
    assert (figures.orders, figures.answered) == (2, 2)
    assert (figures.latency_mean_ns, figures.latency_max_ns) == (200, 300)


def test_a_symbol_nobody_named_is_an_error_and_so_is_a_currency_without_a_rate() -> None:
    with pytest.raises(KeyError):
        aggregator().mark("ZZZ", 1)
    with pytest.raises(ValueError, match="no rate from EUR"):
        MetricsAggregator(SYMBOLS, ReportingRates("USD", 4, {"USD": 1}))
    with pytest.raises(ValueError, match="two scales"):
        MetricsAggregator([SYMBOLS[0], MetricSymbol("DDD", "USD", 5, 1)])
    with pytest.raises(ValueError, match="named twice"):
        MetricsAggregator([SYMBOLS[0], SYMBOLS[0]])


class Drawn(Strategy):
    """Trades as drawn: a signed quantity at each quote."""

    def __init__(self, quantities: list[int]) -> None:
        self._left = list(reversed(quantities))

    def on_quote(self, context: Context, quote: Quote) -> Answer:
        wanted = self._left.pop() if self._left else 0
        if not wanted:
            return None
        return market(Side.BUY if wanted > 0 else Side.SELL, abs(wanted))


def coins() -> list[Instrument]:
    return [
        instrument(
            name, tick="0.01", lot="1", quote="USD", settlement="margin", leverage=10,
            multiplier=size, fees=fee_schedule(taker="0.0007", per_fill="0.013"),
        )
        for name, size in (("AAA", "1"), ("BBB", "100"))
    ]  # fmt: skip


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    quantities=st.lists(st.integers(-5, 5), max_size=30),
    prices=st.lists(st.tuples(st.booleans(), st.integers(9_000, 11_000)), min_size=1, max_size=40),
)
def test_figures_equal_the_books_of_the_core_for_any_trading(
    quantities: list[int], prices: list[tuple[bool, int]]
) -> None:
    first, second = coins()
    core = trading_core(Drawn(quantities), first, second, cash={"USD": "100000000"})
    books = core.order_manager.states
    metrics = MetricsAggregator(
        [
            MetricSymbol(name, book.ledger.currency, book.ledger.decimals, book.unit_value)
            for name, book in books.items()
        ]
    )
    core.start(1)
    for number, (is_first, cents) in enumerate(prices):
        coin = first if is_first else second
        bid, ask = f"{cents / 100:.2f}", f"{(cents + 3) / 100:.2f}"
        core.run([quote(coin, number + 2, bid, ask)])
        metrics.add(core.take_effects())
        position = {name: book.inventory.position for name, book in books.items()}
        metrics.mark_all(
            {name: book.bid if position[name] > 0 else book.ask for name, book in books.items()}
        )
        snapshot = metrics.snapshot()
        assert_totals_are_sums(snapshot)
        for name, book in books.items():
            figures = snapshot.symbol(name)
            assert (figures.gross_units, figures.fees_units) == (book.realised, book.fees)
            assert figures.net_exposure_units == book.market_value
        ledger = core.order_manager.account.ledger("USD")
        (usd,) = snapshot.currencies
        assert usd.unrealised_units == ledger.unrealised
        assert usd.exposure_units == ledger.gross_exposure
        assert usd.net_units + usd.unrealised_units == ledger.equity - ledger.initial


operations = st.one_of(
    st.tuples(
        st.just("fill"), st.sampled_from(["AAA", "BBB", "CCC"]), st.integers(-9, 9),
        st.integers(1, 500),
    ),
    st.tuples(
        st.just("mark"), st.sampled_from(["AAA", "BBB", "CCC"]), st.just(0), st.integers(1, 500)
    ),
    st.tuples(
        st.just("order"), st.sampled_from(["AAA", "BBB", "CCC"]), st.just(0), st.integers(1, 500)
    ),
)  # fmt: skip


class Writer:
    """Makes the records of one symbol's drawn life, as a core would."""

    def __init__(self, metrics: MetricsAggregator, base: int) -> None:
        self._metrics = metrics
        self._positions: dict[str, int] = {}
        self._number = base

    def do(self, what: str, symbol: str, signed: int, price: int) -> None:
        if what == "mark":
            self._metrics.mark(symbol, price)
            return
        self._number += 1
        if what == "order":
            answered = update(self._number, OrderStatus.ACCEPTED, symbol, 10 + price)
            self._metrics.add([order(self._number, symbol, 10), answered])
            return
        if not signed:
            return
        position = self._positions.get(symbol, 0) + signed
        self._positions[symbol] = position
        lots = (closed(1, price - 250, 3),) if price % 2 else ()
        side = Side.BUY if signed > 0 else Side.SELL
        records: list[Record] = [
            fill(side, abs(signed), price, position, symbol=symbol, fee=price % 7,
                 realised=price - 250 if lots else 0, lots=lots)
        ]  # fmt: skip
        self._metrics.add(records)


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(
    lives=st.lists(st.lists(operations, min_size=1, max_size=40), min_size=2, max_size=4),
    readers=st.integers(1, 3),
)
def test_any_interleaving_of_threads_reads_totals_that_are_sums(
    lives: list[list[tuple[str, str, int, int]]], readers: int
) -> None:
    metrics = aggregator()
    seen: list[list[MetricsSnapshot]] = [[] for _ in range(readers)]
    is_over = threading.Event()
    together = threading.Barrier(len(lives) + readers)

    def write(number: int) -> None:
        writer = Writer(metrics, number * 1_000_000)
        together.wait()
        for operation in lives[number]:
            writer.do(*operation)

    def read(found: list[MetricsSnapshot]) -> None:
        together.wait()
        found.append(metrics.snapshot())
        while not is_over.is_set() and len(found) < 500:
            found.append(metrics.snapshot())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        writers = [threading.Thread(target=write, args=(n,)) for n in range(len(lives))]
        reading = [threading.Thread(target=read, args=(found,)) for found in seen]
        for thread in writers + reading:
            thread.start()
        for thread in writers:
            thread.join()
        is_over.set()
        for thread in reading:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for found in seen:
        versions = [snapshot.version for snapshot in found]
        assert versions == sorted(versions)
        for snapshot in found:
            assert_totals_are_sums(snapshot)
    assert_totals_are_sums(metrics.snapshot())


def test_a_snapshot_stays_as_it_was() -> None:
    metrics = aggregator()
    metrics.add([fill(Side.BUY, 1, 100, 1)])
    before = metrics.snapshot()
    metrics.add([fill(Side.BUY, 1, 100, 2)])
    assert before.symbol("AAA").fills == 1
    with pytest.raises(AttributeError):
        before.symbols[0].fills = 7  # type: ignore[misc]


def test_figures_that_were_saved_go_on_as_if_they_had_not_been() -> None:
    lot = LotClosure(1, 1, 100, 7, 2)
    first: list[Record] = [order(1), order(2, "CCC", 5), fill(Side.BUY, 3, 100, 3, fee=4)]
    then: list[Record] = [
        update(1, OrderStatus.ACCEPTED, ts_ns=9),
        fill(Side.SELL, 1, 90, 2, realised=7, fee=1, lots=(lot,)),
        update(2, OrderStatus.REJECTED, "CCC", 30),
    ]
    straight, saved, taken_up = aggregator(), aggregator(), aggregator()
    for each in (straight, saved):
        each.add(first)
        each.mark_all({"AAA": 120, "CCC": 7})
    taken_up.load(json.loads(json.dumps(saved.save())))
    for each in (straight, taken_up):
        each.add(then)
        each.mark("AAA", 95)
    found, expected = taken_up.snapshot(), straight.snapshot()
    assert (found.symbols, found.currencies, found.total) == (
        expected.symbols,
        expected.currencies,
        expected.total,
    )
    assert expected.symbol("AAA").latency_max_ns == 9
    assert taken_up.save() == straight.save()
