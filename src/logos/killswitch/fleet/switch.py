"""The kill switch of a machine that belongs to a fleet.

Problem: the effective state is the most severe of this machine's files, this process, and the
fleet; and gate 2 may not become slower by what a network costs. Method: gate 2 compares the clock
with the permit's deadline, after it has looked at the files. Whatever the fleet forbids is latched
in this machine's files as well: an expired permit engages the switch here, durably, and a person
has to reset it.
"""

from __future__ import annotations

import time
from typing import Final

from logos.core.types import SwitchState
from logos.killswitch.breaker import CircuitBreaker
from logos.killswitch.fleet.permit import Permit
from logos.killswitch.judge import ENGAGED, SAFE, Cause, Consequence, Pending

_clock_ns = time.clock_gettime_ns
_BOOT: Final = time.CLOCK_BOOTTIME
WHO: Final = "coordinator"


class PermittedBreaker(CircuitBreaker):
    """A `CircuitBreaker` that is SAFE only while `permit` allows it as well."""

    __slots__ = ("permit",)
    permit: Permit

    def authority(self) -> SwitchState:
        """The state, from the files and the permit. Never raises, never blocks on the network."""
        state = self._sensor.glance()
        if state is None or self.flag[0] > state:
            state = self._examine()
        # Last of all: the look at the files takes time, too.
        if state is ENGAGED or _clock_ns(_BOOT) < self.permit.deadline_ns:
            return state
        return self._without_permit(state)

    def _without_permit(self, state: SwitchState) -> SwitchState:
        granted = self._sensor.memory.granted_epoch
        standing, why = self.permit.standing(granted)
        if standing <= state:
            return state
        cause = Cause(standing, Consequence.NOTHING, why, WHO)
        # In memory and in the shared flag at once; looking writes it down.
        self._sensor.stop_at_once(Pending(cause, self._sensor.memory.epoch, own=True))
        self.flag = self._sensor.current_flag()
        found = max(self._examine(), standing)
        if standing is ENGAGED:
            self.permit.lost(self._sensor.memory.granted_epoch)
        return found

    @property
    def granted_epoch(self) -> int:
        """The epoch of the newest reset that this object has seen."""
        return self._sensor.memory.granted_epoch

    def is_safe(self) -> bool:
        """As of `CircuitBreaker`; and the permit counts."""
        return super().is_safe() and self.authority() is SAFE
