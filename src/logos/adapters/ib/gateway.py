"""The gateway of one account: connected, and connected again; its account and its contracts.

A gateway restarts each night and closes its sockets. Whoever asks next makes a new connection, with
a pause after one that failed; what was told before stays in the `ledger`. While the gateway itself
has no connection to the broker (1100), its lists may be old, and no question is answered from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final, TypeVar

from ib_async.objects import ExecutionFilter

from logos.adapters.ib.address import address_of
from logos.adapters.ib.connection import Connection
from logos.adapters.ib.contracts import Market, contract_of, market_of
from logos.adapters.ib.ledger import Ledger
from logos.adapters.ib.lookup import look_up
from logos.adapters.ib.messages import Executed, Held, Listed
from logos.core.clock import Backoff, Clock
from logos.core.instrument import Instrument
from logos.core.types import NS_PER_SECOND
from logos.venues.contract import Memory, NotSent, Refused, Unavailable
from logos.venues.failures import Failure, Knowledge, question_error
from logos.venues.records import Unreadable

_Answer = TypeVar("_Answer")

_ZONE_STEP_NS: Final = 900 * NS_PER_SECOND
"""Time zones are a multiple of this apart, so one of them has its midnight at each."""
_SKEW_NS: Final = 60 * NS_PER_SECOND
"""By so much the gateway's clock may be another than ours."""
_LISTED_NS: Final = 600 * NS_PER_SECOND
"""After its last execution an order that ended is listed by then, while its day lasts."""
_FORGETS: Final = (
    "a gateway tells executions and ended orders since its midnight only, and the order was made "
    "before: compare with the account's statement, or let a TWS show the trades of 7 days"
)
"""Executions: interactivebrokers.github.io/tws-api/executions_commissions.html ("Show trades for",
which a TWS has and an IB Gateway has not). Ended orders: "Completed Orders" of the TWS API
documentation at interactivebrokers.com/campus."""


