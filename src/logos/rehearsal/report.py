"""A rehearsal for reading: the table for the terminal and rehearsal.md for the file."""

from __future__ import annotations

from collections.abc import Sequence

from logos import __version__
from logos.rehearsal.run import Rehearsal, ScenarioResult, Verdict
from logos.shown import markdown, plain

_HEAD = ("scenario", "what was done", "expected", "seen", "verdict")
_DONE_CHARACTERS_MAX = 44
_NAME_CHARACTERS = 31


def table_head() -> str:
    """The head of the terminal's table."""
    return _line(_HEAD)


def table_row(result: ScenarioResult, *, verbose: bool = False) -> str:
    """One scenario in the terminal's table, with what failed below (`verbose`: everything)."""
    if result.verdict is Verdict.NOT_APPLICABLE:
        row = _line((result.scenario.name, "nothing", "", "", result.verdict.value))
        return f"{row}\n    {result.reason}"
    held = sum(finding.holds for _, finding in result.findings)
    count = len(result.findings)
    done = result.done or "nothing"
    if len(done) > _DONE_CHARACTERS_MAX:
        done = f"{done[: _DONE_CHARACTERS_MAX - 3]}..."
    seen = "all" if held == count else f"{held} of {count}"
    lines = [_line((result.scenario.name, done, f"{count} checks", seen, result.verdict.value))]
    for words, finding in result.findings:
        if verbose or not finding.holds:
            mark = "held  " if finding.holds else "FAILED"
            lines.append(f"    {mark} {words}: saw {_flat(finding.seen)}")
    return "\n".join(lines)


def conclusion(rehearsal: Rehearsal) -> str:
    """The last line: how many passed, failed, and had nothing to bite on."""
    verdicts = [result.verdict for result in rehearsal.results]
    parts = [f"{verdicts.count(each)} {each.value}" for each in Verdict if each in verdicts]
    return ", ".join(parts)


def rehearsal_markdown(rehearsal: Rehearsal) -> str:
    """rehearsal.md: what was run, every expectation and what was seen."""
    plan = rehearsal.plan
    facts = [
        ("software", f"logos {__version__}"),
        ("strategy", plan.strategy_name),
        ("strategy fingerprint", plan.strategy_fingerprint),
        ("config hash", plan.config_hash),
        ("seed", plan.seed),
        ("ticks", rehearsal.ticks),
        *(
            (f"data of {report.source.symbol}", _Markup(f"{markdown(name)} `{digest}`"))
            for report in plan.reports
            for name, digest in report.fingerprints.items()
        ),
    ]
    lines = [
        f"# Rehearsal: {conclusion(rehearsal)}",
        "",
        "Every scenario ran as a session in a workspace of its own, beside this file; what was "
        "seen was read from its journal (`runs/live/sessions/*/state.jsonl` there), after the "
        "journal's chain was verified.",
        "",
        *_table(("what", "value"), [(name, _text(value)) for name, value in facts]),
        "",
        "## Scenarios",
        "",
        *_table(("scenario", "what was done", "held", "verdict"), _overview(rehearsal.results)),
        "",
    ]
    for result in rehearsal.results:
        lines += [f"## {result.scenario.name}: {result.verdict.value}", ""]
        lines += [result.scenario.description, ""]
        if result.verdict is Verdict.NOT_APPLICABLE:
            lines += [f"Not applicable to this data and strategy: {markdown(result.reason)}.", ""]
            continue
        lines += [f"Done: {markdown(result.done or 'nothing')}.", ""]
        rows = [
            (words, _flat(finding.seen), _Markup("held" if finding.holds else "**FAILED**"))
            for words, finding in result.findings
        ]
        lines += [*_table(("expected", "seen", ""), rows), ""]
    return "\n".join(lines)


def _overview(results: Sequence[ScenarioResult]) -> list[tuple[str, ...]]:
    return [
        (
            result.scenario.name,
            result.done or result.reason or "nothing",
            f"{sum(finding.holds for _, finding in result.findings)} of {len(result.findings)}",
            result.verdict.value,
        )
        for result in results
    ]


def _line(cells: Sequence[str]) -> str:
    name, done, expected, seen, verdict = cells
    return (
        f"{name:<{_NAME_CHARACTERS}}  {done:<{_DONE_CHARACTERS_MAX}}  {expected:<9}  "
        f"{seen:<8}  {verdict}"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows),
    ]


class _Markup(str):
    """Markdown of our own making."""

    __slots__ = ()


def _cell(text: str) -> str:
    return text if isinstance(text, _Markup) else markdown(text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _flat(text: str) -> str:
    return plain(" ".join(text.split()))
