"""All fills since a moment, from exchanges that answer in pages.

`fetch(since_ms, limit, parameters)` asks for one page, already read as records. Two ways, because
exchanges differ: Binance numbers a market's trades and bounds the span of time it is asked about;
for others the time of the last trade is all there is to go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from logos.adapters.ccxt.records import time_ms
from logos.venues.records import Unreadable, text_of

Page = list[Mapping[str, Any]]
Fetch = Callable[[int | None, int, dict[str, Any]], Awaitable[Page]]

PAGE: Final = 1000
DAY_MS: Final = 86_400_000


async def trades_by_number(fetch: Fetch, since_ms: int, end_ms: int) -> Page:
    """Binance: the first by time, a day at a time as it demands, the rest by their numbers.

    Some may come twice. Raises Unreadable.
    """
    found: Page = []
    for start_ms in range(since_ms, end_ms + 1, DAY_MS):
        found = await fetch(start_ms, PAGE, {"until": start_ms + DAY_MS - 1})
        if found:
            break
    page = found
    while page:
        number = max(_number_of(row) for row in page)
        page = await fetch(None, PAGE, {"fromId": str(number + 1)})
        # A list that does not go on would never end.
        page = [row for row in page if _number_of(row) > number]
        found = found + page
    return found


async def trades_by_time(fetch: Fetch, since_ms: int) -> Page:
    """Other exchanges: from the time of the last trade on, until there is no later one.

    Some may come twice. Raises Unreadable.
    """
    found: Page = []
    start_ms = since_ms
    while True:
        page = await fetch(start_ms, PAGE, {})
        found += page
        latest_ms = max((time_ms(row) for row in page), default=start_ms)
        if latest_ms > start_ms:
            # The exchange may hold pages shorter than asked for, so a short one is not the last.
            start_ms = latest_ms
        elif len(page) < PAGE:
            return found
        else:
            raise Unreadable("more trades in one millisecond than a page holds")


def _number_of(row: Mapping[str, Any]) -> int:
    """A trade's id as the number that it is. Raises Unreadable."""
    text = text_of(row, "id")
    if not text.isdecimal():
        raise Unreadable(f"the trade id {text!r} is no number")
    return int(text)
