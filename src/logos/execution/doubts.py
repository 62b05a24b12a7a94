"""Symbols in which nothing new is ordered until holdings were compared with the venue's.

Problem: a venue that denies an order which it has filled is believed, the strategy orders again,
and the position grows with each denial while the books show nothing. Method: a denial is believed
only after a comparison of holdings that began behind it and found nothing new. Until then the
order stays UNKNOWN, so it counts in every limit, and new orders of its symbol wait. The same wait
follows whatever else a venue contradicts itself in.

The link raises doubts and asks for verdicts; the reconciler compares, and settles them.
"""

from __future__ import annotations

import asyncio


class Doubts:
    """What is doubted, by symbol. Times are nanoseconds since 1970."""

    def __init__(self) -> None:
        self.is_compared = False
        """Whether somebody compares holdings; if not, there is no verdict to wait for."""
        self.wanted = asyncio.Event()
        """Set when holdings are to be compared now."""
        self.ours: set[str] = set()
        """The venue's ids of our orders, as far as they are known."""
        self._held: dict[str, int] = {}
        """Symbols whose new orders wait, and since when."""
        self._compared_ns = self._differs_ns = -1
        """When the last comparison began, and when the newest was said of what differs still."""
        self._denied: dict[str, int] = {}
        """When the last denial of the symbol was believed."""
        self._unproved: set[str] = set()
        """Symbols with a denial, and no order that was found since."""

    def hold(self, symbol: str, now_ns: int) -> None:
        """Let new orders of the symbol wait for a comparison that begins after `now_ns`."""
        if self.is_compared:
            self._held[symbol] = now_ns
            self.wanted.set()

    def is_held(self, symbol: str) -> bool:
        """Whether new orders of the symbol wait."""
        return symbol in self._held

    def settle(self, began_ns: int, differs_ns: int = -1) -> None:
        """A comparison that began then came to its end; the newest of what differs was first said
        at `differs_ns` (-1: nothing differs).

        What differs keeps its symbols waiting until a comparison finds nothing new any more.
        """
        self._compared_ns, self._differs_ns = began_ns, differs_ns
        if differs_ns >= began_ns:
            return
        for symbol in [each for each, ns in self._held.items() if ns <= began_ns]:
            del self._held[symbol]

    def verdict(self, since_ns: int, created_ns: int) -> bool | None:
        """Whether holdings were found to agree after `since_ns`; None while nobody knows.

        What had been said to differ before `created_ns`, when the order in doubt was made, was
        accepted by whoever let trading go on, and is no word about it.
        """
        if not self.is_compared:
            return True
        return None if self._compared_ns < since_ns else self._differs_ns < created_ns

    # ---- what was denied ----

    def note_denial(self, symbol: str, now_ns: int) -> None:
        """A denial of an order of the symbol was believed; holdings are watched from now on."""
        self._denied[symbol] = now_ns
        self._unproved.add(symbol)
        self.wanted.set()

    def note_found(self, symbol: str) -> None:
        """An order of the symbol was found at the venue: it can find orders by our id."""
        self._unproved.discard(symbol)

    def know(self, venue_order_id: str) -> None:
        """The venue has an order of ours under that id."""
        if venue_order_id:
            self.ours.add(venue_order_id)

    def is_second(self, symbol: str, created_ns: int) -> bool:
        """Whether an order made then is the second in a row of its symbol to be denied: it was made
        after the first denial, and none was found in between."""
        return symbol in self._unproved and created_ns >= self._denied[symbol]

    def hold_denied(self, since_ns: int, now_ns: int) -> None:
        """Holdings move: let the symbols wait that had a denial after `since_ns`."""
        for symbol, denied_ns in self._denied.items():
            if denied_ns >= since_ns and symbol not in self._held:
                self._held[symbol] = now_ns
