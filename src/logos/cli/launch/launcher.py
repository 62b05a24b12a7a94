"""The four phases of a launch, in their order: each on record, and undone when one fails.

    pre-checks   nothing is changed; every finding is shown, and one that is BAD ends the launch
    self-test    the acceptance scenarios of the kill switch, in a workspace of their own
    initialise   folders, and the session's id with its settings as they are in force
    start        the process becomes the session (`execv`): the supervisor's child stays the same

A launch that fails takes back what it made but its own report. What it started is the session's own
to end: from the hand-over on, exit codes are those of `logos run`.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from logos import paths
from logos.build import build_hash
from logos.cli.doctor import Finding
from logos.cli.launch.checks import Ground, hashes_of, pre_checks, versions_of
from logos.cli.launch.phases import PHASES
from logos.cli.launch.report import (
    LOG_FILE,
    MARKDOWN_FILE,
    Phase,
    Report,
    claim_launch,
    host_facts,
    now_text,
    write_report,
)
from logos.config import ConfigError
from logos.errors import LogosError
from logos.files import JsonLines, make_folder
from logos.rehearsal.acceptance import run_acceptance
from logos.session import ExitCode
from logos.session.artifacts.claim import SETTINGS, Claim, claim_folder
from logos.session.opening.machine_switch import SwitchEngagedError, open_switch
from logos.session.stored.origin import Origin

SELF_TEST_FAILED: Final = 1
INTERRUPTED: Final = 130
_SELF_TEST: Final = "self-test"

Execute = Callable[[str, list[str], Mapping[str, str]], object]
"""As `os.execve`."""


class PhaseFailed(Exception):
    """A phase has failed; the message says why, `code` is how the launch ends."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


