"""One connection to a gateway: requests go out at once or not at all, answers find who asked.

- ib_async's own queue of requests is switched off: an order that waits there would leave after the
  kill switch was asked. An order is written in the step in which it is sent, into an empty buffer,
  or it is NotSent.
- Numbers of requests and of orders are kept apart, because an error names either: requests begin at
  `_REQUESTS_FROM`, orders at what the gateway calls the next valid id, and above every number that
  is seen: an order under the number of one that rests would change that one.
- What the gateway's statuses and codes say stands in `codes`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec
from ib_async.client import Client

from logos.adapters.ib.codes import (
    BROKER_FOUND,
    BROKER_LOST,
    CANCEL_TAKEN,
    COLLISIONS,
    NO_CANCEL,
    REFUSALS,
    TAKEN,
    WARNINGS,
)
from logos.adapters.ib.messages import Cost, ExactDecoder, Executed, Listed, Said, Status
from logos.venues.contract import NotSent, Unavailable
from logos.venues.failures import Failure, Knowledge, order_error, question_error

logging.getLogger("ib_async").addHandler(logging.NullHandler())

_REQUESTS_FROM: Final = 1_500_000_000
_INACTIVE_S: Final = 0.5
"""An order that is Inactive is rejected if a reason follows; so long is waited for one."""


class Address(msgspec.Struct, frozen=True):
    """Where a gateway listens, and as whom we come."""

    host: str
    port: int
    client_id: int


class Hearer(Protocol):
    """Who keeps what is told between connections."""

    def hear_order(self, order: Listed) -> None: ...
    def hear_status(self, status: Status) -> None: ...
    def hear_execution(self, execution: Executed) -> None: ...
    def hear_cost(self, cost: Cost) -> None: ...
    def hear_refusal(self, order_ref: str, words: str) -> None: ...


class _Sent:
    """An order or a cancel that waits for the broker's word: None, or what failed."""

    __slots__ = ("order_ref", "perm_id", "word")

    def __init__(self, order_ref: str) -> None:
        self.order_ref = order_ref
        self.perm_id = 0
        self.word: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()

    def say(self, failure: Failure | None) -> None:
        if not self.word.done():
            self.word.set_result(failure)


