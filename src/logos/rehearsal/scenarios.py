"""Scenarios of a rehearsal: what is done to a session, and what its journal must then show.

A scenario is data: a name, a sentence, what is injected and when, settings laid over the user's,
and expectations. The bundled ones stand in `scenarios.toml` beside this module; a user's own file
has the same keys. Everything in a file is checked before the first session runs; what is wrong is
named with the file, the scenario and the key.

When: a tick is its number (from 1), a share of the data ("50%"), or a moment in the life of the
strategy as an undisturbed run of it showed: "order" (it orders) or "holding" (it holds a position
and its market moves). "50%+1" is one tick after "50%".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from logos.config import ConfigError, read_toml
from logos.config.making import misfits
from logos.paths import check_session_id
from logos.rehearsal.expectations import Expectation

Tick = int | str
"""When: a number of a tick, "NN%", "order" or "holding", the last three with "+N" or without."""

NO_INCIDENT: Final = "no_incident"
_MOMENT: Final = re.compile(r"((100|[1-9]?[0-9])%|order|holding)(\+[0-9]{1,6})?")
NAMED: Final = re.compile(r"@(drawdown|stale_s|notional|quantity)(?:\*([0-9]+(?:\.[0-9]+)?))?")
"""A value from the data, such as "@notional*0.5"."""


class _Injection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that is done right before a tick; see docs/REHEARSAL.md for each."""

    tick: Tick


class KillCommand(_Injection, tag_field="kind", tag="kill_command", frozen=True, kw_only=True):
    """An operator's command among the events engages the switch."""


class TouchMarker(_Injection, tag_field="kind", tag="touch_marker", frozen=True, kw_only=True):
    """Another process runs `touch KILL` in the switch's folder, and the feed waits for the news."""


class SendSignal(_Injection, tag_field="kind", tag="sigusr1", frozen=True, kw_only=True):
    """SIGUSR1 is sent to the session's process."""


class ReduceOnly(_Injection, tag_field="kind", tag="reduce_only", frozen=True, kw_only=True):
    """The switch is set to REDUCE_ONLY."""


class KillWhileDeciding(
    _Injection, tag_field="kind", tag="kill_while_deciding", frozen=True, kw_only=True
):
    """The switch is thrown after the strategy was asked and before its order leaves (gate 2).

    `touch`: by a bare marker from another process, which nobody had time to notice.
    """

    touch: bool = False


class Silence(_Injection, tag_field="kind", tag="silence", frozen=True, kw_only=True):
    """The feed of one symbol falls silent and stays connected."""


class Gap(_Injection, tag_field="kind", tag="gap", frozen=True, kw_only=True):
    """`ticks` events of all symbols never arrive."""

    ticks: int


class Crossed(_Injection, tag_field="kind", tag="crossed", frozen=True, kw_only=True):
    """For `ticks` events, every bid stands one tick above its ask."""

    ticks: int


class Price(_Injection, tag_field="kind", tag="price", frozen=True, kw_only=True):
    """Prices of the tick's symbol times `factor` for `ticks` of its events (0: to the end).

    `adverse`: the other way (divided) when the strategy is short.
    """

    factor: Decimal
    ticks: int = 0
    adverse: bool = False


class Orders(_Injection, tag_field="kind", tag="orders", frozen=True, kw_only=True):
    """The strategy is made to send `count` orders of its own at each of `ticks` ticks.

    An order is `lots` times the smallest the instrument allows; with `vary` each is a lot larger
    than the one before. `price`: "market"; "passive" (a limit one tick away, which rests); or
    "before" (a limit at the price that stood before the injections). `silent` sends them in the
    symbol that a `silence` has taken away.
    """

    count: int = 1
    ticks: int = 1
    lots: int = 1
    vary: bool = False
    price: Literal["market", "passive", "before"] = "market"
    silent: bool = False


class Raise(_Injection, tag_field="kind", tag="strategy_raises", frozen=True, kw_only=True):
    """The strategy raises an exception."""


class AnswerNan(
    _Injection, tag_field="kind", tag="strategy_answers_nan", frozen=True, kw_only=True
):
    """The strategy asks for NaN of something."""


class EndFeed(_Injection, tag_field="kind", tag="end_feed", frozen=True, kw_only=True):
    """The feed ends with this tick."""


