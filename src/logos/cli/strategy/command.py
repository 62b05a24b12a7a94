"""`logos strategy`: what a strategy is, hears and takes, without running it."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import sys
from typing import Any

from logos.cli.exit_codes import exit_codes
from logos.core.strategy import Strategy, can_be_saved
from logos.session import ExitCode
from logos.strategies.heard import heard_events, never_called
from logos.strategies.load import BUNDLED, StrategyLoadError, load_classes
from logos.strategies.parameters import NO_DEFAULT, Described, describe

_DECLARATIONS = ("timeframes", "warmup", "history")
"""Class attributes that say what bars a strategy is given, where the base class has them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `logos strategy`."""
    parser.epilog = exit_codes({0: "done", 2: "there is no such strategy"})
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    purpose = "show what it does and hears, and its parameters with their ranges"
    show = actions.add_parser("show", help=purpose, description=f"{purpose.capitalize()}.")
    show.add_argument(
        "name", metavar="NAME", help="a bundled name, module:Class, file.py:Class, or a file.py"
    )
    show.add_argument("--json", action="store_true", help="print a JSON array, an object for each")
    purpose = "list the bundled strategies"
    actions.add_parser("list", help=purpose, description=f"{purpose.capitalize()}.")


def run(options: argparse.Namespace) -> int:
    """Show what was asked for; returns the exit code."""
    try:
        names = BUNDLED if options.action == "list" else (options.name,)
        # What the user's modules print while they are imported is no part of the answer.
        with contextlib.redirect_stdout(sys.stderr):
            found = {key: kind for name in names for key, kind in load_classes(name).items()}
    except StrategyLoadError as error:
        print(f"logos strategy: {error}", file=sys.stderr)
        return int(ExitCode.BAD_CONFIGURATION)
    if options.action == "list":
        for name, kind in found.items():
            print(f"{name:<16} {_purpose(kind).splitlines()[0].partition('. ')[0].rstrip('.')}")
    elif options.json:
        shown = [facts(name, kind) for name, kind in found.items()]
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        print("\n\n".join("\n".join(_lines(name, kind)) for name, kind in found.items()))
    return int(ExitCode.FINISHED)


def facts(name: str, kind: type[Strategy]) -> dict[str, Any]:
    """What is to be known of a strategy class, as JSON data; numbers of money are text."""
    return {
        "name": name,
        "class": f"{kind.__module__}:{kind.__qualname__}",
        "purpose": _purpose(kind),
        "hears": heard_events(kind),
        "never_called": never_called(kind),
        "can_save": can_be_saved(kind),
        "parameters": [_parameter(each) for each in describe(kind)],
        **_declared(kind),
    }


def _parameter(each: Described) -> dict[str, Any]:
    required = each.default is NO_DEFAULT
    return {
        "name": each.name,
        "type": each.type,
        "required": required,
        "default": None if required else _plain(each.default),
        "low": _plain(each.low),
        "high": _plain(each.high),
        "choices": [_plain(choice) for choice in each.choices],
        "meaning": each.meaning,
    }


def _declared(kind: type[Strategy]) -> dict[str, Any]:
    return {name: _plain(getattr(kind, name)) for name in _DECLARATIONS if hasattr(Strategy, name)}


def _plain(value: object) -> object:
    """A value as JSON holds it: numbers, flags and None as they are, all else as text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return str(value)


def _purpose(kind: type[Strategy]) -> str:
    """The docstring of the class itself, else that of its module."""
    own = kind.__dict__.get("__doc__") or sys.modules[kind.__module__].__doc__ or "no docstring"
    return inspect.cleandoc(own)


def _lines(name: str, kind: type[Strategy]) -> list[str]:
    parameters = describe(kind)
    rows = [("parameter", "type", "default", "range", "meaning")]
    rows += [_row(each) for each in parameters]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    misses = [
        f"never called  {each}: did you mean {it}?" for each, it in never_called(kind).items()
    ]
    declared = [f"{each:<12}  {value}" for each, value in _declared(kind).items() if value]
    return [
        f"{name}  ({kind.__module__}:{kind.__qualname__})",
        "",
        _purpose(kind),
        "",
        f"{'hears':<12}  {', '.join(heard_events(kind)) or 'nothing'}",
        *misses,
        *declared,
        f"{'can be saved':<12}  {'yes' if can_be_saved(kind) else 'no'}",
        "",
        *(table if parameters else ["It takes no parameters."]),
    ]


def _row(each: Described) -> tuple[str, str, str, str, str]:
    default = "required" if each.default is NO_DEFAULT else str(each.default)
    return (each.name, each.type, default, _range(each), each.meaning)


def _range(each: Described) -> str:
    if each.choices:
        return " | ".join(map(str, each.choices))
    if each.low is None and each.high is None:
        return ""
    low, high = ("" if bound is None else str(bound) for bound in (each.low, each.high))
    return f"{low}..{high}"
