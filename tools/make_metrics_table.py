"""Writes the table of metrics into docs/METRICS.md, from `logos.observe.metrics.catalog`.

Run: python tools/make_metrics_table.py
"""

from __future__ import annotations

from pathlib import Path

from document_table import with_new_rows

from logos.observe.metrics.catalog import METRICS, OF_SESSION

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "METRICS.md"
_HEAD = "| metric | kind | labels | what it says |\n|---|---|---|---|\n"


def rows() -> str:
    """The rows of the table as Markdown."""
    return "".join(
        f"| `{metric.name}` | {metric.kind}{' P' * metric.is_of_process} "
        f"| {_labels(metric.labels)} | {metric.help} |\n"
        for metric in METRICS
    )


def _labels(labels: tuple[str, ...]) -> str:
    """Those of every session's metric are one word."""
    count = len(OF_SESSION)
    is_of_session = labels[:count] == OF_SESSION
    own = [f"`{label}`" for label in (labels[count:] if is_of_session else labels)]
    return ", ".join(["S", *own] if is_of_session else own) or "-"


def with_table(text: str) -> str:
    """The document with the table of today in place of the one it has."""
    return with_new_rows(text, _HEAD, rows(), DOCUMENT)


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
