"""Which parameters are tried: axes from text, the grid they span, and random draws from it.

A value is text, as `logos trade --param NAME=VALUE` takes it: the row of a sweep and a session that
a person starts with the same options are then the same session, byte for byte. Steps are counted in
decimals, never in floats, so that `0.1..0.3:0.1` has three values.
"""

from __future__ import annotations

import difflib
import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from logos.core.strategy import Strategy
from logos.errors import ConfigError
from logos.strategies.parameters import Described, ParameterError, arguments_of, describe

VALUES_MAX: Final = 100_000
"""Values of one axis at most."""
ROWS_MAX: Final = 1_000_000
"""Sessions of one sweep at most."""
_RANGE: Final = re.compile(r"^([^.,:]+(?:\.\d+)?)\.\.([^,:]+?)(?::([^,:]+))?$")


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter and what is tried of it: its `values`, or all from `low` to `high`.

    Bounds belong to the range and are decimals as text. A range without a step has no values where
    the parameter is no whole number: it can be drawn from and searched, and has no grid.
    """

    name: str
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    step: str = ""
    is_whole: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether there is only one value."""
        return len(self.values) == 1

    @property
    def is_range(self) -> bool:
        """Whether its values are numbers between two bounds."""
        return bool(self.low)


def read_axes(kind: type[Strategy], given: Mapping[str, str]) -> tuple[Axis, ...]:
    """The axes that `given` names, by parameter: `5..50:5`, `25,30`, `5..50`, or "" for the range
    that the strategy declares.

    Raises ConfigError for a strategy without parameters, one that it has not, a range that cannot
    be read, a value that does not fit, and when nothing varies.
    """
    known = {each.name: each for each in describe(kind)}
    if not known:
        raise ConfigError(
            f"strategy {kind.__qualname__} has no parameters, so there is nothing to sweep: "
            "declare one, such as `window: int = param(14, 2, 200)` (docs/WRITING-A-STRATEGY.md)"
        )
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
            raise ConfigError(f"--param {name}: the strategy has no such parameter: {hint}")
    axes = tuple(_axis(known[name], text) for name, text in given.items())
    if all(axis.is_fixed for axis in axes):
        ranges = ", ".join(
            name for name, each in known.items() if None not in (each.low, each.high)
        )
        hint = f" (declared ranges: {ranges})" if ranges else ""
        raise ConfigError(
            f"nothing varies: give a parameter several values, --param NAME=5..50:5 or "
            f"NAME=25,30{hint}"
        )
    _check_values(kind, axes)
    return axes


def _axis(of: Described, text: str) -> Axis:
    where = f"--param {of.name}={text}"
    is_whole = of.type in ("int", "int | None")
    if not text:
        return _declared(of, is_whole)
    found = _RANGE.match(text)
    if found is None or of.type in ("str", "bool"):
        values = tuple(each.strip() for each in text.split(","))
        if not all(values):
            raise ConfigError(f"{where}: a value is empty; write it as NAME=25,30")
        twice = [each for each in dict.fromkeys(values) if values.count(each) > 1]
        if twice:
            raise ConfigError(f"{where}: {twice[0]} stands there twice")
        return Axis(name=of.name, values=values)
    low, high, step = (_decimal(part, where) if part else None for part in found.groups())
    assert low is not None
    assert high is not None
    if low > high or (step is not None and step <= 0):
        raise ConfigError(f"{where}: a range goes up by a step above 0, as in NAME=5..50:5")
    if is_whole and step is None:
        step = Decimal(1)
    return _range(of.name, low, high, step, is_whole, where)


def _declared(of: Described, is_whole: bool) -> Axis:
    where = f"--param {of.name}"
    if of.choices:
        return Axis(name=of.name, values=tuple(map(as_text, of.choices)))
    if of.type == "bool":
        return Axis(name=of.name, values=("false", "true"))
    if of.low is None or of.high is None:
        raise ConfigError(f"{where}: the strategy declares no range of it; write {of.name}=5..50:5")
    low, high = (_decimal(as_text(bound), where) for bound in (of.low, of.high))
    return _range(of.name, low, high, Decimal(1) if is_whole else None, is_whole, where)


