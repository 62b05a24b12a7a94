"""A comparison as plain values for programs: exact figures, times as text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from logos.comparison.comparing import Compared, Comparison
from logos.comparison.differences import Difference
from logos.session.artifacts.rows import Moments


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """JSON values. Money is decimal text, ratios are floats (0.01 is one per cent), `null` is a
    figure that is not defined; durations are nanoseconds."""
    moments = Moments()
    return {
        "sessions": [_session(each, moments) for each in comparison.sessions],
        "notes": list(comparison.notes),
        "figures": {row.key: [_plain(value) for value in row.values] for row in comparison.figures},
        "settings": _differences(comparison.settings),
        "strategy": _differences(comparison.strategy),
        "data": _differences(comparison.data),
    }


def _session(each: Compared, moments: Moments) -> dict[str, Any]:
    facts = each.analysis.facts
    return {
        "session_id": facts.session_id,
        "folder": str(facts.folder),
        "strategy": facts.strategy,
        "symbols": list(facts.symbols),
        "mode": facts.mode,
        "outcome": facts.outcome,
        "exit_code": facts.exit_code,
        "reason": facts.reason,
        "begun": "" if facts.begun_ns is None else moments.text(facts.begun_ns),
        "ended": "" if facts.ended_ns is None else moments.text(facts.ended_ns),
        "config_hash": facts.config_hash,
    }


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _differences(found: Sequence[Difference]) -> list[dict[str, Any]]:
    return [{"name": each.name, "values": list(each.values)} for each in found]
