"""What a caller says of a session, as the tables of its settings.

The words of `logos.run` are few: what a session needs nearly always. Everything else is a table of
the settings (docs/CONFIGURATION.md) and goes into `config`. Nothing is read from the environment
but the workspace (`LOGOS_HOME`) and the seed (`LOGOS_SEED`).
"""

from __future__ import annotations

import atexit
import difflib
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final, TypedDict

import msgspec

from logos.config import Config, make_config, merge, read_toml
from logos.core.gates import Switch
from logos.core.instrument import Instrument
from logos.errors import ConfigError
from logos.feeds.contract import LiveFeed
from logos.library.frames import GAPS, FrameData
from logos.library.instruments import exact, instrument_table

TEMPORARY: Final = "temporary"

Place = str | PathLike[str]
Data = Place | FrameData | Sequence[Place | FrameData]
"""Market data: files and folders, or tables as `logos.bars` and its like return them."""


class EngineOptions(TypedDict, total=False):
    """What may be said of a session besides; see `Options`."""

    params: Mapping[str, Any]
    """Arguments of a strategy given by name or as a class; of signals: quantity, delay_s."""
    session_id: str
    """The name of its folder; default: the next free session-NNNN."""
    seed: int
    """Of the session's generator; default: LOGOS_SEED, else that of `logos.paths`."""
    start: str | datetime
    """The first event's time, inclusive, with its zone."""
    end: str | datetime
    """The last event's time, exclusive, with its zone."""
    accept: Sequence[str]
    """Kinds of defects in files to tolerate; default: "gap", as markets close at night."""
    fill: str
    """How the paper market fills: next_open, decision_close or bid_ask (docs/FILLS.md)."""
    guards: Sequence[str | Callable[..., str | None]]
    """Guards of your own (docs/GUARDS.md): functions at the top of a module, or their names."""
    carry: str
    """The id of an ended paper session of the workspace, whose positions and money it takes over
    (docs/SESSIONS.md)."""
    switch: Switch
    """Another kill switch than that of the workspace."""
    verbose: bool
    """Show progress, and say on standard error what an operator should know."""


class Options(EngineOptions, total=False):
    """What may be said of a session besides, and the instruments of its data."""

    instruments: Mapping[str, Instrument | Mapping[str, Any]]
    """Instruments by symbol, where no instruments.toml beside the data has them."""


class LiveOptions(Options, total=False):
    """What may be said of a session on live data besides."""

    feeds: str | Sequence[LiveFeed]
    """The name of a live feed, as `live.feed` has it, or feeds of one's own."""


def check_options(given: Mapping[str, Any]) -> None:
    """Raise ConfigError for a word that no option has."""
    for name in given:
        if name not in Options.__annotations__:
            near = difflib.get_close_matches(name, (*Options.__annotations__, "config"), n=1)
            known = ", ".join(sorted(Options.__annotations__))
            hint = f"did you mean {near[0]!r}?" if near else f"known: {known}"
            raise ConfigError(
                f"unknown option {name!r}; {hint} Any setting of docs/CONFIGURATION.md can be "
                'given in config, such as config={"risk": {"max_position": "100"}}'
            )


def workspace(home: Place | None) -> Path | None:
    """The workspace that `home` names; None is the configured one, as the command line has it.

    "temporary" makes a folder that is removed when the process ends; its kill switch is its own.
    """
    if home is None:
        return None
    if home == TEMPORARY:
        folder = tempfile.mkdtemp(prefix="logos-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)
    return Path(fspath(home)).expanduser().absolute()


def split_data(data: Data | None) -> tuple[list[str], list[FrameData]]:
    """Files and folders, and tables: one of the two lists is empty. Raises ConfigError."""
    if data is None:
        return [], []
    given = [data] if isinstance(data, str | PathLike | FrameData) else list(_sequence(data))
    frames = [each for each in given if isinstance(each, FrameData)]
    places = [fspath(each) for each in given if isinstance(each, str | PathLike)]
    if len(frames) + len(places) < len(given):
        other = next(each for each in given if not isinstance(each, FrameData | str | PathLike))
        raise ConfigError(
            f"data: a {type(other).__name__} does not say what it holds: wrap a table, such as "
            'logos.bars(df, symbol="ACME", tick="0.01", lot="1", quote="USD")'
        )
    if frames and places:
        raise ConfigError("data: give files or tables, not both: read the files into tables")
    return places, frames


def _sequence(data: Any) -> Sequence[Any]:
    return data if isinstance(data, list | tuple) else [data]


def make_settings(
    config: Config | Mapping[str, Any] | Place | None, tables: Mapping[str, Any]
) -> Config:
    """`tables` laid over `config`. Raises ConfigError with everything that is wrong."""
    where = "settings"
    if config is None:
        base: Mapping[str, Any] = {}
    elif isinstance(config, Config):
        base = _tables_of(config)
    elif isinstance(config, Mapping):
        base = exact(config)
    else:
        where = fspath(config)
        base = read_toml(Path(where))
    if "strategy" in tables:
        # Another way to decide than the one below: its parameters are not this one's.
        base = {name: table for name, table in base.items() if name != "strategy"}
    whole = merge(base, tables)
    accept = whole.get("data", {}).get("accept")
    if accept is None:
        whole = merge(whole, {"data": {"accept": list(GAPS)}})
    return make_config(whole, where)


def _tables_of(config: Config) -> dict[str, Any]:
    """A Config as tables, without what is not set."""
    tables: dict[str, Any] = msgspec.to_builtins(config)
    return {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in tables.items()
    }


def tables_of(
    options: Options, symbols: Sequence[str] | str | None, cash: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The tables that the words of `logos.run` stand for, without data and strategy."""
    instruments = options.get("instruments") or {}
    tables: dict[str, dict[str, Any]] = {
        "session": {"id": options.get("session_id"), "seed": options.get("seed")},
        "data": {
            "symbols": [symbols] if isinstance(symbols, str) else symbols and list(symbols),
            "from": _moment(options.get("start")),
            "to": _moment(options.get("end")),
            "accept": None if "accept" not in options else list(options["accept"]),
        },
        "account": {"balances": None if cash is None else exact(cash)},
        "paper": {"fill": options.get("fill")},
        "risk": {"guards": None if "guards" not in options else _names(options["guards"])},
        "instruments": {name: instrument_table(each) for name, each in instruments.items()},
    }
    told = {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in tables.items()
    }
    return {name: table for name, table in told.items() if table}


def _names(guards: Sequence[str | Callable[..., str | None]]) -> list[str]:
    """Guards by names that a later resume or replay finds them by. Raises ConfigError."""
    names = []
    for guard in guards:
        name = guard if isinstance(guard, str) else getattr(guard, "__qualname__", "")
        if not isinstance(guard, str):
            if not name.isidentifier():
                raise ConfigError(f"guards: {guard!r} is not a function at the top of a module")
            name = f"{guard.__module__}:{name}"
        names.append(name)
    return names


def _moment(moment: str | datetime | None) -> str | None:
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise ConfigError(f"start and end need a time zone: {moment!r} has none (add tzinfo=UTC)")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
