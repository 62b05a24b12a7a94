"""What is mutated, and which tests ought to notice: those of the module first, then wider ones."""

from __future__ import annotations

from dataclasses import dataclass

_ENGINE_FUNCTIONS = "start stop abort run _see_time _begin _on_other _on_command is_blocked"
_CORE_TESTS = (
    "tests/core/test_gates.py",
    "tests/core/test_risk_checks.py",
    "tests/core/test_storms_and_triggers.py",
    "tests/core/test_exits.py",
    "tests/core/test_brackets.py",
    "tests/core/test_targets.py",
    "tests/guards/test_safety.py",
    "tests/guards/test_halts.py",
    "tests/core/test_order_manager.py",
    "tests/core/test_engine_loop.py",
    "tests/core/test_pauses.py",
    "tests/core/test_venue_reports.py",
    "tests/guards/test_guard_edges.py",
    "tests/guards/test_guard_in_flight.py",
    "tests/guards/test_guard_actions.py",
    "tests/guards/test_exposure_watch.py",
    "tests/core/test_standing.py",
    "tests/guards/test_own_guards.py",
    "tests/core/test_ticks.py",
    "tests/core/test_engine.py",
    "tests/core/test_commands.py",
    "tests/guards/test_guard_windows.py",
    "tests/core/test_matching.py",
    "tests/core/test_risk.py",
    "tests/core/test_account.py",
    "tests/core/test_reports.py",
    "tests/core/test_report_answers.py",
    "tests/core/test_base_fees.py",
    "tests/core/test_base_fee_records.py",
    "tests/core/test_timers.py",
    "tests/core/test_opening_hours.py",
    "tests/core/test_order_events.py",
)
_PRICE_TESTS = ("tests/core/test_price_sanity.py", *_CORE_TESTS)
_LINK_TESTS = (
    "tests/execution/test_link_gate.py",
    "tests/execution/test_venue_link.py",
    "tests/execution/test_link_cancels.py",
    "tests/execution/test_link_lists.py",
    "tests/execution/test_reconcile.py",
    "tests/execution/test_sending.py",
)
_JUDGE_TESTS = (
    "tests/killswitch/test_judge.py",
    "tests/killswitch/test_judge_memory.py",
    "tests/killswitch/test_breaker.py",
    "tests/killswitch/test_sensor.py",
    "tests/killswitch/test_sensor_looks.py",
    "tests/killswitch/test_flag.py",
    "tests/killswitch/test_ledger.py",
    "tests/killswitch/test_ledger_copies.py",
    "tests/killswitch/test_writer.py",
    "tests/killswitch/test_states.py",
    "tests/killswitch/test_first_arming.py",
    "tests/killswitch/test_past.py",
    "tests/killswitch/test_surroundings.py",
    "tests/killswitch/test_fail_closed.py",
    "tests/killswitch/test_machine.py",
)
_SWITCH_TESTS = (
    *_JUDGE_TESTS,
    "tests/killswitch/test_history.py",
    "tests/killswitch/test_crash_points.py",
)
_FILE_TESTS = (
    "tests/killswitch/test_records.py",
    "tests/killswitch/test_history_file.py",
    "tests/killswitch/test_folder.py",
    "tests/killswitch/test_mounts.py",
    "tests/killswitch/test_ledger.py",
    "tests/killswitch/test_ledger_copies.py",
    "tests/killswitch/test_history.py",
    "tests/killswitch/test_states.py",
    "tests/killswitch/test_past.py",
)


@dataclass(frozen=True)
class Target:
    """A file to mutate, the functions that matter in it ("": all), and who should notice."""

    file: str
    functions: str
    tests: tuple[str, ...]


TARGETS = (
    Target("core/gates.py", "", _CORE_TESTS),
    Target("core/risk.py", "", _CORE_TESTS),
    Target("core/guards/limits.py", "", _CORE_TESTS),
    Target("core/guards/own.py", "ask_own_guards _plain", ("tests/guards/test_own_guards.py",)),
    Target("core/safety.py", "", _CORE_TESTS),
    Target("killswitch/judge.py", "", _JUDGE_TESTS),
    Target("core/order_manager.py", "submit refuse apply_end _leave _put_in_flight", _CORE_TESTS),
    Target("core/pipeline.py", "start stop settle _judge _submit _refuse", _CORE_TESTS),
    Target("core/engine.py", _ENGINE_FUNCTIONS, _CORE_TESTS),
    Target("core/market.py", "apply_quote _set_prices", _CORE_TESTS),
    Target("core/prices/watch.py", "", _PRICE_TESTS),
    Target("core/prices/sanity.py", "", _PRICE_TESTS),
    Target("core/commands.py", "carry_out _flatten", _CORE_TESTS),
    Target("core/handlers/callbacks.py", "ask ask_nobody tell", _CORE_TESTS),
    Target("core/handlers/timekeeping.py", "begin check", _CORE_TESTS),
    Target("core/handlers/agenda.py", "", _CORE_TESTS),
    Target("core/handlers/order_events.py", "", _CORE_TESTS),
    Target("core/reports.py", "", _CORE_TESTS),
    Target("core/outbox.py", "", (*_LINK_TESTS, *_CORE_TESTS)),
    Target("core/context.py", "is_open outstanding in_flight why_closed", _LINK_TESTS),
    Target("execution/venue_link.py", "_send", _LINK_TESTS),
    Target("execution/sending/gate.py", "", _LINK_TESTS),
    Target("killswitch/breaker.py", "", _SWITCH_TESTS),
    Target("killswitch/writer.py", "", _SWITCH_TESTS),
    Target("killswitch/sensor.py", "", _SWITCH_TESTS),
    Target("killswitch/flag.py", "", _SWITCH_TESTS),
    Target("killswitch/evidence.py", "", _SWITCH_TESTS),
    Target("killswitch/ledger.py", "", _SWITCH_TESTS),
    Target("killswitch/records.py", "", _FILE_TESTS),
    Target("killswitch/files.py", "", _FILE_TESTS),
    Target("killswitch/mounts.py", "", _FILE_TESTS),
    Target("killswitch/history.py", "", _FILE_TESTS),
)

SAMPLED = ("core/gates.py", "core/guards/limits.py", "core/safety.py", "killswitch/judge.py")
"""Files that a sample is drawn from: small, of safety, and seldom touched."""
