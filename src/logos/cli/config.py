"""`logos config`: validate, show or generate settings.

`check` and `show` take the options of `logos trade`, and read what it would read: the file, `.env`,
the environment, the command line. No key is ever shown, only the name of the variable it stands in.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from logos.cli import trade
from logos.cli.exit_codes import exit_codes
from logos.config import Effective, config_hash, read_layers
from logos.config.credentials import variables_set
from logos.config.layers import COMMAND_LINE
from logos.config.making import masked_config
from logos.config.template import default_toml, effective_toml, toml_path, toml_value, values_of
from logos.errors import ConfigError, DataError
from logos.files import open_new
from logos.session import ExitCode
from logos.session.plan import load_configured_strategy
from logos.session.stored.origin import Origin
from logos.strategies.heard import why_deaf

_DEFAULT_NAME = "session.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `logos config`."""
    parser.epilog = exit_codes(
        {0: "done", 2: "something is wrong: every problem is named", 6: "cannot write the file"}
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, purpose in (
        ("check", "read all layers, make the strategy; print OK, or every problem"),
        ("show", "print the settings in force as TOML, with the layer each came from"),
    ):
        # Some options of `trade` are worded anew: there is no session here.
        action = actions.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            conflict_handler="resolve",
        )
        trade.add_settings(action)
        action.add_argument("--live", action="store_true", help="as a session with live orders")
        action.add_argument("--quiet", action="store_true", help="print only what is wrong")
        action.add_argument("--json", action="store_true", help="print one JSON object")
    purpose = "write a settings file with every key, its default and its meaning"
    init = actions.add_parser("init", help=purpose, description=f"{purpose.capitalize()}.")
    init.add_argument(
        "path", nargs="?", default=_DEFAULT_NAME, help=f"a new file (default: {_DEFAULT_NAME})"
    )


def run(options: argparse.Namespace) -> int:
    """Do what was asked for; returns the exit code."""
    if options.action == "init":
        return _init(Path(options.path))
    try:
        effective = read_layers(options.config, trade.overrides(options))
    except ConfigError as error:
        return _complain(error.problems)
    problems = strategy_problems(effective) if options.action == "check" else []
    effective = effective._replace(
        config=masked_config(effective.config), problems=[*effective.problems, *problems]
    )
    if effective.environment.warning:
        print(f"logos config: {effective.environment.warning}", file=sys.stderr)
    return (_check if options.action == "check" else _show)(effective, options)


def _check(effective: Effective, options: argparse.Namespace) -> int:
    problems = [*effective.unreadable, *effective.problems, *effective.refused]
    if options.json:
        print(json.dumps(_as_json(effective, problems), indent=2, ensure_ascii=False))
    if problems:
        return _complain([] if options.json else problems)
    if not (options.quiet or options.json):
        print(f"OK  config hash {config_hash(effective.config)}")
        for name, value, origin in _changed(effective):
            print(f"{name} = {value}  # {origin}")
        for line in _keys(effective):
            print(line)
    return int(ExitCode.FINISHED)


def strategy_problems(effective: Effective) -> list[str]:
    """What is wrong with the strategy that the settings name: it is made, and its data is not read.

    None for settings that name none, or that are wrong themselves.
    """
    settings = effective.config.strategy
    origin = Origin.here(None if effective.where == COMMAND_LINE else effective.where)
    if effective.problems or effective.unreadable or not (settings.name or settings.signals):
        return []
    try:
        # What the user's modules print while they are imported is no part of the answer.
        with contextlib.redirect_stdout(sys.stderr):
            strategy, name = load_configured_strategy(effective.config, origin)
    except (ConfigError, DataError) as error:
        return [str(error)]
    why = why_deaf(type(strategy), name, {})
    return [why] if why else []


def _show(effective: Effective, options: argparse.Namespace) -> int:
    problems = [*effective.unreadable, *effective.problems]
    if options.json:
        print(json.dumps(_as_json(effective, problems), indent=2, ensure_ascii=False))
    if problems:
        return _complain([] if options.json else problems)
    if not (options.quiet or options.json):
        print(effective_toml(effective.config, effective.origin), end="")
        for line in _keys(effective):
            print(f"# {line}")
        for refusal in effective.refused:
            print(f"# A session would be refused: {refusal}")
    return int(ExitCode.FINISHED)


def _init(path: Path) -> int:
    text = default_toml()
    try:
        with open_new(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return _complain([f"{path} exists already and was not changed; name another file"])
    except OSError as error:
        print(f"logos config: cannot write {path}: {error.strerror}", file=sys.stderr)
        return int(ExitCode.CANNOT_WRITE)
    print(f"{path} written; `logos config check --config {path}` validates it")
    return int(ExitCode.FINISHED)


def _complain(problems: list[str] | tuple[str, ...]) -> int:
    for problem in problems:
        print(f"logos config: {problem}", file=sys.stderr)
    return int(ExitCode.BAD_CONFIGURATION)


def _changed(effective: Effective) -> list[tuple[str, str, str]]:
    """Every value that a layer sets, with its layer."""
    values = [(path, value, effective.origin(path)) for path, value in values_of(effective.config)]
    return [
        (toml_path(path), toml_value(value), origin) for path, value, origin in values if origin
    ]


def _keys(effective: Effective) -> list[str]:
    """The variables with keys that are set, without what they hold."""
    found = variables_set(effective.config.venue, effective.environment)
    return [f"{name} is set in {place}" for name, place in found]


def _as_json(effective: Effective, problems: list[str]) -> dict[str, Any]:
    settings = {
        name: {"value": value, "from": origin} for name, value, origin in _changed(effective)
    }
    return {
        "ok": not problems,
        "config_hash": None if problems else config_hash(effective.config),
        "settings": {} if problems else settings,
        "keys": _keys(effective),
        "problems": problems,
    }
