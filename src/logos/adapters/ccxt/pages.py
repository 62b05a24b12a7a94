"""A list of an exchange in whole, however many pages it comes in.

`fetch(since_ms, limit, parameters)` asks for one page, already read as records. How pages go on is
the exchange's `Paging`. A list that may hold more than was read is Unreadable: a page that is full
and cannot be continued, a cursor that leads back to itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from logos.adapters.ccxt.profiles.profile import DAY_MS, Pages, Paging
from logos.adapters.ccxt.records import info_of, time_ms
from logos.venues.records import Unreadable, text_of

Page = list[Mapping[str, Any]]
Fetch = Callable[[int | None, int | None, dict[str, Any]], Awaitable[Page]]

_UNTIL: Final = "until"
"""ccxt's parameter that bounds a request from above."""
_PAGES_MAX: Final = 10_000
"""More pages than any account has; a list that goes on longer than this never ends."""


async def whole(fetch: Fetch, paging: Paging, since_ms: int | None = None, end_ms: int = 0) -> Page:
    """Every row of the list, from `since_ms` on where that is given, up to about `end_ms`.

    Rows may come twice, and a little earlier than `since_ms`. Raises Unreadable.
    """
    if since_ms is not None:
        since_ms = max(0, since_ms - paging.early_ms)
        if paging.kept_ms and since_ms < end_ms - paging.kept_ms:
            days = paging.kept_ms // DAY_MS
            raise Unreadable(f"the exchange lists the last {days} days only")
    if paging.pages is Pages.NUMBER:
        return await _by_number(fetch, paging, since_ms or 0, end_ms)
    found: Page = []
    for start_ms, parameters in _windows(paging, since_ms, end_ms):
        found += await _WAYS[paging.pages](fetch, paging, start_ms, parameters)
    if paging.rows_max and len({str(row.get("id")) for row in found}) >= paging.rows_max:
        raise Unreadable(f"the exchange lists no more than {paging.rows_max} rows")
    return found


def _windows(
    paging: Paging, since_ms: int | None, end_ms: int
) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """The spans to ask for, one after the other, each no longer than the exchange answers."""
    fixed = dict(paging.parameters)
    if not paging.window_ms or since_ms is None:
        yield since_ms, fixed
        return
    for start_ms in range(since_ms, max(end_ms, since_ms) + 1, paging.window_ms):
        yield start_ms, {**fixed, _UNTIL: start_ms + paging.window_ms - 1}


def _limit(paging: Paging) -> int | None:
    return paging.size if paging.size and paging.asks_for_size else None


async def _at_once(
    fetch: Fetch, paging: Paging, since_ms: int | None, parameters: dict[str, Any]
) -> Page:
    page = await fetch(since_ms, _limit(paging), parameters)
    if paging.size and len(page) >= paging.size:
        raise Unreadable("a full page, and no way to ask for the next")
    return page


async def _by_number(fetch: Fetch, paging: Paging, since_ms: int, end_ms: int) -> Page:
    """The first by time, a window at a time, the rest by their numbers."""
    found: Page = []
    for start_ms in range(since_ms, end_ms + 1, paging.window_ms):
        until = {_UNTIL: start_ms + paging.window_ms - 1}
        found = await fetch(start_ms, paging.size, {**paging.parameters, **until})
        if found:
            break
    page = found
    while page:
        number = max(number_of(row) for row in page)
        asked = {**paging.parameters, paging.parameter: str(number + 1)}
        page = await fetch(None, paging.size, asked)
        # A list that does not go on would never end.
        page = [row for row in page if number_of(row) > number]
        found = found + page
    return found


async def _forward(
    fetch: Fetch, paging: Paging, since_ms: int | None, parameters: dict[str, Any]
) -> Page:
    """From the time of the last row on, until there is no later one."""
    found: Page = []
    start_ms = since_ms or 0
    while True:
        page = await fetch(start_ms, _limit(paging), parameters)
        found += page
        latest_ms = max((time_ms(row) for row in page), default=start_ms)
        if latest_ms > start_ms:
            # The exchange may hold pages shorter than asked for, so a short one is not the last.
            start_ms = latest_ms
        elif len(page) < paging.size:
            return found
        else:
            raise Unreadable("more rows in one millisecond than a page holds")


async def _backward(
    fetch: Fetch, paging: Paging, since_ms: int | None, parameters: dict[str, Any]
) -> Page:
    """Up to the time of the oldest row, until a page is not full."""
    found: Page = []
    asked = parameters
    until_ms: int | None = None
    while True:
        page = await fetch(since_ms, _limit(paging), asked)
        found += page
        if len(page) < paging.size:
            return found
        oldest_ms = min(time_ms(row) for row in page)
        if until_ms is not None and oldest_ms >= until_ms:
            raise Unreadable("more rows in one millisecond than a page holds")
        until_ms = oldest_ms
        asked = {**parameters, paging.parameter: until_ms}


async def _by_count(
    fetch: Fetch, paging: Paging, since_ms: int | None, parameters: dict[str, Any]
) -> Page:
    """So many rows passed over, or the page of that number. New rows come in front, so none is
    missed between two pages."""
    found: Page = []
    for number in range(1, _PAGES_MAX):
        place = number if paging.pages is Pages.PAGE else len(found)
        asked = {**parameters, paging.parameter: place} if place else parameters
        page = await fetch(since_ms, _limit(paging), asked)
        found += page
        if len(page) < paging.size:
            return found
    raise Unreadable("a list that never ends")


async def _by_cursor(
    fetch: Fetch, paging: Paging, since_ms: int | None, parameters: dict[str, Any]
) -> Page:
    """By what any row of a page, or its oldest, says of the next."""
    found: Page = []
    used: set[str] = set()
    asked = parameters
    while True:
        page = await fetch(since_ms, _limit(paging), asked)
        found += page
        is_last_id = paging.pages is Pages.LAST_ID
        if not page or (is_last_id and len(page) < paging.size):
            return found
        cursor = _oldest(page, paging) if is_last_id else _cursor(page, paging)
        if not cursor:
            # The end, by the exchange's own word.
            return found
        if cursor in used:
            raise Unreadable("a list whose next page is one that it gave before")
        used.add(cursor)
        asked = {**parameters, paging.parameter: cursor}


def _cursor(page: Page, paging: Paging) -> str:
    """What any row of a page says of the next page; empty at the end."""
    return next((text for row in page if (text := _told(row, paging.cursor))), "")


def _oldest(page: Page, paging: Paging) -> str:
    oldest_ms = min(time_ms(row) for row in page)
    told = [_told(row, paging.cursor) for row in page if time_ms(row) == oldest_ms]
    if not all(told):
        raise Unreadable(f"a full page whose oldest row has no {paging.cursor}")
    # Of several in one millisecond, the lowest number is the oldest.
    return min(told, key=int) if all(text.isdecimal() for text in told) else told[0]


def _told(row: Mapping[str, Any], name: str) -> str:
    return str(info_of(row).get(name) or "")


def number_of(row: Mapping[str, Any]) -> int:
    """A row's id as the number that it is. Raises Unreadable."""
    text = text_of(row, "id")
    if not text.isdecimal():
        raise Unreadable(f"the trade id {text!r} is no number")
    return int(text)


_WAYS: Final = {
    Pages.WHOLE: _at_once,
    Pages.FORWARD: _forward,
    Pages.BACKWARD: _backward,
    Pages.OFFSET: _by_count,
    Pages.PAGE: _by_count,
    Pages.CURSOR: _by_cursor,
    Pages.LAST_ID: _by_cursor,
}
