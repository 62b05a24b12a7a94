"""A target in memory that can be away, and what a reader of the topics makes of messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from logos.observe.shipping.kafka import Batch
from logos.observe.shipping.messages import DECISIONS_TOPIC, JOURNAL_TOPIC, Message, journal_line
from logos.observe.shipping.progress import Progress
from logos.observe.shipping.reading import Take
from logos.observe.shipping.shipper import Shipper


class MemoryTarget:
    """Takes messages; `acknowledges` says of each batch, by its number, whether it will."""

    name = "memory"

    def __init__(self) -> None:
        self.problem = ""
        self.is_connected = True
        self.messages: list[Message] = []
        self.batches = 0
        self.is_away = False
        """While it is, batches stay on their way."""
        self.fails_at: set[int] = set()
        """Numbers of batches that arrive, and whose acknowledgement is lost."""
        self.refused = ""
        self._waiting: list[Batch] = []

    def send(self, session_id: str, messages: Sequence[Message]) -> Batch:
        batch = Batch(len(messages))
        self.batches += 1
        if self.is_away:
            return batch
        self.messages += messages
        batch.left = 0
        batch.has_failed = self.batches in self.fails_at or bool(self.refused)
        batch.refused = self.refused
        return batch

    def wait(self) -> None:
        """Nothing is ever on its way."""

    def close(self) -> None:
        """There is nothing to close."""

    def kept(self, kind: str) -> dict[bytes, bytes]:
        """The values by key, after removing what came again; they must be the same."""
        return kept([(each.key, each.value) for each in self.messages if each.kind == kind])


def kept(pairs: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Values by key in order of arrival. What comes again under a key must be the same."""
    found: dict[bytes, bytes] = {}
    for key, value in pairs:
        assert found.setdefault(key, value) == value, f"{key!r} came with two contents"
    return found


def ship(
    home: Path,
    target: MemoryTarget,
    *sessions: str,
    wait_s: float = 30,
    with_inputs: bool = False,
) -> tuple[bool, Shipper, list[str]]:
    """Ship all that is final of a workspace, with a new shipper; what it said."""
    said: list[str] = []
    with Progress("kafka", home) as progress:
        shipper = Shipper(
            target,
            progress,
            said.append,
            workspace=home,
            sessions=sessions,
            with_inputs=with_inputs,
        )
        is_all = shipper.run(lambda: False, once=True, wait_s=wait_s)
    return is_all, shipper, said


def shipped_journal(values: dict[bytes, bytes]) -> bytes:
    """The journal that the messages of one session hold, made again."""
    return b"".join(journal_line(value) + b"\n" for value in values.values())


def journal_of(target: MemoryTarget) -> bytes:
    """The journal that was shipped, of one session."""
    return shipped_journal(target.kept(JOURNAL_TOPIC))


def decisions_of(target: MemoryTarget) -> bytes:
    """The decision log that was shipped, of one session."""
    lines = []
    for value in target.kept(DECISIONS_TOPIC).values():
        start = value.index(b'"decision":') + len(b'"decision":')
        lines.append(value[start:-1] + b"\n")
    return b"".join(lines)


class MemoryTopics:
    """What a reader of the topics finds: messages by kind, all of a kind in one partition, or as
    `place` says of each."""

    def __init__(
        self, messages: Sequence[Message], place: Callable[[Message], int] = lambda _: 0
    ) -> None:
        self.messages = list(messages)
        self._place = place

    def partitions(self, kind: str, session_id: str) -> list[int]:
        return [0, 1]

    def read(self, kind: str, partition: int, session_id: str, take: Take) -> None:
        for each in self.messages:
            if each.kind == kind and self._place(each) == partition:
                take(each.value, each.claim)
