"""`logos rehearse`: run incidents with your own strategy and data, and see what would happen.

A scenario that does not apply to the data is reported as such, and is no failure; if none applies,
the rehearsal fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from logos.cli import trade
from logos.cli.exit_codes import exit_codes
from logos.config import ConfigError, load_config
from logos.errors import DataError
from logos.files import replace_file
from logos.rehearsal.report import (
    conclusion,
    rehearsal_markdown,
    table_head,
    table_row,
)
from logos.rehearsal.run import Rehearsal, Verdict, rehearse
from logos.rehearsal.scenarios import Scenario, bundled_scenarios, choose, read_scenarios
from logos.session import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos rehearse`: those of `logos trade`, and its own."""
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="scenarios to run; all: every one; list: name them"
    )
    trade.add_arguments(parser)
    parser.epilog = exit_codes(
        {
            0: "every expectation held",
            1: "one did not hold, or no scenario applied",
            2: "bad configuration, scenario file or command line",
            3: "bad data",
            6: "the rehearsal's folder cannot be written",
        }
    )
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="FILE.toml",
        help="scenarios of your own, beside the bundled ones",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default: the next runs/rehearsals/rehearsal-NNNN"
    )
    parser.add_argument("--verbose", action="store_true", help="every expectation, held or not")


def run(options: argparse.Namespace) -> int:
    """Rehearse; returns the exit code."""
    try:
        scenarios = bundled_scenarios()
        if options.scenarios is not None:
            scenarios = _joined(scenarios, read_scenarios(options.scenarios), options.scenarios)
        if options.names == ["list"]:
            for scenario in scenarios:
                print(f"{scenario.name:<31}  {scenario.description}")
            return 0
        chosen = choose(scenarios, options.names)
        config = load_config(options.config, trade.overrides(options), sends_orders=False)
        is_quiet = options.quiet or options.json
        if not is_quiet:
            print(table_head())
        rehearsal = rehearse(
            config,
            chosen,
            out=options.out,
            on_result=lambda result: (
                None if is_quiet else print(table_row(result, verbose=options.verbose), flush=True)
            ),
        )
        replace_file(rehearsal.folder / "rehearsal.md", rehearsal_markdown(rehearsal).encode())
    except ConfigError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    except DataError as error:
        return _complain(error, ExitCode.BAD_DATA)
    except OSError as error:
        name = error.filename or "the rehearsal"
        return _complain(f"cannot write {name}: {error.strerror}", ExitCode.CANNOT_WRITE)
    if options.json:
        print(json.dumps(_as_json(rehearsal), indent=2))
    elif not options.quiet:
        print(f"\n{conclusion(rehearsal)}\nreport    {rehearsal.folder / 'rehearsal.md'}")
    elif rehearsal.failed:
        print(f"ALARM: {conclusion(rehearsal)}", file=sys.stderr)
    return _exit_code(rehearsal)


def _joined(bundled: list[Scenario], own: list[Scenario], path: Path) -> list[Scenario]:
    taken = {each.name for each in bundled}
    for scenario in own:
        if scenario.name in taken:
            raise ConfigError(
                f"{path}: scenario {scenario.name}: a bundled one has this name; choose another"
            )
    return [*bundled, *own]


def _exit_code(rehearsal: Rehearsal) -> int:
    verdicts = {result.verdict for result in rehearsal.results}
    if rehearsal.failed:
        return 1
    if verdicts == {Verdict.NOT_APPLICABLE}:
        print("logos rehearse: nothing was rehearsed: no scenario applies", file=sys.stderr)
        return 1
    return 0


def _as_json(rehearsal: Rehearsal) -> dict[str, object]:
    return {
        "folder": str(rehearsal.folder),
        "failed": rehearsal.failed,
        "scenarios": [
            {
                "name": result.scenario.name,
                "verdict": result.verdict.value,
                "done": result.done,
                "reason": result.reason,
                "expectations": [
                    {"expected": words, "seen": finding.seen, "holds": finding.holds}
                    for words, finding in result.findings
                ],
            }
            for result in rehearsal.results
        ],
    }


def _complain(error: object, code: ExitCode) -> int:
    print(f"logos rehearse: {error}", file=sys.stderr)
    return int(code)
