"""US equities and crypto at Alpaca, through the alpaca-py library.

Problem: the library takes quantities and prices as floats. Method: requests are made with its own
signing and addresses, but with exact text for figures, and answers are taken as JSON. How requests
fail stands in `connection`, how answers are read in `records`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from random import Random
from typing import Final

from logos.adapters.alpaca.budget import RateBudget
from logos.adapters.alpaca.check import account_lines, asset_lines, key_line
from logos.adapters.alpaca.coin_fees import CoinFees, Holdings, holdings_of
from logos.adapters.alpaca.connection import Connection
from logos.adapters.alpaca.order_form import order_body
from logos.adapters.alpaca.questions import Questions
from logos.adapters.alpaca.records import Records
from logos.adapters.alpaca.share_fees import ShareFees
from logos.adapters.alpaca.sockets import socket_url
from logos.adapters.alpaca.updates import order_news
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.outbox import CancelOrder, SubmitOrder
from logos.core.types import NS_PER_SECOND, OrderType, TimeInForce
from logos.venues.budget import Allowance, Budget
from logos.venues.contract import (
    Capabilities,
    CheckLine,
    NotSent,
    OrderNews,
    Pace,
    Refused,
    Unavailable,
    VenueCharge,
    VenueError,
    VenueFill,
    VenueOrder,
)
from logos.venues.failures import Failure, Knowledge, order_error
from logos.venues.ids import ClientIds, IdRule
from logos.venues.records import (
    Unreadable,
    asked_for,
    is_record,
    time_ns,
)
from logos.venues.redact import Redactor, Revealable
from logos.venues.rules import clock_line

ID_RULE: Final = IdRule(128, True)


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
        self._questions = Questions(self._redactor)
        self._fees = CoinFees(self._questions, self._ids, clock)
        self._share_fees = ShareFees(self._questions, self._ids)
        self._has_coins = any("/" in asset for asset in self._assets.values())
        self._budget = RateBudget(clock)
        self._pace: Pace | None = None

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
            if "/" in self._assets[symbol] and instrument.settlement != "spot":
                words = f'set instruments.{symbol}.settlement = "spot"'
                raise Refused(f"{self.name}: {symbol}: coins are owned at Alpaca: {words}")
            if "/" in self._assets[symbol] and not self._assets[symbol].endswith("/USD"):
                # The fee of a sale is taken in what it brings, which is then a coin as well.
                raise Refused(f"{self.name}: {symbol}: coins are traded against USD only here")
        if self._questions.connection is None:
            connection = Connection(
                self._key,
                self._secret,
                sandbox=self._sandbox,
                url=self._url,
                timeout_s=self._timeout_s,
                redactor=self._redactor,
                backoff=self._backoff,
                budget=self._budget,
            )
            connection.pace = self._pace
            self._questions.connection = connection
        await self._questions.connection.sign_in(f"{self.name}: account")
        if self._has_coins:
            await self._fees.begin(f"{self.name}: holdings")

    def resume_from(
        self, held: Mapping[str, Decimal], seen_fills: Collection[str], since_ns: int
    ) -> None:
        """What an earlier run of the session has booked; see `Resuming`."""
        names = {self._assets[name]: each.base for name, each in self._instruments.items()}
        owned = {name.replace("/", ""): held.get(base, Decimal(0)) for name, base in names.items()}
        self._fees.resume_from(owned, held.get("USD", Decimal(0)), seen_fills, since_ns)

    async def close(self) -> None:
        """Release every connection; closing again does nothing."""
        if self._questions.connection is not None:
            self._questions.connection.close()
            self._questions.connection = None

    @property
    def budget(self) -> Budget:
        """What the account's limit lets this session ask."""
        return self._budget.budget

    @property
    def allowances(self) -> Sequence[Allowance]:
        """What the latest answer says is left of it."""
        return self._budget.allowances

    def use_share(self, percent: int) -> None:
        """Take this part of the account's requests. Raises ValueError for none or more than all."""
        self._budget.use_share(percent)

    def use_pace(self, pace: Pace) -> None:
        """Await `pace` before every request; see `Budgeted`."""
        self._pace = pace
        if self._questions.connection is not None:
            self._questions.connection.pace = pace

    def order_events(self) -> AsyncIterator[OrderNews]:
        """News of orders by Alpaca's own stream; see `Streaming`."""
        address = self._url
        if not address:
            address = "https://paper-api.alpaca.markets"
            if not self._sandbox:
                address = "https://api.alpaca.markets"
        return order_news(
            socket_url(address, "/stream"),
            (self._key, self._secret),
            self._ids,
            self._clock,
            self._redactor,
            self._timeout_s,
        )

    # ---- orders ----

    async def submit(self, request: SubmitOrder) -> VenueOrder:
        """Send an order, once. Raises Refused, NotSent or OutcomeUnknown."""
        terms = request.terms
        client_order_id = terms.client_order_id
        what = f"{self.name}: order {client_order_id}"
        order = order_body(terms, self._assets, self._ids.to_venue(client_order_id), what)
        connection = self._questions.connection
        if connection is None:
            raise NotSent(f"{what}: not open")
        answer = await connection.place(what, order)
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
        if self._questions.connection is None:
            raise NotSent(f"{what}: not open")
        if client_order_id not in self._records.venue_ids:
            try:
                found = await self.find(client_order_id, request.symbol)
            except Unavailable as error:
                raise NotSent(f"{what}: not sent: {error}", error.retry_after_s) from None
            if found is None:
                raise Refused(f"{what}: refused: Alpaca knows no such order")
        connection = self._questions.connection
        if connection is None:
            raise NotSent(f"{what}: not open")
        await connection.cancel(what, self._records.venue_ids[client_order_id])

    async def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order as Alpaca knows it. None shortly after sending is no proof yet."""
        what = f"{self.name}: find {client_order_id}"
        if symbol not in self._instruments:
            raise Refused(f"{what}: {symbol!r} is no symbol of this session")
        parameters = {"client_order_id": self._ids.to_venue(client_order_id)}
        answer = await self._questions.ask(
            what, "/orders:by_client_order_id", parameters, may_be_absent=True
        )
        if answer is None:
            return None
        return self._questions.read(
            what, lambda: asked_for(self._records.order(answer), client_order_id)
        )

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Everything open in the session's symbols, orders that it did not place included."""
        what = f"{self.name}: open orders"
        listed = await self._questions.open_orders(what, ",".join(self._assets.values()))
        return [
            self._questions.read(what, partial(self._records.order, row))
            for row in listed
            if self._records.symbol(row) is not None
        ]

    # ---- fills and holdings ----

    async def fills_since(self, ts_ns: int) -> Sequence[VenueFill]:
        """All fills in the session's symbols from that moment on, oldest first.

        The fee of a coin is what of it did not arrive (`coin_fees`); shares cost none here, but
        behind it (`charges_since`).
        """
        what = f"{self.name}: fills"
        listed = await self._questions.fills(what, ts_ns)
        found = {
            fill_id: row
            for fill_id, row in listed.items()
            if self._records.symbol(row) is not None
            and not self._questions.read(what, partial(self._records.is_strangers_fraction, row))
        }
        if self._has_coins:
            await self._fees.settle(what, found)
        fills = [
            self._questions.read(what, partial(self._records.fill, row, self._fees.fee_of(fill_id)))
            for fill_id, row in found.items()
        ]
        fills = [fill for fill in fills if fill.ts_ns >= ts_ns]
        return sorted(fills, key=lambda fill: (fill.ts_ns, fill.fill_id))

    async def charges_since(self, ts_ns: int) -> Sequence[VenueCharge]:
        """The regulatory fees on shares that are proved to be the session's; see `Charging`."""
        return await self._share_fees.since(f"{self.name}: fees", ts_ns)

    async def positions(self) -> Mapping[str, int]:
        """Signed quantity units of what is traded on margin; a symbol without one is left out.

        What is owned stands in `balances`, exactly: it may be finer than a lot.
        """
        what = f"{self.name}: positions"
        if all(each.settlement == "spot" for each in self._instruments.values()):
            return {}
        return dict(
            self._questions.read(what, partial(self._records.position, row))
            for row in await self._questions.rows(what, "/positions")
            if (symbol := self._records.symbol(row)) is not None
            and self._instruments[symbol].settlement != "spot"
        )

    async def balances(self) -> Mapping[str, Decimal]:
        """The account's cash, and what it owns of each symbol that is not traded on margin."""
        what = f"{self.name}: balances"
        holdings = await self._holdings(what)
        owned = {
            instrument.base: holdings.owned.get(self._assets[symbol].replace("/", ""), Decimal(0))
            for symbol, instrument in self._instruments.items()
            if instrument.settlement == "spot"
        }
        return {**owned, holdings.currency: holdings.cash}

    async def _holdings(self, what: str) -> Holdings:
        if self._has_coins:
            return await self._fees.look(what)
        return await holdings_of(self._questions, what)

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
            account = await self._questions.ask(f"{self.name}: account", "/account")
        except VenueError as error:
            return [*lines, CheckLine("account", False, str(error))]
        lines += account_lines(account)
        lines += await self._time_lines()
        for symbol, instrument in self._instruments.items():
            what = f"{self.name}: {symbol}"
            try:
                path = f"/assets/{self._assets[symbol].replace('/', '%2F')}"
                asset = await self._questions.ask(what, path, may_be_absent=True)
                lines += asset_lines(instrument, asset)
            except VenueError as error:
                lines.append(CheckLine(f"{symbol} market", False, str(error)))
        return lines

    async def _time_lines(self) -> list[CheckLine]:
        what = f"{self.name}: clock"
        before_ns = self._clock.now_ns()
        try:
            answer = await self._questions.ask(what, "/clock")
            after_ns = self._clock.now_ns()
            record = answer if is_record(answer) else {}
            venue_ns = self._questions.read(what, lambda: time_ns(record.get("timestamp")))
        except VenueError as error:
            return [CheckLine("clock", False, str(error))]
        words = "open" if record.get("is_open") else f"closed until {record.get('next_open')}"
        return [
            clock_line(before_ns, venue_ns, after_ns, self._skew_ns_max),
            CheckLine("market hours", True, f"US equities: {self._redactor.clean(words)}"),
        ]
