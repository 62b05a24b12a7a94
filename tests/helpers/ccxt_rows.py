"""One order and one fill as ccxt parses them, and the records that read them."""

from __future__ import annotations

import venue_libraries  # noqa: F401 - first

# isort: split

from typing import Any

from venue_tools import bitcoin

from logos.adapters.ccxt.profiles.binance import BINANCE
from logos.adapters.ccxt.profiles.profile import Profile
from logos.adapters.ccxt.records import Records
from logos.venues.ids import ClientIds, IdRule

RULE = IdRule(36, True)
CCXT_ORDER: dict[str, Any] = {
    "id": "1001", "status": "open", "type": "limit", "side": "buy", "amount": "0.00100",
    "filled": "0.00000", "price": "90000.00", "clientOrderId": "s-1-1", "info": {},
}  # fmt: skip
CCXT_FILL: dict[str, Any] = {
    "id": "7", "order": "1001", "side": "sell", "amount": "0.00100", "price": "90000.00",
    "timestamp": 1_700_000_000_123, "takerOrMaker": "maker",
    "fee": {"cost": "0.09", "currency": "USDT"},
}  # fmt: skip


def records_of(profile: Profile = BINANCE) -> Records:
    """What reads rows of BTCUSDT at an exchange, for the session s-1."""
    return Records({"BTCUSDT": bitcoin()}, ClientIds(RULE, "s-1"), profile)
