"""What is shipped: a message for each record of a journal, for each line of decisions and, where it
is wanted, for each line of the recorded inputs.

A message has a key, `SESSION:SEQ`, so that what is sent twice can be told from what is new, and a
value, one JSON object. That of a record is the journal's own line with three fields before it: take
them away, and the line is there again to the byte.

    {"schema":1,"session":"demo","uuid":"...","seq":7,"crc":"...","hash":"...","body":{...}}
    {"schema":1,"session":"demo","uuid":"...","seq":7,"part":0,"decision":{...}}

A line of the recorded inputs has a message like that of a record. `docs/schema/` has the schemas.

Sessions of a shard have the header `claim` besides: under which claim to the shard they were
written. Two owners may have written different records under one key; the newer claim counts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from logos.journal.codec import encode_line
from logos.journal.entries import SessionEntry
from logos.journal.reader import Entry

MESSAGE_SCHEMA: Final = 1

JOURNAL_TOPIC: Final = "journal"
DECISIONS_TOPIC: Final = "decisions"
INPUTS_TOPIC: Final = "inputs"

CLAIM_HEADER: Final = "claim"


class Message(NamedTuple):
    """`kind` is the topic without its prefix."""

    kind: str
    key: bytes
    value: bytes
    claim: int = 0
    """The epoch of the claim to a shard under which it was written; 0: it is of no shard."""


class Origin:
    """Makes the messages of one session."""

    def __init__(self, session_id: str, uuid: str, claim: int = 0) -> None:
        self._session_id = session_id
        self._claim = claim
        head = {"schema": MESSAGE_SCHEMA, "session": session_id, "uuid": uuid}
        self._head = msgspec.json.encode(head)[:-1]

    def record(self, entry: SessionEntry) -> Message:
        """The message of one record of the journal."""
        return self._line(JOURNAL_TOPIC, entry.sequence, entry.digest, entry.body)

    def input(self, entry: Entry[bytes]) -> Message:
        """The message of one line of the recorded inputs."""
        return self._line(INPUTS_TOPIC, entry.sequence, entry.digest, entry.body)

    def _line(self, kind: str, sequence: int, digest: bytes, body: bytes) -> Message:
        line = encode_line(sequence, digest, body)
        key = f"{self._session_id}:{sequence}".encode()
        return Message(kind, key, self._head + b"," + line[1:-1], self._claim)

    def decision(self, sequence: int, part: int, line: bytes) -> Message:
        """The message of a line of the decision log, the `part`th that record `sequence` made."""
        key = f"{self._session_id}:{sequence}" + (f".{part}" if part else "")
        fields = b',"seq":%d,"part":%d,"decision":%b}' % (sequence, part, line)
        return Message(DECISIONS_TOPIC, key.encode(), self._head + fields, self._claim)


def journal_line(value: bytes) -> bytes:
    """The line of the journal, or of the inputs, that a message holds, without its newline.

    Raises ValueError for what is no such message.
    """
    start = value.find(b',"seq":')
    if start < 0:
        raise ValueError("not a message of a journal's record: it has no seq")
    return b"{" + value[start + 1 :]
