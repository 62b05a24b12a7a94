"""What the settings say of payments that no fill makes: funding, borrowing, interest."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

from logos.config.settings import Config, FundingSettings
from logos.config.tables.live import VenueName

_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_RATE_DECIMALS: Final = 9


def has_payments(config: Config) -> bool:
    """Whether a session of these settings may have payments that no fill makes."""
    return _has_terms(config) or is_charged(config)


def is_charged(config: Config) -> bool:
    """Whether the venue of these settings charges for a day's trades, behind their fills."""
    return config.venue.live and config.venue.name is VenueName.ALPACA


def _has_terms(config: Config) -> bool:
    """Whether time alone may bring or cost something."""
    return bool(config.account.interest) or any(
        each.borrow_rate or each.funding is not msgspec.UNSET
        for each in config.instruments.values()
    )


def payment_problems(config: Config) -> list[str]:
    """Everything about them that makes no sense, a text each."""
    problems = []
    for symbol, each in config.instruments.items():
        name = f"instruments.{symbol}"
        if each.borrow_rate is not msgspec.UNSET:
            problems += _of_year(f"{name}.borrow_rate", each.borrow_rate)
        if each.funding is not msgspec.UNSET:
            problems += _of_funding(f"{name}.funding", each.funding)
            if each.settlement == "spot":
                problems.append(f"{name}.funding: a spot position pays none; set settlement")
    if config.account.interest is not msgspec.UNSET:
        for currency, rate in config.account.interest.items():
            problems += _of_year(f"account.interest.{currency}", rate)
    if config.venue.live and _has_terms(config):
        problems.append(
            "funding, borrow_rate and account.interest are for the paper market: a real venue "
            "books its own; take them out"
        )
    return problems


def _of_year(name: str, rate: Decimal) -> list[str]:
    if rate < 0:
        return [f"{name} must be 0 or more, not {rate}"]
    return _of_rate(name, rate)


def _of_rate(name: str, rate: Decimal) -> list[str]:
    exponent = rate.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _RATE_DECIMALS:
        return [f"{name}: {rate} has more than {_RATE_DECIMALS} decimals"]
    return []


def _of_funding(name: str, funding: FundingSettings) -> list[str]:
    problems = _of_rate(f"{name}.rate", funding.rate)
    has_own = bool(funding.file or funding.rates)
    if has_own and funding.rate:
        problems.append(f"{name}.rate: leave it out: file and rates have one for each time")
    if not has_own and not funding.times:
        problems.append(f"{name}.times: name at least one")
    wrong = [each for each in funding.times if not _TIME.fullmatch(each)]
    if wrong:
        problems.append(f"{name}.times: {wrong[0]!r}; write them like 08:00 (UTC)")
    elif sorted(set(funding.times)) != funding.times:
        problems.append(f"{name}.times: each once, in order")
    return problems
