"""What a power cut may leave of files that were written.

The problem: what was written reaches the disk in its own time and order, until an fsync returns.
The method: the steps that `file_faults` recorded are played on a model of a disk up to
some moment; every step is either durable by then or pending, and of what is pending any part may
have happened:

- of each file the writes since its last fsync: none, all, a beginning, the last one torn, or any
  of their sectors (what was never written reads as zeros);
- of the names (created, replaced, removed) since their folder's last fsync: a beginning, because
  file systems journal names in order.

A name does not become durable by an fsync of its file, only by one of its folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from file_faults import Step

SECTOR_BYTES: Final = 512
"""What a disk writes wholly or not at all."""


@dataclass(slots=True)
class _File:
    """Content that is on the disk, and what is pending on top of it."""

    durable: bytes = b""
    pending: list[Step] = field(default_factory=list)


def _applied(content: bytes, steps: Sequence[Step]) -> bytes:
    buffer = bytearray(content)
    for step in steps:
        if step.kind == "truncate":
            del buffer[step.offset :]
            buffer += bytes(step.offset - len(buffer))
        else:
            buffer += bytes(max(0, step.offset - len(buffer)))
            buffer[step.offset : step.offset + len(step.data)] = step.data
    return bytes(buffer)


class Disk:
    """A model disk that has seen the first `moment` steps of a run."""

    def __init__(self, steps: Sequence[Step], moment: int) -> None:
        self._files: dict[int, _File] = {}
        self._names: dict[Path, int] = {}
        self._pending_names: list[Step] = []
        for step in steps[:moment]:
            self._see(step)

    def durable(self) -> dict[Path, bytes]:
        """What must be there: only what was synced has happened."""
        return {path: self._files[inode].durable for path, inode in self._names.items()}

    def left(self, generator: Random) -> dict[Path, bytes]:
        """What may be there: something of what is pending has happened too."""
        names = dict(self._names)
        survivors = generator.choice((0, len(self._pending_names), None))
        if survivors is None:
            survivors = generator.randint(0, len(self._pending_names))
        for step in self._pending_names[:survivors]:
            _rename(names, step)
        contents = {inode: _left_of(file, generator) for inode, file in self._files.items()}
        return {path: contents[inode] for path, inode in names.items()}

    def _see(self, step: Step) -> None:
        match step.kind:
            case "open":
                self._files[step.inode] = _File()
                self._pending_names.append(step)
            case "replace" | "unlink":
                self._pending_names.append(step)
            case "write" | "truncate":
                self._files[step.inode].pending.append(step)
            case "fsync" if step.inode:
                file = self._files[step.inode]
                file.durable = _applied(file.durable, file.pending)
                file.pending.clear()
            case "fsync":
                self._sync_names(step.path)
            case "mkdir":
                pass  # a folder is made with whatever it holds

    def _sync_names(self, folder: Path) -> None:
        """All names up to the last one of this folder: they are journalled in order."""
        count = 0
        for number, step in enumerate(self._pending_names, start=1):
            if folder in (step.path.parent, None if step.target is None else step.target.parent):
                count = number
        for step in self._pending_names[:count]:
            _rename(self._names, step)
        del self._pending_names[:count]


def _rename(names: dict[Path, int], step: Step) -> None:
    if step.kind == "open":
        names[step.path] = step.inode
    elif step.kind == "unlink":
        names.pop(step.path, None)
    elif step.target is not None and step.path in names:
        names[step.target] = names.pop(step.path)
    elif step.target is not None:  # a folder: what is in it gets another path
        for path in [each for each in names if step.path in each.parents]:
            names[step.target / path.relative_to(step.path)] = names.pop(path)


def _left_of(file: _File, generator: Random) -> bytes:
    """The content of one file, after one of the ways in which a disk loses what is pending."""
    way = generator.choice(("none", "all", "beginning", "torn", "sectors"))
    if way == "none" or not file.pending:
        return file.durable
    count = len(file.pending) if way == "all" else generator.randint(1, len(file.pending))
    content = _applied(file.durable, file.pending[: count - 1])
    last = file.pending[count - 1]
    if way == "torn" and last.data:
        size = generator.randrange(len(last.data))
        last = Step(last.kind, last.path, last.inode, last.offset, last.data[:size])
    content = _applied(content, [last])
    return _without_sectors(content, file.durable, generator) if way == "sectors" else content


def _without_sectors(content: bytes, durable: bytes, generator: Random) -> bytes:
    """`content` with some of the sectors that were never synced as they were before."""
    buffer = bytearray(content)
    before = durable.ljust(len(content), b"\0")
    for start in range(0, len(content), SECTOR_BYTES):
        if generator.random() < 0.5:
            end = min(start + SECTOR_BYTES, len(content))
            buffer[start:end] = before[start:end]
    return bytes(buffer)
