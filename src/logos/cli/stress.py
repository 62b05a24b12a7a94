"""`logos stress`: many symbols at speed against a simulated terminal, judged from what is left.

Exit codes: 0 the report says PASS, 1 it says FAIL, 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from logos.cli.exit_codes import exit_codes
from logos.installation import install_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos stress`."""
    parser.epilog = exit_codes(
        {0: "passed", 1: "failed: the report names the judge", 2: "could not run"}
    )
    add = parser.add_argument
    add("--symbols", default="BTCUSD.s,ETHUSD.s,XAUUSD.s", help="names, or how many")
    add("--interval-ms", default="10", metavar="N", help="between prices: 10, or 1-20 for a spread")
    add("--signals", type=int, default=0, metavar="N", help="of each symbol (without end)")
    add("--seconds", type=float, default=0.0, metavar="S", help="how long (until all signals)")
    add("--every", type=int, default=1, metavar="N", help="a signal at each so many prices (1)")
    add(
        "--faults",
        default="",
        metavar="A=N,...",
        help="of the simulator: lost=0.05,late=0.05,disconnect_every=5; slow_ms=2000 makes the "
        "last symbol slow",
    )
    add(
        "--kill",
        default="",
        choices=("switch", "engine", "simulator"),
        help="throw the switch, or SIGKILL a process, in the middle",
    )
    add("--kill-after", type=float, default=3.0, metavar="S", help="when (3)")
    add("--reply-timeout", type=float, default=2.0, metavar="S", help="of the gateway (2)")
    add("--dead-after", type=float, default=15.0, metavar="S", help="of the gateway (15)")
    add("--min-rate", type=float, default=0.0, metavar="N", help="orders a second, or fail")
    add("--seed", type=int, default=0, metavar="N", help="of prices, signals and faults (0)")
    add("--repeat", type=int, default=1, metavar="N", help="so often, with seeds that count up")
    add("--out", type=Path, default=Path("stress"), metavar="DIR", help="a new folder (stress)")
    add("--judge-only", action="store_true", help="judge the run that is in --out again")


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
