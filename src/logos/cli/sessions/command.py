"""`logos sessions`: which there are, how one stands, what they take, what to compress, delete or
restore."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from logos import paths
from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here, not_here, say
from logos.cli.sessions.compacted import compact_sessions
from logos.cli.sessions.listing import list_running, list_stored
from logos.cli.sessions.measured import show_sizes
from logos.cli.sessions.pruned import prune_sessions
from logos.cli.sessions.shown import show_session
from logos.errors import LogosError, WorkspaceError

_CODES = {
    0: "done",
    1: "prune --yes: a session could not be deleted; compact: one could not be compressed; "
    "restore: what was shipped is not enough, or cannot be read",
    2: "no such session, a wrong command line, or LOGOS_HOME names no folder",
    6: "a file cannot be read or written",
}
_COMMANDS: dict[str, Callable[[argparse.Namespace, Path], int]] = {
    "list": list_stored,
    "show": show_session,
    "sizes": show_sizes,
    "prune": prune_sessions,
    "compact": compact_sessions,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos sessions`."""
    parser.epilog = exit_codes(_CODES)
    commands = parser.add_subparsers(dest="sessions_command", metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="sessions of the workspace: how each ended, size")
    listing.add_argument(
        "--running", action="store_true", help="only those that run, of every workspace"
    )
    listing.add_argument("--here", action="store_true", help="with --running: this workspace only")
    shown = commands.add_parser("show", help="one session: settings, outcome, figures, files")
    shown.add_argument("session_id", metavar="ID", help="a session of the workspace")
    sizes = commands.add_parser("sizes", help="bytes by kind of file, for an event, for an hour")
    pruning = commands.add_parser(
        "prune",
        help="delete old sessions; without --yes it only says which",
        epilog="At least one of --older-than, --keep and --max-bytes. A session that runs is never "
        "deleted. One that can be resumed, or whose account was not seen to agree with its venue, "
        "only with --force. A line of each stays in runs/live/pruned.jsonl.",
    )
    pruning.add_argument("--older-than", metavar="AGE", help="ended longer ago: 30d, 12h, 90m")
    pruning.add_argument("--keep", type=int, metavar="N", help="never the newest N sessions")
    pruning.add_argument(
        "--max-bytes", metavar="SIZE", help="the oldest, until the rest takes less: 20G, 500M"
    )
    pruning.add_argument("--yes", action="store_true", help="delete them")
    pruning.add_argument(
        "--force", action="store_true", help="also what can be resumed or is not reconciled"
    )
    compacting = commands.add_parser(
        "compact",
        help="compress recorded inputs of live sessions: closed files, of ended sessions all",
    )
    compacting.add_argument("session_id", metavar="ID", nargs="?", help="a session")
    compacting.add_argument("--all", action="store_true", help="every session of the workspace")
    restoring = commands.add_parser(
        "restore",
        help="make a session's folder again of what `logos ship --inputs` sent to Kafka",
        epilog="For a session whose folder is lost. It is what it was at its last record that "
        "arrived; a gap, or a line that does not follow, is refused with its place. With real "
        "orders it is for looking at: it is never resumed.",
    )
    restoring.add_argument("session_id", metavar="ID", help="the session")
    restoring.add_argument("--kafka", metavar="BROKERS", help="addresses, HOST:PORT with commas")
    restoring.add_argument("--config", metavar="FILE", help="settings with a table [ship.kafka]")
    restoring.add_argument("--prefix", help='what topics begin with (default: "logos.")')
    restoring.add_argument("--uuid", default="", help="of several sessions of this name")
    for each in (listing, shown, sizes, pruning, compacting, restoring):
        each.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Do what was asked; the exit code."""
    try:
        if options.sessions_command == "restore":
            from logos.cli.sessions.restored import restore_shipped

            return restore_shipped(options, paths.home())
        here = find_here()
        if options.sessions_command == "list" and options.running:
            return list_running(options, here)
        if here is None:
            return _outside(options)
        if not options.json:
            say(f"workspace {here}")
        return _COMMANDS[options.sessions_command](options, here)
    except WorkspaceError as error:
        return complain(error, 2)
    except BrokenPipeError:
        raise  # the reader of our output has closed it
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}", 6)
    except LogosError as error:
        return complain(error, 2)


def _outside(options: argparse.Namespace) -> int:
    """Outside of all workspaces there are no sessions; one that is named is missing."""
    if options.sessions_command in ("show", "compact") and options.session_id:
        return complain(f"no session {options.session_id}: {not_here()}", 2)
    print("[]" if options.json else f"{not_here()}\nno sessions")
    return 0


def complain(error: object, code: int) -> int:
    """Say what is wrong on standard error; gives `code` back."""
    print(f"logos sessions: {error}", file=sys.stderr)
    return code
