"""`report.html`: one file with everything in it, made from what a session left on the disk.

What needs no script is markup (`sections`, `figures`, `spread`), so the page reads without one and
on paper; what is drawn and sorted comes as data (`charts`) for one script. The page loads nothing,
and its policy allows its own scripts and styles by their hashes and nothing else. It says nothing
of the machine or of the hour, so the same session gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from logos.analysis import Analysis, analyse
from logos.config import make_config
from logos.files import replace_file
from logos.pages import assets
from logos.pages.markup import Markup, joined, tag
from logos.report import figures, parts, sections, spread
from logos.report.charts import drawn
from logos.report.tables import how_it_halted, read_tables
from logos.session.artifacts.limits import limit_rows
from logos.session.artifacts.session_md.money import money_decimals
from logos.session.history import read_manifest

REPORT: Final = "report.html"
"""The file's name in a session's folder."""

_PACKAGE: Final = "logos.report"
_NAV: Final = (
    *(("equity", "Equity"), ("prices", "Prices"), ("trips", "Trips"), ("result", "Why")),
    *(("months", "Months"), ("spread", "Spread"), ("when", "When"), ("symbols", "Symbols")),
    *(("exposure", "Exposure"), ("refusals", "Refusals"), ("statistics", "Figures")),
    *(("settings", "Settings"), ("provenance", "Provenance")),
)


def report_page(folder: Path) -> str:
    """The report of the session in `folder`, finished, running or dead, as HTML.

    Raises ConfigError when no session has begun there, another LogosError for a journal that is
    damaged, OSError when a file cannot be read, and ValueError for a table that is none.
    """
    analysis = analyse(folder)
    manifest = read_manifest(folder)
    config = make_config(manifest["config"], "the journal's manifest")
    decimals = _decimals(analysis)
    lines = []
    if analysis.facts.outcome == "HALTED":
        lines = how_it_halted(folder, config, analysis.facts.session_id)
    data = drawn(analysis, read_tables(folder), decimals)
    body = joined(
        sections.header(analysis),
        sections.halted(lines),
        sections.unfinished(analysis),
        sections.tiles(analysis, decimals),
        _navigation(),
        _charts(analysis, data),
        tag(
            "section",
            tag("h2", "Round trips", id="trips-title"),
            tag("div", id="trip-table"),
            tag("noscript", sections.trips_without_script(analysis, decimals)),
            class_="card",
            id="trips",
            aria_labelledby="trips-title",
        ),
        figures.result(analysis, decimals),
        spread.returns(analysis),
        spread.distributions(analysis),
        spread.slots(analysis, decimals),
        figures.symbols(analysis, decimals),
        _drawn_section("exposure", "What was held", "exposure-chart"),
        _drawn_section("plots", "What the strategy plotted", "plot-charts")
        if data["plots"]
        else None,
        sections.refusals(analysis, limit_rows(config)),
        figures.statistics(analysis, decimals),
        sections.settings(manifest["config"]),
        sections.provenance(analysis, manifest),
    )
    return _document(analysis.facts.session_id, body, data)


def write_report(folder: Path, path: Path | None = None) -> Path:
    """Make the report of the session in `folder` and write it to `path` (None: into the folder).

    A file that is there is replaced whole. Raises as `report_page`, and OSError when it cannot be
    written.
    """
    path = folder / REPORT if path is None else path
    content = report_page(folder).encode("utf-8", "replace")
    # It can be made again at any time: nobody waits for the disk.
    replace_file(path, content, durable=False)
    return path


def try_report(folder: Path) -> str:
    """The same after a session, which nothing that goes wrong here may touch: "" when the report
    was written, or one line that says why it was not and how to make it later."""
    try:
        write_report(folder)
    except (Exception, KeyboardInterrupt) as error:
        why = " ".join(f"{type(error).__name__} {error}".split())
        return f"no report was made ({why}); make it with: logos report {folder.name}"
    return ""


def _decimals(analysis: Analysis) -> Mapping[str, int]:
    """With how many decimals the money of each currency is shown."""
    found: dict[str, int] = {}
    for book in analysis.books:
        each = book.statistics
        amounts = (each.initial, each.final, each.realised, each.fees, each.unrealised)
        if not each.is_total or book.currency not in found:
            found[book.currency] = money_decimals([f"{amount:f}" for amount in amounts])
    return found


def _navigation() -> Markup:
    links = [tag("a", words, href=f"#{name}") for name, words in _NAV]
    return tag("nav", *links, class_="nav no-print", aria_label="Sections of this report")


def _charts(analysis: Analysis, data: Mapping[str, Any]) -> Markup:
    note = "Drag or press + to zoom in, double-click or press 0 to see all. Times are UTC."
    words = tag("p", note, class_="soft no-print with-script")
    quiet = parts.empty("Charts need JavaScript; the tables below do not.")
    without = tag("noscript", quiet)
    equity = parts.card(
        "Equity",
        words,
        tag("div", id="equity-books", class_="choice no-print"),
        tag("div", id="equity-chart"),
        tag("div", id="fall-chart"),
        without,
        None
        if analysis.equity.time_ns
        else parts.empty("No sample of the equity was written yet."),
        name="equity",
    )
    prices = parts.card(
        "Prices, entries and exits",
        tag("div", id="price-symbols", class_="choice no-print"),
        tag("p", id="price-note", class_="soft"),
        tag("div", id="price-chart"),
        None if data["prices"] else parts.empty("The session has no symbol."),
        name="prices",
    )
    return joined(equity, prices)


def _drawn_section(name: str, title: str, chart: str) -> Markup:
    return parts.card(title, tag("div", id=chart), name=name)


def _document(session_id: str, body: Markup, data: Mapping[str, Any]) -> str:
    styles = [
        assets.text(name, package)
        for name, package in (
            (assets.UPLOT_CSS, "logos.pages"),
            (assets.SHARED_CSS, "logos.pages"),
            ("report.css", _PACKAGE),
        )
    ]
    scripts = [assets.uplot(), assets.text(assets.CHARTS_JS), assets.text("report.js", _PACKAGE)]
    head = joined(
        tag("meta", charset="utf-8"),
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content=assets.content_policy(scripts, styles),
        ),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", f"{session_id} · logos report"),
        *(tag("style", Markup(each)) for each in styles),
    )
    page = tag(
        "body",
        tag("main", body, class_="page"),
        tag("script", Markup(assets.as_json(data)), type="application/json", id="data"),
        *(tag("script", Markup(each)) for each in scripts),
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), page, lang='en')}\n"
