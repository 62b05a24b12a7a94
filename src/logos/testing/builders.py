"""A whole TradingCore from keyword arguments, and market events from decimal text.

A test should say only what it is about. Everything here has a neutral default: no fees, no
limits, no latency, a switch that is SAFE, and scales just fine enough for the instruments given.

    coin = instrument("COIN", tick="0.01", lot="0.001", quote="USD")
    core = trading_core(Scripted({1: market(Side.BUY, 2)}), coin, cash={"USD": "1000"})
    run(core, [bar(coin, 1, "10 11 9 10"), bar(coin, 2, "10 11 9 10")])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from logos.core.account import Account, Ledger, Wallet
from logos.core.engine import TradingCore
from logos.core.fixed import UP, decimals_of, parse_units
from logos.core.gates import InProcessSwitch, Switch
from logos.core.guards import Action, LedgerLimits, Limits, SessionGuards
from logos.core.instrument import FeeSchedule, Instrument, rate_units
from logos.core.instrument_state import InstrumentState
from logos.core.matching import PaperRules
from logos.core.messages import Bar, Event, Quote, QuoteBar, Trade
from logos.core.records import (
    GuardRecord,
    OrderRecord,
    OrderUpdate,
    PaperFillRecord,
    Record,
    RefusalRecord,
)
from logos.core.strategy import Strategy
from logos.core.types import NS_PER_MINUTE, SIZE_UNKNOWN, BarPath, Code, FillRule

# What a core is built with most often; so one import is enough for a test.
from logos.testing.scripted import Always as Always
from logos.testing.scripted import Scripted as Scripted

# ---- the parts of a core ----


def fee_schedule(
    *,
    maker: str = "0",
    taker: str = "0",
    per_unit: str = "0",
    per_fill: str = "0",
    minimum: str = "0",
    decimals: int = 8,
    rounding: str = UP,
) -> FeeSchedule:
    """Fees from decimal texts: rates as fractions (0.001 is 0.1%), the rest in quote money."""
    return FeeSchedule(
        rate_units(maker),
        rate_units(taker),
        rate_units(per_unit),
        rate_units(per_fill),
        rate_units(minimum),
        decimals,
        rounding,
    )


def paper_rules(
    fill_rule: FillRule = FillRule.NEXT_OPEN,
    *,
    bar_path: BarPath = BarPath.NEAREST_FIRST,
    slippage_ticks: int = 0,
    slippage: str = "0",
    participation: str = "0",
    latency_ns: int = 0,
) -> PaperRules:
    """Rules of the paper market; `slippage` and `participation` are fractions as text."""
    return PaperRules(
        fill_rule,
        bar_path,
        slippage_ticks,
        rate_units(slippage),
        rate_units(participation),
        latency_ns,
    )


def wallet_decimals(instruments: Iterable[Instrument], asset: str) -> int:
    """The coarsest scale on which every amount of `asset` that can arise is a whole number."""
    decimals = 0
    for instrument in instruments:
        if instrument.base == asset:
            decimals = max(decimals, instrument.quantity_decimals)
        if instrument.quote == asset:
            fees = instrument.fees
            decimals = max(decimals, instrument.money_decimals, fees.decimals)
    return decimals


def make_account(
    instruments: Sequence[Instrument],
    cash: Mapping[str, str],
    borrow: Mapping[str, str],
    rates: Mapping[str, str],
    report_in: str,
    ledger_limits: Mapping[str, str] | None = None,
) -> Account:
    """Wallets for every asset of `instruments`, ledgers for every quote currency.

    `cash` and `borrow` give starting balances and credit as text, 0 where nothing is said. With
    `report_in`, `rates` says what one unit of each other currency is worth in it. Each ledger is
    under `ledger_limits`: names of `LedgerLimits` with money, or a share for `drawdown_rate`.
    """
    assets: list[str] = []
    for instrument in instruments:
        for asset in (instrument.quote, instrument.base):
            if asset not in assets:
                assets.append(asset)
    wallets: dict[str, Wallet] = {}
    for asset in assets:
        start = cash.get(asset, "0")
        credit = borrow.get(asset, "0")
        decimals = max(wallet_decimals(instruments, asset), decimals_of(start), decimals_of(credit))
        wallets[asset] = Wallet(
            asset, decimals, parse_units(start, decimals), parse_units(credit, decimals)
        )
    quotes = [a for a in assets if any(instrument.quote == a for instrument in instruments)]
    texts = ledger_limits or {}
    ledgers = [Ledger(wallets[q], _ledger_limits(texts, wallets[q].decimals)) for q in quotes]
    account = Account(list(wallets.values()), ledgers)
    if report_in:
        used = {quote: rates.get(quote, "1") for quote in quotes}
        decimals = max(wallets[q].decimals + decimals_of(text) for q, text in used.items())
        factors = {q: parse_units(t, decimals - wallets[q].decimals) for q, t in used.items()}
        account.report_in(report_in, decimals, factors)
    return account


def _ledger_limits(texts: Mapping[str, str], decimals: int) -> LedgerLimits:
    units = {
        name: rate_units(text) if name == "drawdown_rate" else parse_units(text, decimals)
        for name, text in texts.items()
    }
    return LedgerLimits(**units)


def trading_core(
    strategy: Strategy,
    *instruments: Instrument,
    cash: Mapping[str, str] | None = None,
    borrow: Mapping[str, str] | None = None,
    rates: Mapping[str, str] | None = None,
    report_in: str = "",
    max_position: str = "0",
    max_order_notional: str = "0",
    max_order_quantity: str = "0",
    collar: str = "0",
    max_open_orders: int = 0,
    stale_after_ns: int = 0,
    duplicate_window_ns: int = 0,
    max_gross_exposure: str = "0",
    max_net_exposure: str = "0",
    max_drawdown: str = "0",
    max_drawdown_share: str = "0",
    max_daily_loss: str = "0",
    max_total_open_orders: int = 0,
    max_orders: int = 0,
    max_orders_window_ns: int = 0,
    max_consecutive_losses: int = 0,
    actions: Mapping[Code, Action] | None = None,
    cap_notional: str = "0",
    order_quantity: str = "1",
    rules: PaperRules | None = None,
    switch: Switch | None = None,
    seed: int = 0,
    params: Mapping[str, object] | None = None,
    session_id: str = "test",
    sample_ns: int = 0,
    halt_on_engage: bool = False,
) -> TradingCore:
    """A core that trades `instruments`, all under the same limits ("0": none).

    `cash` is a million of every quote currency unless given. Exposure, drawdown and daily loss
    are limits of each currency; `max_total_open_orders`, `max_orders` in any
    `max_orders_window_ns` and `max_consecutive_losses` are limits of the session.
    """
    if cash is None:
        cash = {instrument.quote: "1000000" for instrument in instruments}
    ledger_limits = {
        "gross_exposure": max_gross_exposure,
        "net_exposure": max_net_exposure,
        "drawdown": max_drawdown,
        "drawdown_rate": max_drawdown_share,
        "daily_loss": max_daily_loss,
    }
    account = make_account(instruments, cash, borrow or {}, rates or {}, report_in, ledger_limits)
    wallets = {wallet.asset: wallet for wallet in account.wallets}
    states: dict[str, InstrumentState] = {}
    for instrument in instruments:
        ledger = account.ledger(instrument.quote)
        limits = Limits(
            parse_units(max_order_notional, ledger.decimals),
            parse_units(max_position, instrument.quantity_decimals),
            rate_units(collar),
            parse_units(max_order_quantity, instrument.quantity_decimals),
            max_open_orders,
            stale_after_ns,
            duplicate_window_ns,
        )
        states[instrument.symbol] = InstrumentState(
            instrument,
            ledger,
            wallets[instrument.base],
            limits,
            parse_units(order_quantity, instrument.quantity_decimals),
            parse_units(cap_notional, ledger.decimals),
        )
    return TradingCore(
        session_id,
        states,
        account,
        strategy,
        InProcessSwitch() if switch is None else switch,
        PaperRules() if rules is None else rules,
        SessionGuards(
            max_total_open_orders,
            max_orders,
            max_orders_window_ns,
            max_consecutive_losses,
            None if actions is None else dict(actions),
        ),
        seed,
        params or {},
        sample_ns,
        halt_on_engage,
    )


def run(core: TradingCore, events: Sequence[Event]) -> list[Record]:
    """A whole session: start at the first event, every event, stop. All records, in order."""
    records = core.start(events[0].ts_ns)
    for event in events:
        records += core.step(event)
    return records + core.stop()


# ---- what happened ----


def orders_in(records: Iterable[Record]) -> list[OrderRecord]:
    """The orders that were made, oldest first."""
    return [record for record in records if isinstance(record, OrderRecord)]


def fills_in(records: Iterable[Record]) -> list[PaperFillRecord]:
    """The fills, oldest first."""
    return [record for record in records if isinstance(record, PaperFillRecord)]


def refusals_in(records: Iterable[Record]) -> list[Code]:
    """The codes of what was refused, in order."""
    return [record.code for record in records if isinstance(record, RefusalRecord)]


def guards_in(records: Iterable[Record]) -> list[tuple[Code, str]]:
    """The guards that acted or tripped on a tick, each with its action, in order."""
    return [(each.code, each.action) for each in records if isinstance(each, GuardRecord)]


def ends_in(records: Iterable[Record]) -> dict[int, str]:
    """How each order stood at last, by its number: "FILLED", "CANCELLED REPLACED", ..."""
    updates = [record for record in records if isinstance(record, OrderUpdate)]
    return {each.order_id: f"{each.status.value} {each.reason}".rstrip() for each in updates}


# ---- market events from text ----


def _size(instrument: Instrument, text: str | None) -> int:
    return SIZE_UNKNOWN if text is None else parse_units(text, instrument.quantity_decimals)


def _four(instrument: Instrument, text: str) -> tuple[int, int, int, int]:
    prices = [parse_units(part, instrument.price_decimals) for part in text.split()]
    if len(prices) != 4:
        raise ValueError(f"a bar is 'open high low close', not {text!r}")
    return prices[0], prices[1], prices[2], prices[3]


def quote(
    instrument: Instrument,
    ts_ns: int,
    bid: str,
    ask: str,
    bid_size: str | None = None,
    ask_size: str | None = None,
) -> Quote:
    """A best bid and ask; without sizes they are unknown."""
    decimals = instrument.price_decimals
    return Quote(
        ts_ns,
        instrument.symbol,
        parse_units(bid, decimals),
        parse_units(ask, decimals),
        _size(instrument, bid_size),
        _size(instrument, ask_size),
        instrument,
    )


def trade(instrument: Instrument, ts_ns: int, price: str, size: str | None = None) -> Trade:
    """A print at `price`."""
    units = parse_units(price, instrument.price_decimals)
    return Trade(ts_ns, instrument.symbol, units, _size(instrument, size), "", instrument)


def bar(
    instrument: Instrument,
    number: int,
    prices: str,
    volume: str | None = None,
    interval_ns: int = NS_PER_MINUTE,
) -> Bar:
    """The `number`-th bar since 1970, closing at `number * interval_ns`.

    `prices` is "open high low close".
    """
    return Bar(
        number * interval_ns,
        instrument.symbol,
        interval_ns,
        *_four(instrument, prices),
        _size(instrument, volume),
        instrument,
    )


def quote_bar(
    instrument: Instrument,
    number: int,
    bids: str,
    asks: str,
    volume: str | None = None,
    interval_ns: int = NS_PER_MINUTE,
) -> QuoteBar:
    """Like `bar`, with both sides."""
    return QuoteBar(
        number * interval_ns,
        instrument.symbol,
        interval_ns,
        *_four(instrument, bids),
        *_four(instrument, asks),
        _size(instrument, volume),
        instrument,
    )
