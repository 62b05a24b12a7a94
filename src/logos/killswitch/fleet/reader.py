"""The thread that renews a permit, and what it does about what it reads.

Problem: hearing from a fleet takes a network, and the network hangs, lies or answers late. Method:
one thread does nothing else. Each round renews the engine's entry and reads the switch in one step;
what it reads goes into the permit, with a deadline that counts from the start of the request. Where
the fleet is not SAFE, or in doubt, the thread latches this machine's switch, durably. A second
thread waits for news of the key and only hastens the next round.

A reader that dies or hangs renews nothing, so the permit runs out; whoever could order asks
`problem` besides, and is told at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.fleet.permit import (
    ENGAGED,
    REDUCE_ONLY,
    SAFE,
    Judgment,
    Known,
    Permit,
    boot_ns,
    judge_reading,
)
from logos.killswitch.fleet.records import ClaimLostError, CoordinatorError, EngineEntry
from logos.killswitch.fleet.store import Coordinator, Store
from logos.killswitch.fleet.switch import WHO

SEND_NS: Final = 100_000_000
"""How much earlier than its time to live a permit ends for the gates: what has passed a gate takes
a moment to leave, longer on a busy machine, and shall have left by then."""
_AFTER_SILENCE_S: Final = 0.2
"""Before a watch that heard nothing is asked again, so that one that fails costs nothing."""
_STOP_S: Final = 3.0


class MachineSwitch(Protocol):
    """The switch of this machine."""

    @property
    def granted_epoch(self) -> int: ...

    def authority(self) -> SwitchState: ...

    def engage(self, reason: str, by: str) -> object: ...

    def set_reduce_only(self, reason: str, by: str) -> object: ...


class PermitReader:
    """Renews one engine's permit."""

    def __init__(
        self,
        terms: Coordinator,
        store: Store,
        permit: Permit,
        switch: MachineSwitch,
        entry: Callable[[int, int], EngineEntry],
        *,
        known: Known | None = None,
        keep: Callable[[Known], object] = bool,
        clock: Callable[[], int] = boot_ns,
    ) -> None:
        """`entry` makes the engine's entry of its renewals so far and the epoch it acted upon.

        `known` is what an earlier life has seen; `keep` is called with what is known when cluster
        or epoch have changed, and may raise OSError.
        """
        self._terms = terms
        self._store = store
        self._permit = permit
        self._switch = switch
        self._entry = entry
        self._known = known or Known()
        self._keep = keep
        self.heed: Callable[[bytes | None], str] = lambda _: ""
        """Hears the ledger of budgets that each reading came with; why it is in doubt, or ""."""
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_stopping = False
        self._rounds = 0
        self._acted: tuple[int, SwitchState] = (0, SAFE)
        self.trouble = ""
        """Why the last round failed, in words; "" when it did not."""
        self._died = ""
        self._thread = threading.Thread(target=self._run, name="fleet permit", daemon=True)
        self._watch = threading.Thread(target=self._listen, name="fleet watch", daemon=True)

    # ---- the thread ----

    def start(self) -> None:
        """Begin to renew, and to listen."""
        self._thread.start()
        self._watch.start()

    def stop(self) -> None:
        """End in order: tell the fleet once more how it stands. One that hangs is left behind."""
        self._is_stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        if not self._thread.is_alive():
            self._store.close()

    def problem(self) -> str:
        """What is wrong with the thread, in words; "" while all is well.

        That the coordinator does not answer is no problem of the thread: the permit runs out.
        """
        if self._is_stopping or self._thread.ident is None:
            return ""
        if self._died or not self._thread.is_alive():
            return f"the thread that renews the permit of the fleet has ended {self._died}".rstrip()
        return ""

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                began_s = time.monotonic()
                self.round()
                rest_s = self._terms.poll_ns / NS_PER_SECOND - (time.monotonic() - began_s)
                self._wake.wait(max(0.0, rest_s))
                self._wake.clear()
            self.round()  # what the end of the session has to say
        except BaseException as error:
            self._died = f"({type(error).__name__}: {error})"
            self._permit.revoke(f"the thread that renews the permit died {self._died}")
            self._switch.engage(f"the thread that renews the permit died {self._died}", WHO)
            raise

    def _listen(self) -> None:
        while not self._is_stopping:
            if self._store.wait(self._terms.ttl_ns / NS_PER_SECOND):
                self._wake.set()
            elif not self._is_stopping:
                time.sleep(_AFTER_SILENCE_S)

    # ---- one round ----

    def round(self) -> bool:
        """Renew once; whether the coordinator answered. Does not raise for what it answers."""
        began_ns = self._clock()
        try:
            polled = self._store.poll(self._entry(self._rounds, self._acted[0]))
        except ClaimLostError as error:
            self.trouble = str(error)
            self._doubt(str(error))
            return True
        except CoordinatorError as error:
            self.trouble = str(error)
            if self._rounds:
                self._switch.authority()  # which latches what has run out
            return False
        self.trouble = ""
        self._rounds += 1
        judgment = judge_reading(self._terms.fleet, self._known, polled.reading)
        doubt = self.heed(polled.budgets)
        if judgment.state is ENGAGED:
            self._stop(judgment)
        elif doubt:
            self._doubt(doubt)
        else:
            until_ns = min(began_ns + self._terms.ttl_ns, polled.listed_until_ns) - SEND_NS
            epoch = judgment.known.epoch
            self._permit.renew(judgment.state, epoch, until_ns, judgment.why)
            if judgment.state is REDUCE_ONLY and self._acted != (epoch, REDUCE_ONLY):
                self._switch.set_reduce_only(judgment.why, judgment.who)
            self._acted = (epoch, judgment.state)
        self._remember(judgment.known)
        self._switch.authority()
        return True

    def _stop(self, judgment: Judgment) -> None:
        """The fleet is engaged, or in doubt: no permit, and this machine's switch is engaged."""
        if judgment.is_doubt or judgment.record is None:
            self._doubt(judgment.why)
            return
        epoch = judgment.record.epoch
        self._permit.renew(ENGAGED, epoch, 0, judgment.why)
        if self._acted != (epoch, ENGAGED):
            self._switch.engage(judgment.why, judgment.who)
        self._permit.lost(self._switch.granted_epoch)
        self._acted = (epoch, ENGAGED)

    def _doubt(self, why: str) -> None:
        """There is no trading on what is known: no permit, and this machine's switch is engaged."""
        self._permit.revoke(why)
        self._switch.engage(why, WHO)
        self._permit.lost(self._switch.granted_epoch)
        self._acted = (self._acted[0], ENGAGED)

    def _remember(self, known: Known) -> None:
        before, self._known = self._known, known
        if (known.cluster, known.epoch) == (before.cluster, before.epoch):
            return
        try:
            self._keep(known)
        except OSError as error:
            self.trouble = f"what was seen of the fleet could not be kept: {error}"
