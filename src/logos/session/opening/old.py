"""What is left of an old session: found in its folder, and what it prescribes to its going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from logos.core.types import SessionStatus
from logos.journal.inputs import RecordedInputs
from logos.journal.surveys import Mark, Survey
from logos.session.artifacts.folder import is_finished
from logos.session.artifacts.snapshots.snapshot import Snapshot
from logos.session.carrying.hand_over import refuse_carried
from logos.session.history import Journal, read_session
from logos.session.opening.spec import Purpose, SessionSpec
from logos.session.plan import Plan
from logos.session.recorded import RecordedSwitch
from logos.session.restoring import CannotResumeError, look_for_snapshot, tell_unused
from logos.session.script import DueCommand, Script, recorded_commands


class Old(msgspec.Struct, frozen=True):
    """What there is of a session that is continued, flattened or sealed."""

    place: Path
    journal: Journal
    is_seal: bool
    has_ended: bool
    """Whether no new event comes: what is left is to make its last files."""
    recorded: RecordedInputs | None
    """None for a session on recorded data."""
    found: Snapshot | None
    """A snapshot that is whole."""

    @property
    def is_live(self) -> bool:
        """Whether it continues on live feeds."""
        return self.recorded is not None and not self.has_ended


def find_old(spec: SessionSpec, place: Path, moved: Callable[[], object]) -> Old:
    """Look at the folder of a session.

    Raises CannotResumeError, NothingHappenedError, JournalDamagedError, OSError.
    """
    session_id = spec.session_id
    if spec.purpose is Purpose.TRADE:
        refuse_carried(session_id, spec.home)
    found = look_for_snapshot(place, spec.tell) if spec.use_snapshot else None
    journal = read_session(place, found, moved)
    status = journal.status
    # What was sealed as recovered had been decided on, even if its last files are missing.
    is_seal = spec.purpose is Purpose.SEAL or status is SessionStatus.CRASHED_RECOVERED
    if status is not None and is_finished(place) and spec.purpose is not Purpose.RECONCILE:
        if status is not SessionStatus.STOPPED:
            raise CannotResumeError(
                f"session {session_id} has ended ({status.value}): there is nothing to resume"
            )
        if is_seal:
            raise CannotResumeError(
                f"session {session_id} did not crash but was stopped, and is sealed: resume it "
                f"by `logos resume {session_id}`"
            )
    is_open = spec.purpose is Purpose.RECONCILE or status in (None, SessionStatus.STOPPED)
    has_ended = is_seal or not is_open
    recorded = RecordedInputs.of(place) if spec.feed is None else None
    return Old(place, journal, is_seal, has_ended, recorded, found)


def survey_of(spec: SessionSpec, plan: Plan, old: Old) -> tuple[Survey | None, Snapshot | None]:
    """What was recorded of a session that continues live, and its snapshot if that fits it."""
    found = old.found
    if old.recorded is None or not old.is_live:
        return None, found
    old.recorded.know(plan.instruments)
    mark = None if found is None else found.inputs
    at = None if mark is None or found is None else Mark(mark.position, found.inputs_sha256)
    survey = old.recorded.survey(at)
    if found is not None and mark is None:  # written while it was sealed from what was recorded
        tell_unused(spec.tell, "it does not say how far the recorded inputs had come")
        found = None
    elif found is not None and not survey.has_place:
        tell_unused(spec.tell, "the recorded inputs have another history")
        found = None
    return survey, found


def script_of(
    spec: SessionSpec, old: Old, switch: RecordedSwitch, snapshot: Snapshot | None
) -> Script:
    """What is prescribed to it: its recorded commands that its `snapshot` does not hold, and how it
    is to end. Its `switch` is handed over before it is flattened."""
    journal = old.journal
    script = Script(recorded_commands(journal.recording.commands))
    if snapshot is not None:
        del script.commands[: journal.commands_before]
    if spec.flatten is not None and not old.is_live:
        script.commands.append(DueCommand(journal.recording.last_tick_id, spec.flatten))
        script.before_last_command = switch.hand_over
    if old.is_seal:
        script.seal_after_tick = journal.recording.last_tick_id
        script.stopped_as = SessionStatus.CRASHED_RECOVERED
    return script
