"""What the commands that run sessions share: one message and one exit code for every outcome."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, Final

from tqdm import tqdm

from logos.cli.screen.live import Screen
from logos.cli.screen.result import figures_of, result_lines
from logos.cli.screen.terminal import Terminal
from logos.config import ConfigError
from logos.errors import DataError
from logos.journal.lock import SessionBusyError
from logos.journal.writer import JournalDiffersError
from logos.session import ExitCode, SessionResult, SwitchEngagedError
from logos.session.artifacts.report import held_words
from logos.session.disk import DiskLowError
from logos.session.entry import SessionDiffersError
from logos.session.history import JournalDamagedError
from logos.session.outcome import HOLDINGS, ORDERS_LEFT
from logos.session.plan import Plan
from logos.session.presence.registry import RegistryError
from logos.session.restoring import CannotResumeError
from logos.session.source import Progress
from logos.session.supervisor import SessionStoppedError

_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (ConfigError, ExitCode.BAD_CONFIGURATION),
    (CannotResumeError, ExitCode.BAD_CONFIGURATION),
    (SessionBusyError, ExitCode.BAD_CONFIGURATION),
    (RegistryError, ExitCode.CANNOT_WRITE),
    (DataError, ExitCode.BAD_DATA),
    (SwitchEngagedError, ExitCode.HALTED),
    (DiskLowError, ExitCode.DISK_LOW),
    (JournalDamagedError, ExitCode.DAMAGED),
    (JournalDiffersError, ExitCode.DIFFERS),
    (SessionDiffersError, ExitCode.DIFFERS),
)


QUIET: Final = "no banner, bar, lines or table; alarms are printed all the same"
"""What `--quiet` means, in every command that runs sessions."""
VERBOSE: Final = "say in the table how fast the session ran, too"

_NOTICES: Final = (
    "CORPORATE_ACTION",
    "DUST",
    "UNUSED_SIGNALS",
    "TARGET_PENDING",
    "UNHEARD_DATA",
    "CARRIED",
    "NO_EVENTS",
    "NO_SIZES",
)
"""Warnings that say what was left over; all others are alarms."""
_WARNINGS_MAX: Final = 20
_FORCED: Final = 130
"""What a shell expects of a process that an interrupt ended."""


def add_shown(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a command that runs a session prints."""
    parser.add_argument("--quiet", action="store_true", help=QUIET)
    parser.add_argument("--verbose", action="store_true", help=VERBOSE)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


class ProgressBar:
    """A progress bar on standard error, which appears when the session starts."""

    def __init__(self, is_wanted: bool, screen: Screen) -> None:
        """`screen` shows what the bar does not: what a session is, and how a live one stands."""
        self.screen = screen
        self._is_wanted = is_wanted
        self._bar: Any = None
        self._output = sys.stdout

    def say(self, text: str) -> None:
        """Print a result on standard output, where nothing that a strategy prints goes."""
        print(text, file=self._output)

    def start(self, plan: Plan) -> Progress:
        """Begin to show progress; returns what to call with the events of each chunk."""
        # Without a terminal tqdm would print a line for every update: it stays silent there.
        self._bar = tqdm(
            total=plan.rows,
            unit=" ticks",
            unit_scale=True,
            disable=None if self._is_wanted else True,
            desc=plan.strategy_name,
            leave=False,
        )
        update: Progress = self._bar.update
        return update

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def attempt(
    go: Callable[[ProgressBar], SessionResult | None], options: argparse.Namespace, command: str
) -> int:
    """Run `go`, print its result, and turn whatever it raises into a message and an exit code.

    `options` has `quiet` and `json`.
    """

    def complain(error: object, code: int) -> int:
        for note in getattr(error, "__notes__", ()):  # how the user's code came to fail
            print(note, file=sys.stderr)
        print(f"logos {command}: {error}", file=sys.stderr)
        return int(code)

    try:
        # Whatever a strategy prints is no result, and must not stand within one.
        is_watched = not (options.quiet or options.json)
        screen = Screen(is_quiet=options.quiet, has_lines=is_watched)
        with ProgressBar(is_watched, screen) as bar, redirect_stdout(sys.stderr):
            result = go(bar)
    except tuple(kind for kind, _ in _CODES) as error:
        return complain(error, next(code for kind, code in _CODES if isinstance(error, kind)))
    except OSError as error:
        return complain(
            f"cannot write {error.filename or 'the session'}: {error.strerror}; "
            "see `logos doctor`, or set LOGOS_HOME to a folder you may write to",
            ExitCode.CANNOT_WRITE,
        )
    except SessionStoppedError as error:
        return complain(error, _FORCED if error.is_replay else ExitCode.FINISHED)
    except KeyboardInterrupt:
        return complain(
            "terminated by a second signal; `logos resume` finishes the session", _FORCED
        )
    if result is None:
        return int(ExitCode.FINISHED)
    _make_report(result)
    try:
        _print_result(result, options, command)
    except OSError as error:
        return complain(
            f"the session is in {result.folder}, but its result cannot be printed: {error}",
            ExitCode.CANNOT_WRITE,
        )
    return int(result.exit_code)


def _make_report(result: SessionResult) -> None:
    """The page about a session that has ended; what goes wrong with it changes nothing else."""
    from logos.report import try_report  # other commands do not pay for it

    problem = try_report(result.folder)
    if problem:
        print(problem, file=sys.stderr)


def _print_result(result: SessionResult, options: argparse.Namespace, command: str) -> None:
    if options.json:
        whole = {**result.summary, "folder": str(result.folder), "host": dict(result.host)}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    elif not options.quiet:
        terminal = Terminal(sys.stdout)
        lines = result_lines(result, figures_of(result), terminal, is_verbose=options.verbose)
        terminal.print("\n".join(lines))
    else:
        for line in alarms(result):
            print(f"ALARM: {line}", file=sys.stderr)
    sys.stdout.flush()
    is_unequal = HOLDINGS in result.reason
    if is_unequal or result.exit_code not in (ExitCode.FINISHED, ExitCode.HALTED):
        print(f"logos {command}: {result.reason}", file=sys.stderr)
        print(f"What was done before is in {result.folder}", file=sys.stderr)


def alarms(result: SessionResult) -> list[str]:
    """What an operator must hear of a session however quiet the command is, a line for each."""
    summary = result.summary
    lines = []
    if result.exit_code is ExitCode.HALTED:
        lines.append(f"{result.status.value}: {result.reason}")
        if any(summary["held"].values()):
            lines.append(f"it still holds {held_words(summary)}")
    elif summary["switch_state"] != "SAFE":
        reasons = [change["reason"] for change in summary["switch"]][-1:]
        lines.append(f"the kill switch is {summary['switch_state']}: {''.join(reasons)}")
    if result.exit_code is ExitCode.FINISHED and ORDERS_LEFT in result.reason:
        lines.append(result.reason)
    lines += [f"guard {name} acted, {count} times" for name, count in summary["guards"].items()]
    if summary["headline"] and (summary["refused"] or summary["orders"]):
        lines.append(summary["headline"])
    warnings = [each for each in summary["warnings"] if each["code"] not in _NOTICES]
    for each in warnings[:_WARNINGS_MAX]:
        about = " ".join(filter(None, (each["code"], each["symbol"])))
        lines.append(f"{about}: {each['detail']}")
    if len(warnings) > _WARNINGS_MAX or summary["warning_count"] > len(summary["warnings"]):
        lines.append(f"{summary['warning_count']} warnings in all: {result.folder / 'session.md'}")
    return lines
