"""What a stress run earned and risked: by symbol and in total, made from the fills alone.

A trade is a fill that closed something; it is won when its profit exceeds the fees of both ends.
Exposure is what is held at the price of the latest deal, without signs: at its peak as a share of
its limit, at the end as a share of the account's equity.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Final

import msgspec

from logos.stress.evidence import Evidence
from logos.stress.money import booked

ALL: Final = "all"
"""What the figures of all symbols together are called."""

_ZERO: Final = Decimal(0)


class Result(msgspec.Struct, frozen=True):
    """Of one symbol, or of all: money in the account's currency."""

    trades: int
    wins: int
    realised: Decimal
    fees: Decimal
    exposure: Decimal
    """What is held at the end is worth."""
    peak_of_limit: Decimal
    """The highest share of the limit that was held: of the position, or of all exposure."""
    of_equity: Decimal
    """`exposure` as a share of the equity at the end."""

    @property
    def net(self) -> Decimal:
        """Realised profit after fees."""
        return self.realised - self.fees

    @property
    def win_rate(self) -> Decimal:
        """Won trades among all; 0 of none."""
        return Decimal(self.wins) / self.trades if self.trades else _ZERO


def results_of(evidence: Evidence) -> dict[str, Result]:
    """By symbol, in the order of their names, then the total."""
    books = booked(evidence.fills, evidence)
    peaks, gross_peak, worth = _exposures(evidence)
    equity = Decimal(evidence.account["equity"])
    limits = evidence.config["risk"]["symbols"]
    results = {
        symbol: Result(
            book.trades,
            book.wins,
            book.realised,
            book.fees,
            worth[symbol],
            peaks[symbol] / Decimal(limits[symbol]["max_position"]),
            worth[symbol] / equity,
        )
        for symbol, book in sorted(books.items())
    }
    every = list(results.values())
    gross = sum((each.exposure for each in every), _ZERO)
    results[ALL] = Result(
        sum(each.trades for each in every),
        sum(each.wins for each in every),
        sum((each.realised for each in every), _ZERO),
        sum((each.fees for each in every), _ZERO),
        gross,
        gross_peak / Decimal(evidence.config["risk"]["total"]["max_gross_exposure"]),
        gross / equity,
    )
    return results


def _exposures(evidence: Evidence) -> tuple[dict[str, Decimal], Decimal, dict[str, Decimal]]:
    """The most of each symbol that was held, the highest worth of all, and what each is worth."""
    held: dict[str, Decimal] = defaultdict(Decimal)
    worth: dict[str, Decimal] = defaultdict(Decimal)
    peaks: dict[str, Decimal] = defaultdict(Decimal)
    gross_peak = _ZERO
    for fill in evidence.their_fills:
        symbol = fill.symbol
        held[symbol] += fill.quantity if fill.side == "BUY" else -fill.quantity
        worth[symbol] = abs(held[symbol]) * fill.price * evidence.multiplier(symbol)
        peaks[symbol] = max(peaks[symbol], abs(held[symbol]))
        gross_peak = max(gross_peak, sum(worth.values(), _ZERO))
    return peaks, gross_peak, worth
