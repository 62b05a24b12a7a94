"""`logos run ID`: start the session, or continue it, whichever it needs; for supervisors.

One command line for every start of a service: the first one, the one after a stop, the one after a
crash or a power cut. A session that has ended for good (ENDED, HALTED, FAILED, sealed after a
crash) is not run again: the command says so and ends with 0, so that no supervisor starts it over
and over. What a supervisor may restart by itself is a process that was killed; an exit code, 0 or
not, is an answer, and it would be the same again (see docs/SESSIONS.md).
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec

from logos import paths
from logos.cli.exit_codes import SESSION_CODES, exit_codes
from logos.cli.run_command import ProgressBar, add_shown, attempt
from logos.cli.running.standing import how_it_ended, session_as_json
from logos.cli.trade import add_leave, begin
from logos.config import Config, ConfigError, live_overrides, load_config, make_config
from logos.config.layers import read_layers
from logos.config.making import Path as Keys
from logos.config.making import joined, masked_config
from logos.journal.names import JOURNAL
from logos.session import SessionResult
from logos.session.entry import resume
from logos.session.history import NothingHappenedError, read_manifest
from logos.session.presence.service import ServiceNotifier
from logos.session.stored.pruned import read_pruned
from logos.session.stored.sessions import StoredSession, stored_session
from logos.session.supervisor import tell_operator

_NOT_COMPARED: frozenset[Keys] = frozenset({("session", "id"), ("venue", "live")})
"""What the command line says each time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos run`."""
    codes = {**SESSION_CODES, 0: "finished, stopped, or it had ended before: nothing to run"}
    parser.epilog = (
        "A supervisor restarts what was killed by a signal, and no exit code (systemd: "
        "Restart=on-abnormal).\n\n" + exit_codes(codes)
    )
    parser.add_argument("session_id", metavar="ID", help="the session")
    parser.add_argument(
        "--config",
        metavar="FILE.toml",
        help="its settings; needed to start it, and compared with those it began with after that",
    )
    parser.add_argument(
        "--carry",
        metavar="OLD",
        help="when it starts: take over what this ended paper session holds",
    )
    add_leave(parser)
    add_shown(parser)


def run(options: argparse.Namespace) -> int:
    """Start or continue the session; returns the exit code."""

    def go(bar: ProgressBar) -> SessionResult | None:
        try:
            folder = paths.session_dir(options.session_id)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        if not (folder / JOURNAL).is_file():
            if not _is_pruned(options, bar):
                return _start(options, bar)
            ServiceNotifier.tell_of_nothing_to_run(options.session_id, tell_operator)
            return None
        session = stored_session(folder, paths.home())
        if session.has_ended:
            _tell_ended(session, options, bar)
            ServiceNotifier.tell_of_nothing_to_run(options.session_id, tell_operator)
            return None
        if options.config:
            _check_same(options, session)
        return resume(
            options.session_id,
            on_plan=bar.start,
            beside=bar.screen.beside,
            tell=bar.screen.tell,
            is_acknowledged=bool(live_overrides(options.live, options.i_acknowledge_risk)),
        )

    return attempt(go, options, "run")


def _start(options: argparse.Namespace, bar: ProgressBar) -> SessionResult:
    if not options.config:
        raise ConfigError(
            f"session {options.session_id} does not exist in {paths.home()}: name its settings "
            "with --config FILE to start it"
        )
    return begin(load_config(options.config, _overrides(options)), options, bar)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    given = live_overrides(options.live, options.i_acknowledge_risk)
    return {**given, "session": {"id": options.session_id}}


def _is_pruned(options: argparse.Namespace, bar: ProgressBar) -> bool:
    """Whether the session is no more; says so as of one that has ended."""
    found = [each for each in read_pruned() if each.session_id == options.session_id]
    for each in found[-1:]:
        words = f"session {each.session_id} ended ({each.status}) and was pruned: nothing to run"
        if each.ended_badly:
            tell_operator(words)
        if options.json:
            bar.say(json.dumps(msgspec.to_builtins(each), indent=2))
        elif not options.quiet and not each.ended_badly:
            bar.say(words)
    return bool(found)


def _tell_ended(session: StoredSession, options: argparse.Namespace, bar: ProgressBar) -> None:
    """Say how it ended; aloud when that was badly, however quiet the command is."""
    name = session.session_id
    words = (
        f"session {name} has ended ({session.status}{how_it_ended(session)}): nothing to run; "
        f"`logos sessions show {name}` says more"
    )
    if session.ended_badly:
        tell_operator(words)
    if options.json:
        bar.say(json.dumps(session_as_json(session), indent=2))
    elif not options.quiet and not session.ended_badly:
        bar.say(words)


def _check_same(options: argparse.Namespace, session: StoredSession) -> None:
    """Refuse settings that say something else than the session began with.

    It would continue with those it began with, and whoever edited the file would not know. Raises
    ConfigError.
    """
    try:
        manifest = read_manifest(session.folder)
    except NothingHappenedError:
        return  # killed before its first record: it begins anew with the settings it was given
    effective = read_layers(options.config, _overrides(options))
    effective.raise_problems(sends_orders=True)
    then = _plain(make_config(manifest["config"], f"manifest of {session.session_id}"))
    now = _plain(masked_config(effective.config))
    has_carried = "carry" in manifest["config"]  # then balances are those of the one carried on
    changed = [
        joined(keys)
        for keys in effective.origins
        if keys not in _NOT_COMPARED
        and not (has_carried and keys[:2] == ("account", "balances"))
        and _value(now, keys) != _value(then, keys)
    ]
    if changed:
        raise ConfigError(
            f"session {session.session_id} began with other settings than {options.config} has "
            f"now ({', '.join(changed)}), and continues with those it began with: put the file "
            f"back, continue without it (`logos resume {session.session_id}`), or run a new session"
        )


def _plain(config: Config) -> object:
    return msgspec.to_builtins(config, str_keys=True)


def _value(tables: object, keys: Keys) -> object:
    """The setting at `keys`; None when there is none."""
    for key in keys:
        tables = tables.get(key) if isinstance(tables, dict) else None
    return tables