class Connection:
    """One connection; when it is lost, another one is made."""

    def __init__(
        self, address: Address, hearer: Hearer, timeout_s: float, messages_a_second: int = 0
    ) -> None:
        """With `messages_a_second` the library's queue is on: for market data, never for orders."""
        self._address = address
        self._hearer = hearer
        self._timeout_s = timeout_s
        self._client: Any = Client(self)  # type: ignore[no-untyped-call]
        self._client.decoder = ExactDecoder(self)
        self._client.MaxRequests = messages_a_second
        self._asked: dict[object, tuple[asyncio.Future[list[Any]], list[Any]]] = {}
        self._streams: dict[int, Callable[[object], None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._placed: dict[int, _Sent] = {}
        self._cancelled: dict[int, _Sent] = {}
        self._denied: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._next_request = _REQUESTS_FROM
        self._next_order = 1
        self._listing: dict[tuple[int, ...], Listed] | None = None
        self.order_ids: dict[str, int] = {}
        """Our numbers of orders by their reference, as this connection was told."""
        self.lost = ""
        """Why it is of no use any more."""
        self.has_broker = True
        """Whether the gateway itself is connected to the broker."""
        self.losses = 0
        """How often it was not: what happened then was not told by itself."""
        self.on_news: Callable[[str], None] = lambda _order_ref: None
        """Told of an order of ours, by its reference ("": of any), or of a sign of life."""

    # ---- its life ----

    async def open(self, what: str, data_kind: int = 0) -> list[str]:
        """Connect; the accounts of the login. Market data will be of `data_kind` (1 live, 3
        delayed; 0: none). Raises NotSent: nothing has happened."""
        address, words = self._address, ""
        # ib_async waits for the whole time also where the gateway has said no.
        work = asyncio.ensure_future(
            self._client.connectAsync(
                address.host, address.port, address.client_id, self._timeout_s
            )
        )
        # Where nobody waits for it any more, its failure is nobody's either.
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait({work, self._denied}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()  # without effect where it is done
        try:
            await work
        except (OSError, TimeoutError) as error:
            words = f"{type(error).__name__}: {error}"
        except asyncio.CancelledError:
            if not self._denied.done():
                raise
        if self._denied.done():
            words = self._denied.result()
        if words or self.lost:
            self.close()
            raise NotSent(f"{what}: no connection to {address.host}:{address.port}: {words}")
        if data_kind:
            self._client.reqMarketDataType(data_kind)
        return list(self._client.getAccounts())

    def close(self) -> None:
        """Let it go; closing again does nothing."""
        self._lose("closed")
        self._client.disconnect()

    @property
    def is_up(self) -> bool:
        return not self.lost and bool(self._client.isReady())

    # ---- questions ----

    async def ask(self, what: str, key: str, send: Callable[[Any], None]) -> list[Any]:
        """The rows of an answer without a number; one such question at a time. Raises
        Unavailable."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key == "orders":
                self._listing = {}
            return await self._answer(what, key, send)

    async def ask_numbered(self, what: str, send: Callable[[Any, int], None]) -> list[Any]:
        """The rows of an answer with the number of its request. Raises Unavailable."""
        self._next_request += 1
        number = self._next_request
        return await self._answer(what, number, lambda client: send(client, number))

    async def _answer(self, what: str, key: object, send: Callable[[Any], None]) -> list[Any]:
        if not self.is_up:
            raise question_error(what, Failure(Knowledge.NOT_SENT, f"not connected: {self.lost}"))
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked[key] = (future, [])
        words = ""
        try:
            send(self._client)
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            words = f"no answer, or not its end, within {self._timeout_s:g} s"
        except (ConnectionError, Unavailable) as error:
            words = str(error)
        finally:
            self._asked.pop(key, None)
            if isinstance(key, str) and (future.cancelled() or not future.done()):
                # Its answer may come yet, and would be taken for that of the next such question.
                self._drop("a question without a number was given up")
        raise question_error(what, Failure(Knowledge.UNKNOWN, words))

    # ---- streams ----

    def stream(
        self, what: str, send: Callable[[Any, int], None], take: Callable[[object], None]
    ) -> int:
        """Begin what comes by itself; its number. Rows go to `take`, and as Said each code about
        it or the broker, and the connection's loss (code 0). Raises Unavailable."""
        if not self.is_up:
            raise question_error(what, Failure(Knowledge.NOT_SENT, f"not connected: {self.lost}"))
        self._next_request += 1
        self._streams[self._next_request] = take
        send(self._client, self._next_request)
        return self._next_request

    def end_stream(self, number: int, send: Callable[[Any, int], None]) -> None:
        """Nothing more of it is taken."""
        self._streams.pop(number, None)
        if self.is_up:
            send(self._client, number)

    def _say_to_all(self, code: int, words: str) -> None:
        for take in list(self._streams.values()):
            take(Said(code, words))

    # ---- orders ----

    def place(self, what: str, contract: Any, order: Any) -> _Sent:
        """Write an order, in this very step. Raises NotSent."""
        self._require_free(what)
        order_id = self._next_order
        self._next_order += 1
        sent = self._placed[order_id] = _Sent(order.orderRef)
        self.order_ids[order.orderRef] = order_id
        self._client.placeOrder(order_id, contract, order)
        return sent

    def cancel(self, what: str, order_ref: str) -> _Sent:
        """Write a cancel of an order that this connection knows. Raises NotSent."""
        self._require_free(what)
        order_id = self.order_ids[order_ref]
        sent = self._cancelled[order_id] = _Sent(order_ref)
        self._client.cancelOrder(order_id)
        return sent

    async def word(self, what: str, sent: _Sent) -> None:
        """Wait for the broker's word. Raises Refused, NotSent and OutcomeUnknown."""
        failure: Failure | None
        try:
            async with asyncio.timeout(self._timeout_s):
                failure = await sent.word
        except TimeoutError:
            failure = Failure(Knowledge.UNKNOWN, f"no word within {self._timeout_s:g} s")
        if failure is not None:
            raise order_error(what, failure)

    def _require_free(self, what: str) -> None:
        if not self.is_up or not self.has_broker:
            words = self.lost or "the gateway has no connection to the broker"
            raise NotSent(f"{what}: not sent: {words}", 1.0)
        if self._client.conn.transport.get_write_buffer_size():
            raise NotSent(f"{what}: not sent: the gateway does not read", 1.0)

    # ---- what the gateway says ----

    def connectAck(self) -> None: ...

    def setEventsDone(self) -> None:
        self._lose("the gateway closed the connection")

    def connectionClosed(self) -> None:
        self._lose("the gateway closed the connection")

    def on_unreadable(self, words: str) -> None:
        self._drop(f"the gateway says what cannot be read: {words}")

    def _drop(self, words: str) -> None:
        self._lose(words)
        self._client.conn.disconnect()

    def on_row(self, key: object, row: object) -> None:
        if key == "ids" and isinstance(row, int):
            self._next_order = max(self._next_order, row)
        if key in self._asked:
            self._asked[key][1].append(row)
        elif isinstance(key, int) and key in self._streams:
            self._streams[key](row)

    def on_end(self, key: object) -> None:
        if key == "orders" and self._listing is not None:
            for order in self._listing.values():
                self.on_row(key, order)
            self._listing = None
        if key in self._asked:
            future, rows = self._asked[key]
            if not future.done():
                future.set_result(rows)

    def on_order(self, order: Listed) -> None:
        is_ours = order.client_id == self._address.client_id
        # Above every number that is told, whosever it is: see order_submission.html.
        self._next_order = max(self._next_order, order.order_id + 1)
        if is_ours and order.order_ref and order.order_id > 0:
            self.order_ids[order.order_ref] = order.order_id
        if self._listing is not None:
            self._listing[_key(order)] = order
        self._hearer.hear_order(order)
        sent = self._placed.get(order.order_id) if is_ours else None
        if sent is not None and sent.order_ref == order.order_ref:
            sent.perm_id = order.perm_id
            self._take(sent, order.status)
        self.on_news(order.order_ref)

    def on_completed(self, order: Listed) -> None:
        self._hearer.hear_order(order)
        self.on_row("completed", order)

    def on_status(self, status: Status) -> None:
        self._hearer.hear_status(status)
        listed = self._listing.get(_key(status)) if self._listing is not None else None
        if listed is not None and self._listing is not None:
            self._listing[_key(status)] = msgspec.structs.replace(
                listed, status=status.status, filled=status.filled
            )
        if status.client_id != self._address.client_id:
            return
        placed = self._placed.get(status.order_id)
        if placed is not None:
            self._take(placed, status.status)
        cancelled = self._cancelled.get(status.order_id)
        if cancelled is not None and status.status in CANCEL_TAKEN:
            cancelled.say(None)
        elif cancelled is not None and status.status == "Filled":
            cancelled.say(Failure(Knowledge.REFUSED, "the order has filled"))
        self.on_news(placed.order_ref if placed is not None else "")

    def on_execution(self, request_id: int, execution: Executed) -> None:
        if execution.client_id == self._address.client_id:
            self._next_order = max(self._next_order, execution.order_id + 1)
        self._hearer.hear_execution(execution)
        if request_id in self._asked:
            self.on_row(request_id, execution)
        else:
            self.on_news(execution.order_ref)

    def on_cost(self, cost: Cost) -> None:
        self._hearer.hear_cost(cost)
        self.on_news("")

    def on_error(self, request_id: int, code: int, words: str) -> None:
        if code in BROKER_LOST or code in BROKER_FOUND:
            self.has_broker = code in BROKER_FOUND
            self.losses += code in BROKER_LOST
            self._say_to_all(code, words)
        elif code in (326, 502, 503, 504, 1300):
            if not self._denied.done():
                self._denied.set_result(f"{code}: {words}")
            self._lose(f"{code}: {words}")
        elif request_id in self._streams:
            self._streams[request_id](Said(code, words))
        elif request_id in self._asked:
            future, _ = self._asked[request_id]
            if not future.done():
                future.set_exception(Unavailable(f"{code}: {words}"))
        elif request_id >= 0 and code not in WARNINGS and not 2100 <= code < 2200:
            self._hear_of_order(request_id, code, f"{code}: {words}")

    def _hear_of_order(self, order_id: int, code: int, words: str) -> None:
        cancelled = self._cancelled.get(order_id)
        if cancelled is not None and code in (202, *NO_CANCEL):
            no = None if code == 202 else Failure(Knowledge.REFUSED, words)
            cancelled.say(no)
        placed = self._placed.get(order_id)
        if placed is None or code in NO_CANCEL:
            return
        if code == 202:
            placed.say(None)
            self._hearer.hear_refusal(placed.order_ref, words)
        elif code in REFUSALS:
            self._hearer.hear_refusal(placed.order_ref, words)
            placed.say(Failure(Knowledge.REFUSED, words))
        elif code in COLLISIONS:
            self._next_order += 1
            placed.say(Failure(Knowledge.NOT_SENT, words, 1.0))
        else:
            placed.say(Failure(Knowledge.UNKNOWN, words))

    def _take(self, sent: _Sent, status: str) -> None:
        if status in TAKEN:
            sent.say(None)
        elif status == "Inactive":
            asyncio.get_running_loop().call_later(_INACTIVE_S, sent.say, None)

    def _lose(self, words: str) -> None:
        if self.lost:
            return
        self.lost = words
        for future, _ in self._asked.values():
            if not future.done():
                future.set_exception(Unavailable(words))
        for sent in (*self._placed.values(), *self._cancelled.values()):
            sent.say(Failure(Knowledge.UNKNOWN, words))
        self._say_to_all(0, words)
        self.on_news("")


def _key(told: Listed | Status) -> tuple[int, ...]:
    """What an order and its status have in common."""
    return (told.perm_id,) if told.perm_id else (told.client_id, told.order_id)
