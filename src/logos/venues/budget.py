"""How many requests a venue bears: what it says of that beforehand, and what its answers say.

Problem: an exchange counts requests and turns away, or bans, whoever asks too much. Then a cancel
is turned away as well. Method: the venue's adapter states the exchange's counters as a `Budget`;
one queue a venue (`execution/sending/lane.py`) spends it: cancels first, then orders, then
questions.

A counter that decays (Kraken) and a bucket that is refilled are the same thing: a request is let
out while `used + cost <= size`, and `per_s` of what is used comes back each second. A fixed window
of N requests in T seconds is kept by any pool with `size + per_s * T <= N`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec


class RequestKind(enum.Enum):
    """What a request to a venue is for."""

    CANCEL = "cancel"
    ORDER = "order"
    FIND = "find"
    OPEN_ORDERS = "open orders"
    FILLS = "fills"
    HOLDINGS = "holdings"
    """Balances, positions, and whatever else is asked."""

    @property
    def is_question(self) -> bool:
        """Whether the request changes nothing at the venue."""
        return self is not RequestKind.CANCEL and self is not RequestKind.ORDER


class Pool(msgspec.Struct, frozen=True):
    """One counter of an exchange: `size` is what it holds, `per_s` what comes back each second.

    `costs` is what one HTTP request of each kind takes, in the exchange's own units; a kind that is
    not listed takes `cost`. Where `cost` is 0 only the kinds listed count.
    """

    name: str
    size: float
    per_s: float
    cost: float = 1.0
    costs: Mapping[RequestKind, float] = {}

    def cost_of(self, kind: RequestKind) -> float:
        """What one request of that kind takes."""
        return self.costs.get(kind, self.cost)


class Budget(msgspec.Struct, frozen=True):
    """All counters of an exchange that our requests meet. Each request is counted in every pool."""

    pools: tuple[Pool, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for a pool that would never let anything out."""
        for pool in self.pools:
            if not (pool.size > 0 and pool.per_s > 0):
                raise ValueError(f"pool {pool.name!r}: size and per_s must be above 0")


class Allowance(msgspec.Struct, frozen=True):
    """What an answer of the exchange says is left, mostly in its headers.

    `pool` is the name of the pool that it is about; `left` is in that pool's units, `heard_ns` when
    the answer came. `until_ns` is when the exchange counts anew: until then no more than `left`
    goes out, whatever our own count says, for others may have used the rest. 0: it is not known.
    Both moments are nanoseconds since 1970.
    """

    pool: str
    left: float
    heard_ns: int
    until_ns: int = 0
