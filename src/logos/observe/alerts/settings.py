"""Which channels there are: those of a settings file, and those of the sessions that run.

A session's own `[alerts]` stands in its folder, in `config.json`. Channels are known by their names
in the whole workspace: of two sessions with a channel of one name, the later one's counts. A
settings file that the sender was given counts before any session's. What is known is kept in a
file, so that a sender that is started again can deliver what is pending.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from logos import paths
from logos.config.tables.alerts import AlertSettings
from logos.files import read_whole, replace_json
from logos.observe.alerts.outbox import alerts_folder

CHANNELS_FILE: Final = "settings.json"
_BYTES_MAX: Final = 16 << 20


class _ConfigFile(msgspec.Struct):
    """The part of a session's `config.json` that is about alerts."""

    alerts: AlertSettings | msgspec.UnsetType = msgspec.UNSET


def of_session(workspace: Path, session_id: str) -> AlertSettings | None:
    """The `[alerts]` of a session; None where it has none, or another version's.

    Raises OSError when there is no `config.json`, or it cannot be read.
    """
    path = paths.within(workspace, paths.sessions_dir()) / session_id / "config.json"
    try:
        found = msgspec.json.decode(read_whole(path, _BYTES_MAX), type=_ConfigFile).alerts
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    return None if found is msgspec.UNSET else found


def laid_over(base: AlertSettings, over: AlertSettings) -> AlertSettings:
    """`over`, with the channels of `base` whose names it does not have."""
    return msgspec.structs.replace(over, channels={**base.channels, **over.channels})


def read_known(folder: Path) -> AlertSettings:
    """What was known before. Raises OSError, and ValueError for what is no such file."""
    try:
        content = read_whole(folder / CHANNELS_FILE, _BYTES_MAX)
    except FileNotFoundError:
        return AlertSettings()
    return msgspec.json.decode(content, type=AlertSettings)


def write_known(folder: Path, settings: AlertSettings) -> None:
    """Keep what is known. Raises OSError."""
    replace_json(folder / CHANNELS_FILE, settings)


def known_in(workspace: Path) -> AlertSettings:
    """The settings of a workspace's sessions, those that began later over those before, and what
    its sender knew. Raises OSError, and ValueError for what cannot be read."""
    known = read_known(alerts_folder(workspace))
    folder = paths.within(workspace, paths.sessions_dir())
    try:
        sessions = [each for each in folder.iterdir() if not each.name.startswith(".")]
    except FileNotFoundError:
        return known
    for each in sorted(sessions, key=lambda path: path.stat().st_mtime_ns):
        with suppress(FileNotFoundError):
            settings = of_session(workspace, each.name)
            known = known if settings is None else laid_over(known, settings)
    return known
