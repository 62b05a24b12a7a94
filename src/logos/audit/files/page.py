"""session.md against the journal: its hash in the seal, and every figure in its tables.

The hash finds whatever was changed after the seal. The figures are compared besides, because a
page can also have been written wrongly: they are counted anew from the records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Final

from logos.audit.files.figures import Figures
from logos.audit.findings import Finding
from logos.audit.money.shown import said_exactly, says
from logos.build import build_hash
from logos.core.records import AccountRecord, PositionRecord
from logos.journal.entries import Manifest, Sealed

_PAGE: Final = "session.md"
_COUNTS: Final = re.compile(
    r"([\d,]+) ticks, ([\d,]+) orders, ([\d,]+) fills, ([\d,]+) refusals, ([\d,]+) ticks blocked\."
)
_LIVE: Final = b"\n## The live loop\n"
_HEADING: Final = b"\n## "
_LISTED_MAX: Final = 100
"""Changes of the switch that the page lists."""

_EXACT: Final = ("position", "mark")

Row = dict[str, str]


def check_page(
    path: Path, manifest: Manifest, sealed: Sealed, figures: Figures, ticks: object
) -> list[Finding]:
    """What is wrong with the session.md at `path`; `ticks` is what state.json says of them."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [Finding(_PAGE, "", "is missing")]
    found = []
    is_hash = sha256(_lasting(content)).hexdigest()
    if sealed.session_md and sealed.session_md != is_hash:
        words = f"its SHA-256 is {is_hash}, and that in the seal {sealed.session_md}"
        found.append(Finding(_PAGE, "", words))
    text = content.decode("utf-8", "replace")
    if not any(line.startswith(f"**{sealed.status}**: ") for line in text.splitlines()[:5]):
        found.append(Finding(_PAGE, "status", f"is not the seal's {sealed.status}"))
    tables = _tables(text)
    facts_said = tables.get("Provenance") or tables.get("", [])  # first of all in older versions
    said = {row.get("what", ""): row.get("value", "") for row in facts_said}
    facts = {
        "session UUID": manifest.uuid,
        "software": manifest.software,
        "strategy fingerprint": manifest.strategy_fingerprint,
        "seed": str(manifest.seed),
        "config hash": manifest.config_hash,
        "kill switch": figures.switch[-1] if figures.switch else "SAFE",
    }
    for name, fact in facts.items():
        _compare(found, name, said.get(name, "missing"), fact)
    _check_counts(found, text, figures, ticks)
    _check_money(found, tables.get("Result", []), figures)
    _check_symbols(found, tables.get("Symbols", []), figures)
    _check_averages(found, tables.get("Average cost", []), figures, manifest)
    for title, column, counts in (
        ("Refusals by code", "code", figures.refusals),
        ("Guards that acted", "guard", figures.guards),
        ("Orders that ended without (all of) their fill", "reason", figures.ended_by),
    ):
        there = {row.get(column, ""): row.get("value", "") for row in tables.get(title, [])}
        for code in {**there, **counts}:
            _compare(found, f"{title}: {code}", there.get(code, "0"), str(counts[code]))
    states = [row.get("state", "") for row in tables.get("Kill switch", [])]
    _compare(found, "Kill switch", " ".join(states), " ".join(figures.switch[:_LISTED_MAX]))
    return found


def _lasting(content: bytes) -> bytes:
    """The page without what only a live run could measure, which differs by run."""
    start = content.find(_LIVE)
    if start < 0:
        return content
    end = content.find(_HEADING, start + 1)  # older versions had the live loop last
    return content[: start + 1] + (b"" if end < 0 else content[end + 1 :])


def _compare(found: list[Finding], place: str, said: str, mine: str) -> None:
    if said != mine:
        found.append(Finding(_PAGE, place, f"is {said!r}, and the journal says {mine!r}"))


