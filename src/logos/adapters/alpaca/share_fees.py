"""The regulatory fees on shares: charged for a day as a whole, and booked where they are proved.

Problem: the fees of SEC, FINRA and CAT on a day's trades in shares are taken at the end of the day,
each as one movement of cash for the whole account, without orders or symbols
(docs.alpaca.markets/docs/regulatory-fees; the list has them as FEE with the sub-types REG, TAF and
CAT). Method: such a fee is the session's if every execution of the account in shares on that day
was of an order of the session. If anybody else traded, nothing proves whose it is: it is not told
of, and the comparison of holdings shows a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from logos.adapters.alpaca.questions import CLOCK_NS, Questions
from logos.core.types import NS_PER_SECOND
from logos.venues.contract import VenueCharge
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, decimal_of, text_of, time_ns

_KINDS: Final = ("REG", "TAF", "CAT")
_MARKET: Final = ZoneInfo("America/New_York")
"""Its days are those of the fees: trading ends at 20:00 there, which is the next day in UTC."""

Row = Mapping[str, Any]


class ShareFees:
    """Which of an account's fees are one session's."""

    def __init__(self, questions: Questions, ids: ClientIds) -> None:
        self._questions = questions
        self._ids = ids

    async def since(self, what: str, ts_ns: int) -> Sequence[VenueCharge]:
        """The fees of the days from that moment's on that are proved to be the session's. Raises
        Unavailable."""
        ask = self._questions
        first = datetime.fromtimestamp((ts_ns - CLOCK_NS) // NS_PER_SECOND, _MARKET).date()
        first_ns = _ns(datetime(first.year, first.month, first.day, tzinfo=UTC))
        listed = await ask.activities(what, "FEE", first_ns)
        fees = {fee_id: row for fee_id, row in listed.items() if _is_of_shares(row)}
        if not fees:
            return []
        fills = await ask.fills(what, first_ns)
        ours = await ask.own_orders(what, first_ns, self._ids)
        found = []
        for fee_id, row in fees.items():
            day = ask.read(what, partial(_day_of, row))
            begin_ns, end_ns = _ns(day), _ns(day + timedelta(days=1))
            traded = [
                each
                for each in fills.values()
                if "/" not in str(each.get("symbol"))
                and begin_ns
                <= ask.read(what, partial(time_ns, each.get("transaction_time")))
                < end_ns
            ]
            is_ours = traded and all(each.get("order_id") in ours for each in traded)
            if day.date() >= first and is_ours:
                found.append(ask.read(what, partial(_charge, fee_id, row)))
        return found


def _is_of_shares(row: Row) -> bool:
    """Whether it is a fee of a day's trades in shares, and was taken."""
    kind = row.get("activity_sub_type") or str(row.get("description")).split(" fee")[0]
    is_money = row.get("currency") in (None, "USD") and row.get("status") in (None, "executed")
    return is_money and kind in _KINDS and str(row.get("net_amount")).startswith("-")


def _day_of(row: Row) -> datetime:
    """The beginning of a fee's day at the market. Raises Unreadable."""
    text = text_of(row, "date")[:10]
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_MARKET)
    except ValueError:
        raise Unreadable(f"the date {text!r} of a fee is none") from None


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * NS_PER_SECOND


def _charge(fee_id: str, row: Row) -> VenueCharge:
    amount = decimal_of(row.get("net_amount"), "the amount of a fee")
    return VenueCharge(fee_id, "USD", abs(amount), str(row.get("description") or "")[:200])
