"""An engine as the owner of a shard: its claim, its grant, and what it says of its books.

A claim has to be kept from the moment it is made, while what it is for is still read from disk: a
thread keeps its lease alive until the reader of the permit does (`hand_over`). The reader then
brings the ledger of budgets with each reading; the owner takes from it which limit it should have
in force (`limit`), puts that into force in its own time, and says so (`report`). A limit in force
that is above the grant is a doubt like any other about the coordinator: no permit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from logos.core.types import NS_PER_SECOND
from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.records import ClaimLostError, CoordinatorError, ValueDamagedError
from logos.killswitch.fleet.shards import Claim, ShardTakenError, decode_budgets
from logos.killswitch.fleet.store import Coordinator

_AGAIN_S: Final = 0.1
"""Between two attempts to claim."""


class Goal(NamedTuple):
    """A limit of exposure, in money, and the version of the ledger that it is of."""

    limit: Decimal
    version: int


class Said(NamedTuple):
    """What an owner says of its books: the limit in force, of which version, what may be held."""

    limit: Decimal
    version: int
    exposure: Decimal
    written: int = 0
    """Records of the session that the disk had."""


class Ownership:
    """The claim of one life of an engine to one shard. Thread-safe but for `take`."""

    def __init__(self, terms: Coordinator, token: str, workspace: Path) -> None:
        """Connects to nobody yet; `terms.shard` names the shard. Raises CoordinatorError."""
        self.terms = terms
        self.token = token
        self.store = ShardStore(terms)
        self.claim: Claim | None = None
        self.goal: Goal | None = None
        """Which limit should be in force, as the ledger says; None: it was not read yet."""
        self.said: Said | None = None
        """What was said last of what is in force; None: nothing trades yet."""
        self._workspace = workspace
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def epoch(self) -> int:
        """Of the claim; 0 before it."""
        return 0 if self.claim is None else self.claim.epoch

    def take(
        self,
        wait_s: float,
        tell: Callable[[str], object] = lambda _: None,
        is_to_stop: Callable[[], bool] = lambda: False,
    ) -> Claim:
        """Claim the shard, trying for `wait_s`, and keep the claim from then on.

        `tell` hears once for whom it waits; `is_to_stop` is asked while it does. Raises
        ShardTakenError, CoordinatorError, and ClaimLostError when the ledger grants the shard
        nothing.
        """
        until_s = time.monotonic() + wait_s
        has_told = False
        while True:
            try:
                self.claim = self.store.claim(self.token, self._workspace)
                break
            except (ShardTakenError, CoordinatorError) as error:
                if time.monotonic() >= until_s:
                    raise
                if is_to_stop():
                    raise ShardTakenError(f"interrupted while it waited: {error}") from None
                if not has_told:
                    tell(f"{error}; waiting for {wait_s:g} s")
                    has_told = True
            time.sleep(_AGAIN_S)
        self._thread = threading.Thread(target=self._keep, name="claim", daemon=True)
        self._thread.start()
        return self.claim

    def _keep(self) -> None:
        while not self._done.wait(self.terms.poll_ns / NS_PER_SECOND):
            try:
                self.store.keep_lease()
            except ClaimLostError:
                return  # the reader of the permit will find it so as well
            except CoordinatorError:
                continue  # until the lease ends

    def hand_over(self) -> ShardStore:
        """The store, for the thread that renews the permit: from here on that keeps the claim."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        return self.store

    def heed(self, budgets: bytes | None) -> str:
        """Read the ledger; why it is in doubt, in words, or ""."""
        shard, fleet = self.terms.shard, self.terms.fleet
        if budgets is None:
            return f"the ledger of budgets of fleet {fleet} is not there (never made, or deleted)"
        try:
            ledger = decode_budgets(budgets)
        except ValueDamagedError as error:
            return f"the ledger of budgets of fleet {fleet} {error}"
        granted = ledger.granted.get(shard)
        if granted is None:
            return f"the ledger of budgets of fleet {fleet} grants shard {shard} nothing"
        if self.said is not None and self.said.limit > granted:
            return (
                f"fleet {fleet} grants shard {shard} {granted:f}, and its limit in force is "
                f"{self.said.limit:f}: the ledger was changed by other means"
            )
        self.goal = Goal(ledger.limit_of(shard), ledger.version)
        return ""

    def report(self, goal: Goal, exposure: Decimal, written: int = 0) -> None:
        """Say that the limit of `goal` is in force, durably, what may be held at most, and how
        many records of the session the disk has."""
        self.said = Said(goal.limit, goal.version, exposure, written)

    def close(self) -> None:
        """Give the claim up."""
        self.hand_over().close()
