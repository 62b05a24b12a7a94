"""Whether a price is the market's, judged by the prices around it.

Two rules, both with the instrument's `band` (a fraction; 0: no rule)
- Spread: a bid and an ask that are further apart than the band are no market.
- Jump: a price further than the band from the last one counts once the next price is near it. A
  bar is many trades: its open and close count when one of them is near the last price, or when they
  are near each other. Its high and low count when they are near the higher and the lower of the
  two, and, of a two-sided bar, when no ask lies below the bid of its kind.
Two prices are near each other when they differ by at most the band of the higher, or by two ticks.

A price that jumped by the ratio of a usual split while the market was closed or silent, or from one
UTC day to the next, looks like a split. Jumps inside the band never do.
"""

from __future__ import annotations

from typing import Final, cast, final

from logos.core.fixed import format_units
from logos.core.instrument import RATE_DECIMALS, RATE_SCALE, Instrument
from logos.core.messages import Bar, MarketEvent, Quote, QuoteBar, Trade
from logos.core.types import NEVER_NS, NS_PER_DAY, NS_PER_SECOND

NEVER: Final = 1 << 62
"""More than any price: the lower end of a calm range that no price is in."""
LOWEST: Final = 1
"""The lowest price that can be one, unless the instrument allows prices below zero."""


def lowest_price(instrument: Instrument) -> int:
    """The lowest that can be a price of the instrument, in price units."""
    return -NEVER if instrument.allows_negative else LOWEST


def can_be_prices(event: MarketEvent, lowest: int) -> bool:
    """Whether an event's prices can be prices: none is below `lowest`, and no bid above its ask.

    The sides of a bar may reach their highs and lows at different times: of them the opens and the
    closes are compared.
    """
    if type(event) is Quote:
        return lowest <= event.bid_units <= event.ask_units
    if type(event) is Trade:
        return event.price_units >= lowest
    if type(event) is Bar:
        return event.low_units >= lowest
    bar = cast("QuoteBar", event)
    is_crossed = (
        bar.bid_close_units > bar.ask_close_units or bar.bid_open_units > bar.ask_open_units
    )
    return not is_crossed and bar.bid_low_units >= lowest


QUIET_NS: Final = 60 * NS_PER_SECOND
QUIET_BARS: Final = 3
"""A symbol is silent when it has shown nothing for so long, and for so many of its bars more."""

SPLITS: Final = (
    *((2, 1), (3, 2), (3, 1), (4, 1), (5, 2), (5, 1), (6, 1), (7, 1), (8, 1), (10, 1)),
    *((15, 1), (20, 1), (25, 1), (30, 1), (40, 1), (50, 1), (100, 1)),
)
"""New shares for old ones in usual splits; a reverse split is the same the other way round."""
_SPLIT_TOLERANCE: Final = 20
"""A ratio within a twentieth of a split's looks like it."""


def split_between(before: int, after: int) -> tuple[int, int] | None:
    """The split (new shares for old ones) that would explain two prices; None: no usual one."""
    best: tuple[int, int] | None = None
    best_off = 1
    best_of = _SPLIT_TOLERANCE  # only what is off by less than a twentieth
    for more, less in SPLITS:
        for new, old in ((more, less), (less, more)):
            expected = before * old
            off = abs(after * new - expected)
            if off * best_of < best_off * expected:
                best, best_off, best_of = (new, old), off, expected
    return best


@final
class CorporateAction:
    """A split of `new` for `old`, or a dividend of `amount` (10**-amount_decimals of the quote
    currency) a unit, with `new` and `old` 0. `ts_ns` is when prices begin to be without it."""

    __slots__ = ("amount", "amount_decimals", "new", "old", "ts_ns")

    def __init__(
        self, ts_ns: int, new: int, old: int, amount: int = 0, amount_decimals: int = 0
    ) -> None:
        self.ts_ns = ts_ns
        self.new = new
        self.old = old
        self.amount = amount
        self.amount_decimals = amount_decimals


Four = tuple[int, int, int, int]
"""Open, high, low and close of a bar's side, in price units."""


