"""The rules of a market, the session's and the venue's, and the two clocks, for the dry run."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from logos.core.fixed import to_decimal
from logos.core.instrument import Instrument
from logos.venues.contract import CheckLine


class MarketRules(msgspec.Struct, frozen=True):
    """What a venue says of one market; None where it says nothing."""

    tick: Decimal | None = None
    lot: Decimal | None = None
    min_quantity: Decimal | None = None
    min_notional: Decimal | None = None


def compare_rules(instrument: Instrument, venue: MarketRules) -> list[CheckLine]:
    """A line for each rule: equal, or what to write into the settings.

    A coarser tick or lot than the venue's is a difference too: fills may then come at prices and
    quantities that the session cannot hold. A higher minimum is the session's own choice.
    """
    symbol = instrument.symbol
    ours = {
        "tick": to_decimal(instrument.tick, instrument.price_decimals),
        "lot": to_decimal(instrument.lot, instrument.quantity_decimals),
        "min_quantity": to_decimal(instrument.minimum_quantity, instrument.quantity_decimals),
        "min_notional": to_decimal(instrument.minimum_notional, instrument.value_decimals),
    }
    lines = []
    for name, mine in ours.items():
        theirs: Decimal | None = getattr(venue, name)
        if theirs is None:
            lines.append(
                CheckLine(f"{symbol} {name}", True, f"{_plain(mine)}; the venue says none")
            )
            continue
        is_minimum = name.startswith("min_")
        if mine == theirs or (is_minimum and mine > theirs):
            detail = f"{_plain(mine)}" + ("" if mine == theirs else f", venue {_plain(theirs)}")
            lines.append(CheckLine(f"{symbol} {name}", True, detail))
            continue
        words = f"session {_plain(mine)}, venue {_plain(theirs)}"
        advice = f'set instruments.{symbol}.{name} = "{_plain(theirs)}"'
        lines.append(CheckLine(f"{symbol} {name}", False, f"{words}: {advice}"))
    return lines


def names_lines(instrument: Instrument, base: str, quote_currency: str) -> list[CheckLine]:
    """A line for each of base and quote that the venue names differently."""
    symbol = instrument.symbol
    lines = []
    for name, ours, theirs in (
        ("base", instrument.base, base),
        ("quote", instrument.quote, quote_currency),
    ):
        if ours != theirs:
            words = f'session {ours}, venue {theirs}: set instruments.{symbol}.{name} = "{theirs}"'
            lines.append(CheckLine(f"{symbol} {name}", False, words))
    return lines


def _plain(number: Decimal) -> str:
    """Without exponent and trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock_line(before_ns: int, venue_ns: int, after_ns: int, skew_ns_max: int) -> CheckLine:
    """Compare clocks by a question asked at `before_ns` and answered at `after_ns` (ours)."""
    skew_ns = venue_ns - (before_ns + after_ns) // 2
    doubt_ns = (after_ns - before_ns) // 2
    skew_ms, doubt_ms = skew_ns // 1_000_000, doubt_ns // 1_000_000
    detail = f"the venue's clock is {skew_ms:+d} ms from ours (give or take {doubt_ms} ms)"
    is_ok = abs(skew_ns) <= skew_ns_max + doubt_ns
    advice = "" if is_ok else f"; at most {skew_ns_max // 1_000_000} ms: set this machine's clock"
    return CheckLine("clock", is_ok, detail + advice)
