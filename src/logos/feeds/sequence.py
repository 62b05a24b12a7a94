"""What was had already, what is new, and what is missing: the memory of a live feed.

Problem: after a lost connection a source repeats itself, leaves things out, and sends late ones in
another order. Method: each symbol has one small state machine that is shown every answer before
its rows are used. It says whether an answer joins on to what was had before (if not, there is
time to ask for what lies between), hands back the rows that are new, sorted, each once, and says
in words what is missing for good.

Nothing here knows a clock, a network or a library.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from logos.data.readers.numbers import format_timestamp

REMEMBERED: Final = 20_000
"""How many ids of trades are remembered where ids cannot be compared."""


class RawTrade(NamedTuple):
    """One trade as a source told it: figures still text or floats."""

    trade_id: str
    ts_ns: int
    price: Any
    size: Any
    side: str


class RawBar(NamedTuple):
    """One bar as a source told it, by its open time."""

    opened_ns: int
    open: Any
    high: Any
    low: Any
    close: Any
    volume: Any


class TakenTrades(NamedTuple):
    """The new trades of an answer in order, and what is missing before or among them."""

    fresh: list[RawTrade]
    gap: str


class TakenBars(NamedTuple):
    """The new closed bars of an answer in order, and what is missing before or among them."""

    fresh: list[RawBar]
    gap: str


class TradeSequence:
    """The trades of one symbol from `start_ns` on: each once, in order.

    `are_ids_consecutive` is for sources whose ids count up by one: then ids alone decide what is
    new and what is missing. Otherwise ids are names: new is what has not been seen, in order of
    time, and an answer joins on if it holds something that was seen.
    """

    def __init__(self, start_ns: int, *, are_ids_consecutive: bool = False) -> None:
        self._start_ns = start_ns
        self._are_ids_consecutive = are_ids_consecutive
        self._seen: set[str] = set()
        self._seen_order: deque[tuple[int, str]] = deque()
        self._horizon_ns = start_ns
        self.last_id = ""
        """The id of the latest trade known; empty before the first."""
        self.last_ns = start_ns
        """Its time."""
        self.repeated = 0
        """Trades told again, or so late that nobody can say whether they were had."""
        self.missing = 0
        """Trades that ids say are missing."""

    def joins_on(self, page: Sequence[RawTrade]) -> bool:
        """Whether nothing is missing between what was had and this answer, nor within it."""
        if not page:
            return True
        holds_old = not self.last_id and any(trade.ts_ns < self._start_ns for trade in page)
        if not self._are_ids_consecutive:
            return holds_old or any(trade.trade_id in self._seen for trade in page)
        last = int(self.last_id or 0)
        numbers = sorted({int(trade.trade_id) for trade in page if int(trade.trade_id) > last})
        if not numbers:
            return True
        is_dense = numbers[-1] - numbers[0] == len(numbers) - 1
        return is_dense and (holds_old if not self.last_id else numbers[0] == last + 1)

    def take(self, page: Sequence[RawTrade], *, follows: bool = False) -> TakenTrades:
        """The trades of this answer that are new; they count as had from now on.

        `follows` says that the source vouches for it that nothing lies between the last answer
        and this one (the next message of one connection); consecutive ids are checked anyway.
        """
        return self._by_id(page) if self._are_ids_consecutive else self._by_time(page, follows)

    def _by_id(self, page: Sequence[RawTrade]) -> TakenTrades:
        fresh: list[RawTrade] = []
        missing, before = 0, ""
        for trade in sorted(page, key=lambda trade: int(trade.trade_id)):
            step = int(trade.trade_id) - int(self.last_id or int(trade.trade_id) - 1)
            if step <= 0:
                self.repeated += 1
                continue
            if trade.ts_ns >= self._start_ns:
                before = before or (self.last_id if step > 1 else "")
                missing += step - 1
                fresh.append(trade)
            self._remember(trade)
        self.missing += missing
        gap = f"{missing} trades are missing after trade {before}" if missing else ""
        return TakenTrades(fresh, gap)

    def _by_time(self, page: Sequence[RawTrade], follows: bool) -> TakenTrades:
        gap = ""
        if self.last_id and not follows and not self.joins_on(page):
            last = format_timestamp(self.last_ns)
            gap = f"trades after {last} (trade {self.last_id}) may be missing"
        fresh: list[RawTrade] = []
        # Stable: trades of one moment keep the order in which they were told.
        for trade in sorted(page, key=lambda trade: trade.ts_ns):
            if trade.trade_id in self._seen or trade.ts_ns < self._horizon_ns:
                self.repeated += trade.ts_ns >= self._start_ns
            elif trade.ts_ns >= self._start_ns:
                fresh.append(trade)
            self._note(trade)
        return TakenTrades(fresh, gap)

    def _note(self, trade: RawTrade) -> None:
        if trade.trade_id in self._seen:
            return
        self._seen.add(trade.trade_id)
        self._seen_order.append((trade.ts_ns, trade.trade_id))
        if len(self._seen_order) > REMEMBERED:
            forgotten_ns, forgotten = self._seen_order.popleft()
            self._seen.discard(forgotten)
            # What is as old as something forgotten cannot be told from it.
            self._horizon_ns = max(self._horizon_ns, forgotten_ns + 1)
        if not self.last_id or trade.ts_ns >= self.last_ns:
            self._remember(trade)

    def _remember(self, trade: RawTrade) -> None:
        self.last_id = trade.trade_id
        self.last_ns = max(self.last_ns, trade.ts_ns)


class BarSequence:
    """The closed bars of one symbol that close after `start_ns`: each once, in order."""

    def __init__(self, interval_ns: int, start_ns: int) -> None:
        self._interval_ns = interval_ns
        self.next_open_ns = start_ns // interval_ns * interval_ns
        """The open of the bar that is expected next."""
        self.has_any = False
        self.repeated = 0
        """Bars told again."""

    def joins_on(self, page: Sequence[RawBar], closed_ns: int) -> bool:
        """Whether the closed bars of this answer follow on without a hole."""
        opens = [bar.opened_ns for bar in self._closed(page, closed_ns)]
        if not opens:
            return True
        is_first = opens[0] == self.next_open_ns or not self.has_any
        return is_first and all(
            late - early == self._interval_ns for early, late in pairwise(opens)
        )

    def take(
        self,
        page: Sequence[RawBar],
        closed_ns: int,
        *,
        sessions: Sequence[tuple[int, int]] | None = None,
    ) -> TakenBars:
        """The bars of this answer that are new and closed; they count as had from now on.

        `closed_ns` is the source's time: a bar is closed when it ends by then, or when the answer
        holds a later one. `sessions` are the spans [start, end) in which there are bars at all;
        None: always.
        """
        fresh = self._closed(page, closed_ns)
        missing: list[int] = []
        for bar in fresh:
            if self.has_any:
                missing += self._expected(self.next_open_ns, bar.opened_ns, sessions)
            self.next_open_ns = bar.opened_ns + self._interval_ns
            self.has_any = True
        gap = ""
        if missing:
            gap = f"{len(missing)} bars are missing from {format_timestamp(missing[0])} on"
        return TakenBars(fresh, gap)

    def _expected(
        self, start_ns: int, end_ns: int, sessions: Sequence[tuple[int, int]] | None
    ) -> list[int]:
        """The opens in [start_ns, end_ns) at which there is trading; `start_ns` is one itself."""
        opens = range(start_ns, end_ns, self._interval_ns)
        if sessions is None:
            return list(opens)
        return [each for each in opens if any(first <= each < last for first, last in sessions)]

    def _closed(self, page: Sequence[RawBar], closed_ns: int) -> list[RawBar]:
        newest_ns = max((bar.opened_ns for bar in page), default=0)
        # The first row told of a time is the one used.
        by_open: dict[int, RawBar] = {}
        for bar in page:
            is_closed = bar.opened_ns < newest_ns or bar.opened_ns + self._interval_ns <= closed_ns
            if is_closed and bar.opened_ns >= self.next_open_ns:
                by_open.setdefault(bar.opened_ns, bar)
        return [by_open[opened_ns] for opened_ns in sorted(by_open)]
