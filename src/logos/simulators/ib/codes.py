"""What the simulated gateway says no with, and what it tells unasked: code, words, source.

The words are IB's own; `{}` is what is put into them. The table of docs/VENUES.md shows each row
with its source, and a test compares the two.
"""

from __future__ import annotations

from typing import Final

from logos.errors import LogosError

WORDS: Final[dict[int, str]] = {
    103: "Duplicate order id",
    104: "Cannot modify a filled order.",
    105: "Order being modified does not match original order.",
    110: "The price does not conform to the minimum price variation for this contract.",
    161: "Cancel attempted when order is not in a cancellable state.  Order permId ={}",
    162: "Historical Market Data Service error message:{}",
    200: "No security definition has been found for the request",
    201: "Order rejected - reason:{}",
    202: "Order Canceled - reason:{}",
    320: "Error reading request. {}",
    321: "Error validating request.-'bF' : cause - {}",
    326: "Unable to connect as the client id is already in use. Retry with a unique client id.",
    354: "Requested market data is not subscribed.",
    388: "Order size {} is smaller than the minimum required size of {}.",
    399: "Order Message:\n{}",
    435: "You must specify an account.",
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IBKR and Trader Workstation has been restored - data maintained.",
    2104: "Market data farm connection is OK:usfarm",
    2106: "HMDS data farm connection is OK:ushmds",
    2158: "Sec-def data farm connection is OK:secdefnj",
    10147: "OrderId {} that needs to be cancelled is not found.",
    10148: "OrderId {} that needs to be cancelled cannot be cancelled, state: {}.",
    10167: "Requested market data is not subscribed. Displaying delayed market data.",
    10189: "Failed to request tick-by-tick data.No market data permissions for {}. Requested "
    "market data requires additional subscription for API. See link in 'Market Data Connections' "
    "dialog for more details.",
}


class Told(LogosError):
    """The gateway's code and words for a no."""

    def __init__(self, code: int, *parts: object) -> None:
        self.code = code
        self.words = WORDS[code].format(*parts)
        super().__init__(f"{code}: {self.words}")


def error(request_id: object, code: int, *parts: object) -> list[object]:
    """The message: an error, or a notice, about a request (-1: about none)."""
    return [4, 2, request_id, code, WORDS[code].format(*parts), ""]
