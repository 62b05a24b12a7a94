"""How far the sender has read: one small file, replaced whole after the alerts are on the disk.

A place that is older than it should be (a kill between the two) makes the same alerts again, which
the outbox knows by their ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from logos.files import read_whole, replace_json

PLACES_FILE: Final = "places.json"
_BYTES_MAX: Final = 64 << 20


class Place(msgspec.Struct):
    """How far one file was read, as of `observe.following.Follower`."""

    offset: int = 0
    mark: str = ""


class SessionPlace(Place):
    """The same of a session's journal, and what is known of its life."""

    is_sealed: bool = False
    """Whether the last line read is the seal."""
    life: str = ""
    """The life in which it was seen to run and whose end was not seen yet; empty: none."""


class Places(msgspec.Struct):
    """Of one workspace."""

    switch: Place
    sessions: dict[str, SessionPlace]
    is_first: bool = False
    """The history of the switch was not read yet: only how it stands is news."""
    is_settled: bool = True
    """Which sessions had ended before anybody watched is known: all others are news."""


def read_places(folder: Path) -> Places:
    """What is written in `folder`. Raises OSError, and ValueError for what is no such file."""
    try:
        content = read_whole(folder / PLACES_FILE, _BYTES_MAX)
    except FileNotFoundError:
        return Places(Place(), {}, is_first=True, is_settled=False)
    return msgspec.json.decode(content, type=Places)


def write_places(folder: Path, places: Places) -> None:
    """Replace what is written in `folder`, durably. Raises OSError."""
    replace_json(folder / PLACES_FILE, places)
