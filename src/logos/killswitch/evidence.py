"""What a look at the switch's files found, before anybody judges it."""

from __future__ import annotations

import os
from typing import Final

import msgspec

from logos.killswitch.history import Tail
from logos.killswitch.records import (
    NO_PREVIOUS,
    MarkerNote,
    RecordDamagedError,
    Transition,
    decode_line,
)

ARMED_BY: Final = "logos"
"""Who arms a switch for paper where nothing was ever armed."""


class Marker(msgspec.Struct, frozen=True):
    """A marker file that is there."""

    identity: str
    """`name:inode:mtime_ns:size`: a second `touch` gives another one, a rename does not."""
    note: MarkerNote
    kind: str
    """What it is when it is no regular file, in words."""


class Copy(msgspec.Struct, frozen=True):
    """One file that should hold the newest transition."""

    line: bytes
    transition: Transition | None
    problem: str
    """Why there is no transition, in words; empty when there is one."""
    exists: bool


Key = tuple[int, int, int, int, int]
"""Inode, mtime, ctime (ns), size, device: equal while the same bytes stand under the name."""


class Evidence(msgspec.Struct, frozen=True):
    """Everything the disk says, taken while the arm record stood still."""

    folder_problem: str
    kill: Marker | None
    reduce: Marker | None
    armed: Copy
    witness: Copy
    tail: Tail
    tail_transition: Transition | None
    flag_exists: bool
    stable: bool
    """False when the arm record kept changing while the rest was read."""
    key: Key
    descriptors: tuple[int, int]
    """The folder and the arm record, kept open for the reader (-1: not open)."""
    is_arming: bool = False
    """Whether the mark of a first arming is there: it was begun, and may not have been done."""
    past: str = ""
    """What shows that sessions were here, in words; looked for only where the switch has nothing.
    """

    @property
    def is_empty(self) -> bool:
        """The switch has nothing: no record, history, witness, flag or marker."""
        return (
            not (self.armed.exists or self.witness.exists or self.tail.exists or self.flag_exists)
            and self.kill is None
            and self.reduce is None
            and not self.folder_problem
        )

    @property
    def is_cut_short(self) -> bool:
        """The very first arming, by logos for paper, died before it was done: nobody was SAFE here.

        It left its mark, the first line of the history, and perhaps the witness of that line. The
        flag is made by whoever first finds an arm record: where it is, there was one.
        """
        first = self.tail_transition
        has_more = self.armed.exists or self.flag_exists or self.kill or self.reduce
        if first is None or has_more or not self.is_arming:
            return False
        is_first = first.epoch == 1 and first.was == "NEW" and first.previous == NO_PREVIOUS
        is_ours = first.who == ARMED_BY and first.state == "SAFE" and first.mode == "paper"
        has_same = not self.witness.exists or self.witness.line == self.tail.line
        return is_first and is_ours and has_same and not self.tail.torn_bytes

    @property
    def is_new(self) -> bool:
        """Nothing here was ever armed to the end, and no session was ever here."""
        return (self.is_empty or self.is_cut_short) and not self.past

    @property
    def is_unarmed(self) -> bool:
        """There is no switch here to obey: it is new, or gone without a trace but its sessions."""
        return self.is_empty or self.is_new

    @property
    def epoch(self) -> int:
        """The highest epoch that any copy names; 0 when none does."""
        copies = (self.armed.transition, self.witness.transition, self.tail_transition)
        return max((copy.epoch for copy in copies if copy is not None), default=0)

    @property
    def markers(self) -> str:
        """The identities of the markers that are there, as a transition records them."""
        return ";".join(m.identity for m in (self.kill, self.reduce) if m is not None)


NOTHING: Final = Copy(b"", None, "", False)
NO_KEY: Final[Key] = (0, 0, 0, 0, 0)


def key_of(found: os.stat_result) -> Key:
    """The identity of a file's content."""
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_dev


def parse_copy(content: bytes | None, name: str) -> Copy:
    """Judge the content of a file that should hold one transition."""
    if content is None:
        return Copy(b"", None, f"{name} is missing", False)
    try:
        return Copy(content, decode_line(content), "", True)
    except RecordDamagedError as error:
        return Copy(b"", None, f"{name} {error}", True)
