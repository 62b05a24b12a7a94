"""rehearsal.html: the report with a picture of every session, in one file that needs no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from logos.rehearsal.reports.pack import PACK_FILE
from logos.rehearsal.reports.picture import STYLE
from logos.rehearsal.reports.record import Record, Row
from logos.rehearsal.reports.report import EXPLAINED, conclusion, facts, held
from logos.rehearsal.verdicts import Part, Verdict
from logos.shown import html

PAGE_FILE: Final = "rehearsal.html"

_CLASSES: Final = {
    Verdict.PASS.value: "pass",
    Verdict.FAIL.value: "fail",
    Verdict.ERROR.value: "fail",
    Verdict.NO_LIMIT_SET.value: "none",
    Verdict.NOT_APPLICABLE.value: "na",
}

_STYLE: Final = """\
body{font:15px/1.5 system-ui,sans-serif;color:#223;background:#f6f6f9;margin:0}
main{max-width:1080px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 6px}
h3{font-size:16px;margin:0 0 4px}
table{border-collapse:collapse;width:100%;background:#fff;font-size:13px;margin:10px 0}
th,td{border:1px solid #dde;padding:4px 8px;text-align:left;vertical-align:top}
th{background:#eef;font-weight:600}td{overflow-wrap:anywhere}
.num td:nth-last-child(-n+2){white-space:nowrap;overflow-wrap:normal}
.guards td:first-child,.guards td:nth-child(3){white-space:nowrap;overflow-wrap:normal}
section.one{background:#fff;border:1px solid #dde;border-radius:6px;padding:14px 16px;margin:14px 0}
.chip{display:inline-block;border-radius:4px;padding:0 7px;font-size:12px;font-weight:600;
white-space:nowrap}
.pass{background:#d9f2dc;color:#145a1e}.fail{background:#f9d4d4;color:#8a0f0f}
.none{background:#ffe3b0;color:#7a4a00}.na{background:#e4e4ec;color:#445}
.lent{background:#e3ecff;color:#1b3f8f;margin-left:6px}
p{margin:4px 0}.small{font-size:13px;color:#556}code{font-size:12px;overflow-wrap:anywhere}
.problem{background:#f9d4d4;padding:8px 12px;border-radius:6px}
"""


def rehearsal_page(record: Record, pictures: Mapping[tuple[str, str], str]) -> str:
    """The page; `pictures` are SVG elements by part and scenario."""
    title = f"Rehearsal of {record.strategy}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{html(title)}</title><style>{_STYLE}{STYLE}</style></head><body><main>",
        f"<h1>{html(title)}</h1>",
        *(f"<p>{html(line)}</p>" for line in conclusion(record.rows).splitlines()),
    ]
    if record.problem:
        parts.append(f'<p class="problem">Not whole: {html(record.problem)}</p>')
    parts += [
        _table(("what", "value"), [[html(name), html(value)] for name, value in facts(record)]),
        f'<p class="small">The evidence is in <code>{PACK_FILE}</code>; <code>logos rehearse '
        "verify FOLDER</code> judges it again, on any machine.</p>",
        "<h2>Guards</h2>",
        _guards(record),
    ]
    for part in Part:
        rows = [row for row in record.rows if row.part == part.value]
        parts += [f"<h2>{html(part.value.capitalize())}</h2>"]
        parts += [f'<p class="small">{html(EXPLAINED[part.value])}</p>']
        if not rows:
            parts.append("<p>No scenario that was chosen lends a limit.</p>")
            continue
        overview = [
            [html(row.name), html(row.done or row.reason), held(row), _chips(row)] for row in rows
        ]
        head = ("scenario", "what was done", "held", "verdict")
        parts.append(_table(head, overview, "num"))
        parts += [_scenario(row, pictures.get((row.part, row.name), "")) for row in rows]
    parts += ["<h2>Settings</h2><p>What is not as it would be by default:</p><ul>"]
    parts += [f"<li><code>{html(text)}</code></li>" for text in record.changed]
    return "\n".join([*parts, "</ul></main></body></html>", ""])


def _guards(record: Record) -> str:
    rows = [
        [
            *(html(each.guard), html(each.limit), html(each.action)),
            *(_with_chips(each.engine), _with_chips(each.settings)),
        ]
        for each in record.guards
    ]
    return _table(("guard", "your limit", "action", *(part.value for part in Part)), rows, "guards")


def _with_chips(text: str) -> str:
    """The words of the matrix, each verdict in its colour."""
    cells = []
    for each in text.split("; "):
        name, _, verdict = each.rpartition(": ")
        kind = _CLASSES.get(verdict)
        chip = f'<span class="chip {kind}">{html(verdict)}</span>' if kind else html(verdict)
        cells.append(f"{html(name)} {chip}" if name else chip)
    return "<br>".join(cells)


def _scenario(row: Row, picture: str) -> str:
    parts = [f'<section class="one"><h3>{html(row.name)} {_chips(row)}</h3>']
    parts.append(f"<p>{html(row.description)}</p>")
    if row.reason:
        parts.append(f"<p><b>{html(row.reason)}</b></p>")
    if row.findings:
        parts.append(f'<p class="small">Done: {html(row.done) or "nothing"}.</p>')
        if row.lent:
            parts.append(f'<p class="small">Lent: {html("; ".join(row.lent))}.</p>')
        findings = [
            [html(words), html(seen), _chip("pass" if is_held else "fail", is_held)]
            for words, seen, is_held in row.findings
        ]
        parts += [picture, _table(("expected", "seen", ""), findings, "num")]
    return "".join([*parts, "</section>"])


def _chip(kind: str, is_held: bool) -> str:
    return f'<span class="chip {kind}">{"held" if is_held else "FAILED"}</span>'


def _chips(row: Row) -> str:
    kind = _CLASSES.get(row.verdict, "na")
    lent = '<span class="chip lent">limits lent</span>' if row.guards and row.lent else ""
    return f'<span class="chip {kind}">{html(row.verdict)}</span>{lent}'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Cells are HTML already."""
    titles = "".join(f"<th>{html(each)}</th>" for each in head)
    lines = ["".join(f"<td>{each}</td>" for each in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<table class="{kind}"><tr>{titles}</tr>{body}</table>'
