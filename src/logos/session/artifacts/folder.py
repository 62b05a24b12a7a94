"""The session's folder and everything that is written into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from logos.core.instrument_state import InstrumentState
from logos.core.records import Record
from logos.core.terms.payments import may_pay
from logos.files import cut_file, replace_file, replace_json, sync_file, sync_folder
from logos.journal.codec import SCHEMA_VERSION
from logos.journal.jsonlog import LINES_MAX, LINES_MAX_AT_SPEED, JsonLog
from logos.journal.surveys import Mark
from logos.journal.writer import JournalDiffersError, JournalWriter, WriterFigures
from logos.session.artifacts.counts import RecordCounts
from logos.session.artifacts.decisions import DecisionLog, SwitchView, Tick
from logos.session.artifacts.derived.files import drop_derived
from logos.session.artifacts.notes import NOTE_TABLES
from logos.session.artifacts.snapshots.gathered import Gathered
from logos.session.artifacts.snapshots.snapshot import (
    SNAPSHOT,
    FileMark,
    Place,
    Snapshot,
    encode_snapshot,
    marked,
)
from logos.session.artifacts.tables import ArtifactWriter, tables_of
from logos.session.stored.names import LAST_FILE, log_path
from logos.session.stored.names import is_finished as is_finished


def projection_files(
    session_id: str, folder: Path, home: Path | None, *, has_payments: bool = False
) -> dict[str, Path]:
    """The tables and the log of a session, by the names its snapshots have for them."""
    log = log_path(session_id, home)
    names = (*tables_of(has_payments), *NOTE_TABLES)
    return {**{name: folder / name for name in names}, "log": log}


class SessionFolder:
    """All files of one running session: journal first, then what is projected from it."""

    def __init__(
        self,
        session_id: str,
        journal: JournalWriter,
        states: Mapping[str, InstrumentState],
        home: Path | None = None,
        *,
        is_new: bool = True,
        is_live: bool = False,
        snapshot: Snapshot | None = None,
    ) -> None:
        """Create every file beside the `journal` of a session that `is_new`, or take them up.

        What is projected from the journal is made anew, or continued from a `snapshot` that was
        found to fit. Raises OSError when a file cannot be made; the journal is closed then.
        """
        folder = journal.path.parent
        self.folder = folder
        self.home = home
        """The workspace in which the log is; None: the configured one."""
        self.holds_back = False
        """Whether what is projected from new records waits for `project`, so that an order need not
        wait for it. Whoever asks for a projection before that has it made first."""
        self.is_logged = True
        """Whether there is a log of decisions, and snapshots may be saved; a replay has neither."""
        self.held: list[tuple[Sequence[Record], Sequence[bytes], Sequence[Tick]]] = []
        """What waits, a tuple for each `write`."""
        self._tally = RecordCounts()
        self._gathered = Gathered()
        self.more_to_save: Callable[[], Mapping[str, Any]] = dict
        """Asked for what else a snapshot is to hold, plain data by names of its own."""
        self._tally.averages.take_over(states)
        has_payments = may_pay(states.values())
        self._projections = projection_files(session_id, folder, home, has_payments=has_payments)
        self._marks = dict.fromkeys(self._projections, FileMark())
        self._journal = journal
        try:
            if not is_new:
                self._reopen()
            if snapshot is None:
                self._remove_projections()
            else:
                self._cut_projections(snapshot)
            saved = {} if snapshot is None else snapshot.projections
            self._artifacts = ArtifactWriter(
                folder,
                {
                    symbol: instrument_state.unit_value
                    for symbol, instrument_state in states.items()
                },
                saved.get("artifacts"),
                has_payments=has_payments,
                inverse=[name for name, each in states.items() if each.instrument.is_inverse],
            )
            lines = LINES_MAX if is_live else LINES_MAX_AT_SPEED
            self._log = JsonLog(self._projections["log"], session_id, lines)
        except BaseException:
            self._journal.close()
            raise
        self._decisions = DecisionLog(self._log)
        if snapshot is not None:
            self._tally.load(saved["tally"])
            self._gathered = msgspec.convert(saved["gathered"], Gathered)
            self._decisions.load(saved["log"])

    def _reopen(self) -> None:
        """A resumed session is not finished, whatever it was before."""
        # First of all what says so, so that no crash finds it half remade.
        (self.folder / LAST_FILE).unlink(missing_ok=True)
        sync_folder(self.folder)
        drop_derived(self.folder)
        for path in self.folder.glob(".*.tmp"):
            path.unlink()

    def _remove_projections(self) -> None:
        """The journal holds everything: what was projected from it is projected again.

        A new session has none, but its log may be there, left by another one of the same id.
        """
        for path in (self.folder / SNAPSHOT, *self._projections.values()):
            if path.exists():
                path.unlink()

    def _cut_projections(self, snapshot: Snapshot) -> None:
        """Take away what was projected after the snapshot: it will be projected again."""
        for name, path in self._projections.items():
            if snapshot.files[name].size == 0 and name in NOTE_TABLES:
                path.unlink(missing_ok=True)  # it was not made yet
            else:
                cut_file(path, snapshot.files[name].size)
        self._marks = dict(snapshot.files)

    @property
    def _there(self) -> dict[str, Path]:
        """The tables and the log, those that were not needed yet left out."""
        return {
            name: path
            for name, path in self._projections.items()
            if name not in NOTE_TABLES or path.exists()
        }

    @property
    def tally(self) -> RecordCounts:
        """Counts over the records."""
        self.project()
        return self._tally

    @property
    def measured(self) -> WriterFigures:
        """How much the journal holds, and what its fsyncs took."""
        return self._journal.measured

    @property
    def is_continuing(self) -> bool:
        """Whether a continued journal has lines left that the session has not made again."""
        return self._journal.is_continuing

    @property
    def written_bytes(self) -> int:
        """Bytes of the journal, its last records included."""
        return self._journal.offset

    def check_continued(self) -> None:
        """Raise JournalDiffersError if a continued journal says more than the session did."""
        if self._journal.is_continuing:
            raise JournalDiffersError(
                self._journal.path, self._journal.sequence + 1, self._journal.offset
            )

    def write_open_orders(self) -> None:
        """Rows in orders.csv for the orders that are open at the end of a stopped session."""
        self.project()
        self._artifacts.write_open_orders()

    def write_note(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Journal something that is no record of the core: the manifest, the seal."""
        self._journal.append({"kind": kind, **fields})

    def on_switch(self, tell: Callable[[str], object]) -> None:
        """Let `tell` hear of each change of the kill switch that is new, in words."""

        def tell_news(words: str) -> None:
            if not self._journal.is_continuing:
                tell(words)

        self._decisions.tell = tell_news

    @property
    def switch(self) -> SwitchView:
        """The kill switch as the journal has it."""
        self.project()
        return self._decisions.switch

    def write(self, records: Sequence[Record], ticks: Sequence[Tick] = ()) -> None:
        """Journal the records, then project them. `ticks`: those that they are about, and those on
        which nothing was decided, where the log is to have these too."""
        if not records and not ticks:
            return
        bodies = self._journal.append(*records)
        self.held.append((records, bodies, ticks))
        if not self.holds_back:
            self.project()

    def project(self) -> None:
        """Count what was journalled, and write it into tables and log, if that was held back.

        Raises OSError.
        """
        held, self.held = self.held, []
        for records, bodies, ticks in held:
            self._tally.add(records)
            self._artifacts.write(records)
            if not self.is_logged:
                self._decisions.see_switches(records)
                continue
            self._gathered.see_all(records)
            self._decisions.write(records, bodies, ticks)

    def cut_off_rest(self) -> int:
        """Drop what a continued journal says beyond this; see `JournalWriter.cut_off_rest`."""
        return self._journal.cut_off_rest()

    def sync(self) -> None:
        """Wait until the disk has the journal: before anything leaves for a real venue."""
        self._journal.sync()

    def flush(self) -> None:
        """Hand what was written to the operating system: a killed process loses none of it."""
        self._journal.flush()

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Replace state.json with `state` and the journal's position, after syncing all files."""
        self.project()
        self._decisions.finish()
        self._sync()
        content = {
            "schema": SCHEMA_VERSION,
            "sequence": self._journal.sequence,
            "journal_hash": self._journal.digest,
            **state,
        }
        replace_json(self.folder / "state.json", content)

    def _sync(self) -> None:
        """Bring the journal, the tables and the log to the disk."""
        self._journal.sync()
        self._artifacts.flush()
        self._log.flush()
        for path in self._there.values():
            sync_file(path)
        sync_folder(self._log.path.parent)

    def save_snapshot(
        self,
        uuid: str,
        consumed: int,
        first_ns: int,
        core: dict[str, Any],
        strategy: dict[str, Any],
        inputs: Mark | None = None,
    ) -> None:
        """Replace the snapshot from which the session can be resumed, after syncing all files.

        The core must be as it was after the last record that was written. `inputs` is the place in
        a live session's recorded inputs, which must be on the disk.
        """
        self.project()
        self._sync()
        for name, path in self._there.items():
            self._marks[name] = marked(path, self._marks[name])
        position = self._journal.position
        snapshot = Snapshot(
            uuid=uuid,
            consumed=consumed,
            first_ns=first_ns,
            sequence=position.sequence,
            offset=position.offset,
            digest=position.digest.hex(),
            journal_sha256=self._journal.content_sha256,
            files=self._marks,
            projections={
                "artifacts": self._artifacts.save(),
                "tally": self._tally.save(),
                "gathered": msgspec.to_builtins(self._gathered),
                "log": self._decisions.save(),
                **self.more_to_save(),
            },
            core=core,
            strategy=strategy,
            inputs=None if inputs is None else Place.of(inputs.position),
            inputs_sha256="" if inputs is None else inputs.sha256,
        )
        replace_file(self.folder / SNAPSHOT, encode_snapshot(snapshot))

    def drop_snapshot(self) -> None:
        """The session has ended: it is not resumed."""
        path = self.folder / SNAPSHOT
        if path.exists():
            path.unlink()
            # Before the file that says that the session is finished.
            sync_folder(self.folder)

    def write_text(self, name: str, text: str) -> None:
        """Write one small file, atomically."""
        # Last words about a failure come when all else may be there: it is not finished then.
        (self.folder / LAST_FILE).unlink(missing_ok=True)
        replace_file(self.folder / name, text.encode())

    def write_json(self, name: str, value: object) -> None:
        """Write one small JSON file, atomically."""
        replace_json(self.folder / name, value)

    def close(self) -> None:
        """Bring everything to the disk; every file is closed even if one fails."""
        with ExitStack() as closing:
            for close in (self._journal.close, self._log.close, self._artifacts.close):
                closing.callback(close)
            self.project()
