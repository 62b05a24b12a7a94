"""What stands in ccxt's answers about market data, and in their headers."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from logos.core.types import NS_PER_SECOND
from logos.feeds.sequence import RawTrade

NS_PER_MS: Final = 1_000_000


class Top(NamedTuple):
    """The best prices as told: figures are text or floats, None where there is no order."""

    bid: Any
    ask: Any
    bid_size: Any
    ask_size: Any
    ts_ns: int | None
    update_id: int | None


def raw_trade(row: Mapping[str, Any]) -> RawTrade:
    """One trade, figures as they came."""
    side = row["side"] or ""
    # Where the exchange has no ids, what the trade is has to stand for it.
    trade_id = row["id"] or f"{row['timestamp']}:{row['price']}:{row['amount']}:{side}"
    ts_ns = int(row["timestamp"]) * NS_PER_MS
    return RawTrade(str(trade_id), ts_ns, row["price"], row["amount"], side)


def top_of_book(book: Mapping[str, Any]) -> Top:
    """The best prices of an order book."""
    bid = book["bids"][0] if book["bids"] else (None, None)
    ask = book["asks"][0] if book["asks"] else (None, None)
    return Top(bid[0], ask[0], bid[1], ask[1], _time_of(book), book.get("nonce"))


def top_of_ticker(ticker: Mapping[str, Any]) -> Top:
    """The best prices of a ticker; it has no number."""
    sizes = ticker["bidVolume"], ticker["askVolume"]
    return Top(ticker["bid"], ticker["ask"], *sizes, _time_of(ticker), None)


def _time_of(row: Mapping[str, Any]) -> int | None:
    told_ms = row.get("timestamp")
    return None if told_ms is None else int(told_ms) * NS_PER_MS


def retry_after(headers: Mapping[str, str] | None) -> float:
    """Seconds of a Retry-After header; 0 without one (a date is not honoured)."""
    for name, value in (headers or {}).items():
        if name.lower() == "retry-after" and value.strip().isdigit():
            return float(value)
    return 0.0


def served_ns(headers: Mapping[str, str] | None) -> int:
    """When an answer was written, by its server's clock, in whole seconds; 0 where it does not say.

    `Date` is that moment (RFC 9110, 6.6.1). An answer that was kept in between tells its age as
    well (RFC 9111, 5.1), and was written that many seconds before some servers' `Date`.
    """
    told = {name.lower(): value for name, value in (headers or {}).items()}
    try:
        moment_s = parsedate_to_datetime(told.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return 0
    age = told.get("age", "")
    return max(0, int(moment_s) - (int(age) if age.isdecimal() else 0)) * NS_PER_SECOND
