"""The limits of a session: what holds where the settings say nothing, and what real orders need.

`with_limits` fills in every limit that is not set, so that a session's settings, as its folder has
them, name each limit with its figure. A default is laid only where its guard has no limit of the
operator's own, and not at all with `risk.unlimited`. Old prices are a matter of live data: recorded
data is as old as it is, so there only a limit that is set counts.

Real orders need every limit, each within what the account could bear; see `live_problems`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.config.settings import Config, InstrumentSettings, RiskLimits, TotalLimits
from logos.config.tables.live import FeedKind, FeedName, LiveSettings, VenueName
from logos.core.bars.spans import UNITS_NS
from logos.core.guards import Action
from logos.core.types import NS_PER_SECOND

ORDER_SHARE: Final = Decimal(1)
POSITION_SHARE: Final = Decimal(2)
GROSS_SHARE: Final = Decimal(3)
PRICE_COLLAR: Final = Decimal("0.5")
STALE_AFTER_S: Final = Decimal(60)
STALE_BARS: Final = 3
"""How many bars may be missing before a feed of bars is silent."""
OPEN_ORDERS: Final = 200
ORDERS: Final = 100
REFUSALS: Final = 100
DRAWDOWN_SHARE: Final = Decimal("0.25")

_LIVE_MAX: Final[tuple[tuple[bool, str, Decimal], ...]] = (
    (False, "price_collar", Decimal("0.5")),
    (False, "stale_after_s", Decimal(300)),
    (False, "max_open_orders", Decimal(1000)),
    (True, "max_open_orders", Decimal(1000)),
    (True, "max_drawdown_share", Decimal("0.5")),
    (True, "max_refusals", Decimal(1000)),
)
"""The most that a limit of a session with real orders may be; True: it is one of `[risk.total]`."""
_LIVE_ORDERS_A_SECOND: Final = 1000
_SANDBOX_ORDERS_A_SECOND: Final = 10_000
"""Where no money is at stake (`venue.sandbox`, which the check before a session holds against the
venue's own word): a rehearsal may try what no account with money is to do."""

_INTERVAL: Final = re.compile(r"(\d+)([smhdw])")


def with_limits(config: Config, *, is_live: bool | None = None) -> Config:
    """The settings with every limit in them, in figures; the same again when they have it.

    `is_live`: whether prices come from a live feed (None: as `live.feed` says).
    """
    risk = config.risk
    if is_live is None:
        is_live = config.live.feed is not FeedName.NONE
    is_fast = config.live.feed is FeedName.REPLAY and config.live.speed != 1
    stale_after_s = _stale_after_s(config.live) if is_live and not is_fast else Decimal(0)
    # What a symbol may have open is never more than what all may.
    open_orders = max([OPEN_ORDERS, *(each.max_open_orders for _, each in _tables(config))])
    defaults = _total_defaults(risk.total, open_orders)
    if is_fast:  # the times of a replay at another speed say nothing of how often
        defaults |= {"max_orders": 0, "max_refusals": 0}
    total = _filled(risk.total, defaults, unlimited=risk.unlimited)
    actions = dict(risk.actions)
    if risk.total.max_drawdown_share is None and total.max_drawdown_share:
        # What the operator did not ask for stops nobody else's session.
        actions.setdefault("max_drawdown", Action.HALT)
    symbols = {
        symbol: _filled(each, _defaults(each, stale_after_s), unlimited=risk.unlimited)
        for symbol, each in risk.symbols.items()
    }
    filled = _filled(risk, _defaults(risk, stale_after_s), unlimited=risk.unlimited)
    whole = msgspec.structs.replace(filled, total=total, symbols=symbols, actions=actions)
    return msgspec.structs.replace(config, risk=whole)


def _defaults(limits: RiskLimits, stale_after_s: Decimal) -> dict[str, Any]:
    none = Decimal(0)
    return {
        "max_order_share": none if limits.max_order_notional else ORDER_SHARE,
        "max_position_share": none if limits.max_position else POSITION_SHARE,
        "price_collar": PRICE_COLLAR,
        "stale_after_s": stale_after_s,
    }


def _total_defaults(total: TotalLimits, open_orders: int) -> dict[str, Any]:
    none = Decimal(0)
    return {
        "max_gross_share": none if total.max_gross_exposure else GROSS_SHARE,
        "max_open_orders": open_orders,
        "max_orders": ORDERS,
        "max_refusals": REFUSALS,
        "max_drawdown_share": none if total.max_drawdown else DRAWDOWN_SHARE,
    }


def _filled(limits: Any, defaults: dict[str, Any], *, unlimited: bool) -> Any:
    """The table with its defaults, or with none, in place of what is not set."""
    missing = {
        key: type(value)(0) if unlimited else value
        for key, value in defaults.items()
        if getattr(limits, key) is None
    }
    return msgspec.structs.replace(limits, **missing) if missing else limits


def _stale_after_s(live: LiveSettings) -> Decimal:
    found = _INTERVAL.fullmatch(live.interval)
    has_bars = live.kind is FeedKind.BARS or live.feed in (FeedName.YAHOO, FeedName.MT5)
    if not has_bars or found is None:
        return STALE_AFTER_S
    return STALE_AFTER_S + STALE_BARS * int(found[1]) * dict(UNITS_NS)[found[2]] // NS_PER_SECOND


# ---- real orders ----


def sends_real_orders(config: Config) -> bool:
    """Whether orders leave this process for a venue."""
    return config.venue.live and config.venue.name is not VenueName.PAPER


def live_problems(config: Config) -> list[str]:
    """What is wrong with the limits of a session that sends real orders, a text each.

    All limits are needed, and each must be one that the account could reach: money within balance
    times leverage, shares of equity within leverage, losses within the balance.
    """
    problems = []
    if config.risk.unlimited:
        problems.append("a live venue needs limits: take risk.unlimited out")
    full = with_limits(config, is_live=True)
    total = full.risk.total
    named = config.risk.total
    if not (named.max_drawdown or named.max_drawdown_share or named.max_daily_loss):
        problems.append(
            "a live venue needs a limit on losses: set risk.total.max_drawdown, "
            "risk.total.max_drawdown_share or risk.total.max_daily_loss"
        )
    for name, limits in _limits_that_count(full):
        for key in ("max_order_notional", "max_position", "price_collar", "stale_after_s"):
            if not getattr(limits, key):
                problems.append(f"a live venue needs {name}.{key} above 0")
    if not (total.max_gross_exposure or total.max_gross_share):
        problems.append("a live venue needs risk.total.max_gross_exposure above 0")
    for key in ("max_open_orders", "max_orders", "max_refusals"):
        if not getattr(total, key):
            problems.append(f"a live venue needs risk.total.{key} above 0")
    return problems + _too_large(full) + _beyond_the_account(full)


def _too_large(config: Config) -> list[str]:
    """Limits that are no limits, whatever the account holds."""
    problems = []
    total = config.risk.total
    every: list[tuple[str, RiskLimits | TotalLimits]] = [("risk.total", total), *_tables(config)]
    for is_total, key, most in _LIVE_MAX:
        for name, limits in every[:1] if is_total else every[1:]:
            if (getattr(limits, key) or 0) > most:
                value = getattr(limits, key)
                problems.append(
                    f"{name}.{key} ({value}) is no limit for real orders: {most} at most"
                )
    sandbox = config.venue.sandbox
    most_a_second = _SANDBOX_ORDERS_A_SECOND if sandbox else _LIVE_ORDERS_A_SECOND
    if (total.max_orders or 0) > most_a_second * total.max_orders_window_s:
        where = "orders at a sandbox" if sandbox else "real orders"
        problems.append(
            f"risk.total.max_orders ({total.max_orders} in {total.max_orders_window_s} s) is no "
            f"limit for {where}: {most_a_second} a second at most"
        )
    return problems


def _beyond_the_account(config: Config) -> list[str]:
    """Limits above what the configured balance of their currency could carry."""
    problems = []
    balances = config.account.balances
    leverages: dict[str, int] = {}
    for symbol, each in config.instruments.items():
        if each.quote not in balances:
            words = f"a live venue needs account.balances.{each.quote}: what the session may use"
            if words not in problems:
                problems.append(words)
            continue
        leverage = each.leverage if each.settlement == "margin" else 1
        leverages[each.quote] = max(leverage, leverages.get(each.quote, 1))
        problems += _beyond_in_symbol(config, symbol, each, balances[each.quote] * leverage)
    total = config.risk.total
    for currency, leverage in leverages.items():
        balance = balances[currency]
        carried = balance * leverage
        pairs = ("max_gross_exposure", carried), ("max_net_exposure", carried)
        for key, most in (*pairs, ("max_drawdown", balance), ("max_daily_loss", balance)):
            value: Decimal = getattr(total, key)
            if value > most:
                problems.append(_beyond("risk.total", key, value, most, currency))
        if (total.max_gross_share or 0) > max(Decimal(leverage), GROSS_SHARE):
            problems.append(
                f"risk.total.max_gross_share ({total.max_gross_share}) is no limit for {currency}: "
                f"{max(Decimal(leverage), GROSS_SHARE)} at most"
            )
    return problems


def _beyond_in_symbol(
    config: Config, symbol: str, terms: InstrumentSettings, most: Decimal
) -> list[str]:
    """The limits of one symbol against what its currency's balance could carry."""
    own = symbol in config.risk.symbols
    limits = config.risk.symbols.get(symbol, config.risk)
    name = f"risk.symbols.{symbol}" if own else "risk"
    problems = []
    if limits.max_order_notional > most:
        problems.append(
            _beyond(name, "max_order_notional", limits.max_order_notional, most, terms.quote)
        )
    # At its lowest price, one tick, a unit is worth least: more units than this are never reached.
    units = most / (terms.tick * terms.multiplier)
    if limits.max_position > units:
        problems.append(
            f"{name}.max_position ({limits.max_position}) is no limit for {symbol}: even at a "
            f"price of {terms.tick} that is more than the {most} {terms.quote} that balance and "
            "leverage carry"
        )
    return problems


def _beyond(table: str, key: str, value: Decimal, most: Decimal, currency: str) -> str:
    return (
        f"{table}.{key} ({value}) is no limit: balance and leverage carry {most} {currency}; "
        f"set it to that or less"
    )


def _tables(config: Config) -> list[tuple[str, RiskLimits]]:
    named: list[tuple[str, RiskLimits]] = [("risk", config.risk)]
    return named + [(f"risk.symbols.{name}", each) for name, each in config.risk.symbols.items()]


def _limits_that_count(config: Config) -> list[tuple[str, RiskLimits]]:
    """The limits some symbol is held to: those of `[risk]` unless each symbol has its own."""
    tables = _tables(config)
    traded = config.data.symbols
    if traded and all(symbol in config.risk.symbols for symbol in traded):
        return tables[1:]
    return tables
