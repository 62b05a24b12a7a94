"""Reads the journals of a workspace's sessions and ships what is final to a target.

One loop, in a process of its own: look for sessions, read what each has that is new and final, hand
it over, wait for acknowledgement, keep the place. A session has one batch on its way at a time, and
its place moves only when all of that batch is acknowledged: whatever happens before, the batch is
read and sent again under the same keys. Trading never waits for any of this; a target that is away
for a day means that a day's journal is read when it is back.

Where recorded inputs are shipped too, they go first: of a record that has arrived, all that it
follows from has. A shard's session that was claimed anew is shipped from its beginning, under the
new claim: it lies in another folder, and another owner may have gone on with it meanwhile.

What is wrong with one session (a journal that is damaged, was shortened or replaced) is told and
stops that session alone. Nothing of it is skipped, and nothing begins anew by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from logos import paths
from logos.config.tables.log import LogLevel
from logos.errors import ConfigError, WorkspaceError
from logos.journal.entries import JOURNAL, Manifest, open_journal
from logos.journal.reader import Damaged, TornTail
from logos.journal.writer import START, Position
from logos.observe.following import LostPlace
from logos.observe.shipping.decisions import DecisionLines
from logos.observe.shipping.inputs_tail import InputsTail
from logos.observe.shipping.kafka import Batch, Target
from logos.observe.shipping.messages import MESSAGE_SCHEMA, Message, Origin
from logos.observe.shipping.notices import Notices
from logos.observe.shipping.progress import Progress, SessionLag, Shipped, ShipStatus
from logos.observe.shipping.tail import JournalTail, check_end
from logos.session.stored.names import claimed_folder

EVERY_S: Final = 0.5
"""A session is looked at so often; what it has is brought to the disk then."""

_ON_THE_WAY_MAX: Final = 20_000
_STATUS_EVERY_S: Final = 1.0


@dataclass(slots=True)
class _Session:
    """A session that is shipped."""

    session_id: str
    tail: JournalTail
    decisions: DecisionLines
    origin: Origin
    uuid: str
    claim: int
    inputs: InputsTail | None
    """None: they are not shipped."""
    records: list[Message] = field(default_factory=list)
    """Of the journal, to be sent once the inputs that they follow from have arrived."""
    are_covered: bool = False
    """Whether these inputs have been sent."""
    batch: Batch | None = None
    coming: list[Message] = field(default_factory=list)
    """What is on its way, or is to be sent again."""
    shipped: Shipped | None = None
    behind: Shipped | None = None
    """The place once `coming` is acknowledged."""
    next_look_s: float = 0.0
    """When it is read again, on the monotonic clock: at once while more is there."""
    waits_since_s: float = 0.0
    """Since when something waits, on the monotonic clock; 0: nothing does."""

    def close(self) -> None:
        self.tail.close()
        if self.inputs is not None:
            self.inputs.close()


class Shipper:
    """Ships the sessions of one workspace. `tell` hears what a person should know, a line each."""

    def __init__(
        self,
        target: Target,
        progress: Progress,
        tell: Callable[[str], object],
        workspace: Path | None = None,
        sessions: Collection[str] = (),
        with_inputs: bool = False,
    ) -> None:
        """`sessions`: only these; empty: all, also those that are yet to begin. `with_inputs`:
        recorded inputs as well."""
        self._target = target
        self._progress = progress
        self._tell = tell
        self._link = paths.within(workspace, paths.sessions_dir())
        self._folder = self._link
        """Where the sessions lie; of the workspace of a shard, for one claim."""
        self._wanted = frozenset(sessions)
        self._with_inputs = with_inputs
        self._claim = 0
        """Of the workspace of a shard, the claim under which its session was looked at last."""
        self._sessions: dict[str, _Session] = {}
        self._complete: dict[str, Shipped] = {}
        self.problems: dict[str, str] = {}
        """Why a session is not shipped on, by its id."""
        self._notices = Notices(target.name, tell)
        self.acknowledged = 0
        self._last_acknowledged_ns = 0
        self._shown_s = 0.0

    def run(self, is_to_stop: Callable[[], bool], *, once: bool = False, wait_s: float = 0) -> bool:
        """Ship until `is_to_stop`, or `once`: until all that is there has been shipped.

        `wait_s`: how long `once` waits for an acknowledgement while none comes. Whether no session
        has a problem and, with `once`, all was shipped. Raises OSError when a place cannot be kept.
        """
        moved_s = time.monotonic()
        try:
            while not is_to_stop():
                before = self.acknowledged
                began_s = time.monotonic()
                self._look()
                is_idle = not self._ship()
                if self.acknowledged != before:
                    moved_s = time.monotonic()
                self._show_if_due()
                if once and is_idle:
                    return not self.problems
                if once and time.monotonic() - moved_s > wait_s:
                    return False
                while is_idle and time.monotonic() - began_s < EVERY_S and not is_to_stop():
                    self._target.wait()
                    self._show_if_due()
            return not once and not self.problems
        finally:
            self._show()
            for session in self._sessions.values():
                session.close()

    # ---- which sessions there are ----

    def _look(self) -> None:
        """Take note of sessions that have begun."""
        self._folder, claim = claimed_folder(self._link)
        if claim != self._claim:
            self._forget()
            self._claim = claim
        for name in self._names():
            if name in self._sessions or name in self.problems or name in self._complete:
                continue
            with _Trouble(self, name):
                self._begin(name)

    def _forget(self) -> None:
        """The shard was claimed anew: its session lies in another folder now."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._complete.clear()
        self.problems.clear()

    def _names(self) -> list[str]:
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        return [name for name in names if not self._wanted or name in self._wanted]

    def _begin(self, name: str) -> None:
        """Open a session's journal, and go to where it was shipped to."""
        try:
            paths.check_session_id(name)
        except ValueError:
            return
        folder = self._folder / name
        manifest = _manifest_of(folder / JOURNAL)
        uuid = "" if manifest is None else manifest.uuid
        if manifest is None or not uuid:
            return  # it has not begun yet
        shipped = self._progress.load(name)
        if shipped is not None and shipped.uuid != uuid:
            self._tell(
                f"session {name} is another one than was shipped under this name before (uuid "
                f"{uuid}, before {shipped.uuid}): it is shipped from its beginning"
            )
            shipped = None
        if shipped is not None and shipped.claim != self._claim:
            shipped = None
        if shipped is not None and shipped.is_complete:
            check_end(folder / JOURNAL, shipped.place)
            self._complete[name] = shipped
            return
        after = START if shipped is None else shipped.place
        tail = JournalTail(folder, after)
        decisions = DecisionLines(name)
        try:
            for entry in tail.skipped():
                decisions(entry)
        except BaseException:
            tail.close()
            raise
        inputs_after = START if shipped is None else shipped.inputs
        inputs = InputsTail(folder, inputs_after) if self._with_inputs else None
        origin = Origin(name, uuid, self._claim)
        self._sessions[name] = _Session(
            name, tail, decisions, origin, uuid, self._claim, inputs, shipped=shipped
        )
        if (manifest.config.get("log") or {}).get("level") == LogLevel.ALL.value:
            self._tell(
                f"session {name} logs every tick: lines NO_SIGNAL of its log are not shipped, as "
                "its journal has no record of ticks on which nothing was decided"
            )

    # ---- shipping ----

    def _ship(self) -> bool:
        """Move every session on; whether anything is on its way, or came in."""
        is_moving = False
        on_the_way = sum(len(session.coming) for session in self._sessions.values())
        for session in list(self._sessions.values()):
            with _Trouble(self, session.session_id):
                if session.batch is None and on_the_way < _ON_THE_WAY_MAX:
                    on_the_way += self._send(session)
                is_moving = self._settle(session) or is_moving
        if is_moving:
            self._target.wait()
            for session in list(self._sessions.values()):
                with _Trouble(self, session.session_id):
                    self._settle(session)
        self._notices.see(self._target.problem)
        return is_moving

    def _send(self, session: _Session) -> int:
        """Hand over the next batch of a session, or the last one again; how many messages."""
        now_s = time.monotonic()
        if not session.coming:
            if now_s < session.next_look_s:
                return 0
            if not self._read(session):
                session.next_look_s = now_s + EVERY_S
            if not session.coming:
                session.waits_since_s = 0.0
                return 0
            session.waits_since_s = session.waits_since_s or now_s
        session.batch = self._target.send(session.session_id, session.coming)
        return len(session.coming)

    def _read(self, session: _Session) -> bool:
        """Read what is to be sent next; whether there is more behind it."""
        origin, tail, inputs = session.origin, session.tail, session.inputs
        if not session.records:
            for entry in tail.read():
                session.records.append(origin.record(entry))
                session.records += [
                    origin.decision(entry.sequence, part, line)
                    for part, line in enumerate(session.decisions(entry))
                ]
        # Read after the records: what these follow from was written before them.
        if inputs is not None and not session.are_covered and (lines := inputs.read()):
            session.are_covered = bool(session.records) and not inputs.has_more
            before = session.shipped
            place = START if before is None else before.place
            session.coming = [origin.input(line) for line in lines]
            session.behind = self._place(session, place, is_complete=False)
            return True
        session.coming, session.records, session.are_covered = session.records, [], False
        session.behind = self._place(session, tail.place, is_complete=tail.is_complete)
        return tail.has_more

    def _place(self, session: _Session, place: Position, *, is_complete: bool) -> Shipped:
        """How far a session has been shipped once what is read of it has arrived."""
        inputs = START if session.inputs is None else session.inputs.place
        return Shipped(
            session.session_id,
            session.uuid,
            place.sequence,
            place.offset,
            place.digest.hex(),
            is_complete,
            inputs.sequence,
            inputs.offset,
            inputs.digest.hex(),
            session.claim,
        )

    def _settle(self, session: _Session) -> bool:
        """Keep the place of a batch that is acknowledged; whether something is on its way."""
        batch = session.batch
        if batch is None:
            return False
        if not batch.is_done:
            return True
        session.batch = None
        if batch.refused:
            raise WorkspaceError(
                f"the brokers refuse a message behind record "
                f"{session.shipped.sequence if session.shipped else 0}: {batch.refused}; raise "
                "their limit (message.max.bytes of the topic), and start the shipper again"
            )
        if not batch.is_acknowledged or session.behind is None:
            return True  # it is sent again
        self._progress.save(session.behind)
        self.acknowledged += batch.count
        self._last_acknowledged_ns = time.time_ns()
        session.shipped, session.behind, session.coming = session.behind, None, []
        session.waits_since_s = time.monotonic() if session.tail.waiting_bytes else 0.0
        if session.shipped.is_complete:
            self._complete[session.session_id] = session.shipped
            self._sessions.pop(session.session_id).close()
        return True

    def give_up(self, name: str, error: Exception) -> None:
        """A session cannot be shipped on, for this reason: tell it, and leave it."""
        session = self._sessions.pop(name, None)
        if session is not None:
            session.close()
        self.problems[name] = str(error)
        self._tell(f"session {name} is not shipped on: {error}")

    # ---- how it is doing ----

    def _show_if_due(self) -> None:
        if time.monotonic() - self._shown_s >= _STATUS_EVERY_S:
            self._show()

    def _show(self) -> None:
        self._shown_s = time.monotonic()
        with suppress(OSError):  # it is for watchers; what may be lost is told by other files
            self._progress.show(self.status())

    def status(self) -> ShipStatus:
        """How the shipper is doing now."""
        now_s = time.monotonic()
        lags = {name: _lag(shipped) for name, shipped in self._complete.items()}
        for name, problem in self.problems.items():
            lags[name] = SessionLag(0, 0, 0, is_complete=False, problem=problem)
        lag_s = 0.0
        for name, session in self._sessions.items():
            done = session.shipped.offset if session.shipped else 0
            on_the_way = session.tail.place.offset - done
            waiting = session.tail.waiting_bytes + on_the_way
            sequence = session.shipped.sequence if session.shipped else 0
            held = session.tail.held_bytes
            lags[name] = SessionLag(sequence, waiting, held, is_complete=False)
            if session.waits_since_s:
                lag_s = max(lag_s, now_s - session.waits_since_s)
        return ShipStatus(
            schema=MESSAGE_SCHEMA,
            name=self._progress.folder.name,
            pid=os.getpid(),
            written_ns=time.time_ns(),
            target=self._target.name,
            is_connected=self._target.is_connected,
            problem=self._target.problem,
            acknowledged=self.acknowledged,
            last_acknowledged_ns=self._last_acknowledged_ns,
            waiting_bytes=sum(lag.waiting_bytes for lag in lags.values()),
            lag_s=round(lag_s, 3),
            sessions=dict(sorted(lags.items())),
        )


class _Trouble:
    """What is wrong with one session stops that session alone."""

    def __init__(self, shipper: Shipper, name: str) -> None:
        self._shipper = shipper
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, LostPlace | Damaged | ConfigError | WorkspaceError):
            return False
        self._shipper.give_up(self._name, error)
        return True


def _lag(shipped: Shipped) -> SessionLag:
    return SessionLag(shipped.sequence, 0, 0, is_complete=True)


def _manifest_of(path: Path) -> Manifest | None:
    """The first record of a session's journal; None while that is not there.

    Raises Damaged, ConfigError for a journal of another schema, OSError.
    """
    try:
        with open_journal(path) as reader:
            for entry in reader.entries():
                return entry.record if isinstance(entry.record, Manifest) else None
    except (FileNotFoundError, NotADirectoryError, TornTail):
        return None
    return None
