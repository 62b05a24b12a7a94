"""What a verification found, and the same as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from logos.audit.findings import Finding
from logos.journal.reader import Damaged
from logos.session.outcome import ExitCode


@dataclass(slots=True)
class Verdict:
    """What a verification found. `exit_code` is FINISHED, TORN, DAMAGED or DIFFERS.

    `status` is the seal's, or RUNNING, or CRASHED for a session that is not finished and that no
    process is writing. `damage` names sequence number, byte offset and reason.
    """

    session_id: str
    folder: Path
    status: str = ""
    records: int = 0
    whole_bytes: int = 0
    journal_hash: str = ""
    is_torn: bool = False
    is_sealed: bool = False
    is_real: bool = False
    """Whether its orders went to a venue."""
    fills: int = 0
    samples: int = 0
    orders: int = 0
    damage: Damaged | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)
    """What could not be judged from what is there, in words."""

    @property
    def exit_code(self) -> ExitCode:
        """Damage outweighs differences, and they outweigh an end that is missing."""
        if self.damage is not None:
            return ExitCode.DAMAGED
        if self.findings:
            return ExitCode.DIFFERS
        return ExitCode.TORN if self.status == "CRASHED" else ExitCode.FINISHED


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain JSON values."""
    damage = verdict.damage
    return {
        "session_id": verdict.session_id,
        "folder": str(verdict.folder),
        "verdict": _NAMES[verdict.exit_code],
        "exit_code": int(verdict.exit_code),
        "status": verdict.status,
        "records": verdict.records,
        "whole_bytes": verdict.whole_bytes,
        "journal_hash": verdict.journal_hash,
        "is_torn": verdict.is_torn,
        "is_sealed": verdict.is_sealed,
        "orders_judged": verdict.orders,
        "not_judged": list(verdict.not_judged),
        "fills_recomputed": verdict.fills,
        "samples_recomputed": verdict.samples,
        "damage": None
        if damage is None
        else {"sequence": damage.sequence, "offset": damage.offset, "reason": damage.reason},
        "findings": [
            {"file": each.file, "place": each.place, "message": each.message}
            for each in verdict.findings
        ],
        "notes": list(verdict.notes),
    }


_NAMES: Final = {
    ExitCode.FINISHED: "intact",
    ExitCode.TORN: "torn",
    ExitCode.DAMAGED: "damaged",
    ExitCode.DIFFERS: "differs",
}
