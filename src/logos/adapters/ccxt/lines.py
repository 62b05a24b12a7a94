"""What one symbol of a ccxt feed does for one kind of data, from the first question to its end.

Each line is a loop: ask or listen, put the answer in order (`feeds.sequence`), ask for what lies
between, hand over. It ends only when its symbol can never work, with the reason; everything else
that goes wrong is said and waited out.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from decimal import localcontext
from typing import Final, TypeVar

import msgspec

from logos.adapters.ccxt.answers import Top
from logos.adapters.ccxt.client import CcxtClient
from logos.core.clock import Clock
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND
from logos.data.readers.numbers import RowError
from logos.data.source import interval_from_text
from logos.feeds.bars import BarsOut
from logos.feeds.common import Patience, SymbolGoneError, Trouble, UnitReader, Voice
from logos.feeds.contract import FeedFailedError
from logos.feeds.quotes import QuotesOut
from logos.feeds.sequence import RawBar, RawTrade, TradeSequence

_BACKFILL_PAGES_MAX: Final = 200
_CLOCK_AGE_MAX_NS: Final = 600 * NS_PER_SECOND

# A late answer comes before a newer one; so many older ones in a row are a book that began anew.
_OLDER_MAX: Final = 3

_Heard = TypeVar("_Heard")


class Pace(msgspec.Struct, frozen=True):
    """How often a line asks.

    `poll_interval_s` lies between two questions; a stream is checked by asking after `silence_s`
    without a message; a bar is asked for `settle_s` after its close.
    """

    poll_interval_s: float
    silence_s: float
    settle_s: float


class Line(ABC):
    """One kind of data of one symbol. `market` is ccxt's name of it."""

    def __init__(
        self,
        client: CcxtClient,
        clock: Clock,
        voice: Voice,
        patience: Patience,
        pace: Pace,
        instrument: Instrument,
        market: str,
    ) -> None:
        self._client = client
        self._clock = clock
        self._voice = voice
        self._patience = patience
        self._pace = pace
        self._market = market
        self._units = UnitReader(instrument)

    async def poll(self) -> str:
        """Ask again and again; the reason why it cannot go on."""
        return await self._until_gone(self._poll)

    async def stream(self) -> str:
        """Listen; the reason why it cannot go on."""
        return await self._until_gone(self._stream)

    async def _until_gone(self, work: Callable[[], Awaitable[None]]) -> str:
        try:
            # ccxt sets the rounding of whatever decimal context it finds.
            with localcontext():
                await work()
        except (SymbolGoneError, FeedFailedError) as gone:
            self._voice.closed(str(gone))
            return str(gone)
        raise AssertionError("a line has no end but a reason")

    @abstractmethod
    async def _begin(self) -> None:
        """Get ready, once, before the first question."""

    @abstractmethod
    async def _catch_up(self) -> int:
        """Ask and hand over what is new; how many events that were."""

    @abstractmethod
    async def _listen(self) -> None:
        """Wait for one message of the stream and hand over what it brings."""

    async def _poll(self) -> None:
        await self._begin()
        while True:
            await self._patience.ask(self._catch_up)
            self._voice.live(self._skew())
            await self._clock.sleep(self._next_poll_s())

    def _next_poll_s(self) -> float:
        return self._pace.poll_interval_s

    async def _stream(self) -> None:
        await self._begin()
        while True:
            # Before a connection and after each lost one: nothing of what happened meanwhile
            # comes by stream.
            await self._patience.ask(self._catch_up)
            self._voice.live(self._skew())
            try:
                while True:
                    await self._listen()
                    self._patience.calm()
                    self._voice.live(self._skew())
            except Trouble as trouble:
                await self._patience.wait_out(trouble)

    def _skew(self) -> str:
        ahead_s = round(self._client.offset_ns / NS_PER_SECOND, 1)
        return f"the exchange's clock is {ahead_s:+} s from ours" if abs(ahead_s) >= 1 else ""

    async def _hear(self, listen: Callable[[], Awaitable[_Heard]]) -> _Heard:
        """What the next message brings. After a silence in which something happened: Trouble.

        A connection can be dead and look alive. So silence is checked by asking: if there was
        nothing new, the market is quiet and the waiting goes on.
        """
        task = asyncio.ensure_future(listen())
        try:
            while True:
                quiet = asyncio.ensure_future(self._clock.sleep(self._pace.silence_s))
                try:
                    await asyncio.wait({task, quiet}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    quiet.cancel()
                if task.cancelled():
                    raise Trouble("the connection was closed")
                if task.done():
                    return task.result()
                if await self._catch_up():
                    await self._client.close_streams()
                    silence = f"{self._pace.silence_s:g} s"
                    raise Trouble(f"the stream was silent for {silence} while the market moved")
        finally:
            task.cancel()
            await asyncio.wait({task})
            # Looked at, or asyncio complains: the next listener will meet the same failure.
            if not task.cancelled():
                task.exception()


class QuoteLine(Line):
    """The best bid and ask, whenever they or the book's number change."""

    _last: Top | None = None
    _older = 0
    _quotes: QuotesOut

    async def _begin(self) -> None:
        empty = "the book is empty on one side or both; no quote until it fills"
        self._quotes = QuotesOut(self._voice, self._clock, self._units, empty)

    async def _catch_up(self) -> int:
        return await self._offer(await self._client.top(self._market))

    async def _listen(self) -> None:
        for top in await self._hear(lambda: self._client.hear_tops(self._market)):
            await self._offer(top)

    async def _offer(self, top: Top) -> int:
        """Hand over a quote if it is news; 1 if it was."""
        last = self._last
        if last is not None and _is_older(top, last):
            self._older += 1
            if self._older < _OLDER_MAX:
                return 0
            self._voice.gap("the book's numbers or times have started over")
        self._older = 0
        if top == last:
            return 0
        self._last = top
        # A list's answer has a number and a stream's message has none: then figures decide.
        is_numbered = last is not None and None not in (last.update_id, top.update_id)
        # Without a time of the exchange the moment of receipt is all that is known.
        return await self._quotes.offer(*top[:5], is_news=is_numbered)


def _is_older(top: Top, last: Top) -> bool:
    if top.update_id is not None and last.update_id is not None:
        return top.update_id < last.update_id
    return top.ts_ns is not None and last.ts_ns is not None and top.ts_ns < last.ts_ns


class TradeLine(Line):
    """Every trade since the feed began, once, in order."""

    _sequence: TradeSequence
    _is_continuous = False
    _connections = 0

    async def _begin(self) -> None:
        self._sequence = TradeSequence(
            self._client.exchange_now_ns(),
            are_ids_consecutive=self._client.tuning.are_ids_consecutive,
        )

    async def _catch_up(self) -> int:
        self._is_continuous = False
        return await self._settle(await self._client.trades(self._market))

    async def _listen(self) -> None:
        batch = await self._hear(lambda: self._client.hear_trades(self._market))
        # The library makes a lost connection anew without a word when nobody was listening.
        if not self._is_continuous or self._connections != self._client.connections:
            self._connections = self._client.connections
            # Between the last answer and the first message lies a moment that neither covers.
            await self._settle(await self._client.trades(self._market))
            self._is_continuous = True
        # What came meanwhile goes out at once, so that the next loss finds a listener.
        while batch:
            await self._settle(batch, follows=True)
            batch = self._client.heard_trades(self._market)

    async def _settle(self, page: Sequence[RawTrade], *, follows: bool = False) -> int:
        """Hand over what is new in `page`, after what lies before it; how many trades."""
        count = 0
        is_checked = not follows or self._client.tuning.are_ids_consecutive
        if is_checked and not self._sequence.joins_on(page):
            count += await self._fill_in()
        return count + await self._hand_over(page, follows=follows)

    async def _fill_in(self) -> int:
        """Ask for everything after the last trade, page by page; how many trades were new."""
        count = 0
        for _ in range(_BACKFILL_PAGES_MAX):
            sequence = self._sequence
            page = await self._client.trades_after(self._market, sequence.last_id, sequence.last_ns)
            new = await self._hand_over(page)
            count += new
            if not new:
                break
        return count

    async def _hand_over(self, page: Sequence[RawTrade], *, follows: bool = False) -> int:
        taken = self._sequence.take(page, follows=follows)
        self._voice.gap(taken.gap)
        for raw in taken.fresh:
            try:
                trade = self._units.trade(raw, self._clock.now_ns())
            except RowError as error:
                self._voice.leave_out(error)
                continue
            await self._voice.deliver(trade, raw.ts_ns)
        return len(taken.fresh)


class BarLine(Line):
    """Every bar that closes while the feed runs, after its close, once, in order."""

    _synced_ns = 0

    def __init__(
        self,
        client: CcxtClient,
        clock: Clock,
        voice: Voice,
        patience: Patience,
        pace: Pace,
        instrument: Instrument,
        market: str,
        interval: str,
    ) -> None:
        super().__init__(client, clock, voice, patience, pace, instrument, market)
        self._interval = interval
        self._interval_ns = interval_from_text(interval)
        self._bars = BarsOut(voice, clock, instrument, self._units, self._interval_ns)

    async def _begin(self) -> None:
        self._bars.begin(self._client.exchange_now_ns())
        self._synced_ns = self._clock.now_ns()

    async def _catch_up(self) -> int:
        if self._clock.now_ns() - self._synced_ns > _CLOCK_AGE_MAX_NS:
            await self._client.sync_clock()
            self._synced_ns = self._clock.now_ns()
        count = 0
        for _ in range(_BACKFILL_PAGES_MAX):
            new = await self._next_page()
            count += new
            if not new:
                break
        return count

    async def _next_page(self) -> int:
        page, closed_ns = await self._ask()
        if not self._bars.sequence.joins_on(page, closed_ns):
            # A hole may be an answer gone wrong: whoever asks twice can tell.
            page, closed_ns = await self._ask()
        return await self._bars.offer(page, closed_ns)

    async def _ask(self) -> tuple[list[RawBar], int]:
        """A page of bars from the last one on, and up to when they are counted."""
        since_ns = self._bars.ask_from_ns
        return await self._client.bars_and_time(self._market, self._interval, since_ns)

    async def _listen(self) -> None:
        raise AssertionError("bars are polled")

    def _next_poll_s(self) -> float:
        """Until the expected bar has closed and settled; then as often as anything is asked."""
        due_ns = self._bars.sequence.next_open_ns + self._interval_ns
        wait_s = (due_ns - self._client.exchange_now_ns()) / NS_PER_SECOND + self._pace.settle_s
        return max(self._pace.poll_interval_s, wait_s)
