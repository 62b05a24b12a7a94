"""A session that belongs to a fleet: how it joins, and what it says of itself there.

It joins before it reads anything: without a permit it does not start. What it then says each time
that it renews is what `logos kill --fleet` waits for: whether it is BLOCKED and DRAINED.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from logos import paths
from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.fleet.connect import connect
from logos.killswitch.fleet.ownership import Ownership
from logos.killswitch.fleet.permit import Judgment, Known, Permit, boot_ns, judge_reading
from logos.killswitch.fleet.reader import PermitReader
from logos.killswitch.fleet.records import CoordinatorError, EngineEntry
from logos.killswitch.fleet.seen import read_seen, seen_path, write_seen
from logos.killswitch.fleet.store import Coordinator, Store
from logos.killswitch.fleet.switch import WHO, PermittedBreaker
from logos.session.fleet.coordinator import reset_command
from logos.session.opening.machine_switch import SessionSwitch, SwitchEngagedError
from logos.session.presence.heartbeat import PermitStands
from logos.session.supervisor import SessionSupervisor

_AGAIN_S: Final = 0.1
"""Between two attempts of a session that starts to read a coordinator that does not answer."""


class FleetSwitch(PermittedBreaker, SessionSwitch):
    """The machine's switch, SAFE only while the fleet permits it."""

    __slots__ = ()


