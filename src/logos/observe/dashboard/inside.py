"""Opens the files of one workspace for reading, and none through a link that leads out of it.

A session's folder may come from somebody else, and a link in it could show any file of this user to
whoever reads the page. So a path is resolved first, must lie in the workspace then, and is opened
from the workspace's folder on, part by part, without following a link any more: one that is put
there in between is refused as well.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Final

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
LEADS_OUT: Final = "a link leads out of the workspace, and is not followed"


class Inside:
    """The files of one workspace; every OSError that is raised names the file."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = Path(os.path.realpath(workspace))

    def open(self, path: Path) -> BufferedReader:
        """Open a regular file to read its bytes. Raises OSError, also for one that lies outside."""
        parts = self._parts(path)
        try:
            return self._open(parts)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from None

    def read(self, path: Path, bytes_max: int) -> bytes:
        """All bytes of a file. Raises OSError, also when there are more than `bytes_max`."""
        with self.open(path) as file:
            content = file.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise OSError(errno.EFBIG, f"it is larger than {bytes_max:,} bytes", str(path))
        return content

    def check(self, *places: Path) -> None:
        """Raise OSError if one of `places`, or an entry of a folder among them, leads outside.

        For files that are about to be read by functions that take a path.
        """
        for place in places:
            self._parts(place)
            if place.is_dir():
                with os.scandir(place) as entries:
                    for entry in entries:
                        if entry.is_symlink():
                            self._parts(Path(entry.path))

    def _parts(self, path: Path) -> tuple[str, ...]:
        """The parts of the path below the workspace, with every link resolved."""
        try:
            return Path(os.path.realpath(path)).relative_to(self.workspace).parts
        except ValueError:
            raise OSError(errno.EPERM, LEADS_OUT, str(path)) from None

    def _open(self, parts: tuple[str, ...]) -> BufferedReader:
        folder = os.open(self.workspace, _FOLDER_FLAGS)
        try:
            for part in parts[:-1]:
                below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
                os.close(folder)
                folder = below
            descriptor = os.open(parts[-1] if parts else ".", _FILE_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is not a file")
        return open(descriptor, "rb")
