"""`logos alerts`: tell people what happens to the sessions of this workspace."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from logos import paths
from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_here, say
from logos.cli.running.until_signal import UntilSignal
from logos.errors import ConfigError, LogosError, WorkspaceError

if TYPE_CHECKING:
    from logos.config.tables.alerts import AlertSettings
    from logos.observe.alerts.outbox import State

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BUSY = 3
EXIT_CANNOT_WRITE = 6
_LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `logos alerts`."""
    parser.epilog = exit_codes(
        {
            0: "done; for `test`: every channel took it; for `list`: nothing is pending",
            1: "`test`: a channel failed; `list`: a channel has not got something yet",
            2: "wrong settings or command line, or LOGOS_HOME names no folder",
            3: "`run`: another process sends the alerts of this workspace",
            6: "`run`: what it must keep cannot be written or read",
        }
    )
    commands = parser.add_subparsers(dest="alerts_command", metavar="COMMAND", required=True)
    purpose = "watch the sessions of this workspace and send alerts, until SIGTERM"
    run_command = commands.add_parser("run", help=purpose, description=f"{purpose.capitalize()}.")
    _add_config(run_command)
    run_command.add_argument(
        "--until-idle", action="store_true", help="end once no session runs and all is told"
    )
    run_command.add_argument(
        "--session", metavar="ID", default="", help="a session that has just begun"
    )
    purpose = "send a test alert through each channel"
    test = commands.add_parser("test", help=purpose, description=f"{purpose.capitalize()}.")
    _add_config(test)
    test.add_argument("--channel", metavar="NAME", help="only this one")
    purpose = "show past alerts, and which channel has which"
    listing = commands.add_parser("list", help=purpose, description=f"{purpose.capitalize()}.")
    listing.add_argument(
        "-n", type=int, default=_LISTED, metavar="N", help=f"the latest N (default: {_LISTED})"
    )
    listing.add_argument("--pending", action="store_true", help="only what some channel lacks")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE.toml",
        help="settings with [alerts] (default: those of the sessions of this workspace)",
    )


def run(options: argparse.Namespace) -> int:
    """Do what was asked for; returns the exit code."""
    name = options.alerts_command
    try:
        workspace = find_here() or paths.home()  # as `logos trade`, whose sessions it watches
        if name == "list":
            return _list(workspace, options)
        given = _settings(options.config)
        return (
            _test(workspace, given, options) if name == "test" else _run(workspace, given, options)
        )
    except OSError as error:
        words = f"{error.filename or 'the alerts'}: {error.strerror}"
        print(f"logos alerts {name}: {words}", file=sys.stderr)
        return EXIT_CANNOT_WRITE
    except ConfigError as error:
        for problem in error.problems:
            print(f"logos alerts {name}: {problem}", file=sys.stderr)
        return EXIT_USAGE
    except LogosError as error:
        print(f"logos alerts {name}: {error}", file=sys.stderr)
        return _code_of(error)


def _code_of(error: LogosError) -> int:
    from logos.observe.alerts.outbox import OutboxDamagedError
    from logos.observe.alerts.sender import SenderBusyError

    if isinstance(error, SenderBusyError):
        return EXIT_BUSY
    return EXIT_CANNOT_WRITE if isinstance(error, OutboxDamagedError) else EXIT_USAGE


def _settings(file: str | None) -> AlertSettings | None:
    """The `[alerts]` of a settings file, with `.env` and the environment; None without a file.

    Raises ConfigError.
    """
    import msgspec

    from logos.config import load_config

    if file is None:
        return None
    config = load_config(file, {}, sends_orders=False)
    if config.alerts is msgspec.UNSET:
        raise ConfigError(f"{file}: it has no [alerts], so nobody would be told")
    return config.alerts


# ---- run ----


def _run(workspace: Path, given: AlertSettings | None, options: argparse.Namespace) -> int:
    from logos.observe.alerts.sender import Sender

    with UntilSignal() as signals, closing(Sender(workspace, given, options.session)) as sender:
        say(f"workspace {workspace}")
        say(f"alerts go to {', '.join(sender.channels) or 'nobody yet: no session has [alerts]'}")
        sender.run(signals, until_idle=options.until_idle)
    return 0


# ---- test ----


def _test(workspace: Path, given: AlertSettings | None, options: argparse.Namespace) -> int:
    from logos.config.environment import Environment
    from logos.observe.alerts.alert import test_message
    from logos.observe.alerts.channels.base import DeliveryError
    from logos.observe.alerts.channels.make import make_channel
    from logos.observe.alerts.settings import known_in

    settings = known_in(workspace) if given is None else given
    channels = dict(settings.channels)
    if options.channel is not None:
        if options.channel not in channels:
            there = ", ".join(sorted(channels)) or "none"
            raise WorkspaceError(f"there is no channel {options.channel}; there are: {there}")
        channels = {options.channel: channels[options.channel]}
    if not channels:
        raise WorkspaceError("no session of this workspace has [alerts]; name a file with --config")
    say(f"workspace {workspace}")
    environment = Environment.read()
    is_well = True
    for name, channel in channels.items():
        message = test_message(name, str(workspace), time.time_ns())
        try:
            make_channel(name, channel, environment).deliver(message)
            say(f"{name} ({channel.type.value}): OK")
        except (DeliveryError, ConfigError) as error:
            is_well = False
            say(f"{name} ({channel.type.value}): FAILED: {error}")
    return 0 if is_well else EXIT_FAILED


# ---- list ----


def _list(workspace: Path, options: argparse.Namespace) -> int:
    from logos.observe.alerts.outbox import alerts_folder, read_state

    state = read_state(alerts_folder(workspace))
    alerts = list(state.alerts.values())
    if options.pending:
        alerts = [alert for alert in alerts if state.is_pending(alert)]
    shown = alerts[-options.n :] if options.n > 0 else []
    if not options.json:
        say(f"workspace {workspace}")
        if not alerts:
            say("no alerts")
    for alert in shown:
        _print_alert(state, alert.id, options.json)
    return EXIT_FAILED if any(state.is_pending(alert) for alert in state.alerts.values()) else 0


def _print_alert(state: State, name: str, as_json: bool) -> None:
    from logos.observe.alerts.alert import moment

    alert = state.alerts[name]
    taken, failed = state.taken.get(name, {}), state.failed.get(name, {})
    deliveries = {}
    for channel in alert.channels:
        note, failure = taken.get(channel), failed.get(channel)
        deliveries[channel] = {
            "state": "pending" if note is None else note.outcome,
            "at": None if note is None else moment(note.time_ns),
            "error": note.error if note is not None else failure.error if failure else "",
        }
    if as_json:
        fields = {
            "id": alert.id,
            "kind": alert.kind.value,
            "session": alert.session,
            "time": moment(alert.time_ns),
            "text": alert.text,
            "next": alert.next,
            "deliveries": deliveries,
        }
        say(json.dumps(fields, ensure_ascii=False))
        return
    about = f" {alert.session}" if alert.session else ""
    say(f"{moment(alert.time_ns)}  {alert.kind.value}{about}: {alert.text}")
    for channel, each in deliveries.items():
        at = f" at {each['at']}" if each["at"] else ""
        error = f": {each['error']}" if each["error"] and each["state"] != "sent" else ""
        say(f"  {channel}: {each['state']}{at}{error}")
    if not deliveries:
        say("  no channel wanted it")
