"""Money, at every event: the engine's books against the auditor, who knows the fills only.

Sessions are drawn at random: symbols spot and on margin, in two currencies with a total, quotes
and bars, orders of every kind. After each event every figure of the account is compared.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logos.audit.auditor import Auditor, State
from logos.core.account import Account, EquityTrack, Ledger, Wallet
from logos.core.engine import TradingCore
from logos.core.fixed import format_units
from logos.core.instrument import Instrument, instrument
from logos.core.messages import Bar, MarketEvent, Quote
from logos.core.records import PaperFillRecord, Record
from logos.core.strategy import (
    Answer,
    Cancel,
    OrderRequest,
    Target,
    Weight,
    limit,
    market,
    stop,
    stop_limit,
)
from logos.core.types import FillRule, Side
from logos.errors import InvariantBroken
from logos.testing.builders import (
    Scripted,
    bar,
    fee_schedule,
    paper_rules,
    quote,
    trade,
    trading_core,
)

FEES = [
    fee_schedule(),
    fee_schedule(maker="0.0002", taker="0.001", decimals=4),
    fee_schedule(per_unit="0.013", per_fill="0.1", minimum="0.35", decimals=2, rounding="half_up"),
]
START = {"USD": "20000", "EUR": "5000.5"}
RATES = {"USD": "1", "EUR": "1.0875"}


def an_instrument(
    symbol: str, quote_currency: str, settlement: str, multiplier: str, fees: int
) -> Instrument:
    return instrument(
        symbol,
        tick="0.05",
        lot="0.1",
        quote=quote_currency,
        multiplier=multiplier,
        settlement=settlement,
        leverage=5 if settlement == "margin" else 1,
        initial_margin="1",
        maintenance_margin="0.5",
        fees=FEES[fees],
    )


def instruments() -> st.SearchStrategy[list[Instrument]]:
    one = st.tuples(
        st.sampled_from(["USD", "EUR"]),
        st.sampled_from(["spot", "margin"]),
        st.sampled_from(["1", "10", "0.25"]),
        st.integers(0, 2),
    )
    return st.lists(one, min_size=1, max_size=3).map(
        lambda drawn: [an_instrument(f"S{n}", *each) for n, each in enumerate(drawn)]
    )


def price(ticks: int) -> str:
    return format_units(ticks * 5, 2)


moves = st.integers(1_950, 2_050)
sides = st.sampled_from(Side)
sizes = st.integers(1, 80).map(lambda tenths: Decimal(tenths) / 10)
named = moves.map(price)
orders: st.SearchStrategy[OrderRequest] = st.one_of(
    st.builds(market, sides, sizes),
    st.builds(limit, sides, sizes, named),
    st.builds(stop, sides, sizes, named),
    st.builds(stop_limit, sides, sizes, named, named),
)
requests = st.one_of(
    orders,
    sides,
    st.builds(Target, st.integers(-6, 6)),
    st.builds(Weight, st.sampled_from(["0", "0.3", "-0.2"])),
    st.builds(Cancel, st.integers(1, 10)),
)
answers: st.SearchStrategy[Answer] = st.none() | st.lists(requests, max_size=3)
# symbol, whether a quote, four prices in ticks, answer
steps = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.tuples(moves, moves, moves, moves), answers),
    min_size=1,
    max_size=25,
)


def event_of(
    traded: Instrument, number: int, is_quote: bool, ticks: tuple[int, ...]
) -> MarketEvent:
    if is_quote:
        low, high = sorted(ticks[:2])
        return quote(traded, number * 60_000_000_000, price(low), price(high))
    four = (ticks[0], max(ticks), min(ticks), ticks[3])
    return bar(traded, number, " ".join(price(each) for each in four))


def row_of(fill: PaperFillRecord, traded: Instrument) -> dict[str, str]:
    """The row of trades.csv that a fill makes."""
    money = fill.money_decimals
    lots = [
        f"L{c.lot_id}:{format_units(c.quantity_units, fill.quantity_decimals)}"
        f"@{format_units(c.open_price_units, fill.price_decimals)}"
        f":{format_units(c.pnl_units, money)}:{format_units(c.fee_units, money)}"
        for c in fill.lots
    ]
    second, nanos = divmod(fill.ts_ns, 10**9)
    moment = datetime.datetime.fromtimestamp(second, datetime.UTC)
    opened = format_units(fill.opened_units, fill.quantity_decimals)
    notional = traded.value(fill.price_units, fill.quantity_units)
    return {
        "fill_id": str(fill.fill_id),
        "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z",
        "symbol": fill.symbol,
        "side": fill.side.value,
        "quantity": format_units(fill.quantity_units, fill.quantity_decimals),
        "price": format_units(fill.price_units, fill.price_decimals),
        "notional": format_units(notional, traded.value_decimals),
        "fee": format_units(fill.fee_units, money),
        "currency": fill.currency,
        "realised": format_units(fill.realised_units, money),
        "lots_closed": ";".join(lots),
        "lot_opened": f"L{fill.opened_lot_id}:{opened}" if fill.opened_units else "",
        "position": format_units(fill.position_units, fill.quantity_decimals),
        "symbol_realised": format_units(fill.symbol_realised_units, money),
        "symbol_fees": format_units(fill.symbol_fees_units, money),
        "wallet": format_units(fill.wallet_units, money),
        "base_fee": "",
    }


class Witness:
    """Follows a session with the auditor and marks of its own."""

    def __init__(self, traded: list[Instrument]) -> None:
        self.traded = {each.symbol: each for each in traded}
        self.auditor = Auditor(
            {
                s: (
                    i.base,
                    i.quote,
                    Fraction(i.multiplier, 10 ** (i.value_decimals - 3)),
                    i.settlement,
                )
                for s, i in self.traded.items()
            },
            START,
        )
        self.bids: dict[str, Fraction] = {}
        self.asks: dict[str, Fraction] = {}
        self.two_sided: set[str] = set()
        self.levels = {currency: [Fraction(amount)] for currency, amount in START.items()}

    def see(self, event: MarketEvent, records: list[Record]) -> State:
        for record in records:
            if isinstance(record, PaperFillRecord):
                assert self.auditor.apply(row_of(record, self.traded[record.symbol])) == []
        symbol = event.symbol
        if isinstance(event, Quote):
            self.bids[symbol] = Fraction(event.bid_units, 100)
            self.asks[symbol] = Fraction(event.ask_units, 100)
            self.two_sided.add(symbol)
        elif isinstance(event, Bar) and symbol not in self.two_sided:
            self.bids[symbol] = self.asks[symbol] = Fraction(event.close_units, 100)
        marks: dict[str, Fraction] = {}
        for name, each in self.auditor.state().symbols.items():
            if name in self.bids:
                marks[name] = self.bids[name] if each.position > 0 else self.asks[name]
        state = self.auditor.state(marks)
        for currency, ledger in state.currencies.items():
            assert ledger.equity is not None
            self.levels[currency].append(ledger.equity)
        return state

    def drawdown(self, currency: str) -> tuple[Fraction, Fraction]:
        """High-water mark and deepest fall of the levels seen, the slow way."""
        levels = self.levels[currency]
        falls = [max(levels[: n + 1]) - level for n, level in enumerate(levels)]
        return max(levels), max(falls)


def assert_books_agree(core: TradingCore, state: State) -> None:
    total = Fraction(0)
    for book in core.order_manager.states.values():
        theirs = state.symbols[book.instrument.symbol]
        scale = 10**book.ledger.decimals
        ours = (book.inventory.cost, book.realised, book.fees, book.unrealised)
        assert [Fraction(units, scale) for units in ours] == [
            theirs.cost,
            theirs.realised,
            theirs.fees,
            theirs.unrealised,
        ]
        assert Fraction(book.inventory.position, book.instrument.quantity_scale) == theirs.position
        assert len(book.inventory.lots()) == theirs.open_lots
    for ledger in core.order_manager.account.ledgers:
        ledger.check()
        mine = state.currencies[ledger.currency]
        scale = 10**ledger.decimals
        units = (ledger.equity, ledger.realised, ledger.fees, ledger.unrealised)
        assert [Fraction(each, scale) for each in units] == [
            mine.equity,
            mine.realised,
            mine.fees,
            mine.unrealised,
        ]
        assert mine.equity is not None
        total += mine.equity * Fraction(RATES[ledger.currency])
    for wallet in core.order_manager.account.wallets:
        held = state.wallets.get(wallet.asset, Fraction(0))
        assert Fraction(wallet.balance, 10**wallet.decimals) == held
    account = core.order_manager.account
    assert account.total is not None
    assert Fraction(account.total.equity, 10**account.total_decimals) == total


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(instruments(), steps, st.sampled_from(FillRule), st.sampled_from([0, 60_000_000_000]))
def test_the_account_is_what_the_fills_make_it_at_every_event(
    traded: list[Instrument],
    drawn: list[tuple[int, bool, tuple[int, int, int, int], Answer]],
    fill_rule: FillRule,
    latency_ns: int,
) -> None:
    strategy = Scripted({number: step[3] for number, step in enumerate(drawn, 1)})
    core = trading_core(
        strategy,
        *traded,
        cash=START,
        borrow={each.base: "50" for each in traded},
        rates=RATES,
        report_in="USD",
        rules=paper_rules(fill_rule, slippage_ticks=1, latency_ns=latency_ns),
    )
    witness = Witness(traded)
    core.start(0)
    for number, (which, is_quote, ticks, _) in enumerate(drawn, 1):
        event = event_of(traded[which % len(traded)], number, is_quote, ticks)
        assert_books_agree(core, witness.see(event, core.step(event)))
    for ledger in core.order_manager.account.ledgers:
        high_water, fall = witness.drawdown(ledger.currency)
        scale = 10**ledger.decimals
        track = ledger.track
        if fill_rule is FillRule.NEXT_OPEN:  # one level an event: nothing fills after the marks
            assert Fraction(track.high_water, scale) == high_water
            assert Fraction(track.max_drawdown, scale) == fall
        else:
            assert Fraction(track.high_water, scale) >= high_water
            assert Fraction(track.max_drawdown, scale) >= fall


COIN = instrument("COIN", tick="0.01", lot="0.001", quote="USD")


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("is_quoted", [False, True])
def test_a_gap_between_decision_and_fill_makes_no_drawdown_and_no_high(
    side: Side, is_quoted: bool
) -> None:
    core = trading_core(Scripted({1: market(side, 1)}), COIN, borrow={"COIN": "1"})
    core.start(0)
    for number, level in enumerate(("100", "110"), 1):
        if is_quoted:
            core.step(quote(COIN, number, level, level))
        else:
            core.step(bar(COIN, number, f"{level} {level} {level} {level}"))
    track = core.order_manager.account.ledger("USD").track
    assert core.order_manager.states["COIN"].inventory.position == (
        1000 if side is Side.BUY else -1000
    )
    assert track.equity == core.order_manager.account.ledger("USD").initial
    assert (track.high_water, track.max_drawdown) == (track.equity, 0)


def test_one_sided_prints_no_longer_move_the_mark_once_there_was_a_quote() -> None:
    core = trading_core(Scripted({1: market(Side.BUY, 1)}), COIN)
    core.start(0)
    core.step(trade(COIN, 1, "100"))
    core.step(quote(COIN, 2, "99", "101"))
    book = core.order_manager.states["COIN"]
    assert book.mark == 9_900
    core.step(trade(COIN, 3, "150"))
    core.step(bar(COIN, 1, "150 150 150 150"))
    assert (book.mark, book.bid, book.ask) == (9_900, 9_900, 10_100)


def test_margin_is_bound_at_entry_value_and_released_with_the_position() -> None:
    """The figures of nautilus_trader's issue 2632: 10 at 46377, maintenance 2.5% at leverage 10."""
    perp = instrument(
        "PERP",
        tick="0.01",
        lot="1",
        quote="USDT",
        settlement="margin",
        leverage=10,
        initial_margin="0.05",
        maintenance_margin="0.025",
        fees=fee_schedule(taker="0.0005"),
    )
    script = {1: market(Side.BUY, 10), 2: market(Side.SELL, 10)}
    rules = paper_rules(FillRule.DECISION_CLOSE)
    core = trading_core(Scripted(script), perp, cash={"USDT": "1000000"}, rules=rules)
    ledger = core.order_manager.account.ledger("USDT")
    core.start(0)
    core.step(bar(perp, 1, "46377 46377 46377 46377"))
    assert Fraction(ledger.wallet.balance, 10**ledger.decimals) == Fraction("999768.115")
    assert Fraction(ledger.maintenance_margin, 10**ledger.decimals) == Fraction("1159.425")
    core.step(bar(perp, 2, "46448 46448 46448 46448"))
    assert Fraction(ledger.wallet.balance, 10**ledger.decimals) == Fraction("1000245.875")
    assert (ledger.initial_margin, ledger.maintenance_margin) == (0, 0)


