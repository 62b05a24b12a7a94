"""The last gate of one order: whether it may leave, asked in the very step in which it leaves.

An order waits for its turn (`lane`), for a venue that turned it away, for a comparison of holdings.
What closes the gate while it waits closes it for good: an order that a kill met on its way does not
leave because somebody reset the switch a moment later.
"""

from __future__ import annotations

from logos.core.context import CoreView
from logos.core.gates import Switch
from logos.core.types import ReportKind
from logos.execution.tracked import TrackedOrder


class LastGate:
    """Whether one order may leave. Make it when the order begins to wait, which is a first look:
    `closed` is what it found."""

    def __init__(self, view: CoreView, switch: Switch, kept: TrackedOrder) -> None:
        self._view = view
        self._switch = switch
        self._kept = kept
        self.closed: tuple[ReportKind, str] | None = None
        """How the order ends here, as of the latest look; None while it may leave."""
        is_closed = view.why_closed(switch, kept.terms) is not None
        self._epoch = switch.epoch  # that of now, since the switch was asked just now
        if is_closed or kept.cancel is not None:
            self.closed = self._look()

    def is_open(self) -> bool:
        """Ask now. Once it was closed it stays closed."""
        return self.why_closed() is None

    def why_closed(self) -> tuple[ReportKind, str] | None:
        """Ask now: how the order ends here, and why; None while it may leave."""
        if self.closed is None:
            self.closed = self._look()
        return self.closed

    def _look(self) -> tuple[ReportKind, str] | None:
        kept, switch = self._kept, self._switch
        if self._view.why_closed(switch, kept.terms) is not None:
            return ReportKind.NOT_SENT, f"kill switch before it left: {switch.why()}"
        if switch.epoch != self._epoch:
            # It may have been engaged in between, and reset before anybody here looked.
            return ReportKind.NOT_SENT, "kill switch before it left: changed while it waited"
        if kept.cancel is not None:
            # For whoever wanted that it is cancelled: a successor may follow it.
            return ReportKind.CANCELLED, "before it was sent"
        return None
