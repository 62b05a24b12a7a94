"""session.md: a session for people who read it and for those who audit it.

How it ended and what it came to stand first, where it came from last. Money is rounded for reading;
the tables beside it have every digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from logos.session.artifacts.cures import cure
from logos.session.artifacts.report import Summary, halt_lines, how_it_ended
from logos.session.artifacts.session_md.money import EXACT, MONEY, Rounding, half_even, rounding
from logos.shown import markdown

_NEWS_MAX: Final = 100
_ENDED: Final = "Orders that ended without (all of) their fill"


def session_markdown(summary: Summary) -> str:
    """The session's record. The same session gives the same bytes; see host.json for the rest."""
    rounded = {name: rounding(each) for name, each in summary["currencies"].items()}
    lines = [
        f"# Session {summary['session_id']}",
        "",
        f"**{summary['status']}**: {markdown(how_it_ended(summary))}",
        "",
        *_trigger_lines(summary),
        "## Result",
        "",
        _what_ran(summary),
        "",
        *_money_table(summary, rounded),
        "",
        _counts(summary),
        "",
        *_costs_lines(summary),
        "`logos report` shows the session as a page. Money is rounded here; the tables beside this "
        "file have every digit.",
        "",
        "## Symbols",
        "",
        *_symbols_table(summary, rounded),
        "",
        *_average_section(summary, rounded),
        *_balances_section(summary, rounded),
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
        *_live_section(summary),
        *_provenance(summary),
    ]
    return "\n".join(lines) + "\n"


def _what_ran(summary: Summary) -> str:
    """Strategy, symbols and dates, in a line."""
    symbols = ", ".join(markdown(symbol) for symbol in summary["symbols"]) or "no symbol"
    when = ""
    if summary["first_event"]:
        first, last = (_minute(summary[name]) for name in ("first_event", "last_event"))
        when = f", {first} to {last} UTC" if first != last else f", {first} UTC"
    return f"Strategy {markdown(summary['strategy'])} on {symbols}{when}."


def _minute(moment: str) -> str:
    """An ISO-8601 time to its minute, as people write it."""
    return moment[:16].replace("T", " ")


def _money_table(summary: Summary, rounded: Mapping[str, Rounding]) -> list[str]:
    """What each currency came to: net and its share of what it began with, and how."""
    books = [(name, name, each) for name, each in summary["currencies"].items()]
    roundings = dict(rounded)
    total = summary["total"]
    if total is not None:
        title = f"total in {total['currency']}"
        books.append((title, title, total))
        roundings[title] = rounding(total)
    has_payments = any("payments" in each for _, _, each in books)
    shown = (*MONEY, *(["payments"] if has_payments else []), "high_water", "max_drawdown")
    rows = []
    for title, name, each in books:
        text = roundings[name]
        initial = Decimal(each["initial"])
        net = EXACT.subtract(Decimal(each["equity"]), initial)
        rows.append(
            {
                **{figure: text(each[figure]) if figure in each else "" for figure in shown},
                "currency": title,
                "net": text(str(net)),
                "net %": _percent(net, initial) if initial > 0 else "",
            }
        )
    lines = _table(("currency", "net", "net %", *shown), rows)
    if total is None and len(rows) > 1:
        lines += ["", "Currencies are kept apart: no `account.report_in` is configured."]
    return lines


def _percent(part: Decimal, whole: Decimal) -> str:
    share = EXACT.divide(EXACT.multiply(part, Decimal(100)), whole)
    return half_even(share, 2).replace(",", "")


def _counts(summary: Summary) -> str:
    return (
        f"{summary['ticks']:,} ticks, {summary['orders']:,} orders, {summary['fills']:,} fills, "
        f"{summary['refused']:,} refusals, {summary['blocked']:,} ticks blocked."
    )


def _costs_lines(summary: Summary) -> list[str]:
    """What the fills did not cost; nothing where they cost something."""
    words = summary.get("without_costs")
    return [f"**Costs left out**: {markdown(words)}.", ""] if words else []


def _symbols_table(summary: Summary, rounded: Mapping[str, Rounding]) -> list[str]:
    rows = []
    for symbol, each in summary["symbols"].items():
        text = rounded.get(each["currency"], str)
        money = {name: text(each[name]) for name in ("realised", "unrealised", "fees")}
        rows.append({"symbol": symbol, **each, **money})
    columns = ("symbol", "orders", "fills", "position", "mark")
    return _table((*columns, "realised", "unrealised", "fees", "currency"), rows)


def _balances_section(summary: Summary, rounded: Mapping[str, Rounding]) -> list[str]:
    """What is in the wallets: money rounded, amounts of other assets as they are."""
    shown = {
        asset: rounded[asset](amount) if asset in rounded else amount
        for asset, amount in summary["balances"].items()
    }
    return _section("Balances", "asset", shown)


def _provenance(summary: Summary) -> list[str]:
    """What the session followed from, and what proves it."""
    named = (
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
    facts = [{"what": name, "value": summary[key]} for name, key in named]
    return [
        *_data_section(summary),
        "## Provenance",
        "",
        *_table(("what", "value"), facts),
        "",
        "Host, wall time, speed and latencies are in `host.json`; they are the only facts of this "
        "folder that differ between two runs of the same session.",
    ]


def _trigger_lines(summary: Summary) -> list[str]:
    """What halted the session, what it holds, and what comes next: before anything else."""
    lines = []
    for title, words in halt_lines(summary):
        commands = title == "next"
        text = f"`{words}`" if commands else markdown(words)
        lines += [f"{title.capitalize()}: {text}{'' if commands else '.'}", ""]
    return lines


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


def _average_section(summary: Summary, rounded: Mapping[str, Rounding]) -> list[str]:
    """The same fills by average cost, for whoever compares with a statement that averages."""
    rows = []
    for symbol, each in summary["average_cost"].items():
        currency = summary["symbols"][symbol]["currency"]
        money = {
            name: rounded.get(currency, str)(each[name]) for name in ("realised", "unrealised")
        }
        rows.append({"symbol": symbol, **each, **money, "currency": currency})
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
    return ["## Data", "", *_table(columns, rows), ""] if rows else []


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
