"""`logos fleet budget`: how the total is shared out, and moving parts of it."""

from __future__ import annotations

import argparse
import sys
import time
from decimal import Decimal, InvalidOperation
from typing import Final

from logos.config import Config, ConfigError
from logos.config.terms.shards import shards_of
from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.operating import change_budgets, settle_budgets
from logos.killswitch.fleet.shards import Budgets, ask_back, give, retotal
from logos.session.fleet.taking import fleet_terms, ready_ledger

_EXIT_WAITS: Final = 3
_LOOK_S: Final = 0.1


def add_budget_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos fleet budget`."""
    parser.add_argument("--move", metavar="AMOUNT", type=_amount, help="so much")
    parser.add_argument("--from", dest="giver", metavar="SHARD", help="back from this shard")
    parser.add_argument("--to", dest="taker", metavar="SHARD", help="to this shard")
    parser.add_argument("--total", metavar="AMOUNT", type=_amount, help="a new total")
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=15.0,
        help="how long to wait for a shard to give back, seconds (default: 15)",
    )  # fmt: skip


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError(f"an amount of money above 0, not {text!r}")
    return amount


def change_budget(config: Config, options: argparse.Namespace) -> int:
    """Do what was parsed. Raises ConfigError, BudgetRefusedError, CoordinatorError."""
    giver, taker, amount = options.giver, options.taker, options.move
    if bool(giver or taker) != (amount is not None):
        raise ConfigError("--move AMOUNT goes with --from SHARD, --to SHARD, or both")
    store = ShardStore(fleet_terms(config))
    try:
        if options.total is not None:
            change_budgets(store, lambda ledger: retotal(ledger, options.total))
        ready_ledger(store, config)
        if taker:
            _check_ceiling(config, settle_budgets(store), taker, amount)
        if giver:
            change_budgets(store, lambda ledger: ask_back(ledger, giver, amount))
            if not _is_given_back(store, giver, options.timeout):
                print(
                    f"shard {giver} has not given {amount:f} back yet, so it stays counted there: "
                    "look at it (logos fleet status); once it has, "
                    + (f"--move {amount:f} --to {taker} gives it on" if taker else "it is free"),
                    file=sys.stderr,
                )
                _print(settle_budgets(store))
                return _EXIT_WAITS
        if taker:
            change_budgets(store, lambda ledger: give(ledger, taker, amount))
        _print(settle_budgets(store))
    finally:
        store.close()
    return 0


def _check_ceiling(config: Config, budgets: Budgets, shard: str, amount: Decimal) -> None:
    """Refuse what a session's own settings would not allow. Raises ConfigError."""
    own = shards_of(config).table.get(shard)
    if own is None:
        return  # the ledger refuses it, in its own words
    most = own.budget if own.budget_max is None else own.budget_max
    wanted = budgets.granted.get(shard, Decimal(0)) + amount
    if wanted > most:
        raise ConfigError(
            f"shard {shard} would have {wanted:f}, and its session allows {most:f}: "
            f"shards.table.{shard}.budget_max says how much it may be, when its session begins"
        )


def _is_given_back(store: ShardStore, shard: str, timeout_s: float) -> bool:
    until_s = time.monotonic() + timeout_s
    while shard in settle_budgets(store).wanted:
        if time.monotonic() >= until_s:
            return False
        time.sleep(_LOOK_S)
    return True


def _print(budgets: Budgets) -> None:
    for shard, granted in sorted(budgets.granted.items()):
        asked = budgets.wanted.get(shard)
        more = "" if asked is None else f", asked to go down to {asked.down_to:f}"
        print(f"{shard}: {granted:f}{more}")
    print(f"free: {budgets.free:f} of {budgets.total:f}")
