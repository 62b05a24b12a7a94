"""Files that fail: the process dies, or an error comes, at any file operation one chooses.

The problem is that what a crash leaves behind depends on where exactly it comes, and that the
moments that matter last microseconds. So every operation on the files under some folders is
counted, from the outside: `open`, `os.open`, `os.write`, `os.fsync`, `os.ftruncate`, `os.replace`,
`os.unlink` and `os.mkdir` are exchanged while a `FileFaults` is in force, and the code under test
is the code that ships. Buffered files get a raw file of ours underneath, because their writes
would not pass through `os`.

For each operation `decide` answers None (nothing special), `Fail` (an error of the operating
system instead of it) or `Cut` (the end, before it, in the middle of it, or right after it). The end
is a real SIGKILL (`kill_process`), or in the same process a `PowerCut`: from then on no operation
has an effect any more, whatever is still being closed on the way out.

`power_cuts` tells from the recorded steps what a power cut may leave.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, Self

Kind = Literal["mkdir", "open", "write", "fsync", "truncate", "replace", "unlink"]

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class PowerCut(BaseException):
    """The simulated end of the process; nothing but the test may catch it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One file operation, counted from 1. `size` is that of a write, in bytes."""

    number: int
    kind: Kind
    path: Path
    size: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What an operation did: `data` at `offset`, a new name (`target`), a new size (`offset`).

    `inode` tells files apart that bear the same name one after another; 0 where it is a folder's.
    """

    kind: Kind
    path: Path
    inode: int = 0
    offset: int = 0
    data: bytes = b""
    target: Path | None = None