class Gateway:
    """Asks for one venue. `names` are its contracts by symbol, `symbols` is filled with what they
    are, by number."""

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        names: Mapping[str, str],
        clock: Clock,
        random: Random,
        *,
        sandbox: bool,
        url: str,
        timeout_s: float,
    ) -> None:
        self._name = name
        self._instruments = instruments
        self._names = names
        self._sandbox = sandbox
        self._timeout_s = timeout_s
        self.address, self.account = address_of(url, sandbox)
        self._clock = clock
        self._backoff = Backoff(random, first_s=1.0)
        self.ledger = Ledger()
        self.memory: Memory | None = None
        """How far back the lists go for sure; what was heard since then is in the ledger."""
        self._heard: tuple[Connection | None, int, int] = (None, 0, 0)
        """The connection of the latest executions, how often it had lost the broker, and when."""
        self.markets: dict[str, Market] = {}
        self.symbols: dict[int, str] = {}
        self.connection: Connection | None = None
        self._is_open = False
        self._connecting = asyncio.Lock()
        self.on_news: Callable[[str], None] = lambda _order_ref: None

    def begin(self) -> None:
        """From here on a connection is made when it is needed."""
        self._is_open = True

    def close(self) -> None:
        """Release the connection; closing again does nothing."""
        self._is_open = False
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    async def connected(self, what: str) -> Connection:
        """A connection that is up, made anew where the last one was lost. Raises NotSent."""
        if not self._is_open:
            raise NotSent(f"{what}: not open")
        async with self._connecting:
            if self.connection is not None and self.connection.is_up:
                return self.connection
            if self.connection is not None:
                self.connection.close()
            connection = Connection(self.address, self.ledger, self._timeout_s)
            connection.on_news = self.on_news
            words = ""
            try:
                self._choose_account(await connection.open(what))
                # Numbers of orders, so that no new order gets one of them; and fills of an outage.
                await connection.ask(what, "orders", lambda client: client.reqAllOpenOrders())
                await self._ask_executions(what, connection)
            except Refused:
                connection.close()
                raise
            except (NotSent, Unavailable) as error:
                words = str(error)
            if words:
                connection.close()
                raise NotSent(words, self._backoff.next_s())
            self._backoff.reset()
            self.connection = connection
            return connection

    def _choose_account(self, accounts: Sequence[str]) -> None:
        """Take the account that is configured, or the only one. Raises Refused."""
        if not self.account and len(accounts) == 1:
            self.account = accounts[0]
        if self.account not in accounts:
            listed = ", ".join(accounts[:10])
            raise Refused(
                f"{self._name}: the login has the accounts {listed}: name one in venue.url, as in "
                f"tcp://{self.address.host}:{self.address.port}/{self.address.client_id}/"
                f"{accounts[0]}"
            )
        # interactivebrokers.github.io/tws-api/ and recordings: paper accounts begin with D.
        if self.account.startswith("D") is not self._sandbox:
            kind, wanted = ("paper", "false") if not self._sandbox else ("live", "true")
            raise Refused(
                f"{self._name}: {self.account} is a {kind} account, and venue.sandbox is {wanted}"
            )

    async def ask(self, what: str, key: str, send: Callable[[Any], None]) -> list[Any]:
        return await (await self.questioned(what)).ask(what, key, send)

    async def questioned(self, what: str) -> Connection:
        """A connection for questions. Raises Unavailable."""
        try:
            connection = await self.connected(what)
        except NotSent as error:
            raise Unavailable(str(error), error.retry_after_s) from None
        if not connection.has_broker:
            words = "the gateway has no connection to the broker: its lists may be old"
            raise question_error(what, Failure(Knowledge.UNKNOWN, words, self._backoff.next_s()))
        return connection

    def read(self, what: str, read: Callable[[], _Answer]) -> _Answer:
        words = ""
        try:
            return read()
        except Unreadable as error:
            words = str(error)
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))

    async def load(self, symbol: str) -> None:
        """Find the contract of a symbol, and its rules. Raises Refused and Unavailable."""
        what, instrument = f"{self._name}: {symbol}", self._instruments[symbol]
        asked = contract_of(symbol, self._names[symbol], instrument.quote)
        connection = await self.questioned(what)
        details, steps = await look_up(connection, what, symbol, asked)
        market = self.read(what, lambda: market_of(instrument, details, steps))
        self.markets[symbol] = market
        self.symbols[market.con_id] = symbol

    async def open_orders(self, what: str) -> list[Listed]:
        """Open orders of all clients in the account and the session's contracts. Raises
        Unavailable."""
        listed = await self.ask(what, "orders", lambda client: client.reqAllOpenOrders())
        return [each for each in listed if self.is_here(each)]

    async def completed_orders(self, what: str) -> list[Listed]:
        """Orders that ended, of about a day. Raises Unavailable."""
        listed = await self.ask(what, "completed", lambda each: each.reqCompletedOrders(False))
        return [each for each in listed if self.is_here(each)]

    async def told_before(self, what: str, order_ref: str) -> Listed | None:
        """An order that no list has any more, as it was told of before: by its last status, or by
        its executions. None where neither says how it ended. Raises Unavailable for a while after
        its latest execution: lists may be late."""
        executed = [each for each in await self.executions(what) if each.order_ref == order_ref]
        told = self.ledger.ended(order_ref, executed)
        age_ns = self._clock.now_ns() - max((each.ts_ns for each in executed), default=0)
        if told is None and age_ns < _LISTED_NS:
            words = "it has executions, and stands in no list of orders"
            raise question_error(what, Failure(Knowledge.UNKNOWN, words))
        return told

    async def executions(self, what: str) -> list[Executed]:
        """Executions since the gateway's midnight (see `memory`), and all that were heard before.
        Raises Unavailable."""
        await self._ask_executions(what, await self.questioned(what))
        return [each for each in self.ledger.executions() if self.is_here(each)]

    async def _ask_executions(self, what: str, connection: Connection) -> None:
        asked, asked_ns = ExecutionFilter(acctCode=self.account), self._clock.now_ns()
        told = await connection.ask_numbered(
            what, lambda client, number: client.reqExecutions(number, asked)
        )
        self._remember(connection, asked_ns, [each.ts_ns for each in told])

    def _remember(self, connection: Connection, now_ns: int, told_ns: Sequence[int]) -> None:
        """Take note of how far back the ledger goes without a gap, after executions were told.

        On a connection that holds they come by themselves. Over an outage those since the gateway's
        midnight are told (its zone is not: it may be any quarter of an hour), or since the earliest
        of them, where a TWS is set to show more days.
        """
        if not connection.has_broker:
            return  # the list may be old
        before, losses, heard_ns = self._heard
        self._heard = (connection, connection.losses, now_ns)
        if before is connection and losses == connection.losses:
            return
        midnight_ns = (now_ns + _SKEW_NS) // _ZONE_STEP_NS * _ZONE_STEP_NS
        since_ns = min([midnight_ns, *told_ns])
        if self.memory is None or since_ns > heard_ns - _SKEW_NS:
            self.memory = Memory(since_ns, _FORGETS)

    def is_here(self, each: Listed | Executed | Held) -> bool:
        """Whether it is of the account and of a contract of the session."""
        return each.account == self.account and each.con_id in self.symbols
