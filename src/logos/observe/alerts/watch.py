"""Watches one workspace: what its sessions and its kill switch wrote becomes alerts.

    registry and heartbeats   which sessions run; deaths, lag, feeds
    state.jsonl               guards that tripped, and the seal
    history.jsonl             transitions of the kill switch
    the file system           free space

It only reads. Sessions are found before their journals are read, so of one that does not run any
more the whole journal is read before its death is judged. A journal may be shortened (a resumed
session cuts off what was about its stop): then it is read from its beginning, and what was told
before is known by its id.
"""

from __future__ import annotations

import enum
import os
import shlex
import sys
import time
from binascii import crc32
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.config.tables.alerts import AlertKind, AlertSettings
from logos.core.types import SwitchState
from logos.journal.entries import JOURNAL
from logos.killswitch.history import HISTORY_FILE
from logos.killswitch.records import RecordDamagedError, decode_line
from logos.observe.alerts.alert import Alert, fit
from logos.observe.alerts.conditions import Conditions, Holding
from logos.observe.alerts.journal import found_in, is_seal
from logos.observe.alerts.places import Places, SessionPlace
from logos.observe.following import Follower, LineTooLong, LostPlace
from logos.session.presence.found import FoundSession, find_sessions

LOOK_BYTES_MAX: Final = 16 << 20
"""How much of one journal is read in one look: no session waits for another's long journal."""


class Seen(msgspec.Struct, frozen=True):
    """The sessions of a workspace at one moment."""

    found: Mapping[str, FoundSession]
    """Those that run or died, by id."""
    sessions: list[str]
    """Those that have a folder."""


class Look(msgspec.Struct, frozen=True):
    """What one look found."""

    alerts: list[Alert]
    ended: list[str]
    """Conditions that do not hold any more."""
    is_behind: bool
    """Whether more is there to be read at once."""


class _Left(enum.Enum):
    """What one look has left of the whole lines of a journal."""

    NOTHING = enum.auto()
    MORE = enum.auto()
    UNREADABLE = enum.auto()


