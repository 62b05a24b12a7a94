"""Spot exchanges through the ccxt library: orders, fills and balances, exactly.

How requests fail stands in `connection`, how answers are read in `records`. An order's
numbers are compared with what ccxt would send before it is sent: an order that ccxt would round is
refused here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from logos.adapters.ccxt.check import (
    account_lines,
    environment_lines,
    market_lines,
    missing_credentials,
    time_line,
)
from logos.adapters.ccxt.connection import Connection, make_exchange, open_session, urls_of
from logos.adapters.ccxt.dead_man import CcxtDeadMan
from logos.adapters.ccxt.order_form import is_priced, order_arguments, price_beyond
from logos.adapters.ccxt.order_news import order_news
from logos.adapters.ccxt.pace import Pacing
from logos.adapters.ccxt.profiles import has_profile, profile_of
from logos.adapters.ccxt.profiles.profile import Answer, By
from logos.adapters.ccxt.questions import Questions
from logos.adapters.ccxt.records import Records, balances
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND
from logos.venues.budget import Allowance, Budget
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    NotSent,
    OrderNews,
    Pace,
    Refused,
    Unavailable,
    VenueError,
    VenueFill,
    VenueOrder,
)
from logos.venues.failures import Failure, Knowledge, order_error, question_error
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, is_record
from logos.venues.redact import Redactor, Revealable

_RETRY_FIRST_S: Final = 1.0


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
        self._profile = profile_of(exchange_id)
        self._instruments = dict(instruments)
        self._named_markets = dict(markets or {})
        self._clock = clock
        self._sandbox = sandbox
        self._skew_ns_max = skew_ns_max
        self._url, self._timeout_s = url, timeout_s
        self.hears_orders = False
        """Whether the exchange's own stream of orders is listened to, where it has one that was
        shown (`Profile.stream`)."""
        self.shared_budget: Path | None = None
        """The file in which sessions of this account count their requests together; None: alone."""
        given = [key, secret] if password is None else [key, secret, password]
        self._redactor = Redactor(each.reveal() for each in given)
        self._ids = ClientIds(self._profile.ids, session_id)
        self._records = Records(self._instruments, self._ids, self._profile)
        self._markets: dict[str, Any] = {}
        self._beyond: dict[str, str] = {}
        """Prices asked for by `prepare`, of orders that are to leave."""
        self._exchange = make_exchange(
            self._profile,
            clock,
            sandbox=sandbox,
            url=url,
            timeout_s=timeout_s,
            limit_rate=limit_rate,
        )
        self._pacing = Pacing(self._exchange, self._profile, clock)
        # No local variable ever holds a credential: tracebacks may show those.
        ours = {"key": key, "secret": secret, "password": password}
        for name, which in self._profile.credentials.items():
            setattr(self._exchange, name, _revealed(ours[which]))
        backoff = Backoff(random, first_s=_RETRY_FIRST_S)
        self._connection = Connection(self._exchange, self._profile, self._redactor, backoff, clock)
        self._questions = Questions(
            self.name,
            self._exchange,
            self._profile,
            self._connection,
            self._redactor,
            self._ids,
            self._records,
        )

    @property
    def name(self) -> str:
        return f"ccxt:{self._id}" + (" (sandbox)" if self._sandbox else "")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            order_types=self._profile.order_types,
            times_in_force=self._profile.times_in_force,
            has_replace=False,
            is_sandbox=self._sandbox,
        )

    @property
    def budget(self) -> Budget | None:
        """How much the exchange bears, as its profile states it or ccxt knows it."""
        return self._pacing.budget

    @property
    def allowances(self) -> Sequence[Allowance]:
        """What the latest answers say is left."""
        return self._pacing.allowances

    def use_pace(self, pace: Pace) -> None:
        """Await `pace` before every request; see `Budgeted`."""
        self._pacing.use(pace)

    @property
    def dead_man(self) -> CcxtDeadMan | None:
        """The exchange's promise to cancel if it does not hear from us, where it makes one."""
        rule = self._profile.dead_man
        if rule is None:
            return None
        ids = lambda: [str(market["id"]) for market in self._markets.values()]  # noqa: E731
        return CcxtDeadMan(self.name, self._exchange, self._connection, rule, ids)

    def order_events(self) -> AsyncIterator[OrderNews] | None:
        """News of orders by the exchange's own stream, to be asked for once it is open; see
        `Streaming`."""
        if self._profile.stream is None or not self.hears_orders:
            return None
        return order_news(
            self._exchange,
            self._profile,
            self._ids,
            self._clock,
            self._redactor,
            url=self._url,
            sandbox=self._sandbox,
            timeout_s=self._timeout_s,
        )

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
        parameters = dict(self._profile.market_parameters)
        load = partial(self._exchange.load_markets, True, parameters)
        answer = await self._connection.ask(what, load)
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

    async def prepare(self, request: SubmitOrder) -> None:
        """Ask for the price of a market order that goes out as a limit order. Raises NotSent."""
        terms = request.terms
        if not is_priced(self._profile, terms):
            return
        what = f"{self.name}: order {terms.client_order_id}"
        market = self._market(terms.symbol)
        try:
            call = partial(self._exchange.fetch_order_book, market)
            book = await self._connection.ask(f"{what}: the best price", call)
        except Unavailable as error:
            raise NotSent(f"{what}: {error}", error.retry_after_s) from None
        price = price_beyond(self._exchange, terms.side, market, book, what)
        self._records.priced.add(terms.client_order_id)
        self._beyond[terms.client_order_id] = price

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown."""
        terms = request.terms
        client_order_id = terms.client_order_id
        what = f"{self.name}: order {client_order_id}"
        venue_id = self._ids.to_venue(client_order_id)
        self._require_profile(what)
        market = self._market(terms.symbol)
        beyond = self._beyond.pop(client_order_id, None)
        if beyond is None and is_priced(self._profile, terms):
            raise NotSent(f"{what}: no price was asked for it: `prepare` it first")
        arguments = order_arguments(
            self._exchange, self._profile, terms, venue_id, market, what, beyond
        )
        call = partial(self._exchange.create_order, *arguments)
        answer = await self._connection.order(what, venue_id, call)
        try:
            if self._profile.new_order is Answer.ID:
                return self._records.placed(terms, answer)
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
        self._require_profile(what)
        market = self._market(request.symbol)
        rule = self._profile.cancel
        name = await self._cancel_name(request, what)
        parameters: dict[str, str] = {}
        argument: str | None = name
        if rule.parameter:
            parameters = {rule.parameter: name}
            known = self._records.venue_ids.get(request.client_order_id)
            argument = rule.id_beside if rule.id_beside is None else known or rule.id_beside
        call = partial(self._exchange.cancel_order, argument, market, parameters)
        answer = await self._connection.cancel(what, name, call)
        # ccxt makes a record of anything; only one with the exchange's own answer in it counts.
        if not is_record(answer) or not isinstance(answer.get("info", {}), dict | str):
            words = "the answer to the cancel cannot be read"
            raise order_error(what, Failure(Knowledge.UNKNOWN, words))

    async def _cancel_name(self, request: CancelOrder, what: str) -> str:
        """What a cancel names the order by. Raises Refused or NotSent where it is not known."""
        client_order_id = request.client_order_id
        venue_id = self._ids.to_venue(client_order_id)
        if self._profile.cancel.by is By.CLIENT:
            return venue_id
        if client_order_id not in self._records.venue_ids:
            try:
                found = await self.find(client_order_id, request.symbol)
            except Unavailable as error:
                raise NotSent(f"{what}: {error}", error.retry_after_s) from None
            if found is None:
                raise Refused(f"{what}: the exchange lists no such order")
        return self._records.venue_ids[client_order_id]

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as the exchange knows it. None shortly after sending is no proof yet."""
        return await self._questions.find(client_order_id, symbol, self._market(symbol))

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything open in the session's symbols, orders that it did not place included."""
        return await self._questions.open_orders(self._market_names())

    # ---- fills and holdings ----

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """All fills in the session's symbols from that moment on, oldest first.

        The exchange's times are milliseconds: fills of the whole first one are included.
        """
        end_ns = self._clock.now_ns() + self._skew_ns_max
        return await self._questions.fills(self._market_names(), ts_ns // 1_000_000, end_ns)

    async def positions(self) -> Mapping[str, int]:
        """Nothing: spot exchanges keep balances, not positions."""
        return {}

    async def balances(self) -> Mapping[str, Decimal]:
        """What is owned of each asset, what orders lock included; zeros are left out."""
        what = f"{self.name}: balances"
        answer = await self._connection.ask(what, self._exchange.fetch_balance)
        await self._pacing.ask_counter(self._connection.ask)
        return self._questions.read(what, lambda: balances(answer, self._profile))

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
            count = len(self._questions.read(what, lambda: balances(answer, self._profile)))
            lines += account_lines(answer, count)
        except VenueError as error:
            lines.append(CheckLine("account", False, str(error)))
        return lines

    # ---- helpers ----

    def _require_profile(self, what: str) -> None:
        """Raise Refused at an exchange of which nothing is known but what ccxt says of all."""
        if not has_profile(self._id):
            raise Refused(
                f"{what}: not sent: there is no profile of {self._id!r}, so it is not known how "
                "it takes an order's id; it can be looked at, and traded on paper"
            )

    def _market_names(self) -> dict[str, str]:
        return {symbol: self._market(symbol) for symbol in self._instruments}

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
                for told in self._profile.market_lacks:
                    if other := market["info"].get(told):
                        words = f"{market['symbol']} is another name of {other}: trade that"
                        raise Refused(f"{self.name}: {symbol}: {words}")
                return market
        raise Refused(
            f"{self.name}: no spot market for {symbol}: set instruments.{symbol}.base and .quote "
            "to the exchange's names"
        )


def _revealed(secret: Revealable | None) -> str | None:
    """A credential as it signs. A private key may come with its lines told as they are in JSON."""
    text = None if secret is None else secret.reveal()
    is_pem = text is not None and text.startswith("-----BEGIN")
    return text.replace("\\n", "\n") if text is not None and is_pem else text
