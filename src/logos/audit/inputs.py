"""Whether what a live session recorded is there: every file of it, in order, and each line whole.

What the recorded events lead to is for a replay to judge.
"""

from __future__ import annotations

from pathlib import Path

from logos.audit.findings import Finding
from logos.journal.inputs import RecordedInputs
from logos.journal.reader import Damaged


def check_inputs(folder: Path) -> list[Finding]:
    """What is wrong with the recorded inputs of the session in `folder`; nothing where it has none.

    A torn end is no finding: a crash may leave one, and nothing was done because of it. Raises
    OSError.
    """
    recorded = RecordedInputs.of(folder)
    if recorded is None:
        return []
    try:
        recorded.survey()
    except Damaged as damage:
        place = f"record {damage.sequence}, byte {damage.offset}"
        return [Finding(recorded.path.name, place, f"damaged: {damage.reason}")]
    return []