@dataclass(frozen=True, slots=True)
class Fail:
    """The operation fails with this `errno` and does nothing."""

    errno: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The process ends before the operation; after `written` bytes of a write; or after it."""

    written: int = 0
    is_after: bool = False


Fault = Fail | Cut | None
Decide = Callable[[Operation], Fault]


def no_fault(_: Operation) -> Fault:
    """Nothing goes wrong."""
    return None


def at(number: int, fault: Fault) -> Decide:
    """`fault` at the operation of that number, and only there."""
    return lambda operation: fault if operation.number == number else None


def from_on(number: int, fault: Fault) -> Decide:
    """`fault` at the operation of that number and at all that follow."""
    return lambda operation: fault if operation.number >= number else None


def power_cut() -> NoReturn:
    """End by an exception that no code under test catches."""
    raise PowerCut


def kill_process() -> NoReturn:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


class FileFaults:
    """Counts and disturbs the operations on files under `roots`; use it in a `with`.

    For one thread, and one at a time in a process. `operations` lists what was tried, `steps` what
    was done.
    """

    def __init__(
        self,
        *roots: Path,
        decide: Decide = no_fault,
        end: Callable[[], NoReturn] = power_cut,
    ) -> None:
        self.operations: list[Operation] = []
        self.steps: list[Step] = []
        self.is_cut = False
        self._roots = tuple(os.path.abspath(root) for root in roots)
        self._decide = decide
        self._end = end
        self._paths: dict[int, Path] = {}
        self._files: list[Any] = []
        self._inodes = 0
        self._inode_at: dict[Path, int] = {}
        self._inode_of: dict[int, int] = {}
        self._real: dict[str, Any] = {}

    def __enter__(self) -> Self:
        for name in ("open", "close", "write", "fsync", "ftruncate", "replace", "unlink", "mkdir"):
            self._real[name] = getattr(os, name)
            setattr(os, name, getattr(self, f"_{name}"))
        self._real["file"] = io.open
        vars(io)["open"] = vars(builtins)["open"] = self._open_file
        return self

    def __exit__(self, *_: object) -> None:
        vars(io)["open"] = vars(builtins)["open"] = self._real.pop("file")
        for name, function in self._real.items():
            setattr(os, name, function)
        # A process that ended would have closed everything, and given back its locks.
        if self.is_cut:
            for file in self._files:
                file.close()
            for descriptor in self._paths:
                with suppress(OSError):
                    os.close(descriptor)

    # ---- deciding ----

    def _covered(self, path: object) -> Path | None:
        if not isinstance(path, str | os.PathLike):
            return None
        absolute = os.path.abspath(os.fsdecode(path))
        if any(absolute == root or absolute.startswith(root + os.sep) for root in self._roots):
            return Path(absolute)
        return None

    def _before(self, kind: Kind, path: Path, size: int = 0, named: bool = True) -> Cut | None:
        """Count the operation; end or fail here unless it is to be done, wholly or in part."""
        if self.is_cut:
            raise PowerCut
        operation = Operation(len(self.operations) + 1, kind, path, size)
        self.operations.append(operation)
        fault = self._decide(operation)
        if isinstance(fault, Fail):
            # As from the system: an operation on a descriptor does not know the file's name.
            name = (str(path),) if named else ()
            raise OSError(fault.errno, os.strerror(fault.errno), *name)
        if isinstance(fault, Cut) and not fault.is_after and not fault.written:
            self._cut()
        return fault

    def _after(self, cut: Cut | None, step: Step | None) -> None:
        if step is not None:
            self.steps.append(step)
        if cut is not None:
            self._cut()

    def _cut(self) -> NoReturn:
        self.is_cut = True
        self._end()

    # ---- what stands in for the functions of os ----

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        covered = None if dir_fd is not None else self._covered(path)
        if covered is None:
            return int(self._real["open"](path, flags, mode, dir_fd=dir_fd))
        cut = self._before("open", covered)
        is_new = not os.path.lexists(covered)
        descriptor = int(self._real["open"](path, flags, mode))
        self._after(cut, self._opened(descriptor, covered, bool(flags & _WRITING), is_new))
        return descriptor

    def _opened(self, descriptor: int, path: Path, is_writing: bool, is_new: bool) -> Step | None:
        self._paths[descriptor] = path
        if is_new:
            self._inodes += 1
            self._inode_at[path] = self._inodes
        self._inode_of[descriptor] = self._inode_at.get(path, 0)
        return Step("open", path, self._inode_at[path]) if is_new and is_writing else None

    def forget(self, descriptor: int) -> None:
        """The descriptor is being closed."""
        self._paths.pop(descriptor, None)

    def _close(self, descriptor: int) -> None:
        self.forget(descriptor)
        self._real["close"](descriptor)

    def _write(self, descriptor: int, data: Any) -> int:
        return self.write_through(descriptor, data, self._real["write"])

    def write_through(
        self, descriptor: int, data: Any, real: Callable[[int, Any], int | None]
    ) -> int:
        """One write of a covered file, done by `real`."""
        path = self._paths.get(descriptor)
        if path is None:
            return real(descriptor, data) or 0
        content = bytes(data)
        if self.is_cut:
            return len(content)  # swallowed: buffers must still close in peace
        cut = self._before("write", path, len(content), named=False)
        offset = os.fstat(descriptor).st_size  # all files here are written at their end
        if cut is not None and not cut.is_after:
            content = content[: cut.written]
        done = real(descriptor, content) or 0
        step = Step("write", path, self._inode_of[descriptor], offset, content[:done])
        self._after(cut, step)
        return done

    def _fsync(self, descriptor: int) -> None:
        path = self._paths.get(descriptor)
        if path is None:
            self._real["fsync"](descriptor)
        elif not self.is_cut:
            cut = self._before("fsync", path, named=False)
            # Not done: nobody pulls the plug while tests run, and it would cost milliseconds.
            self._after(cut, Step("fsync", path, self._inode_of[descriptor]))

    def _ftruncate(self, descriptor: int, length: int) -> None:
        path = self._paths.get(descriptor)
        if path is None:
            self._real["ftruncate"](descriptor, length)
        elif not self.is_cut:
            cut = self._before("truncate", path, named=False)
            self._real["ftruncate"](descriptor, length)
            self._after(cut, Step("truncate", path, self._inode_of[descriptor], length))

    def _replace(self, source: Any, target: Any, **folders: Any) -> None:
        old, new = self._covered(source), self._covered(target)
        if old is None or new is None or folders:
            self._real["replace"](source, target, **folders)
            return
        cut = self._before("replace", new)
        self._real["replace"](source, target)
        self._inode_at[new] = self._inode_at.pop(old, 0)
        if os.path.isdir(new):
            self._move_paths(old, new)
        self._after(cut, Step("replace", old, target=new))

    def _move_paths(self, old: Path, new: Path) -> None:
        """Of a folder that got another name, what is in it gets another path."""
        for path in [each for each in self._inode_at if old in each.parents]:
            self._inode_at[new / path.relative_to(old)] = self._inode_at.pop(path)
        for descriptor, path in self._paths.items():
            if old in path.parents:
                self._paths[descriptor] = new / path.relative_to(old)

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        covered = None if dir_fd is not None else self._covered(path)
        if covered is None:
            self._real["unlink"](path, dir_fd=dir_fd)
            return
        cut = self._before("unlink", covered)
        self._real["unlink"](path)
        self._after(cut, Step("unlink", covered))

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        covered = None if dir_fd is not None else self._covered(path)
        if covered is None:
            self._real["mkdir"](path, mode, dir_fd=dir_fd)
            return
        cut = self._before("mkdir", covered)
        self._real["mkdir"](path, mode)
        self._after(cut, Step("mkdir", covered))

    def _open_file(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        covered = self._covered(file)
        if covered is None:
            return self._real["file"](
                file, mode, buffering, encoding, errors, newline, closefd, opener
            )
        cut = self._before("open", covered)
        if not set(mode) & set("wxa+"):
            found = self._real["file"](file, mode, buffering, encoding, errors, newline)
            self._files.append(found)
            self._after(cut, None)
            return found
        if "+" in mode:
            raise ValueError(f"{covered}: files that are read and written are not simulated")
        is_new = not os.path.lexists(covered)
        raw = _RawFile(self, covered, mode.replace("b", "").replace("t", ""))
        self._files.append(raw)
        step = self._opened(raw.fileno(), covered, True, is_new)
        if not is_new and "w" in mode:
            step = Step("truncate", covered, self._inode_of[raw.fileno()], 0)
        self._after(cut, step)
        buffered = io.BufferedWriter(raw, buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding, errors, newline)


class _RawFile(io.FileIO):
    """The lowest layer of a buffered file: its writes are counted."""

    def __init__(self, faults: FileFaults, path: Path, mode: str) -> None:
        super().__init__(str(path), mode)
        self._faults = faults

    def write(self, data: Any, /) -> int:
        return self._faults.write_through(
            self.fileno(), data, lambda _, content: super(_RawFile, self).write(content)
        )

    def _dealloc_warn(self, source: object) -> None:
        # Nobody closes the files of a process that has ended.
        if not self._faults.is_cut:
            super()._dealloc_warn(source)  # type: ignore[misc]

    def close(self) -> None:
        if not self.closed:
            self._faults.forget(self.fileno())
        super().close()
