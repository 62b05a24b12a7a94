"""One byte that every process on the machine can look at in nanoseconds.

Problem: gate 1 stands on every tick and cannot afford a system call. Method: a small file mapped
into memory; byte 0 is the state hint, bytes 8..16 the epoch it was given at. Zero means "no news";
anything else means "ask the authority". So a wrong hint costs time or stops trading, and can never
permit an order.

Readers map it read-only and writers use `pwrite`: on Linux both see the same page, and a disk that
is full then answers with an error instead of a signal. Cutting the file short under a running
session kills that session with SIGBUS, which is abrupt but safe; only those who may write the file
can do so.
"""

from __future__ import annotations

import mmap
import os
import struct
import weakref
from typing import Final

from logos.core.types import SwitchState
from logos.killswitch.files import Folder, OsLayer

FLAG_BYTES: Final = 64
_LAYOUT: Final = struct.Struct("<B7xQ")
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SharedFlag:
    """The mapped flag file of one folder. `view[0]` is the state hint."""

    __slots__ = ("__weakref__", "_close", "_fd", "_layer", "inode", "view")

    def __init__(self, folder: Folder, name: str) -> None:
        """Open or create the file. Raises OSError when it cannot be, or is no regular file."""
        self._layer: OsLayer = folder.layer
        self._fd = folder.open_regular(name, _FLAGS)
        try:
            found = self._layer.fstat(self._fd)
            if found.st_size < FLAG_BYTES:
                # Reserves the blocks now, while there is room, and leaves a hint that is there.
                self._layer.allocate(self._fd, FLAG_BYTES)
            self.view = mmap.mmap(self._fd, FLAG_BYTES, mmap.MAP_SHARED, mmap.PROT_READ)
        except BaseException:
            self._layer.close(self._fd)
            raise
        self.inode = found.st_ino
        self._close = weakref.finalize(self, os.close, self._fd)

    def read(self) -> tuple[int, int]:
        """The state hint (0 to 255) and the epoch it was given at."""
        state, epoch = _LAYOUT.unpack_from(self.view)
        return state, epoch

    def hint(self, state: SwitchState, epoch: int) -> None:
        """Hint at `state` or keep what is more severe. Raises OSError when it cannot be written."""
        shown, shown_epoch = self.read()
        if shown_epoch >= epoch and shown >= state:
            return
        severe = max(state, min(shown, SwitchState.ENGAGED))
        self._layer.pwrite(self._fd, _LAYOUT.pack(severe, max(epoch, shown_epoch)), 0)

    def clear(self, epoch: int) -> None:
        """Say "no news since `epoch`". Only after a valid reset, under the lock. Raises OSError."""
        self._layer.pwrite(self._fd, _LAYOUT.pack(SwitchState.SAFE, epoch), 0)

    def close(self) -> None:
        """Let go of the file. The view stays readable until its last user drops it."""
        self._close()
