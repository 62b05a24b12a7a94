"""US equities and crypto at Alpaca, through the alpaca-py library.

Problem: the library takes quantities and prices as floats. Method: requests are made with its own
signing and addresses, but with exact text for figures, and answers are taken as JSON. How requests
fail stands in `connection`, how answers are read in `records`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

from logos.adapters.alpaca.check import account_lines, asset_lines, key_line
from logos.adapters.alpaca.connection import Connection
from logos.adapters.alpaca.records import Records
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, OrderTerms, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderType, TimeInForce
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    NotSent,
    Refused,
    Unavailable,
    VenueError,
    VenueFill,
    VenueOrder,
)
from logos.venues.failures import Failure, Knowledge, order_error, question_error
from logos.venues.ids import ClientIds, IdRule
from logos.venues.records import (
    Unreadable,
    asked_for,
    decimal_of,
    is_record,
    iso_time,
    rows,
    text_of,
    time_ns,
)
from logos.venues.redact import Redactor, Revealable
from logos.venues.rules import clock_line

ID_RULE: Final = IdRule(128, True)
_ORDERS_PAGE: Final = 500
_FILLS_PAGE: Final = 100

_TYPES: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
}
_Answer = TypeVar("_Answer")


class AlpacaVenue:
    """An account at Alpaca: its paper trading with `sandbox`, real money without.

    `instruments` are the session's, by symbol; `assets` names Alpaca's symbol where it differs
    ("BTC/USD"). `url` replaces the address. `session_id` is the session whose orders count as ours
    from the start.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        random: Random,
        *,
        key: Revealable,
        secret: Revealable,
        sandbox: bool = True,
        url: str = "",
        timeout_s: float = 10.0,
        session_id: str = "",
        assets: Mapping[str, str] | None = None,
        skew_ns_max: int = NS_PER_SECOND,
    ) -> None:
        self._instruments = dict(instruments)
        self._clock = clock
        self._sandbox = sandbox
        self._timeout_s = timeout_s
        self._skew_ns_max = skew_ns_max
        self._backoff = Backoff(random, first_s=1.0)
        self._key = key
        self._secret = secret
        self._url = url.rstrip("/")
        self._redactor = Redactor([key.reveal(), secret.reveal()])
        named = dict(assets or {})
        self._assets = {symbol: named.get(symbol, symbol) for symbol in self._instruments}
        self._ids = ClientIds(ID_RULE, session_id)
        by_asset = {asset: symbol for symbol, asset in self._assets.items()}
        # Positions in coins are listed without the slash of their orders.
        by_asset |= {asset.replace("/", ""): symbol for asset, symbol in by_asset.items()}
        self._records = Records(self._instruments, by_asset, self._ids)
        self._connection: Connection | None = None

    @property
    def name(self) -> str:
        return "alpaca" + (" (paper)" if self._sandbox else "")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            order_types=frozenset(OrderType),
            times_in_force=frozenset(TimeInForce),
            has_replace=False,
            is_sandbox=self._sandbox,
        )

    async def open(self) -> None:
        """Sign in and see that the account may be asked. Raises Refused or Unavailable."""
        if not self._key.reveal() or not self._secret.reveal():
            raise Refused(f"{self.name}: no key or no secret; see docs/VENUES.md")
        for symbol, instrument in self._instruments.items():
            if instrument.multiplier != 1:
                raise Refused(f"{self.name}: {symbol}: the multiplier of shares and coins is 1")
        if self._connection is None:
            self._connection = Connection(
                self._key,
                self._secret,
                sandbox=self._sandbox,
                url=self._url,
                timeout_s=self._timeout_s,
                redactor=self._redactor,
                backoff=self._backoff,
            )
        await self._connection.sign_in(f"{self.name}: account")

    async def close(self) -> None:
        """Release every connection; closing again does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- orders ----

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown."""
        terms = request.terms
        client_order_id = terms.client_order_id
        what = f"{self.name}: order {client_order_id}"
        order = self._order_body(terms, self._ids.to_venue(client_order_id), what)
        if self._connection is None:
            raise NotSent(f"{what}: not open")
        answer = await self._connection.place(what, order)
        try:
            placed = self._records.order(answer)
            if placed.client_order_id == client_order_id and placed.side is terms.side:
                return placed
            problem = "the answer is about another order"
        except Unreadable as error:
            problem = str(error)
        raise order_error(what, Failure(Knowledge.UNKNOWN, self._redactor.clean(problem)))

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel, once. Raises Refused, NotSent or OutcomeUnknown.

        Alpaca cancels by its own id: where that has not been seen it is asked for first, and when
        that question fails nothing was cancelled.
        """
        client_order_id = request.client_order_id
        what = f"{self.name}: cancel {client_order_id}"
        if self._connection is None:
            raise NotSent(f"{what}: not open")
        if client_order_id not in self._records.venue_ids:
            try:
                found = await self.find(client_order_id, request.symbol)
            except Unavailable as error:
                raise NotSent(f"{what}: not sent: {error}", error.retry_after_s) from None
            if found is None:
                raise Refused(f"{what}: refused: Alpaca knows no such order")
        await self._connection.cancel(what, self._records.venue_ids[client_order_id])

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as Alpaca knows it. None shortly after sending is no proof yet."""
        what = f"{self.name}: find {client_order_id}"
        if symbol not in self._instruments:
            raise Refused(f"{what}: {symbol!r} is no symbol of this session")
        parameters = {"client_order_id": self._ids.to_venue(client_order_id)}
        answer = await self._ask(what, "/orders:by_client_order_id", parameters, may_be_absent=True)
        if answer is None:
            return None
        return self._read(what, lambda: asked_for(self._records.order(answer), client_order_id))

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything open in the session's symbols, orders that it did not place included."""
        what = f"{self.name}: open orders"
        parameters = {
            "status": "open",
            "limit": str(_ORDERS_PAGE),
            "direction": "asc",
            "nested": "false",
            "symbols": ",".join(self._assets.values()),
        }
        found: dict[str, VenueOrder] = {}
        while True:
            page = self._read(what, partial(rows, await self._ask(what, "/orders", parameters)))
            before = len(found)
            for row in page:
                if self._records.symbol(row) is not None:
                    order = self._read(what, partial(self._records.order, row))
                    found[order.venue_order_id] = order
            if len(page) < _ORDERS_PAGE:
                return list(found.values())
            if len(found) == before:
                words = "a whole page of orders brought nothing new"
                raise question_error(what, Failure(Knowledge.UNKNOWN, words))
            last = page[-1]
            moment = self._read(what, partial(time_ns, last.get("submitted_at")))
            # `after` leaves out its own moment, at which there may be more.
            parameters["after"] = iso_time(moment - 1000)

    # ---- fills and holdings ----

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """All fills in the session's symbols from that moment on, oldest first. Fees are 0."""
        what = f"{self.name}: fills"
        parameters = {
            "after": iso_time(ts_ns - 1000),
            "direction": "asc",
            "page_size": str(_FILLS_PAGE),
        }
        found: dict[str, VenueFill] = {}
        seen: set[str] = set()
        while True:
            answer = await self._ask(what, "/account/activities/FILL", parameters)
            page = self._read(what, partial(rows, answer))
            ids = [self._read(what, partial(text_of, row, "id")) for row in page]
            for row in page:
                if self._records.symbol(row) is not None:
                    fill = self._read(what, partial(self._records.fill, row))
                    found[fill.fill_id] = fill
            if len(page) < _FILLS_PAGE or seen.issuperset(ids):
                break
            seen.update(ids)
            parameters["page_token"] = ids[-1]
        fills = [fill for fill in found.values() if fill.ts_ns >= ts_ns]
        return sorted(fills, key=lambda fill: (fill.ts_ns, fill.fill_id))

    async def positions(self) -> Mapping[str, int]:
        """Signed quantity units by symbol; a symbol without a position is left out."""
        what = f"{self.name}: positions"
        page = self._read(what, partial(rows, await self._ask(what, "/positions")))
        return dict(
            self._read(what, partial(self._records.position, row))
            for row in page
            if self._records.symbol(row) is not None
        )

    async def balances(self) -> Mapping[str, Decimal]:
        """The account's cash; shares and coins are positions here."""
        what = f"{self.name}: balances"
        answer = await self._ask(what, "/account")
        return self._read(what, lambda: _cash(answer))

    # ---- the dry run ----

    async def check(self) -> Sequence[CheckLine]:
        """Credentials, clock, account and assets; sends no order."""
        lines = [key_line(self._key.reveal(), self._secret.reveal(), self._sandbox)]
        address = self._url or ("Alpaca's paper account" if self._sandbox else "Alpaca")
        words = "sandbox" if self._sandbox else "LIVE: orders are real"
        lines.append(CheckLine("environment", True, f"{words}; orders would go to {address}"))
        if not lines[0].is_ok:
            return lines
        try:
            await self.open()
            account = await self._ask(f"{self.name}: account", "/account")
        except VenueError as error:
            return [*lines, CheckLine("account", False, str(error))]
        lines += account_lines(account)
        lines += await self._time_lines()
        for symbol, instrument in self._instruments.items():
            what = f"{self.name}: {symbol}"
            try:
                path = f"/assets/{self._assets[symbol].replace('/', '%2F')}"
                asset = await self._ask(what, path, may_be_absent=True)
                lines += asset_lines(instrument, asset)
            except VenueError as error:
                lines.append(CheckLine(f"{symbol} market", False, str(error)))
        return lines

    async def _time_lines(self) -> list[CheckLine]:
        what = f"{self.name}: clock"
        before_ns = self._clock.now_ns()
        try:
            answer = await self._ask(what, "/clock")
            after_ns = self._clock.now_ns()
            record = answer if is_record(answer) else {}
            venue_ns = self._read(what, lambda: time_ns(record.get("timestamp")))
        except VenueError as error:
            return [CheckLine("clock", False, str(error))]
        words = "open" if record.get("is_open") else f"closed until {record.get('next_open')}"
        return [
            clock_line(before_ns, venue_ns, after_ns, self._skew_ns_max),
            CheckLine("market hours", True, f"US equities: {self._redactor.clean(words)}"),
        ]

    # ---- helpers ----

    def _order_body(self, terms: OrderTerms, venue_id: str, what: str) -> dict[str, str]:
        """The order as Alpaca takes it, figures as exact text. Raises Refused."""
        instrument = terms.instrument
        asset = self._assets.get(instrument.symbol)
        if asset is None:
            raise Refused(f"{what}: {instrument.symbol!r} is no symbol of this session")
        is_coin = "/" in asset
        if is_coin and terms.time_in_force in (TimeInForce.DAY, TimeInForce.FOK):
            raise Refused(f"{what}: coins have GTC and IOC orders only at Alpaca")
        is_fraction = bool(terms.quantity % instrument.quantity_scale)
        if is_fraction and not is_coin and terms.time_in_force is not TimeInForce.DAY:
            raise Refused(f"{what}: fractions of a share are traded by DAY orders only at Alpaca")
        body = {
            "symbol": asset,
            "qty": instrument.quantity_text(terms.quantity),
            "side": terms.side.value.lower(),
            "type": _TYPES[terms.type],
            "time_in_force": terms.time_in_force.value.lower(),
            "client_order_id": venue_id,
        }
        if terms.type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            body["limit_price"] = instrument.price_text(terms.limit_price)
        if terms.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            body["stop_price"] = instrument.price_text(terms.stop_price)
        return body

    async def _ask(
        self,
        what: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        may_be_absent: bool = False,
    ) -> Any:
        if self._connection is None:
            raise Unavailable(f"{what}: not open")
        return await self._connection.ask(what, path, parameters, may_be_absent)

    def _read(self, what: str, read: Callable[[], _Answer]) -> _Answer:
        """What `read` makes of an answer. Raises Unavailable when it is Unreadable."""
        try:
            return read()
        except Unreadable as error:
            words = self._redactor.clean(str(error))
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))


def _cash(answer: object) -> dict[str, Decimal]:
    if not is_record(answer):
        raise Unreadable("the answer holds no account")
    return {text_of(answer, "currency"): decimal_of(answer.get("cash"), "the account's cash")}
