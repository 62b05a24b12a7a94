"""What the published Expert Advisor answers, row by row from its source.

Source: khramkov/MQL5-JSON-API at its last change (2021-03): K is `Experts/JsonAPI.mq5`, B
`Include/MQL5-JSON_API/Broker.mqh`, H `Include/MQL5-JSON_API/HistoryInfo.mqh`, J `Include/json.mqh`;
D and T are `Trade/DealInfo.mqh` and `Trade/Trade.mqh` of the MQL5 standard library. Nobody here has
run it: each answer below names the lines that it follows. docs/MT5.md has the table.

It is one thread: a timer event tells new prices, then reads one request and answers it (K 378-394).
Orders meet the same broker as in the simulator's own mode.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from logos.simulators.mt5.answers import SERVER
from logos.simulators.mt5.book import SimDeal
from logos.simulators.mt5.faults import Fate
from logos.simulators.mt5.holdings import SimPosition
from logos.simulators.mt5.market import TICK, Candle, SymbolMarket
from logos.simulators.mt5.mql_json import UNSET, Value, deserialize
from logos.simulators.mt5.published_words import (
    DAMAGED,
    DEAL_WORDS,
    ERR_DESERIALIZATION,
    ERR_NO_FILE,
    ERR_WRONG_ACTION,
    NO_ORDER,
    NO_POSITION,
    SUCCESS,
    UNKNOWN_SYMBOL,
    done_or_error,
    frame_of,
    money,
    read_request,
    timeframe_of,
    trade_answer,
    transaction,
)
from logos.simulators.mt5.terminal import Terminal
from logos.simulators.mt5.wire import ACTION_TYPES, Request

Frames = list[bytes]


class _Subscription(msgspec.Struct):
    """One entry of the list that CONFIG adds to; asking twice makes two (K 498-503)."""

    symbol: str
    timeframe: str
    last_bar: int = 0
    """The milliseconds or seconds of what was told last; 0: the next one is passed over (K 324)."""


class PublishedExpert:
    """The Expert Advisor over a terminal, without its sockets."""

    def __init__(
        self,
        terminal: Terminal,
        chart: str,
        note: Callable[[Request], None],
        push_live: Callable[[bytes], None],
    ) -> None:
        """`chart` is the symbol of its chart, `note` hears of each request before it is done, and
        `push_live` takes a frame for the live port."""
        self._terminal = terminal
        self._chart = chart
        self._note = note
        self._push_live = push_live
        self._subscriptions: list[_Subscription] = []
        self._was_connected = True
        self._request_id = 0
        self.streamed: Frames = []
        """Trade transactions, to be told once the timer event is over."""

    # ---- requests ----

    def before_ok(self, frame: bytes) -> Frames:
        """What is told before the OK: an error for what is no JSON (K 434-442)."""
        if deserialize(frame) is not None:
            return []
        return [done_or_error(ERR_DESERIALIZATION, "RequestHandler")]

    def answer(self, frame: bytes, fate: Fate) -> tuple[Frames, str]:
        """All frames of the data port that one request brings, and the symbol it is about."""
        fields = deserialize(frame) or {}
        request = read_request(fields)
        self._note(request)
        action = request.action
        if action == "CONFIG":
            frames = [self._config(request)]
        elif action == "ACCOUNT":
            frames = [self._account()]
        elif action == "BALANCE":
            frames = [frame_of(self._balance())]
        elif action == "HISTORY":
            frames = self._history(request)
        elif action == "TRADE":
            frames = self._trade(request, fate)
        elif action == "POSITIONS":
            frames = self._positions(fate)
        elif action == "ORDERS":
            frames = self._orders(fate)
        elif action == "RESET":
            self._subscriptions.clear()
            frames = [done_or_error(SUCCESS, "ResetSubscriptionsAndIndicators")]
        else:
            frames = [done_or_error(ERR_WRONG_ACTION, "RequestHandler")]
        return frames, request.symbol

    def _config(self, request: Request) -> bytes:
        """Always one entry more, for a symbol that there is not too (K 498-508)."""
        self._subscriptions.append(_Subscription(request.symbol, request.timeframe))
        error = SUCCESS if self._is_known(request.symbol) else UNKNOWN_SYMBOL
        return done_or_error(error, "ScriptConfiguration")

    def _is_known(self, symbol: str) -> bool:
        """Whether asking for the symbol leaves no error; none at all means the chart's."""
        return not symbol or symbol in self._terminal.markets

    def _account(self) -> bytes:
        terminal = self._terminal
        equity, margin = terminal.equity(), terminal.margin()
        level = Decimal(equity * 100) / margin if margin else Decimal(0)
        return frame_of(
            {
                "error": False,
                "broker": "logos",
                "currency": terminal.currency,
                "server": SERVER,
                "trading_allowed": 1,
                "bot_trading": 1,
                **self._balance(),
                "margin_level": level,
            }
        )

    def _balance(self) -> dict[str, Value]:
        """Without `error` (K 543-547)."""
        terminal = self._terminal
        equity, margin = terminal.equity(), terminal.margin()
        return {
            "balance": money(terminal.book.balance),
            "equity": money(equity),
            "margin": money(margin),
            "margin_free": money(equity - margin),
        }

    # ---- lists ----

    def _positions(self, fate: Fate) -> Frames:
        """The list, and before it an error for each entry that could not be read (B 20-51)."""
        errors: Frames = []
        entries: list[Value] = []
        firsts: dict[str, SimPosition] = {}
        for each in self._terminal.book.holdings.open():
            # Selected by symbol: on a hedging account the one with the lowest ticket, once for
            # each of them (B 29; MQL5 reference, PositionSelect).
            position = firsts.setdefault(each.symbol, each)
            if not fate.loses_entry:
                entries.append(self._position(position))
            if fate.is_damaged:
                code = NO_POSITION if fate.loses_entry else DAMAGED
                errors.append(done_or_error(code, "GetPositions"))
        if entries:
            return [*errors, frame_of({"error": False, "positions": entries})]
        # With entries that all could not be read nothing was set: an empty frame (B 47, J 440).
        return [*errors, b""] if errors else [frame_of({"positions": [UNSET]})]

    def _position(self, position: SimPosition) -> Value:
        symbol, volume = position.symbol, position.volume_units
        return {
            "id": position.ticket,
            "magic": position.magic,
            "symbol": symbol,
            "type": "POSITION_TYPE_BUY" if volume > 0 else "POSITION_TYPE_SELL",
            "time_setup": position.time_s,
            "open": position.average(self._terminal.instruments[symbol]),
            "stoploss": self._price(symbol, position.stop_loss_units),
            "takeprofit": self._price(symbol, position.take_profit_units),
            "volume": self._volume(symbol, abs(volume)),
        }

    def _orders(self, fate: Fate) -> Frames:
        errors: Frames = []
        entries: list[Value] = []
        for order in self._terminal.book.orders.values():
            if not fate.loses_entry:
                entries.append(
                    {
                        "id": str(order.ticket),
                        "magic": order.magic,
                        "symbol": order.symbol,
                        "type": order.type,
                        "time_setup": order.time_s,
                        "open": self._price(order.symbol, order.price_units),
                        "stoploss": self._price(order.symbol, order.stop_loss_units),
                        "takeprofit": self._price(order.symbol, order.take_profit_units),
                        "volume": self._volume(order.symbol, order.volume_units),
                    }
                )
            if fate.is_damaged:
                code = NO_ORDER if fate.loses_entry else DAMAGED
                errors.append(done_or_error(code, "GetOrders"))
        if entries or not errors:
            return [*errors, frame_of({"error": False, "orders": entries or [UNSET]})]
        return [*errors, b""]

    # ---- history ----

    def _history(self, request: Request) -> Frames:
        if request.action_type == "TRADES":
            return [self._deals()]
        if request.action_type == "WRITE":
            # There is no folder to write into (H 92-97, 147-151).
            return [done_or_error(ERR_NO_FILE, "HistoryInfo")]
        if request.action_type != "DATA":
            return [done_or_error(ERR_WRONG_ACTION, "HistoryInfo")]
        market = self._terminal.markets.get(request.symbol or self._chart)
        names: dict[str, Value] = {"symbol": request.symbol, "timeframe": request.timeframe}
        if market is None:
            # CopyRates gives -1, which is no 0: `data` is never set, and this is no JSON (H 236).
            return [frame_of({"data": UNSET, **names})]
        to_s = request.to_s or self._current_s()
        if request.timeframe == TICK:
            rows = [
                [at_ms, self._price(request.symbol, bid), self._price(request.symbol, ask)]
                for at_ms, bid, ask in market.ticks
                if request.from_s * 1000 <= at_ms <= to_s * 1000
            ]
        else:
            timeframe = timeframe_of(request.timeframe)
            candles = market.candles(timeframe, request.from_s, to_s)
            rows = [self._candle(market, candle) for candle in candles]
        return [frame_of({"data": rows or [UNSET], **names})]

    def _deals(self) -> bytes:
        """The whole history, up to the latest price's time, and what a deal says of itself
        (H 267-296). Without deals nothing was set: an empty frame."""
        until_s = self._current_s()
        found = [self._deal(d) for d in self._terminal.book.deals if d.time_s <= until_s]
        return frame_of({"trades": found}) if found else b""

    def _deal(self, deal: SimDeal) -> Value:
        return {
            "ticket": deal.ticket,
            "time": deal.time_s,
            "price": self._price(deal.symbol, deal.price_units),
            "volume": self._volume(deal.symbol, deal.volume_units),
            "symbol": deal.symbol,
            "type": DEAL_WORDS[deal.is_buy],
            "entry": deal.entry,
            "profit": money(deal.profit),
        }

    def _current_s(self) -> int:
        """TimeCurrent(): when the latest price of any symbol came."""
        return max(market.last_ms for market in self._terminal.markets.values()) // 1000

    def _candle(self, market: SymbolMarket, candle: Candle) -> list[Value]:
        """Seven columns, the last is the spread in points (H 240-246, K 334-340)."""
        symbol = market.instrument.symbol
        prices = (candle.open_units, candle.high_units, candle.low_units, candle.close_units)
        return [
            candle.opened_s,
            *(self._price(symbol, price) for price in prices),
            Decimal(candle.ticks),
            candle.spread_units,
        ]

    # ---- trading ----

    def _trade(self, request: Request, fate: Fate) -> Frames:
        """One frame, or two: an error does not end it (B 113, 253-258)."""
        frames: Frames = []
        if not self._is_known(request.symbol):
            frames.append(done_or_error(UNKNOWN_SYMBOL, "TradingModule"))
        if request.action_type not in ACTION_TYPES:
            frames.append(done_or_error(ERR_WRONG_ACTION, "TradingModule"))
            return [*frames, trade_answer({})]
        if frames and not request.id:
            # CTrade does not find the symbol and sends nothing: no return code (T, OrderTypeCheck).
            return [*frames, trade_answer({})]
        normal = self._closing(
            msgspec.structs.replace(request, price=self._normalized(request.price))
        )
        if normal is None:
            # Nothing was sent, so the result says nothing at all.
            return [*frames, trade_answer({})]
        result = self._terminal.attempt(normal, fate)
        self._request_id += 1
        self.streamed.append(transaction(normal, result, self._request_id))
        return [*frames, trade_answer(result)]

    def _closing(self, request: Request) -> Request | None:
        """A request as CTrade sends it; None where it sends none. What closes carries no comment; a
        part is closed on hedging accounts only, and at most what is held (T, PositionClose and
        PositionClosePartial)."""
        if not request.action_type.startswith(("POSITION_CLOSE", "POSITION_PARTIAL")):
            return request
        closing = msgspec.structs.replace(request, comment="")
        if request.action_type != "POSITION_PARTIAL":
            return closing
        holdings = self._terminal.book.holdings
        position = holdings.held_as(request.id)
        if not holdings.is_hedging or position is None:
            return None
        held = self._volume(position.symbol, abs(position.volume_units))
        return msgspec.structs.replace(closing, volume=min(held, request.volume or Decimal(0)))

    def _normalized(self, price: Decimal | None) -> Decimal | None:
        """A price with as many decimals as the CHART's symbol has (B 119)."""
        if price is None:
            return None
        step = Decimal(1).scaleb(-self._terminal.instruments[self._chart].price_decimals)
        return price.quantize(step, rounding=ROUND_HALF_UP)

    # ---- the timer ----

    def on_timer(self) -> None:
        """Tell what is new of each subscription (K 286-373)."""
        if not self._terminal.is_connected:
            if self._was_connected:
                self._push_live(frame_of({"status": "DISCONNECTED"}))
                self._was_connected = False
            return
        self._was_connected = True
        for each in self._subscriptions:
            market = self._terminal.markets.get(each.symbol or self._chart)
            if market is None:
                continue
            if each.timeframe == TICK:
                at, data = self._latest_tick(market)
            else:
                at, data = self._latest_candle(market, timeframe_of(each.timeframe))
            if at == each.last_bar:
                continue
            if each.last_bar:
                frame = {"status": "CONNECTED", "symbol": each.symbol, "timeframe": each.timeframe}
                self._push_live(frame_of({**frame, "data": data}))
            each.last_bar = at

    def _latest_tick(self, market: SymbolMarket) -> tuple[int, list[Value]]:
        symbol = market.instrument.symbol
        at_ms, bid, ask = market.ticks[-1]
        return at_ms, [at_ms, self._price(symbol, bid), self._price(symbol, ask)]

    def _latest_candle(self, market: SymbolMarket, timeframe: str) -> tuple[int, list[Value]]:
        candle = market.before_this(timeframe)
        return (0, []) if candle is None else (candle.opened_s, self._candle(market, candle))

    # ---- numbers ----

    def _price(self, symbol: str, units: int) -> Decimal:
        instrument = self._terminal.instruments[symbol or self._chart]
        return Decimal(instrument.price_text(units))

    def _volume(self, symbol: str, units: int) -> Decimal:
        return Decimal(self._terminal.instruments[symbol].quantity_text(units))
