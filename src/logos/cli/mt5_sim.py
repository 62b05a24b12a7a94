"""`logos mt5-sim`: a simulated MetaTrader 5 terminal with the ZeroMQ bridge in it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from logos.cli.exit_codes import exit_codes
from logos.installation import install_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos mt5-sim`."""
    parser.epilog = exit_codes({0: "stopped", 2: "could not start"})
    add = parser.add_argument
    add("--symbols", default="", metavar="A,B", help="symbols with what is usual for their name")
    add(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME,key=value,...",
        help="one symbol: tick, lot, contract, price, quote, quotes (a CSV), interval_ms, "
        "commission (of one lot)",
    )
    add("--interval-ms", type=float, default=100.0, metavar="N", help="between prices (100)")
    add("--speed", type=float, default=1.0, metavar="X", help="how fast its clock runs (1)")
    add("--seed", type=int, default=0, metavar="N", help="of prices and faults (0)")
    add("--balance", default="100000", metavar="MONEY", help="of the account (100000)")
    add("--host", default="127.0.0.1", help="where to listen; others than this need --curve")
    add(
        "--ports",
        default="15555,15556,15557,15558",
        metavar="A,B,C,D",
        help="system, data, live, streaming; 0 is any free port, printed",
    )
    add("--audit", type=Path, default=Path("mt5-sim.jsonl"), metavar="FILE", help="what it did")
    add("--resume", action="store_true", help="continue with the books of the audit")
    add("--stop-after", type=float, default=0.0, metavar="S", help="end by itself (never)")
    add("--curve", type=Path, metavar="DIR", help="encrypt: server.key_secret, clients/*.key")
    add("--no-echo", action="store_true", help="answer as an unchanged Expert Advisor does")
    add("--in-order", action="store_true", help="slow and late answers hold up all others")
    faults = parser.add_argument_group("faults (shares are from 0 to 1)")
    for name, help_text in (
        ("unread", "requests that vanish"),
        ("ok-lost", "requests that are carried out without a word"),
        ("lost", "answers that are lost"),
        ("late", "answers that are late"),
        ("twice", "answers that come twice"),
        ("requote", "trades that are requoted"),
        ("partial", "market orders that are filled in part"),
    ):
        faults.add_argument(f"--{name}", type=float, default=0.0, metavar="P", help=help_text)
    add = faults.add_argument
    add("--late-ms", type=float, default=1000.0, metavar="N", help="how late (1000)")
    add("--twice-ms", type=float, default=0.0, metavar="N", help="how much later (0)")
    add("--retcode", action="append", default=[], metavar="CODE=P", help="trades refused so")
    add("--slow", action="append", default=[], metavar="SYMBOL=MS", help="a slow symbol")
    add("--disconnect-every", type=float, default=0.0, metavar="S", help="lose the broker")
    add("--disconnect-for", type=float, default=0.5, metavar="S", help="for this long (0.5)")
    add("--by-hand-every", type=float, default=0.0, metavar="S", help="trade by hand too")


def run(options: argparse.Namespace) -> int:
    """Run the simulator until it is stopped; returns the exit code."""
    try:
        from logos.simulators.mt5 import process
    except ModuleNotFoundError as error:
        if error.name != "zmq":
            raise
        print(f"logos mt5-sim needs ZeroMQ: {install_command('mt5')}", file=sys.stderr)
        return 2
    return int(process.run(options))
