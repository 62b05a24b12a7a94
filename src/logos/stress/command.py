"""`logos stress`, from its options to its verdict."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec

from logos.stress.files import REPORT
from logos.stress.plan import StressError, StressPlan, make_symbols, read_faults
from logos.stress.report import judge_and_report
from logos.stress.run import StressRun

__all__ = ["StressError", "make_plan", "stress"]


def make_plan(options: argparse.Namespace) -> StressPlan:
    """The plan that options describe. Raises StressError."""
    if options.repeat < 1:
        raise StressError("--repeat is 1 or more")
    if options.signals < 0 or options.seconds < 0 or options.every < 1:
        raise StressError("--signals and --seconds are 0 or more, --every is 1 or more")
    if not options.signals and not options.seconds:
        raise StressError("say how much: --signals N of each symbol, or --seconds S, or both")
    if options.in_flight < 1 or options.max_latency_ms < 0:
        raise StressError("--in-flight is 1 or more, --max-latency-ms 0 or more")
    if options.reply_timeout <= 0 or options.dead_after <= 0:
        raise StressError("--reply-timeout and --dead-after are more than 0")
    if options.hedging and options.ea != "logos":
        raise StressError(
            "--hedging needs logos' own Expert Advisor (--ea logos): through the published one no "
            "position can be closed by its ticket for certain"
        )
    return StressPlan(
        symbols=make_symbols(options.symbols, options.interval_ms),
        signals=options.signals,
        seconds=options.seconds,
        seed=options.seed,
        faults=read_faults(options.faults),
        kill=options.kill,
        kill_after_s=options.kill_after,
        every=options.every,
        reply_timeout_s=options.reply_timeout,
        dead_after_s=options.dead_after,
        away_s=options.dead_after + 1,
        in_flight=options.in_flight,
        ea=options.ea,
        is_hedging=options.hedging,
        latency_ms=options.max_latency_ms,
    )


def stress(options: argparse.Namespace, tell: Callable[[str], object]) -> bool:
    """Run what the options say, judge it, write the report; whether it passed.

    Raises StressError for options that cannot be meant, OSError when a file cannot be written.
    """
    if options.repeat == 1 or options.judge_only:
        plan = None if options.judge_only else make_plan(options)
        return _once(plan, options.out, options.min_rate, tell)
    first = make_plan(options)
    if options.out.exists():
        raise StressError(f"{options.out} is there already: name another folder with --out")
    failed = []
    for number in range(options.repeat):
        plan = msgspec.structs.replace(first, seed=first.seed + number)
        folder = options.out / f"{number + 1:04d}"
        if not _once(plan, folder, options.min_rate, tell):
            failed.append(folder.name)
    print(f"{options.repeat - len(failed)} of {options.repeat} passed")
    return not failed


def _once(
    plan: StressPlan | None, folder: Path, rate_min: float, tell: Callable[[str], object]
) -> bool:
    """One run (None: the one that is there), its verdict and its report."""
    broke_off = ""
    if plan is not None:
        one = StressRun(plan, folder, tell)
        try:
            one.run()
        except StressError as error:
            broke_off = str(error)
    verdict = judge_and_report(folder, rate_min, broke_off)
    for check in verdict.checks:
        for problem in check.problems:
            tell(f"{check.name}: {problem}")
    print(f"{'PASS' if verdict.is_passed else 'FAIL'}: {folder / REPORT}", flush=True)
    return verdict.is_passed
