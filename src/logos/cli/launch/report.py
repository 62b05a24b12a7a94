"""What a launch leaves behind: a log line for each step, and a report for people and programs.

`launch.jsonl`, `deployment-report.json` and `deployment-report.md` lie in a folder of their own,
`runs/launches/launch-NNNN`, and stay whatever comes of the launch.
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from logos import paths
from logos.cli.doctor import Finding
from logos.core.types import NS_PER_SECOND
from logos.files import make_folder, replace_file, replace_json
from logos.killswitch.breaker import user_name
from logos.shown import markdown

JSON_FILE: Final = "deployment-report.json"
MARKDOWN_FILE: Final = "deployment-report.md"
LOG_FILE: Final = "launch.jsonl"

Outcome = Literal["RUNNING", "PASSED", "FAILED", "SKIPPED"]


class Phase(msgspec.Struct):
    """One phase of a launch. Times are ISO-8601 UTC."""

    name: str
    outcome: Outcome = "SKIPPED"
    began: str = ""
    seconds: float = 0.0
    findings: list[Finding] = []
    problem: str = ""
    """Why it failed, in words."""


class Report(msgspec.Struct):
    """The whole record of a launch."""

    launch: str
    outcome: str
    """HANDED OVER, STOPPED AFTER (as asked), or FAILED IN, with the phase."""
    session: str
    mode: str
    workspace: str
    deployment: str
    """The path of deploy.toml."""
    began: str
    ended: str = ""
    versions: dict[str, str] = {}
    hashes: dict[str, str] = {}
    """SHA-256: the settings file, the settings in force, the build, the strategy."""
    host: dict[str, str] = {}
    phases: list[Phase] = []
    rolled_back: list[str] = []
    next: str = ""
    """The command that follows."""
    schema: int = 1


def now_text(now_ns: int) -> str:
    """A time of the wall clock (ns since 1970 UTC) as ISO-8601 with milliseconds."""
    moment = datetime.fromtimestamp(now_ns // NS_PER_SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{now_ns % NS_PER_SECOND // 1_000_000:03d}Z"


def host_facts() -> dict[str, str]:
    """Which machine and which user."""
    return {
        "name": socket.gethostname(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": str(os.cpu_count() or 0),
        "user": user_name(),
        "process": str(os.getpid()),
    }


def claim_launch() -> Path:
    """Make the next free folder of a launch in the workspace. Raises OSError."""
    parent = paths.home() / "runs" / "launches"
    make_folder(parent)
    number = 1
    while True:
        folder = parent / f"launch-{number:04d}"
        try:
            make_folder(folder, is_new=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def write_report(folder: Path, report: Report) -> None:
    """Write both files anew. Raises OSError."""
    replace_json(folder / JSON_FILE, report)
    replace_file(folder / MARKDOWN_FILE, as_markdown(report).encode())


def as_markdown(report: Report) -> str:
    """The report for people."""
    lines = [
        f"# Deployment of session {markdown(report.session)}: {markdown(report.outcome)}",
        "",
        *_table(
            {
                "launch": report.launch,
                "mode": report.mode,
                "workspace": report.workspace,
                "deployment file": report.deployment,
                "began": report.began,
                "ended": report.ended,
                "next": report.next,
            }
        ),
    ]
    for title, facts in (
        ("Versions", report.versions),
        ("Hashes (SHA-256)", report.hashes),
        ("Host", report.host),
    ):
        lines += ["", f"## {title}", "", *_table(facts)]
    lines += ["", "## Phases", "", "| phase | outcome | began | seconds |", "|---|---|---|---:|"]
    lines += [
        f"| {each.name} | {each.outcome} | {each.began} | {each.seconds:.3f} |"
        for each in report.phases
    ]
    for each in report.phases:
        if not (each.findings or each.problem):
            continue
        lines += ["", f"### {each.name}", ""]
        if each.problem:
            lines += [f"Failed: {markdown(each.problem)}", ""]
        lines += ["| | looked at | seen | to do |", "|---|---|---|---|"]
        lines += [
            f"| {'ok' if finding.fine else '**BAD**'} | {markdown(finding.name)} | "
            f"{markdown(finding.seen)} | {'' if finding.fine else markdown(finding.advice)} |"
            for finding in each.findings
        ]
    if report.rolled_back:
        lines += ["", "## Rolled back", "", *(f"- {markdown(each)}" for each in report.rolled_back)]
    return "\n".join(lines) + "\n"


def _table(facts: Mapping[str, str]) -> list[str]:
    rows = [f"| {markdown(name)} | {markdown(value)} |" for name, value in facts.items() if value]
    return ["| | |", "|---|---|", *rows]
