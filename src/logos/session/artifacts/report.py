"""session.md for people who audit, and what a session says of its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logos.core.types import SessionStatus
from logos.session.artifacts.counts import trigger_words
from logos.session.artifacts.cures import cure, most_frequent
from logos.shown import markdown

Summary = Mapping[str, Any]

_NEWS_MAX = 100
_CODES_MAX = 5
"""Codes of refusals that a terminal shows with their cures; session.md has all."""
_ORDERS_MAX = 5
_ENDED = "Orders that ended without (all of) their fill"


def session_markdown(summary: Summary) -> str:
    """The session's record. The same session gives the same bytes; see host.json for the rest."""
    lines = [
        f"# Session {summary['session_id']}",
        "",
        f"**{summary['status']}**: {markdown(_how_it_ended(summary))}",
        "",
        *_trigger_lines(summary),
        "| what | value |",
        "|---|---|",
        *(
            f"| {name} | {_cell(summary[key])} |"
            for name, key in (
                ("session UUID", "uuid"),
                ("exit code", "exit_code"),
                ("software", "software"),
                ("strategy", "strategy"),
                ("strategy fingerprint", "strategy_fingerprint"),
                ("seed", "seed"),
                ("config hash", "config_hash"),
                ("fill rule", "fill_rule"),
                ("first event", "first_event"),
                ("last event", "last_event"),
                ("kill switch", "switch_state"),
            )
        ),
        "",
        "Host, wall time, speed and latencies are in `host.json`; they are the only facts of this "
        "folder that differ between two runs of the same session.",
        "",
        "## Result",
        "",
        *_counts(summary),
        "",
        *_money_table(summary),
        "",
        "## Symbols",
        "",
        *_table(
            (
                "symbol",
                "orders",
                "fills",
                "position",
                "mark",
                "realised",
                "unrealised",
                "fees",
                "currency",
            ),
            [{"symbol": symbol, **each} for symbol, each in summary["symbols"].items()],
        ),
        "",
        *_average_section(summary),
        *_section("Balances", "asset", summary["balances"]),
        *_codes_section("Refusals by code", "code", summary["refusals"]),
        *_section("Guards that acted", "guard", summary["guards"]),
        "## Limits",
        "",
        *_table(("guard", "limit", "action"), summary["limits"]),
        "",
        *_codes_section(_ENDED, "reason", summary["orders_ended_by"]),
        *_warm_up_section(summary),
        *_switch_section(summary),
        *_warning_section(summary),
        *_failure_section(summary),
        *_data_section(summary),
        *_live_section(summary),
    ]
    return "\n".join(lines) + "\n"


def _how_it_ended(summary: Summary) -> str:
    """Why the session ended, and what of its orders must not be overlooked."""
    return "; ".join(filter(None, (summary["reason"], summary["headline"])))


def _trigger_lines(summary: Summary) -> list[str]:
    """What halted the session, what it holds, and what comes next: before anything else."""
    lines = []
    for title, words in halt_lines(summary):
        commands = title == "next"
        text = f"`{words}`" if commands else markdown(words)
        lines += [f"{title.capitalize()}: {text}{'' if commands else '.'}", ""]
    return lines


def halt_lines(summary: Summary) -> list[tuple[str, str]]:
    """What a halted session must say: its trigger, the limit that was passed, what is still held,
    the next commands. Each a title and words; nothing for a session that did not halt."""
    if summary["status"] != SessionStatus.HALTED.value:
        return []
    lines = []
    first = summary["trigger"]
    if first is not None:
        lines.append(("trigger", trigger_words(first)))
        limits = {row["guard"]: row["limit"] for row in summary["limits"]}
        if first["guard"] in limits:
            lines.append(("limit", limits[first["guard"]]))
    lines.append(("holds", held_words(summary)))
    return [*lines, *(("next", command) for command in summary["next"])]


def held_words(summary: Summary) -> str:
    """Positions with their marks, and orders that are open."""
    held = summary["held"]
    parts = [
        f"{quantity} {symbol} at {summary['symbols'][symbol]['mark']}"
        for symbol, quantity in held["positions"].items()
    ]
    orders = held["orders"]
    if orders:
        named = ", ".join(orders[:_ORDERS_MAX])
        more = f" and {len(orders) - _ORDERS_MAX} more" if len(orders) > _ORDERS_MAX else ""
        parts.append(f"open orders {named}{more}")
    return ", ".join(parts) or "no position, no open order"


def _live_section(summary: Summary) -> list[str]:
    """What only a live run could measure; it is recorded with the inputs, and a replay has it."""
    facts = summary["live"]
    if not facts:
        return []
    rows = [
        {
            "stage": stage,
            "count": each["count"],
            **{
                name: f"{each[key] / 1_000:,.1f}"
                for name, key in (
                    ("p50", "p50_ns"),
                    ("p90", "p90_ns"),
                    ("p99", "p99_ns"),
                    ("p99.9", "p99_9_ns"),
                    ("max", "max_ns"),
                )
            },
        }
        for stage, each in facts["latency"].items()
    ]
    counts = (
        ("market events", "market_events"),
        ("quotes conflated", "conflated"),
        ("most events that waited at once", "peak_waiting"),
        ("batches of more than 10 ms", "overruns"),
        ("times the loop stood still", "stalls"),
    )
    news = [
        "- "
        + markdown(f"{each['feed']} {each['symbol']}: {each['state']} {each['detail']}".rstrip())
        for each in facts["feed_news"][:_NEWS_MAX]
    ]
    return [
        "## The live loop",
        "",
        "Microseconds from the feed's handing over of an event to the end of each stage.",
        "",
        *_table(("stage", "count", "p50", "p90", "p99", "p99.9", "max"), rows),
        "",
        *(f"- {name}: {facts[key]:,}" for name, key in counts),
        f"- news of feeds: {facts['feed_news_count']:,}, the first of them:",
        *(f"  {line}" for line in news),
        "",
    ]


