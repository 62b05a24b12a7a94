"""Lists that Alpaca answers with: whole, page after page, or not at all.

Activities and orders come in pages of 100 and 500. A page that is full is followed by another
question; what cannot be continued is Unavailable, never a part that looks like the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from logos.adapters.alpaca.connection import Connection
from logos.core.types import NS_PER_SECOND
from logos.venues.contract import Unavailable
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, is_record, iso_time, rows, text_of, time_ns
from logos.venues.redact import Redactor

ORDERS_PAGE: Final = 500
ACTIVITIES_PAGE: Final = 100
CLOCK_NS: Final = 60 * NS_PER_SECOND
"""The broker's clock is never so far behind ours."""

_Answer = TypeVar("_Answer")
_Rows = list[Mapping[str, Any]]


class Questions:
    """Asks through `connection`, which is given once the venue is open."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.connection: Connection | None = None

    async def ask(
        self,
        what: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        may_be_absent: bool = False,
    ) -> Any:
        """The JSON answer; None where it may be absent and is. Raises Unavailable."""
        if self.connection is None:
            raise Unavailable(f"{what}: not open")
        return await self.connection.ask(what, path, parameters, may_be_absent)

    def read(self, what: str, read: Callable[[], _Answer]) -> _Answer:
        """What `read` makes of an answer. Raises Unavailable when it is Unreadable."""
        try:
            return read()
        except Unreadable as error:
            words = self._redactor.clean(str(error))
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))

    async def rows(
        self, what: str, path: str, parameters: Mapping[str, str] | None = None
    ) -> _Rows:
        """An answer that is a list of records. Raises Unavailable."""
        return self.read(what, partial(rows, await self.ask(what, path, parameters)))

    async def record(self, what: str, path: str) -> Mapping[str, Any]:
        """An answer that is one record. Raises Unavailable."""
        answer = await self.ask(what, path)
        if is_record(answer):
            return answer
        raise question_error(what, Failure(Knowledge.UNKNOWN, "the answer is no record"))

    async def open_orders(self, what: str, symbols: str) -> _Rows:
        """Every open order in these symbols, oldest first. Raises Unavailable."""
        return await self._orders(what, {"status": "open", "symbols": symbols})

    async def orders_since(self, what: str, since_ns: int) -> _Rows:
        """Every order of the account that was made from then on, oldest first. Raises
        Unavailable."""
        after = iso_time(max(since_ns - 1000, 0))
        return await self._orders(what, {"status": "all", "after": after})

    async def own_orders(self, what: str, since_ns: int, ids: ClientIds) -> set[str]:
        """The broker's ids of a session's orders made from then on. Raises Unavailable."""
        return {
            self.read(what, partial(text_of, row, "id"))
            for row in await self.orders_since(what, since_ns)
            if ids.to_ours(str(row.get("client_order_id") or ""))
        }

    async def _orders(self, what: str, which: Mapping[str, str]) -> _Rows:
        parameters = {
            "limit": str(ORDERS_PAGE),
            "direction": "asc",
            "nested": "false",
            **which,
        }
        found: dict[str, Mapping[str, Any]] = {}
        while True:
            page = await self.rows(what, "/orders", parameters)
            before = len(found)
            found |= {self.read(what, partial(text_of, row, "id")): row for row in page}
            if len(page) < ORDERS_PAGE:
                return list(found.values())
            if len(found) == before:
                words = "a whole page of orders brought nothing new"
                raise question_error(what, Failure(Knowledge.UNKNOWN, words))
            moment = self.read(what, partial(time_ns, page[-1].get("submitted_at")))
            # `after` leaves out its own moment, at which there may be more.
            parameters["after"] = iso_time(moment - 1000)

    async def fills(self, what: str, since_ns: int) -> dict[str, Mapping[str, Any]]:
        """Every execution of the account from then on, by its id, oldest first.

        Raises Unavailable.
        """
        return await self.activities(what, "FILL", since_ns)

    async def activities(self, what: str, kind: str, since_ns: int) -> dict[str, Mapping[str, Any]]:
        """Every activity of that kind from then on, by its id, oldest first. Raises Unavailable."""
        parameters = {
            "after": iso_time(max(since_ns - 1000, 0)),
            "direction": "asc",
            "page_size": str(ACTIVITIES_PAGE),
        }
        found: dict[str, Mapping[str, Any]] = {}
        while True:
            page = await self.rows(what, f"/account/activities/{kind}", parameters)
            before = len(found)
            ids = [self.read(what, partial(text_of, row, "id")) for row in page]
            found |= dict(zip(ids, page, strict=True))
            if len(page) < ACTIVITIES_PAGE:
                return found
            if len(found) == before:
                words = "a whole page of activities brought nothing new"
                raise question_error(what, Failure(Knowledge.UNKNOWN, words))
            parameters["page_token"] = ids[-1]

    async def latest_fills(self, what: str) -> tuple[int, set[str]]:
        """When the account's latest execution was (0: there is none), and the ids of the latest
        hundred. Raises Unavailable."""
        parameters = {"direction": "desc", "page_size": str(ACTIVITIES_PAGE)}
        page = await self.rows(what, "/account/activities/FILL", parameters)
        if not page:
            return 0, set()
        moment_ns = self.read(what, partial(time_ns, page[0].get("transaction_time")))
        moment_ns = moment_ns // NS_PER_SECOND * NS_PER_SECOND
        return moment_ns, {self.read(what, partial(text_of, row, "id")) for row in page}
