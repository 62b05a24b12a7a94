"""A session's journal as an auditor reads it: the chain verified first, then the records by kind.

Nothing of the running session is used. A line that does not follow from those before it ends the
reading; what stands there is the `problem`. A last line without its newline is a torn one: it was
never acknowledged, and is told apart from damage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from logos.journal.codec import GENESIS, BadLine, decode_line

Body = dict[str, Any]
"""A record as JSON: `kind` and the fields of `logos.core.records`."""

ENDED_STATUSES: Final = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED")


class JournalView:
    """The records of one journal, in order."""

    def __init__(self, path: Path) -> None:
        """Read and verify `path`; an absent journal is an empty one with a problem."""
        self.bodies: list[Body] = []
        self.problem = ""
        self.is_torn = False
        self._read(path)

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            self.problem = f"{path.name} cannot be read: {error.strerror}"
            return
        self.is_torn = lines.pop() != b""
        digest = GENESIS
        for sequence, line in enumerate(lines, start=1):
            try:
                body, digest = decode_line(line, sequence, digest)
                self.bodies.append(msgspec.json.decode(body))
            except (BadLine, msgspec.DecodeError) as error:
                self.problem = f"line {sequence}: {error}"
                return

    def of(self, *kinds: str) -> list[Body]:
        """The records of these kinds, in order."""
        return [body for body in self.bodies if body["kind"] in kinds]

    def after(self, kind: str, **fields: object) -> list[Body] | None:
        """What follows the first record of `kind` with these values; None without one."""
        for place, body in enumerate(self.bodies):
            if body["kind"] == kind and all(body.get(key) == fields[key] for key in fields):
                return self.bodies[place + 1 :]
        return None

    @property
    def seal(self) -> Body | None:
        """The record that closed the journal."""
        sealed = self.of("sealed")
        return sealed[-1] if sealed else None

    def open_orders(self) -> list[int]:
        """Numbers of the orders that never ended."""
        waiting = dict.fromkeys(order["order_id"] for order in self.of("order"))
        for update in self.of("order_update"):
            if update["status"] in ENDED_STATUSES:
                waiting.pop(update["order_id"], None)
        return list(waiting)
