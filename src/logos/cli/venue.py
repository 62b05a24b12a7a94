"""`logos venue`: list venues, and check whether one is ready to trade.

`check` is a dry run: it signs in, asks for the clock, the account and the rules of the session's
instruments, and compares. It sends no order and shows no key. The settings are those of a session,
read from the file, `.env`, the environment and these options.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from logos.adapters.catalog import ENTRIES
from logos.cli.exit_codes import exit_codes
from logos.config import Config, ConfigError, VenueName, load_config
from logos.core.instrument import Instrument
from logos.session import ExitCode
from logos.session.build import make_instruments
from logos.session.venue.preflight import dry_run
from logos.venues.contract import CheckLine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `logos venue`."""
    parser.epilog = exit_codes({0: "ready", 2: "not ready, or bad settings: see BAD"})
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="list the venues, and whether each library is installed")
    check = actions.add_parser(
        "check",
        help="a dry run: credentials, clock, rules and permissions; sends no order",
        description="A dry run of one venue. It sends no order and shows no key.",
    )
    check.add_argument("name", help="ccxt, alpaca, mt5, mt5-native or ib; or ccxt:EXCHANGE")
    check.add_argument("--config", metavar="FILE.toml", help="settings with the instruments")
    check.add_argument(
        "--sandbox",
        action=argparse.BooleanOptionalAction,
        help="the venue's test environment (default: as configured)",
    )
    check.add_argument(
        "--url", default="", help="another address than the venue's, such as a test server"
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Do what was asked for. 0 when all is well, 2 when something is not."""
    if options.action == "list":
        return _list()
    try:
        config = load_config(options.config, _overrides(options), sends_orders=False)
        lines = _check(config)
    except ConfigError as error:
        print(f"logos venue: {error}", file=sys.stderr)
        return int(ExitCode.BAD_CONFIGURATION)
    if config.venue.name is VenueName.PAPER:
        print("paper: the paper market is part of every session: there is nothing to check")
        return int(ExitCode.FINISHED)
    is_fine = all(line.is_ok for line in lines)
    if options.json:
        encoded = msgspec.json.encode({"fine": is_fine, "lines": lines})
        print(msgspec.json.format(encoded, indent=2).decode())
    else:
        _print_table(lines)
        print("all fine" if is_fine else "not ready: see BAD above", end="; no order was sent\n")
    return int(ExitCode.FINISHED if is_fine else ExitCode.BAD_CONFIGURATION)


def _list() -> int:
    width = max(len(entry.state) for entry in ENTRIES)
    for entry in ENTRIES:
        print(f"{entry.name:10} {entry.state:{width}}  {entry.summary}")
    return int(ExitCode.FINISHED)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line says about `[venue]`."""
    name, _, exchange = options.name.partition(":")
    venue: dict[str, Any] = {"name": name}
    if exchange:
        venue["exchange"] = exchange
    if options.sandbox is not None:
        venue["sandbox"] = options.sandbox
    if options.url:
        venue["url"] = options.url
    return {"venue": venue}


def _check(config: Config) -> list[CheckLine]:
    """The lines of the dry run. Raises ConfigError."""
    if config.venue.name is VenueName.PAPER:
        return []
    instruments = _instruments(config)
    lines = list(dry_run(config, instruments))
    if not instruments:
        words = "none configured, so no market's rules were compared (give --config)"
        lines.append(CheckLine("instruments", True, words))
    return lines


def _instruments(config: Config) -> dict[str, Instrument]:
    """The instruments of the session: those configured, or of them the symbols it trades."""
    chosen = set(config.data.symbols)
    settings = {
        symbol: each
        for symbol, each in config.instruments.items()
        if not chosen or symbol in chosen
    }
    return make_instruments(settings) if settings else {}


def _print_table(lines: Sequence[CheckLine]) -> None:
    width = max(len(line.name) for line in lines)
    for line in lines:
        print(f"{'ok ' if line.is_ok else 'BAD'}  {line.name:{width}}  {line.detail}")
