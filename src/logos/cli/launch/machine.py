"""What a launch asks of the machine: clock, disk, folders, who may write what, the registry."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from logos import paths
from logos.cli.doctor import Finding, check_clock, check_folder, nearest
from logos.cli.launch.deployment import Limits
from logos.cli.launch.ntp import clock_offset_s
from logos.session.presence.registry import places

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def check_time(limits: Limits) -> Iterator[Finding]:
    """The wall clock against the monotonic one, and against a time server where one is named."""
    yield check_clock(time.time_ns, time.monotonic_ns)
    if not limits.ntp_server:
        yield Finding("clock offset", True, "not compared: limits.ntp_server names no server")
        return
    try:
        offset_ms = clock_offset_s(limits.ntp_server) * 1000
    except (OSError, ValueError) as error:
        # Whether an unreachable server matters, the venue's own clock says.
        yield Finding(
            "clock offset", True, f"not known: {limits.ntp_server} did not answer: {error}"
        )
        return
    yield Finding(
        "clock offset",
        abs(offset_ms) <= limits.max_clock_offset_ms,
        f"{offset_ms:+.1f} ms from {limits.ntp_server}, at most {limits.max_clock_offset_ms} ms",
        "set the system's time, and keep it with a time service",
    )


def check_room(home: Path, min_free_mb: int) -> Finding:
    """Free space where the workspace is."""
    free_mb = shutil.disk_usage(nearest(home)).free // 1_000_000
    return Finding(
        "disk",
        free_mb >= min_free_mb,
        f"{free_mb} MB free in {home}, at least {min_free_mb} MB",
        "make room (`logos sessions` shows what sessions take), or lower limits.min_free_mb",
    )


def check_places(home: Path) -> Iterator[Finding]:
    """Each folder of the workspace, by really writing there."""
    for name, folder in (
        ("workspace", home),
        ("sessions", paths.sessions_dir()),
        ("logs", paths.logs_dir()),
        ("state", paths.state_dir()),
    ):
        yield check_folder(name, folder)


def check_modes(decisive: Sequence[Path], warning: str) -> Finding:
    """Who else may write these files and folders; `warning` is what is wrong with `.env`."""
    bad = [words for path in decisive if (words := _open_to_others(path))]
    bad += [warning] if warning else []
    advice = "chown them to the user that runs the session, and chmod go-w (`.env`: chmod 600)"
    return Finding("permissions", not bad, "; ".join(bad) or "nobody else may write", advice)


def _open_to_others(path: Path) -> str:
    """Who else may write there, in words; "" when nobody may, or nothing is there."""
    try:
        found = os.stat(path)
    except OSError:
        return ""  # the check that needs it says so
    if found.st_uid not in (os.getuid(), 0):
        return f"{path} belongs to {_user(found.st_uid)}"
    if found.st_mode & _OTHERS_WRITE:
        return f"{path} may be written by others (mode {stat.S_IMODE(found.st_mode):o})"
    return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def current_umask() -> int:
    """The umask of this process."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def check_umask(umask: int) -> Finding:
    """What others may do with files that a library makes; logos gives its own a mode itself."""
    return Finding(
        "umask",
        umask & _OTHERS_WRITE == _OTHERS_WRITE,
        f"{umask:04o}",
        "umask 077 (UMask=0077 in a unit): what a library writes must not be others' to change",
    )


def check_registry() -> Finding:
    """A place where `logos kill` finds the session."""
    bad = []
    for place in places():
        if not place.base.is_dir():
            bad.append(f"{place.base}: no such folder")
            continue
        finding = check_folder("registry", place.folder)
        if finding.fine:
            return Finding("registry", True, str(place.folder))
        bad.append(finding.seen)
    advice = "set LOGOS_REGISTRY to a folder that this user may write to"
    return Finding("registry", False, "; ".join(bad), advice)