class Launcher:
    """One launch."""

    def __init__(
        self,
        ground: Ground,
        command: Sequence[str],
        *,
        show: Callable[[str, bool], object],
        log: Callable[[Mapping[str, Any]], object] = bool,
        execute: Execute = os.execve,
    ) -> None:
        """`command` are the words of `logos` that run the session. `show` gets lines for people
        and whether each tells of what is wrong, `log` the records that go into launch.jsonl too."""
        launch = ground.located.deployment.launch
        self._ground = ground
        self._command = command
        self._say = show
        self._log = log
        self._execute = execute
        self._folder: Path | None = None
        self._lines: JsonLines | None = None
        self._undo: list[tuple[str, Callable[[], object]]] = []
        self._claim: Claim | None = None
        self.report = Report(
            launch="",
            outcome="",
            session=launch.session_id,
            mode=launch.mode,
            workspace=str(ground.home),
            deployment=str(ground.located.path),
            began=now_text(time.time_ns()),
            host=host_facts(),
            phases=[Phase(name) for name in PHASES],
            next=f"logos {' '.join(command)}",
        )

    def run(self, until: str = PHASES[-1]) -> int:
        """All phases up to `until`; returns the exit code. Does not return from the last one."""
        self._open()
        work: dict[str, Callable[[], Iterator[Finding]]] = {
            "pre-checks": self._pre_checks,
            "self-test": self._self_test,
            "initialise": self._initialise,
        }
        for phase in self.report.phases:
            try:
                if phase.name == PHASES[-1]:
                    return self._start(phase)
                self._perform(phase, work[phase.name])
            except PhaseFailed as failure:
                return self._fail(phase, failure)
            except KeyboardInterrupt:
                return self._fail(phase, PhaseFailed("ended by a signal", INTERRUPTED))
            if phase.name == until:
                break
        self._close_claim()
        self._end(f"STOPPED AFTER {until.upper()}, AS ASKED")
        return int(ExitCode.FINISHED)

    # ---- what each phase does ----

    def _perform(self, phase: Phase, work: Callable[[], Iterator[Finding]]) -> None:
        """Go through one phase. Raises PhaseFailed."""
        self._begin(phase)
        limit_s = self._ground.located.deployment.limits.phase_s
        began_s = time.monotonic()
        code = int(ExitCode.BAD_CONFIGURATION)
        try:
            for finding in work():
                phase.seconds = round(time.monotonic() - began_s, 3)
                self._note(phase, finding)
                if phase.seconds > limit_s:
                    raise PhaseFailed(
                        f"it took {phase.seconds:.0f} s, and limits.phase_s is {limit_s} s", code
                    )
        except ConfigError as error:
            raise PhaseFailed(str(error), code) from None
        except SwitchEngagedError as error:
            raise PhaseFailed(str(error), int(ExitCode.HALTED)) from None
        except LogosError as error:
            raise PhaseFailed(str(error), SELF_TEST_FAILED) from None
        except OSError as error:
            words = f"cannot write {error.filename or 'the workspace'}: {error.strerror}"
            raise PhaseFailed(words, int(ExitCode.CANNOT_WRITE)) from None
        bad = [each.name for each in phase.findings if not each.fine]
        if bad:
            raise PhaseFailed(f"BAD: {', '.join(bad)}", _code_of(phase.name, bad))
        phase.outcome = "PASSED"
        self._write({"phase": phase.name, "event": "passed", "seconds": phase.seconds})

    def _pre_checks(self) -> Iterator[Finding]:
        if self._folder is None:
            yield Finding("report", False, self._problem, "make the workspace writable")
        yield from pre_checks(self._ground)
        if self._ground.is_readable:
            config = self._ground.config
            self.report.versions = versions_of(config)
            self.report.hashes |= hashes_of(self._ground)
        self.report.hashes["build"] = build_hash()

    def _self_test(self) -> Iterator[Finding]:
        folder = self._made / _SELF_TEST
        make_folder(folder)
        for each in run_acceptance(folder):
            seen = "; ".join([each.words(), *each.problems])
            advice = f"do not trade with this build; the session is in {folder}"
            yield Finding(each.scenario.name, each.holds, seen, advice)

    def _initialise(self) -> Iterator[Finding]:
        for folder in (paths.sessions_dir(), paths.logs_dir()):
            self._make(folder)
        place = paths.session_dir(self.report.session)
        if os.path.lexists(place):
            yield Finding("session", True, f"{place}: there already, it is resumed")
        else:
            # Before there is a session: a workspace with sessions and no switch is not armed.
            is_real = self._ground.is_live
            with closing(open_switch(self._show, is_real=is_real)) as switch:
                yield Finding("kill switch", True, switch.why() or "armed")
            origin = Origin.here(self._ground.located.settings)
            self._claim = claim_folder(self._ground.config, origin=origin)
            self._undo.append((f"the id {self.report.session}", self._claim.give_back))
            yield Finding("session", True, f"{place}: the id is claimed")
        yield Finding("settings in force", True, str(place / SETTINGS))
        yield Finding("build", True, self.report.hashes["build"])

    def _start(self, phase: Phase) -> int:
        """Become the session. Raises PhaseFailed when that fails."""
        self._begin(phase)
        words = [sys.executable, "-m", "logos.live", *self._command]
        self._close_claim()
        phase.outcome = "PASSED"
        self._write({"phase": phase.name, "event": "handed over", "command": words})
        self._end("HANDED OVER")
        try:
            self._execute(words[0], words, dict(os.environ))
        except OSError as error:
            problem = f"cannot start {words[0]}: {error.strerror}"
            raise PhaseFailed(problem, int(ExitCode.CANNOT_WRITE)) from None
        return int(ExitCode.FINISHED)  # with another `execute` than that of the system

    # ---- what is made, and taken back ----

    @property
    def _made(self) -> Path:
        if self._folder is None:
            raise PhaseFailed(self._problem, int(ExitCode.CANNOT_WRITE))
        return self._folder

    def _make(self, folder: Path) -> None:
        """Make a folder, with those above it that are missing; taken back where they are empty."""
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        make_folder(folder)
        for each in reversed(missing):
            self._undo.append((f"the folder {each}", each.rmdir))

    def _close_claim(self) -> None:
        """Let go of the session's journal, so that the session can take it."""
        if self._claim is None:
            return
        claim, self._claim = self._claim, None
        claim.journal.close()
        self._undo[-1] = (self._undo[-1][0], lambda: shutil.rmtree(claim.folder))

    def _fail(self, phase: Phase, failure: PhaseFailed) -> int:
        phase.outcome, phase.problem = "FAILED", str(failure)
        self._write({"phase": phase.name, "event": "failed", "problem": str(failure)})
        while self._undo:
            words, undo = self._undo.pop()
            with suppress(OSError):  # somebody else uses it by now
                undo()
                self.report.rolled_back.append(words)
                self._write({"phase": phase.name, "event": "rolled back", "what": words})
        number = PHASES.index(phase.name) + 1
        taken = ", ".join(self.report.rolled_back) or "nothing was made"
        head = f"FAILED in phase {number} of {len(PHASES)}, {phase.name}: {failure}"
        self._show(head, is_wrong=True)
        self._show(f"rolled back: {taken}", is_wrong=True)
        self.report.next = "correct what is BAD, and launch again"
        self._end(f"FAILED IN {phase.name.upper()}")
        return failure.code

    # ---- the record ----

    def _open(self) -> None:
        self._problem = ""
        try:
            self._folder = claim_launch()
            self._lines = JsonLines(self._folder / LOG_FILE)
        except OSError as error:
            self._folder = None
            self._problem = f"no report can be written: {error.filename}: {error.strerror}"
            self._show(self._problem, is_wrong=True)
            return
        self.report.launch = self._folder.name

    def _begin(self, phase: Phase) -> None:
        phase.began, phase.outcome, phase.findings = now_text(time.time_ns()), "RUNNING", []
        self._show(f"phase {PHASES.index(phase.name) + 1} of {len(PHASES)}: {phase.name}")
        self._write({"phase": phase.name, "event": "began"})

    def _note(self, phase: Phase, finding: Finding) -> None:
        phase.findings.append(finding)
        word, is_wrong = ("ok ", False) if finding.fine else ("BAD", True)
        self._show(f"  {word}  {finding.name:<20}  {finding.seen}", is_wrong=is_wrong)
        if is_wrong:
            self._show(f"       {'':<20}  do: {finding.advice}", is_wrong=True)
        self._write({"phase": phase.name, "event": "checked", **msgspec.to_builtins(finding)})

    def _show(self, text: str, *, is_wrong: bool = False) -> None:
        self._say(text, is_wrong)

    def _write(self, record: dict[str, Any]) -> None:
        whole = {"time": now_text(time.time_ns()), "launch": self.report.launch, **record}
        self._log(whole)
        if self._lines is not None:
            self._lines(whole)

    def _end(self, outcome: str) -> None:
        """Write the report. A disk that refuses it is said, and keeps nothing from starting."""
        self.report.outcome = outcome
        self.report.ended = now_text(time.time_ns())
        if self._folder is None:
            return
        try:
            write_report(self._folder, self.report)
        except OSError as error:
            words = f"the report cannot be written: {error.filename}: {error.strerror}"
            self._show(words, is_wrong=True)
        else:
            self._show(f"report  {self._folder / MARKDOWN_FILE}")


def _code_of(phase: str, bad: Sequence[str]) -> int:
    """How a launch ends whose phase found these things BAD."""
    if phase == "self-test":
        return SELF_TEST_FAILED
    is_engaged = bool({"kill switch", "coordinator"} & set(bad))
    return int(ExitCode.HALTED if is_engaged else ExitCode.BAD_CONFIGURATION)
