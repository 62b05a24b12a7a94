"""Under which epochs of the fleet each order was made, on record and again in a replay."""

from __future__ import annotations

from bisect import bisect_right
from typing import final

from logos.core.gates import NO_EPOCHS, Epochs, FleetEpochs, Switch
from logos.killswitch.fleet.permit import Permit
from logos.killswitch.fleet.switch import PermittedBreaker
from logos.session.recorded import RecordedSwitch, Recording


@final
class OrderEpochs:
    """The recorded epochs, and after them those of the permit."""

    def __init__(
        self, joined: dict[str, object], recording: Recording | None, permit: Permit | None
    ) -> None:
        recorded = () if recording is None else recording.epochs
        self._joined = joined
        self._first_orders = [order_id for order_id, _ in recorded]
        self._epochs = [epochs for _, epochs in recorded]
        self._last_order_id = 0 if recording is None else recording.last_order_id
        self._permit = permit

    @property
    def joined(self) -> dict[str, object]:
        """The fleet as the manifest has it: its name, and the epoch at which the session began."""
        return self._joined

    def epochs_of(self, order_id: int) -> Epochs:
        """The epochs for an order: as recorded, or those that permit it now."""
        if self._permit is not None and order_id > self._last_order_id:
            return Epochs(self._permit.epoch, self._permit.claim)
        found = bisect_right(self._first_orders, order_id)
        return self._epochs[found - 1] if found else NO_EPOCHS


def epochs_of(switch: Switch) -> FleetEpochs | None:
    """The epochs for a session with this switch; None where there is no fleet."""
    if isinstance(switch, RecordedSwitch):
        recording, after = switch.recording, switch.after
        permit = after.permit if isinstance(after, PermittedBreaker) else None
        return None if recording.fleet is None else OrderEpochs(recording.fleet, recording, permit)
    if not isinstance(switch, PermittedBreaker):
        return None
    permit = switch.permit
    return OrderEpochs({"name": permit.fleet, "epoch": permit.epoch}, None, permit)
