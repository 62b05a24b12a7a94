"""What a rehearsed session left behind: its whole journal in memory, and what no journal tells.

The chain is verified first. A line that does not follow from those before it ends the reading, and
`problem` says what stands there. A torn end was never acknowledged to anybody, and is told apart
from damage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from logos.core.records import OrderRecord, OrderUpdate
from logos.core.types import OrderStatus
from logos.errors import ConfigError
from logos.journal.entries import Sealed, SessionRecord, read_journal
from logos.journal.reader import Damaged, TornTail

_ENDED: Final = frozenset(
    (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)
)

Kind = TypeVar("Kind", bound=SessionRecord)


class JournalView:
    """The records of one journal, in order."""

    def __init__(self, path: Path) -> None:
        """Read and verify `path`; an absent journal is an empty one with a problem."""
        self.records: list[SessionRecord] = []
        self.problem = ""
        self.is_torn = False
        try:
            for entry in read_journal(path):
                self.records.append(entry.record)
        except TornTail:
            self.is_torn = True
        except Damaged as damage:
            self.problem = f"record {damage.sequence}: {damage.reason}"
        except ConfigError as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"{path.name} cannot be read: {error.strerror}"

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The records of this kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]

    def after(self, kind: type[SessionRecord], **fields: object) -> list[SessionRecord] | None:
        """What follows the first record of `kind` with these values; None without one."""
        for place, record in enumerate(self.records):
            if isinstance(record, kind) and all(
                getattr(record, name) == value for name, value in fields.items()
            ):
                return self.records[place + 1 :]
        return None

    @property
    def seal(self) -> Sealed | None:
        """The record that closed the journal."""
        sealed = self.of(Sealed)
        return sealed[-1] if sealed else None

    def open_orders(self) -> list[int]:
        """Numbers of the orders that never ended."""
        waiting = dict.fromkeys(order.order_id for order in self.of(OrderRecord))
        for update in self.of(OrderUpdate):
            if update.status in _ENDED:
                waiting.pop(update.order_id, None)
        return list(waiting)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rehearsed session left behind. `tick` is the last injection's (0: it never came)."""

    journal: JournalView
    tick: int
    ticks_delivered: int
    exit_code: int
    error: str
    sessions: int
    switch_history: Sequence[str]
