"""What a look through recorded inputs finds, without making their events.

Who resumes a live session must know of all that it consumed when it began, which fills and charges
it heard of, and how far its sources were read. A recording of a day has millions of lines, and
nearly all are quotes. So where a snapshot names the SHA-256 of all bytes before it, those are
hashed and searched (`look_before`): only lines that bear such a report are read. Behind it, and
wherever the bytes are others, every line is read and verified.
"""

from __future__ import annotations

import re
from binascii import hexlify
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from logos.core.messages import Report
from logos.core.types import ReportKind
from logos.journal.rows import OFFSET, SIGNAL, time_of
from logos.journal.writer import Content, Lines, Position

_PROVED: Final = (ReportKind.FILLED.value, ReportKind.CHARGED.value)
"""Reports that the venue proves by an id of its own."""
_TELLING: Final = re.compile(
    rb'\["(?:r",-?\d+,"(?:%b)"|o",)' % b"|".join(each.encode() for each in _PROVED)
)
"""The beginning of a row that `Surveyor.see` keeps something of. Text cannot look like it: its
quotes are escaped."""
_BLOCK_BYTES: Final = 1 << 20
_HEAD: Final = b'{"seq":%d,'
_HASH: Final = b'","hash":"%b","body":'


class Survey(NamedTuple):
    """What a look through recorded inputs finds, up to the last whole batch.

    `first_ns` is the time of the first event (0: none), `fills` the client order id and fill id of
    every fill that was reported. `has_place`: whether the place that was asked for is there, and
    `content` the running hash of the bytes before it (None: nothing was asked for).
    `before_bytes` of the whole lie in the files before the last one. `offsets`: up to which message
    each source was read that keeps what it said (`FeedOffset`). `charges` are the venue's ids of
    what it was heard to charge, `last_ns` is the time of the last event (0: none).
    """

    whole_bytes: int
    first_ns: int
    fills: Sequence[tuple[str, str]]
    has_place: bool
    before_bytes: int = 0
    offsets: Mapping[str, int] = {}
    charges: Sequence[str] = ()
    last_ns: int = 0
    content: Content | None = None


class Mark(NamedTuple):
    """A place in recorded inputs, and the SHA-256 of all bytes before it as hex ("": unknown)."""

    position: Position
    sha256: str = ""


class Surveyor:
    """Adds up what the rows of recorded batches say."""

    def __init__(self) -> None:
        self.first_ns = 0
        self.last_ns = 0
        self.fills: list[tuple[str, str]] = []
        self.charges: list[str] = []
        self.offsets: dict[str, int] = {}

    def see(self, events: Sequence[Sequence[Any]]) -> None:
        """Take the rows of the next batch. Raises LookupError or ValueError for what is none."""
        for row in events:
            letter = row[0]
            if letter == "q" and self.first_ns:  # quotes are by far the most frequent
                self.last_ns = int(row[2])
                continue
            self.last_ns = time_of(row)
            if letter == OFFSET:
                self.offsets[row[2]] = row[3]
            if letter in (OFFSET, SIGNAL):
                continue
            self.first_ns = self.first_ns or self.last_ns
            if letter == "r" and row[2] in _PROVED:
                report = Report(row[1], ReportKind(row[2]), *row[3:])
                if report.kind is ReportKind.CHARGED:
                    self.charges.append(report.fill_id)
                else:
                    self.fills.append((report.client_order_id, report.fill_id))

    def survey(
        self, whole_bytes: int, has_place: bool, before_bytes: int, content: Content | None
    ) -> Survey:
        """All of it."""
        return Survey(
            whole_bytes,
            self.first_ns,
            self.fills,
            has_place,
            before_bytes,
            self.offsets,
            self.charges,
            self.last_ns,
            content,
        )


class _Batch(msgspec.Struct):
    """What is read of a line: its rows, if it is a batch."""

    events: list[list[Any]] = []


class _Line(msgspec.Struct):
    body: _Batch


_DECODER: Final = msgspec.json.Decoder(_Line)


def look_before(lines: Lines, mark: Mark) -> tuple[Surveyor, Content] | None:
    """What the bytes before `mark` say, and their running hash; None where they are others than
    those that it speaks of. `lines` reads the recording. Raises OSError and SegmentError."""
    content, surveyor = sha256(), Surveyor()
    left, rest, last = mark.position.offset, b"", b""
    lines.seek(0)
    while left and (block := lines.read(min(left, _BLOCK_BYTES))):
        left -= len(block)
        content.update(block)
        block = rest + block
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if end:
            last = block[block.rfind(b"\n", 0, end - 1) + 1 : end]
            try:
                _search(block[:end], surveyor)
            except (LookupError, ValueError, TypeError):
                return None  # whatever it is: the careful reading says it
    if left or rest or content.hexdigest() != mark.sha256 or not _is_line_of(last, mark.position):
        return None
    surveyor.last_ns = _last_ns(last)
    return surveyor, content


def _search(block: bytes, surveyor: Surveyor) -> None:
    """Take what whole lines say, if they say anything."""
    place = 0
    while not surveyor.first_ns and place < len(block):
        end = block.index(b"\n", place)
        surveyor.see(_DECODER.decode(block[place:end]).body.events)
        place = end + 1
    while (found := _TELLING.search(block, place)) is not None:
        place = block.index(b"\n", found.end())
        start = block.rfind(b"\n", 0, found.start()) + 1
        surveyor.see(_DECODER.decode(block[start:place]).body.events)


def _is_line_of(line: bytes, position: Position) -> bool:
    """Whether a line bears the number and the digest of the place behind it."""
    digest = _HASH % hexlify(position.digest[:8])
    return line.startswith(_HEAD % position.sequence) and digest in line[:100]


def _last_ns(line: bytes) -> int:
    last = Surveyor()
    last.see(_DECODER.decode(line).body.events)
    return last.last_ns
