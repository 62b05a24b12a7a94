"""Two simple averages of whole numbers, and which of them is above: exact, and never divided out.

Sums of integers are compared, crosswise multiplied, so "above" is exact, an equal pair is really
equal (and then nothing changes), and nothing drifts however long it runs.
"""

from __future__ import annotations

from typing import Any, Final

_SAVED: Final = ("count", "fast_sum", "kind", "next", "prices", "side", "slow_sum")


class Crossing:
    """The last `slow` values in a ring, and the sums of the two windows.

    `side` is 1 while the fast average is above the slow one, and `below` while it is below: 0 until
    both windows are full. `kind` is free for what the values are.
    """

    __slots__ = (
        "_below",
        "_fast",
        "_slow",
        "count",
        "fast_sum",
        "kind",
        "next",
        "prices",
        "side",
        "slow_sum",
    )

    def __init__(self, fast: int, slow: int, below: int = -1, kind: str = "") -> None:
        self._fast = fast
        self._slow = slow
        self._below = below
        self.kind = kind
        self.prices = [0] * slow
        self.next = 0
        self.count = 0
        self.fast_sum = 0
        self.slow_sum = 0
        self.side = 0

    def has_turned(self, price: int) -> bool:
        """Take in the next value; whether `side` is another one with it."""
        prices, place, slow = self.prices, self.next, self._slow
        behind = place - self._fast
        self.fast_sum += price - prices[behind if behind >= 0 else behind + slow]
        self.slow_sum += price - prices[place]
        prices[place] = price
        place += 1
        self.next = place if place < slow else 0
        self.count += 1
        if self.count < slow:
            return False
        lead = self.fast_sum * slow - self.slow_sum * self._fast
        side = 1 if lead > 0 else self._below
        if lead == 0 or side == self.side:
            return False
        self.side = side
        return True

    def save(self) -> dict[str, Any]:
        """What was seen, as JSON data; see `Strategy.save`."""
        return {name: getattr(self, name) for name in _SAVED}

    def load(self, state: dict[str, Any]) -> None:
        """Go on with what `save` told of."""
        for name in _SAVED:
            setattr(self, name, state[name])
