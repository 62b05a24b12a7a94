"""The `logos` command. `python -m logos.live` is the same.

Each command imports what it needs when it is chosen, so that help answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from logos import __version__

_EXIT_CODES = """\
exit codes:
  0  finished
  1  internal error (a bug: please report it), or a check that found something wrong
  2  bad configuration or command line
  3  bad data
  4  halted by the kill switch or a guard
  5  the strategy failed
  6  a file or folder cannot be written, or read
  7  a journal with a torn end, or a session without its last files: `logos resume` goes on
  8  a damaged journal: the place is named
  9  a session differs from what its journal, data or fills say
  130  forced to end by a second signal
"""

_COMMANDS = {
    "trade": ("run a paper session over recorded data", "logos.cli.trade"),
    "resume": ("go on with a stopped or crashed session", "logos.cli.resume"),
    "flatten": ("close every position of a session, on the record", "logos.cli.flatten"),
    "replay": ("run a session again and compare every byte", "logos.cli.replay"),
    "verify": ("recompute a session's books and check its journal", "logos.cli.verify"),
    "inspect": ("show a session, running or not; follow its records", "logos.cli.inspect"),
    "status": ("show the live sessions of this machine and whether they turn", "logos.cli.status"),
    "pause": ("pause a symbol of a live session, or all of it; --undo", "logos.cli.pause"),
    "kill": ("stop all trading at once; show, reset and trace the switch", "logos.cli.kill"),
    "rehearse": ("rehearse incidents with your strategy and data", "logos.cli.rehearse"),
    "data": ("make, import, list and check market data", "logos.cli.data"),
    "config": ("check, show or begin the settings of a session", "logos.cli.config"),
    "venue": ("list venues; check one without sending an order", "logos.cli.venue"),
    "mt5-sim": ("simulate a MetaTrader 5 terminal with its ZeroMQ bridge", "logos.cli.mt5_sim"),
    "stress": ("many symbols at speed against a simulated terminal, judged", "logos.cli.stress"),
    "doctor": ("check this machine: versions, paths, permissions, clock", "logos.cli.doctor"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="logos",
        description="A paper-first trading engine whose safety can be proved.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"logos {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Only the chosen command's module is imported; the others are listed by name and purpose.
    chosen = next((word for word in given if word in _COMMANDS), None)
    for name, (purpose, module) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=purpose,
            description=purpose[0].upper() + purpose[1:] + ".",
            epilog=_EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            import_module(module).add_arguments(command)
            command.set_defaults(run=import_module(module).run)
    options = parser.parse_args(given)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except BrokenPipeError:
        # Whoever read our output has stopped; what was asked for is done all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
