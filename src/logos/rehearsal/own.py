"""A scenario for the user's own settings: nothing lent, and the incident as large as their limits.

An order that was twice the lent limit becomes one that is twice the user's. What must follow is
judged by what the user's settings say the guard does: refuse, or stop the session as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from logos.config import Config
from logos.core.guards import Action
from logos.core.types import Code
from logos.errors import LogosError
from logos.rehearsal import expectations as checks
from logos.rehearsal.limits import Number, OwnLimits, guards_lent, keys_lent, missing_limits, times
from logos.rehearsal.profile import BaselineProfile, NotApplicable
from logos.rehearsal.scenarios import Injection, Orders, Price, Scenario

_STORM_MORE: Final = 20
"""How many orders more than the limit a storm has."""
_STORM_MAX: Final = 5_000
_PART: Final = Decimal("0.9")
"""Of a limit: what an order that must pass uses of it."""
_CRASH: Final = Decimal("0.1")
"""What prices are multiplied by so that a loss reaches a limit."""
_EVENTS_TO_FILL: Final = 30
"""How many events of its symbol an order has to be filled before prices crash."""


class NoLimitSet(LogosError):
    """The user's settings have no limit for a guard; the message names guard and setting."""


def for_own_limits(scenario: Scenario, profile: BaselineProfile, config: Config) -> Scenario:
    """The scenario as it is rehearsed with nothing lent.

    Raises NoLimitSet, and NotApplicable when this data cannot reach a limit of the user's.
    """
    has_crash = "total.max_drawdown" in keys_lent(scenario)
    try:
        symbol = profile.symbol_at(profile.entry()[0]) if has_crash else profile.symbol_of(scenario)
    except NotApplicable:
        # That there is no limit does not depend on the data.
        _check_limits(scenario, OwnLimits(config))
        raise
    limits = OwnLimits(config, symbol)
    _check_limits(scenario, limits)
    if "stale_after_s" in keys_lent(scenario):
        _check_silence(profile.silence_s(scenario), Decimal(limits.value("stale_after_s")))
    inject = _crash(profile, limits) if has_crash else _scaled(scenario, profile, limits, symbol)
    return msgspec.structs.replace(
        scenario, settings={}, inject=inject, expect=_expectations(scenario, limits, config)
    )


def _check_limits(scenario: Scenario, limits: OwnLimits) -> None:
    missing = missing_limits(scenario, limits)
    if missing:
        raise NoLimitSet(missing)


def _check_silence(silence_s: Decimal, limit_s: Decimal) -> None:
    if silence_s <= limit_s:
        raise NotApplicable(
            f"the silence in this data lasts {silence_s.normalize():f} s, and your stale_after_s "
            f"is {limit_s.normalize():f}"
        )


def _scaled(
    scenario: Scenario, profile: BaselineProfile, limits: OwnLimits, symbol: str
) -> list[Injection]:
    """The scenario's injections with its orders as large, or as many, as the limits take."""
    equity = profile.equity(symbol)
    sizes: Mapping[str, Callable[[], Number]] = {
        "max_order_notional": lambda: limits.money("max_order_notional", "max_order_share", equity),
        "max_order_quantity": lambda: limits.value("max_order_quantity"),
        "max_position": lambda: limits.value("max_position"),
        "total.max_gross_exposure": lambda: limits.money(
            "total.max_gross_exposure", "total.max_gross_share", equity
        ),
        "total.max_net_exposure": lambda: limits.value("total.max_net_exposure"),
    }
    counts = ("total.max_orders", "total.max_open_orders", "max_open_orders")
    inject: list[Injection] = []
    for injection in scenario.inject:
        if isinstance(injection, Orders) and not injection.silent:
            for key, value in keys_lent(scenario).items():
                if key in sizes:
                    _check_cap(key, profile.cap(symbol), Decimal(sizes[key]()))
                    lent = Decimal(profile.named(value, scenario))
                    lots = times(_orders_of(scenario).lots, sizes[key](), lent)
                    injection = _larger(injection, lots)
                elif key in counts:
                    count = int(limits.value(key)) + _STORM_MORE
                    if count > _STORM_MAX:
                        raise NotApplicable(f"risk.{key} = {limits.value(key)} is too many to send")
                    injection = msgspec.structs.replace(injection, count=count)
            profile.check_size(injection, symbol)
        inject.append(injection)
    return inject


