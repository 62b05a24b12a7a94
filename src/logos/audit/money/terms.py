"""What the independent auditor must be told of what is traded."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple


class Terms(NamedTuple):
    """What the auditor must be told of a symbol; `settlement` is "spot", "margin" or "inverse"."""

    base: str
    quote: str
    multiplier: Fraction
    settlement: str
    allows_negative: bool = False
    """Whether a price may be zero or less."""

    @property
    def is_inverse(self) -> bool:
        """Whether it is settled in the coin whose price it has."""
        return self.settlement == "inverse"

    def value(self, price: Fraction, quantity: Fraction, unit: Fraction) -> Fraction:
        """Money of `quantity` at `price`; of an inverse contract in the coin, to the nearest whole
        `unit`, a half to the even one."""
        if not self.is_inverse:
            return quantity * price * self.multiplier
        return round(quantity * self.multiplier / price / unit) * unit if price else Fraction(0)


class Worth:
    """The worth of the parts of one fill of an inverse contract: what each adds to the rounded
    worth of those before it."""

    def __init__(self, terms: Terms, price: Fraction, unit: Fraction) -> None:
        self._terms = terms
        self._price = price
        self._unit = unit
        self._done = Fraction(0)

    def of_next(self, quantity: Fraction) -> Fraction:
        """The worth of the next part."""
        before = self._terms.value(self._price, self._done, self._unit)
        self._done += quantity
        return self._terms.value(self._price, self._done, self._unit) - before

    def leaving(self, worth: Fraction, share: Fraction) -> Fraction:
        """What leaves a lot's `worth` with that `share` of it; what stays is rounded."""
        return worth - round(worth * (1 - share) / self._unit) * self._unit


Given = Terms | tuple[str, str, Fraction | str | int, str]
"""Terms, or the first four of them."""
