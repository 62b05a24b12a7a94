"""What is prescribed to a session from outside, beside its events.

A new session has an empty script. One that is resumed or replayed has the commands that its journal
recorded; a replay stops where the session was stopped, and a crashed session that is only to be
sealed is cut off after the last line of its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from logos.core.commands import recorded_command
from logos.core.messages import NOW, OperatorCommand
from logos.core.records import CommandRecord
from logos.core.types import SessionStatus


class DueCommand(msgspec.Struct, frozen=True):
    """A command to be carried out right after a tick, at the core's time then."""

    tick_id: int
    command: OperatorCommand

    def at(self, now_ns: int) -> OperatorCommand:
        """The command at the core's present time, nanoseconds UTC."""
        return msgspec.structs.replace(self.command, ts_ns=now_ns)


def recorded_commands(records: Iterable[CommandRecord]) -> list[DueCommand]:
    """The commands that a journal recorded. Raises InvariantBroken for an unknown word."""
    return [DueCommand(each.tick_id, recorded_command(each, NOW)) for each in records]


class Script(msgspec.Struct):
    """The prescriptions of one session; a tick is a number of `OrderManager.tick_id`."""

    commands: list[DueCommand] = msgspec.field(default_factory=list)
    """Operator commands in order, each carried out after its tick. The session takes from the
    front what it has carried out; new commands are appended."""
    before_last_command: Callable[[], object] | None = None
    """Called right before the last command: what follows it is new, and no longer on record."""
    stop_after_tick: int | None = None
    """Stop as an operator would have, after this tick (negative: before the first event)."""
    seal_after_tick: int | None = None
    """End after this tick and the last line of the journal that is continued."""
    stopped_as: SessionStatus = SessionStatus.STOPPED
    """The status of a session that `stop_after_tick` or `seal_after_tick` ended."""
    stopped_because: str = ""
    """Why it is stopped, and what to do; empty: an operator wanted it."""

    def ticks_left(self, tick_id: int, size_max: int, is_continuing: bool) -> int:
        """How many events may be run before something prescribed is due, at most `size_max`.

        0 or less: the session is to stop. `is_continuing`: the continued journal has lines left.
        """
        size = size_max
        if self.commands:
            size = min(size, self.commands[0].tick_id - tick_id)
        if self.stop_after_tick is not None:
            size = min(size, self.stop_after_tick - tick_id)
        if self.seal_after_tick is not None:
            left = self.seal_after_tick - tick_id
            # The last records of a journal need not bear a tick: then event by event to its end.
            size = min(size, left if left > 0 else int(is_continuing))
        return size

    def stops_before_start(self, is_continuing: bool) -> bool:
        """Whether the session ended before its first event."""
        if self.stop_after_tick is not None and self.stop_after_tick < 0:
            return True
        return self.seal_after_tick is not None and not is_continuing

    def is_cut_off(self, is_continuing: bool) -> bool:
        """Whether a session that has run all its events is not to come to an end of its own."""
        if self.seal_after_tick is not None:
            return not is_continuing
        return self.stop_after_tick is not None
