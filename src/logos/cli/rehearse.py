"""`logos rehearse`: run incidents with your own strategy and data, and see what would happen.

A scenario that does not apply to the data is reported as such, and is no failure; if none applies,
the rehearsal fails. The report is written whatever happens. `logos rehearse verify FOLDER` judges a
rehearsal again from its evidence.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from logos.cli import trade
from logos.cli.exit_codes import exit_codes
from logos.config import Config, ConfigError, load_config
from logos.errors import DataError
from logos.rehearsal.acceptance import run_acceptance
from logos.rehearsal.reports.pack import PACK_FILE
from logos.rehearsal.reports.record import Record
from logos.rehearsal.reports.report import conclusion, part_head, table_head, table_row
from logos.rehearsal.reports.verify import NoRehearsalError, Verification, verify_rehearsal
from logos.rehearsal.reports.write import page_of, write_reports
from logos.rehearsal.run import Rehearsal, claim_rehearsal, rehearse
from logos.rehearsal.scenarios import Scenario, bundled_scenarios, choose, read_scenarios
from logos.rehearsal.verdicts import Part, ScenarioResult, Verdict
from logos.session import ExitCode
from logos.session.stored.origin import Origin

_VERIFY: Final = "verify"
_A6: Final = "a6"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logos rehearse`: the settings of `logos trade`, and its own."""
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="scenarios to run; all: every one; list: name them; verify DIR: judge one again; "
        "a6: the three acceptance scenarios of the kill switch, with no strategy or data of yours",
    )
    trade.add_settings(parser)
    parser.epilog = exit_codes(
        {
            0: "every expectation held",
            1: "one did not hold, a scenario could not run, or none applied; --strict: a limit is "
            "missing; verify: it does not say what the evidence says",
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
    parser.add_argument("--quiet", action="store_true", help="print only what did not hold")
    parser.add_argument("--verbose", action="store_true", help="every expectation, held or not")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--strict", action="store_true", help="exit code 1 when your settings lack a limit"
    )


def run(options: argparse.Namespace) -> int:
    """Rehearse; returns the exit code."""
    if options.names[0] == _VERIFY:
        return _verify(options)
    if options.names == [_A6]:
        return _acceptance(options)
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
        rehearsal, record = _rehearse(options, config, chosen)
    except ConfigError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    except DataError as error:
        return _complain(error, ExitCode.BAD_DATA)
    except OSError as error:
        name = error.filename or "the rehearsal"
        return _complain(f"cannot write {name}: {error.strerror}", ExitCode.CANNOT_WRITE)
    if options.json:
        print(json.dumps(_as_json(rehearsal, record), indent=2))
    elif not options.quiet:
        print(f"\n{conclusion(record.rows)}")
        print(f"evidence       SHA-256 {record.evidence_sha256}")
        print(f"report         {page_of(rehearsal.folder)}")
    if options.quiet and rehearsal.failed:
        print(f"ALARM: {'; '.join(conclusion(record.rows).splitlines())}", file=sys.stderr)
    return _exit_code(rehearsal, is_strict=options.strict)


def _acceptance(options: argparse.Namespace) -> int:
    """`logos rehearse a6`; returns the exit code."""
    try:
        folder = claim_rehearsal(options.out)
        results = list(run_acceptance(folder))
    except ConfigError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    except OSError as error:
        return _complain(f"cannot write {error.filename}: {error.strerror}", ExitCode.CANNOT_WRITE)
    failed = sum(not each.holds for each in results)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(results), indent=2).decode())
    elif not options.quiet or failed:
        print(f"{'scenario':<20}  {'expected':<21}  {'seen':<42}  verdict")
        for each in results:
            wanted = f"{each.scenario.orders} orders, {each.scenario.blocked} blocked"
            verdict = "PASS" if each.holds else "FAIL"
            print(f"{each.scenario.name:<20}  {wanted:<21}  {each.words():<42}  {verdict}")
            for problem in each.problems:
                print(f"    {problem}")
        print(f"\nsessions  {folder}")
    return int(bool(failed))


def _rehearse(
    options: argparse.Namespace, config: Config, chosen: list[Scenario]
) -> tuple[Rehearsal, Record]:
    """Rehearse and write the report, also of a rehearsal that something ended."""
    begun: list[Rehearsal] = []
    started_ns = time.time_ns()
    tell = _teller(options)
    try:
        rehearsal = rehearse(
            config,
            chosen,
            out=options.out,
            origin=Origin.here(options.config),
            on_result=tell,
            on_begin=begun.append,
        )
    except BaseException as error:
        if begun:
            problem = f"ended by {type(error).__name__}: {error}".removesuffix(": ")
            write_reports(begun[0], started_ns, time.time_ns(), problem=problem)
            print(f"report of what was rehearsed: {page_of(begun[0].folder)}", file=sys.stderr)
        raise
    return rehearsal, write_reports(rehearsal, started_ns, time.time_ns())


