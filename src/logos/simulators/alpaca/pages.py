"""Which orders and activities are on the page that a client of the local broker asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from logos.simulators.alpaca.book import Activity, BrokerOrder, Denied, moment_ns

_PAGE_MAX: Final = 100
_ORDERS_MAX: Final = 500


def orders_page(orders: Sequence[BrokerOrder], query: Mapping[str, str]) -> list[BrokerOrder]:
    """docs.alpaca.markets/reference/getallorders-1: status `open`, limit 50 and direction `desc`
    where nothing is said; 500 orders at most; `after` leaves its own moment out."""
    symbols = query.get("symbols", "").split(",") if query.get("symbols") else None
    after_ns = moment_ns(query["after"]) if "after" in query else -1
    wanted = query.get("status", "open")
    found = [
        each
        for each in orders
        if (wanted == "all" or each.is_open == (wanted == "open"))
        and (symbols is None or each.listing.market_id in symbols)
        and each.placed_ns > after_ns
    ]
    if query.get("direction", "desc") == "desc":
        found.reverse()
    return found[: min(int(query.get("limit", 50)), _ORDERS_MAX)]


def activities_page(
    activities: Sequence[Activity], kind: str, query: Mapping[str, str]
) -> list[Activity]:
    """docs.alpaca.markets/reference/getaccountactivitiesbytype-2: newest first unless `asc` is
    asked for; 100 at most; a page goes on behind (`asc`) or before (`desc`) its `page_token`.

    Raises Denied for a token that is none.
    """
    kinds = (kind or query.get("activity_types", "")).split(",")
    after_ns = moment_ns(query["after"]) if "after" in query else -1
    until_ns = moment_ns(query["until"]) if "until" in query else None
    found = [
        each
        for each in activities
        if each.ts_ns > after_ns
        and (until_ns is None or each.ts_ns < until_ns)
        and (kinds == [""] or ("FILL" if each.order_id else each.kind) in kinds)
    ]
    if query.get("direction", "desc") == "desc":
        found.reverse()
    token = query.get("page_token")
    if token:
        ids = [each.activity_id for each in found]
        if token not in ids:
            raise Denied(422, 40010001, "invalid page_token")
        found = found[ids.index(token) + 1 :]
    return found[: min(int(query.get("page_size", _PAGE_MAX)), _PAGE_MAX)]
