"""Which limits a session has: a row for each guard, for session.md and the start of a session."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from logos.config import Config
from logos.core.guards import DEFAULT_ACTIONS, Action
from logos.core.guards.table import TABLE, Guard

OFF: Final = "off"
ALWAYS: Final = "always on"


class LimitRow(NamedTuple):
    """A guard, its limit in words (`OFF`: none), and what it does besides refusing."""

    guard: str
    limit: str
    action: str

    @property
    def is_on(self) -> bool:
        """Whether the guard has anything to judge by."""
        return self.limit != OFF


def limit_rows(config: Config) -> list[LimitRow]:
    """Every guard of the session, in the order of the table; `config` has all limits in it."""
    rows = []
    for guard in TABLE:
        limit = "; ".join(limits_of(guard, config)) if guard.keys else ALWAYS
        named = config.risk.actions.get(guard.code.value.lower())
        action = named or DEFAULT_ACTIONS.get(guard.code, Action.REFUSE)
        rows.append(LimitRow(guard.code.value, limit or OFF, action.value if limit else ""))
    return rows


def limits_of(guard: Guard, config: Config, *, full_keys: bool = False) -> Iterator[str]:
    """The limits of a guard in words, those of single symbols after those of all.

    `full_keys`: a limit of the whole session by the name under which it is set, `total.` before it.
    """
    first, *window = guard.keys
    if first == "instruments.SYMBOL.hours":
        for symbol, each in config.instruments.items():
            if each.calendar:
                yield f"{symbol}: calendar {each.calendar}"
            elif each.hours:
                zone = f" {each.timezone}" if each.timezone else ""
                yield f"{symbol}: {', '.join(each.hours)}{zone}"
            elif each.sessions:
                yield f"{symbol}: {len(each.sessions)} sessions"
    elif first == "guards":
        if not isinstance(config.risk.guards, msgspec.UnsetType):
            yield from config.risk.guards
    elif first.startswith("total."):
        keys = [key.removeprefix("total.") for key in guard.keys]
        prefix = "total." if full_keys else ""
        if window and window[0].endswith("_window_s"):
            count = getattr(config.risk.total, keys[0])
            if count:
                yield f"{prefix}{keys[0]} = {count} in {getattr(config.risk.total, keys[1])} s"
        else:
            yield from (prefix + text for text in _set(config.risk.total, keys))
    else:
        yield from _set(config.risk, guard.keys)
        for symbol, limits in config.risk.symbols.items():
            for text in _set(limits, guard.keys):
                if text not in set(_set(config.risk, guard.keys)):
                    yield f"{symbol}: {text}"


def _set(table: msgspec.Struct, keys: tuple[str, ...] | list[str]) -> Iterator[str]:
    for key in keys:
        value: Decimal | int | None = getattr(table, key)
        if value:
            yield f"{key} = {value}"
