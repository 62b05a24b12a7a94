"""From settings to a core that can run: instruments, wallets, ledgers, books, rules.

Scales are chosen here once. A currency counts in the finest unit that any value quoted in it can
have, so that sums never round; an asset that is also traded counts at least in its quantities'.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from logos.config import (
    BALANCE_DEFAULT,
    Config,
    ConfigError,
    InstrumentSettings,
    OrderSettings,
    RiskLimits,
    TotalLimits,
)
from logos.config.actions import Dividend, Split, actions_of
from logos.config.terms.payments import is_charged
from logos.core.account import Account, Ledger, Wallet
from logos.core.fixed import (
    ROUNDING_MODES,
    decimals_of,
    divide,
    parse_units,
    power_of_ten,
    to_step,
)
from logos.core.guards import LedgerLimits, Limits, OwnGuard, SessionGuards
from logos.core.guards.table import GUARDS
from logos.core.instrument import (
    RATE_DECIMALS,
    FeeSchedule,
    Instrument,
    instrument,
    rate_units,
)
from logos.core.instrument_state import InstrumentState
from logos.core.matching import PaperRules
from logos.core.prices.watch import (
    QUIET_BARS,
    QUIET_NS,
    CorporateAction,
    PriceWatch,
    lowest_price,
)
from logos.core.terms.market_hours import MarketSessions
from logos.data.market_sessions import read_sessions
from logos.data.names import check_symbol
from logos.errors import DataError
from logos.session.carrying.apply import carried_amounts
from logos.session.opening.funding import schedule_of
from logos.session.opening.instruments import refuse_misused

_MONEY_DECIMALS_MIN = 2
_BASE_FEE_DECIMALS = 8
"""What exchanges count their coins in: fees in the traded asset are finer than its lots."""
_BPS_DECIMALS = 4
_NS_DECIMALS = 9


def make_instruments(settings: Mapping[str, InstrumentSettings]) -> dict[str, Instrument]:
    """Instruments as the core knows them. Raises ConfigError for none, or for a wrong one."""
    if not settings:
        raise ConfigError("no instruments are configured: add a table [instruments.SYMBOL]")
    return {symbol: _make_instrument(symbol, each) for symbol, each in settings.items()}


def _make_instrument(symbol: str, settings: InstrumentSettings) -> Instrument:
    fees = settings.fees
    if not settings.quote:
        raise ConfigError(f"instruments.{symbol}.quote must be filled in: the prices' currency")
    refuse_misused(symbol, settings)
    try:
        check_symbol(symbol)
    except DataError as error:
        raise ConfigError(f"instruments: {error}") from None
    if fees.rounding not in ROUNDING_MODES:
        raise ConfigError(
            f"instruments.{symbol}.fees.rounding: {fees.rounding!r} is not one of "
            f"{', '.join(ROUNDING_MODES)}"
        )
    try:
        made = instrument(
            symbol,
            tick=str(settings.tick if settings.data_tick is msgspec.UNSET else settings.data_tick),
            lot=str(settings.lot),
            quote=settings.quote,
            base=settings.base,
            multiplier=str(settings.multiplier),
            min_quantity=str(settings.min_quantity),
            max_quantity=str(settings.max_quantity),
            min_notional=str(settings.min_notional),
            settlement=settings.settlement,
            leverage=settings.leverage,
            initial_margin=str(settings.initial_margin),
            maintenance_margin=str(settings.maintenance_margin),
            hours=settings.hours,
            fees=FeeSchedule(
                maker_rate=rate_units(fees.maker),
                taker_rate=rate_units(fees.taker),
                per_unit=rate_units(fees.per_unit),
                per_fill=rate_units(fees.per_fill),
                minimum=rate_units(fees.minimum),
                decimals=fees.decimals,
                rounding=fees.rounding,
            ),
        )
        if settings.data_tick is not msgspec.UNSET:
            made.order_in(str(settings.tick))
    except ValueError as error:
        raise ConfigError(f"instruments.{symbol}: {error}") from None
    if settings.mark is not msgspec.UNSET:
        made.mark = settings.mark
    if settings.sessions is not msgspec.UNSET:
        try:
            made.sessions = MarketSessions(read_sessions(settings.sessions))
            made.hours = []  # they are those of another clock
        except (DataError, ValueError) as error:
            raise ConfigError(f"instruments.{symbol}.sessions: {error}") from None
    if settings.funding is not msgspec.UNSET:
        made.funding = schedule_of(settings.funding, symbol)
    made.allows_negative = bool(settings.allow_negative_prices)
    made.borrow_rate = rate_units(settings.borrow_rate or Decimal(0))
    made.bar_days = settings.bar_days or 0
    return made


def build_account(config: Config, instruments: Mapping[str, Instrument]) -> Account:
    """Wallets and ledgers for everything the instruments trade and are quoted in.

    Raises ConfigError for amounts finer than the scale and for a missing conversion rate.
    """
    settings = config.account
    quotes = list(dict.fromkeys(each.quote for each in instruments.values()))
    spot = [each for each in instruments.values() if each.settlement == "spot"]
    named = (*settings.balances, *settings.borrow)
    assets = list(dict.fromkeys([*quotes, *(each.base for each in spot), *named]))
    balances = settings.balances or dict.fromkeys(quotes, BALANCE_DEFAULT)
    wallets: dict[str, Wallet] = {}
    for asset in assets:
        amounts = (balances.get(asset, Decimal(0)), settings.borrow.get(asset, Decimal(0)))
        counted = (*amounts, *carried_amounts(config, asset))
        decimals = _decimals(asset, instruments.values(), counted)
        if config.venue.live:
            decimals = max(decimals, _base_fee_decimals(asset, spot))
        initial, borrow = (parse_units(amount, decimals) for amount in amounts)
        wallets[asset] = Wallet(asset, decimals, initial, borrow)
    ledgers = [
        Ledger(wallets[quote], _ledger_limits(config.risk.total, wallets[quote].decimals))
        for quote in quotes
    ]
    for currency, rate in (settings.interest or {}).items():
        if currency not in quotes:
            raise ConfigError(f"account.interest.{currency}: nothing is quoted in it")
        ledgers[quotes.index(currency)].interest_rate = rate_units(rate)
    for ledger in ledgers:
        ledger.is_charged = is_charged(config)
    account = Account(list(wallets.values()), ledgers)
    if settings.report_in:
        _report_in(account, settings.report_in, settings.rates)
    return account


def _decimals(asset: str, instruments: Iterable[Instrument], amounts: Iterable[Decimal]) -> int:
    """The scale of an asset: fine enough for every amount there can be of it."""
    needed = [_MONEY_DECIMALS_MIN, *(decimals_of(amount) for amount in amounts)]
    for each in instruments:
        if each.quote == asset:
            needed += (each.money_decimals, each.fees.decimals)
        if each.base == asset:
            needed.append(each.quantity_decimals)
    return max(needed)


def _base_fee_decimals(asset: str, spot: Iterable[Instrument]) -> int:
    """The scale of the fees that a venue may charge in `asset` where it is traded; 0: nowhere."""
    scales = [each.fees.decimals for each in spot if each.base == asset]
    return max(_BASE_FEE_DECIMALS, *scales) if scales else 0


def _report_in(account: Account, currency: str, rates: Mapping[str, Decimal]) -> None:
    """Set up totals: every ledger's unit becomes a whole number of the total's units."""
    missing = [
        ledger.currency
        for ledger in account.ledgers
        if ledger.currency != currency and ledger.currency not in rates
    ]
    if missing:
        raise ConfigError(
            f"account.report_in = {currency!r} needs a rate for {', '.join(missing)}: add "
            f'account.rates.{missing[0]} = "...", or leave report_in out to keep them apart'
        )
    used = {each.currency: rates.get(each.currency, Decimal(1)) for each in account.ledgers}
    decimals = max(each.decimals + decimals_of(used[each.currency]) for each in account.ledgers)
    factors = {
        each.currency: parse_units(used[each.currency], decimals - each.decimals)
        for each in account.ledgers
    }
    account.report_in(currency, decimals, factors)


def build_states(
    config: Config, instruments: Mapping[str, Instrument], account: Account
) -> dict[str, InstrumentState]:
    """A book for each symbol, with its limits in the units of its currency.

    Raises ConfigError for limits of symbols that the session does not trade.
    """
    for table, named in (("risk", config.risk.symbols), ("orders", config.orders.symbols)):
        for symbol in named:
            if symbol not in instruments:
                raise ConfigError(
                    f"{table}.symbols.{symbol}: the session does not trade it; "
                    f"it trades {', '.join(instruments)}"
                )
    wallets = {wallet.asset: wallet for wallet in account.wallets}
    states = {}
    for symbol, each in instruments.items():
        ledger = account.ledger(each.quote)
        orders = config.orders.symbols.get(symbol, config.orders)
        states[symbol] = InstrumentState(
            each,
            ledger,
            wallets.get(each.base, ledger.wallet),
            _limits(config.risk.symbols.get(symbol, config.risk), each, ledger),
            _order_quantity(orders, each),
            _floor(orders.cap_notional, ledger.decimals),
        )
        states[symbol].watch = _price_watch(config, each)
    return states


def _price_watch(config: Config, each: Instrument) -> PriceWatch:
    """What the symbol's prices are held against. Settings beside the data count too."""
    own = config.instruments.get(each.symbol)
    band = config.paper.band if own is None or own.band is None else own.band
    stale_after_s = config.paper.stale_after_s
    if each.allows_negative:
        band = Decimal(0)  # a fraction of the price, as a split's ratio is
    watch = PriceWatch(
        each.tick,
        _floor(band, RATE_DECIMALS),
        QUIET_NS if stale_after_s is None else _floor(stale_after_s, _NS_DECIMALS),
        QUIET_BARS if stale_after_s is None else 0,
        (own is None or own.split_check) and not each.allows_negative,
        lowest_price(each),
    )
    watch.set_actions([] if own is None else [_action(action) for action in actions_of(own)])
    return watch


