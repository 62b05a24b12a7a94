"""A kill switch in a temporary workspace, and an operating system that fails or crashes on cue."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.files import OsLayer

LOCAL_MOUNTS = "22 27 0:21 / / rw - ext4 /dev/vda rw\n"


class CrashNow(BaseException):
    """The process ends here, between two system calls."""


class QuickLayer(OsLayer):
    """Does not wait for the disk: no test here cuts the power."""

    def fsync(self, fd: int) -> None:
        pass


class FaultyLayer(QuickLayer):
    """Counts changing system calls and lets `rule(number, call, name)` make them fail.

    The rule may raise anything; `number` counts from 1. Reading calls go through `read_rule`.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.rule: Callable[[int, str, str], None] = lambda number, call, name: None
        self.read_rule: Callable[[str, str], None] = lambda call, name: None

    def _change(self, call: str, name: str = "") -> None:
        self.calls.append(f"{call} {name}".strip())
        self.rule(len(self.calls), call, name)

    def open(self, name: str, flags: int, mode: int = 0o644, *, dir_fd: int | None) -> int:
        if flags & os.O_CREAT:
            self._change("open", name)
        else:
            self.read_rule("open", name)
        return super().open(name, flags, mode, dir_fd=dir_fd)

    def lstat(self, name: str, *, dir_fd: int | None) -> os.stat_result:
        self.read_rule("lstat", name)
        return super().lstat(name, dir_fd=dir_fd)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        self.read_rule("pread", "")
        return super().pread(fd, size, offset)

    def write(self, fd: int, data: bytes) -> int:
        self._change("write")
        return super().write(fd, data)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self._change("pwrite")
        return super().pwrite(fd, data, offset)

    def truncate(self, fd: int, size: int) -> None:
        self._change("truncate")
        super().truncate(fd, size)

    def allocate(self, fd: int, size: int) -> None:
        self._change("allocate")
        super().allocate(fd, size)

    def fsync(self, fd: int) -> None:
        self._change("fsync")
        super().fsync(fd)

    def replace(self, source: str, target: str, *, dir_fd: int) -> None:
        self._change("replace", target)
        super().replace(source, target, dir_fd=dir_fd)

    def unlink(self, name: str, *, dir_fd: int) -> None:
        self._change("unlink", name)
        super().unlink(name, dir_fd=dir_fd)

    def make_folder(self, path: str) -> None:
        if not os.path.isdir(path):
            self._change("mkdir", path)
        super().make_folder(path)


class Clock:
    """A clock that stands where it was put."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


class Workspace:
    """The switch's folder below `home`, and breakers of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "state" / "kill-switch"
        self.witness = home / ".state-kill-switch.witness"
        self.mounts = home / "mounts.txt"
        self.mounts.write_text(LOCAL_MOUNTS)

    def breaker(
        self,
        *,
        mode: str = "paper",
        build: str = "1.0",
        host: str = "here",
        layer: OsLayer | None = None,
        clock: Callable[[], int] | None = None,
    ) -> CircuitBreaker:
        return CircuitBreaker(
            self.folder,
            build=build,
            mode="live" if mode == "live" else "paper",
            host=host,
            layer=layer or QuickLayer(),
            mount_table=self.mounts,
            clock=clock or time.time_ns,
        )

    def armed(
        self, *, layer: OsLayer | None = None, clock: Callable[[], int] | None = None
    ) -> CircuitBreaker:
        """A breaker of a workspace that is armed for paper."""
        breaker = self.breaker(layer=layer, clock=clock)
        breaker.arm_if_new()
        return breaker

    @property
    def arm_file(self) -> Path:
        return self.folder / "armed.json"

    @property
    def kill_file(self) -> Path:
        return self.folder / "KILL"

    @property
    def history_file(self) -> Path:
        return self.folder / "history.jsonl"


def no_space(number: int, call: str, name: str) -> None:
    """Every call that needs a block on the disk fails."""
    if call in ("open", "write", "allocate", "mkdir", "pwrite"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