@final
class PriceWatch:
    """What one symbol's prices are held against. Rates are in 10**-9, times in nanoseconds."""

    __slots__ = (
        "actions",
        "actions_done",
        "band_rate",
        "candidate",
        "candidate_ns",
        "doubt",
        "episode",
        "interval_ns",
        "is_action_due",
        "is_gap_told",
        "is_released",
        "is_stopped",
        "is_told",
        "lowest",
        "next_action_ns",
        "sees_all",
        "split",
        "stale_bars",
        "stale_ns",
        "steady_since_ns",
        "stops_at_splits",
        "tick",
    )

    def __init__(
        self,
        tick: int,
        band_rate: int = 0,
        stale_ns: int = 0,
        stale_bars: int = 0,
        stops_at_splits: bool = False,
        lowest: int = LOWEST,
    ) -> None:
        self.tick = tick
        self.band_rate = band_rate
        self.stale_ns = stale_ns
        """How old a price may be that an order fills at, and in bars on top; 0: any age."""
        self.stale_bars = stale_bars
        self.stops_at_splits = stops_at_splits
        self.lowest = lowest
        """The lowest price that can be one of the symbol."""
        self.sees_all: bool = False
        """Whether every event is looked at, because its size counts."""
        self.interval_ns: int = 0
        """The length of the symbol's bars; 0: it has shown none."""
        self.doubt: str = ""
        """Why the latest event's price is no market; empty: it is one."""
        self.episode: int = 0
        """How often a doubt has begun."""
        self.is_gap_told: bool = False  # whether missing bars have been told
        self.steady_since_ns: int = 0  # since when none have been missing
        self.is_told: bool = False
        """Whether a doubt about the symbol's prices has been said."""
        self.candidate: int = 0
        self.candidate_ns: int = 0
        """The price that jumped and waits for the next to agree (the sum of bid and ask), and when
        it was shown; 0: none."""
        self.split: tuple[int, int] | None = None
        """What the price that was just believed looks like; None: no split."""
        self.is_stopped: bool = False
        """Whether the symbol stands still because of what looks like a split."""
        self.is_released: bool = False
        """Whether an operator let it trade on: the next price counts as it is."""

        self.actions: list[CorporateAction] = []
        self.actions_done: int = 0
        """Splits and dividends by their times, and how many of them were carried out."""
        self.next_action_ns: int = NEVER_NS
        self.is_action_due: bool = False
        """When the next one is due, and whether that time has come: then every event is looked
        at."""

    def set_actions(self, actions: list[CorporateAction]) -> None:
        """Take over the symbol's splits and dividends, in the order of their times."""
        self.actions = actions
        self.next_action_ns = actions[0].ts_ns if actions else NEVER_NS

    def see_action_done(self) -> None:
        """The next action was carried out."""
        self.actions_done += 1
        done = self.actions_done
        is_last = done == len(self.actions)
        self.next_action_ns = NEVER_NS if is_last else self.actions[done].ts_ns
        self.candidate = self.candidate_ns = 0

    def action_after_ns(self, now_ns: int) -> int:
        """When the first action after `now_ns` is due, whether those before were carried out or
        wait for an event."""
        if self.next_action_ns > now_ns:
            return self.next_action_ns
        for action in self.actions[self.actions_done :]:
            if action.ts_ns > now_ns:
                return action.ts_ns
        return NEVER_NS

    @property
    def band_text(self) -> str:
        """The band as a fraction, in text."""
        return format_units(self.band_rate, RATE_DECIMALS).rstrip("0").rstrip(".")

    def are_near(self, first: int, second: int, sides: int = 1) -> bool:
        """Whether two prices are near each other; `sides` is 2 for sums of bid and ask."""
        apart = abs(first - second)
        higher = first if first > second else second
        return apart * RATE_SCALE <= higher * self.band_rate or apart <= 2 * self.tick * sides

    def age_limit_ns(self) -> int:
        """How old a price may be that an order fills at; 0: any age."""
        return self.stale_ns and self.stale_ns + self.stale_bars * self.interval_ns

    def quiet_limit_ns(self) -> int:
        """How long the symbol may show nothing before it is silent."""
        return QUIET_NS + QUIET_BARS * self.interval_ns

    def believes_quote(self, last: int, last_ns: int, bid: int, ask: int, ts_ns: int) -> bool:
        """Judge a bid and an ask (equal for a print); `doubt` says what is wrong.

        `last` is the sum of the last bid and ask, at `last_ns`; 0: there was none.
        """
        if self._is_too_wide(bid, ask):
            return False
        price = bid + ask
        return self._believes(last, last_ns, price, price, False, ts_ns)

    def believes_bar(
        self,
        last: int,
        last_ns: int,
        bids: tuple[int, int],
        asks: tuple[int, int],
        opened_ns: int,
    ) -> bool:
        """Judge the open and the close of each side of a bar, as `believes_quote` does."""
        if self._is_too_wide(bids[0], asks[0]) or self._is_too_wide(bids[1], asks[1]):
            return False
        first, end = bids[0] + asks[0], bids[1] + asks[1]
        agree = self.band_rate == 0 or self.are_near(first, end, 2)
        return self._believes(last, last_ns, first, end, agree, opened_ns)

    def counts_beside(self, last: int, price: int) -> bool:
        """Whether a trade at `price` counts beside quotes of the sum `last`."""
        if self.band_rate == 0:
            return True
        return not self.is_stopped and self.are_near(last, 2 * price, 2)

    def _is_too_wide(self, bid: int, ask: int) -> bool:
        if self.band_rate == 0 or self.is_released or self.are_near(bid, ask):
            return False
        self.candidate = 0
        self._begin_doubt(f"bid and ask are further apart than the band of {self.band_text}")
        return True

    def _believes(
        self, last: int, last_ns: int, first: int, end: int, agree: bool, opened_ns: int
    ) -> bool:
        """Whether a price counts that begins at `first` and ends at `end`; `agree` says that one
        of them confirms the other."""
        rate = self.band_rate
        shown_ns = self.candidate_ns if self.candidate else opened_ns
        self.split = None
        if last != 0 and not self.is_released:
            is_jump = rate == 0 or not (
                self.are_near(last, first, 2) or self.are_near(last, end, 2)
            )
            is_confirmed = (
                rate == 0 or agree or (self.candidate and self.are_near(self.candidate, first, 2))
            )
            if is_jump and not is_confirmed:
                self.candidate, self.candidate_ns = end, opened_ns
                words = f"it is further than the band of {self.band_text} from the last price"
                self._begin_doubt(words)
                return False
            if is_jump and self.stops_at_splits and self._is_after_break(last_ns, shown_ns):
                self.split = split_between(last, first)
        self.candidate = self.candidate_ns = 0
        self.is_released = False
        self.doubt = ""
        return True

    def _is_after_break(self, last_ns: int, shown_ns: int) -> bool:
        """Whether another UTC day has begun, or the symbol has been silent, between two prices."""
        if shown_ns - last_ns > self.quiet_limit_ns():
            return True
        return shown_ns // NS_PER_DAY != (last_ns - 1) // NS_PER_DAY

    def _begin_doubt(self, words: str) -> None:
        if not self.doubt:
            self.episode += 1
        self.doubt = words

    def doubt_all(self, words: str) -> None:
        """The latest event's price is none; `words` say why."""
        self.candidate = 0
        self._begin_doubt(words)

    def believed_ends(self, bids: Four, asks: Four) -> tuple[Four, Four]:
        """The bar without the highs and lows that do not count: its open or close is in their
        place, whichever lies further that way."""
        if asks == bids:
            shown = self._without_ends(bids, False, False)
            return shown, shown
        is_high_crossed = bids[1] > asks[1]
        is_low_crossed = bids[2] > asks[2]
        return (
            self._without_ends(bids, is_high_crossed, is_low_crossed),
            self._without_ends(asks, is_high_crossed, is_low_crossed),
        )

    def _without_ends(self, prices: Four, no_high: bool, no_low: bool) -> Four:
        """One side of a bar without its high or low, where they are known or found not to count."""
        open_, high, low, close = prices
        upper, lower = (open_, close) if open_ > close else (close, open_)
        if no_high or (self.band_rate and not self.are_near(high, upper)):
            high = upper
        if no_low or (self.band_rate and not self.are_near(low, lower)):
            low = lower
        return prices if high == prices[1] and low == prices[2] else (open_, high, low, close)

    def calm_range(self, bid: int, ask: int) -> tuple[int, int]:
        """Between which prices every quote is near every other: none of them need be judged.

        A quarter of the band around the middle: the widest spread and the widest jump in there are
        half the band of that middle. Without a band it is every price.
        """
        rate = self.band_rate
        if self.is_stopped or self.doubt or self.is_action_due or self.sees_all:
            return NEVER, LOWEST
        if rate == 0 and not self.stops_at_splits:
            return self.lowest, NEVER
        room = (bid + ask) * (rate or RATE_SCALE // 5) // (8 * RATE_SCALE)
        middle = (bid + ask) // 2
        return middle - room, middle + room