def _check_cap(key: str, cap: Decimal, limit: Decimal) -> None:
    if 0 < cap <= limit and key.endswith(("_notional", "_exposure")):
        raise NotApplicable(
            f"orders.cap_notional = {cap} shrinks every order to that, below your risk.{key}"
        )


def _orders_of(scenario: Scenario) -> Orders:
    return next(each for each in scenario.inject if isinstance(each, Orders))


def _larger(orders: Orders, lots: int) -> Orders:
    """`orders` with the more lots of the two: an order passes every limit, not only one."""
    return msgspec.structs.replace(orders, lots=max(orders.lots, lots))


def _crash(profile: BaselineProfile, limits: OwnLimits) -> list[Injection]:
    """An order as large as the limits take, and prices that fall to a tenth after its fill."""
    tick, is_short = profile.entry()
    symbol = profile.symbol_at(tick)
    equity = profile.equity(symbol)
    price = profile.price_at(tick)
    quantities = [limits.value("max_position"), limits.value("max_order_quantity")]
    position = min((each for each in quantities if each), default=0)
    bounds = [
        equity / 2,
        limits.money("max_order_notional", "max_order_share", equity),
        limits.money("total.max_gross_exposure", "total.max_gross_share", equity),
        limits.value("max_position_share") * equity,
        profile.worth(symbol, Decimal(position), price),
        profile.cap(symbol),
    ]
    worth = min(bound for bound in bounds if bound) * _PART
    lots = int(worth / profile.worth_of_smallest(tick))
    after = profile.later(tick, symbol, _EVENTS_TO_FILL)
    return [
        Orders(tick=tick, lots=max(1, lots)),
        Price(tick=after, factor=1 / _CRASH if is_short else _CRASH),
    ]


def _expectations(
    scenario: Scenario, limits: OwnLimits, config: Config
) -> list[checks.Expectation]:
    """What must hold with the user's own limits and actions."""
    codes: list[str] = []
    expect: list[checks.Expectation] = []
    for each in scenario.expect:
        if isinstance(each, checks.Refused | checks.Guard) and each.code:
            codes.append(each.code)
        elif isinstance(each, checks.OrderRate):
            total = config.risk.total
            most, window_s = int(total.max_orders or 0), total.max_orders_window_s
            expect.append(checks.OrderRate(at_most=most, window_s=window_s))
        elif isinstance(each, checks.NoDuplicates):
            window_s = Decimal(limits.value("duplicate_window_s"))
            expect.append(checks.NoDuplicates(window_s=window_s))
        elif not isinstance(
            each, checks.Sealed | checks.SwitchSeen | checks.OrdersAfterBlock | checks.Outcome
        ):
            expect.append(each)
    tripped = list(dict.fromkeys(codes))
    stops = [limits.action(Code(code)) for code in tripped]
    if Action.ENGAGE in stops:
        expect.append(checks.SwitchSeen(state="ENGAGED"))
        expect.append(checks.OrdersAfterBlock())
    elif Action.REDUCE_ONLY in stops:
        expect.append(checks.SwitchSeen(state="REDUCE_ONLY"))
    # A word that not every version of the actions has.
    halts = any(stop.value == "halt" for stop in stops)
    if halts or (Action.ENGAGE in stops and config.switch.on_engaged == "halt"):
        expect.append(checks.Sealed(status="HALTED"))
    if not tripped and not expect:
        tripped = [guard.code.value for guard in guards_lent(scenario)]
    if tripped:
        expect.insert(0, checks.Tripped(codes=tripped))
    return expect
