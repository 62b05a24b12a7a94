"""Limits in a rehearsal: those that a scenario lends, and those of the user's own settings.

A guard can only be rehearsed where it has a limit. In the part "the engine" a scenario lends the
limits it needs: they are laid over the user's settings, never loosen a limit of theirs, and each is
named in the report. In the part "your settings" nothing is lent: the incident is made as large as
the user's own limits instead, and where there is no limit for a guard that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

import msgspec

from logos.config import Config, make_config, merge
from logos.config.checks import PAIRS
from logos.core.guards import DEFAULT_ACTIONS, Action
from logos.core.guards.table import TABLE, Guard
from logos.core.types import Code
from logos.rehearsal.scenarios import Scenario

_LIMIT_KEYS: Final = ("max_", "price_collar", "stale_after_s")
"""Settings of which the smaller is the tighter: a scenario never loosens the user's own."""

_WINDOW: Final = "_window_s"

Number = Decimal | int


def lend(config: Config, settings: Mapping[str, Any], name: str) -> tuple[Config, list[str]]:
    """`config` with a scenario's settings laid over it, and in words what that changed.

    A limit of the user's that would contradict a lent one (an order may not be worth more than all
    positions) is lowered to it. Raises ConfigError.
    """
    user = msgspec.to_builtins(config)
    over = tightened(settings, user)
    raw = merge(user, over)
    # Symbols with limits of their own are under the scenario's as well.
    own = {k: v for k, v in over.get("risk", {}).items() if not isinstance(v, Mapping)}
    risk = raw["risk"]
    risk["symbols"] = {
        symbol: {**table, **tightened(own, table)} for symbol, table in risk["symbols"].items()
    }
    raw["risk"] = _without_contradictions(risk)
    before = dict(leaves(user))
    lent = [
        f"{key} = {value} (yours: {before.get(key) or 'none'})"
        for key, value in leaves(raw)
        if _differs(value, before.get(key))
    ]
    raw["session"] = {**raw["session"], "id": name}
    return make_config(raw, f"scenario {name}"), lent


def as_it_is(config: Config, name: str) -> Config:
    """The user's own settings, for a session called `name`."""
    return msgspec.structs.replace(config, session=msgspec.structs.replace(config.session, id=name))


def tightened(settings: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """`settings`, where the user's own limit is tighter that one (0 is no limit)."""
    result: dict[str, Any] = {}
    for key, value in settings.items():
        own = user.get(key)
        if isinstance(value, Mapping):
            # What a guard does is no number: the scenario's action takes the place of the user's.
            is_actions = key == "actions"
            table = own if isinstance(own, Mapping) else {}
            value = dict(value) if is_actions else tightened(value, table)
        elif key.endswith(_WINDOW) and own is not None:
            counted = user.get(key.removesuffix(_WINDOW))
            # So many in a longer time is tighter. The window of no limit says nothing.
            is_limit = key == f"duplicate{_WINDOW}" or bool(counted)
            value = max(own, value, key=_number) if is_limit else value
        elif key.startswith(_LIMIT_KEYS) and own is not None:
            value = own if 0 < _number(own) < _number(value) else value
        result[key] = value
    return result


def leaves(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting below `settings` as (dotted key, value)."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _number(value: Any) -> Decimal:
    return Decimal(str(value))


def _differs(value: Any, before: Any) -> bool:
    if before is None or isinstance(value, bool | list):
        return bool(value != before)
    try:
        return _number(value) != _number(before)
    except ArithmeticError:
        return bool(value != before)


def _without_contradictions(risk: Mapping[str, Any]) -> dict[str, Any]:
    """`[risk]` with each limit that is above the one that bounds it lowered to that."""
    total = dict(risk["total"])
    _lower(total, "max_net_exposure", total["max_gross_exposure"])
    tables = [dict(risk), *map(dict, risk["symbols"].values())]
    for key, is_total, other, _ in PAIRS:
        for table in tables:
            _lower(table, key, (total if is_total else table)[other])
    whole, *symbols = tables
    return {**whole, "total": total, "symbols": dict(zip(risk["symbols"], symbols, strict=True))}


def _lower(table: dict[str, Any], key: str, most: Any) -> None:
    if 0 < _number(most or 0) < _number(table[key] or 0):
        table[key] = most


# ---- which guards a scenario rehearses ----


def guards_lent(scenario: Scenario) -> list[Guard]:
    """The guards whose limits the scenario brings along, in the order of the table."""
    return [guard for guard in TABLE if set(guard.keys) & keys_lent(scenario).keys()]


def keys_lent(scenario: Scenario) -> dict[str, Any]:
    """The limits below `[risk]` that the scenario brings along, by key ("total.max_orders")."""
    risk = scenario.settings.get("risk", {})
    return {
        key: value
        for key, value in leaves(risk)
        if not key.startswith(("actions.", "symbols.")) and not key.endswith("max_orders_window_s")
    }


class OwnLimits:
    """What the user's settings, with nothing lent, limit for one symbol ("": those of `[risk]`)."""

    def __init__(self, config: Config, symbol: str = "") -> None:
        self._config = config
        self._limits = config.risk.symbols.get(symbol, config.risk)

    def value(self, key: str) -> Number:
        """The limit of a key below `[risk]`; 0 for none."""
        _, _, name = key.rpartition("total.")
        table = self._config.risk.total if key.startswith("total.") else self._limits
        return getattr(table, name, None) or 0

    def has(self, guard: Guard) -> bool:
        """Whether the guard has a limit to judge by."""
        return any(self.value(key) for key in limit_keys(guard))

    def action(self, code: Code) -> Action:
        """What the guard does besides refusing."""
        named = self._config.risk.actions.get(code.value.lower())
        return named or DEFAULT_ACTIONS.get(code, Action.REFUSE)

    def money(self, key: str, share: str, equity: Decimal) -> Decimal:
        """The tighter of a limit in money and of one that is a share of `equity`; 0 for none."""
        limits = [Decimal(self.value(key)), self.value(share) * equity]
        return min((limit for limit in limits if limit), default=Decimal(0))


def limit_keys(guard: Guard) -> Sequence[str]:
    """The keys of which one must be set for the guard to act."""
    if len(guard.keys) == 1:
        return guard.keys
    return [key for key in guard.keys if not key.endswith(_WINDOW)]


def missing_limits(scenario: Scenario, limits: OwnLimits) -> str:
    """In words, which of the scenario's guards have no limit; empty when all have."""
    return "; ".join(
        f"{guard.code.value} has no limit: set "
        + " or ".join(f"risk.{key}" for key in limit_keys(guard))
        for guard in guards_lent(scenario)
        if not limits.has(guard)
    )


def times(count: int, own: Number, lent: Number) -> int:
    """`count`, as much larger (or smaller) as the limit `own` is than `lent`; at least 1."""
    scaled = Decimal(count) * Decimal(own) / Decimal(lent)
    return max(1, int(scaled.to_integral_value(ROUND_CEILING)))
