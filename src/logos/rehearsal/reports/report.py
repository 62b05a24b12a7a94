"""A rehearsal for reading: the table for the terminal and rehearsal.md for the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from logos.rehearsal.reports.pack import PACK_FILE
from logos.rehearsal.reports.record import Record, Row, row_of
from logos.rehearsal.verdicts import Part, ScenarioResult, Verdict
from logos.shown import markdown, plain

MARKDOWN_FILE: Final = "rehearsal.md"
_HEAD: Final = ("scenario", "what was done", "expected", "seen", "verdict")
_DONE_CHARACTERS_MAX: Final = 44
_NAME_CHARACTERS: Final = 31

EXPLAINED: Final = {
    Part.ENGINE.value: (
        "Does the guard work? Where a scenario needs a limit it lends one, which is marked: such a "
        "PASS says nothing of your settings."
    ),
    Part.SETTINGS.value: (
        "Is there a limit, and does it act? Every scenario that lends a limit runs again with "
        "nothing lent, as large as your own limits; a scenario that lends none is not repeated, "
        "for it ran with your limits above."
    ),
}


def table_head() -> str:
    """The head of the terminal's table."""
    return _line(_HEAD)


def part_head(part: Part) -> str:
    """The line above the scenarios of a part."""
    words = {
        Part.ENGINE: "the engine: limits are lent where a scenario needs one",
        Part.SETTINGS: "your settings: nothing is lent",
    }
    return words[part]


def table_row(result: ScenarioResult, *, verbose: bool = False) -> str:
    """One scenario in the terminal's table, with what failed below (`verbose`: everything)."""
    row = row_of(result)
    if not row.findings:
        line = _line((row.name, "nothing", "", "", row.verdict))
        return f"{line}\n    {_flat(row.reason)}"
    held = sum(is_held for _, _, is_held in row.findings)
    count = len(row.findings)
    done = row.done or "nothing"
    if len(done) > _DONE_CHARACTERS_MAX:
        done = f"{done[: _DONE_CHARACTERS_MAX - 3]}..."
    seen = "all" if held == count else f"{held} of {count}"
    lines = [_line((row.name, done, f"{count} checks", seen, _marked(row)))]
    if row.reason:
        lines.append(f"    {_flat(row.reason)}")
    if verbose:
        lines += [f"    lent   {words}" for words in row.lent]
    failed_for_nothing = row.verdict == Verdict.NOT_APPLICABLE.value
    for words, what, is_held in row.findings:
        if verbose or not (is_held or failed_for_nothing):
            mark = "held  " if is_held else "FAILED"
            lines.append(f"    {mark} {words}: saw {_flat(what)}")
    return "\n".join(lines)


def _marked(row: Row) -> str:
    """The verdict, marked where a limit was lent."""
    return f"{row.verdict} (lent)" if row.guards and row.lent else row.verdict


def conclusion(rows: Sequence[Row]) -> str:
    """How many scenarios of each part passed, failed, and so on; a line for each part."""
    lines = []
    for part in Part:
        verdicts = [row.verdict for row in rows if row.part == part.value]
        counts = [f"{verdicts.count(v.value)} {v.value}" for v in Verdict if v.value in verdicts]
        if counts:
            lines.append(f"{part.value:<13}  {', '.join(counts)}")
    return "\n".join(lines)


def rehearsal_markdown(record: Record) -> str:
    """rehearsal.md: what was run, the guards, every expectation and what was seen."""
    lines = [
        f"# Rehearsal: {'; '.join(map(_flat, conclusion(record.rows).splitlines()))}",
        "",
        *([f"**Not whole**: {_cell(record.problem)}", ""] if record.problem else []),
        "Every scenario ran as a session in a workspace of its own, beside this file; what was "
        "seen was read from its journal (`runs/live/sessions/*/state.jsonl` there), after the "
        f"journal's chain was verified. All of it is in `{PACK_FILE}`; `logos rehearse verify "
        "FOLDER` judges it again. `rehearsal.html` shows the same with a picture of each session.",
        "",
        *_table(("what", "value"), list(facts(record))),
        "",
        "## Guards",
        "",
        *_table(
            ("guard", "your limit", "action", *(part.value for part in Part)),
            [(g.guard, g.limit, g.action, g.engine, g.settings) for g in record.guards],
        ),
        "",
    ]
    for part in Part:
        rows = [row for row in record.rows if row.part == part.value]
        lines += [f"## {_title(part.value)}", "", EXPLAINED[part.value], ""]
        if not rows:
            lines += ["No scenario that was chosen lends a limit.", ""]
            continue
        overview = [(row.name, row.done or row.reason, held(row), _marked(row)) for row in rows]
        lines += [*_table(("scenario", "what was done", "held", "verdict"), overview), ""]
        for row in rows:
            lines += _scenario(row)
    lines += ["## Settings", "", "What is not as it would be by default:", ""]
    lines += [f"- {_cell(text)}" for text in record.changed]
    return "\n".join([*lines, ""])


def facts(record: Record) -> Iterator[tuple[str, str]]:
    """Who rehearsed what, where and when."""
    yield "date", f"{record.started} to {record.ended}"
    yield "host", f"{record.host}, {record.system}"
    yield "versions", f"logos {record.software}, {record.python}, msgspec {record.msgspec}"
    yield "strategy", record.strategy
    yield "strategy fingerprint", record.strategy_fingerprint
    yield "config hash", record.config_hash
    yield "seed", str(record.seed)
    yield "ticks", str(record.ticks)
    yield "scenarios", f"{len(record.rows)} of {record.planned}"
    for symbol, files in record.data.items():
        for name, digest in files.items():
            yield f"data of {symbol}", f"{name} {digest}"
    yield f"SHA-256 of {PACK_FILE}", record.evidence_sha256 or "not packed"


def held(row: Row) -> str:
    """How many expectations held, of how many."""
    return f"{sum(is_held for _, _, is_held in row.findings)} of {len(row.findings)}"


def _scenario(row: Row) -> list[str]:
    lines = [f"### {row.name}: {_marked(row)}", "", _cell(row.description), ""]
    if row.reason:
        lines += [f"{_cell(row.reason)}.", ""]
    if not row.findings:
        return lines
    lines += [f"Done: {_cell(row.done) or 'nothing'}.", ""]
    if row.lent:
        lines += [f"Lent: {_cell('; '.join(row.lent))}.", ""]
    rows = [
        (words, seen, _Markup("held" if is_held else "**FAILED**"))
        for words, seen, is_held in row.findings
    ]
    return [*lines, *_table(("expected", "seen", ""), rows), ""]


def _title(words: str) -> str:
    return words[:1].upper() + words[1:]


def _line(cells: Sequence[str]) -> str:
    name, done, expected, seen, verdict = cells
    return (
        f"{name:<{_NAME_CHARACTERS}}  {done:<{_DONE_CHARACTERS_MAX}}  {expected:<9}  "
        f"{seen:<8}  {verdict}"
    ).rstrip()


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(map(_cell, row)) + " |" for row in rows),
    ]


class _Markup(str):
    """Markdown of our own making."""

    __slots__ = ()


def _cell(text: str) -> str:
    return text if isinstance(text, _Markup) else markdown(text)


def _flat(text: str) -> str:
    return plain(" ".join(text.split()))