def _range(
    name: str, low: Decimal, high: Decimal, step: Decimal | None, is_whole: bool, where: str
) -> Axis:
    first, last = as_text(low), as_text(high)
    if step is None:
        if low == high:
            return Axis(name=name, values=(first,))
        return Axis(name=name, low=first, high=last, is_whole=is_whole)
    count = int((high - low) / step) + 1
    if count > VALUES_MAX:
        raise ConfigError(f"{where}: that is {count:,} values, more than {VALUES_MAX:,}")
    values = tuple(as_text(low + step * number) for number in range(count))
    if len(values) == 1:
        return Axis(name=name, values=values)
    return Axis(
        name=name, values=values, low=first, high=last, step=as_text(step), is_whole=is_whole
    )


def _decimal(text: str, where: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ConfigError(f"{where}: {text!r} is no number; a range is written NAME=5..50:5")
    return value


def as_text(value: object) -> str:
    """A value as the command line would have it. Raises ConfigError for what has no such form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value.is_finite() else str(value)
    if isinstance(value, (int, float, str)):
        return repr(value) if isinstance(value, float) else str(value)
    raise ConfigError(f"a parameter is swept over text and numbers, not over {value!r}")


def _check_values(kind: type[Strategy], axes: Sequence[Axis]) -> None:
    """Every value of every axis, judged by the strategy's own declarations. Raises ConfigError."""
    first = {axis.name: (axis.values or (axis.low,))[0] for axis in axes}
    for axis in axes:
        for value in axis.values or (axis.low, axis.high):
            try:
                arguments_of(kind, {**first, axis.name: value})
            except ParameterError as error:
                raise ConfigError(f"--param {axis.name}: {error}") from None


# ---- what is tried ----


def grid(axes: Sequence[Axis]) -> Iterator[dict[str, str]]:
    """Every combination, the last axis varying fastest. Raises ConfigError without a grid."""
    for axis in axes:
        if not axis.values:
            raise ConfigError(
                f"--param {axis.name}={axis.low}..{axis.high}: a grid needs a step, as in "
                f"{axis.name}={axis.low}..{axis.high}:STEP; or use --random or --optuna"
            )
    names = [axis.name for axis in axes]
    for values in itertools.product(*(axis.values for axis in axes)):
        yield dict(zip(names, values, strict=True))


def grid_size(axes: Sequence[Axis]) -> int:
    """How many combinations there are; 0 where an axis has no end of values."""
    size = 1
    for axis in axes:
        size *= len(axis.values)
    return size


def draws(axes: Sequence[Axis], count: int, seed: int) -> list[dict[str, str]]:
    """`count` random combinations, each once: the same for the same seed.

    Where there are no more than `count` combinations in all, it is every one of them, in the order
    of the grid. Of a range without a step the draws are uniform, to a ten-thousandth of it.
    """
    size = grid_size(axes)
    if 0 < size <= count:
        return list(grid(axes))
    generator = random.Random(seed)  # noqa: S311 - draws, no secrets
    found: dict[tuple[str, ...], dict[str, str]] = {}
    while len(found) < count:
        drawn = {axis.name: _draw(axis, generator) for axis in axes}
        found.setdefault(tuple(drawn.values()), drawn)
    return list(found.values())


_PARTS: Final = 10_000


def _draw(axis: Axis, generator: random.Random) -> str:
    if axis.values:
        return axis.values[generator.randrange(len(axis.values))]
    low, high = Decimal(axis.low), Decimal(axis.high)
    return as_text(low + (high - low) * generator.randrange(_PARTS + 1) / _PARTS)


def shown(params: Mapping[str, Any]) -> str:
    """Parameters in one line."""
    return " ".join(f"{name}={value}" for name, value in params.items())