def _action(action: Split | Dividend) -> CorporateAction:
    if isinstance(action, Split):
        return CorporateAction(action.ts_ns, action.new, action.old)
    decimals = decimals_of(action.amount)
    return CorporateAction(action.ts_ns, 0, 0, parse_units(action.amount, decimals), decimals)


def _limits(limits: RiskLimits, each: Instrument, ledger: Ledger) -> Limits:
    """The limits in the core's units; `with_limits` has filled them in."""
    none = Decimal(0)
    found = Limits(
        order_notional=_floor(limits.max_order_notional, ledger.decimals),
        position=_floor(limits.max_position, each.quantity_decimals),
        collar_rate=_floor(limits.price_collar or none, RATE_DECIMALS),
        order_quantity=_floor(limits.max_order_quantity, each.quantity_decimals),
        open_orders=limits.max_open_orders,
        stale_after_ns=_floor(limits.stale_after_s or none, _NS_DECIMALS),
        duplicate_window_ns=_floor(limits.duplicate_window_s, _NS_DECIMALS),
    )
    found.order_share = _floor(limits.max_order_share or none, RATE_DECIMALS)
    found.position_share = _floor(limits.max_position_share or none, RATE_DECIMALS)
    return found


def _ledger_limits(total: TotalLimits, decimals: int) -> LedgerLimits:
    return LedgerLimits(
        gross_exposure=_floor(total.max_gross_exposure, decimals),
        net_exposure=_floor(total.max_net_exposure, decimals),
        drawdown=_floor(total.max_drawdown, decimals),
        drawdown_rate=_floor(total.max_drawdown_share or Decimal(0), RATE_DECIMALS),
        daily_loss=_floor(total.max_daily_loss, decimals),
        gross_share=_floor(total.max_gross_share or Decimal(0), RATE_DECIMALS),
    )


