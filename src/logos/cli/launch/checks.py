"""The pre-checks of a launch: each looks at one thing, changes nothing, and says what to do.

What a check finds is a `Finding`, as of `logos doctor`. A check that needs settings is left out
where those cannot be read: that is found already.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from logos import __version__, paths
from logos.build import build_hash
from logos.cli.config import strategy_problems
from logos.cli.doctor import Finding
from logos.cli.launch.deployment import Located
from logos.cli.launch.machine import (
    check_modes,
    check_places,
    check_registry,
    check_room,
    check_time,
    check_umask,
    current_umask,
)
from logos.config import Config, ConfigError, Effective, FeedName, VenueName, config_hash
from logos.config.making import masked_config
from logos.config.terms.coordinator import coordinator_of
from logos.core.types import SwitchState
from logos.data.beside.calendars import is_calendar_file
from logos.data.layout import extension_of
from logos.errors import DataError
from logos.files import read_whole
from logos.installation import install_command, system_problem
from logos.journal.entries import JOURNAL
from logos.killswitch.fleet.connect import connect
from logos.killswitch.fleet.permit import Known, judge_reading
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.seen import read_seen, seen_path
from logos.killswitch.records import Mode
from logos.session.build import make_instruments
from logos.session.fleet.coordinator import terms_of
from logos.session.opening.fingerprints import strategy_fingerprint
from logos.session.opening.machine_switch import session_switch
from logos.session.opening.recorded import find_sources
from logos.session.plan import load_configured_strategy
from logos.session.presence.heartbeat import is_in_use
from logos.session.stored.names import ended_as
from logos.session.stored.origin import NOT_KNOWN, Origin
from logos.session.stored.pruned import pruned_path, read_pruned
from logos.session.venue.preflight import dry_run

_SETTINGS_BYTES_MAX: Final = 4 << 20
_PYTHON_LEAST: Final = (3, 11)
_LIBRARIES: Final[Mapping[str, str]] = {
    "ccxt": "ccxt",
    "yahoo": "yfinance",
    "alpaca": "alpaca",
    "mt5": "zmq",
    "ib": "ib_async",
    "kafka": "confluent_kafka",
    "parquet": "pyarrow",
    "calendars": "exchange_calendars",
    "redis": "redis",
}
"""The module that an extra installs and whose absence would be met by a session."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the checks look at. `effective` are the settings with all layers; `is_permitted`: the
    operator gave both --live and --i-acknowledge-risk."""

    located: Located
    home: Path
    effective: Effective
    is_permitted: bool

    @property
    def is_live(self) -> bool:
        """Whether orders are to leave for a venue."""
        return self.located.deployment.launch.mode == "live"

    @property
    def is_readable(self) -> bool:
        """Whether the settings say anything that the other checks can go by."""
        return not (self.effective.unreadable or self.effective.problems)

    @property
    def config(self) -> Config:
        """The settings; of use where they are readable."""
        return self.effective.config


def pre_checks(ground: Ground) -> Iterator[Finding]:
    """Every finding, in the order in which they are shown."""
    yield check_python(sys.version_info[:3])
    yield check_system()
    yield check_build(ground)
    yield from check_settings(ground)
    if ground.is_readable:
        yield check_mode(ground)
        yield check_hash(ground)
        yield check_strategy(ground)
        yield check_libraries(ground.config)
        yield check_data(ground.config, Origin.here(ground.located.settings))
    yield from check_time(ground.located.deployment.limits)
    yield check_room(ground.home, ground.located.deployment.limits.min_free_mb)
    yield from check_places(ground.home)
    yield check_modes(
        (
            *(ground.located.path, ground.located.settings, ground.home),
            *(paths.state_dir(), paths.sessions_dir()),
        ),
        ground.effective.environment.warning,
    )
    yield check_umask(current_umask())
    yield check_registry()
    yield check_switch(ground.home, "live" if ground.is_live else "paper")
    if ground.is_readable:
        yield from check_coordinator(ground)
    yield check_session(ground)
    if ground.is_readable and (ground.is_live or ground.config.venue.name is VenueName.PAPER):
        yield from check_venue(ground.config)


# ---- the software ----


def check_python(found: tuple[int, ...]) -> Finding:
    """Python 3.11 or newer."""
    words = ".".join(map(str, found))
    return Finding("python", found >= _PYTHON_LEAST, words, "install Python 3.11 or newer")


def check_system() -> Finding:
    """Whether sessions run on this system at all."""
    problem = system_problem()
    return Finding("system", not problem, problem or os.uname().release, "run it on Linux")


def check_build(ground: Ground) -> Finding:
    """The sources of logos, against the build that was approved."""
    found, wanted = build_hash(), ground.located.deployment.launch.expected_build
    seen = f"{__version__} {found}"
    if not wanted:
        return Finding("build", True, f"{seen} (no build is expected)")
    return Finding(
        "build",
        found == wanted,
        seen if found == wanted else f"{seen}, expected {wanted}",
        "install the build that was approved, or approve this one: launch.expected_build",
    )


def check_libraries(config: Config) -> Finding:
    """The libraries of the extras that these settings need."""
    extras = extras_of(config)
    missing = [extra for extra in extras if find_spec(_LIBRARIES[extra]) is None]
    if missing:
        return Finding(
            "libraries", False, f"{', '.join(missing)}: not installed", install_command(*missing)
        )
    return Finding("libraries", True, ", ".join(["base", *extras]))


def extras_of(config: Config) -> list[str]:
    """The extras without which a session with these settings cannot begin."""
    named = {config.venue.name.value, config.live.feed.value}
    names = [each.calendar for each in config.instruments.values() if each.calendar]
    if not all(map(is_calendar_file, names)):
        named.add("calendars")
    if (coordinator := coordinator_of(config)) is not None:
        named.add(coordinator.backend.value)
    if any(_is_parquet(Path(name)) for name in config.data.paths):
        named.add("parquet")
    return [extra for extra in _LIBRARIES if extra in named]


def _is_parquet(path: Path) -> bool:
    if path.is_dir():
        return any(extension_of(each) == ".parquet" for each in path.rglob("*.parquet"))
    return extension_of(path) == ".parquet"


# ---- the settings ----


def check_settings(ground: Ground) -> Iterator[Finding]:
    """The file: there, nobody else's to write, and valid with all layers above it."""
    path = ground.located.settings
    problems = [*ground.effective.unreadable, *ground.effective.problems]
    if ground.is_live:
        problems += ground.effective.refused
    advice = f"correct them: logos config check --config {path}"
    if problems:
        yield Finding("settings", False, "; ".join(problems), advice)
        return
    yield Finding("settings", True, f"{path}: SHA-256 {_digest(path)}")


