"""Puts the lines of a session together again from messages that may come again, and from forks.

Messages come at least once, in order by partition; what comes again has the same content. Two
owners of a shard may have written different records under one key, each under its own claim: each
claim's lines are a branch of their own, written into a file as they come, so that memory does not
grow with the session. A line is believed if its number, its CRC and its place in the chain say that
it follows the one before it (`journal.codec`); nothing is skipped, and nothing is guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

import msgspec

from logos.errors import LogosError
from logos.files import open_new
from logos.journal.codec import GENESIS, BadLine, decode_line
from logos.observe.shipping.messages import MESSAGE_SCHEMA, journal_line

_HASH_BYTES: Final = 8


class NotRestorable(LogosError):
    """What was shipped of a session is not enough to go on from: why, and where."""


class _Head(msgspec.Struct, frozen=True):
    """Of a message of a line, what is needed of it."""

    schema: int
    session: str
    uuid: str
    seq: int
    hash: str


_decode_head: Final = msgspec.json.Decoder(_Head).decode


class Branch:
    """The lines that one claim's owner shipped of one session, as far as they hang together."""

    def __init__(self, path: Path, what: str, uuid: str, claim: int) -> None:
        """Raises OSError."""
        self.path, self.uuid, self.claim = path, uuid, claim
        self.sequence = 0
        """The number of the last line."""
        self.farthest = 0
        """The highest number that came; above `sequence` there is a gap."""
        self.hashes = bytearray()
        """Eight bytes of the chain for each line: which line stands where."""
        self._what = what
        self._digest = GENESIS
        self._file: IO[bytes] = open_new(path, "wb")

    def take(self, head: _Head, value: bytes) -> None:
        """Take a message in. Raises NotRestorable for one that contradicts what came before."""
        self.farthest = max(self.farthest, head.seq)
        if head.seq > self.sequence + 1:
            return
        if head.seq <= self.sequence:
            place = (head.seq - 1) * _HASH_BYTES
            if self.hashes[place : place + _HASH_BYTES].hex() != head.hash:
                raise NotRestorable(
                    f"{self._what} {head.seq} came with two contents: two sessions of this name "
                    "were shipped to these topics, and which one counts nobody here can know"
                )
            return
        line = journal_line(value)
        try:
            _, self._digest = decode_line(line, head.seq, self._digest)
        except BadLine as error:
            raise NotRestorable(
                f"{self._what} {head.seq} in the topic is not what was written: {error}"
            ) from None
        self.sequence = head.seq
        self.hashes += self._digest[:_HASH_BYTES]
        self._file.write(line + b"\n")

    def close(self) -> None:
        """Bring it to the file. Raises OSError."""
        self._file.close()

    def is_within(self, other: Branch) -> bool:
        """Whether `other` has all lines of this one, and more."""
        return len(self.hashes) < len(other.hashes) and other.hashes.startswith(self.hashes)


class Branches:
    """All that one topic holds of a session, by uuid and claim."""

    def __init__(self, folder: Path, what: str, session_id: str) -> None:
        """`what` a line is in messages: "record", "input". Files are made in `folder`."""
        self._folder, self._what, self._session_id = folder, what, session_id
        self._found: dict[tuple[str, int], Branch] = {}

    def take(self, value: bytes, claim: int) -> None:
        """Take the value of a message in. Raises NotRestorable, OSError."""
        try:
            head = _decode_head(value)
        except ValueError as error:  # msgspec's are such
            raise NotRestorable(f"a message of the session cannot be read: {error}") from None
        if head.schema != MESSAGE_SCHEMA:
            raise NotRestorable(
                f"the session was shipped in schema {head.schema}, and this version reads "
                f"{MESSAGE_SCHEMA}"
            )
        if head.session != self._session_id:
            return
        key = (head.uuid, claim)
        branch = self._found.get(key)
        if branch is None:
            path = self._folder / f"{self._what}.{len(self._found)}"
            branch = self._found[key] = Branch(path, self._what, *key)
        branch.take(head, value)

    @property
    def has_gaps(self) -> bool:
        """Whether lines came that nothing leads to: those before them may come yet."""
        return any(each.farthest > each.sequence for each in self._found.values())

    @property
    def lines(self) -> int:
        """How many lines hang together, of all branches."""
        return sum(each.sequence for each in self._found.values())

    def close(self) -> None:
        """Close all files. Raises OSError."""
        for each in self._found.values():
            each.close()

    def newest(self) -> Branch | None:
        """The branch that counts: of the newest claim that shipped anything of its own.

        What a claim ships begins with what the claims before it left: one that died before it had
        shipped more than that adds nothing. None where there is nothing. Raises NotRestorable when
        two sessions of one name are there, and for a gap.
        """
        found = sorted(self._found.values(), key=lambda each: each.claim, reverse=True)
        if not found:
            return None
        uuids = {each.uuid for each in found if each.claim == found[0].claim}
        if len(uuids) > 1:
            raise NotRestorable(
                f"{len(uuids)} sessions of this name were shipped (uuid {', '.join(sorted(uuids))})"
                ": say which one with --uuid"
            )
        same = [each for each in found if each.uuid == found[0].uuid]
        best = next(each for each in same if not any(each.is_within(other) for other in same))
        for each in same:
            # Of an older claim only the end can be missing: `best` began with what it left.
            known = best.sequence if each.claim < best.claim else 0
            if each.farthest > max(each.sequence, known):
                raise NotRestorable(
                    f"{self._what} {each.sequence + 1} is missing, and {each.farthest} was "
                    "shipped: the topic lost it (its retention, say)"
                )
        return best

    def only(self, uuid: str) -> None:
        """Forget all sessions but this one."""
        self._found = {key: each for key, each in self._found.items() if key[0] == uuid}

    def of(self, branch: Branch) -> Branch | None:
        """The branch of the same session and claim as `branch`, of another topic."""
        return self._found.get((branch.uuid, branch.claim))
