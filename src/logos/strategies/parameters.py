"""From configured values to a strategy's keyword arguments.

A strategy's parameters are those it declares with `param`, and the keyword arguments of its
`__init__`. The command line can give only text, TOML gives typed values: text is read by the
annotated type (or, where there is no annotation, by the type of the default), and a typed value
must already fit. Any number fits where a float or a Decimal is wanted (a session file's floats come
as Decimals); nothing else is bent, so
`fast = 10.5` is an error and not 10.
"""

from __future__ import annotations

import difflib
import inspect
import math
import types
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from logos.core.declared.parameters import parameters_of
from logos.core.strategy import Strategy
from logos.errors import LogosError
from logos.secrecy import secrets_in, without

_BOOLS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_NAMES: Final = {
    int: "a whole number",
    float: "a number",
    Decimal: "a decimal number",
    bool: "true or false",
    str: "text",
}
_NO_TYPE: Final = object()
NO_DEFAULT: Final = inspect.Parameter.empty
"""The default of a parameter that has none."""


class ParameterError(LogosError, ValueError):
    """Parameters that do not fit a strategy; every problem is in the message."""


def arguments_of(kind: type, params: Mapping[str, object]) -> dict[str, object]:
    """`params` as keyword arguments for `kind(**arguments)`.

    Raises ParameterError naming all that is unknown, missing or badly typed.
    """
    accepted, takes_any = _accepted(kind)
    declared = parameters_of(kind)
    problems = []
    arguments: dict[str, object] = {}
    for name, value in params.items():
        if name not in accepted:
            if takes_any:
                arguments[name] = value
            else:
                problems.append(_unknown(name, list(accepted)))
            continue
        try:
            fitted = _fit(value, _wanted(accepted[name]))
            why = declared[name].why_not(fitted) if name in declared else ""
            if why:
                raise ValueError(f"{value} {why}")
            arguments[name] = fitted
        except ValueError as error:
            words = without(str(error), secrets_in(name, value))
            problems.append(f"parameter {name}: {words}")
    for name, parameter in accepted.items():
        if parameter.default is inspect.Parameter.empty and name not in params:
            problems.append(f"parameter {name} is required: give --param {name}=...")
    if problems:
        raise ParameterError("; ".join(problems))
    return arguments


class Described(NamedTuple):
    """A parameter for whoever lists or varies it. `default` is NO_DEFAULT where one must be given;
    `low`, `high` and `choices` are those that the class declares."""

    name: str
    type: str
    default: object
    low: object = None
    high: object = None
    choices: tuple[object, ...] = ()
    meaning: str = ""


def describe(kind: type) -> list[Described]:
    """Every parameter of the class: those it declares first, as they stand there."""
    declared = parameters_of(kind)
    found = []
    for name, parameter in _accepted(kind)[0].items():
        type_ = _type_words(_wanted(parameter))
        one = declared.get(name)
        if one is None:
            has_none = parameter.default is parameter.empty
            found.append(Described(name, type_, NO_DEFAULT if has_none else parameter.default))
            continue
        found.append(
            Described(name, type_, one.default, one.low, one.high, one.choices, one.meaning)
        )
    return found


def _type_words(wanted: Any) -> str:
    """A type as people write it."""
    if wanted is _NO_TYPE:
        return "any"
    words = wanted.__name__ if isinstance(wanted, type) else str(wanted)
    return words.replace("typing.", "").replace("decimal.", "")


def _accepted(kind: type) -> tuple[dict[str, inspect.Parameter], bool]:
    """The keyword parameters of a class by name, annotations resolved; whether it takes any.

    What it declares comes first; a class that declares any takes no unknown ones.
    """
    declared = parameters_of(kind)
    hints = _hints(kind) if declared else {}
    accepted = {
        name: inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=hints.get(name, inspect.Parameter.empty),
        )
        for name, one in declared.items()
    }
    make: Any = inspect.unwrap(kind.__init__)  # type: ignore[misc]  # of the class, not an instance
    if make is object.__init__ or make is Strategy.__init__:
        return accepted, False
    hints = _hints(make)
    takes_any = False
    for parameter in list(inspect.signature(make).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = not declared
        elif parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            hint = hints.get(parameter.name, parameter.empty)
            accepted[parameter.name] = parameter.replace(annotation=hint)
    return accepted, takes_any


def _hints(what: Any) -> dict[str, Any]:
    try:
        return get_type_hints(what)
    except NameError:  # an annotation that exists for type checkers only
        return {}


def _wanted(parameter: inspect.Parameter) -> Any:
    """The type a parameter wants: its annotation, else that of its default, else none."""
    if parameter.annotation is not parameter.empty:
        return parameter.annotation
    if parameter.default is parameter.empty or parameter.default is None:
        return _NO_TYPE
    return type(parameter.default)


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"unknown parameter {name}: did you mean {near[0]}?"
    return f"unknown parameter {name}: it takes {', '.join(known) or 'none'}"


def _fit(value: object, wanted: Any) -> object:
    """`value` as the type `wanted`; raises ValueError saying what was expected."""
    origin = get_origin(wanted)
    if origin is Literal:
        if value in get_args(wanted):
            return value
        raise ValueError(f"{value!r} is not one of {', '.join(map(repr, get_args(wanted)))}")
    if origin in (Union, types.UnionType):
        return _fit_union(value, get_args(wanted))
    if isinstance(origin, type):
        if isinstance(value, str) or not isinstance(value, origin):
            raise ValueError(f"expected a {origin.__name__.lower()}, which only a session file has")
        return value  # what is in it the strategy itself judges
    if wanted not in _NAMES:
        return value
    if isinstance(value, str) and wanted is not str:
        return _read(value.strip(), wanted)
    if type(value) in (int, Decimal) and wanted in (float, Decimal):
        return _finite(wanted(value), value)
    if type(value) is float and wanted is Decimal:
        return _finite(Decimal(repr(value)), value)
    if type(value) is not wanted:
        raise ValueError(f"expected {_NAMES[wanted]}, not {value!r}")
    return _finite(value, value)


def _fit_union(value: object, choices: tuple[Any, ...]) -> object:
    """The first of the choices that fits; None only if it is one of them."""
    if value is None:
        if types.NoneType in choices:
            return None
        raise ValueError("expected a value")
    reasons = []
    for choice in choices:
        if choice is types.NoneType:
            continue
        try:
            return _fit(value, choice)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(" or ".join(reasons))


def _read(text: str, wanted: Any) -> object:
    """A value of type `wanted` from command-line text."""
    if wanted is bool:
        if text.lower() in _BOOLS:
            return _BOOLS[text.lower()]
        raise ValueError(f"expected true or false, not {text!r}")
    try:
        value = wanted(text)
    except (ValueError, InvalidOperation):
        raise ValueError(f"expected {_NAMES[wanted]}, not {text!r}") from None
    return _finite(value, text)


def _finite(value: object, shown: object) -> object:
    if isinstance(value, (float, Decimal)) and not math.isfinite(value):
        raise ValueError(f"expected a finite number, not {shown!r}")
    return value
