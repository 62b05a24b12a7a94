"""The order in which the documents are read: of the manual, and of the table in README.

Problem: a folder of documents is no book. A newcomer needs thirty minutes of it, an operator under
stress one page, and nobody should have to guess which. Method: the order stands here once, in
parts; every document has its place in one of them, and one without a place is an error. A document
that is named here and does not exist yet is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
README = PROJECT / "README.md"
GENERATED = ("commands", "settings", "index")
"""Chapters that are made from the code and have no file."""

_BEGIN = "<!-- made by tools/make_manual.py: where to read -->\n"
_END = "<!-- end: where to read -->\n"


@dataclass(frozen=True, slots=True)
class Part:
    """Some documents that belong together: (source, short name) in the order of reading."""

    key: str
    title: str
    purpose: str
    chapters: tuple[tuple[str, str], ...]


PARTS = (
    Part(
        "start",
        "Start here",
        "30 minutes: run it, then follow one strategy from nothing to a stopped live session",
        (
            ("README.md", "What logos is"),
            ("docs/QUICKSTART.md", "Quickstart"),
            ("docs/TUTORIAL.md", "Tutorial"),
            ("docs/TROUBLESHOOTING.md", "What went wrong"),
        ),
    ),
    Part(
        "use",
        "Use",
        "write a strategy, give it data, understand its fills, limits and results",
        (
            ("docs/WRITING-A-STRATEGY.md", "Writing a strategy"),
            ("docs/DATA.md", "Market data"),
            ("docs/FILLS.md", "How paper orders fill"),
            ("docs/GUARDS.md", "Guards"),
            ("docs/REPORT.md", "Reading a report"),
            ("docs/RESULTS.md", "Results and reports"),
            ("docs/SWEEPS.md", "Sweeps"),
            ("docs/API.md", "Python library"),
            ("docs/REHEARSAL.md", "Rehearsing incidents"),
        ),
    ),
    Part(
        "operate",
        "Operate",
        "live data, real venues, machines that run for months",
        (
            ("docs/LIVE-RUNBOOK.md", "Live runbook"),
            ("docs/DASHBOARD.md", "Dashboard"),
            ("docs/SESSIONS.md", "Sessions"),
            ("docs/FEEDS.md", "Live feeds"),
            ("docs/VENUES.md", "Venues"),
            ("docs/MT5.md", "MetaTrader 5"),
            ("docs/RECONCILIATION.md", "Reconciliation"),
            ("docs/ALERTS.md", "Alerts"),
            ("docs/METRICS.md", "Metrics"),
            ("docs/DEPLOY.md", "Deploying"),
            ("docs/FLEET.md", "Several machines"),
            ("docs/SCALE.md", "Many symbols, many machines"),
            ("docs/KAFKA.md", "Kafka"),
            ("docs/STRESS.md", "Stress"),
        ),
    ),
    Part(
        "reference",
        "Reference",
        "every command, setting, file, column and code",
        (
            ("commands", "Commands"),
            ("docs/CONFIGURATION.md", "Configuration"),
            ("settings", "The settings file"),
            ("docs/ARTIFACTS.md", "Artifacts"),
            ("docs/JOURNAL.md", "The journal"),
            ("docs/JSON-LOG.md", "JSON log and figures"),
            ("index", "Index of codes"),
        ),
    ),
    Part(
        "internals",
        "Internals",
        "how it is built, what is proved, how to change it",
        (
            ("docs/ARCHITECTURE.md", "Architecture"),
            ("docs/GUARANTEES.md", "Guarantees"),
            ("docs/BENCHMARKS.md", "Benchmarks"),
            ("docs/MUTATION.md", "Mutation testing"),
            ("CONTRIBUTING.md", "Contributing"),
        ),
    ),
)


def parts_of(found: frozenset[str]) -> list[Part]:
    """The parts with the chapters that exist: those made from the code, and files in `found`."""
    there = found.union(GENERATED)
    return [
        Part(
            part.key,
            part.title,
            part.purpose,
            tuple(each for each in part.chapters if each[0] in there),
        )
        for part in PARTS
    ]


def documents() -> frozenset[str]:
    """Every document of the project that is a chapter, by its path in the project."""
    inside = {f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md")}
    return frozenset(inside | {"README.md", "CONTRIBUTING.md"})


def without_place(found: frozenset[str]) -> list[str]:
    """Documents that stand in no part, by name."""
    placed = {source for part in PARTS for source, _ in part.chapters}
    return sorted(found - placed)


def table(found: frozenset[str]) -> str:
    """The parts as a table of links, for README."""
    rows = []
    for part in parts_of(found):
        links = ", ".join(
            f"[{name}]({source})"
            for source, name in part.chapters
            if source not in (*GENERATED, "README.md")
        )
        rows.append(f"| **{part.title}**: {part.purpose} | {links} |\n")
    return "| | |\n|---|---|\n" + "".join(rows)


def with_table(text: str, found: frozenset[str]) -> str:
    """README's text with the table of today. Raises ValueError when it has no place for one."""
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"README.md lacks the lines {_BEGIN.strip()} and {_END.strip()}")
    return f"{head}{begin}{table(found)}{end}{tail}"
