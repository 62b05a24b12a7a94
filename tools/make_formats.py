"""Writes the table of formats in docs/DATA.md from the records of the layouts.

Problem: a list of what can be imported that a person keeps is soon behind the code. Method: the
table under `<!-- held: formats -->` is made of the records that the importer itself reads by: what
a file is called, the command for it, whose clock its times are of, what is taken, what is left
out, and what is refused. A test compares them.

Run: python tools/make_formats.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from logos.data.importing.formats import LAYOUTS
from logos.data.importing.record import ForeignLayout

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENT = PROJECT / "docs" / "DATA.md"
HEAD = "| file | `--format` | command | its times | what is taken | what is left out |"
_HELD = re.compile(r"<!-- held: formats -->\n(?:\|[^\n]*\n)*")
_TAKEN = {"bars": "bars", "quotes": "quotes", "trades": "trades", "quote_bars": "bid and ask bars"}


def with_table(text: str) -> str:
    """The document with the table of today."""
    rows = [HEAD, "|---|---|---|---|---|---|", *table_rows()]
    return _HELD.sub(lambda _: "<!-- held: formats -->\n" + "\n".join(rows) + "\n", text)


def table_rows() -> Iterator[str]:
    """A row for each file of a vendor; records that differ in details share one."""
    groups: dict[tuple[str, str], list[ForeignLayout]] = {}
    for layout in LAYOUTS:
        groups.setdefault((layout.name, short_title(layout)), []).append(layout)
    for (name, title), layouts in groups.items():
        first = layouts[0]
        if first.refused:
            cells = [title, f"`{name}`", "refused", "", "nothing", first.refused]
        else:
            notes = dict.fromkeys(each.note for each in layouts if each.note)
            lefts = dict.fromkeys(each.left for each in layouts if each.left)
            rows = dict.fromkeys(f"rows {rule.why}" for e in layouts for rule in e.left_out)
            cells = [
                title,
                f"`{name}`",
                f"`{command(first)}`",
                "; ".join(dict.fromkeys(map(times, layouts))),
                "; ".join([_TAKEN[first.kind], *notes]),
                "; ".join([*lefts, *rows]),
            ]
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def short_title(layout: ForeignLayout) -> str:
    """The title without what tells apart the records of one file."""
    if layout.name == "lean" and not layout.refused:
        what = {"bars": "bars of trades", "quote_bars": "bars of bids and asks"}
        return f"Lean {what.get(layout.kind, f'ticks of {layout.kind}')}"
    return re.split(r", (?!since)| by ", layout.title)[0]


def command(layout: ForeignLayout) -> str:
    """What is typed for such a file, as its vendor names it."""
    words = ["logos data import FILE"]
    names = layout.file_name + layout.path
    has_symbol = "(?P<symbol>" in names or "(?P<base>" in names or "(?P<ticker>" in names
    if not has_symbol and not {"symbol"} & {*layout.roles.values(), *layout.columns}:
        words.append("--symbol SYMBOL")
    if not layout.zone and layout.time_format not in ("", "epoch"):
        words.append("--timezone ZONE")
    if layout.on_request and not layout.file_name:
        words.append(f"--format {layout.name}")
    if not layout.stamp:
        words.append("--stamp close")
    if layout.asset_class:
        words.append("--asset-class CLASS")
    return " ".join(words)


def times(layout: ForeignLayout) -> str:
    """Whose clock the times are of."""
    if layout.time_format == "epoch":
        text = "numbers since 1970"
    elif layout.zone:
        text = layout.zone if layout.zone[0].isalpha() else f"UTC{layout.zone}"
    elif layout.time_format:
        text = "of a clock to be said: `--timezone`"
    else:
        text = "as written, else `--timezone`"
    return text + (", of a period's last day" if layout.is_last_day else "")


def main() -> int:
    """Write the table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_table(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
