"""What is asked of an exchange about orders and fills, as its profile says.

An order that is asked for by an id which is not known yet is sought in whole lists: an empty id
is never sent, for an exchange may take it for any order, or for none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import ccxt.async_support as ccxt
from msgspec import structs

from logos.adapters.ccxt.connection import Connection
from logos.adapters.ccxt.pages import Page, whole
from logos.adapters.ccxt.profiles.profile import By, Look, Paging, Profile
from logos.adapters.ccxt.records import Records
from logos.venues.contract import VenueFill, VenueOrder
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, asked_for, rows
from logos.venues.redact import Redactor

_Answer = TypeVar("_Answer")
_List = tuple[str, str, str, Page]
"""A symbol, its market, what was asked in words, and the rows."""


class Questions:
    """The questions of one venue. All methods raise Unavailable."""

    def __init__(
        self,
        name: str,
        exchange: Any,
        profile: Profile,
        connection: Connection,
        redactor: Redactor,
        ids: ClientIds,
        records: Records,
    ) -> None:
        self._name = name
        self._exchange = exchange
        self._profile = profile
        self._connection = connection
        self._redactor = redactor
        self._ids = ids
        self._records = records

    async def find(self, client_order_id: str, symbol: str, market: str) -> VenueOrder | None:
        """The order as the exchange knows it, None when it knows none of that id."""
        what = f"{self._name}: find {client_order_id}"
        name = self._ids.to_venue(client_order_id)
        for look in self._profile.looks:
            if look.by is By.LIST:
                row = await self._in_list(what, look, client_order_id, market)
            else:
                known = self._records.venue_ids.get(client_order_id, "")
                asked = name if look.by is By.CLIENT else known
                row = await self._by_id(what, look, asked, market) if asked else None
            if row is not None:
                order = self.read(what, partial(self._records.order, symbol, row))
                return self.read(what, partial(asked_for, order, client_order_id))
        return None

    async def _by_id(self, what: str, look: Look, name: str, market: str) -> Any:
        """The record of one order by an id, which is never an empty one."""
        parameters = {look.parameter: name} if look.parameter else {}
        argument = "" if look.parameter else name
        call = partial(getattr(self._exchange, look.method), argument, market, parameters)
        return await self._connection.ask(what, call, absent=ccxt.OrderNotFound)

    async def _in_list(self, what: str, look: Look, client_order_id: str, market: str) -> Any:
        """The order's record among all of a list, which the exchange may narrow to our id."""
        paging = look.paging
        if look.parameter:
            named = {look.parameter: self._ids.to_venue(client_order_id)}
            paging = structs.replace(paging, parameters=named)
        page = await self._whole(what, getattr(self._exchange, look.method), paging, market)
        # Rows of others may be of kinds that nothing here can read: only the one is read.
        return next((row for row in page if self._records.is_of(client_order_id, row)), None)

    async def open_orders(self, markets: Mapping[str, str]) -> Sequence[VenueOrder]:
        """Everything open in these markets (by symbol), whoever placed it."""
        found: dict[tuple[str, str], VenueOrder] = {}
        method, paging = self._exchange.fetch_open_orders, self._profile.open_orders
        for symbol, _, what, page in await self._lists("open orders", method, paging, markets):
            for row in page:
                order = self.read(what, partial(self._open_order, symbol, row))
                found[symbol, order.venue_order_id] = order
        return list(found.values())

    def _open_order(self, symbol: str, row: Mapping[str, Any]) -> VenueOrder:
        """An order of a list. What somebody else placed may be of a kind that nothing here can
        read; it does not keep ours from being told. Raises Unreadable."""
        try:
            return self._records.order(symbol, row)
        except Unreadable as error:
            stranger = self._records.of_stranger(symbol, row, str(error))
            if stranger is None:
                raise
            return stranger

    async def fills(
        self, markets: Mapping[str, str], since_ms: int, end_ns: int
    ) -> Sequence[VenueFill]:
        """All fills in these markets from that moment on, oldest first; none is later than
        `end_ns`."""
        fills: list[VenueFill] = []
        method, paging = self._exchange.fetch_my_trades, self._profile.fills
        listed = await self._lists("fills", method, paging, markets, (since_ms, end_ns))
        for symbol, _, what, page in listed:
            found: dict[str, VenueFill] = {}
            for row in page:
                if self._records.is_not_ours(row):
                    continue
                fill = self.read(what, partial(self._records.fill, symbol, row))
                found[fill.fill_id] = fill
            fills += [fill for fill in found.values() if fill.ts_ns >= since_ms * 1_000_000]
        # Ids are mostly numbers: shorter ones are earlier.
        fills.sort(key=lambda fill: (fill.ts_ns, fill.symbol, len(fill.fill_id), fill.fill_id))
        return fills

    async def _lists(
        self,
        name: str,
        method: Callable[..., Any],
        paging: Paging,
        markets: Mapping[str, str],
        span: tuple[int | None, int] = (None, 0),
    ) -> list[_List]:
        """A list of each market; one answer serves all where it is of the whole account."""
        found: list[_List] = []
        of_account: Page | None = None
        for symbol, market in markets.items():
            what = f"{self._name}: {name} of {symbol}"
            page = of_account
            if page is None:
                page = await self._whole(what, method, paging, market, span)
            if paging.is_of_account:
                of_account = page
                page = [row for row in page if row.get("symbol") == market]
            found.append((symbol, market, what, page))
        return found

    async def _whole(
        self,
        what: str,
        method: Callable[..., Any],
        paging: Paging,
        market: str,
        span: tuple[int | None, int] = (None, 0),
    ) -> Page:
        """Every row of a list of the exchange; some perhaps twice."""

        async def fetch(
            start_ms: int | None, limit: int | None, parameters: dict[str, Any]
        ) -> Page:
            of = None if paging.is_of_account else market
            ask = partial(method, of, start_ms, limit, parameters)
            answer = await self._connection.ask(what, ask)
            return self.read(what, lambda: rows(answer))

        since_ms, end_ns = span
        try:
            return await whole(fetch, paging, since_ms, end_ns // 1_000_000)
        except Unreadable as error:
            words = self._redactor.clean(str(error))
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))

    def read(self, what: str, read: Callable[[], _Answer]) -> _Answer:
        """What `read` makes of an answer; Unavailable where that is Unreadable."""
        try:
            return read()
        except Unreadable as error:
            words = self._redactor.clean(str(error))
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))
