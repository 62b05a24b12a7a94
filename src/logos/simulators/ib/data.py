"""The market data of the simulated gateway: quotes, trades one by one, bars of the past.

Layouts: `Client.reqMktData`, `reqHistoricalData`, `reqTickByTickData`, `reqRealTimeBars` and
`Decoder.historicalData`, `tickByTick` of ib-api-reloaded/ib_async (`ib_async/client.py`,
`ib_async/decoder.py`, server version 178). What is told without a subscription: delayed quotes
(interactivebrokers.github.io/tws-api/market_data_type.html, `delayed_data.html`: "historical data
still requires market data subscriptions"); the no to trades one by one (10189) as recorded by
ThomasMarcelis/ibkr-go (`api_tick_by_tick_entitlement_errors_aapl.txt`), that to bars (162) in
erdewit/ib_insync issue 461, "no data" in its issue 550. Spellings of a bar's time: seconds for
`formatDate` 2 (ibapi's `encoders.rs`), a zone's time for 1 (ibkr-go,
`grounded_historical_bars.txt`). The bar that is under way is the last of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple

from logos.simulators.ib import answers
from logos.simulators.ib.answers import DELAYED, LIVE, contract_of
from logos.simulators.ib.book import clock_text, plain
from logos.simulators.ib.codes import error
from logos.simulators.ib.contracts import CONTRACT_FIELDS, Listing, Quote
from logos.simulators.ib.seat import Seat

_NS: Final = 1_000_000_000
_SIZES: Final = {
    **{f"{count} min{'s' * (count > 1)}": 60 * count for count in (1, 2, 3, 5, 10, 15, 20, 30)},
    **{f"{count} hour{'s' * (count > 1)}": 3600 * count for count in (1, 2, 3, 4, 8)},
}
"""Sizes of bars by their names: interactivebrokers.github.io/tws-api/historical_bars.html."""
_DURATIONS: Final = {"S": 1, "D": 86_400, "W": 7 * 86_400}
_DURATION: Final = re.compile(r"(\d+) ([SDW])", re.ASCII)
_TICK_KINDS: Final = {"Last": 1, "AllLast": 2}


class Print(NamedTuple):
    """One trade of the market."""

    ts_ns: int
    price: Decimal
    size: Decimal


class DataDesk:
    """Answers for the market data of one gateway. `quotes` is the market by contract."""

    def __init__(
        self,
        listings: Sequence[Listing],
        quotes: Mapping[int, Quote],
        seats: Sequence[Seat],
        now_ns: Callable[[], int],
    ) -> None:
        self._listings = listings
        self._quotes = quotes
        self._seats = seats
        self._now_ns = now_ns
        self.subscribed: set[int] = {each.con_id for each in listings}
        self.prints: dict[int, list[Print]] = {each.con_id: [] for each in listings}
        """What was traded, oldest first, by contract."""
        self.words_next = ""
        """With what the next question for bars fails (162)."""

    # ---- the market moves ----

    def show(self, listing: Listing, quote: Quote) -> None:
        """Tell a quote to whoever listens."""
        for seat in self._seats:
            for request_id, (subscribed, kind) in seat.subscriptions.items():
                if subscribed is listing:
                    seat.say(*answers.ticks(request_id, listing, quote, kind, self._now_ns()))

    def trade(self, listing: Listing, price: str, size: str) -> None:
        """Something is traded now."""
        done = Print(self._now_ns(), Decimal(price), Decimal(size))
        self.prints[listing.con_id].append(done)
        quote = self._quotes.get(listing.con_id)
        if quote is not None:
            quote.last, quote.last_size = done.price, done.size
            self.show(listing, quote)
        for seat in self._seats:
            for request_id, (subscribed, kind) in seat.tapes.items():
                if subscribed is listing:
                    cells = [done.ts_ns // _NS, plain(done.price), plain(done.size)]
                    seat.say([99, request_id, kind, *cells, 0, listing.primary_exchange, ""])

    def correct(self, listing: Listing, number: int, price: str) -> None:
        """A trade is told with another price from now on; its bars with it."""
        prints = self.prints[listing.con_id]
        prints[number] = prints[number]._replace(price=Decimal(price))

    def bar(self, symbol: str, *cells: object) -> None:
        """A five-second bar of a symbol: time, open, high, low, close, volume, average, count."""
        for seat in self._seats:
            for request_id, listing in seat.bars.items():
                if listing.symbol == symbol:
                    seat.say([50, 3, request_id, *cells])

    # ---- requests ----

    def market_data(self, seat: Seat, row: list[str]) -> None:
        """reqMktData."""
        request_id, listing = row[1], self._listed(row[2:])
        if listing is None:
            seat.say(error(request_id, 200))
            return
        kind = LIVE if listing.con_id in self.subscribed else seat.data_kind
        if listing.con_id not in self.subscribed:
            if kind < DELAYED:
                seat.say(error(request_id, 354))
                return
            seat.say(error(request_id, 10167))
        seat.subscriptions[request_id] = (listing, kind)
        quote = self._quotes.get(listing.con_id)
        if quote is not None:
            seat.say(*answers.ticks(request_id, listing, quote, kind, self._now_ns()))

    def tick_by_tick(self, seat: Seat, row: list[str]) -> None:
        """reqTickByTickData, of trades."""
        request_id, listing = row[1], self._listed(row[2:])
        kind = _TICK_KINDS.get(row[2 + len(CONTRACT_FIELDS)])
        if kind is None:
            seat.say(error(request_id, 320, "only trades are simulated one by one"))
        elif listing is None:
            seat.say(error(request_id, 200))
        elif listing.con_id not in self.subscribed:
            where = f"{listing.primary_exchange} {listing.sec_type}"
            seat.say(error(request_id, 10189, where))
        else:
            seat.tapes[request_id] = (listing, kind)

    def five_seconds(self, seat: Seat, row: list[str]) -> None:
        """reqRealTimeBars."""
        listing = self._listed(row[2:])
        if listing is None:
            seat.say(error(row[1], 200))
        else:
            seat.bars[row[1]] = listing

    def history(self, seat: Seat, row: list[str]) -> None:
        """reqHistoricalData, of trades."""
        request_id, listing = row[1], self._listed(row[2:])
        terms = row[2 + len(CONTRACT_FIELDS) :]
        _expired, end, size, duration, _regular, what, date_kind, goes_on, _options = terms
        length = _DURATION.fullmatch(duration)
        if listing is None:
            seat.say(error(request_id, 200))
        elif length is None or size not in _SIZES or what != "TRADES" or goes_on != "0":
            seat.say(error(request_id, 320, f"{size!r} {duration!r} {what!r} is not simulated"))
        elif self.words_next:
            words, self.words_next = self.words_next, ""
            seat.say(error(request_id, 162, words))
        elif listing.con_id not in self.subscribed:
            where = f"{listing.primary_exchange} {listing.sec_type}"
            seat.say(error(request_id, 162, f"No market data permissions for {where}"))
        else:
            until_ns = self._end_ns(end)
            since_ns = until_ns - int(length[1]) * _DURATIONS[length[2]] * _NS
            span_ns = _SIZES[size] * _NS
            bars = list(self._bars(listing, since_ns, until_ns, span_ns, date_kind))
            name = f"{listing.symbol}@{listing.exchange} Trades"
            seat.say(*answers.historical_bars(request_id, bars, name))

    def _end_ns(self, text: str) -> int:
        """The end of a question for bars: now, or a moment in UTC (`yyyymmdd-hh:mm:ss`)."""
        if not text:
            return self._now_ns()
        moment = datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
        return int(moment.timestamp()) * _NS

    def _bars(
        self, listing: Listing, since_ns: int, until_ns: int, span_ns: int, date_kind: str
    ) -> Iterator[list[object]]:
        within = [each for each in self.prints[listing.con_id] if since_ns <= each.ts_ns < until_ns]
        for opened_ns, group in groupby(within, lambda each: each.ts_ns // span_ns * span_ns):
            trades = list(group)
            prices = [each.price for each in trades]
            volume = sum((each.size for each in trades), Decimal(0))
            money = sum((each.size * each.price for each in trades), Decimal(0))
            figures = (prices[0], max(prices), min(prices), prices[-1], volume, money / volume)
            is_number = date_kind == "2"
            when = opened_ns // _NS if is_number else clock_text(opened_ns, "US/Eastern")
            yield [when, *map(plain, figures), len(trades)]

    def _listed(self, fields: list[str]) -> Listing | None:
        asked = contract_of(fields)
        return next((each for each in self._listings if each.answers(asked)), None)