def _counts(summary: Summary) -> list[str]:
    return [
        f"{summary['ticks']} ticks, {summary['orders']} orders, {summary['fills']} fills, "
        f"{summary['refused']} refusals, {summary['blocked']} ticks blocked."
    ]


def _money_table(summary: Summary) -> list[str]:
    rows = [{"currency": name, **each} for name, each in summary["currencies"].items()]
    if summary["total"] is not None:
        total = dict(summary["total"])
        rows.append({**total, "currency": f"total in {total['currency']}"})
    columns = (
        "currency",
        "initial",
        "realised",
        "fees",
        "unrealised",
        *(["payments"] if any("payments" in row for row in rows) else []),
        "equity",
        "high_water",
        "max_drawdown",
    )
    lines = _table(columns, rows)
    if summary["total"] is None and len(rows) > 1:
        lines += ["", "Currencies are kept apart: no `account.report_in` is configured."]
    return lines


def _average_section(summary: Summary) -> list[str]:
    """The same fills by average cost, for whoever compares with a statement that averages."""
    rows = [
        {"symbol": symbol, **each, "currency": summary["symbols"][symbol]["currency"]}
        for symbol, each in summary["average_cost"].items()
    ]
    if not rows:
        return []
    return [
        "## Average cost",
        "",
        "The books are first in, first out. By average cost the same fills come to:",
        "",
        *_table(("symbol", "entry_price", "realised", "unrealised", "currency"), rows),
        "",
    ]


def code_lines(title: str, counts: Mapping[str, int]) -> list[str]:
    """The most frequent codes, a line for each: how often it came, and what would cure it."""
    lines = [
        f"{title:<9} {code} {count:,}: {cure(code)}"
        for code, count in most_frequent(counts, _CODES_MAX)
    ]
    left = len(counts) - len(lines)
    return [*lines, f"{title:<9} and {left} more codes: see session.md"] if left else lines


def _codes_section(title: str, name: str, counts: Mapping[str, int]) -> list[str]:
    """Codes, how often each came, and what would cure it."""
    if not counts:
        return []
    rows = [{name: code, "value": count, "cure": cure(code)} for code, count in counts.items()]
    return [f"## {title}", "", *_table((name, "value", "cure"), rows), ""]


def _section(title: str, name: str, values: Mapping[str, Any]) -> list[str]:
    if not values:
        return []
    rows = [{name: key, "value": value} for key, value in values.items()]
    return [f"## {title}", "", *_table((name, "value"), rows), ""]


def _warm_up_section(summary: Summary) -> list[str]:
    rows = summary.get("warm_up")
    if not rows:
        return []
    columns = ("symbol", "bars", "before", "since", "until")
    words = "Orders were refused until then; `before` counts bars from before the session."
    return ["## Warm-up", "", words, "", *_table(columns, rows), ""]


def _switch_section(summary: Summary) -> list[str]:
    if not summary["switch"]:
        return []
    return [
        "## Kill switch",
        "",
        *_table(("tick_id", "state", "reason"), summary["switch"]),
        "",
    ]


def _warning_section(summary: Summary) -> list[str]:
    if not summary["warnings"]:
        return []
    shown = _table(("code", "symbol", "detail"), summary["warnings"])
    more = summary["warning_count"] - len(summary["warnings"])
    return ["## Warnings", "", *shown, *([f"and {more} more"] if more else []), ""]


def _failure_section(summary: Summary) -> list[str]:
    """The way to a failure through the strategy's code, the outermost frame first."""
    # A list and no block of code: there a page's own markup could not be taken off.
    way = [f"- {markdown(line.strip())}" for line in summary["failure"]]
    return ["## How the strategy failed", "", *way, ""] if way else []


def _data_section(summary: Summary) -> list[str]:
    rows = [
        {
            **source,
            "files": _Markup(
                ", ".join(
                    f"{markdown(name)} `{digest}`" for name, digest in source["files"].items()
                )
            ),
            "accepted": ", ".join(
                f"{kind} {count}" for kind, count in source["accepted_defects"].items()
            ),
        }
        for source in summary["data"]
    ]
    columns = ("symbol", "kind", "rows", "rows_dropped", "first", "last", "accepted", "files")
    return ["## Data", "", *_table(columns, rows)] if rows else []


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        "| " + " | ".join(column.replace("_", " ") for column in columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(_cell(row[column]) for column in columns) + " |" for row in rows),
    ]


class _Markup(str):
    """Markdown of our own making."""

    __slots__ = ()


def _cell(value: object) -> str:
    """Text that cannot break out of its cell, whoever wrote it."""
    return str(value) if isinstance(value, _Markup) else markdown(value)
