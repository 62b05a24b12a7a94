"""Judges a rehearsal again, from its packed evidence alone: on any machine, without the data.

The pack is hashed and unpacked beside nothing of the user's; every journal is read and its chain
verified, every expectation is judged again and compared with what the record claims. The reports
are made again and compared byte for byte.

What this cannot show: that the sessions ran as their facts say (when something was injected, how
the process ended), for that stands in no journal; and that record and pack were not made anew
together. Against that helps only the hash of the pack, kept apart.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from logos import __version__
from logos.errors import LogosError
from logos.files import read_whole
from logos.paths import check_session_id
from logos.rehearsal.reports.pack import PACK_FILE, PackError, digest_of, unpack
from logos.rehearsal.reports.picture import picture
from logos.rehearsal.reports.record import RECORD_FILE, SCHEMA, Record, Row, row_of
from logos.rehearsal.reports.write import reports
from logos.rehearsal.scenarios import bundled_scenarios
from logos.rehearsal.verdicts import FACTS_FILE, Facts, Part, home_of, judge, read_journal_of

_RECORD_BYTES_MAX: Final = 64 * 1024**2


class NoRehearsalError(LogosError):
    """The folder holds no rehearsal, or a record that cannot be read."""


@dataclass(slots=True)
class Verification:
    """What judging again came to. `differences` are in words; none: all is as claimed."""

    record: Record
    digest: str = ""
    judged: list[Row] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def verify_rehearsal(folder: Path) -> Verification:
    """Judge the rehearsal in `folder` again. Raises NoRehearsalError and OSError."""
    verification = Verification(_read_record(folder / RECORD_FILE))
    record, differ = verification.record, verification.differences.append
    if record.problem:
        differ(f"the rehearsal is not whole: {record.problem}")
    if len(record.rows) < record.planned:
        differ(f"{len(record.rows)} of {record.planned} scenarios are recorded")
    try:
        verification.digest = digest_of(folder / PACK_FILE)
    except FileNotFoundError:
        differ(f"{PACK_FILE} is missing: there is nothing to judge")
        return verification
    if verification.digest != record.evidence_sha256:
        differ(f"{PACK_FILE} is not the recorded one: its SHA-256 is {verification.digest}")
    pictures: dict[tuple[str, str], str] = {}
    with tempfile.TemporaryDirectory(prefix="logos-rehearsal-") as place:
        try:
            unpack(folder / PACK_FILE, Path(place))
        except PackError as error:
            differ(str(error))
            return verification
        for row in record.rows:
            if row.has_evidence:
                drawn = _judge_again(row, Path(place), verification)
                pictures[row.part, row.name] = drawn
        _find_strangers(Path(place), verification)
    _compare_reports(folder, pictures, verification)
    return verification


def _read_record(path: Path) -> Record:
    try:
        record = msgspec.json.decode(read_whole(path, _RECORD_BYTES_MAX), type=Record)
    except FileNotFoundError:
        raise NoRehearsalError(f"{path} is missing: this is no folder of a rehearsal") from None
    except msgspec.MsgspecError as error:
        raise NoRehearsalError(f"{path} cannot be read: {error}") from None
    if record.schema != SCHEMA:
        raise NoRehearsalError(f"{path} has schema {record.schema}; this logos reads {SCHEMA}")
    return record


def _judge_again(row: Row, place: Path, verification: Verification) -> str:
    """Judge one scenario again and note what differs; its picture."""
    where = f"{row.name} ({row.part})"
    differ = verification.differences.append
    try:
        part = Part(row.part)
        check_session_id(row.name)
        home = home_of(place, part, row.name)
        facts = msgspec.json.decode(read_whole(home / FACTS_FILE, _RECORD_BYTES_MAX), type=Facts)
        if (facts.scenario.name, facts.part) != (row.name, part):
            differ(f"{where}: its facts are of {facts.scenario.name} ({facts.part.value})")
            return ""
        journal = read_journal_of(home, row.name)
        again = row_of(judge(facts, home, journal))
    except Exception as error:  # whatever is wrong with what others packed is theirs
        differ(f"{where}: its evidence cannot be judged: {error}")
        return ""
    verification.judged.append(again)
    bundled = {each.name: each for each in bundled_scenarios()}.get(row.name)
    is_same_logos = verification.record.software == __version__
    if is_same_logos and part is Part.ENGINE and bundled not in (None, facts.scenario):
        differ(f"{where}: the scenario is not the bundled one of this name")
    if again.verdict != row.verdict:
        differ(f"{where}: the record says {row.verdict}, the evidence says {again.verdict}")
    elif again != row:
        differ(f"{where}: the record differs from the evidence in {_fields(row, again)}")
    return picture(journal, facts.ts_ns)


def _fields(row: Row, again: Row) -> str:
    names = [name for name in Row.__struct_fields__ if getattr(row, name) != getattr(again, name)]
    return ", ".join(names)


def _find_strangers(place: Path, verification: Verification) -> None:
    """Note sessions in the pack of which the record has nothing: a verdict that was left out."""
    known = {(row.part, row.name) for row in verification.record.rows}
    for path in sorted(place.rglob(FACTS_FILE)):
        name = path.parent.name
        part = next((p for p in Part if home_of(place, p, name) == path.parent), None)
        is_baseline = part is Part.ENGINE and name == "no_incident"
        if part is not None and not is_baseline and (part.value, name) not in known:
            verification.differences.append(f"{name} ({part.value}) is not in the record")


def _compare_reports(
    folder: Path, pictures: dict[tuple[str, str], str], verification: Verification
) -> None:
    """The reports must be what record and evidence make of them, in the same version of logos."""
    if verification.record.software != __version__:
        return
    for name, content in reports(verification.record, pictures).items():
        try:
            if (folder / name).read_bytes() != content:
                verification.differences.append(f"{name} is not what record and evidence make")
        except FileNotFoundError:
            verification.differences.append(f"{name} is missing")