def _teller(options: argparse.Namespace) -> Callable[[ScenarioResult], None]:
    """Prints each result as it comes, below the head of its part."""
    told: list[Part] = []

    def tell(result: ScenarioResult) -> None:
        if options.quiet or options.json:
            return
        if result.part not in told:
            lead = "\n" if told else ""
            told.append(result.part)
            print(f"{lead}{part_head(result.part)}\n{table_head()}")
        print(table_row(result, verbose=options.verbose), flush=True)

    return tell


def _verify(options: argparse.Namespace) -> int:
    """`logos rehearse verify DIR`: judge again from the evidence; returns the exit code."""
    if len(options.names) != 2:
        return _complain("verify takes one folder of a rehearsal", ExitCode.BAD_CONFIGURATION)
    folder = Path(options.names[1])
    try:
        verification = verify_rehearsal(folder)
    except NoRehearsalError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    except OSError as error:
        return _complain(f"cannot read {folder}: {error}", ExitCode.BAD_DATA)
    if options.json:
        print(json.dumps(_verification_as_json(verification), indent=2))
    elif not options.quiet or verification.differences:
        print(_verification_in_words(verification))
    return int(bool(verification.differences))


def _verification_in_words(verification: Verification) -> str:
    record = verification.record
    without = sum(not row.has_evidence for row in record.rows)
    lines = [f"DIFFERS: {words}" for words in verification.differences]
    lines += [
        f"rehearsed      {record.started[:19]}Z on {record.host}: logos {record.software}, "
        f"{record.strategy}",
        *conclusion(verification.judged).splitlines(),
        f"judged again   {len(verification.judged)} of {len(record.rows)} scenarios; of {without} "
        "no session was run",
        f"evidence       SHA-256 {verification.digest or 'none'} of {PACK_FILE}",
        "not looked at  when something was injected and how the process ended: the record's word",
        "DIFFERENT: the record is not what the evidence shows"
        if verification.differences
        else "THE SAME: every verdict and both reports are what the evidence shows",
    ]
    return "\n".join(lines)


def _verification_as_json(verification: Verification) -> dict[str, object]:
    return {
        "is_same": not verification.differences,
        "differences": verification.differences,
        "evidence_sha256": verification.digest,
        "judged": [
            {"name": r.name, "part": r.part, "verdict": r.verdict} for r in verification.judged
        ],
    }


def _joined(bundled: list[Scenario], own: list[Scenario], path: Path) -> list[Scenario]:
    taken = {each.name for each in bundled} | {"all", "list", _VERIFY, _A6}
    for scenario in own:
        if scenario.name in taken:
            raise ConfigError(
                f"{path}: scenario {scenario.name}: a bundled one has this name; choose another"
            )
    return [*bundled, *own]


def _exit_code(rehearsal: Rehearsal, *, is_strict: bool) -> int:
    if rehearsal.failed:
        return 1
    if {result.verdict for result in rehearsal.results} == {Verdict.NOT_APPLICABLE}:
        print("logos rehearse: nothing was rehearsed: no scenario applies", file=sys.stderr)
        return 1
    if rehearsal.without_limit and is_strict:
        print(
            f"logos rehearse: your settings have no limit for {rehearsal.without_limit} of the "
            "scenarios (--strict)",
            file=sys.stderr,
        )
        return 1
    return 0


def _as_json(rehearsal: Rehearsal, record: Record) -> dict[str, Any]:
    return {
        "folder": str(rehearsal.folder),
        "failed": rehearsal.failed,
        "without_limit": rehearsal.without_limit,
        "evidence_sha256": record.evidence_sha256,
        "guards": msgspec.to_builtins(record.guards),
        "scenarios": [_result_as_json(each) for each in rehearsal.results],
        "your_settings": [_result_as_json(each) for each in rehearsal.own],
    }


def _result_as_json(result: ScenarioResult) -> dict[str, object]:
    return {
        "name": result.scenario.name,
        "verdict": result.verdict.value,
        "done": result.done,
        "lent": list(result.lent),
        "reason": result.reason,
        "expectations": [
            {"expected": words, "seen": finding.seen, "holds": finding.holds}
            for words, finding in result.findings
        ],
    }


def _complain(error: object, code: ExitCode) -> int:
    print(f"logos rehearse: {error}", file=sys.stderr)
    return int(code)
