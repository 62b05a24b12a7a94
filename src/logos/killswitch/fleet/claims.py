"""Claims to shards and the ledger of budgets in etcd.

To claim is one transaction: the key of the claim is not there (its create revision is 0), and the
shard's record is what was read before. It makes both, the key under the claimant's lease. Each
renewal of the owner's permit compares that its key still has the create revision of that moment,
in the transaction that reads the fleet's switch: without the claim there is no permit. A claim that
was lost is never taken again by the same life, and a lease that ended is not replaced.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from logos.core.types import NS_PER_SECOND
from logos.killswitch.fleet.etcd import (
    LEASE_GONE,
    EtcdStore,
    b64,
    reading_of,
    understood,
)
from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import (
    MARGIN_NS,
    ClaimLostError,
    CoordinatorError,
    EngineEntry,
    ValueDamagedError,
    decode_entry,
    encode,
    engines_prefix,
)
from logos.killswitch.fleet.shards import (
    SHARD_SCHEMA,
    Budgets,
    Claim,
    ShardTakenError,
    budgets_key,
    claim_key,
    decode_budgets,
    decode_claim,
    encode_budgets,
    last_key,
    shard_key,
)
from logos.killswitch.fleet.store import Coordinator, Polled

T = TypeVar("T")

_ABSENT: Final = "0"


class ShardStore(EtcdStore):
    """The coordinator as an owner of a shard, or an operator of shards, talks to it."""

    def __init__(self, terms: Coordinator, clock: Callable[[], int] = boot_ns) -> None:
        """As `EtcdStore`; `terms.shard` is the one to be claimed, empty for an operator."""
        super().__init__(terms, clock)
        self._fleet = terms.fleet
        self._shard = terms.shard
        self._claim_key = b64(claim_key(terms.fleet, terms.shard).encode())
        self._shard_key = b64(shard_key(terms.fleet, terms.shard).encode())
        self._last_key = b64(last_key(terms.fleet, terms.shard).encode())
        self._budgets_key = b64(budgets_key(terms.fleet).encode())
        self._created = ""
        """The create revision of the claim that is held; empty: none is."""
        self._is_lost = False
        self._renewed_ns = 0
        """When the newest renewal was begun; 0: there was none."""

    # ---- the owner ----

    def claim(self, token: str, workspace: Path) -> Claim:
        """Take the shard. Raises ShardTakenError while another owns it, CoordinatorError."""
        self.keep_lease()
        held, record = self._look()
        if held is not None and held.token == token:
            # An earlier attempt of this life came through, and only its answer was lost.
            return self._hold(held)
        if held is not None:
            raise ShardTakenError(
                f"shard {self._shard} of fleet {self._fleet} is owned by {held.name}, by claim "
                f"{held.epoch}: its claim ends {self._terms.lease_ns / NS_PER_SECOND:g} s after it "
                "was last heard of, or when it ends"
            )
        before, revision = record
        claim = Claim(
            SHARD_SCHEMA,
            self._shard,
            1 + (0 if before is None else before.epoch),
            token,
            os.uname().nodename,
            str(workspace),
            os.getpid(),
            time.time_ns(),
        )
        value = b64(msgspec.json.encode(claim))
        answer = self.ask(
            "/v3/kv/txn",
            {
                "compare": [
                    _is_created(self._claim_key, _ABSENT),
                    {
                        "key": self._shard_key,
                        "result": "EQUAL",
                        "target": "MOD",
                        "mod_revision": revision,
                    },
                ],
                "success": [
                    _put(self._claim_key, value, self._lease),
                    _put(self._shard_key, value),
                ],
            },
        )
        if not answer.get("succeeded"):
            raise ShardTakenError(
                f"shard {self._shard} of fleet {self._fleet} was claimed by another at this moment"
            )
        self._created = understood(lambda: str(int(answer["header"]["revision"])))
        return claim

    def _look(self) -> tuple[Claim | None, tuple[Claim | None, str]]:
        """Who holds the claim, and the shard's record with its revision."""
        answer = self.ask(
            "/v3/kv/txn",
            {"success": [_range(self._claim_key), _range(self._shard_key)]},
        )
        holder, _ = _found(answer, 0, decode_claim)
        return holder, _found(answer, 1, decode_claim)

    def _hold(self, claim: Claim) -> Claim:
        answer = self.ask("/v3/kv/range", {"key": self._claim_key})
        self._created = understood(lambda: str(int(answer["kvs"][0]["create_revision"])))
        return claim

    def keep_lease(self) -> None:
        """As of `EtcdStore`; a lease that ended with a claim under it is not replaced.

        Raises ClaimLostError then.
        """
        began_ns = self._clock()
        if not self._created:
            super().keep_lease()
            return
        if not self._is_lost:
            answer = self.ask("/v3/lease/keepalive", {"ID": self._lease})
            alive = understood(lambda: int(answer["result"].get("TTL", "0")))
            if alive:
                self._listed_until_ns = began_ns + alive * NS_PER_SECOND - MARGIN_NS
                return
        raise self._lost()

    def poll(self, entry: EngineEntry) -> Polled:
        """As `Store.poll`, if the claim is held. Raises ClaimLostError when it is not any more.

        A permit that ran out does not come back, so its owner would hold a shard that it never
        trades again: it gives the claim up instead, for another to take.
        """
        began_ns = self._clock()
        if self._renewed_ns and began_ns >= self._renewed_ns + self._terms.ttl_ns:
            self.release()
        self.keep_lease()
        key = b64((engines_prefix(self._fleet) + entry.token).encode())
        said = b64(encode(entry))
        # Without a lease: that there are records must be known when their owner is gone.
        last = [_put(self._last_key, said)] if entry.written else []
        try:
            answer = self.ask(
                "/v3/kv/txn",
                {
                    "compare": [_is_created(self._claim_key, self._created or _ABSENT)],
                    "success": [
                        _range(self._switch),
                        _range(self._budgets_key),
                        _put(key, said, self._lease),
                        *last,
                    ],
                },
            )
        except CoordinatorError as error:
            if LEASE_GONE in str(error):
                raise self._lost() from None
            raise
        if not self._created or not answer.get("succeeded"):
            raise self._lost()
        reading = understood(lambda: reading_of(answer, answer["responses"][0]["response_range"]))
        budgets = understood(lambda: _value(answer["responses"][1]["response_range"]))
        self._renewed_ns = began_ns
        return Polled(reading, self._listed_until_ns, budgets)

    def last(self) -> EngineEntry | None:
        """What an owner of the shard said last whose session had records; None: none ever had.

        Raises CoordinatorError.
        """
        answer = self.ask("/v3/kv/txn", {"success": [_range(self._last_key)]})
        return _found(answer, 0, decode_entry)[0]

    def release(self) -> None:
        """Give the claim up, if it is held: another may own the shard at once."""
        if not self._created or self._is_lost:
            return
        self.ask(
            "/v3/kv/txn",
            {
                "compare": [_is_created(self._claim_key, self._created)],
                "success": [{"request_delete_range": {"key": self._claim_key}}],
            },
        )
        self._is_lost = True

    def close(self) -> None:
        """Give the claim up, and let go of all connections. What hinders that is not told: the
        lease ends by itself."""
        with suppress(CoordinatorError):
            self.release()
        super().close()

    def _lost(self) -> ClaimLostError:
        """The claim is not held any more, for good; who has the shard now where that is known."""
        self._is_lost = True
        words = f"the claim to shard {self._shard} of fleet {self._fleet} has ended"
        try:
            _, (newest, _) = self._look()
        except CoordinatorError:
            newest = None
        if newest is not None:
            words += f"; the newest, {newest.epoch}, is of {newest.name}"
        return ClaimLostError(words)

    # ---- the operator ----

    def claims(self) -> dict[str, tuple[Claim, bool]]:
        """The newest claim to each shard, and whether it is held. Raises CoordinatorError."""
        answer = self.ask(
            "/v3/kv/txn",
            {
                "success": [
                    _range(*_prefix(claim_key(self._fleet, ""))),
                    _range(*_prefix(shard_key(self._fleet, ""))),
                ]
            },
        )
        held = {claim.shard: claim.epoch for claim in _claims(answer, 0)}
        return {
            claim.shard: (claim, held.get(claim.shard) == claim.epoch)
            for claim in _claims(answer, 1)
        }

    def budgets(self) -> tuple[Budgets | None, str]:
        """The ledger and its revision; None where there is none. Raises CoordinatorError."""
        answer = self.ask("/v3/kv/txn", {"success": [_range(self._budgets_key)]})
        return _found(answer, 0, decode_budgets)

    def swap_budgets(self, budgets: Budgets, revision: str) -> bool:
        """Write the ledger, if it is still at `revision` ("0": not there); whether it was.

        Raises ValueDamagedError for a ledger that grants more than there is, CoordinatorError.
        """
        value = b64(encode_budgets(budgets))
        is_at = {"key": self._budgets_key, "result": "EQUAL", "target": "MOD"}
        answer = self.ask(
            "/v3/kv/txn",
            {
                "compare": [{**is_at, "mod_revision": revision}],
                "success": [_put(self._budgets_key, value)],
            },
        )
        return bool(answer.get("succeeded"))


