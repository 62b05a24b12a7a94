"""What the disk says about the switch, and how a transition gets there.

Problem: three files and two markers cannot change in one system call, and the process may die
between any two. Method: an order of writing that makes every half-way state read as ENGAGED.

- A change towards safety writes marker, arm record, witness, history: the first that lands stops
  everybody. One that fails does not keep the others from being tried.
- A reset writes history and witness first, and the arm record last: SAFE needs all three to hold
  the same line, so replacing the arm record is the one moment at which the switch turns SAFE.
- The first arming of all leaves a mark before anything else, and takes it away at the end: where
  one died in between, the next finishes it. Without the mark whatever is missing is a loss.
- The witness lives outside the folder. A folder put back from an older copy disagrees with it.
- Where folder and witness are both gone, the sessions of the workspace are the evidence of a past:
  a workspace that has sessions was armed once, so it is not new.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.killswitch import history
from logos.killswitch.evidence import NO_KEY, Copy, Evidence, Key, Marker, key_of, parse_copy
from logos.killswitch.files import Folder, OsLayer, describe, kind_of
from logos.killswitch.history import Tail
from logos.killswitch.records import (
    LINE_BYTES_MAX,
    ResetRefusedError,
    Transition,
    decode_marker,
    digest,
    encode_line,
)

ARM_FILE: Final = "armed.json"
KILL_FILE: Final = "KILL"
REDUCE_FILE: Final = "REDUCE_ONLY"
LOCK_FILE: Final = "lock"
FLAG_FILE: Final = "flag"
ARMING_FILE: Final = "arming"
"""The mark of a first arming: there before anything else is written, and gone when it is done."""
MARKER_FILES: Final = (KILL_FILE, REDUCE_FILE)
MARKER_BYTES_MAX: Final = 4_096
LOOKS_MAX: Final = 4
"""How often a reader starts over because a writer was at work, before it says ENGAGED."""


class SwitchLedger:
    """The files of one switch. Readers need no lock; every writing method wants it held."""

    __slots__ = ("folder_path", "layer", "witness_path")

    def __init__(self, folder: Path, witness: Path | None, layer: OsLayer | None) -> None:
        self.folder_path = Path(os.path.abspath(folder))
        state = self.folder_path.parent
        default = state.parent / f".{state.name}-{self.folder_path.name}.witness"
        self.witness_path = Path(os.path.abspath(witness or default))
        self.layer = layer or OsLayer()

    def open(self) -> Folder:
        """The folder. Raises OSError."""
        return Folder(self.layer, self.folder_path)

    def make(self) -> None:
        """Create the folder and the witness's, when missing. Raises OSError."""
        self.layer.make_folder(os.fspath(self.folder_path))
        self.layer.make_folder(os.fspath(self.witness_path.parent))

    def look(self) -> Evidence:
        """Read everything. Never raises, never blocks, never writes.

        The reader owns `descriptors` of the answer and closes them.
        """
        for _ in range(LOOKS_MAX - 1):
            evidence = self._look_once()
            if evidence.stable:
                break
            self.release(evidence)
        else:
            evidence = self._look_once()
        if evidence.is_empty or evidence.is_cut_short:
            return msgspec.structs.replace(evidence, past=self._past())
        return evidence

    def _past(self) -> str:
        """What shows that sessions were in this workspace; "" when nothing does.

        A folder that cannot be read may hold anything: it counts as a past.
        """
        workspace = self.folder_path.parent.parent
        sessions = paths.within(workspace, paths.sessions_dir())
        for place in (sessions, self.folder_path.parent / "sessions"):
            try:
                # A name with a dot in front is a session that is being made, or a temporary file.
                found = sorted(n for n in self.layer.names(str(place)) if not n.startswith("."))
            except (FileNotFoundError, NotADirectoryError):
                continue  # no session can have been there
            except OSError as error:
                return describe(error, str(place))
            if found:
                return f"there are sessions in {place} ({found[0]}{', ...' if found[1:] else ''})"
        return ""

    def release(self, evidence: Evidence) -> None:
        """Close what `look` left open."""
        for descriptor in evidence.descriptors:
            if descriptor >= 0:
                self.layer.close(descriptor)

    def _look_once(self) -> Evidence:
        witness = self._read_witness()
        try:
            folder = self.open()
        except FileNotFoundError:
            return self._nothing(witness, "")
        except OSError as error:
            return self._nothing(witness, describe(error, str(self.folder_path)))
        record_fd, armed, key = self._read_armed(folder)
        try:
            kill, reduce = (self._read_marker(folder, name) for name in MARKER_FILES)
            tail = history.read_tail(folder)
            # The witness is read again: what it said before the record was read is of no use.
            witness = self._read_witness()
            flag_exists = folder.status(FLAG_FILE) is not None
            is_arming = folder.status(ARMING_FILE) is not None
            found = folder.status(ARM_FILE)
            # Something unreadable is genuine: our own writers only ever swap whole files.
            unreadable = armed.exists and armed.transition is None
            stable = unreadable or (NO_KEY if found is None else key_of(found)) == key
        except OSError as error:
            self.layer.close(folder.fd)
            if record_fd >= 0:
                self.layer.close(record_fd)
            return self._nothing(witness, describe(error, str(self.folder_path)))
        last = parse_copy(tail.line, history.HISTORY_FILE).transition if tail.line else None
        descriptors = (folder.fd, record_fd)
        return Evidence(
            folder_problem="",
            kill=kill,
            reduce=reduce,
            armed=armed,
            witness=witness,
            tail=tail,
            tail_transition=last,
            flag_exists=flag_exists,
            stable=stable,
            key=key,
            descriptors=descriptors,
            is_arming=is_arming,
        )

    def _nothing(self, witness: Copy, problem: str) -> Evidence:
        missing = parse_copy(None, str(self.folder_path / ARM_FILE))
        tail = Tail(False, b"", 0, "")
        return Evidence(
            problem, None, None, missing, witness, tail, None, False, True, NO_KEY, (-1, -1)
        )

    def _read_armed(self, folder: Folder) -> tuple[int, Copy, Key]:
        name = str(self.folder_path / ARM_FILE)
        try:
            fd = folder.open_regular(ARM_FILE)
        except FileNotFoundError:
            return -1, parse_copy(None, name), NO_KEY
        except OSError as error:
            return -1, Copy(b"", None, describe(error, name), True), NO_KEY
        try:
            key = key_of(self.layer.fstat(fd))
            return fd, parse_copy(folder.read_open(fd, LINE_BYTES_MAX), name), key
        except OSError as error:
            self.layer.close(fd)
            return -1, Copy(b"", None, describe(error, name), True), NO_KEY

    def _read_witness(self) -> Copy:
        name = str(self.witness_path)
        try:
            with Folder(self.layer, self.witness_path.parent, follow=True) as place:
                return parse_copy(place.read(self.witness_path.name, LINE_BYTES_MAX), name)
        except FileNotFoundError:
            return parse_copy(None, name)
        except OSError as error:
            return Copy(b"", None, describe(error, name), True)

    def _read_marker(self, folder: Folder, name: str) -> Marker | None:
        found = folder.status(name)
        if found is None:
            return None
        identity = f"{name}:{found.st_ino}:{found.st_mtime_ns}:{found.st_size}"
        try:
            content = folder.read(name, MARKER_BYTES_MAX) or b""
        except OSError:
            content = b""  # That it is there is what counts; nobody needs to be able to read it.
        return Marker(identity, decode_marker(content), kind_of(found.st_mode))

    def holds(self, line: bytes) -> bool:
        """Whether the arm record is exactly this line."""
        evidence = self.look()
        self.release(evidence)
        return bool(line) and evidence.armed.line == line

    def write_raise(self, folder: Folder, transition: Transition, before: Evidence) -> list[str]:
        """Record a change towards safety; tries every file. Returns what failed, in words."""
        line = encode_line(transition)
        problems: list[str] = []
        try:
            folder.replace(ARM_FILE, line)
        except OSError as error:
            problems.append(describe(error, str(self.folder_path / ARM_FILE)))
        try:
            self._write_witness(line)
        except OSError as error:
            problems.append(describe(error, str(self.witness_path)))
        try:
            if self.is_unlisted(before):
                history.append_line(folder, before.armed.line)
            history.append_line(folder, line)
        except OSError as error:
            problems.append(describe(error, str(self.folder_path / history.HISTORY_FILE)))
        return problems

    @staticmethod
    def is_unlisted(before: Evidence) -> bool:
        """Whether the arm record is the one line that a crash kept out of the history."""
        record = before.armed.transition
        return (
            record is not None
            and record.previous == history.next_previous(before.tail)
            and record != before.tail_transition
            and not before.tail.problem
        )

    @staticmethod
    def is_behind(evidence: Evidence) -> bool:
        """Whether an ENGAGED record stands alone: a crash or an accident took its copies."""
        record = evidence.armed.transition
        if record is None or record.state != "ENGAGED":
            return False
        witness = evidence.witness.transition
        lagging = witness is None or witness.epoch < record.epoch
        return lagging or SwitchLedger.is_unlisted(evidence)

    def repair(self, folder: Folder, evidence: Evidence) -> None:
        """Give an ENGAGED record its copies back, for the day the record is lost. OSError."""
        record, witness = evidence.armed.transition, evidence.witness.transition
        if record is not None and (witness is None or witness.epoch < record.epoch):
            self._write_witness(evidence.armed.line)
        if self.is_unlisted(evidence):
            history.append_line(folder, evidence.armed.line)

    def previous_for(self, before: Evidence) -> str:
        """What the next transition names as its predecessor."""
        if self.is_unlisted(before):
            return digest(before.armed.line)
        return history.next_previous(before.tail)

    def write_grant(self, folder: Folder, transition: Transition, before: Evidence) -> None:
        """Turn the switch SAFE. Raises OSError; until the very last step nothing is permitted.

        Markers must have been taken away by `take_markers` already.
        """
        line = encode_line(transition)
        if self.is_unlisted(before):
            history.append_line(folder, before.armed.line)
        history.append_line(folder, line)
        self.finish_grant(folder, line)

    def finish_grant(self, folder: Folder, line: bytes) -> None:
        """Turn the switch SAFE by a line that the history holds already. Raises OSError."""
        self._write_witness(line)
        folder.replace(ARM_FILE, line)

    @staticmethod
    def mark_arming(folder: Folder) -> None:
        """Leave the mark of a first arming. Raises OSError."""
        with contextlib.suppress(FileExistsError):
            folder.create(ARMING_FILE, b"")

    @staticmethod
    def drop_arming(folder: Folder) -> None:
        """Take that mark away, if it is there. Raises OSError."""
        if folder.status(ARMING_FILE) is not None:
            folder.layer.unlink(ARMING_FILE, dir_fd=folder.fd)

    def take_markers(self, folder: Folder, before: Evidence) -> bool:
        """Move the markers out of the way; False, with all put back, when one is newer.

        Raises OSError; ResetRefusedError for a directory, which nobody should lose by a reset.
        """
        taken: list[str] = []
        for name, marker in zip(MARKER_FILES, (before.kill, before.reduce), strict=True):
            if marker is None:
                continue
            if marker.kind == "a directory":
                raise ResetRefusedError(
                    f"{self.folder_path / name} is a directory: remove it by hand, then reset"
                )
            aside = f".cleared-{name}"
            folder.layer.replace(name, aside, dir_fd=folder.fd)
            taken.append(name)
            found = folder.status(aside)
            if found is None or (
                f"{name}:{found.st_ino}:{found.st_mtime_ns}:{found.st_size}" != marker.identity
            ):
                for back in taken:
                    folder.layer.replace(f".cleared-{back}", back, dir_fd=folder.fd)
                return False
        return True

    def drop_taken(self, folder: Folder) -> None:
        """Delete the markers that a finished reset moved aside. Raises OSError."""
        for name in MARKER_FILES:
            found = folder.status(f".cleared-{name}")
            if found is not None and not stat.S_ISDIR(found.st_mode):
                folder.layer.unlink(f".cleared-{name}", dir_fd=folder.fd)

    def _write_witness(self, line: bytes) -> None:
        with Folder(self.layer, self.witness_path.parent, follow=True) as place:
            place.replace(self.witness_path.name, line)
