"""The simulated gateway's answers to questions: accounts, contracts, market data.

Layouts: `Decoder` of ib-api-reloaded/ib_async (`ib_async/decoder.py`); kinds of ticks:
interactivebrokers.github.io/tws-api/tick_types.html; what is told without a subscription:
interactivebrokers.github.io/tws-api/market_data_type.html and `delayed_data.html`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from logos.simulators.ib.book import Book, plain
from logos.simulators.ib.codes import error
from logos.simulators.ib.contracts import CONTRACT_FIELDS, Listing, Quote

Messages = list[list[object]]

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
"""Kinds of market data."""

_TICKS: Final = {False: (1, 2, 4, 45), True: (66, 67, 68, 88)}
"""Bid, ask and last price, and the time of the last trade: live, and delayed."""
_SIZES: Final = {False: (0, 3, 5), True: (69, 70, 71)}
_NS: Final = 1_000_000_000


def contract_of(fields: list[str]) -> dict[str, str]:
    """The contract that a request names."""
    return dict(zip(CONTRACT_FIELDS, fields, strict=False))


def contract_details(request_id: str, found: Iterable[Listing]) -> Messages:
    """The details of these contracts, and the end of them; 200 where there is none."""
    rows = [each.details(request_id) for each in found]
    if not rows:
        return [error(request_id, 200)]
    return [*rows, [52, 1, request_id]]


def positions(book: Book, listings: Iterable[Listing]) -> Messages:
    """Everything held in every account, and the end of it."""
    by_id = {each.con_id: each for each in listings}
    rows: Messages = [
        [
            *(61, 3, account),
            *by_id[con_id].short(by_id[con_id].primary_exchange),
            plain(quantity),
            plain(cost, "0.0"),
        ]
        for (account, con_id), (quantity, cost) in book.positions.items()
        if quantity
    ]
    return [*rows, [62, 1]]


def account_summary(
    request_id: str, tags: str, cash: Mapping[str, Mapping[str, Decimal]]
) -> Messages:
    """The summary of every account: its cash by currency, where `$LEDGER:ALL` is asked for, and
    the total in its base currency (the first of `cash`), which stands there as BASE as well."""
    rows: Messages = []
    for account, amounts in cash.items():
        base, total = next(iter(amounts)), sum(amounts.values(), Decimal(0))
        head = [63, 1, request_id, account]
        if "$LEDGER" in tags:
            for currency, amount in [*amounts.items(), ("BASE", total)]:
                rows.append([*head, "CashBalance", f"{amount:.2f}", currency])
                rows.append([*head, "StockMarketValue", "0.00", currency])
        if "TotalCashValue" in tags:
            rows.append([*head, "TotalCashValue", f"{total:.2f}", base])
        if "AccountType" in tags:
            rows.append([*head, "AccountType", "INDIVIDUAL", ""])
    return [*rows, [64, 1, request_id]]


def ticks(request_id: str, listing: Listing, quote: Quote, kind: int, now_ns: int) -> Messages:
    """The market of a contract: price and size come as one message and again as a size alone."""
    is_delayed = kind in (DELAYED, DELAYED_FROZEN)
    bid, ask, last, moment = _TICKS[is_delayed]
    bid_size, ask_size, last_size = _SIZES[is_delayed]
    rows: Messages = [
        [58, 1, request_id, kind],
        [81, request_id, listing.min_tick, "9c0001", 3],
        [1, 6, request_id, bid, plain(quote.bid), plain(quote.bid_size), 1],
        [2, 6, request_id, bid_size, plain(quote.bid_size)],
        [1, 6, request_id, ask, plain(quote.ask), plain(quote.ask_size), 1],
        [2, 6, request_id, ask_size, plain(quote.ask_size)],
    ]
    if quote.last is not None:
        rows += [
            [46, 6, request_id, moment, now_ns // _NS],
            [1, 6, request_id, last, plain(quote.last), plain(quote.last_size), 0],
            [2, 6, request_id, last_size, plain(quote.last_size)],
        ]
    return rows


def historical_bars(request_id: str, bars: list[list[object]], name: str) -> Messages:
    """Bars: date, open, high, low, close, volume, average, count. None is an error, 162."""
    if not bars:
        return [error(request_id, 162, f"HMDS query returned no data: {name}")]
    cells = [cell for bar in bars for cell in bar]
    return [[17, request_id, str(bars[0][0]), str(bars[-1][0]), len(bars), *cells]]
