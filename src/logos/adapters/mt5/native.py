"""A MetaTrader 5 terminal through MetaQuotes' own Python package `MetaTrader5`.

The package exists for Windows and talks to a terminal on the same machine; `mt5linux` offers the
same functions over a connection to a Python in Wine. Its functions block, so they are called in one
thread of their own, one at a time. What it answers is written as the bridge's answers are, so that
`Mt5Venue` keeps everything that it keeps there: who an order belongs to, what an unknown outcome
is, when an order is absent.

A call cannot be broken off. One that takes longer than `reply_timeout_s` is given up: an order's
outcome is then unknown, and nothing else is called before it has come back, so what waits behind it
is not sent. A failed call returns None and leaves a code (`last_error`); where the code says that
the request never left this process, it was not sent, else its outcome is unknown.

Functions and shapes are those of https://www.mql5.com/en/docs/python_metatrader5. Floats are taken
by their shortest text; the instrument's tick and lot decide which number is meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from logos.adapters.mt5.gateway.door import Door, Gate, Leaving
from logos.adapters.mt5.gateway.failures import NoAnswer, QuestionLost, lost, not_sent
from logos.adapters.mt5.gateway.wire import TRADE, Reply
from logos.core.clock import Clock
from logos.core.outbox import SubmitOrder
from logos.core.types import NS_PER_SECOND

NEVER_LEFT: Final = frozenset((-2, -5, -6, -7, -8, -10001, -10003, -10004))
"""Codes of `last_error` after which nothing left this process: invalid arguments, version, login or
method, automatic trading off, and connections to the terminal that were not there."""

_LATER_S: Final = 2 * 86_400
"""How far beyond our clock deals are asked for: a broker's clock is hours ahead."""

_HEDGING: Final = 2
"""`ACCOUNT_MARGIN_MODE_RETAIL_HEDGING`."""

_ORDER_TYPES: Final = (
    "ORDER_TYPE_BUY",
    "ORDER_TYPE_SELL",
    "ORDER_TYPE_BUY_LIMIT",
    "ORDER_TYPE_SELL_LIMIT",
    "ORDER_TYPE_BUY_STOP",
    "ORDER_TYPE_SELL_STOP",
    "ORDER_TYPE_BUY_STOP_LIMIT",
    "ORDER_TYPE_SELL_STOP_LIMIT",
)
_DEAL_TYPES: Final = (
    "DEAL_TYPE_BUY",
    "DEAL_TYPE_SELL",
    "DEAL_TYPE_BALANCE",
    "DEAL_TYPE_CREDIT",
    "DEAL_TYPE_CHARGE",
    "DEAL_TYPE_CORRECTION",
    "DEAL_TYPE_BONUS",
    "DEAL_TYPE_COMMISSION",
    "DEAL_TYPE_COMMISSION_DAILY",
    "DEAL_TYPE_COMMISSION_MONTHLY",
    "DEAL_TYPE_COMMISSION_AGENT_DAILY",
    "DEAL_TYPE_COMMISSION_AGENT_MONTHLY",
    "DEAL_TYPE_INTEREST",
    "DEAL_TYPE_BUY_CANCELED",
    "DEAL_TYPE_SELL_CANCELED",
    "DEAL_DIVIDEND",
    "DEAL_DIVIDEND_FRANKED",
    "DEAL_TAX",
)
"""Names in the order of their numbers (ENUM_ORDER_TYPE and ENUM_DEAL_TYPE of MQL5)."""

_POSITION_TYPES: Final = ("POSITION_TYPE_BUY", "POSITION_TYPE_SELL")
_FILL_OR_KILL, _IMMEDIATE_OR_CANCEL = 1, 2
"""Bits of a symbol's `filling_mode`."""

Answer = TypeVar("Answer")


