"""Shards of a fleet: who owns one, and how much of the total limit each has. Pure rules.

Problem: a shard (some symbols of many) may be traded by one engine at a time, also when that one
is killed, stands still or is cut off; and the limits of all shards together must hold while nobody
knows what a lost one holds. Method: to own a shard is to have its claim, a key that only one can
make and that ends with its owner's lease; each claim has an epoch of its own. How much exposure a
shard may bring about is its grant, and all grants stand in one value, the ledger, whose sum is
checked whenever it is read or written. A grant only falls when the shard's owner has said, under
its claim, that it has put the lower limit into force and that what it holds is within it. Who says
nothing keeps its grant: it is counted until the next owner has resumed its books.

Keys begin with `logos/FLEET/`: `claims/SHARD` is under its owner's lease, `shards/SHARD` stays and
holds the newest claim, `last/SHARD` stays and holds the last entry of an owner whose session has
records; `budgets` is the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from logos.errors import LogosError
from logos.killswitch.fleet.records import VALUE_BYTES_MAX, EngineEntry, ValueDamagedError
from logos.killswitch.records import NOT_READABLE

SHARD_SCHEMA: Final = "logos.shard/1"
BUDGETS_SCHEMA: Final = "logos.budgets/1"
BUDGETS_BYTES_MAX: Final = 1_000_000


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who owns a shard, or did last."""

    schema: str
    shard: str
    epoch: int
    """Counts the claims to the shard, from 1."""
    token: str
    """Of this life of the owner."""
    host: str
    workspace: str
    pid: int
    time_ns: int
    """When, nanoseconds since 1970 UTC by the owner's clock; for people only."""

    @property
    def name(self) -> str:
        """The owner in words."""
        return f"{self.host} {self.workspace} (process {self.pid})"


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shard was asked to give back."""

    down_to: Decimal
    version: int
    """Of the ledger that asked: what its owner said before it had seen that is no answer."""


class Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ledger: what all shards together may hold, and each."""

    schema: str
    total: Decimal
    granted: dict[str, Decimal]
    """By shard. Their sum is never more than the total."""
    wanted: dict[str, Asked]
    """Of shards that are asked to give back: down to what."""
    version: int = 1
    """Counts the changes of the ledger."""

    @property
    def free(self) -> Decimal:
        """What is granted to nobody."""
        return self.total - sum(self.granted.values(), Decimal(0))

    def limit_of(self, shard: str) -> Decimal:
        """The limit that a shard should have in force: its grant, or what it is asked to go to."""
        granted = self.granted.get(shard, Decimal(0))
        asked = self.wanted.get(shard)
        return granted if asked is None else min(granted, asked.down_to)


class BudgetRefusedError(LogosError):
    """The ledger of budgets stays as it is; the message says why."""


class ShardTakenError(LogosError):
    """Another engine owns the shard; the message says which."""


_decode_claim = msgspec.json.Decoder(Claim).decode
_decode_budgets = msgspec.json.Decoder(Budgets).decode


def decode_claim(value: bytes) -> Claim:
    """A claim. Raises ValueDamagedError, in words."""
    if len(value) > VALUE_BYTES_MAX:
        raise ValueDamagedError(f"is larger than {VALUE_BYTES_MAX} bytes")
    try:
        claim = _decode_claim(value)
    except NOT_READABLE as error:
        raise ValueDamagedError(f"is not the claim to a shard ({error})") from None
    if claim.schema != SHARD_SCHEMA or claim.epoch < 1:
        raise ValueDamagedError(f"is not a claim that this version knows ({claim.schema[:40]!r})")
    return claim


def decode_budgets(value: bytes) -> Budgets:
    """The ledger. Raises ValueDamagedError, also where more is granted than there is."""
    if len(value) > BUDGETS_BYTES_MAX:
        raise ValueDamagedError(f"is larger than {BUDGETS_BYTES_MAX} bytes")
    try:
        budgets = _decode_budgets(value)
    except NOT_READABLE as error:
        raise ValueDamagedError(f"is not a ledger of budgets ({error})") from None
    if budgets.schema != BUDGETS_SCHEMA:
        raise ValueDamagedError(f"has the schema {budgets.schema[:40]!r}, not {BUDGETS_SCHEMA!r}")
    asked = [each.down_to for each in budgets.wanted.values()]
    amounts = [budgets.total, *budgets.granted.values(), *asked]
    if any(not amount.is_finite() or amount < 0 for amount in amounts):
        raise ValueDamagedError("has an amount that is none")
    if budgets.free < 0:
        raise ValueDamagedError(f"grants more than its total of {budgets.total:f}")
    return budgets


def encode_budgets(budgets: Budgets) -> bytes:
    """The ledger as the coordinator holds it. Raises ValueDamagedError for what it may not say."""
    value = msgspec.json.encode(budgets)
    decode_budgets(value)
    return value


