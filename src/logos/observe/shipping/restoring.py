"""Restores a session's folder from what was shipped of it, so that it can be resumed elsewhere.

What shipping can promise. It follows trading and is never waited for: what a session did in the
last moment before its machine was lost may not have been shipped, and nobody can know how much. So
the folder holds what the session was at its last record that arrived, verified line by line, and
no later: recorded inputs behind that record are left out, since what was decided at them (an order,
a limit that came into force) may be missing. A gap, a damaged line, two histories under one key or
inputs that end before the record are refused, with their place.

On paper no order ever left, so what is missing exists nowhere else, and the session is resumed. A
session with real orders may have sent one that is not in the folder. It would get its number, which
is its client order id, again: `RESTORED`, a file in the folder, keeps such a session from being
resumed.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from logos.errors import ConfigError
from logos.files import make_folder, open_new, replace_json, sync_file, sync_folder
from logos.journal.entries import JOURNAL, Manifest, open_journal
from logos.journal.inputs import INPUTS_FILE, batch_times
from logos.journal.reader import Damaged
from logos.observe.shipping.branches import Branches, NotRestorable
from logos.observe.shipping.messages import INPUTS_TOPIC, JOURNAL_TOPIC
from logos.observe.shipping.reading import Take
from logos.session.artifacts.rows import Moments
from logos.session.stored.names import RESTORED, SETTINGS

_WORK: Final = ".shipped"


class Topics(Protocol):
    """Where a session was shipped to; see `KafkaTopics`."""

    def partitions(self, kind: str, session_id: str) -> list[int]: ...

    def read(self, kind: str, partition: int, session_id: str, take: Take) -> None: ...


class Restored(msgspec.Struct, frozen=True):
    """What was restored: the file `RESTORED` in the session's folder."""

    session: str
    uuid: str
    claim: int
    """Of the owner of the shard who shipped it; 0: it is of no shard."""
    records: int
    """Of the journal; what the session did behind the last of them is not known."""
    last_ns: int
    """The time of the last of them, nanoseconds since 1970 UTC; 0: it had begun nothing."""
    inputs: int
    """Lines of recorded inputs that were taken."""
    inputs_left_out: int
    """Lines behind the last record."""
    sends_orders: bool
    """Whether its orders are real: it is never resumed then."""


def restore_session(topics: Topics, session_id: str, folder: Path, uuid: str = "") -> Restored:
    """Make the `folder` of a session from what was shipped of it; it must not be there.

    `uuid`: of several sessions that had this name. Raises NotRestorable, TopicsUnreadable,
    FileExistsError, OSError. Whatever it raises, there is no folder then.
    """
    if os.path.lexists(folder):
        raise FileExistsError(17, "is there already", str(folder))
    make_folder(folder.parent)
    making = folder.with_name(f".{folder.name}.restoring-{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    make_folder(making / _WORK, is_new=True)
    try:
        restored = _restore(topics, session_id, making, uuid)
        shutil.rmtree(making / _WORK)
        sync_folder(making)
        os.rename(making, folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return restored


def _restore(topics: Topics, session_id: str, making: Path, uuid: str) -> Restored:
    work = making / _WORK
    journals = _read(topics, JOURNAL_TOPIC, session_id, Branches(work, "record", session_id))
    if uuid:
        journals.only(uuid)
    branch = journals.newest()
    if branch is None:
        raise NotRestorable(f"nothing was shipped of session {session_id}")
    os.replace(branch.path, making / JOURNAL)
    last = _last_of(making / JOURNAL)
    inputs = _Kept(0, 0)
    if not last.manifest.data:  # a session on recorded data has its inputs there
        lines = _read(topics, INPUTS_TOPIC, session_id, Branches(work, "input", session_id))
        lines.only(branch.uuid)
        lines.newest()  # which finds gaps
        found = lines.of(branch)
        if found is None:
            raise NotRestorable(
                f"no recorded inputs were shipped of session {session_id}: only with them it can "
                "be gone on with; they are shipped by inputs = true in [ship.kafka]"
            )
        inputs = _keep_inputs(found.path, making / INPUTS_FILE, last)
    replace_json(making / SETTINGS, last.manifest.config)
    restored = Restored(
        session_id,
        branch.uuid,
        branch.claim,
        branch.sequence,
        last.last_ns,
        inputs.taken,
        inputs.left_out,
        bool((last.manifest.config.get("venue") or {}).get("live")),
    )
    replace_json(making / RESTORED, restored)
    for name in (JOURNAL, INPUTS_FILE):
        with suppress(FileNotFoundError):
            sync_file(making / name)
    return restored


def _read(topics: Topics, kind: str, session_id: str, into: Branches) -> Branches:
    """Read a topic until nothing more hangs together: a session may have moved to another
    partition, so that what comes first lies in one that is read later."""
    before = -1
    try:
        partitions = topics.partitions(kind, session_id)
        while before < into.lines:
            before = into.lines
            for partition in partitions:
                topics.read(kind, partition, session_id, into.take)
            if not into.has_gaps:
                break
    finally:
        into.close()
    return into


class _Last(NamedTuple):
    manifest: Manifest
    last_ns: int
    """The time of the last record; 0: there is only the manifest."""


class _Kept(NamedTuple):
    taken: int
    left_out: int


def _last_of(path: Path) -> _Last:
    """Read a journal through: who the session is, and when its last record was.

    Raises NotRestorable for one that this version does not read.
    """
    manifest, last_ns = Manifest(0), 0
    try:
        with open_journal(path) as reader:
            for entry in reader.entries():
                if isinstance(entry.record, Manifest):
                    manifest = entry.record
                else:
                    last_ns = getattr(entry.record, "ts_ns", last_ns)
    except (Damaged, ConfigError) as error:
        raise NotRestorable(f"what was shipped is no journal that can be read: {error}") from None
    return _Last(manifest, last_ns)


def _keep_inputs(source: Path, target: Path, last: _Last) -> _Kept:
    """Copy the inputs up to the last record. Raises NotRestorable where they end before it."""
    taken = left_out = 0
    reached_ns = 0
    with open(source, "rb") as lines, open_new(target) as kept:
        for line in lines:
            times = batch_times(line)
            if left_out or (times and times[0] > last.last_ns):
                left_out += 1
                continue
            kept.write(line)
            taken += 1
            reached_ns = times[-1] if times else reached_ns
    if not left_out and reached_ns < last.last_ns:
        moment = Moments().text
        raise NotRestorable(
            f"recorded inputs {taken + 1} and those behind it are missing: the last record is of "
            f"{moment(last.last_ns)}, and the inputs that were shipped end at "
            f"{moment(reached_ns)}"
        )
    return _Kept(taken, left_out)
