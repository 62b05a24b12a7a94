"""What all indicators share: a value that is there once enough was seen, and how they are saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self, TypeVar

_T = TypeVar("_T")

try:
    from mypy_extensions import mypyc_attr
except ImportError:  # only the compiler needs it

    def mypyc_attr(*attrs: str, **kwattrs: object) -> Callable[[_T], _T]:  # noqa: ARG001
        """Leave a class as it is."""
        return lambda kind: kind


_WHOLE: Final = frozenset(
    ("_bars", "_count", "_index", "_is_full", "_numbers", "_skip", "_start", "period", "window")
)
"""What the indicators here count; all else of theirs are figures."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Indicator:
    """Base of indicators. `value` is None until there were enough figures for it."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float | None = None

    @property
    def is_ready(self) -> bool:
        """Whether `value` is there."""
        return self.value is not None

    def save(self) -> dict[str, Any]:
        """All that it remembers, as JSON data."""
        state = {}
        for kind in type(self).__mro__:
            is_own = kind.__module__.startswith("logos.")
            for name in _names(kind):
                value = getattr(self, name)
                state[name] = _plain(value, is_own and name not in _WHOLE)
        return state

    def load(self, state: dict[str, Any]) -> Self:
        """Become what `save` told; of an indicator made with the same settings. Returns itself.

        Raises KeyError for a state that lacks something.
        """
        for kind in type(self).__mro__:
            for name in _names(kind):
                own = getattr(self, name, None)
                if isinstance(own, Indicator):
                    own.load(state[name])
                else:
                    saved = state[name]
                    setattr(self, name, list(saved) if isinstance(saved, list) else saved)
        return self


def check_period(period: int, least: int = 1) -> int:
    """`period`, a whole number of at least `least`. Raises TypeError for what is no whole number,
    ValueError for one below `least`."""
    words = f"a period is a whole number of at least {least}, not {period!r}"
    if not isinstance(period, int):
        raise TypeError(words)
    if period < least:
        raise ValueError(words)
    return int(period)


def total_of(values: list[float]) -> float:
    """The sum of `values`, taken from left to right. Python's own is compensated from 3.12 on: what
    a strategy sees would depend on the Python that runs it."""
    total = 0.0
    for each in values:
        total += each
    return total


def _names(kind: type) -> list[str]:
    """The attributes that an indicator has from this class, in alphabetical order."""
    own = vars(kind)
    return sorted(own.get("__slots__", own.get("__mypyc_attrs__", ())))


def _plain(value: Any, is_figure: bool) -> Any:
    """As JSON data. Figures are floats also where whole numbers were given: compiled they are."""
    if isinstance(value, Indicator):
        return value.save()
    if isinstance(value, list):
        return [_plain(each, is_figure) for each in value]
    return float(value) if is_figure and type(value) is int else value
