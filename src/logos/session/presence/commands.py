"""Operator commands to a running session: small files, which it picks up at its heartbeat.

`state/sessions/ID.commands/` holds one JSON file for each command, written whole before it gets its
name, and removed by the session once it was carried out and journalled. A session that dies in
between carries it out again when it is resumed: none of them does more when carried out twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, Literal, Protocol, cast

import msgspec

from logos.core.commands import command_word, make_command
from logos.core.messages import (
    NOW,
    OperatorCommand,
    PauseSymbol,
    ResumeTrading,
    Suspend,
    UnpauseSymbol,
)
from logos.files import make_folder, read_whole, replace_json
from logos.session.presence.heartbeat import sessions_folder

_SUFFIX = ".commands"


SentCommand = Suspend | ResumeTrading | PauseSymbol | UnpauseSymbol
"""What may be sent to a session; the kill switch and `logos flatten` have ways of their own."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a command file holds. `symbol` is empty for a command to the whole session."""

    action: Literal["pause", "unpause", "suspend", "resume", "close", "open"]
    reason: str
    by: str
    symbol: str = ""


def command_folder(session_id: str, home: Path | None = None) -> Path:
    """Where a session's commands lie."""
    return sessions_folder(home) / f"{session_id}{_SUFFIX}"


def send_command(session_id: str, command: SentCommand, home: Path | None = None) -> Path:
    """Leave a command for a session; the file is gone once it was carried out.

    The session carries it out at its own present time, whatever `ts_ns` says. Raises OSError when
    the file cannot be written.
    """
    symbol = command.symbol if isinstance(command, (PauseSymbol, UnpauseSymbol)) else ""
    content = _File(cast(Any, command_word(command)), command.reason, command.by, symbol)
    folder = command_folder(session_id, home)
    make_folder(folder)
    path = folder / f"{time.time_ns():020d}-{os.getpid()}.json"
    replace_json(path, content, durable=False)
    return path


class Listener(Protocol):
    """Who carries commands out."""

    @property
    def has_commands(self) -> bool:
        """Whether commands wait to be carried out."""

    def command(self, command: OperatorCommand) -> None:
        """Carry it out before the next event, at the time of that moment."""


_BYTES_MAX: Final = 65_536
"""Of a command's file; what is no file, or larger, is put aside."""


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
                self._listener.command(command)

    def _read(self, path: Path) -> OperatorCommand | None:
        """The command in a file; one that is invalid is put aside."""
        try:
            file = msgspec.json.decode(read_whole(path, _BYTES_MAX), type=_File)
            command = make_command(file.action, NOW, file.reason, file.by, file.symbol)
            needs_symbol = isinstance(command, (PauseSymbol, UnpauseSymbol))
            if needs_symbol == (file.symbol in self._symbols):
                return command
            problem = f"the session does not trade {file.symbol!r}"
        except FileNotFoundError:
            return None  # its sender took it back
        except (OSError, msgspec.DecodeError) as error:
            problem = str(error)
        self._tell(f"logos: invalid command, moved to {path.with_suffix('.bad')}: {problem}")
        os.replace(path, path.with_suffix(".bad"))
        return None
