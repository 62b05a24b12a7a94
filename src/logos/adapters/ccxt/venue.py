"""Spot exchanges through the ccxt library: orders, fills and balances, exactly.

How requests fail stands in `connection`, how answers are read in `records`. An order's
numbers are compared with what ccxt would send before it is sent: an order that ccxt would round is
refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

import ccxt.async_support as ccxt

from logos.adapters.ccxt.check import (
    account_lines,
    environment_lines,
    market_lines,
    missing_credentials,
    time_line,
)
from logos.adapters.ccxt.connection import Connection, make_exchange, open_session, urls_of
from logos.adapters.ccxt.dead_man import CcxtDeadMan, has_dead_man
from logos.adapters.ccxt.records import Records, balances
from logos.adapters.ccxt.trades import trades_by_number, trades_by_time
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, OrderTerms, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderType, TimeInForce
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    Refused,
    VenueError,
    VenueFill,
    VenueOrder,
)
from logos.venues.failures import Failure, Knowledge, order_error, question_error
from logos.venues.ids import ClientIds, IdRule
from logos.venues.records import Unreadable, asked_for, is_record, rows
from logos.venues.redact import Redactor, Revealable

ID_RULES: Final[dict[str, IdRule]] = {"binance": IdRule(36, True), "binanceus": IdRule(36, True)}
ID_RULE_DEFAULT: Final = IdRule(32, False)
"""For exchanges that are not in ID_RULES: what the strictest of them take."""

_RETRY_FIRST_S: Final = 1.0
_Answer = TypeVar("_Answer")


class CcxtVenue:
    """One spot exchange, by its ccxt id. Raises Refused at once for an id that ccxt has not.

    `instruments` are the session's, by symbol; `markets` names the exchange's market of a symbol
    where it is neither BASE/QUOTE of the instrument nor the symbol itself. `url` replaces scheme
    and host of every address. `session_id` is the session whose orders count as ours from the
    start. `limit_rate` paces requests as the exchange asks; off only for a server of one's own.
    """

    def __init__(
        self,
        exchange_id: str,
        instruments: Mapping[str, Instrument],
        clock: Clock,
        random: Random,
        *,
        key: Revealable,
        secret: Revealable,
        password: Revealable | None = None,
        sandbox: bool = True,
        url: str = "",
        timeout_s: float = 10.0,
        session_id: str = "",
        markets: Mapping[str, str] | None = None,
        skew_ns_max: int = NS_PER_SECOND,
        limit_rate: bool = True,
    ) -> None:
        self._id = exchange_id
        self._instruments = dict(instruments)
        self._named_markets = dict(markets or {})
        self._clock = clock
        self._sandbox = sandbox
        self._skew_ns_max = skew_ns_max
        given = [key, secret] if password is None else [key, secret, password]
        self._redactor = Redactor(each.reveal() for each in given)
        self._ids = ClientIds(ID_RULES.get(exchange_id, ID_RULE_DEFAULT), session_id)
        self._records = Records(self._instruments, self._ids)
        self._markets: dict[str, Any] = {}
        self._exchange = make_exchange(
            exchange_id,
            clock,
            sandbox=sandbox,
            url=url,
            timeout_s=timeout_s,
            limit_rate=limit_rate,
        )
        # No local variable ever holds a credential: tracebacks may show those.
        self._exchange.apiKey = key.reveal()
        self._exchange.secret = secret.reveal()
        self._exchange.password = None if password is None else password.reveal()
        backoff = Backoff(random, first_s=_RETRY_FIRST_S)
        self._connection = Connection(self._exchange, self._redactor, backoff)

    @property
    def name(self) -> str:
        return f"ccxt:{self._id}" + (" (sandbox)" if self._sandbox else "")

    @property
    def capabilities(self) -> Capabilities:
        types = [OrderType.MARKET, OrderType.LIMIT]
        if self._id.startswith("binance"):
            types += [OrderType.STOP, OrderType.STOP_LIMIT]
        return Capabilities(
            order_types=frozenset(types),
            times_in_force=frozenset((TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
            has_replace=False,
            is_sandbox=self._sandbox,
        )

    @property
    def dead_man(self) -> CcxtDeadMan | None:
        """The exchange's promise to cancel if it does not hear from us, where it makes one."""
        if not has_dead_man(self._id):
            return None
        ids = lambda: [str(market["id"]) for market in self._markets.values()]  # noqa: E731
        return CcxtDeadMan(self.name, self._exchange, self._connection, ids)

    @property
    def urls(self) -> list[str]:
        """Every address that requests can go to."""
        return urls_of(self._exchange.urls["api"])

    async def open(self) -> None:
        """Load the exchange's markets and find each symbol's. Raises Refused or Unavailable."""
        missing = missing_credentials(self._exchange)
        if missing:
            raise Refused(f"{self.name}: no {' and no '.join(missing)}; see docs/VENUES.md")
        what = f"{self.name}: load markets"
        open_session(self._exchange)
        answer = await self._connection.ask(what, partial(self._exchange.load_markets, True))
        if not answer:
            raise question_error(what, Failure(Knowledge.UNKNOWN, "there are none in the answer"))
        self._markets = {
            symbol: self._find_market(instrument)
            for symbol, instrument in self._instruments.items()
        }

    async def close(self) -> None:
        """Release every connection; closing again does nothing."""
        await self._exchange.close()

    # ---- orders ----

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown."""
        terms = request.terms
        client_order_id = terms.client_order_id
        what = f"{self.name}: order {client_order_id}"
        venue_id = self._ids.to_venue(client_order_id)
        arguments = self._order_arguments(terms, venue_id, what)
        call = partial(self._exchange.create_order, *arguments)
        answer = await self._connection.order(what, venue_id, call)
        try:
            order = self._records.order(terms.symbol, answer)
            if order.client_order_id == client_order_id and order.side is terms.side:
                return order
            problem = "the answer is about another order"
        except Unreadable as error:
            problem = str(error)
        raise order_error(what, Failure(Knowledge.UNKNOWN, self._redactor.clean(problem)))

    async def cancel(self, request: CancelOrder) -> None:
        """Ask for a cancel, once. Raises Refused, NotSent or OutcomeUnknown."""
        what = f"{self.name}: cancel {request.client_order_id}"
        venue_id = self._ids.to_venue(request.client_order_id)
        market = self._market(request.symbol)
        # Some exchanges take our id, and some only their own.
        known = self._records.venue_ids.get(request.client_order_id, "")
        call = partial(self._exchange.cancel_order, known, market, {"clientOrderId": venue_id})
        answer = await self._connection.cancel(what, venue_id, call)
        # ccxt makes a record of anything; only one with the exchange's own answer in it counts.
        if not is_record(answer) or not isinstance(answer.get("info", {}), dict):
            words = "the answer to the cancel cannot be read"
            raise order_error(what, Failure(Knowledge.UNKNOWN, words))

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the exchange knows it. None shortly after sending is no proof yet."""
        what = f"{self.name}: find {client_order_id}"
        parameters = {"clientOrderId": self._ids.to_venue(client_order_id)}
        call = partial(self._exchange.fetch_order, "", self._market(symbol), parameters)
        answer = await self._connection.ask(what, call, absent=ccxt.OrderNotFound)
        if answer is None:
            return None
        return self._read(
            what, lambda: asked_for(self._records.order(symbol, answer), client_order_id)
        )

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything open in the session's symbols, orders that it did not place included."""
        found: dict[tuple[str, str], VenueOrder] = {}
        for symbol in self._instruments:
            what = f"{self.name}: open orders of {symbol}"
            call = partial(self._exchange.fetch_open_orders, self._market(symbol))
            for row in await self._rows(what, call):
                order = self._read(what, partial(self._records.order, symbol, row))
                found[symbol, order.venue_order_id] = order
        return list(found.values())

    # ---- fills and holdings ----

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """All fills in the session's symbols from that moment on, oldest first.

        The exchange's times are milliseconds: fills of the whole first one are included.
        """
        since_ms = ts_ns // 1_000_000
        fills: list[VenueFill] = []
        for symbol in self._instruments:
            what = f"{self.name}: fills of {symbol}"
            found: dict[str, VenueFill] = {}
            for row in await self._trades(what, self._market(symbol), since_ms):
                fill = self._read(what, partial(self._records.fill, symbol, row))
                found[fill.fill_id] = fill
            fills += [fill for fill in found.values() if fill.ts_ns >= since_ms * 1_000_000]
        # Ids are mostly numbers: shorter ones are earlier.
        fills.sort(key=lambda fill: (fill.ts_ns, fill.symbol, len(fill.fill_id), fill.fill_id))
        return fills

    async def _trades(self, what: str, market: str, since_ms: int) -> list[Mapping[str, Any]]:
        """Every trade from then on; some perhaps twice. Raises Unavailable."""

        def fetch(start_ms: int | None, limit: int, parameters: dict[str, Any]) -> Any:
            ask = partial(self._exchange.fetch_my_trades, market, start_ms, limit, parameters)
            return self._rows(what, ask)

        try:
            if self._id.startswith("binance"):
                # The exchange's clock may be ahead of ours: look a little further than now.
                end_ms = (self._clock.now_ns() + self._skew_ns_max) // 1_000_000
                return await trades_by_number(fetch, since_ms, end_ms)
            return await trades_by_time(fetch, since_ms)
        except Unreadable as error:
            words = self._redactor.clean(str(error))
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))

    async def positions(self) -> Mapping[str, int]:
        """Nothing: spot exchanges keep balances, not positions."""
        return {}

    async def balances(self) -> Mapping[str, Decimal]:
        """What is owned of each asset, what orders lock included; zeros are left out."""
        what = f"{self.name}: balances"
        answer = await self._connection.ask(what, self._exchange.fetch_balance)
        return self._read(what, lambda: balances(answer))

    # ---- the dry run ----

    async def check(self) -> Sequence[CheckLine]:
        """Credentials, addresses, clock, market rules and permissions; sends no order."""
        missing = missing_credentials(self._exchange)
        words = f"no {' and no '.join(missing)}: set it in .env" if missing else "present"
        lines = [CheckLine("credentials", not missing, words)]
        lines += environment_lines(self._exchange, self._sandbox)
        if missing:
            return lines
        try:
            await self.open()
        except VenueError as error:
            return [*lines, CheckLine("markets", False, str(error))]
        lines.append(CheckLine("markets", True, f"{len(self._markets)} of the session's found"))
        before_ns = self._clock.now_ns()
        try:
            answer = await self._connection.ask(f"{self.name}: clock", self._exchange.fetch_time)
            after_ns = self._clock.now_ns()
            lines.append(time_line(before_ns, answer, after_ns, self._skew_ns_max))
        except VenueError as error:
            lines.append(CheckLine("clock", False, str(error)))
        for symbol, instrument in self._instruments.items():
            market = self._markets[symbol]
            lines += market_lines(instrument, market, self._exchange.precisionMode)
        what = f"{self.name}: balances"
        try:
            answer = await self._connection.ask(what, self._exchange.fetch_balance)
            count = len(self._read(what, lambda: balances(answer)))
            lines += account_lines(answer, count)
        except VenueError as error:
            lines.append(CheckLine("account", False, str(error)))
        return lines

    # ---- helpers ----

    def _order_arguments(self, terms: OrderTerms, venue_id: str, what: str) -> tuple[Any, ...]:
        """What `create_order` gets. Raises Refused for what would not arrive as it stands."""
        can = self.capabilities
        instrument = terms.instrument
        if terms.type not in can.order_types:
            raise Refused(f"{what}: no {terms.type.value} orders at {self._id}")
        if terms.time_in_force not in can.times_in_force:
            raise Refused(f"{what}: no {terms.time_in_force.value} orders at {self._id}")
        has_limit = terms.type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        if not has_limit and terms.time_in_force is TimeInForce.FOK:
            raise Refused(f"{what}: a market order cannot be fill-or-kill; use IOC")
        market = self._market(instrument.symbol)
        amount = instrument.quantity_text(terms.quantity)
        self._check_exact(what, "quantity", amount, self._exchange.amount_to_precision, market)
        parameters = {"clientOrderId": venue_id}
        limit = None
        if has_limit:
            limit = instrument.price_text(terms.limit_price)
            self._check_exact(what, "price", limit, self._exchange.price_to_precision, market)
            parameters["timeInForce"] = terms.time_in_force.value
        if terms.type in (OrderType.STOP, OrderType.STOP_LIMIT):
            stop = instrument.price_text(terms.stop_price)
            self._check_exact(what, "stop price", stop, self._exchange.price_to_precision, market)
            parameters["stopLossPrice"] = stop
        kind = "limit" if has_limit else "market"
        return market, kind, terms.side.value.lower(), amount, limit, parameters

    def _check_exact(
        self, what: str, name: str, text: str, to_precision: Callable[..., Any], market: str
    ) -> None:
        """Refuse a number that ccxt would round on its way."""
        with localcontext():
            try:
                sent: object = to_precision(market, text)
            except ccxt.BaseError:
                sent = None
        if not isinstance(sent, str) or Decimal(sent) != Decimal(text):
            raise Refused(f"{what}: {name} {text} is no multiple of the exchange's step")

    def _market(self, symbol: str) -> str:
        """The exchange's market of a symbol. Raises Refused."""
        if symbol not in self._markets:
            raise Refused(f"{self.name}: {symbol!r} is no symbol of this session, or not opened")
        return str(self._markets[symbol]["symbol"])

    def _find_market(self, instrument: Instrument) -> Any:
        """The exchange's spot market of an instrument. Raises Refused."""
        symbol = instrument.symbol
        named = self._named_markets.get(symbol)
        for name in [named] if named else [f"{instrument.base}/{instrument.quote}", symbol]:
            same_id = (self._exchange.markets_by_id or {}).get(name, [])
            for market in [self._exchange.markets.get(name), *same_id]:
                if market is None or not market.get("spot"):
                    continue
                if instrument.multiplier != 1:
                    raise Refused(f"{self.name}: {symbol}: a spot market's multiplier is 1")
                return market
        raise Refused(
            f"{self.name}: no spot market for {symbol}: set instruments.{symbol}.base and .quote "
            "to the exchange's names"
        )

    async def _rows(self, what: str, call: Callable[[], Any]) -> list[Mapping[str, Any]]:
        answer = await self._connection.ask(what, call)
        return self._read(what, lambda: rows(answer))

    def _read(self, what: str, read: Callable[[], _Answer]) -> _Answer:
        """What `read` makes of an answer. Raises Unavailable when it is Unreadable."""
        try:
            return read()
        except Unreadable as error:
            words = self._redactor.clean(str(error))
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))
