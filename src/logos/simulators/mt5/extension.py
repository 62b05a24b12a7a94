"""What logos' own Expert Advisor adds to the bridge's protocol (docs/MT5.md, "Our own").

The answers to ACCOUNT and BALANCE name it (`bridge`). A request may then carry an id of its own
(`rid`), which comes back in its answer, whatever the order of the answers is; a HISTORY TRADES may
ask for deals since a ticket (`fromTicket`); and SYMBOL says how a symbol is counted. A terminal
without it knows none of these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from logos.core.fixed import format_units
from logos.core.instrument import Instrument
from logos.simulators.mt5.holdings import HEDGING, NETTING
from logos.simulators.mt5.wire import WRONG_VALUE, Request, RequestError

BRIDGE: Final = "logos/1"
"""The name and version of the extension."""

_NAMED: Final = ("ACCOUNT", "BALANCE")

Answer = dict[str, Any]


class Extension:
    """The extension over the symbols of one terminal."""

    def __init__(self, instruments: Mapping[str, Instrument], *, is_hedging: bool = False) -> None:
        self._instruments = instruments
        self._margin_mode = HEDGING if is_hedging else NETTING

    def answer(self, request: Request) -> Answer | None:
        """The answer to a question that only the extension has; None for any other. Raises
        RequestError for a symbol that there is not."""
        if request.action != "SYMBOL":
            return None
        each = self._instruments.get(request.symbol)
        if each is None:
            raise RequestError(WRONG_VALUE, "Symbol does not exist", request.comment)
        lot = _number(each.quantity_text(each.lot))
        decimals = each.value_decimals - each.price_decimals - each.quantity_decimals
        most = each.maximum_quantity
        return {
            "error": False,
            "symbol": request.symbol,
            "digits": each.price_decimals,
            "tick_size": _number(each.price_text(each.tick)),
            "volume_step": lot,
            "volume_min": _number(each.quantity_text(each.minimum_quantity or each.lot)),
            "volume_max": _number(each.quantity_text(most)) if most else 0,
            "contract_size": _number(format_units(each.multiplier, decimals)),
            "currency_profit": each.quote,
            "filling": "ORDER_FILLING_IOC",
        }

    def complete(self, request: Request, answer: Answer, now_ms: int) -> Answer:
        """The answer with what the extension adds to it, but for the id."""
        if request.action in _NAMED and answer.get("error") is False:
            answer |= {"bridge": BRIDGE, "server_ms": now_ms, "margin_mode": self._margin_mode}
        if "trades" in answer:
            deals = answer["trades"]
            answer["trades"] = [
                {**each, "fee": 0} for each in deals if each["ticket"] > request.from_ticket
            ]
        return answer


def _number(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
