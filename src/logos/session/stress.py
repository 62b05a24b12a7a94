"""`logos stress`, from its options to its verdict."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from logos.session.stress_plan import StressError, StressPlan, make_symbols, read_faults
from logos.session.stress_report import REPORT, judge_and_report
from logos.session.stress_run import StressRun

__all__ = ["StressError", "make_plan", "stress"]


def make_plan(options: argparse.Namespace) -> StressPlan:
    """The plan that options describe. Raises StressError."""
    if options.signals < 0 or options.seconds < 0 or options.every < 1:
        raise StressError("--signals and --seconds are 0 or more, --every is 1 or more")
    if not options.signals and not options.seconds:
        raise StressError("say how much: --signals N of each symbol, or --seconds S, or both")
    if options.reply_timeout <= 0 or options.dead_after <= 0:
        raise StressError("--reply-timeout and --dead-after are more than 0")
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
    )


def stress(options: argparse.Namespace, tell: Callable[[str], object]) -> bool:
    """Run what the options say, judge it, write the report; whether it passed.

    Raises StressError for options that cannot be meant, OSError when a file cannot be written.
    """
    broke_off = ""
    if not options.judge_only:
        plan = make_plan(options)
        one = StressRun(plan, options.out, tell)
        try:
            one.run()
        except StressError as error:
            broke_off = str(error)
    verdict = judge_and_report(options.out, options.min_rate, broke_off)
    for check in verdict.checks:
        for problem in check.problems:
            tell(f"{check.name}: {problem}")
    print(f"{'PASS' if verdict.is_passed else 'FAIL'}: {options.out / REPORT}")
    return verdict.is_passed
