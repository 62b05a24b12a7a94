"""A session that is on the disk, read again: its summary from its journal and its last files.

The summary has the keys that `SessionResult.summary` has. Totals over several currencies and what
only a live run could measure are left empty: the journal does not hold them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from logos.config import Config, make_config
from logos.config.terms.payments import has_payments
from logos.core.fixed import format_units
from logos.core.instrument_state import InstrumentState
from logos.core.records import AccountRecord, PositionRecord, SwitchRecord
from logos.core.types import OrderStatus, SessionStatus
from logos.journal.entries import JOURNAL, Manifest, Sealed, Stopping, read_journal
from logos.session.artifacts.averages import average_row
from logos.session.artifacts.counts import RecordCounts, trigger_figures
from logos.session.artifacts.cures import cure, headline
from logos.session.artifacts.folder import is_finished
from logos.session.artifacts.limits import limit_rows
from logos.session.artifacts.rows import Moments
from logos.session.artifacts.summary import costs_left_out
from logos.session.build import build_account, build_states, make_instruments
from logos.session.carrying.apply import carry_books
from logos.session.history import find_session
from logos.session.outcome import HOLDINGS, ExitCode
from logos.session.restoring import CannotResumeError
from logos.session.stored.next_steps import next_steps

_EXIT_CODES: Final = {
    SessionStatus.ENDED: ExitCode.FINISHED,
    SessionStatus.CRASHED_RECOVERED: ExitCode.FINISHED,
    SessionStatus.HALTED: ExitCode.HALTED,
}
_EXIT_CODE_ROW: Final = re.compile(r"^\| exit code \| ([0-9]+) \|$", re.M)


class Saved(NamedTuple):
    """A finished session as its folder has it."""

    folder: Path
    status: SessionStatus
    exit_code: ExitCode
    reason: str
    summary: dict[str, Any]
    host: dict[str, Any]


def read_saved(session_id: str, home: Path | None) -> Saved:
    """Read a session that has ended or was stopped.

    Raises ConfigError when there is none of this id, CannotResumeError when it is running or
    crashed, JournalDamagedError for a journal that was changed.
    """
    folder = find_session(session_id, home)
    scan = _Scan()
    for entry in read_journal(folder / JOURNAL):
        if scan.manifest is None:
            scan.data = json.loads(entry.body)["data"]
        scan.see(entry.record)
    if scan.sealed is None or scan.manifest is None or not is_finished(folder):
        raise CannotResumeError(
            f"session {session_id} has not ended: it is running, or it crashed; wait for it, or "
            f'finish it with logos.resume("{session_id}") or `logos resume {session_id}`'
        )
    status = SessionStatus(scan.sealed.status)
    exit_code = _EXIT_CODES.get(status)
    if exit_code is ExitCode.FINISHED and HOLDINGS in scan.sealed.reason:
        exit_code = ExitCode.HALTED
    if exit_code is None:
        found = _EXIT_CODE_ROW.search((folder / "session.md").read_text(encoding="utf-8"))
        exit_code = ExitCode.INTERNAL_ERROR if found is None else ExitCode(int(found[1]))
    host = json.loads((folder / "host.json").read_bytes())
    state = json.loads((folder / "state.json").read_bytes())
    summary = scan.summary(scan.manifest, scan.sealed, exit_code, state)
    return Saved(folder, status, exit_code, scan.sealed.reason, summary, host)


class _Scan:
    """What is gathered of a journal."""

    def __init__(self) -> None:
        self.manifest: Manifest | None = None
        self.data: list[dict[str, Any]] = []
        self.sealed: Sealed | None = None
        self.counts = RecordCounts()
        self.first_ns: int | None = None
        self.positions: dict[str, PositionRecord] = {}
        self.accounts: dict[str, AccountRecord] = {}

    def see(self, entry: object) -> None:
        if isinstance(entry, Manifest):
            self.manifest = entry
            self.counts.averages.take_over(_states(make_config(entry.config)))
        elif isinstance(entry, Sealed):
            self.sealed = entry
        elif not isinstance(entry, Stopping):
            self._see_record(entry)

    def _see_record(self, record: Any) -> None:
        if self.first_ns is None:
            self.first_ns = record.ts_ns
        self.counts.add([record])
        if isinstance(record, PositionRecord):
            self.positions[record.symbol] = record
        elif isinstance(record, AccountRecord):
            self.accounts[record.currency] = record

    def summary(
        self, manifest: Manifest, sealed: Sealed, exit_code: ExitCode, state: Mapping[str, Any]
    ) -> dict[str, Any]:
        """As `SessionResult.summary`."""
        counts, moments = self.counts, Moments()
        has_begun = self.first_ns is not None
        config = make_config(manifest.config)
        switches = counts.switch_changes
        numbers: dict[str, Any] = {
            "orders": sum(counts.orders.values()),
            "fills": sum(counts.fills.values()),
            "refused": counts.refused,
            "refusals": dict(sorted(counts.refusals.items())),
            "orders_ended_by": dict(sorted(counts.ended_by.items())),
        }
        return {
            "session_id": manifest.session_id,
            "uuid": manifest.uuid,
            "status": sealed.status,
            "reason": sealed.reason,
            "exit_code": int(exit_code),
            "failure": sealed.failure,
            "software": manifest.software,
            "strategy": manifest.strategy,
            "strategy_fingerprint": manifest.strategy_fingerprint,
            "seed": manifest.seed,
            "config_hash": manifest.config_hash,
            "fill_rule": manifest.config["paper"]["fill"],
            "first_event": moments.text(self.first_ns) if self.first_ns is not None else "",
            "last_event": moments.text(state["now_ns"]) if has_begun else "",
            "switch_state": switches[-1].state if switches else "SAFE",
            "ticks": state["tick_id"],
            **numbers,
            **costs_left_out(config, make_instruments(config.instruments), counts.fills),
            "held": _held(manifest.session_id, state),
            "next": next_steps(
                manifest.session_id,
                sealed.status,
                is_real=bool(manifest.config["venue"]["live"]),
                by_switch=isinstance(counts.trigger, SwitchRecord),
            ),
            "headline": headline({**numbers, "status": sealed.status}),
            "cures": {code: cure(code) for code in numbers["refusals"]},
            "blocked": counts.blocked,
            "guards": dict(sorted(counts.guards.items())),
            "trigger": trigger_figures(counts.trigger),
            "limits": [row._asdict() for row in limit_rows(config)],
            "symbols": {name: self._symbol(each) for name, each in self.positions.items()},
            "average_cost": self._averages(config),
            "currencies": {
                name: _ledger(each, has_payments(config)) for name, each in self.accounts.items()
            },
            "balances": dict(state["wallets"]),
            "total": None,
            "warnings": [
                {"code": each.code, "symbol": each.symbol, "detail": each.detail}
                for each in counts.warnings
            ],
            "warning_count": counts.warning_count,
            "switch": [
                {"tick_id": each.tick_id, "state": each.state, "reason": each.reason}
                for each in switches
            ],
            "data": self.data,
            "live": {},
        }

    def _averages(self, config: Config) -> dict[str, dict[str, str]]:
        return {
            name: average_row(
                self.counts.averages,
                name,
                state.unit_value,
                self.positions[name].realised_units + self.positions[name].unrealised_units,
                (state.instrument.price_decimals, state.ledger.decimals),
            )
            for name, state in _states(config).items()
            if name in self.counts.averages and not state.instrument.is_inverse
        }

    def _symbol(self, record: PositionRecord) -> dict[str, Any]:
        money = record.money_decimals
        return {
            "currency": record.currency,
            "orders": self.counts.orders[record.symbol],
            "fills": self.counts.fills[record.symbol],
            "position": format_units(record.position_units, record.quantity_decimals),
            "mark": format_units(record.mark_units, record.price_decimals),
            "realised": format_units(record.realised_units, money),
            "unrealised": format_units(record.unrealised_units, money),
            "fees": format_units(record.fees_units, money),
        }


def _states(config: Config) -> dict[str, InstrumentState]:
    """The symbols of a session at its beginning."""
    instruments = make_instruments(config.instruments)
    states = build_states(config, instruments, build_account(config, instruments))
    carry_books(config, states)
    return states


def _held(session_id: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """What is still held, as `held_at_end` has it, from state.json."""
    positions = state["positions"]
    return {
        "positions": {
            symbol: each["position"]
            for symbol, each in positions.items()
            if Decimal(each["position"])
        },
        "orders": [
            f"{session_id}-{order['order_id']}"
            for each in positions.values()
            for order in each["open_orders"]
            if order["status"] != OrderStatus.HELD.value
        ],
    }


def _ledger(record: AccountRecord, is_paid: bool) -> dict[str, str]:
    names = ["initial", "realised", "unrealised", "fees", "equity", "locked", "high_water"]
    if is_paid:
        names.insert(4, "payments")
    return {
        name: format_units(getattr(record, f"{name}_units"), record.money_decimals)
        for name in (*names, "max_drawdown")
    }
