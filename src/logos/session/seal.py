"""The end of a session: its books at the last event, the reason, and its last files.

However a session ends, an exception inside its strategy included, its artifacts are complete.
`host.json` is written last of all: a folder that has it is finished.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

import msgspec

from logos import __version__
from logos.config.masking import config_secrets
from logos.core.engine import TradingCore
from logos.core.exits.lost import protection_words
from logos.core.records import Record, WarningRecord
from logos.core.types import SessionStatus
from logos.errors import DataError, StrategyError, strategy_failed
from logos.execution.incoming.batches import TICK_TO_DECISION, Pieces
from logos.journal.inputs import INPUTS_FILE, InputsWriter, LiveFailureError, RecordedInputs
from logos.journal.writer import JournalDiffersError
from logos.secrecy import without, without_keys
from logos.session.artifacts.cures import cure, headline
from logos.session.artifacts.derived.files import (
    EXCURSION_EVENTS_MAX,
    Ground,
    totals_at_end,
    write_derived,
)
from logos.session.artifacts.folder import SessionFolder
from logos.session.artifacts.limits import limit_rows
from logos.session.artifacts.rows import Moments
from logos.session.artifacts.session_md.page import session_markdown
from logos.session.artifacts.summary import (
    books_at_end,
    costs_left_out,
    data_facts,
    figures,
    held_at_end,
    host_facts,
    session_uuid,
    warm_ups,
)
from logos.session.opening.machine_switch import SessionSwitch
from logos.session.outcome import (
    AGREED,
    CANCELS,
    HOLDINGS,
    ORDERS_LEFT,
    Ending,
    ExitCode,
    SessionResult,
    Stopped,
)
from logos.session.plan import Plan
from logos.session.recorded import RecordedSwitch
from logos.session.script import Script
from logos.session.stored.next_steps import next_steps, resume_command
from logos.shown import lines
from logos.strategies.failure import failure_lines, first_error, with_place

_GOOD_ENDS: Final = {CANCELS: "", HOLDINGS: AGREED}
"""What a live session at a venue measured at a good end, by the name of the fact."""
_BEFORE_START: Final = -1
"""The tick of a stop that came before the first event."""

Facts = Callable[[], Mapping[str, Any]]
"""What only a live run can measure; asked once, at its end."""


class Seal:
    """Ends one session."""

    def __init__(
        self,
        plan: Plan,
        core: TradingCore,
        folder: SessionFolder,
        script: Script,
        write: Callable[[Sequence[Record]], object],
        inputs: InputsWriter | None = None,
    ) -> None:
        """`write` takes the last records of the core. What a live session measured is recorded
        with its `inputs`, so that a replay has it too."""
        self._plan = plan
        self._core = core
        self._folder = folder
        self._script = script
        self._write = write
        self._inputs = inputs
        self._measured: Mapping[str, Any] | None = None
        self._started_ns = time.time_ns()
        # Asked now: a strategy could put another switch in its place later.
        switch = core.switch.after if isinstance(core.switch, RecordedSwitch) else core.switch
        self._kill_switch = "workspace" if isinstance(switch, SessionSwitch) else "own"
        self.facts: Facts | None = None
        """None for a session that has no live feed."""

    # ---- how it ended ----

    def finish(self) -> Ending:
        """The end of a session that came to its own, all orders having ended or been given up."""
        core = self._core
        self._write(core.finish())
        self._write(self._left_out())
        self._folder.check_continued()
        if core.is_halted:
            return Ending(SessionStatus.HALTED, ExitCode.HALTED, core.trigger)
        return Ending(SessionStatus.ENDED, ExitCode.FINISHED, "all events processed")

    def ending_of(self, error: Exception, has_begun: bool, save: Callable[[], object]) -> Ending:
        """How the session ends because of `error`. Raises it if that leaves nothing to be said.

        `save` writes a snapshot of a session that was stopped.
        """
        if isinstance(error, Stopped):
            return self._pause(has_begun, save)
        if isinstance(error, StrategyError):
            return self._fail(error)
        if isinstance(error, DataError):
            return self._abort(ExitCode.BAD_DATA, str(error))
        if isinstance(error, OSError | JournalDiffersError):
            raise error
        self._write(self._core.take_effects())
        if isinstance(error, LiveFailureError):
            self._write(self._core.abort())
            return Ending(SessionStatus.HALTED, ExitCode.HALTED, str(error))
        # A broken invariant: what can still be written is.
        traceback.print_exception(error, file=sys.stderr)
        with suppress(Exception):
            self._write(self._core.abort())
        reason = f"internal error: {type(error).__name__}: {error}"
        return Ending(SessionStatus.FAILED, ExitCode.INTERNAL_ERROR, reason)

    def _fail(self, failure: StrategyError) -> Ending:
        """The strategy failed: say where, to whoever watches with the lines of its source.

        Those are left out of the session's files: a file may have changed since it was imported.
        """
        error = first_error(failure)
        told = "\n".join(failure_lines(error, with_source=True))
        if told:
            print(lines(self._masked(told)), file=sys.stderr)
        reason = self._masked(with_place(str(failure), error))
        way = tuple(self._masked(line) for line in failure_lines(error))
        return self._abort(ExitCode.STRATEGY_FAILED, reason, way)

    def _masked(self, text: str) -> str:
        return without_keys(without(text, config_secrets(self._plan.config)))

    def _abort(self, exit_code: ExitCode, reason: str, way: tuple[str, ...] = ()) -> Ending:
        self._write(self._core.take_effects())
        self._write(self._core.abort())
        self._folder.check_continued()
        return Ending(SessionStatus.FAILED, exit_code, reason, way)

    def _pause(self, has_begun: bool, save: Callable[[], object]) -> Ending:
        """End between two events, so that the session can be resumed: orders stay as they are.

        The note comes first: from it on, the journal is about the stop, and a resumed session
        cuts it off there. Before its first event a session has no tick, and no books to sample.
        """
        core, stopped_as = self._core, self._script.stopped_as
        self._folder.check_continued()
        if stopped_as is SessionStatus.STOPPED:
            save()
        tick_id = core.order_manager.tick_id if has_begun else _BEFORE_START
        self._folder.write_note("stopping", {"tick_id": tick_id})
        if has_begun:
            core.order_manager.sample(core.order_manager.now_ns)
        self._write(core.take_effects())
        self._folder.write_open_orders()
        if stopped_as is SessionStatus.CRASHED_RECOVERED:
            reason = "crashed; recovered to its last record and sealed there, orders as they stood"
            return Ending(stopped_as, ExitCode.FINISHED, reason)
        if self._script.stopped_because:
            return Ending(stopped_as, ExitCode.DISK_LOW, self._script.stopped_because)
        session_id, is_real = core.order_manager.session_id, core.order_manager.outbox is not None
        command = resume_command(session_id, is_real=is_real)
        reason = f"stopped by the operator; go on with: {command}"
        return Ending(stopped_as, ExitCode.FINISHED, reason)

    def _left_out(self) -> list[WarningRecord]:
        """What of the session's data and signals nothing came of; strategies may count `unused`."""
        now_ns, tick_id = self._core.order_manager.now_ns, self._core.order_manager.tick_id
        notices = [
            WarningRecord(now_ns, tick_id, symbol, code, words)
            for code, symbol, words in self._plan.notices
        ]
        try:
            unused: Mapping[str, int] = getattr(self._core.strategy, "unused", None) or {}
            return notices + [
                WarningRecord(now_ns, tick_id, symbol, "UNUSED_SIGNALS", f"{count} were never due")
                for symbol, count in unused.items()
            ]
        except BaseException as error:
            raise strategy_failed("unused", error) from error

    # ---- the last files ----

    def close(self, ending: Ending, first_ns: int | None, pieces: Pieces) -> SessionResult:
        """Write the seal into the journal, then state.json, session.md and host.json.

        `first_ns` is the time of the first event (None: there was none), `pieces` know what the
        core took. Raises OSError.
        """
        folder, core = self._folder, self._core
        ending = self._with_findings(self._with_protection(self._with_orders_left(ending)))
        summary = self._summary(ending, first_ns)
        host = host_facts(
            self._started_ns, time.time_ns(), pieces.run_ns, core.order_manager.tick_id
        )
        host["kill_switch"] = self._kill_switch
        timed = {TICK_TO_DECISION: pieces.latency.summary()}
        host["latency"] = summary["live"].get("latency", timed)
        page = session_markdown(summary)
        seal: dict[str, Any] = {"status": ending.status.value, "reason": ending.reason}
        if ending.failure:
            seal["failure"] = list(ending.failure)
        # Without what only a live run measured: the journal is the same for the same inputs.
        lasting = session_markdown({**summary, "live": {}})
        folder.write_note("sealed", {**seal, "session_md": sha256(lasting.encode()).hexdigest()})
        state = {"status": ending.status.value, "seed": self._plan.seed}
        state |= {"start": summary["first_event"], "end": summary["last_event"]}
        folder.write_state({**state, **books_at_end(core)})
        folder.write_text("session.md", page)
        self._write_derived()
        if ending.status is not SessionStatus.STOPPED:
            folder.drop_snapshot()
        folder.write_json("host.json", host)
        session_id, status = core.order_manager.session_id, ending.status
        return SessionResult(
            session_id, folder.folder, status, ending.exit_code, ending.reason, summary, host
        )

    def _write_derived(self) -> None:
        """Write the files that follow from the tables; what goes wrong is only told."""
        plan, core = self._plan, self._core
        feed: object = plan.feed
        if self._inputs is not None:
            feed = RecordedInputs(self._folder.folder / INPUTS_FILE, plan.instruments)
        if core.order_manager.tick_id > EXCURSION_EVENTS_MAX:
            feed = None
        totals = totals_at_end(plan.config, core.order_manager.account)
        ground = Ground(plan.config, plan.instruments, totals, feed)
        for problem in write_derived(self._folder.folder, ground):
            print(lines(self._masked(problem)), file=sys.stderr)

    def last_words(self, error: OSError, first_ns: int | None) -> None:
        """What can still be said of a session whose files can no longer be written.

        Raises OSError when not even that can be written.
        """
        reason = f"cannot write {error.filename}: {error.strerror}"
        ending = Ending(SessionStatus.FAILED, ExitCode.CANNOT_WRITE, reason)
        self._folder.write_text("session.md", session_markdown(self._summary(ending, first_ns)))

    def _with_orders_left(self, ending: Ending) -> Ending:
        """Name the orders whose end a real venue has not confirmed."""
        outbox = self._core.order_manager.outbox
        if outbox is None or not outbox.open or ending.status is SessionStatus.STOPPED:
            return ending
        self._folder.write_open_orders()
        names = ", ".join(outbox.open)
        words = f"; {ORDERS_LEFT}: {names}"
        return msgspec.structs.replace(ending, reason=ending.reason + words)

    def _with_protection(self, ending: Ending) -> Ending:
        """Say what is held at a real venue without its exits, as this process held them."""
        if self._core.order_manager.outbox is None:
            return ending
        words = protection_words(self._core.order_manager.states.values())
        if not words:
            return ending
        return msgspec.structs.replace(ending, reason=f"{ending.reason}; {words}")

    def _with_findings(self, ending: Ending) -> Ending:
        """Say what of a venue's holdings was not seen to agree, and which cancels it has not
        answered; no such end is a good one."""
        facts = self._measure()
        found = {name: str(facts.get(name, good)) for name, good in _GOOD_ENDS.items()}
        bad = [f"{name}: {words}" for name, words in found.items() if words != _GOOD_ENDS[name]]
        if not bad:
            return ending
        code = ending.exit_code
        return msgspec.structs.replace(
            ending,
            exit_code=ExitCode.HALTED if code is ExitCode.FINISHED else code,
            reason="; ".join([ending.reason, *bad]),
        )

    def _summary(self, ending: Ending, first_ns: int | None) -> dict[str, Any]:
        plan, core = self._plan, self._core
        order_manager = core.order_manager
        moments = Moments()
        counts = figures(core, self._folder.tally)
        return {
            "session_id": order_manager.session_id,
            "uuid": session_uuid(order_manager.session_id, plan.config_hash, plan.fingerprints),
            "status": ending.status.value,
            "reason": ending.reason,
            "exit_code": int(ending.exit_code),
            "failure": list(ending.failure),
            "software": __version__,
            "strategy": plan.strategy_name,
            "strategy_fingerprint": plan.strategy_fingerprint,
            "seed": plan.seed,
            "config_hash": plan.config_hash,
            "fill_rule": plan.config.paper.fill.value,
            "first_event": "" if first_ns is None else moments.text(first_ns),
            "last_event": "" if first_ns is None else moments.text(order_manager.now_ns),
            "switch_state": core.switch_state.name,
            **counts,
            **warm_ups(core, self._folder.tally),
            **costs_left_out(plan.config, plan.instruments, self._folder.tally.fills),
            "held": held_at_end(core),
            "next": next_steps(
                order_manager.session_id,
                ending.status.value,
                is_real=order_manager.outbox is not None,
                by_switch=counts["trigger"] is not None and not counts["trigger"]["guard"],
            ),
            "headline": headline({**counts, "status": ending.status.value}),
            "cures": {code: cure(code) for code in counts["refusals"]},
            "limits": [row._asdict() for row in limit_rows(plan.config)],
            "data": data_facts(plan.reports),
            "live": dict(self._measure()),
        }

    def _measure(self) -> Mapping[str, Any]:
        """The facts, written down with the inputs the first time. Raises OSError."""
        if self._measured is None and self.facts is not None:
            self._measured = self.facts()
            if self._inputs is not None:
                self._inputs.write_facts(self._measured)
                self._inputs.sync()
        return self._measured or {}
