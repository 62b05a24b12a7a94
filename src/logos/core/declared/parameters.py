"""Parameters of a strategy as class attributes: typed, with a range, checked before a session.

    class Breakout(Strategy):
        lookback: int = param(60, 2, 500)

`self.lookback` reads the session's value, `Breakout(lookback=90)` sets it, the settings and
`logos strategy show` know its type and its range. A class that has parameters and an `__init__` of
its own takes them in its `__init__` as well: they are set before its first line runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")
Bound = int | float | Decimal

_FITS: Final[dict[type, tuple[type, ...]]] = {
    int: (int,),
    float: (float, int),
    Decimal: (Decimal, int),
    bool: (bool,),
    str: (str,),
}
"""By the type of a default, the types of values that may take its place."""


class Parameter:
    """One parameter as its class declares it; read from an instance it is the value.

    `low` and `high` bound it, both inclusive; None is no bound. `choices` are the only values, if
    there are any. `meaning` is for people.
    """

    __slots__ = ("choices", "default", "high", "low", "meaning", "name")

    def __init__(
        self,
        default: object,
        low: Bound | None,
        high: Bound | None,
        choices: tuple[object, ...],
        meaning: str,
    ) -> None:
        self.name = ""
        self.default = default
        self.low = low
        self.high = high
        self.choices = choices
        self.meaning = meaning

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        why = self.why_not(self.default)
        if why:
            raise TypeError(f"{owner.__name__}.{name}: its own default {why}")

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        # An instance that was given a value has it in its own dictionary, which is asked first.
        return self if instance is None else self.default

    def fitted(self, value: object) -> object:
        """`value` in the type of the default: a whole number where a float or Decimal is meant."""
        kind = type(self.default)
        if type(value) is int and kind in (float, Decimal):
            return kind(value)
        return value

    def why_not(self, value: object) -> str:
        """Why `value` cannot be the parameter's, for a sentence that begins with it; "": it can."""
        if self.choices:
            if any(type(value) is type(each) and value == each for each in self.choices):
                return ""
            return f"is not one of {', '.join(map(str, self.choices))}"
        if value is None and self.default is None:
            return ""
        fits = _FITS.get(type(self.default))
        if fits is not None and type(value) not in fits:
            return f"is no {type(self.default).__name__}"
        bounds = cast(Any, value)
        if isinstance(value, (float, Decimal)) and (value != value or abs(value) == float("inf")):
            return "is not finite"
        if (self.low is not None and bounds < self.low) or (
            self.high is not None and bounds > self.high
        ):
            return f"is not {self.range_words()}"
        return ""

    def range_words(self) -> str:
        """The range in words, such as "from 2 to 200"; "" without bounds."""
        if self.choices:
            return f"one of {', '.join(map(str, self.choices))}"
        if self.low is None:
            return "" if self.high is None else f"{self.high} or less"
        return f"{self.low} or more" if self.high is None else f"from {self.low} to {self.high}"


def param(
    default: T,
    low: Bound | None = None,
    high: Bound | None = None,
    *,
    choices: tuple[T, ...] = (),
    meaning: str = "",
) -> T:
    """Declare a parameter with its default and its range, both ends of which belong to it.

    Its type is that of the annotation: `window: int = param(14, 2, 200)`. Raises TypeError where
    the class is made if the default is not in the range.
    """
    return cast(T, Parameter(default, low, high, choices, meaning))


def parameters_of(kind: type) -> dict[str, Parameter]:
    """The parameters that a class and its parents declare, parents first, by name."""
    found: dict[str, Parameter] = {}
    for parent in reversed(kind.__mro__):
        for name, value in vars(parent).items():
            if isinstance(value, Parameter):
                found[name] = value
            else:
                found.pop(name, None)  # a child has put something else in its place
    return found


def take_parameters(kind: type) -> None:
    """Let `kind` be made with its parameters as keyword arguments, whatever its own `__init__`."""
    declared = parameters_of(kind)
    own = vars(kind)
    has_own = "__init__" in own or any(isinstance(value, Parameter) for value in own.values())
    if not declared or not has_own:
        return
    make: Any = kind.__init__  # type: ignore[misc]  # the class itself is asked, not an instance

    def __init__(self: Any, *arguments: Any, **values: Any) -> None:
        given = {name: values.pop(name) for name in list(values) if name in declared}
        set_parameters(self, declared, given)
        make(self, *arguments, **values)

    wrapper: Any = __init__
    wrapper.__wrapped__ = make
    wrapper.__doc__ = make.__doc__
    kind.__init__ = wrapper  # type: ignore[misc]


def set_parameters(
    instance: object, declared: Mapping[str, Parameter], given: Mapping[str, object]
) -> None:
    """Give an instance these values. Raises ValueError naming every one that does not fit."""
    problems = []
    for name, value in given.items():
        fitted = declared[name].fitted(value)
        why = declared[name].why_not(fitted)
        if why:
            problems.append(f"{name} ({value}) {why}")
        setattr(instance, name, fitted)
    if problems:
        raise ValueError("; ".join(problems))
