"""`logos mt5-sim`: a simulated MetaTrader 5 terminal with the ZeroMQ bridge in it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from logos.cli.exit_codes import exit_codes
from logos.installation import install_command

_MARKET: Final = (
    ("--interval-ms", 100.0, "N", "milliseconds between prices (default: 100)"),
    ("--speed", 1.0, "X", "speed of its clock (default: 1)"),
    ("--stop-after", 0.0, "S", "stop after S seconds (default: never)"),
)
_SHARES: Final = (
    ("--unread", "requests that vanish"),
    ("--ok-lost", "requests carried out and not answered"),
    ("--lost", "answers that are lost"),
    ("--late", "answers that are late"),
    ("--twice", "answers sent twice"),
    ("--requote", "trades requoted"),
    ("--partial", "market orders filled in part"),
    ("--damaged", "lists after an error about an entry (--ea published)"),
)
_FAULTS: Final = (
    ("--late-ms", 1000.0, "N", "delay of late answers, milliseconds (default: 1000)"),
    ("--twice-ms", 0.0, "N", "delay of the second answer, milliseconds (default: 0)"),
    ("--disconnect-every", 0.0, "S", "lose the broker every S seconds (default: never)"),
    ("--disconnect-for", 0.5, "S", "lose it for S seconds (default: 0.5)"),
    ("--by-hand-every", 0.0, "S", "simulate a manual trade every S seconds (default: never)"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos mt5-sim`."""
    parser.epilog = exit_codes({0: "stopped", 2: "could not start"})
    add = parser.add_argument
    contracts = "symbols; contract terms inferred from the name"
    add("--symbols", default="", metavar="A,B", help=contracts)
    add(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME,key=value,...",
        help="one symbol: tick, lot, contract, price, quote, quotes (a CSV), interval_ms, "
        "commission (of one lot)",
    )
    for name, default, metavar, words in _MARKET:
        add(name, type=float, default=default, metavar=metavar, help=words)
    add("--seed", type=int, default=0, metavar="N", help="seed of prices and faults (default: 0)")
    balance = "balance of the account (default: 100000)"
    add("--balance", default="100000", metavar="MONEY", help=balance)
    add("--host", default="127.0.0.1", help="address to listen on; any but this one needs --curve")
    add(
        "--ports",
        default="15555,15556,15557,15558",
        metavar="A,B,C,D",
        help="system, data, live, streaming; 0 is any free port, printed",
    )
    audit = "log of what it did (default: mt5-sim.jsonl)"
    add("--audit", type=Path, default=Path("mt5-sim.jsonl"), metavar="FILE", help=audit)
    add("--resume", action="store_true", help="resume from the audit's books")
    add("--curve", type=Path, metavar="DIR", help="encrypt: server.key_secret, clients/*.key")
    plain = "leave out request ids, as an unmodified Expert Advisor does"
    add("--no-echo", action="store_true", help=plain)
    add("--in-order", action="store_true", help="slow and late answers delay all others")
    _add_expert(parser)
    _add_faults(parser)


def _add_expert(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the Expert Advisor").add_argument
    words = "whose words it speaks: logos' own or the published MQL5-JSON-API's (default: logos)"
    add("--ea", choices=("logos", "published"), default="logos", help=words)
    timer = "published: milliseconds between requests that it reads (default: 15.6)"
    add("--timer-ms", type=float, default=1000 / 64, metavar="N", help=timer)
    chart = "published: symbol of its chart, whose digits it rounds to (default: the first)"
    add("--chart", default="", metavar="SYMBOL", help=chart)
    hedging = "a hedging account: each order opens a position of its own"
    add("--hedging", action="store_true", help=hedging)
    ticket = "number of the first order (default: 1001)"
    add("--first-ticket", type=int, default=1001, metavar="N", help=ticket)
    offset = "seconds that the broker's clock is ahead of UTC (default: 0)"
    add("--server-offset", type=int, default=0, metavar="S", help=offset)


def _add_faults(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("faults (shares are from 0 to 1)").add_argument
    for name, words in _SHARES:
        add(name, type=float, default=0.0, metavar="P", help=words)
    for name, default, metavar, words in _FAULTS:
        add(name, type=float, default=default, metavar=metavar, help=words)
    refused = "refuse the share P of trades with CODE"
    add("--retcode", action="append", default=[], metavar="CODE=P", help=refused)
    slow = "delay every answer of SYMBOL"
    add("--slow", action="append", default=[], metavar="SYMBOL=MS", help=slow)


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
