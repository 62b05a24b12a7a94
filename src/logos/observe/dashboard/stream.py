"""The news of one session as server-sent events: the file is the queue.

Each client has a place in the journal, and is given what comes after it when it has taken what it
was given before. So nothing is held for a client that reads slowly, and it holds up nobody. The
place goes along as the id of an event; a browser that comes back, to this dashboard or to one that
was started anew, sends it as `Last-Event-ID` and goes on at that byte. Who is too far behind, or
whose place is not there any more (a resumed session cuts its journal back), is told to `resync`:
to ask for the whole session again.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any, Final

import msgspec

from logos.observe.dashboard.figures import figures_of, points_of
from logos.observe.dashboard.records import (
    SHOWN,
    event_of,
    kind_of,
    point_of,
    read_record,
)
from logos.observe.dashboard.view import SessionFiles
from logos.observe.following import Follower, LostPlace
from logos.session.presence.heartbeat import is_in_use
from logos.session.stored.names import is_finished

BYTES_AT_ONCE: Final = 256 << 10
"""About how much of a journal one look takes."""
BEHIND_MAX: Final = 4 << 20
"""Bytes of journal behind which a client is told to resync."""
EVENTS_MAX: Final = 100
POINTS_MAX: Final = 500
STANDING_EVERY_S: Final = 1.0

_PLACE: Final = re.compile(r"(\d{1,18})@(|\d{1,9}:[0-9a-f]{16})")


class BadPlace(ValueError):
    """Not the id of an event that was sent."""


def parse_place(text: str) -> tuple[int, str]:
    """The byte and the mark of an event's id. Raises BadPlace."""
    found = _PLACE.fullmatch(text)
    if found is None or (int(found[1]) > 0 and not found[2]):
        raise BadPlace("not the id of an event of this dashboard")
    return int(found[1]), found[2]


def message(event: str, data: Any, place: str = "") -> bytes:
    """One event as it is sent; JSON has no line breaks, so it is one line of data."""
    head = f"event: {event}\n" + (f"id: {place}\n" if place else "")
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


class SessionNews:
    """What is new of a session since the last look. For one thread at a time."""

    def __init__(self, files: SessionFiles, place: str) -> None:
        """`place` is the id of the last event that the client has. Raises BadPlace."""
        offset, mark = parse_place(place)
        try:
            self._follower = Follower(files.journal, offset, mark, files.inside.open)
        except ValueError as error:
            raise BadPlace(str(error)) from None
        self._files = files
        self._written: tuple[int, int] | None = None
        self._standing: tuple[bool, bool, bool] | None = None
        self._next_standing_s = 0.0
        self.is_over = False
        """Whether the client has to begin anew."""
        self.has_more = False
        """Whether more is there already."""

    def look(self) -> list[bytes]:
        """The events of now. Never raises for what is on the disk: it ends with a `resync`."""
        try:
            return [*self._records(), *self._figures(), *self._stands()]
        except LostPlace as error:
            return self._resync(error.reason)
        except OSError as error:
            return self._resync(error.strerror or "its files cannot be read")
        finally:
            self._follower.close()

    def _resync(self, reason: str) -> list[bytes]:
        self.is_over = True
        return [message("resync", {"reason": reason})]

    def _records(self) -> list[bytes]:
        if self._follower.waiting_bytes > BEHIND_MAX:
            return self._resync("the journal is further ahead than is sent piece by piece")
        lines = self._follower.lines(BYTES_AT_ONCE)
        self.has_more = self._follower.waiting_bytes > 0 and bool(lines)
        if not lines:
            return []
        events, points, kinds = [], [], set()
        for line in lines:
            kind = kind_of(line)
            if kind not in SHOWN:
                continue
            try:
                body = read_record(line)
                if kind == "account":
                    points.append(point_of(body))
                else:
                    events.append(event_of(body))
            except ValueError:
                continue  # the snapshot counts it
            kinds.add(kind)
        step = -(-len(points) // POINTS_MAX)
        news = {
            "events": events[-EVENTS_MAX:],
            "events_all": len(events),
            "points": points[::step] if step > 1 else points,
            "kinds": sorted(kinds),
        }
        return [message("records", news, f"{self._follower.offset}@{self._follower.mark}")]

    def _figures(self) -> list[bytes]:
        """The page of figures, if it was written anew."""
        try:
            status = os.stat(self._files.figures)
        except FileNotFoundError:
            return []
        written = status.st_ino, status.st_mtime_ns
        if written == self._written:
            return []
        self._written = written
        page = self._files.page()
        if page is None:
            return []
        try:
            data = {"figures": figures_of(page), "points": points_of(page)}
        except ValueError:
            return []  # no figures that this version writes
        return [message("figures", data)]

    def _stands(self) -> list[bytes]:
        """That it began to run, ended, or has a report, when that has changed."""
        now_s = time.monotonic()
        if now_s < self._next_standing_s:
            return []
        self._next_standing_s = now_s + STANDING_EVERY_S
        files = self._files
        standing = is_in_use(files.journal), is_finished(files.folder), files.has_report()
        before, self._standing = self._standing, standing
        if before is None or before == standing:
            return []
        return [message("standing", {"is_running": standing[0], "is_finished": standing[1]})]
