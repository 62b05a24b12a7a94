"""A session is a machine: batches of events in, records and requests to a venue out.

    inputs on record -> core -> journal and tables -> Outputs(records, requests)

New, resumed, replayed, sealed, flattened and live sessions are this one class. They differ in where
their batches come from (`source`), in what is prescribed (`script`), and in who drives them
(`drive`); `open_session` assembles them all.

However it ends, by itself, by a stop, or by an exception inside the strategy, the ending is written
down and the files are closed before `apply` returns. Only what leaves nothing to be written (a disk
that refuses, a journal that differs, an operator's second signal) is raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self

from logos.config.tables.log import LOG
from logos.core.context import CoreView
from logos.core.engine import TradingCore
from logos.core.messages import NOW, OperatorCommand, SessionEnd, Suspend
from logos.core.records import Record
from logos.errors import DataError
from logos.execution.incoming.batches import ASIDE, Aside, Batch, Pieces
from logos.journal.beside import Beside
from logos.journal.inputs import InputsWriter
from logos.session.artifacts.decisions import Ticks
from logos.session.artifacts.folder import SessionFolder
from logos.session.artifacts.snapshots.saving import Snapshots
from logos.session.artifacts.snapshots.snapshot import Snapshot
from logos.session.artifacts.summary import manifest
from logos.session.outcome import (
    NOTHING,
    Ending,
    Outputs,
    SessionResult,
    Stopped,
    session_failure,
)
from logos.session.plan import Plan
from logos.session.presence.figures import SessionFigures
from logos.session.script import DueCommand, Script
from logos.session.seal import Facts, Seal
from logos.session.source import Source
from logos.session.supervisor import SessionSupervisor


class Session:
    """One session: owns its core, its journal and its folder. Its batches come from `source`.

    Use it in a `with`: that begins it, and closes whatever it holds.
    """

    def __init__(
        self,
        plan: Plan,
        core: TradingCore,
        folder: SessionFolder,
        supervisor: SessionSupervisor,
        script: Script,
        source: Source,
        snapshot: Snapshot | None = None,
        inputs: InputsWriter | None = None,
    ) -> None:
        """The core and the strategy are as `snapshot` says (None: new). `inputs` is where a live
        session records its batches before the core sees them."""
        self.plan, self.core = plan, core
        self.view = CoreView(core.order_manager)  # what others may ask of the core
        self.folder = folder
        self.source, self.script = source, script
        self.result: SessionResult | None = None  # how it ended; None while it has not
        self.is_closed = False
        """Whether its files are closed: it has ended, or it cannot go on."""
        self.snapshots: Snapshots | None = None
        """Who writes snapshots to resume from; None: nobody."""
        self.is_disk_low: Callable[[], bool] = lambda: False
        """Asked between two pieces of work; True: stop, as `script.stopped_because` says."""
        self.may_stop: Callable[[], bool] = lambda: True
        """Asked before a stop whose orders have ended; False: there is something to wait for."""
        self.resources = ExitStack()  # what is to be closed after the session itself
        self.supervisor = supervisor
        self._inputs, self._aside = inputs, Aside(core.strategy)
        self._beside = Beside()
        self._seal = Seal(plan, core, folder, script, self._write, inputs)
        self._is_restored = snapshot is not None
        self._consumed = 0 if snapshot is None else snapshot.consumed
        self._place = None if inputs is None else (self._consumed, inputs.position)
        """Events consumed, and the place in a live session's inputs, between the last batches."""
        self._first_ns: int | None = None if snapshot is None else snapshot.first_ns
        self._is_draining, self._stop_until_s = False, 0.0
        self.unseen: list[Record] = []  # written, and returned by no `apply` yet
        self._pieces = Pieces(are_timed=inputs is None)
        self.figures = SessionFigures(plan, core, folder, source, self._pieces, inputs)
        self._ticks = Ticks(core, plan.config.log or LOG)
        supervisor.on_stop = self._pieces.cut_short

    # ---- what it is ----

    @property
    def session_id(self) -> str:
        """Its id, which is also its folder's name."""
        return self.core.order_manager.session_id

    @property
    def is_over(self) -> bool:
        """Whether it has ended; its `result` says how."""
        return self.result is not None

    @property
    def is_ending(self) -> bool:
        """Whether it decides nothing more, and waits only for its venue."""
        return self.core.order_manager.is_ending

    @property
    def is_at_venue(self) -> bool:
        """Whether orders are open at a real venue."""
        outbox = self.core.order_manager.outbox
        return outbox is not None and bool(outbox.open)

    @property
    def order_count(self) -> int:
        """Orders made so far."""
        return self.core.order_manager.order_count

    @property
    def decided_ns(self) -> int:
        """When the core was last done with events, in `perf_counter_ns`."""
        return self._pieces.done_ns

    @property
    def now_ns(self) -> int:
        """The time of the latest event."""
        return self.core.order_manager.now_ns

    def measure(self, facts: Facts) -> None:
        """`facts` are asked for once, at the end: what only a live run can measure."""
        self._seal.facts = facts

    # ---- its life ----

    def __enter__(self) -> Self:
        """Begin: write what it is. Raises OSError."""
        try:
            self.folder.write_json("config.json", self.plan.written_config)
            if not self._is_restored:
                self.folder.write_note("manifest", manifest(self.plan, self.session_id, self.core))
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, *what: Any) -> None:
        try:
            self._give_up(what[1])
        finally:
            self.resources.__exit__(*what)

    def apply(self, batch: Batch | None) -> Outputs:
        """Run one batch of events, in order of time. An empty one only asks whether the session
        shall stop; None says that no more will come.

        May end the session: see `is_over`. Raises OSError when a file cannot be written,
        JournalDiffersError when a resumed session does not do what its journal says.
        """
        if self.is_closed:
            raise RuntimeError("the session is over")
        try:
            try:
                ending = self._advance(batch)
            except BaseException as error:
                why = session_failure(error)
                ending = self._seal.ending_of(why, self._first_ns is not None, self._save)
            if ending is not None:
                self._end(ending)
        except BaseException as error:
            self._give_up(error)
            raise
        outbox = self.core.order_manager.outbox
        if outbox is None and not self.unseen:
            return NOTHING
        records, self.unseen = self.unseen, []
        return Outputs(records, () if outbox is None else outbox.take())

    def fail(self, error: Exception) -> None:
        """End because the source of the batches failed. Raises as `apply`."""
        try:
            self._end(self._seal.ending_of(error, self._first_ns is not None, self._save))
        except BaseException as problem:
            self._give_up(problem)
            raise

    def sync(self) -> None:
        """Wait until the disk has all inputs and all records, whichever comes first: an order whose
        reason is not on the disk could not be made again. Raises OSError."""
        try:
            if self._inputs is None:
                self.folder.sync()
            else:
                self._beside.run(self.folder.sync, self._inputs.sync)
        except OSError as error:
            self._give_up(error)
            raise

    def _advance(self, batch: Batch | None) -> Ending | None:
        """Run a batch; returns how the session ended, if it did."""
        core = self.core
        if batch is None:
            return self._seal.finish() if self._is_draining else self._begin_end()
        if batch and self._inputs is not None:
            self._inputs.write(batch)
        if batch and type(batch[-1]) in ASIDE:
            batch = self._aside.take(batch)
        if self._is_draining:
            core.run(self._ticks.give(batch))
            self._note()
            if self.is_ending:
                return self._finish_on_paper()
            self._is_draining = False  # it was reconciled
            self._end_batch()
            return None
        if not batch:
            self._end_batch()
            self._idle()
            return None
        if type(batch[0]) is SessionEnd:
            return self._begin_end()
        if self._first_ns is None:
            self._start(batch[0].ts_ns)
        self._run(batch)
        self._end_batch()
        return self._begin_end() if core.is_halted else None

    def _end_batch(self) -> None:
        if self._aside.waits:
            self._consumed += self._aside.deliver()
        if self._inputs is not None:
            self._place = (self._consumed, self._inputs.position)

    def _start(self, first_ns: int) -> None:
        if self.script.stops_before_start(self.folder.is_continuing):
            raise Stopped
        self._first_ns = self.plan.begin_at(first_ns)
        self._write(self.core.start(first_ns))
        self.folder.flush()

    def _run(self, batch: Batch) -> None:
        """Run the events in pieces; a stop is heard between two events (see `Pieces`)."""
        core, pieces, done = self.core, self._pieces, 0
        while done < len(batch) and not core.is_halted:
            if self.script.commands:
                self._carry_out_commands()
            size = self.script.ticks_left(
                core.order_manager.tick_id, pieces.size, self.folder.is_continuing
            )
            pieces.take(self._ticks.give(batch[done : done + max(size, 0)]))
            if self._is_to_stop() or size <= 0:  # a signal that comes after this cuts the piece
                raise Stopped
            consumed = pieces.go(core.run)
            self._ticks.took(consumed)
            self._note()
            done += consumed
            self._consumed += consumed
            if self._inputs is None:
                self.save_if_due()
        if core.is_halted and done < len(batch):
            # A halted core takes no more market data, but what a venue reported did happen.
            core.run(self._ticks.give(batch[done:]))
            self._note()

    def _note(self) -> None:
        """Write down what the core did, and show where the session stands."""
        self._write(self.core.take_effects())
        self.folder.flush()
        self.supervisor.report()
        self.figures.show_if_due()

    def _write(self, records: Sequence[Record]) -> None:
        if records or self._ticks.are_wanted:
            self.folder.write(records, self._ticks.take())
            self.unseen += records

    # ---- commands and stops ----

    @property
    def has_commands(self) -> bool:
        """Whether operator commands wait to be carried out."""
        return bool(self.script.commands)

    def command(self, command: OperatorCommand) -> None:
        """Carry the command out before the next event, at the time of that moment."""
        self.script.commands.append(DueCommand(self.core.order_manager.tick_id, command))

    def _carry_out_commands(self) -> None:
        core, script = self.core, self.script
        while script.commands and script.commands[0].tick_id <= core.order_manager.tick_id:
            due = script.commands.pop(0)
            if not script.commands and script.before_last_command is not None:
                script.before_last_command()
            core.run([due.at(core.order_manager.now_ns)])
            self._write(core.take_effects())
        self.folder.flush()

    def _idle(self) -> None:
        """No event has come: the session may be asked to stop all the same."""
        if self.script.commands and self._first_ns is not None:
            self._carry_out_commands()
        if self._is_to_stop():
            raise Stopped
        self.supervisor.report()

    def _is_to_stop(self) -> bool:
        """Whether the operator or a full disk wants the session to stop, and it can."""
        # A session that is resumed first catches up with its journal: then it can stop.
        if self.folder.is_continuing or not (self.is_disk_low() or self.supervisor.stop_requested):
            return False
        is_at_venue = self.core.order_manager.outbox is not None
        return not is_at_venue or (self._is_drained() and self.may_stop())

    def _is_drained(self) -> bool:
        """Whether a stop has left nothing resting at a real venue, or has waited long enough. The
        first call suspends the session; what rests all the same is for `resume` to find."""
        now_s = time.monotonic()
        if not self.core.is_suspended and self._first_ns is not None:
            self._stop_until_s = now_s + float(self.plan.config.live.drain_timeout_s)
            words = self.script.stopped_because
            who = "disk guard" if words else "operator"
            self.command(Suspend(NOW, words or "the session is to stop", who))
            self._carry_out_commands()
        return not self.is_at_venue or now_s >= self._stop_until_s

    # ---- how it ends ----

    def _begin_end(self) -> Ending | None:
        """No more events: the strategy's last word, and the cancelling of what is open."""
        core = self.core
        if self._first_ns is None:
            raise DataError("no events: the data between 'from' and 'to' is empty")
        if not core.is_halted and self.script.is_cut_off(self.folder.is_continuing):
            raise Stopped  # there was no later event, and it did not end by itself then either
        self._carry_out_commands()
        core.begin_stop()
        self._note()
        self._is_draining = True
        return self._finish_on_paper()

    def _finish_on_paper(self) -> Ending | None:
        """A venue has the last word: there, whoever drives the session says when it is over."""
        return self._seal.finish() if self.core.order_manager.outbox is None else None

    def _end(self, ending: Ending) -> None:
        self.result = self._seal.close(ending, self._first_ns, self._pieces)
        self.figures.show(self.result)
        self._close()

    def _give_up(self, error: BaseException | None) -> None:
        """Close the files, unless they are. A live session that cannot write engages the switch."""
        if self.is_closed:
            return
        if not isinstance(error, OSError):
            self._close()
            return
        if self._inputs is not None:
            self.core.switch.engage(f"cannot write: {error}", "live engine")
        self.supervisor.close()
        with suppress(OSError):
            self._seal.last_words(error, self._first_ns)
        self._close()

    def _close(self) -> None:
        self.is_closed = True
        self.supervisor.close()
        self._beside.close()
        self.folder.close()

    # ---- snapshots ----

    def save_if_due(self) -> None:
        """Write a snapshot if it is time for one and the core is at rest. Raises OSError."""
        if self.snapshots is None or self.is_closed or not self.snapshots.is_due():
            return
        try:
            self._save()
        except OSError as error:
            self._give_up(error)
            raise

    def _save(self) -> None:
        """Write a snapshot if the core is at rest; a live session's inputs reach the disk first."""
        if self.snapshots is None or self._first_ns is None or self._is_draining:
            return
        mark = None
        if self._inputs is not None and self._place is not None:
            if self._place[0] != self._consumed:
                return
            self._inputs.sync()
            mark = self._inputs.mark_at(self._place[1])
        self.snapshots.save(self._consumed, self._first_ns, mark)
