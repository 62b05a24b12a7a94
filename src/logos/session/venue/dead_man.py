"""Who keeps a venue's dead man's switch from going off: a healthy, armed loop, and nobody else.

Problem: a process that hangs, dies or loses its connection leaves its orders at the venue. Where
the venue promises to cancel the orders of those it does not hear from, the promise is renewed by a
task of the session's own loop, so that a loop that stands still does not renew it; and only while
the session's time goes on and its kill switch lets orders out. When the session has ended with
nothing open the promise is taken back; with orders open it is left to do its work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from logos.core.clock import Clock
from logos.core.types import SwitchState
from logos.venues.contract import DeadMan, VenueError

AFTER_S: Final = 60
EVERY_S: Final = 15.0
"""Kraken recommends a call every 15 to 30 seconds with a timeout of 60."""


class DeadManKeeper:
    """Renews the promise of one venue."""

    def __init__(
        self,
        dead_man: DeadMan,
        clock: Clock,
        authority: Callable[[], SwitchState],
        lived_until_ns: Callable[[], int],
        tell: Callable[[str], object],
    ) -> None:
        """`authority` is that of the kill switch, `lived_until_ns` the session's own time: it goes
        on with every turn of its loop."""
        self._dead_man = dead_man
        self._clock = clock
        self._authority = authority
        self._lived_until_ns = lived_until_ns
        self._tell = tell
        self._seen_ns = -1
        self.is_set = False
        """Whether the venue has given its promise and it was not taken back."""

    async def run(self) -> None:
        """Renew until cancelled. A venue that cannot be asked now is asked again."""
        while True:
            if self._may_renew():
                await self._ask(AFTER_S)
            await self._clock.sleep(EVERY_S)

    def _may_renew(self) -> bool:
        """Whether the loop has turned since the last time, and may send orders."""
        lived_ns = self._lived_until_ns()
        has_lived, self._seen_ns = lived_ns != self._seen_ns, lived_ns
        return has_lived and self._authority() is not SwitchState.ENGAGED

    async def _ask(self, seconds: int) -> None:
        try:
            await self._dead_man.cancel_all_after(seconds)
            self.is_set = bool(seconds)
        except VenueError as error:
            self._tell(f"the venue's dead man's switch: {error}")

    async def end(self, *, has_orders: bool) -> None:
        """The session has ended: take the promise back, unless orders are left."""
        if self.is_set and not has_orders:
            await self._ask(0)
