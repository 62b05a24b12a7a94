"""One run of a session: from its first record to its seal.

However it ends, an exception inside the strategy included, its artifacts are complete: the books as
they stood at the last event, every order with its last status, and the reason in session.md.

Its life is a generator that waits for events, so that whoever has them can push them in: a loop
that pulls from a feed (`Running.run`), or tasks that wait for a venue.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from logos import __version__
from logos.core.engine import TradingCore
from logos.core.messages import NOW, Event, OperatorCommand, SessionEnd, Suspend
from logos.core.outbox import Outbox
from logos.core.records import WarningRecord
from logos.core.saved.state import is_savable, save_core
from logos.core.strategy import can_save
from logos.core.types import SessionStatus
from logos.errors import DataError, StrategyError
from logos.journal.inputs import LiveFailureError
from logos.journal.writer import JournalDiffersError
from logos.session.artifacts.folder import SessionFolder
from logos.session.artifacts.manifest import books_at_end, manifest
from logos.session.artifacts.report import session_markdown
from logos.session.artifacts.snapshot import Snapshot, SnapshotDue, plain_copy
from logos.session.artifacts.summary import data_facts, figures, host_facts, session_uuid
from logos.session.artifacts.tables import Moments
from logos.session.outcome import Ending, ExitCode, SessionResult, Stopped
from logos.session.plan import Plan, chunks_after
from logos.session.script import DueCommand, Script
from logos.session.supervisor import SessionSupervisor, tell_operator

Progress = Callable[[int], object]
"""Called with the number of events of each chunk once it has been processed."""

Life = Generator[None, Sequence[Event] | None, SessionResult]
"""A session that waits for events; see `Running.life`."""

_PIECE_EVENTS = 1024
_PIECE_NS_MAX = 100_000_000
_BEFORE_START = -1
"""The tick of a stop that came before the first event."""


class Running:
    """One run: its plan, its folder, its core.

    A `snapshot` is where it resumes: the core and the strategy are as it says. `snapshot_due` says
    when to write another (None: never).
    """

    def __init__(
        self,
        plan: Plan,
        session_id: str,
        core: TradingCore,
        folder: SessionFolder,
        guardian: SessionSupervisor,
        script: Script | None = None,
        snapshot: Snapshot | None = None,
        snapshot_due: SnapshotDue | None = None,
        facts: Callable[[], Mapping[str, Any]] | None = None,
        drain_s: float = 0.0,
    ) -> None:
        """`facts` tells what only a live run can measure, once, at its end. `drain_s` is how long
        a stop waits for a real venue to confirm its cancels."""
        self._plan = plan
        self._id = session_id
        self._core = core
        self._folder = folder
        self._guardian = guardian
        self._script = Script() if script is None else script
        self._snapshot_due = snapshot_due if can_save(plan.strategy) else None
        self._is_restored = snapshot is not None
        self._consumed = 0 if snapshot is None else snapshot.consumed
        self._first_ns: int | None = None if snapshot is None else snapshot.first_ns
        self._facts = facts
        self._drain_s = drain_s
        self._drain_until_s = 0.0
        self.decided_ns = 0
        """When the core was last done with events, in `perf_counter_ns`."""
        self._run_ns = 0
        self._piece = _PIECE_EVENTS

    def run(self, progress: Progress) -> SessionResult:
        """Run it to its end on the plan's own feed. Raises OSError when a file cannot be written.

        A feed that fails is reported in the result, like a strategy that does.
        """
        life = self.life()
        next(life)
        try:
            try:
                if self._consumed:
                    progress(self._consumed)
                for events in chunks_after(self._plan.feed, self._consumed):
                    life.send(events)
                    progress(len(events))
            except StopIteration:
                raise
            except BaseException as error:
                # One that came out of `life` has ended it, and comes out of it again.
                life.throw(error)
            life.send(None)
        except StopIteration as end:
            result: SessionResult = end.value
            return result
        raise RuntimeError("the session waits for events after its feed came to its end")

    def life(self) -> Life:
        """The session as a generator: to be primed with `next`, then sent its events.

        `send(events)` runs a list of them, in order of time; an empty list only looks whether the
        session shall stop. `send(None)` says that there are no more, `throw(error)` that the feed
        failed. StopIteration ends it, its value the SessionResult, and may come after any list:
        at a stop, a halt, a failure. Raises OSError when a file cannot be written.
        """
        started_ns = time.time_ns()
        try:
            self._folder.write_json("config.json", self._plan.config)
            if not self._is_restored:
                self._folder.write_note("manifest", manifest(self._plan, self._id))
            with self._guardian:  # to the last file: a signal must not cut the seal short
                ending = yield from self._consume()
                return self._seal(self._with_orders_left(ending), started_ns)
        except OSError as error:
            # Nothing more is traded or journalled; what can still be said is said.
            with suppress(OSError):
                reason = f"cannot write {error.filename}: {error.strerror}"
                ending = Ending(SessionStatus.FAILED, ExitCode.CANNOT_WRITE, reason)
                self._folder.write_text("session.md", session_markdown(self._summary(ending)))
            raise
        finally:
            self._folder.close()

    def _consume(self) -> Generator[None, Sequence[Event] | None, Ending]:
        """Feed all events to the core, and turn whatever happens into an ending."""
        try:
            if (yield from self._run_events()):
                reason = f"kill switch: {self._core.switch.why()}"
                return Ending(SessionStatus.HALTED, ExitCode.HALTED, reason)
            return Ending(SessionStatus.ENDED, ExitCode.FINISHED, "all events processed")
        except StrategyError as error:
            return self._abort(ExitCode.STRATEGY_FAILED, str(error))
        except DataError as error:
            return self._abort(ExitCode.BAD_DATA, str(error))
        except Stopped:
            return self._pause()
        except LiveFailureError as error:
            self._folder.write(self._core.take_effects())
            self._folder.write(self._core.abort())
            return Ending(SessionStatus.HALTED, ExitCode.HALTED, str(error))
        except (OSError, JournalDiffersError):
            raise
        except Exception as error:  # a broken invariant: what can still be written is
            traceback.print_exc(file=sys.stderr)
            self._folder.write(self._core.take_effects())
            with suppress(Exception):
                self._folder.write(self._core.abort())
            reason = f"internal error: {type(error).__name__}: {error}"
            return Ending(SessionStatus.FAILED, ExitCode.INTERNAL_ERROR, reason)

    def _run_events(self) -> Generator[None, Sequence[Event] | None, bool]:
        """Whether the switch halted the session before the events ran out."""
        core = self._core
        while (events := (yield)) is not None:
            if not events:
                self._idle()
                continue
            if type(events[0]) is SessionEnd:
                break
            if self._first_ns is None:
                self._start(events[0].ts_ns)
            self._run_chunk(events)
            if core.is_halted:
                break
        if self._first_ns is None:
            raise DataError("no events: the data between 'from' and 'to' is empty")
        if self._is_cut_off():
            raise Stopped  # there was no later event, and it did not end by itself then either
        self._carry_out_commands()
        core.begin_stop()
        self._folder.write(core.take_effects())
        yield from self._drain()
        self._folder.write(core.finish())
        self._folder.write(self._unused())
        self._folder.check_continued()
        return core.is_halted

    def _drain(self) -> Generator[None, Sequence[Event] | None, None]:
        """Wait for a real venue to report the end of every order; a paper market has done so."""
        outbox = self._core.order_manager.outbox
        self._folder.flush()
        while outbox is not None and outbox.open and (events := (yield)) is not None:
            self._core.run(events)
            self._folder.write(self._core.take_effects())
            self._folder.flush()

    def _is_cut_off(self) -> bool:
        """Whether the session is not to come to its own end, and all its events have been run."""
        if self._core.is_halted:
            return False
        if self._script.seal_after_tick is not None:
            return not self._folder.is_continuing
        return self._script.stop_after_tick is not None

    def _start(self, first_ns: int) -> None:
        if self._script.stop_after_tick is not None and self._script.stop_after_tick < 0:
            raise Stopped
        if self._script.seal_after_tick is not None and not self._folder.is_continuing:
            raise Stopped
        self._first_ns = first_ns
        self._folder.write(self._core.start(first_ns))
        self._folder.flush()

    def _idle(self) -> None:
        """No event has come: the session may be asked to stop all the same."""
        if self._script.commands and self._first_ns is not None:
            self._carry_out_commands()
            self._folder.flush()
        if self._is_to_stop():
            raise Stopped
        self._guardian.report()

    def _is_to_stop(self) -> bool:
        """Whether the operator wants the session to stop, and it can."""
        # A session that is resumed first catches up with its journal: then it can stop.
        if not self._guardian.stop_requested or self._folder.is_continuing:
            return False
        return self._core.order_manager.outbox is None or self._is_drained(
            self._core.order_manager.outbox
        )

    def _is_drained(self, outbox: Outbox) -> bool:
        """Whether a stop has left nothing resting at a real venue, or has waited long enough.

        The first time it is asked it closes the session: what rests is cancelled, and nothing new
        is decided while the venue confirms that. What rests all the same is for `resume` to find.
        """
        now_s = time.monotonic()
        if not self._core.is_suspended and self._first_ns is not None:
            self._drain_until_s = now_s + self._drain_s
            self.command(Suspend(NOW, "the session is to stop", "operator"))
            self._carry_out_commands()
            self._folder.flush()
        return not outbox.open or now_s >= self._drain_until_s

    @property
    def has_commands(self) -> bool:
        """Whether commands wait to be carried out."""
        return bool(self._script.commands)

    def command(self, command: OperatorCommand) -> None:
        """Carry the command out before the next event, at the time of that moment."""
        self._script.commands.append(DueCommand(self._core.order_manager.tick_id, command))

    def _run_chunk(self, events: Sequence[Event]) -> None:
        """Run the events in pieces that take a moment each, so that a stop need not wait long."""
        core = self._core
        clock = time.perf_counter_ns
        done = 0
        while done < len(events) and not core.is_halted:
            if self._script.commands:
                self._carry_out_commands()
            size = self._size_max()
            if self._is_to_stop() or size <= 0:
                raise Stopped
            piece = events[done : done + size]
            began = clock()
            core.run(piece)
            self.decided_ns = clock()
            took_ns = self.decided_ns - began
            self._run_ns += took_ns
            self._folder.write(core.take_effects())
            self._folder.flush()
            self._guardian.report()
            done += len(piece)
            self._consumed += len(piece)
            if self._snapshot_due is not None and self._snapshot_due():
                self._save()
            if took_ns > _PIECE_NS_MAX and self._piece > 1:
                self._piece //= 2
            elif took_ns < _PIECE_NS_MAX // 8:
                self._piece *= 2
        if core.is_halted and done < len(events):
            # A halted core takes no more market data, but what a venue reported did happen.
            core.run(events[done:])
            self._folder.write(core.take_effects())
            self._folder.flush()

    def _size_max(self) -> int:
        """How many events may be run before something else is due; 0: the session is to stop."""
        now = self._core.order_manager.tick_id
        size = self._piece
        ticks = [command.tick_id for command in self._script.commands[:1]]
        if self._script.stop_after_tick is not None:
            ticks.append(self._script.stop_after_tick)
        for tick_id in ticks:
            size = min(size, tick_id - now)
        if self._script.seal_after_tick is not None:
            left = self._script.seal_after_tick - now
            # The last records of a journal need not bear a tick: then event by event to its end.
            size = min(size, left if left > 0 else int(self._folder.is_continuing))
        return size

    def _save(self) -> None:
        """Write a snapshot, if the core is at rest; a strategy that fails in it is not asked again.

        Nothing of the session may depend on it: when it comes is a matter of the clock.
        """
        core = self._core
        if self._first_ns is None or not is_savable(core):
            return
        try:
            strategy = plain_copy(core.strategy.save())
        except Exception as error:
            self._snapshot_due = None
            tell_operator(
                f"logos: no snapshots: the strategy's save() failed: {error}; the session goes on, "
                "and would be resumed from its beginning"
            )
            return
        plan = self._plan
        uuid = session_uuid(self._id, plan.config_hash, plan.fingerprints)
        self._folder.save(uuid, self._consumed, self._first_ns, save_core(core), strategy)

    def _carry_out_commands(self) -> None:
        core, script = self._core, self._script
        while script.commands and script.commands[0].tick_id <= core.order_manager.tick_id:
            due = script.commands.pop(0)
            if not script.commands and script.before_last_command is not None:
                script.before_last_command()
            now_ns = core.order_manager.now_ns
            core.run([due.at(now_ns)])
            self._folder.write(core.take_effects())

    def _unused(self) -> list[WarningRecord]:
        """Scheduled orders and signals that no event ever reached; strategies may count them."""
        order_manager = self._core.order_manager
        unused: Mapping[str, int] = getattr(self._core.strategy, "unused", None) or {}
        return [
            WarningRecord(
                order_manager.now_ns,
                order_manager.tick_id,
                symbol,
                "UNUSED_SIGNALS",
                f"{count} were never due",
            )
            for symbol, count in unused.items()
        ]

    def _abort(self, exit_code: ExitCode, reason: str) -> Ending:
        self._folder.write(self._core.take_effects())
        self._folder.write(self._core.abort())
        self._folder.check_continued()
        return Ending(SessionStatus.FAILED, exit_code, reason)

    def _pause(self) -> Ending:
        """End between two events, so that the session can be resumed: orders stay as they are.

        The note comes first: from it on, the journal is about the stop, and a resumed session
        cuts it off there. Before its first event a session has no tick, and no books to sample.
        """
        core = self._core
        has_begun = self._first_ns is not None
        self._folder.check_continued()
        if self._snapshot_due is not None and self._script.stopped_as is SessionStatus.STOPPED:
            self._save()
        tick_id = core.order_manager.tick_id if has_begun else _BEFORE_START
        self._folder.write_note("stopping", {"tick_id": tick_id})
        if has_begun:
            core.sample(core.order_manager.now_ns)
        self._folder.write(core.take_effects())
        self._folder.write_open_orders()
        reason = f"stopped by the operator; go on with: logos resume {self._id}"
        if self._script.stopped_as is SessionStatus.CRASHED_RECOVERED:
            reason = "crashed; recovered to its last record and sealed there, orders as they stood"
        return Ending(self._script.stopped_as, ExitCode.FINISHED, reason)

    def _with_orders_left(self, ending: Ending) -> Ending:
        """Name the orders that a real venue has not confirmed the end of."""
        outbox = self._core.order_manager.outbox
        if outbox is None or not outbox.open or ending.status is SessionStatus.STOPPED:
            return ending
        self._folder.write_open_orders()
        names = ", ".join(outbox.open)
        words = f"; may still rest at the venue, look there and cancel them: {names}"
        return Ending(ending.status, ending.exit_code, ending.reason + words)

    def _seal(self, ending: Ending, started_ns: int) -> SessionResult:
        """Write the snapshot, the seal and the reports."""
        summary = self._summary(ending)
        host = host_facts(
            started_ns, time.time_ns(), self._run_ns, self._core.order_manager.tick_id
        )
        folder = self._folder
        folder.write_note("sealed", {"status": ending.status.value, "reason": ending.reason})
        folder.write_snapshot({"status": ending.status.value, **books_at_end(self._core)})
        folder.write_text("session.md", session_markdown(summary))
        if ending.status is not SessionStatus.STOPPED:
            folder.drop_snapshot()
        folder.write_json("host.json", host)
        return SessionResult(
            self._id, folder.folder, ending.status, ending.exit_code, ending.reason, summary, host
        )

    def _summary(self, ending: Ending) -> dict[str, Any]:
        plan = self._plan
        moments = Moments()
        order_manager = self._core.order_manager
        return {
            "session_id": self._id,
            "uuid": session_uuid(self._id, plan.config_hash, plan.fingerprints),
            "status": ending.status.value,
            "reason": ending.reason,
            "exit_code": int(ending.exit_code),
            "software": __version__,
            "strategy": plan.strategy_name,
            "strategy_fingerprint": plan.strategy_fingerprint,
            "seed": plan.seed,
            "config_hash": plan.config_hash,
            "fill_rule": plan.config.paper.fill.value,
            "first_event": "" if self._first_ns is None else moments.text(self._first_ns),
            "last_event": "" if self._first_ns is None else moments.text(order_manager.now_ns),
            "switch_state": self._core.switch_state.name,
            **figures(self._core, self._folder.tally),
            "data": data_facts(plan.reports),
            "live": {} if self._facts is None else dict(self._facts()),
        }