class Membership:
    """One session's part in its fleet."""

    def __init__(
        self,
        terms: Coordinator,
        token: str,
        supervisor: SessionSupervisor,
        *,
        home: Path | None = None,
        is_real: bool = False,
        own: Ownership | None = None,
    ) -> None:
        """Connects to nobody yet; `own` is its claim to a shard. Raises CoordinatorError when it
        could not."""
        self.terms = terms
        self._own = own
        self._token = token
        self._supervisor = supervisor
        self._home = paths.home() if home is None else home
        self._is_real = is_real
        self._path = seen_path(paths.state_dir(home), terms.fleet)
        self._store: Store = connect(terms) if own is None else own.hand_over()
        self.switch = FleetSwitch(
            paths.within(home, paths.state_dir()) / "kill-switch",
            mode="live" if is_real else "paper",
        )
        self.permit = self.switch.permit = Permit(terms.fleet)
        self.permit.claim = 0 if own is None else own.epoch
        self.reader: PermitReader | None = None

    def join(self, tell: Callable[[str], object], *, may_be_engaged: bool) -> None:
        """Get a permit and begin to renew it.

        Raises SwitchEngagedError when there is none to be had: the coordinator cannot be read in
        time, the fleet is engaged (unless the session `may_be_engaged`), or there is a doubt about
        its switch, over which this machine's switch is engaged as well.
        """
        try:
            seen = read_seen(self._path)
            known = Known() if seen is None else seen.known
            judgment = self._first(known)
        except CoordinatorError as error:
            raise SwitchEngagedError(
                f"fleet {self.terms.fleet} gives no permit: {error}\nNothing is traded without one."
            ) from None
        if judgment.is_doubt:
            self._refuse_doubt(known, judgment)
        if judgment.state is SwitchState.ENGAGED and not may_be_engaged:
            epoch = judgment.known.epoch
            raise SwitchEngagedError(
                f"{judgment.why} (by {judgment.who})\nNothing is traded until a person clears it:\n"
                f"  {reset_command(self.terms.fleet, epoch)}"
            )
        if self._store.limits:
            tell(f"fleet {self.terms.fleet}: {self._store.limits}")
        self._keep(judgment.known)
        self.reader = PermitReader(
            self.terms,
            self._store,
            self.permit,
            self.switch,
            self._entry,
            known=judgment.known,
            keep=self._keep,
        )
        if self._own is not None:
            self.reader.heed = self._own.heed
        self._first_permit(self.reader)
        self.reader.start()
        tell(
            f"fleet {self.terms.fleet}: joined by {self.terms.backend}, epoch "
            f"{judgment.known.epoch}; permits of {self.terms.ttl_ns / NS_PER_SECOND:g} s"
        )

    def problem(self) -> str:
        """What is wrong with the thread that renews the permit; "" while all is well."""
        return "" if self.reader is None else self.reader.problem()

    def words(self) -> str:
        """How the permit stands, for people."""
        terms, permit = self.terms, self.permit
        stands = f"permit for {permit.left_ns() / NS_PER_SECOND:.1f} s more"
        if not permit.left_ns():
            trouble = "" if self.reader is None else self.reader.trouble
            stands = "NO PERMIT" + (f": {trouble}" if trouble else "")
        kind = f"{terms.backend}, best effort" if self._store.limits else terms.backend
        words = f"fleet {terms.fleet} ({kind}): epoch {permit.epoch}, {stands}"
        if self._own is None:
            return words
        said = self._own.said
        limit = "no budget in force yet" if said is None else f"budget {said.limit:f}"
        return f"{words}; shard {terms.shard} by claim {permit.claim}, {limit}"

    def stands(self) -> PermitStands:
        """How the permit stands, in figures."""
        permit = self.permit
        return PermitStands(self.terms.fleet, permit.epoch, permit.left_ns(), self.terms.ttl_ns)

    def close(self) -> None:
        """The session is over: say so, and let go."""
        if self.reader is None:
            self._store.close()
        else:
            self.reader.stop()
        self.switch.close()

    def _first(self, known: Known) -> Judgment:
        """Read until there is an answer, for as long as a permit lasts."""
        until_ns = boot_ns() + self.terms.ttl_ns
        while True:
            try:
                return judge_reading(self.terms.fleet, known, self._store.read())
            except CoordinatorError:
                if boot_ns() >= until_ns:
                    raise
            time.sleep(_AGAIN_S)

    def _first_permit(self, reader: PermitReader) -> None:
        """Renew until there is an answer, for as long as a permit lasts: the coordinator may be
        electing a leader just when the owner before was lost. Raises SwitchEngagedError."""
        until_ns = boot_ns() + self.terms.ttl_ns
        while not reader.round():
            if boot_ns() >= until_ns:
                raise SwitchEngagedError(
                    f"fleet {self.terms.fleet} gives no permit: {reader.trouble}\n"
                    "Nothing is traded without one."
                )
            time.sleep(_AGAIN_S)

    def _refuse_doubt(self, known: Known, judgment: Judgment) -> None:
        fleet = self.terms.fleet
        if not known.cluster:
            raise SwitchEngagedError(
                f"{judgment.why}\nNothing is traded until a person makes it:\n"
                f"  {reset_command(fleet, 0)}"
            )
        self.switch.engage(judgment.why, WHO)
        self._keep(judgment.known)
        raise SwitchEngagedError(
            f"{judgment.why}\nThis machine's switch is engaged over it. Look at the coordinator, "
            f"then at both switches: logos status --fleet {fleet}; logos kill status"
        )

    def _keep(self, known: Known) -> None:
        write_seen(self._path, self.terms, known)

    def _entry(self, renewals: int, epoch: int) -> EngineEntry:
        supervisor, switch = self._supervisor, self.switch
        stand = supervisor.stand
        # What was said before the last reset says nothing of what came after it.
        is_current = stand.epoch >= switch.granted_epoch
        return EngineEntry(
            token=self._token,
            host=os.uname().nodename,
            workspace=str(self._home),
            session=supervisor.session_id,
            pid=os.getpid(),
            renewed_ns=time.time_ns(),
            ttl_ns=self.terms.ttl_ns,
            renewals=renewals,
            epoch=epoch,
            state=SwitchState(min(switch.flag[0], SwitchState.ENGAGED)).name,
            blocked=stand.blocked and is_current,
            drained=stand.drained and (is_current or supervisor.is_closed),
            ended=supervisor.is_closed,
            is_real=self._is_real,
            differences=supervisor.differences(),
            **self._shard_says(),
        )

    def _shard_says(self) -> dict[str, Any]:
        """What the entry of an owner of a shard says besides."""
        own = self._own
        if own is None:
            return {}
        what: dict[str, Any] = {"shard": self.terms.shard, "claim": own.epoch}
        said = own.said
        if said is None:
            return what
        what |= {"budget": said.limit, "ledger": said.version, "exposure": said.exposure}
        return {**what, "written": said.written}
