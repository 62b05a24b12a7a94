"""Whole sessions on every real recording; an auditor checks the books after every event.

The auditor knows only the fills of trades.csv, and this file's own reading of the marks: the
last bid for a long, the last ask for a short, the last price where there is one side only.
Each case is a session whose strategy uses every kind of order under fees, slippage and a cap.
Recordings of more than 10,000 events are audited event by event at their beginning, and in a
second session to their end by their trades.csv as a whole.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest
from market_cases import CASES, QUICK_CASES, TICKS, busy, config_of, terms_of
from sampling import first_quick
from session_helpers import Busy, OneByOne, table

from logos import session
from logos.audit.auditor import Auditor, audit
from logos.config import make_config
from logos.core.context import CoreContext
from logos.core.messages import Bar, Event, Quote, QuoteBar, Trade
from logos.core.order_manager import OrderManager
from logos.session.plan import Plan, make_plan

pytestmark = pytest.mark.usefixtures("logos_home")

EVENTS_AUDITED_MAX = 10_000
EVENTS_AUDITED_OF_LONG = 4_000


class Marks:
    """The prices positions are worth, from the events alone."""

    def __init__(self) -> None:
        self.bids: dict[str, Fraction] = {}
        self.asks: dict[str, Fraction] = {}
        self._two_sided: set[str] = set()

    def see(self, event: Event) -> None:
        if isinstance(event, (Bar, Trade)):
            price = event.close_units if isinstance(event, Bar) else event.price_units
            if event.symbol not in self._two_sided:
                self._take(event, price, price)
        elif isinstance(event, Quote):
            if 0 < event.bid_units <= event.ask_units:
                self._two_sided.add(event.symbol)
                self._take(event, event.bid_units, event.ask_units)
        elif isinstance(event, QuoteBar):
            is_crossed = (
                event.bid_close_units > event.ask_close_units
                or event.bid_open_units > event.ask_open_units
            )
            if not is_crossed:
                self._two_sided.add(event.symbol)
                self._take(event, event.bid_close_units, event.ask_close_units)

    def _take(self, event: Bar | Trade | Quote | QuoteBar, bid: int, ask: int) -> None:
        scale = event.instrument.price_scale
        self.bids[event.symbol] = Fraction(bid, scale)
        self.asks[event.symbol] = Fraction(ask, scale)


@dataclass
class Moment:
    """What the core says after one event: integers on the core's own scales."""

    event: Event
    symbols: list[tuple[str, int, int, int, int, int, int]]
    currencies: list[tuple[str, int, int, int, int]]
    wallets: list[tuple[str, int]]


class Recorder:
    """Keeps the core's figures after every event."""

    def __init__(self, feed: OneByOne, strategy: Busy) -> None:
        self._feed = feed
        self._strategy = strategy
        self.moments: list[Moment] = []
        self.order_manager: OrderManager | None = None

    def start(self, plan: Plan) -> Callable[[int], None]:
        return self._record

    def _record(self, _: int) -> None:
        if self.order_manager is None:
            now_ns = cast(CoreContext, self._strategy.context).now_ns
            gc.collect()  # the context shows no way to it, so that strategies find none
            gc.unfreeze()  # a session sets aside what outlives a look
            [self.order_manager] = [
                each
                for each in gc.get_objects()
                if type(each) is OrderManager and each.now_ns == now_ns
            ]
        assert self._feed.last is not None
        desk = self.order_manager
        self.moments.append(
            Moment(
                self._feed.last,
                [
                    (
                        symbol,
                        book.inventory.position,
                        book.inventory.cost,
                        book.realised,
                        book.fees,
                        book.unrealised,
                        len(book.inventory.lots()),
                    )
                    for symbol, book in desk.states.items()
                ],
                [
                    (each.currency, each.realised, each.fees, each.unrealised, each.equity)
                    for each in desk.account.ledgers
                ],
                [(wallet.asset, wallet.balance) for wallet in desk.account.wallets],
            )
        )


class Judge:
    """Walks the recorded moments beside the auditor and compares all figures exactly."""

    def __init__(self, desk: OrderManager, auditor: Auditor) -> None:
        self._auditor = auditor
        books = desk.states
        self._quantity_scales = {s: book.instrument.quantity_scale for s, book in books.items()}
        self._money_of = {symbol: book.ledger.currency for symbol, book in books.items()}
        self._money_scales = {wallet.asset: 10**wallet.decimals for wallet in desk.account.wallets}
        self._marks = Marks()
        self._fills_seen = -1
        self._state = auditor.state()
        self._booked: list[tuple[str | int, ...]] = []

    def compare(self, moment: Moment) -> None:
        self._marks.see(moment.event)
        if self._fills_seen != self._auditor.report.rows:
            self._fills_seen = self._auditor.report.rows
            self._state = self._auditor.state()
            self._booked = [(*row[:5], row[6]) for row in moment.symbols]
            self._compare_booked(moment)
        # Until the next fill nothing but the marks may move anything.
        assert self._booked == [(*row[:5], row[6]) for row in moment.symbols]
        open_profit = dict.fromkeys(self._money_scales, Fraction(0))
        for symbol, _, _, _, _, unrealised, _ in moment.symbols:
            own = self._state.symbols[symbol]
            profit = Fraction(0)
            if own.position:
                prices = self._marks.bids if own.position > 0 else self._marks.asks
                profit = own.position * prices[symbol] - own.cost
            currency = self._money_of[symbol]
            assert profit * self._money_scales[currency] == unrealised
            open_profit[currency] += profit
        for currency, realised, fees, unrealised, equity in moment.currencies:
            total = self._state.currencies[currency]
            scale = self._money_scales[currency]
            level = total.initial + total.realised - total.fees + open_profit[currency]
            assert (total.realised * scale, total.fees * scale) == (realised, fees)
            assert (open_profit[currency] * scale, level * scale) == (unrealised, equity)
        for asset, balance in moment.wallets:
            own_balance = self._state.wallets.get(asset, Fraction(0))
            assert own_balance * self._money_scales[asset] == balance

    def _compare_booked(self, moment: Moment) -> None:
        for symbol, position, cost, realised, fees, _, lots in moment.symbols:
            own = self._state.symbols[symbol]
            scale = self._money_scales[self._money_of[symbol]]
            assert own.position * self._quantity_scales[symbol] == position
            assert (own.cost * scale, own.realised * scale) == (cost, realised)
            assert (own.fees * scale, own.open_lots) == (fees, lots)


