"""One symbol of a gateway's market data: its quotes, its trades, its bars, each with its retries.

- Quotes are the best prices of a watch list, told a few times a second
  (interactivebrokers.github.io/tws-api/top_data.html), bid and ask apart: what has come is taken
  together. They have no time of their own. -1 and 0 without a size are no price.
- Trades are told one by one (`tick_data.html`), to the second, without ids. What happened while
  there was no connection is not told again: that is a gap.
- Bars are asked for when they should have closed, by the gateway's own time, and once more with
  the next: what was lost with a connection is among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from logos.adapters.ib.codes import BROKER_LOST
from logos.adapters.ib.contracts import Market
from logos.adapters.ib.market_data import DELAYED, GONE, Link
from logos.adapters.ib.messages import DataKind, Printed, Said, Tick
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_MINUTE, NS_PER_SECOND
from logos.data.readers.numbers import RowError, format_timestamp
from logos.data.source import interval_from_text
from logos.feeds.bars import BarsOut
from logos.feeds.common import Patience, Reporter, SymbolGoneError, Trouble, UnitReader, Voice
from logos.feeds.quotes import QuotesOut
from logos.feeds.sequence import RawTrade

QUIET_S: Final = 8.0
"""How long nothing may come before the gateway is asked for the time."""
SETTLE_NS: Final = NS_PER_SECOND
DELAY_NS: Final = 15 * NS_PER_MINUTE
"""How old delayed data is taken for: "10-15 minute delayed" (`delayed_data.html`)."""
_ROWS_MAX: Final = 50_000
_LATE_POLLS: Final = 4
"""How often in its length a bar is asked for that should be there, and may have had no trade."""
_PRICES: Final = {1: "bid", 2: "ask", 66: "bid", 67: "ask"}
_SIZES: Final = {each: f"{side}_size" for each, side in _PRICES.items()} | {
    **dict.fromkeys((0, 69), "bid_size"),
    **dict.fromkeys((3, 70), "ask_size"),
}
"""Kinds of ticks, live and delayed: interactivebrokers.github.io/tws-api/tick_types.html."""
_UNSUBSCRIBED: Final = frozenset((354, 10089, 10168, 10189))


class Plan(msgspec.Struct, frozen=True):
    """What is delivered: `kind` is quotes, trades, both or bars (of `interval`); `source` is live
    data ("") or delayed."""

    kind: str
    interval: str = "1m"
    source: str = ""


class SymbolLine:
    """One symbol; `name` is what `live.markets` calls it."""

    def __init__(
        self,
        instrument: Instrument,
        name: str,
        reporter: Reporter,
        link: Link,
        clock: Clock,
        random: Random,
        plan: Plan,
    ) -> None:
        kinds = ("quotes", "trades") if plan.kind == "both" else (plan.kind,)
        self._instrument = instrument
        self._name = name
        self._voices = {kind: reporter.voice(instrument.symbol, kind) for kind in kinds}
        self._link = link
        self._clock = clock
        self._random = random
        self._plan = plan
        self._units = UnitReader(instrument)

    async def follow(self) -> str:
        """Deliver until it can never work; why not."""
        work = {"quotes": self._quotes, "trades": self._trades, "bars": self._bars}
        words = ""
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind, voice in self._voices.items():
                    tasks.create_task(self._from_the_contract(work[kind], voice))
        except* SymbolGoneError as gone:
            words = str(gone.exceptions[0])
        for voice in self._voices.values():
            voice.closed(words)
        return words

    async def _from_the_contract(self, work: Callable[..., Any], voice: Voice) -> None:
        patience = Patience(voice, self._clock, Backoff(self._random))
        market = await patience.ask(partial(self._link.market, self._instrument, self._name))
        await work(market, voice, patience)

    # ---- streams ----

    async def _quotes(self, market: Market, voice: Voice, patience: Patience) -> None:
        empty = "nobody quotes one side or both; no quote until somebody does"
        out = QuotesOut(voice, self._clock, self._units, empty)
        contract = market.contract

        def begin(client: Any, number: int) -> None:
            client.reqMktData(number, contract, "", False, False, None)

        def end(client: Any, number: int) -> None:
            client.cancelMktData(number)

        while True:
            try:
                await self._follow_quotes(begin, end, out, voice, patience)
            except Trouble as trouble:
                await patience.wait_out(trouble)

    async def _follow_quotes(
        self,
        begin: Callable[[Any, int], None],
        end: Callable[[Any, int], None],
        out: QuotesOut,
        voice: Voice,
        patience: Patience,
    ) -> None:
        """One subscription, until it is lost: Trouble."""
        book: dict[str, str] = {}
        late_ns = DELAY_NS if self._plan.source == DELAYED else 0
        async with aclosing(self._heard(begin, end, voice, patience)) as heard:
            async for rows in heard:
                for row in rows:
                    if isinstance(row, Tick):
                        note(book, row)
                    elif isinstance(row, DataKind):
                        late_ns = DELAY_NS if row.kind in (3, 4) else 0
                        if row.kind != 1:
                            voice.gap(f"the data is {'delayed' if late_ns else 'frozen'}")
                if len(book) == 4 and any(isinstance(row, Tick) for row in rows):
                    event_ns = self._clock.now_ns() - late_ns
                    figures = (book["bid"], book["ask"], book["bid_size"], book["ask_size"])
                    await out.offer(*figures, event_ns)

    async def _trades(self, market: Market, voice: Voice, patience: Patience) -> None:
        contract, last_ns = market.contract, 0

        def begin(client: Any, number: int) -> None:
            client.reqTickByTickData(number, contract, "Last", 0, False)

        def end(client: Any, number: int) -> None:
            client.cancelTickByTickData(number)

        while True:
            try:
                async with aclosing(self._heard(begin, end, voice, patience)) as heard:
                    async for rows in heard:
                        for row in rows:
                            if isinstance(row, Printed):
                                last_ns = max(last_ns, row.ts_ns)
                                await self._print(row, last_ns, voice)
            except Trouble as trouble:
                await patience.wait_out(trouble)
                if last_ns:
                    moment = format_timestamp(last_ns)
                    voice.gap(f"trades after {moment} may be missing: they are not told again")

    async def _print(self, row: Printed, event_ns: int, voice: Voice) -> None:
        raw = RawTrade("", event_ns, row.price, row.size, "")
        try:
            event = self._units.trade(raw, self._clock.now_ns())
        except RowError as error:
            voice.leave_out(error)
            return
        await voice.deliver(event, event_ns)

    async def _heard(
        self,
        begin: Callable[[Any, int], None],
        end: Callable[[Any, int], None],
        voice: Voice,
        patience: Patience,
    ) -> AsyncGenerator[list[object], None]:
        """What one subscription brings, all that has come at once. Raises Trouble when it comes no
        more, SymbolGoneError."""
        rows: asyncio.Queue[object] = asyncio.Queue()
        connection = await self._link.connection()
        number = connection.stream("ib: market data", begin, rows.put_nowait)
        try:
            # Its answer comes behind what the gateway says of the subscription at once.
            await self._link.time_ns()
            is_told, came = False, _waiting(rows)
            while True:
                for row in came:
                    if isinstance(row, Said):
                        is_told = self._check(row, voice) and is_told
                if connection.has_broker and not is_told:
                    voice.live()
                    patience.calm()
                    is_told = True
                yield came
                came = await self._next(rows)
        finally:
            connection.end_stream(number, end)

    async def _next(self, rows: asyncio.Queue[object]) -> list[object]:
        """All that waits; nothing where a silence was one of a live connection. Raises Trouble."""
        if rows.qsize() > _ROWS_MAX:
            raise Trouble(f"more than {_ROWS_MAX} messages waited: the session is too slow")
        if rows.empty():
            coming = asyncio.ensure_future(rows.get())
            quiet = asyncio.ensure_future(self._clock.sleep(QUIET_S))
            try:
                await asyncio.wait({coming, quiet}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    await self._link.time_ns()
                first = [coming.result()] if coming.done() else []
            finally:
                coming.cancel()
                quiet.cancel()
        else:
            first = []
        return first + _waiting(rows)

    def _check(self, said: Said, voice: Voice) -> bool:
        """What the gateway said about a subscription: whether data comes all the same. Raises
        Trouble where it must be begun again, SymbolGoneError."""
        words = f"{said.code}: {said.words}" if said.code else said.words
        if said.code in GONE:
            if said.code in _UNSUBSCRIBED and self._plan.source != DELAYED:
                words += '; delayed quotes need none: live.exchange = "delayed"'
            raise SymbolGoneError(f"{self._instrument.symbol}: {words}")
        if said.code in BROKER_LOST:
            voice.trouble(Trouble(words), QUIET_S)
            return False
        is_harmless = said.code in (1102, 10167) or 2100 <= said.code < 2200
        if not is_harmless:
            raise Trouble(words)
        return True

    # ---- bars ----

    async def _bars(self, market: Market, voice: Voice, patience: Patience) -> None:
        interval_ns = interval_from_text(self._plan.interval)
        out = BarsOut(voice, self._clock, self._instrument, self._units, interval_ns)
        out.begin(await patience.ask(self._link.time_ns))
        while True:
            await patience.ask(partial(self._ask_bars, out, market, interval_ns))
            voice.live()
            due_ns = out.sequence.next_open_ns + interval_ns + SETTLE_NS
            wait_s = (due_ns - self._link.estimate_ns) / NS_PER_SECOND
            late_s = interval_ns / NS_PER_SECOND / _LATE_POLLS
            try:
                await self._link.rest(wait_s if wait_s > 0 else late_s)
            except Trouble as trouble:
                await patience.wait_out(trouble)

    async def _ask_bars(self, out: BarsOut, market: Market, interval_ns: int) -> None:
        """Bars that have closed since, and the one before them once more. Raises Trouble and
        SymbolGoneError."""
        now_ns = await self._link.time_ns()
        if not (await self._link.connection()).has_broker:
            raise Trouble("the gateway has no connection to the broker: its bars may be old")
        page = await self._link.bars(
            market.contract, self._plan.interval, out.ask_from_ns, now_ns + interval_ns
        )
        # A span without a trade has no bar: that one is missing cannot be told.
        await out.offer(page, now_ns - SETTLE_NS, sessions=())


def _waiting(rows: asyncio.Queue[object]) -> list[object]:
    """All that waits."""
    return [rows.get_nowait() for _ in range(rows.qsize())]


def note(book: dict[str, str], tick: Tick) -> None:
    """Take one tick into the best prices, which are text; "0" is no price."""
    if tick.size and tick.kind in _SIZES:
        book[_SIZES[tick.kind]] = tick.size
    if tick.price and tick.kind in _PRICES:
        side = _PRICES[tick.kind]
        has_size = tick.size.strip("0.") != ""
        whole, _, part = tick.price.partition(".")
        is_none = not has_size and whole in ("-1", "0") and not part.strip("0")
        book[side] = "0" if is_none else tick.price
        book.setdefault(f"{side}_size", "0")
