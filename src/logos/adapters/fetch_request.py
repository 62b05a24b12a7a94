"""What every source's fetching shares: the request, its history, its recording, its instruments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument, instrument
from logos.errors import DataError
from logos.feeds.common import Patience, Reporter, UnitReader
from logos.feeds.contract import LiveFeed
from logos.feeds.record import FileSink, History
from logos.venues.redact import Revealable


class FetchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to fetch. Either `since_ns` (history up to `until_ns`, 0: now) or `minutes` (record).

    `markets` maps our symbols to the source's names. `tick`, `lot` and `currency` are for Yahoo
    and Alpaca, which do not tell them; `keys` are Alpaca's, and `exchange` its feed of shares.
    """

    source: str
    markets: Mapping[str, str]
    out: Path
    exchange: str = ""
    kind: str = "bars"
    interval: str = "1m"
    since_ns: int = 0
    until_ns: int = 0
    minutes: float = 0.0
    transport: str = "poll"
    url: str = ""
    tick: str = "0.01"
    lot: str = "1"
    currency: str = "USD"
    cache_dir: Path | None = None
    keys: tuple[Revealable, Revealable] | None = None


def history_of(
    request: FetchRequest,
    clock: Clock,
    random: Random,
    reporter: Reporter,
    units: Instrument,
    noise: Any = 0,
) -> History:
    """The history that a request asks for, of one symbol; `noise` as in `UnitReader`."""
    voice = reporter.voice(units.symbol, request.kind)
    return History(
        voice,
        Patience(voice, clock, Backoff(random)),
        clock,
        request.since_ns,
        request.until_ns or clock.now_ns(),
        UnitReader(units, noise),
    )


async def record(feed: LiveFeed, sink: FileSink, clock: Clock, minutes: float) -> None:
    """Run the feed for some minutes, or until interrupted; its failure for good is raised."""
    task = asyncio.ensure_future(feed.run(sink))
    timer = asyncio.ensure_future(clock.sleep(minutes * 60))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        # What was recorded until somebody lost patience is kept.
        current = asyncio.current_task()
        assert current is not None
        current.uncancel()
    finally:
        timer.cancel()
        task.cancel()
        await asyncio.wait({task, timer})
    if not task.cancelled() and task.exception() is not None:
        task.result()


def instrument_of(symbol: str, table: Mapping[str, Any]) -> Instrument:
    """The instrument of a table. Raises DataError."""
    keys = {key: value for key, value in table.items() if key != "fees"}
    try:
        return instrument(symbol, **keys)
    except ValueError as error:
        raise DataError(str(error)) from None
