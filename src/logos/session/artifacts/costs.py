"""What a paper session's fills did not cost, although a market takes it: said in its result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from logos.config import Config
from logos.core.instrument import FeeSchedule, Instrument

_SYMBOLS_MAX = 5


def costs_left_out(
    config: Config, instruments: Mapping[str, Instrument], filled: Iterable[str]
) -> dict[str, str]:
    """Words under one key, where something was filled on paper without a fee; else nothing.

    `filled` are the symbols with fills. A real venue books its own fees.
    """
    if config.venue.live:
        return {}
    symbols = [symbol for symbol in filled if _is_free(instruments[symbol].fees)]
    if not symbols:
        return {}
    named = ", ".join(symbols[:_SYMBOLS_MAX])
    left = len(symbols) - _SYMBOLS_MAX
    words = f"no fees on {named}{f' and {left} more' if left > 0 else ''}: none are set"
    if not config.paper.slippage_ticks and not config.paper.slippage_bps:
        words += "; no slippage: none is set"
    return {"without_costs": f"{words}. A real market takes both"}


def _is_free(fees: FeeSchedule) -> bool:
    rates = (fees.maker_rate, fees.taker_rate, fees.per_unit, fees.per_fill, fees.minimum)
    return not any(rates)
