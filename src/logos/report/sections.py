"""The sections of a report that need no script: they are there on paper and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from logos.analysis import Analysis
from logos.pages.markup import Content, Markup, joined, tag
from logos.report import parts
from logos.report.words import (
    NONE,
    count,
    duration,
    listed,
    moment,
    money,
    percent,
    plain_number,
    plural,
)
from logos.session.artifacts.cures import cure
from logos.session.artifacts.limits import LimitRow

EVENTS_SHOWN: Final = 200
NOSCRIPT_TRIPS: Final = 100
_SYMBOLS_NAMED: Final = 8
_SETTINGS_MAX: Final = 1_000

Decimals = Mapping[str, int]
"""Decimals that money of a currency is shown with."""


def header(analysis: Analysis) -> Markup:
    """Which session it is, in three lines."""
    facts = analysis.facts
    good = {"ENDED": "good", "STOPPED": "warn", "CRASHED_RECOVERED": "warn", "RUNNING": "warn"}
    when, outcome = NONE, facts.outcome or "UNKNOWN"
    if facts.begun_ns is not None:
        length = duration(analysis.statistics.duration_ns)
        when = f"{moment(facts.begun_ns)} to {moment(facts.ended_ns)} UTC ({length})"
    what = "REAL ORDERS" if facts.mode == "live" else "PAPER"
    symbols = listed(facts.symbols, _SYMBOLS_NAMED) or "no symbol"
    source = "recorded data" if facts.data == "recorded" else f"live data ({facts.data})"
    return tag(
        "header",
        tag("p", "logos · report of a session", class_="soft kicker"),
        tag("h1", facts.session_id),
        tag(
            "p",
            tag("span", outcome, class_=f"badge {good.get(outcome, 'bad')}"),
            " ",
            tag("span", what, class_="badge" if what == "PAPER" else "badge bad"),
            " ",
            tag("span", facts.reason),
        ),
        tag("p", tag("b", facts.strategy), " on ", symbols, class_="what"),
        tag("p", when, " · ", source, class_="soft"),
    )


def halted(lines: Sequence[tuple[str, str]]) -> Markup | None:
    """Why a session halted and what to type: before anything else."""
    if not lines:
        return None
    rows = [
        tag(
            "div",
            tag("dt", title.capitalize()),
            tag("dd", tag("code", words) if title == "next" else words),
        )
        for title, words in lines
    ]
    return tag(
        "section",
        tag("h2", "This session halted", id="halted-title"),
        tag("dl", *rows),
        class_="card alarm",
        id="halted",
        aria_labelledby="halted-title",
    )


def unfinished(analysis: Analysis) -> Markup | None:
    """What must be known of a report on a session that has not ended, or that reads badly."""
    facts, said = analysis.facts, list(analysis.notes)
    if not facts.is_finished:
        until = f" up to {moment(facts.ended_ns, seconds=True)} UTC" if facts.ended_ns else ""
        said.insert(
            0, f"The session has not ended ({facts.outcome}). This is what it wrote{until}."
        )
    if not said:
        return None
    ask = tag("p", "Make it again with ", tag("code", f"logos report {facts.session_id}"), ".")
    body = [tag("p", sentence) for sentence in said]
    return tag("div", *body, None if facts.is_finished else ask, class_="card notice", role="note")


def tiles(analysis: Analysis, decimals: Decimals) -> Markup:
    """The figures that one looks for first."""
    figures, facts = analysis.statistics, analysis.facts
    places = decimals[figures.currency]
    trips, currency = figures.trips, figures.currency
    fall = None if figures.max_drawdown_ratio is None else -figures.max_drawdown_ratio
    length = figures.drawdown_length_ns
    made = [
        parts.tile(
            "Net result",
            f"{money(figures.net, places, sign=True)} {currency}",
            f"{percent(figures.net_ratio, sign=True)} of {money(figures.initial, places)}",
            parts.tone_of(figures.net),
        ),
        parts.tile(
            "Against buy and hold",
            percent(figures.against_hold_ratio, sign=True),
            f"buy and hold {percent(figures.buy_and_hold_ratio, sign=True)}",
            parts.tone_of(figures.against_hold_ratio),
        ),
        parts.tile(
            "Deepest fall",
            percent(fall),
            f"{money(figures.max_drawdown, places)} {currency}"
            + (f", {duration(length)} below the high" if length else ""),
        ),
        parts.tile(
            "Round trips",
            count(trips.trips),
            f"{count(trips.wins)} won, {count(trips.losses)} lost"
            if trips.trips
            else "none closed",
        ),
        parts.tile(
            "Win rate",
            percent(trips.win_rate, 1),
            f"best {money(trips.best, places)}, worst {money(trips.worst, places)}",
        ),
        parts.tile(
            "Profit factor",
            plain_number(trips.profit_factor),
            f"{money(trips.expectancy, places, sign=True)} a trip on average",
        ),
        parts.tile(
            "Before costs",
            money(figures.before_costs, places, sign=True),
            f"fees {money(figures.fees, places)}, slippage {money(figures.slippage, places)}",
            parts.tone_of(figures.before_costs),
        ),
        parts.tile(
            "Sharpe ratio",
            plain_number(figures.sharpe),
            f"of {plural(figures.days, 'daily return')}"
            + (": says little" if figures.is_short and figures.sharpe is not None else ""),
        ),
        parts.tile(
            "In the market",
            percent(figures.exposure, 1),
            f"turnover {plain_number(figures.turnover, 1)} times the equity",
        ),
        parts.tile(
            "Refused",
            count(facts.refused),
            f"{plural(facts.orders, 'order')}, {plural(facts.fills, 'fill')}",
            "loss" if facts.refused > facts.orders else "",
        ),
    ]
    return tag("section", *made, class_="tiles", aria_label="The result in figures")


def refusals(analysis: Analysis, limits: Sequence[LimitRow]) -> Markup:
    """What was refused and what would cure it; guards, warnings, commands, the switch; limits."""
    content: list[Content] = []
    counts = sorted(analysis.refusals.items(), key=lambda each: (-each[1], each[0]))
    if counts:
        most = float(counts[0][1])
        rows: list[list[Content]] = [
            [code, parts.length_cell(number, most), count(number), cure(code)]
            for code, number in counts
        ]
        columns = ("Code", "", "Times", "What would cure it")
        content.append(parts.table("Refusals by code", columns, rows, numbers=("Times",)))
    else:
        content.append(parts.empty("No order was refused."))
    others = [each for each in analysis.events if each.kind != "refusal"]
    if others:
        shown: list[list[Content]] = [
            [moment(each.time_ns, seconds=True), each.kind, each.code, each.symbol, each.detail]
            for each in others[:EVENTS_SHOWN]
        ]
        title = "Guards, warnings, commands and the kill switch"
        heads = ("Time (UTC)", "What", "Code", "About", "Detail")
        content += [tag("h3", title), parts.table(title, heads, shown)]
        if len(others) > EVENTS_SHOWN:
            content.append(tag("p", f"The first {EVENTS_SHOWN} are shown.", class_="soft"))
    rows = [[each.guard, each.limit, each.action] for each in limits]
    made = parts.table("Limits of the session", ("Guard", "Limit", "Action"), rows)
    content.append(parts.details("Limits of the session", made))
    return parts.card("Refusals and guards", *content, name="refusals")


def trips_without_script(analysis: Analysis, decimals: Decimals) -> Markup:
    """The last round trips, for whoever has no JavaScript."""
    trips = analysis.trips[-NOSCRIPT_TRIPS:]
    if not trips:
        return parts.empty("No round trip has ended.")
    columns = ("No.", "Symbol", "Side", "Entry (UTC)", "Exit (UTC)", "Net", "Result")
    rows: list[list[Content]] = [
        [
            count(each.number),
            each.symbol,
            each.side,
            moment(each.entry_ns),
            moment(each.exit_ns),
            money(each.net, decimals[each.currency], sign=True),
            percent(each.ratio, sign=True),
        ]
        for each in trips
    ]
    words = f"The last {plural(len(trips), 'round trip')}; trips.csv has all."
    made = parts.table("Round trips", columns, rows, numbers=("Net", "Result"))
    return joined(tag("p", words, class_="soft"), made)


def settings(config: Mapping[str, Any]) -> Markup:
    """Every setting in force, secrets masked as in config.json."""
    rows = list(_flat(config, ""))
    left = len(rows) - _SETTINGS_MAX
    found: list[list[Content]] = [[name, value] for name, value in rows[:_SETTINGS_MAX]]
    made = parts.table("Settings", ("Setting", "Value"), found, class_="settings")
    more = tag("p", f"and {left:,} more: config.json", class_="soft") if left > 0 else None
    folded = parts.details(f"{len(rows):,} settings in force", made, more)
    return parts.card("Settings", folded, name="settings")


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        for at, each in enumerate(value):
            yield from _flat(each, f"{name}[{at}]")
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value)) or NONE
    else:
        yield name, NONE if value in ("", None) else str(value)


def provenance(analysis: Analysis, manifest: Mapping[str, Any]) -> Markup:
    """What the session followed from, so that it can be run again to the same bytes."""
    facts = analysis.facts
    pairs: list[tuple[str, Content]] = [
        ("Session", facts.session_id),
        ("UUID", str(manifest.get("uuid", ""))),
        ("Software", f"logos {facts.software}"),
        ("Strategy", facts.strategy),
        ("Strategy's fingerprint", str(manifest.get("strategy_fingerprint", ""))),
        ("Seed", str(facts.seed)),
        ("Hash of the settings", facts.config_hash),
        ("First event", moment(facts.begun_ns, seconds=True)),
        ("Last event", moment(facts.ended_ns, seconds=True)),
        ("Events", NONE if facts.ticks is None else count(facts.ticks)),
        *((f"Data: {name}", digest) for name, digest in facts.data_files.items()),
    ]
    again = tag(
        "p",
        "Run it again and compare every byte: ",
        tag("code", f"logos replay {facts.session_id}"),
        ". Check its books: ",
        tag("code", f"logos verify {facts.session_id}"),
        ".",
        class_="soft",
    )
    made = parts.facts(pairs, "Where the session came from")
    return parts.card("Provenance", made, again, name="provenance")