def test_the_cases_use_every_file(market_data: Path) -> None:
    used = {name for case in CASES.values() for name in case.files}
    used |= {name.replace("_bid.csv", "_ask.csv") for name in used}
    files = {str(path.relative_to(market_data)) for path in market_data.rglob("*.csv")}
    assert {name for name in files if name not in used} == set()


def audited(market_data: Path, name: str) -> tuple[Recorder, session.SessionResult]:
    """A session with the core's figures recorded after every event; whole unless it is long."""
    config = config_of(CASES[name], market_data)
    plan = make_plan(make_config({**config, "strategy": {"name": "sma_cross"}}))
    assert plan.rows is not None
    is_long = plan.rows > EVENTS_AUDITED_MAX
    feed = OneByOne(plan.feed, EVENTS_AUDITED_OF_LONG if is_long else EVENTS_AUDITED_MAX)
    strategy = busy(CASES[name], config)
    recorder = Recorder(feed, strategy)
    result = session.run(config, strategy=strategy, feed=feed, on_plan=recorder.start)
    assert result.exit_code == session.ExitCode.FINISHED, result.reason
    assert len(recorder.moments) == (EVENTS_AUDITED_OF_LONG if is_long else plan.rows)
    return recorder, result


def judge_all(
    recorder: Recorder, result: session.SessionResult, config: Mapping[str, Any]
) -> Auditor:
    """Apply the fills of each event and compare; raises AssertionError on any difference."""
    assert recorder.order_manager is not None
    fills: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in table(result.folder, "trades"):
        fills[int(row["tick_id"])].append(row)
    auditor = Auditor(terms_of(config), config["account"]["balances"])
    judge = Judge(recorder.order_manager, auditor)
    for tick_id, moment in enumerate(recorder.moments, start=1):
        for row in fills.pop(tick_id, ()):
            assert auditor.apply(row) == []
        # What on_stop traded bears the last event's number, but came after its moment.
        if tick_id < len(recorder.moments):
            judge.compare(moment)
    assert fills == {}
    return auditor


@pytest.mark.long
@pytest.mark.parametrize(
    "name", first_quick(sorted(CASES, key=QUICK_CASES.__contains__, reverse=True), len(QUICK_CASES))
)
def test_the_books_are_what_the_fills_make_them_after_every_event(
    market_data: Path, name: str
) -> None:
    recorder, result = audited(market_data, name)
    auditor = judge_all(recorder, result, config_of(CASES[name], market_data))
    assert auditor.report.is_clean, auditor.report
    assert auditor.report.rows == result.summary["fills"] > 20


@pytest.mark.long
@pytest.mark.parametrize(("group", "column"), [(0, 3), (0, 4), (0, 5), (1, 4), (2, 1)])
def test_one_unit_off_at_one_event_is_noticed(market_data: Path, group: int, column: int) -> None:
    recorder, result = audited(market_data, "ORCL")
    moment = recorder.moments[100]
    groups: list[list[Any]] = [moment.symbols, moment.currencies, moment.wallets]
    figures = groups[group]
    row = list(figures[0])
    row[column] += 1
    figures[0] = tuple(row)
    with pytest.raises(AssertionError):
        judge_all(recorder, result, config_of(CASES["ORCL"], market_data))


@pytest.mark.parametrize(
    "name",
    first_quick(
        [name for name, case in CASES.items() if case.paper is TICKS or len(case.files) > 1],
        quick=0,
    ),
)
def test_a_whole_recording_ends_with_the_books_the_auditor_has(
    market_data: Path, name: str
) -> None:
    config = config_of(CASES[name], market_data)
    result = session.run(config, strategy=busy(CASES[name], config))
    assert result.exit_code == session.ExitCode.FINISHED, result.reason
    balances = config["account"]["balances"]
    report = audit(result.folder / "trades.csv", terms_of(config), balances)
    assert report.is_clean, report
    assert report.rows == result.summary["fills"] > 100
    # The final figures, once more: the auditor's state at the summary's marks.
    auditor = Auditor(terms_of(config), balances)
    for row in table(result.folder, "trades"):
        auditor.apply(row)
    symbols = result.summary["symbols"]
    state = auditor.state({symbol: each["mark"] for symbol, each in symbols.items()})
    for symbol, each in symbols.items():
        own = state.symbols[symbol]
        figures = (own.position, own.realised, own.fees, own.unrealised)
        names = ("position", "realised", "fees", "unrealised")
        assert figures == tuple(Fraction(each[name]) for name in names)
    for currency, each in result.summary["currencies"].items():
        assert state.currencies[currency].equity == Fraction(each["equity"])
        assert state.currencies[currency].realised == Fraction(each["realised"])
    for asset, amount in result.summary["balances"].items():
        assert state.wallets.get(asset, Fraction(0)) == Fraction(Decimal(amount))
