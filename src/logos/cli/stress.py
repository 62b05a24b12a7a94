"""`logos stress`: many symbols at speed against a simulated terminal, judged from its files."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from logos.cli.exit_codes import exit_codes
from logos.installation import install_command

_NUMBERS: Final = (
    ("--signals", 0, "N", "signals per symbol (default: unlimited)"),
    ("--seconds", 0.0, "S", "stop after S seconds (default: when all signals are sent)"),
    ("--every", 1, "N", "signal on every Nth price (default: 1)"),
    ("--kill-after", 3.0, "S", "seconds from the start to --kill (default: 3)"),
    ("--reply-timeout", 2.0, "S", "the gateway's reply timeout, seconds (default: 2)"),
    ("--dead-after", 15.0, "S", "seconds of silence that make a terminal dead (default: 15)"),
    ("--in-flight", 8, "N", "market orders open at once, over all symbols (default: 8)"),
    (
        "--max-latency-ms",
        100.0,
        "N",
        "fail where 99 of 100 orders of a symbol take longer; 0: not judged (default: 100)",
    ),
    ("--min-rate", 0.0, "N", "fail below N orders a second (default: no minimum)"),
    ("--seed", 0, "N", "seed of prices, signals and faults (default: 0)"),
    ("--repeat", 1, "N", "repeat N times, seed + 1 each time (default: 1)"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos stress`."""
    parser.epilog = exit_codes(
        {0: "passed", 1: "failed: the report names the check", 2: "could not run"}
    )
    add = parser.add_argument
    symbols = "symbols by name, or how many to invent"
    add("--symbols", default="BTCUSD.s,ETHUSD.s,XAUUSD.s", help=symbols)
    interval = "milliseconds between prices: 10, or a range such as 1-20 (default: 10)"
    add("--interval-ms", default="10", metavar="N", help=interval)
    for name, default, metavar, words in _NUMBERS:
        add(name, type=type(default), default=default, metavar=metavar, help=words)
    add(
        "--faults",
        default="",
        metavar="A=N,...",
        help="faults of the simulator: lost=0.05,late=0.05,disconnect_every=5; slow_ms=2000 "
        "delays the answers of the last symbol",
    )
    add(
        "--kill",
        default="",
        choices=("switch", "engine", "simulator"),
        help="engage the switch, or SIGKILL a process, during the run",
    )
    ea = "whose words the simulator speaks (default: logos; see `logos mt5-sim`)"
    add("--ea", choices=("logos", "published"), default="logos", help=ea)
    hedging = "the simulated account is a hedging one: positions are closed by their tickets"
    add("--hedging", action="store_true", help=hedging)
    folder = "folder to create (default: stress)"
    add("--out", type=Path, default=Path("stress"), metavar="DIR", help=folder)
    add("--judge-only", action="store_true", help="judge the run in --out again")


def run(options: argparse.Namespace) -> int:
    """Run, judge, report; returns the exit code."""
    if find_spec("zmq") is None:
        print(f"logos stress needs ZeroMQ: {install_command('mt5')}", file=sys.stderr)
        return 2
    from logos.stress.command import StressError, stress

    def tell(text: str) -> None:
        print(f"logos stress: {text}", file=sys.stderr)

    try:
        is_passed = stress(options, tell)
    except (StressError, OSError) as error:
        tell(str(error))
        return 2
    return 0 if is_passed else 1
