"""Lists read in whole, in each way that exchanges go on: nothing lost, or said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logos.adapters.ccxt.pages import Page, whole
from logos.adapters.ccxt.profiles.profile import DAY_MS, Pages, Paging
from logos.venues.records import Unreadable

SIZE = 3
NEWEST_FIRST = {
    Pages.BACKWARD: Paging(Pages.BACKWARD, size=SIZE, parameter="endTime"),
    Pages.OFFSET: Paging(Pages.OFFSET, size=SIZE, parameter="ofs"),
    Pages.PAGE: Paging(Pages.PAGE, size=SIZE, parameter="page"),
    Pages.CURSOR: Paging(Pages.CURSOR, size=SIZE, parameter="cursor", cursor="next"),
    Pages.LAST_ID: Paging(Pages.LAST_ID, size=SIZE, parameter="after", cursor="billId"),
}


class Listed:
    """An exchange that lists these moments, the newest first, in pages of three."""

    def __init__(self, times_ms: list[int]) -> None:
        rows = enumerate(sorted(times_ms))
        self.rows = [
            {"id": str(number), "timestamp": at, "info": {"billId": str(number + 1)}}
            for number, at in rows
        ][::-1]
        self.spans: list[int] = []

    async def fetch(self, since_ms: int | None, limit: int | None, asked: dict[str, Any]) -> Page:
        assert limit == SIZE
        until_ms = min(asked.get("endTime", 2**62), asked.get("until", 2**62))
        if "until" in asked:
            self.spans.append(asked["until"] - (since_ms or 0))
        found = [row for row in self.rows if (since_ms or 0) <= row["timestamp"] <= until_ms]  # type: ignore[operator]
        first = int(asked.get("ofs", 0)) or (int(asked.get("page", 1)) - 1) * SIZE
        if "cursor" in asked:
            first = int(asked["cursor"])
        if "after" in asked:
            ids = [row["info"]["billId"] for row in found]  # type: ignore[index]
            first = ids.index(asked["after"]) + 1
        page = [dict(row) for row in found[first : first + SIZE]]
        if page:
            page[0]["info"] = {**page[0]["info"], "next": str(first + len(page))}  # type: ignore[dict-item]
        # ccxt sorts every page by time.
        return page[::-1]  # type: ignore[return-value]


@pytest.mark.long
@pytest.mark.parametrize("paging", NEWEST_FIRST.values(), ids=lambda each: each.pages.name)
@given(st.lists(st.integers(0, 500), max_size=40, unique=True), st.integers(0, 500))
def test_every_row_from_the_moment_on_is_found(
    paging: Paging, times_ms: list[int], since_ms: int
) -> None:
    listed = Listed(times_ms)
    found = asyncio.run(whole(listed.fetch, paging, since_ms))
    wanted = {row["id"] for row in listed.rows if row["timestamp"] >= since_ms}  # type: ignore[operator]
    assert {row["id"] for row in found} == wanted


def test_a_span_longer_than_the_exchange_answers_is_asked_for_in_parts() -> None:
    paging = Paging(Pages.CURSOR, SIZE, "cursor", "next", window_ms=DAY_MS)
    listed = Listed([0, DAY_MS - 1, DAY_MS, 3 * DAY_MS])
    found = asyncio.run(whole(listed.fetch, paging, 0, 3 * DAY_MS + 5))
    assert {row["timestamp"] for row in found} == {0, DAY_MS - 1, DAY_MS, 3 * DAY_MS}
    assert set(listed.spans) == {DAY_MS - 1}


def test_where_the_first_moment_is_left_out_it_is_asked_for_earlier() -> None:
    asked: list[int | None] = []

    async def fetch(since_ms: int | None, _: int | None, __: dict[str, Any]) -> Page:
        asked.append(since_ms)
        return []

    asyncio.run(whole(fetch, Paging(early_ms=1000), 5000))
    asyncio.run(whole(fetch, Paging(early_ms=1000), 5))
    assert asked == [4000, 0]


def always(page: Page) -> Any:
    async def fetch(_: int | None, __: int | None, ___: dict[str, Any]) -> Page:
        return page

    return fetch


FULL: Page = [{"id": str(n), "timestamp": 7, "info": {"next": "9", "x": ""}} for n in range(SIZE)]


@pytest.mark.parametrize(
    ("paging", "words"),
    [
        (Paging(Pages.WHOLE, SIZE), "a full page, and no way to ask for the next"),
        (Paging(Pages.FORWARD, SIZE), "more rows in one millisecond than a page holds"),
        (Paging(Pages.BACKWARD, SIZE, "until"), "more rows in one millisecond than a page holds"),
        (Paging(Pages.OFFSET, SIZE, "ofs"), "a list that never ends"),
        (Paging(Pages.PAGE, SIZE, "page"), "a list that never ends"),
        (
            Paging(Pages.CURSOR, SIZE, "cursor", "next"),
            "a list whose next page is one that it gave before",
        ),
        (Paging(Pages.LAST_ID, SIZE, "after", "x"), "a full page whose oldest row has no x"),
    ],
)
def test_a_full_page_that_cannot_be_continued_is_said(paging: Paging, words: str) -> None:
    with pytest.raises(Unreadable, match=f"^{words}$"):
        asyncio.run(whole(always(FULL), paging, 7))
