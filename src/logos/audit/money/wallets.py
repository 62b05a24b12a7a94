"""What there is of each asset: in whole units where it is some, in fractions where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from logos.audit.money.lots import ZERO


@dataclass(slots=True)
class Purse:
    """One asset in whole units, of which `10**decimals` are one."""

    units: int
    decimals: int


class Wallets:
    """Amounts by asset; an asset it does not know has none."""

    def __init__(self, amounts: Mapping[str, Fraction]) -> None:
        self._amounts = dict(amounts)
        """In the order in which the assets came; of one that has a purse it is out of date."""
        self._purses: dict[str, Purse] = {}

    def get(self, asset: str) -> Fraction:
        """What there is of an asset."""
        purse = self._purses.get(asset)
        if purse is None:
            return self._amounts.get(asset, ZERO)
        return Fraction(purse.units, 10**purse.decimals)

    def put(self, asset: str, amount: Fraction) -> None:
        """There is this much of an asset from now on."""
        self._purses.pop(asset, None)
        self._amounts[asset] = amount

    def add(self, asset: str, amount: Fraction) -> None:
        """More of an asset, or less."""
        self.put(asset, self.get(asset) + amount)

    def purse(self, asset: str, decimals: int) -> Purse | None:
        """The asset in units of so many decimals or more; None where it is no whole number."""
        purse = self._purses.get(asset)
        if purse is not None and purse.decimals >= decimals:
            return purse
        units = self.get(asset) * 10**decimals
        if units.denominator != 1:
            return None
        self._amounts.setdefault(asset, ZERO)
        purse = self._purses[asset] = Purse(units.numerator, decimals)
        return purse

    def amounts(self) -> dict[str, Fraction]:
        """All of them."""
        return {asset: self.get(asset) for asset in self._amounts}
