"""What the local broker charges for a day's trades in shares, at its end.

docs.alpaca.markets/docs/regulatory-fees: REG (of the SEC) and TAF (of FINRA) on sales, CAT on
purchases and sales; each is summed up over the day, and the sum is rounded up to the cent. TAF has
a maximum for each trade. The words are those of recorded activities of real accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from logos.simulators.alpaca.book import NS, Activity

REG_OF_MONEY: Final = Decimal("0.0000278")
TAF_OF_A_SHARE: Final = Decimal("0.000166")
TAF_MAX: Final = Decimal("8.30")
CAT_OF_A_SHARE: Final = Decimal("0.000046")
_CENT: Final = Decimal("0.01")
_MARKET: Final = ZoneInfo("America/New_York")
"""Its days are those of the fees."""


def day_fees(
    trades: Sequence[Activity], now_ns: int, new_id: Callable[[], str]
) -> Iterator[Activity]:
    """Of a day's executions that ends now, each fee on shares above 0; coins are left out."""
    shares = [each for each in trades if "/" not in each.symbol]
    sales = [each for each in shares if each.side == "sell"]
    money = sum((each.quantity * each.price for each in sales), Decimal(0))
    sold = sum((each.quantity for each in sales), Decimal(0))
    taf = sum((min(each.quantity * TAF_OF_A_SHARE, TAF_MAX) for each in sales), Decimal(0))
    cat = sum((each.quantity * CAT_OF_A_SHARE for each in shares), Decimal(0))
    fees = {
        "CAT": (cat, f"{len(shares)} trades"),
        "REG": (money * REG_OF_MONEY, f"${money:.2f}"),
        "TAF": (taf, f"{sold.normalize():f} shares ({len(sales)} trades)"),
    }
    last_ns = max((each.ts_ns for each in shares), default=now_ns)
    day = f"{datetime.fromtimestamp(last_ns // NS, _MARKET):%Y-%m-%d}"
    nothing = Decimal(0)
    for kind, (much, of) in fees.items():
        if much:
            yield Activity(
                new_id(), "", "", "", nothing, nothing, now_ns, "FEE",
                net=-much.quantize(_CENT, ROUND_UP),
                sub_kind=kind,
                words=f"{kind} fee for proceed of {of} on {day}",
                day=day,
            )  # fmt: skip
