"""How far each session was shipped, and how far behind the shipper is.

One folder of the workspace's state for each shipper, `state/ship/NAME/`:

- `sessions/ID.json`: the place behind the last record that the other side has acknowledged. It is
  replaced whole and durable after each acknowledged batch, so what is lost at worst is the
  knowledge that a batch arrived: that batch is sent again, under the same keys.
- `status.json`: how the shipper is doing, replaced each second for whoever watches it.
- `lock`: held while a shipper runs, so that two do not ship the same.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final, Self

import msgspec

from logos import paths
from logos.errors import ConfigError, WorkspaceError
from logos.files import make_folder, private_opener, read_whole, replace_json
from logos.journal.writer import START, Position

_FILE_BYTES_MAX: Final = 1 << 20
STATUS_BYTES_MAX: Final = 16 << 20


class Shipped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far one session was shipped: all up to record `sequence` has been acknowledged.

    `digest` is the chain's after that record, as hex; `offset` the journal's bytes up to there.
    `is_complete`: the seal was shipped, there will be nothing more. `inputs_...` say the same of
    the recorded inputs, where these are shipped. `claim`: of a shard's session, under which claim.
    """

    session_id: str
    uuid: str
    sequence: int
    offset: int
    digest: str
    is_complete: bool = False
    inputs_sequence: int = 0
    inputs_offset: int = 0
    inputs_digest: str = START.digest.hex()
    claim: int = 0

    @property
    def place(self) -> Position:
        """The place in the journal. Raises ValueError for a digest that is none."""
        return Position(self.sequence, self.offset, bytes.fromhex(self.digest))

    @property
    def inputs(self) -> Position:
        """The place in the recorded inputs. Raises as `place`."""
        digest = bytes.fromhex(self.inputs_digest)
        return Position(self.inputs_sequence, self.inputs_offset, digest)


class SessionLag(msgspec.Struct, frozen=True):
    """How far behind the shipper is with one session.

    `waiting_bytes` of its journal are to be shipped and are not acknowledged; `held_bytes` may
    still be taken back, and wait for that. `problem`: why it is not shipped on, in words.
    """

    sequence: int
    waiting_bytes: int
    held_bytes: int
    is_complete: bool
    problem: str = ""


class ShipStatus(msgspec.Struct, frozen=True):
    """How a shipper is doing: `status.json`. Times are nanoseconds since 1970 UTC, 0: never.

    `lag_s`: for how long something has been waiting to be acknowledged, 0 while nothing is.
    `problem`: what is wrong with the connection, in words; empty while it works.
    """

    schema: int
    name: str
    pid: int
    written_ns: int
    target: str
    is_connected: bool
    problem: str
    acknowledged: int
    """Messages since this shipper began."""
    last_acknowledged_ns: int
    waiting_bytes: int
    lag_s: float
    sessions: dict[str, SessionLag]


class Progress:
    """The state folder of the shipper `name` in a workspace, held while it is open."""

    def __init__(self, name: str, workspace: Path | None = None) -> None:
        """Make the folder, and take its lock.

        Raises ConfigError for a name that is none, WorkspaceError when another shipper of that name
        runs, OSError.
        """
        try:
            paths.check_session_id(name)
        except ValueError:
            raise ConfigError(
                f"not a shipper's name: {name!r}; use letters, digits, '_' and '-'"
            ) from None
        self.folder = ship_folder(name, workspace)
        make_folder(self.folder / "sessions")
        flags = os.O_RDWR | os.O_CREAT
        self._lock = private_opener(str(self.folder / "lock"), flags)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise WorkspaceError(
                f"a shipper named {name!r} runs already for this workspace ({self.folder}); to "
                "ship to another place as well, name another one: --name NAME"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def load(self, session_id: str) -> Shipped | None:
        """How far a session was shipped; None: nothing of it was.

        Raises WorkspaceError for a file that is not one of these, OSError.
        """
        path = self._path(session_id)
        try:
            content = read_whole(path, _FILE_BYTES_MAX)
        except FileNotFoundError:
            return None
        try:
            shipped = msgspec.json.decode(content, type=Shipped)
            places = (shipped.place, shipped.inputs)
            is_place = all(len(each.digest) == len(START.digest) for each in places)
            is_place = is_place and min(each.sequence for each in places) >= 0
        except ValueError:
            is_place = False
        if not is_place:
            raise WorkspaceError(
                f"{path}: it does not say how far the session was shipped; to ship the session "
                "once more from its beginning, remove the file"
            )
        return shipped

    def save(self, shipped: Shipped) -> None:
        """Keep how far a session was shipped, on the disk. Raises OSError."""
        replace_json(self._path(shipped.session_id), shipped)

    def show(self, status: ShipStatus) -> None:
        """Replace `status.json`. Raises OSError."""
        replace_json(self.folder / "status.json", status, durable=False)

    def _path(self, session_id: str) -> Path:
        return self.folder / "sessions" / f"{session_id}.json"


def ship_folder(name: str, workspace: Path | None = None) -> Path:
    """The state folder of the shipper `name`."""
    return paths.state_dir(workspace) / "ship" / name


def read_status(path: Path) -> ShipStatus:
    """A `status.json`. Raises OSError, and ValueError for what is none."""
    return msgspec.json.decode(read_whole(path, STATUS_BYTES_MAX), type=ShipStatus)
