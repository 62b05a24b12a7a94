"""`logos sessions prune`: delete old sessions; without `--yes` it only says which."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from typing import Final

from logos.cli.sessions.listing import in_minutes
from logos.errors import ConfigError
from logos.journal.lock import SessionBusyError
from logos.session.stored.pruning import Choice, Rule, choose, prune
from logos.session.stored.sessions import stored_sessions
from logos.session.stored.sizes import in_words

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BYTES: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def prune_sessions(options: argparse.Namespace, workspace: Path) -> int:
    """Say what the rule comes to, or delete it. Raises ConfigError for a wrong rule."""
    rule = _rule(options)
    choices = choose(stored_sessions(workspace), rule, time.time_ns(), workspace)
    freed, failed = 0, set[str]()
    for choice in choices:
        if options.yes and not choice.kept_because:
            try:
                freed += prune(choice.session, workspace)
            except (OSError, SessionBusyError) as error:
                failed.add(choice.session.session_id)
                words = f"session {choice.session.session_id} could not be deleted: {error}"
                print(f"logos sessions: {words}", file=sys.stderr)
    if options.json:
        print(json.dumps(_as_json(choices, failed, freed, options), indent=2))
    else:
        _print(choices, failed, freed, options)
    return 1 if failed else 0


def _print(
    choices: list[Choice], failed: set[str], freed: int, options: argparse.Namespace
) -> None:
    gone = [each.session for each in choices if _is_gone(each, failed)]
    for session, why, is_held_back in choices:
        name = session.session_id
        if why:
            forced = "; --force deletes it" if is_held_back else ""
            print(f"kept {name}: {why}{forced}")
        elif name not in failed:
            when = f"ended {in_minutes(session.ended)}, {session.status}"
            held = f", holds {session.held.words()}" if session.held else ""
            done = "deleted" if options.yes else "would delete"
            print(f"{done} {name}: {in_words(session.sizes.total)}, {when}{held}")
    if all(each.kept_because for each in choices):
        print("nothing to delete")
    elif options.yes:
        print(f"freed {in_words(freed)} of {_counted(len(gone))}")
    else:
        total = sum(each.sizes.total for each in gone)
        print(f"nothing is deleted yet: --yes frees {in_words(total)} of {_counted(len(gone))}")


def _is_gone(choice: Choice, failed: set[str]) -> bool:
    """Whether the session was deleted, or with `--yes` would be."""
    return not choice.kept_because and choice.session.session_id not in failed


def _counted(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"


def _as_json(
    choices: list[Choice], failed: set[str], freed: int, options: argparse.Namespace
) -> dict[str, object]:
    return {
        "is_done": options.yes,
        "freed": freed,
        "sessions": [
            {
                "session_id": each.session.session_id,
                "status": each.session.status,
                "bytes": each.session.sizes.total,
                "deleted": options.yes and _is_gone(each, failed),
                "kept_because": each.kept_because,
            }
            for each in choices
        ],
    }


def _rule(options: argparse.Namespace) -> Rule:
    if (options.older_than, options.keep, options.max_bytes) == (None, None, None):
        raise ConfigError("say which to prune: --older-than 30d, --keep 20 or --max-bytes 20G")
    if options.keep is not None and options.keep < 0:
        raise ConfigError(f"--keep {options.keep}: must be 0 or more")
    return Rule(
        _number("--older-than", options.older_than, _SECONDS, "30d, 12h or 90m"),
        options.keep,
        _number("--max-bytes", options.max_bytes, _BYTES, "20G, 500M or 1000000"),
        options.force,
    )


def _number(option: str, text: str | None, units: dict[str, int], example: str) -> int | None:
    """A whole number with a unit, in the smallest unit. Raises ConfigError."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,15})([A-Za-z]?)", text)
    unit = found[2] if found else ""
    known = next((each for each in (unit, unit.lower(), unit.upper()) if each in units), None)
    if not found or known is None:
        raise ConfigError(f"{option} {text}: write it like {example}")
    return int(found[1]) * units[known]
