"""`logos data`: make, fetch, import, list, check and repair market data."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from logos import paths
from logos.cli.data import actions, bring, calendar, fetch, synth
from logos.cli.data.times import add_time_rules, time_rules
from logos.cli.exit_codes import exit_codes
from logos.config import Config, ConfigError, make_config, read_toml
from logos.config.actions import Split, actions_of, parse_split
from logos.config.settings import InstrumentSettings
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_DAY
from logos.data.beside.freshness import read_freshness
from logos.data.check import CheckReport, inspect_source, refuse_most
from logos.data.claims import check_claims
from logos.data.convert import repair
from logos.data.defects import KEEPING_KINDS, KINDS, SAID_KINDS, accept_set, toml_key
from logos.data.readers.numbers import format_timestamp
from logos.data.source import DataSource, discover
from logos.errors import DataError
from logos.session.build import make_instruments
from logos.session.opening.hours import hours_of_data
from logos.session.opening.instruments import find_instruments
from logos.session.outcome import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `logos data`."""
    parser.epilog = exit_codes(
        {
            0: "done; for `check`: no defect but the accepted ones",
            1: "`synth` wrote nothing: files exist, or the folder cannot be written",
            2: "bad settings or command line",
            3: "bad data, or none",
            6: "a file or folder cannot be written, or read",
        }
    )
    commands = parser.add_subparsers(dest="data_command", metavar="COMMAND", required=True)
    writing = commands.add_parser("synth", help="generate the bundled fixtures from a seed")
    synth.add_arguments(writing)
    writing.set_defaults(run_data=synth.run_synth)
    fetching = commands.add_parser("fetch", help="fetch from an exchange or Yahoo, or record it")
    fetch.add_arguments(fetching)
    fetching.set_defaults(run_data=fetch.run_fetch)
    importing = commands.add_parser("import", help="files of other programs, into data of ours")
    bring.add_arguments(importing, is_add=False)
    adding = commands.add_parser("add", help="import files, check them, and add their instrument")
    bring.add_arguments(adding, is_add=True)
    making = commands.add_parser("calendar", help="write the sessions of an exchange into a file")
    calendar.add_arguments(making)
    making.set_defaults(run_data=calendar.run_calendar)
    acting = commands.add_parser("actions", help="splits and dividends of a symbol into a file")
    actions.add_arguments(acting)
    acting.set_defaults(run_data=actions.run_actions)
    listing = commands.add_parser("list", help="show what files and folders hold")
    _add_paths(listing)
    listing.set_defaults(run_data=_list)
    checking = commands.add_parser(
        "check",
        help="read every row, report every defect with file and line",
        epilog="kinds of defects:\n"
        + "\n".join(f"  {kind:18} {text}" for kind, text in KINDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_paths(checking)
    checking.add_argument(
        "--accept", default="", metavar="KINDS", help="kinds of defects to tolerate"
    )
    checking.add_argument(
        "--repair", type=Path, metavar="OUT", help="write a cleaned copy of the one source given"
    )
    checking.set_defaults(run_data=_check)


def run(options: argparse.Namespace) -> int:
    """Run the chosen subcommand; returns the exit code."""
    try:
        return int(options.run_data(options))
    except ConfigError as error:
        return _complain(error, ExitCode.BAD_CONFIGURATION)
    except DataError as error:
        return _complain(error, ExitCode.BAD_DATA)
    except OSError as error:
        return _complain(error, ExitCode.CANNOT_WRITE)


def _add_paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", help="files or folders (default: data/cache)")
    parser.add_argument("--symbols", metavar="A,B", help="only these")
    parser.add_argument("--config", metavar="FILE.toml", help="settings with the instruments")
    add_time_rules(parser)


def _list(options: argparse.Namespace) -> int:
    for source in _sources(options):
        size = sum(path.stat().st_size for path in source.paths)
        names = ", ".join(str(path) for path in source.paths)
        print(f"{source.symbol:12} {source.kind:10} {size:>12,} bytes  {names}")
        for path in source.paths:
            fresh = read_freshness(path)
            if fresh is not None:
                print(f"{'':12} {fresh.words}")
    return int(ExitCode.FINISHED)


def _check(options: argparse.Namespace) -> int:
    sources = _sources(options)
    config = Config()
    if options.config:
        config = make_config(read_toml(Path(options.config)), options.config)
    settings = find_instruments(config, sources, infer=True)
    instruments = make_instruments(hours_of_data(settings, sources))
    accepted = accept_set(word for word in options.accept.split(",") if word)
    if options.repair is not None:
        return _repair(sources, instruments, options.repair, accepted)
    now_ns = time.time_ns()
    reports = [
        inspect_source(source, instruments[source.symbol], now_ns=now_ns) for source in sources
    ]
    for report in reports:
        _print_report(report)
        _print_jumps(report, settings[report.source.symbol], instruments[report.source.symbol])
    accepted |= SAID_KINDS
    failed = [_fails(partial(check_claims, reports, instruments))]
    failed += [
        _fails(partial(refuse_most, each)) for each in reports if accepted.issuperset(each.counts)
    ]
    defective = sum(not accepted.issuperset(report.counts) for report in reports)
    print(f"{len(reports)} sources, {defective} with defects")
    return int(ExitCode.BAD_DATA if defective or any(failed) else ExitCode.FINISHED)


def _fails(judge: Callable[[], None]) -> bool:
    try:
        judge()
    except DataError as error:
        print(error)
        return True
    return False


def _repair(
    sources: list[DataSource], instruments: dict[str, Instrument], out: Path, accept: frozenset[str]
) -> int:
    if len(sources) != 1:
        raise ConfigError(f"--repair takes one source at a time, {len(sources)} were given")
    report = repair(sources[0], instruments[sources[0].symbol], out, accept=accept)
    for path in report.paths:
        print(path)
    print(f"{report.rows:,} rows written")
    if report.sorted_rows:
        print(f"  sorted by time: {report.sorted_rows:,} rows stood behind later ones")
    for kind, count in report.counts.items():
        if kind not in KEEPING_KINDS:
            print(f"  left out, {kind}: {count:,} rows")
    for kind in report.counts:
        if kind in KEEPING_KINDS:
            print(f"  left as it is, {kind}: {report.counts[kind]:,}")
    if not report.counts and not report.sorted_rows:
        print("  nothing had to be changed")
    return int(ExitCode.FINISHED)


def _sources(options: argparse.Namespace) -> list[DataSource]:
    given: Iterable[str | Path] = options.paths or [paths.cache_dir()]
    symbols = options.symbols.split(",") if options.symbols else None
    return discover(given, symbols=symbols, rules=time_rules(options))


def _print_report(report: CheckReport) -> None:
    times = ""
    if report.first_ns is not None and report.last_ns is not None:
        times = f"{format_timestamp(report.first_ns)} to {format_timestamp(report.last_ns)}"
    print(f"{report.source}\n  {report.rows:,} rows, {times}")
    for path, digest in report.fingerprints.items():
        print(f"  {digest}  {path.name}")
    for kind, count in report.counts.items():
        print(f"  {kind}: {count}")
        for defect in report.defects:
            if defect.kind == kind:
                print(f"    {defect}")
        if kind in report.hints:
            print(f"    {report.hints[kind]}")


def _print_jumps(report: CheckReport, settings: InstrumentSettings, units: Instrument) -> None:
    """Point out prices that jump as they do at a split that the settings do not name."""
    known = {each.ts_ns // NS_PER_DAY for each in actions_of(settings) if isinstance(each, Split)}
    for jump in report.jumps:
        split = f"{jump.moment} {jump.new}:{jump.old}"
        if parse_split(split).ts_ns // NS_PER_DAY in known:
            continue
        print(
            f"  looks like a split: {report.source.path}:{jump.line}:"
            f" {units.price_text(jump.before)} was followed by {units.price_text(jump.after)};"
            f' if it was one: [instruments.{toml_key(report.source.symbol)}] splits = ["{split}"]'
        )


def _complain(error: object, code: ExitCode) -> int:
    print(f"logos data: {error}", file=sys.stderr)
    return int(code)
