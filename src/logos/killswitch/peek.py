"""How a switch stands, for whoever only watches: its files are read, and nothing is written down.

A `CircuitBreaker` records what it finds unrecorded, as whoever may trade must. An observer that
looks every few seconds has no part in that. It remembers nothing from look to look either, so what
only a process can see that remembers (an older copy that was put back while it ran) it does not.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from logos import __version__
from logos.killswitch.history import CircuitBreakerMonitor
from logos.killswitch.judge import Memory, Terms, judge
from logos.killswitch.ledger import SwitchLedger
from logos.killswitch.status import SwitchStatus, build_status


def read_switch(folder: Path) -> SwitchStatus | None:
    """The switch of `folder` as a paper session would find it; None where there is none.

    A session that runs where no switch ever was has one of its own, which its heartbeat shows.
    Never raises for what is on the disk, and answers ENGAGED for what cannot be judged.
    """
    ledger = SwitchLedger(folder, None, None)
    history_problem = CircuitBreakerMonitor(folder).problem()
    evidence = ledger.look()
    try:
        if evidence.is_unarmed:
            return None
        verdict = judge(
            evidence,
            Memory(),
            Terms("paper", __version__, os.uname().nodename),
            now_ns=time.time_ns(),
            history_problem=history_problem,
        )
    finally:
        ledger.release(evidence)
    return build_status(evidence, verdict, ledger.folder_path, evidence.epoch, "paper")
