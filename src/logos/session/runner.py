"""Runs one session from its plan to its seal.

However a session ends, an exception inside the strategy included, its artifacts are complete: the
books as they stood at the last event, every order ended, and the reason in session.md.
"""

from __future__ import annotations

import enum
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from logos import __version__
from logos.config import Config, make_config, merge, read_toml
from logos.core.engine import TradingCore
from logos.core.fixed import format_units
from logos.core.gates import InProcessSwitch, Switch
from logos.core.messages import Event
from logos.core.records import WarningRecord
from logos.core.strategy import Strategy
from logos.core.translator import StrategyError
from logos.core.types import SessionStatus
from logos.feeds.errors import DataError
from logos.session.artifacts import Moments
from logos.session.folder import SessionFolder, claim_folder
from logos.session.guardian import Guardian, open_switch, tell_operator
from logos.session.plan import Feed, Plan, make_plan
from logos.session.report import session_markdown
from logos.session.summary import data_facts, figures, host_facts, session_uuid


class ExitCode(enum.IntEnum):
    """How the process ends; documented in README and `logos --help`."""

    FINISHED = 0
    INTERNAL_ERROR = 1
    BAD_CONFIGURATION = 2
    BAD_DATA = 3
    HALTED = 4
    STRATEGY_FAILED = 5
    CANNOT_WRITE = 6


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a session went. `summary` is plain JSON data; `host` is what differs between runs."""

    session_id: str
    folder: Path
    status: SessionStatus
    exit_code: ExitCode
    reason: str
    summary: Mapping[str, Any]
    host: Mapping[str, Any]


@dataclass(slots=True)
class _Ending:
    """How the events came to an end."""

    status: SessionStatus
    exit_code: ExitCode
    reason: str


class _Stopped(Exception):
    """The operator asked the session to end, and it is between two events."""


_PIECE_NS_MAX = 100_000_000

Progress = Callable[[int], object]
"""Called with the number of events of each chunk once it has been processed."""


def run(
    config: Config | Mapping[str, Any] | str | Path,
    *,
    strategy: Strategy | None = None,
    feed: Feed | None = None,
    switch: Switch | None = None,
    on_plan: Callable[[Plan], Progress] | None = None,
    tell: Callable[[str], object] = tell_operator,
    home: Path | None = None,
) -> SessionResult:
    """Run a whole paper session.

    `config` is a Config, a dict of the same tables, or the path of a TOML file. `strategy`,
    `feed` and `switch` replace what it names; the switch defaults to the machine's, which all
    processes share (`state/kill-switch`). `on_plan` is called when the session is about to start
    and returns a progress callback; `tell` hears what an operator should know. `home` is the
    workspace that everything is written to, its kill switch included; None: `paths.home()`.

    Raises ConfigError, DataError or SwitchEngagedError when the session cannot start, and OSError
    when its files cannot be written; whatever happens after that is told by the result.
    """
    settings = _settings(config)
    plan = make_plan(settings, strategy=strategy, feed=feed)
    own_switch = open_switch(tell, home) if switch is None else None
    try:
        session_id, folder = claim_folder(settings.session.id, home)
        core = plan.make_core(session_id, switch or own_switch or InProcessSwitch())
        try:
            session = _Session(plan, session_id, folder, core, home)
        except OSError:
            shutil.rmtree(folder)  # made a moment ago, and nothing has happened in it
            raise
        return session.run(on_plan(plan) if on_plan is not None else _no_progress)
    finally:
        if own_switch is not None:
            own_switch.close()


def _settings(config: Config | Mapping[str, Any] | str | Path) -> Config:
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return make_config(config)
    path = Path(config)
    return make_config(read_toml(path), str(path))


def config_from(file: str | None, overrides: Mapping[str, Any]) -> Config:
    """The settings of a TOML file (None: no file) with `overrides` laid on top."""
    base = read_toml(Path(file)) if file else {}
    chosen = overrides.get("strategy", {})
    there = base.get("strategy", {})
    if isinstance(there, dict) and any(
        chosen.get(key) and chosen[key] != there.get(key) for key in ("name", "signals")
    ):
        # Another strategy than the file's: its parameters are not this one's.
        base = {**base, "strategy": {key: v for key, v in there.items() if key != "params"}}
    return make_config(merge(base, overrides), file or "command line")


def _no_progress(_: int) -> None:
    """Nobody watches."""


class _Session:
    """One run: its plan, its folder, its core."""

    def __init__(
        self, plan: Plan, session_id: str, folder: Path, core: TradingCore, home: Path | None
    ) -> None:
        self._plan = plan
        self._id = session_id
        self._core = core
        self._folder = SessionFolder(session_id, folder, core.desk.books, home)
        self._guardian = Guardian(session_id, core.switch, core, home)
        self._first_ns: int | None = None
        self._run_ns = 0
        self._piece = 1024
        self._fingerprints = [
            plan.strategy_fingerprint,
            *(digest for report in plan.reports for digest in report.fingerprints.values()),
        ]

    def run(self, progress: Progress) -> SessionResult:
        started_ns = time.time_ns()
        try:
            self._write_manifest()
            with self._guardian:
                ending = self._consume(progress)
            return self._seal(ending, started_ns)
        except OSError as error:
            # Nothing more is traded or journalled; what can still be said is said.
            with suppress(OSError):
                reason = f"cannot write {error.filename}: {error.strerror}"
                ending = _Ending(SessionStatus.FAILED, ExitCode.CANNOT_WRITE, reason)
                self._folder.write_text("session.md", session_markdown(self._summary(ending)))
            raise
        finally:
            self._folder.close()

    def _write_manifest(self) -> None:
        plan = self._plan
        self._folder.write_json("config.json", plan.config)
        self._folder.write_note(
            "manifest",
            {
                "schema": 1,
                "session_id": self._id,
                "uuid": session_uuid(self._id, plan.config_hash, self._fingerprints),
                "software": __version__,
                "strategy": plan.strategy_name,
                "strategy_fingerprint": plan.strategy_fingerprint,
                "seed": plan.seed,
                "config_hash": plan.config_hash,
                "config": plan.config,
                "data": data_facts(plan.reports),
            },
        )

    def _consume(self, progress: Progress) -> _Ending:
        """Feed all events to the core, and turn whatever happens into an ending."""
        try:
            if self._run_events(progress):
                return _Ending(
                    SessionStatus.HALTED, ExitCode.HALTED, f"kill switch: {self._core.switch.why()}"
                )
            return _Ending(SessionStatus.ENDED, ExitCode.FINISHED, "all events processed")
        except StrategyError as error:
            return self._abort(SessionStatus.FAILED, ExitCode.STRATEGY_FAILED, str(error))
        except DataError as error:
            return self._abort(SessionStatus.FAILED, ExitCode.BAD_DATA, str(error))
        except (_Stopped, KeyboardInterrupt):
            return self._abort(SessionStatus.STOPPED, ExitCode.FINISHED, "stopped by the operator")
        except OSError:
            raise
        except Exception as error:  # a broken invariant: what can still be written is
            traceback.print_exc(file=sys.stderr)
            self._folder.write(self._core.take_effects())
            with suppress(Exception):
                self._folder.write(self._core.abort())
            reason = f"internal error: {type(error).__name__}: {error}"
            return _Ending(SessionStatus.FAILED, ExitCode.INTERNAL_ERROR, reason)

    def _run_events(self, progress: Progress) -> bool:
        """Whether the switch halted the session before the events ran out."""
        core = self._core
        chunks = iter(self._plan.feed.chunks())
        first = next(chunks, None)
        if not first:
            raise DataError("no events: the data between 'from' and 'to' is empty")
        self._first_ns = first[0].ts_ns
        self._folder.write(core.start(self._first_ns))
        for events in chain([first], chunks):
            self._run_chunk(events)
            progress(len(events))
            if core.is_halted:
                break
        self._folder.write(core.stop())
        self._folder.write(self._unused())
        return core.is_halted

    def _run_chunk(self, events: Sequence[Event]) -> None:
        """Run the events in pieces that take a moment each, so that a stop need not wait long."""
        core = self._core
        clock = time.perf_counter_ns
        done = 0
        while done < len(events) and not core.is_halted:
            if self._guardian.stop_requested:
                raise _Stopped
            piece = events[done : done + self._piece]
            began = clock()
            core.run(piece)
            took_ns = clock() - began
            self._run_ns += took_ns
            self._folder.write(core.take_effects())
            self._guardian.report()
            done += len(piece)
            if took_ns > _PIECE_NS_MAX and self._piece > 1:
                self._piece //= 2
            elif took_ns < _PIECE_NS_MAX // 8:
                self._piece *= 2

    def _unused(self) -> list[WarningRecord]:
        """Scheduled orders and signals that no event ever reached; strategies may count them."""
        desk = self._core.desk
        unused: Mapping[str, int] = getattr(self._core.strategy, "unused", None) or {}
        return [
            WarningRecord(
                desk.now_ns, desk.tick_id, symbol, "UNUSED_SIGNALS", f"{count} were never due"
            )
            for symbol, count in unused.items()
        ]

    def _abort(self, status: SessionStatus, exit_code: ExitCode, reason: str) -> _Ending:
        self._folder.write(self._core.take_effects())
        self._folder.write(self._core.abort())
        return _Ending(status, exit_code, reason)

    def _seal(self, ending: _Ending, started_ns: int) -> SessionResult:
        """Write the snapshot, the seal and the reports."""
        summary = self._summary(ending)
        host = host_facts(started_ns, time.time_ns(), self._run_ns, self._core.desk.tick_id)
        folder = self._folder
        folder.write_note("sealed", {"status": ending.status.value, "reason": ending.reason})
        folder.write_snapshot({"status": ending.status.value, **_state(self._core)})
        folder.write_text("session.md", session_markdown(summary))
        folder.write_json("host.json", host)
        return SessionResult(
            self._id, folder.folder, ending.status, ending.exit_code, ending.reason, summary, host
        )

    def _summary(self, ending: _Ending) -> dict[str, Any]:
        plan = self._plan
        moments = Moments()
        desk = self._core.desk
        return {
            "session_id": self._id,
            "uuid": session_uuid(self._id, plan.config_hash, self._fingerprints),
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
            "last_event": "" if self._first_ns is None else moments.text(desk.now_ns),
            "switch_state": self._core.switch.authority().name,
            **figures(self._core, self._folder.tally),
            "data": data_facts(plan.reports),
        }


def _state(core: TradingCore) -> dict[str, Any]:
    """The books as a snapshot holds them: figures as decimal text, lots oldest first."""
    desk = core.desk
    return {
        "tick_id": desk.tick_id,
        "now_ns": desk.now_ns,
        "next_order_id": desk.next_order_id,
        "next_fill_id": desk.next_fill_id,
        "wallets": {
            wallet.asset: format_units(wallet.balance, wallet.decimals)
            for wallet in desk.account.wallets
        },
        "positions": {
            symbol: {
                "position": book.instrument.quantity_text(book.inventory.position),
                "mark": book.instrument.price_text(book.mark),
                "lots": [
                    {
                        "lot": lot.lot_id,
                        "quantity": book.instrument.quantity_text(lot.quantity),
                        "price": book.instrument.price_text(lot.price),
                        "opened_ns": lot.opened_ns,
                    }
                    for lot in book.inventory.lots()
                ],
            }
            for symbol, book in desk.books.items()
        },
    }
