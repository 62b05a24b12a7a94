"""What the simulated terminal says when asked: account, positions, orders, deals, candles.

The shapes are those of the bridge. What is added to them (an order's or a deal's `comment`, a
deal's `order`, `magic` and `commission`) is what a client needs to recognise its own orders; a
client that does not know it passes over it. Numbers are written exactly, digit for digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.core.fixed import power_of_ten
from logos.core.instrument import Instrument
from logos.simulators.mt5.book import MONEY_DECIMALS, SimBook, SimDeal, SimOrder, money_text
from logos.simulators.mt5.market import PERIODS_S, TICK, Candle, SymbolMarket
from logos.simulators.mt5.wire import RETCODES, WRONG_ACTION, WRONG_VALUE, Request, RequestError

SERVER: Final = "logos-mt5-sim-Demo"
_LEVERAGE: Final = 100

Answer = dict[str, object]


def _json(text: str) -> msgspec.Raw:
    """Decimal text as a JSON number, digit for digit."""
    return msgspec.Raw(text.encode())


class Answers:
    """The questions of the protocol, answered from book and market."""

    def __init__(
        self, instruments: Mapping[str, Instrument], book: SimBook, markets: dict[str, SymbolMarket]
    ) -> None:
        self._instruments = instruments
        self._book = book
        self._markets = markets
        self.currency = next(iter(instruments.values())).quote

    def answer(self, request: Request) -> Answer:
        """The answer to one question. Raises RequestError for one that there is not."""
        answers: dict[str, Callable[[Request], Answer]] = {
            "CONFIG": self._config,
            "RESET": self._reset,
            "ACCOUNT": self._account,
            "BALANCE": self._balance,
            "POSITIONS": self._positions,
            "ORDERS": self._orders,
            "HISTORY": self._history,
        }
        answer = answers.get(request.action)
        if answer is None:
            raise RequestError(WRONG_ACTION, "Wrong action", request.comment)
        return {"error": False, **answer(request)}

    def _market(self, request: Request) -> SymbolMarket:
        market = self._markets.get(request.symbol)
        if market is None:
            raise RequestError(WRONG_VALUE, "Symbol does not exist", request.comment)
        return market

    def _config(self, request: Request) -> Answer:
        market = self._market(request)
        if request.timeframe != TICK and request.timeframe not in PERIODS_S:
            raise RequestError(WRONG_VALUE, "Wrong chartTF", request.comment)
        if request.timeframe not in market.subscriptions:
            market.subscriptions.append(request.timeframe)
        return {"description": "ERR_SUCCESS", "function": "ScriptConfiguration"}

    def _reset(self, _: Request) -> Answer:
        for market in self._markets.values():
            market.subscriptions.clear()
        return {"description": "ERR_SUCCESS", "function": "ResetSubscriptions"}

    def _account(self, request: Request) -> Answer:
        return {
            "broker": "logos",
            "currency": self.currency,
            "server": SERVER,
            "trading_allowed": 1,
            "bot_trading": 1,
            **self._balance(request),
            "margin_level": _json(self._margin_level()),
            "time": self._time(),
        }

    def _margin_level(self) -> str:
        """Equity in percent of the margin; 0 while nothing binds any."""
        margin = self.margin()
        return f"{Decimal(self.equity() * 100) / margin:.2f}" if margin else "0.00"

    def _time(self) -> str:
        """When the latest price came, by the broker's clock, as newer forks write it."""
        last_ms = max(market.last_ms for market in self._markets.values())
        return datetime.fromtimestamp(last_ms // 1000, UTC).strftime("%Y.%m.%d %H:%M:%S")

    def equity(self) -> int:
        """Balance and open profit, in 10**-18 of the currency."""
        equity = self._book.balance
        for symbol, market in self._markets.items():
            equity += self._book.profit(symbol, market.bid_units, market.ask_units)
        return equity

    def _balance(self, _: Request) -> Answer:
        equity = self.equity()
        margin = self.margin()
        return {
            "balance": _json(money_text(self._book.balance)),
            "equity": _json(money_text(equity)),
            "margin": _json(money_text(margin)),
            "margin_free": _json(money_text(equity - margin)),
        }

    def margin(self) -> int:
        """What the positions bind, in 10**-18 of the currency."""
        total = 0
        for position in self._book.holdings.open():
            volume, symbol = abs(position.volume_units), position.symbol
            total += self.margin_of(symbol, volume, self._markets[symbol].ask_units)
        return total

    def margin_of(self, symbol: str, volume_units: int, price_units: int) -> int:
        """What a position of this size binds: a hundredth of its value, in whole 10**-18."""
        instrument = self._instruments[symbol]
        value = instrument.value(price_units, volume_units)
        return value * power_of_ten(MONEY_DECIMALS - instrument.value_decimals) // _LEVERAGE

    def _positions(self, _: Request) -> Answer:
        found = []
        for position in self._book.holdings.open():
            volume, symbol = position.volume_units, position.symbol
            average = position.average(self._instruments[symbol])
            found.append(
                {
                    "id": position.ticket,
                    "identifier": position.identifier,
                    "magic": position.magic,
                    "symbol": symbol,
                    "type": "POSITION_TYPE_BUY" if volume > 0 else "POSITION_TYPE_SELL",
                    "time_setup": position.time_s,
                    "open": _json(f"{average:.8f}"),
                    "stoploss": self.price(symbol, position.stop_loss_units),
                    "takeprofit": self.price(symbol, position.take_profit_units),
                    "volume": self.volume(symbol, abs(volume)),
                    "comment": position.comment,
                }
            )
        return {"positions": found}

    def _orders(self, _: Request) -> Answer:
        found = [
            {
                "id": str(order.ticket),
                "magic": order.magic,
                "symbol": order.symbol,
                "type": order.type,
                "time_setup": order.time_s,
                "open": self.price(order.symbol, order.price_units),
                "stoploss": self.price(order.symbol, order.stop_loss_units),
                "takeprofit": self.price(order.symbol, order.take_profit_units),
                "volume": self.volume(order.symbol, order.volume_units),
                "comment": order.comment,
            }
            for order in self._book.orders.values()
        ]
        return {"orders": found}

    def _history(self, request: Request) -> Answer:
        if request.action_type == "TRADES":
            deals = self._book.deals
            return {"trades": [self.deal(d) for d in deals if d.time_s >= request.from_s]}
        if request.action_type != "DATA":
            raise RequestError(WRONG_ACTION, "Wrong action type", request.comment)
        market = self._market(request)
        if request.timeframe == TICK:
            return self._ticks(request, market)
        if request.timeframe not in PERIODS_S:
            raise RequestError(WRONG_VALUE, "Wrong chartTF", request.comment)
        candles = market.candles(request.timeframe, request.from_s, request.to_s or 2**62)
        return {
            "symbol": request.symbol,
            "timeframe": request.timeframe,
            "data": [self.candle(request.symbol, candle) for candle in candles],
        }

    def _ticks(self, request: Request, market: SymbolMarket) -> Answer:
        """Prices one by one, as [milliseconds, bid, ask]."""
        symbol = request.symbol
        from_ms, to_ms = 1000 * request.from_s, 1000 * (request.to_s or 2**62)
        data = [
            [at_ms, self.price(symbol, bid), self.price(symbol, ask)]
            for at_ms, bid, ask in market.ticks
            if from_ms <= at_ms <= to_ms
        ]
        return {"symbol": symbol, "timeframe": TICK, "data": data}

    def deal(self, deal: SimDeal) -> Answer:
        """A deal as HISTORY TRADES lists it."""
        return {
            "ticket": deal.ticket,
            "time": deal.time_s,
            "price": self.price(deal.symbol, deal.price_units),
            "volume": self.volume(deal.symbol, deal.volume_units),
            "symbol": deal.symbol,
            "type": "buy" if deal.is_buy else "sell",
            "entry": deal.entry,
            "profit": _json(money_text(deal.profit)),
            "order": deal.order,
            "magic": deal.magic,
            "comment": deal.comment,
            "commission": _json(money_text(deal.commission)),
            "position": deal.position,
            "swap": _json(money_text(deal.swap)),
        }

    def price(self, symbol: str, units: int) -> msgspec.Raw:
        """A price as a JSON number."""
        return _json(self._instruments[symbol].price_text(units))

    def volume(self, symbol: str, units: int) -> msgspec.Raw:
        """A volume in lots as a JSON number."""
        return _json(self._instruments[symbol].quantity_text(units))

    def candle(self, symbol: str, candle: Candle) -> list[object]:
        """A candle as the bridge lists it."""
        prices = (candle.open_units, candle.high_units, candle.low_units, candle.close_units)
        return [
            candle.opened_s,
            *(self.price(symbol, price) for price in prices),
            _json(f"{candle.ticks}.0"),
        ]

    def result(self, order: SimOrder, retcode: int, deal: SimDeal | None) -> Answer:
        """What became of a trade request."""
        market = self._markets[order.symbol]
        volume = order.volume_units if deal is None else deal.volume_units
        price = order.price_units if deal is None else deal.price_units
        return {
            "retcode": retcode,
            "deal": 0 if deal is None else deal.ticket,
            "order": order.ticket,
            "volume": self.volume(order.symbol, volume),
            "price": self.price(order.symbol, price),
            "bid": self.price(order.symbol, market.bid_units),
            "ask": self.price(order.symbol, market.ask_units),
        }

    def transaction(
        self, action: str, order: SimOrder, retcode: int, deal: SimDeal | None, request_id: int
    ) -> Answer:
        """One trade transaction, as the streaming port tells it."""
        result: dict[str, Any] = self.result(order, retcode, deal)
        request = {
            "action": action,
            "order": order.ticket,
            "symbol": order.symbol,
            "volume": self.volume(order.symbol, order.volume_units),
            "price": self.price(order.symbol, order.price_units),
            "stoplimit": 0,
            "sl": self.price(order.symbol, order.stop_loss_units),
            "tp": self.price(order.symbol, order.take_profit_units),
            "deviation": 0,
            "type": order.type,
            "type_filling": "ORDER_FILLING_IOC",
            "type_time": "ORDER_TIME_GTC",
            "expiration": 0,
            "comment": order.comment,
            "position": 0,
            "position_by": 0,
            "magic": order.magic,
        }
        words = {"result": RETCODES[retcode], "comment": order.comment, "retcode_external": 0}
        reply = {**result, **words, "request_id": request_id}
        return {"request": request, "reply": reply}


def live_frame(symbol: str, timeframe: str, data: list[Any]) -> dict[str, object]:
    """A candle or price for the live port."""
    return {"status": "CONNECTED", "symbol": symbol, "timeframe": timeframe, "data": data}
