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
from datetime import UTC, datetime
from typing import Any, Final

from logos.adapters.alpaca.questions import Questions
from logos.core.types import NS_PER_DAY, NS_PER_SECOND
from logos.venues.contract import VenueCharge
from logos.venues.ids import ClientIds
from logos.venues.records import Unreadable, decimal_of, text_of, time_ns

_KINDS: Final = ("REG", "TAF", "CAT")
_NIGHT_NS: Final = 3600 * NS_PER_SECOND
"""A day's trading ends at 20:00 in New York, which is 00:00 or 01:00 UTC of the next day."""

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
        first_ns = ts_ns // NS_PER_DAY * NS_PER_DAY
        listed = await ask.activities(what, "FEE", first_ns)
        fees = {fee_id: row for fee_id, row in listed.items() if _is_of_shares(row)}
        if not fees:
            return []
        fills = await ask.fills(what, first_ns)
        ours = {
            ask.read(what, lambda row=row: text_of(row, "id"))  # type: ignore[misc]
            for row in await ask.orders_since(what, first_ns)
            if self._ids.to_ours(str(row.get("client_order_id") or ""))
        }
        found = []
        for fee_id, row in fees.items():
            begin_ns = ask.read(what, lambda row=row: _day_ns(row))  # type: ignore[misc]
            traded = [
                each
                for each in fills.values()
                if "/" not in str(each.get("symbol"))
                and begin_ns
                <= ask.read(what, lambda each=each: time_ns(each.get("transaction_time")))  # type: ignore[misc]
                < begin_ns + NS_PER_DAY + _NIGHT_NS
            ]
            is_ours = traded and all(each.get("order_id") in ours for each in traded)
            if begin_ns >= first_ns and is_ours:
                found.append(ask.read(what, lambda row=row, fee_id=fee_id: _charge(fee_id, row)))  # type: ignore[misc]
        return found


def _is_of_shares(row: Row) -> bool:
    """Whether it is a fee of a day's trades in shares, and was taken."""
    kind = row.get("activity_sub_type") or str(row.get("description")).split(" fee")[0]
    is_money = row.get("currency") in (None, "USD") and row.get("status") in (None, "executed")
    return is_money and kind in _KINDS and str(row.get("net_amount")).startswith("-")


def _day_ns(row: Row) -> int:
    """When the day of a fee began, in UTC. Raises Unreadable."""
    text = text_of(row, "date")[:10]
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_SECOND
    except ValueError:
        raise Unreadable(f"the date {text!r} of a fee is none") from None


def _charge(fee_id: str, row: Row) -> VenueCharge:
    amount = decimal_of(row.get("net_amount"), "the amount of a fee")
    return VenueCharge(fee_id, "USD", abs(amount), str(row.get("description") or "")[:200])