class Watch:
    """Looks at one workspace again and again. For one thread."""

    def __init__(
        self,
        workspace: Path,
        places: Places,
        tell: Callable[[str], object] | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`places` are moved on with every look; whoever has kept the alerts saves them."""
        self.workspace = workspace
        self.places = places
        self.named: set[str] = set()
        """Sessions that are news although they were there at the first look."""
        self._tell = tell or _tell_standard_error
        self._now_ns = now_ns
        self._takes_old = not places.is_settled
        """Whether a session that has ended, and that nobody knows, ended before anybody watched."""
        self._conditions = Conditions(workspace)
        self._followers: dict[str, Follower] = {}
        self._told: set[str] = set()
        self._home = f"LOGOS_HOME={shlex.quote(str(workspace))} "

    def close(self) -> None:
        """Close what is open."""
        for follower in self._followers.values():
            follower.close()

    def find(self) -> Seen:
        """The sessions that there are now: before `look`, which reads what they wrote."""
        found = self._find()
        return Seen(found, self._sessions(found))

    def settle(self, seen: Seen) -> None:
        """Whatever ends from now on is news."""
        for session_id in seen.sessions:
            self._place(session_id, seen.found.get(session_id))
        self._takes_old = False
        self.places.is_settled = True

    def look(self, seen: Seen, settings: AlertSettings, active: Mapping[str, str]) -> Look:
        """What is new; `active` are the conditions that hold, as the outbox has them."""
        alerts = list(self._switch())
        is_behind = False
        for session_id in seen.sessions:
            found = seen.found.get(session_id)
            place = self._place(session_id, found)
            told, left = self._journal(session_id, place, found)
            alerts += told
            is_behind = is_behind or left is _Left.MORE
            if left is _Left.NOTHING or (found is not None and found.running):
                alerts += self._death(session_id, place, found)
        holding = self._conditions.now(seen.found, settings, self._now_ns())
        alerts += [self._of_condition(each) for each in holding if each.condition not in active]
        still = {each.condition for each in holding}
        self.places.is_first = self._takes_old = False
        self.places.is_settled = True
        return Look(alerts, [each for each in active if each not in still], is_behind)

    def is_news(self, session_id: str, seen: Seen) -> bool:
        """Whether a session runs, or may have something to tell."""
        return not self._is_old(session_id, seen.found.get(session_id))

    # ---- which sessions there are ----

    def _find(self) -> dict[str, FoundSession]:
        """The sessions of this workspace that run or died and may trade, by id."""
        here = os.path.realpath(self.workspace)
        return {
            each.session_id: each
            for each in find_sessions(self.workspace)
            if each.session_id
            and each.kind != "replay"
            and not each.is_of_sweep
            and each.workspace is not None
            and os.path.realpath(each.workspace) == here
        }

    def _sessions(self, found: Mapping[str, FoundSession]) -> list[str]:
        """Every session that has a folder here; places of those that have none any more go."""
        folder = sessions_folder(self.workspace)
        try:
            there = {entry.name for entry in os.scandir(folder) if entry.is_dir()}
        except FileNotFoundError:
            there = set()
        except OSError as error:
            self._say(f"{folder} cannot be read: {error.strerror}")
            return []
        there = {each for each in there if not each.startswith(".")}
        for gone in set(self.places.sessions) - there - set(found):
            del self.places.sessions[gone]
            self._let_go(gone)
        return sorted(there)

    def _place(self, session_id: str, found: FoundSession | None) -> SessionPlace:
        """How far the journal of a session was read.

        What ended before anybody watched is no news: at the first look it counts as read.
        """
        place = self.places.sessions.get(session_id)
        if place is None:
            place = SessionPlace()
            if self._is_old(session_id, found):
                place.offset = self._size(session_id)
                place.is_sealed = True
            self.places.sessions[session_id] = place
        return place

    def _is_old(self, session_id: str, found: FoundSession | None) -> bool:
        """Whether a session ended before anybody watched."""
        if session_id in self.places.sessions:
            place = self.places.sessions[session_id]
            return found is None and place.is_sealed and not place.life
        return self._takes_old and found is None and session_id not in self.named

    def _journal_path(self, session_id: str) -> Path:
        return sessions_folder(self.workspace) / session_id / JOURNAL

    def _size(self, session_id: str) -> int:
        try:
            return os.stat(self._journal_path(session_id)).st_size
        except OSError:
            return 0

    # ---- what they wrote ----

    def _journal(
        self, session_id: str, place: SessionPlace, found: FoundSession | None
    ) -> tuple[list[Alert], _Left]:
        """The alerts of what came to a session's journal, and what is left of it."""
        if session_id not in self._followers:
            if found is None and self._size(session_id) == place.offset:
                return [], _Left.NOTHING
            path = self._journal_path(session_id)
            self._followers[session_id] = Follower(path, place.offset, place.mark)
        alerts: list[Alert] = []
        lines, left = self._new_lines(session_id, place)
        for line in lines:
            place.is_sealed = is_seal(line)
            try:
                said = found_in(line)
            except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
                text = f"its journal cannot be read: {error}"
                name = f"{session_id}:damaged:{crc32(line):08x}"
                next_command = f"verify {session_id}"
                alerts.append(
                    self._alert(name, AlertKind.FAILED, session_id, "damaged", text, next_command)
                )
                continue
            if said is not None:
                name, next_command = f"{session_id}:{said.name}", f"inspect {session_id}"
                alert = self._alert(
                    name, said.kind, session_id, said.cause, said.text, next_command
                )
                alerts.append(msgspec.structs.replace(alert, event_ns=said.event_ns))
        if found is None and not self._followers[session_id].waiting_bytes:
            self._let_go(session_id)
        return alerts, left

    def _new_lines(self, session_id: str, place: SessionPlace) -> tuple[list[bytes], _Left]:
        """The new whole lines of a journal, up to `LOOK_BYTES_MAX`; `place` is behind them.

        A last line that is not whole is not waited for: a session may have died within it.
        """
        follower = self._followers[session_id]
        found: list[bytes] = []
        read = 0
        while read < LOOK_BYTES_MAX:
            before = follower.offset
            try:
                lines = follower.lines()
            except LineTooLong:
                return found, _Left.NOTHING  # `logos verify` says so
            except LostPlace:
                # It was shortened: what was told is known by its id, so all of it is read again.
                follower.close()
                follower = self._followers[session_id] = Follower(follower.path)
                place.is_sealed = False
                continue
            except OSError as error:
                self._say(f"{follower.path} cannot be read: {error.strerror}")
                return found, _Left.UNREADABLE
            if not lines:
                return found, _Left.NOTHING
            found += lines
            read += follower.offset - before
            place.offset, place.mark = follower.offset, follower.mark
        return found, _Left.MORE

    def _let_go(self, session_id: str) -> None:
        follower = self._followers.pop(session_id, None)
        if follower is not None:
            follower.close()

    def _death(
        self, session_id: str, place: SessionPlace, found: FoundSession | None
    ) -> list[Alert]:
        """The alert of a session that does not run any more and has no seal, once for each life."""
        beat = None if found is None or found.report is None else found.report.heartbeat
        if found is not None and found.running:
            place.life = found.key if beat is None else beat.entry or found.key
            return []
        life = place.life if beat is None else beat.entry or str(beat.written_ns)
        place.life = ""
        # Without a line it never began: its start was refused, and whoever typed it was told.
        if not life or place.is_sealed or not place.offset:
            return []
        if beat is not None and found is not None and found.report is not None:
            gone = found.report.process_is_gone
            words = f"process {beat.pid} is gone" if gone else "its process ended without closing"
            words += f"; it showed {beat.open_orders} open orders"
            if beat.is_real:
                words += ", and its orders go to a venue: look there"
        else:
            words = "it ended without a seal: its last files could not be written, or it was ended"
        text = f"CRASHED: {words}"
        name = f"{session_id}:crash:{life}"
        return [
            self._alert(name, AlertKind.CRASH, session_id, "crash", text, f"resume {session_id}")
        ]

    def _switch(self) -> Iterator[Alert]:
        """The alerts of what came to the history of the kill switch."""
        path = paths.state_dir(self.workspace) / "kill-switch" / HISTORY_FILE
        place = self.places.switch
        if "" not in self._followers:
            self._followers[""] = Follower(path, place.offset, place.mark)
        follower = self._followers[""]
        try:
            lines = follower.lines()
        except LostPlace:  # a reset moved a damaged one away and began another
            follower.close()
            self._followers[""] = Follower(path)
            return
        except OSError as error:
            self._say(f"{path} cannot be read: {error.strerror}")
            return
        place.offset, place.mark = follower.offset, follower.mark
        # What was so before anybody watched is no news, unless it still is.
        for line in lines[-1:] if self.places.is_first else lines:
            yield from self._of_transition(line, path)

    def _of_transition(self, line: bytes, path: Path) -> Iterator[Alert]:
        kind, cause = AlertKind.SWITCH, "switch"
        try:
            transition = decode_line(line + b"\n")
        except RecordDamagedError as error:
            name = f"switch:damaged:{self.places.switch.offset}"
            yield self._alert(name, kind, "", cause, f"{path}: a line {error}", "kill status")
            return
        state = transition.severity
        was = SwitchState.SAFE if transition.was == "NEW" else SwitchState[transition.was]
        if state is SwitchState.SAFE or (state <= was and not self.places.is_first):
            return
        by = f" by {transition.who}" if transition.who else ""
        text = f"kill switch {state.name} at epoch {transition.epoch}{by}: {transition.why}"
        name = f"switch:{transition.epoch}"
        alert = self._alert(name, kind, "", f"{cause} {state.name}", text, "kill status")
        yield msgspec.structs.replace(alert, event_ns=transition.time_ns)

    # ---- into words ----

    def _of_condition(self, each: Holding) -> Alert:
        now_ns = self._now_ns()
        about = each.session or "workspace"
        alert = self._alert(
            f"{about}:{each.kind.value}:{now_ns}",
            each.kind,
            each.session,
            each.condition,
            each.text,
            each.next,
        )
        return msgspec.structs.replace(alert, condition=each.condition)

    def _alert(
        self, name: str, kind: AlertKind, session: str, cause: str, text: str, next_command: str
    ) -> Alert:
        return Alert(
            id=name,
            kind=kind,
            workspace=str(self.workspace),
            session=session,
            cause=cause,
            text=fit(text),
            next=f"{self._home}logos {next_command}" if next_command else "",
            time_ns=self._now_ns(),
        )

    def _say(self, words: str) -> None:
        """Tell the operator once what keeps it from looking."""
        if words not in self._told:
            self._told.add(words)
            self._tell(words)


def sessions_folder(workspace: Path) -> Path:
    """Where the folders of a workspace's sessions are."""
    return paths.within(workspace, paths.sessions_dir())


def _tell_standard_error(text: str) -> None:
    print(f"logos alerts: {text}", file=sys.stderr, flush=True)