def test_margin_is_rounded_up() -> None:
    third = instrument("T", tick="1", lot="1", quote="USD", settlement="margin", leverage=3)
    core = trading_core(Scripted({1: market(Side.SELL, 10)}), third)
    core.start(1)
    for number in (1, 2):
        core.step(bar(third, number, "100 100 100 100"))
    assert core.order_manager.account.ledger("USD").initial_margin == 333_33333334


def test_an_equity_track_keeps_its_deepest_fall() -> None:
    track = EquityTrack(100)
    for delta in (20, -50, 10, 40, -30):
        track.move(delta)
    assert (track.equity, track.high_water, track.max_drawdown) == (90, 120, 50)


def test_what_was_never_locked_cannot_be_released() -> None:
    wallet = Wallet("USD", 2, 1_000, 0)
    wallet.lock(300)
    assert wallet.available == 700
    wallet.unlock(300)
    with pytest.raises(InvariantBroken, match="USD: released 1 units never locked"):
        wallet.unlock(1)


def test_a_ledger_that_does_not_add_up_is_a_broken_invariant() -> None:
    ledger = Ledger(Wallet("USD", 2, 1_000, 0))
    ledger.book(50, 2, 0, 103, 100)
    ledger.check()
    ledger.realised += 1
    with pytest.raises(InvariantBroken, match="USD: equity 1051 is not initial 1000"):
        ledger.check()


def test_a_currency_without_a_rate_has_no_total() -> None:
    ledgers = [Ledger(Wallet("USD", 2, 1_000, 0)), Ledger(Wallet("EUR", 2, 500, 0))]
    account = Account([ledger.wallet for ledger in ledgers], ledgers)
    with pytest.raises(KeyError, match="EUR"):
        account.report_in("USD", 2, {"USD": 1})
    with pytest.raises(KeyError, match="JPY"):
        account.ledger("JPY")
