"""A workspace in which one story runs, crashes, resumes and ends in one process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from crash_sessions import (
    STORIES,
    begin,
    files_of,
    has_begun,
    is_claimed,
    replay,
    resume,
    session_folder,
)
from file_faults import Decide, FileFaults, PowerCut, no_fault

from logos.audit.verify import verify
from logos.core.gates import InProcessSwitch
from logos.core.types import SwitchState
from logos.session import ExitCode, SessionResult, history, restoring

JUDGED_EVERY = 12


@cache
def truth(name: str, epoch: int = 0) -> dict[str, bytes]:
    """The files of the uninterrupted run of a story; `epoch` is what its switch is engaged at."""
    switch = InProcessSwitch()
    switch.epoch = epoch
    with TemporaryDirectory() as folder:
        begin(STORIES[name], Path(folder), switch)
        return files_of(Path(folder))


@cache
def operations_of(name: str) -> int:
    """How many file operations the uninterrupted run of a story makes."""
    with TemporaryDirectory() as folder, FileFaults(Path(folder)) as faults:
        begin(STORIES[name], Path(folder), InProcessSwitch())
        return len(faults.operations)


class Bench:
    """One story in one workspace; `go` begins it, or goes on with it.

    Every JUDGED_EVERYth session that is brought to its end is verified and replayed besides.
    """

    finished = 0
    """Sessions brought to their end by all of them."""

    def __init__(self, name: str, home: Path) -> None:
        self.story = STORIES[name]
        self.home = home
        self._switch = InProcessSwitch()

    def go(self, decide: Decide = no_fault) -> SessionResult | None:
        """Run on under faults; None when the process was cut. Raises what it raises."""
        with FileFaults(self.home, decide=decide) as faults:
            try:
                result = self._go()
            except PowerCut:
                result = None
        return None if faults.is_cut else result

    def finish(self) -> SessionResult | None:
        """Run on until the end; None when it had ended already."""
        try:
            result = self.go()
        except restoring.CannotResumeError as error:
            if "has ended" not in str(error):
                raise
            result = None
        if Bench.finished % JUDGED_EVERY == 0:
            self.judge()
        Bench.finished += 1
        return result

    def judge(self) -> None:
        """Have `verify` and `replay` look at a session that has ended."""
        verdict = verify(session_folder(self.home))
        assert verdict.exit_code is ExitCode.FINISHED, [*verdict.findings, verdict.damage]
        replay(self.story, self.home)

    def _go(self) -> SessionResult:
        if not has_begun(self.home):
            self._switch = InProcessSwitch()
            go_on = resume if is_claimed(self.home) else begin
            return go_on(self.story, self.home, self._switch)
        journal = history.read_session(session_folder(self.home))
        switches = journal.recording.switches
        if switches and switches[-1].state == SwitchState.ENGAGED.name:
            self._switch.engage("guard MAX_ORDER_QUANTITY", "guard")  # the machine's is durable
        else:
            # Whoever resumes after an engagement that is not in the journal has to clear it first.
            self._switch = InProcessSwitch()
        return resume(self.story, self.home, self._switch)