class _FailedCallError(Exception):
    """A function of the package returned nothing; its code and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{words} ({code})")
        self.code = code


class NativeTerminal:
    """`logos.adapters.mt5.lists.TerminalLink` over the package, whose module is `package`."""

    has_ids = False
    does_echo = True
    """Each call has its own answer."""

    def __init__(
        self, package: Any, clock: Clock, *, reply_timeout_s: float, gate: Gate, path: str = ""
    ) -> None:
        """`path` is the terminal's program; empty: the one that is found."""
        self._package = package
        self._clock = clock
        self._timeout_s = reply_timeout_s
        self.door = Door(gate, lambda *_, **__: None)
        self._path = path
        self._lock = asyncio.Lock()
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Start the connection to the terminal. Raises QuestionLost."""
        if self._thread is not None:
            return
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mt5 package")
        arguments = (self._path,) if self._path else ()
        try:
            is_open = await self._call(lambda: self._package.initialize(*arguments), "initialize")
        except BaseException:
            await self.close()
            raise
        if not is_open:
            code, words = await self._last_error()
            await self.close()
            raise QuestionLost(f"the terminal could not be reached: {words} ({code})")

    async def close(self) -> None:
        """End the connection; closing again does nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(self._package.shutdown)
            thread.shutdown(wait=False)

    def epoch(self) -> int:
        """Which change of the kill switch is the latest."""
        return self.door.epoch()

    async def next_transaction(self, timeout_s: float) -> Reply | None:
        """None after so long: the package tells of nothing by itself."""
        await self._clock.sleep(timeout_s)
        return None

    def listen(self, on_transaction: Callable[[Mapping[str, Any]], None]) -> None:
        """Nothing will be heard: the package tells of nothing by itself."""

    # ---- requests ----

    async def request(
        self,
        symbol: str,  # noqa: ARG002 - calls are served in the order that they come in
        fields: Mapping[str, object],
        order: SubmitOrder | None = None,
        epoch: int | None = None,
    ) -> Reply:
        """Carry out a request of the bridge's protocol with the package's functions.

        A new order leaves only if `order`, which it carries out, passes the gate, and the switch is
        still at `epoch` (None: that of now). Raises TradeNotSent or TradeLost for a TRADE,
        QuestionLost for anything else.
        """
        action = str(fields.get("action", ""))
        if action == TRADE:
            return await self._trade(fields, self.door.begin(order, epoch))
        answer = self._questions().get((action, str(fields.get("actionType") or "")))
        if answer is None:
            return {"error": True, "description": f"the package has no {action}"}
        try:
            return await self._call(lambda: answer(fields), action)
        except _FailedCallError as error:
            raise QuestionLost(f"{action}: {error}") from None

    def _questions(self) -> dict[tuple[str, str], Callable[[Mapping[str, object]], Reply]]:
        return {
            ("ACCOUNT", ""): self._account,
            ("BALANCE", ""): self._account,
            ("ORDERS", ""): self._orders,
            ("POSITIONS", ""): self._positions,
            ("HISTORY", "TRADES"): self._deals,
            ("CONFIG", ""): self._symbol,
        }

    async def _call(
        self, function: Callable[[], Answer], what: str, leaving: Leaving | None = None
    ) -> Answer:
        """Call in the thread, once nothing else is called; an order passes the door in that step.

        The lock is let go when the call has come back, however late that is. Raises what the call
        does, and the failures of `what`: TradeNotSent and TradeLost of a TRADE, else QuestionLost.
        """
        thread = self._thread
        if thread is None:
            raise not_sent(what, "the connection is not open", 0.0)
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._lock.acquire()
        except TimeoutError:
            raise not_sent(what, "an earlier call has not come back", self._timeout_s) from None
        closed = "" if leaving is None else self.door.why_kept_back(leaving)
        if closed or self._thread is not thread:
            self._lock.release()
            raise not_sent(what, closed or "the connection was closed", 0.0)
        call = asyncio.get_running_loop().run_in_executor(thread, function)
        call.add_done_callback(self._on_back)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(call)
        except TimeoutError:
            words = NoAnswer(f"the package did not answer within {self._timeout_s:g} s", True)
            raise lost(what, words) from None

    def _on_back(self, call: asyncio.Future[Any]) -> None:
        self._lock.release()
        if not call.cancelled():
            call.exception()  # whoever waited has heard of it, or has given up

    async def _last_error(self) -> tuple[int, str]:
        code, words = await self._call(self._package.last_error, "last_error")
        return int(code), str(words)

    def _given(self, answer: Any) -> Any:
        """An answer that is there. Raises _FailedCallError; to be called in the thread."""
        if answer is None:
            code, words = self._package.last_error()
            raise _FailedCallError(int(code), str(words))
        return answer

    # ---- questions, in the thread ----

    def _account(self, _: Mapping[str, object]) -> Reply:
        account = self._given(self._package.account_info())
        terminal = self._given(self._package.terminal_info())
        if account.margin_mode == _HEDGING:
            raise _FailedCallError(0, "a hedging account: a netting account is needed")
        return {
            "error": False,
            "broker": account.company,
            "currency": account.currency,
            "server": account.server,
            "trading_allowed": int(account.trade_allowed),
            "bot_trading": int(terminal.trade_allowed),
            "balance": exact(account.balance),
            "equity": exact(account.equity),
        }

    def _orders(self, _: Mapping[str, object]) -> Reply:
        found = [
            {
                "id": each.ticket,
                "magic": each.magic,
                "symbol": each.symbol,
                "type": _name(_ORDER_TYPES, each.type),
                "time_setup": each.time_setup,
                "open": exact(each.price_open),
                "volume": exact(each.volume_current),
                "comment": each.comment,
            }
            for each in self._given(self._package.orders_get())
        ]
        return {"error": False, "orders": found}

    def _positions(self, _: Mapping[str, object]) -> Reply:
        found = [
            {
                "id": each.ticket,
                "magic": each.magic,
                "symbol": each.symbol,
                "type": _name(_POSITION_TYPES, each.type),
                "open": exact(each.price_open),
                "volume": exact(each.volume),
                "comment": each.comment,
            }
            for each in self._given(self._package.positions_get())
        ]
        return {"error": False, "positions": found}

    def _deals(self, fields: Mapping[str, object]) -> Reply:
        from_s = int(str(fields.get("fromDate") or 0))
        to_s = self._clock.now_ns() // NS_PER_SECOND + _LATER_S
        found = [
            {
                "ticket": each.ticket,
                "order": each.order,
                "time": each.time,
                "price": exact(each.price),
                "volume": exact(each.volume),
                "symbol": each.symbol,
                "type": _name(_DEAL_TYPES, each.type),
                "entry": each.entry,
                "profit": exact(each.profit),
                "magic": each.magic,
                "comment": each.comment,
                "commission": exact(each.commission),
                "fee": exact(each.fee),
            }
            for each in self._given(self._package.history_deals_get(from_s, to_s))
        ]
        return {"error": False, "trades": found}

    def _symbol(self, fields: Mapping[str, object]) -> Reply:
        name = str(fields.get("symbol"))
        if not self._package.symbol_select(name, True):
            return {"error": True, "description": f"no symbol {name}"}
        return {"error": False}

    # ---- trades ----

    async def _trade(self, fields: Mapping[str, object], leaving: Leaving | None) -> Reply:
        kind = str(fields.get("actionType"))
        is_new = kind != "ORDER_CANCEL"
        if is_new and leaving is None:
            raise not_sent(TRADE, "no approved order comes with it", 0.0)

        def prepare() -> dict[str, object]:
            return self._new_order(kind, fields) if is_new else self._removal(fields)

        try:
            request = await self._call(prepare, "its request")
        except QuestionLost as error:
            raise not_sent(TRADE, str(error), self._timeout_s) from None
        except _FailedCallError as error:
            words = f"{error}: the symbol or its price cannot be had"
            raise not_sent(TRADE, words, self._timeout_s) from None

        def send() -> Reply:
            return self._result(self._given(self._package.order_send(request)))

        # A call of its own: nothing that takes time lies between the gate and the sending.
        try:
            return await self._call(send, TRADE, leaving)
        except _FailedCallError as error:
            if error.code in NEVER_LEFT:
                raise not_sent(TRADE, str(error), self._timeout_s) from None
            raise lost(TRADE, NoAnswer(str(error), True)) from None

    def _new_order(self, kind: str, fields: Mapping[str, object]) -> dict[str, object]:
        """A request structure; a market order has the price of this moment. In the thread."""
        package, symbol = self._package, str(fields["symbol"])
        is_market = kind in _ORDER_TYPES[:2]
        request: dict[str, object] = {
            "action": package.TRADE_ACTION_DEAL if is_market else package.TRADE_ACTION_PENDING,
            "symbol": symbol,
            "volume": _number(fields["volume"]),
            "type": getattr(package, kind),
            "magic": fields["magic"],
            "comment": fields["comment"],
            "type_time": package.ORDER_TIME_GTC,
            "type_filling": package.ORDER_FILLING_RETURN,
        }
        if is_market:
            tick = self._given(package.symbol_info_tick(symbol))
            request["price"] = tick.ask if kind == _ORDER_TYPES[0] else tick.bid
            request["type_filling"] = self._filling(symbol)
        else:
            request["price"] = _number(fields["price"])
        return request

    def _removal(self, fields: Mapping[str, object]) -> dict[str, object]:
        return {"action": self._package.TRADE_ACTION_REMOVE, "order": fields["id"]}

    def _filling(self, symbol: str) -> object:
        """How a market order in this symbol is filled: what its own mode allows."""
        modes = self._given(self._package.symbol_info(symbol)).filling_mode
        if modes & _IMMEDIATE_OR_CANCEL:
            return self._package.ORDER_FILLING_IOC
        if modes & _FILL_OR_KILL:
            return self._package.ORDER_FILLING_FOK
        return self._package.ORDER_FILLING_RETURN

    @staticmethod
    def _result(result: Any) -> Reply:
        """What became of a trade; the venue judges its return code."""
        return {
            "retcode": int(result.retcode),
            "deal": int(result.deal),
            "order": int(result.order),
            "volume": exact(result.volume),
            "price": exact(result.price),
            "description": str(result.comment),
            "request_id": int(result.request_id),
        }


def exact(number: float) -> Decimal:
    """A float by its shortest text: what was meant, where it was read from a decimal number."""
    return Decimal(repr(number))


def _number(value: object) -> float:
    """A number of a request, written digit for digit, as the package wants it."""
    return float(bytes(value)) if isinstance(value, msgspec.Raw) else float(str(value))


def _name(names: tuple[str, ...], number: int) -> str:
    """The name of a type; its number, which no reader knows, where there is none."""
    return names[number] if 0 <= number < len(names) else str(number)
