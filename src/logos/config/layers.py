"""The layers of settings: file < `.env` < environment < command line.

Each layer is a set of tables, laid over those below it key by key. Beside the tables goes where
each value came from, so that an error, and `logos config show`, can say which layer to look at.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from logos.config.environment import Environment, dotenv_path
from logos.config.making import Path, examine, is_table, joined, merge
from logos.config.names import leaves, read_names
from logos.config.permission import refusals
from logos.config.reading import LIVE_NEEDS_FLAGS, asks_for_live, parse_file
from logos.config.settings import Config
from logos.errors import ConfigError
from logos.secrecy import without_keys

COMMAND_LINE = "command line"


class Effective(NamedTuple):
    """What all layers together say.

    `config` is of use only where nothing is wrong: what could not be read has its default in it.
    `origins` names the layer of every value that some layer sets. `unreadable` is what is wrong
    with a layer by itself, `problems` with what they say together, and `refused` why no order
    could leave the process with them; `where` names the source.
    """

    config: Config
    origins: dict[Path, str]
    environment: Environment
    unreadable: list[str]
    problems: list[str]
    refused: list[str]
    where: str

    def origin(self, path: Path) -> str:
        """The layer that a value came from; "" when it is the default."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        if len(path) == 4 and path[1] == "symbols":
            # What a symbol's table does not name, it has from the table above.
            return self.origins.get((path[0], path[3]), "")
        # A parameter that is a table of its own may have come from several layers.
        inside = {self.origins[each]: None for each in self.origins if each[: len(path)] == path}
        return ", ".join(inside)

    def raise_problems(self, *, sends_orders: bool) -> None:
        """Raise ConfigError with all that is wrong; return when it is nothing."""
        inside = self.problems + (self.refused if sends_orders else [])
        told = [f"{self.where}: " + "; ".join(inside)] if inside else []
        if self.unreadable or told:
            raise ConfigError("; ".join(self.unreadable + told), self.unreadable + inside)


def load_config(
    file: str | None,
    overrides: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
    *,
    sends_orders: bool = True,
    tell: Callable[[str], object] | None = None,
) -> Config:
    """The settings of a TOML file (None: no file), `.env`, environment and command line.

    `overrides` are the tables of the command line. `environment` replaces the process's variables.
    `sends_orders` is False for what never sends an order, such as an adapter's dry run: then a
    venue may be named without leave to trade there. `tell` hears a warning (None: standard error).

    Raises ConfigError that lists everything that is wrong.
    """
    effective = read_layers(file, overrides, environment)
    effective.raise_problems(sends_orders=sends_orders)
    if effective.environment.warning:
        (tell or _tell_standard_error)(effective.environment.warning)
    return effective.config


