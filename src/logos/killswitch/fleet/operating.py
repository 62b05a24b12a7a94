"""What an operator does with the switch of a fleet, and what is known of its engines then.

Problem: "the fleet is stopped" must be proved for each engine by name, also for one that nobody
reaches. Method: the switch is written by compare-and-set. Every permit that was given before comes
from a request that began before that write, so each is over once its time to live has passed since;
those that still hear confirm that they are BLOCKED and DRAINED. Whoever may hold a permit has an
entry, as entries outlive permits.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from logos.core.types import SwitchState
from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.permit import boot_ns
from logos.killswitch.fleet.records import (
    MARGIN_NS,
    SCHEMA,
    CoordinatorError,
    EngineEntry,
    FleetRecord,
    ValueDamagedError,
    decode_record,
)
from logos.killswitch.fleet.shards import BudgetRefusedError, Budgets, settle
from logos.killswitch.fleet.store import Store
from logos.killswitch.records import (
    WHO_CHARACTERS_MAX,
    WHY_CHARACTERS_MAX,
    clean_text,
    state_name,
)

_AGAIN_S: Final = 0.1
SILENT_RENEWALS: Final = 2
"""An engine that has renewed so often since, and still knows of no newer epoch, does not obey."""


class FleetResetRefusedError(CoordinatorError):
    """The fleet's switch stands where it stood; the message says why."""


class Engaged(NamedTuple):
    """The fleet's switch after it was tightened."""

    record: FleetRecord
    by_ns: int
    """By when (CLOCK_BOOTTIME) it was written: permits of requests that began later know of it."""
    is_new: bool
    """Written now; False: it was so severe already."""


class Progress(enum.Enum):
    """How far an engine has come."""

    STOPPED = "BLOCKED, DRAINED"
    EXPIRED = "its permit has expired"
    RESTING = "BLOCKED, NOT DRAINED"
    HEARD = "its switch is engaged, the session has not taken note yet"
    SILENT = "not heard of since"
    DISOBEYS = "NOT BLOCKED: it renews and does not obey"


DONE: Final = (Progress.STOPPED, Progress.EXPIRED)


def tighten(
    store: Store,
    state: SwitchState,
    who: str,
    why: str,
    *,
    floor: int = 0,
    until_s: float = 5.0,
    clock: Callable[[], int] = boot_ns,
) -> Engaged:
    """Turn the fleet's switch `state` unless it is as severe already.

    `floor` is the highest epoch that anybody is known to have seen. Tries again for `until_s`
    seconds. Raises CoordinatorError when it is not known to be written then.
    """
    end_s = time.monotonic() + until_s
    who = clean_text(who, WHO_CHARACTERS_MAX) or "unknown"
    why = clean_text(why, WHY_CHARACTERS_MAX) or "no reason given"
    attempt: FleetRecord | None = None
    while True:
        try:
            reading = store.read()
            record = _record(reading.value)
            if record is not None and record.severity >= state:
                return Engaged(record, clock(), record == attempt)
            epoch = max(floor, 0 if record is None else record.epoch) + 1
            attempt = FleetRecord(SCHEMA, epoch, state_name(state), who, why, time.time_ns())
            if store.swap(attempt, reading.revision):
                return Engaged(attempt, clock(), is_new=True)
            if time.monotonic() >= end_s:
                raise CoordinatorError("others write the fleet's switch at the same time")
        except CoordinatorError:
            if time.monotonic() >= end_s:
                raise
            time.sleep(_AGAIN_S)


def _record(value: bytes | None) -> FleetRecord | None:
    """The switch; None when it is not there, or damaged: then a new one takes its place."""
    if value is None:
        return None
    try:
        return decode_record(value)
    except ValueDamagedError:
        return None


class Muster:
    """Follows the engines of a fleet after its switch was engaged."""

    def __init__(self, store: Store, engaged: Engaged, clock: Callable[[], int] = boot_ns) -> None:
        self._store = store
        self._engaged = engaged
        self._clock = clock
        self._first: dict[str, EngineEntry] = {}
        self._latest: dict[str, EngineEntry] = {}

    def look(self) -> list[tuple[EngineEntry, Progress]]:
        """Every engine that may have had a permit, by name. Raises CoordinatorError."""
        listed = {entry.token: entry for entry in self._store.engines()}
        for token, entry in listed.items():
            self._first.setdefault(token, entry)
        self._latest |= listed
        return self.known()

    def known(self) -> list[tuple[EngineEntry, Progress]]:
        """The same as of the last look: what time alone has proved since counts."""
        entries = sorted(self._latest.values(), key=lambda entry: (entry.name, entry.token))
        return [(entry, self._progress(entry)) for entry in entries]

    def _progress(self, entry: EngineEntry) -> Progress:
        epoch = self._engaged.record.epoch
        if entry.has_stopped(epoch):
            return Progress.STOPPED
        if entry.epoch >= epoch or entry.ended:
            return Progress.RESTING if entry.blocked or entry.ended else Progress.HEARD
        renewed = entry.renewals - self._first[entry.token].renewals
        if renewed >= SILENT_RENEWALS:
            return Progress.DISOBEYS
        over_ns = self._engaged.by_ns + entry.ttl_ns + MARGIN_NS
        return Progress.EXPIRED if self._clock() >= over_ns else Progress.SILENT