class FullDisk(_Injection, tag_field="kind", tag="full_disk", frozen=True, kw_only=True):
    """The kernel refuses every write beyond `bytes` of any file (RLIMIT_FSIZE)."""

    bytes: int


Injection = (
    KillCommand
    | TouchMarker
    | SendSignal
    | ReduceOnly
    | KillWhileDeciding
    | Silence
    | Gap
    | Crossed
    | Price
    | Orders
    | Raise
    | AnswerNan
    | EndFeed
    | FullDisk
)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rehearsal of one incident. `then` = "restart": the session is started once more."""

    name: str
    description: str
    inject: list[Injection] = []
    settings: dict[str, Any] = {}
    expect: list[Expectation]
    then: Literal["", "restart"] = ""


def bundled_scenarios() -> list[Scenario]:
    """The scenarios that come along."""
    return read_scenarios(Path(str(files("logos.rehearsal").joinpath("scenarios.toml"))))


def read_scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a TOML file. Raises ConfigError naming file, scenario and key."""
    raw = read_toml(path)
    for key in raw:
        if key != "scenario":
            raise ConfigError(f"{path}: unknown key {key!r}; scenarios are tables [[scenario]]")
    tables = raw.get("scenario")
    if not isinstance(tables, list) or not tables:
        raise ConfigError(f"{path}: no scenarios: write each as a table [[scenario]]")
    scenarios: list[Scenario] = []
    for number, table in enumerate(tables, start=1):
        where = f"{path}: scenario {table.get('name') or number}"
        scenario = _read_one(table, where)
        if any(each.name == scenario.name for each in scenarios):
            raise ConfigError(f"{where}: there are two scenarios of this name")
        scenarios.append(scenario)
    return scenarios


def choose(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[Scenario]:
    """Those of `names`, in their order; "all" means all. Raises ConfigError for an unknown one."""
    if "all" in names:
        return list(scenarios)
    known = {each.name: each for each in scenarios}
    for name in names:
        if name not in known:
            raise ConfigError(f"no scenario is called {name!r}: there are {', '.join(known)}")
    return [known[name] for name in names]


def _read_one(table: Mapping[str, Any], where: str) -> Scenario:
    try:
        scenario = msgspec.convert(table, Scenario)
        check_session_id(scenario.name)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}{_known_kinds(str(error))}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: the name becomes a folder: {error}") from None
    for injection in scenario.inject:
        _check_injection(injection, where)
    problems = misfits(_with_values(scenario.settings, where))
    if problems:
        raise ConfigError(f"{where}: settings: {'; '.join(problems)}")
    if not scenario.expect:
        raise ConfigError(f"{where}: expects nothing, so it could never fail: add to `expect`")
    return scenario


def _with_values(settings: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`settings` with 1 for every value that comes from the data."""
    whole: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            value = _with_values(value, where)
        elif isinstance(value, str) and value.startswith("@"):
            if NAMED.fullmatch(value) is None:
                raise ConfigError(f"{where}: settings: no such named value: {value!r}")
            value = 1
        whole[key] = value
    return whole


def _check_injection(injection: Injection, where: str) -> None:
    tick = injection.tick
    is_known = isinstance(tick, str) and _MOMENT.fullmatch(tick)
    if not (is_known or (isinstance(tick, int) and tick >= 1)):
        raise ConfigError(
            f'{where}: tick = {tick!r}: use a number from 1, a share such as "50%", "order" '
            'or "holding"'
        )
    if isinstance(injection, Price) and injection.factor <= 0:
        raise ConfigError(f"{where}: factor = {injection.factor}: prices stay above 0")
    for name in ("ticks", "count", "lots", "bytes"):
        least = 0 if isinstance(injection, Price | FullDisk) else 1
        value = getattr(injection, name, least)
        if value < least:
            raise ConfigError(f"{where}: {name} = {value}: must be {least} or more")


def _known_kinds(error: str) -> str:
    """What msgspec does not say: which kinds there are."""
    if ("expect" in error and "`check`" in error) or (
        "Invalid value" in error and "expect" in error
    ):
        return "; checks: " + ", ".join(_tags(Expectation))
    if ("Invalid value" in error and "inject" in error) or "`kind`" in error:
        return "; kinds: " + ", ".join(_tags(Injection))
    return ""


def _tags(union: Any) -> list[str]:
    return [str(kind.__struct_config__.tag) for kind in union.__args__]
