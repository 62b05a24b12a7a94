"""The kill switch as a journal recorded it, to be seen again at the same looks.

Events follow from the data and orders from the events; what came from outside is only when the
switch was thrown. The journal says at which look the session saw that, and a replay shows it there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import msgspec

from logos.core.gates import Epochs, Switch
from logos.core.order_manager import OrderManager
from logos.core.records import CommandRecord, SwitchRecord
from logos.core.types import SwitchState


class Recording(msgspec.Struct, frozen=True):
    """What a journal says of the outside world, up to its last whole record.

    `last_tick_id` and `last_ns` are the latest that any record bears, `orders` how often gate 2 let
    one pass: when it was made, and when one that was held was sent.
    `is_whole`: the last tick was lived to its end (the session was stopped after it).
    """

    switches: Sequence[SwitchRecord]
    commands: Sequence[CommandRecord]
    last_tick_id: int
    last_ns: int
    orders: int
    is_whole: bool
    epochs: Sequence[tuple[int, Epochs]] = ()
    """Of the fleet's switch and the claim, each with the id of the first order made under them."""
    last_order_id: int = 0
    fleet: dict[str, object] | None = None
    """What the manifest says of the session's fleet; None: it belonged to none."""


@final
class RecordedSwitch:
    """Plays a recording back, then hands over to `after` (None: stays as it ended).

    `attach` must be called with the session's order manager before the first event: looks are told
    apart by its tick and by how often gate 2 let an order pass.
    """

    def __init__(self, recording: Recording, after: Switch | None, taken: int = 0) -> None:
        """`taken` of the recorded changes lie before the place at which the session is resumed."""
        self._recording = recording
        self._next = taken
        self._state = SwitchState.SAFE
        self._reason = ""
        self._epoch = 0
        if taken:
            self._state = SwitchState[recording.switches[taken - 1].state]
            self._reason = recording.switches[taken - 1].reason
            self._epoch = recording.switches[taken - 1].epoch
        self._after = after
        self._order_manager: OrderManager | None = None
        self._is_played = False
        self.is_continuing: Callable[[], bool] = lambda: False
        """Whether the journal has lines left that the session has not made again."""

    @property
    def recording(self) -> Recording:
        """What is played back."""
        return self._recording

    @property
    def after(self) -> Switch | None:
        """The switch that follows the recording."""
        return self._after

    def attach(self, order_manager: OrderManager) -> None:
        """Follow this order manager."""
        self._order_manager = order_manager

    @property
    def flag(self) -> RecordedSwitch:
        """Itself: index 0 is the state at this look."""
        return self

    def __getitem__(self, index: int, /) -> int:
        after = self._live()
        if after is not None:
            return after.flag[index]
        order_manager = self._attached()
        record = self._upcoming()
        if record is not None and record.tick_id == order_manager.tick_id:
            edge_is_due = record.seen_at == "edge" and self._is_at_edge(order_manager)
            if record.seen_at == "tick" or edge_is_due:
                self._take(record)
        return int(self._state)

    def authority(self) -> SwitchState:
        """The state at this look."""
        after = self._live()
        if after is not None:
            return after.authority()
        order_manager = self._attached()
        record = self._upcoming()
        if (
            record is not None
            and record.seen_at == "order"
            and record.tick_id == order_manager.tick_id
            and record.orders == order_manager.passed_count
        ):
            self._take(record)
        return self._state

    @property
    def epoch(self) -> int:
        """As it was recorded, and that of the switch that follows after that."""
        after = self._live()
        return self._epoch if after is None else after.epoch

    def engage(self, reason: str, by: str) -> None:
        """A guard or command of the session engages: as recorded, or for real after that."""
        self._own_doing(SwitchState.ENGAGED, reason, by)

    def set_reduce_only(self, reason: str, by: str) -> None:
        """As `engage`."""
        self._own_doing(SwitchState.REDUCE_ONLY, reason, by)

    def why(self) -> str:
        """The reason of the present state."""
        after = self._live()
        return self._reason if after is None else after.why()

    def _own_doing(self, state: SwitchState, reason: str, by: str) -> None:
        after = self._live()
        if after is not None:
            if state is SwitchState.ENGAGED:
                after.engage(reason, by)
            else:
                after.set_reduce_only(reason, by)
            return
        record = self._upcoming()
        if record is not None and record.seen_at in ("guard", "command"):
            self._take(record)
        elif state > self._state:
            self._state = state
            self._reason = f"{reason} (by {by})"

    def _upcoming(self) -> SwitchRecord | None:
        switches = self._recording.switches
        return switches[self._next] if self._next < len(switches) else None

    def _take(self, record: SwitchRecord) -> None:
        self._next += 1
        self._state = SwitchState[record.state]
        self._reason = record.reason
        self._epoch = record.epoch

    def _live(self) -> Switch | None:
        """The switch that follows the recording, once the recording has been played."""
        if self._after is None:
            return None
        if not self._is_played:
            order_manager = self._attached()
            recording = self._recording
            # Samples bear no tick, but the time of one proves that the session lived to it.
            is_beyond = (
                order_manager.tick_id > recording.last_tick_id
                and order_manager.now_ns > recording.last_ns
            )
            is_within_last = (
                not recording.is_whole
                and order_manager.tick_id == recording.last_tick_id
                and order_manager.now_ns >= recording.last_ns
                and self._upcoming() is None
                and order_manager.passed_count >= recording.orders
            )
            # While lines are left, an engagement that was recorded holds: nothing is let out.
            is_held = self._state is SwitchState.ENGAGED and is_within_last and self.is_continuing()
            self._is_played = is_beyond or (is_within_last and not is_held)
        return self._after if self._is_played else None

    def hand_over(self) -> None:
        """The recording has been played: what comes now is new."""
        self._is_played = True

    def _attached(self) -> OrderManager:
        if self._order_manager is None:
            raise RuntimeError("a recorded switch needs its session's order manager: call attach")
        return self._order_manager

    @staticmethod
    def _is_at_edge(order_manager: OrderManager) -> bool:
        """Whether the look may be that of start (no tick yet) or stop (all events are done)."""
        return order_manager.tick_id == 0 or order_manager.is_ending
