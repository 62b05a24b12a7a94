"""What all indicators share: a value that is there once enough was seen, and how they are saved."""

from __future__ import annotations

from typing import Any, Self


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
        return {
            name: _plain(getattr(self, name)) for kind in _kinds(self) for name in kind.__slots__
        }

    def load(self, state: dict[str, Any]) -> Self:
        """Become what `save` told; of an indicator made with the same settings. Returns itself.

        Raises KeyError for a state that lacks something.
        """
        for kind in _kinds(self):
            for name in kind.__slots__:
                own = getattr(self, name, None)
                if isinstance(own, Indicator):
                    own.load(state[name])
                else:
                    saved = state[name]
                    setattr(self, name, list(saved) if isinstance(saved, list) else saved)
        return self


def check_period(period: int, least: int = 1) -> int:
    """`period`, a whole number of at least `least`. Raises ValueError for anything else."""
    if type(period) is not int or period < least:
        raise ValueError(f"a period is a whole number of at least {least}, not {period!r}")
    return period


def _kinds(indicator: Indicator) -> list[Any]:
    """The classes that the indicator's attributes come from."""
    return [kind for kind in type(indicator).__mro__ if "__slots__" in vars(kind)]


def _plain(value: Any) -> Any:
    if isinstance(value, Indicator):
        return value.save()
    return list(value) if isinstance(value, list) else value
