"""`logos ship`: send what the sessions of this workspace wrote to Kafka brokers.

A process of its own beside the sessions: it reads their journals, and no session knows of it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from logos import paths
from logos.cli.exit_codes import exit_codes
from logos.cli.running.here import find_named, say
from logos.cli.running.until_signal import UntilSignal

_CODES = {
    0: "stopped by a signal; with --once: all that is final was shipped",
    1: "a session could not be shipped on, or with --once not all was acknowledged before "
    "--wait or a signal ended it",
    2: "bad settings or command line, or a shipper of that name runs already",
    6: "a file of the workspace cannot be written or read",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos ship`."""
    parser.epilog = exit_codes(_CODES)
    parser.add_argument(
        "--kafka",
        metavar="BROKERS",
        help="addresses, HOST:PORT with commas between (default: brokers in [ship.kafka])",
    )
    parser.add_argument("--config", metavar="FILE", help="settings with a table [ship.kafka]")
    parser.add_argument(
        "--sessions", nargs="+", default=[], metavar="ID", help="only these (default: all)"
    )
    parser.add_argument("--prefix", help='what topics begin with (default: "logos.")')
    parser.add_argument(
        "--inputs",
        action="store_true",
        default=None,
        help="also what live sessions recorded: with it a session can be restored elsewhere "
        "(logos sessions restore)",
    )
    parser.add_argument(
        "--create-partitions",
        type=int,
        metavar="N",
        help="make topics that are missing, with N partitions (default: they must be there)",
    )
    parser.add_argument(
        "--name",
        default="kafka",
        help="of this shipper: each keeps its own place (default: kafka)",
    )
    parser.add_argument(
        "--once", action="store_true", help="ship what is there, and end; do not wait for more"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="with --once: how long to wait for brokers that acknowledge nothing (default: 60)",
    )


def run(options: argparse.Namespace) -> int:
    """Ship until a signal comes; returns the exit code."""
    from logos.errors import ConfigError, WorkspaceError

    try:
        workspace = find_named()
        say(f"logos ship: workspace {workspace}")
        return _ship(options, workspace)
    except (ConfigError, WorkspaceError) as error:
        print(f"logos ship: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        print(f"logos ship: {error.filename}: {error.strerror}", file=sys.stderr)
        return 6


def _ship(options: argparse.Namespace, workspace: Path) -> int:
    from logos.config import load_config
    from logos.config.tables.kafka import ShipSettings
    from logos.config.tables.kafka_options import kafka_options, kafka_problems
    from logos.errors import ConfigError
    from logos.installation import install_command
    from logos.observe.shipping.kafka import KINDS, KafkaTarget
    from logos.observe.shipping.messages import INPUTS_TOPIC
    from logos.observe.shipping.progress import Progress
    from logos.observe.shipping.shipper import Shipper

    config = load_config(options.config, _overrides(options), sends_orders=False)
    settings = (ShipSettings() if config.ship is msgspec.UNSET else config.ship).kafka
    if not settings.brokers:
        raise ConfigError("no brokers are named: give --kafka HOST:PORT, or [ship.kafka] brokers")
    problems = kafka_problems(settings, "ship.kafka")
    if problems:
        raise ConfigError("; ".join(problems))
    _check_sessions(options.sessions, workspace, must_be_there=options.once)
    with Progress(options.name, workspace) as progress, UntilSignal() as signals:
        try:
            target = KafkaTarget(
                kafka_options(settings),
                settings.prefix,
                settings.compression.value,
                settings.create_partitions,
                settings.create_replicas,
                (*KINDS, INPUTS_TOPIC) if settings.inputs else KINDS,
            )
        except ImportError as error:
            raise ConfigError(
                f"shipping to Kafka needs a library that is not installed ({error.name}): "
                f"{install_command('kafka')}"
            ) from None
        try:
            shipper = Shipper(
                target,
                progress,
                _tell,
                workspace=workspace,
                sessions=options.sessions,
                with_inputs=settings.inputs,
            )
            is_all = shipper.run(signals.is_set, once=options.once, wait_s=options.wait)
            status = shipper.status()
        finally:
            target.close()
    say(
        f"logos ship: {status.acknowledged} messages acknowledged; {len(status.sessions)} sessions,"
        f" {status.waiting_bytes} bytes wait"
    )
    return 0 if is_all else 1


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    named = {
        "brokers": options.kafka,
        "prefix": options.prefix,
        "inputs": options.inputs,
        "create_partitions": options.create_partitions,
    }
    given = {name: value for name, value in named.items() if value is not None}
    return {"ship": {"kafka": given}} if given else {}


def _check_sessions(names: list[str], workspace: Path, *, must_be_there: bool) -> None:
    from logos.errors import ConfigError

    for name in names:
        try:
            folder = paths.within(workspace, paths.session_dir(name))
        except ValueError as error:
            raise ConfigError(str(error)) from None
        if must_be_there and not folder.is_dir():
            raise ConfigError(f"no such session: there is no {folder}")


def _tell(text: str) -> None:
    print(f"logos ship: {text}", file=sys.stderr, flush=True)
