"""The `logos` command. `python -m logos.live` is the same.

Each command imports what it needs when it is chosen, so that help answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module

from logos import __version__
from logos.held_signals import SESSION_COMMANDS, command_of, held
from logos.installation import system_problem
from logos.shown import shown_output

_COMMANDS = {
    "trade": (
        "run a session (recorded or live data; paper unless --live)",
        "logos.cli.trade",
    ),
    "launch": ("check, self-test, initialise and start a session", "logos.cli.launch.command"),
    "run": (
        "start a session or continue it, whichever it needs (for supervisors)",
        "logos.cli.running.run",
    ),
    "resume": ("resume a stopped or crashed session", "logos.cli.resume"),
    "reconcile": (
        "book what a venue proves of a session that a difference halted",
        "logos.cli.running.reconcile",
    ),
    "flatten": ("close every position of a session, on the record", "logos.cli.flatten"),
    "replay": ("run a session again and compare every byte", "logos.cli.replay"),
    "verify": ("recompute a session's books and check its journal", "logos.cli.verify"),
    "inspect": ("show a session, running or not; follow its records", "logos.cli.inspect"),
    "report": (
        "make a session's report.html, a page that shows what it came to; --open",
        "logos.cli.results.report",
    ),
    "export": ("write a session's daily returns as CSV", "logos.cli.results.export"),
    "status": ("show the switch, running sessions, and what ended lately", "logos.cli.status"),
    "health": ("say in one line whether a session is well, for probes", "logos.cli.running.health"),
    "sessions": ("list, show, measure and prune sessions", "logos.cli.sessions.command"),
    "compare": (
        "compare sessions: figures, settings, equity over each other; --html",
        "logos.cli.sessions.compare",
    ),
    "sweep": (
        "run one strategy over many parameters, on all cores or on a Dask cluster",
        "logos.cli.results.sweep",
    ),
    "watch": ("watch all sessions on one screen; pause and kill", "logos.cli.observing.watch"),
    "metrics": (
        "serve all sessions of this user as Prometheus metrics",
        "logos.cli.observing.metrics",
    ),
    "dashboard": (
        "show the sessions of a workspace in a browser, read only",
        "logos.cli.observing.dashboard",
    ),
    "pause": ("pause a symbol of a live session, or all of it; --undo", "logos.cli.pause"),
    "kill": ("stop all trading at once; show, reset and trace the switch", "logos.cli.kill"),
    "fleet": (
        "plan, start, watch and stop shards: many symbols over many machines",
        "logos.cli.fleet.command",
    ),
    "ship": (
        "send what sessions wrote to Kafka brokers, as it becomes final",
        "logos.cli.running.ship",
    ),
    "alerts": ("tell people what happens: run, test, list", "logos.cli.observing.alerts"),
    "rehearse": ("rehearse incidents with your strategy and data", "logos.cli.rehearse"),
    "data": ("make, fetch, import, list and check market data", "logos.cli.data.command"),
    "new": ("write a strategy of your own, its settings and a test", "logos.cli.strategy.new"),
    "strategy": ("show what a strategy hears and its parameters", "logos.cli.strategy.command"),
    "config": ("validate, show or generate settings", "logos.cli.config"),
    "venue": ("list venues; check one without sending an order", "logos.cli.venue"),
    "mt5-sim": ("simulate a MetaTrader 5 terminal with its ZeroMQ bridge", "logos.cli.mt5_sim"),
    "stress": (
        "run many symbols at speed against a simulated terminal, and judge the run",
        "logos.cli.stress",
    ),
    "doctor": ("check this machine: versions, paths, permissions, clock", "logos.cli.doctor"),
}

_BAD_COMMAND_LINE = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    What a terminal would obey in the words of others is spelled out, wherever they are printed.
    """
    with shown_output():
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = command_of(given)
    try:
        with held() if name in SESSION_COMMANDS else nullcontext():
            return _run(given, name)
    except KeyboardInterrupt:
        # Importing a command takes a moment, too.
        print(f"logos {name}: interrupted before it was done", file=sys.stderr)
        return _INTERRUPTED


def _run(given: list[str], name: str) -> int:
    if name and name not in _COMMANDS:
        print(_unknown(name), file=sys.stderr)
        return _BAD_COMMAND_LINE
    problem = system_problem() if name else ""
    if problem:
        print(f"logos {name}: {problem}", file=sys.stderr)
        return _BAD_COMMAND_LINE
    parser = make_parser(name)
    if not given:
        parser.print_help()
        return 0
    options = parser.parse_args(given)
    if not name:
        parser.error("a COMMAND is missing; `logos --help` lists them")
    run: Callable[[argparse.Namespace], int] = import_module(_COMMANDS[name][1]).run
    try:
        return run(options)
    except BrokenPipeError:
        # The reader of our output has closed it; the command's work is done all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def make_parser(chosen: str) -> argparse.ArgumentParser:
    """The parser of the command line; only `chosen` has its arguments (its module is imported)."""
    parser = argparse.ArgumentParser(
        prog="logos",
        description="A paper-first trading engine whose safety can be proved.",
        epilog="`logos COMMAND --help` shows a command's options and its exit codes.",
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"logos {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (purpose, module) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=purpose,
            description=purpose[0].upper() + purpose[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            import_module(module).add_arguments(command)
    return parser


class _Formatter(argparse.HelpFormatter):
    """Leaves room for the longest command: argparse forgets by how much commands are indented."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(map(len, _COMMANDS)) + 2 * self._indent_increment


def _unknown(name: str) -> str:
    """What to say of a command that does not exist."""
    from difflib import get_close_matches

    meant = get_close_matches(name.lower(), _COMMANDS, n=1)
    hint = f"did you mean `logos {meant[0]}`?" if meant else "`logos --help` lists the commands"
    return f"logos: there is no command {name!r}; {hint}"


if __name__ == "__main__":
    sys.exit(main())
