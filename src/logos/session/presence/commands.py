"""An operator's words to a running session: small files, which it picks up at its heartbeat.

`state/sessions/ID.commands/` holds one JSON file for each command, written whole before it gets its
name, and removed by the session once it has been carried out and journalled. A session that dies in
between carries it out again when it goes on: none of them does more when done twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from logos.files import replace_json
from logos.session.presence.heartbeat import status_folder

_SUFFIX = ".commands"


class OperatorCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command. `symbol` is empty for the whole session (close, open)."""

    action: Literal["pause", "unpause", "close", "open"]
    reason: str
    by: str
    symbol: str = ""


def command_folder(session_id: str, home: Path | None = None) -> Path:
    """Where a session's commands lie."""
    return status_folder(home) / f"{session_id}{_SUFFIX}"


def send_command(session_id: str, command: OperatorCommand, home: Path | None = None) -> Path:
    """Leave a command for a session; the file is gone once it has been carried out.

    Raises OSError when it cannot be written.
    """
    folder = command_folder(session_id, home)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.time_ns():020d}-{os.getpid()}.json"
    replace_json(path, command, durable=False)
    return path


class Listener(Protocol):
    """Who carries commands out."""

    @property
    def has_commands(self) -> bool:
        """Whether some of them wait still."""

    def command(self, action: str, reason: str, by: str, symbol: str = "") -> None:
        """Carry this out before the next event."""


class OperatorInbox:
    """Picks up a session's commands, and takes their files away once they have been carried out."""

    def __init__(
        self,
        session_id: str,
        home: Path | None,
        listener: Listener,
        symbols: Collection[str],
        tell: Callable[[str], object],
    ) -> None:
        """A command for another symbol than `symbols` is put aside, and `tell` hears of it."""
        self._folder = command_folder(session_id, home)
        self._listener = listener
        self._symbols = symbols
        self._tell = tell
        self._taken: set[Path] = set()

    def look(self) -> None:
        """Hand over what is new; called at every heartbeat."""
        if not self._folder.is_dir():
            return
        if not self._listener.has_commands:
            for path in self._taken:
                path.unlink(missing_ok=True)
            self._taken.clear()
        for path in sorted(set(self._folder.glob("*.json")) - self._taken):
            command = self._read(path)
            if command is not None:
                self._taken.add(path)
                self._listener.command(command.action, command.reason, command.by, command.symbol)

    def _read(self, path: Path) -> OperatorCommand | None:
        """The command in a file; one that makes no sense is put aside."""
        try:
            command = msgspec.json.decode(path.read_bytes(), type=OperatorCommand)
            needs_symbol = command.action in ("pause", "unpause")
            if needs_symbol == (command.symbol in self._symbols):
                return command
            problem = f"the session does not trade {command.symbol!r}"
        except FileNotFoundError:
            return None  # its sender took it back
        except (OSError, msgspec.DecodeError) as error:
            problem = str(error)
        self._tell(f"logos: {path} is no command, and is put aside: {problem}")
        os.replace(path, path.with_suffix(".bad"))
        return None
