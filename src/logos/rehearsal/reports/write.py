"""Writes what a rehearsal leaves beside its sessions: the packed evidence, the record, the reports.

They are written whatever happened to the rehearsal: of one that was interrupted they say how far it
came.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from logos.files import replace_file, replace_json
from logos.rehearsal.reports.pack import pack
from logos.rehearsal.reports.page import PAGE_FILE, rehearsal_page
from logos.rehearsal.reports.record import RECORD_FILE, Record, make_record
from logos.rehearsal.reports.report import MARKDOWN_FILE, rehearsal_markdown
from logos.rehearsal.run import Rehearsal

Pictures = Mapping[tuple[str, str], str]
"""SVG elements by part and scenario."""


def write_reports(
    rehearsal: Rehearsal, started_ns: int, ended_ns: int, *, problem: str = ""
) -> Record:
    """Pack the evidence and write record and reports. Raises OSError.

    `problem` says why the rehearsal is not whole; times are of the wall clock.
    """
    folder = rehearsal.folder
    digest = pack(folder)
    record = make_record(rehearsal, started_ns, ended_ns, evidence_sha256=digest, problem=problem)
    pictures = {(r.part.value, r.scenario.name): r.picture for r in rehearsal.every}
    replace_json(folder / RECORD_FILE, msgspec.to_builtins(record))
    for name, content in reports(record, pictures).items():
        replace_file(folder / name, content)
    return record


def reports(record: Record, pictures: Pictures) -> dict[str, bytes]:
    """The reports for people, by the names of their files."""
    return {
        MARKDOWN_FILE: rehearsal_markdown(record).encode(),
        PAGE_FILE: rehearsal_page(record, pictures).encode(),
    }


def page_of(folder: Path) -> Path:
    """The report with pictures in a rehearsal's folder."""
    return folder / PAGE_FILE