def check_mode(ground: Ground) -> Finding:
    """Paper or live: the same in deploy.toml, in the settings and on the command line."""
    name, venue = ground.located.path, ground.config.venue.name
    if ground.is_live and not ground.is_permitted:
        return Finding(
            "mode",
            False,
            f"{name} says live, and real orders were not permitted",
            "give --live --i-acknowledge-risk, each time",
        )
    if not ground.is_live and (ground.is_permitted or venue is not VenueName.PAPER):
        return Finding(
            "mode",
            False,
            f"{name} says paper, but real orders were asked for (venue {venue.value})",
            'set mode = "live" in it, or venue.name = "paper" in the settings',
        )
    return Finding("mode", True, "live" if ground.is_live else "paper: no order leaves logos")


def check_hash(ground: Ground) -> Finding:
    """The settings in force, against the hash that was approved."""
    found = config_hash(masked_config(ground.config))
    wanted = ground.located.deployment.launch.expected_config_hash
    if not wanted:
        return Finding("config hash", True, f"{found} (none is expected)")
    return Finding(
        "config hash",
        found == wanted,
        found if found == wanted else f"{found}, expected {wanted}",
        "see `logos config show` for what differs (also in .env and LOGOS_CFG__ variables), or "
        "approve these settings: launch.expected_config_hash",
    )


def check_strategy(ground: Ground) -> Finding:
    """The strategy or the signals, made."""
    settings = ground.config.strategy
    if not (settings.name or settings.signals):
        return Finding("strategy", False, "none is named", "set strategy.name or strategy.signals")
    problems = strategy_problems(ground.effective)
    seen = "; ".join(problems) or settings.name or f"signals of {settings.signals}"
    return Finding("strategy", not problems, seen, "correct the strategy or its parameters")


def check_data(config: Config, origin: Origin = NOT_KNOWN) -> Finding:
    """The files of recorded data; a live feed has none."""
    if config.live.feed not in (FeedName.NONE, FeedName.REPLAY):
        return Finding(
            "data", True, f"live: {config.live.feed.value} {config.live.exchange}".strip()
        )
    try:
        sources = find_sources(config, origin)
    except (ConfigError, DataError) as error:
        return Finding("data", False, str(error), "correct data.paths and data.symbols")
    return Finding("data", True, ", ".join(sorted(each.symbol for each in sources)))


# ---- the switch, the session, the venue ----


