"""What sessions that ended left at their venues: a person looks at it before trading goes on.

A file for each session, `state/leftovers/ID.json`, written when a session ends while orders may
rest, or while its holdings and the venue's were not seen to agree. It goes when the session comes
to a better end (it was resumed or flattened), or when a person resets the kill switch by force.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from logos import paths
from logos.files import make_folder, replace_json


class Leftover(msgspec.Struct, frozen=True):
    """What one session left."""

    session_id: str
    orders: tuple[str, ...]
    """Client ids of orders that may rest."""
    holdings: str
    """What the last comparison found, or why there was none; empty: they agreed."""

    def words(self) -> str:
        """What it is, for a person."""
        parts = []
        if self.orders:
            parts.append(f"may have left orders at its venue: {', '.join(self.orders)}")
        if self.holdings:
            parts.append(f"ended while its holdings were not seen to agree: {self.holdings}")
        return f"session {self.session_id} {' and '.join(parts)}"


def leftovers_folder(home: Path | None = None) -> Path:
    """Where they lie."""
    return paths.within(home, paths.state_dir()) / "leftovers"


def leave_word(
    session_id: str, orders: tuple[str, ...], holdings: str, home: Path | None = None
) -> None:
    """Write down what a session left; with nothing left, take back what was written of it before.

    Raises OSError.
    """
    path = leftovers_folder(home) / f"{session_id}.json"
    if not orders and not holdings:
        path.unlink(missing_ok=True)
        return
    make_folder(path.parent)
    replace_json(path, Leftover(session_id, orders, holdings), durable=True)


def words_of_leftovers(home: Path | None = None) -> list[str]:
    """What was left, by session; what cannot be read is something to look at as well."""
    folder = leftovers_folder(home)
    found = []
    try:
        names = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"{folder} cannot be read: {error.strerror}"]
    for path in names:
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Leftover).words())
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            found.append(f"{path} cannot be read: {error}")
    return found


def accept_leftovers(home: Path | None = None) -> None:
    """A person has looked at all of it. Raises OSError."""
    folder = leftovers_folder(home)
    if folder.is_dir():
        for path in folder.glob("*.json"):
            path.unlink()