def settle_budgets(store: ShardStore) -> Budgets:
    """Take back what owners of shards have given back; the ledger after that.

    Raises BudgetRefusedError without a ledger, CoordinatorError.
    """
    while True:
        budgets, revision = store.budgets()
        if budgets is None:
            raise BudgetRefusedError(
                "the fleet has no ledger of budgets: the first `logos fleet start` makes it"
            )
        # Before the claims: an entry of whoever is claimed newly meanwhile is not that of its
        # predecessor, whose epoch is not the newest then.
        entries = store.engines()
        epochs = {shard: claim.epoch for shard, (claim, _) in store.claims().items()}
        after = settle(budgets, entries, epochs)
        if after is budgets or store.swap_budgets(after, revision):
            return after


def change_budgets(store: ShardStore, change: Callable[[Budgets], Budgets]) -> Budgets:
    """Settle, and then change the ledger; the ledger after that.

    `change` may raise BudgetRefusedError, which is raised; CoordinatorError as well.
    """
    while True:
        settle_budgets(store)
        budgets, revision = store.budgets()
        if budgets is None:
            continue
        after = change(budgets)
        if store.swap_budgets(after, revision):
            return after


def release(
    store: Store, who: str, why: str, epoch: int, *, is_forced: bool = False, floor: int = 0
) -> FleetRecord:
    """Turn the fleet's switch SAFE at a new epoch, if `epoch` is the current one.

    `epoch` 0 makes a switch where there is none. Engines object unless it `is_forced`. Raises
    FleetResetRefusedError, CoordinatorError;
    ValueError without a person or a reason.
    """
    who, why = clean_text(who, WHO_CHARACTERS_MAX), clean_text(why, WHY_CHARACTERS_MAX)
    if not who or not why:
        raise ValueError("a reset needs a person (--by) and a reason (--reason)")
    reading = store.read()
    record = None
    if reading.value is not None:
        try:
            record = decode_record(reading.value)
        except ValueDamagedError as error:
            raise FleetResetRefusedError(
                f"reset refused: the fleet's switch {error}; engage it first (`logos kill --fleet`)"
            ) from None
    current = 0 if record is None else record.epoch
    if epoch != current:
        what = "there is no switch" if record is None else f"{record.state}: {record.why}"
        raise FleetResetRefusedError(
            f"reset refused: epoch {epoch} is not the current epoch, {current} is ({what})"
        )
    entries = store.engines()
    is_engaged = record is not None and record.severity is SwitchState.ENGAGED
    found = objections(entries, current, is_engaged=is_engaged)
    if found and not is_forced:
        listed = "\n".join(f"  {words}" for words in found)
        raise FleetResetRefusedError(
            f"reset refused:\n{listed}\nLook at each; `--force` resets all the same, and the "
            "record says over what"
        )
    if found:
        why = clean_text(f"{why} [--force over: {'; '.join(found)}]", WHY_CHARACTERS_MAX)
    seen = max((entry.epoch for entry in entries), default=0)
    fresh = FleetRecord(SCHEMA, max(current, floor, seen) + 1, "SAFE", who, why, time.time_ns())
    if not store.swap(fresh, reading.revision):
        raise FleetResetRefusedError(
            "reset refused: somebody else has changed the fleet's switch meanwhile; look again"
        )
    return fresh


def objections(entries: Sequence[EngineEntry], epoch: int, *, is_engaged: bool = True) -> list[str]:
    """What stands in the way of allowing a fleet to trade again after `epoch`, a text each.
    `is_engaged`: its engines must be blocked and drained."""
    found = []
    for entry in entries:
        if not entry.is_real:
            continue
        if entry.differences:
            found.append(
                f"{entry.name}: {entry.differences} differences with its venue are not explained"
            )
        elif is_engaged and not entry.has_stopped(epoch):
            found.append(f"{entry.name}: orders may still rest at its venue")
    return found