def read_layers(
    file: str | None, overrides: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Effective:
    """All layers laid over each other, and everything that is wrong with them; raises nothing."""
    unreadable: list[str] = []
    tables: dict[str, Any] = {}
    origins: dict[Path, str] = {}
    is_known = True
    if file:
        try:
            tables = parse_file(FilePath(file))
        except ConfigError as error:
            unreadable += error.problems
            is_known = False
        if asks_for_live(tables):
            unreadable.append(f"{file}: {LIVE_NEEDS_FLAGS}")
        origins = dict.fromkeys(leaves(tables, ()), file)
    surroundings, complaints = _surroundings(environment)
    unreadable += complaints
    for variables, place in (
        (surroundings.dotenv, ".env"),
        (surroundings.process, "the environment"),
    ):
        named = read_names(variables, tables)
        unreadable += [f"{place}: {problem}" for problem in named.problems]
        if asks_for_live(named.tables):
            variable = named.origins.get(("venue", "live"), "LOGOS_CFG__VENUE__LIVE")
            unreadable.append(f"{variable} in {place}: {LIVE_NEEDS_FLAGS}")
        chosen = _one_way_to_decide(named.tables, tables)
        placed = {path: f"{name} in {place}" for path, name in named.origins.items()}
        tables = _lay(tables, chosen, origins, placed)
    unreadable += _lay_seed(tables, overrides, origins, surroundings)
    given = dict.fromkeys(leaves(overrides, ()), COMMAND_LINE)
    tables = _lay(tables, overrides, origins, given)
    # Settings of a file that nobody could read are not missing: nothing is said about them.
    config, problems, has_all_limits = examine(tables if is_known else {})
    problems = [problem + _note(problem, origins) for problem in problems]
    refused = refusals(config, surroundings, has_all_limits=has_all_limits)
    unreadable = [without_keys(problem) for problem in unreadable]
    where = file or COMMAND_LINE
    return Effective(config, origins, surroundings, unreadable, problems, refused, where)


def _surroundings(process: Mapping[str, str] | None) -> tuple[Environment, list[str]]:
    """The environment with its `.env`, or without when that cannot be read, and why."""
    try:
        return Environment.read(process), []
    except ConfigError as error:
        variables = os.environ if process is None else process
        return Environment(variables, {}, dotenv_path(variables)), list(error.problems)


def _lay(
    base: Mapping[str, Any],
    over: Mapping[str, Any],
    origins: dict[Path, str],
    over_origins: Mapping[Path, str],
) -> dict[str, Any]:
    """`base` with `over` laid on top; `origins` follows."""
    chosen, there = over.get("strategy", {}), base.get("strategy", {})
    if (
        is_table(chosen)
        and is_table(there)
        and any(chosen.get(key) and chosen[key] != there.get(key) for key in ("name", "signals"))
    ):
        # Another strategy than the one below: its parameters are not this one's.
        base = {**base, "strategy": {key: v for key, v in there.items() if key != "params"}}
        _forget(origins, ("strategy", "params"))
    for path, origin in over_origins.items():
        _forget(origins, path)
        origins[path] = origin
    return merge(base, over)


def _forget(origins: dict[Path, str], path: Path) -> None:
    """Take out what is known of the values at `path` and inside of it."""
    for each in [each for each in origins if each[: len(path)] == path]:
        del origins[each]


def _one_way_to_decide(over: dict[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """`over`, where choosing a strategy takes back signals of `below`, and the other way round."""
    chosen, there = over.get("strategy"), below.get("strategy")
    if not (is_table(chosen) and is_table(there)):
        return over
    for key, other in (("name", "signals"), ("signals", "name")):
        if chosen.get(key) and there.get(other) and other not in chosen:
            return {**over, "strategy": {**chosen, other: ""}}
    return over


def _lay_seed(
    tables: dict[str, Any],
    overrides: Mapping[str, Any],
    origins: dict[Path, str],
    environment: Environment,
) -> list[str]:
    """LOGOS_SEED of `.env`, where nothing else names a seed; returns what is wrong with it."""
    text = environment.dotenv.get("LOGOS_SEED", "")
    if not text or environment.process.get("LOGOS_SEED"):
        return []
    for layer in (tables, overrides):
        session = layer.get("session", {})
        if not is_table(session) or session.get("seed") is not None:
            return []
    if not (text.isascii() and text.isdigit()):
        return [f"{environment.path}: LOGOS_SEED must be a whole number of 0 or more"]
    tables["session"] = {**tables.get("session", {}), "seed": int(text)}
    origins["session", "seed"] = "LOGOS_SEED in .env"
    return []


def _note(problem: str, origins: Mapping[Path, str]) -> str:
    """Which variables set what a problem names; nothing when it is the file or command line."""
    notes = [
        origin
        for path, origin in origins.items()
        if " in " in origin and re.search(rf"(?<![\w.]){re.escape(joined(path))}(?![\w.])", problem)
    ]
    return f" (set by {' and '.join(notes)})" if notes else ""


def _tell_standard_error(text: str) -> None:
    print(f"logos: {text}", file=sys.stderr)