def _is_created(key: str, revision: str) -> dict[str, str]:
    """That a key is the one which was made at `revision`; "0": that it is not there."""
    return {"key": key, "result": "EQUAL", "target": "CREATE", "create_revision": revision}


def _range(key: str, end: str = "") -> dict[str, Any]:
    return {"request_range": {"key": key, **({"range_end": end} if end else {})}}


def _put(key: str, value: str, lease: str = "") -> dict[str, Any]:
    return {"request_put": {"key": key, "value": value, **({"lease": lease} if lease else {})}}


def _prefix(text: str) -> tuple[str, str]:
    first = text.encode()
    return b64(first), b64(first[:-1] + bytes([first[-1] + 1]))


def _value(found: Mapping[str, Any]) -> bytes | None:
    kvs = found.get("kvs")
    return base64.b64decode(kvs[0].get("value", ""), validate=True) if kvs else None


def _found(
    answer: Mapping[str, Any], at: int, decode: Callable[[bytes], T]
) -> tuple[T | None, str]:
    """What a range found, and its revision ("0": nothing). Raises CoordinatorError."""

    def read() -> tuple[bytes | None, str]:
        found = answer["responses"][at]["response_range"]
        kvs = found.get("kvs")
        return _value(found), str(int(kvs[0]["mod_revision"])) if kvs else _ABSENT

    value, revision = understood(read)
    if value is None:
        return None, _ABSENT
    try:
        return decode(value), revision
    except ValueDamagedError as error:
        raise CoordinatorError(f"a key of the fleet {error}") from None


def _claims(answer: Mapping[str, Any], at: int) -> list[Claim]:
    def read() -> list[bytes]:
        kvs = answer["responses"][at]["response_range"].get("kvs", ())
        return [base64.b64decode(each.get("value", "")) for each in kvs]

    try:
        return [decode_claim(each) for each in understood(read)]
    except ValueDamagedError as error:
        raise CoordinatorError(f"a key of the fleet {error}") from None
