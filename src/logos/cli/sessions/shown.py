"""`logos sessions show`: one session, from its small files and one reading of its journal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.audit.inspect import Overview
from logos.cli.running.standing import session_as_json
from logos.core.records import SwitchRecord
from logos.errors import ConfigError
from logos.session.artifacts.counts import trigger_figures, trigger_words
from logos.session.history import find_session
from logos.session.presence.page import metrics_path
from logos.session.stored.names import log_path
from logos.session.stored.next_steps import next_steps
from logos.session.stored.origin import read_origin
from logos.session.stored.pruned import read_pruned
from logos.session.stored.sessions import Held, StoredSession, stored_session
from logos.session.stored.sizes import files_of, in_words
from logos.shown import plain

_NAMES_MAX: Final = 20
_FIGURES: Final = ("equity", "realised", "unrealised", "fees")


def show_session(options: argparse.Namespace, workspace: Path) -> int:
    """Print the session. Raises ConfigError when there is none of that id, OSError."""
    try:
        folder = find_session(options.session_id, workspace)
    except ConfigError:
        raise missing(options.session_id, workspace) from None
    session = stored_session(folder, workspace)
    with Overview(folder) as overview:
        overview.read()
    told = _told(session, overview, workspace)
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        _print(told)
    return 0


def missing(session_id: str, workspace: Path) -> ConfigError:
    """What to say of a session that is not there."""
    for each in reversed(read_pruned(workspace)):
        if each.session_id == session_id:
            return ConfigError(
                f"session {session_id} was pruned at {each.pruned} by {each.by}: {each.status}, "
                f"{each.reason}; its journal's hash was {each.journal_hash or 'not known'}"
            )
    return ConfigError(f"no session {session_id} in {workspace}; `logos sessions list` has all")


def _told(session: StoredSession, overview: Overview, workspace: Path) -> dict[str, Any]:
    """All that is said of the session, as plain JSON values."""
    journal = overview.as_json()
    manifest = overview.manifest
    config: Mapping[str, Any] = {} if manifest is None else manifest.config
    held = session.held
    if held is None:  # it runs or crashed: the books are in its journal only
        held = Held.of(overview.positions, len(overview.open_orders))
    trigger = overview.trigger
    origin = read_origin(session.session_id, workspace)
    return {
        **session_as_json(session),
        "held": msgspec.to_builtins(held),
        "trigger": trigger_figures(trigger),
        "damage": journal["damage"],
        "settings_file": "" if origin is None else origin.settings,
        "began_in": "" if origin is None else origin.folder,
        **{
            name: journal.get(name)
            for name in ("uuid", "software", "strategy", "seed", "config_hash", "symbols")
        },
        "params": dict((config.get("strategy") or {}).get("params") or {}),
        "venue": _venue(config),
        "counts": journal["counts"],
        "last_event": journal["last_event"],
        "switch_state": overview.switch_state,
        "accounts": journal["accounts"],
        "files": _files(session, workspace),
        "next": next_steps(
            session.session_id,
            session.status,
            is_real=session.mode == "live",
            by_switch=isinstance(trigger, SwitchRecord),
            is_to_look_at=session.is_to_look_at,
        ),
    }


def _venue(config: Mapping[str, Any]) -> str:
    """Where its orders go, in words."""
    venue = config.get("venue") or {}
    if not venue.get("live"):
        return "the paper market"
    name = ":".join(filter(None, (str(venue.get("name", "")), str(venue.get("exchange", "")))))
    return f"{name} ({'sandbox' if venue.get('sandbox', True) else 'real money'})"


def _files(session: StoredSession, workspace: Path) -> dict[str, int]:
    """Bytes of each file, those beside the folder by their path in the workspace."""
    places = [(path, session.folder) for path in files_of(session.folder)]
    found = {}
    beside = (path_of(session.session_id, workspace) for path_of in (log_path, metrics_path))
    for path, above in [*places, *((path, workspace) for path in beside)]:
        with suppress(FileNotFoundError):  # one that was being replaced, or no log
            found[str(path.relative_to(above))] = path.lstat().st_size
    return found


def _print(told: Mapping[str, Any]) -> None:
    code = "" if told["exit_code"] is None else f" (exit code {told['exit_code']})"
    print(f"session   {told['session_id']}: {told['status']}{code}")
    for name, value in _rows(told):
        if value:
            print(f"{name:<9} {plain(value)}")
    print("files")
    sizes = told["files"]
    for name, size in list(sizes.items())[:_NAMES_MAX]:
        print(f"  {in_words(size):>8}  {plain(name)}")
    if len(sizes) > _NAMES_MAX:
        print(f"  and {len(sizes) - _NAMES_MAX} more")
    for command in told["next"]:
        if command != f"logos sessions show {told['session_id']}":  # that is what was typed
            print(f"next      {command}")


def _rows(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What stands in a line of its own; an empty value is left out."""
    counts = told["counts"]
    figures = ", ".join(
        f"{counts.get(kind, 0):,} {words}"
        for kind, words in (("order", "orders"), ("fill", "fills"), ("refusal", "refusals"))
    )
    params = ", ".join(f"{key} = {value}" for key, value in told["params"].items())
    damage, trigger = told["damage"], told["trigger"]
    return [
        ("problem", told["problem"]),
        ("damage", "" if damage is None else f"record {damage['sequence']}: {damage['reason']}"),
        ("why", told["reason"]),
        ("trigger", "" if trigger is None else trigger_words(trigger)),
        ("holds", Held(**told["held"]).words()),
        ("began", told["began"]),
        ("ended", told["ended"]),
        ("strategy", f"{told['strategy'] or '?'}{f' ({params})' if params else ''}"),
        ("symbols", ", ".join(told["symbols"] or [])),
        ("venue", told["venue"]),
        ("data", told["data"]),
        ("settings", told["settings_file"]),
        ("hash", told["config_hash"] or ""),
        ("software", f"{told['software'] or '?'}, seed {told['seed']}"),
        ("counts", figures),
        ("events", f"{told['ticks']:,}" if told["ticks"] else ""),
        ("last", told["last_event"]),
        ("switch", told["switch_state"]),
        *(
            ("account", f"{name} " + ", ".join(f"{key} {each[key]}" for key in _FIGURES))
            for name, each in told["accounts"].items()
        ),
    ]
