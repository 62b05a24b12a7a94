"""A stress run's report: stress-report.md, whose verdict line is PASS or FAIL."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from logos.files import replace_file
from logos.shown import markdown
from logos.stress.evidence import PLAN
from logos.stress.files import FILES, REPORT, list_digest
from logos.stress.judge import Check, Verdict, judge
from logos.stress.numbers import Numbers, Spread
from logos.stress.plan import StressPlan
from logos.stress.results import ALL

_SYMBOLS_MAX: Final = 60


def judge_and_report(folder: Path, rate_min: float = 0.0, broke_off: str = "") -> Verdict:
    """Judge the run in `folder` and write its report there. `rate_min` orders a second are wanted;
    `broke_off` says why the run did not come to its end. Raises OSError."""
    verdict = judge(folder)
    more: list[Check] = []
    if broke_off:
        more.append(Check("run", "it came to its end", (broke_off,)))
    if rate_min and verdict.numbers is not None:
        rate = verdict.numbers.orders_per_s
        problem = () if rate >= rate_min else (f"{rate:.1f} orders a second",)
        more.append(Check("throughput", f"at least {rate_min:g} orders a second", problem))
    verdict = Verdict((*verdict.checks, *more), verdict.numbers)
    replace_file(folder / REPORT, report_text(folder, verdict).encode())
    return verdict


def report_text(folder: Path, verdict: Verdict) -> str:
    """The report as Markdown."""
    lines = ["# Stress report", "", f"**{'PASS' if verdict.is_passed else 'FAIL'}**", ""]
    lines += _plan_lines(folder)
    lines += ["| check | verdict | what was looked at |", "|---|---|---|"]
    for check in verdict.checks:
        lines.append(f"| {check.name} | {'pass' if check.is_passed else 'FAIL'} | {check.what} |")
    lines.append("")
    for check in verdict.checks:
        lines += [f"- **{check.name}**: {markdown(problem)}" for problem in check.problems]
    if not verdict.is_passed:
        lines.append("")
    if verdict.numbers is not None:
        lines += number_lines(verdict.numbers)
        lines += _result_lines(verdict.numbers)
    digest = list_digest(folder)
    if digest:
        lines += [f"The list of files, `{FILES}`, has the SHA-256 `{digest}`.", ""]
    return "\n".join(lines)


def _plan_lines(folder: Path) -> list[str]:
    try:
        plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=StressPlan)
    except (OSError, msgspec.DecodeError):
        return ["The plan of the run cannot be read.", ""]
    intervals = sorted(each.interval_ms for each in plan.symbols)
    faults = ", ".join(f"{name} {value:g}" for name, value in plan.faults.items()) or "none"
    return [
        f"{len(plan.symbols)} symbols, a price each {intervals[0]:g} to {intervals[-1]:g} ms, "
        f"{plan.signals or 'any number of'} signals each, {plan.seconds:g} s, seed {plan.seed}; "
        f"faults: {faults}; killed: {plan.kill or 'nothing'}"
        f"{'; a hedging account' if plan.is_hedging else ''}.",
        "",
    ]


def number_lines(numbers: Numbers) -> list[str]:
    """How fast it was, and what bounded it."""
    refusals = ", ".join(f"{code} {count}" for code, count in sorted(numbers.refusals.items()))
    lines = [
        "| figure | value |",
        "|---|---|",
        f"| orders at the simulator | {numbers.orders} in {numbers.seconds:.1f} s |",
        f"| orders a second, mean / best second | {numbers.orders_per_s:.1f} / "
        f"{numbers.best_orders_per_s} |",
        f"| offered load / carried load, orders a second | {_load_words(numbers)} |",
        f"| requests a second; for each order | {numbers.requests_per_s:.0f}; "
        f"{numbers.requests_per_order:.1f} |",
        f"| wait for the lock, p50 / p99 / max ms | {_ms(numbers.waits)} |",
        f"| lock held, p50 / p99 / max ms | {_ms(numbers.hold)} |",
        f"| answer after that, p50 / p99 / max ms | {_ms(numbers.answer)} |",
        *(
            f"| an order {name}, p50 / p99 / max ms | {_ms(each)} |"
            for name, each in numbers.stages.items()
        ),
        f"| processor time, engine / simulator, s | {_cpu(numbers.load.engine_cpu_ns)} / "
        f"{_cpu(numbers.load.simulator_cpu_ns)} |",
        f"| the same for each order, ms | {_cpu(numbers.load.engine_cpu_ns, numbers.orders)} / "
        f"{_cpu(numbers.load.simulator_cpu_ns, numbers.orders)} |",
        f"| lost replies | {numbers.lost_replies} |",
        f"| refused by guards | {refusals or 'none'} |",
        "",
        f"Throughput is bounded by {numbers.bound}. Engine and simulator share {os.cpu_count()} "
        f"processors, whose load was {os.getloadavg()[0]:.1f} when this was judged.",
        "",
        "| symbol | wait for the lock, ms | made to accepted, ms | made to filled, ms | fills |",
        "|---|---|---|---|---|",
    ]
    for symbol in list(numbers.filled)[: _SYMBOLS_MAX + 1]:
        filled = numbers.filled[symbol]
        wait = numbers.wait.get(symbol, Spread())
        accepted = numbers.accepted.get(symbol, Spread())
        lines.append(
            f"| {markdown(symbol)} | {_ms(wait) if wait.count else ''} | {_ms(accepted)} | "
            f"{_ms(filled)} | {filled.count} |"
        )
    return [*lines, "", "Durations are p50 / p99 / max.", ""]


def _result_lines(numbers: Numbers) -> list[str]:
    """Profit and exposure by symbol and in total, and the switch."""
    lines = [
        "| symbol | trades | win rate | realised | fees | net | peak, % of its limit | "
        "exposure at the end | % of equity |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = [ALL, *sorted(numbers.results.keys() - {ALL})[:_SYMBOLS_MAX]]
    for name in names:
        each = numbers.results[name]
        lines.append(
            f"| {markdown(name)} | {each.trades} | {each.win_rate:.1%} | {_money(each.realised)} | "
            f"{_money(each.fees)} | {_money(each.net)} | {each.peak_of_limit:.1%} | "
            f"{_money(each.exposure)} | {each.of_equity:.4%} |"
        )
    return [*lines, "", f"The kill switch was {numbers.switch} at the end.", ""]


def _load_words(numbers: Numbers) -> str:
    """What was offered, what arrived, and what of it: each price may be one order."""
    offered = numbers.load.offered_per_s
    share = f" ({numbers.orders_per_s / offered:.0%})" if offered else ""
    return f"{offered:,.0f} / {numbers.orders_per_s:,.0f}{share}"


def _cpu(nanoseconds: int, orders: int = 0) -> str:
    """Seconds, or milliseconds for each order; empty where it was not told."""
    if not nanoseconds:
        return ""
    return f"{nanoseconds / 1e6 / orders:.2f}" if orders else f"{nanoseconds / 1e9:.1f}"


def _money(amount: Decimal) -> str:
    return f"{amount:.4f}"


def _ms(spread: Spread) -> str:
    return " / ".join(f"{ns / 1e6:.1f}" for ns in (spread.p50_ns, spread.p99_ns, spread.max_ns))