def _check_counts(found: list[Finding], text: str, figures: Figures, ticks: object) -> None:
    match = _COUNTS.search(text)
    said = match.groups() if match is not None else ("missing",) * 5
    orders, fills = _total(figures.orders), _total(figures.fills)
    counts = (ticks, orders, fills, figures.refused, figures.blocked)
    names = ("ticks", "orders", "fills", "refusals", "ticks blocked")
    for name, is_said, mine in zip(names, said, counts, strict=True):
        if mine is None:
            continue  # state.json does not say it, which is a finding of its own
        _compare(found, name, is_said.replace(",", ""), str(mine))


def _total(counts: Counter[str]) -> int:
    return sum(counts.values())


def _check_money(found: list[Finding], rows: list[Row], figures: Figures) -> None:
    there = {row.get("currency", ""): row for row in rows}
    for currency, record in figures.accounts.items():
        row, mine = there.get(currency, {}), _account(record)
        if "net" not in row:
            del mine["net"]  # a page of an older version
        elif mine["initial"] > 0:
            mine["net %"] = 100 * mine["net"] / mine["initial"]
        _check_row(found, currency, row, mine)


def _check_symbols(found: list[Finding], rows: list[Row], figures: Figures) -> None:
    there = {row.get("symbol", ""): row for row in rows}
    for symbol, record in figures.positions.items():
        row = there.get(symbol, {})
        _check_row(found, symbol, row, _position(record))
        _compare(found, f"{symbol}: orders", row.get("orders", ""), str(figures.orders[symbol]))
        _compare(found, f"{symbol}: fills", row.get("fills", ""), str(figures.fills[symbol]))


def _check_averages(
    found: list[Finding], rows: list[Row], figures: Figures, manifest: Manifest
) -> None:
    """The table by average cost; another build may have made none."""
    if not rows and manifest.build != build_hash():
        return
    instruments = manifest.config.get("instruments", {})
    multipliers = {name: Fraction(str(each["multiplier"])) for name, each in instruments.items()}
    linear = {name for name, each in instruments.items() if each["settlement"] != "inverse"}
    there = {row.get("symbol", ""): row for row in rows}
    for place, said, mine in figures.averages.differences(
        there,
        {name: each for name, each in figures.positions.items() if name in linear},
        multipliers,
    ):
        words = f"is {said!r}, and by average cost of the journal's fills {mine!r}"
        found.append(Finding(_PAGE, f"Average cost: {place}", words))


def _check_row(found: list[Finding], name: str, row: Row, figures: Mapping[str, Fraction]) -> None:
    for column, mine in figures.items():
        said = row.get(column, "missing")
        if not (said_exactly if column in _EXACT else says)(said, mine):
            words = f"is {said!r}, and the journal's last sample says {float(mine)!r}"
            found.append(Finding(_PAGE, f"{name}: {column}", words))


def _account(record: AccountRecord) -> dict[str, Fraction]:
    unit = Fraction(1, 10) ** record.money_decimals
    return {
        "net": (record.equity_units - record.initial_units) * unit,
        "initial": record.initial_units * unit,
        "realised": record.realised_units * unit,
        "fees": record.fees_units * unit,
        "unrealised": record.unrealised_units * unit,
        "equity": record.equity_units * unit,
        **({"payments": record.payments_units * unit} if record.payments_units else {}),
        "high water": record.high_water_units * unit,
        "max drawdown": record.max_drawdown_units * unit,
    }


def _position(record: PositionRecord) -> dict[str, Fraction]:
    unit = Fraction(1, 10) ** record.money_decimals
    return {
        "position": record.position_units * Fraction(1, 10) ** record.quantity_decimals,
        "mark": record.mark_units * Fraction(1, 10) ** record.price_decimals,
        "realised": record.realised_units * unit,
        "unrealised": record.unrealised_units * unit,
        "fees": record.fees_units * unit,
    }


def _tables(text: str) -> dict[str, list[Row]]:
    """The rows of every table, by the title above it; cells as they are printed."""
    tables: dict[str, list[Row]] = {}
    title = ""
    head: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            title, head = line[3:], []
        elif line.startswith("| "):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if head:
                tables.setdefault(title, []).append(dict(zip(head, cells, strict=False)))
            else:
                head = cells
        elif not line.startswith("|"):
            head = []
    return tables
