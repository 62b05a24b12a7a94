"""`logos fleet plan` and `logos fleet status`."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any, Final

import msgspec

from logos.cli.running.fleet import sentence_of
from logos.config import Config
from logos.config.terms.shards import shards_of
from logos.core.types import NS_PER_SECOND, SwitchState
from logos.killswitch.fleet.claims import ShardStore
from logos.killswitch.fleet.records import EngineEntry, decode_record
from logos.killswitch.fleet.shards import Budgets, Claim
from logos.session.fleet.taking import Plan, fleet_terms, make_shard_plan

_SHOWN_MAX: Final = 4
_LATE_TTLS: Final = 2


def print_plan(config: Config, *, as_json: bool) -> int:
    """Print the table, which was checked when the settings were read; 0."""
    plan, shards = make_shard_plan(config), shards_of(config)
    if as_json:
        whole = {"total": shards.total, "shards": plan}
        print(json.dumps(msgspec.to_builtins(whole), indent=2))
        return 0
    for each in plan:
        print(_plan_line(each))
    budgets = sum(each.budget for each in plan)
    symbols = sum(len(each.symbols) for each in plan)
    print(
        f"{len(plan)} shards, {symbols} symbols, each in one shard; budgets {budgets:f} of "
        f"{shards.total:f}"
    )
    return 0


def _plan_line(each: Plan) -> str:
    shown = ", ".join(each.symbols[:_SHOWN_MAX])
    more = len(each.symbols) - _SHOWN_MAX
    symbols = shown + (f" and {more} more" if more > 0 else "")
    read = f"partitions {', '.join(map(str, each.partitions))}; " if each.partitions else ""
    most = f" (at most {each.budget_max:f})" if each.budget_max != each.budget else ""
    return f"{each.shard}: session {each.session}; {read}{symbols}; budget {each.budget:f}{most}"


def print_status(config: Config, *, as_json: bool) -> int:
    """Print how each shard stands; 0 when all is well. Raises CoordinatorError, ConfigError."""
    terms = fleet_terms(config)
    store = ShardStore(terms)
    try:
        reading = store.read()
        record = None if reading.value is None else decode_record(reading.value)
        entries = {each.shard: each for each in store.engines() if each.shard and not each.ended}
        claims, (budgets, _) = store.claims(), store.budgets()
    finally:
        store.close()
    rows = {
        name: _row(claims.get(name), entries.get(name), name, budgets)
        for name in shards_of(config).table
    }
    is_safe = record is not None and record.severity is SwitchState.SAFE
    is_well = is_safe and not any(row["problem"] for row in rows.values())
    if as_json:
        whole = {
            "fleet": terms.fleet,
            "switch": None if record is None else msgspec.to_builtins(record),
            "free": None if budgets is None else f"{budgets.free:f}",
            "shards": rows,
        }
        print(json.dumps(whole, indent=2))
        return 0 if is_well else 1
    print(f"fleet {terms.fleet}: no switch" if record is None else sentence_of(terms.fleet, record))
    for name, row in rows.items():
        print(f"  {name}: {_row_words(row)}")
    if budgets is not None:
        print(f"budgets: {budgets.free:f} of {budgets.total:f} is granted to nobody")
    return 0 if is_well else 1


def _row(
    found: tuple[Claim, bool] | None,
    entry: EngineEntry | None,
    name: str,
    budgets: Budgets | None,
) -> dict[str, Any]:
    claim, is_held = found if found is not None else (None, False)
    if entry is not None and (claim is None or entry.claim != claim.epoch):
        entry = None  # of a former owner
    problem = ""
    if claim is None or not is_held:
        problem = "NO OWNER"
    elif entry is None:
        problem = "its owner has not renewed yet"
    elif entry.blocked or entry.state != "SAFE":
        problem = f"BLOCKED ({entry.state})"
    elif time.time_ns() - entry.renewed_ns > _LATE_TTLS * entry.ttl_ns:
        age_s = (time.time_ns() - entry.renewed_ns) / NS_PER_SECOND
        problem = f"LATE: renewed {age_s:.1f} s ago, by its clock"
    granted = None if budgets is None else budgets.granted.get(name)
    said = None if entry is None else entry.budget
    return {
        "claim": 0 if claim is None else claim.epoch,
        "owner": "" if claim is None else claim.name,
        "held": is_held,
        "problem": problem,
        "session": "" if entry is None else entry.session,
        "granted": _money(granted),
        "in_force": _money(said),
        "exposure": None if entry is None or said is None else _money(entry.exposure),
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"


def _row_words(row: dict[str, Any]) -> str:
    if not row["claim"]:
        return "NO OWNER, never claimed: logos fleet start --config FILE --shard NAME"
    words = f"claim {row['claim']} of {row['owner']}"
    if row["problem"]:
        words = f"{row['problem']}; {words}"
    if row["granted"] is not None:
        words += f"; budget {row['granted']}"
    if row["in_force"] is not None:
        words += f", in force {row['in_force']}, holds {row['exposure']}"
    return words
