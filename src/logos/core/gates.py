"""The kill switch as the core sees it, and the rule that says which orders it lets out.

Gate 1 stands before every signal and reads `flag[0]`, one byte that may be shared memory: it is
a hint and may only err towards ENGAGED. Gate 2 stands before every order and asks the
authority, which for a file-backed switch means the file system. At a real venue an order is asked
for once more by the link, and once more by a gateway that makes orders wait. All of them ask
`why_closed`: there is no other rule. A cancel passes every gate.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from logos.core.types import Code, SwitchState

SAFE: Final = SwitchState.SAFE
REDUCE_ONLY: Final = SwitchState.REDUCE_ONLY


class Flag(Protocol):
    """One byte of switch state at index 0: a bytearray, or a memory map shared by processes."""

    def __getitem__(self, index: int, /) -> int: ...


class Switch(Protocol):
    """A kill switch."""

    @property
    def flag(self) -> Flag:
        """The hint gate 1 reads, a SwitchState at index 0. Ask for it anew at every tick."""

    @property
    def epoch(self) -> int:
        """Which change of the switch the state last read came with; 0: it counts none."""

    def authority(self) -> SwitchState:
        """The state now, as gate 2 must see it. Never blocks, never raises: fails ENGAGED."""

    def engage(self, reason: str, by: str) -> object:
        """Latch the switch ENGAGED. `by` names the person or the part that did it."""

    def set_reduce_only(self, reason: str, by: str) -> object:
        """Allow only orders that shrink a position, unless already ENGAGED."""

    def why(self) -> str:
        """The reason of the present state, for people."""


class Epochs(NamedTuple):
    """Under which epochs an order is made: of the fleet's switch, and of the claim to its shard; 0
    where there is none."""

    fleet: int
    claim: int


NO_EPOCHS: Final = Epochs(0, 0)


class FleetEpochs(Protocol):
    """Under which epochs the orders of a session that belongs to a fleet are made."""

    @property
    def joined(self) -> dict[str, object]:
        """The fleet as the manifest has it: its name, and the epoch at which the session began."""

    def epochs_of(self, order_id: int) -> Epochs:
        """The epochs for the order that is being made."""


class InProcessSwitch:
    """A switch that lives in this object only: for tests and simulations of one process."""

    def __init__(self) -> None:
        self.flag = bytearray(1)  # a plain attribute: gate 1 reads it at every tick
        self.epoch: int = 0
        self._reason = ""

    def authority(self) -> SwitchState:
        """The state, as the flag has it."""
        flag = self.flag[0]
        return SAFE if flag == 0 else SwitchState(flag)

    def engage(self, reason: str, by: str) -> None:
        """Latch ENGAGED; a second engagement keeps the first reason."""
        if self.flag[0] != SwitchState.ENGAGED:
            self._reason = f"{reason} (by {by})"
            self.flag[0] = SwitchState.ENGAGED

    def set_reduce_only(self, reason: str, by: str) -> None:
        """Allow only orders that shrink a position, unless already ENGAGED."""
        if self.flag[0] == SwitchState.SAFE:
            self._reason = f"{reason} (by {by})"
            self.flag[0] = SwitchState.REDUCE_ONLY

    def why(self) -> str:
        """The reason of the present state, for people; empty while SAFE."""
        return self._reason


def reduces(signed_quantity: int, position: int, in_flight: int) -> bool:
    """Whether an order can only shrink the position, even with `in_flight` filled before it.

    `in_flight` is the unsigned quantity that older open orders of the same side may still fill.
    """
    if position == 0 or (position > 0) == (signed_quantity > 0):
        return False
    return abs(signed_quantity) + in_flight <= abs(position)


def lets_all_out(state: SwitchState) -> bool:
    """Whether any order may leave in this state: `why_closed` is None of each, whatever it does."""
    return state == SAFE


def why_closed(
    state: SwitchState, signed_quantity: int, position: int, in_flight: int
) -> Code | None:
    """Whether an order may leave in this state of the switch: None, or the code of why not.

    Quantities are in units of the instrument: `signed_quantity` is negative for a sale, `position`
    for a short; `in_flight` is what older open orders of the same side may still fill, without
    sign. REDUCE_ONLY lets out what `reduces`; anything that is neither SAFE nor REDUCE_ONLY lets
    nothing out.
    """
    if state == SAFE:
        return None
    if state == REDUCE_ONLY:
        return None if reduces(signed_quantity, position, in_flight) else Code.REDUCE_ONLY
    return Code.KILL_SWITCH_ACTIVATED_MID_PROCESSING
