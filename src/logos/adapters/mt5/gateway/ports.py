"""What the terminal tells by itself, kept for whoever reads it in the event loop."""

from __future__ import annotations

from collections import deque

from logos.adapters.mt5.gateway.bell import Bell
from logos.adapters.mt5.gateway.failures import QuestionLost
from logos.adapters.mt5.gateway.sockets import PortError


class Port:
    """Frames of one port; `frames_max` may wait, and whoever puts one in looks at `is_full`."""

    def __init__(self, frames_max: int) -> None:
        self._frames: deque[bytes | PortError] = deque()
        self._frames_max = frames_max
        self._arrived = Bell()

    @property
    def is_full(self) -> bool:
        """Whether there is no room."""
        return len(self._frames) >= self._frames_max

    def put(self, frame: bytes | PortError) -> None:
        """One more frame, or that the port failed. In the loop."""
        self._frames.append(frame)
        self._arrived.ring()

    def drop_oldest(self) -> None:
        """Make room."""
        while self.is_full:
            self._frames.popleft()

    async def next(self, timeout_s: float) -> bytes | None:
        """The next frame; None when none came for so long. Raises QuestionLost."""
        if not self._frames:
            await self._arrived.wait(timeout_s)
        if not self._frames:
            return None
        frame = self._frames.popleft()
        if isinstance(frame, PortError):
            raise QuestionLost(str(frame))
        return frame
