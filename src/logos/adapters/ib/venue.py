"""Stocks and futures at Interactive Brokers, through a TWS or IB Gateway on this machine.

`orderRef` is our client order id, `permId` theirs: numbers of orders belong to a connection and may
roll back in the night. What is asked stands in lists of the gateway: open orders of all clients,
orders that ended, executions since midnight. How the gateway is talked to stands in `gateway` and
`connection`, what of it is kept in `ledger`, how it is read in `records`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from random import Random
from typing import Final, TypeVar

import msgspec
from ib_async.order import Order

from logos.adapters.ib.check import account_line, market_lines
from logos.adapters.ib.contracts import Market
from logos.adapters.ib.fills import Fills
from logos.adapters.ib.gateway import Gateway
from logos.adapters.ib.records import TYPES, Records
from logos.core.clock import Clock
from logos.core.fixed import to_decimal
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, OrderTerms, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderStatus, OrderType, TimeInForce
from logos.venues.budget import Budget, Pool
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    Memory,
    NotSent,
    OrderNews,
    Refused,
    Unavailable,
    VenueError,
    VenueFill,
    VenueOrder,
)
from logos.venues.failures import Failure, Knowledge, order_error, question_error
from logos.venues.ids import ClientIds, IdRule, require_named
from logos.venues.records import Unreadable, decimal_of
from logos.venues.rules import clock_line

ID_RULE: Final = IdRule(36, True)
"""How long an `orderRef` may be is not documented; one of so many characters was recorded."""

_MESSAGES_A_SECOND: Final = 50
"""interactivebrokers.github.io/tws-api/order_limitations.html: so many a second, or the connection
is closed. We take half: others may be connected with the same client's budget of market data."""

_LEDGER: Final = "$LEDGER:ALL"
_SIGN_OF_LIFE_S: Final = 8.0
_NEWS_MAX: Final = 10_000

_Answer = TypeVar("_Answer")


class IbSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An account of paper trading with `sandbox`, real money without; `url` is the gateway's (see
    `address`), `markets` names contracts by symbol (see `contracts`)."""

    sandbox: bool = True
    url: str = ""
    timeout_s: float = 10.0
    markets: Mapping[str, str] = {}
    skew_ns_max: int = NS_PER_SECOND


class IbVenue:
    """An account behind a gateway. `session_id` is the session whose orders count as ours from the
    start."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        random: Random,
        settings: IbSettings,
        session_id: str = "",
    ) -> None:
        self._instruments = dict(instruments)
        self._clock = clock
        self._sandbox = settings.sandbox
        self._skew_ns_max = settings.skew_ns_max
        names = {symbol: settings.markets.get(symbol, symbol) for symbol in self._instruments}
        self._gateway = Gateway(
            self.name,
            self._instruments,
            names,
            clock,
            random,
            sandbox=settings.sandbox,
            url=settings.url,
            timeout_s=settings.timeout_s,
        )
        self._gateway.on_news = self._tell_news
        self._ids = ClientIds(ID_RULE, session_id)
        self._records = Records(self._instruments, self._gateway.symbols, self._ids)
        self._fills = Fills(self._gateway, self._records, self._ids, clock, self._say)
        self.on_words: Callable[[str], object] = lambda _words: None
        self._sent: set[str] = set()
        self._news: list[asyncio.Queue[str]] = []

    @property
    def name(self) -> str:
        return "ib" + (" (paper)" if self._sandbox else "")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(frozenset(OrderType), frozenset(TimeInForce), False, self._sandbox)

    def _say(self, words: str) -> None:
        self.on_words(words)

    @property
    def memory(self) -> Memory | None:
        """How far back lists of executions and of ended orders go; see `Gateway.memory`."""
        return self._gateway.memory

    @property
    def budget(self) -> Budget:
        """What a gateway bears: messages a second."""
        rate = _MESSAGES_A_SECOND / 2
        return Budget((Pool("messages to the gateway", rate / 2, rate / 2),))

    async def open(self) -> None:
        """Connect, find the account and the contracts. Raises VenueError."""
        self._gateway.begin()
        await self._gateway.questioned(f"{self.name}: open")
        for symbol in self._instruments:
            if symbol not in self._gateway.markets:
                await self._gateway.load(symbol)

    async def close(self) -> None:
        """Release the connection; closing again does nothing."""
        self._gateway.close()

    # ---- orders ----

    async def prepare(self, request: SubmitOrder) -> None:
        """Connect again where the connection was lost. Raises NotSent."""
        await self._gateway.connected(f"{self.name}: order {request.terms.client_order_id}")

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once, in the first step. Raises Refused, NotSent or OutcomeUnknown."""
        terms = request.terms
        what = f"{self.name}: order {terms.client_order_id}"
        market = self._gateway.markets.get(terms.instrument.symbol)
        if market is None:
            raise Refused(f"{what}: {terms.instrument.symbol!r} is no symbol of this session")
        order = self._order_of(what, terms, market)
        require_named(what, order.orderRef, order.orderRef)
        connection = self._gateway.connection
        if connection is None:
            raise NotSent(f"{what}: not connected", 1.0)
        if order.orderRef in self._sent:
            # The broker would take it a second time: a reference may stand on many orders.
            words = "an order of this id was sent before"
            raise order_error(what, Failure(Knowledge.UNKNOWN, words))
        sent = connection.place(what, market.contract, order)
        self._sent.add(order.orderRef)
        try:
            await connection.word(what, sent)
        except NotSent:
            self._sent.discard(order.orderRef)
            raise
        return VenueOrder(
            client_order_id=terms.client_order_id,
            venue_order_id=str(sent.perm_id),
            symbol=terms.instrument.symbol,
            side=terms.side,
            type=terms.type,
            quantity_units=terms.quantity,
            filled_units=0,
            limit_price_units=terms.limit_price,
            status=OrderStatus.ACCEPTED,
        )

    def _order_of(self, what: str, terms: OrderTerms, market: Market) -> Order:
        """The order as the gateway takes it, figures as exact text. Raises Refused."""
        instrument = terms.instrument
        quantity = to_decimal(terms.quantity, instrument.quantity_decimals)
        if market.size_step and quantity % market.size_step:
            raise Refused(f"{what}: quantities of it are multiples of {market.size_step:f}")
        order = Order(
            action=terms.side.value,
            totalQuantity=quantity,  # type: ignore[arg-type]
            orderType=TYPES[terms.type],
            tif=terms.time_in_force.value,
            account=self._gateway.account,
            orderRef=self._ids.to_venue(terms.client_order_id),
        )
        if terms.type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
            order.lmtPrice = self._price(what, terms.limit_price, instrument, market)
        if terms.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            order.auxPrice = self._price(what, terms.stop_price, instrument, market)
        return order

    @staticmethod
    def _price(what: str, units: int, instrument: Instrument, market: Market) -> Decimal:
        price = to_decimal(units, instrument.price_decimals)
        if price % (step := market.step_at(price)):
            raise Refused(f"{what}: prices of it are multiples of {step:f} at {price:f}")
        return price

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel, once. Raises Refused, NotSent or OutcomeUnknown.

        A gateway cancels by the number that an order has with its own client: where this connection
        has not seen it, open orders are asked for first.
        """
        what = f"{self.name}: cancel {request.client_order_id}"
        if request.symbol not in self._instruments:
            raise Refused(f"{what}: {request.symbol!r} is no symbol of this session")
        order_ref = self._ids.to_venue(request.client_order_id)
        connection = await self._gateway.connected(what)
        if order_ref not in connection.order_ids:
            try:
                listed = await self._gateway.open_orders(what)
            except Unavailable as error:
                raise NotSent(f"{what}: not sent: {error}", error.retry_after_s) from None
            there = next((each for each in listed if each.order_ref == order_ref), None)
            if there is None:
                raise Refused(f"{what}: refused: no such order is open")
            if order_ref not in connection.order_ids:
                raise Refused(
                    f"{what}: refused: client {there.client_id} made it, and only that one cancels "
                    f"it; we are client {self._gateway.address.client_id}"
                )
        await connection.word(what, connection.cancel(what, order_ref))

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the gateway lists it. None: it stands in no list and has no execution.

        Lists of what ended go back about a day.
        """
        what = f"{self.name}: find {client_order_id}"
        if symbol not in self._instruments:
            raise Refused(f"{what}: {symbol!r} is no symbol of this session")
        order_ref = self._ids.to_venue(client_order_id)
        refusal = self._gateway.ledger.refusals.get(order_ref, "")
        listed = [
            each for each in await self._gateway.open_orders(what) if each.order_ref == order_ref
        ]
        is_open = bool(listed)
        if not listed:
            ended = await self._gateway.completed_orders(what)
            listed = [each for each in ended if each.order_ref == order_ref]
        if len(listed) > 1:
            words = f"{len(listed)} orders have that reference"
            raise question_error(what, Failure(Knowledge.UNKNOWN, words))
        if not listed:
            told = await self._gateway.told_before(what, order_ref)
            if told is None:
                return None
            listed = [told]
        read = partial(self._records.order, listed[0], is_open=is_open, refusal=refusal)
        return self._gateway.read(what, read)

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything open in the session's contracts and account, whoever made it."""
        what = f"{self.name}: open orders"
        return [
            self._gateway.read(what, partial(self._records.order, each, is_open=True))
            for each in await self._gateway.open_orders(what)
        ]

    # ---- fills and holdings ----

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """All fills in the session's contracts from that moment on, oldest first.

        The gateway tells those since its midnight; those that this process heard before are kept.
        A fill of ours waits for its commission, for a while (see `fills`): Unavailable.
        """
        return await self._fills.since(f"{self.name}: fills", ts_ns)

    async def positions(self) -> Mapping[str, int]:
        """Signed quantity units of what is traded on margin; what is owned is in `balances`."""
        what = f"{self.name}: positions"
        if all(each.settlement == "spot" for each in self._instruments.values()):
            return {}
        return {
            symbol: self._gateway.read(what, partial(self._units, symbol, quantity))
            for symbol, quantity in (await self._held(what)).items()
            if self._instruments[symbol].settlement != "spot" and quantity
        }

    def _units(self, symbol: str, quantity: Decimal) -> int:
        exact = quantity.scaleb(self._instruments[symbol].quantity_decimals)
        if exact != exact.to_integral_value():
            raise Unreadable(f"{symbol}: the position {quantity:f} is finer than a lot")
        return int(exact)

    async def _held(self, what: str) -> dict[str, Decimal]:
        rows = await self._gateway.ask(what, "positions", lambda client: client.reqPositions())
        held = dict.fromkeys(self._instruments, Decimal(0))
        for each in rows:
            if self._gateway.is_here(each):
                held[self._gateway.symbols[each.con_id]] = each.quantity
        return held

    async def balances(self) -> Mapping[str, Decimal]:
        """The account's cash in each currency, and what it owns of what is not traded on margin."""
        what = f"{self.name}: balances"
        held = await self._held(what)
        rows = await (await self._gateway.questioned(what)).ask_numbered(
            what, lambda client, number: client.reqAccountSummary(number, "All", _LEDGER)
        )
        balances = {
            currency: self._gateway.read(what, partial(decimal_of, value, "cash"))
            for account, tag, value, currency in rows
            if account == self._gateway.account and tag == "CashBalance" and currency != "BASE"
        }
        for symbol, instrument in self._instruments.items():
            if instrument.settlement == "spot":
                balances[instrument.base] = held[symbol]
        return balances

    # ---- news ----

    def _tell_news(self, order_ref: str) -> None:
        for queue in self._news:
            if queue.qsize() < _NEWS_MAX:
                queue.put_nowait(order_ref)

    async def order_events(self) -> AsyncIterator[OrderNews]:
        """News of orders as the gateway tells them; see `Streaming`."""
        what = f"{self.name}: news of orders"
        connection = await self._gateway.questioned(what)
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._news.append(queue)
        try:
            yield OrderNews("", is_sign_of_life=True)
            while connection.is_up:
                order_ref = await self._next_news(queue)
                if order_ref is None:
                    await connection.ask(what, "time", lambda client: client.reqCurrentTime())
                    yield OrderNews("", is_sign_of_life=True)
                else:
                    yield OrderNews(self._ids.to_ours(order_ref))
        finally:
            self._news.remove(queue)
        raise Unavailable(f"{what}: {connection.lost}")

    async def _next_news(self, queue: asyncio.Queue[str]) -> str | None:
        """The next word; None where there is none for a while."""
        word = asyncio.ensure_future(queue.get())
        silence = asyncio.ensure_future(self._clock.sleep(_SIGN_OF_LIFE_S))
        try:
            await asyncio.wait((word, silence), return_when=asyncio.FIRST_COMPLETED)
            return word.result() if word.done() else None
        finally:
            word.cancel()
            silence.cancel()

    # ---- the dry run ----

    async def check(self) -> Sequence[CheckLine]:
        """The connection, the account, the clock and the contracts' rules; sends no order."""
        address = self._gateway.address
        where = f"{address.host}:{address.port} as client {address.client_id}"
        words = "paper account" if self._sandbox else "LIVE: orders are real"
        lines = [CheckLine("environment", True, f"{words}; orders would go to {where}")]
        what = f"{self.name}: check"
        self._gateway.begin()
        try:
            await self._gateway.questioned(what)
            lines.append(CheckLine("account", True, self._gateway.account))
            lines += await self._clock_lines(what)
        except VenueError as error:
            return [*lines, CheckLine("connection", False, str(error))]
        for symbol, instrument in self._instruments.items():
            try:
                await self._gateway.load(symbol)
                lines += market_lines(instrument, self._gateway.markets[symbol])
            except VenueError as error:
                lines.append(CheckLine(f"{symbol} market", False, str(error)))
        try:
            listed = await self._gateway.open_orders(what)
            lines.append(account_line(await self.balances(), len(listed)))
        except VenueError as error:
            lines.append(CheckLine("balances", False, str(error)))
        return lines

    async def _clock_lines(self, what: str) -> list[CheckLine]:
        before_ns = self._clock.now_ns()
        [seconds] = await self._gateway.ask(what, "time", lambda client: client.reqCurrentTime())
        # It is told in whole seconds: on the average it is half a second later.
        venue_ns, half_ns = seconds * NS_PER_SECOND + NS_PER_SECOND // 2, NS_PER_SECOND // 2
        after_ns = self._clock.now_ns()
        return [clock_line(before_ns, venue_ns, after_ns, self._skew_ns_max + half_ns)]
