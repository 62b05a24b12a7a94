"""A TWS or IB Gateway at a loopback port: real clients of the TWS API connect to it and trade.

Problem: Interactive Brokers cannot be reached from a test, and a client's own author thinks of the
answers he would like to hear. Method: the wire protocol as the public client speaks and reads it
(ib-api-reloaded/ib_async), the order of answers as recorded from gateways (ThomasMarcelis/ibkr-go,
wboayue/rust-ibapi), words and codes as IB documents them; each is cited where it stands. What is
not simulated is answered with error 320 and kept in `unread`.

Rules of a connection: interactivebrokers.github.io/tws-api/connection.html: the client starts,
then the gateway tells accounts and the next valid id; one client id is connected once (326). The
gateway restarts each night and closes every socket (`restart`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from logos.loopback import check_host
from logos.simulators.ib import answers
from logos.simulators.ib.answers import contract_of
from logos.simulators.ib.book import (
    Book,
    GatewayOrder,
    commission_report,
    completed_order,
    execution_details,
    open_order,
    order_status,
)
from logos.simulators.ib.codes import error
from logos.simulators.ib.contracts import APPLE, Listing, Quote
from logos.simulators.ib.data import DataDesk
from logos.simulators.ib.desk import Desk
from logos.simulators.ib.seat import Seat
from logos.simulators.ib.wire import NoFrame, read_frame, read_hello

SERVER_VERSION: Final = 178
"""The version whose layouts are spoken; a client that does not speak it is turned away."""
_NS: Final = 1_000_000_000


class TwsGateway:
    """A gateway with one login. `desk` holds its orders, `desk.whims` what it does beyond the
    market, `cash` what each account has, by currency, the base currency first.

    `subscribed` are the contracts with live market data; the others have delayed data only.
    """

    def __init__(
        self,
        *,
        listings: Sequence[Listing] = (APPLE,),
        accounts: Sequence[str] = ("DU1234567",),
        now_ns: Callable[[], int] = time.time_ns,
        zone: str = "US/Eastern",
    ) -> None:
        self._listings = list(listings)
        self.now_ns = now_ns
        self.seats: list[Seat] = []
        self.desk = Desk(Book(), self._listings, list(accounts), self._tell, now_ns, zone=zone)
        self.cash = self.desk.book.cash
        self.cash.update({account: {"USD": Decimal("100000.00")} for account in accounts})
        self.data = DataDesk(self._listings, self.desk.quotes, self.seats, now_ns)
        self.subscribed = self.data.subscribed
        self.days_shown = 1
        """Executions of so many days are told, today's included: a TWS can be set to 7, an IB
        Gateway not."""
        self.day_zone = "UTC"
        """Where midnight is."""
        self.is_mute = False
        """Nothing is answered, and nothing is handled; the connection stands."""
        self.ends_missing: set[int] = set()
        """Message ids of ends that do not come: a gateway answered reqExecutions without one
        (ThomasMarcelis/ibkr-go, `executions_missing_end_live.txt`)."""
        self.cuts: dict[int, bool] = {}
        """By message id: the next one of it closes the socket, once it was handled, unheard."""
        self.heard: list[list[str]] = []
        """Every message of every client, as fields."""
        self.unread: list[list[str]] = []
        """What was asked and is not simulated."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: dict[int, Callable[[Seat, list[str]], None]] = {
            1: self.data.market_data,
            2: lambda seat, row: seat.forget(row[1]),
            3: self._place,
            4: lambda seat, row: self.desk.cancel(seat.client_id, row[1], seat.has_listed_all),
            5: self._open_orders,
            6: self._account_updates,
            7: self._executions,
            8: lambda seat, _row: seat.say([9, 1, self.desk.next_id(seat.client_id)]),
            9: self._contract_details,
            16: self._all_open_orders,
            17: lambda seat, _row: seat.say(self._accounts_message()),
            20: self.data.history,
            25: lambda _seat, _row: None,
            49: lambda seat, _row: seat.say([49, 1, self.now_ns() // _NS]),
            50: self.data.five_seconds,
            51: lambda seat, row: seat.forget(row[1]),
            58: lambda seat, _row: self.desk.cancel_all(seat.client_id),
            59: lambda seat, row: setattr(seat, "data_kind", int(row[1])),
            61: lambda seat, _row: seat.say(*answers.positions(self.desk.book, self._listings)),
            62: lambda seat, row: seat.say(*answers.account_summary(row[1], row[3], self.cash)),
            63: lambda _seat, _row: None,
            64: lambda _seat, _row: None,
            76: lambda seat, row: seat.say([74, 1, row[1]]),
            91: self._market_rule,
            97: self.data.tick_by_tick,
            98: lambda seat, row: seat.forget(row[1]),
            99: self._completed_orders,
        }

    # ---- its life ----

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen at a loopback port; which one. Raises EndpointError for any other host."""
        check_host(host, False)
        self._server = await asyncio.start_server(self._serve, host, port or self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Close every socket. Orders and executions stay."""
        if self._server is not None:
            self._server.close()
        for seat in self.seats:
            seat.writer.close()
        await asyncio.gather(*self._tasks)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> TwsGateway:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def restart(self, *, are_ids_kept: bool = True) -> None:
        """The nightly restart: every socket is closed, then it listens at the same port again.

        Orders and executions of the day are IB's and stay; the sequence of order ids may begin
        anew (`are_ids_kept`): "The next valid identifier is persistent between TWS sessions", and
        it can be reset (interactivebrokers.github.io/tws-api/order_submission.html).
        """
        await self.stop()
        if not are_ids_kept:
            self.desk.roll_back()
        await self.start()

    def drop(self) -> None:
        """Close every socket, and go on listening."""
        for seat in list(self.seats):
            seat.client_id = -1  # its id is free at once
            seat.writer.close()

    def lose_broker(self) -> None:
        """The gateway has no connection to IB any more (1100)."""
        self.desk.is_connected = False
        self._tell(None, error(-1, 1100))

    def find_broker(self, *, is_data_kept: bool = True) -> None:
        """It is back: 1102, or 1101 where subscriptions were lost."""
        self.desk.is_connected = True
        if not is_data_kept:
            for seat in self.seats:
                seat.forget_all()
        self._tell(None, error(-1, 1102 if is_data_kept else 1101))
        self.desk.accept_held()

    def tell_notice(self, code: int) -> None:
        """Tell everybody something that is about no request."""
        self._tell(None, error(-1, code))

    # ---- the market and its people ----

    def quote(self, symbol: str, bid: str, ask: str, last: str = "", size: str = "100") -> None:
        """The market of a symbol from now on; orders that it crosses fill."""
        listing = self._listing(symbol)
        quote = Quote(Decimal(bid), Decimal(ask))
        if last:
            quote.last, quote.last_size = Decimal(last), Decimal(size)
        self.desk.quote(listing.con_id, quote)
        self.data.show(listing, quote)

    def trade(self, symbol: str, price: str, size: str = "100") -> None:
        """Something of a symbol is traded now, between others."""
        self.data.trade(self._listing(symbol), price, size)

    def _listing(self, symbol: str) -> Listing:
        return next(each for each in self._listings if each.symbol == symbol)

    def order(self, order_ref: str) -> GatewayOrder:
        """The latest order of that reference. Raises KeyError."""
        for each in reversed(self.desk.book.orders):
            if each.order_ref == order_ref:
                return each
        raise KeyError(order_ref)

    def asked(self, message_id: int) -> int:
        """How many messages of that id have come."""
        return sum(row[0] == str(message_id) for row in self.heard)

    # ---- one client ----

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        seat = Seat(writer)
        try:
            if await self._greet(reader, seat):
                self.seats.append(seat)
                while True:
                    self._hear(seat, await read_frame(reader))
        except NoFrame:
            pass  # whoever speaks something else, or has gone, is let go
        finally:
            if seat in self.seats:
                self.seats.remove(seat)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def _greet(self, reader: asyncio.StreamReader, seat: Seat) -> bool:
        lowest, highest = await read_hello(reader)
        moment = datetime.fromtimestamp(self.now_ns() // _NS, UTC)
        if not lowest <= SERVER_VERSION <= highest:
            return False
        seat.say([SERVER_VERSION, f"{moment:%Y%m%d %H:%M:%S} GMT"])
        return True

    def _hear(self, seat: Seat, row: list[str]) -> None:
        self.heard.append(row)
        if self.is_mute:
            return
        message_id = int(row[0]) if row[0].isdecimal() else -1
        if message_id in self.cuts:
            seat.is_cut = True
            if not self.cuts.pop(message_id):
                seat.writer.close()
                return
        if message_id == 71 and not seat.has_started:
            self._begin(seat, int(row[2]))
        elif message_id in self._answers and seat.has_started:
            # Most requests carry a version behind their id; those of the newest kind do not.
            self._answers[message_id](seat, row if message_id in _WITHOUT_VERSION else row[1:])
        else:
            self.unread.append(row)
            seat.say(error(-1, 320, f"message {row[0]}"))
        if seat.is_cut:
            seat.writer.close()

    def _begin(self, seat: Seat, client_id: int) -> None:
        if any(each.client_id == client_id for each in self.seats):
            seat.say(error(-1, 326))
            seat.writer.close()
            return
        seat.client_id = client_id
        seat.say(self._accounts_message(), [9, 1, self.desk.next_id(client_id)])
        seat.say(*(error(-1, code) for code in (2104, 2106, 2158)))
        if not self.desk.is_connected:
            seat.say(error(-1, 1100))

    def _accounts_message(self) -> list[object]:
        return [15, 1, ",".join(self.desk.accounts)]

    def _tell(self, client_id: int | None, message: list[object]) -> None:
        for seat in self.seats:
            if client_id in (None, seat.client_id):
                seat.say(message)

    def _end(self, seat: Seat, *message: object) -> None:
        if message[0] not in self.ends_missing:
            seat.say(list(message))

    # ---- its requests ----

    def _place(self, seat: Seat, row: list[str]) -> None:
        self.desk.place(seat.client_id, row[1:])

    def _open_orders(self, seat: Seat, _row: list[str]) -> None:
        self._list(seat, self.desk.open_orders(seat.client_id))

    def _all_open_orders(self, seat: Seat, _row: list[str]) -> None:
        seat.has_listed_all = True
        self._list(seat, self.desk.open_orders())

    def _list(self, seat: Seat, orders: Sequence[GatewayOrder]) -> None:
        for order in orders:
            seat.say(open_order(order), order_status(order))
        self._end(seat, 53, 1)

    def _completed_orders(self, seat: Seat, _row: list[str]) -> None:
        """Of the current day only: "Completed Orders" of the TWS API documentation at
        interactivebrokers.com/campus; as wboayue/rust-ibapi, issue 299, was told too."""
        since_ns = self._midnight_ns()
        for order in self.desk.book.orders:
            if not order.is_open and order.completed_ns >= since_ns:
                seat.say(completed_order(order, self.desk.zone))
        self._end(seat, 102)

    def _executions(self, seat: Seat, row: list[str]) -> None:
        """Executions since midnight, in a TWS up to those of 7 days, as its trade log is set to
        show: interactivebrokers.github.io/tws-api/executions_commissions.html, "Important"."""
        request_id, client_id, account = row[1], row[2], row[3]
        if row[4]:
            seat.say(error(request_id, 320, "a filter by time is not simulated"))
            return
        since_ns = self._midnight_ns(self.days_shown - 1)
        for each in self.desk.book.executions:
            if each.ts_ns < since_ns or account not in ("", each.order.account):
                continue
            if client_id not in ("0", str(each.order.client_id)):
                continue
            seat.say(execution_details(each, request_id, self.desk.zone))
            if each.has_commission:
                seat.say(commission_report(each))
        self._end(seat, 55, 1, request_id)

    def _midnight_ns(self, days_before: int = 0) -> int:
        """The last midnight, or one before it, in the gateway's own zone; which zone IB means is
        not documented."""
        day = datetime.fromtimestamp(self.now_ns() // _NS, ZoneInfo(self.day_zone)).date()
        then = datetime.combine(day - timedelta(days_before), clock(), ZoneInfo(self.day_zone))
        return int(then.timestamp()) * _NS

    def _account_updates(self, seat: Seat, row: list[str]) -> None:
        if row[1] == "1":
            self._end(seat, 54, 1, row[2])

    def _contract_details(self, seat: Seat, row: list[str]) -> None:
        asked = contract_of(row[2:])
        found = [each for each in self._listings if each.answers(asked)]
        seat.say(*answers.contract_details(row[1], found))

    def _market_rule(self, seat: Seat, row: list[str]) -> None:
        for each in self._listings:
            if str(each.rule_id) == row[1]:
                seat.say(each.market_rule())
                return
        seat.say(error(-1, 321, "Invalid market rule"))


_WITHOUT_VERSION: Final = frozenset((3, 20, 91, 97, 98, 99))
"""Requests without a version: their fields begin right behind the id."""
