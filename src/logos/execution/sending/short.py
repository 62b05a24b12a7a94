"""Says that a venue's answers leave little of its budget: an operator sees why questions wait.

Somebody else may use the rest: a program of the same account, a terminal at the same address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from logos.core.types import NS_PER_SECOND
from logos.execution.sending.meter import Meter


class Short:
    """Tells once in each of a venue's windows."""

    def __init__(self, venue: Any) -> None:
        """`venue` has a `name`, which is asked for when there is something to say."""
        self._venue = venue
        self._said_ns: dict[str, int] = {}
        self.tell: Callable[[str], object] = lambda _words: None

    def look(self, meters: Sequence[Meter], now_ns: int, may_need: Callable[[], int]) -> None:
        """After the venue's word: whether questions wait for the end of a window. `may_need`, which
        looks at every order, is asked only where there is one of which nothing was said."""
        news = [m for m in meters if now_ns < m.until_ns != self._said_ns.get(m.name)]
        need = may_need() if news else 0
        for meter in news:
            if meter.is_short(now_ns, need):
                self._say(meter, now_ns)

    def _say(self, meter: Meter, now_ns: int) -> None:
        self._said_ns[meter.name] = meter.until_ns
        seconds = (meter.until_ns - now_ns) / NS_PER_SECOND
        self.tell(
            f"{self._venue.name} answers that {meter.left():.0f} of its budget {meter.name!r} are "
            f"left for {seconds:.1f} s: questions wait until then, cancels and orders go on"
        )
