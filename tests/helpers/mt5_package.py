"""A stand-in for MetaQuotes' `MetaTrader5` package, over the simulated terminal's books.

Functions, arguments, named tuples and codes are those of MetaQuotes' documentation, a page each:
https://www.mql5.com/en/docs/python_metatrader5 (mt5initialize_py, mt5lasterror_py,
mt5accountinfo_py, mt5terminalinfo_py, mt5symbolinfo_py, mt5symbolinfotick_py, mt5symbolselect_py,
mt5ordersget_py, mt5positionsget_py, mt5historydealsget_py, mt5historyordersget_py,
mt5ordercheck_py, mt5ordersend_py, mt5copyticksfrom_py). A function that fails returns None (or
False) and leaves a code and words for `last_error`. Numbers with a fraction are floats.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mt5_helpers import Record, coin

from logos.simulators.mt5.book import SimBook
from logos.simulators.mt5.faults import Fate, FaultPlan
from logos.simulators.mt5.terminal import Terminal
from logos.simulators.mt5.wire import Request

AccountInfo = namedtuple(
    "AccountInfo",
    "login trade_mode margin_mode trade_allowed balance equity currency server company",
)
TerminalInfo = namedtuple("TerminalInfo", "connected trade_allowed build")
SymbolInfo = namedtuple("SymbolInfo", "name visible digits volume_min volume_step filling_mode")
Tick = namedtuple("Tick", "time bid ask last volume time_msc flags volume_real")
TradeOrder = namedtuple(
    "TradeOrder",
    "ticket time_setup type state magic volume_initial volume_current price_open sl tp symbol "
    "comment",
)
TradePosition = namedtuple(
    "TradePosition",
    "ticket time type magic identifier volume price_open sl tp profit symbol comment",
)
TradeDeal = namedtuple(
    "TradeDeal",
    "ticket order time time_msc type entry magic position_id reason volume price commission swap "
    "profit fee symbol comment external_id",
)
OrderSendResult = namedtuple(
    "OrderSendResult",
    "retcode deal order volume price bid ask comment request_id retcode_external request",
)

_TYPES = (
    "ORDER_TYPE_BUY",
    "ORDER_TYPE_SELL",
    "ORDER_TYPE_BUY_LIMIT",
    "ORDER_TYPE_SELL_LIMIT",
    "ORDER_TYPE_BUY_STOP",
    "ORDER_TYPE_SELL_STOP",
)
_FIELDS = {"action", "symbol", "volume", "type", "price", "magic", "comment", "type_time",
           "type_filling", "order", "position", "sl", "tp", "deviation"}  # fmt: skip
_FIGURES = ("volume", "price")
TIMEOUT, SEND_FAILED, NO_CONNECTION = -10005, -10001, -10004


class Package:
    """The module. `symbol` is the only one; `now_s` is the broker's clock."""

    TRADE_ACTION_DEAL, TRADE_ACTION_PENDING, TRADE_ACTION_REMOVE = 1, 5, 8
    ORDER_TYPE_BUY, ORDER_TYPE_SELL = 0, 1
    ORDER_TYPE_BUY_LIMIT, ORDER_TYPE_SELL_LIMIT = 2, 3
    ORDER_TYPE_BUY_STOP, ORDER_TYPE_SELL_STOP = 4, 5
    ORDER_FILLING_FOK, ORDER_FILLING_IOC, ORDER_FILLING_RETURN = 0, 1, 2
    ORDER_TIME_GTC = 0

    def __init__(self, now_s: Callable[[], int], symbol: str = "BTCUSD.s") -> None:
        self.audit: list[Record] = []
        self.instrument = coin(symbol)
        self.symbol = symbol
        self.now_s = now_s
        known = {symbol: self.instrument}
        self.book = SimBook(known, "100000", {}, self._note)
        self.terminal = Terminal(
            known, self.book, self._note, lambda: 1000 * now_s(), lambda _: None, lambda _: None
        )
        self.terminal.price(symbol, 10_000, 10_010)
        self.faults = FaultPlan()
        self.filling_mode = 2
        self.margin_mode = 0
        self.is_open = False
        self.sent: list[dict[str, Any]] = []
        self.fails_with = 0
        """What every function fails with now; 0: none does."""
        self.loses_trades = 0
        """What `order_send` fails with, and whether it had carried the request out."""
        self.carries_out = True
        self.blocks: Callable[[], object] = lambda: None
        """Called by every function first: a test may let it wait."""
        self._error = (1, "Success")

    def _note(self, record: Mapping[str, object]) -> None:
        self.audit.append(dict(record))

    def _fail(self, code: int = 0) -> None:
        self._error = (code or self.fails_with, f"failure {code or self.fails_with}")

    def _is_down(self) -> bool:
        self.blocks()
        if not self.is_open:
            self._fail(NO_CONNECTION)
            return True
        if self.fails_with:
            self._fail()
            return True
        self._error = (1, "Success")
        return False

    # ---- the connection ----

    def initialize(self, path: str = "") -> bool:
        if self.fails_with:
            self._fail()
            return False
        self.is_open = True
        return True

    def shutdown(self) -> None:
        self.is_open = False

    def last_error(self) -> tuple[int, str]:
        return self._error

    def terminal_info(self) -> Any:
        return None if self._is_down() else TerminalInfo(True, True, 4150)

    def account_info(self) -> Any:
        if self._is_down():
            return None
        balance = float(Decimal(self.book.balance).scaleb(-18))
        return AccountInfo(
            25115284,
            0,
            self.margin_mode,
            True,
            balance,
            balance,
            "USD",
            "logos-mt5-sim-Demo",
            "logos",
        )

    # ---- symbols ----

    def symbol_select(self, symbol: str, enable: bool = True) -> bool:
        return not self._is_down() and symbol == self.symbol

    def symbol_info(self, symbol: str) -> Any:
        if self._is_down() or symbol != self.symbol:
            return None
        return SymbolInfo(symbol, True, 2, 0.01, 0.01, self.filling_mode)

    def symbol_info_tick(self, symbol: str) -> Any:
        if self._is_down() or symbol != self.symbol:
            return None
        market = self.terminal.markets[symbol]
        bid, ask = market.bid_units / 100, market.ask_units / 100
        return Tick(self.now_s(), bid, ask, 0.0, 0, 1000 * self.now_s(), 6, 0.0)

    # ---- what there is ----

    def orders_get(self) -> Any:
        if self._is_down():
            return None
        return tuple(
            TradeOrder(
                each.ticket, each.time_s, _TYPES.index(each.type), 1, each.magic,
                each.volume_units / 100, each.volume_units / 100, each.price_units / 100, 0.0, 0.0,
                each.symbol, each.comment,
            )
            for each in self.book.orders.values()
        )  # fmt: skip

    def positions_get(self) -> Any:
        if self._is_down():
            return None
        position = self.book.positions[self.symbol]
        volume = position.volume_units
        if not volume:
            return ()
        price = float(position.average(self.instrument))
        return (
            TradePosition(
                position.ticket, position.time_s, 0 if volume > 0 else 1, position.magic,
                position.ticket, abs(volume) / 100, price, 0.0, 0.0, 0.0, self.symbol,
                position.comment,
            ),
        )  # fmt: skip

    def history_deals_get(self, date_from: int, date_to: int) -> Any:
        if self._is_down():
            return None
        return tuple(
            TradeDeal(
                each.ticket, each.order, each.time_s, 1000 * each.time_s, 0 if each.is_buy else 1,
                each.entry, each.magic, each.order, 3, each.volume_units / 100,
                each.price_units / 100, float(Decimal(each.commission).scaleb(-18)), 0.0,
                float(Decimal(each.profit).scaleb(-18)), 0.0, each.symbol, each.comment, "",
            )
            for each in self.book.deals
            if date_from <= each.time_s <= date_to
        )  # fmt: skip

    # ---- trades ----

    def order_send(self, request: dict[str, Any]) -> Any:
        if self._is_down():
            return None
        if set(request) - _FIELDS or len(str(request.get("comment", ""))) > 31:
            self._fail(-2)
            return None
        self.sent.append(request)
        if self.loses_trades and not self.carries_out:
            self._fail(self.loses_trades)
            return None
        retcodes = list(self.faults.retcodes)
        fate = Fate("", retcodes[0] if retcodes else 0, self.faults.partial > 0)
        told = self.terminal.attempt(self._wire(request), fate)
        if self.loses_trades:
            self._fail(self.loses_trades)
            return None
        volume, price = (_float(told[name]) for name in ("volume", "price"))
        return OrderSendResult(
            told["retcode"], told["deal"], told["order"], volume, price, 0.0, 0.0,
            "Request executed", len(self.sent), 0, request,
        )  # fmt: skip

    def _wire(self, request: dict[str, Any]) -> Request:
        is_removal = request["action"] == self.TRADE_ACTION_REMOVE
        kind = "ORDER_CANCEL" if is_removal else _TYPES[request["type"]]
        volume, price = (
            Decimal(repr(request[name])) if name in request else None
            for name in ("volume", "price")
        )
        return Request(
            "TRADE", kind, request.get("symbol", ""), "", 0, 0, request.get("order", 0),
            request.get("magic", 0), volume, price, None, None, 0, 0,
            request.get("comment", ""),
        )  # fmt: skip


def _float(number: Any) -> float:
    """A number as the package gives it: it is written digit for digit in the simulator."""
    return float(number) if isinstance(number, int) else float(bytes(number))