def begin_budgets(total: Decimal, grants: Mapping[str, Decimal]) -> Budgets:
    """A new ledger. Raises BudgetRefusedError when more is granted than there is."""
    budgets = Budgets(BUDGETS_SCHEMA, total, dict(grants), {})
    if budgets.free < 0:
        raise BudgetRefusedError(
            f"the budgets add up to {total - budgets.free:f}, and the total is {total:f}"
        )
    return budgets


def ask_back(budgets: Budgets, shard: str, amount: Decimal) -> Budgets:
    """Ask `shard` to give back `amount` of its grant. Raises BudgetRefusedError."""
    granted = _granted(budgets, shard)
    if shard in budgets.wanted:
        raise BudgetRefusedError(
            f"shard {shard} is asked already to go down to {budgets.wanted[shard].down_to:f}, and "
            "has not done so yet"
        )
    if not 0 < amount <= granted:
        raise BudgetRefusedError(
            f"shard {shard} has a budget of {granted:f}: {amount:f} cannot be taken from it"
        )
    asked = Asked(granted - amount, budgets.version + 1)
    return _with(budgets, wanted={**budgets.wanted, shard: asked})


def give(budgets: Budgets, shard: str, amount: Decimal) -> Budgets:
    """Grant `shard` so much more, of what is free. Raises BudgetRefusedError."""
    granted = _granted(budgets, shard)
    if not 0 < amount <= budgets.free:
        raise BudgetRefusedError(
            f"{amount:f} is not free: {budgets.free:f} of {budgets.total:f} is granted to nobody"
        )
    wanted = {name: each for name, each in budgets.wanted.items() if name != shard}
    return _with(budgets, granted={**budgets.granted, shard: granted + amount}, wanted=wanted)


def enlist(budgets: Budgets, shard: str, amount: Decimal) -> Budgets:
    """Enter a new shard with a grant of `amount`. Raises BudgetRefusedError when it is not free."""
    if shard in budgets.granted:
        return budgets
    if amount > budgets.free:
        raise BudgetRefusedError(
            f"shard {shard} is to have a budget of {amount:f}, and {budgets.free:f} of "
            f"{budgets.total:f} is free: take back from others, or raise the total (logos fleet "
            "budget)"
        )
    return _with(budgets, granted={**budgets.granted, shard: amount})


def retotal(budgets: Budgets, total: Decimal) -> Budgets:
    """Change the total. Raises BudgetRefusedError when more than that is granted."""
    if total < budgets.total - budgets.free:
        raise BudgetRefusedError(
            f"{budgets.total - budgets.free:f} is granted: take back from shards before the total "
            f"can be {total:f}"
        )
    return msgspec.structs.replace(budgets, total=total, version=budgets.version + 1)


def settle(budgets: Budgets, entries: Iterable[EngineEntry], epochs: Mapping[str, int]) -> Budgets:
    """Lower the grants of those that have given back what they were asked for.

    `entries` are those of the engines, `epochs` the newest claim to each shard: what a former owner
    said is no evidence of what its successor has in force. The same ledger where nobody has.
    """
    granted, wanted = dict(budgets.granted), dict(budgets.wanted)
    for entry in entries:
        asked = wanted.get(entry.shard)
        if asked is None or entry.claim != epochs.get(entry.shard) or entry.budget is None:
            continue
        if entry.ledger < asked.version:
            continue
        if entry.budget <= asked.down_to and entry.exposure <= asked.down_to:
            granted[entry.shard] = asked.down_to
            del wanted[entry.shard]
    if len(wanted) == len(budgets.wanted):
        return budgets
    return _with(budgets, granted=granted, wanted=wanted)


def _granted(budgets: Budgets, shard: str) -> Decimal:
    if shard not in budgets.granted:
        known = ", ".join(sorted(budgets.granted))
        raise BudgetRefusedError(f"there is no shard {shard!r} in the ledger; there are {known}")
    return budgets.granted[shard]


def _with(
    budgets: Budgets,
    granted: dict[str, Decimal] | None = None,
    wanted: dict[str, Asked] | None = None,
) -> Budgets:
    return Budgets(
        budgets.schema,
        budgets.total,
        budgets.granted if granted is None else granted,
        budgets.wanted if wanted is None else wanted,
        budgets.version + 1,
    )


def claim_key(fleet: str, shard: str) -> str:
    """The key that the owner of a shard holds."""
    return f"logos/{fleet}/claims/{shard}"


def shard_key(fleet: str, shard: str) -> str:
    """The key of the newest claim to a shard."""
    return f"logos/{fleet}/shards/{shard}"


def last_key(fleet: str, shard: str) -> str:
    """The key of what an owner said last that had written records."""
    return f"logos/{fleet}/last/{shard}"


def budgets_key(fleet: str) -> str:
    """The key of the ledger."""
    return f"logos/{fleet}/budgets"