def check_switch(home: Path, mode: Mode) -> Finding:
    """SAFE and armed for the mode, or never armed: then the first paper session arms it."""
    folder = paths.state_dir(home) / "kill-switch"
    if mode == "paper" and not os.path.lexists(folder) and not paths.is_workspace(home):
        return Finding("kill switch", True, "not armed yet: the session arms it for paper")
    breaker = session_switch(home, is_real=mode == "live")
    try:
        status = breaker.status()
    finally:
        breaker.close()
    seen = f"{status.state.name} at epoch {status.epoch}, armed for {status.armed_for or 'nothing'}"
    if status.state is SwitchState.SAFE:
        return Finding("kill switch", True, seen)
    why = status.why or "; ".join(status.causes)
    return Finding(
        "kill switch", False, f"{seen}: {why}", f"a person clears it: {status.clear_command}"
    )


def check_coordinator(ground: Ground) -> Iterator[Finding]:
    """The switch of the fleet, as a session that joins sees it; no fleet, no finding."""
    settings = coordinator_of(ground.config)
    if settings is None:
        return
    name, fleet = "coordinator", settings.fleet
    file = shlex.quote(str(ground.located.settings))
    advice = f"see: logos status --fleet {fleet} --config {file}"
    try:
        with closing(connect(terms_of(settings))) as store:
            seen = read_seen(seen_path(paths.state_dir(ground.home), fleet))
            known = Known() if seen is None else seen.known
            judgment = judge_reading(fleet, known, store.read())
    except (ConfigError, CoordinatorError) as error:
        yield Finding(name, False, str(error), advice)
        return
    is_fine = judgment.state is SwitchState.SAFE and not judgment.is_doubt
    words = f"fleet {fleet} is SAFE at epoch {judgment.known.epoch}"
    yield Finding(name, is_fine, words if is_fine else judgment.why, advice)


def check_session(ground: Ground) -> Finding:
    """The id: free, or of a session that can be resumed."""
    session_id = ground.located.deployment.launch.session_id
    folder = paths.session_dir(session_id)
    advice = "choose another launch.session_id"
    try:
        pruned = read_pruned() if pruned_path().is_file() else []
    except (OSError, ConfigError) as error:
        return Finding("session", False, f"{session_id} cannot be judged: {error}", advice)
    if any(each.session_id == session_id for each in pruned):
        words = f"{session_id} ended and was pruned: its id stays taken"
        return Finding("session", False, words, advice)
    if not os.path.lexists(folder):
        return Finding("session", True, f"{session_id} is free")
    try:
        if is_in_use(folder / JOURNAL):
            words = f"{session_id} is running"
            return Finding("session", False, words, "stop it first, or leave it: `logos status`")
        status = ended_as(folder) or "CRASHED"
    except (OSError, msgspec.DecodeError) as error:
        return Finding("session", False, f"{session_id} cannot be judged: {error}", advice)
    if status in ("STOPPED", "CRASHED"):
        return Finding("session", True, f"{session_id} is {status}: it is resumed")
    return Finding("session", False, f"{session_id} has ended: {status}", advice)


def check_venue(config: Config) -> Iterator[Finding]:
    """The dry run of the venue, a finding a line; the paper market has none."""
    if config.venue.name is VenueName.PAPER:
        yield Finding("venue", True, "paper: nothing to ask")
        return
    advice = f"correct it, then see: logos venue check {config.venue.name.value}"
    try:
        lines = dry_run(config, make_instruments(config.instruments))
    except ConfigError as error:
        yield Finding("venue", False, str(error), advice)
        return
    for line in lines:
        yield Finding(f"venue {line.name}", line.is_ok, line.detail, advice)


def hashes_of(ground: Ground) -> dict[str, str]:
    """SHA-256 of what decides, as far as it can be read: files, settings in force, strategy."""
    located, config = ground.located, ground.config
    found = {"deployment file": _digest(located.path), "settings file": _digest(located.settings)}
    found["settings in force"] = config_hash(masked_config(config))
    try:
        origin = Origin.here(located.settings)
        strategy, _ = load_configured_strategy(config, origin)
    except (ConfigError, DataError):
        return found  # its check says why
    return {**found, "strategy": strategy_fingerprint(config, strategy, origin)}


def _digest(path: Path) -> str:
    return hashlib.sha256(read_whole(path, _SETTINGS_BYTES_MAX)).hexdigest()


def versions_of(config: Config) -> dict[str, str]:
    """The versions of what a session with these settings runs on."""
    distributions = {"yahoo": "yfinance", "alpaca": "alpaca-py", "mt5": "pyzmq", "ib": "ib_async"}
    distributions |= {"parquet": "pyarrow", "calendars": "exchange_calendars"}
    distributions["kafka"] = "confluent-kafka"
    named = ["msgspec", "tqdm", *(distributions.get(each, each) for each in extras_of(config))]
    found = {"logos": __version__, "python": sys.version.split()[0]}
    for name in named:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
