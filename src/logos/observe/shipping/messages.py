"""What is shipped: one message for each record of a journal, and for each line of decisions.

A message has a key, `SESSION:SEQ`, so that what is sent twice can be told from what is new, and a
value, one JSON object. That of a record is the journal's own line with three fields before it: take
them away, and the line is there again to the byte.

    {"schema":1,"session":"demo","uuid":"...","seq":7,"crc":"...","hash":"...","body":{...}}
    {"schema":1,"session":"demo","uuid":"...","seq":7,"part":0,"decision":{...}}

`docs/schema/` has the schemas of both.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from logos.journal.codec import encode_line
from logos.journal.entries import SessionEntry

MESSAGE_SCHEMA: Final = 1

JOURNAL_TOPIC: Final = "journal"
DECISIONS_TOPIC: Final = "decisions"


class Message(NamedTuple):
    """`kind` is the topic without its prefix."""

    kind: str
    key: bytes
    value: bytes


class Origin:
    """Makes the messages of one session."""

    def __init__(self, session_id: str, uuid: str) -> None:
        self._session_id = session_id
        head = {"schema": MESSAGE_SCHEMA, "session": session_id, "uuid": uuid}
        self._head = msgspec.json.encode(head)[:-1]

    def record(self, entry: SessionEntry) -> Message:
        """The message of one record of the journal."""
        line = encode_line(entry.sequence, entry.digest, entry.body)
        key = f"{self._session_id}:{entry.sequence}"
        return Message(JOURNAL_TOPIC, key.encode(), self._head + b"," + line[1:-1])

    def decision(self, sequence: int, part: int, line: bytes) -> Message:
        """The message of a line of the decision log, the `part`th that record `sequence` made."""
        key = f"{self._session_id}:{sequence}" + (f".{part}" if part else "")
        fields = b',"seq":%d,"part":%d,"decision":%b}' % (sequence, part, line)
        return Message(DECISIONS_TOPIC, key.encode(), self._head + fields)


def journal_line(value: bytes) -> bytes:
    """The line of the journal that a message of the journal's topic holds, without its newline.

    Raises ValueError for what is no such message.
    """
    start = value.find(b',"seq":')
    if start < 0:
        raise ValueError("not a message of a journal's record: it has no seq")
    return b"{" + value[start + 1 :]
