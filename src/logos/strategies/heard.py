"""What a strategy hears: which of its methods the core calls, and whether the data has such events.

A class with `def onbar` is a class without events, and one that has only `on_bar` hears nothing in
a file of quotes. Both would trade nothing and end well, so both are refused before the session, by
name, with what was probably meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

from logos.core.strategy import Strategy

METHODS: Final = {
    "bars": "on_bar",
    "quote_bars": "on_bar",
    "quotes": "on_quote",
    "trades": "on_trade",
}
"""By kind of market data, the method that is called for each of its events."""

_MARKET: Final = frozenset(METHODS.values())
_CONSEQUENCES: Final = frozenset(("on_fill", "on_order"))
"""Methods that are called only after an order, so not without another method that makes one."""
_BY_THEMSELVES: Final = frozenset(("on_timer", "on_session_open", "on_session_close"))
"""Methods that are called whatever kind of events the data has."""
_OTHER_NAMES: Final = {
    "next": "on_bar",
    "ondata": "on_bar",
    "handledata": "on_bar",
    "oncandle": "on_bar",
    "onkline": "on_bar",
    "bar": "on_bar",
    "ontick": "on_quote",
    "tick": "on_quote",
    "onprice": "on_quote",
    "notifyorder": "on_order",
    "notifytrade": "on_fill",
    "onorderfilled": "on_fill",
    "initialize": "on_start",
    "start": "on_start",
    "stop": "on_stop",
}
"""What other frameworks call these methods, without underscores and capitals."""


def all_events() -> list[str]:
    """Every method of a strategy that the core calls, in the order of the base class."""
    return [name for name in vars(Strategy) if name.startswith("on_")]


def heard_events(kind: type[Strategy]) -> list[str]:
    """The methods that the class (or a parent of it) overrides."""
    return [name for name in all_events() if getattr(kind, name) is not getattr(Strategy, name)]


def never_called(kind: type[Strategy]) -> dict[str, str]:
    """Methods of the class whose names are nearly those of events, and which event each means."""
    known = {_plain(name): name for name in all_events()}
    found = {}
    for parent in kind.__mro__[: kind.__mro__.index(Strategy)]:
        for name, value in vars(parent).items():
            if name.startswith("_") or hasattr(Strategy, name) or not callable(value):
                continue
            near = difflib.get_close_matches(_plain(name), known, n=1, cutoff=0.75)
            meant = known[near[0]] if near else _OTHER_NAMES.get(_plain(name), "")
            if meant and hasattr(Strategy, meant):
                found[name] = meant
    return found


def why_deaf(kind: type[Strategy], name: str, kinds: Mapping[str, Iterable[str]]) -> str:
    """Why a strategy of this class, called `name`, would never be asked anything; "": it would.

    `kinds` are the kinds of market data by symbol, as far as they are known (see `METHODS`).
    """
    heard = heard_events(kind)
    if kind is not Strategy and not set(heard) - _CONSEQUENCES:
        events = f"no event but {' and '.join(heard)}" if heard else "no event"
        return (
            f"strategy {name} hears {events}: {_hint(kind) or 'it overrides no method that does'}"
        )
    offered = {METHODS[each] for of_symbol in kinds.values() for each in of_symbol}
    if not offered or hears_any(kind, offered):
        return ""
    has = ", ".join(
        f"{symbol} {' and '.join(of_symbol)}".replace("_", " ")
        for symbol, of_symbol in kinds.items()
    )
    words = ", ".join(each for each in heard if each in _MARKET)
    wanted = " or ".join(sorted(offered))
    if "on_bar" in heard:
        wanted += ', set timeframes = ["1m"] so that bars are made of it'
    hint = _hint(kind)
    return (
        f"strategy {name} hears only {words}, and the data has no such events ({has}): "
        f"write {wanted}, or give it other data{f'; {hint}' if hint else ''}"
    )


def unheard(kind: type[Strategy], kinds: Mapping[str, Iterable[str]]) -> list[str]:
    """The symbols in whose data the class hears nothing, though it hears something in others."""
    return [
        symbol
        for symbol, of_symbol in kinds.items()
        if not hears_any(kind, {METHODS[each] for each in of_symbol})
    ]


def hears_any(kind: type[Strategy], offered: set[str]) -> bool:
    """Whether the class hears one of these market methods, or none at all on purpose.

    A class without market methods that has others decides at the start, at the end or by the clock.
    """
    heard = set(heard_events(kind))
    market = heard & _MARKET
    if not market or heard & _BY_THEMSELVES:
        return True
    return bool(market & offered) or ("on_bar" in market and makes_bars(kind))


def makes_bars(kind: type[Strategy]) -> bool:
    """Whether bars are made for the class, from whatever data there is."""
    return bool(getattr(kind, "timeframes", ()))


def _hint(kind: type[Strategy]) -> str:
    return "; ".join(
        f"its {name} is never called: did you mean {meant}?"
        for name, meant in never_called(kind).items()
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