def build_guards(config: Config, own: Sequence[OwnGuard] = ()) -> SessionGuards:
    """The guards over the whole session, with those that the user wrote.

    Raises ConfigError for an action of no guard.
    """
    total = config.risk.total
    known = {code.value.lower(): code for code in GUARDS}
    for name in config.risk.actions:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1) or list(known)
            raise ConfigError(f"risk.actions.{name}: no such guard; known: {', '.join(near)}")
    guards = SessionGuards(
        open_orders_limit=total.max_open_orders or 0,
        order_count=total.max_orders or 0,
        order_window_ns=_floor(total.max_orders_window_s, _NS_DECIMALS),
        consecutive_losses_limit=total.max_consecutive_losses,
        actions={known[name]: action for name, action in config.risk.actions.items()},
        own=own,
    )
    refusals_window_ns = _floor(total.max_refusals_window_s, _NS_DECIMALS)
    guards.limit_refusals(total.max_refusals or 0, refusals_window_ns)
    return guards


def _floor(amount: Decimal, decimals: int) -> int:
    """An upper limit in units: rounded down, so that it never allows more; but never to 0."""
    own = max(decimals, decimals_of(amount))
    units = divide(parse_units(amount, own), power_of_ten(own - decimals), "down")
    return max(units, 1) if amount else 0


def _order_quantity(orders: OrderSettings, each: Instrument) -> int:
    """What a bare side trades, in quantity units; 0: the smallest that is valid at its price."""
    if orders.quantity is None:
        return 0
    own = max(each.quantity_decimals, decimals_of(orders.quantity))
    scale = power_of_ten(own - each.quantity_decimals)
    quantity = to_step(parse_units(orders.quantity, own) // scale, each.lot, "down")
    if quantity <= 0:
        raise ConfigError(
            f"orders.quantity: {orders.quantity} is less than one lot of {each.symbol}, "
            f"{each.quantity_text(each.lot)}; set orders.symbols.{each.symbol}.quantity"
        )
    return quantity


def build_rules(config: Config) -> PaperRules:
    """The paper market's rules in its own units."""
    paper = config.paper
    return PaperRules(
        fill_rule=paper.fill,
        bar_path=paper.bar_path,
        slippage_ticks=paper.slippage_ticks,
        slippage_rate=_exact(paper.slippage_bps, RATE_DECIMALS - _BPS_DECIMALS, "slippage_bps"),
        participation_rate=_exact(paper.participation, RATE_DECIMALS, "participation"),
        latency_ns=_exact(paper.latency_ms, 6, "latency_ms"),
    )


def _exact(amount: Decimal, decimals: int, name: str) -> int:
    try:
        return parse_units(amount, decimals)
    except ValueError as error:
        raise ConfigError(f"paper.{name}: {error}") from None
