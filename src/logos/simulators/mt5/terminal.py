"""What the simulated terminal does with a request: the protocol's actions over book and market.

No sockets here. `handle` carries one request out and returns the answer for the data port;
`price` moves the market, fills what it reaches and closes candles. What else happens (trade
transactions, candles) goes to the two callbacks. Every request, order, deal and refusal is audited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from logos.core.instrument import Instrument
from logos.simulators.mt5.answers import Answer, Answers, live_frame
from logos.simulators.mt5.book import Audit, SimBook, SimDeal, SimOrder
from logos.simulators.mt5.faults import Fate
from logos.simulators.mt5.holdings import SimPosition
from logos.simulators.mt5.market import TICK, Candle, SymbolMarket
from logos.simulators.mt5.wire import (
    ACTION_TYPES,
    CLOSE_VOLUME,
    DONE,
    INVALID,
    INVALID_ORDER,
    INVALID_PRICE,
    INVALID_STOPS,
    MARKET_TYPES,
    NO_CONNECTION,
    NO_MONEY,
    PARTIAL,
    PENDING_TYPES,
    POSITION_CLOSED,
    PRICE_OFF,
    RETCODES,
    WRONG_ACTION,
    Request,
    RequestError,
    TradeRefusedError,
    price_units,
    volume_units,
)

Push = Callable[[Mapping[str, object]], None]


class Terminal:
    """One terminal with one account in one currency, in which every symbol must be quoted."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        book: SimBook,
        audit: Audit,
        now_ms: Callable[[], int],
        push_live: Push,
        push_transaction: Push,
    ) -> None:
        self.instruments = dict(instruments)
        self.book = book
        self.markets = {symbol: SymbolMarket(each) for symbol, each in instruments.items()}
        self._answers = Answers(self.instruments, book, self.markets)
        self.is_connected = True
        """Whether the terminal is connected to its broker."""
        self._audit = audit
        self._now_ms = now_ms
        self._push_live = push_live
        self._push_transaction = push_transaction
        self.tells_deals = False  # in transactions, as logos' own Expert Advisor does
        self._request_id = 0

    def _now_s(self) -> int:
        return self._now_ms() // 1000

    @property
    def currency(self) -> str:
        """The account's currency."""
        return self._answers.currency

    def equity(self) -> int:
        """Balance and open profit, in 10**-18 of the account's currency."""
        return self._answers.equity()

    def margin(self) -> int:
        """What the positions bind, in 10**-18 of the account's currency."""
        return self._answers.margin()

    # ---- requests ----

    def handle(self, request: Request, fate: Fate) -> Answer:
        """Carry out one request. Raises RequestError for one that is none."""
        if request.action == "TRADE":
            return self._trade(request, fate)
        return self._answers.answer(request)

    # ---- trading ----

    def _trade(self, request: Request, fate: Fate) -> Answer:
        result = self.attempt(request, fate)
        retcode = result["retcode"]
        assert isinstance(retcode, int)
        is_error = retcode not in (DONE, PARTIAL)
        name = RETCODES[retcode]
        answer = {
            "error": is_error,
            **result,
            "result": name,
            "comment": "Request executed",
            "request_id": self._request_id,
        }
        if is_error:
            # The bridge itself has spelled it both ways, and its clients read either.
            answer |= {"description": name, "desription": name, "function": "TradingModule"}
        return answer

    def attempt(self, request: Request, fate: Fate) -> Answer:
        """What the broker says to a trade: its return code, and deal, order, volume and price.

        Raises RequestError for an action type that there is not.
        """
        self._request_id += 1
        try:
            if request.action_type not in ACTION_TYPES:
                raise RequestError(WRONG_ACTION, "Wrong action type", request.comment)
            if not self.is_connected:
                raise TradeRefusedError(NO_CONNECTION)
            if fate.retcode:
                raise TradeRefusedError(fate.retcode)
            return self._carry_out(request, fate)
        except TradeRefusedError as refusal:
            self._audit(
                {"kind": "refused", "client_id": request.comment, "retcode": refusal.retcode}
            )
            return {"retcode": refusal.retcode, "deal": 0, "order": 0, "volume": 0, "price": 0}

    def _carry_out(self, request: Request, fate: Fate) -> Answer:
        if request.action_type in MARKET_TYPES:
            return self._open_market(request, fate)
        if request.action_type in PENDING_TYPES:
            return self._open_pending(request)
        if request.action_type == "ORDER_CANCEL":
            return self._cancel(request)
        if request.action_type == "ORDER_MODIFY":
            return self._modify(request)
        return self._position_action(request, fate)

    def _open_market(self, request: Request, fate: Fate) -> Answer:
        market = self._priced(request.symbol)
        volume = volume_units(self.instruments[request.symbol], request.volume)
        done = _done(volume, market.instrument.lot, fate)
        return self._deal_now(request, request.action_type, volume, done)

    def _deal_now(
        self, request: Request, type: str, volume: int, done: int, position: int = 0
    ) -> Answer:
        market = self.markets[request.symbol]
        is_buy = type == "ORDER_TYPE_BUY"
        price = market.ask_units if is_buy else market.bid_units
        if not position:
            self._check_money(request.symbol, volume if is_buy else -volume, price)
        stops = self._stops(request, is_buy, price)
        order = self.book.take_order(
            request.symbol,
            type,
            volume,
            price,
            (*stops, position),
            request.magic,
            request.comment,
            self._now_s(),
        )
        deal = self.book.fill(order, done, price, self._now_s())
        retcode = DONE if done == volume else PARTIAL
        self._tell("TRADE_ACTION_DEAL", order, retcode, deal)
        return self._answers.result(order, retcode, deal)

    def _open_pending(self, request: Request) -> Answer:
        market = self._priced(request.symbol)
        volume = volume_units(self.instruments[request.symbol], request.volume)
        price = price_units(self.instruments[request.symbol], request.price)
        type = request.action_type
        is_buy = type.startswith("ORDER_TYPE_BUY")
        against = market.ask_units if is_buy else market.bid_units
        # A buy limit waits below the market, a buy stop above it; sells the other way round.
        wants_below = is_buy == type.endswith("_LIMIT")
        if (price < against) != wants_below or price == against:
            raise TradeRefusedError(INVALID_PRICE)
        stops = self._stops(request, is_buy, price)
        order = self.book.take_order(
            request.symbol,
            type,
            volume,
            price,
            stops,
            request.magic,
            request.comment,
            self._now_s(),
        )
        self._tell("TRADE_ACTION_PENDING", order, DONE, None)
        return self._answers.result(order, DONE, None)

    def _cancel(self, request: Request) -> Answer:
        order = self._pending(request)
        self.book.remove(order.ticket, "cancelled")
        self._tell("TRADE_ACTION_REMOVE", order, DONE, None)
        return self._answers.result(order, DONE, None)

    def _modify(self, request: Request) -> Answer:
        order = self._pending(request)
        price = price_units(self.instruments[order.symbol], request.price)
        self._audit({"kind": "modified", "ticket": order.ticket, "price_units": price})
        order.price_units = price
        self._tell("TRADE_ACTION_MODIFY", order, DONE, None)
        return self._answers.result(order, DONE, None)

    def _pending(self, request: Request) -> SimOrder:
        order = self.book.orders.get(request.id)
        if order is None:
            raise TradeRefusedError(INVALID_ORDER)
        return order

    def _position_action(self, request: Request, fate: Fate) -> Answer:
        position = self._position(request)
        symbol, held = position.symbol, position.volume_units
        if request.action_type == "POSITION_MODIFY":
            stops = self._stops_of(symbol, request, held > 0, self._closing_price(symbol, held))
            position.stop_loss_units, position.take_profit_units = stops
            return {"retcode": DONE, "deal": 0, "order": 0, "volume": 0, "price": 0}
        volume = abs(held)
        if request.action_type == "POSITION_PARTIAL":
            volume = volume_units(self.instruments[symbol], request.volume)
            if volume > abs(held):
                raise TradeRefusedError(CLOSE_VOLUME)
        closing = msgspec.structs.replace(request, symbol=symbol, stop_loss=None, take_profit=None)
        type = "ORDER_TYPE_SELL" if held > 0 else "ORDER_TYPE_BUY"
        done = _done(volume, self.instruments[symbol].lot, fate)
        return self._deal_now(closing, type, volume, done, position.identifier)

    def _position(self, request: Request) -> SimPosition:
        """The position that a request names, by its ticket or, the first of them, its symbol."""
        for position in self.book.holdings.open():
            wanted = position.symbol == request.symbol
            if request.action_type != "POSITION_CLOSE_SYMBOL":
                wanted = position.ticket == request.id
            if wanted:
                self._priced(position.symbol)
                return position
        raise TradeRefusedError(POSITION_CLOSED)

    def _tell(self, action: str, order: SimOrder, retcode: int, deal: SimDeal | None) -> None:
        """One trade transaction on the streaming port."""
        transaction = self._answers.transaction(action, order, retcode, deal, self._request_id)
        if deal is not None and self.tells_deals:
            transaction["deal"] = {**self._answers.deal(deal), "fee": 0}
        self._push_transaction(transaction)

    def by_hand(
        self,
        symbol: str,
        is_buy: bool,
        volume_units: int,
        closes: SimPosition | None = None,
        comment: str = "",
    ) -> None:
        """Somebody trades in the terminal itself: no comment, no magic, nobody asked.

        With a `comment` it is the server that closes a position, for its stop or for lack of
        margin. That deal has the position's magic number here: MetaQuotes does not say which it
        has, and an Expert Advisor's own is harder to tell from an order's.
        """
        order = self.book.take_order(
            symbol,
            MARKET_TYPES[0 if is_buy else 1],
            volume_units,
            0,
            (0, 0, 0 if closes is None else closes.identifier),
            closes.magic if closes is not None and comment else 0,
            comment,
            self._now_s(),
        )
        market = self.markets[symbol]
        price = market.ask_units if is_buy else market.bid_units
        deal = self.book.fill(order, volume_units, price, self._now_s())
        self._tell("TRADE_ACTION_DEAL", order, DONE, deal)

    # ---- the market ----

    def price(self, symbol: str, bid_units: int, ask_units: int) -> None:
        """One price: pending orders and stops that it reaches are filled, candles close."""
        market = self.markets[symbol]
        closed = market.price(bid_units, ask_units, self._now_ms())
        for order in [o for o in self.book.orders.values() if o.symbol == symbol]:
            if order.is_reached(bid_units, ask_units):
                price = ask_units if order.is_buy else bid_units
                deal = self.book.fill(order, order.volume_units, price, self._now_s())
                self._tell("TRADE_ACTION_DEAL", order, DONE, deal)
        self._check_stops(symbol)
        for timeframe, candle in closed:
            self.push_candle(symbol, timeframe, candle)
        if TICK in market.subscriptions:
            prices = [
                self._answers.price(symbol, bid_units),
                self._answers.price(symbol, ask_units),
            ]
            data = [self._now_ms(), *prices]
            self._push_live(live_frame(symbol, TICK, data))

    def _check_stops(self, symbol: str) -> None:
        """Close positions whose stop loss or take profit the market has reached."""
        for position in self.book.holdings.open(symbol):
            stop, target = position.stop_loss_units, position.take_profit_units
            if not (stop or target):
                continue
            held = position.volume_units
            price = self._closing_price(symbol, held)
            sign = 1 if held > 0 else -1
            words = ""
            if stop and (price - stop) * sign <= 0:
                words = f"[sl {self.instruments[symbol].price_text(stop)}]"
            elif target and (price - target) * sign >= 0:
                words = f"[tp {self.instruments[symbol].price_text(target)}]"
            if words:
                self.by_hand(symbol, held < 0, abs(held), position, words)
                position.stop_loss_units = position.take_profit_units = 0

    def set_connected(self, is_connected: bool) -> None:
        """Lose the broker, or find it again: then the last closed candles come once more."""
        if is_connected == self.is_connected:
            return
        self.is_connected = is_connected
        self._audit({"kind": "broker", "connected": is_connected})
        if not is_connected:
            self._push_live({"status": "DISCONNECTED"})
            return
        for symbol, market in self.markets.items():
            for timeframe in market.subscriptions:
                candle = market.last_closed(timeframe) if timeframe != TICK else None
                if candle is not None:
                    self.push_candle(symbol, timeframe, candle)

    def push_candle(self, symbol: str, timeframe: str, candle: Candle) -> None:
        """Tell the client of a candle."""
        self._push_live(live_frame(symbol, timeframe, self._answers.candle(symbol, candle)))

    # ---- numbers ----

    def _priced(self, symbol: str) -> SymbolMarket:
        market = self.markets.get(symbol)
        if market is None:
            raise TradeRefusedError(INVALID)
        if not market.has_price:
            raise TradeRefusedError(PRICE_OFF)
        return market

    def _closing_price(self, symbol: str, held_units: int) -> int:
        market = self.markets[symbol]
        return market.bid_units if held_units > 0 else market.ask_units

    def _stops(self, request: Request, is_buy: bool, price_units: int) -> tuple[int, int]:
        return self._stops_of(request.symbol, request, is_buy, price_units)

    def _stops_of(
        self, symbol: str, request: Request, is_buy: bool, against_units: int
    ) -> tuple[int, int]:
        """Stop loss and take profit in units, each on its side of the price."""
        sign = 1 if is_buy else -1
        found = []
        for wanted, side in ((request.stop_loss, -1), (request.take_profit, 1)):
            if not wanted:
                found.append(0)
                continue
            units = price_units(self.instruments[symbol], wanted, INVALID_STOPS)
            if (units - against_units) * sign * side <= 0:
                raise TradeRefusedError(INVALID_STOPS)
            found.append(units)
        return found[0], found[1]

    def _check_money(self, symbol: str, signed_units: int, price_units: int) -> None:
        if self.book.holdings.is_hedging:
            increase = abs(signed_units)
        else:
            held = self.book.holdings.net_units(symbol)
            increase = abs(held + signed_units) - abs(held)
        if increase > 0:
            needed = self._answers.margin() + self._answers.margin_of(symbol, increase, price_units)
            if needed > self.book.balance:
                raise TradeRefusedError(NO_MONEY)


def _done(volume: int, lot: int, fate: Fate) -> int:
    """How much of an order at the market is done."""
    if fate.is_partial and volume >= 2 * lot:
        return max(lot, volume // 2 // lot * lot)
    return volume
