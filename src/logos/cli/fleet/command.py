"""`logos fleet`: plan, start, watch and stop a fleet of shards, and move its budgets.

A shard is some symbols of one settings file, and one session that trades them. One machine owns a
shard at a time, by a claim in the fleet's coordinator; another goes on with its session when the
claim has ended. See docs/SCALE.md.

Exit codes:
  0  done; for `status`: every shard is owned, and may trade; for `start`: as `logos trade`
  1  for `status`: a shard has no owner, is blocked or late, or the fleet is not SAFE
  2  the settings or the command line are wrong
  3  for `budget`: what was asked back is not given back yet; it stays counted where it is
  4  for `start`: the shard is owned by another, or nothing may be traded; for `budget`: refused
  5  for `kill`: as `logos kill`, also 3 and 6
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from logos.cli.fleet.budget import add_budget_arguments, change_budget
from logos.cli.fleet.showing import print_plan, print_status
from logos.cli.fleet.start import add_start_arguments, start
from logos.cli.kill import REASON_DEFAULT, TIMEOUT_DEFAULT_S
from logos.cli.running.fleet import stop_fleet
from logos.cli.running.stopping import Order, login
from logos.config import Config, ConfigError, load_config
from logos.config.terms.shards import shards_of
from logos.errors import LogosError
from logos.killswitch.fleet.records import CoordinatorError
from logos.killswitch.fleet.shards import BudgetRefusedError
from logos.session.fleet.taking import fleet_terms

_EXIT_USAGE: Final = 2
_EXIT_REFUSED: Final = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the arguments of `logos fleet`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2]
    commands = parser.add_subparsers(dest="fleet_command", metavar="COMMAND", required=True)
    plan = commands.add_parser("plan", help="check the table of shards, and show it; asks nobody")
    starting = commands.add_parser("start", help="own shards on this machine, and trade them")
    status = commands.add_parser("status", help="who owns each shard, its budget, what it holds")
    kill = commands.add_parser("kill", help="stop the whole fleet, as `logos kill --fleet`")
    budget = commands.add_parser("budget", help="move budgets between shards, or show them")
    for each in (plan, starting, status, kill, budget):
        each.add_argument("--config", metavar="FILE", required=True, help="settings with [shards]")
    for each in (plan, status):
        each.add_argument("--json", action="store_true", help="one JSON object")
    add_start_arguments(starting)
    kill.add_argument("--reason", default=REASON_DEFAULT, help="why (default: operator)")
    kill.add_argument("--by", metavar="WHO", default=None, help="who (default: your login)")
    kill.add_argument(
        "--timeout", metavar="S", type=float, default=TIMEOUT_DEFAULT_S,
        help=f"how long to wait for engines, seconds (default: {TIMEOUT_DEFAULT_S:g})",
    )  # fmt: skip
    add_budget_arguments(budget)


def run(options: argparse.Namespace) -> int:
    """Do what was parsed; the exit code, see the module."""
    command = options.fleet_command
    try:
        config = load_config(options.config, {}, sends_orders=False)
        shards_of(config)
        if command == "plan":
            return print_plan(config, as_json=options.json)
        if command == "start":
            return start(config, options)
        if command == "status":
            return print_status(config, as_json=options.json)
        if command == "kill":
            return _kill(config, options)
        return change_budget(config, options)
    except ConfigError as error:
        return _complain(command, error, _EXIT_USAGE)
    except (CoordinatorError, BudgetRefusedError) as error:
        return _complain(command, error, _EXIT_REFUSED)


def _complain(command: str, error: LogosError, code: int) -> int:
    print(f"logos fleet {command}: {error}", file=sys.stderr)
    return code


def _kill(config: Config, options: argparse.Namespace) -> int:
    fleet = fleet_terms(config).fleet
    by = options.by or login()
    order = Order("engage", options.reason, by, options.timeout, here_only=False, session_id="")
    return stop_fleet(fleet, options.config, order)
