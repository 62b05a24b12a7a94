"""`logos trade`: run one paper session and print how it went.

Everything that stops a session is one message on standard error and one exit code; the result
goes to standard output, as a table or, with `--json`, as one JSON object and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tqdm import tqdm

from logos.config import ConfigError
from logos.feeds.errors import DataError
from logos.session import ExitCode, SessionResult, SwitchEngagedError
from logos.session.guardian import tell_operator
from logos.session.plan import Plan
from logos.session.report import result_table
from logos.session.runner import Progress, config_from
from logos.session.runner import run as run_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos trade`."""
    parser.add_argument("--config", metavar="FILE.toml", help="settings; options here override it")
    parser.add_argument("--session-id", metavar="ID", help="default: the next free session-NNNN")
    parser.add_argument(
        "--strategy", metavar="NAME", help="a bundled name, module:Class or file.py:Class"
    )
    parser.add_argument(
        "--param",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a parameter of the strategy (repeatable)",
    )
    parser.add_argument(
        "--signals", metavar="FILE.csv", help="drive the session by signals instead of a strategy"
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        action="append",
        help="a file or folder of market data (repeatable); order breaks ties of time",
    )
    parser.add_argument("--symbols", metavar="A,B", help="trade only these")
    parser.add_argument("--from", dest="start", metavar="TIME", help="ISO-8601 UTC, inclusive")
    parser.add_argument("--to", dest="end", metavar="TIME", help="ISO-8601 UTC, exclusive")
    parser.add_argument(
        "--accept", metavar="KINDS", help="kinds of data defects to tolerate: gap,crossed,..."
    )
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the session's generator")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the session; returns the exit code."""
    shows_progress = not (options.quiet or options.json)
    try:
        config = config_from(options.config, _overrides(options))
        with _Bar(shows_progress) as bar:
            tell = _say_nothing if options.quiet else tell_operator
            result = run_session(config, on_plan=bar.start, tell=tell)
    except ConfigError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    except DataError as error:
        return _complain(error, ExitCode.BAD_DATA)
    except SwitchEngagedError as error:
        return _complain(error, ExitCode.HALTED)
    except OSError as error:
        return _complain(
            f"cannot write {error.filename or 'the session'}: {error.strerror}; "
            "see `logos doctor`, or set LOGOS_HOME to a folder you may write to",
            ExitCode.CANNOT_WRITE,
        )
    try:
        _print_result(result, options)
    except OSError as error:
        return _complain(
            f"the session is in {result.folder}, but its result cannot be printed: {error}",
            ExitCode.CANNOT_WRITE,
        )
    return int(result.exit_code)


def _say_nothing(_: str) -> None:
    """`--quiet`."""


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line says, as the tables of the settings file."""
    params: dict[str, str] = {}
    for text in options.param:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--param {text}: write it as KEY=VALUE")
        params[key] = value
    tables: dict[str, dict[str, Any]] = {
        "session": {"id": options.session_id, "seed": options.seed},
        "strategy": {
            "name": options.strategy,
            "signals": options.signals,
            "params": params or None,
        },
        "data": {
            "paths": options.data,
            "symbols": _words(options.symbols),
            "from": options.start,
            "to": options.end,
            "accept": _words(options.accept),
        },
    }
    # Choosing one way to decide on the command line takes back the other of the file.
    if options.signals:
        tables["strategy"]["name"] = ""
    elif options.strategy:
        tables["strategy"]["signals"] = ""
    return {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in tables.items()
    }


def _words(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [word.strip() for word in text.split(",") if word.strip()]


class _Bar:
    """The progress bar, which appears when the session starts."""

    def __init__(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._bar: Any = None

    def start(self, plan: Plan) -> Progress:
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

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _print_result(result: SessionResult, options: argparse.Namespace) -> None:
    if options.json:
        whole = {**result.summary, "folder": str(result.folder), "host": dict(result.host)}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    elif not options.quiet:
        print(result_table(result.summary, result.host["ticks_per_second"]))
        print(f"\nfolder    {result.folder}")
    if result.exit_code not in (ExitCode.FINISHED, ExitCode.HALTED):
        print(f"logos trade: {result.reason}", file=sys.stderr)
        print(f"What was done until then is in {result.folder}", file=sys.stderr)


def _complain(error: object, code: ExitCode) -> int:
    print(f"logos trade: {error}", file=sys.stderr)
    return int(code)
