"""`deploy.toml`: what is to be launched, and what must be so before it is.

It names the settings of the session, which stay in a file of their own, and what whoever approved
them expects to find. Paths are relative to the file. An unknown key is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from logos.cli.launch.ntp import address_of
from logos.config import ConfigError, read_toml
from logos.paths import check_session_id

Mode = Literal["paper", "live"]

TEMPLATE: Final = """\
# What `logos launch` starts, and what must be so before it does. See docs/DEPLOY.md.

[launch]
settings = "session.toml"   # the session's settings; paths here are relative to this file
session_id = "desk-1"       # the id of the session; a stopped or crashed one is resumed
mode = "paper"              # paper, or live: real orders, which also take --live
                            # --i-acknowledge-risk on the command line, each time
workspace = ""              # where the session is kept; "": LOGOS_HOME, or the folder you are in
expected_config_hash = ""   # as `logos config check` prints it; "": not compared
expected_build = ""         # the build as a deployment report has it; "": not compared

[limits]
min_free_mb = 500           # of disk, in the workspace
max_clock_offset_ms = 500   # from the NTP server
ntp_server = ""             # HOST or HOST:PORT that is asked for the time; "": none is asked
phase_s = 120               # a phase that takes longer fails
"""
"""What `logos launch --init` writes."""


class Launch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[launch]`: which session, in which mode, and what was approved."""

    settings: str
    session_id: str
    mode: Mode = "paper"
    workspace: str = ""
    expected_config_hash: str = ""
    expected_build: str = ""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[limits]`: what the machine and the phases are held to."""

    min_free_mb: int = 500
    max_clock_offset_ms: int = 500
    ntp_server: str = ""
    phase_s: int = 120


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `deploy.toml`."""

    launch: Launch
    limits: Limits = Limits()


class Located(msgspec.Struct, frozen=True):
    """A deployment with the file that it stands in; both paths are absolute."""

    path: Path
    settings: Path
    deployment: Deployment

    @property
    def workspace(self) -> Path | None:
        """The workspace that the file names; None: it names none."""
        named = self.deployment.launch.workspace
        return (self.path.parent / Path(named).expanduser()).resolve() if named else None


def read_deployment(path: Path) -> Located:
    """Read `deploy.toml`. Raises ConfigError for what cannot be read or is not known."""
    path = path.absolute()
    tables = read_toml(path)
    try:
        deployment = msgspec.convert(tables, Deployment)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}; `logos launch --init` writes one") from None
    try:
        check_session_id(deployment.launch.session_id)
    except ValueError as error:
        raise ConfigError(f"{path}: launch.session_id: {error}") from None
    for name, value, least in (
        ("min_free_mb", deployment.limits.min_free_mb, 0),
        ("max_clock_offset_ms", deployment.limits.max_clock_offset_ms, 1),
        ("phase_s", deployment.limits.phase_s, 1),
    ):
        if value < least:
            raise ConfigError(f"{path}: limits.{name} = {value}: must be {least} or more")
    server = deployment.limits.ntp_server
    try:
        address_of(server)
    except ValueError:
        words = f"limits.ntp_server = {server!r}: must be HOST or HOST:PORT"
        raise ConfigError(f"{path}: {words}") from None
    return Located(path, (path.parent / deployment.launch.settings).resolve(), deployment)
